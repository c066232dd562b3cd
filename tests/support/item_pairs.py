"""Seeded interactions, and how alike items are by loops and libraries: what every plan of the product must equal."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics.pairwise import cosine_similarity

from personalake.recommend import ItemCosine

# item, neighbour, similarity, rank
Row = tuple[str, str, float, int]


def seeded_pairs(seed: int, persons: int = 60, items: int = 40) -> pd.DataFrame:
    """person_id, item_id, weight (halves from 0.5 to 5, so that some columns are flat and some pairs tie)."""
    rng = np.random.default_rng(seed)
    drawn = zip(rng.integers(0, persons, 500), rng.zipf(1.3, 500) % items, strict=True)
    pairs = sorted({(int(person), int(item)) for person, item in drawn})
    frame = pd.DataFrame([(f"p{p:03d}", f"i{i:03d}") for p, i in pairs], columns=["person_id", "item_id"])
    return frame.assign(weight=rng.integers(1, 11, len(frame)) / 2)


def even_pairs() -> pd.DataFrame:
    """Ratings whose means are no float: items that all rate .1, and two that share the one person at their mean.

    Only `up` and `too` are alike by Pearson over all means.
    """
    rows = [(f"p{p}", item, 0.1) for item in ("flat", "same") for p in range(3)]
    rows += [(p, "left", w) for p, w in (("p0", 0.1), ("q0", 0.2), ("q1", 0.3))]
    rows += [(p, "right", w) for p, w in (("q2", 0.1), ("q0", 0.2), ("q3", 0.3))]
    rows += [(f"r{n}", item, w) for item in ("up", "too") for n, w in enumerate((0.1, 0.4, 0.9))]
    return pd.DataFrame(rows, columns=["person_id", "item_id", "weight"])


def expected_neighbours(pairs: pd.DataFrame, settings: ItemCosine) -> list[Row]:
    """Each item's neighbours: by falling similarity at 9 decimals, then by id."""
    table = weighted_table(pairs, settings.weights)
    shared = (table.notna().astype(int).T @ table.notna().astype(int)).to_numpy()
    alike = _alike(table, settings, shared)
    names = list(table.columns)
    rows: list[Row] = []
    for item, name in enumerate(names):
        scores = np.rint(alike[item] * 1e9) / 1e9
        others = [n for n in range(len(names)) if n != item and shared[item, n] >= settings.min_co_count]
        others = [n for n in others if shared[item, n] > 0 and scores[n] > 0]
        order = sorted(others, key=lambda n: (-scores[n], names[n]))[: settings.neighbours]
        rows += [(name, names[n], float(alike[item, n]), rank) for rank, n in enumerate(order, 1)]
    return rows


def weighted_table(pairs: pd.DataFrame, weights: str) -> pd.DataFrame:
    """Persons × items of what each entry counts; NaN where a person has not met an item."""
    table = pairs.pivot(index="person_id", columns="item_id", values="weight").sort_index(axis=1)
    if weights == "raw":
        return table
    if weights == "unit":
        return table.where(table.isna(), 1.0)
    if weights == "log":
        return np.log1p(table)
    # Items are the documents, persons the terms.
    idf = TfidfTransformer(smooth_idf=True, norm=None).fit(table.fillna(0).T.to_numpy()).idf_ - 1
    if weights == "tfidf":
        return np.sqrt(table).mul(idf, axis=0)
    length = table.sum() / table.sum().mean()
    return (table * 101.0 / (100.0 * (0.2 + 0.8 * length) + table)).mul(idf, axis=0)


def _alike(table: pd.DataFrame, settings: ItemCosine, shared: np.ndarray) -> np.ndarray:
    filled = table.fillna(0).to_numpy()
    counts = table.notna().sum().to_numpy().astype(float)
    if settings.measure == "cosine":
        norms = np.sqrt((filled**2).sum(axis=0))
        damped = np.outer(norms, norms) / (np.outer(norms, norms) + settings.shrink)
        return np.asarray(cosine_similarity(filled.T) * damped)
    if settings.measure == "jaccard":
        return np.asarray(shared / (counts[:, None] + counts[None, :] - shared + settings.shrink))
    if settings.measure == "conditional":
        return np.asarray(shared / (counts[:, None] + settings.shrink))
    if settings.measure == "pearson" and settings.mean == "co_rated":
        return np.nan_to_num(table.corr(min_periods=1).to_numpy())
    by_pair = {"llr": _llr, "euclidean": _near, "pearson": _centred}[settings.measure]
    alike = np.zeros(shared.shape)
    for a, b in combinations(range(len(counts)), 2):
        if shared[a, b]:
            alike[a, b] = alike[b, a] = by_pair(table, a, b)
    return alike


def _llr(table: pd.DataFrame, a: int, b: int) -> float:
    left, right = table.iloc[:, a].notna(), table.iloc[:, b].notna()
    cells = np.array([[(left & right).sum(), (left & ~right).sum()], [(~left & right).sum(), (~left & ~right).sum()]])
    together = cells[0, 0] * len(table) > left.sum() * right.sum()
    if not together or 0 in cells.sum(axis=0) or 0 in cells.sum(axis=1):
        return 0.0
    return float(chi2_contingency(cells, correction=False, lambda_="log-likelihood")[0])


def _near(table: pd.DataFrame, a: int, b: int) -> float:
    gaps = (table.iloc[:, a] - table.iloc[:, b]).dropna()
    return float(1 / (1 + np.linalg.norm(gaps)))


def _centred(table: pd.DataFrame, a: int, b: int) -> float:
    columns = table - table.mean()
    both = columns.iloc[:, [a, b]].dropna().to_numpy()
    norms = np.linalg.norm(both, axis=0)
    return float(both[:, 0] @ both[:, 1] / norms.prod()) if norms.all() else 0.0
