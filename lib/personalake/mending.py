"""What an operator corrects by hand: a link that is wrong, a tag that a person denies."""

from __future__ import annotations

import hashlib
import re
from datetime import date

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.manifest import now_utc, run_name
from personalake.runner import Options, say
from personalake.runtime import session
from personalake.stages.tags import tag_vocabulary
from personalake.store.lock import writer_lock
from personalake.store.read import last_date, read
from personalake.store.schema import ensure_tables
from personalake.store.versions import version_of
from personalake.store.write import merge
from personalake.tables.identity import IDENTITY_CUTS, IDENTITY_LINKS, IDENTITY_MAP, IDENTITY_MOVES
from personalake.tables.tags import CONTRADICTED, HIDDEN, RESTORED, TAG_OVERRIDES, TAGS
from personalake.tags.rules import load_rules

_LINK = re.compile(r"[0-9a-f]{8,64}")
WORDS = {"hide": HIDDEN, "contradict": CONTRADICTED, "restore": RESTORED}
"""What a person can say of a tag, and what it is kept as."""

_ENDS = ("left_kind", "left_identifier", "right_kind", "right_identifier")


def unlink(options: Options, link_id: str, reason: str, is_lifted: bool) -> dict[str, object]:
    """Call a link wrong, for ever, or take that back; the next run of identity goes by it.

    Args:
        options: what the command was given.
        link_id: as `explain` tells it; its first eight digits or more.
        reason: kept with the cut.
        is_lifted: take an earlier word back.

    Raises:
        ConfigError: no such link, or several begin so.
        DataError: no run has linked anything yet.
    """
    settings = options.settings()
    root = settings.warehouse.root
    if not _LINK.fullmatch(link_id):
        raise ConfigError(Fault("LINK_ID", "is no id of a link.", "Eight or more hex digits, as `explain` tells them."))
    if version_of(root, IDENTITY_LINKS.name) is None:
        raise DataError(Fault(f"table {IDENTITY_LINKS.name}", "is not there.", "Run `personalake run` first."))
    now = now_utc()
    with writer_lock(root), session(settings) as spark:
        links = read(spark, root, IDENTITY_LINKS)
        found = links.where(F.col("link_id").startswith(link_id)).select("link_id", *_ENDS).limit(2).collect()
        if len(found) != 1:
            text = f"{link_id} is no link." if not found else f"several links begin with {link_id}."
            raise ConfigError(Fault("LINK_ID", text, "`personalake explain PERSON_ID` tells a person's."))
        ends = [found[0][end] for end in _ENDS]
        cut_id = hashlib.sha256("\x1f".join(ends).encode()).hexdigest()
        state = "lifted" if is_lifted else "cut"
        if options.dry_run:
            return {"state": "planned", "link_id": found[0]["link_id"], "cut": state}
        row = spark.createDataFrame([(cut_id, *ends, state, reason, now)], IDENTITY_CUTS.row_schema)
        ensure_tables(spark, root, [IDENTITY_CUTS])
        merge(spark, root, IDENTITY_CUTS, row, run_name(now, cut_id))
    say("The link counts again from the next run on." if is_lifted else "The next run of identity splits it.")
    return {"state": "complete", "link_id": found[0]["link_id"], "cut": state}


def take_word(options: Options, word: str, person_id: str, tag: str, reason: str) -> dict[str, object]:
    """Take a person's own word on a tag: views heed it at once, the next run of tags and all after it.

    Args:
        options: what the command was given; the word holds from as_of on, else from the last run of tags.
        word: hide, contradict or restore.
        person_id: the person.
        tag: name of a rule, or of a tag that was given.
        reason: kept with the word.

    Raises:
        ConfigError: no such person or tag.
        DataError: no run has given tags yet.
    """
    settings = options.settings()
    root = settings.warehouse.root
    rules = load_rules(settings.tags.file, tag_vocabulary(settings))
    if version_of(root, TAGS.name) is None or version_of(root, IDENTITY_MAP.name) is None:
        raise DataError(Fault(f"table {TAGS.name}", "is not there.", "Run `personalake run` first."))
    now = now_utc()
    with writer_lock(root), session(settings) as spark:
        tags = read(spark, root, TAGS)
        day = options.as_of or last_date(tags, "as_of_date")
        if not isinstance(day, date):
            raise DataError(Fault(f"table {TAGS.name}", "is empty.", "Run `personalake run` first."))
        faults = []
        if read(spark, root, IDENTITY_MAP).where(F.col("person_id") == F.lit(person_id)).isEmpty():
            faults.append(_nobody(spark, root, person_id))
        names = [rule.tag for rule in rules]
        if tag not in names and tags.where(F.col("tag") == F.lit(tag)).isEmpty():
            faults.append(Fault("TAG", f"{tag} is no tag.", near_miss(tag, names)))
        if faults:
            raise ConfigError(*faults)
        if options.dry_run:
            return {"state": "planned", "tag": tag, "word": WORDS[word], "as_of_date": day}
        row = [(person_id, day, tag, WORDS[word], reason, now)]
        ensure_tables(spark, root, [TAG_OVERRIDES])
        rows = spark.createDataFrame(row, TAG_OVERRIDES.row_schema)
        merge(spark, root, TAG_OVERRIDES, rows, run_name(now, f"{person_id}|{tag}"))
    say(f"Noted from {day} on; the next run of tags goes by it, views do so now.")
    return {"state": "complete", "tag": tag, "word": WORDS[word], "as_of_date": day}


def _nobody(spark: SparkSession, root: str, person_id: str) -> Fault:
    """The fault of an id that is no person's now; where it was merged away, who it became."""
    if version_of(root, IDENTITY_MOVES.name) is not None:
        moves = read(spark, root, IDENTITY_MOVES).where(F.col("from_person_id") == F.lit(person_id))
        last = moves.select(F.max_by("to_person_id", F.struct("moved_at", "to_person_id"))).first()
        if last is not None and last[0]:
            return Fault("PERSON_ID", "is not a person's now.", f"Did you mean {last[0]}?")
    return Fault("PERSON_ID", "is nobody's.", "`personalake lookup` tells a person's.")
