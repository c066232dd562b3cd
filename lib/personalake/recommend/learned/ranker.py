"""The learned ranker: MLlib's logistic regression or boosted trees on features of candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.learned.features import candidate_features, feature_names
from personalake.recommend.learned.settings import Learned
from personalake.recommend.top import rounded, top_candidates

_LABEL = "label"


@dataclass(frozen=True)
class Ranker:
    """What was learned; not trained where there was too little to learn from.

    Args:
        algorithms: whose candidates it ranks, in order.
        model: MLlib's fitted model, or None.
        example_count: candidates it was trained on.
        positive_count: those that were taken up.
        least_positives: how many training needs.
    """

    algorithms: tuple[str, ...]
    model: Any
    example_count: int
    positive_count: int
    least_positives: int

    @property
    def is_trained(self) -> bool:
        """Whether there was enough to learn from."""
        return self.model is not None

    @property
    def note(self) -> str:
        """What it was trained on, or why it was not, in words."""
        found = f"{self.positive_count} of {self.example_count} candidates were taken up"
        if self.is_trained:
            return found
        return f"not trained, {found} and {self.least_positives} are needed: reciprocal_rank blends instead"

    def rank(
        self, lists: Mapping[str, DataFrame], interactions: DataFrame, items: DataFrame | None, limit: int
    ) -> DataFrame:
        """Blend candidates by the probability that they are taken up.

        Args:
            lists: as trained with, made by algorithms that were fitted on `interactions`.
            interactions, items: as `features.candidate_features`.
            limit: list length, ≥ 1.

        Returns:
            person_id, item_id, score (probability), candidate_rank (from 1), source (the list in which it is highest).

        Raises:
            ValueError: it was not trained, or the lists are of other algorithms.
        """
        if not self.is_trained or tuple(lists) != self.algorithms:
            raise ValueError(f"no ranker was trained for {', '.join(lists)}")
        rows = candidate_features(lists, interactions, items)
        return top_candidates(_scored(rows, self.model, len(lists)), limit, "source")


def fit_ranker(
    lists: Mapping[str, DataFrame],
    before: DataFrame,
    after: DataFrame,
    items: DataFrame | None,
    settings: Learned,
) -> Ranker:
    """Learn from candidates as of a day which were taken up in the days that followed.

    The same rows give the same model: they are sorted in one partition.

    Args:
        lists: candidates of algorithms that were fitted on `before`, of the persons to train on.
        before: the interactions before the day, as `features.candidate_features` takes them.
        after: person_id, item_id of the days that followed. Nothing but the label comes from it.
        items: the catalogue as of the day.
        settings: the model, and what it needs.

    Cost:
        A job that counts, and those of MLlib on train_persons × candidates rows in one task.
    """
    rows = examples(lists, before, after, items)
    sorted_rows = rows.repartition(1).sortWithinPartitions(*PAIR).persist()
    try:
        found = sorted_rows.agg(F.count(F.lit(1)), F.coalesce(F.sum(_LABEL), F.lit(0.0))).head(1)[0]
        example_count, positive_count = int(found[0]), int(found[1])
        enough = settings.least_positives <= positive_count < example_count
        model = _fitted(sorted_rows, len(lists), settings) if enough else None
    finally:
        sorted_rows.unpersist()
    return Ranker(tuple(lists), model, example_count, positive_count, settings.least_positives)


def examples(lists: Mapping[str, DataFrame], before: DataFrame, after: DataFrame, items: DataFrame | None) -> DataFrame:
    """The features of every candidate, and whether it was taken up: label (0 or 1).

    Args:
        lists, before, after, items: as `fit_ranker`.
    """
    taken = after.select(*PAIR).distinct().withColumn(_LABEL, F.lit(1.0))
    labelled = candidate_features(lists, before, items).join(taken, on=list(PAIR), how="left")
    return labelled.withColumn(_LABEL, F.coalesce(_LABEL, F.lit(0.0)))


def training_persons(before: DataFrame, after: DataFrame, settings: Learned) -> DataFrame:
    """The persons to train on: known before, and took something up after; person_id.

    Args:
        before, after: as `fit_ranker`.
        settings: train_persons; of more, those whose ids hash lowest.
    """
    known = after.select("person_id").distinct().join(before, on="person_id", how="left_semi")
    return known.orderBy(F.xxhash64("person_id"), "person_id").limit(settings.train_persons)


def _fitted(rows: DataFrame, algorithms: int, settings: Learned) -> Any:
    from pyspark.ml.classification import GBTClassifier, LogisticRegression

    learner = (
        LogisticRegression(regParam=settings.regularisation, maxIter=100)
        if settings.model == "logistic"
        else GBTClassifier(maxIter=30, maxDepth=4, stepSize=0.1, seed=settings.seed)
    )
    return learner.fit(_assembled(rows, algorithms))


def _scored(rows: DataFrame, model: Any, algorithms: int) -> DataFrame:
    from pyspark.ml.functions import vector_to_array

    judged: DataFrame = model.transform(_assembled(rows, algorithms))
    score = rounded(F.get(vector_to_array(F.col("probability")), F.lit(1))).alias("score")
    return judged.select(*PAIR, "source", score)


def _assembled(rows: DataFrame, algorithms: int) -> DataFrame:
    from pyspark.ml.feature import VectorAssembler

    return VectorAssembler(inputCols=list(feature_names(algorithms)), outputCol="features").transform(rows)
