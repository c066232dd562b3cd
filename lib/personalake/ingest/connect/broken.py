"""What broke while records were read, in plain words: an error's own text may quote their values, so it is not told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from personalake.errors import DataError, Fault
from personalake.ingest.source import Source

# Classes of SQLSTATE (ISO/IEC 9075-2) and PostgreSQL's own, by the first two characters.
_STATES = {
    "08": ("the database cannot be reached, or went away while it was read", "Run again when it is there."),
    "28": ("the database refuses the user or the password", "Check connect.user and what connect.password_env names."),
    "3D": ("the database does not exist on that server", "Check connect.url."),
    "42": (
        "the database does not know or does not let the user read what is asked for",
        "Check table, query and rights.",
    ),
    "53": ("the database has no connection or memory left", "Run again later, or with fewer partitions."),
    "57": ("the database was shut down or stopped the query", "Run again when it is there."),
}
_FEED_OFF = ("DELTA_MISSING_CHANGE_DATA", "DELTA_CHANGE_TABLE_FEED_DISABLED")
_GONE = ("DELTA_VERSIONS_NOT_CONTIGUOUS", "DELTA_LOG_FILE_NOT_FOUND", "DELTA_VERSION_NOT_FOUND", "DELTA_FILE_NOT_FOUND")
_NO_FILE = re.compile(r"FileNotFoundException|FILE_NOT_EXIST|does not exist|" + "|".join(_GONE))
_KAFKA_LOST = re.compile(r"OffsetOutOfRange|KAFKA_DATA_LOSS|some data may have been lost", re.IGNORECASE)
# What reckoning with a bad value raises: Spark's errors of SQLSTATE class 22, and Java's own beneath them.
_OF_VALUES = re.compile(r"(Arithmetic|DateTime|NumberFormat|IndexOutOfBounds|DateTimeParse)Exception$")
_REREAD = "`personalake ingest --force` reads the table whole."


@contextmanager
def in_plain_words(source: Source) -> Iterator[None]:
    """What breaks while records of a source are read and mapped becomes a DataError that names it."""
    try:
        yield
    except (Py4JError, PySparkException) as error:
        fault = broken(f"source {source.name}", source, error)
        if fault is None:
            raise
        raise DataError(fault) from None


def broken(where: str, source: Source, error: Exception) -> Fault | None:
    """The fault behind an error of Spark; None where it is none of the source.

    Args:
        where: how faults name the source.
        source: whose records were read.
        error: what Spark raised.
    """
    return _of_connection(where, source, error) or _of_value(where, error)


def _of_value(where: str, error: Exception) -> Fault | None:
    """A value that made an expression fail: the source check lets none pass that it knows to."""
    for java in _causes(error):
        name = str(java.getClass().getName())
        condition = _told(java, "getCondition")
        if _told(java, "getSqlState").startswith("22") or _OF_VALUES.search(name):
            text = f"a value of a record makes one of its expressions fail ({condition or name.rsplit('.', 1)[-1]})."
            return Fault(where, text, "Write them so that such a value gives null, with try_cast and its like.")
    return None


def _told(java: Any, method: str) -> str:
    try:
        return str(getattr(java, method)() or "")
    except (Py4JError, TypeError):
        return ""


def _of_connection(where: str, source: Source, error: Exception) -> Fault | None:
    text = f"{getattr(error, 'getCondition', lambda: '')()} {error}"
    kind = source.connect.kind if source.connect and "No space left on device" not in text else ""
    if kind == "jdbc":
        return _of_database(where, error, text)
    if kind == "kafka":
        return _of_broker(where, text)
    return _of_table(where, text) if kind == "delta" else None


def _of_broker(where: str, text: str) -> Fault | None:
    if "kafka" not in text.lower():
        return None
    if _KAFKA_LOST.search(text):
        return Fault(where, "the broker lost records while they were read.", "Run again: it tells which.")
    return Fault(where, "the broker went away while it was read.", "Run again when it is there; nothing was lost.")


def _of_table(where: str, text: str) -> Fault | None:
    if any(name in text for name in _FEED_OFF):
        todo = f"Set delta.enableChangeDataFeed on it; then {_REREAD}"
        return Fault(where, "the table kept no change feed for the versions since the last run.", todo)
    if _NO_FILE.search(text):
        return Fault(where, "versions since the last run were vacuumed away.", _REREAD)
    found = re.search(r"\bDELTA_[A-Z_]+", text)
    return Fault(where, f"the table cannot be read ({found[0]}).", _REREAD) if found else None


def _of_database(where: str, error: Exception, text: str) -> Fault | None:
    state = next(filter(None, (_sql_state(java) for java in _causes(error))), "")
    is_of_driver = state or re.search(r"\b(PSQL|SQL\w*)Exception\b", text)
    if not is_of_driver:
        return None
    found, todo = _STATES.get(state[:2], ("the database stopped the query", "Try it there by itself."))
    return Fault(where, f"{found}{f' (SQLSTATE {state})' if state else ''}.", todo)


def _causes(error: Exception) -> Iterator[Any]:
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while java is not None:
        yield java
        java = java.getCause()


def _sql_state(java: Any) -> str:
    if not str(java.getClass().getName()).endswith(("PSQLException", "SQLException")):
        return ""
    return _told(java, "getSQLState")
