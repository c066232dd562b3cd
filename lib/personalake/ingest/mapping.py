"""From raw columns to the columns of an entity, de-identified, with the reason where a record is refused."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.ingest.clean import (
    account_expression,
    cleaned_text,
    is_test_account,
    iso_currency,
    parsed_number,
    with_fills,
)
from personalake.ingest.derive import Door, with_derived
from personalake.ingest.readers import MALFORMED, MODIFIED, PATH, RECORD
from personalake.ingest.refuse import judged, refusal
from personalake.ingest.revision import in_order, revision_number
from personalake.ingest.source import ENTITY_TIME, Source
from personalake.ingest.times import moment, offset_minutes
from personalake.privacy.hashing import PEPPER, IdentifierType, encrypt, identify
from personalake.tables.spec import DOUBLE, STRING, STRING_MAP, Col, Table

REASON, CIPHER, SOURCE, HAS, ALIASES = "_reason", "_cipher", "_source", "_has", "_aliases"
_BOOKKEEPING = (PATH, MODIFIED, MALFORMED, RECORD)
_VERSION, _ORDINAL = "record_version", "_ordinal"


def map_records(raw: DataFrame, source: Source, door: Door) -> DataFrame:
    """Raw records of one source as rows of its entity.

    Args:
        raw: from `read_raw`.
        source: how it maps.
        door: settings, key and time zone.

    Returns:
        The columns of the entity's table without run_id, and `_reason` (struct code, reason; null where the row is
        good), `_cipher` (the raw record, encrypted, where it is refused), `_source`, `_path`, `_modified_at`, `_has`
        (which of the mapped fields the record has, a bit each by the column's place); while the key before is held also
        `_aliases` (its identifiers by both keys). No raw identifier.

    Cost:
        No shuffle; one pass through Python for the identifiers, one for the refused records.
    """
    table = source.table
    types = _identifier_types(source)
    named = [(_said(source, e), t) for e, t in types.values()]
    identifiers = identify(door.key, named, door.settings.null_identifiers, door.previous_key).alias("_ids")
    frame = _its_own(raw, source).select("*", identifiers)
    aliases = [_aliases([t.kind for _, t in named])] if door.previous_key else []
    targets = with_fills(_targets(source, table, list(types), door), source)
    mapped = frame.select(*targets, *_BOOKKEEPING, *_versioning(frame, source), *judged(source), *aliases)
    reason = refusal(source, door.settings.earliest_date, door.settings.latest_date)
    # ranges hold for what the source sent: the sign of a refund is turned only after they were checked
    mapped = with_derived(mapped.withColumn(REASON, reason), source, door)
    version = F.concat_ws(":", in_order(F.col("_revision")), _content_hash(mapped, table))
    columns = [F.col(c.name) if c.name != _VERSION else version.alias(_VERSION) for c in table.cols]
    refused = F.col(RECORD) if door.keeps_all else F.when(F.col(REASON).isNotNull(), F.col(RECORD))
    told = (REASON, encrypt(door.key, refused).alias(CIPHER), F.lit(source.name).alias(SOURCE), _mask(source, table))
    return mapped.select(*columns, *told, PATH, MODIFIED, *([ALIASES] if aliases else []))


def _mask(source: Source, table: Table) -> Column:
    bits = [F.when(F.col(n).isNotNull(), F.lit(1 << table.names.index(n))).otherwise(0) for n in sorted(source.fields)]
    return reduce(lambda left, right: left + right, bits, F.lit(0).cast("bigint")).alias(HAS)


def _its_own(raw: DataFrame, source: Source) -> DataFrame:
    """Without records of other sources in the same files; what cannot be parsed is nobody else's. With _ordinal."""
    if source.only:
        raw = raw.where(F.coalesce(F.expr(source.only), F.lit(False)) | F.col(MALFORMED))
    if source.equal_records == "one":
        return raw.withColumn(_ORDINAL, F.lit(None).cast("int"))
    # Equal records of a file differ in nothing, so which of them is first does not matter.
    equal = Window.partitionBy(PATH, RECORD).orderBy(PATH, RECORD)
    return raw.withColumn(_ORDINAL, F.row_number().over(equal))


def _aliases(kinds: list[str]) -> Column:
    """The record's identifiers by both keys, those that are there."""
    pairs = [
        F.struct(
            F.lit(kind).alias("identifier_kind"),
            F.col("_ids").getField(f"old_{n}").alias("old_identifier"),
            F.col("_ids").getField(f"id_{n}").alias("identifier"),
        )
        for n, kind in enumerate(kinds)
        if kind != "session"  # a visit is no person's name
    ]
    return F.filter(F.array(*pairs), lambda pair: pair["identifier"].isNotNull()).alias(ALIASES)


def _identifier_types(source: Source) -> dict[str, tuple[str, IdentifierType]]:
    """Target to raw expression and identifier type, in the order they are hashed."""
    kinds = {"device_id": "device", "login_id": "login", "source_session_id": "session"}
    if source.entity == "consent":
        kinds = {"identifier": source.fields["identifier_kind"].strip("' ")}
    found = {
        c: (source.fields[c], IdentifierType(k, source.namespace(k))) for c, k in kinds.items() if c in source.fields
    }
    for kind, expression in source.identifiers.items():
        found[f"identifiers.{kind}"] = (expression, IdentifierType(kind, source.namespace(kind)))
    return found or {"": ("null", IdentifierType("none", source.name))}


def _targets(source: Source, table: Table, identified: list[str], door: Door) -> dict[str, Column]:
    hashed = {name: F.col("_ids").getField(f"id_{n}") for n, name in enumerate(identified)}
    time = ENTITY_TIME[source.entity]
    constants: dict[str, Column] = {
        "source": F.lit(source.name),
        "platform": F.lit(source.platform),
        "device_class": F.lit(source.device_class),
        "received_at": F.col(MODIFIED),
        "key_id": F.lit(door.key.key_id),
        time: moment(source.time) if source.time else F.lit("1970-01-01").cast("timestamp"),
        "utc_offset_minutes": offset_minutes(source.time) if source.time else F.lit(None),
        "identifiers": _map({k.split(".", 1)[1]: c for k, c in hashed.items() if k.startswith("identifiers.")}),
        "acquisition": _map({k: _said(source, e) for k, e in source.acquisition.items()}),
        "properties": _map({k: _said(source, e) for k, e in source.properties.items()} | _test_mark(source)),
        "attributes": _map({k: _said(source, e) for k, e in source.attributes.items()}),
        "is_bot": F.coalesce(F.expr(source.user_agent).rlike(door.settings.bot_pattern), F.lit(False))
        if source.user_agent
        else F.lit(False),
    }
    if "event_id" in table.names:
        constants["event_id"] = _row_hash(source, [F.expr(e) for e in source.event_id_parts])
    columns = {}
    for column in table.cols:
        value = hashed.get(column.name)
        if value is None and column.name in source.fields:
            value = _field(source, column)
        value = constants.get(column.name, F.lit(None)) if value is None else value
        columns[column.name] = value.try_cast(column.type)
    return columns


def _field(source: Source, column: Col) -> Column:
    if column.name == "event_type":
        return _verb(source)
    expression, name = source.fields[column.name], column.name
    if name in source.numbers:
        return parsed_number(_said(source, expression), source.numbers[name], column.type != DOUBLE)
    if column.type != STRING:
        return F.expr(expression)
    text = cleaned_text(_said(source, expression), source.texts.get(name, ()))
    return iso_currency(text, source.currencies) if name == "currency" and source.currencies else text


def _test_mark(source: Source) -> dict[str, Column]:
    """The property that tells a tester's record, where testers are marked."""
    if source.test_accounts is None or source.test_accounts.then != "mark":
        return {}
    raw = F.expr(account_expression(source)).cast("string")
    return {"is_test": F.when(is_test_account(raw, source.test_accounts), F.lit("true"))}


def _said(source: Source, expression: str) -> Column:
    """An expression as text; null where the text means that nothing was sent."""
    text = F.expr(expression).cast("string")
    return F.when(~text.isin(*source.null_values), text) if source.null_values else text


def _verb(source: Source) -> Column:
    raw = F.expr(source.fields["event_type"]).cast("string")
    pairs = [F.lit(word) for pair in source.event_types.items() for word in pair]
    return F.try_element_at(F.create_map(*pairs), raw)


def _map(entries: dict[str, Column]) -> Column:
    """A map of the entries that are not null; null where there is none."""
    if not entries:
        return F.lit(None)
    pairs = [F.lit(word) if isinstance(word, str) else word for pair in entries.items() for word in pair]
    full = F.map_filter(F.create_map(*pairs), lambda _, value: value.isNotNull())
    return F.when(F.size(full) > 0, full)


def _row_hash(source: Source, parts: list[Column]) -> Column:
    """Keyed by a constant that came with the identifiers: SHA-256 of pepper, source and parts, 32 hex digits."""
    words = [F.coalesce(part.cast("string"), F.lit("\x00")) for part in parts]
    # The ordinal is null, and passed over, where equal records are one.
    text = F.concat_ws(
        "\x1f", F.col("_ids").getField(PEPPER), F.lit(source.name), *words, F.col(_ORDINAL).cast("string")
    )
    return F.left(F.sha2(text, 256), F.lit(32))


def _versioning(frame: DataFrame, source: Source) -> list[Column]:
    number = revision_number(frame, source.revision) if source.revision else F.lit(None).cast("decimal(20,0)")
    return [number.alias("_revision"), F.col("_ids").getField(PEPPER).alias("_pepper")]


def _content_hash(mapped: DataFrame, table: Table) -> Column:
    """A hash of what the record says, not of when or from which file it came."""
    arrival = {"received_at", _VERSION, "event_id"}
    told = [c for c in table.cols if c.name not in arrival]
    columns = [F.map_entries(c.name) if c.type == STRING_MAP else F.col(c.name) for c in told]
    # The hash passes over nulls, so which columns have none is hashed too.
    return F.lower(F.hex(F.xxhash64(*columns, F.array(*[F.col(c.name).isNull() for c in told]))))
