"""What decides whether two identifiers are one person's."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from personalake.settings import Section


class Fuzzy(Section):
    """Customers whose attributes are alike, by Splink; off unless asked for, never joined unless told from where."""

    is_on: bool = Field(False, description="Whether it is done; needs `pip install personalake[fuzzy]`")
    attributes: dict[str, Literal["exact", "similar"]] = Field(
        default_factory=dict,
        description="Column of customers, or attributes.NAME, to how it is compared: exact, or similar spelling",
    )
    block_on: tuple[tuple[str, ...], ...] = Field(
        (), description="Only customers who agree in all attributes of one of these lists are compared"
    )
    least_score: float = Field(0.5, ge=0.0, le=1.0, description="Less likely pairs are not kept")
    join_from: float | None = Field(
        None, ge=0.0, le=1.0, description="Match probability from which a pair is one person; empty: never"
    )
    prior: float = Field(0.0001, gt=0.0, lt=1.0, description="Share of pairs at random that are one person")
    most_pairs: int = Field(10_000_000, ge=1, description="A list of block_on in which more pairs agree stops the run")
    seed: int = Field(7, description="Seed of the pairs that random agreement is counted on")

    @model_validator(mode="after")
    def _is_told_how(self) -> Fuzzy:
        if self.is_on and not (self.attributes and self.block_on):
            raise ValueError("attributes and block_on must be named where is_on is true")
        names = [name for rule in self.block_on for name in rule]
        for name in (*self.attributes, *names):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63})?", name):
                raise ValueError(f"{name} is no column of customers and no attributes.NAME")
        if unknown := [name for name in names if name not in self.attributes]:
            raise ValueError(f"block_on names {unknown[0]}, which is not among attributes")
        return self


class Identity(Section):
    """How identifiers are linked into persons."""

    policy: Literal["components", "last_login", "first_login", "none"] = Field(
        "components",
        description="Which login owns a device: components = the one with most visits, last_login, first_login; "
        "none = every identifier is a person of its own",
    )
    logins_per_device: int = Field(
        3,
        ge=1,
        description="A device with more logins is a shared terminal and owned by nobody; up to here it is a family's, "
        "or somebody's who changed the account, and goes to its main login",
    )
    main_login_share: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Share of a device's signed-in visits its main login must have to own it (policy components)",
    )
    logins_per_identifier: int = Field(
        3, ge=1, description="A further identifier (mail, phone, partner id, …) with more logins joins none of them"
    )
    devices_per_login: int = Field(
        200,
        ge=1,
        description="A login with more devices (a test account, a call centre, the word null) joins nothing",
    )
    visit_gap_seconds: int = Field(
        1800, ge=1, description="Silence that ends a visit where the source has no sessions of its own [s]"
    )
    least_strength: float = Field(
        0.0, ge=0.0, le=1.0, description="A link whose strength_score is lower is kept as evidence and joins nothing"
    )
    identifiers_per_person: int = Field(
        5_000,
        ge=2,
        description="What hangs together with more identifiers is no person: the run names it and cuts the identifiers "
        "that join several logins; where it is still too large, all its links",
    )
    fuzzy: Fuzzy = Field(Fuzzy(), description="Customers whose attributes are alike, by Splink: off by default")
    edges_in_one_task: int = Field(
        5_000_000,
        ge=1,
        le=15_000_000,
        description="Up to so many links (about 0.5 GB a million) one task holds all; above, rounds of stars",
    )
    star_rounds: int = Field(40, ge=1, description="Rounds of stars after which a run gives up")
