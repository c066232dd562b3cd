"""Content-based: its terms, its TF-IDF and its cosines equal scikit-learn; vectors, distance, age, bad catalogues."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from personalake.errors import ConfigError, DataError
from personalake.recommend import ContentBased
from personalake.recommend.content_features import terms

PAIRS = [("a", "i0", 2.0), ("a", "i3", 1.0), ("b", "i5", 1.0)]
SCHEMA = "person_id string, item_id string, weight double"
# Every term counts, and text alone.
PLAIN = {"min_document_count": 1, "max_document_share": 1.0, "half_life_days": None, "category_weight": 0.0}


def seeded_texts(count: int = 12) -> list[str]:
    rng = np.random.default_rng(8)
    return [" ".join(f"word{w}" for w in rng.zipf(1.4, 9) % 20) for _ in range(count)]


def catalogue(spark: SparkSession, texts: list[str]) -> DataFrame:
    return spark.createDataFrame([(f"i{n}", text) for n, text in enumerate(texts)], "item_id string, text string")


def read(frame: DataFrame) -> dict[tuple[str, str], float]:
    return {(row[0], row[1]): row[2] for row in frame.collect()}


def test_terms_are_words_and_of_chinese_each_two_neighbours(spark: SparkSession) -> None:
    texts = {
        "Green tea, GREEN-tea 2x": ["green", "tea", "green", "tea", "2x"],
        "绿茶叶 tea杯": ["tea", "绿茶", "茶叶", "杯"],
        "Café 東京タワー": ["café", "東京", "京タ", "タワ", "ワー"],
        "…": [],
    }
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    found = {row.text: sorted(row.terms) for row in frame.select("text", terms(F.col("text")).alias("terms")).collect()}
    assert found == {text: sorted(words) for text, words in texts.items()}


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_scores_are_those_of_scikit_learn(spark: SparkSession, measure: Any) -> None:
    texts = seeded_texts()
    counts = CountVectorizer(token_pattern=r"\w+").fit_transform(texts)
    idf = TfidfTransformer(smooth_idf=True, norm=None).fit(counts).idf_ - 1
    items = counts.toarray() * idf
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    items = np.divide(items, lengths, out=np.zeros_like(items), where=lengths > 0)
    person = (2.0 * items[0] + items[3]) / 3.0
    if measure == "cosine":
        wanted = cosine_similarity([person], items)[0]
    else:
        wanted = 1.0 / (1.0 + euclidean_distances([person], items)[0])
    settings = ContentBased(measure=measure, profile_features=None, **PLAIN)
    fitted = settings.fit(spark.createDataFrame(PAIRS, SCHEMA), check=False, items=catalogue(spark, texts))
    found = read(fitted.candidates(spark.createDataFrame([("a",)], "person_id string")))
    expected = {("a", f"i{n}"): score for n, score in enumerate(wanted) if n not in (0, 3) and score > 0}
    assert found == pytest.approx(expected, abs=1e-8)
    if measure == "cosine":
        alike = read(fitted.alike(spark.createDataFrame([("i1",)], "item_id string"), limit=3))
        others = sorted(
            ((-score, f"i{n}") for n, score in enumerate(cosine_similarity([items[1]], items)[0]) if n != 1)
        )
        assert alike == pytest.approx({("i1", item): -score for score, item in others[:3]}, abs=1e-8)
    fitted.unpersist()


def test_vectors_kinds_and_age_make_up_a_person(spark: SparkSession) -> None:
    now = datetime(2024, 3, 1)
    rows = [("a", "x", 1.0, now), ("a", "y", 1.0, now - timedelta(days=20)), ("b", "y", 1.0, now)]
    items = [("x", "A > B", [3.0, 0.0]), ("y", "A > C", [0.0, 2.0]), ("z", "A > B", [1.0, 1.0]), ("w", "D", None)]
    items += [("away", "D", [-1.0, -1.0])]
    settings = ContentBased(half_life_days=10.0, category_weight=0.5, vector_weight=2.0)
    fitted = settings.fit(
        spark.createDataFrame(rows, f"{SCHEMA}, last_at timestamp"),
        items=spark.createDataFrame(items, "item_id string, category_path string, vector array<float>"),
    )
    level = 0.5 / np.sqrt(2)  # two levels, together as long as the weight
    x, y = np.array([level, level, 0, 2.0, 0.0]), np.array([level, 0, level, 0.0, 2.0])
    z = np.array([level, level, 0, *(2.0 * np.array([1, 1]) / np.sqrt(2))])
    person = x + 0.25 * y
    found = read(fitted.candidates(spark.createDataFrame([("a",), ("b",)], "person_id string")))
    cosine = {("a", "z"): cosine_similarity([person], [z])[0, 0], ("b", "x"): cosine_similarity([y], [x])[0, 0]}
    cosine |= {("b", "z"): cosine_similarity([y], [z])[0, 0]}
    # Nothing is said of what is unlike them: w has nothing in common with anybody, away lies on the other side.
    assert found == pytest.approx(cosine, abs=1e-8)
    pairs = spark.createDataFrame([("a", "w"), ("a", "away"), ("a", "z")], "person_id string, item_id string")
    assert read(fitted.score(pairs)) == {("a", "w"): None, ("a", "away"): None, ("a", "z"): found[("a", "z")]}
    fitted.unpersist()


def test_a_catalogue_that_cannot_be_used_is_refused(spark: SparkSession) -> None:
    pairs = spark.createDataFrame(PAIRS, SCHEMA)
    with pytest.raises(ConfigError, match="content_based: was given no items"):
        ContentBased().fit(pairs)
    with pytest.raises(ConfigError, match=r"items.item_id: is bigint"):
        ContentBased().fit(pairs, items=spark.range(1).withColumnRenamed("id", "item_id"))
    rows = [("i0", [1.0]), ("i0", [1.0, 2.0]), (None, [float("nan"), 1.0])]
    with pytest.raises(DataError) as caught:
        ContentBased().fit(pairs, items=spark.createDataFrame(rows, "item_id string, vector array<double>"))
    assert [fault.where for fault in caught.value.faults] == ["items.item_id", "items", "items.vector"]
    fitted = ContentBased(memory_mb=1).fit(pairs, check=False, items=catalogue(spark, seeded_texts()))
    many = spark.range(30_000).selectExpr("'i' AS item_id", "'f' AS feature", "1.0D AS value")
    fitted = replace(fitted, features=many)
    with pytest.raises(ConfigError, match=r"content_based.memory_mb: allows 1 MiB"):
        fitted.candidates(pairs)
