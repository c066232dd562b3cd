"""What every view promises."""

from __future__ import annotations

import re

import pytest

from personalake.tables.catalog import ALL as TABLES
from personalake.views.definitions import ALL, in_reading_order
from personalake.views.register import closure, mentioned_in
from personalake.views.spec import View

PROMISED = {
    "recommendations_current_v1", "person_events_v1", "person_360_v1", "top_items_v1", "segment_summary_v1",
    "platform_overlap_v1", "experience_v1",
}  # fmt: skip


def test_the_promised_views_are_there():
    assert set(ALL) >= PROMISED


@pytest.mark.parametrize("view", ALL.values(), ids=lambda v: v.name)
def test_a_view_says_what_it_reads(view: View):
    from_words = set(re.findall(r"(?:FROM|JOIN)\s+([a-z_0-9]+)", view.sql))
    assert from_words & set(TABLES) == set(view.tables)
    assert from_words & set(ALL) == set(view.views)
    assert view.name.endswith("_v1")
    assert view.name not in TABLES
    assert all(comment for _, comment in view.columns)
    assert len(set(view.names)) == len(view.names)


def test_views_come_after_what_they_read():
    seen: set[str] = set()
    for view in ALL.values():
        assert set(view.views) <= seen
        seen.add(view.name)


def test_a_circle_of_views_is_refused():
    one = View("one_v1", "", (), (), ("two_v1",), "")
    two = View("two_v1", "", (), (), ("one_v1",), "")
    with pytest.raises(ValueError, match="circle"):
        in_reading_order([one, two])
    with pytest.raises(ValueError, match="not there"):
        in_reading_order([View("one_v1", "", (), (), ("gone_v1",), "")])


def test_a_query_mentions_what_it_reads_and_what_that_reads():
    assert mentioned_in("select 1") == set()
    assert mentioned_in("SELECT * FROM personalake.`Events` -- items") == {"events", "items"}
    behind = {"tags_current_v1", "tag_words_v1", "tags", "tag_overrides", "identity_map_versions", "profiles"}
    assert mentioned_in("select * from tag_summary_v1") == {"tag_summary_v1", *behind}
    assert mentioned_in("  show tables") == {*TABLES, *ALL}
    assert closure(["person_360_v1"]) >= {"runs", "items", "recommendations", "profiles", "identity_map"}
