"""What conf can say, and what it cannot."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from personalake.recommend import Als, ItemCosine
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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"algorithms": {"x": {"kind": "ease"}}}, "item_cosine"),
        ({"fallback": "als"}, "fallback: als is no algorithm of kind popular"),
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


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Als().rank = 3  # type: ignore[misc]
