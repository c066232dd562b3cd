"""One person's picture: what is known, why, and what follows from it."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from personalake.errors import ConfigError, Fault
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.views.of_persons import MAIN_FEATURES
from personalake.views.register import Registered, register

READS = (
    "identity_map", "identity_moves", "consents", "segment_profiles", "segments", "predictions",
    "profiles_current_v1", "tags_current_v1", "recommendations_current_v1",
)  # fmt: skip

# part of the picture → (what it reads, query); {id} is the person. Each is bounded by what one person can have.
QUERIES: dict[str, tuple[tuple[str, ...], str]] = {
    "identifiers": (
        ("identity_map",),
        """SELECT identifier_kind, count(*) AS identifier_count, min(linked_at) AS first_linked_at
           FROM identity_map WHERE person_id = {id} GROUP BY identifier_kind ORDER BY identifier_kind""",
    ),
    "portrait": (
        ("profiles_current_v1",),
        f"SELECT as_of_date, {', '.join(MAIN_FEATURES)} FROM profiles_current_v1 WHERE person_id = {{id}}",  # noqa: S608 - declared names only
    ),
    "segments": (
        ("segments", "segment_profiles"),
        """SELECT s.as_of_date, s.method, s.segment_name, p.segment_name_zh, p.words, p.words_zh
           FROM segments s
           LEFT JOIN segment_profiles p
             ON p.as_of_date = s.as_of_date AND p.method = s.method AND p.segment_id = s.segment_id
           WHERE s.person_id = {id} AND s.as_of_date = (SELECT max(as_of_date) FROM segments) ORDER BY s.method""",
    ),
    "tags": (
        ("tags_current_v1",),
        """SELECT tag, label, label_zh, value_text, reason, since_date
           FROM tags_current_v1 WHERE person_id = {id} ORDER BY tag""",
    ),
    "predictions": (
        ("predictions",),
        """SELECT as_of_date, target, model, value_text, probability, decile, model_version
           FROM predictions WHERE person_id = {id} AND as_of_date = (SELECT max(as_of_date) FROM predictions)
           ORDER BY target, model""",
    ),
    "recommendations": (
        ("recommendations_current_v1",),
        """SELECT policy, target_kind, recommendation_rank, target_id, title, source, reason, reason_zh
           FROM recommendations_current_v1 WHERE person_id = {id} AND recommendation_rank <= 10
           ORDER BY policy, target_kind, recommendation_rank, target_id""",
    ),
    "consents": (
        ("consents", "identity_map"),
        """SELECT purpose, identifier_kind, state, effective_at, expires_at, source FROM (
             SELECT c.*, row_number() OVER (
                      PARTITION BY c.identifier_kind, c.identifier, c.purpose
                      ORDER BY c.effective_at DESC, c.recorded_at DESC NULLS LAST, c.consent_id) AS _age_rank
             FROM consents c JOIN identity_map m
               ON m.identifier_kind = c.identifier_kind AND m.identifier = c.identifier
             WHERE m.person_id = {id})
           WHERE _age_rank = 1 ORDER BY purpose, identifier_kind, effective_at, state, source""",
    ),
}


def person_picture(spark: SparkSession, root: str, person_id: str) -> dict[str, Any]:
    """What is known of one person, ready for JSON: dates and times are ISO strings, times in UTC.

    Args:
        spark: a session in UTC.
        root: warehouse.root.
        person_id: as in identity_map.

    Returns:
        person_id, then one entry per part: identifiers (kind → count and since when; never the identifiers themselves),
        portrait (feature → value, unit, meaning, window), segments, tags, predictions, recommendations (ten a kind at
        most), consents (the newest word per identifier and purpose), and not_written: parts whose tables are not there
        yet.

    Raises:
        ConfigError: nobody is called so; with the person's id where the id given is an identifier or a former person.

    Cost:
        Seven small queries; each reads its table, filtered by the person.
    """
    known = register(spark, root, READS)
    names = {*known.tables, *known.views}
    parts = [part for part, (reads, _) in QUERIES.items() if set(reads) <= names]
    first = {part: _rows(spark, QUERIES[part][1], person_id) for part in parts if part in ("identifiers", "portrait")}
    if not any(first.values()):
        raise ConfigError(_unknown(spark, known, person_id))
    found = {part: first[part] if part in first else _rows(spark, QUERIES[part][1], person_id) for part in parts}
    picture: dict[str, Any] = {"person_id": person_id, **found}
    if "portrait" in found:
        picture["portrait"] = _portrait(found["portrait"])
    picture["not_written"] = [part for part in QUERIES if part not in parts]
    return picture


def _asked(spark: SparkSession, query: str, text: str) -> DataFrame:
    """The query with the text as a value: in hexadecimal, so nothing in it can be read as SQL.

    Named parameters are not used: Delta's SQL parser leaves them unbound under Spark 4.2.
    """
    return spark.sql(query.format(id=f"CAST(X'{text.encode().hex()}' AS STRING)"))


def _rows(spark: SparkSession, query: str, person_id: str) -> list[dict[str, Any]]:
    """Rows as dictionaries; Spark writes times as text, because the driver's Python may live in another time zone."""
    frame = _asked(spark, query, person_id)
    times = [name for name, kind in frame.dtypes if kind == "timestamp"]
    frame = frame.selectExpr(
        *[f"concat(replace({n}, ' ', 'T'), 'Z') AS {n}" if n in times else f"`{n}`" for n in frame.columns]
    )
    rows = [row.asDict(recursive=True) for row in frame.collect()]
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()} for row in rows]


def _portrait(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {}
    row = rows[0]
    features = {
        name: {
            "value": row[name],
            "unit": FEATURE_BY_NAME[name].unit,
            "meaning": FEATURE_BY_NAME[name].meaning,
            "window": FEATURE_BY_NAME[name].window,
        }
        for name in MAIN_FEATURES
        if row[name] is not None
    }
    return {"as_of_date": row["as_of_date"], "features": features}


def _unknown(spark: SparkSession, known: Registered, person_id: str) -> Fault:
    """The id may be one of a person's identifiers, or a person that was merged into another."""
    where, hint = "person ID", '`personalake sql "SELECT person_id FROM person_360_v1 LIMIT 5"` shows some.'
    if "identity_map" not in known.tables:
        return Fault(where, "cannot be looked up: identity_map is not written yet.", "`personalake run` writes it.")
    queries = ["SELECT person_id FROM identity_map WHERE identifier = {id} ORDER BY person_id LIMIT 1"]
    if "identity_moves" in known.tables:
        moved = "SELECT to_person_id FROM identity_moves WHERE from_person_id = {id}"
        queries.append(f"{moved} ORDER BY moved_at DESC, to_person_id LIMIT 1")
    for query in queries:
        row = _asked(spark, query, person_id).first()
        if row is not None:
            return Fault(where, "is not a person's now.", f"Did you mean {row[0]}?")
    return Fault(where, "is nobody's in this warehouse.", hint)
