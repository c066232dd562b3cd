"""Features of profiles as numbers: missing ones are filled and marked, frequent values of texts are told apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.tables.profile_features import FEATURES
from personalake.tables.spec import BOOLEAN, STRING

NUMBER, MISSING, VALUE = "number", "missing", "value"


@dataclass(frozen=True)
class Dimension:
    """One number that a model sees.

    Args:
        feature: column of profiles.
        kind: number: the feature itself; missing: 1 where it is null; value: 1 where it is that text.
        fill: number: what stands for null, in the unit of the feature.
        text: value: the text.
    """

    feature: str
    kind: str
    fill: float = 0.0
    text: str = ""

    def column(self, is_log: bool = False) -> Column:
        """The number as double.

        Args:
            is_log: of numbers sign(x) log(1 + |x|) is taken, for models that add features up.
        """
        feature = F.col(self.feature)
        if self.kind == MISSING:
            return feature.isNull().cast("double")
        if self.kind == VALUE:
            return F.coalesce((feature == self.text).cast("double"), F.lit(0.0))
        number = F.coalesce(feature.cast("double"), F.lit(self.fill))
        return F.signum(number) * F.log1p(F.abs(number)) if is_log else number


@dataclass(frozen=True)
class Encoding:
    """All dimensions, in order."""

    dimensions: tuple[Dimension, ...]

    def without(self, features: Collection[str]) -> Encoding:
        """The same without the dimensions of some features."""
        return Encoding(tuple(d for d in self.dimensions if d.feature not in features))

    def column(self, is_log: bool = False) -> Column:
        """The features as array<double>."""
        return F.array(*[dimension.column(is_log) for dimension in self.dimensions])


def fit_encoding(profiles: DataFrame, exclude: Collection[str], categories: int, least: int) -> Encoding:
    """Learn fills and frequent values from the persons that a model will be trained on.

    A feature that is alike for all persons is left out.

    Args:
        profiles: one row per person as of one day; put down: it is read twice.
        exclude: features that are left out.
        categories: most values of a text feature that are told apart; of equals the one that sorts first.
        least: persons that a value has at least, or it is not told apart; missing values as well.

    Cost:
        One aggregate; one of the values of all text features, ranked by feature.
    """
    wanted = [feature for feature in FEATURES if feature.name not in exclude]
    numbers = [f.name for f in wanted if f.is_number or f.type == BOOLEAN]
    texts = [f.name for f in wanted if f.type == STRING]
    dimensions, persons = _numbers(profiles, numbers, least)
    return Encoding((*dimensions, *_texts(profiles, texts, categories, least, persons)))


def _numbers(profiles: DataFrame, names: list[str], least: int) -> tuple[list[Dimension], int]:
    """The dimensions of numbers, and how many persons there are."""
    told = {name: F.col(name).cast("int" if profiles.schema[name].dataType == BOOLEAN else "double") for name in names}
    measures = {"mean": F.avg, "low": F.min, "high": F.max, "known": F.count}
    columns = [of(told[name]).alias(f"{name} {what}") for name in names for what, of in measures.items()]
    found = profiles.agg(*columns, F.count(F.lit(1)).alias("persons")).head(1)[0]
    dimensions = []
    for name in names:
        mean, low, high, known = (found[f"{name} {what}"] for what in measures)
        if known and low != high:
            # Rounded, because the order of a float sum must not show.
            dimensions.append(Dimension(name, NUMBER, fill=float(f"{mean:.6g}")))
        if known and found["persons"] - known >= least and known >= least:
            dimensions.append(Dimension(name, MISSING))
    return dimensions, found["persons"]


def _texts(profiles: DataFrame, names: list[str], categories: int, least: int, persons: int) -> list[Dimension]:
    if not names:
        return []
    pairs = F.array(*[F.struct(F.lit(n).alias("feature"), F.col(n).alias("text")) for n in names])
    rows = profiles.select(F.explode(pairs).alias("_pair")).select("_pair.*").where("text IS NOT NULL")
    counts = rows.groupBy("feature", "text").agg(F.count(F.lit(1)).alias("_persons"))
    counts = counts.where((F.col("_persons") >= least) & (F.col("_persons") < persons))
    order = Window.partitionBy("feature").orderBy(F.col("_persons").desc(), "text")
    ranked = counts.withColumn("_rank", F.row_number().over(order)).where(F.col("_rank") <= categories)
    found = sorted((names.index(row["feature"]), row["_rank"], row["text"]) for row in ranked.collect())
    return [Dimension(names[place], VALUE, text=text) for place, _, text in found]
