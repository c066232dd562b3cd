"""One row per key: which of several records of one event, item or customer stands, and how things were as of a day."""

from __future__ import annotations

import re

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.ingest.mapping import ALIASES, CIPHER, HAS, REASON, SOURCE
from personalake.ingest.readers import MODIFIED, PATH
from personalake.tables.spec import COUNT_MAP, Table

_HASH = "_key_hash"


def doubtful_keys(staged: DataFrame, table: Table) -> DataFrame:
    """Hashes of the keys that several good rows may share.

    Args:
        staged: rows from `map_records`; reads `_reason` and the key.
        table: whose key it is.

    Returns:
        `_key_hash`, one row each. A few may stand for keys that only share the hash.

    Cost:
        One shuffle of eight bytes a row.
    """
    counts = _good(staged).groupBy(F.xxhash64(*table.key).alias(_HASH)).agg(F.count("*").alias("_rows"))
    return counts.where("_rows > 1").select(_HASH)


def only_one_per_key(staged: DataFrame, table: Table, doubtful: DataFrame | None = None) -> DataFrame:
    """The good rows, one per key: the one with the greatest record_version, whichever came first or in which file.

    Args:
        staged: rows from `map_records`; reads `_reason` and the table's columns.
        table: whose key it is.
        doubtful: from `doubtful_keys`, put down; None: every key may be one.

    Returns:
        The table's columns without run_id.

    Cost:
        One shuffle and sort of whole rows by key: of those with a doubtful key alone. The others are only told apart
        from them, by a broadcast as long as the doubtful are few.
    """
    good = _good(staged).withColumn(_HASH, F.xxhash64(*table.key))
    if doubtful is None:
        return _greatest(good, table)
    single = good.join(doubtful, [_HASH], how="left_anti").select(*[c.name for c in table.cols])
    return single.unionByName(_greatest(good.join(doubtful, [_HASH], how="left_semi"), table))


def _good(staged: DataFrame) -> DataFrame:
    return staged.where(F.col(REASON).isNull())


def _greatest(rows: DataFrame, table: Table) -> DataFrame:
    order = [F.col("record_version").desc()]
    order += [F.col("received_at").asc_nulls_last()] if "received_at" in table.names else []
    window = Window.partitionBy(*table.key).orderBy(*order, *table.key)
    ranked = rows.withColumn("_order", F.row_number().over(window))
    return ranked.where("_order = 1").select(*[c.name for c in table.cols])


def only_news(rows: DataFrame, old: DataFrame, table: Table, read_again: bool = False) -> DataFrame:
    """Rows that a MERGE would insert or put in place of older ones: it rewrites files even where nothing differs.

    Args:
        rows: rows for the table, one per key.
        old: the table's rows.
        table: whose key it is. Of its record_version the greater stands; without, a row with the same reason is the
            same.
        read_again: the rows come from files that were read before: only the same version is no news.

    Returns:
        The same columns, fewer rows.

    Cost:
        One join on the key, of the table's key and version columns.
    """
    same = [F.col(f"n.{name}") == F.col(f"o.{name}") for name in table.key]
    if "record_version" in table.names:
        old_version, version = F.col("o.record_version"), F.col("n.record_version")
        same.append(old_version == version if read_again else old_version >= version)
    else:
        same.append(F.col("o.reason") == F.col("n.reason"))
    return rows.alias("n").join(old.alias("o"), on=same, how="left_anti")


def rejected_records(staged: DataFrame, root: str) -> DataFrame:
    """The refused rows of staged records as rows of `rejected_records`.

    Args:
        staged: rows from `map_records`, of one entity; reads `_reason`, `_cipher`, `_path`, `_modified_at`, `_source`.
        root: raw.root; the file is told relative to it.

    Returns:
        rejection_id, source, file, position, reason_code, reason, record, event_date, rejected_at.

    Cost:
        One shuffle of the refused rows.
    """
    refused = staged.where(F.col(REASON).isNotNull()).withColumns({"file": read_key_of(root), "source": F.col(SOURCE)})
    # Equal records of a file differ in nothing, so which of them is first does not matter.
    window = Window.partitionBy("source", "file", CIPHER).orderBy("source", "file", CIPHER)
    refused = refused.withColumn("position", F.row_number().over(window).cast("bigint"))
    day = F.col("event_date") if "event_date" in staged.columns else F.lit(None).cast("date")
    return refused.select(
        rejection_id(CIPHER).alias("rejection_id"),
        "source",
        "file",
        "position",
        F.col(f"{REASON}.code").alias("reason_code"),
        F.col(f"{REASON}.reason").alias("reason"),
        F.col(CIPHER).alias("record"),
        day.alias("event_date"),
        F.col(MODIFIED).alias("rejected_at"),
    )


def rejection_id(cipher: str) -> Column:
    """The id of a refused record: reads source, file, position and the column that holds its cipher."""
    words = F.concat_ws("\x1f", "source", "file", cipher, F.col("position").cast("string"))
    return F.left(F.sha2(words, 256), F.lit(32))


def identifier_aliases(staged: DataFrame, key_id: str, old_key_id: str) -> DataFrame:
    """What identifiers were by the key before.

    Args:
        staged: rows from `map_records`, mapped while both keys were held; reads `_aliases` and `_reason`.
        key_id: the key of now.
        old_key_id: the key before.

    Returns:
        The columns of identifier_aliases without run_id.

    Cost:
        One shuffle of distinct identifiers.
    """
    good = staged.where(F.col(REASON).isNull()).select(F.explode(ALIASES).alias("_alias"))
    pairs = good.select("_alias.identifier_kind", "_alias.old_identifier", "_alias.identifier").distinct()
    return pairs.withColumns({"old_key_id": F.lit(old_key_id), "key_id": F.lit(key_id)})


def read_key_of(root: str) -> Column:
    """The path of a staged row's file below raw.root."""
    prefix = re.sub(r"^file:(//)?", "", root).rstrip("/") + "/"
    path = F.regexp_replace(F.url_decode(F.regexp_replace(PATH, r"\+", "%2B")), r"^file:(//)?", "")
    return F.when(path.startswith(prefix), F.substring(path, len(prefix) + 1, 1 << 20)).otherwise(path)


def counts_by_file(staged: DataFrame, root: str, table: Table | None = None) -> DataFrame:
    """source, read_key, rows_in, rows_rejected, filled_counts (field of the table to good records that have it), days.

    One row a file; what a record has is counted by its mask, so that no field itself is read. `days` are the business
    days of its good records, where they have one.
    """
    names = (F.col(SOURCE).alias("source"), read_key_of(root).alias("read_key"))
    good = F.col(REASON).isNull()
    day = F.when(good, F.col("event_date")) if "event_date" in staged.columns else F.lit(None).cast("date")
    masks = staged.groupBy(*names, good.alias("_is_good"), HAS).agg(
        F.count("*").alias("_rows"), F.collect_set(day).alias("_days")
    )
    rejected = F.sum(F.when(F.col("_is_good"), 0).otherwise(F.col("_rows")))
    pairs = []
    for place, name in enumerate(table.names if table else ()):
        has = F.col("_is_good") & (F.col(HAS).bitwiseAND(F.lit(1 << place)) != 0)
        pairs += [F.lit(name), F.sum(F.when(has, F.col("_rows")).otherwise(0))]
    told = F.map_filter(F.create_map(*pairs), lambda _, count: count > 0) if pairs else F.lit(None)
    return masks.groupBy("source", "read_key").agg(
        F.sum("_rows").alias("rows_in"),
        rejected.alias("rows_rejected"),
        told.cast(COUNT_MAP).alias("filled_counts"),
        F.array_distinct(F.flatten(F.collect_list("_days"))).alias("days"),
    )


def latest_by_key(versions: DataFrame, table: Table, before: Column | None = None) -> DataFrame:
    """Items or customers as they are now, or as they were at a moment.

    Args:
        versions: rows of item_versions or customer_versions.
        table: ITEMS or CUSTOMERS.
        before: only versions with effective_at before this moment; None is all.

    Returns:
        The table's columns without run_id, one row per key.

    Cost:
        One shuffle by key.
    """
    if before is not None:
        versions = versions.where(F.col("effective_at") < before)
    newest = Window.partitionBy(*table.key).orderBy(
        F.col("effective_at").desc(), F.col("record_version").desc(), *table.key
    )
    rows = versions.withColumn("_order", F.row_number().over(newest))
    if "first_seen_at" in table.names:
        rows = rows.withColumn("first_seen_at", F.min("effective_at").over(Window.partitionBy(*table.key)))
    return rows.where("_order = 1").select(*[c.name for c in table.cols])
