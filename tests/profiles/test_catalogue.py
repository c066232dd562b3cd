"""The catalogue of features: what does not hold together is told, all of it at once."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from personalake.errors import ConfigError
from personalake.profiles.profile import BUILDERS
from personalake.tables.features.checks import checked
from personalake.tables.features.chinese import TITLES_ZH, title_zh
from personalake.tables.features.rows import ROWS
from personalake.tables.features.spec import Feature, Made, Rows, Total, formula_steps, names_in, over_windows
from personalake.tables.profile_features import CATALOGUE, COLUMNS, FEATURES
from personalake.tables.spec import BIGINT, DOUBLE

DAY = {"day": Rows("a day", {"events": "sum(event_count)"})}


def feature(name: str, how: Total | Made | str) -> Feature:
    return Feature(name, BIGINT, "A feature", how=how)


def test_every_fault_of_a_catalogue_is_told_at_once() -> None:
    catalogue = (
        feature("event_count", Total("events")),
        feature("event_count", Total("1")),
        feature("view_count", Total("if(event > 0, 1, 0)")),
        feature("visit_count", Total("1", "days")),
        feature("a", "b + event_count"),
        feature("b", "c * 2"),
        feature("c", "a"),
        feature("self", "self + 1"),
        feature("mean_count", "evnt_count / 'evnt'"),
        feature("nothing", ""),
    )
    with pytest.raises(ConfigError) as raised:
        checked(catalogue, DAY)
    assert str(raised.value).splitlines()[1:] == [
        "  - feature event_count: is declared 2 times. Keep one, or call the others otherwise.",
        "  - feature view_count: adds up event, which day rows have not. Did you mean events?",
        "  - feature visit_count: is a total over days rows, which do not exist. Did you mean day?",
        "  - feature mean_count: needs evnt_count, which is no feature. Did you mean event_count?",
        "  - feature nothing: says not how it is computed. Give it a total, a formula or a builder.",
        "  - feature a: needs itself: a → b → c → a. Break the circle.",
        "  - feature self: needs itself: self → self. Break the circle.",
    ]


def test_a_catalogue_that_holds_together_is_given_back() -> None:
    catalogue = (feature("event_count", Total("events")), feature("double_count", "event_count * 2"))
    assert checked(catalogue, DAY) == catalogue


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("CASE WHEN a > 0 THEN round(b / a, 9) END", ("a", "b")),
        ("date_diff(as_of_date, last_event_date)", ("as_of_date", "last_event_date")),
        ("if(kind = 'view', 1, null)", ("kind",)),
        ("is_new AND NOT is_bot", ("is_new", "is_bot")),
    ],
)
def test_names_in_a_formula(sql: str, names: tuple[str, ...]) -> None:
    assert names_in(sql) == names


def test_formulas_are_computed_in_steps() -> None:
    catalogue = (feature("c", "b + a"), feature("b", "a"), feature("d", "missing"))
    assert [[f.name for f in step] for step in formula_steps(catalogue, ["a"])] == [["b"], ["c"]]


def test_windows_take_the_name_and_say_their_days() -> None:
    life, week = over_windows(Feature("view_count", BIGINT, "Views", how=Total("views")), 7)
    assert (life.name, life.window, life.days) == ("view_count", "life", None)
    assert (week.name, week.window, week.days, week.how) == ("view_count_7d", "7d", 7, life.how)


def test_main_features_have_every_window() -> None:
    names = {f.name for f in FEATURES}
    main = ("event_count", "active_day_count", "session_count", "order_count", "money_minor", "view_count")
    assert {f"{name}_{days}d" for name in main for days in (1, 7, 30, 90, 365)} <= names


def test_every_share_says_its_whole_among_the_columns() -> None:
    """A ratio without its support cannot be judged."""
    names = {f.name for f in COLUMNS}
    bare = [
        f.name
        for f in COLUMNS
        if isinstance(f.how, str) and f.type == DOUBLE and f.how.startswith("CASE WHEN")
        and not names & set(names_in(f.how.split(" THEN ")[0])) and f.name not in ("discount_share",)
    ]  # fmt: skip
    assert bare == []


def test_every_builder_and_kind_of_rows_is_used() -> None:
    assert {f.how.by for f in CATALOGUE if isinstance(f.how, Made)} == {*BUILDERS, "rfm", "lifetime"}
    assert {f.how.rows for f in CATALOGUE if isinstance(f.how, Total)} == set(ROWS)


CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_feature_has_a_title_in_chinese_and_no_two_the_same() -> None:
    titles = {feature.name: feature.title_zh for feature in COLUMNS}
    assert [name for name, title in titles.items() if not CHINESE.search(title)] == []
    assert [title for title, count in Counter(titles.values()).items() if count > 1] == []
    named = {re.sub(r"_\d+d$", "", name) for name in titles} | set(titles)
    assert sorted(TITLES_ZH.keys() - named) == [], "titles of features that are none"


def test_titles_tell_the_window_and_what_stands_beside_features() -> None:
    assert [title_zh(name) for name in ("order_count", "order_count_30d", "new_item_share_30d")] == [
        "订单数", "近 30 天订单数", "近 30 天新接触商品占比",
    ]  # fmt: skip
    assert [title_zh(name) for name in ("segment_name", "segment.rfm_grid", "prediction.buys_30d", "tag.new")] == [
        "分群名称", "rfm_grid 分群", "buys_30d 的预测概率", "标签 new",
    ]  # fmt: skip


def test_money_is_what_has_cents_in_its_name() -> None:
    assert {f.name for f in CATALOGUE if f.is_money} >= {f.name for f in COLUMNS if "_minor" in f.name}
    assert {f.name for f in COLUMNS if f.is_money} == {f.name for f in COLUMNS if "_minor" in f.name}
