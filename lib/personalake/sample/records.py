"""What every platform's record is written from: the deliveries of one platform in one block, as Arrow columns."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa

from personalake.sample.arrow_text import clock, digits, hexadecimal, joined, mixed, picked, where
from personalake.sample.block import Block
from personalake.sample.dirt import BAD_PRICE, BAD_TIME, MISSING_ITEM, UNKNOWN_ACTION, Deliveries
from personalake.sample.events import BUY, ERROR, HAS_PRICE, LOAD, RATE, SURVEY, TYPES
from personalake.sample.funnel import QUERIES
from personalake.sample.plan import DAY_SECONDS
from personalake.sample.vocabulary import CAMPAIGNS, ERRORS, REGIONS

ABSURD_MINOR = 9_999_999_999_900


class Records:
    """Columns of the deliveries of one platform, in their order. Text columns are null where a record has none.

    Args:
        block: what the deliveries' events refer to.
        deliveries: of one platform.
    """

    def __init__(self, block: Block, deliveries: Deliveries) -> None:
        self.block, self.deliveries = block, deliveries
        self.events = block.events.rows(deliveries.event)
        self.visit = self.events.visit
        self.person = block.visits.person[self.visit]
        self.status = deliveries.status

    @cached_property
    def numbers(self) -> np.ndarray:
        """A number for each event, unique in the whole sample."""
        return (self.block.number << 32) + self.deliveries.event

    @cached_property
    def event_id(self) -> pa.Array:
        """The platform's own id of the event, 32 hexadecimal digits."""
        return joined(self._code("event", self.numbers), self._code("event, second half", self.numbers))

    def _code(self, purpose: str, numbers: np.ndarray) -> pa.Array:
        return hexadecimal(mixed(numbers, int(self.block.plan.digest(purpose, length=16), 16)))

    @cached_property
    def milliseconds(self) -> np.ndarray:
        """Milliseconds within the second."""
        return (mixed(self.numbers, self.block.plan.seed + 3) % np.uint64(1000)).astype(np.int64)

    @cached_property
    def session(self) -> pa.Array:
        """Id of the visit, 16 hexadecimal digits."""
        return self._code("session", (self.block.number << 32) + self.visit)

    @cached_property
    def order(self) -> pa.Array:
        """Order number."""
        code = self._code("order", (self.block.number << 32) + self.events.order)
        return where(self.events.order >= 0, joined("O", code))

    @cached_property
    def device(self) -> pa.Array:
        """Device id."""
        numbers, index = np.unique(self.block.visits.device[self.visit], return_inverse=True)
        return picked([self.block.devices[number] for number in numbers.tolist()], index)

    def login(self, names: list[str]) -> pa.Array:
        """Who is signed in.

        Args:
            names: login or account by person.
        """
        return picked(names, np.where(self.block.visits.signed[self.visit], self.person, -1))

    @cached_property
    def has_time(self) -> np.ndarray:
        """Whether the record's time can be read."""
        mask: np.ndarray = self.status != BAD_TIME
        return mask

    @cached_property
    def unix(self) -> np.ndarray:
        """Unix seconds."""
        return self.block.plan.start_utc + self.events.at

    def local(self, offset_seconds: np.ndarray | int, day_format: str, between: str) -> pa.Array:
        """Wall-clock time at an offset from UTC.

        Args:
            offset_seconds: from UTC, of each record or of all.
            day_format: of strftime.
            between: what stands between day and time of day.
        """
        plan = self.block.plan
        day, second = np.divmod(self.events.at - 8 * 3600 + offset_seconds, DAY_SECONDS)
        days = [(plan.start + timedelta(days=number)).strftime(day_format) for number in range(-2, plan.days + 2)]
        return joined(picked(days, day + 2), between, picked(clock(), second))

    def spoiled_time(self, time: pa.Array, spoiled: tuple[str, ...]) -> pa.Array:
        """The time, or one of the spoiled texts.

        Args:
            time: the right one.
            spoiled: what stands there instead.
        """
        wrong = picked(spoiled, self.deliveries.variant % len(spoiled))
        return pa.compute.if_else(pa.array(self.has_time), time, wrong)

    def action(self, verbs: dict[str, str], unknown: tuple[str, ...]) -> pa.Array:
        """The platform's verb, or one that no one knows.

        Args:
            verbs: by event type.
            unknown: words that mean nothing.
        """
        names = [verbs.get(kind, "") for kind in TYPES]
        strange = len(names) + self.deliveries.variant % len(unknown)
        return picked([*names, *unknown], np.where(self.status == UNKNOWN_ACTION, strange, self.events.kind))

    @cached_property
    def item(self) -> pa.Array:
        """Item id."""
        return picked(self.block.catalogue.ids, np.where(self.status == MISSING_ITEM, -1, self.events.item))

    @cached_property
    def query(self) -> pa.Array:
        """Words searched for."""
        return picked(QUERIES, self.events.query)

    @cached_property
    def hits(self) -> pa.Array:
        """Number of results of a search."""
        return digits(self.events.hits, self.events.hits >= 0)

    @cached_property
    def has_amount(self) -> np.ndarray:
        """Whether the record names money."""
        mask: np.ndarray = HAS_PRICE[self.events.kind]
        return mask

    @cached_property
    def amount(self) -> np.ndarray:
        """Money in cents; negative or absurd where spoiled."""
        odd = self.deliveries.variant % 2 == 1
        wrong = np.where(odd, -self.events.amount, ABSURD_MINOR + self.events.amount)
        return np.where(self.status == BAD_PRICE, wrong, self.events.amount)

    @cached_property
    def quantity(self) -> pa.Array:
        """Pieces."""
        return digits(self.events.quantity, self.has_amount)

    @cached_property
    def has_discount(self) -> np.ndarray:
        """Whether the record has a discount field: lines of orders."""
        mask: np.ndarray = self.events.kind == BUY
        return mask

    @cached_property
    def load(self) -> pa.Array:
        """Milliseconds a page took."""
        return digits(self.events.value, self.events.kind == LOAD)

    @cached_property
    def stars(self) -> pa.Array:
        """Rating or satisfaction, 1 to 5."""
        return digits(self.events.value, (self.events.kind == RATE) | (self.events.kind == SURVEY))

    @cached_property
    def error(self) -> pa.Array:
        """Error code."""
        return picked(ERRORS, np.where(self.events.kind == ERROR, self.events.value, -1))

    @cached_property
    def place(self) -> pa.Array:
        """Position in a list."""
        return digits(self.events.position, self.events.position >= 0)

    @cached_property
    def campaign_number(self) -> np.ndarray:
        """Campaign of the visit, on the record that opens it; −1 elsewhere."""
        return np.where(self.block.entry[self.deliveries.event], self.block.visits.campaign[self.visit], -1)

    def campaign(self, part: int) -> pa.Array:
        """Source (0), medium (1) or name (2) of the campaign.

        Args:
            part: which.
        """
        return picked([campaign[part] for campaign in CAMPAIGNS], self.campaign_number)

    def home(self, part: int) -> pa.Array:
        """Region (0) or country (1) of the person.

        Args:
            part: which.
        """
        return picked([str(region[part]) for region in REGIONS], self.block.people.region[self.person])

    def one_of(self, pool: tuple[str, ...]) -> pa.Array:
        """A trait of the device, such as its agent or model.

        Args:
            pool: the traits.
        """
        owner = self.block.visits.device[self.visit]
        return picked(pool, (mixed(owner + (self.block.number << 40), 11) % np.uint64(len(pool))).astype(np.int64))
