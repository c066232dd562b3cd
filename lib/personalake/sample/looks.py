"""Which items a visit looks at: taste, brand, price and popularity decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalake.sample.catalogue import Catalogue
from personalake.sample.people import People
from personalake.sample.plan import DAY_SECONDS, Plan
from personalake.sample.visits import Visits
from personalake.sample.vocabulary import SEGMENTS

CANDIDATES = 4
TASTE_SHARE = 0.78
SECONDS_BETWEEN = 10


@dataclass(frozen=True)
class Looks:
    """Looks at an item as arrays: visit, item, when [s since the first midnight], liking (utility) and position."""

    visit: np.ndarray
    item: np.ndarray
    at: np.ndarray
    liking: np.ndarray
    position: np.ndarray


def make_looks(plan: Plan, catalogue: Catalogue, people: People, visits: Visits, rng: np.random.Generator) -> Looks:
    """What each visit looks at, in time order within the visit; items not on offer that day are left out.

    Args:
        plan: the arguments.
        catalogue: the items.
        people: the block.
        visits: its visits.
        rng: its stream.
    """
    mean = np.array([s.looks for s in SEGMENTS])[people.segment[visits.person]]
    counts = np.minimum(rng.geometric(1.0 / mean), 24)
    visit = np.repeat(np.arange(visits.count), counts)
    position = np.arange(len(visit)) - np.repeat(np.cumsum(counts) - counts, counts)
    item, liking = _choose(catalogue, people, visits, visit, counts, rng)
    dwell = SECONDS_BETWEEN + np.round(rng.exponential(35.0, len(visit))).astype(np.int64).clip(max=600)
    running = np.cumsum(dwell)
    at = visits.at[visit] + 2 + running - np.repeat((running - dwell)[np.cumsum(counts) - counts], counts) - dwell
    keep = catalogue.is_offered(item, at // DAY_SECONDS) & (at < plan.days * DAY_SECONDS - 900)
    return Looks(visit[keep], item[keep], at[keep], liking[keep], position[keep] + 1)


def _choose(
    catalogue: Catalogue,
    people: People,
    visits: Visits,
    visit: np.ndarray,
    counts: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Item and liking of each look: the best of four draws by popularity within a category."""
    own = _categories(catalogue, people, visits.person[visit], rng)
    shared = np.repeat(_categories(catalogue, people, visits.person, rng), counts)
    category = np.where(rng.random(len(visit)) < 0.5, shared, own)
    draw = catalogue.starts[category][:, None] + catalogue.masses[category][:, None] * rng.random(
        (len(visit), CANDIDATES)
    )
    item = np.searchsorted(catalogue.cumulative, draw, side="right").clip(max=len(catalogue.ids) - 1)
    person = visits.person[visit]
    day = np.broadcast_to((visits.at[visit] // DAY_SECONDS)[:, None], item.shape)
    liked = (catalogue.brand[item][:, :, None] == people.brands[person][:, None, :]).any(axis=2)
    price_tilt = (people.sensitivity[person] - 0.4)[:, None] * 2.5 * catalogue.dearness[item]
    utility = 1.4 * liked - price_tilt + rng.gumbel(0.0, 0.6, item.shape)
    utility = np.where(catalogue.is_offered(item, day), utility, -np.inf)
    best = utility.argmax(axis=1)
    rows = np.arange(len(visit))
    return item[rows, best], np.nan_to_num(utility[rows, best], neginf=0.0)


def _categories(catalogue: Catalogue, people: People, person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A category per entry: one of the person's tastes, else any, by popularity."""
    running = np.cumsum(people.taste_shares[person], axis=1)
    slot = (running < rng.random(len(person))[:, None]).sum(axis=1).clip(max=2)
    slot = np.where(people.taste_shares[person, slot] > 0, slot, 0)
    anything = np.searchsorted(np.cumsum(catalogue.masses / catalogue.masses.sum()), rng.random(len(person)))
    tasted = rng.random(len(person)) < TASTE_SHARE
    return np.where(tasted, people.tastes[person, slot], anything.clip(max=len(catalogue.masses) - 1))
