"""What tags writes, and what persons said of their tags."""

from __future__ import annotations

from personalake.tables.spec import DATE, DOUBLE, STRING, TIMESTAMP, Col, Table

HIDDEN, CONTRADICTED, RESTORED = "hidden", "contradicted", "restored"

TAGS = Table(
    name="tags",
    comment="One row per person and tag the person has as of a day, with the reason.",
    stage="tags",
    key=("person_id", "as_of_date", "tag"),
    partition=("as_of_date",),
    keep_days=365,
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("as_of_date", DATE, "Everything before this day"),
        Col("tag", STRING, "Name of the rule in conf"),
        Col("label", STRING, "What readers call it, in English", optional=False),
        Col("label_zh", STRING, "What readers call it, in Chinese", optional=False),
        Col("value", DOUBLE, "The person's value of the feature the tag speaks of; null where it is no number"),
        Col("value_text", STRING, "The same in words: a number, a day, a name, yes or no", person=True),
        Col("score", DOUBLE, "The value, negated where less is more: orders persons within a tag"),
        Col("reason", STRING, "The facts and the thresholds, in words", person=True, optional=False),
        Col("since_date", DATE, "As-of day of the first run in the unbroken row of runs that gave it", optional=False),
        Col("reason_zh", STRING, "The same in Chinese", person=True),
    ),
)

TAG_OVERRIDES = Table(
    name="tag_overrides",
    comment="One row per person, tag and day on which the person had a word on it; the last one stands.",
    stage="tag",
    key=("person_id", "as_of_date", "tag"),
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("as_of_date", DATE, "From the run as of this day on"),
        Col("tag", STRING, "Name of the rule in conf"),
        Col("state", STRING, "hidden: not to be shown or used; contradicted: not so; restored: as if nothing was said",
            optional=False),
        Col("reason", STRING, "What the operator noted; no personal values"),
        Col("recorded_at", TIMESTAMP, "When the word was taken [UTC]", optional=False),
    ),
)  # fmt: skip
