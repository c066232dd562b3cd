"""profiles, segments → tags."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, Fault
from personalake.job import Job, Stage
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENTS
from personalake.tables.tags import TAGS
from personalake.tags.rules import load_rules
from personalake.tags.tag import build_tags
from personalake.tags.thresholds import fit_thresholds


def run(job: Job) -> None:
    """Thresholds from everybody, then every rule on every person in one pass."""
    rules = load_rules(job.settings.tags.file)
    today = F.col("as_of_date") == F.lit(job.as_of)
    profiles = job.read(PROFILES).where(today)
    segments = job.read(SEGMENTS).where(today & (F.col("method") == job.settings.segments.method))
    thresholds = fit_thresholds(profiles, rules)
    tags = build_tags(profiles, segments, rules, thresholds, job.read(TAGS), job.as_of)
    # Since when a tag is on comes from the table that is written, so the rows are put down first.
    job.replace_where(TAGS, job.put_down(tags, "tags"), {"as_of_date": job.as_of})


def rules_fingerprint(settings: Settings) -> dict[str, str]:
    """Hash of the rules' file."""
    try:
        content = Path(settings.tags.file).read_bytes()
    except OSError:
        raise ConfigError(Fault("tags.file", f"{settings.tags.file} cannot be read.", "Name a YAML file.")) from None
    return {"tag_rules": hashlib.sha256(content).hexdigest()[:32]}


STAGE = Stage(
    name="tags",
    title="Rules on profiles give each person tags, each with its reason",
    reads=(PROFILES, SEGMENTS),
    writes=(TAGS,),
    sections=("segments",),
    run=run,
    fingerprint=rules_fingerprint,
)
