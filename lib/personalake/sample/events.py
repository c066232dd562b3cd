"""One block's events as arrays, from visits and looks: the funnel, and what goes along with it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

TYPES = (
    "view", "search", "cart", "buy", "refund", "favourite", "rate",
    "survey", "impression", "click", "load", "error", "open",
)  # fmt: skip
VIEW, SEARCH, CART, BUY, REFUND, FAVOURITE, RATE, SURVEY, IMPRESSION, CLICK, LOAD, ERROR, OPEN = range(len(TYPES))
NEEDS_ITEM = np.isin(np.arange(len(TYPES)), (VIEW, CART, BUY, REFUND, FAVOURITE, RATE, IMPRESSION, CLICK))
HAS_PRICE = np.isin(np.arange(len(TYPES)), (CART, BUY, REFUND))
NONE = -1


@dataclass(frozen=True)
class Events:
    """Events as arrays; −1 stands for none.

    Attributes:
        visit: number of the visit.
        kind: index into TYPES.
        at: seconds since the first business midnight.
        item: item number.
        amount: money after discount, in cents.
        discount: in cents.
        quantity: pieces.
        value: stars (rate, survey), milliseconds (load), index into ERRORS (error).
        query: index into the list of queries.
        hits: results of a search.
        order: number of the visit that ordered.
        position: place in a list, from 1.
    """

    visit: np.ndarray
    kind: np.ndarray
    at: np.ndarray
    item: np.ndarray
    amount: np.ndarray
    discount: np.ndarray
    quantity: np.ndarray
    value: np.ndarray
    query: np.ndarray
    hits: np.ndarray
    order: np.ndarray
    position: np.ndarray

    @property
    def count(self) -> int:
        """Number of events."""
        return len(self.visit)

    def rows(self, index: np.ndarray) -> Events:
        """The events at an index, in its order.

        Args:
            index: numbers or a mask.
        """
        return Events(*(getattr(self, field.name)[index] for field in fields(Events)))


def some_events(kind: int, visit: np.ndarray, at: np.ndarray, **columns: np.ndarray) -> Events:
    """Events of one kind; columns not given are −1.

    Args:
        kind: index into TYPES.
        visit: number of the visit.
        at: seconds since the first business midnight.
        columns: any others.
    """
    none = np.full(len(visit), NONE, dtype=np.int64)
    given = {"visit": visit, "kind": np.full(len(visit), kind), "at": at, **columns}
    return Events(*(given.get(field.name, none).astype(np.int64) for field in fields(Events)))


def all_events(parts: list[Events]) -> Events:
    """Parts put together.

    Args:
        parts: at least one.
    """
    return Events(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Events)))


def only_distinct(events: Events, device: np.ndarray) -> Events:
    """No two events of a device with the same second, kind and item, so that nothing is merged wrongly later.

    Sorted by device, second, kind, item; the first of equals stays.

    Args:
        events: any order.
        device: device number of each event.
    """
    order = np.lexsort((events.visit, events.item, events.kind, events.at, device))
    keys = [column[order] for column in (device, events.at, events.kind, events.item)]
    same = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return events.rows(order[np.concatenate([[True], ~same])] if len(order) else order)
