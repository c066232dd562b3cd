"""What items are like, as features with values: terms of their text, category levels, brand, price band."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from personalake.recommend.content import ContentBased

TEXTS = ("title", "text")
PATH_DIVIDER = " > "
# Scripts written without spaces: a run of them has no words to find, so each two neighbours count as a term.
# The mark of a long vowel belongs to no script.
_UNSPACED = r"\p{IsHan}\p{IsHiragana}\p{IsKatakana}\x{30FC}"
_WORDS = rf"[[\p{{L}}\p{{M}}\p{{N}}]&&[^{_UNSPACED}]]+"
_RUNS = rf"[{_UNSPACED}]+"


def item_features(items: DataFrame, settings: ContentBased) -> DataFrame:
    """The features of items; a kind of feature whose column is not there is left out.

    Each kind is a vector of length 1 times the kind's weight: the terms of title and text by TF-IDF, the levels of the
    category path, the brand, the price band.

    Args:
        items: one row per item; reads item_id, and of title, text, category_path, category, brand, price_band those
            that are there.
        settings: weights of the kinds, bounds of the vocabulary.

    Returns:
        item_id, feature (`kind:value`), value (> 0).

    Cost:
        The terms are shuffled by item and by term; one job of one row per term cuts the vocabulary.
    """
    present = set(items.columns)
    kinds = [(settings.text_weight, "term", _term_values(items, settings))] if present & set(TEXTS) else []
    category = [F.col(name) for name in ("category_path", "category") if name in present]
    if category:
        kinds.append((settings.category_weight, "category", _ones(items, _levels(F.coalesce(*category)))))
    for name, weight in (("brand", settings.brand_weight), ("price_band", settings.price_band_weight)):
        if name in present:
            kinds.append((weight, name, _ones(items, F.array(F.col(name).cast("string")))))
    parts = [_unit_length(values, name, weight) for weight, name, values in kinds if weight > 0]
    none = items.limit(0).select("item_id", F.lit("").alias("feature"), F.lit(0.0).alias("value"))
    return reduce(DataFrame.unionByName, parts, none)


def terms(text: Column) -> Column:
    """The terms of a text: lower-cased words of letters and digits; of Chinese and Japanese each two neighbours.

    Args:
        text: string.

    Returns:
        array<string>, in no order that matters, with repetitions.
    """
    lower = F.lower(text)
    words = F.regexp_extract_all(lower, F.lit(_WORDS), 0)
    return F.concat(words, F.flatten(F.transform(F.regexp_extract_all(lower, F.lit(_RUNS), 0), _bigrams)))


def _bigrams(run: Column) -> Column:
    starts = F.sequence(F.lit(1), F.greatest(F.length(run) - F.lit(1), F.lit(1)))
    return F.transform(starts, lambda start: F.substr(run, start, F.lit(2)))


def _term_values(items: DataFrame, settings: ContentBased) -> DataFrame:
    """TF-IDF: count × ln((items + 1) / (items with the term + 1))."""
    text = F.concat_ws(" ", *(F.col(name) for name in TEXTS if name in items.columns))
    said = items.select("item_id", F.explode(terms(text)).alias("_name"))
    counts = said.groupBy("item_id", "_name").agg(F.count(F.lit(1)).alias("_count"))
    total = items.select(F.count(F.lit(1))).scalar()
    is_common = F.col("_items") <= total * F.lit(settings.max_document_share)
    known = counts.groupBy("_name").agg(F.count(F.lit(1)).alias("_items"))
    known = known.where((F.col("_items") >= settings.min_document_count) & is_common)
    known = known.orderBy(F.desc("_items"), F.asc("_name")).limit(settings.max_vocabulary)
    rarity = F.log((total + F.lit(1.0)) / (F.col("_items") + F.lit(1.0)))
    valued = counts.join(known.withColumn("_rarity", rarity), on="_name", how="inner")
    return valued.select("item_id", "_name", (F.col("_count") * F.col("_rarity")).alias("_value"))


def _levels(path: Column) -> Column:
    """Each level of a category path by its path from the root: a > b gives a, a > b."""
    parts = F.split(path, PATH_DIVIDER)
    depths = F.sequence(F.lit(1), F.size(parts))
    return F.transform(depths, lambda depth: F.array_join(F.slice(parts, F.lit(1), depth), PATH_DIVIDER))


def _ones(items: DataFrame, names: Column) -> DataFrame:
    named = items.select("item_id", F.explode(names).alias("_name")).where(F.length("_name") > 0)
    return named.withColumn("_value", F.lit(1.0))


def _unit_length(values: DataFrame, kind: str, weight: float) -> DataFrame:
    positive = values.where(F.col("_value") > 0)
    lengths = positive.groupBy("item_id").agg(F.sqrt(F.sum(F.col("_value") * F.col("_value"))).alias("_length"))
    feature = F.concat(F.lit(f"{kind}:"), "_name").alias("feature")
    value = (F.col("_value") / F.col("_length") * F.lit(weight)).alias("value")
    return positive.join(lengths, on="item_id", how="inner").select("item_id", feature, value)
