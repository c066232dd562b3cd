"""EASE: every item predicted from all others by one ridge regression in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import ArrayType, DoubleType, IntegerType, StructField, StructType

from personalake.errors import ConfigError, DataError, Fault
from personalake.recommend.block_kernels import row_blocks
from personalake.recommend.block_scorers import DenseProductScorer, id_arrays, item_ids
from personalake.recommend.blocked import BlockedFitted
from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.ease_solve import closed_form
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes
from personalake.recommend.packed import fetched
from personalake.recommend.product.matrix import ENTRY_BYTES, matrix_of
from personalake.recommend.product.weighting import weighted, with_value
from personalake.recommend.ragged import Doubles

# The Gram matrix, which becomes the weights in place; the copy on the disk of the nodes; LAPACK's and numpy's room.
_COPIES = 3
_NUMBER_BYTES = 8
# A weight beyond this, squared, loses all beside it; as of `Als`.
_HEAVIEST = 1e8


@dataclass(frozen=True)
class FittedEase(BlockedFitted):
    """What each item of a history adds to each other item; a score is Σ weight × what it adds.

    `weights`: item_id, item_index (its place in the order of ids, from 0), weights (array of double, by item_index).
    `arrays`: where the same numbers lie since they were fitted; None for a model that was loaded.
    """

    settings: Ease
    weights: DataFrame
    arrays: NodeArrays | None = None

    def _scorer(self) -> DenseProductScorer:
        if self.arrays is not None:
            return DenseProductScorer(self.arrays)
        return DenseProductScorer(put_on_nodes(self.interactions.sparkSession, collected_weights(self.weights)))

    def _weighed(self, histories: DataFrame) -> DataFrame:
        return with_value(histories, self.settings.weights).select(*PAIR, F.col("_value").alias("weight"))


class Ease(Algorithm):
    """Items that go together in histories, all at once: an item × item ridge regression, for smaller catalogues."""

    fitted: ClassVar[type[Fitted]] = FittedEase
    reason_code: ClassVar[str] = "REC-002"
    kind: Literal["ease"] = "ease"
    regularisation: float = Field(
        default=300.0, gt=0, description="Ridge on the weights between items; more where histories are many and long"
    )
    weights: Literal["raw", "log", "unit"] = Field(
        default="unit", description="What a weight w counts: raw = w, log = ln(1 + w), unit = 1"
    )
    memory_mb: int = Field(
        default=10_240,
        ge=1,
        description="Most that fitting may take on the driver, 24 bytes per pair of items [MiB]; 20,000 items fit",
    )

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedEase:
        """Fit on interactions, at once: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data".

        B = −P / diag(P) off the diagonal and 0 on it, with P = (XᵀX + λI)⁻¹, in float64.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0).
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once; weights are too large beside
                regularisation.
            ConfigError: the matrices take more than memory_mb; said before they are built.

        Cost:
            The interactions are collected: 40 bytes a row beside the ids. Time on the driver grows with (items)³: some
            20 s for 10,000 items on two cores.
        """
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        _check_size(rows, self.memory_mb)
        arrays = put_on_nodes(rows.sparkSession, fitted_arrays(rows, self))
        return FittedEase(self, rows, weight_rows(rows, arrays), arrays)


def fitted_arrays(interactions: DataFrame, settings: Ease) -> dict[str, np.ndarray]:
    """Item ids in rising order and the weights between items, as a `DenseProductScorer` reads them.

    Args:
        interactions: person_id, item_id, weight.
        settings: of the algorithm.

    Raises:
        DataError: weights are too large beside regularisation.
    """
    table = fetched(interactions)
    matrix = matrix_of(table["person_id"], table["item_id"], table["weight"].to_numpy())
    by_id = np.argsort(matrix.orders)
    entries = weighted(matrix.by_person, settings.weights)[:, by_id]
    heaviest = entries.data.max(initial=0.0)
    if heaviest > _HEAVIEST:
        raise _too_heavy(heaviest, f"ease takes weights up to {_HEAVIEST:.0e}")
    try:
        values = closed_form(entries, settings.regularisation)
    except ArithmeticError as fault:
        raise _too_heavy(heaviest, f"beside it regularisation {settings.regularisation:g} is lost") from fault
    return {**id_arrays(matrix.ids.take(pa.array(by_id))), "values": values}


def _too_heavy(heaviest: float, why: str) -> DataError:
    todo = "Take weights: log or unit, cap them, or raise regularisation."
    return DataError(Fault("interactions.weight", f"goes up to {heaviest:.3g}; {why}.", todo))


def weight_rows(interactions: DataFrame, arrays: NodeArrays) -> DataFrame:
    """The weights as rows, read where they lie: item_id, item_index, weights.

    Args:
        interactions: for the type of item_id.
        arrays: what `fitted_arrays` gave, on the nodes.
    """
    kind = interactions.schema["item_id"]
    fields = [StructField("item_index", IntegerType()), StructField("weights", ArrayType(DoubleType(), False))]
    arrow_type = to_arrow_type(kind.dataType)

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        loaded = arrays.load()
        ids, values = item_ids(loaded), loaded["values"]
        for batch in batches:
            indexes = batch["id"].to_numpy()
            for start, stop in row_blocks(len(indexes), _NUMBER_BYTES * len(values)):
                part = indexes[start:stop]
                ends = pa.array(np.arange(len(part) + 1) * len(values), pa.int32())
                lists = pa.ListArray.from_arrays(ends, pa.array(values[part].ravel()))
                named = ids.take(pa.array(part)).cast(arrow_type)
                yield pa.RecordBatch.from_arrays(
                    [named, pa.array(part, pa.int32()), lists], names=["item_id", "item_index", "weights"]
                )

    places = {place.name: place.shape for place in arrays.places}
    return interactions.sparkSession.range(places["values"][0]).mapInArrow(read, StructType([kind, *fields]))


def collected_weights(weights: DataFrame) -> dict[str, np.ndarray]:
    """The reverse of `weight_rows`: fetched in parts, so that no answer outgrows what Spark lets the driver have.

    Args:
        weights: item_id, item_index, weights.
    """
    ids = weights.select("item_id", "item_index").toArrow().sort_by("item_index")["item_id"]
    whole = pa.concat_arrays(ids.chunks)
    values: Doubles = np.empty((len(whole), len(whole)))
    for start, stop in row_blocks(len(whole), _NUMBER_BYTES * len(whole)):
        is_here = (F.col("item_index") >= F.lit(start)) & (F.col("item_index") < F.lit(stop))
        for batch in weights.where(is_here).select("item_index", "weights").toArrow().to_batches():
            lists = batch["weights"].flatten().to_numpy(zero_copy_only=False)
            values[batch["item_index"].to_numpy()] = lists.reshape(batch.num_rows, len(whole))
    return {**id_arrays(whole), "values": values}


def _check_size(interactions: DataFrame, memory_mb: int) -> None:
    found = interactions.agg(F.count_distinct("item_id").alias("items"), F.count(F.lit(1)).alias("rows")).first()
    items, rows = (0, 0) if found is None else (found["items"], found["rows"])
    needed_mb = (items**2 * _NUMBER_BYTES * _COPIES + rows * ENTRY_BYTES) / 2**20
    if needed_mb > memory_mb:
        text = f"allows {memory_mb} MiB, and {items} items with {rows} interactions take {needed_mb:.0f} MiB."
        todo = "Raise it to what the driver has, or take item_cosine or als: they grow with the interactions only."
        raise ConfigError(Fault("ease.memory_mb", text, todo))
