"""The slow-moving records beside the events: customers and their consents, the catalogue's versions, the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from personalake.sample.catalogue import PRICE_CHANGES, Catalogue
from personalake.sample.dirt import BAD_PRICE, BAD_TIME, GOOD, MISSING_ID, MISSING_ITEM, REDELIVERED
from personalake.sample.people import People
from personalake.sample.plan import BUSINESS_OFFSET_SECONDS, DAY_SECONDS, Plan
from personalake.sample.vocabulary import (
    BRANDS,
    CATEGORIES,
    EDUCATION,
    INCOME,
    OCCUPATIONS,
    PURPOSES,
    REGIONS,
    SEGMENTS,
)

CUSTOMERS_HEADER = "login,birth_year,sex,job,schooling,income,registered,area,updated"
CONSENTS_HEADER = "login,purpose,answer,at,via"
PERSONS_HEADER = (
    "person_id,login,never_signs_in,segment,tastes,brands,price_sensitivity,active_from,active_to,region,country"
)
DEVICES_HEADER = "platform,device_id,person_id,login,never_signs_in"
_REFUSED_SHARE, _AGAIN_SHARE = 0.005, 0.01


@dataclass
class Lines:
    """Lines of one register: text, the day they tell of, and their status."""

    text: list[str] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)

    def add(self, text: str, day: int, status: int = GOOD) -> None:
        """Append one line.

        Args:
            text: without line end.
            day: day number.
            status: index into STATUSES.
        """
        self.text.append(text + "\n")
        self.day.append(day)
        self.status.append(status)

    def add_again(self, rng: np.random.Generator) -> Lines:
        """These lines with one good line in a hundred sent twice.

        Args:
            rng: stream of the block.
        """
        for number in np.flatnonzero(rng.random(len(self.text)) < _AGAIN_SHARE).tolist():
            if self.status[number] == GOOD:
                self.add(self.text[number].rstrip("\n"), self.day[number], REDELIVERED)
        return self


def customer_lines(plan: Plan, people: People, rng: np.random.Generator) -> Lines:
    """Customers as CSV: one line at registration, for 6 % another later with another income and region.

    Args:
        plan: the arguments.
        people: the block.
        rng: its stream.
    """
    lines = Lines()
    count = people.count
    born = plan.start.year - rng.integers(18, 75, count)
    pick = rng.random((count, 7))
    for number, login in enumerate(people.logins):
        if not login:
            continue
        draw = pick[number]
        income = min(int(draw[3] * 3) + (2 if people.segment[number] == 1 else 0), len(INCOME) - 1)
        status = MISSING_ID if draw[5] < _REFUSED_SHARE else GOOD
        registered = int(people.registered_day[number])
        fixed = (
            f"{'FM'[int(draw[0] < 0.48)] if draw[0] < 0.97 else 'U'},{OCCUPATIONS[int(draw[1] * len(OCCUPATIONS))]}"
            f",{EDUCATION[int(draw[2] * len(EDUCATION))]}"
        )
        moved = int(max(registered, 0) + 1 + draw[6] * plan.days)
        for day, band, region in ((registered, income, people.region[number]), (moved, max(income - 1, 0), 0)):
            if day == registered or (draw[4] < 0.06 and moved < plan.days):
                name = "" if status == MISSING_ID else login
                line = f"{name},{born[number]},{fixed},{INCOME[band]},{_moment(plan, registered)[:10]}"
                lines.add(f"{line},{REGIONS[region][0]},{_moment(plan, day, 36000 + number)}", day, status)
    return lines.add_again(rng)


def consent_lines(plan: Plan, people: People, rng: np.random.Generator) -> Lines:
    """Consents as CSV: an answer for each purpose at registration, some changed later.

    Args:
        plan: the arguments.
        people: the block.
        rng: its stream.
    """
    lines = Lines()
    draws = rng.random((people.count, len(PURPOSES), 4))
    for number, login in enumerate(people.logins):
        if not login:
            continue
        day = int(people.registered_day[number])
        for purpose, draw in zip(PURPOSES, draws[number].tolist(), strict=True):
            yes = draw[0] < 0.85
            changed = int(max(day, 0) + 1 + draw[2] * plan.days)
            answers = [(day, "granted" if yes else "denied")]
            if draw[1] < 0.08 and changed < plan.days:
                answers.append((changed, "withdrawn" if yes else "granted"))
            for order, (at, answer) in enumerate(answers):
                status = BAD_TIME if order == 0 and draw[3] < _REFUSED_SHARE else GOOD
                moment = "unknown" if status == BAD_TIME else _moment(plan, at, 30000 + number)
                lines.add(f"{login},{purpose},{answer},{moment},{'app' if draw[3] > 0.4 else 'web'}", at, status)
    return lines.add_again(rng)


def catalogue_lines(plan: Plan, catalogue: Catalogue, items: range, rng: np.random.Generator) -> Lines:
    """Versions of items as JSON lines: when they appear, change price, vanish.

    Args:
        plan: the arguments.
        catalogue: all items.
        items: the ones to write.
        rng: stream of these items.
    """
    lines = Lines()
    draws = rng.random((len(items), PRICE_CHANGES + 2, 2)).tolist()
    for number, item in enumerate(items):
        first, last = int(catalogue.first_day[item]), int(catalogue.last_day[item])
        days = [first, *(int(day) for day in catalogue.change_day[item] if day < plan.days), last]
        for version, day in enumerate(days):
            if day >= plan.days:
                continue
            draw, stock = draws[number][version]
            status = BAD_PRICE if draw < _REFUSED_SHARE else MISSING_ITEM if draw < 2 * _REFUSED_SHARE else GOOD
            price = int(catalogue.price_on(np.array([item]), np.array([day]))[0])
            record = _item_record(catalogue, item, price if status != BAD_PRICE else -price)
            record |= {"sku": None if status == MISSING_ITEM else catalogue.ids[item].as_py()}
            record |= {"available": day != last, "stock": int(stock * 400) if day != last else 0}
            record |= {"effective": _moment(plan, day)}
            lines.add(json.dumps(record, ensure_ascii=False), day, status)
    return lines.add_again(rng)


def _item_record(catalogue: Catalogue, item: int, price: int) -> dict[str, object]:
    category, brand = CATEGORIES[catalogue.category[item]], BRANDS[catalogue.brand[item]][0]
    words = [category.words[(item + step) % len(category.words)] for step in range(2)]
    title = f"{brand} {words[0].title()} {catalogue.ids[item].as_py()[-4:]}"
    text = f"{title}: {words[0]}, {words[1]}, for {category.leaf}. {category.chinese}, {brand} quality."
    amount = f"{'-' if price < 0 else ''}{abs(price) // 100}.{abs(price) % 100:02d}"
    return {
        "sku": None, "title": title, "category": category.path, "brand": brand,
        "price": {"amount": amount, "currency": "CNY"}, "description": text,
    }  # fmt: skip


def person_lines(plan: Plan, people: People) -> Lines:
    """The truth about persons as CSV.

    Args:
        plan: the arguments.
        people: the block.
    """
    lines = Lines()
    for number, person_id in enumerate(people.person_ids()):
        shares = people.taste_shares[number]
        tastes = "|".join(
            CATEGORIES[taste].path for taste, share in zip(people.tastes[number], shares, strict=True) if share > 0
        )
        brands = "|".join(BRANDS[brand][0] for brand in people.brands[number])
        region, country = REGIONS[people.region[number]][:2]
        until = _moment(plan, int(people.to_day[number]))[:10]
        lines.add(
            f"{person_id},{people.logins[number]},{str(not people.logins[number]).lower()}"
            f",{SEGMENTS[people.segment[number]].name},{tastes},{brands},{people.sensitivity[number]}"
            f",{_moment(plan, int(people.from_day[number]))[:10]},{until},{region},{country}",
            0,
        )
    return lines


def device_lines(people: People, used: np.ndarray, device_ids: dict[int, tuple[str, str]]) -> Lines:
    """The truth about devices as CSV: one line per device and person who used it, as the platform writes the id.

    Args:
        people: the block.
        used: distinct numbers of device × persons in the block + person.
        device_ids: platform and id by device number.
    """
    lines = Lines()
    names = people.person_ids()
    for number in used.tolist():
        device, person = divmod(number, people.count)
        platform, device_id = device_ids[device]
        login = people.logins[person]
        lines.add(f"{platform},{device_id},{names[person]},{login},{str(not login).lower()}", 0)
    return lines


def _moment(plan: Plan, day: int, second: int = 0) -> str:
    """ISO-8601 at UTC+8."""
    local = plan.start_utc + BUSINESS_OFFSET_SECONDS + day * DAY_SECONDS + second
    return datetime.fromtimestamp(local, UTC).strftime("%Y-%m-%dT%H:%M:%S+08:00")
