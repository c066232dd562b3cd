"""Content-based recommendation: items like those of a history, by what is known of them, touched or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, NumericType

from personalake.errors import ConfigError, DataError, Fault
from personalake.recommend.blocked import BlockedFitted
from personalake.recommend.blocks import packed_lists, unpacked
from personalake.recommend.checks import PAIR, check_ids, check_limit, checked_interactions
from personalake.recommend.content_features import item_features
from personalake.recommend.content_scorer import ContentScorer, content_arrays
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.node_arrays import put_on_nodes

# What a feature of an item takes on the driver: as it arrives, its name aside, and in both orders [bytes].
_FEATURE_BYTES = 64
_DAY_MICROS = 86_400_000_000
# 2^-1000 is still a number: what is older than that counts as little as what is as old.
_MOST_HALVINGS = 1000.0


@dataclass(frozen=True)
class FittedContentBased(BlockedFitted):
    """What items are like; a person is the mean of the items of a history.

    The weights of `interactions` have faded with age already.

    `features`: item_id, feature, value. `vectors`: item_id, vector (array of double); no rows where items have none.
    """

    settings: ContentBased
    features: DataFrame
    vectors: DataFrame

    def alike(self, items: DataFrame | None = None, limit: int = 50) -> DataFrame:
        """The items most like given ones.

        Args:
            items: reads item_id; None: all of which something is known.
            limit: list length, ≥ 1.

        Returns:
            item_id, neighbour_id, similarity_score, neighbour_rank (int, from 1).

        Raises:
            ConfigError: limit is below 1, item_id is missing or of another kind than the model's.
        """
        check_limit(limit)
        known = self.features.select("item_id").unionByName(self.vectors.select("item_id"))
        asked = known if items is None else items
        check_ids(asked, PAIR[1:], self.interactions, "items")
        alone = asked.select(F.col("item_id").alias("person_id"), "item_id", F.lit(1.0).alias("weight")).distinct()
        lists = unpacked(packed_lists(self.scorer, alone, alone, limit))
        names = {"person_id": "item_id", "item_id": "neighbour_id", "score": "similarity_score"}
        return lists.withColumnsRenamed({**names, "candidate_rank": "neighbour_rank"})

    def _scorer(self) -> ContentScorer:
        ours = self.settings
        _check_size(self.features, self.vectors, ours.memory_mb)
        vectors = self.vectors.toArrow()
        arrays = content_arrays(self.features.toArrow(), vectors, ours.vector_weight)
        placed = put_on_nodes(self.interactions.sparkSession, arrays)
        return ContentScorer(placed, ours.measure == "euclidean", vectors.num_rows > 0, ours.profile_features)


class ContentBased(Algorithm):
    """Items like what a person took, by their text, category, brand and price; new items included."""

    fitted: ClassVar[type[Fitted]] = FittedContentBased
    reason_code: ClassVar[str] = "REC-005"
    needs_items: ClassVar[bool] = True
    kind: Literal["content_based"] = "content_based"
    measure: Literal["cosine", "euclidean"] = Field(
        default="cosine",
        description="Between a person's mean item and an item; euclidean = 1 / (1 + distance)",
    )
    half_life_days: float | None = Field(
        default=60.0,
        gt=0,
        description="Days after which an item of a history counts half, back from the newest last_at, where "
        "interactions have one; None: it never fades",
    )
    text_weight: float = Field(default=1.0, ge=0, description="Of the terms of title and text; 0 leaves them out")
    category_weight: float = Field(default=1.0, ge=0, description="Of the levels of the category path")
    brand_weight: float = Field(default=0.6, ge=0, description="Of the brand")
    price_band_weight: float = Field(default=0.3, ge=0, description="Of the price band")
    vector_weight: float = Field(default=1.0, ge=0, description="Of ready vectors, the catalogue's column vector")
    min_document_count: int = Field(default=2, ge=1, description="Items that must have a term for it to count")
    max_document_share: float = Field(default=0.5, gt=0, le=1, description="A term that more items have says nothing")
    max_vocabulary: int = Field(default=50_000, ge=1, description="Terms kept, those of most items first")
    profile_features: int | None = Field(
        default=1000, ge=1, description="Features of a person that are compared, the strongest first; None: all"
    )
    memory_mb: int = Field(
        default=2048, ge=1, description="Most that features and vectors may take, on the driver [MiB]"
    )

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedContentBased:
        """Fit on the catalogue: features are computed when first asked for, then kept in Spark's cache.

        TF-IDF of a term = count × ln((items + 1) / (items with it + 1)) (Salton, Buckley 1988).

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and last_at
                [UTC] where it is there and half_life_days is set.
            check: False trusts the rows and saves the jobs that look at them.
            items: the catalogue, one row per item: item_id, and of title, text, category_path, category, brand,
                price_band, vector (array of numbers, one length) those that are there.

        Raises:
            DataError: what `checks.checked_interactions` finds; an item comes twice or without an id; a vector has
                another length than others, or a value that is null, NaN or infinite. All at once.
            ConfigError: items is not given, or its ids are of another kind than those of interactions.

        Cost:
            Two shuffles of the terms of all items, by item and by term.
        """
        if items is None:
            raise ConfigError(Fault("content_based", "was given no items.", "Call fit(interactions, items=catalogue)."))
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        check_ids(items, PAIR[1:], rows, "items")
        catalogue = items.withColumn("item_id", F.col("item_id").try_cast(rows.schema["item_id"].dataType))
        vectors = _vectors(catalogue, self.vector_weight)
        if check:
            _check_items(catalogue, vectors)
        if self.half_life_days is not None and "last_at" in interactions.columns:
            faded = F.col("weight").cast("double") * _fading(interactions, self.half_life_days)
            rows = interactions.select(*PAIR, faded.alias("weight"))
        known = catalogue.where(F.col("item_id").isNotNull())
        return FittedContentBased(self, rows, item_features(known, self).persist(), vectors)


def _vectors(items: DataFrame, weight: float) -> DataFrame:
    kind = items.schema["vector"].dataType if "vector" in items.columns and weight > 0 else None
    if not isinstance(kind, ArrayType) or not isinstance(kind.elementType, NumericType):
        return items.limit(0).select("item_id", F.array().cast("array<double>").alias("vector"))
    vectors = items.select("item_id", F.col("vector").cast("array<double>").alias("vector"))
    return vectors.where(F.col("item_id").isNotNull() & F.col("vector").isNotNull())


def _check_items(items: DataFrame, vectors: DataFrame) -> None:
    unknown = F.count_if(F.col("item_id").isNull()).alias("unknown")
    named, distinct = F.count("item_id").alias("named"), F.count_distinct("item_id").alias("distinct")
    found = items.agg(unknown, named, distinct).first()
    is_bad = F.exists("vector", lambda number: number.isNull() | F.isnan(number) | (F.abs(number) == float("inf")))
    shape = vectors.agg(F.count_distinct(F.size("vector")).alias("lengths"), F.count_if(is_bad).alias("bad")).first()
    faults = []
    if found is not None and found["unknown"]:
        faults.append(Fault("items.item_id", f"{found['unknown']} rows are null.", "Drop or mend them."))
    if found is not None and found["named"] > found["distinct"]:
        text = f"{found['named'] - found['distinct']} rows repeat an item."
        faults.append(Fault("items", text, "Keep one row per item."))
    if shape is not None and shape["lengths"] > 1:
        text = f"has {shape['lengths']} different lengths."
        faults.append(Fault("items.vector", text, "Give every item a vector of one length, or null."))
    if shape is not None and shape["bad"]:
        text = f"{shape['bad']} rows have a value that is null, NaN or infinite."
        faults.append(Fault("items.vector", text, "Drop or mend them."))
    if faults:
        raise DataError(*faults)


def _check_size(features: DataFrame, vectors: DataFrame, memory_mb: int) -> None:
    rows = features.agg(F.count(F.lit(1)).alias("rows")).first()
    numbers = vectors.agg(F.sum(F.size("vector")).alias("numbers")).first()
    needed = (rows["rows"] if rows else 0) * _FEATURE_BYTES + ((numbers["numbers"] or 0) if numbers else 0) * 3 * 8
    if needed > memory_mb * 2**20:
        text = f"allows {memory_mb} MiB, and features and vectors take {needed / 2**20:.0f} MiB."
        todo = "Raise it to what the driver has, or lower max_vocabulary or max_document_share."
        raise ConfigError(Fault("content_based.memory_mb", text, todo))


def _fading(interactions: DataFrame, half_life_days: float) -> Column:
    newest = interactions.select(F.max(F.unix_micros("last_at"))).scalar()
    halvings = (newest - F.unix_micros("last_at")) / F.lit(_DAY_MICROS * half_life_days)
    return F.pow(F.lit(0.5), F.coalesce(F.least(halvings, F.lit(_MOST_HALVINGS)), F.lit(0.0)))
