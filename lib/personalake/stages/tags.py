"""profiles, predictions, segments, tag_overrides, identity_map_versions → tags."""

from __future__ import annotations

from pyspark.sql import functions as F

from personalake.conditions import Vocabulary, hash_of_rules
from personalake.config import Settings
from personalake.job import Job, Stage
from personalake.stages.known import predictions_of_day
from personalake.tables.identity import IDENTITY_MAP_VERSIONS
from personalake.tables.predictions import PREDICTIONS
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENTS
from personalake.tables.tags import TAG_OVERRIDES, TAGS
from personalake.tags.rules import load_rules
from personalake.tags.tag import build_tags
from personalake.tags.thresholds import fit_thresholds
from personalake.tags.tree import vocabulary_of


def run(job: Job) -> None:
    """Thresholds from everybody, then every rule on every person in one pass."""
    rules = load_rules(job.settings.tags.file, tag_vocabulary(job.settings))
    today = F.col("as_of_date") == F.lit(job.as_of)
    profiles, segments = job.read(PROFILES).where(today), job.read(SEGMENTS).where(today)
    predictions = predictions_of_day(job)
    thresholds = fit_thresholds(profiles, rules)
    said = job.was_written(TAG_OVERRIDES)
    overrides = (job.read(TAG_OVERRIDES), job.read(IDENTITY_MAP_VERSIONS)) if said else None
    tags = build_tags(profiles, segments, rules, thresholds, job.read(TAGS), job.as_of, predictions, overrides)
    # Since when a tag is on comes from the table that is written, so the rows are put down first.
    job.replace_where(TAGS, job.put_down(tags, "tags"), {"as_of_date": job.as_of})


def tag_vocabulary(settings: Settings) -> Vocabulary:
    """What the rules of a deployment can speak of."""
    return vocabulary_of(settings.segments.names, tuple(settings.predict.targets))


def rules_fingerprint(settings: Settings) -> dict[str, str]:
    """Hash of the rules' file."""
    return {"tag_rules": hash_of_rules(settings.tags.file, "tags.file")}


STAGE = Stage(
    name="tags",
    title="Rules on profiles give each person tags, each with its reason",
    reads=(PROFILES, PREDICTIONS, SEGMENTS, TAG_OVERRIDES, IDENTITY_MAP_VERSIONS),
    writes=(TAGS,),
    sections=("segments", "predict"),
    run=run,
    fingerprint=rules_fingerprint,
)
