"""Which links are used and which a guard cuts: many cases side by side in one frame."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from identity.seen import Seen, events_of, renamed
from personalake.identity.evidence import Evidence
from personalake.identity.links import STATES, build_identity_links
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of
from personalake.tables.identity import IDENTITY_LINKS

SETTINGS = Identity(logins_per_device=3, logins_per_identifier=2, devices_per_login=6)

# case → (events, {"left right": state})
CASES: dict[str, tuple[list[Seen], dict[str, str]]] = {
    "a login on a device": ([Seen("d", "a"), Seen("d")], {"a d": "used"}),
    "nobody signed in": ([Seen("d"), Seen("d")], {}),
    "a login without a device": ([Seen(None, "a")], {}),
    "nothing seen at all": ([Seen(None, None), Seen(None, None, others={})], {}),
    "the main login by visits, not by events": (
        [Seen("d", "a", 1, "s1"), Seen("d", "a", 2, "s2"), *[Seen("d", "b", m, "s3") for m in range(9)]],
        {"a d": "used", "b d": "cut_shared_device"},
    ),
    "without sessions a day is a visit": (
        [Seen("d", "a", 0), Seen("d", "a", 1440), *[Seen("d", "b", m) for m in range(9)]],
        {"a d": "used", "b d": "cut_shared_device"},
    ),
    "as many visits: the one with more events": (
        [Seen("d", "a", 0), Seen("d", "b", 1), Seen("d", "b", 2)],
        {"a d": "cut_shared_device", "b d": "used"},
    ),
    "all equal: the first that came": (
        [Seen("d", "b", 0), Seen("d", "a", 1)],
        {"a d": "cut_shared_device", "b d": "used"},
    ),
    "nobody has half of it": (
        [
            Seen("d", "a", 0, "1"),
            Seen("d", "a", 0, "2"),
            Seen("d", "b", 0, "3"),
            Seen("d", "b", 0, "4"),
            Seen("d", "c", 0),
        ],
        {"a d": "cut_no_main_login", "b d": "cut_no_main_login", "c d": "cut_shared_device"},
    ),
    "a visit that shows a mail now and then is one visit": (
        [
            *[Seen("d", "a", 10 * n, f"{n % 2}", {"mail": "m"} if n in (2, 3) else None) for n in range(8)],
            *[Seen("d", "b", 600 + n, f"b{n}") for n in range(3)],
        ],
        {"a d": "cut_shared_device", "b d": "used", "a m": "used"},
    ),
    "without sessions silence ends a visit": (
        [*[Seen("d", "a", 60 * n) for n in range(10)], Seen("d", "b", 5), Seen("d", "b", 2000)],
        {"a d": "used", "b d": "cut_shared_device"},
    ),
    "without silence it is one visit, under any further identifier": (
        [
            *[Seen("d", "a", 29 * n, None, {"mail": "m"} if n % 2 else None) for n in range(20)],
            *[Seen("d", "b", 60 * n) for n in range(3)],
        ],
        {"a d": "cut_shared_device", "b d": "used", "a m": "used"},
    ),
    "four logins are a shared terminal": (
        [Seen("d", login, minute) for minute, login in enumerate("abce")],
        dict.fromkeys(("a d", "b d", "c d", "e d"), "cut_shared_terminal"),
    ),
    "fifty logins": (
        [Seen("d", f"l{n}", n) for n in range(50)],
        {f"l{n} d": "cut_shared_terminal" for n in range(50)},
    ),
    "ten thousand logins on one device": (
        [Seen("d", f"l{n}", n % 1440) for n in range(10_000)],
        {f"l{n} d": "cut_shared_terminal" for n in range(10_000)},
    ),
    "a login on too many devices leaves them to others": (
        [*[Seen(f"d{n}", "null", n) for n in range(7)], Seen("d0", "a", 9)],
        {**{f"null d{n}": "cut_busy_login" for n in range(7)}, "a d0": "used"},
    ),
    "a login on as many devices as it may have": (
        [Seen(f"d{n}", "a", n) for n in range(6)],
        {f"a d{n}": "used" for n in range(6)},
    ),
    "one mail joins two logins": (
        [Seen("d", "a", others={"mail": "m"}), Seen("e", "b", others={"mail": "m"})],
        {"a d": "used", "b e": "used", "a m": "used", "b m": "used"},
    ),
    "a mail of three logins joins none": (
        [Seen(None, login, others={"mail": "m"}) for login in "abc"],
        dict.fromkeys(("a m", "b m", "c m"), "cut_shared_identifier"),
    ),
    "signed out, a mail owns the device": ([Seen("d", others={"mail": "m"})], {"m d": "used"}),
    "signed out, two mails on one device stay apart": (
        [Seen("d", None, 0, others={"mail": "m"}), Seen("d", None, 1, others={"mail": "n"})],
        {"m d": "used", "n d": "cut_shared_device"},
    ),
    "a login goes before a mail however often that was seen": (
        [*[Seen("d", None, n, f"s{n}", {"mail": "m"}) for n in range(5)], Seen("d", "a", 9)],
        {"a d": "used", "m d": "cut_shared_device"},
    ),
    "identifiers of one event without login": (
        [Seen("d", others={"phone": "p", "mail": "m"})],
        {"m p": "used", "m d": "used"},
    ),
    "an identifier without value is none": ([Seen("d", "a", others={"mail": None})], {"a d": "used"}),
}


@pytest.fixture(scope="module")
def links(spark: SparkSession) -> list[dict[str, object]]:
    seen = [one for case, (rows, _) in CASES.items() for one in renamed(rows, f"{case}|".__add__)]
    frame = build_identity_links(build_identity_sightings(events_of(spark, seen)), SETTINGS)
    return [row.asDict() for row in frame.collect()]


@pytest.fixture(scope="module")
def states(links: list[dict[str, object]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for link in links:
        case, left = str(link["left_identifier"]).split("|")
        right = str(link["right_identifier"]).split("|")[1]
        found[case][f"{left} {right}"] = str(link["state"])
    return found


@pytest.mark.parametrize("case", list(CASES))
def test_each_link_is_used_or_cut(case: str, states: dict[str, dict[str, str]]) -> None:
    assert states.get(case, {}) == CASES[case][1]


def test_a_device_has_at_most_one_link_that_is_used(links: list[dict[str, object]]) -> None:
    used = [link["right_identifier"] for link in links if link["state"] == "used" and link["right_kind"] == "device"]
    assert len(used) == len(set(used)) > 0


def test_ids_are_unique_states_known_and_shares_are_shares(links: list[dict[str, object]]) -> None:
    assert len({link["link_id"] for link in links}) == len(links)
    assert {link["state"] for link in links} <= set(STATES)
    assert all(0 < float(str(link["strength_score"])) <= 1 for link in links)


def test_what_a_link_says_of_its_evidence(links: list[dict[str, object]]) -> None:
    by_ends = {(link["left_identifier"], link["right_identifier"]): link for link in links}
    case = "the main login by visits, not by events|"
    link = by_ends[f"{case}a", f"{case}d"]
    assert (link["strength_score"], link["event_count"]) == (pytest.approx(2 / 3), 2)
    assert (link["last_at"] - link["first_at"]).total_seconds() == 60  # type: ignore[operator]
    kinds = {link["evidence_kind"] for link in links}
    assert kinds == {"login_on_device", "mail_on_device", "mail_with_login", "phone_with_mail"}


def test_the_table_is_built_as_declared(spark: SparkSession) -> None:
    frame = build_identity_links(build_identity_sightings(events_of(spark, [Seen("d", "a")])), SETTINGS)
    assert [(f.name, f.dataType) for f in frame.schema] == [(c.name, c.type) for c in IDENTITY_LINKS.cols]


# case → (events, {"left right": (state, strength)}): with what a source declares, an operator cut, people said
EVIDENCE_CASES: dict[str, tuple[list[Seen], dict[str, tuple[str, float]]]] = {
    "a source that declares nothing shows everything": (
        [Seen("d", "a", others={"mail": "m"})],
        {"a d": ("used", 1.0), "a m": ("used", 1.0)},
    ),
    "only what a source declares counts, as much as it says": (
        [Seen("d", "a", others={"mail": "m"}, source="half")],
        {"a d": ("used", 0.5)},
    ),
    "a source that declares none shows none": ([Seen("d", "a", source="mute")], {}),
    "two half visits are one whole": (
        [Seen("d", "a", 1, "1"), *[Seen("d", "b", n, f"s{n}", source="half") for n in (2, 3, 4)]],
        {"a d": ("cut_shared_device", 1 / 4), "b d": ("used", 1.5 / 4)},
    ),
    "what is too weak joins nothing": (
        [Seen("d", "a", source="tenth")],
        {"a d": ("cut_weak", 0.1)},
    ),
    "what an operator cut is no evidence: the next login has the device": (
        [*[Seen("cutd", "cuta", n, f"s{n}") for n in range(5)], Seen("cutd", "b", 9)],
        {"cuta cutd": ("cut_operator", 1.0), "b cutd": ("used", 1.0)},
    ),
    "an operator's word holds in either order": (
        [Seen("turned d", "turned a")],
        {"turned a turned d": ("cut_operator", 1.0)},
    ),
    "without consent nobody else gets the device": (
        [*[Seen("d", "no", n, f"s{n}") for n in range(3)], Seen("d", "b", 9)],
        {"no d": ("cut_no_consent", 0.75), "b d": ("cut_shared_device", 0.25)},
    ),
    "a no of the device counts too": ([Seen("no d", "a")], {"a no d": ("cut_no_consent", 1.0)}),
    "a yes is no matter where none is needed": ([Seen("d", "yes")], {"yes d": ("used", 1.0)}),
}
WEIGHTS = {"half": {"login_on_device": 0.5}, "mute": {}, "tenth": {"login_on_device": 0.1}}


def _named(case: str, name: str) -> str:
    return f"{case}|{name}"


@pytest.fixture(scope="module")
def weighed(spark: SparkSession) -> dict[str, dict[str, tuple[str, float]]]:
    seen = [one for case, (rows, _) in EVIDENCE_CASES.items() for one in renamed(rows, f"{case}|".__add__)]
    cuts = [("login", _named(case, "cuta"), "device", _named(case, "cutd")) for case in EVIDENCE_CASES]
    cuts += [("device", _named(case, "turned d"), "login", _named(case, "turned a")) for case in EVIDENCE_CASES]
    words = [("login", _named(case, name), name == "yes") for case in EVIDENCE_CASES for name in ("no", "yes")]
    words += [("device", _named(case, "no d"), False) for case in EVIDENCE_CASES]
    known = Evidence(
        WEIGHTS,
        spark.createDataFrame(
            cuts, "left_kind string, left_identifier string, right_kind string, right_identifier string"
        ),
        spark.createDataFrame(words, "identifier_kind string, identifier string, is_granted boolean"),
    )
    sightings = build_identity_sightings(events_of(spark, seen))
    found: dict[str, dict[str, tuple[str, float]]] = defaultdict(dict)
    for row in build_identity_links(sightings, Identity(least_strength=0.2), known).collect():
        case, left = row.left_identifier.split("|")
        found[case][f"{left} {row.right_identifier.split('|')[1]}"] = (row.state, row.strength_score)
    return found


@pytest.mark.parametrize("case", list(EVIDENCE_CASES))
def test_what_is_declared_cut_and_said_decides(case: str, weighed: dict[str, dict[str, tuple[str, float]]]) -> None:
    expected = {pair: (state, pytest.approx(score)) for pair, (state, score) in EVIDENCE_CASES[case][1].items()}
    assert weighed.get(case, {}) == expected


def test_where_a_word_is_needed_one_end_must_have_said_yes(spark: SparkSession) -> None:
    sightings = build_identity_sightings(events_of(spark, [Seen("d", "yes"), Seen("e", "silent")])).localCheckpoint()
    words = spark.createDataFrame(
        [("login", "yes", True)], "identifier_kind string, identifier string, is_granted boolean"
    )
    heard = build_identity_links(sightings, SETTINGS, Evidence(words=words, needs_word=True))
    unheard = build_identity_links(sightings, SETTINGS, Evidence(needs_word=True))
    found = {(row.left_identifier, row.state) for row in heard.unionByName(unheard).collect()}
    assert found == {("yes", "used"), ("silent", "cut_no_consent"), ("yes", "cut_no_consent")}


def test_policies_choose_another_owner(spark: SparkSession) -> None:
    rows = [Seen("d", "first", 0), Seen("d", "most", 10), Seen("d", "most", 1500), Seen("d", "last", 1600)]
    sightings = build_identity_sightings(events_of(spark, rows)).localCheckpoint()
    policies = ("components", "last_login", "first_login", "none")
    frames = [build_identity_links(sightings, Identity(policy=p)).withColumn("policy", F.lit(p)) for p in policies]
    links = reduce(DataFrame.unionByName, frames).where("state = 'used'")
    used = {(row.policy, row.left_identifier) for row in links.collect()}
    assert used == {("components", "most"), ("last_login", "last"), ("first_login", "first")}


def test_no_policy_goes_by_names(spark: SparkSession) -> None:
    """One device came to its end with the same event time of two logins; of another all is alike for both."""
    rows = []
    for more, less in (("a", "z"), ("z", "a")):
        rows += [Seen(f"d-{more}", more, 0), Seen(f"d-{more}", more, 100), Seen(f"d-{more}", less, 0)]
        rows += [Seen(f"d-{more}", less, 100), Seen(f"d-{more}", more, 50)]
        rows += [Seen(f"alike-{more}", more, 0), Seen(f"alike-{more}", less, 0)]
    sightings = build_identity_sightings(events_of(spark, rows)).localCheckpoint()
    policies = ("components", "last_login", "first_login")
    frames = [
        build_identity_links(sightings, Identity(policy=p, main_login_share=0.0)).withColumn("policy", F.lit(p))
        for p in policies
    ]
    found = reduce(DataFrame.unionByName, frames).collect()
    used = {(row.policy, row.right_identifier, row.left_identifier) for row in found if row.state == "used"}
    assert used == {(policy, f"d-{more}", more) for policy in policies for more in "az"}
    alike = {row.state for row in found if row.right_identifier.startswith("alike")}
    assert alike == {"cut_no_main_login"}


def test_every_identifier_is_listed_once_with_its_first_event(spark: SparkSession) -> None:
    rows = [Seen("d", "a", 5), Seen("d", None, 2), Seen("e", None, 3), Seen(None, "a", 1, others={"mail": "m"})]
    frame = identifiers_of(build_identity_sightings(events_of(spark, rows)))
    found = {(row.identifier_kind, row.identifier): (row.first_at.minute, row.key_id) for row in frame.collect()}
    expected = {("device", "d"): 2, ("device", "e"): 3, ("login", "a"): 1, ("mail", "m"): 1}
    assert found == {key: (minute, "k1") for key, minute in expected.items()}
