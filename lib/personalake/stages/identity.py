"""events, customers, consents → identity_sightings, identity_links, identity_moves, identity_map and its versions."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.components import fit_components
from personalake.identity.evidence import Evidence
from personalake.identity.fuzzy import alike_pairs, attribute_records, check_splink, fuzzy_links
from personalake.identity.giants import giants_of, without_giants, without_joiners
from personalake.identity.history import map_as_of, versions_with_later
from personalake.identity.links import busy_lefts, links_of
from personalake.identity.pairs import build_pairs
from personalake.identity.persons import map_of, moves_of, with_person
from personalake.identity.rekeyed import (
    newest_aliases,
    with_newest_identifiers,
    with_newest_login,
    with_old_identifiers,
)
from personalake.identity.sightings import build_identity_sightings, identifiers_of
from personalake.ingest.entities import latest_by_key
from personalake.job import Job, Stage
from personalake.stages.identity_evidence import evidence, evidence_fingerprint
from personalake.stages.identity_renewal import left_before, renew
from personalake.stages.known import by_day, day_start, on_days
from personalake.tables.identity import (
    IDENTITY_CUTS,
    IDENTITY_LINKS,
    IDENTITY_MAP,
    IDENTITY_MAP_VERSIONS,
    IDENTITY_MOVES,
    IDENTITY_SIGHTINGS,
)
from personalake.tables.ingest import CONSENTS, CUSTOMER_VERSIONS, CUSTOMERS, EVENTS, IDENTIFIER_ALIASES
from personalake.upstream import later_day

_NAMED_GIANTS = 3


def run(job: Job) -> None:
    """Roll up what is new, link what was seen together, find who hangs together, keep old ids.

    Where the last complete run can be built upon, only links and persons that changed days touch are made anew. Ids
    follow the map as published up to this day. The moves are written before the map's history they explain: a run
    that dies between the two finds the old history, comes to the same moves under the same ids, and goes on. The map
    itself comes last and says what its history says.
    """
    left = left_before(job)
    days = _roll_up(job)
    newest = _newest_aliases(job)
    said = evidence(job, newest)
    if left is not None and days is not None and renew(job, left, days, said):
        job.note(persons="of changed days")
        return
    job.note(persons="all")
    seen = job.read(IDENTITY_SIGHTINGS).where(F.col("event_date") < F.lit(job.as_of))
    sightings = seen if newest is None else job.put_down(with_newest_identifiers(seen, newest), "sightings")
    components = _resolved(job, identifiers_of(sightings), _links(job, newest, sightings, said))
    if newest is not None:
        components = job.put_down(with_old_identifiers(components, newest, identifiers_of(seen)), "all-components")
    _publish(job, components)


def _roll_up(job: Job) -> list[date] | None:
    """Make the sightings of days that changed anew, and tell the days; all, and None, where it is not known which."""
    texts, events = job.changed_dates(EVENTS, IDENTITY_SIGHTINGS), job.read(EVENTS)
    gap = job.settings.identity.visit_gap_seconds
    if job.before is not None and not job.before.had_same_settings:
        texts = None  # what a visit is may be another
    job.note(days_read="all" if texts is None else len(texts))
    if texts is None:
        job.replace(IDENTITY_SIGHTINGS, by_day(build_identity_sightings(events, gap)))
        return None
    days = [date.fromisoformat(text) for text in texts]
    if days:
        changed = build_identity_sightings(on_days(events, days), gap)
        job.replace_where(IDENTITY_SIGHTINGS, by_day(changed), {"event_date": texts})
    return days


def _newest_aliases(job: Job) -> DataFrame | None:
    """What identifiers by older keys are called now; None where the key was never changed."""
    if not job.was_written(IDENTIFIER_ALIASES):
        return None
    aliases = job.read(IDENTIFIER_ALIASES)
    changes = aliases.select("key_id").distinct().count()
    return job.put_down(newest_aliases(aliases, changes), "aliases") if changes else None


def _links(job: Job, newest: DataFrame | None, sightings: DataFrame, said: Evidence) -> DataFrame:
    settings = job.settings.identity
    pairs = job.put_down(build_pairs(sightings, said.weights), "pairs")
    links = links_of(pairs, busy_lefts(pairs, settings.devices_per_login), settings, said)
    return links.unionByName(_alike(job, newest, sightings, said)) if settings.fuzzy.is_on else links


def _alike(job: Job, newest: DataFrame | None, sightings: DataFrame, evidence: Evidence) -> DataFrame:
    """Links between customers who came and whose attributes are alike."""
    settings = job.settings.identity.fuzzy
    check_splink()
    told = job.read(CUSTOMER_VERSIONS)
    told = told if newest is None else with_newest_login(told, newest)
    came = sightings.where("login_id IS NOT NULL").select("login_id").distinct()
    known = latest_by_key(told, CUSTOMERS, day_start(job.as_of, job.settings.time_zone))
    customers = job.put_down(known.join(came, ["login_id"], how="left_semi"), "customers")
    records = job.put_down(attribute_records(customers, settings), "records")
    pairs = alike_pairs(records.inputFiles(), settings)
    return job.put_down(fuzzy_links(job.spark.createDataFrame(pairs), customers, settings, evidence), "fuzzy-links")


def _resolved(job: Job, identifiers: DataFrame, links: DataFrame) -> DataFrame:
    """Write the links, give the components: none is too large to be a person; those are named and taken apart."""
    settings = job.settings.identity
    job.replace(IDENTITY_LINKS, links)
    links = job.read(IDENTITY_LINKS)
    components = job.put_down(fit_components(identifiers, links, settings), "components")
    was_cut = False
    for step, taken_apart in (("joiners", without_joiners), ("giants", without_giants)):
        giants = giants_of(components, settings.identifiers_per_person)
        largest = giants.orderBy(F.desc("identifier_count"), "component").limit(_NAMED_GIANTS).collect()
        if not largest:
            break
        # A de-identified name, shortened: enough to find it again in identity_links.
        named = ", ".join(f"{row['component'][:18]}… ({row['identifier_count']:,} identifiers)" for row in largest)
        job.note(**{f"too_large_cut_{step}": named})
        links = job.put_down(taken_apart(links, components, giants), f"links-without-{step}")
        components = job.put_down(fit_components(identifiers, links, settings), f"components-without-{step}")
        was_cut = True
    if was_cut:
        job.replace(IDENTITY_LINKS, links)
    return components


def _publish(job: Job, components: DataFrame) -> None:
    versions, moves = job.read(IDENTITY_MAP_VERSIONS), job.read(IDENTITY_MOVES)
    # A map from before it had a history is what was published.
    published = job.read(IDENTITY_MAP) if versions.isEmpty() else map_as_of(versions, job.as_of)
    named = job.put_down(with_person(components, published, moves, job.as_of), "components-with-person")
    new_map = map_of(named)
    new_moves = job.put_down(moves_of(named, job.as_of, job.read(IDENTITY_LINKS)), "moves")
    later = later_day(job.spark, job.root, job.stage.name, job.as_of)
    changed, days = versions_with_later(new_map, versions, job.as_of, later)
    job.merge(IDENTITY_MOVES, new_moves)
    job.replace_where(IDENTITY_MAP_VERSIONS, changed, {"effective_date": days})
    job.replace(IDENTITY_MAP, new_map)


STAGE = Stage(
    name="identity",
    title="Identifiers seen together become persons with ids that last",
    reads=(EVENTS, CUSTOMER_VERSIONS, CONSENTS, IDENTIFIER_ALIASES, IDENTITY_CUTS),
    writes=(IDENTITY_SIGHTINGS, IDENTITY_LINKS, IDENTITY_MOVES, IDENTITY_MAP_VERSIONS, IDENTITY_MAP),
    sections=("identity",),
    run=run,
    fingerprint=evidence_fingerprint,
)
