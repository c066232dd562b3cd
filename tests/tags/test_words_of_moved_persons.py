"""A person's own word on a tag follows the person through merges and splits, in the stage and in the view alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.tables.identity import IDENTITY_MAP_VERSIONS
from personalake.tables.tags import CONTRADICTED, HIDDEN, RESTORED, TAG_OVERRIDES
from personalake.tags.overrides import overridden
from personalake.views.of_words import TAG_WORDS
from support.profile_rows import table_frame

D1, D2, D3, D4, D5 = (date(2024, 5, day) for day in (1, 2, 3, 4, 5))

# Each case has persons of its own: P is whom the word was said of. identifier → day → its person from that day on.
MAPS: dict[str, dict[str, dict[date, str | None]]] = {
    "unmoved": {"a": {D1: "P"}, "b": {D1: "Q"}},
    "merged": {"a": {D1: "P", D3: "Q"}, "b": {D1: "Q"}},
    "merged_in_a_chain": {"a": {D1: "P", D2: "Q", D3: "R", D4: "S"}, "b": {D1: "Q", D3: "R"}, "c": {D1: "S"}},
    "split": {"a": {D1: "P"}, "b": {D1: "P", D3: "Q"}},
    "split_and_merged": {"a": {D1: "P"}, "b": {D1: "P", D3: "Q", D4: "R"}, "c": {D1: "R"}},
    "gained_later": {"a": {D1: "P"}, "b": {D1: "Q", D3: "P", D4: "Q"}},
    "lost_before": {"a": {D1: "P"}, "b": {D1: "P", D2: "Q"}},
    "came_after_the_word": {"a": {D3: "P", D4: "Q"}, "b": {D1: "Q"}},
    "merged_by_a_rerun_of_the_day": {"a": {D1: "P", D2: "Q"}, "b": {D1: "Q"}},
    "no_longer_seen": {"a": {D1: "P", D3: None}, "b": {D1: "Q"}},
    "restored_by_the_merged": {"a": {D1: "P", D3: "Q"}, "b": {D1: "Q"}},
    "restored_before_the_merge": {"a": {D1: "P", D3: "Q"}, "b": {D1: "Q"}},
    "two_words_of_one_day": {"a": {D1: "P", D3: "Q"}, "b": {D1: "Q"}},
    "taken_back_the_same_day": {"a": {D1: "P", D3: "Q"}, "b": {D1: "Q"}},
}
# case → words: person, day, state, hour of day it was recorded at; the same word of P in the others.
WORDS: dict[str, list[tuple[str, date, str, int]]] = {
    "restored_by_the_merged": [("P", D2, HIDDEN, 9), ("Q", D4, RESTORED, 9)],
    "restored_before_the_merge": [("P", D2, CONTRADICTED, 9), ("Q", D1, RESTORED, 9)],
    "two_words_of_one_day": [("P", D2, HIDDEN, 9), ("Q", D2, RESTORED, 9)],
    "taken_back_the_same_day": [("P", D2, HIDDEN, 9), ("Q", D2, RESTORED, 10)],
}
# case → whom the word holds for as of D5; P itself always, where it was the last to speak.
HOLDS: dict[str, str] = {
    "unmoved": "P", "merged": "PQ", "merged_in_a_chain": "PS", "split": "PQ", "split_and_merged": "PR",
    "gained_later": "P", "lost_before": "P", "came_after_the_word": "PQ", "merged_by_a_rerun_of_the_day": "PQ",
    "no_longer_seen": "P", "restored_by_the_merged": "P", "restored_before_the_merge": "PQ",
    "two_words_of_one_day": "PQ", "taken_back_the_same_day": "P",
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    said: list[dict[str, Any]] = [
        {"person_id": f"{case}/{person}", "as_of_date": day, "tag": "t", "state": state,
         "recorded_at": datetime(2024, 5, 9, hour, tzinfo=UTC)}
        for case in MAPS for person, day, state, hour in WORDS.get(case, [("P", D2, HIDDEN, 9)])
    ]  # fmt: skip
    versions = [
        {"identifier_kind": "login", "identifier": f"{case}/{identifier}", "effective_date": day,
         "person_id": f"{case}/{person}" if person else None}
        for case, identifiers in MAPS.items() for identifier, days in identifiers.items()
        for day, person in days.items()
    ]  # fmt: skip
    return table_frame(spark, TAG_OVERRIDES, said), table_frame(spark, IDENTITY_MAP_VERSIONS, versions)


def by_case(persons: set[str]) -> dict[str, str]:
    found: dict[str, str] = dict.fromkeys(MAPS, "")
    for person in sorted(persons):
        case, _, name = person.partition("/")
        found[case] += name
    return found


def test_a_word_follows_the_identifiers_it_was_said_of(lake: tuple[DataFrame, DataFrame]) -> None:
    assert by_case({row.person_id for row in overridden(*lake, D5).collect()}) == HOLDS
    assert by_case({row.person_id for row in overridden(*lake).collect()}) == HOLDS


def test_as_of_an_earlier_day_persons_are_as_they_were_then(lake: tuple[DataFrame, DataFrame]) -> None:
    then = by_case({row.person_id for row in overridden(*lake, D3).collect()})
    moved = {"merged_in_a_chain": "PR", "split_and_merged": "PQ", "came_after_the_word": "P",
             "restored_by_the_merged": "PQ"}  # fmt: skip
    assert then == HOLDS | moved
    assert overridden(*lake, D1).collect() == [], "the words are of the day after"


def test_the_view_says_the_same(spark: SparkSession, lake: tuple[DataFrame, DataFrame]) -> None:
    for name, frame in zip(TAG_WORDS.tables, lake, strict=True):
        frame.createOrReplaceTempView(name)
    try:
        rows = spark.sql(TAG_WORDS.sql).collect()
    finally:
        for name in TAG_WORDS.tables:
            spark.catalog.dropTempView(name)
    assert by_case({row.person_id for row in rows if row.state != RESTORED}) == HOLDS
    gone = {"merged", "merged_in_a_chain", "came_after_the_word", "merged_by_a_rerun_of_the_day", "no_longer_seen",
            *WORDS}  # fmt: skip
    assert {row.person_id for row in rows if not row.is_current} == {f"{case}/P" for case in gone}
