"""A fitted model whose scores are numbers a task can reckon: lists, pairs and audiences by blocked scoring."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame

from personalake.recommend.block_audience import blocked_audience
from personalake.recommend.block_scorers import Scorer
from personalake.recommend.blocks import packed_lists, pair_scores, unpacked
from personalake.recommend.checks import PAIR, check_ids, check_limit
from personalake.recommend.model import Fitted


@dataclass(frozen=True)
class BlockedFitted(Fitted):
    """A fitted model that scores by blocks of persons.

    A subclass says what scores (`_scorer`), and where they differ from the interactions, what of a history the scorer
    reads (`_weighed`) and which factors persons have (`_factors`).
    """

    @cached_property
    def scorer(self) -> Scorer:
        """What scores, its arrays laid down on the nodes once; frames that use it are of no use after `unpersist`."""
        return self._scorer()

    def packed_candidates(self, persons: DataFrame, limit: int = 100) -> DataFrame:
        """What `candidates` gives, as one row per person: a fraction of the rows, where they are stored or sent on.

        Args:
            persons: reads person_id.
            limit: list length, ≥ 1.

        Returns:
            person_id, item_ids, scores (best first); persons with an empty list have no row.

        Raises:
            ConfigError: limit is below 1, or person_id is missing or of another kind than the model's.
        """
        check_limit(limit)
        check_ids(persons, PAIR[:1], self.interactions, "persons")
        return self._packed(persons, limit, None, None, None)

    def unpersist(self) -> None:
        """Let go of cached frames and of the arrays on the nodes; the model stays usable."""
        super().unpersist()
        scorer = self.__dict__.pop("scorer", None)
        if scorer is not None:
            scorer.arrays.release()

    @abstractmethod
    def _scorer(self) -> Scorer:
        """Lay down the arrays; called once, before the first scores."""

    def _weighed(self, histories: DataFrame) -> DataFrame:
        """person_id, item_id, weight as the scorer reads it."""
        return histories

    def _factors(self, histories: DataFrame | None) -> DataFrame | None:
        """person_id, factors by the given histories (None: those fitted on); None: the scorer reads histories."""
        return None

    def _listed(
        self,
        persons: DataFrame,
        limit: int,
        histories: DataFrame | None,
        exclude: DataFrame | None,
        unavailable: DataFrame | None,
    ) -> DataFrame:
        return unpacked(self._packed(persons, limit, histories, exclude, unavailable))

    def _packed(
        self,
        persons: DataFrame,
        limit: int,
        histories: DataFrame | None,
        exclude: DataFrame | None,
        unavailable: DataFrame | None,
    ) -> DataFrame:
        if histories is not None and exclude is None:
            exclude = self.interactions.select(*PAIR).unionByName(histories.select(*PAIR))
        own = self._weighed(self.interactions if histories is None else histories)
        return packed_lists(self.scorer, persons, own, limit, exclude, self._factors(histories), unavailable)

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        return self._listed(persons, limit, histories, masked, None)

    def _scored(self, pairs: DataFrame) -> DataFrame:
        return pair_scores(self.scorer, pairs, self._weighed(self.interactions), self._factors(None))

    def _scores(self, pairs: DataFrame) -> DataFrame:
        return self._scored(pairs)

    def _audience(
        self, items: DataFrame, limit: int, persons: DataFrame | None, exclude: DataFrame | None
    ) -> DataFrame:
        own = self._weighed(self.interactions)
        return blocked_audience(self.scorer, items, limit, own, persons, exclude, self._factors(None))
