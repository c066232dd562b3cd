"""What one task makes: a block of persons with all their records, or a part of the catalogue, packed by file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from personalake.sample.block import Block
from personalake.sample.catalogue import Catalogue
from personalake.sample.dirt import deliver
from personalake.sample.events import Events
from personalake.sample.funnel import make_events
from personalake.sample.people import device_ids, make_people
from personalake.sample.plan import PLATFORMS, Plan
from personalake.sample.records import Records
from personalake.sample.registers import (
    Lines,
    catalogue_lines,
    consent_lines,
    customer_lines,
    device_lines,
    person_lines,
)
from personalake.sample.shapes_json import android_lines, ios_lines, tv_lines
from personalake.sample.shapes_table import mini_columns
from personalake.sample.shapes_text import tablet_lines, web_lines
from personalake.sample.visits import GENERATIONS, Visits

ITEMS_PER_PART = 5000
TRUTH_DEVICES, TRUTH_PERSONS = "truth/devices", "truth/persons"
_LINES: dict[str, Callable[[Records], pa.Array]] = {
    "web": web_lines,
    "ios": ios_lines,
    "android": android_lines,
    "tablet": tablet_lines,
    "tv": tv_lines,
}


def make_part(plan: Plan, catalogue: Catalogue, part: int) -> Iterator[tuple[str, pa.Table]]:
    """Records of one part by source: period, arrival [s], status, late, kind, amount, and the text or columns.

    Args:
        plan: the arguments.
        catalogue: all items.
        part: below plan.blocks a block of persons, from there on a part of the catalogue.
    """
    if part < plan.blocks:
        yield from _persons_part(plan, catalogue, part)
        return
    first = (part - plan.blocks) * ITEMS_PER_PART
    items = range(first, min(first + ITEMS_PER_PART, plan.items))
    yield "catalogue", _register(plan, catalogue_lines(plan, catalogue, items, plan.stream("versions", part)))


def part_count(plan: Plan) -> int:
    """Number of parts of a plan.

    Args:
        plan: the arguments.
    """
    return plan.blocks + -(-plan.items // ITEMS_PER_PART)


def _persons_part(plan: Plan, catalogue: Catalogue, number: int) -> Iterator[tuple[str, pa.Table]]:
    people = make_people(plan, number)
    visits, events, device = make_events(plan, catalogue, people, plan.stream("events", number))
    used = np.unique(device * people.count + visits.person[events.visit])
    numbers = np.unique(device)
    keys = np.stack([numbers // GENERATIONS // 6, numbers // GENERATIONS % 6, numbers % GENERATIONS], axis=1)
    names = dict(zip(numbers.tolist(), device_ids(plan, keys, people.first), strict=True))
    platforms = {number: (PLATFORMS[number // GENERATIONS % 6], name) for number, name in names.items()}
    accounts = [_account(login) for login in people.logins]
    block = Block(plan, number, catalogue, people, visits, events, _entries(visits, events), names, accounts)
    deliveries = deliver(plan, events, plan.stream("dirt", number))
    platform = visits.platform[events.visit[deliveries.event]]
    for index, source in enumerate(PLATFORMS):
        records = Records(block, deliveries.rows(platform == index))
        columns = {"line": _LINES[source](records)} if source in _LINES else mini_columns(records)
        yield source, _table(records, columns)
    rng = plan.stream("registers", number)
    yield "customers", _register(plan, customer_lines(plan, people, rng))
    yield "consents", _register(plan, consent_lines(plan, people, rng))
    yield TRUTH_PERSONS, _register(plan, person_lines(plan, people))
    yield TRUTH_DEVICES, _register(plan, device_lines(people, used, platforms))


def _account(login: str) -> str:
    """The television's word for a login: its SHA-256."""
    return hashlib.sha256(login.encode()).hexdigest()


def _entries(visits: Visits, events: Events) -> np.ndarray:
    """Which events open their visit."""
    first = np.lexsort((np.arange(events.count), events.at, events.visit))
    opens = np.ones(events.count, dtype=bool)
    opens[first[1:]] = events.visit[first[1:]] != events.visit[first[:-1]]
    return opens


def _table(records: Records, columns: dict[str, pa.Array]) -> pa.Table:
    deliveries = records.deliveries
    return pa.table(
        {
            "period": deliveries.period.astype(np.int32),
            "arrived": deliveries.arrived,
            "status": deliveries.status.astype(np.int8),
            "late": deliveries.late,
            "is_single": deliveries.is_single,
            "kind": records.events.kind.astype(np.int8),
            "amount": np.where(records.has_amount, records.events.amount, 0),
            **columns,
        }
    )


def _register(plan: Plan, lines: Lines) -> pa.Table:
    day = np.array(lines.day, dtype=np.int64)
    none = np.zeros(len(day), dtype=np.int64)
    return pa.table(
        {
            "period": plan.register_period(day).astype(np.int32),
            "arrived": day * 86400,
            "status": np.array(lines.status, dtype=np.int8),
            "late": none.astype(bool),
            "is_single": none.astype(bool),
            "kind": none.astype(np.int8),
            "amount": none,
            "line": pa.array(lines.text, pa.string()),
        }
    )
