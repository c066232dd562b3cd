"""Mapped records put down; where those of one source break, without them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame

from personalake.errors import DataError, Fault
from personalake.ingest.connect.broken import in_plain_words
from personalake.ingest.source import Source
from personalake.job import Job


def put_down_sound(
    job: Job, mapped: Mapping[str, DataFrame], sources: Mapping[str, Source]
) -> tuple[DataFrame | None, list[Fault]]:
    """The mapped records of some sources in one frame, put down.

    Args:
        job: the stage.
        mapped: a source's name to its rows from `map_records`, all of one entity.
        sources: the same names to the sources.

    Returns:
        The rows of the sources that could be mapped to the end, None where none could; and the faults of the others.

    Cost:
        One pass over the files; where a source breaks, one more for each source.
    """
    first, entity = next(iter(sources.values())), next(iter(sources.values())).entity
    try:
        with in_plain_words(first):
            return job.put_down(reduce(DataFrame.unionByName, mapped.values()), entity), []
    except DataError as error:
        if len(mapped) == 1:
            return None, _faults(error)
    # It tells that a source broke, not which: each by itself.
    parts: list[DataFrame] = []
    faults: list[Fault] = []
    for name, frame in mapped.items():
        try:
            with in_plain_words(sources[name]):
                parts.append(job.put_down(frame, f"{entity}-of-{name}"))
        except DataError as error:
            faults += _faults(error)
    return (reduce(DataFrame.unionByName, parts) if parts else None), faults


def _faults(error: DataError) -> list[Fault]:
    return [fault for fault in error.faults if isinstance(fault, Fault)]
