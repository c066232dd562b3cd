"""When people come, on which device, signed in or not."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from personalake.sample.people import ANDROID, IOS, MINI, RESET_DAYS, TABLET, TV, WEB, People
from personalake.sample.plan import DAY_SECONDS, Plan
from personalake.sample.vocabulary import CAMPAIGNS, REGIONS, SEGMENTS

GENERATIONS = 512


@dataclass(frozen=True)
class Visits:
    """Visits of one block as arrays: person, first second since the first business midnight, platform, sign-in,
    device (owner × platform × generation as one number) and campaign (−1: none).
    """

    person: np.ndarray
    at: np.ndarray
    platform: np.ndarray
    signed: np.ndarray
    device: np.ndarray
    campaign: np.ndarray

    @property
    def count(self) -> int:
        """Number of visits."""
        return len(self.person)

    def joined(self, more: Visits) -> Visits:
        """These visits, then more of them."""
        return Visits(*(np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(Visits)))

    def follow_up(self, visit: np.ndarray, at: np.ndarray) -> Visits:
        """Later visits by the same person on the same device, without a campaign.

        Args:
            visit: numbers of the earlier visits.
            at: when the later ones begin [s].
        """
        none = np.full(len(visit), -1)
        return Visits(self.person[visit], at, self.platform[visit], self.signed[visit], self.device[visit], none)


def device_number(people: People, person: np.ndarray, platform: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The device a person uses, as one number; web cookies of some persons are replaced every 20 days.

    Args:
        people: the block.
        person: person numbers.
        platform: platform numbers, one per person number.
        day: day numbers, one per person number.
    """
    generation = np.where((platform == WEB) & people.resets[person], (day + person) // RESET_DAYS, 0)
    number: np.ndarray = (people.device_owner[person, platform] * 6 + platform) * GENERATIONS + generation
    return number


def make_visits(plan: Plan, people: People, rng: np.random.Generator) -> Visits:
    """First visits of a block: Poisson by person and day, with weekly and daily rhythm.

    Args:
        plan: the arguments.
        people: the block.
        rng: its stream.
    """
    days = np.arange(plan.days)
    weekday = (plan.start.weekday() + days) % 7
    rate = np.array([s.visits_per_day for s in SEGMENTS])[people.segment] * people.activity
    weekend = np.array([s.weekend for s in SEGMENTS])[people.segment]
    per_day = rate[:, None] * np.where(weekday >= 5, weekend[:, None], 1.0)
    per_day *= (people.from_day[:, None] <= days) & (days < people.to_day[:, None])
    counts = np.minimum(rng.poisson(per_day), 6)
    person, day = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), plan.days)
    hour = _hours(people.segment[person], rng)
    offset = np.array([r[2] * 60 for r in REGIONS])[people.region[person]]
    second = (hour * 3600 + rng.integers(0, 3600, len(hour)) + 8 * 3600 - offset) % DAY_SECONDS
    platform = _platforms(people.owns[person], hour, rng)
    device = device_number(people, person, platform, day)
    signed = people.signs_in[person] & (rng.random(len(person)) < np.where(platform == WEB, 0.55, 0.75))
    return Visits(person, day * DAY_SECONDS + second, platform, signed, device, _campaigns(people, person, day, rng))


def _hours(segment: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hour of the day by segment."""
    weights = np.array([s.hours for s in SEGMENTS], dtype=np.float64)
    running = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    hour: np.ndarray = (running[segment] < rng.random(len(segment))[:, None]).sum(axis=1).clip(max=23)
    return hour


def _platforms(owns: np.ndarray, hour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Platform of each visit: desks by day, phones on the way, tablets and television in the evening."""
    factor = np.ones((24, 6))
    factor[9:18, WEB], factor[9:18, TV] = 1.8, 0.3
    factor[6:9, IOS], factor[6:9, ANDROID], factor[6:9, MINI] = 1.8, 1.8, 1.6
    factor[19:23, TABLET], factor[19:23, TV] = 2.5, 3.0
    running = np.cumsum(owns * factor[hour], axis=1)
    # `<=` skips platforms of weight zero even where the draw is exactly 0
    draw = rng.random(len(hour)) * running[:, -1]
    platform: np.ndarray = (running <= draw[:, None]).sum(axis=1).clip(max=5)
    return platform


def _campaigns(people: People, person: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tenth of visits come through a campaign, half of a newcomer's first day's."""
    first = (people.segment[person] == 4) & (day <= people.from_day[person] + 1)
    came = rng.random(len(person)) < np.where(first, 0.5, 0.10)
    return np.where(came, rng.integers(0, len(CAMPAIGNS), len(person)), -1)
