"""Sections on what arrived and what happened: sources, days, experience."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from personalake.report.gather import Answers, Row
from personalake.report.plots import Bar, bar_panels, stacked_days
from personalake.report.sections import Grid, Section, empty_lead, entries
from personalake.report.wording import NOTHING, Wording, count, day, number, plain, share

WEEKLY_FROM_DAYS = 150
_EXPERIENCE = (
    ("bounce_share", "Visits that end after one event", share),
    ("error_share", "Errors per event", share),
    ("mean_load_value", "Mean load time [ms]", number),
    ("zero_result_search_share", "Searches without a result", share),
    ("mean_satisfaction_value", "Satisfaction [survey's scale]", "{:.2f}".format),
)


def arrivals(answers: Answers, _: Wording) -> Section:
    """What arrived and was refused, per source, with reasons."""
    rows = answers["sources"]
    head = ("arrivals", "What arrived", "数据接入")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "sources", "What each platform delivered"), head[2])
    taken, refused = sum(r["rows_in"] for r in rows), sum(r["rows_rejected"] for r in rows)
    events = sum(r["event_count"] for r in rows)
    lead = (
        f"{count(taken)} records arrived from {count(len(rows))} sources; {count(refused)} "
        f"({share(refused / taken if taken else 0.0)}) were refused and kept with a reason. "
        f"{count(events)} events remain once re-delivered records are counted once."
    )
    records = [Bar(r["source"], r["rows_in"], count(r["rows_in"])) for r in rows]
    shares = [Bar(r["source"], r["rejected_share"] or 0.0, share(r["rejected_share"]), False) for r in rows]
    drawn = bar_panels(
        "arrivals",
        "Records that arrived and the share refused, per source.",
        [("Records that arrived", records), ("Share refused", shares)],
    )
    grids = [_sources(rows), _reasons(answers["rejections"])]
    grids += [_alarms(answers["alarms"])] if answers["alarms"] else []
    return Section(*head[:2], lead, head[2], figures=[drawn], grids=grids)


def _sources(rows: list[Row]) -> Grid:
    lines = [
        entries(
            r["source"], ", ".join(r["platforms"]) or NOTHING, count(r["file_count"]), count(r["rows_in"]),
            count(r["rows_rejected"]), share(r["rejected_share"]), count(r["event_count"]),
            f"{r['first_event_date']} … {r['last_event_date']}" if r["first_event_date"] else NOTHING,
        )
        for r in rows
    ]  # fmt: skip
    names = ("Source", "Platforms", "Files", "Records", "Refused", "Share refused", "Events", "Days of events")
    return Grid("What each source delivered", names, lines, numbers_from=2, is_folded=True)


def _reasons(rows: list[Row]) -> Grid:
    lines = [entries(r["source"], r["reason_code"], r["reason"], count(r["record_count"])) for r in rows]
    return Grid("Why records were refused", ("Source", "Code", "Reason", "Records"), lines, numbers_from=3)


def _alarms(rows: list[Row]) -> Grid:
    lines = [
        entries(day(r["alarm_date"]), r["source"], r["alarm_kind"].replace("_", " "), r["subject"], r["reason"])
        for r in rows
    ]
    return Grid("Unlike the source's own past, the newest 30", ("Day", "Source", "Alarm", "Of", "What"), lines)


def days(answers: Answers, _: Wording) -> Section:
    """Events per day or week by platform."""
    rows = answers["days"]
    head = ("days", "Events over time", "每日事件")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "days", "Events per day"), head[2])
    first, last = min(r["event_date"] for r in rows), max(r["event_date"] for r in rows)
    is_weekly = (last - first).days >= WEEKLY_FROM_DAYS
    sums: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        when = row["event_date"]
        sums[row["platform"]][when - timedelta(days=when.weekday()) if is_weekly else when] += row["event_count"]
    platforms = sorted(sums, key=lambda name: (-sum(sums[name].values()), name))
    steps = _steps(first, last, is_weekly)
    # A week that has only begun or is cut would look like a fall.
    steps = [s for s in steps if not is_weekly or (s >= first and s + timedelta(days=6) <= last)] or steps
    everything = sum(r["event_count"] for r in rows)
    top = platforms[0]
    lead = (
        f"{count(everything)} events of known persons from {day(first)} to {day(last)}; "
        f"{share(sum(sums[top].values()) / everything)} of them on {plain(top)}."
    )
    series = [(plain(name), [float(sums[name].get(step, 0)) for step in steps]) for name in platforms]
    unit = "week" if is_weekly else "day"
    drawn = stacked_days("days", f"Events per {unit}, stacked by platform. {lead}", steps, series)
    grid = Grid(
        "Events by platform",
        ("Platform", "Events", "Share"),
        [entries(plain(p), count(sum(sums[p].values())), share(sum(sums[p].values()) / everything)) for p in platforms],
        is_folded=True,
    )
    return Section(*head[:2], f"{lead} Shown per {unit}.", head[2], figures=[drawn], grids=[grid])


def _steps(first: date, last: date, is_weekly: bool) -> list[date]:
    step = timedelta(days=7 if is_weekly else 1)
    at = first - timedelta(days=first.weekday()) if is_weekly else first
    steps = []
    while at <= last:
        steps.append(at)
        at += step
    return steps


def experience(answers: Answers, _: Wording) -> Section:
    """Bounce, errors, load time, searches without result, satisfaction, per platform."""
    rows = answers["experience"]
    head = ("experience", "Experience per platform", "体验")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "experience", "How each platform feels"), head[2])
    panels = []
    for column, title, told in _EXPERIENCE:
        known = [r for r in rows if r[column] is not None]
        # A panel of zeros says that nobody measured, not that all is well.
        if any(r[column] for r in known):
            panels.append((title, [Bar(plain(r["platform"]), r[column], told(r[column])) for r in known]))
    lead = "Visits, errors, load times, searches and surveys of people; machines are left out."
    if not panels:
        return Section(*head[:2], f"{lead} The sources report none of them yet.", head[2])
    drawn = bar_panels("experience", "; ".join(title for title, _ in panels) + ", per platform.", panels)
    names = ("Platform", "Visits", "Bounce", "Errors", "Loads timed", "Mean load [ms]", "Searches", "No result",
             "Surveys", "Satisfaction")  # fmt: skip
    lines = [
        entries(
            plain(r["platform"]), count(r["session_count"]), share(r["bounce_share"]), count(r["error_count"]),
            count(r["load_count"]), number(r["mean_load_value"]), count(r["search_count"]),
            share(r["zero_result_search_share"]), count(r["survey_count"]), number(r["mean_satisfaction_value"]),
        )
        for r in rows
    ]  # fmt: skip
    return Section(
        *head[:2], lead, head[2], figures=[drawn], grids=[Grid("Experience in numbers", names, lines, is_folded=True)]
    )
