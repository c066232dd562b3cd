"""Events that depend on their neighbours are looked at again when neighbours came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.mapping import REASON
from personalake.ingest.review import TOUCHED, needs_review, reviewed
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.tables.ingest import EVENTS


def look_again(job: Job, sources: Sequence[Source], staged: DataFrame) -> Callable[[], None] | None:
    """Note whose neighbours come, before they are merged; the function returned does the rest once they are.

    Killed between the two, the next run does it all the same: see `settling.settle`.

    Args:
        job: the stage.
        sources: of the staged records.
        staged: rows from `map_records`.

    Returns:
        None where no source asks for it.
    """
    chosen = [source for source in sources if needs_review(source)]
    if not chosen:
        return None
    names = [source.name for source in chosen]
    coming = staged.where(F.col(REASON).isNull() & F.col("source").isin(names))
    ids = coming.select("event_id").distinct()
    # A record that is corrected may leave one visit for another.
    leaving = job.read(EVENTS).where(F.col("source").isin(names)).join(ids, "event_id", how="left_semi")
    both = coming.select(*TOUCHED).unionByName(leaving.select(*TOUCHED))
    touched = job.put_down(both.distinct(), "touched")

    return lambda: review(job, chosen, touched, "reviewed")


def review(job: Job, sources: Sequence[Source], touched: DataFrame, name: str) -> None:
    """Reckon anew what neighbours tell of events.

    Args:
        job: the stage.
        sources: one or more that need it.
        touched: whose visits and actors; TOUCHED, put down.
        name: what the rows are called in this run.
    """
    events = job.read(EVENTS)
    rows = reduce(DataFrame.unionByName, [reviewed(events, touched, source) for source in sources])
    job.merge(EVENTS, job.put_down(rows, name))
