"""Features of how a person comes: how often, how deep, on what, when, called by what, and what was met."""

from __future__ import annotations

from personalake.tables.features.rows import DAYPARTS, DEVICE_CLASSES, WEEKDAYS, on_weekday
from personalake.tables.features.spec import WINDOWS, Feature, Made, Total, over_windows, ratio, share
from personalake.tables.spec import BIGINT, DOUBLE, INT, STRING

_HOURS = dict(zip(DAYPARTS, ("0 to 6", "6 to 12", "12 to 18", "18 to 24"), strict=True))
_ON = dict(zip(DEVICE_CLASSES[:-1], ("a PC", "a phone", "a tablet", "a television"), strict=True))


def _most(names: tuple[str, ...]) -> str:
    """SQL of the name whose `_<name>_count` is the greatest; of several, the first."""
    cases = " ".join(f"WHEN _{name}_count THEN '{name}'" for name in names)
    return f"CASE greatest({', '.join(f'_{name}_count' for name in names)}) {cases} END"


_HOUR_COUNTS = tuple(f"_hour_{n}_count" for n in range(24))
_MOST_OF_AN_HOUR = f"greatest({', '.join(_HOUR_COUNTS)})"
_HOUR_CASES = " ".join(f"WHEN {name} THEN {n}" for n, name in enumerate(_HOUR_COUNTS))

FREQUENCY = (
    *over_windows(Feature("event_count", BIGINT, "Events of any kind", "events", how=Total("events")), *WINDOWS),
    *over_windows(Feature("active_day_count", BIGINT, "Days with an event", "days", how=Total("1")), *WINDOWS),
    *over_windows(
        Feature("session_count", BIGINT, "Visits, by the day they began", "visits", how=Total("1", "visit")), *WINDOWS
    ),
    Feature(
        "decayed_event_value", DOUBLE, "Events, each counting half with every half life of its age", "events",
        how=Total("events", is_decayed=True),
    ),
    Feature(
        "mean_days_between_active_days", DOUBLE, "Mean days between days with an event", "days",
        how="CASE WHEN active_day_count > 1"
        " THEN date_diff(last_event_date, first_event_date) / (active_day_count - 1) END",
    ),
    Feature("_visit_millis", BIGINT, "Length of all visits", how=Total("visit_millis", "visit")),
    Feature("_visit_event_count", BIGINT, "Events in visits", how=Total("visit_events", "visit")),
    Feature("bounce_count", BIGINT, "Visits with a single event", "visits", how=Total("bounces", "visit")),
    Feature(
        "mean_session_seconds", DOUBLE, "Mean length of a visit", "s",
        how="CASE WHEN session_count > 0 THEN _visit_millis / session_count / 1000 END",
    ),
    Feature(
        "events_per_session", DOUBLE, "Events in a visit, on average", "events",
        how="CASE WHEN session_count > 0 THEN _visit_event_count / session_count END",
    ),
    Feature(
        "bounce_share", DOUBLE, "Share of visits with a single event", "0-1",
        how=share("bounce_count", "session_count"),
    ),
)  # fmt: skip

DEVICES = (
    Feature("device_count", BIGINT, "Devices with a visit", "devices", how=Made("visits", "devices of visits")),
    Feature("platform_count", BIGINT, "Platforms with an event", "platforms", how=Made("platforms", "distinct")),
    Feature("top_platform", STRING, "Platform with the most events", how=Made("platforms", "ties: first name")),
    Feature("top_platform_share", DOUBLE, "Share of events on top_platform", "0-1", how=Made("platforms", "of events")),
    *(
        Feature(f"_{name}_count", BIGINT, f"Events on {where}", how=Total(f"{name}_events"))
        for name, where in _ON.items()
    ),
    *(
        Feature(
            f"{name}_share", DOUBLE, f"Share of events on {where}", "0-1", how=share(f"_{name}_count", "event_count")
        )
        for name, where in _ON.items()
    ),
)  # fmt: skip

HABITS = (
    *(
        Feature(f"_{name}_count", BIGINT, f"Events from {hours} o'clock, local time", how=Total(f"{name}_events"))
        for name, hours in _HOURS.items()
    ),
    *(
        Feature(f"_{name}_count", BIGINT, f"Events on a {name.capitalize()}", how=Total(on_weekday(number)))
        for number, name in enumerate(WEEKDAYS)
    ),
    *(
        Feature(
            f"{name}_share", DOUBLE, f"Share of events from {hours} o'clock, local time", "0-1",
            how=share(f"_{name}_count", "event_count"),
        )
        for name, hours in _HOURS.items()
    ),
    Feature(
        "weekend_share", DOUBLE, "Share of events on a Saturday or Sunday, local time", "0-1",
        how=share("(_saturday_count + _sunday_count)", "event_count"),
    ),
    *(
        Feature(
            f"{name}_share", DOUBLE, f"Share of events on a {name.capitalize()}, local time", "0-1",
            how=share(f"_{name}_count", "event_count"),
        )
        for name in WEEKDAYS
    ),
    Feature(
        "top_daypart", STRING, "night (from 0), morning (6), afternoon (12) or evening (18): most events",
        how=_most(DAYPARTS),
    ),
    *(
        Feature(f"_hour_{n}_count", BIGINT, f"Visits begun from {n} h on", how=Total(f"if(hour = {n}, 1, 0)", "visit"))
        for n in range(24)
    ),
    Feature(
        "top_hour", INT, "Hour, 0 to 23, in which most visits began, local time; the first of several",
        how=f"CASE WHEN {_MOST_OF_AN_HOUR} > 0 THEN CASE {_MOST_OF_AN_HOUR} {_HOUR_CASES} END END",
    ),
    Feature("top_weekday", STRING, "monday … sunday: most events, local time", how=_most(WEEKDAYS)),
)  # fmt: skip

CAMPAIGNS = (
    *over_windows(
        Feature(
            "campaign_event_count", BIGINT, "Events that a campaign or message led to", "events",
            how=Total("campaign_events"),
        ),
        30,
    ),
    Feature(
        "campaign_day_count", BIGINT, "Days with an event that a campaign or message led to", "days",
        how=Total("if(campaign_events > 0, 1, 0)"),
    ),
    Feature(
        "campaign_event_share", DOUBLE, "campaign_event_count in event_count", "0-1",
        how=share("campaign_event_count", "event_count"),
    ),
    Feature(
        "campaign_buy_count", BIGINT, "Lines bought that a campaign or message led to", "events",
        how=Total("campaign_buys"),
    ),
    Feature(
        "campaign_buy_share", DOUBLE, "campaign_buy_count in buy_count", "0-1",
        how=share("campaign_buy_count", "buy_count"),
    ),
    Feature("impression_count", BIGINT, "Items shown", "events", how=Total("impressions")),
    Feature("click_count", BIGINT, "Clicks", "events", how=Total("clicks")),
    Feature(
        "click_share", DOUBLE, "click_count in impression_count, at most 1", "0-1",
        how=share("click_count", "impression_count"),
    ),
)  # fmt: skip

EXPERIENCE = (
    *over_windows(Feature("error_count", BIGINT, "Errors met", "events", how=Total("errors")), 30),
    Feature(
        "error_share", DOUBLE, "error_count in event_count", "0-1", how=share("error_count", "event_count")
    ),
    Feature("load_count", BIGINT, "Loads whose time is known", "events", how=Total("measured_loads")),
    Feature("slow_load_count", BIGINT, "Loads longer than slow_load_millis", "events", how=Total("slow_loads")),
    Feature(
        "slow_load_share", DOUBLE, "slow_load_count in load_count", "0-1", how=share("slow_load_count", "load_count")
    ),
    Feature("zero_result_search_count", BIGINT, "Searches that found nothing", "events", how=Total("empty_searches")),
    Feature(
        "answered_search_count", BIGINT, "Searches of which it is known how much they found", "events",
        how=Total("answered_searches"),
    ),
    Feature(
        "zero_result_search_share", DOUBLE, "zero_result_search_count in answered_search_count", "0-1",
        how=share("zero_result_search_count", "answered_search_count"),
    ),
    Feature("survey_count", BIGINT, "Answers to surveys", "events", how=Total("measured_surveys")),
    Feature("rating_count", BIGINT, "Ratings given", "events", how=Total("measured_ratings")),
    *(
        Feature(f"_{name}_sum", DOUBLE, f"Sum over {name}", how=Total(f"sum_of_{name}"))
        for name in ("loads", "surveys", "ratings")
    ),
    Feature("mean_load_value", DOUBLE, "Mean load time", "ms", how=ratio("_loads_sum", "load_count")),
    Feature(
        "mean_satisfaction_value", DOUBLE, "Mean answer to surveys", "the survey's scale",
        how=ratio("_surveys_sum", "survey_count"),
    ),
    Feature(
        "mean_rating_value", DOUBLE, "Mean rating given", "the source's scale",
        how=ratio("_ratings_sum", "rating_count"),
    ),
)  # fmt: skip
