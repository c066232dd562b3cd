"""events → identity_links, identity_moves, identity_map."""

from __future__ import annotations

from pyspark.sql import functions as F

from personalake.identity.components import fit_components
from personalake.identity.links import build_identity_links
from personalake.identity.persons import build_identity_map
from personalake.identity.sightings import identifiers_of, sightings_by_identifiers
from personalake.job import Job, Stage
from personalake.tables.identity import IDENTITY_LINKS, IDENTITY_MAP, IDENTITY_MOVES
from personalake.tables.ingest import EVENTS


def run(job: Job) -> None:
    """Link what was seen together, find who hangs together, keep old ids.

    The moves are written before the map they explain: a run that dies between the two finds the old map again, comes
    to the same moves under the same ids, and goes on.
    """
    events = job.read(EVENTS).where(F.col("event_date") < F.lit(job.as_of))
    sightings = job.put_down(sightings_by_identifiers(events), "sightings")
    links = job.put_down(build_identity_links(sightings, job.settings.identity), "links")
    identifiers = identifiers_of(sightings)
    components = job.put_down(fit_components(identifiers, links, job.settings.identity), "components")
    old_map, old_moves = job.read(IDENTITY_MAP), job.read(IDENTITY_MOVES)
    new_map, moves = build_identity_map(components, old_map, old_moves, job.as_of)
    new_map, moves = job.put_down(new_map, "map"), job.put_down(moves, "moves")
    job.merge(IDENTITY_LINKS, links)
    job.merge(IDENTITY_MOVES, moves)
    job.merge(IDENTITY_MAP, new_map)


STAGE = Stage(
    name="identity",
    title="Identifiers seen together become persons with ids that last",
    reads=(EVENTS,),
    writes=(IDENTITY_LINKS, IDENTITY_MOVES, IDENTITY_MAP),
    sections=("identity",),
    run=run,
)
