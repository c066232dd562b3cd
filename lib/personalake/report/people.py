"""Sections on people: how they are made up, their platforms, RFM, and examples."""

from __future__ import annotations

from collections import defaultdict

from personalake.report.evidence import evidence_graph
from personalake.report.gather import Answers, Row
from personalake.report.ink import Figure
from personalake.report.plots import Bar, Cell, bar_panels, heat_map, standing_bars
from personalake.report.sections import Card, Section, Tile, empty_lead
from personalake.report.wording import NOTHING, Wording, count, of_kind, plain, share

_KINDS = ("all", "login", "device")
_MIX = (
    ("top_platform", "Main platform"),
    ("top_daypart", "Busiest part of the day"),
    ("top_category", "Favourite category"),
    ("top_price_band", "Price band"),
)
_DAYPARTS = ("morning", "afternoon", "evening", "night")


def portrait(answers: Answers, wording: Wording) -> Section:
    """Headline numbers and the mix of habits and tastes."""
    rows = answers["headlines"]
    head = ("people", "People at a glance", "人群概览")
    if not rows or not rows[0]["person_count"]:
        return Section(*head[:2], empty_lead(answers, "headlines", "A picture of all people"), head[2])
    row = rows[0]
    lead = f"Everybody known as of {row['as_of_date']}: everything before that day counts."
    panels = [panel for panel in (_mix(answers["mix"], *part, wording) for part in _MIX) if panel[1]]
    drawn = [bar_panels("mix", "Persons by " + ", ".join(t.lower() for t, _ in panels) + ".", panels)] if panels else []
    return Section(*head[:2], lead, head[2], tiles=_tiles(row, wording), figures=drawn)


def _tiles(row: Row, wording: Wording) -> list[Tile]:
    everyone = row["person_count"]

    def of_all(name: str, label: str) -> Tile:
        few = wording.is_small(row[name])
        return Tile(wording.persons(row[name]), label, "" if few else f"{share(row[name] / everyone)} of all")

    tiles = [
        Tile(wording.persons(everyone), "persons"),
        of_all("active_count", "active in the last 30 days"),
        of_all("new_count", "new"),
        of_all("many_platforms_count", "on two or more platforms"),
        of_all("login_count", "have signed in"),
    ]
    if row["buyer_count"]:
        orders = of_kind(row["order_count"], "order")
        tiles += [of_all("buyer_count", "have bought"), of_all("repeat_buyer_count", "have bought again")]
        if row["money_minor"] and not wording.is_small(row["buyer_count"]):
            tiles.append(Tile(wording.money(row["money_minor"]), "bought in all", orders))
    return tiles


def _mix(rows: list[Row], feature: str, title: str, wording: Wording) -> tuple[str, list[Bar]]:
    mine = [r for r in rows if r["feature"] == feature]
    if feature == "top_daypart":
        mine = sorted(mine, key=lambda r: _DAYPARTS.index(r["value"]) if r["value"] in _DAYPARTS else 9)
    return title, [_person_bar(plain(r["value"]), r["person_count"], wording) for r in mine]


def _person_bar(label: str, persons: int, wording: Wording) -> Bar:
    """A bar of persons; a group too small to be told has no length either."""
    return Bar(label, 0 if wording.is_small(persons) else persons, wording.persons(persons))


def identities(answers: Answers, wording: Wording) -> Section:
    """How many identifiers a person has, and which platforms share people."""
    rows = answers["identifiers"]
    head = ("identities", "One person, many devices", "一人多端")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "identifiers", "How many identifiers a person has"), head[2])
    everyone = sum(r["person_count"] for r in rows if r["identifier_kind"] == "all")
    several = sum(r["person_count"] for r in rows if r["identifier_kind"] == "all" and r["identifier_count"] > 1)
    shown = "" if wording.is_small(several) else f" ({share(several / everyone)})"
    lead = f"{wording.persons(several)} of {wording.persons(everyone)} persons{shown} have more than one identifier."
    titles = {"all": "Identifiers per person", "login": "Logins per person", "device": "Devices per person"}
    panels = [(titles[kind], _histogram(rows, kind, wording)) for kind in _KINDS]
    figures = [standing_bars("identifiers", f"Persons by number of identifiers. {lead}", [p for p in panels if p[1]])]
    if evidence := answers["evidence"]:
        figures.append(evidence_graph(evidence, wording))
    overlap = answers["overlap"]
    if overlap:
        figures.append(_overlap(overlap, wording))
        best = max(overlap, key=lambda r: (r["left_share"], r["left_platform"], r["right_platform"]))
        if not wording.is_small(best["person_count"]) and best["person_count"]:
            lead += (
                f" The closest pair: {share(best['left_share'])} of the people on {plain(best['left_platform'])} "
                f"are on {plain(best['right_platform'])} too."
            )
    return Section(*head[:2], lead, head[2], figures=figures)


def _histogram(rows: list[Row], kind: str, wording: Wording) -> list[Bar]:
    mine = [r for r in rows if r["identifier_kind"] == kind]
    return [
        _person_bar("10+" if r["identifier_count"] >= 10 else str(r["identifier_count"]), r["person_count"], wording)
        for r in mine
    ]


def _overlap(rows: list[Row], wording: Wording) -> Figure:
    """Of the people in the row, the share who are in the column too."""
    platforms = sorted({r["left_platform"] for r in rows})
    held: dict[tuple[str, str], Row] = {(r["left_platform"], r["right_platform"]): r for r in rows}

    def cell(left: str, right: str) -> Cell:
        row = held.get((left, right))
        if row is None:
            return Cell(0.0, "")
        if wording.is_small(row["person_count"]) or wording.is_small(row["left_person_count"]):
            return Cell(0.0, wording.persons(1))
        return Cell(row["left_share"], share(row["left_share"]).replace(" ", ""))

    cells = [[cell(left, right) for right in platforms] for left in platforms]
    names = [plain(name) for name in platforms]
    text = "Of the people on the platform of the row, the share who are on that of the column too."
    return heat_map("overlap", text, names, names, cells, ("people on …", "… who are also on"))


def rfm(answers: Answers, wording: Wording) -> Section:
    """Buyers by recency and frequency."""
    rows = answers["rfm"]
    head = ("rfm", "Recency and frequency of buyers", "RFM 客户价值")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "rfm", "Buyers by recency and frequency"), head[2])
    buyers, money = sum(r["person_count"] for r in rows), sum(r["money_minor"] or 0 for r in rows)
    best = [r for r in rows if r["rfm_recency_rank"] >= 4 and r["rfm_frequency_rank"] >= 4]
    persons = sum(r["person_count"] for r in best)
    lead = f"{wording.persons(buyers)} buyers in fifths by last order and by number of orders."
    if money and persons and not wording.is_small(persons):
        part = sum(r["money_minor"] or 0 for r in best) / money
        lead += f" The {wording.persons(persons)} recent and frequent ones (4–5) bring {share(part)} of the money."
    held: dict[int, dict[int, Row]] = defaultdict(dict)
    for row in rows:
        held[row["rfm_recency_rank"]][row["rfm_frequency_rank"]] = row
    most = max(r["person_count"] for r in rows)

    def cell(recency: int, frequency: int) -> Cell:
        row = held.get(recency, {}).get(frequency)
        if row is None:
            return Cell(0.0, NOTHING)
        strength = 0.0 if wording.is_small(row["person_count"]) else row["person_count"] / most
        return Cell(strength, wording.persons(row["person_count"]))

    ranks = range(1, 6)
    cells = [[cell(recency, frequency) for frequency in ranks] for recency in reversed(ranks)]
    marks = {1: "1 long ago", 5: "5 recent"}
    drawn = heat_map(
        "rfm", f"Buyers by recency and frequency. {lead}", [marks.get(n, str(n)) for n in reversed(ranks)],
        ["1 rare", "2", "3", "4", "5 often"], cells, ("recency", "frequency"),
    )  # fmt: skip
    return Section(*head[:2], lead, head[2], figures=[drawn])


def samples(answers: Answers, wording: Wording) -> Section:
    """Some persons, from different segments, with what is suggested to them and why."""
    rows = answers["samples"]
    head = ("samples", "Some persons", "示例用户")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "samples", "Persons with suggestions"), head[2])
    lead = "Picked by chance, one segment after another; identifiers are de-identified."
    return Section(*head[:2], lead, head[2], cards=[_person(row, wording) for row in rows])


def _person(row: Row, wording: Wording) -> Card:
    facts = [
        ("Last seen", f"{of_kind(row['recency_days'], 'day')} ago"),
        ("Events", count(row["event_count"])),
        ("Platforms", f"{count(row['platform_count'])}, mostly {plain(row['top_platform'])}"),
    ]
    if row["order_count"]:
        facts.append(("Bought", f"{of_kind(row['order_count'], 'order')}, {wording.money(row['money_minor'])}"))
    facts += [(title, plain(row[name])) for name, title in _MIX[2:] if row[name]]
    points = [(s["title"], s["reason"] or "") for s in row["suggestions"]]
    return Card(
        f"Person {row['person_id'][:10]}", row["segment_name"] or "", facts, chips=row["tag_labels"], points=points
    )
