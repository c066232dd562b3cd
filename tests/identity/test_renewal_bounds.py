"""When links and persons of changed days are made anew, and when all are; and that no kill in between is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from identity.lake import Lake, day
from identity.seen import Seen
from personalake.stages.identity import STAGE
from personalake.stages.identity_renewal import left_before
from personalake.store import write
from personalake.store.read import read
from personalake.tables.identity import (
    IDENTITY_LINKS,
    IDENTITY_MAP,
    IDENTITY_MAP_VERSIONS,
    IDENTITY_MOVES,
    IDENTITY_SIGHTINGS,
)

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SOME, ALL = "of changed days", "all"
# On the second day ann's phone is found to be hers, and a mail joins cid and dan.
FIRST = [Seen("pc", "ann"), Seen("phone"), Seen("tv", "bob"), Seen("a", "cid"), Seen("b", "dan"), Seen("lone")]
SECOND = [Seen("phone", "ann", 1500), Seen(None, "cid", 1501, others={"mail": "m"}),
          Seen(None, "dan", 1502, others={"mail": "m"})]  # fmt: skip


def with_first_day(spark: SparkSession, root: Path) -> Lake:
    lake = Lake(spark, root)
    lake.put(list(enumerate(FIRST)))
    lake.run(day(1))
    return lake


class Killed(BaseException):
    """What no code catches."""


def test_killed_after_any_write_the_next_run_comes_to_the_same(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = with_first_day(spark, tmp_path)
    before.put(list(enumerate(SECOND, 100)))
    sound = before.twin(tmp_path / "sound")
    assert sound.run(day(2)).detail["persons"] == SOME
    expected: dict[str, Any] = {table.name: sound.rows(table) for table in STAGE.writes}
    assert len(expected[IDENTITY_MOVES.name]) == 2, "one merge of devices, one of logins"
    for table in (IDENTITY_SIGHTINGS, IDENTITY_LINKS, IDENTITY_MOVES, IDENTITY_MAP_VERSIONS, IDENTITY_MAP):
        lake = before.twin(tmp_path / table.name)

        def kill(point: str, at: str = f"write:{table.name}") -> None:
            if point == at:
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(write, "reached", kill)
            with pytest.raises(Killed):
                lake.run(day(2))
        assert lake.run(day(2)).detail["persons"] == ALL, f"after {table.name}"
        for each in STAGE.writes:
            assert lake.rows(each) == expected[each.name], f"{each.name} after a kill behind {table.name}"


def test_all_is_made_anew_where_the_last_run_cannot_be_built_upon(spark: SparkSession, tmp_path: Path) -> None:
    lake = with_first_day(spark, tmp_path)
    assert left_before(lake.job(day(4))) is not None and left_before(lake.job(day(4), force=True)) is None
    lake.run(day(4), force=True)
    assert left_before(lake.job(day(2))) is None, "a day of the past"
    assert lake.run(day(2)).detail["persons"] == ALL
    lake.put(list(enumerate(SECOND, 100)))
    lake.run(day(4), force=True)
    lake.run(day(2))
    assert left_before(lake.job(day(3))) is not None
    assert left_before(lake.job(day(5))) is None, "the history knows day 4, which the last run did not see"
    good = lake.before
    assert good is not None
    for told, other in {
        "no run before": None,
        "other settings": replace(good, had_same_settings=False),
        "other evidence": replace(good, facts={**good.facts, "evidence": "web {'login_on_device': 0.5}"}),
        "no as-of day": replace(good, day=None),
    }.items():
        lake.before = other
        assert left_before(lake.job(day(3))) is None, told
    lake.before = good
    write.replace(lake.spark, lake.root, IDENTITY_MAP, read(lake.spark, lake.root, IDENTITY_MAP).drop("run_id"), "x")
    assert left_before(lake.job(day(3))) is None, "the map is not as it was left"


def test_what_is_too_large_is_taken_apart_as_a_whole_run_does(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, tmp_path, "identity.identifiers_per_person=4")
    lake.put(list(enumerate(FIRST)))
    lake.run(day(1))
    lake.put(list(enumerate(SECOND, 100)))  # cid, dan, their devices and the mail are five
    second = lake.run(day(2))
    assert second.detail["persons"] == ALL and "too_large_cut_joiners" in second.detail
    assert lake.states()["cid", "m"] == lake.states()["dan", "m"] == "cut_giant"
    lake.put([(200, Seen("tv", "bob", 3000))])
    assert lake.run(day(3)).detail["persons"] == ALL, "a link that was cut for size may count again"


def test_a_day_without_news_writes_nothing(spark: SparkSession, tmp_path: Path) -> None:
    lake = with_first_day(spark, tmp_path)
    left = lake.before
    assert lake.run(day(3)).detail["persons"] == SOME
    assert left is not None and lake.before is not None and lake.before.outputs == left.outputs
