"""Who the people are: segment, tastes, price sensitivity, where they live, when they are customers, their devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalake.sample.plan import PERSONS_PER_BLOCK, PLATFORMS, Plan
from personalake.sample.vocabulary import BRANDS, CATEGORIES, FAMILY, GIVEN, REGIONS, SEGMENTS

TASTES = 3
RESET_DAYS = 20
WEB, IOS, ANDROID, TABLET, TV, MINI = range(len(PLATFORMS))


@dataclass(frozen=True)
class People:
    """One block of persons as arrays, one entry per person.

    `tastes` are three category numbers with `taste_shares` (zero where a person has fewer), `brands` two brand
    numbers; a person is a customer on days [from_day, to_day). `owns` says which platforms a person uses and how
    much, `device_owner` whose device it is: a shared tablet or TV belongs to the person before. Every
    `reset_days` a web cookie is replaced (0: never).
    """

    first: int
    segment: np.ndarray
    tastes: np.ndarray
    taste_shares: np.ndarray
    brands: np.ndarray
    sensitivity: np.ndarray
    region: np.ndarray
    activity: np.ndarray
    from_day: np.ndarray
    to_day: np.ndarray
    registered_day: np.ndarray
    owns: np.ndarray
    device_owner: np.ndarray
    resets: np.ndarray
    logins: list[str]

    @property
    def count(self) -> int:
        """Persons in this block."""
        return len(self.segment)

    @property
    def signs_in(self) -> np.ndarray:
        """Who ever signs in."""
        return np.array([login != "" for login in self.logins])

    def person_ids(self) -> list[str]:
        """Ids of the truth, in order."""
        return [f"P{self.first + number:07d}" for number in range(self.count)]


def make_people(plan: Plan, block: int) -> People:
    """The persons of one block.

    Args:
        plan: the arguments.
        block: number of the block, from 0.
    """
    rng = plan.stream("people", block)
    first = block * PERSONS_PER_BLOCK
    count = min(PERSONS_PER_BLOCK, plan.persons - first)
    segment = rng.choice(len(SEGMENTS), count, p=[s.share for s in SEGMENTS])
    tastes = np.argsort(rng.random((count, len(CATEGORIES))) ** 1.5, axis=1)[:, :TASTES]
    kinds = rng.integers(1, TASTES + 1, count)
    shares = np.where(np.arange(TASTES) < kinds[:, None], rng.dirichlet((3, 2, 1), count) + 0.05, 0.0)
    brands = np.argsort(rng.random((count, len(BRANDS))), axis=1)[:, :2]
    # loyal buyers like dear brands, bargain hunters cheap ones: brands are sorted by price
    brands = np.where((segment == 1)[:, None], brands // 3, np.where((segment == 0)[:, None], 8 + brands // 3, brands))
    mean = np.array([s.sensitivity for s in SEGMENTS])[segment]
    from_day, to_day = _customer_days(plan, rng, segment)
    owns, owner = _devices(rng, count)
    return People(
        first=first,
        segment=segment,
        tastes=tastes,
        taste_shares=shares / shares.sum(axis=1, keepdims=True),
        brands=brands,
        sensitivity=np.round(np.clip(rng.beta(12 * mean + 0.5, 12 * (1 - mean) + 0.5), 0.01, 0.99), 3),
        region=rng.choice(len(REGIONS), count, p=[r[3] for r in REGIONS]),
        activity=rng.lognormal(-0.3, 0.8, count),
        from_day=from_day,
        to_day=to_day,
        registered_day=np.where(from_day > 0, from_day, -rng.integers(20, 900, count)),
        owns=owns,
        device_owner=owner,
        resets=rng.random(count) < 0.15,
        logins=_logins(plan, rng, first, count),
    )


def _customer_days(plan: Plan, rng: np.random.Generator, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newcomers start in the last two thirds, lapsing customers end in the first two thirds of the span."""
    days, count = plan.days, len(segment)
    start = np.where(segment == 4, (days * rng.uniform(0.33, 0.95, count)).astype(np.int64), 0)
    end = np.where(segment == 5, np.ceil(days * rng.uniform(0.2, 0.66, count)).astype(np.int64), days)
    return start, end


def _devices(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which platforms each person uses (weight, 0 = none) and whose device it is."""
    has = rng.random((count, len(PLATFORMS))) < (0.72, 0.0, 0.0, 0.16, 0.17, 0.38)
    phone = rng.random(count)
    has[:, IOS], has[:, ANDROID] = phone < 0.33, (phone >= 0.33) & (phone < 0.85)
    has[~has.any(axis=1), WEB] = True
    owner = np.repeat(np.arange(count)[:, None], len(PLATFORMS), axis=1)
    odd = np.arange(count) % 2 == 1
    for platform, chance in ((TABLET, 0.10), (TV, 0.16)):
        shares = odd & (rng.random(count) < chance)
        has[shares, platform] = True
        has[np.flatnonzero(shares) - 1, platform] = True
        owner[shares, platform] -= 1
    weights = has * rng.uniform(0.3, 1.0, has.shape) * (1.0, 1.3, 1.2, 0.6, 0.5, 0.7)
    return weights, owner


def _logins(plan: Plan, rng: np.random.Generator, first: int, count: int) -> list[str]:
    """E-mail-like or numeric logins, each of one person; 15 % of persons have none."""
    none, numeric = rng.random(count) < 0.15, rng.random(count) < 0.3
    given, family = rng.integers(0, len(GIVEN), count), rng.integers(0, len(FAMILY), count)
    logins = []
    for number in range(count):
        # an odd factor makes this a permutation of the 32-bit numbers: no two persons share one
        unique = ((first + number) * 2654435761 + plan.seed) % 2**32
        mail = f"{GIVEN[given[number]]}.{FAMILY[family[number]]}{unique:x}@mail.example"
        logins.append("" if none[number] else str(10**10 + unique) if numeric[number] else mail)
    return logins


def device_ids(plan: Plan, keys: np.ndarray, first: int) -> list[str]:
    """Device ids as the platforms write them: cookies, advertising-style uuids, hexadecimal Android ids, box numbers.

    Args:
        plan: the arguments.
        keys: (owner, platform, generation) per device, owner counted within the block.
        first: number of the block's first person.
    """
    ids = []
    for owner, platform, generation in keys.tolist():
        code = plan.digest("device", first + owner, platform, generation, length=32)
        if platform == IOS:
            ids.append(f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}".upper())
        else:
            short = {WEB: code[:20], ANDROID: code[:16], TABLET: f"pad-{code[:14]}", MINI: f"wx_{code[:24]}"}
            ids.append(short.get(platform, code[:24]))
    return ids
