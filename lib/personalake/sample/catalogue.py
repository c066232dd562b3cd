"""The items: category, brand, price over time, popularity, when they appear and vanish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from personalake.sample.plan import Plan
from personalake.sample.vocabulary import BRANDS, CATEGORIES

PRICE_CHANGES = 2


@dataclass(frozen=True)
class Catalogue:
    """All items as arrays, ordered by category and, within it, by falling popularity.

    `cumulative` is the running sum of popularity; `starts` and `masses` give each category's piece of it.
    An item is on offer on days [first_day, last_day). Its price in cents is `price` times the factors of the
    changes whose day has come; a change that never comes has day = plan.days.
    """

    ids: pa.Array
    category: np.ndarray
    brand: np.ndarray
    price: np.ndarray
    dearness: np.ndarray
    cumulative: np.ndarray
    starts: np.ndarray
    masses: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    change_day: np.ndarray
    change_factor: np.ndarray

    def price_on(self, item: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Price in cents of items on days.

        Args:
            item: item numbers.
            day: day numbers, one per item.
        """
        factor = np.ones(len(item))
        for change in range(PRICE_CHANGES):
            came = self.change_day[item, change] <= day
            factor = np.where(came, factor * self.change_factor[item, change], factor)
        minor: np.ndarray = np.maximum(np.round(self.price[item] * factor / 10) * 10, 100).astype(np.int64)
        return minor

    def is_offered(self, item: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Whether items are on offer on days.

        Args:
            item: item numbers, any shape.
            day: day numbers, same shape.
        """
        offered: np.ndarray = (self.first_day[item] <= day) & (day < self.last_day[item])
        return offered


def make_catalogue(plan: Plan) -> Catalogue:
    """The catalogue of a plan.

    Popularity follows Zipf–Mandelbrot within the whole shop (exponent 1.05, shift 5), shuffled over categories.

    Args:
        plan: the arguments.
    """
    rng = plan.stream("catalogue")
    count = plan.items
    category = np.sort(np.concatenate([np.arange(16), rng.integers(0, len(CATEGORIES), count - 16)]))
    popularity = rng.permutation(1.0 / (np.arange(count) + 6.0) ** 1.05)
    order = np.lexsort((-popularity, category))
    popularity, category = popularity[order], category[order]
    brand = rng.integers(0, len(BRANDS), count)
    median = np.array([c.price_minor for c in CATEGORIES])[category] * np.array([b[1] for b in BRANDS])[brand]
    price = np.maximum(np.round(median * rng.lognormal(0.0, 0.35, count) / 100) * 100 - 10, 190).astype(np.int64)
    dearness = np.log(price / np.array([c.price_minor for c in CATEGORIES])[category])
    cumulative = np.cumsum(popularity)
    masses = np.bincount(category, weights=popularity, minlength=len(CATEGORIES))
    starts = np.concatenate([[0.0], np.cumsum(masses)[:-1]])
    return Catalogue(
        ids=pa.array([f"SKU-{100000 + number}" for number in rng.permutation(count).tolist()]),
        category=category, brand=brand, price=price, dearness=dearness,
        cumulative=cumulative, starts=starts, masses=masses, **_lifetimes(plan, rng),
    )  # fmt: skip


def _lifetimes(plan: Plan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """10 % of items appear late, 8 % vanish, 25 % change price once or twice, mostly down."""
    count, days = plan.items, plan.days
    late = rng.random(count) < 0.10
    gone = ~late & (rng.random(count) < 0.08)
    first = np.where(late, rng.integers(1, max(2, days * 3 // 4), count), -rng.integers(1, 300, count))
    last = np.where(gone, rng.integers(max(1, days // 3), days + 1, count), days + 1)
    changes = (rng.random((count, PRICE_CHANGES)) < (0.25, 0.4)).cumprod(axis=1).astype(bool)
    day = np.sort(rng.integers(1, max(2, days), (count, PRICE_CHANGES)), axis=1)
    usable = changes & (day > first[:, None]) & (day < last[:, None])
    usable[:, 1] &= day[:, 1] > day[:, 0]
    factor = np.where(rng.random((count, PRICE_CHANGES)) < 0.7, 0.8, 1.15)
    return {
        "first_day": first, "last_day": last,
        "change_day": np.where(usable, day, days), "change_factor": np.where(usable, factor, 1.0),
    }  # fmt: skip
