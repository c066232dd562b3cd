"""What identity writes: the evidence, the map from identifier to person, and the ledger of merges and splits."""

from __future__ import annotations

from personalake.tables.spec import BIGINT, DOUBLE, STRING, TIMESTAMP, Col, Table

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
            "Share of the right identifier's visits with a left_kind that show this one, 0 to 1",
        ),
        Col("event_count", BIGINT, "Events that show both"),
        Col("first_at", TIMESTAMP, "First event that shows both [UTC]"),
        Col("last_at", TIMESTAMP, "Last event that shows both [UTC]"),
        Col(
            "state",
            STRING,
            "used; or cut, and by which guard: cut_policy, cut_busy_login, cut_shared_terminal, cut_shared_device, "
            "cut_no_main_login, cut_shared_identifier",
            optional=False,
        ),
    ),
)

IDENTITY_MAP = Table(
    name="identity_map",
    comment="One row per identifier and the person it belongs to, now.",
    stage="identity",
    key=("identifier_kind", "identifier"),
    cols=(
        Col("identifier_kind", STRING, "login, device, …"),
        Col("identifier", STRING, "De-identified", person=True),
        Col("person_id", STRING, "The person; lasts across runs", person=True, optional=False),
        Col("linked_at", TIMESTAMP, "First event that shows the identifier [UTC]; a person is as old as its oldest"),
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
