"""One block of persons with everything it made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalake.sample.catalogue import Catalogue
from personalake.sample.events import Events
from personalake.sample.people import People
from personalake.sample.plan import Plan
from personalake.sample.visits import Visits


@dataclass(frozen=True)
class Block:
    """All that one block made; `entry` says which events open their visit, `devices` the device ids by number."""

    plan: Plan
    number: int
    catalogue: Catalogue
    people: People
    visits: Visits
    events: Events
    entry: np.ndarray
    devices: dict[int, str]
    accounts: list[str]
