"""What a source's day should be like, from its own past: the same weekday's events, and how they usually spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WEEK = 7
_LEAST_DAYS = 7
_LEAST_SAME = 3
_LEAST_SAME_OF_PAST = 2
# The median of absolute deviations times this is the standard deviation of a normal distribution.
_NORMAL = 1.4826
# Above it a day's standard deviation is more than its mean: such a past tells what a day can be, not what it is.
_WILDEST = 1.0


@dataclass(frozen=True)
class Usual:
    """What a day should be like.

    Args:
        low: events of a usual day, or of the least one where the past does not tell what is usual.
        high: the same of the greatest one.
        spread: variance beyond that of chance, as a share of the squared mean; 0 is events that come by chance alone.
        is_weekday: whether it is the same weekday's; else it is the least and the greatest of the days before.
    """

    low: float
    high: float
    spread: float = 0.0
    is_weekday: bool = True


def usual_days(counts: Sequence[int], days: int) -> list[Usual | None]:
    """What each day should be like, from the days before it alone.

    The usual is the median of the same weekday's events; the spread is that of the days before around theirs, by the
    median of absolute deviations, so that a few odd days count little. Where fewer than three of the same weekday are
    known, or the days before spread more than they count, nothing is usual: then only what goes beyond every day
    before is news.

    Args:
        counts: events of each day from the source's first on, days without any among them.
        days: how many days before a day tell what it should be like, a week or more [d].

    Returns:
        One for each day; None where there is less than a week before it.
    """
    same = [counts[place - WEEK :: -WEEK][: days // WEEK] if place >= WEEK else () for place in range(len(counts))]
    expected = [median(past) if len(past) >= _LEAST_SAME_OF_PAST else None for past in same]
    return [_usual(counts, place, same[place], expected, days) for place in range(len(counts))]


def _usual(
    counts: Sequence[int], place: int, same: Sequence[int], expected: Sequence[float | None], days: int
) -> Usual | None:
    past = range(max(0, place - days), place)
    if len(past) < _LEAST_DAYS:
        return None
    # A day without any event tells that the feed was broken, not how its days spread.
    known = [(counts[n], mean) for n in past if counts[n] and (mean := expected[n])]
    if len(same) >= _LEAST_SAME and len(known) >= _LEAST_DAYS:
        spread = _spread(known)
        if spread <= _WILDEST:
            return Usual(median(same), median(same), spread)
    before = [counts[n] for n in past]
    return Usual(min(before), max(before), is_weekday=False)


def _spread(known: Sequence[tuple[int, float]]) -> float:
    """How far days lie from what was expected of them, less what chance alone explains; 0 or more."""
    deviation = _NORMAL * median(abs(count / mean - 1) for count, mean in known)
    return max(0.0, deviation**2 - median(1 / mean for _, mean in known))


def chance_of_at_most(count: int, mean: float, spread: float) -> float:
    """How likely a day has so few events or fewer.

    Events of a usual day follow a negative binomial, which without spread is a Poisson. A day without any event is
    measured as if there were no spread: however unsteady a source, silence is what a broken feed sounds like.
    """
    from scipy.special import betainc, pdtr  # costs a second of every command, and few days ask

    if count <= 0 or spread <= 0:
        return math.exp(-mean) if count <= 0 else float(pdtr(count, mean))
    return float(betainc(1 / spread, count + 1, 1 / (1 + spread * mean)))


def chance_of_at_least(count: int, mean: float, spread: float) -> float:
    """How likely a day has so many events or more."""
    from scipy.special import betainc, pdtrc

    if count <= 0:
        return 1.0
    if spread <= 0:
        return float(pdtrc(count - 1, mean))
    return float(betainc(count, 1 / spread, spread * mean / (1 + spread * mean)))


def chance_of_share(count: int, of: int, share: float) -> float:
    """How likely so many or more of some events are of a kind that has a share of all; 0 where it has none."""
    from scipy.special import bdtrc

    return float(bdtrc(count - 1, of, share)) if count > 0 and share < 1 else 1.0
