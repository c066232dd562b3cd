"""What goes wrong on the way: spoiled, late and re-delivered records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalake.sample.events import HAS_PRICE, NEEDS_ITEM, Events
from personalake.sample.plan import DAY_SECONDS, Dirt, Plan

STATUSES = (
    "good", "bad_time", "unknown_action", "missing_item", "bad_price", "cut_line", "redelivered", "missing_id",
)  # fmt: skip
GOOD, BAD_TIME, UNKNOWN_ACTION, MISSING_ITEM, BAD_PRICE, CUT_LINE, REDELIVERED, MISSING_ID = range(len(STATUSES))
REFUSED = (BAD_TIME, UNKNOWN_ACTION, MISSING_ITEM, BAD_PRICE, CUT_LINE, MISSING_ID)


@dataclass(frozen=True)
class Deliveries:
    """Records as they arrive: number of the event, status, period of the file, second of arrival, whether late,
    whether it is the only copy, and a number that picks a variant of the spoiling.
    """

    event: np.ndarray
    status: np.ndarray
    period: np.ndarray
    arrived: np.ndarray
    late: np.ndarray
    is_single: np.ndarray
    variant: np.ndarray

    def rows(self, index: np.ndarray) -> Deliveries:
        """The deliveries at an index.

        Args:
            index: numbers or a mask.
        """
        return Deliveries(
            self.event[index], self.status[index], self.period[index], self.arrived[index],
            self.late[index], self.is_single[index], self.variant[index],
        )  # fmt: skip


def deliver(plan: Plan, events: Events, rng: np.random.Generator) -> Deliveries:
    """How each event arrives: at most one fault each; only good records are sent twice.

    Args:
        plan: the arguments.
        events: one block's.
        rng: its stream.
    """
    count, dirt = events.count, plan.dirt
    status = _spoil(dirt, events, rng.random(count), rng.random(count))
    day = events.at // DAY_SECONDS
    own = plan.day_periods[day]
    is_late = (status == GOOD) & (rng.random(count) < dirt.late)
    period = np.where(is_late, _later(plan, day, rng.integers(1, 4, count)), own)
    again = np.flatnonzero((status == GOOD) & (rng.random(count) < dirt.redelivered))
    same_file = rng.random(len(again)) < 0.5
    after = np.minimum(period[again] + 1, len(plan.periods) - 1)
    delay = rng.integers(1, 900, len(again))
    event = np.concatenate([np.arange(count), again])
    return Deliveries(
        event=event,
        status=np.concatenate([status, np.full(len(again), REDELIVERED)]),
        period=np.concatenate([period, np.where(same_file, period[again], after)]),
        arrived=np.concatenate([events.at, events.at[again] + delay]),
        late=np.concatenate([period != own, np.zeros(len(again), dtype=bool)]),
        is_single=(status[event] == GOOD) & ~np.isin(event, again),
        variant=rng.integers(0, 2**31, len(event)),
    )


def _spoil(dirt: Dirt, events: Events, draw: np.ndarray, price_draw: np.ndarray) -> np.ndarray:
    status = np.full(events.count, GOOD)
    status[HAS_PRICE[events.kind] & (price_draw < dirt.bad_price)] = BAD_PRICE
    edge = dirt.bad_time + dirt.unknown_action
    status[(draw >= edge) & (draw < edge + dirt.missing_item) & NEEDS_ITEM[events.kind]] = MISSING_ITEM
    status[draw < edge] = UNKNOWN_ACTION
    status[draw < dirt.bad_time] = BAD_TIME
    return status


def _later(plan: Plan, day: np.ndarray, days_late: np.ndarray) -> np.ndarray:
    """Period of a late file: one to three days later, or the next month or year; the last period has no later one."""
    periods: np.ndarray = np.minimum(plan.day_periods[day] + 1, len(plan.periods) - 1)
    if plan.grain == "day":
        periods = plan.day_periods[np.minimum(day + days_late, plan.days - 1)]
    return periods
