"""What hangs on events, for a run that died after it had merged them, or that a fault of a source ended early."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.review import TOUCHED, needs_review, told_by_neighbours
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.stages.review import review
from personalake.stages.watch import count_days
from personalake.tables.ingest import EVENTS


def settle(job: Job, sources: Collection[Source]) -> None:
    """Look again at events, and count days, that were written since the stage was last complete.

    Whoever died may have merged events and no more. Whose records they were, and where an event was before, the next
    run cannot tell from the files; both versions of the table can. All of it can be done again, and none of it hangs on
    which sources this run is about. Where the last run was completed nothing is read.

    Args:
        job: the stage.
        sources: all that are configured.

    Cost:
        After a run that was not completed: the days it wrote, in both versions of events. Where nothing tells what it
        wrote: all of them.
    """
    since = job.last.outputs.get(EVENTS.name) if job.last else None
    now = job.version(EVENTS)
    # The first version is the table's creation.
    if since == now or now < 1:
        return
    changed = None if since is None else job.dates_since(EVENTS, since)
    days = None if changed is None else {date.fromisoformat(day) for day in changed}
    if days == set():
        return
    chosen = [source for source in sources if source.entity == "event" and needs_review(source)]
    if chosen:
        review(job, chosen, job.put_down(_touched(job, chosen, days, since), "left-touched"), "left-reviewed")
    count_days(job, days)


def _touched(job: Job, sources: Collection[Source], days: Collection[date] | None, since: int | None) -> DataFrame:
    """Whose visits and actors have other events than before, or events that tell something else; TOUCHED.

    What an event tells beside its record is compared too: one that a batch moved into a visit and a later one out of it
    is where it was in neither version, but what it changed there is.
    """
    names = [source.name for source in sources]
    columns = list(dict.fromkeys(["event_id", "record_version", *TOUCHED, *told_by_neighbours(sources)]))

    def rows(version: int | None) -> DataFrame:
        found = job.read(EVENTS, version).where(F.col("source").isin(names)).select(*columns)
        return found if days is None else found.where(F.col("event_date").isin(sorted(days)))

    now = rows(None)
    if days is None or since is None:
        return now.select(*TOUCHED).distinct()
    try:
        before = rows(since)
    except AnalysisException:  # older than Delta keeps files for
        return now.select(*TOUCHED).distinct()
    return before.subtract(now).unionByName(now.subtract(before)).select(*TOUCHED).distinct()
