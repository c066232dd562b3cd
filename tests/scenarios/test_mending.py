"""What an operator corrects by hand, as the command line has it: a wrong link, and the de-identification key."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable

from scenarios.conftest import Flow

pytestmark = [pytest.mark.spark, pytest.mark.slow]
DAYS_LATER = 40 * 86_400


def table(flow: Flow, name: str) -> pd.DataFrame:
    return DeltaTable(str(flow.root / name)).to_pandas()


def succeed(flow: Flow, *arguments: str, stdin: str = "") -> str:
    ended = flow.command(*arguments, stdin=stdin)
    assert ended.code == 0, ended.err
    return ended.out


@pytest.fixture
def own(flow: Flow, tmp_path: Path) -> Flow:
    """A copy of the logs and of the warehouse that was made from them, with a key of its own."""
    mine = replace(flow, logs=tmp_path / "logs", root=tmp_path / "warehouse")
    shutil.copytree(flow.logs, mine.logs)
    shutil.copytree(flow.root, mine.root)
    conf = mine.logs / "conf" / "conf.yaml"
    conf.write_text(conf.read_text().replace(str(flow.logs), str(mine.logs)))
    return mine


def test_a_link_that_is_wrong_is_shown_cut_and_given_back(own: Flow) -> None:
    mapped = table(own, "identity_map")
    person = mapped["person_id"].value_counts().idxmax()
    size = int((mapped["person_id"] == person).sum())
    text = succeed(own, "explain", person)
    assert text.startswith(f"Person {person}: {size} identifier(s)\n") and "Bound by: " in text
    links = list(csv.DictReader(io.StringIO(succeed(own, "explain", person, "--format", "csv"))))
    link = next(row for row in links if row["state"] == "used" and row["right_kind"] == "device")
    assert link["link_id"][:12] in text
    succeed(own, "unlink", link["link_id"][:12], "--reason", "a lent phone")
    succeed(own, "identity")
    runs = table(own, "runs").sort_values("started_at")
    assert dict(runs.loc[runs["stage"] == "identity", "detail"].iloc[-1])["persons"] == "of changed days"
    after = table(own, "identity_map").set_index(["identifier_kind", "identifier"])["person_id"]
    assert after["login", link["left_identifier"]] != after["device", link["right_identifier"]]
    (move,) = table(own, "identity_moves").to_dict("records")
    assert (move["kind"], move["from_person_id"]) == ("split", person)
    assert move["reason"].endswith("an operator called the link wrong")
    succeed(own, "unlink", link["link_id"], "--undo")
    succeed(own, "identity")
    again = table(own, "identity_map").set_index(["identifier_kind", "identifier"])["person_id"]
    assert again["login", link["left_identifier"]] == again["device", link["right_identifier"]] == person
    for wrong, told in (("00000000", "LINK_ID: 00000000 is no link."), ("nonsense", "LINK_ID: is no id of a link.")):
        refused = own.command("unlink", wrong)
        assert refused.code == 2 and told in refused.status["message"]


def later(own: Flow, name: str, logins: list[str]) -> None:
    """Visits of some people, weeks later."""
    lines = (own.logs / "raw" / "phone" / "log.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    kept = [event for event in events if event["user"]["login"] in logins and event["verb"] == "look"]
    moved = [event | {"id": f"{name}-{event['id']}", "at": "2024-05-01T10:00:00+08:00"} for event in kept]
    assert {event["user"]["login"] for event in moved} == set(logins)
    (own.logs / "raw" / "phone" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, moved)) + "\n")


def who(own: Flow, logins: list[str]) -> dict[str, str]:
    out = succeed(own, "lookup", "--source", "phone", "--field", "login_id", stdin="\n".join(logins) + "\n")
    return {row["raw"]: row["person_id"] for row in csv.DictReader(io.StringIO(out))}


def test_persons_outlast_a_change_of_the_key(own: Flow) -> None:
    logins = sorted(p["login"] for p in own.truth["persons"].values() if p["login"] and p["phone"])
    coming, staying = logins[:4], logins[4:8]
    before = who(own, logins)
    assert all(before.values())
    count = len(table(own, "events"))
    old = table(own, "events")["key_id"].unique().item()

    changed = json.loads(succeed(own, "rotate-key").splitlines()[-1])
    assert changed["previous_key_id"] == old != changed["key_id"]
    later(own, "overlap", coming)
    # The very records of the first log come again, under another name and in another order.
    lines = (own.logs / "raw" / "phone" / "log.jsonl").read_text().splitlines()
    again = [line for line in reversed(lines) if not any(f'"{login}"' in line for login in staying)]
    (own.logs / "raw" / "phone" / "again.jsonl").write_text("\n".join(again) + "\n")
    succeed(own, "ingest")
    succeed(own, "identity")
    events = table(own, "events")
    new = len(events) - count
    assert new == int(events["event_id"].isin(events.loc[events["event_at"] >= "2024-05-01", "event_id"]).sum()) > 0
    assert who(own, logins) == before, "everybody is who they were, come again or not"

    planned = json.loads(succeed(own, "rotate-key", "--finish", "--dry-run").splitlines()[-1])
    assert planned["carried_over"] > 0 and planned["left_behind"] > 0
    assert planned["destroyed_key_id"] == old and (own.logs / "conf" / "key.previous").exists()
    succeed(own, "rotate-key", "--finish")
    assert not (own.logs / "conf" / "key.previous").exists()
    known = who(own, logins)
    assert {login: known[login] for login in coming} == {login: before[login] for login in coming}
    assert not any(known[login] for login in staying), "who did not come is not known by the new key"

    later(own, "afterwards", [*coming, *staying])
    succeed(own, "ingest")
    succeed(own, "identity")
    after = who(own, logins)
    assert {login: after[login] for login in coming} == {login: before[login] for login in coming}
    assert not {after[login] for login in staying} & set(before.values()), "and is a stranger"
    aliases = table(own, "identifier_aliases")
    assert aliases["old_key_id"].unique().tolist() == [old]
    assert not [name for name in aliases["identifier"] if name in coming]

    # Whatever is read once more is known by the id it had, though the key that made it is gone.
    ids = set(table(own, "events")["event_id"])
    succeed(own, "ingest", "--force")
    again = table(own, "events")
    assert set(again["event_id"]) == ids and len(again) == len(ids)
