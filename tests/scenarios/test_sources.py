"""Adding and mending a source, as a user of the command line does it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable

from personalake.ingest.source import Source
from scenarios.conftest import Flow
from support.command import personalake
from support.tiny_logs import tiny_conf

pytestmark = pytest.mark.spark


def test_a_source_is_tried_on_its_first_records(unread: Flow) -> None:
    ended = unread.command(
        "source", "check", str(unread.logs / "conf/sources/shop.yaml"), "--limit", "9", "--format", "json"
    )
    assert ended.code == 0, ended.err
    records = [json.loads(line) for line in ended.out.splitlines()]
    assert len(records) == 9
    for record in records:
        values = record["raw"].split(",")
        assert (record["refused"] is not None) or record["mapped"]["event_type"]
        assert values[1] not in record["mapped"].values(), "a raw identifier"
    refused = sum(record["refused"] is not None for record in records)
    assert f"shop/part-0.csv.gz: {9 - refused} of its first 9 records are taken, {refused} refused." in ended.err


def test_a_wrong_source_is_told_before_any_file_is_read(unread: Flow, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text((unread.logs / "conf/sources/shop.yaml").read_text().replace("visitor\n", "visitr\n"))
    ended = unread.command("source", "check", str(file))
    assert (ended.code, ended.out) == (2, "")
    assert "new.yaml: fields.device_id: visitr cannot be resolved. Did you mean visitor?" in ended.err


def test_a_first_yaml_is_guessed_from_a_file(unread: Flow) -> None:
    ended = unread.command("source", "guess", str(unread.logs / "raw/phone/log.jsonl"))
    assert ended.code == 0, ended.err
    found = yaml.safe_load(ended.out)
    Source.model_validate({**found, "name": "phone"})
    assert found["path"] == "phone/*.jsonl"
    assert found["time"] == {"column": "`at`", "format": "iso8601"}


@pytest.mark.slow
def test_refused_records_are_taken_once_their_source_is_mended(unread: Flow, tmp_path: Path) -> None:
    logs, root = tmp_path / "logs", tmp_path / "warehouse"
    shutil.copytree(unread.logs, logs)
    assert unread.command("ingest", root=root).code == 0
    yaml_file = logs / "conf/sources/shop.yaml"
    yaml_file.write_text(yaml_file.read_text().replace("{pv: view,", "{teleport: view, pv: view,"))
    options = [*tiny_conf(logs), "--set", f"warehouse.root={root}"]
    before = len(DeltaTable(str(root / "events")).to_pandas(columns=["event_id"]))
    ended = personalake("requeue", "--source", "shop", "--reason", "ING-003", *options)
    assert ended.code == 0, ended.err
    (stage,) = ended.status["stages"]
    assert (stage["rows_in"], stage["rows_rejected"]) == (1, 0)
    assert len(DeltaTable(str(root / "events")).to_pandas(columns=["event_id"])) == before + 1
    again = personalake("requeue", "--source", "shop", "--reason", "ING-003", *options)
    assert again.status["stages"][0]["state"] == "skipped"
    # a requeue does not pass for a run that has looked at the files
    chosen = personalake("ingest", "--source", "phone", "--since", "2024-01-01", *options)
    assert (chosen.code, chosen.status["stages"][0]["state"]) == (0, "complete")
    assert personalake("ingest", *options).status["stages"][0]["state"] == "complete"
    assert personalake("ingest", *options).status["stages"][0]["state"] == "skipped"
