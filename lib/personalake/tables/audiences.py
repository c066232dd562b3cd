"""What the command audience keeps."""

from __future__ import annotations

from personalake.tables.spec import DATE, DOUBLE, STRING, Col, Table

AUDIENCES = Table(
    name="audiences",
    comment="One row per kept audience, day and person in it.",
    stage="audience",
    key=("audience", "as_of_date", "person_id"),
    partition=("audience", "as_of_date"),
    keep_days=365,
    cols=(
        Col("audience", STRING, "The name it was given"),
        Col("as_of_date", DATE, "Everything before this day"),
        Col("person_id", STRING, "The person", person=True),
        Col("segment_name", STRING, "The person's segment by the main method, in English"),
        Col("similarity_score", DOUBLE, "How like the seeds, where it was made from some"),
        Col("selection", STRING, "The tag or the tree it was made by; null where by seeds alone"),
    ),
)
