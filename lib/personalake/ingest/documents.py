"""Records of files that are one thing from end to end: JSON documents and Avro files, each record as JSON text."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, time
from typing import IO, cast

from personalake.ingest.unpack import Digested

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def document_records(text: str, path: Sequence[str]) -> Iterator[str]:
    """The texts of the records in the array at a path of one JSON document, each as it stands there.

    Raises:
        ValueError: it is no whole JSON document, or there is no array at the path.
    """
    place = _array_at(text, path)
    while (place := _past(text, place)) < len(text) and text[place] != "]":
        _, end = _DECODER.raw_decode(text, place)
        yield text[place:end]
        place = _past(text, end)
        if place < len(text) and text[place] == ",":
            place += 1
        elif place >= len(text) or text[place] != "]":
            raise ValueError
    if place >= len(text):
        raise ValueError


def _array_at(text: str, path: Sequence[str]) -> int:
    """The place behind the bracket that opens the array."""
    place = _past(text, 0)
    for name in path:
        place = _value_of(text, place, name)
    if text[place : place + 1] != "[":
        raise ValueError
    return place + 1


def _value_of(text: str, place: int, name: str) -> int:
    """Where the value of an object's key begins; of equal keys the first counts."""
    if text[place : place + 1] != "{":
        raise ValueError
    place = _past(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = _DECODER.raw_decode(text, place)
        place = _past(text, place)
        if text[place : place + 1] != ":":
            raise ValueError
        place = _past(text, place + 1)
        if key == name:
            return place
        _, place = _DECODER.raw_decode(text, place)
        place = _past(text, place)
        place = _past(text, place + 1) if text[place : place + 1] == "," else place
    raise ValueError


def _past(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def avro_records(stream: Digested) -> Iterator[str]:
    """The records of an Avro file as JSON objects: moments in ISO 8601, decimals as texts, bytes in base64.

    Raises:
        ValueError: it is no whole Avro file.
    """
    import fastavro

    try:
        for record in fastavro.reader(cast(IO[bytes], stream)):
            yield json.dumps(record, default=_plain, ensure_ascii=False)
    except (EOFError, struct.error, zlib.error, IndexError, KeyError) as error:
        raise ValueError(type(error).__name__) from None


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date | time) else str(value)
