"""Refused records once more, after the YAML was mended; and runs about a part of what is there."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession

from ingest.lake import ARRIVAL, KEY, Lake, T
from ingest.source_text import EVENT, write_source
from personalake.errors import ConfigError
from personalake.job import Selection
from personalake.operate import requeue
from personalake.packaged import conf_folder
from personalake.privacy.hashing import decrypt_text
from personalake.privacy.keys import Key
from personalake.runner import Options
from personalake.runtime import run_stages
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS, SOURCE_READS

DAY = 86_400
SWIPES = [f"{T},v1,u,swipe,{n},1,1" for n in range(3)]
CUT = f"{T},v1"
LINES = [f"{T},v1,u,pv,good,1,1", *SWIPES, SWIPES[0], CUT, CUT, f"{T},v1,u,roll,r,1,1", f"{T},,,swipe,nobody,1,1"]
MENDED = EVENT["event_types"] | {"swipe": "view"}


def refused(lake: Lake) -> list[tuple[str, str, int]]:
    rows = read(lake.spark, lake.settings.warehouse.root, REJECTED_RECORDS).collect()
    return sorted((row.reason_code, decrypt_text(KEY, row.record), row.position) for row in rows)


def test_what_is_good_after_a_fix_leaves_the_quarantine_and_nothing_is_doubled(spark: SparkSession, tmp_path):
    lake, fresh = Lake(spark, tmp_path / "mended"), Lake(spark, tmp_path / "fresh")
    lake.put("a b%20.csv", LINES)
    lake.run()
    with pytest.raises(ConfigError) as wrong:
        lake.requeue("wep", "ING-003")
    assert str(wrong.value).endswith("  - --source: wep is no source. Did you mean web?")
    with pytest.raises(ConfigError) as wrong:
        lake.requeue("web", "ING-03")
    assert str(wrong.value).endswith("  - --reason: ING-03 is no code. Did you mean ING-003?")
    unmended = refused(lake)
    job = lake.requeue("web", "ING-003")
    assert (job.rows_in, job.rows_rejected, refused(lake)) == (6, 6, unmended)
    other = lake.requeue("web", "ING-003", key=Key(b"another key, as long as one must be, of tests"))
    assert (other.rows_in, other.detail, refused(lake)) == (0, {"of_another_key": "6"}, unmended)
    lake.source(event_types=MENDED)
    job = lake.requeue("web", "ING-003")
    assert (job.rows_in, job.rows_rejected) == (6, 2)
    # whoever is nobody is refused for the next reason now
    assert refused(lake) == sorted(
        [("ING-001", CUT, 1), ("ING-001", CUT, 2), ("ING-003", f"{T},v1,u,roll,r,1,1", 1),
         ("ING-006", f"{T},,,swipe,nobody,1,1", 1)]
    )  # fmt: skip
    fresh.source(event_types=MENDED)
    fresh.put("a b%20.csv", LINES)
    fresh.run()
    for table in (EVENTS, REJECTED_RECORDS):
        assert lake.rows(table, ARRIVAL) == fresh.rows(table, ARRIVAL), table.name
    reads = {"run_id", "read_at", "mapping_hash", "filled_counts"}
    assert lake.rows(SOURCE_READS, reads) == fresh.rows(SOURCE_READS, reads)
    before = lake.rows(EVENTS, set())
    lake.requeue("web")
    assert lake.rows(EVENTS, set()) == before


def test_a_wrong_name_is_refused_before_a_key_or_a_table_is_made(tmp_path):
    write_source(tmp_path / "conf")
    overrides = (f"raw.root={tmp_path / 'raw'}", f"warehouse.root={tmp_path / 'lake'}",
                 f"sources.folder={tmp_path / 'conf'}")  # fmt: skip
    conf = (str(conf_folder() / "base.yaml"),)
    with pytest.raises(ConfigError, match=r"wep is no source\. Did you mean web\?"):
        requeue(Options(conf, overrides), "wep", "")
    with pytest.raises(ConfigError, match=r"wep is no source\. Did you mean web\?"):
        run_stages(["ingest"], Options(conf, overrides, selection=Selection(("wep",))))
    topic = {"kind": "kafka", "servers": ["localhost:9"], "topics": ["t"]}
    write_source(tmp_path / "conf", "app", format=None, path=None, connect=topic)
    for sources in ((), ("app", "web")):
        with pytest.raises(ConfigError) as wrong:
            days = Selection(sources, date(2024, 1, 1), date(2024, 2, 1))
            run_stages(["ingest"], Options(conf, overrides, selection=days))
        told = str(wrong.value).split("\n")[1:]
        assert [line.split(": ")[0] for line in told] == ["  - --since", "  - --until"]
        assert "is about the days files were modified; app has no files. Choose sources of files with" in told[0]
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]


def test_a_run_may_be_about_some_sources_and_some_days(spark: SparkSession, tmp_path):
    lake = Lake(spark, tmp_path)
    lake.source("app", path="web/a*.csv")
    for n in range(3):
        lake.put(f"a{n}.csv", [f"{T},v,u,pv,a{n},1,1"], T + n * DAY)
    lake.run(selection=Selection(("app",), date(2016, 10, 17), date(2016, 10, 18)))
    assert read_keys(lake) == {("app", "web/a1.csv")}
    lake.run(selection=Selection(("app",), until=date(2016, 10, 18)))
    assert read_keys(lake) == {("app", "web/a0.csv"), ("app", "web/a1.csv")}
    lake.run()
    assert len(read_keys(lake)) == 6
    lake.put("a1.csv", [f"{T},v,u,pv,a1,1,1", f"{T},v,u,pv,new,1,1"], T + DAY)
    lake.put("a2.csv", [f"{T},v,u,pv,unseen,1,1", ""], T + 2 * DAY)
    told = lake.run()
    assert told.detail["changed_file_names"] == "web/a1.csv, web/a2.csv, web/a1.csv, web/a2.csv"
    again = lake.run(force=True, selection=Selection(("web",), until=date(2016, 10, 18)))
    assert again.rows_in == 3
    items = read(spark, lake.settings.warehouse.root, EVENTS).where("source = 'web'").select("item_id").collect()
    assert sorted(row.item_id for row in items) == ["a0", "a1", "a2", "new"]
    with pytest.raises(ConfigError) as refused_name:
        lake.run(selection=Selection(("apk",)))
    assert str(refused_name.value).endswith("  - --source: apk is no source. Did you mean app?")


def read_keys(lake: Lake) -> set[tuple[str, str]]:
    rows = read(lake.spark, lake.settings.warehouse.root, SOURCE_READS).collect()
    return {(row.source, row.read_key) for row in rows}
