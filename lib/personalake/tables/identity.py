"""What identity writes: who was seen with whom, the evidence, the map, its history, and the ledger of moves."""

from __future__ import annotations

from collections.abc import Iterable

from personalake.tables.spec import BIGINT, DATE, DOUBLE, STRING, STRING_MAP, TIMESTAMP, Col, Table

LOGIN, DEVICE = "login", "device"
IDENTIFIER = ("identifier_kind", "identifier")
"""What names an identifier: the same raw text is another identifier as a login than as a device."""

IDENTITY_SIGHTINGS = Table(
    name="identity_sightings",
    comment="One row per business day, source and set of identifiers that its events show together.",
    stage="identity",
    key=("event_date", "sighting_id"),
    partition=("event_date",),
    keep_days=730,
    cols=(
        Col("event_date", DATE, "Business day"),
        Col("sighting_id", STRING, "Hash of source, identifiers and key_id"),
        Col("source", STRING, "Name of the source's YAML", optional=False),
        Col("device_id", STRING, "De-identified device or cookie", person=True),
        Col("login_id", STRING, "De-identified login", person=True),
        Col("identifiers", STRING_MAP, "Further de-identified identifiers by kind; empty for none", person=True),
        Col("key_id", STRING, "Which de-identification key made the identifiers"),
        Col("visit_count", BIGINT, "Visits of the day that show the set", optional=False),
        Col("own_visit_count", BIGINT, "Of these the ones that no other set of the same device and login began"),
        Col("event_count", BIGINT, "Events", optional=False),
        Col("first_at", TIMESTAMP, "First event [UTC]", optional=False),
        Col("last_at", TIMESTAMP, "Last event [UTC]", optional=False),
    ),
)

IDENTITY_LINKS = Table(
    name="identity_links",
    comment="One row per pair of identifiers seen together, with the evidence that they are one person's.",
    stage="identity",
    key=("link_id",),
    cols=(
        Col("link_id", STRING, "Hash of both identifiers and evidence_kind"),
        Col(
            "left_kind",
            STRING,
            "Kind of the identifier that tells more: login before mail, phone, … before device",
            optional=False,
        ),
        Col("left_identifier", STRING, "De-identified", person=True, optional=False),
        Col("right_kind", STRING, "Kind of the other", optional=False),
        Col("right_identifier", STRING, "De-identified", person=True, optional=False),
        Col("evidence_kind", STRING, "login_on_device, mail_on_device, mail_with_login, …", optional=False),
        Col(
            "strength_score",
            DOUBLE,
            "Share of the right identifier's visits with a left_kind that show this one, 0 to 1; each visit counts as "
            "much as its source's evidence weighs",
        ),
        Col(
            "weighed_count",
            BIGINT,
            "Visits that show both, in thousandths, each as much as its source's evidence weighs; null where none need "
            "show both",
        ),
        Col("visit_count", BIGINT, "Visits that show both"),
        Col("event_count", BIGINT, "Events that show both"),
        Col("first_at", TIMESTAMP, "First event that shows both [UTC]"),
        Col("last_at", TIMESTAMP, "Last event that shows both [UTC]"),
        Col(
            "state",
            STRING,
            "used; or cut, and by whom: cut_operator, cut_no_consent, cut_policy, cut_busy_login, cut_shared_terminal, "
            "cut_shared_device, cut_no_main_login, cut_shared_identifier, cut_weak, cut_giant, cut_fuzzy",
            optional=False,
        ),
    ),
)

IDENTITY_MAP = Table(
    name="identity_map",
    comment="One row per identifier and the person it belongs to, now: as of the day of the last run.",
    stage="identity",
    key=IDENTIFIER,
    cols=(
        Col("identifier_kind", STRING, "login, device, …"),
        Col("identifier", STRING, "De-identified", person=True),
        Col("person_id", STRING, "The person; lasts across runs", person=True, optional=False),
        Col("linked_at", TIMESTAMP, "First event that shows the identifier [UTC]; a person is as old as its oldest"),
        Col("key_id", STRING, "Which de-identification key made the identifier"),
    ),
)

IDENTITY_MAP_VERSIONS = Table(
    name="identity_map_versions",
    comment="One row per identifier and as-of day from which on the map says something else of it.",
    stage="identity",
    key=("identifier_kind", "identifier", "effective_date"),
    partition=("effective_date",),
    cols=(
        Col("identifier_kind", STRING, "login, device, …"),
        Col("identifier", STRING, "De-identified", person=True),
        Col("effective_date", DATE, "As-of day of the run from which on this holds"),
        Col("person_id", STRING, "The person; null from when on no event shows the identifier", person=True),
        Col("linked_at", TIMESTAMP, "First event that shows the identifier [UTC]"),
        Col("key_id", STRING, "Which de-identification key made the identifier"),
    ),
)

IDENTITY_MOVES = Table(
    name="identity_moves",
    comment="One row per merge or split of persons, for ever.",
    stage="identity",
    key=("move_id",),
    cols=(
        Col("move_id", STRING, "Hash of kind, both persons and moved_at"),
        Col("moved_at", TIMESTAMP, "Start of the as-of day of the run that moved it [UTC]", optional=False),
        Col("kind", STRING, "merge, split", optional=False),
        Col("from_person_id", STRING, "The person before", person=True, optional=False),
        Col("to_person_id", STRING, "The person after", person=True, optional=False),
        Col("reason", STRING, "Why, in words", optional=False),
    ),
)

IDENTITY_CUTS = Table(
    name="identity_cuts",
    comment="One row per pair of identifiers that an operator called wrongly linked; `unlink` writes it.",
    stage="unlink",
    key=("cut_id",),
    cols=(
        Col("cut_id", STRING, "Hash of both identifiers"),
        Col("left_kind", STRING, "Kind of one identifier", optional=False),
        Col("left_identifier", STRING, "De-identified", person=True, optional=False),
        Col("right_kind", STRING, "Kind of the other", optional=False),
        Col("right_identifier", STRING, "De-identified", person=True, optional=False),
        Col("state", STRING, "cut; lifted: the link counts again", optional=False),
        Col("reason", STRING, "Why, in the operator's words"),
        Col("decided_at", TIMESTAMP, "When the operator said so [UTC]", optional=False),
    ),
)


def evidence_kind(left_kind: str, right_kind: str) -> str:
    """What evidence is called that shows two kinds of identifiers together; left is the one that tells more."""
    return f"{left_kind}_on_{DEVICE}" if right_kind == DEVICE else f"{right_kind}_with_{left_kind}"


def evidence_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Every kind of evidence that identifiers of some kinds can give: the login tells most, a device least."""
    rank = {LOGIN: 0, DEVICE: 2}
    ordered = sorted(set(kinds), key=lambda kind: (rank.get(kind, 1), kind))
    return tuple(evidence_kind(left, right) for n, left in enumerate(ordered) for right in ordered[n + 1 :])
