"""An HTTP API through the whole stage: a page that breaks, a run that dies, the next one that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from ingest.lake import KEY, T
from ingest.source_text import write_source
from personalake import sourcing
from personalake.errors import DataError
from personalake.packaged import conf_folder
from personalake.privacy.hashing import decrypt_text
from personalake.runner import Options
from personalake.stages.ingest import raw_fingerprint
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS, SOURCE_READS
from support.connected_lake import ConnectedLake
from support.http_api import Api, Asked, Reply, http_api

HTML = Reply(b"<html>Please sign in</html>", headers={"Content-Type": "text/html"})


def record(item: str, act: str = "pv", **more: Any) -> dict[str, Any]:
    return {"ts": str(T), "visitor": "v1", "uid": "u1", "act": act, "item": item, "note": None, **more}


class Shop:
    """Pages of two records by cursor; page numbers in `broken` answer with HTML."""

    def __init__(self) -> None:
        self.records: list[Any] = [record(f"i{n}") for n in range(6)]
        self.records[1] = record("x", act="swipe")
        self.records[4] = ["no object", "ann@example.org"]
        self.broken: set[int] = set()

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.endswith("/other"):
            return Reply([record("other")])
        page = int(asked.query.get("cursor", "1"))
        if page in self.broken:
            return HTML
        rest = self.records[2 * page :]
        return Reply({"items": self.records[2 * page - 2 : 2 * page], "next": str(page + 1) if rest else None})


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Shop, Api]]:
    pages = Shop()
    with http_api(pages) as api:
        yield pages, api


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, shop: tuple[Shop, Api]) -> ConnectedLake:
    """Three sources: the shop's API, another API, a file."""
    made = ConnectedLake(spark, tmp_path_factory.mktemp("api"))
    paging = {"kind": "cursor", "next": "next"}
    url = shop[1].url
    made.source("shop", {"kind": "rest", "url": url, "records": "items", "paging": paging})
    made.source("other", {"kind": "rest", "url": f"{url}/other"})
    made.source("web", None, format="csv", path="*.csv")
    (made.folder / "raw" / "a.csv").write_text(f"{'ts,visitor,uid,act,item,price,note'}\n{T},v1,u,pv,file,1,\n")
    return made


def pages_asked(api: Api) -> list[str]:
    found = [asked.query.get("cursor", "1") for asked in api.asked if not asked.path.endswith("/other")]
    api.asked.clear()
    return found


# The tests below happen in the order they stand here.
def test_a_page_of_html_stops_its_source_and_leaves_the_work_of_others_and_of_pages_before_it(lake, shop):
    pages, api = shop
    pages.broken = {3}
    place = api.url.removeprefix("http://")
    assert lake.faults() == [
        f"source shop: page 3 of {api.url} is no JSON, but HTML. Check connect.url, and whether the API wants a "
        "sign-in."
    ]
    assert pages_asked(api) == ["1", "2", "3"]
    assert lake.items() == ["file", "i0", "i2", "i3", "other"]
    assert lake.reads() == [(f"{place}/other/pages/1-1", 1, 0), (f"{place}/pages/1-2", 4, 1), ("a.csv", 1, 0)]


def test_the_next_run_goes_on_at_that_page_and_a_kill_before_the_ledger_doubles_nothing(lake, shop):
    pages, api = shop
    pages.broken = set()
    place = api.url.removeprefix("http://")
    lake.run(dies_at=SOURCE_READS)
    assert pages_asked(api) == ["3"]
    lake.run()
    assert pages_asked(api) == ["3"]
    assert lake.items() == ["file", "i0", "i2", "i3", "i5", "other"]
    assert (f"{place}/pages/3-3", 2, 1) in lake.reads()
    codes = lake.told(REJECTED_RECORDS, "reason_code", "file", "position")
    assert codes == [("ING-001", place, 1), ("ING-003", place, 1)]


def test_a_refused_record_is_kept_whole_and_the_cursor_is_not_kept_in_clear(lake):
    (cipher,) = next(r for r in lake.told(REJECTED_RECORDS, "record", "reason_code") if r[1] == "ING-001")[:1]
    assert decrypt_text(KEY, cipher) == '["no object", "ann@example.org"]'
    kept = [mark for (mark,) in lake.told(SOURCE_READS, "resume_from") if mark and '"page": 3' in mark]
    assert len(kept) == 2
    assert all('"mark": "3"' not in mark for mark in kept)


def test_where_nothing_came_the_last_page_is_asked_for_and_nothing_is_written(lake, shop):
    before = lake.versions()
    job = lake.run()
    assert pages_asked(shop[1]) == ["3"]
    assert (job.rows_in, lake.versions()) == (0, before)


def test_the_stage_is_never_skipped_for_only_asking_tells_what_is_new(lake):
    assert raw_fingerprint(lake.settings)["raw_files"] == raw_fingerprint(lake.settings)["raw_files"]
    assert raw_fingerprint(lake.settings) != raw_fingerprint(lake.settings)


def test_a_list_that_grew_is_read_on_from_the_page_that_was_its_last(lake, shop):
    pages, api = shop
    pages.records += [record("i6")]
    lake.run()
    assert pages_asked(api) == ["3", "4"]
    assert lake.items() == ["file", "i0", "i2", "i3", "i5", "i6", "other"]


def test_by_force_every_page_is_read_once_more_and_what_is_no_longer_refused_is_gone(lake, shop):
    pages, api = shop
    pages.records[1] = record("x")
    job = lake.run(force=True)
    assert pages_asked(api) == ["1", "2", "3", "4"]
    assert job.rows_in == 7 + 1 + 1
    assert lake.items() == ["file", "i0", "i2", "i3", "i5", "i6", "other", "x"]
    assert [code for (code,) in lake.told(REJECTED_RECORDS, "reason_code")] == ["ING-001"]
    assert len(lake.told(EVENTS, "event_id")) == len(set(lake.told(EVENTS, "event_id")))


def test_a_source_is_tried_on_its_first_page(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def shared(*_: object) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(sourcing, "session", shared)
    monkeypatch.setattr(sourcing, "now_utc", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    options = Options((str(conf_folder() / "base.yaml"),), (f"warehouse.root={tmp_path / 'lake'}",))
    pages = Shop()
    with http_api(pages) as api:
        connect = {"kind": "rest", "url": api.url, "records": "items", "paging": {"kind": "cursor", "next": "next"}}
        write_source(tmp_path, "shop", connect=connect, format=None, path=None)
        sourcing.check(options, str(tmp_path / "shop.yaml"), 5, "json")
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        taken = [record["mapped"].get("item_id") for record in told if record["refused"] is None]
        refused = [record["refused"] for record in told if record["refused"]]
        assert taken == ["i0", "i2", "i3"]
        assert refused[0] == "ING-003 The verb is not among the source's event_types."
        assert [reason[:7] for reason in refused] == ["ING-003", "ING-001"]

        pages.broken = {1}
        with pytest.raises(DataError) as error:
            sourcing.check(options, str(tmp_path / "shop.yaml"), 5, "json")
    assert str(error.value) == (
        f"The data cannot be used (1 fault):\n  - source shop: page 1 of {api.url} is no JSON, but HTML. "
        "Check connect.url, and whether the API wants a sign-in."
    )
