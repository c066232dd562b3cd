"""What persons said of their tags."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.tables.tags import RESTORED


def overridden(overrides: DataFrame, as_of: date | None = None) -> DataFrame:
    """Persons and tags that must not be shown or used.

    Args:
        overrides: TAG_OVERRIDES.
        as_of: words that hold from a later day on do not count yet; None: all count.

    Returns:
        person_id, tag: those whose last word is hidden or contradicted.

    Cost:
        One shuffle of the words by person and tag.
    """
    said = overrides if as_of is None else overrides.where(F.col("as_of_date") <= F.lit(as_of))
    last = said.groupBy("person_id", "tag").agg(F.max_by("state", "as_of_date").alias("_state"))
    return last.where(F.col("_state") != RESTORED).select("person_id", "tag")


def without_overridden(tags: DataFrame, overrides: DataFrame, as_of: date | None = None) -> DataFrame:
    """The tags but for those that their persons hid or contradicted.

    Args:
        tags: person_id, tag, and more.
        overrides: as in `overridden`.
        as_of: as there.
    """
    return tags.join(overridden(overrides, as_of), on=["person_id", "tag"], how="left_anti")
