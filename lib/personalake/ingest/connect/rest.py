"""Records of an HTTP API, in bounded groups of pages."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlsplit

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import DataError
from personalake.ingest.connect.batch import Asked, Batch, Read, secret
from personalake.ingest.connect.paging import Page, Place, pages
from personalake.ingest.connect.settings import Number, Rest
from personalake.ingest.connect.transport import Client
from personalake.ingest.readers import MODIFIED, PATH, text_records


def rest_batches(asked: Asked, rest: Rest) -> Iterator[Batch]:
    """Pages from where the last run stopped, in groups.

    A run that comes after the last page asks for that page again, for it may have grown; where it has not and no page
    follows, there is no batch.

    Args:
        asked: source, past reads, session.
        rest: its `connect`.

    Raises:
        DataError: see `paging.pages`.

    Cost:
        One group of pages in the driver's memory; the driver asks for one page after the other.
    """
    client = Client(asked.where, rest, secret(asked.where, rest.token_env))
    start, seen = _resumed(asked, rest)
    kept, last = (start, seen), None
    # The page that is asked for again is none of those the run may read.
    found = itertools.islice(pages(client, rest, start), rest.page_limit + bool(seen))
    for group in _groups(found, rest):
        fresh = [page for page in group if page.place != start or page.content_hash != seen]
        last = next((page for page in reversed(group) if page.records), last or group[0])
        going_on = _going_on(rest, group[-1], last)
        if going_on != kept or any(page.records for page in fresh):
            yield _batch(asked, rest, group, fresh, *going_on)
            kept = going_on


def _groups(found: Iterator[Page], rest: Rest) -> Iterator[list[Page]]:
    group: list[Page] = []
    try:
        for page in found:
            group.append(page)
            is_full = len(group) == rest.pages_per_batch or sum(p.size for p in group) > rest.batch_mb << 20
            if is_full or page.next is None:
                yield group
                group = []
    except DataError:
        # What came before the fault is whole: the next run goes on at the page that was at fault.
        if group:
            yield group
        raise
    if group:
        yield group


def _resumed(asked: Asked, rest: Rest) -> tuple[Place | None, str]:
    """Where to go on, and the hash of what that page held."""
    kept = asked.newest(rest.url)
    if not kept:
        return None, ""
    last = max(kept, key=lambda mark: int(mark["read"]))
    mark = asked.reveal(last["mark"]) if last["mark"] else ""
    # Under another key nobody can tell any more where it was: every page once more, which doubles nothing.
    return (None, "") if mark is None else (Place(last["page"], mark), last["seen"])


def _going_on(rest: Rest, end: Page, last: Page) -> tuple[Place, str]:
    """Where the next run goes on, and what that page held where it was read already.

    Args:
        rest: the settings of the API.
        end: the page read last.
        last: the last page that held records.
    """
    # A numbered page that is the last one now grows before there is a next one.
    may_grow = isinstance(rest.paging, Number) and rest.next_run == "continue"
    if end.next is not None and not may_grow:
        return end.next, ""
    return (Place(), "") if rest.next_run == "restart" else (last.place, last.content_hash)


def _batch(asked: Asked, rest: Rest, group: Sequence[Page], fresh: Sequence[Page], place: Place, seen: str) -> Batch:
    parts = urlsplit(rest.url)
    path = quote(f"{parts.netloc}{parts.path}", safe="/:")
    read = Read(
        read_key=f"{path}/pages/{group[0].place.number}-{group[-1].place.number}",
        mark={
            "of": rest.url,
            "read": group[-1].place.number,
            "page": place.number,
            # What a cursor holds is the API's own affair.
            "mark": asked.hide(place.mark) if place.mark else "",
            "seen": seen,
        },
        size=sum(page.size for page in fresh),
        content_hash=hashlib.sha256("\n".join(page.content_hash for page in fresh).encode()).hexdigest(),
        path=path,
    )
    return Batch(_frame(asked, path, [text for page in fresh for text in page.records]), (read,))


def _frame(asked: Asked, path: str, texts: list[str]) -> DataFrame:
    lines = asked.spark.createDataFrame(pa.table({"value": pa.array(texts, pa.string())}))
    lines = lines.withColumns({PATH: F.lit(path), MODIFIED: F.lit(asked.now)})
    return text_records(lines, asked.source)
