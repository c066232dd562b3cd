"""What persons said of their tags, and of whom it holds when persons were merged or split since."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.tables.identity import IDENTIFIER
from personalake.tables.tags import RESTORED

_WORD = ("person_id", "as_of_date")


def overridden(overrides: DataFrame, versions: DataFrame, as_of: date | None = None) -> DataFrame:
    """Persons and tags that must not be shown or used.

    A word follows the identifiers its person had when it was said: whoever holds one of them later is meant too, the
    person others were merged into and both sides of a split. The last word on a person's tag stands; of several from
    one day the one that was recorded last, and then one that hides.

    Args:
        overrides: TAG_OVERRIDES.
        versions: IDENTITY_MAP_VERSIONS; reads identifier_kind, identifier, effective_date, person_id.
        as_of: words that hold from a later day on do not count yet, nor does what became of persons later; None: all
            counts.

    Returns:
        person_id, tag: those whose last word is hidden or contradicted. Persons who were merged away are among them,
        since tables of an earlier run still name them.

    Cost:
        Words are as many as operators typed. Two scans of the versions, each joined with few rows, and a shuffle of
        what is left.
    """
    said = overrides.select(*_WORD, "tag", "state", "recorded_at")
    if as_of is not None:
        said = said.where(F.col("as_of_date") <= F.lit(as_of))
        versions = versions.where(F.col("effective_date") <= F.lit(as_of))
    also = said.join(_reached(said.select(*_WORD).distinct(), versions), on=list(_WORD), how="inner")
    also = also.withColumn("person_id", F.col("_now")).drop("_now")
    order = F.struct("as_of_date", "recorded_at", F.col("state") != RESTORED, "state")
    last = said.unionByName(also).groupBy("person_id", "tag").agg(F.max_by("state", order).alias("_state"))
    return last.where(F.col("_state") != RESTORED).select("person_id", "tag")


def without_overridden(
    tags: DataFrame, overrides: DataFrame, versions: DataFrame, as_of: date | None = None
) -> DataFrame:
    """The tags but for those that their persons hid or contradicted.

    Args:
        tags: person_id, tag, and more.
        overrides: as in `overridden`.
        versions: as there.
        as_of: as there.
    """
    return tags.join(overridden(overrides, versions, as_of), on=["person_id", "tag"], how="left_anti")


def _reached(words: DataFrame, versions: DataFrame) -> DataFrame:
    """Who holds the identifiers now that a person had on a day: person_id, as_of_date, _now; distinct.

    Where the person had none on that day, because a word came before its first or a rerun of the day merged it away,
    the nearest day counts on which it had some.
    """
    whose = F.broadcast(words.select("person_id").distinct())
    mine = versions.join(whose, on="person_id", how="left_semi").select(*IDENTIFIER).distinct()
    of_identifier = Window.partitionBy(*IDENTIFIER)
    by_day = of_identifier.orderBy("effective_date")
    stretches = versions.join(mine, on=list(IDENTIFIER), how="left_semi").select(
        "person_id",
        F.col("effective_date").alias("_from"),
        F.lead("effective_date").over(by_day).alias("_until"),
        F.max_by("person_id", "effective_date").over(of_identifier).alias("_now"),
    )
    known = words.join(stretches, on="person_id", how="inner")
    day = F.greatest("as_of_date", F.min("_from").over(Window.partitionBy("person_id")))
    known = known.withColumn("_day", day).where(F.col("_from") <= F.col("_day"))
    after = F.date_add("_day", 1)
    known = known.withColumn("_end", F.least(F.coalesce("_until", after), after))
    latest = F.max("_end").over(Window.partitionBy(*_WORD))
    held = known.withColumn("_latest", latest).where((F.col("_end") == F.col("_latest")) & F.col("_now").isNotNull())
    return held.select(*_WORD, "_now").distinct()
