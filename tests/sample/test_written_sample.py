"""What is in the files is what the truth says, told by a reader that shares no code with the writer."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from personalake.errors import ConfigError
from personalake.sample import write_sample
from sample.plain_reader import Found, read_platform, read_register, read_truth

PLATFORMS = ("web", "ios", "android", "tablet", "tv", "mini_program")
START = date(2026, 3, 2)
ARGUMENTS = {"persons": 260, "items": 80, "days": 16, "start": START, "seed": 11}
SMALL = {"persons": 40, "items": 40, "days": 50, "start": START}


@pytest.fixture(scope="module")
def sample(spark, tmp_path_factory):
    root = tmp_path_factory.mktemp("sample") / "logs"
    return root, write_sample(spark, str(root), **ARGUMENTS)


@pytest.fixture(scope="module")
def found(sample) -> dict[str, Found]:
    start = datetime(START.year, START.month, START.day, tzinfo=UTC)
    return {platform: read_platform(sample[0], platform, start, ARGUMENTS["days"]) for platform in PLATFORMS}


def test_the_truth_counts_what_a_plain_reader_finds(sample, found):
    for platform, seen in found.items():
        told = sample[1]["sources"][platform]
        assert told["files"] == seen.files, platform
        assert told["records"] == seen.records, platform
        assert told["events"] == len(seen.good), platform
        assert told["refused"] == dict(seen.refused), platform
        assert told["refused_total"] == sum(seen.refused.values()), platform
        assert told["redelivered"] == seen.redelivered, platform
        assert told["late"] == seen.late, platform
        assert told["events_by_type"] == dict(Counter(record["type"] for record in seen.good.values())), platform
        bought = sum(record["price"] for record in seen.good.values() if record["type"] == "buy")
        assert told["buy_amount_minor"] == bought, platform


def test_every_kind_of_dirt_is_there(found):
    together = sum((seen.refused for seen in found.values()), Counter())
    assert set(together) == {"bad_time", "unknown_action", "missing_item", "bad_price", "cut_line"}
    assert sum(seen.redelivered for seen in found.values()) > 20
    assert sum(seen.late for seen in found.values()) > 20
    assert 0.005 < together.total() / sum(seen.records for seen in found.values()) < 0.03


def test_the_truth_file_holds_what_was_returned(sample):
    root, truth = sample
    assert json.loads((root / "truth" / "truth.json").read_text()) == truth
    assert truth["complete"] is True
    assert not list(root.rglob("*.part"))
    assert truth["files_total"] == sum(1 for path in root.rglob("*") if path.is_file() and path.parent.name != "truth")


def test_registers_hold_what_the_truth_says(sample):
    root, truth = sample
    keys = {
        "catalogue": lambda row: (row["sku"], row["effective"]),
        "customers": lambda row: (row["login"], row["updated"]),
        "consents": lambda row: (row["login"], row["purpose"], row["at"]),
    }
    for name, key in keys.items():
        rows = read_register(root, name)
        good = [row for row in rows if all(key(row)) and row.get("at") != "unknown"]
        good = [row for row in good if not isinstance(row.get("price"), dict) or float(row["price"]["amount"]) > 0]
        told = truth["sources"][name]
        assert told["records"] == len(rows), name
        assert told["good"] == len({key(row) for row in good}), name
        assert told["redelivered"] == len(good) - told["good"], name
        assert told["refused_total"] == len(rows) - len(good), name


def test_every_device_of_the_logs_is_in_the_truth(sample, found):
    root, truth = sample
    uses = read_truth(root, "devices")
    assert truth["device_uses"] == len(uses) == len({(u["platform"], u["device_id"], u["person_id"]) for u in uses})
    assert truth["persons"] == len(read_truth(root, "persons")) == ARGUMENTS["persons"]
    logins = {(use["platform"], use["device_id"], use["login"]) for use in uses}
    accounts = {(device, hashlib.sha256(login.encode()).hexdigest()) for _, device, login in logins}
    for platform, seen in found.items():
        for record in seen.good.values():
            login = record["login"] if record["login"] not in ("", "-", None) else None
            if platform == "tv" and login:
                assert (record["device"], login) in accounts
            elif login:
                assert (platform, record["device"], login) in logins
    assert {(p, r["device"]) for p, s in found.items() for r in s.good.values()} <= {
        (use["platform"], use["device_id"]) for use in uses
    }


def test_the_same_arguments_give_the_same_bytes_on_any_partitioning(spark, tmp_path):
    one, many, other = tmp_path / "one", tmp_path / "many", tmp_path / "other"
    write_sample(spark, str(one), **SMALL, seed=5, partitions=1)
    write_sample(spark, str(many), **SMALL, seed=5, partitions=3)
    write_sample(spark, str(other), **SMALL, seed=6, partitions=2)

    def contents(root):
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert contents(one) == contents(many)
    assert contents(one).keys() == contents(other).keys()  # seeds change what is in the files, not their names
    same = {name for name, data in contents(other).items() if contents(one)[name] == data}
    assert same == set()
    # above 45 days there is one file per month, and writing again replaces the earlier sample
    assert sorted(path.name for path in (one / "web").iterdir()) == ["2026-03.csv.gz", "2026-04.csv.gz"]
    (one / "web" / "left over").write_text("")
    write_sample(spark, str(one), **SMALL, seed=6, partitions=2)
    assert contents(one) == contents(other)


def test_a_folder_with_other_things_is_refused(spark, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"thesis\.txt"):
        write_sample(spark, str(tmp_path), **SMALL, seed=1)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_all_faults_of_the_arguments_are_told_at_once(spark, tmp_path):
    with pytest.raises(ConfigError) as caught:
        write_sample(spark, str(tmp_path / "new"), persons=0, items=3, days=0, start=START, seed=1)
    assert {fault.where for fault in caught.value.faults} == {"sample: --persons", "sample: --items", "sample: --days"}
    assert not (tmp_path / "new").exists()
