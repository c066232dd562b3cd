"""Links and persons that changed days touch, made anew; all others stand as the last complete run left them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.components import fit_components
from personalake.identity.evidence import Evidence
from personalake.identity.giants import giants_of
from personalake.identity.history import build_identity_map_versions, map_as_of
from personalake.identity.links import CUT_GIANT, USED, links_of
from personalake.identity.pairs import LEFT, PAIR, RIGHT, SUMS, build_pairs, pair_changes, pairs_with_changes
from personalake.identity.persons import map_of, moves_of, with_person
from personalake.identity.renewed import (
    busy_then_and_now,
    identifier_changes,
    members_now,
    rejoined_ends,
    rights_of_other_evidence,
)
from personalake.identity.sides import as_end, end_of
from personalake.identity.sightings import identifiers_of
from personalake.job import Job
from personalake.stages.identity_evidence import evidence_before, evidence_fingerprint
from personalake.stages.known import on_days
from personalake.tables.identity import (
    IDENTIFIER,
    IDENTITY_LINKS,
    IDENTITY_MAP,
    IDENTITY_MAP_VERSIONS,
    IDENTITY_MOVES,
    IDENTITY_SIGHTINGS,
)
from personalake.tables.ingest import IDENTIFIER_ALIASES
from personalake.upstream import later_day


@dataclass(frozen=True)
class Left:
    """What a run leaves that may be built upon: its as-of day, and the version of the sightings it counted."""

    day: date
    sightings: int


def left_before(job: Job) -> Left | None:
    """What the last complete run left; None where all links and persons must be made anew.

    That is: no such run by this very code or one as of a later day, other settings or declared evidence, a table that
    is not as it was left (a run died), the map of a day in between or of a later one; and what is only made whole:
    customers who are alike, identifiers with two names, components that were taken apart.
    """
    before = job.before
    if job.force or before is None or before.day is None or before.day > job.as_of or not before.had_same_settings:
        return None
    is_plain = not job.settings.identity.fuzzy.is_on and not job.was_written(IDENTIFIER_ALIASES)
    if not is_plain or before.facts != evidence_fingerprint(job.settings):
        return None
    if not all(job.is_as_left(t) for t in (IDENTITY_SIGHTINGS, IDENTITY_LINKS, IDENTITY_MAP_VERSIONS, IDENTITY_MAP)):
        return None
    day = F.col("effective_date")
    between = job.read(IDENTITY_MAP_VERSIONS).where((day > F.lit(before.day)) & (day <= F.lit(job.as_of)))
    giants = job.read(IDENTITY_LINKS).where(F.col("state") == CUT_GIANT)
    if not (between.isEmpty() and giants.isEmpty()):
        return None
    if later_day(job.spark, job.root, job.stage.name, job.as_of) is not None:
        return None
    return Left(before.day, job.version(IDENTITY_SIGHTINGS))


def renew(job: Job, left: Left, days: Sequence[date], evidence: Evidence) -> bool:
    """Bring links, moves, the map and its history up to date where changed days touch them.

    Args:
        job: the job; the sightings of the changed days are made anew already.
        left: what the last complete run left.
        days: days whose sightings were made anew.
        evidence: what is known besides the sightings.

    Returns:
        False where it turned out that only all of it tells: nothing was published but, maybe, links.
    """
    then = evidence_before(job, evidence)
    if then is None:
        return False
    day = F.col("event_date")
    lost = on_days(job.read(IDENTITY_SIGHTINGS, left.sightings), days).where(day < F.lit(left.day))
    seen = job.read(IDENTITY_SIGHTINGS).where(day < F.lit(job.as_of))
    gained = seen.where(day.isin(list(days)) | (day >= F.lit(left.day)))
    ends = _renewed_links(job, lost, gained, seen, then, evidence)
    return _renewed_persons(job, left, lost, gained, seen, ends)


def _renewed_links(
    job: Job, lost: DataFrame, gained: DataFrame, seen: DataFrame, then: Evidence, evidence: Evidence
) -> DataFrame | None:
    """Write the links; the ends of those that join now and did not, or the other way round. None: no link changed."""
    kept, settings = job.read(IDENTITY_LINKS), job.settings.identity
    changes = job.put_down(pair_changes(lost, gained, evidence.weights), "pair-changes")
    rights = changes.select(*RIGHT)
    said = None if then is evidence else rights_of_other_evidence(kept, then, evidence)
    rights = rights if said is None else job.put_down(rights.unionByName(said), "rights")
    pairs = _pairs_of(job, kept, rights, changes, "pairs")
    if pairs.isEmpty():
        return None
    busy = job.put_down(busy_then_and_now(kept, pairs, settings.devices_per_login), "busy")
    turned = busy.where("was_busy <> is_busy")
    if not turned.isEmpty():
        # What they showed counts again, or no more: on every device of theirs.
        theirs = kept.join(turned, [*LEFT], how="left_semi").select(*RIGHT)
        pairs = _pairs_of(job, kept, job.put_down(rights.unionByName(theirs), "more-rights"), changes, "more-pairs")
    now = pairs.where("event_count > 0 AND NOT _is_unsure").select(*PAIR, *SUMS)
    unsure = pairs.where("_is_unsure").select(*PAIR)
    if not unsure.isEmpty():
        now = now.unionByName(build_pairs(seen, evidence.weights, unsure))
    renewed = links_of(now, busy.where("is_busy").select(*LEFT), settings, evidence)
    renewed = job.put_down(renewed, "renewed-links")
    job.replace(IDENTITY_LINKS, kept.join(pairs, [*RIGHT], how="left_anti").unionByName(renewed))
    return rejoined_ends(pairs, renewed)


def _pairs_of(job: Job, kept: DataFrame, rights: DataFrame, changes: DataFrame, name: str) -> DataFrame:
    near = kept.join(rights, [*RIGHT], how="left_semi")
    return job.put_down(pairs_with_changes(near, changes), name)


def _renewed_persons(
    job: Job, left: Left, lost: DataFrame, gained: DataFrame, seen: DataFrame, ends: DataFrame | None
) -> bool:
    """Write moves, history and map; False where a component is too large to be a person."""
    published, settings = job.read(IDENTITY_MAP), job.settings.identity
    changes = job.put_down(identifier_changes(lost, gained, published), "identifier-changes")
    persons = changes.where("person_id IS NOT NULL").select("person_id")
    if ends is not None:
        persons = persons.unionByName(published.join(ends, [*IDENTIFIER], how="left_semi").select("person_id"))
    before = job.put_down(published.join(persons, ["person_id"], how="left_semi"), "map-before")
    if changes.isEmpty() and before.isEmpty():
        return True
    unsure = changes.where("_is_unsure").select(*IDENTIFIER)
    again = changes.limit(0) if unsure.isEmpty() else job.put_down(identifiers_of(seen, unsure), "again")
    members = members_now(before, changes, again)
    used = job.read(IDENTITY_LINKS).where(F.col("state") == USED)
    used = job.put_down(used.join(as_end(members, "left"), end_of("left"), how="left_semi"), "links-of-members")
    components = job.put_down(fit_components(members, used, settings), "components-of-members")
    if not giants_of(components, settings.identifiers_per_person).isEmpty():
        return False
    everyone = published.select("person_id")
    named = with_person(components, before, job.read(IDENTITY_MOVES), job.as_of, everyone)
    named = job.put_down(named, "members-with-person")
    _publish(job, left, before, named, published.join(before, ["person_id"], how="left_anti"))
    return True


def _publish(job: Job, left: Left, before: DataFrame, named: DataFrame, others: DataFrame) -> None:
    """As of a day that the history does not know yet it gets what is new; as of the last one its slice is mended."""
    history, new_map = job.read(IDENTITY_MAP_VERSIONS), map_of(named)
    new_moves = job.put_down(moves_of(named, job.as_of, job.read(IDENTITY_LINKS)), "moves")
    if left.day == job.as_of:
        touched = before.select(*IDENTIFIER).unionByName(new_map.select(*IDENTIFIER)).distinct()
        earlier = map_as_of(history.join(touched, [*IDENTIFIER], how="left_semi"), job.as_of, is_before=True)
        slice_ = history.where(F.col("effective_date") == F.lit(job.as_of))
        changed = build_identity_map_versions(new_map, earlier, job.as_of)
        changed = changed.unionByName(slice_.join(touched, [*IDENTIFIER], how="left_anti"))
    else:
        changed = build_identity_map_versions(new_map, before, job.as_of)
    if not new_moves.isEmpty():
        job.merge(IDENTITY_MOVES, new_moves)
    job.replace_where(IDENTITY_MAP_VERSIONS, changed, {"effective_date": job.as_of})
    job.replace(IDENTITY_MAP, others.unionByName(new_map))
