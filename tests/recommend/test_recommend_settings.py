"""What conf can say, and what it cannot."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from personalake.recommend import Als, ItemCosine, UserKnn
from personalake.recommend.settings import Recommend


def test_conf_names_algorithms_by_kind() -> None:
    settings = Recommend.model_validate(
        {
            "algorithms": {"near": {"kind": "item_cosine", "neighbours": 9}, "hot": {"kind": "popular"}},
            "fallback": "hot",
        }
    )
    assert settings.algorithms["near"] == ItemCosine(neighbours=9)
    assert settings.blended == ("near",)


def test_defaults_blend_all_but_the_fallback() -> None:
    assert Recommend().blended == ("item_cosine", "als")
    assert Recommend(blend={"weights": {"popular": 0.1, "als": 0}}).blended == ("item_cosine", "popular")


def test_short_lists_are_filled_up_in_order_and_from_the_list_of_everybody_last() -> None:
    algorithms = {
        "als": {"kind": "als"},
        "near": {"kind": "popular", "within": "region"},
        "rising": {"kind": "trending"},
        "popular": {"kind": "popular"},
    }
    settings = Recommend.model_validate({"algorithms": algorithms, "fallbacks": ["rising", "popular", "near"]})
    assert settings.chain == ("rising", "near", "popular")
    assert settings.blended == ("als",)
    assert Recommend().chain == ("popular",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"algorithms": {"x": {"kind": "svd"}}}, "item_cosine"),
        ({"fallback": "als"}, "fallback: als is no algorithm of kind popular"),
        ({"fallbacks": ["als"]}, "fallbacks: als is no algorithm of kind popular or trending"),
        (
            {"algorithms": {"als": {"kind": "als"}, "popular": {"kind": "popular", "within": "region"}}},
            "fallback: popular is not for everybody, but within region",
        ),
        ({"rerank": {"mmr_lambda": 1.5}}, "less than or equal to 1"),
        ({"blend": {"method": "learnt"}}, "'learned'"),
        ({"blend": {"weights": {"alz": 1.0}}}, "blend.weights.alz names no algorithm"),
        ({"blend": {"weights": {"als": -1.0}}}, "weights from 0"),
        ({"blend": {"weights": {"als": 0, "item_cosine": 0}}}, "none is left to blend"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"limits": 5}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Recommend.model_validate(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"measure": "llr", "shrink": 1},
            "shrink 1 does nothing to measure llr: leave it at 0, or take measure cosine",
        ),
        ({"measure": "pearson", "shrink": 0.5}, "shrink 0.5 does nothing to measure pearson"),
        ({"measure": "euclidean", "shrink": 2}, "shrink 2 does nothing to measure euclidean"),
        ({"measure": "jaccard", "weights": "log"}, "weights log do nothing to measure jaccard, which counts persons"),
        ({"measure": "conditional", "weights": "bm25"}, "weights bm25 do nothing to measure conditional"),
        ({"measure": "llr", "weights": "tfidf", "shrink": 1}, "shrink 1 does .* llr: .*; weights tfidf do .* llr"),
        ({"kind": "user_knn", "shrink": 1}, "shrink 1 does nothing to measure pearson: leave it at 0"),
    ],
)
def test_options_without_effect_are_refused(given: dict, said: str) -> None:
    near = {"kind": "item_cosine"} | given
    with pytest.raises(ValidationError, match=said) as caught:
        Recommend.model_validate({"algorithms": {"near": near, "popular": {"kind": "popular"}}})
    assert caught.value.error_count() == 1


def test_options_with_effect_are_taken() -> None:
    for measure in ("cosine", "jaccard", "conditional"):
        assert ItemCosine(measure=measure, shrink=1.0).shrink == 1.0
    for weights in ("raw", "unit"):
        assert ItemCosine(measure="llr", weights=weights).weights == weights
    assert UserKnn(measure="cosine", shrink=1.0).shrink == 1.0


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Als().rank = 3  # type: ignore[misc]
