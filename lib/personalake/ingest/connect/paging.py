"""From page to page of an API, to the last one; pages that never end are a fault."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from personalake.ingest.connect.settings import Cursor, Link, Number, Rest
from personalake.ingest.connect.transport import Answer, Client, plain

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*?\brel\s*=\s*"?(?:[^",]*\s)?next\b', re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a page is.

    Args:
        number: its number in the source, from 1.
        mark: cursor, page number or address; empty: the first page.
    """

    number: int = 1
    mark: str = ""


@dataclass(frozen=True)
class Page:
    """A page: its records as JSON texts, and where the next one is; None after the last."""

    place: Place
    records: tuple[str, ...]
    next: Place | None
    size: int
    content_hash: str


def pages(client: Client, rest: Rest, start: Place | None = None) -> Iterator[Page]:
    """The pages from a place on, in their order, one in memory at a time.

    Args:
        client: asks.
        rest: the settings of the API.
        start: None: the first page of all.

    Raises:
        DataError: a page is no JSON or holds no list of records; a page or a cursor comes a second time; see `Client`.
    """
    place: Place | None = start or Place()
    marks, contents = {place.mark if place else ""}, set[str]()
    while place is not None:
        page = _page(client, rest, place, is_resumed=place == start)
        if page.records and page.content_hash in contents:
            text = f"page {place.number} holds the records of a page before it."
            raise client.fault(text, "Such pages never end. Check connect.paging.")
        contents.add(page.content_hash)
        yield page
        place = page.next
        if place is not None and place.mark in marks:
            text = f"page {page.place.number} names a page as the next one that was read before it."
            raise client.fault(text, "Such pages never end. Check connect.paging, or tell who runs the API.")
        marks |= {place.mark} if place else set()


def _page(client: Client, rest: Rest, place: Place, is_resumed: bool) -> Page:
    answer = client.get(_address(rest, place), is_resumed)
    content = _parsed(client, rest, answer, place)
    records = _inside(content, rest.records)
    if not isinstance(records, list):
        at = f"no list at {rest.records}" if rest.records else "no list"
        raise client.fault(f"page {place.number} of {plain(rest.url)} holds {at}.", "Check connect.records.")
    texts = tuple(json.dumps(record) for record in records)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return Page(place, texts, _next(client, rest, place, content, answer, bool(texts)), len(answer.body), digest)


def _address(rest: Rest, place: Place) -> str:
    paging = rest.paging
    if isinstance(paging, Link) and place.mark:
        return place.mark
    parameters = dict(rest.parameters)
    if isinstance(paging, Number):
        parameters[paging.parameter] = place.mark or str(paging.first)
    elif isinstance(paging, Cursor) and place.mark:
        parameters[paging.parameter] = place.mark
    return rest.url + ("?" + urlencode(parameters) if parameters else "")


def _parsed(client: Client, rest: Rest, answer: Answer, place: Place) -> object:
    try:
        # Digits without end are no number that anybody can store: infinity, which the source's schema refuses.
        return json.loads(answer.body.decode("utf-8-sig"), parse_int=_whole_number)
    except (ValueError, RecursionError):
        text = f"page {place.number} of {plain(rest.url)} is no JSON{_looks_like(answer.body)}."
        raise client.fault(text, "Check connect.url, and whether the API wants a sign-in.") from None


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float("inf")


def _looks_like(body: bytes) -> str:
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return ", but HTML" if start.startswith((b"<!doctype html", b"<html")) else ""


def _inside(content: object, path: str) -> object:
    for name in filter(None, path.split(".")):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _next(client: Client, rest: Rest, place: Place, content: object, answer: Answer, has_records: bool) -> Place | None:
    follow: dict[type, Callable[[], str]] = {
        Cursor: lambda: _word(_inside(content, rest.paging.next)),  # type: ignore[union-attr]
        Link: lambda: _linked(rest, place, answer.link),
        Number: lambda: _number_after(client, rest.paging, place, content, has_records),  # type: ignore[arg-type]
    }
    mark = follow.get(type(rest.paging), str)()
    return Place(place.number + 1, mark) if mark else None


def _word(value: object) -> str:
    is_mark = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_mark else ""


def _linked(rest: Rest, place: Place, header: str) -> str:
    found = _NEXT.search(header)
    return urljoin(place.mark or rest.url, found[1]) if found else ""


def _number_after(client: Client, paging: Number, place: Place, content: object, has_records: bool) -> str:
    number = int(place.mark or paging.first)
    if not paging.last:
        return str(number + 1) if has_records else ""
    last = _word(_inside(content, paging.last))
    if not last.isdecimal():
        raise client.fault(f"page {place.number} holds no number at {paging.last}.", "Check connect.paging.last.")
    return str(number + 1) if number < int(last) else ""
