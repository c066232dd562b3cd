"""What every algorithm is: frozen settings whose `fit` gives a new frozen value of frames and settings."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR, check_ids, check_limit, checked_histories
from personalake.recommend.node_arrays import NodeArrays
from personalake.recommend.saving import frame_names, frames_of, loaded, saved
from personalake.recommend.top import top_audience
from personalake.settings import Section


@dataclass(frozen=True)
class Fitted(ABC):
    """A fitted model: its settings, the interactions it was fitted on, and the frames that an algorithm adds.

    Frames that are dear to compute are kept in Spark's cache, arrays on the nodes; `unpersist`, when nothing more is
    asked of the model, lets them go.
    """

    settings: Algorithm
    interactions: DataFrame

    @property
    def note(self) -> str:
        """How it was computed, where that was a choice, in words for a run's record."""
        return ""

    def candidates(
        self,
        persons: DataFrame,
        limit: int = 100,
        histories: DataFrame | None = None,
        exclude: DataFrame | None = None,
        unavailable: DataFrame | None = None,
        check: bool = True,
    ) -> DataFrame:
        """What each person may like, best first. A person the model knows nothing of gets no rows.

        Args:
            persons: reads person_id; each counts once.
            limit: list length, ≥ 1.
            histories: person_id, item_id, weight to go by instead of those fitted on; for persons who came later.
            exclude: person_id, item_id never to return; None: the pairs fitted on, and those of histories.
            unavailable: item_id never to return to anyone.
            check: False trusts the rows of histories and saves the job that looks at them.

        Returns:
            person_id, item_id, score (double), candidate_rank (int, from 1: by falling score, then item_id).

        Raises:
            ConfigError: limit is below 1, or a frame lacks a column or has ids of another kind than the model's.
            DataError: what `checks.checked_histories` finds in the rows of histories, all at once.
        """
        check_limit(limit)
        check_ids(persons, PAIR[:1], self.interactions, "persons")
        if histories is not None:
            histories = checked_histories(histories, self.interactions, check)
        if exclude is not None:
            check_ids(exclude, PAIR, self.interactions, "exclude")
        if unavailable is not None:
            check_ids(unavailable, PAIR[1:], self.interactions, "unavailable")
        return self._listed(persons.select("person_id"), limit, histories, exclude, unavailable)

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
        return pairs.drop("score").join(self._scored(pairs.select(*PAIR)), on=list(PAIR), how="left")

    def audience(
        self,
        items: DataFrame,
        limit: int = 100,
        persons: DataFrame | None = None,
        exclude: DataFrame | None = None,
    ) -> DataFrame:
        """Who may like an item most: the candidates the other way round.

        Args:
            items: reads item_id; few, each counts once. An item the model has nothing to say of gets no rows.
            limit: persons per item, ≥ 1.
            persons: person_id to choose from; None: everyone the model was fitted on.
            exclude: person_id, item_id never to return; None: the pairs fitted on.

        Returns:
            item_id, person_id, score (double), audience_rank (int, from 1: by falling score, then person_id).

        Raises:
            ConfigError: limit is below 1, or a frame lacks a column or has ids of another kind than the model's.

        Cost:
            That of scoring each person for each item, and a shuffle by item of the best of every task.
        """
        check_limit(limit)
        check_ids(items, PAIR[1:], self.interactions, "items")
        for where, frame, names in (("persons", persons, PAIR[:1]), ("exclude", exclude, PAIR)):
            if frame is not None:
                check_ids(frame, names, self.interactions, where)
        return self._audience(items.select("item_id"), limit, persons, exclude)

    def save(self, path: str | Path) -> None:
        """Write the model: one Parquet folder per frame, then its settings, whose presence says that it is whole.

        Args:
            path: folder or URI; a model there is replaced.
        """
        saved(self.interactions.sparkSession, path, self.settings.model_dump(mode="json"), frames_of(self))

    def unpersist(self) -> None:
        """Let go of cached frames, and of what was laid down on the nodes: the model has had its day."""
        for frame in frames_of(self).values():
            frame.unpersist()
        for field in dataclasses.fields(self):
            held = getattr(self, field.name)
            if isinstance(held, NodeArrays):
                held.release()

    def _listed(
        self,
        persons: DataFrame,
        limit: int,
        histories: DataFrame | None,
        exclude: DataFrame | None,
        unavailable: DataFrame | None,
    ) -> DataFrame:
        """`candidates` after its checks: everything in frames of distinct rows, for `_candidates`."""
        wanted = persons.where(F.col("person_id").isNotNull()).distinct()
        masked = self._seen(histories) if exclude is None else exclude.select(*PAIR).distinct()
        if unavailable is not None:
            closed = wanted.join(F.broadcast(unavailable.select("item_id").distinct()), how="cross")
            masked = masked.unionByName(closed).distinct()
        return self._candidates(wanted, limit, self.interactions if histories is None else histories, masked)

    def _scored(self, pairs: DataFrame) -> DataFrame:
        """`score` after its checks; pairs may repeat."""
        return self._scores(pairs.distinct())

    def _audience(
        self, items: DataFrame, limit: int, persons: DataFrame | None, exclude: DataFrame | None
    ) -> DataFrame:
        """`audience` after its checks: by the score of every pair."""
        everyone = (self.interactions if persons is None else persons).select("person_id").distinct()
        asked = everyone.join(F.broadcast(items.distinct()), how="cross").select(*PAIR)
        masked = self.interactions if exclude is None else exclude
        scores = self._scored(asked.join(masked, on=list(PAIR), how="left_anti"))
        return top_audience(scores, limit)

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
    needs_items: ClassVar[bool] = False
    kind: str

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> Fitted:
        """Fit on interactions.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0).
            check: False trusts the rows and saves the job that looks at them.
            items: the catalogue: item_id and what is known of items; for algorithms that go by content.

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
        kind = cls.model_fields["kind"].default
        text, frames = loaded(path, kind, frame_names(cls.fitted), cls.__name__, spark)
        return cls.fitted(settings=cls.model_validate_json(text), **frames)
