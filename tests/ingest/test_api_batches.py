"""Groups of pages and where the next run goes on, run after run; no Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ingest.source_text import source_of
from personalake.ingest.connect import rest
from personalake.ingest.connect.batch import Asked, Read
from personalake.ingest.connect.settings import Rest
from support.http_api import Asked as Request
from support.http_api import Reply, http_api

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Runs:
    """An API whose list grows at its end, and the runs that read it, each with the ledger of those before."""

    def __init__(self, url: str, asked: Asked, **settings: Any) -> None:
        self.rest = Rest(**{"url": url, "records": "items"} | settings)
        self.asked, self.past, self.runs = asked, list[Read](), 0

    def run(self, dies_after: int = 99) -> list[tuple[str, list[int]]]:
        """Pages and records of each batch; a run that dies leaves only its first batches in the ledger."""
        self.runs += 1
        found = []
        for batch in rest.rest_batches(replace(self.asked, past=tuple(self.past)), self.rest):
            (read,) = batch.reads
            found.append((read.read_key.rsplit("/", 1)[1], [json.loads(t)["id"] for t in cast(list[str], batch.raw)]))
            if len(found) > dies_after:
                return found[:-1]
            self.past.append(replace(read, mark=read.mark | {"kind": "rest"}, read_at=NOW + timedelta(days=self.runs)))
        return found


@pytest.fixture
def asked(tmp_path, monkeypatch) -> Asked:
    monkeypatch.setattr(rest, "_frame", lambda asked, path, texts: texts)
    source = source_of(tmp_path, format=None, path=None, connect={"kind": "rest", "url": "http://127.0.0.1"})
    return Asked(cast(Any, None), source, (), NOW, lambda text: f"<{text}>", lambda c: c[1:-1], lambda _: None)


@pytest.fixture
def grown() -> Iterator[tuple[list[int], str]]:
    records = list(range(1, 8))

    def answer(request: Request) -> Reply:
        at = 2 * (int(request.query.get("page", "1")) - 1)
        here, rest_of_it = records[at : at + 2], records[at + 2 :]
        following = str(at // 2 + 2) if rest_of_it else None
        return Reply({"items": [{"id": n} for n in here], "next": following})

    with http_api(answer) as api:
        yield records, api.url


CURSOR = {"kind": "cursor", "parameter": "page", "next": "next"}


@pytest.mark.parametrize("paging", [CURSOR, {"kind": "page"}], ids=["cursor", "number"])
def test_runs_go_on_where_the_list_ended_and_read_what_grew(asked, grown, paging):
    records, url = grown
    runs = Runs(url, asked, paging=paging, pages_per_batch=2)
    assert [ids for _, ids in runs.run() if ids] == [[1, 2, 3, 4], [5, 6, 7]]
    assert runs.run() == []
    records.append(8)
    assert [ids for _, ids in runs.run()] == [[7, 8]]
    assert runs.run() == []
    records += [9, 10, 11]
    assert sorted(n for _, ids in runs.run() for n in ids) == [9, 10, 11]
    assert runs.run() == []


@pytest.mark.parametrize("paging", [CURSOR, {"kind": "page"}], ids=["cursor", "number"])
def test_a_run_that_died_is_gone_on_with_behind_its_last_whole_batch(asked, grown, paging):
    _, url = grown
    runs = Runs(url, asked, paging=paging, pages_per_batch=1)
    assert runs.run(dies_after=2) == [("1-1", [1, 2]), ("2-2", [3, 4])]
    assert [ids for _, ids in runs.run() if ids] == [[5, 6], [7]]
    assert runs.run() == []


@pytest.mark.parametrize("paging", [CURSOR, {"kind": "page"}], ids=["cursor", "number"])
def test_a_run_reads_no_more_pages_than_it_may(asked, grown, paging):
    _, url = grown
    runs = Runs(url, asked, paging=paging, page_limit=1)
    assert [[ids for _, ids in runs.run()] for _ in range(5)] == [[[1, 2]], [[3, 4]], [[5, 6]], [[7]], []]


def test_a_numbered_page_that_grew_after_a_run_died_behind_it_is_not_missed(asked, grown):
    records, url = grown
    runs = Runs(url, asked, paging={"kind": "page"}, page_limit=4)
    assert [ids for _, ids in runs.run()] == [[1, 2, 3, 4, 5, 6, 7]]
    records.append(8)
    assert [ids for _, ids in runs.run()] == [[7, 8]]


@pytest.mark.parametrize("paging", [CURSOR, {"kind": "page"}], ids=["cursor", "number"])
@pytest.mark.parametrize("count", [7, 8])
def test_a_list_that_changes_anywhere_is_begun_anew_after_its_end(asked, grown, paging, count):
    records, url = grown
    records[:] = range(1, count + 1)
    runs = Runs(url, asked, paging=paging, pages_per_batch=2, next_run="restart")
    whole = [n for _, ids in runs.run(dies_after=1) for n in ids] + [n for _, ids in runs.run() for n in ids]
    assert whole == records
    assert [n for _, ids in runs.run() for n in ids] == records


def test_a_batch_ends_early_where_its_pages_are_large(asked, grown):
    records, url = grown
    records[:] = range(10**6, 10**6 + 7)
    runs = Runs(url, asked, paging=CURSOR, batch_mb=1)
    runs.rest = runs.rest.model_copy(update={"batch_mb": 0})
    assert [pages for pages, _ in runs.run()] == ["1-1", "2-2", "3-3", "4-4"]


def test_under_another_key_or_at_another_address_every_page_is_read_once_more(asked, grown):
    records, url = grown
    runs = Runs(url, asked, paging=CURSOR)
    runs.run()
    assert runs.past[-1].mark["mark"] == "<4>"
    runs.asked = replace(asked, reveal=lambda _: None)
    assert runs.run() == [("1-4", records)]
    runs.asked = asked
    runs.past = [replace(read, mark=read.mark | {"of": "http://127.0.0.1/old"}) for read in runs.past]
    assert runs.run() == [("1-4", records)]
