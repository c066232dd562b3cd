"""Deskdrop's ranking protocol: 80/20 per person, the positive among 100 articles the person never met."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from support.deskdrop_logs import events

FEWEST_ITEMS = 5
TEST_SHARE = 0.2
UNSEEN = 100


class Trial(NamedTuple):
    """train: person_id, item_id, weight. asked: trial (one per positive), person_id, item_id, is_positive."""

    train: pd.DataFrame
    asked: pd.DataFrame


def weighted_pairs() -> pd.DataFrame:
    """person_id, item_id, weight = log2(1 + Σ strength), of persons with five or more articles."""
    pairs = events().groupby(["person_id", "item_id"], as_index=False)["strength"].sum()
    pairs["weight"] = np.log2(1 + pairs.pop("strength"))
    sizes = pairs.groupby("person_id")["item_id"].transform("size")
    return pairs[sizes >= FEWEST_ITEMS].reset_index(drop=True)


def trial(pairs: pd.DataFrame, seed: int) -> Trial:
    """One random split and its questions."""
    rng = np.random.default_rng(seed)
    place = pd.Series(rng.permutation(len(pairs))).groupby(pairs["person_id"]).rank(method="first")
    sizes = pairs.groupby("person_id")["item_id"].transform("size")
    is_test = place <= np.maximum(1, np.round(sizes * TEST_SHARE))
    test = pairs[is_test].reset_index(drop=True)
    asked = _questions(test, pairs, rng)
    return Trial(pairs[~is_test].reset_index(drop=True), asked)


def _questions(test: pd.DataFrame, pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    codes, items = pd.factorize(pairs["item_id"], sort=True)
    seen = pd.Series(codes).groupby(pairs["person_id"].to_numpy()).agg(set).to_dict()
    positives = np.searchsorted(items, test["item_id"])
    blocks = []
    for person, positive in zip(test["person_id"], positives, strict=True):
        draws = dict.fromkeys(rng.integers(0, len(items), 6 * UNSEEN).tolist())
        blocks.append([positive, *[code for code in draws if code not in seen[person]][:UNSEEN]])
    lengths = [len(block) for block in blocks]
    asked = pd.DataFrame({"trial": np.repeat(np.arange(len(test)), lengths)})
    asked["person_id"] = np.repeat(test["person_id"].to_numpy(), lengths)
    asked["item_id"] = np.asarray(items)[np.concatenate(blocks)]
    return asked.assign(is_positive=~asked.duplicated("trial"))


def recall_at(scored: pd.DataFrame, ks: tuple[int, ...] = (5, 10)) -> tuple[float, ...]:
    """The share of trials whose positive is among the first k of its 101; an unknown score is last, ties are even odds.

    Args:
        scored: trial, is_positive, score.
    """
    scores = scored["score"].astype(float).fillna(-np.inf)
    own = scored.assign(score=scores)[scored["is_positive"]].set_index("trial")["score"]
    mine = scored["trial"].map(own)
    above = (scores > mine).groupby(scored["trial"]).sum()
    tied = ((scores == mine) & ~scored["is_positive"]).groupby(scored["trial"]).sum()
    return tuple(float(np.clip((k - above) / (tied + 1), 0, 1).mean()) for k in ks)
