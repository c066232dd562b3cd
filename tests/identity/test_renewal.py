"""Links and persons of changed days alone, beside all that was left, are those of everything made anew."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from identity.lake import Lake, day
from identity.seen import START, Seen
from personalake.stages.identity import STAGE
from personalake.tables.identity import IDENTITY_CUTS, IDENTITY_LINKS, IDENTITY_MAP, IDENTITY_MOVES
from personalake.tables.ingest import CONSENTS

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SEED, WORLDS = 41, 60
SETTINGS = ("identity.devices_per_login=3", "identity.identifiers_per_person=40", "identity.main_login_share=0.6",
            "identity.logins_per_identifier=1")  # fmt: skip
# Of one source's; the other's counts whole, and shows further identifiers too.
EVIDENCE = {"login_on_device": 0.5}
# The day of events that each run follows, and its as-of day: twice the same, a day left out, days not yet counted.
RUNS = ((0, 1), (1, 2), (2, 2), (4, 4), (5, 6), (6, 8))


class World:
    """Few devices, logins and mails, so that they meet, part and grow too many all the time."""

    def __init__(self, number: int) -> None:
        self.random, self.name, self.count = random.Random(SEED * 1000 + number), f"w{number}", 0
        self.seen: dict[str, Seen] = {}

    def live(self, last: int) -> None:
        """Events up to a day, some of days past; some are gone, others turn out to be of another day or login."""
        roll = self.random.random
        for _ in range(self.random.randint(0, 5)):
            self._see(last)
        if roll() < 0.3:
            self._see(self.random.randint(0, last))
        if roll() < 0.1:
            for n in range(4):  # too many devices at once
                self._put(Seen(self._of("d", n), self._of("l", 0), last * 1440 + n, "busy"))
        for change in (self._lose, self._move, self._lose_a_device):
            if self.seen and roll() < 0.15:
                change()

    def _see(self, on: int) -> None:
        pick, roll = self.random.choice, self.random.random
        device = pick([None, *(self._of("d", n) for n in range(5))])
        login = pick([None, *(self._of("l", n) for n in range(4))])
        others = {pick(["mail", "phone"]): self._of("x", self.random.randrange(3))} if roll() < 0.25 else None
        minute = on * 1440 + pick([0, 1, 700, 1439])
        self._put(Seen(device, login, minute, pick([None, "s1", "s2"]), others, pick(["web", "app"])))

    def _put(self, one: Seen) -> None:
        self.count += 1
        self.seen[f"{self.name}-{self.count}"] = one

    def _lose(self) -> None:
        del self.seen[self.random.choice(sorted(self.seen))]

    def _lose_a_device(self) -> None:
        gone = self._of("d", self.random.randrange(5))
        self.seen = {name: one for name, one in self.seen.items() if one.device != gone}

    def _move(self) -> None:
        name = self.random.choice(sorted(self.seen))
        one = self.seen[name]
        self.seen[name] = one._replace(minute=(one.minute + 1440) % 8640, login=self._of("l", self.random.randrange(4)))

    def _of(self, kind: str, number: int) -> str:
        return f"{self.name}-{kind}{number}"


class Said:
    """What operators and people say as time goes by, to some worlds."""

    def __init__(self) -> None:
        self.random, self.count = random.Random(SEED), 0

    def on(self, lakes: list[Lake], last: int) -> None:
        """Some cuts, some lifted, some words, one of which runs out later."""
        for _ in range(4):
            self.count += 1
            pick = self.random.choice
            world = f"w{self.random.randrange(WORLDS)}"
            ends = [("login", f"{world}-l{pick([0, 1])}"), ("device", f"{world}-d{pick([0, 1])}")]
            (left_kind, left), (right_kind, right) = pick([ends, ends[::-1]])
            cut = {"cut_id": f"c{pick(range(6))}", "state": pick(["cut", "cut", "lifted"]), "decided_at": START}
            cut |= {"left_kind": left_kind, "left_identifier": left}
            cut |= {"right_kind": right_kind, "right_identifier": right}
            at = START + timedelta(days=last + pick([-1, 0, 1]))
            word = {
                "consent_id": f"n{self.count}",
                "identifier_kind": "login",
                "identifier": f"{world}-l{pick([0, 1])}",
            }
            word |= {"source": "crm", "purpose": "linking", "state": pick(["granted", "withdrawn", "withdrawn"])}
            word |= {"effective_at": at, "expires_at": pick([None, at + timedelta(days=2)])}
            for lake in lakes:
                lake.add(IDENTITY_CUTS, cut)
                lake.add(CONSENTS, word)


def test_what_changed_days_touch_made_anew_is_everything_made_anew(spark: SparkSession, tmp_path: Path) -> None:
    renewed, whole = (Lake(spark, tmp_path / name, *SETTINGS, evidence=EVIDENCE) for name in ("renewed", "whole"))
    worlds, said, told = [World(number) for number in range(WORLDS)], Said(), []
    for number, (last, as_of) in enumerate(RUNS):
        for world in worlds:
            world.live(last)
        if number >= 3:
            said.on([renewed, whole], last)
        for lake in (renewed, whole):
            lake.put_instead({name: one for world in worlds for name, one in world.seen.items()})
        told.append(renewed.run(day(as_of)).detail["persons"])
        assert whole.run(day(as_of), force=True).detail["persons"] == "all"
        for table in STAGE.writes:
            ours, theirs = renewed.rows(table), whole.rows(table)
            other = sorted(set(ours) ^ set(theirs))
            assert ours == theirs, f"{table.name}, seed {SEED}, run {number}: {other[:6]}"
    assert told == ["all", *["of changed days"] * (len(RUNS) - 1)]
    # The worlds do what they are made for.
    kinds = {row[2] for row in whole.rows(IDENTITY_MOVES)}
    assert kinds == {"merge", "split"} and len(whole.rows(IDENTITY_MAP)) > 4 * WORLDS
    assert {row[-1] for row in whole.rows(IDENTITY_LINKS)} >= {
        *("used", "cut_busy_login", "cut_shared_terminal", "cut_shared_device", "cut_no_main_login", "cut_operator"),
        *("cut_no_consent", "cut_shared_identifier"),
    }
