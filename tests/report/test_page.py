"""The page, from made-up answers: one file, offline, escaped, small groups left out, the same bytes every time."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from personalake.report.arrivals import days
from personalake.report.build import render, sections
from personalake.report.gather import Answers
from personalake.report.people import identities
from personalake.report.questions import QUESTIONS
from personalake.report.settings import Report
from personalake.report.wording import Wording
from report.made_up_answers import HOSTILE, made_up
from support.page import Page

SETTINGS = Report(base_currency="EUR")
# the questions without which a section is empty; the others only add to one
LEADING = (
    "headlines", "sources", "days", "identifiers", "rfm", "lifetime", "propensity", "segments", "tags", "items",
    "experience", "quality", "samples", "runs",
)  # fmt: skip


def page_of(answers: Answers, settings: Report = SETTINGS) -> str:
    return render(sections(answers, settings), date(2024, 3, 31), settings)


@pytest.fixture(scope="module")
def html() -> str:
    return page_of(Answers(made_up(), {}))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_it_parses_and_every_id_is_there_once(page: Page):
    assert sorted(page.ids) == sorted(set(page.ids))
    anchors = [r[1:] for r in page.references if r.startswith("#")]
    assert set(anchors) <= set(page.ids)


def test_it_asks_the_network_for_nothing(html: str, page: Page):
    assert [r for r in page.references if not r.startswith("#") and r != "data:,"] == []
    assert set(re.findall(r"url\(\s*['\"]?(.)", html)) <= {"#"}
    assert "@import" not in html
    assert not {"script", "img", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    assert "default-src 'none'" in html


def test_hostile_words_stay_words(html: str, page: Page):
    assert "<script" not in html and "<img" not in html
    assert page.text.count(" ".join(HOSTILE.split())) >= 5
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_the_same_answers_give_the_same_bytes(html: str):
    assert page_of(Answers(made_up(), {})) == html


def test_small_groups_are_not_told(page: Page):
    small = {"new_count": 9, "repeat_buyer_count": 8}
    text = page.text
    assert "<10 new" in text and "<10 have bought again" in text
    for tile in (attributes for tag, attributes in page.tags if tag == "figure"):
        assert tile["aria-label"]
    assert "words of Tiny" not in text and "words of Loyal" in text
    # the drawn texts: no bar of a small group has its number
    drawn = [t.strip() for t in page.texts]
    for number in (*map(str, small.values()), "7", "4", "3"):
        assert not [t for t in drawn if re.fullmatch(rf"{number}( · .*)?", t) and "·" in t]
    assert drawn.count("<10") >= 8


def test_what_changed_since_the_run_before_is_told(page: Page):
    assert "New: “Tiny”. No longer there: “Gone”." in page.text
    drawn = [t.strip() for t in page.texts]
    assert "120 · 35 % · +25 -<10" in drawn
    assert "when segments were last fitted" in " ".join(
        attributes.get("aria-label") or "" for tag, attributes in page.tags if tag == "figure"
    )


def test_shares_of_a_handful_of_tested_persons_are_not_told():
    answers = made_up()
    few = [{**row, "person_count": 9} if row["k"] or row["step"] else row for row in answers["propensity"]]
    text = Page(page_of(Answers({**answers, "propensity": few}, {}))).text
    assert "too few persons were held out to tell how good predictions are" in text
    assert "times as often as everybody" not in text


def test_a_floor_of_one_tells_everything():
    text = Page(page_of(Answers(made_up(), {}), Report(suppress_below=1))).text
    assert "9 new" in text and "words of Tiny" in text and "<10" not in text


def test_figures_are_told_in_words_and_tables_have_captions(page: Page):
    figures = [attributes for tag, attributes in page.tags if tag == "figure"]
    assert len(figures) == 16
    assert all(f["role"] == "img" and len(f["aria-label"] or "") > 20 for f in figures)
    names = [tag for tag, _ in page.tags]
    assert names.count("caption") == names.count("table") > 5
    assert names.count("svg") == 2 * len(figures)


def test_numbers_read_as_people_write_them(page: Page):
    for told in ("9,877 EUR", "12.50 EUR", "1 day ago", "1 order, ", "1.2 %", "忠实",
                 "Als reaches 4.0 times the recall of popular", "31 March 2024"):  # fmt: skip
        assert told in page.text


def test_sections_without_their_tables_say_so():
    text = Page(page_of(Answers({}, {name: question.reads for name, question in QUESTIONS.items()}))).text
    for name in LEADING:
        assert f"written what {', '.join(QUESTIONS[name].reads)} needs" in text


def test_a_section_shows_what_it_has():
    rows = made_up()
    for name in set(QUESTIONS) - set(LEADING):
        del rows[name]
    rows["quality"] = [row for row in rows["quality"] if row["metric"] == "coverage"]
    unmeasured = {"bounce_share": None, "error_share": 0.0, "zero_result_search_share": 0.0}
    rows["experience"] = [row | unmeasured for row in rows["experience"]]
    text = Page(page_of(Answers(rows, {"mix": ("profiles_current_v1",)}))).text
    assert "343 persons" in text and "The sources report none of them yet." in text and "All metrics" in text


def test_empty_tables_say_so():
    text = Page(page_of(Answers({name: [] for name in QUESTIONS}, {}))).text
    assert text.count("the tables are there and hold none yet") == 14


def test_what_was_expected_stands_beside_what_came(page: Page):
    """Seven repeat purchases or more are five buyers only: they are not told."""
    assert "An earlier fit expected 1,096 days with an order since, 996 came." in page.text
    assert "The likeliest tenth for “buys 30d” does so 3.1 times as often as everybody." in page.text
    assert "0.780 (0.750 … 0.810)" in page.text and "r 0.2426, alpha 4.41, a 0.8, b 2.4" in page.text
    assert "order_count 大于 2" in page.text and "<10" in page.text
    assert "7+" not in [text.strip() for text in page.texts]


def test_long_spans_are_shown_by_whole_weeks():
    rows = [
        {"event_date": date(2023, 1, 4) + timedelta(days=n), "platform": "web", "event_count": 5} for n in range(200)
    ]
    section = days(Answers({"days": rows}, {}), Wording())
    assert "Shown per week" in section.lead
    assert "1,000 events" in section.lead


def test_the_evidence_of_one_person_is_drawn():
    drawn = identities(Answers(made_up(), {}), Wording(10)).figures[1]
    assert drawn.label == "Why these identifiers are one person's: 3 links that bind, 1 cut by a guard (broken lines)."
    texts = re.findall(r">([^<>]+)</text>", drawn.wide)
    points = ["login a1b2c3…", *(f"device d0000{n}…" for n in range(4))]
    lines = ["14 events", "&lt;10 events", "&lt;10 events", "cut shared device"]
    assert sorted(texts) == sorted([*points, *lines])
