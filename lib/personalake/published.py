"""The tables as of a day, as commands read them that act on persons."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.store.read import last_date, read
from personalake.store.versions import version_of
from personalake.tables.identity import IDENTITY_MAP_VERSIONS
from personalake.tables.predictions import PREDICTIONS
from personalake.tables.profiles import PROFILES
from personalake.tables.spec import Table
from personalake.tables.tags import TAG_OVERRIDES, TAGS
from personalake.tags.overrides import without_overridden

DEFAULT_PURPOSE = "personalisation"
_MOST_PURPOSES = 1000


class Published:
    """What runs published as of a day.

    Args:
        spark: a session.
        settings: of the warehouse.
        as_of: the day; None: the newest one of profiles.

    Raises:
        ConfigError: no run built profiles as of the day that was asked for.
        DataError: none built any.
    """

    def __init__(self, spark: SparkSession, settings: Settings, as_of: date | None) -> None:
        self.spark, self.settings, self.root = spark, settings, settings.warehouse.root
        self.day = published_day(self.all(PROFILES), as_of)

    def all(self, table: Table) -> DataFrame:
        """The rows of a table."""
        return read(self.spark, self.root, table)

    def of_day(self, table: Table) -> DataFrame:
        """Its rows as of the day."""
        return self.all(table).where(F.col("as_of_date") == F.lit(self.day))

    def predictions(self) -> DataFrame | None:
        """The predictions of the day; None where nobody ever asked for any."""
        return self.of_day(PREDICTIONS) if version_of(self.root, PREDICTIONS.name) is not None else None

    def tags(self) -> DataFrame:
        """The tags of the day, but for those that their persons hid."""
        if version_of(self.root, TAG_OVERRIDES.name) is None:
            return self.of_day(TAGS)
        return without_overridden(self.of_day(TAGS), self.all(TAG_OVERRIDES), self.all(IDENTITY_MAP_VERSIONS))


def published_day(profiles: DataFrame, as_of: date | None) -> date:
    """The day that was asked for, or the newest one there are profiles of.

    Raises:
        ConfigError: there are none of that day.
        DataError: there are none at all.
    """
    newest = last_date(profiles, "as_of_date")
    if not isinstance(newest, date):
        raise DataError(Fault(f"table {PROFILES.name}", "is empty.", "Run `personalake run` first."))
    if as_of is None or as_of == newest:
        return newest
    if profiles.where(F.col("as_of_date") == F.lit(as_of)).isEmpty():
        raise ConfigError(Fault(f"--as-of {as_of}", "has no profiles.", f"The newest are as of {newest}."))
    return as_of


def is_known_purpose(consents: DataFrame, purpose: str, required: Collection[str]) -> bool:
    """Whether anybody ever said a word on a purpose, or settings name it.

    Raises:
        ConfigError: it is nearly one that is known: misspelt, it would leave nobody out, those who said no among them.
    """
    if purpose == DEFAULT_PURPOSE or purpose in required:
        return True
    rows = consents.select("purpose").distinct().limit(_MOST_PURPOSES).collect()
    known = {DEFAULT_PURPOSE, *required, *(row["purpose"] for row in rows)}
    hint = near_miss(purpose, known)
    if purpose not in known and hint.startswith("Did you mean"):
        raise ConfigError(Fault("--purpose", f"is {purpose}, to which nobody ever said yes or no.", hint))
    return purpose in known
