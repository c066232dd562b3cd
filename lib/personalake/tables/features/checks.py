"""The check that a catalogue of features holds together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from personalake.errors import ConfigError, Fault, near_miss
from personalake.tables.features.spec import INPUTS, Feature, Rows, Total, names_in


def checked(features: Sequence[Feature], rows: Mapping[str, Rows]) -> tuple[Feature, ...]:
    """The catalogue, where it holds together.

    Args:
        features: the catalogue.
        rows: kinds of rows that totals may name.

    Raises:
        ConfigError: with every feature that is declared twice, names what is not there, or needs itself.
    """
    faults = [*_twice(features), *_unknown(features, rows), *_cycles(features)]
    if faults:
        raise ConfigError(*faults)
    return tuple(features)


def _twice(features: Sequence[Feature]) -> Iterator[Fault]:
    names = [feature.name for feature in features]
    for name in dict.fromkeys(names):
        if (count := names.count(name)) > 1:
            yield Fault(f"feature {name}", f"is declared {count} times.", "Keep one, or call the others otherwise.")


def _unknown(features: Sequence[Feature], rows: Mapping[str, Rows]) -> Iterator[Fault]:
    known = [*(feature.name for feature in features), *INPUTS]
    for feature in features:
        where, how = f"feature {feature.name}", feature.how
        if isinstance(how, str) and not how:
            yield Fault(where, "says not how it is computed.", "Give it a total, a formula or a builder.")
        elif isinstance(how, Total) and how.rows not in rows:
            yield Fault(where, f"is a total over {how.rows} rows, which do not exist.", near_miss(how.rows, rows))
        elif isinstance(how, Total):
            columns = rows[how.rows].names
            for name in (n for n in names_in(how.number) if n not in columns):
                yield Fault(where, f"adds up {name}, which {how.rows} rows have not.", near_miss(name, columns))
        for name in (n for n in feature.needs if n not in known):
            yield Fault(where, f"needs {name}, which is no feature.", near_miss(name, known))


def _cycles(features: Sequence[Feature]) -> Iterator[Fault]:
    """Each feature that needs itself by way of others, told once by the first of them."""
    needs = {feature.name: feature.needs for feature in features}
    told: set[str] = set()
    for name in needs:
        way = [] if name in told else _way_back(name, needs)
        if way:
            told.update(way)
            yield Fault(f"feature {name}", f"needs itself: {' → '.join([*way, name])}.", "Break the circle.")


def _way_back(name: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a feature to itself; empty where there is none."""
    ways, seen = deque([[name]]), set[str]()
    while ways:
        way = ways.popleft()
        for needed in needs.get(way[-1], ()):
            if needed == name:
                return way
            if needed not in seen:
                seen.add(needed)
                ways.append([*way, needed])
    return []
