"""Made-up implicit feedback of a realistic shape, the same for every method; written once, then kept.

Popularity is Zipf-Mandelbrot (exponent 0.9, shift 20), activity log-normal (σ 1); tastes are 64 latent clusters, three
to a person, a quarter of all picks from global taste. Picks of one item by one person collapse to w = 1 + ln(count).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Array = npt.NDArray[Any]
FOLDER = Path(__file__).resolve().parents[1] / ".personalake" / "bench"
CLUSTERS = 64
FILES = 8
GLOBAL_SHARE = 0.25


@dataclass(frozen=True)
class Shape:
    """How many persons, items and picks a workload has."""

    persons: int
    items: int
    picks: int


SHAPES = {
    "S": Shape(50_000, 10_000, 1_000_000),
    "M": Shape(300_000, 50_000, 10_000_000),
    "L": Shape(600_000, 80_000, 30_000_000),
}


def workload(name: str, ids: str = "int") -> Path:
    """The folder of a workload's Parquet files: person_id, item_id, weight; in shuffled order.

    Args:
        name: of SHAPES.
        ids: int, or string (`person-000000042`).
    """
    folder = FOLDER / f"{name}-{ids}"
    if not (folder / "_whole").is_file():
        persons, items, weights = _picked(SHAPES[name])
        order = np.random.default_rng(1).permutation(len(persons))
        folder.mkdir(parents=True, exist_ok=True)
        for number, part in enumerate(np.array_split(order, FILES)):
            columns = [_named("person", persons[part], ids), _named("item", items[part], ids), pa.array(weights[part])]
            table = pa.table(columns, names=["person_id", "item_id", "weight"])
            pq.write_table(table, folder / f"part-{number}.parquet")
        (folder / "_whole").touch()
    return folder


def _named(kind: str, numbers: Array, ids: str) -> pa.Array:
    return pa.array(numbers if ids == "int" else [f"{kind}-{number:09d}" for number in numbers.tolist()])


def _picked(shape: Shape, seed: int = 7) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    popularity = rng.permutation(1.0 / (np.arange(shape.items) + 20) ** 0.9)
    first, second = (rng.integers(0, CLUSTERS, shape.items) for _ in range(2))
    activity = np.exp(rng.normal(0.0, 1.0, shape.persons))
    counts = np.maximum(np.round(activity / activity.sum() * shape.picks).astype(np.int64), 1)
    persons = np.repeat(np.arange(shape.persons), np.minimum(counts, shape.items // 2))
    tastes = rng.integers(0, CLUSTERS, (shape.persons, 3))
    shares = np.cumsum(rng.dirichlet([1.0, 0.6, 0.3], shape.persons), axis=1) * (1 - GLOBAL_SHARE)
    turn = (rng.random(len(persons))[:, None] > shares[persons]).sum(axis=1)
    cluster = np.where(turn == 3, CLUSTERS, tastes[persons, np.minimum(turn, 2)])
    items = np.empty(len(persons), np.int64)
    for number in range(CLUSTERS + 1):
        mine = np.flatnonzero(cluster == number)
        # Of a cluster's second items a third is drawn; the last "cluster" is global taste.
        weight = popularity if number == CLUSTERS else popularity * ((first == number) + 0.35 * (second == number))
        items[mine] = rng.choice(shape.items, len(mine), p=weight / weight.sum())
    keys, repeats = np.unique(persons * shape.items + items, return_counts=True)
    return keys // shape.items, keys % shape.items, 1.0 + np.log(repeats)
