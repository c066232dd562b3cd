"""What evaluate (and, under their own stage, other stages that measure a model) writes."""

from __future__ import annotations

from personalake.tables.spec import BIGINT, DATE, DOUBLE, INT, STRING, Col, Table

MODEL_METRICS = Table(
    name="model_metrics",
    comment="One row per measured quality of a model.",
    stage="evaluate",
    also=("profiles", "predict", "recommend"),
    key=("stage", "as_of_date", "model", "metric", "k", "step", "audience"),
    cols=(
        Col("stage", STRING, "Stage that measured"),
        Col("as_of_date", DATE, "Measured as of this day"),
        Col("model", STRING, "Name of the model"),
        Col("metric", STRING, "Name of the formula: recall, ndcg, map, …; loss: what a fit made small"),
        Col("k", INT, "Length of the list; 0 where there is none"),
        Col("step", INT, "Iteration, or group in order, as docs/predictions.md says; 0 where there is none"),
        Col("audience", STRING, "all, or a group"),
        Col("value", DOUBLE, "The value"),
        Col("interval_low", DOUBLE, "Lower end of the 95 % interval"),
        Col("interval_high", DOUBLE, "Upper end of the 95 % interval"),
        Col("person_count", BIGINT, "Persons it was measured on"),
    ),
)
