"""A person's own word on a tag, as the command line has it: heard at once, kept by every run after it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from scenarios.conftest import Flow

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture
def own(flow: Flow, tmp_path: Path) -> Flow:
    """A copy of the warehouse."""
    mine = replace(flow, root=tmp_path / "warehouse")
    shutil.copytree(flow.root, mine.root)
    return mine


def tags_of(own: Flow, person: str) -> set[str]:
    rows = DeltaTable(str(own.root / "tags")).to_pandas()
    return set(rows.loc[rows["person_id"] == person, "tag"])


def shown(own: Flow, person: str) -> set[str]:
    ended = own.command("sql", f"SELECT tag FROM tags_current_v1 WHERE person_id = '{person}'", "--format", "csv")
    assert ended.code == 0, ended.err
    return set(ended.out.split()[1:])


def test_a_word_on_a_tag_is_heard_and_kept(own: Flow) -> None:
    rows = DeltaTable(str(own.root / "tags")).to_pandas()
    person = rows["person_id"].value_counts().idxmax()
    first, second = sorted(tags_of(own, person))[:2]
    planned = own.command("tag", "hide", person, first, "--dry-run")
    assert (planned.code, planned.status["state"]) == (0, "planned")
    assert shown(own, person) == tags_of(own, person), "nothing was noted"
    for word, tag in (("hide", first), ("contradict", second)):
        ended = own.command("tag", word, person, tag, "--reason", "said so on the phone")
        assert ended.code == 0, ended.err
    assert shown(own, person) == tags_of(own, person) - {first, second}, "before any run"
    ended = own.command("tags")
    assert ended.code == 0, ended.err
    assert not tags_of(own, person) & {first, second} and tags_of(own, person)
    said = DeltaTable(str(own.root / "tag_overrides")).to_pandas()
    assert dict(zip(said["tag"], said["state"], strict=True)) == {first: "hidden", second: "contradicted"}
    refused = own.command("tag", "hide", "nobody", "neww")
    assert refused.code == 2
    assert "PERSON_ID: is nobody's." in refused.status["message"]
    assert "TAG: neww is no tag. Did you mean new?" in refused.status["message"]
