"""A person's tastes by plain loops: shares of decayed events, against everybody's."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

UNIT = 1 << 20
ITEM_KINDS = ("category", "brand", "price_band")
KINDS = (*ITEM_KINDS, "content_word", "search_word")
LIMIT, LEAST = 5, 3


def add_tastes(
    profiles: dict[str, dict[str, Any]],
    by_person: Mapping[str, list[dict[str, Any]]],
    items: Mapping[str, dict[str, Any]],
    as_of: date,
    half_life_days: float,
) -> None:
    """Adds the features of tastes to each person's profile."""
    for kind in KINDS:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        masses: dict[str, Counter[str]] = defaultdict(Counter)
        for person, events in by_person.items():
            for event in events:
                age = (as_of - event["event_date"]).days - 1
                mass = max(1, math.floor(UNIT * 0.5 ** (age / half_life_days) + 0.5))
                for name in _names(kind, event, items):
                    counts[person][name] += 1
                    masses[person][name] += mass
        everybody: Counter[str] = Counter()
        for mass in masses.values():
            everybody.update(mass)
        for person, profile in profiles.items():
            profile.update(_tastes(kind, counts[person], masses[person], everybody))


def words(text: str | None) -> list[str]:
    """The distinct words of a text."""
    found = re.split(r"[^\w]+", (text or "").lower())
    return list(dict.fromkeys(w for w in found if 2 <= len(w) <= 40 and not re.search(r"\d{5}", w)))


def _names(kind: str, event: dict[str, Any], items: Mapping[str, dict[str, Any]]) -> list[str]:
    if kind == "search_word":
        return words(event["query"]) if event["event_type"] == "search" else []
    item = items.get(event["item_id"], {})
    if kind == "content_word":
        return words(item.get("title"))
    return [item[kind]] if item.get(kind) else []


def _tastes(kind: str, counts: Counter[str], masses: Counter[str], everybody: Counter[str]) -> dict[str, Any]:
    whole, common = masses.total(), everybody.total()
    ranked = sorted(masses, key=lambda name: (-masses[name], name))[:LIMIT]
    shares = {name: masses[name] / whole for name in masses}
    lifts = {name: shares[name] / (everybody[name] / common) for name in masses}
    often = [name for name in masses if counts[name] >= LEAST]
    favoured = min(often, key=lambda name: (-(masses[name] / (everybody[name] / common)), name), default=None)
    found: dict[str, Any] = {
        f"{kind}_tastes": [(n, shares[n], lifts[n], counts[n]) for n in ranked],
        f"favoured_{kind}": favoured,
        f"favoured_{kind}_score": lifts.get(favoured) if favoured else None,
        f"favoured_{kind}_count": counts[favoured] if favoured else 0,
    }
    if kind not in ITEM_KINDS:
        return found
    top = min(counts, key=lambda name: (-counts[name], name), default=None)
    return {
        **found,
        f"top_{kind}": top,
        f"top_{kind}_share": counts[top] / counts.total() if top else None,
        f"{kind}_count": len(counts),
        f"{kind}_variety_score": 1 - sum((c / counts.total()) ** 2 for c in counts.values()) if counts else None,
    }
