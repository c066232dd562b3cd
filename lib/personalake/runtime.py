"""Running stages: settings, lock, session, and the status that a command ends with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from personalake.config import Settings
from personalake.errors import ConfigError, Fault
from personalake.flow import FLOW
from personalake.ingest.rates import load_rates
from personalake.ingest.source import Source
from personalake.job import EVERYTHING, Selection, Stage
from personalake.recommend.rules import load_rules as load_list_rules
from personalake.runner import Options, Runner
from personalake.stages.ingest import chosen_sources
from personalake.stages.known import sources_of
from personalake.stages.tags import tag_vocabulary
from personalake.store.jars import jar_folder, missing_jars
from personalake.store.lock import writer_lock
from personalake.store.session import open_session
from personalake.tables.runs import COMPLETE
from personalake.tags.rules import load_rules as load_tag_rules


@contextmanager
def session(settings: Settings, extras: Sequence[str] = ()) -> Iterator[SparkSession]:
    """A session for the length of a command, with the optional jars of these names beside those of the settings."""
    wanted = tuple(sorted({*settings.spark.extras, *extras}))
    spark = open_session(settings.spark.model_copy(update={"extras": wanted}))
    try:
        yield spark
    finally:
        spark.stop()


def validate(settings: Settings, selection: Selection = EVERYTHING) -> None:
    """Try whatever can be tried before Spark starts: the sources, the tag rules, the rules on lists.

    Args:
        settings: of the warehouse.
        selection: what the run is about; sources that are asked for must be there.

    Raises:
        ConfigError: with every fault of every file.
    """
    faults: list[Fault | str] = []
    for load in (
        lambda: chosen_sources(settings, selection),
        lambda: settings.ingest.rates_file and load_rates(Path(settings.ingest.rates_file)),
        lambda: load_tag_rules(settings.tags.file, tag_vocabulary(settings)),
        lambda: load_list_rules(settings.rules.file),
    ):
        try:
            load()
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(*faults)


def run_stages(names: Sequence[str], options: Options) -> dict[str, object]:
    """Run some stages of the flow in its order, under the warehouse's lock.

    Args:
        names: stage names.
        options: what the command was given.

    Returns:
        The status for the last line on stdout.
    """
    return run_these([stage for stage in FLOW if stage.name in names], options)


def run_these(stages: Sequence[Stage], options: Options) -> dict[str, object]:
    """Run stages, one after the other, under the warehouse's lock; the status as of `run_stages`."""
    began = time.monotonic()
    settings = options.settings()
    validate(settings, options.selection)
    with writer_lock(settings.warehouse.root), session(settings, _extras(settings, stages)) as spark:
        runner = Runner(spark, settings, options)
        outcomes = [runner.plan(s) if options.dry_run else runner.run(s) for s in runner.checked(stages)]
        runner.end()
    return {
        "run_id": runner.run_id,
        "state": "planned" if options.dry_run else COMPLETE,
        "as_of_date": runner.day.isoformat() if runner.day else None,
        "warehouse": settings.warehouse.root,
        "seconds": round(time.monotonic() - began, 1),
        "stages": [{k: v for k, v in vars(o).items() if v not in (None, {})} for o in outcomes],
    }


def _extras(settings: Settings, stages: Sequence[Stage]) -> list[str]:
    if all(stage.name != "ingest" for stage in stages):
        return []
    return needed_extras(settings, sources_of(settings))


def needed_extras(settings: Settings, sources: Sequence[Source]) -> list[str]:
    """The optional jars that sources need and that are there; a source whose jars are not tells so itself."""
    needed = {source.connect.extra for source in sources if source.connect and source.connect.extra}
    return [extra for extra in needed if not missing_jars(jar_folder(settings.spark.jars, extra), extra)]


def parse_day(text: str, option: str = "--as-of") -> date:
    """A day of the command line.

    Raises:
        ConfigError: it is no YYYY-MM-DD.
    """
    try:
        # Python also takes weeks and days without dashes, which a typing error easily looks like.
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ConfigError(Fault(f"{option} {text}", "is no day.", "Write YYYY-MM-DD.")) from None
