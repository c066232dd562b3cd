"""What decides whether two identifiers are one person's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from personalake.settings import Section


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
    edges_in_one_task: int = Field(
        5_000_000,
        ge=1,
        le=15_000_000,
        description="Up to so many links (about 0.5 GB a million) one task joins all forests; above, rounds of stars",
    )
    star_rounds: int = Field(40, ge=1, description="Rounds of stars after which a run gives up")
