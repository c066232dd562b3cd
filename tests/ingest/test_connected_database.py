"""A PostgreSQL server through the whole stage: a rising column with a look-back, connections that break."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession

from ingest.lake import KEY
from personalake.privacy.hashing import decrypt_text
from personalake.store.jars import EXTRA_CLASSES
from personalake.store.session import is_loadable
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS, SOURCE_DAYS, SOURCE_READS
from support.connected_lake import ConnectedLake
from support.postgresql import Postgresql, postgresql

pytestmark = pytest.mark.slow
PASSWORD = 'it\'s a "secret" one'
SCHEMA = "id bigint, changed_at timestamp, visitor string, act string, item string, price decimal(12,2), extra string"
CREATE = """
CREATE ROLE reader LOGIN PASSWORD 'it''s a "secret" one';
CREATE TABLE orders (
    id bigint PRIMARY KEY, changed_at timestamptz NOT NULL, visitor text, act varchar(9), item text,
    price numeric(12,2), extra jsonb);
CREATE TABLE fuse (is_blown boolean); INSERT INTO fuse VALUES (false);
CREATE FUNCTION blow(n bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN
    IF n = 900 AND (SELECT is_blown FROM fuse) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN n; END $$;
CREATE VIEW watched AS SELECT blow(id) AS id, changed_at, visitor, act, item, price, extra FROM orders;
GRANT SELECT ON orders, watched, fuse TO reader;
INSERT INTO orders SELECT n, '2020-01-01T00:00:00Z'::timestamptz + n * interval '1 second',
    'v' || n, 'pay', 'i' || n, n / 100.0, '{"a": 1}' FROM generate_series(1, 1000) n;
"""


@pytest.fixture(scope="module")
def server(spark: SparkSession) -> Iterator[Postgresql]:
    if not is_loadable(EXTRA_CLASSES["postgresql"]):
        pytest.skip("the PostgreSQL driver is not here: python -m personalake.store.fetch postgresql")
    with postgresql() as running:
        running.sql(CREATE)
        yield running


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, server: Postgresql) -> Iterator[ConnectedLake]:
    made = ConnectedLake(spark, tmp_path_factory.mktemp("database"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_PASSWORD", PASSWORD)
        declare(made, server)
        yield made


def declare(lake: ConnectedLake, server: Postgresql, schema: str = SCHEMA, **changes: Any) -> None:
    connect = {"kind": "jdbc", "url": server.url, "user": "reader", "password_env": "SHOP_PASSWORD"}
    connect |= {"table": "public.watched", "rising": "changed_at", "look_back": 60}
    connect |= {"partition_column": "id", "partitions": 3, "fetch_size": 100}
    fields = {"device_id": "visitor", "event_type": "act", "item_id": "item", "value": "price"}
    time = {"column": "changed_at", "format": "timestamp"}
    lake.source("shop", connect | changes, schema=schema, fields=fields, time=time, event_id=["id"])


# The tests below happen in the order they stand here.
def test_what_the_database_refuses_is_told_by_its_state_and_nothing_is_written(lake, server, monkeypatch):
    for changes, told in (
        ({"table": "public.nobody"}, "the database does not know or does not let the user read what is asked for "
         "(SQLSTATE 42P01). Check table, query and rights."),
        ({"table": "pg_authid"}, "the database does not know or does not let the user read what is asked for "
         "(SQLSTATE 42501). Check table, query and rights."),
        ({"url": server.url.replace("/postgres", "/nothing")}, "the database does not exist on that server (SQLSTATE "
         "3D000). Check connect.url."),
    ):  # fmt: skip
        declare(lake, server, **changes)
        assert lake.faults() == [f"source shop: {told}"]
    declare(lake, server, SCHEMA.replace("id bigint", "id int"))
    assert lake.faults() == [
        "source shop: public.watched does not fit the schema: column id is bigint, declared as int. Mend the schema, "
        "or cast in a query."
    ]
    declare(lake, server)
    monkeypatch.setenv("SHOP_PASSWORD", "another")
    assert lake.faults() == [
        "source shop: the database refuses the user or the password (SQLSTATE 28P01). Check connect.user and what "
        "connect.password_env names."
    ]
    assert (lake.items(), lake.reads()) == ([], [])


def test_a_database_that_goes_away_in_the_middle_leaves_nothing_behind_and_a_rerun_repairs(lake, server):
    server.sql("UPDATE fuse SET is_blown = true")
    before = lake.versions()
    (told,) = lake.faults()
    assert told.startswith("source shop: the database was shut down or stopped the query (SQLSTATE 57P01).")
    server.sql("UPDATE fuse SET is_blown = false")
    server.stop()
    (told,) = lake.faults()
    assert told.startswith("source shop: the database cannot be reached, or went away while it was read (SQLSTATE 08")
    server.start()
    assert lake.versions() == before
    lake.run(dies_at=SOURCE_READS)
    job = lake.run()
    assert (job.rows_in, len(set(lake.items()))) == (1000, 1000)
    assert lake.told(EVENTS, "item_id", "value", "event_at")[0][:2] == ("i1", 0.01)
    assert lake.reads() == [("public.watched/changed_at up to 2020-01-01 00:16:40", 1000, 0)]


def test_only_what_rose_is_read_again_with_the_look_back_and_late_commits_are_found(lake, server):
    # One row new, one changed, one broken; one committed late, below the mark; one too late for any look-back.
    server.sql("""
        INSERT INTO orders VALUES (2001, '2020-01-02T00:00:00.123456Z', 'v', 'pay', 'new', 1, NULL),
            (2002, '2020-01-02T00:00:00Z', 'v', 'swipe', 'broken', 1, '{"mail": "ann@example.org"}'),
            (2003, '2020-01-01T00:16:30Z', 'v', 'pay', 'late', 1, NULL),
            (2004, '2020-01-01T00:15:39Z', 'v', 'pay', 'too late', 1, NULL);
        UPDATE orders SET item = 'changed', changed_at = '2020-01-02T00:00:00Z' WHERE id = 7;
    """)
    job = lake.run()
    assert (job.rows_in, job.rows_rejected) == (61 + 4, 1)
    found = lake.items()
    assert (len(found), {"new", "changed", "late"} - set(found)) == (1002, set())
    assert {"i7", "too late", "broken"} & set(found) == set()
    (row,) = lake.told(REJECTED_RECORDS, "record", "file", "reason_code")
    assert row[1:] == ("public.watched", "ING-003")
    assert '"extra":"{\\"mail\\": \\"ann@example.org\\"}"' in decrypt_text(KEY, row[0])


def test_rows_seen_again_double_nothing_and_write_nothing(lake):
    before = lake.versions()
    lake.run()
    after, reads = lake.versions(), lake.reads()
    assert {name for name in after if after[name] != before[name]} == {"source_days", "source_reads"}
    job = lake.run()
    assert (job.rows_in, job.rows_rejected, job.rows_out) == (3, 1, 0)
    assert (lake.versions(), lake.reads()) == (after, reads)
    assert len(lake.told(REJECTED_RECORDS, "rejection_id")) == 1


def test_a_late_row_under_a_known_mark_is_counted_though_the_run_that_took_it_died(lake, server):
    server.sql("INSERT INTO orders VALUES (2005, '2020-01-01T23:59:30Z', 'v', 'pay', 'later', 1, NULL)")
    lake.run(dies_at=SOURCE_DAYS)
    assert "later" in lake.items()
    lake.run()
    assert sum(count for (count,) in lake.told(SOURCE_DAYS, "event_count")) == len(lake.items()) == 1003
    before = lake.versions()
    lake.run()
    assert lake.versions() == before


def test_a_null_in_the_rising_column_is_a_fault_and_a_query_may_fill_it(lake, server):
    server.sql("ALTER TABLE orders ALTER changed_at DROP NOT NULL; UPDATE orders SET changed_at = NULL WHERE id <= 2")
    assert lake.faults() == [
        "source shop: column changed_at of public.watched is null in 2 rows, which would be left out. Name a column "
        "that is never null, or fill it in a query."
    ]
    query = "SELECT id, coalesce(changed_at, '2020-01-03Z') AS changed_at, visitor, act, item, price, extra FROM orders"
    declare(lake, server, table="", query=query, partitions=1)
    assert lake.run().rows_in == 1005
    assert "too late" in lake.items()


def test_a_time_yet_to_come_is_no_mark_below_which_later_rows_are_lost(lake, server):
    server.sql("""
        UPDATE orders SET changed_at = 'infinity' WHERE id = 1;
        UPDATE orders SET changed_at = '2999-01-01Z' WHERE id = 2""")
    assert lake.run().rows_in == 2
    server.sql("INSERT INTO orders VALUES (3001, now(), 'v', 'pay', 'after infinity', 1, NULL)")
    lake.run()
    assert "after infinity" in lake.items()


def test_a_whole_number_may_rise_and_a_table_without_any_is_read_whole(lake, server):
    declare(lake, server, table="public.orders", rising="id", look_back=2, partitions=1)
    server.sql("UPDATE orders SET changed_at = '2020-01-03Z' WHERE changed_at > '2020-12-01Z'")
    assert lake.run().rows_in == 1006
    assert lake.run().rows_in == 1
    declare(lake, server, table="public.orders", rising="", look_back=0, partitions=1)
    version = lake.versions()["events"]
    assert lake.run().rows_in == 1006
    assert lake.versions()["events"] == version


def test_the_password_is_in_no_plan_log_or_message(lake, server, capfd, caplog):
    from personalake.ingest.connect.batch import Asked
    from personalake.ingest.connect.read import batches
    from personalake.ingest.source import load_sources

    (source,) = load_sources(lake.folder / "conf")
    asked = Asked(lake.spark, source, (), None, str, str, lambda _: None)
    with caplog.at_level(logging.INFO):
        (batch,) = batches(asked)
        batch.raw.explain(mode="extended")
        plan = batch.raw._jdf.queryExecution().toString()
    told = plan + "".join(capfd.readouterr()) + caplog.text + "".join(source.model_dump_json())
    assert "public.orders" in told
    assert "secret" not in told
    kept = b"".join(p.read_bytes() for p in lake.folder.rglob("*") if p.is_file() and "conf" not in p.parts)
    assert b'"secret"' not in kept
