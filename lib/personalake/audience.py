"""Audiences: counted, and exported to a file or kept in a table, never below the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Tree, holds
from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault, FloorError, near_miss
from personalake.export import FORMATS, write_rows
from personalake.manifest import now_utc, run_name
from personalake.privacy.consent import persons_without_consent
from personalake.published import DEFAULT_PURPOSE, Published, is_known_purpose
from personalake.runner import Options, say
from personalake.runtime import session
from personalake.segments.lookalike import lookalikes
from personalake.segments.prepare import fit_preparation
from personalake.stages.known import day_start
from personalake.stages.tags import tag_vocabulary
from personalake.store.lock import writer_lock
from personalake.store.schema import ensure_tables
from personalake.store.versions import version_of
from personalake.store.write import replace_where
from personalake.tables.audiences import AUDIENCES
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_MAP_VERSIONS
from personalake.tables.ingest import CONSENTS
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENTS
from personalake.tables.tags import TAGS
from personalake.tags.facts import features_of, with_predictions, with_segments, with_tags
from personalake.tags.rules import NAME, load_rules
from personalake.tags.selection import parse_selection
from personalake.tags.thresholds import fit_quantiles
from personalake.views.layout import csv_lines, table_lines

_READS = (PROFILES, SEGMENTS, TAGS, CONSENTS, IDENTITY_MAP, IDENTITY_MAP_VERSIONS)
_PRINTED = ("as_of_date", "person_count", "person_share")


@dataclass(frozen=True)
class Wanted:
    """What the command was given.

    Args:
        selection: a tag or a tree; empty: everybody.
        like: a file of person_ids, one a line, or a tag: those most like them; empty: nobody is compared.
        limit: of the most alike, so many.
        purpose: who said no to it is left out.
        columns: features of profiles that are exported too.
        out: file to export to; its ending says how. Empty: none.
        save: name under which it is kept in the table audiences. Empty: it is not.
    """

    selection: str = ""
    like: str = ""
    limit: int = 1000
    purpose: str = DEFAULT_PURPOSE
    columns: tuple[str, ...] = ()
    out: str = ""
    save: str = ""


def audience(options: Options, wanted: Wanted, shape: str) -> None:
    """Count an audience, and export it where asked to.

    Args:
        options: what every command is given.
        wanted: whom, and where to.
        shape: of what is printed: table or csv.

    Raises:
        ConfigError: what was asked for is not there; every fault at once.
        DataError: nothing has been published.
        FloorError: it is to be exported and has fewer persons than audience.floor.
    """
    settings = options.settings()
    tags = [rule.tag for rule in load_rules(settings.tags.file, tag_vocabulary(settings))]
    tree = _checked(wanted, settings, tags)
    floor = settings.audience.floor
    if missing := [table.name for table in _READS if version_of(settings.warehouse.root, table.name) is None]:
        raise DataError(Fault(f"table {missing[0]}", "is not there.", "Run `personalake run` first."))
    with session(settings) as spark:
        lake = Published(spark, settings, options.as_of)
        if not is_known_purpose(lake.all(CONSENTS), wanted.purpose, settings.privacy.required_purposes):
            say(f"Nobody ever said yes or no to {wanted.purpose}: nobody is left out.")
        found = _persons(lake, wanted, tree, tags)
        count, everybody = found.count(), lake.of_day(PROFILES).count()
        is_told = count >= floor
        row = (lake.day, count if is_told else f"<{floor}", round(count / everybody, 4) if is_told else None)
        for line in (csv_lines if shape == "csv" else table_lines)(_PRINTED, [row]):
            print(line)
        if (wanted.out or wanted.save) and not is_told:
            text = f"has fewer than {floor} persons, so it is not exported."
            raise FloorError(Fault("audience", text, "Ask for more persons; audience.floor is the limit."))
        if options.dry_run:
            return
        if wanted.save:
            _keep(lake, found, wanted)
            say(f"Kept as {wanted.save} in the table {AUDIENCES.name}.")
        if wanted.out:
            write_rows(found, Path(wanted.out))
            say(f"Written to {wanted.out}.")


def _checked(wanted: Wanted, settings: Settings, tags: Sequence[str]) -> Tree | None:
    """The tree of the selection; everything that is wrong with what was given, at once."""
    faults: list[Fault] = []
    tree = None
    if wanted.selection:
        try:
            tree = parse_selection(wanted.selection, tags, tag_vocabulary(settings))
        except ConfigError as error:
            faults += [fault for fault in error.faults if isinstance(fault, Fault)]
    if not wanted.selection and not wanted.like:
        faults.append(Fault("SELECTION", "is missing.", "A tag, a tree, --like, or --item."))
    if wanted.like and wanted.like not in tags and not Path(wanted.like).is_file():
        faults.append(Fault("--like", f"{wanted.like} is neither a file nor a tag.", near_miss(wanted.like, tags)))
    for name in wanted.columns:
        if name not in FEATURE_BY_NAME:
            faults.append(Fault("--columns", f"{name} is no feature.", near_miss(name, FEATURE_BY_NAME)))
    if wanted.out and Path(wanted.out).suffix not in FORMATS:
        faults.append(Fault("--out", f"{wanted.out} ends in none of {', '.join(FORMATS)}."))
    if wanted.out and not Path(wanted.out).parent.is_dir():
        faults.append(Fault("--out", f"{Path(wanted.out).parent} is no folder.", "Make it, or name another."))
    if wanted.save and not NAME.match(wanted.save):
        faults.append(Fault("--save", "is no name.", "Letters, digits and _ (at most 64), no digit first."))
    if faults:
        raise ConfigError(*faults)
    return tree


def _persons(lake: Published, wanted: Wanted, tree: Tree | None, tags: Sequence[str]) -> DataFrame:
    """Who is meant: person_id, as_of_date, segment_name, further columns, similarity_score where compared."""
    named = {*(features_of([tree]) if tree is not None else ()), "segment_name"}
    persons = with_segments(lake.of_day(PROFILES), lake.of_day(SEGMENTS), named)
    persons = with_tags(with_predictions(persons, lake.predictions(), named), lake.tags(), named)
    if tree is not None:
        persons = persons.where(holds(tree, fit_quantiles(persons, [tree])))
    moment = day_start(lake.day, lake.settings.time_zone)
    is_required = wanted.purpose in lake.settings.privacy.required_purposes
    out = persons_without_consent(
        persons, lake.all(CONSENTS), lake.all(IDENTITY_MAP), wanted.purpose, moment, is_required
    )
    persons = persons.join(out, on="person_id", how="left_anti")
    columns = ["person_id", "as_of_date", "segment_name", *dict.fromkeys(wanted.columns)]
    if not wanted.like:
        return persons.select(*columns).orderBy("person_id")
    alike = _alike(lake, persons, wanted, tags)
    both = persons.select(*columns).join(alike, on="person_id", how="inner")
    return both.orderBy(F.col("similarity_score").desc(), "person_id")


def _alike(lake: Published, persons: DataFrame, wanted: Wanted, tags: Sequence[str]) -> DataFrame:
    """Of some persons those most like the seeds."""
    if wanted.like in tags:
        seeds = lake.tags().where(F.col("tag") == F.lit(wanted.like)).select("person_id")
    else:
        seeds = lake.spark.createDataFrame([(line,) for line in _lines_of(wanted.like)], "person_id string")
    everyone, how = lake.of_day(PROFILES), lake.settings.audience
    preparation = fit_preparation(everyone, lake.settings.segments)
    points = preparation.prepared(everyone)
    seeded = points.join(seeds.distinct(), on="person_id", how="left_semi").select("person_id")
    if seeded.isEmpty():
        raise ConfigError(Fault("--like", "names nobody with a profile of the day.", "One person_id a line, or a tag."))
    asked = points.join(persons.select("person_id").unionByName(seeded).distinct(), on="person_id", how="left_semi")
    return lookalikes(asked, seeded, wanted.limit, how.measure, how.against, how.most_seeds)


def _lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Fault("--like", f"{path} is no file of text.", "One person_id a line, UTF-8.")) from None


def _keep(lake: Published, found: DataFrame, wanted: Wanted) -> None:
    """Put the audience in place of one of the same name and day."""
    score = F.col("similarity_score") if "similarity_score" in found.columns else F.lit(None).cast("double")
    rows = found.select(
        F.lit(wanted.save).alias("audience"),
        *("as_of_date", "person_id", "segment_name"),
        score.alias("similarity_score"),
        F.lit(wanted.selection or None).cast("string").alias("selection"),
    )
    now = now_utc()
    with writer_lock(lake.root):
        ensure_tables(lake.spark, lake.root, [AUDIENCES])
        slices = {"audience": wanted.save, "as_of_date": lake.day}
        replace_where(lake.spark, lake.root, AUDIENCES, rows, run_name(now, wanted.save), slices)
