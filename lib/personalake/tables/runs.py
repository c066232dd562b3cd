"""The run manifest: which run of which stage read what and wrote what."""

from __future__ import annotations

from personalake.tables.spec import BIGINT, DATE, DOUBLE, STRING, STRING_MAP, TIMESTAMP, Col, Table

COMPLETE = "complete"
"""The state of a stage that was run to its end."""

RUNS = Table(
    name="runs",
    comment="One row per stage of a run.",
    stage="runtime",
    key=("run_id", "stage"),
    cols=(
        Col("run_id", STRING, "The run"),
        Col("stage", STRING, "The stage"),
        Col("as_of_date", DATE, "Everything before this day"),
        Col("config_hash", STRING, "SHA-256 of the settings the stage reads"),
        Col("code_version", STRING, "Version and content hash of the package"),
        Col("input_versions", STRING_MAP, "Table to Delta version that was read"),
        Col("output_versions", STRING_MAP, "Table to Delta version that was written"),
        Col("state", STRING, "complete: a stage that was skipped or failed leaves no row", optional=False),
        Col("rows_in", BIGINT, "Rows read, where the stage counts them"),
        Col("rows_out", BIGINT, "Rows written"),
        Col("rows_rejected", BIGINT, "Records refused"),
        Col("seconds", DOUBLE, "How long it took [s]"),
        Col("started_at", TIMESTAMP, "When it started [UTC]", optional=False),
        Col("detail", STRING_MAP, "What else the stage says of itself"),
    ),
)
