"""The evidence that binds a person's identifiers: which links, which were cut, what became of the person before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault
from personalake.tables.identity import IDENTIFIER
from personalake.views.layout import csv_lines, table_lines
from personalake.views.register import register

SHOWN_DIGITS = 12
_MOST_ROWS = 500
_READS = ("identity_map", "identity_links", "identity_moves")
_LINK = (
    *("left_kind", "left_identifier", "right_kind", "right_identifier", "evidence_kind", "strength_score"),
    *("event_count", "first_at", "last_at", "state", "link_id"),
)


def person_evidence(spark: SparkSession, root: str, person_id: str) -> dict[str, Any]:
    """What binds a person's identifiers.

    Args:
        spark: a session in UTC.
        root: warehouse.root.
        person_id: as in identity_map.

    Returns:
        person_id; identifiers (identifier_kind, identifier, linked_at, key_id); links (those with an end at the person,
        used ones first; what was cut leads to strangers or to another part); moves (merges and splits that name the
        person). Five hundred rows of each at most.

    Raises:
        ConfigError: nobody is called so, or nothing was linked yet.

    Cost:
        Three small queries; the largest scans identity_links once.
    """
    known = register(spark, root, _READS)
    if missing := [name for name in _READS if name not in known.tables]:
        raise ConfigError(Fault("PERSON_ID", f"{missing[0]} is not written yet.", "`personalake run` writes it."))
    mine = spark.table("identity_map").where(F.col("person_id") == F.lit(person_id))
    identifiers = _rows(mine.select(*IDENTIFIER, "linked_at", "key_id").orderBy(*IDENTIFIER))
    moves = spark.table("identity_moves").where(
        (F.col("from_person_id") == F.lit(person_id)) | (F.col("to_person_id") == F.lit(person_id))
    )
    told = _rows(moves.orderBy("moved_at", "move_id").drop("run_id", "move_id"))
    if not identifiers:
        now = [row["to_person_id"] for row in told if row["from_person_id"] == person_id]
        hint = f"Did you mean {now[-1]}?" if now else '`personalake sql "SELECT person_id FROM identity_map LIMIT 5"`.'
        raise ConfigError(Fault("PERSON_ID", "is nobody's in this warehouse.", hint))
    return {"person_id": person_id, "identifiers": identifiers, "links": _rows(_links(spark, mine)), "moves": told}


def _links(spark: SparkSession, mine: DataFrame) -> DataFrame:
    """The links with an end among some identifiers, once each."""
    links = spark.table("identity_links")
    ends = mine.select(*IDENTIFIER)
    sides = [
        links.join(
            ends.select(
                F.col("identifier_kind").alias(f"{side}_kind"), F.col("identifier").alias(f"{side}_identifier")
            ),
            [f"{side}_kind", f"{side}_identifier"],
            how="left_semi",
        ).select(*_LINK)
        for side in ("left", "right")
    ]
    is_cut = F.col("state") != "used"
    return sides[0].unionByName(sides[1]).distinct().orderBy(is_cut, "state", "left_kind", "left_identifier", "link_id")


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries; Spark writes times as text, because the driver's Python may live in another time zone."""
    times = [name for name, kind in frame.dtypes if kind == "timestamp"]
    texts = frame.withColumns({name: F.date_format(name, "yyyy-MM-dd HH:mm") for name in times})
    return [row.asDict() for row in texts.limit(_MOST_ROWS).collect()]


def evidence_text(found: dict[str, Any]) -> Iterator[str]:
    """The lines of `person_evidence` for a terminal; identifiers and links are shortened."""
    yield f"Person {found['person_id']}: {len(found['identifiers'])} identifier(s)"
    rows = [(row["identifier_kind"], _short(row["identifier"]), row["linked_at"]) for row in found["identifiers"]]
    yield from _table(("kind", "identifier", "first event [UTC]"), rows)
    used = [row for row in found["links"] if row["state"] == "used"]
    cut = [row for row in found["links"] if row["state"] != "used"]
    for title, links in (("Bound by", used), ("Seen together, but cut", cut)):
        yield ""
        yield f"{title}: {len(links)} link(s)"
        if links:
            head = ("left", "right", "evidence", "strength", "events", "first", "last", "state", "link")
            yield from _table(head, [_link(row) for row in links])
    if found["moves"]:
        yield ""
        yield "Merges and splits"
        names = ("moved_at", "kind", "from_person_id", "to_person_id", "reason")
        yield from _table([name.replace("_", " ") for name in names], [[r[n] for n in names] for r in found["moves"]])


def evidence_csv(found: dict[str, Any]) -> Iterator[str]:
    """The links of `person_evidence`, whole, as CSV."""
    yield from csv_lines(_LINK, ([row[name] for name in _LINK] for row in found["links"]))


def _link(row: dict[str, Any]) -> tuple[Any, ...]:
    left = f"{row['left_kind']} {_short(row['left_identifier'])}"
    right = f"{row['right_kind']} {_short(row['right_identifier'])}"
    strength = None if row["strength_score"] is None else f"{row['strength_score']:.2f}"
    times = (row["first_at"], row["last_at"])
    return (
        left,
        right,
        row["evidence_kind"],
        strength,
        row["event_count"],
        *times,
        row["state"],
        _short(row["link_id"]),
    )


def _table(head: tuple[str, ...] | list[str], rows: list[Any]) -> Iterator[str]:
    yield from (f"  {line}" for line in table_lines(head, rows, null="-"))


def _short(identifier: str) -> str:
    return identifier[:SHOWN_DIGITS]
