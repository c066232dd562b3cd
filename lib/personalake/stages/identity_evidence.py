"""What identity's links rest on besides sightings: declared evidence, operators' cuts, people's word on linking."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.identity.evidence import Evidence
from personalake.identity.rekeyed import with_newest_names
from personalake.job import Job
from personalake.privacy.consent import consent_by_identifier
from personalake.stages.known import day_start, sources_of
from personalake.tables.identity import IDENTITY_CUTS
from personalake.tables.ingest import CONSENTS

LINKING = "linking"
_CUT = "cut"


def evidence(job: Job, newest: DataFrame | None) -> Evidence:
    """What sources declare, operators cut, and people said to being linked before this day."""
    cuts = job.read(IDENTITY_CUTS) if job.was_written(IDENTITY_CUTS) else None
    return _evidence(job, job.as_of, cuts, job.read(CONSENTS), newest)


def evidence_before(job: Job, now: Evidence) -> Evidence | None:
    """The same as the stage's last complete run knew it; `now` itself where nothing was said since.

    Args:
        job: the job, with a run before; no identifier has two names.
        now: what `evidence` gives.

    Returns:
        None where it can no longer be read.
    """
    before = job.before
    if before is None or before.day is None:
        return None
    same = all(before.inputs.get(t.name) == job.inputs.get(t.name) for t in (IDENTITY_CUTS, CONSENTS))
    # Consent runs out as days go by.
    if same and (now.words is None or before.day == job.as_of):
        return now
    cuts, consents = job.read_before(IDENTITY_CUTS), job.read_before(CONSENTS)
    return None if cuts is None or consents is None else _evidence(job, before.day, cuts, consents, None)


def _evidence(job: Job, day: date, cuts: DataFrame | None, consents: DataFrame, newest: DataFrame | None) -> Evidence:
    sources = sources_of(job.settings)
    weights = {source.name: source.evidence for source in sources if source.evidence is not None}
    cuts = cuts if cuts is None else cuts.where(F.col("state") == _CUT)
    consents = consents.where(F.col("purpose") == LINKING)
    words = None if consents.isEmpty() else consents
    if newest is not None:
        cuts = cuts if cuts is None else with_newest_names(cuts, newest, "left", "right")
        words = words if words is None else with_newest_names(words, newest, "identifier")
    moment = day_start(day, job.settings.time_zone)
    return Evidence(
        weights=weights,
        cuts=cuts,
        words=words if words is None else consent_by_identifier(words, LINKING, moment),
        needs_word=LINKING in job.settings.privacy.required_purposes,
    )


def evidence_fingerprint(settings: Settings) -> dict[str, str]:
    """The evidence that sources declare, as part of what decides whether there is anything to do."""
    sources = sources_of(settings)
    declared = [f"{s.name} {sorted(s.evidence.items())}" for s in sources if s.evidence is not None]
    return {"evidence": "; ".join(declared) or "as seen", "linking": str(LINKING in settings.privacy.required_purposes)}
