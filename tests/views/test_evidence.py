"""What binds a person, as rows, as text and as CSV."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.tables import identity
from personalake.views.evidence import evidence_csv, evidence_text, person_evidence
from support.rows import quick_queries, write_tables
from support.small_lake import TABLES

MOVED = {"move_id": "m1", "kind": "merge", "from_person_id": "p0", "to_person_id": "p1", "reason": "2 identifier(s) …"}


@pytest.fixture(scope="module")
def found(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = str(tmp_path_factory.mktemp("evidence"))
    tables = {t: TABLES[t] for t in (identity.IDENTITY_MAP, identity.IDENTITY_LINKS)}
    write_tables(root, {**tables, identity.IDENTITY_MOVES: [MOVED]})
    with quick_queries(spark):
        told = person_evidence(spark, root, "p1")
        for person, hint in (("p0", "Did you mean p1?"), ("nobody' OR true", "is nobody's in this warehouse.")):
            with pytest.raises(ConfigError) as refused:
                person_evidence(spark, root, person)
            assert hint in str(refused.value)
    return told


def test_the_links_of_a_person_those_that_bind_first(found: dict[str, Any]) -> None:
    assert [(row["identifier_kind"], row["identifier"]) for row in found["identifiers"]] == [
        ("device", "d1"), ("device", "d3"), ("login", "l1"),
    ]  # fmt: skip
    links = [(row["left_identifier"], row["right_identifier"], row["state"]) for row in found["links"]]
    assert links == [("l1", "d1", "used"), ("l1", "d3", "used"), ("l2", "d1", "cut_shared_device")]
    assert [row["from_person_id"] for row in found["moves"]] == ["p0"]


def test_as_text(found: dict[str, Any]) -> None:
    lines = list(evidence_text(found))
    assert lines[0] == "Person p1: 3 identifier(s)"
    assert "Bound by: 2 link(s)" in lines and "Seen together, but cut: 1 link(s)" in lines
    bound = lines[lines.index("Bound by: 2 link(s)") + 3]
    assert bound.split() == ["login", "l1", "device", "d1", "login_on_device", "0.90", "40", "2024-03-01", "12:00",
                             "2024-03-01", "12:00", "used", "l1d1"]  # fmt: skip
    assert lines[-1].split()[2:] == ["merge", "p0", "p1", "2", "identifier(s)", "…"]


def test_as_csv(found: dict[str, Any]) -> None:
    lines = list(evidence_csv(found))
    assert lines[0].startswith("left_kind,left_identifier,right_kind,right_identifier,evidence_kind,strength_score")
    assert lines[1] == "login,l1,device,d1,login_on_device,0.9,40,2024-03-01 12:00,2024-03-01 12:00,used,l1d1"
    assert len(lines) == 4
