"""Person ids that last: what was published before keeps its id as far as it can, and the ledger tells the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.identity.causes import split_causes
from personalake.tables.identity import IDENTIFIER

_GONE = "no event links them any more"
_ID_LENGTH = 24  # 96 bits: with a thousand million persons a clash has odds of one in 10^11


def build_identity_map(
    components: DataFrame, old_map: DataFrame, old_moves: DataFrame, as_of: date, links: DataFrame | None = None
) -> tuple[DataFrame, DataFrame]:
    """The person of each identifier, and what became of persons published before.

    An old person's home is the component with most of its identifiers. Where several are at home in one component the
    oldest stays (smallest linked_at, then id) and the others are merged into it; identifiers away from home are split
    off. A component that is nobody's home gets a new id, made of its earliest identifier; an id that was ever another
    person's is not given again.

    Args:
        components: identifier_kind, identifier, component, first_at [UTC], key_id. Read several times: keep it.
        old_map: the map as published up to this day; empty on the first run.
        old_moves: identity_moves so far; ids merged away stay used.
        as_of: the day of the run; nothing else tells the time, so a run that is repeated gives the same rows.
        links: identity_links, to tell why a person was split; None: not told.

    Returns:
        The columns of identity_map (linked_at = first event that shows the identifier) and those of the new rows of
        identity_moves. With the new map as old_map the same components give the same map and no move. Write moves (by
        MERGE on move_id) before the map: a run repeated in between gives the same of both. Identifiers that no event
        shows any more leave the map without a move.

    Cost:
        That of `with_person`, `map_of` and `moves_of`, the first of which is done twice: keep what it gives instead.
    """
    named = with_person(components, old_map, old_moves, as_of)
    return map_of(named), moves_of(named, as_of, links)


def with_person(
    components: DataFrame, old_map: DataFrame, old_moves: DataFrame, as_of: date, others: DataFrame | None = None
) -> DataFrame:
    """The identifiers + person_id and _old, the person before (null where there was none).

    Args:
        components: as in `build_identity_map`.
        old_map: as there; at least of all persons of whom an identifier is among the components, and these whole.
        old_moves: as there.
        as_of: as there.
        others: person_id: where old_map does not have all persons there are, all of them; None: it has.

    Returns:
        The same rows. Several transforms read it: keep it.

    Cost:
        Shuffles of identifiers: by identifier, by component (twice); the rest is by person and smaller.
    """
    persons = old_map.groupBy("person_id").agg(F.min("linked_at").alias("_since"))
    before = components.join(old_map.select(*IDENTIFIER, F.col("person_id").alias("_old")), [*IDENTIFIER], how="left")
    used = _used_ids(old_map if others is None else others, old_moves)
    owners = _owners(components, _sides(before), persons, used, as_of)
    return before.join(owners, "component", how="inner")


def map_of(named: DataFrame) -> DataFrame:
    """The columns of identity_map, of rows of `with_person`."""
    return named.select(*IDENTIFIER, "person_id", F.col("first_at").alias("linked_at"), "key_id")


def moves_of(named: DataFrame, as_of: date, links: DataFrame | None = None) -> DataFrame:
    """What became of persons published before: the columns of identity_moves.

    Args:
        named: rows of `with_person`.
        as_of: the day of the run.
        links: identity_links, to tell why a person was split; None: not told.

    Cost:
        Shuffles of the identifiers of persons that were merged or split; with links, one scan of them, joined with
        these.
    """
    gone = named.where(F.col("_old") != F.col("person_id")).select("_old").distinct()
    torn = named.join(gone, ["_old"], how="left_semi")
    moved = _sides(torn, F.max("person_id").alias("person_id")).where(F.col("_old") != F.col("person_id"))
    if links is not None:
        causes = split_causes(links, torn, moved.where("NOT _is_home"))
        moved = moved.join(causes, ["component", "_old"], how="left")
    else:
        moved = moved.withColumn("_cause", F.lit(None).cast("string"))
    return _moves(moved, as_of)


def _sides(before: DataFrame, *more: Column) -> DataFrame:
    """One row per component and old person in it: _size, _is_home."""
    sides = before.where(F.col("_old").isNotNull()).groupBy("component", "_old")
    counted = sides.agg(F.count(F.lit(1)).alias("_size"), F.min("first_at").alias("_first_at"), *more)
    return counted.withColumn(
        "_is_home", _is_first("_old", F.col("_size").desc(), F.col("_first_at"), F.col("component"))
    )


def identifiers_by_person(identity_map: DataFrame) -> DataFrame:
    """How many identifiers a person has.

    Args:
        identity_map: reads identifier_kind, person_id, linked_at.

    Returns:
        person_id, identifier_count, login_count, device_count, other_count, first_at (first event [UTC]).

    Cost:
        One shuffle by person.
    """
    kind = F.col("identifier_kind")
    return identity_map.groupBy("person_id").agg(
        F.count(F.lit(1)).alias("identifier_count"),
        F.count_if(kind == "login").alias("login_count"),
        F.count_if(kind == "device").alias("device_count"),
        F.count_if(~kind.isin("login", "device")).alias("other_count"),
        F.min("linked_at").alias("first_at"),
    )


def _owners(components: DataFrame, sides: DataFrame, persons: DataFrame, used: DataFrame, as_of: date) -> DataFrame:
    """One row per component: component, person_id."""
    at_home = sides.where("_is_home").join(persons, F.col("_old") == F.col("person_id"), how="inner")
    kept = at_home.withColumn("_is_kept", _is_first("component", F.col("_since").asc_nulls_last(), F.col("_old")))
    kept = kept.where("_is_kept").select("component", "_old")
    earliest = F.min(F.struct("first_at", *IDENTIFIER))
    fresh = (
        components.groupBy("component")
        .agg(earliest.alias("_earliest"))
        .withColumn("_name", F.concat_ws(":", "_earliest.identifier_kind", "_earliest.identifier"))
        .join(kept, "component", how="left")
        .withColumn("_new", _id(F.col("_name")))
    )
    # Few components are new, so few ids are asked about and those in use need no shuffle.
    asked = fresh.where(F.col("_old").isNull()).select("_new")
    taken = used.select(F.col("person_id").alias("_new")).join(asked, ["_new"], how="left_semi").distinct()
    fresh = fresh.join(taken.withColumn("_is_used", F.lit(True)), ["_new"], how="left")
    again = _id(F.concat_ws("@", "_name", F.lit(as_of.isoformat())))
    new = F.when(F.col("_is_used"), again).otherwise(F.col("_new"))
    return fresh.select("component", F.coalesce("_old", new).alias("person_id"))


def _used_ids(old_map: DataFrame, old_moves: DataFrame) -> DataFrame:
    """Ids that are or were a person's.

    Of moves only where they lead from: a run repeated after a crash finds its own moves, and where those lead to must
    stay free for it.
    """
    left = old_moves.select(F.col("from_person_id").alias("person_id"))
    return old_map.select("person_id").unionByName(left)


def _moves(moved: DataFrame, as_of: date) -> DataFrame:
    """Merges and splits: every side of an old person that is now another's, with _cause where a split's is known."""
    kind = F.when(F.col("_is_home"), F.lit("merge")).otherwise(F.lit("split"))
    apart = F.concat(F.lit("no longer linked to the larger part of the person: "), F.coalesce("_cause", F.lit(_GONE)))
    told = F.when(F.col("_is_home"), F.lit("linked to an older person")).otherwise(apart)
    return moved.select(
        F.sha2(F.concat_ws("\u001f", kind, "_old", "person_id", F.lit(as_of.isoformat())), 256).alias("move_id"),
        F.lit(datetime.combine(as_of, time(), UTC)).alias("moved_at"),
        kind.alias("kind"),
        F.col("_old").alias("from_person_id"),
        F.col("person_id").alias("to_person_id"),
        F.concat_ws(" ", F.concat(F.col("_size"), F.lit(" identifier(s)")), told).alias("reason"),
    )


def _is_first(by: str, *order: Column) -> Column:
    return F.row_number().over(Window.partitionBy(by).orderBy(*order)) == 1


def _id(name: Column) -> Column:
    return F.concat(F.lit("p_"), F.substring(F.sha2(name, 256), 1, _ID_LENGTH))
