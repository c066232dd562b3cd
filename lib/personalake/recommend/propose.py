"""Candidates of all algorithms as one list per person, and which of them rules remove."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.blend import blend
from personalake.recommend.checks import PAIR
from personalake.recommend.learned import Ranker
from personalake.recommend.model import Fitted
from personalake.recommend.request import Request
from personalake.recommend.rules.exclusions import RULE, with_boost, with_removing_rule
from personalake.recommend.settings import Recommend
from personalake.recommend.top import top_candidates

DEEPER = 2
"""Where rules speak of persons or change scores, lists of candidates are so many times as long before they do."""


def proposed_items(
    fitted: Mapping[str, Fitted],
    settings: Recommend,
    request: Request,
    ranker: Ranker | None = None,
) -> DataFrame:
    """What each person may be suggested: everybody's candidates, blended, after the rules. Put them down.

    What nobody is suggested and what a person has met is masked before an algorithm cuts its list. Rules that speak of
    item and person remove candidates afterwards, and promotions lift them, in lists twice as deep.

    Args:
        fitted: the algorithms by name; those that need a catalogue are not there where there is none.
        settings: the section recommend, the one fitted with.
        request: persons, items and rules.
        ranker: what `build.fit_blend` gave, for the method learned; without it, or not trained, reciprocal_rank blends.

    Returns:
        person_id, item_id, score (≥ 0), source (the algorithm with the largest share), rule_code: null, or the rule
        that removes the candidate: those rows are there to be counted.
    """
    changes_much = request.rules.pair_exclusions or request.rules.boosts
    depth = settings.candidates * (DEEPER if changes_much else 1)
    mask = masked_pairs(fitted, settings, request)
    closed = _closed(mask, request)
    lists = {
        name: fitted[name].candidates(request.personal, depth, exclude=mask, unavailable=closed)
        for name in settings.blended
        if name in fitted
    }
    if settings.blend.method == "learned" and ranker is not None and ranker.is_trained:
        known = request.interactions
        interactions = fitted[settings.fallback].interactions if known is None else known
        blended = ranker.rank(lists, interactions, request.items, depth)
    else:
        method = "reciprocal_rank" if settings.blend.method == "learned" else settings.blend.method
        weights = {name: weight for name, weight in settings.blend.weights.items() if name in lists}
        blended = blend(lists, weights, method, depth)
    # What is closed is masked already, and counted by item.
    ruled = with_removing_rule(blended, request.rules, request.known_persons, request.items)
    boosted = with_boost(ruled, request.rules, request.known_persons, request.items, request.as_of)
    return boosted.select(*PAIR, "score", "source", RULE)


def proposed_alone(model: Fitted, mask: DataFrame, request: Request, limit: int) -> DataFrame:
    """What one algorithm would suggest without the others, of what the rules let stand: no promotion, pin or cap.

    Args:
        model: one of the fitted algorithms.
        mask: what `masked_pairs` gave.
        request: persons, items and rules.
        limit: list length, ≥ 1.

    Returns:
        person_id, item_id, score, candidate_rank, as `Fitted.candidates`.
    """
    depth = limit * (DEEPER if request.rules.pair_exclusions else 1)
    found = model.candidates(request.ids, depth, exclude=mask, unavailable=_closed(mask, request))
    if not request.rules.pair_exclusions:
        return found
    ruled = with_removing_rule(found, request.rules, request.known_persons, request.items)
    return top_candidates(ruled.where(F.col(RULE).isNull()), limit)


def masked_pairs(fitted: Mapping[str, Fitted], settings: Recommend, request: Request) -> DataFrame:
    """person_id, item_id never to suggest, as `Request.mask`: what was seen is what the algorithms were fitted on."""
    return request.mask(fitted[settings.fallback].interactions, settings.exclude_seen)


def _closed(like: DataFrame, request: Request) -> DataFrame | None:
    """item_id of what nobody is suggested; None where no rule closes an item."""
    is_closing = request.items is not None and request.rules.item_exclusions
    return request.closed(like).select("item_id") if is_closing else None
