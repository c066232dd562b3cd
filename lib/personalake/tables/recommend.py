"""What recommend writes."""

from __future__ import annotations

from personalake.tables.spec import DATE, DOUBLE, INT, STRING, STRING_MAP, Col, Table

ITEM_NEIGHBOURS = Table(
    name="item_neighbours",
    comment="One row per item and one like it, by method.",
    stage="recommend",
    key=("item_id", "neighbour_id", "method"),
    cols=(
        Col("item_id", STRING, "The item"),
        Col("neighbour_id", STRING, "The item like it"),
        Col("method", STRING, "Name of the algorithm in conf"),
        Col("similarity_score", DOUBLE, "Similarity; higher is more alike", optional=False),
        Col("neighbour_rank", INT, "Rank among the item's neighbours, from 1", optional=False),
    ),
)

RECOMMENDATIONS = Table(
    name="recommendations",
    comment="One row per suggestion of one run; recommendations_current_v1 shows the last complete run.",
    stage="recommend",
    key=("run_id", "policy", "person_id", "target_kind", "target_id"),
    partition=("as_of_date",),
    keep_days=90,
    cols=(
        Col("policy", STRING, "Name of the way the list was made"),
        Col("person_id", STRING, "Whom it is for", person=True),
        Col("target_kind", STRING, "item, brand, category, price_band"),
        Col("target_id", STRING, "What is suggested"),
        Col(
            "recommendation_id",
            STRING,
            "Hash of the key, model_version in place of run_id: what a click names",
            optional=False,
        ),
        Col("recommendation_rank", INT, "Rank within person and target_kind, from 1", optional=False),
        Col("score", DOUBLE, "What it was ranked by; higher is better"),
        Col("source", STRING, "Algorithm or blend it came from", optional=False),
        Col("propensity", DOUBLE, "Probability that the policy shows it; 1 where it is deterministic"),
        Col("model_version", STRING, "Hash of settings, code and as-of day"),
        Col("reason_code", STRING, "REC-001 … as in the documentation"),
        Col("reason_arguments", STRING_MAP, "What the sentence speaks of"),
        Col("reason", STRING, "Why, in English"),
        Col("reason_zh", STRING, "Why, in Chinese"),
        Col("as_of_date", DATE, "Made from everything before this day", optional=False),
    ),
)
