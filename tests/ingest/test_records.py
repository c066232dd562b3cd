"""From files to rows: what each format's good and broken records become, in one pass over all of them."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from ingest.source_text import EVENT, source_of
from personalake.ingest.derive import Door
from personalake.ingest.entities import counts_by_file, read_key_of, rejected_records
from personalake.ingest.files import list_files
from personalake.ingest.mapping import REASON, map_records
from personalake.ingest.readers import read_raw
from personalake.ingest.settings import Ingest
from personalake.privacy.hashing import IdentifierType, decrypt_text, identifier_of
from personalake.privacy.keys import Key

KEY = Key(b"a key of tests only, as long as one must be")
SETTINGS = Ingest(base_currency="EUR", rates={"USD": 0.9}, earliest_date=date(2016, 1, 1), latest_date=date(2017, 1, 1))
T = "1476619200"  # 2016-10-16T12:00:00Z
HEADER = "ts,visitor,uid,act,item,price,note"
GOOD = "good"
NAMES = ["plain.csv", "a b+c %20.csv", "\u00e9 \u4e2d[1]{x}.csv"]

# A line of the CSV source → its reason, or good. The note tells the case.
# fmt: off
CSV = {
    f"{T},v,u,pv,i,,plain": GOOD,
    f'{T},v,u,pv,i,,"a ""quoted"", note"': GOOD,
    f"{T},v,u,pv,i,,back\\slash": GOOD,
    f'{T},v,u,pv,i,,"ends in\\"': GOOD,
    f"{T},v,-,pv,i,,null login": GOOD,
    f"{T},v,u,pay,i,12.90,pays": GOOD,
    f"{T},v,u,back,i,12.90,refund": GOOD,
    f"{T},v,u,back,i,-3,refund below zero": "ING-005",
    f"{T},v,u,pv,i,,-9223372036854775808": GOOD,
    f"{T},v,u,pv": "ING-001",
    f"{T},v,u,pv,i,,one,more": "ING-001",
    f'{T},v,u,pv,i,,"cut': "ING-001",
    "   ": "ING-001",
    "yesterday,v,u,pv,i,,no time": "ING-002",
    "1451606399,v,u,pv,i,,second before the first day": "ING-002",
    "1451606400,v,u,pv,i,,first second": GOOD,
    "1483228799,v,u,pv,i,,last second": GOOD,
    "1483228800,v,u,pv,i,,day no longer allowed": "ING-002",
    f"{T},v,u,PV,i,,unknown verb": "ING-003",
    f"{T},v,u,,i,,no verb": "ING-003",
    f"{T},v,u,pv,-,,no item": "ING-004",
    f"{T},v,u,pay,i,-0.01,price below zero": "ING-005",
    f"{T},v,u,pay,i,1e3,price above": "ING-005",
    f"{T},v,u,pay,i,free,price that is none": "ING-010",
    f"{T},,,pv,i,,nobody": "ING-006",
    f"{T},\u3000,,pv,i,,a wide blank is nobody": "ING-006",
    "bad,,,PV,-,-1,every reason at once": "ING-002",
    f"{T},,,PV,-,-1,every reason but time": "ING-003",
    f"{T},,,pay,-,-1,no item and a bad price": "ING-004",
}
JSON: dict[str | bytes, str] = {
    '{"id": 9223372036854775807, "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}, "v": "pv"}': GOOD,
    '{"id": "x1", "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}, "v": "pv", "n": -9223372036854775808}': GOOD,
    '{"id": "x2", "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}, "v": "pv", "n": 9223372036854775808}': "ING-001",
    '{"id": "x3", "at": "2016-10-16T12:00:00Z", "u": "a", "v": "pv"}': "ING-001",
    '{"id": "x4", "at": "2016-10-16T12:00:00Z", "u": {"l": ""}, "v": "pv"}': "ING-006",
    '{"id": "x5", "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}, "v": "pv", "extra": 1}': GOOD,
    '{"id": "x6", "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}': "ING-001",
    "null": "ING-001",
    "[]": "ING-001",
    "{}": "ING-002",
    '{"id": "x7", "at": "2016-10-16T12:00:00Z", "u": {"l": "\u4e2d\u6587"}, "v": "pv"}': GOOD,
    '{"id": "x8", "at": "2016-10-16T12:00:00Z", "u": {"l": "\u4e2d'.encode()[:-1]: "ING-001",
    b'{"id": "x9", "at": "2016-10-16T12:00:00Z", "u": {"l": "\xff"}, "v": "pv"}': GOOD,
    '{"id": "r", "at": "2016-10-16T12:00:00Z", "u": {"l": "a"}, "v": "back", "n": 9223372036854775807}': GOOD,
}
TSV = {
    f"{T}\tv\tu\tpv\ti\t5": (GOOD, False),
    f"{T}\tv\tu\tpv\ti\tGooglebot/2.1": (GOOD, True),
    f"{T}\tv\tu\tpv\ti\tcurl/8.0": (GOOD, True),
    f"{T}\tv\tu\tpv\ti\tRobotics fan": (GOOD, False),
}
# fmt: on
PARQUET = [
    {"id": "p1", "at": datetime(2016, 10, 16, 12), "who": 9007199254740993, "v": "pv", "fee": Decimal("1.005")},
    {"id": "p2", "at": None, "who": 1, "v": "pv", "fee": None},
    {"id": "p3", "at": datetime(2016, 12, 31, 23, 30), "who": None, "v": "pv", "fee": None},
]


@pytest.fixture(scope="module")
def staged(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFrame, str]:
    """All records of four sources, mapped and written down."""
    folder = tmp_path_factory.mktemp("records")
    raw, conf = folder / "raw", folder / "conf"
    (raw / "web").mkdir(parents=True)
    half = list(CSV)
    parts = (half[0::3], half[1::3], half[2::3])
    for name, lines, end in zip(NAMES, parts, ("\n", "\r\n", "\n"), strict=True):
        body = end.join(["\ufeff" + HEADER.replace("uid", '"uid"'), *lines[:2], HEADER, "", *lines[2:], ""])
        (raw / "web" / name).write_bytes(body.encode())
    (raw / "app.jsonl.gz").write_bytes(
        gzip.compress("\ufeff".encode() + b"\n".join(t if isinstance(t, bytes) else t.encode() for t in JSON))
    )
    (raw / "tab.tsv").write_text("\n".join([*TSV, *TSV]) + "\n")
    arrow = pa.schema(
        [("id", pa.string()), ("at", pa.timestamp("us", "UTC")), ("who", pa.int64()), ("v", pa.string()),
         ("fee", pa.decimal128(18, 3))]
    )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(PARQUET, arrow), raw / "mini.parquet")
    parts_of = [_mapped(spark, str(raw), source) for source in _sources(conf)]
    reduce(DataFrame.unionByName, parts_of).write.parquet(str(folder / "staged"))
    return spark.read.parquet(str(folder / "staged")), str(raw)


def _mapped(spark: SparkSession, raw: str, source: Any) -> DataFrame:
    return map_records(read_raw(spark, source, list_files(raw, [source])), source, Door(SETTINGS, KEY, "Asia/Shanghai"))


def _sources(conf: Path) -> list[Any]:
    money = {"amount_minor": "try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)", "currency": "'USD'"}
    web = source_of(
        conf, "web",
        fields=EVENT["fields"] | money,
        null_values=["", "-"],
        required=["item_id"],
        ranges={"amount_minor": {"min": 0, "max": 99999}},
        properties={"note": "note", "price": "price"},
        acquisition={"nothing": "if(true, null, note)"},
        identifiers={"mail": "if(uid is null, null, concat(uid, '@X.org'))"},
        namespaces={"login": "shop"},
    )  # fmt: skip
    app = source_of(
        conf, "app", format="json", path="app.jsonl.gz", event_id="id", namespaces={"login": "shop"},
        schema="id string, at string, u struct<l: string>, v string, n bigint",
        time={"column": "`at`", "format": "iso8601"},
        fields={"login_id": "u.l", "event_type": "v", "amount_minor": "n", "currency": "'USD'", "order_id": "id"},
    )  # fmt: skip
    tab = source_of(
        conf, "tab", path="tab.tsv", delimiter="\t", header=False, user_agent="ua",
        schema="ts string, visitor string, uid string, act string, item string, ua string",
    )  # fmt: skip
    mini = source_of(
        conf, "mini", format="parquet", path="mini.parquet", event_id="id",
        schema="id string, at timestamp, who bigint, v string, fee decimal(18,3)",
        time={"column": "`at`", "format": "timestamp"},
        fields={"device_id": "who", "event_type": "v", "amount_minor": "fee * 100", "currency": "'EUR'",
                "order_id": "id"},
    )  # fmt: skip
    return [web, app, tab, mini]


@pytest.fixture(scope="module")
def rows(staged: tuple[DataFrame, str]) -> list[Row]:
    frame, root = staged
    return frame.withColumn("read_key", read_key_of(root)).collect()


def _record(row: Row) -> str:
    """The raw record of a refused row."""
    return decrypt_text(KEY, row["_cipher"])


def _by_note(rows: list[Row]) -> dict[str, Row]:
    return {row.properties["note"]: row for row in rows if row.source == "web" and row[REASON] is None}


def test_each_line_of_the_csv_is_kept_or_refused_for_its_first_reason(rows):
    refused = {_record(row): row[REASON].code for row in rows if row.source == "web" and row[REASON]}
    assert refused == {line: code for line, code in CSV.items() if code != GOOD}
    kept = {line.split(",", 6)[6].removesuffix("\r") for line, code in CSV.items() if code == GOOD}
    told = {note.strip('"').replace('""', '"') for note in kept}
    assert set(_by_note(rows)) == told


def test_headers_wherever_they_stand_and_empty_lines_are_no_records(rows):
    assert sum(row.source == "web" for row in rows) == len(CSV)


def test_each_json_line_is_kept_or_refused_for_its_first_reason(rows):
    texts = {t if isinstance(t, str) else t.decode(errors="replace"): code for t, code in JSON.items()}
    refused = {_record(row): row[REASON].code for row in rows if row.source == "app" and row[REASON]}
    assert refused == {text: code for text, code in texts.items() if code != GOOD}
    kept = {row.order_id for row in rows if row.source == "app" and row[REASON] is None}
    assert kept == {str(json.loads(text)["id"]) for text, code in texts.items() if code == GOOD}


def test_parquet_records_are_kept_or_refused_and_keep_all_digits(rows):
    mini = {row.order_id: row for row in rows if row.source == "mini"}
    assert {name: row[REASON] and row[REASON].code for name, row in mini.items()} == {
        "p1": None, "p2": "ING-002", "p3": "ING-006",
    }  # fmt: skip
    assert mini["p1"].device_id == identifier_of(KEY, IdentifierType("device", "mini"), "9007199254740993")
    assert mini["p1"].amount_minor == 100
    assert json.loads(_record(mini["p2"])) == {"id": "p2", "who": 1, "v": "pv"}


def test_business_days_are_those_of_the_configured_zone(rows):
    mini = {row.order_id: row for row in rows if row.source == "mini"}
    assert (mini["p1"].event_date, mini["p3"].event_date) == (date(2016, 10, 16), date(2017, 1, 1))


def test_money_of_refunds_is_negative_and_told_in_the_base_currency(rows):
    kept = _by_note(rows)
    money = {note: (kept[note].amount_minor, kept[note].amount_base_minor) for note in kept}
    assert money["pays"] == (1290, 1161)
    assert money["refund"] == (-1290, -1161)
    huge = next(row for row in rows if row.order_id == "r")
    assert huge.amount_minor == -9223372036854775807
    lowest = next(row for row in rows if row.order_id == "x1")
    assert lowest.amount_minor == -9223372036854775808


def test_maps_hold_what_was_sent_and_nothing_else(rows):
    kept = _by_note(rows)
    assert kept["plain"].properties == {"note": "plain"}
    assert kept["pays"].properties == {"note": "pays", "price": "12.90"}
    assert {row.acquisition for row in rows} == {None}
    assert kept["null login"].login_id is None
    assert kept["null login"].identifiers is None
    assert kept["plain"].identifiers == {"mail": identifier_of(KEY, IdentifierType("mail", "web"), "u@X.org")}


def test_a_shared_namespace_gives_one_identifier_and_others_differ(rows):
    login = identifier_of(KEY, IdentifierType("login", "shop"), "u")
    assert _by_note(rows)["plain"].login_id == login
    tab = next(row for row in rows if row.source == "tab")
    assert tab.login_id == identifier_of(KEY, IdentifierType("login", "tab"), "u") != login


def test_machines_are_marked_and_their_user_agent_is_not_kept(rows):
    tab = [row for row in rows if row.source == "tab"]
    assert sorted(row.is_bot for row in tab) == [False] * 4 + [True] * 4
    assert {row.is_bot for row in rows if row.source != "tab"} == {False}
    assert not any("curl" in str(row) for row in tab)


def test_equal_records_have_one_event_id_and_one_version_and_others_differ(rows):
    tab = [(row.event_id, row.record_version) for row in rows if row.source == "tab"]
    assert len(set(tab)) == len({version for _, version in tab}) == 2  # is_bot is content, the user agent is not
    assert len({event_id for event_id, _ in tab}) == 1


def test_only_refused_records_are_kept_whole_and_encrypted(rows):
    assert all((row["_cipher"] is None) == (row[REASON] is None) for row in rows)
    raw = {"v", "u", "a", "u@X.org", "\u4e2d\u6587"}
    shown = [str(row[name]) for row in rows for name in ("device_id", "login_id", "identifiers", "event_id")]
    assert [text for text in shown if text in raw or "@" in text] == []


def test_reasons_quote_nothing_of_the_record(rows):
    assert {row[REASON].reason for row in rows if row[REASON] and row[REASON].code in ("ING-004", "ING-005")} == {
        "The required field item_id is missing.",
        "amount_minor lies outside its allowed range (at least 0 and at most 99999).",
    }


def test_files_of_any_name_are_told_by_their_path_below_raw_root(rows, staged):
    assert {row.read_key for row in rows if row.source == "web"} == {f"web/{name}" for name in NAMES}
    frame, root = staged
    counts = {r.read_key: (r.rows_in, r.rows_rejected) for r in counts_by_file(frame, root).collect()}
    refused = sum(code != GOOD for code in CSV.values())
    assert sum(counts[f"web/{name}"][0] for name in NAMES) == len(CSV)
    assert sum(counts[f"web/{name}"][1] for name in NAMES) == refused
    assert counts["tab.tsv"] == (8, 0)


def test_equal_broken_records_are_counted_one_by_one(staged):
    frame, root = staged
    twice = frame.where(F.col(REASON).isNotNull()).unionByName(frame.where(F.col(REASON).isNotNull()))
    refused = rejected_records(twice.repartition(3), root).collect()
    assert len({row.rejection_id for row in refused}) == len(refused)
    positions: dict[tuple[str, str, str], list[int]] = {}
    for row in refused:
        positions.setdefault((row.source, row.file, row.record), []).append(row.position)
    assert {tuple(sorted(found)) for found in positions.values()} == {(1, 2)}
    assert {row.rejection_id for row in rejected_records(frame, root).collect()} == {
        row.rejection_id for row in refused if row.position == 1
    }


def test_the_plan_tells_neither_key_nor_pepper(spark: SparkSession, staged, tmp_path):
    frame = _mapped(spark, staged[1], _sources(tmp_path)[0])
    plan = frame._jdf.queryExecution().toString()  # type: ignore[operator]
    derived = [KEY.derive(purpose).hex() for purpose in ("identifier", "row", "quarantine")]
    assert [secret for secret in (KEY.secret.decode(), KEY.secret.hex(), *derived) if secret in plan] == []
