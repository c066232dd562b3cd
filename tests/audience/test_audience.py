"""Audiences over a small warehouse: counted, compared, exported, kept; never below the floor."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from personalake import audience
from personalake.audience import Wanted
from personalake.errors import ConfigError, DataError, FloorError
from personalake.export import safe_cell
from personalake.runner import Options
from personalake.tables import identity, ingest, profiles, segments, tags
from support.rows import quick_queries, write_tables

DAY, BEFORE = date(2024, 3, 10), date(2024, 3, 3)
SIZE = 40


def person(number: int) -> str:
    return f"p{number:02d}"


def lake() -> dict[Any, list[dict[str, Any]]]:
    everyone = range(SIZE)
    return {
        profiles.PROFILES: [
            {"person_id": person(n), "as_of_date": day, "order_count": n, "money_minor": 100 * n,
             "top_category": "=cmd()" if n == 39 else "tea", "night_share": n % 4 / 4}
            for n in everyone for day in (BEFORE, DAY)
        ],
        segments.SEGMENTS: [
            {"person_id": person(n), "as_of_date": DAY, "method": method, "segment_id": f"{n % 2}",
             "segment_name": ("Even", "Odd")[n % 2] if is_main else "All", "is_main": is_main}
            for n in everyone for method, is_main in (("kmeans", True), ("rfm_grid", False))
        ],
        tags.TAGS: [{"person_id": person(n), "as_of_date": DAY, "tag": "high_value"} for n in range(20, SIZE)],
        # Who is person 20 now was called old when the word was said.
        tags.TAG_OVERRIDES: [{"person_id": "old", "as_of_date": BEFORE, "tag": "high_value", "state": "hidden"}],
        identity.IDENTITY_MAP_VERSIONS: [
            {"identifier_kind": "login", "identifier": "l20", "effective_date": day, "person_id": whose}
            for day, whose in ((BEFORE, "old"), (DAY, person(20)))
        ],
        ingest.CONSENTS: [
            {"consent_id": "c", "identifier_kind": "login", "identifier": "l39", "purpose": "personalisation",
             "state": "withdrawn"}
        ],
        identity.IDENTITY_MAP: [{"identifier_kind": "login", "identifier": "l39", "person_id": person(39)}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("audiences"))
    write_tables(folder, lake())
    return folder


Asked = Callable[..., str]


@pytest.fixture
def ask(
    spark: SparkSession, root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Asked]:
    @contextmanager
    def shared(*_: Any) -> Iterator[SparkSession]:
        yield spark

    def asked(floor: int = 5, as_of: date | None = None, is_dry: bool = False, **wanted: Any) -> str:
        overrides = (f"warehouse.root={root}", f"audience.floor={floor}", "segments.also=[rfm_grid]")
        audience.audience(Options((), overrides, as_of, is_dry), Wanted(**wanted), "csv")
        return capsys.readouterr().out.splitlines()[1]

    monkeypatch.setattr(audience, "session", shared)
    with quick_queries(spark):
        yield asked


# selection → persons; 39 said no to personalisation, 20 hid the tag
COUNTS = {
    "high_value": 18,
    "{tag: high_value}": 18,
    "{not: {tag: high_value}}": 21,
    "{all: [{tag: high_value}, {feature: segment_name, is: Odd}]}": 9,
    "{feature: segment.rfm_grid, is: All}": 39,
    "{feature: order_count, at_least: {quantile: 0.5}}": 19,
    "{any: [{feature: order_count, below: 5}, {feature: prediction.buys_14d, above: 0.1}]}": 5,
}


@pytest.mark.parametrize("selection", COUNTS)
def test_a_selection_is_counted(ask: Asked, selection: str) -> None:
    assert ask(selection=selection) == f"{DAY},{COUNTS[selection]},{round(COUNTS[selection] / SIZE, 4)}"


def test_below_the_floor_nothing_is_told_or_written(ask: Asked, tmp_path: Path, root: str) -> None:
    out = tmp_path / "few.csv"
    assert ask(floor=20, selection="high_value") == f"{DAY},<20,"
    for way in ({"out": str(out)}, {"save": "few"}):
        with pytest.raises(FloorError, match=r"has fewer than 20 persons.*audience\.floor"):
            ask(floor=20, selection="high_value", **way)
    assert not list(tmp_path.iterdir()) and not Path(root, "audiences").exists()


def test_an_audience_goes_to_files_and_a_table(ask: Asked, tmp_path: Path, root: str) -> None:
    chosen = {"selection": "{feature: order_count, at_least: 30}", "purpose": "email"}
    columns = ("money_minor", "top_category")
    for kind in ("csv", "json", "parquet"):
        ask(**chosen, columns=columns, out=str(tmp_path / f"a.{kind}"), save="spenders" if kind == "csv" else "")
    lines = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [line["person_id"] for line in lines] == [person(n) for n in range(30, 40)], "email was not said no to"
    assert lines[9] == {"person_id": "p39", "as_of_date": str(DAY), "segment_name": "Odd", "money_minor": "3900",
                        "top_category": "'=cmd()"}  # fmt: skip
    objects = [json.loads(line) for line in (tmp_path / "a.json").read_text().splitlines()]
    assert objects == pq.read_table(tmp_path / "a.parquet").to_pylist() or len(objects) == 10
    assert objects[9]["top_category"] == "=cmd()" and objects[9]["money_minor"] == 3900
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    kept = DeltaTable(f"{root}/audiences").to_pandas()
    assert sorted(kept["person_id"]) == [line["person_id"] for line in lines]
    assert set(kept["selection"]) == {chosen["selection"]} and set(kept["audience"]) == {"spenders"}


def test_those_most_like_a_list_or_a_tag(ask: Asked, tmp_path: Path) -> None:
    seeds, out = tmp_path / "seeds.txt", tmp_path / "like.csv"
    seeds.write_text("p37\np38\nstranger\n")
    assert ask(like=str(seeds), limit=10, out=str(out)).startswith(f"{DAY},10,")
    rows = list(csv.DictReader(out.open()))
    scores = [float(row["similarity_score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and len(rows) == 10
    assert not {row["person_id"] for row in rows} & {"p37", "p38", "p39"}
    assert ask(selection="{feature: segment_name, is: Even}", like="high_value", limit=8).startswith(f"{DAY},8,")
    seeds.write_text("stranger\n")
    with pytest.raises(ConfigError, match="names nobody with a profile"):
        ask(like=str(seeds))


def test_every_fault_is_told_at_once(ask: Asked) -> None:
    with pytest.raises(ConfigError) as error:
        ask(selection="hihg_value", like="nowhere.txt", columns=("money",), out="no/a.xlsx", save="no name")
    told = str(error.value)
    expected = (
        "Did you mean high_value?",
        "--like: nowhere.txt is neither a file nor a tag.",
        "--columns: money is no feature.",
        "--out: no/a.xlsx ends in none of .csv, .json, .parquet",
        "--out: no is no folder. Make it, or name another.",
        "--save: is no name.",
    )
    for part in expected:
        assert part in told
    with pytest.raises(ConfigError, match="SELECTION: is missing"):
        ask()


def test_a_day_without_profiles_is_told_and_not_counted_as_nobody(ask: Asked) -> None:
    with pytest.raises(ConfigError) as error:
        ask(selection="high_value", as_of=date(2020, 1, 1))
    assert str(error.value.faults[0]) == f"--as-of 2020-01-01: has no profiles. The newest are as of {DAY}."
    assert ask(selection="{feature: order_count, at_least: 10}", as_of=BEFORE) == f"{BEFORE},29,{29 / SIZE}"


def test_a_misspelt_purpose_leaves_nobody_out_unseen(ask: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError) as error:
        ask(selection="high_value", purpose="personalization")
    assert str(error.value.faults[0]) == (
        "--purpose: is personalization, to which nobody ever said yes or no. Did you mean personalisation?"
    )


def test_a_dry_run_counts_and_writes_nothing(ask: Asked, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert ask(selection="high_value", out=str(out), save="dry", is_dry=True).startswith(f"{DAY},18,")
    assert not out.exists()


def test_a_list_of_seeds_that_is_no_text_is_told(ask: Asked, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.xlsx"
    seeds.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ConfigError) as error:
        ask(like=str(seeds))
    assert str(error.value.faults[0]) == f"--like: {seeds} is no file of text. One person_id a line, UTF-8."


def test_an_empty_warehouse_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="personalake run"):
        audience.audience(Options(overrides=(f"warehouse.root={tmp_path}",)), Wanted("new"), "csv")


def test_cells_that_look_like_formulas_are_quoted() -> None:
    cells = ["=1", "+1", "-1", "@x", "\tx", "a=1", -5, None, 2.5]
    assert [safe_cell(cell) for cell in cells] == ["'=1", "'+1", "'-1", "'@x", "'\tx", "a=1", -5, None, 2.5]
