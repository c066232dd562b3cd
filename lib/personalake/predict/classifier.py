"""A yes-or-no model of MLlib, the same under any partitioning, that answers with a probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from personalake.predict.encoding import Encoding
from personalake.predict.labels import LABEL
from personalake.predict.settings import Kind, Predict

PERSONS_PER_PARTITION = 50_000
"""Partitions follow from the number of persons, never from how the input lies: MLlib's bins and sums depend on them."""

LEAF = "leaf"
BINS = 64
_FOR_PLATT = 3  # of so many persons one tells the probability of margins, and is not trained on
_DECIMALS = 9


@dataclass(frozen=True)
class Classifier:
    """What was learned; not trained where there was too little to learn from.

    Args:
        kind: which model.
        encoding: how profiles become what it sees.
        model: MLlib's fitted model, or None.
        platt: linear_svm: slope and intercept that make a margin a log-odds.
        person_count: persons it was trained on.
        positive_count: those whose answer is yes.
        reason: why it was not trained, in words; `''` where it was.
    """

    kind: Kind
    encoding: Encoding
    model: Any
    platt: tuple[float, float] | None
    person_count: int
    positive_count: int
    reason: str = ""

    def with_probability(self, persons: DataFrame) -> DataFrame:
        """The same rows plus probability (of yes, 0-1); of a decision tree also leaf (its number, from the left).

        Raises:
            ValueError: it was not trained.
        """
        if self.model is None:
            raise ValueError(f"the model was not trained: {self.reason}")
        judged: DataFrame = self.model.transform(persons.withColumn("_features", _vector(self.encoding, self.kind)))
        probability = F.round(_probability(self.kind, self.platt), _DECIMALS)
        said = ["probability", LEAF] if self.kind == "decision_tree" else ["probability"]
        return judged.withColumn("probability", probability).select(*persons.columns, *said)


def fit_classifier(examples: DataFrame, encoding: Encoding, kind: Kind, settings: Predict, seed: int) -> Classifier:
    """Learn the answer from the features.

    The decision tree is MLlib's regression tree on 0 and 1: variance splits as Gini does, and its leaves keep their
    probabilities; MLlib's classification tree merges leaves that vote alike, which for a rare answer is all of them.

    Args:
        examples: one row per person: columns of PROFILES and label (1.0 or 0.0).
        encoding: learned from persons as of the same day or earlier.
        kind: which model.
        settings: least_positives, train_persons and what the model is told.
        seed: of MLlib.

    Cost:
        The examples are sorted within fixed partitions and cached while the fit lasts; one job that counts, and those
        of MLlib.
    """
    if not encoding.dimensions:
        return Classifier(kind, encoding, None, None, 0, 0, "no feature tells one person from another")
    points = examples.select("person_id", LABEL, _vector(encoding, kind).alias("_features"))
    points = points.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        found = points.agg(F.count(F.lit(1)), F.coalesce(F.sum(LABEL), F.lit(0.0))).head(1)[0]
        persons, positives = int(found[0]), int(found[1])
        reason = too_few(persons, positives, settings.least_positives, "to learn from")
        if reason:
            return Classifier(kind, encoding, None, None, persons, positives, reason)
        rows = _in_place(points, persons, settings.train_persons)
        model, platt = _fitted(rows, kind, settings, seed)
    finally:
        points.unpersist()
    return Classifier(kind, encoding, model, platt, persons, positives)


def too_few(persons: int, positives: int, least: int, purpose: str) -> str:
    """Why so many persons of whom so many say yes are too few, or `''`."""
    if positives >= least and persons - positives >= least:
        return ""
    return f"{positives} of {persons} persons say yes, and {least} of each answer are needed {purpose}"


def _in_place(points: DataFrame, persons: int, most: int) -> DataFrame:
    if persons > most:
        points = points.orderBy(F.xxhash64("person_id"), "person_id").limit(most)
    parts = max(1, min(persons, most) // PERSONS_PER_PARTITION)
    return points.repartition(parts, "person_id").sortWithinPartitions("person_id")


def _vector(encoding: Encoding, kind: Kind) -> Column:
    return array_to_vector(encoding.column(is_log=kind == "linear_svm"))


def _fitted(rows: DataFrame, kind: Kind, settings: Predict, seed: int) -> tuple[Any, tuple[float, float] | None]:
    from pyspark.ml.classification import GBTClassifier, LinearSVC
    from pyspark.ml.regression import DecisionTreeRegressor

    columns: dict[str, Any] = {"featuresCol": "_features", "labelCol": LABEL}
    shape: dict[str, Any] = {
        "maxDepth": settings.depth,
        "minInstancesPerNode": settings.least_leaf_persons,
        "maxBins": BINS,
    }
    cached = rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        if kind == "decision_tree":
            return DecisionTreeRegressor(seed=seed, leafCol=LEAF, **shape, **columns).fit(cached), None
        if kind == "gbt":
            trees = GBTClassifier(seed=seed, maxIter=settings.trees, stepSize=settings.step, **shape, **columns)
            return trees.fit(cached), None
        lot = F.pmod(F.xxhash64("person_id", F.lit("platt")), F.lit(_FOR_PLATT))
        trained, apart = cached.where(lot != 0), cached.where(lot == 0)
        answers = [part.agg(F.count_distinct(LABEL)).head(1)[0][0] for part in (trained, apart)]
        if min(answers) < 2:  # so few that a third of them all say the same
            trained = apart = cached
        svm = LinearSVC(regParam=settings.regularisation, maxIter=100, **columns).fit(trained)
        return svm, _fit_platt(svm, apart)
    finally:
        cached.unpersist()


def _fit_platt(svm: Any, apart: DataFrame) -> tuple[float, float]:
    """Log-odds as a line of the margin, on persons that the machine was not trained on (Platt, 1999)."""
    from pyspark.ml.classification import LogisticRegression

    margins = svm.transform(apart).select(LABEL, array_to_vector(F.array(_margin())).alias("_margin"))
    line = LogisticRegression(featuresCol="_margin", labelCol=LABEL, maxIter=100).fit(margins)
    return float(line.coefficients[0]), float(line.intercept)


def _margin() -> Column:
    return F.get(vector_to_array(F.col("rawPrediction")), F.lit(1))


def _probability(kind: Kind, platt: tuple[float, float] | None) -> Column:
    if kind == "decision_tree":
        return F.col("prediction")
    if platt is None:
        return F.get(vector_to_array(F.col("probability")), F.lit(1))
    slope, intercept = platt
    return 1 / (1 + F.exp(-(_margin() * F.lit(slope) + F.lit(intercept))))
