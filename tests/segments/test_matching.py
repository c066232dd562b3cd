"""Matching and naming without Spark."""

from __future__ import annotations

import numpy as np

from personalake.segments.match import OldSegment, match_segments
from personalake.segments.names import Name, segment_names, segment_words
from personalake.segments.phrases import PHRASES, phrase
from personalake.segments.prepare import Preparation, PreparedFeature
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.segments import SEGMENT_FEATURES

PREPARATION = Preparation(
    (
        PreparedFeature("recency_days", False, 0.0, 1e9, 10.0, 5.0),
        PreparedFeature("night_share", False, 0.0, 1.0, 0.2, 0.1),
    )
)


def old(name: str, recency: float, night: float) -> OldSegment:
    return OldSegment(name, name, name, {"recency_days": recency, "night_share": night})


def test_the_nearest_pairs_are_the_same_segments() -> None:
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    found = match_segments(centres, [old("b", 25.0, 0.2), old("a", 10.5, 0.2)], PREPARATION, limit=1.0)
    assert {row: match.old.segment_id for row, match in found.items()} == {0: "a", 1: "b"}
    assert found[0].distance == round(0.1 / np.sqrt(2), 9)


def test_a_far_pair_does_not_draw_a_centre_away() -> None:
    """Row 0 lies on x; row 1 is within reach of x alone: it is new, and row 0 stays x."""
    centres = np.array([[0.0, 0.0], [1.0, 0.0]])
    found = match_segments(centres, [old("x", 10.0, 0.2), old("y", 4.0, 0.2)], PREPARATION, limit=1.0)
    assert {row: match.old.segment_id for row, match in found.items()} == {0: "x"}


def test_features_that_one_run_does_not_know_do_not_count() -> None:
    centres = np.array([[0.2, 5.0]])
    known = OldSegment("a", "a", "a", {"recency_days": 10.0})
    strange = OldSegment("b", "b", "b", {"tv_share": 1.0})
    found = match_segments(centres, [known, strange], PREPARATION, limit=1.0)
    assert (found[0].old.segment_id, found[0].distance) == ("a", 0.2)
    assert match_segments(centres, [strange], PREPARATION, limit=1.0) == {}
    assert match_segments(centres, [], PREPARATION, limit=1.0) == {}


def test_names_are_unlike_each_other_and_kept_ones_stay() -> None:
    centres = np.array([[2.0, 1.0], [2.1, 0.9], [0.0, 0.1], [0.1, 0.0], [-1.0, 0.0]])
    names = segment_names(centres, PREPARATION, {1: Name("Long away, night owls", "x")})
    english = [names[row].english for row in range(5)]
    assert english == [
        "Long away, night owls (2)",
        "Long away, night owls",
        "Average visitors",
        "Average visitors (2)",
        "Recently here",
    ]
    assert len({name.chinese for name in names.values()}) == 5


def test_a_new_segment_never_gets_a_name_that_meant_others() -> None:
    centres = np.array([[2.0, 1.0], [2.1, 0.9]])
    used = {"Long away, night owls", "久未到访、夜间活跃 3", "Long away, night owls (2)"}
    names = segment_names(centres, PREPARATION, {}, used)
    assert [names[row].english for row in range(2)] == ["Long away, night owls (3)", "Long away, night owls (4)"]


def test_words_give_the_value_and_the_usual_one() -> None:
    words, words_zh = segment_words(np.array([2.0, -1.0]), PREPARATION)
    assert words == "long away (20.0 d, usually 10.0 d); by day (10 %, usually 20 %)"
    assert words_zh == "久未到访（20.0 天，通常 10.0 天）；日间活跃（10 %，通常 20 %）"


def test_every_default_feature_has_phrases() -> None:
    assert set(SEGMENT_FEATURES) <= PHRASES.keys() <= FEATURE_BY_NAME.keys()
    texts = [text for p in PHRASES.values() for text in (p.high, p.high_zh, p.low, p.low_zh)]
    assert len(texts) == len(set(texts))


def test_a_feature_without_phrases_is_called_by_its_title() -> None:
    assert phrase("click_count", True) == ("high click_count", "点击数高")
    assert phrase("order_count_30d", False) == ("low order_count_30d", "近 30 天订单数低")
