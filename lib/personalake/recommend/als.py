"""Alternating least squares by MLlib or by conjugate gradients, exact fold-in, and masked top lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pyspark.sql import DataFrame

from personalake.recommend.als_arrow import ItemFactors, collected_items, folded_factors, histories_by_person
from personalake.recommend.als_cg import fit_cg
from personalake.recommend.als_mllib import fit_mllib
from personalake.recommend.als_solve import Form
from personalake.recommend.block_scorers import Scorer, id_arrays, sorted_ids
from personalake.recommend.blocked import BlockedFitted
from personalake.recommend.checks import PAIR, checked_histories, checked_interactions
from personalake.recommend.factor_scorer import FactorScorer, factor_arrays
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.node_arrays import put_on_nodes


@dataclass(frozen=True)
class FittedAls(BlockedFitted):
    """Factors of persons and items; a score is their product.

    `person_factors`: person_id, factors (array of float). `item_factors`: item_id, item_index (from 0), factors.
    `losses`: step (iteration, from 1), loss (see `als_loss`): of every iteration by engine cg, of the last one and
    those of loss_at by engine mllib, which tells none where the item factors take more than item_factors_mb.
    """

    settings: Als
    person_factors: DataFrame
    item_factors: DataFrame
    losses: DataFrame

    def folded(self, histories: DataFrame, check: bool = True) -> DataFrame:
        """Factors of persons from given histories: one exact half-step against the fitted item factors, no refit.

        Args:
            histories: one row per pair; reads person_id, item_id, weight (> 0). Items the model does not know are left
                out.
            check: False trusts the rows and saves the job that looks at them.

        Returns:
            person_id, factors (array of double); a person without a known item gets no row.

        Raises:
            ConfigError: a column is missing or mistyped, or ids are of another kind than the model's.
            DataError: what `checks.checked_histories` finds, all at once.
        """
        return self._folded(checked_histories(histories, self.interactions, check), self._collected())

    def _scorer(self) -> Scorer:
        items = self._collected()
        ids, order = sorted_ids(items.ids)
        arrays = {**id_arrays(ids), **factor_arrays(items.factors[order])}
        return FactorScorer(put_on_nodes(self.interactions.sparkSession, arrays))

    def _factors(self, histories: DataFrame | None) -> DataFrame:
        return self.person_factors if histories is None else self._folded(histories, self._collected())

    def _folded(self, histories: DataFrame, items: ItemFactors) -> DataFrame:
        return folded_factors(histories_by_person(histories, self.item_factors), items, Form.of(self.settings))

    def _collected(self) -> ItemFactors:
        return collected_items(self.item_factors, self.settings.item_factors_mb)


class Als(Algorithm):
    """People with tastes like these: a low-rank model of the person × item matrix."""

    fitted: ClassVar[type[Fitted]] = FittedAls
    reason_code: ClassVar[str] = "REC-002"
    kind: Literal["als"] = "als"
    rank: int = Field(default=64, ge=1, description="Length of a factor")
    iterations: int = Field(default=15, ge=1, description="Full iterations; each solves the items, then the persons")
    regularisation: float = Field(
        default=0.5, ge=0, description="Ridge, scaled by the length of a history as MLlib does"
    )
    alpha: float = Field(default=2.0, ge=0, description="Implicit: confidence in a pair is 1 + alpha × weight")
    implicit: bool = Field(
        default=True, description="Weights are strength of interest (True) or ratings to predict (False)"
    )
    engine: Literal["mllib", "cg"] = Field(
        default="mllib",
        description="What solves the iterations: Spark's MLlib, or conjugate gradients, the matrix on every node",
    )
    seed: int = Field(default=7, description="Seed of the first factors")
    blocks: int = Field(
        default=8, ge=1, description="Engine mllib: blocks of persons and of items; another number is another model"
    )
    checkpoint_interval: int = Field(
        default=10,
        ge=1,
        le=10,
        description="Engine mllib: iterations between checkpoints, which keep long fits off the stack",
    )
    loss_at: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="Engine mllib: iterations whose loss is told beside the last one's, each by a fit of that length",
    )
    cg_steps: int = Field(default=3, ge=1, description="Engine cg: steps per row and half-step, from where it was")
    cg_memory_mb: int = Field(
        default=4096,
        ge=1,
        description="Engine cg: most that matrix and factors may take on driver and node [MiB]",
    )
    item_factors_mb: int = Field(default=512, ge=1, description="Most that all item factors may take on a worker [MiB]")

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedAls:
        """Fit on interactions, at once; MLlib's factors are kept in Spark's cache.

        The same interactions give the same model however they are ordered or partitioned: by engine cg to the last
        bit, by engine mllib up to float32.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and by
                engine mllib person_index with item_index where both are there.
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once; a weight is too large for float32 sums.
            ConfigError: engine mllib: more than 10 iterations on a cluster whose session has no checkpoint folder;
                engine cg: matrix and factors take more than cg_memory_mb, or more than the driver accepts.

        Cost:
            Engine mllib: two shuffles of factors per iteration, and as many for each of loss_at. Engine cg: no
            shuffle; the rows come to the driver, which sends the factors of one side to every node and gets those of
            the other, twice per iteration.
        """
        rows = checked_interactions(interactions, check)
        fit = fit_cg if self.engine == "cg" else fit_mllib
        return FittedAls(self, rows.select(*PAIR, "weight"), *fit(rows, self))
