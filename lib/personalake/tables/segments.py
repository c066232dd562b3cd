"""What segments writes: who belongs where, what each segment is like, who moved, what was tried, and the models."""

from __future__ import annotations

from personalake.tables.spec import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, STRING_MAP, Col, Table

SEGMENT_FEATURES: tuple[str, ...] = (
    "recency_days",
    "tenure_days",
    "active_day_count",
    "session_count",
    "mean_session_seconds",
    "events_per_session",
    "view_count",
    "search_count",
    "order_count",
    "money_minor",
    "discount_share",
    "night_share",
    "weekend_share",
    "phone_share",
    "tv_share",
    "platform_count",
    "category_count",
)
"""The features that segments are made from by default, and whose centres have a column of their own."""

SEGMENTS = Table(
    name="segments",
    comment="One row per person as of a day and method: the segment the person is in.",
    stage="segments",
    key=("person_id", "as_of_date", "method"),
    partition=("as_of_date",),
    keep_days=365,
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("as_of_date", DATE, "Everything before this day"),
        Col("method", STRING, "How the segments were made: a name in segments.methods"),
        Col(
            "segment_id", STRING, "The segment; lasts as long as its centre can be told to be the same", optional=False
        ),
        Col("segment_name", STRING, "Its name in English", optional=False),
        Col("distance", DOUBLE, "Distance to the centre in prepared, standardised features", optional=False),
        Col("is_main", BOOLEAN, "Whether the method is segments.method, which readers see where they see one"),
    ),
)

SEGMENT_PROFILES = Table(
    name="segment_profiles",
    comment="One row per segment as of a day: what it is like, in words and in the units of profiles.",
    stage="segments",
    key=("as_of_date", "method", "segment_id"),
    partition=("as_of_date",),
    cols=(
        Col("as_of_date", DATE, "Everything before this day"),
        Col("method", STRING, "How the segments were made: a name in segments.methods"),
        Col("segment_id", STRING, "The segment"),
        Col("segment_name", STRING, "Its name in English; kept while the segment lasts", optional=False),
        Col("segment_name_zh", STRING, "Its name in Chinese; kept while the segment lasts", optional=False),
        Col("person_count", BIGINT, "Persons in it; 0 where it vanished", optional=False),
        Col("person_share", DOUBLE, "Share of all persons, 0 to 1", optional=False),
        Col(
            "silhouette",
            DOUBLE,
            "Mean silhouette of the persons measured on under this clustering, -1 to 1; null with one segment",
        ),
        Col(
            "state",
            STRING,
            "kept: the last run had it; new: it did not; vanished: the last run had it, and nobody is in it now",
            optional=False,
        ),
        Col(
            "match_distance", DOUBLE, "Standardised distance to its centre in the last run; null where new or vanished"
        ),
        Col("words", STRING, "What sets it apart, in English", optional=False),
        Col("words_zh", STRING, "What sets it apart, in Chinese", optional=False),
        Col(
            "centre",
            STRING_MAP,
            "Feature to its value at the centre, in the unit of profiles; where it vanished, what the last run had",
            optional=False,
        ),
        *(Col(f"{name}_centre", DOUBLE, f"{name} at the centre; null where not used") for name in SEGMENT_FEATURES),
        Col("is_main", BOOLEAN, "Whether the method is segments.method, which readers see where they see one"),
    ),
)

SEGMENT_MOVES = Table(
    name="segment_moves",
    comment="One row per pair of segments and number of persons who went from one to the other since the last run.",
    stage="segments",
    key=("as_of_date", "from_as_of_date", "method", "from_segment_id", "to_segment_id"),
    partition=("as_of_date",),
    cols=(
        Col("as_of_date", DATE, "Day of this run"),
        Col("from_as_of_date", DATE, "Day of the run before"),
        Col("method", STRING, "How the segments were made: a name in segments.methods"),
        Col("from_segment_id", STRING, "Segment then; '' for persons who were not known"),
        Col("to_segment_id", STRING, "Segment now; '' for persons who are no longer known"),
        Col("person_count", BIGINT, "Persons; those who stayed too", optional=False),
    ),
)

SEGMENT_CANDIDATES = Table(
    name="segment_candidates",
    comment="One row per number of segments that was tried: how well it came out, and whether it stands.",
    stage="segments",
    key=("as_of_date", "method", "k"),
    partition=("as_of_date",),
    cols=(
        Col("as_of_date", DATE, "Everything before this day"),
        Col("method", STRING, "How the segments were made: a name in segments.methods"),
        Col("k", INT, "Segments asked for; those found, where the method does not ask"),
        Col("silhouette", DOUBLE, "Mean silhouette, squared Euclidean, -1 to 1; null with one segment"),
        Col("stability", DOUBLE, "Mean adjusted Rand index between fits on halves of the persons; null: not measured"),
        Col("segment_count", BIGINT, "Segments that have persons", optional=False),
        Col("smallest_share", DOUBLE, "Share of the persons in the smallest of them, 0 to 1", optional=False),
        Col("person_count", BIGINT, "Persons measured on", optional=False),
        Col("is_chosen", BOOLEAN, "Whether this number stands", optional=False),
    ),
)

SEGMENT_MODELS = Table(
    name="segment_models",
    comment="One row per fit: all that is needed to place a person without fitting again.",
    stage="segments",
    key=("as_of_date", "method"),
    partition=("as_of_date",),
    cols=(
        Col("as_of_date", DATE, "Day of the fit: everything before it"),
        Col("method", STRING, "How the segments were made: a name in segments.methods"),
        Col("settings_hash", STRING, "Hash of the settings it was made by", optional=False),
        Col("person_count", BIGINT, "Persons it was made from", optional=False),
        Col("model", STRING, "Preparation, placement, centres, ids and names, as JSON", optional=False),
    ),
)
