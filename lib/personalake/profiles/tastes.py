"""What a person likes: features from person_item_days, person_word_days and items."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.profiles.settings import Profiles
from personalake.profiles.totals import Day, row_columns, total_columns, totals_of
from personalake.profiles.words import words_of
from personalake.tables.features.liking import ITEM_KINDS

_NAMES = (*ITEM_KINDS, "content_word")
_ITSELF = ""
"""The kind of the one row of a person and an item that is about the item itself, not one of its names."""

_UNIT = 1 << 20
"""What an event of the last day weighs: decayed weights are whole numbers, so that sums are exact in any order."""


def tastes_by_person(person_item_days: DataFrame, items: DataFrame, day: Day, settings: Profiles) -> DataFrame:
    """The items of a person, on the way from view to buy, and the names they go by: category, brand, band, words.

    Args:
        person_item_days: columns of PERSON_ITEM_DAYS.
        items: item_id, category, brand, price_band, price_base_minor, title as known on the day; an item that is
            missing has none.
        day: the day of the profile; days from it on are not read.
        settings: taste_limit, taste_event_count.

    Returns:
        person_id; the features of the catalogue that are counted on items; of each kind but search words: what
        `_of_a_kind` gives; of categories, brands and price bands also top_…, top_…_share, …_count, …_variety_score.

    Cost:
        person_item_days is read twice: by item, for what everybody takes to (one small shuffle), and by person (one
        shuffle); a pair becomes a row of its own and one for each name, which are summed before they are shuffled.
    """
    known = _with_mass(person_item_days, day)
    named = items.select("item_id", "price_base_minor", _names().alias("_names"))
    rows = known.repartition("person_id").groupBy("person_id", "item_id")
    pairs = rows.agg(*row_columns("item"), F.max("event_date").alias("event_date"), F.sum("_mass").alias("_mass"))
    pieces = _pieces(pairs.join(named, on="item_id", how="left"))
    itself = f"kind = '{_ITSELF}'"
    dated = pieces.withColumn("as_of_date", F.lit(day.as_of))
    sums = (F.sum("events").alias("_events"), F.sum("_mass").alias("_mass"), *total_columns("item", day, itself))
    counts = dated.groupBy("person_id", "kind", "name").agg(*sums)
    masses = known.groupBy("item_id").agg(F.sum("_mass").alias("_mass")).join(named, on="item_id", how="inner")
    everybody = masses.select(F.explode("_names").alias("_of"), "_mass").select("_of.*", "_mass")
    totals = [F.sum(feature.name).alias(feature.name) for feature in totals_of("item")]
    tops = [column for kind in ITEM_KINDS for column in _top(kind)]
    return _by_person(counts, everybody, _NAMES, settings, [*totals, *tops])


def words_by_person(person_word_days: DataFrame, day: Day, settings: Profiles) -> DataFrame:
    """The words a person searches for: person_id and what `_of_a_kind` gives for search_word.

    Args:
        person_word_days: columns of PERSON_WORD_DAYS.
        day: the day of the profile; days from it on are not read.
        settings: taste_limit, taste_event_count.

    Cost:
        person_word_days is read twice: by word and by person, a shuffle each.
    """
    words = _with_mass(person_word_days, day).select(
        "person_id", F.lit("search_word").alias("kind"), F.col("word").alias("name"), "event_count", "_mass"
    )
    sums = (F.sum("event_count").alias("_events"), F.sum("_mass").alias("_mass"))
    counts = words.repartition("person_id").groupBy("person_id", "kind", "name").agg(*sums)
    return _by_person(counts, words.select("kind", "name", "_mass"), ("search_word",), settings, [])


def _with_mass(days: DataFrame, day: Day) -> DataFrame:
    """The days before the day, with _mass: events, decayed, as a whole number; never nothing."""
    weight = F.greatest(F.lit(1), F.round(day.decay * _UNIT)).cast("bigint")
    return days.where(F.col("event_date") < F.lit(day.as_of)).withColumn("_mass", F.col("event_count") * weight)


def _names() -> Column:
    """What an item is called: array of kind and name."""
    said = F.array(*[F.struct(F.lit(kind).alias("kind"), F.col(kind).alias("name")) for kind in ITEM_KINDS])
    words = F.transform(words_of("title"), lambda w: F.struct(F.lit("content_word").alias("kind"), w.alias("name")))
    none = F.slice(said, 1, 0)
    # An empty name is none.
    return F.filter(F.concat(said, F.coalesce(words, none)), lambda name: F.trim(name["name"]) != "")


def _pieces(pairs: DataFrame) -> DataFrame:
    """Each pair as one row of kind '', and one of each of its names."""
    itself = F.array(F.struct(F.lit(_ITSELF).alias("kind"), F.lit(_ITSELF).alias("name")))
    names = F.concat(itself, F.coalesce("_names", F.slice(itself, 1, 0)))
    return pairs.withColumn("_piece", F.explode(names)).select("*", "_piece.*").drop("_names", "_piece", "item_id")


def _by_person(
    counts: DataFrame, everybody: DataFrame, kinds: Sequence[str], settings: Profiles, more: Sequence[Column]
) -> DataFrame:
    """The tastes of each kind, and more aggregates.

    Args:
        counts: person_id, kind, name, _events, _mass; one row each.
        everybody: kind, name, _mass of all persons; any rows.
        kinds: the kinds to make columns of.
        settings: taste_limit, taste_event_count.
        more: further aggregates of counts.
    """
    names = everybody.groupBy("kind", "name").agg(F.sum("_mass").alias("_all"))
    whole = F.sum("_all").over(Window.partitionBy("kind"))
    common = names.withColumn("_common", F.col("_all") / whole).select("kind", "name", "_common")
    # The name first: a sort that begins with one of five kinds has to look at every text.
    compared = counts.join(common, on=["name", "kind"], how="left")
    sums = [column for kind in kinds for column in _of_a_kind(kind, settings.taste_event_count)]
    # In order, the lists of a person are made once and as they come: a hash map would give up on so many of them.
    persons = compared.sortWithinPartitions("person_id").groupBy("person_id").agg(*more, *sums)
    scratch = [f"_{kind}_{what}" for kind in kinds for what in ("mass", "list", "favoured")]
    return persons.withColumns({n: c for k in kinds for n, c in _told(k, settings.taste_limit).items()}).drop(*scratch)


def _of_a_kind(kind: str, least: int) -> tuple[Column, ...]:
    """Aggregates: all mass of a kind, its names by mass, and the name with the greatest lift."""
    is_kind = F.col("kind") == kind
    named = F.struct((-F.col("_mass")).alias("order"), "name", "_mass", "_events", "_common")
    lift = F.struct((-F.col("_mass") / F.col("_common")).alias("order"), "name", "_mass", "_events", "_common")
    return (
        F.sum(F.when(is_kind, F.col("_mass"))).alias(f"_{kind}_mass"),
        F.collect_list(F.when(is_kind, named)).alias(f"_{kind}_list"),
        F.min(F.when(is_kind & (F.col("_events") >= least), lift)).alias(f"_{kind}_favoured"),
    )


def _told(kind: str, limit: int) -> dict[str, Column]:
    """The list of a kind, best first, and its favoured name."""
    mass, favoured = F.col(f"_{kind}_mass"), F.col(f"_{kind}_favoured")

    def taste(row: Column) -> Column:
        part = row["_mass"] / mass
        return F.struct(
            row["name"].alias("name"),
            F.round(part, 9).alias("taste_share"),
            F.round(part / row["_common"], 9).alias("lift_score"),
            row["_events"].alias("event_count"),
        )

    return {
        f"{kind}_tastes": F.transform(F.slice(F.array_sort(f"_{kind}_list"), 1, limit), taste),
        f"favoured_{kind}": favoured["name"],
        f"favoured_{kind}_score": F.round(favoured["_mass"] / mass / favoured["_common"], 9),
        f"favoured_{kind}_count": favoured["_events"],
    }


def _top(kind: str) -> tuple[Column, ...]:
    """Aggregates: the name with the most events, its share, how many names there are, and how evenly they are met."""
    is_kind = F.col("kind") == kind
    events = F.when(is_kind, F.col("_events"))
    whole = F.sum(events)
    return (
        F.min_by("name", F.when(is_kind, F.struct(-F.col("_events"), "name"))).alias(f"top_{kind}"),
        (F.max(events) / whole).alias(f"top_{kind}_share"),
        F.count(events).alias(f"{kind}_count"),
        F.round(1 - F.sum(events * events) / whole / whole, 9).alias(f"{kind}_variety_score"),
    )
