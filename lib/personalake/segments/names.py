"""Names and words for segments, from what sets each apart from all persons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personalake.segments.phrases import AVERAGE, UNITS_ZH, amount, phrase
from personalake.segments.placement import Vector
from personalake.segments.prepare import Preparation

NOTABLE = 0.35
"""Deviations from the mean of all persons from which on a feature sets a segment apart."""

NAME_PHRASES = 2
WORD_PHRASES = 5


@dataclass(frozen=True)
class Name:
    """A segment's name in English and Chinese."""

    english: str
    chinese: str


def distinctions(centre: Vector, preparation: Preparation) -> list[tuple[str, bool]]:
    """The features that set a centre apart and whether it has much of them, the strongest first, then by name.

    Args:
        centre: standardised: 0 is the mean of all persons, 1 a deviation.
        preparation: of the same fit.
    """
    found = [(-abs(round(float(z), 9)), name, z > 0) for name, z in zip(preparation.names, centre, strict=True)]
    return [(name, bool(is_high)) for strength, name, is_high in sorted(found) if -strength >= NOTABLE]


def segment_names(
    centres: Vector, preparation: Preparation, kept: Mapping[int, Name], used: Collection[str] = ()
) -> dict[int, Name]:
    """A name for every centre, unlike all others: kept ones first, the rest by what sets them apart.

    A name has the two strongest features; one that is taken gets further features, then a number.

    Args:
        centres: standardised, one row each.
        preparation: of the same fit.
        kept: rows whose name lasts from the last run.
        used: names, English and Chinese, that meant other persons before and are not given again.

    Returns:
        Row of centres to its name.
    """
    names = dict(kept)
    taken = {*used, *(text for name in kept.values() for text in (name.english, name.chinese))}
    for row in range(len(centres)):
        if row in names:
            continue
        name = _free_name(distinctions(centres[row], preparation), taken)
        names[row] = name
        taken |= {name.english, name.chinese}
    return names


def segment_words(centre: Vector, preparation: Preparation) -> tuple[str, str]:
    """What sets a segment apart, with its value and that of all persons, in English and Chinese."""
    here = preparation.in_units(centre)
    usual = preparation.in_units(np.zeros(len(centre)))
    words, words_zh = [], []
    for feature, is_high in distinctions(centre, preparation)[:WORD_PHRASES]:
        english, chinese = phrase(feature, is_high)
        both = here[feature], usual[feature]
        words.append("{} ({}, usually {})".format(english, *[amount(feature, value) for value in both]))
        words_zh.append("{}（{}，通常 {}）".format(chinese, *[amount(feature, value, UNITS_ZH) for value in both]))
    return ("; ".join(words) or AVERAGE[0], "；".join(words_zh) or AVERAGE[1])


def _free_name(apart: Sequence[tuple[str, bool]], taken: set[str]) -> Name:
    for count in range(min(NAME_PHRASES, len(apart)), len(apart) + 1):
        name = _name([phrase(*part) for part in apart[:count]] or [AVERAGE])
        if not taken & {name.english, name.chinese}:
            return name
    number = 2
    while taken & {f"{name.english} ({number})", f"{name.chinese}（{number}）"}:
        number += 1
    return Name(f"{name.english} ({number})", f"{name.chinese}（{number}）")


def _name(parts: Sequence[tuple[str, str]]) -> Name:
    english = ", ".join(english for english, _ in parts)
    return Name(english[0].upper() + english[1:], "、".join(chinese for _, chinese in parts))
