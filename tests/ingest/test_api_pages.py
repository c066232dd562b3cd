"""Pages of an HTTP API, from a server that misbehaves; no Spark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalake.errors import DataError
from personalake.ingest.connect.paging import Place, pages
from personalake.ingest.connect.settings import Rest
from personalake.ingest.connect.transport import Client
from support.http_api import Api, Asked, Reply, http_api

ROWS = [{"id": number} for number in range(5)]
HTML = b"\n<!DOCTYPE html><html><body>Please sign in</body></html>"


@pytest.fixture
def api() -> Iterator[Api]:
    with http_api(lambda asked: Reply(404 * b"?", 404)) as served:
        yield served


class Reader:
    """Reads an API and keeps how long it would have waited."""

    def __init__(self, api: Api, token: str = "", **settings: Any) -> None:
        self.rest = Rest(**{"url": api.url, "records": "items", "attempts": 3} | settings)
        self.waits: list[float] = []
        self.client = Client("source shop", self.rest, token, self.waits.append)

    def pages(self, start: Place | None = None) -> list[tuple[int, str, list[Any]]]:
        found = pages(self.client, self.rest, start)
        return [(p.place.number, p.place.mark, [json.loads(r) for r in p.records]) for p in found]

    def refusal(self, start: Place | None = None) -> str:
        with pytest.raises(DataError) as refused:
            self.pages(start)
        return "\n".join(map(str, refused.value.faults)).replace(self.rest.url, "URL")


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def by_cursor(asked: Asked) -> Reply:
    at = int(asked.query.get("cursor", "0"))
    return Reply({"items": ROWS[at : at + 2], "meta": {"next": str(at + 2) if at + 2 < len(ROWS) else None}})


def by_number(asked: Asked) -> Reply:
    at = 2 * (int(asked.query["page"]) - 1)
    return Reply({"items": ROWS[at : at + 2], "pages": 3})


def by_link(asked: Asked) -> Reply:
    at = int(asked.query.get("at", "0"))
    links = [f'<{asked.path}?at={at + 2}&per=2>; rel="next"'] if at + 2 < len(ROWS) else []
    links = [f'<{asked.path}?at=0>; title="a, b"; rel="first prev"', *links]
    return Reply({"items": ROWS[at : at + 2]}, headers={"Link": ", ".join(links)})


CURSOR = {"paging": {"kind": "cursor", "next": "meta.next"}}
NUMBER = {"paging": {"kind": "page"}}
LINK = {"paging": {"kind": "link"}}


@pytest.mark.parametrize(
    ("answer", "settings", "asked"),
    [
        (by_cursor, CURSOR, ["/v1/events", "/v1/events cursor=2", "/v1/events cursor=4"]),
        (by_number, NUMBER, [f"/v1/events page={n}" for n in (1, 2, 3, 4)]),
        (by_number, {"paging": {"kind": "page", "last": "pages"}}, [f"/v1/events page={n}" for n in (1, 2, 3)]),
        (by_link, LINK, ["/v1/events", "/v1/events at=2 per=2", "/v1/events at=4 per=2"]),
    ],
    ids=["cursor", "number to an empty page", "number to the last one told", "link header"],
)
def test_every_page_comes_once_and_in_order(api, answer, settings, asked):
    api.answer = answer
    reader = Reader(api, **settings)
    found = reader.pages()
    assert [row for _, _, rows in found for row in rows] == ROWS
    assert [number for number, _, _ in found] == list(range(1, len(asked) + 1))
    assert (api.paths(), reader.waits) == (asked, [])


@pytest.mark.parametrize(
    ("answer", "settings", "place", "rows"),
    [
        (by_cursor, CURSOR, Place(2, "2"), ROWS[2:]),
        (by_number, NUMBER, Place(3, "3"), ROWS[4:]),
        (by_link, LINK, Place(3, "{url}?at=4"), ROWS[4:]),
    ],
)
def test_a_run_goes_on_at_the_place_that_was_kept(api, answer, settings, place, rows):
    api.answer = answer
    found = Reader(api, **settings).pages(Place(place.number, place.mark.format(url=api.url)))
    assert found[0][0] == place.number
    assert [row for _, _, its in found for row in its] == rows


def test_one_page_that_is_the_list_itself_with_parameters_and_a_token(api):
    api.answer = lambda asked: Reply(b"\xef\xbb\xbf" + json.dumps(ROWS).encode())
    reader = Reader(api, token="s3cret", records="", parameters={"since": "2026-01-01", "q": "a b&c"})
    assert reader.pages() == [(1, "", ROWS)]
    assert api.paths() == ["/v1/events q=a b&c since=2026-01-01"]
    assert api.asked[0].headers["authorization"] == "Bearer s3cret"


def test_numbers_stay_as_they_were_sent_but_for_those_that_nobody_can_store(api):
    digits = "9" * 40
    api.answer = lambda asked: Reply(f'[{{"a": {digits}, "b": 19.90, "c": {"7" * 5000}}}]'.encode())
    reader = Reader(api, records="")
    (page,) = pages(reader.client, reader.rest)
    assert page.records == (f'{{"a": {digits}, "b": 19.9, "c": Infinity}}',)


@pytest.mark.parametrize(
    ("replies", "waits"),
    [
        ([Reply(status=429, headers={"Retry-After": "7"}), Reply(status=503, headers={"Retry-After": "0"})], [7, 0]),
        (
            [
                Reply(
                    status=503,
                    headers={
                        "Date": "Wed, 21 Oct 2026 07:27:58 GMT",
                        "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT",
                    },
                )
            ],
            [2],
        ),
        ([Reply(status=500), Reply(status=502)], None),
        ([Reply({"items": ROWS}, cut=True), Reply(status=429, headers={"Retry-After": "soon"})], None),
    ],
    ids=["seconds", "a date", "no word", "a page cut off, then nonsense"],
)
def test_a_busy_or_broken_server_is_asked_again_after_as_long_as_it_wants(api, replies, waits):
    api.answer = in_turn(*replies, Reply({"items": ROWS}))
    reader = Reader(api)
    assert reader.pages() == [(1, "", ROWS)]
    assert len(reader.waits) == len(replies)
    assert all(0 <= wait <= 4 for wait in reader.waits) if waits is None else reader.waits == waits


LAST = Reply({"items": ROWS[:2], "meta": {"next": "x"}})
FAULTS = {
    "html": (
        in_turn(Reply(HTML, headers={"Content-Type": "text/html"})),
        "page 1 of URL is no JSON, but HTML. Check connect.url, and whether the API wants a sign-in.",
    ),
    "cut json": (
        in_turn(LAST, Reply(b'{"items": [')),
        "page 2 of URL is no JSON. Check connect.url, and whether the API wants a sign-in.",
    ),
    "no list": (
        in_turn(Reply({"items": {"a": 1}})),
        "page 1 of URL holds no list at items. Check connect.records.",
    ),
    "the same page for ever": (
        lambda asked: Reply({"items": ROWS, "meta": {"next": asked.query.get("cursor", "") + "x"}}),
        "page 2 holds the records of a page before it. Such pages never end. Check connect.paging.",
    ),
    "a cursor in a circle": (
        in_turn(*[Reply({"items": [{"id": n}], "meta": {"next": "ab"[n % 2]}}) for n in range(9)]),
        "page 3 names a page as the next one that was read before it. Such pages never end. Check connect.paging, or "
        "tell who runs the API.",
    ),
    "busy for ever": (
        in_turn(Reply(b"secret text", 503)),
        "URL answered 503 at attempt 3 of 3. Run again later; it goes on at this page.",
    ),
    "a long wait": (
        in_turn(Reply(status=429, headers={"Retry-After": "3600"})),
        "URL answers 429 and wants to be left alone for 3600 s. Run again later; it goes on at this page.",
    ),
    "not allowed": (in_turn(Reply(HTML, 403)), "URL answered 403. Check the token in SHOP_TOKEN."),
    "a redirect": (
        in_turn(Reply(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})),
        "URL answered 302. Redirects are not followed. Name the final address in connect.url.",
    ),
    "not there": (in_turn(Reply(status=404)), "URL answered 404. Check connect.url and connect.parameters."),
    "too large": (
        in_turn(Reply(b"[" + b" " * (1 << 20) + b"]")),
        "URL gave a page of more than 1 MB. Ask for smaller pages, or raise connect.page_mb.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_page_is_one_plain_fault_without_token_or_query(api, name):
    api.answer, words = FAULTS[name]
    reader = Reader(api, token="s3cret", token_env="SHOP_TOKEN", parameters={"mail": "ann@x.org"}, page_mb=1, **CURSOR)
    assert reader.refusal() == f"source shop: {words}"


def test_a_page_that_was_kept_and_is_forgotten_says_how_to_begin_anew(api):
    api.answer = in_turn(Reply(status=410))
    assert Reader(api, **CURSOR).refusal(Place(7, "old")) == (
        "source shop: URL answered 410. The page to go on at is no longer known there. `personalake ingest --force` "
        "begins at the first."
    )


def test_a_link_to_another_server_is_not_followed(api):
    api.answer = in_turn(Reply({"items": ROWS}, headers={"Link": '<https://evil.example/v1?a=b>; rel="next"'}))
    assert Reader(api, token="s3cret", **LINK).refusal() == (
        "source shop: the next page is said to be at https://evil.example/v1, which is another server. It is not "
        "asked, for it would get the token."
    )
    assert len(api.asked) == 1


def test_a_number_of_pages_that_is_not_told_is_a_fault_and_not_the_end(api):
    api.answer = by_number
    reader = Reader(api, paging={"kind": "page", "last": "meta.pages"})
    assert reader.refusal() == "source shop: page 1 holds no number at meta.pages. Check connect.paging.last."


def test_nobody_there_is_told_after_the_allowed_attempts():
    with http_api(lambda asked: Reply([])) as gone:
        reader = Reader(gone)
    assert reader.refusal() == (
        "source shop: URL could not be reached (ConnectionRefusedError) at attempt 3 of 3. Run again later; it "
        "goes on at this page."
    )
    assert len(reader.waits) == 2


def test_a_silent_server_is_given_up(api):
    import time

    def silent(_: Asked) -> Reply:
        time.sleep(0.6)
        return Reply([])

    api.answer = silent
    reader = Reader(api, timeout_seconds=0.2, attempts=1)
    assert reader.refusal().startswith("source shop: URL ")
    assert reader.refusal().endswith("(TimeoutError) at attempt 1 of 1. Run again later; it goes on at this page.")
