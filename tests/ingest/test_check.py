"""Every expression is tried on an empty log before any file is read."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from ingest.source_text import EVENT, write_source
from personalake.errors import ConfigError
from personalake.ingest.check import check_sources
from personalake.ingest.source import load_sources
from personalake.packaged import conf_folder


def test_every_fault_of_every_source_comes_at_once_with_near_misses(spark: SparkSession, tmp_path):
    fields = EVENT["fields"]
    write_source(tmp_path, "a_schema", schema="ts strin")
    write_source(
        tmp_path,
        "b_names",
        fields=fields | {"login_id": "uidd", "value": "max(price)", "query": "note +", "quantity": "array(price)"},
        event_id=["ts", "visitr"],
        revision="try_cast(price as double)",
    )
    write_source(tmp_path, "c_pattern", time={"column": "ts", "format": "dd.MM.jjjj", "zone": "Asia/Shanghia"})
    write_source(tmp_path, "d_time", time={"column": "ts", "format": "timestamp"})
    write_source(tmp_path, "e_time", time={"column": "length(ts)", "format": "iso8601"})
    write_source(tmp_path, "f_right")
    write_source(
        tmp_path,
        "g_nested",
        format="json",
        schema="ts string, user struct<login: string>, act string",
        event_id="ts",
        fields={"login_id": "user.logn", "event_type": "act"},
        json_texts=["user.login", "user.logon"],
    )
    write_source(
        tmp_path,
        "h_kind",
        entity="consent",
        fields={"identifier_kind": "note", "identifier": "uid", "purpose": "act", "state": "item"},
        event_id=None,
        event_types=None,
    )
    with pytest.raises(ConfigError) as refused:
        check_sources(spark, tmp_path, load_sources(tmp_path))
    allowed = "Allowed: unix_seconds, unix_millis, iso8601, timestamp, or a Spark date-time pattern."
    lines = str(refused.value).replace(f"{tmp_path}/", "").split("\n")
    assert lines[0] == "The configuration cannot be used (14 faults):"
    assert lines[1].startswith("  - a_schema.yaml: schema: is no Spark DDL: ")
    assert lines[2:] == [
        "  - b_names.yaml: fields.login_id: uidd cannot be resolved. Did you mean uid?",
        "  - b_names.yaml: fields.value: is no valid expression: The query does not include a GROUP BY clause. Add "
        "GROUP BY or turn it into the window functions using OVER clauses.",
        "  - b_names.yaml: fields.query: is no valid expression: Syntax error at or near end of input.",
        "  - b_names.yaml: fields.quantity: is ARRAY<STRING>, which cannot become DOUBLE.",
        "  - b_names.yaml: event_id.1: visitr cannot be resolved. Did you mean visitor?",
        "  - b_names.yaml: revision: is double, which does not rise step by step. It may be a whole number, a time or "
        "a date, or a text of a number or time: try_cast(… as bigint).",
        f"  - c_pattern.yaml: time.format: dd.MM.jjjj is no time format or pattern. {allowed}",
        "  - c_pattern.yaml: time.zone: Asia/Shanghia is no time zone. For example Asia/Shanghai.",
        "  - d_time.yaml: time.column: is string. Format timestamp wants a column of type timestamp; for texts there "
        "are iso8601 and patterns.",
        "  - e_time.yaml: time.column: is int. Format iso8601 wants a text.",
        "  - g_nested.yaml: fields.login_id: logn cannot be resolved. Did you mean login?",
        "  - g_nested.yaml: json_texts: user.logon is no text of the schema. Did you mean user.login?",
        "  - h_kind.yaml: fields.identifier_kind: is note. A literal such as 'login': the kind decides how identifiers "
        "are hashed.",
    ]


def test_the_packaged_sources_are_right(spark: SparkSession):
    folder = conf_folder() / "sources"
    check_sources(spark, folder, load_sources(folder))
