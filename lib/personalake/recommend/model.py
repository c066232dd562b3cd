"""What every algorithm is: frozen settings whose `fit` gives a new frozen value of frames and settings."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault
from personalake.recommend.checks import PAIR, check_ids, check_limit, column_faults
from personalake.settings import Section

SETTINGS_FILE = "settings.json"


@dataclass(frozen=True)
class Fitted(ABC):
    """A fitted model: its settings, the interactions it was fitted on, and the frames that an algorithm adds.

    Frames that are dear to compute are kept in Spark's cache; `unpersist` lets them go.
    """

    settings: Algorithm
    interactions: DataFrame

    def candidates(
        self,
        persons: DataFrame,
        limit: int = 100,
        histories: DataFrame | None = None,
        exclude: DataFrame | None = None,
    ) -> DataFrame:
        """What each person may like, best first. A person the model knows nothing of gets no rows.

        Args:
            persons: reads person_id; each counts once.
            limit: list length, ≥ 1.
            histories: person_id, item_id, weight to go by instead of those fitted on; for persons who came later.
            exclude: person_id, item_id never to return; None: the pairs fitted on, and those of histories.

        Returns:
            person_id, item_id, score (double), candidate_rank (int, from 1: by falling score, then item_id).

        Raises:
            ConfigError: limit is below 1, or a frame lacks a column or has ids of another kind than the model's.
        """
        check_limit(limit)
        check_ids(persons, PAIR[:1], self.interactions, "persons")
        if histories is not None:
            check_ids(histories, PAIR, self.interactions, "histories")
            _check_weight(histories)
            histories = histories.select(*PAIR, F.col("weight").cast("double").alias("weight"))
        if exclude is not None:
            check_ids(exclude, PAIR, self.interactions, "exclude")
        masked = self._seen(histories) if exclude is None else exclude.select(*PAIR).distinct()
        wanted = persons.select("person_id").where(F.col("person_id").isNotNull()).distinct()
        return self._candidates(wanted, limit, self.interactions if histories is None else histories, masked)

    def score(self, pairs: DataFrame) -> DataFrame:
        """Score given pairs, seen or not.

        Args:
            pairs: reads person_id, item_id; other columns and repeated rows are kept, an old score is replaced.

        Returns:
            The same rows plus score (double; null where the model has nothing to say).

        Raises:
            ConfigError: a column is missing, or ids are of another kind than the model's.

        Cost:
            The join of pairs with the scores of their distinct pairs.
        """
        check_ids(pairs, PAIR, self.interactions, "pairs")
        return pairs.drop("score").join(self._scores(pairs.select(*PAIR).distinct()), on=list(PAIR), how="left")

    def save(self, path: str | Path) -> None:
        """Write the model: one Parquet folder per frame, then its settings, whose presence says that it is whole.

        Args:
            path: folder or URI; a model there is replaced.
        """
        for name in _frame_names(type(self)):
            frame: DataFrame = getattr(self, name)
            frame.write.mode("overwrite").parquet(f"{path}/{name}")
        text = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        row = self.interactions.sparkSession.range(1, numPartitions=1).select(F.lit(text).alias("value"))
        row.write.mode("overwrite").text(f"{path}/{SETTINGS_FILE}")

    def unpersist(self) -> None:
        """Let go of cached frames; the model stays usable and computes them again when asked."""
        for name in _frame_names(type(self)):
            getattr(self, name).unpersist()

    def _seen(self, histories: DataFrame | None) -> DataFrame:
        seen = self.interactions.select(*PAIR)
        return seen if histories is None else seen.unionByName(histories.select(*PAIR)).distinct()

    @abstractmethod
    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame: ...

    @abstractmethod
    def _scores(self, pairs: DataFrame) -> DataFrame: ...


class Algorithm(Section):
    """The settings of an algorithm; the field `kind` names it in conf."""

    fitted: ClassVar[type[Fitted]]
    reason_code: ClassVar[str]
    kind: str

    def fit(self, interactions: DataFrame, check: bool = True) -> Fitted:
        """Fit on interactions.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0).
            check: False trusts the rows and saves the job that looks at them.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it is fitted")

    @classmethod
    def load(cls, path: str | Path, spark: SparkSession | None = None) -> Any:
        """Read a model that `Fitted.save` wrote.

        Args:
            path: folder or URI.
            spark: the session to read with; None: the active one.

        Raises:
            ConfigError: there is no session, or another kind of model lies there.
        """
        session = spark or SparkSession.getActiveSession()
        if session is None:
            raise ConfigError(Fault(f"{cls.__name__}.load", "finds no Spark session.", "Open one, or hand it in."))
        text = session.read.text(f"{path}/{SETTINGS_FILE}").collect()[0]["value"]
        kind = json.loads(text).get("kind")
        if kind != cls.model_fields["kind"].default:
            raise ConfigError(Fault(str(path), f"holds a model of kind {kind}.", f"{cls.__name__} cannot read it."))
        frames = {name: session.read.parquet(f"{path}/{name}") for name in _frame_names(cls.fitted)}
        return cls.fitted(settings=cls._from_text(text), **frames)

    @classmethod
    def _from_text(cls, text: str) -> Self:
        return cls.model_validate_json(text)


def _frame_names(fitted: type[Fitted]) -> list[str]:
    return [field.name for field in dataclasses.fields(fitted) if field.name != "settings"]


def _check_weight(histories: DataFrame) -> None:
    faults = column_faults(histories, ("weight",), "histories")
    if faults:
        raise ConfigError(*faults)
