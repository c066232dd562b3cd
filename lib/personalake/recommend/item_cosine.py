"""Items like items: an item × item product over the sparse person × item matrix, exact, by one of three plans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault
from personalake.recommend.block_scorers import SparseProductScorer, id_arrays, sorted_ids
from personalake.recommend.blocked import BlockedFitted
from personalake.recommend.checks import PAIR, check_ids, checked_interactions
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes
from personalake.recommend.product.cap import capped
from personalake.recommend.product.neighbours import Product, fit_neighbours
from personalake.recommend.product.plan import Choice, Plan
from personalake.recommend.product.rows import Rule
from personalake.recommend.product.weighting import DESCRIPTION, Weights, with_value
from personalake.recommend.top import rounded

# What a neighbour takes on the driver [bytes]: two ids, a similarity, and its place in the arrays.
_NEIGHBOUR_BYTES = 64


@dataclass(frozen=True)
class FittedItemCosine(BlockedFitted):
    """Each item's nearest items.

    A person's score for an item is Σ weight × similarity over those of the item's neighbours that are in the person's
    history (Sarwar et al. 2001). By conditional probability a history speaks for the neighbours of its own items.

    `neighbours`: item_id, neighbour_id, similarity_score (at 9 decimals), neighbour_rank (from 1). `choice`: which plan
    multiplied, and why; None for a model that was loaded. `arrays`: what it multiplied from; neighbours not yet
    computed are lost with it.

    To score, all neighbours come to the driver, 64 bytes each, and are refused beyond memory_mb; the frame itself can
    be read however large it is.
    """

    settings: ItemCosine
    neighbours: DataFrame
    choice: Choice | None = None
    arrays: NodeArrays | None = None

    @property
    def note(self) -> str:
        """The plan line: which plan multiplied, why, and what that took."""
        return "" if self.choice is None else str(self.choice)

    def explain(self, pairs: DataFrame) -> DataFrame:
        """The item of a person's history that adds most to the score of another item.

        Args:
            pairs: reads person_id, item_id.

        Returns:
            person_id, item_id, because_item_id (the largest weight × similarity, then the smallest id); pairs without
            a score are left out.

        Raises:
            ConfigError: a column is missing, or ids are of another kind than the model's.

        Cost:
            A join by item, then one by pair: pairs × neighbours rows.
        """
        check_ids(pairs, PAIR, self.interactions, "pairs")
        near = pairs.select(*PAIR).distinct().join(self._adding(), on="item_id", how="inner")
        mine = self._weighed(self.interactions).withColumnRenamed("item_id", "because_item_id")
        shares = near.join(mine, on=["person_id", "because_item_id"], how="inner")
        share = rounded(F.col("weight") * F.col("similarity_score"))
        first = F.min(F.struct((-share).alias("share"), F.col("because_item_id"))).alias("_first")
        return shares.groupBy(*PAIR).agg(first).select(*PAIR, F.col("_first.because_item_id").alias("because_item_id"))

    def _adding(self) -> DataFrame:
        """What a history's item adds to another: because_item_id, item_id, similarity_score."""
        mine, other = "neighbour_id", "item_id"
        if self.settings.measure == "conditional":
            mine, other = other, mine
        return self.neighbours.select(
            F.col(mine).alias("because_item_id"), F.col(other).alias("item_id"), "similarity_score"
        )

    def _weighed(self, histories: DataFrame) -> DataFrame:
        # How rare a person's picks are says something of pairs of items, nothing of one person's list.
        weights = self.settings.weights if self.settings.weights in ("unit", "log") else "raw"
        return with_value(histories, weights).select(*PAIR, F.col("_value").alias("weight"))

    def _scorer(self) -> SparseProductScorer:
        rows = self._adding()
        size_mb = rows.count() * _NEIGHBOUR_BYTES >> 20
        if size_mb > self.settings.memory_mb:
            found = f"is {self.settings.memory_mb:,}, and to score takes all neighbours on the driver, {size_mb:,} MiB."
            todo = (
                "Raise it to what the driver can hold, or fit with fewer neighbours; the rows can be read as they are."
            )
            raise ConfigError(Fault("item_cosine.memory_mb", found, todo))
        known = self.interactions.select("item_id").distinct().toArrow()["item_id"]
        return SparseProductScorer(put_on_nodes(rows.sparkSession, _product_arrays(rows.toArrow(), known)))


def _product_arrays(rows: pa.Table, known: pa.ChunkedArray) -> dict[str, np.ndarray]:
    """Neighbours as a CSR matrix over the ids in rising order: what each item of a history adds to others."""
    ids, _ = sorted_ids(known)
    left, right = (pc.index_in(rows[name], ids).to_numpy() for name in ("because_item_id", "item_id"))
    order = np.lexsort((right, left))
    counts = np.bincount(left, minlength=len(ids))
    return {
        **id_arrays(ids),
        "indptr": np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        "indices": right[order].astype(np.int32),
        "values": rows["similarity_score"].to_numpy()[order],
    }


class ItemCosine(Algorithm):
    """People who took this also took that: likeness between the item columns of the person × item matrix."""

    fitted: ClassVar[type[Fitted]] = FittedItemCosine
    reason_code: ClassVar[str] = "REC-001"
    kind: Literal["item_cosine"] = "item_cosine"
    neighbours: int = Field(default=50, ge=1, description="Nearest items kept per item")
    measure: Literal["cosine", "jaccard", "conditional", "llr", "pearson", "euclidean"] = Field(
        default="cosine", description="How alike two items are; conditional = P(other | item), llr = log-likelihood"
    )
    mean: Literal["co_rated", "all"] = Field(
        default="co_rated", description="pearson: an item's mean over the persons both items share, or over all its own"
    )
    shrink: float = Field(
        default=0.0, ge=0, description="cosine, jaccard, conditional: added to the divisor, damps pairs that few share"
    )
    min_co_count: int = Field(default=1, ge=1, description="Persons who must share a pair of items for it to count")
    weights: Weights = Field(default="raw", description=DESCRIPTION)
    history_cap: int | None = Field(
        default=None, ge=1, description="Entries kept of each history, the heaviest; None: all, and the result is exact"
    )
    plan: Plan = Field(
        default="auto",
        description="broadcast = the matrix on every node, shuffle = histories sent where needed, join = a plain join: "
        "the same rows by all; auto = broadcast where it fits memory_mb, else shuffle",
    )
    memory_mb: int = Field(
        default=2048, ge=1, description="What the matrix may take on the driver and on every node [MiB]"
    )

    @model_validator(mode="after")
    def _options_have_effect(self) -> Self:
        faults = []
        if self.shrink and self.measure not in ("cosine", "jaccard", "conditional"):
            faults.append(f"shrink {self.shrink:g} does nothing to measure {self.measure}: leave it at 0")
        if self.weights not in ("raw", "unit") and self.measure in ("jaccard", "conditional", "llr"):
            faults.append(
                f"weights {self.weights} do nothing to measure {self.measure}, which counts persons: take raw"
            )
        if faults:
            raise ValueError(f"{'; '.join(faults)}, or take measure cosine")
        return self

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedItemCosine:
        """Fit on interactions: the neighbours are computed when first asked for, then kept in Spark's cache.

        Sums are float64 (exact for unit weights). Ranked on the similarity at 9 decimals, then neighbour_id, so neither
        row order, partitioning nor plan can change a rank.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and
                person_index with item_index where both are there.
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once.
            ConfigError: plan is broadcast, and the matrix takes more than memory_mb.

        Cost:
            Σ over persons of (history length)² products; see the plans in `recommend.product`.
        """
        is_capped = self.history_cap is not None
        rows, dropped = capped(checked_interactions(interactions, check and is_capped), self.history_cap)
        neighbours, choice, arrays = fit_neighbours(rows, self._product(), check and not is_capped)
        choice = replace(choice, dropped=dropped)
        kept = checked_interactions(interactions, check=False).select(*PAIR, "weight")
        return FittedItemCosine(self, kept, neighbours.persist(), choice, arrays)

    def _product(self) -> Product:
        all_means = self.measure == "pearson" and self.mean == "all"
        measure = "pearson_centred" if all_means else self.measure
        rule = Rule(measure, self.neighbours, self.min_co_count, self.shrink)
        return Product(rule, self.weights, all_means, self.plan, self.memory_mb)
