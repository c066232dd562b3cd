"""Evaluation: how good lists are, against what people then did."""

from personalake.evaluate.beyond_accuracy import coverage, gini, novelty
from personalake.evaluate.metrics import METRICS, per_person_metrics, ranking_metrics, ranking_metrics_with_intervals
from personalake.evaluate.random_lists import random_recommender
from personalake.evaluate.split import relevant_pairs, split_by_time

__all__ = [
    "METRICS",
    "coverage",
    "gini",
    "novelty",
    "per_person_metrics",
    "random_recommender",
    "ranking_metrics",
    "ranking_metrics_with_intervals",
    "relevant_pairs",
    "split_by_time",
]
