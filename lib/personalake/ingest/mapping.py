"""From raw columns to the columns of an entity, de-identified, with the reason where a record is refused."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.ingest.readers import MALFORMED, MODIFIED, PATH, RECORD
from personalake.ingest.refuse import refusal
from personalake.ingest.settings import Ingest
from personalake.ingest.source import ENTITY_TIME, Source
from personalake.ingest.times import moment, offset_minutes
from personalake.privacy.hashing import PEPPER, IdentifierType, encrypt, identify
from personalake.privacy.keys import Key
from personalake.tables.spec import STRING, STRING_MAP, Col, Table

REASON, CIPHER, SOURCE, ALIASES = "_reason", "_cipher", "_source", "_aliases"
_BOOKKEEPING = (PATH, MODIFIED, MALFORMED, RECORD)
_VERSION = "record_version"


@dataclass(frozen=True)
class Door:
    """What every record passes: settings, the key, the zone of the business day, the key before while held."""

    settings: Ingest
    key: Key
    time_zone: str
    previous_key: Key | None = None


def map_records(raw: DataFrame, source: Source, door: Door) -> DataFrame:
    """Raw records of one source as rows of its entity.

    Args:
        raw: from `read_raw`.
        source: how it maps.
        door: settings, key and time zone.

    Returns:
        The columns of the entity's table without run_id, and `_reason` (struct code, reason; null where the row is
        good), `_cipher` (the raw record, encrypted, where it is refused), `_source`, `_path`, `_modified_at`; while the
        key before is held also `_aliases` (its identifiers by both keys). No raw identifier.

    Cost:
        No shuffle; one pass through Python for the identifiers, one for the refused records.
    """
    table = source.table
    types = _identifier_types(source)
    raw_ids = [(_said(source, e), t) for e, t in types.values()]
    frame = raw.select("*", identify(door.key, raw_ids, door.previous_key).alias("_ids"))
    aliases = [_aliases([t.kind for _, t in raw_ids])] if door.previous_key else []
    mapped = frame.select(*_targets(source, table, list(types), door), *_BOOKKEEPING, *_versioning(source), *aliases)
    reason = refusal(source, door.settings.earliest_date, door.settings.latest_date)
    # ranges hold for what the source sent: the sign of a refund is turned only after they were checked
    mapped = _with_derived(mapped.withColumn(REASON, reason), source, door)
    version = F.concat_ws(":", F.lpad(F.coalesce("_revision", F.lit("0")), 20, "0"), _content_hash(mapped, table))
    columns = [F.col(c.name) if c.name != _VERSION else version.alias(_VERSION) for c in table.cols]
    refused = F.when(F.col(REASON).isNotNull(), F.col(RECORD))
    return mapped.select(
        *columns,
        REASON,
        encrypt(door.key, refused).alias(CIPHER),
        F.lit(source.name).alias(SOURCE),
        PATH,
        MODIFIED,
        *([ALIASES] if aliases else []),
    )


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


def _targets(source: Source, table: Table, identified: list[str], door: Door) -> list[Column]:
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
        "properties": _map({k: _said(source, e) for k, e in source.properties.items()}),
        "attributes": _map({k: _said(source, e) for k, e in source.attributes.items()}),
        "is_bot": F.coalesce(F.expr(source.user_agent).rlike(door.settings.bot_pattern), F.lit(False))
        if source.user_agent
        else F.lit(False),
    }
    if "event_id" in table.names:
        constants["event_id"] = _row_hash(source, [F.expr(e) for e in source.event_id_parts])
    columns = []
    for column in table.cols:
        value = hashed.get(column.name)
        if value is None and column.name in source.fields:
            value = _field(source, column)
        value = constants.get(column.name, F.lit(None)) if value is None else value
        columns.append(value.try_cast(column.type).alias(column.name))
    return columns


def _field(source: Source, column: Col) -> Column:
    if column.name == "event_type":
        return _verb(source)
    expression = source.fields[column.name]
    return _said(source, expression) if column.type == STRING else F.expr(expression)


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
    text = F.concat_ws("\x1f", F.col("_ids").getField(PEPPER), F.lit(source.name), *words)
    return F.left(F.sha2(text, 256), F.lit(32))


def _versioning(source: Source) -> list[Column]:
    revision = F.expr(source.revision) if source.revision else F.lit(None)
    pepper = F.col("_ids").getField(PEPPER).alias("_pepper")
    return [revision.try_cast("decimal(20,0)").cast("string").alias("_revision"), pepper]


def _with_derived(mapped: DataFrame, source: Source, door: Door) -> DataFrame:
    if source.entity == "event":
        money = F.col("amount_minor")
        amount = F.when((F.col("event_type") == "refund") & (money > 0), -money).otherwise(money)
        mapped = mapped.withColumns(
            {
                "event_date": F.to_date(F.from_utc_timestamp("event_at", door.time_zone)),
                "amount_minor": amount,
                "amount_base_minor": _in_base(amount, door.settings),
            }
        )
    if source.entity == "item":
        low, high = door.settings.price_band_bounds_minor
        price = F.col("price_minor")
        band = F.when(price < low, "low").when(price < high, "middle").when(price >= high, "high")
        mapped = mapped.withColumn("price_band", band)
    if source.entity == "consent":
        words = [F.col(c).cast("string") for c in ("identifier_kind", "identifier", "purpose", "state", "effective_at")]
        key = F.concat_ws("\x1f", "_pepper", *[F.coalesce(w, F.lit("\x00")) for w in words])
        mapped = mapped.withColumn("consent_id", F.left(F.sha2(key, 256), F.lit(32)))
    return mapped


def _in_base(amount: Column, settings: Ingest) -> Column:
    value = F.when(F.col("currency") == settings.base_currency, amount)
    for currency, rate in sorted(settings.rates.items()):
        value = value.when(F.col("currency") == currency, F.round(amount * F.lit(rate)).try_cast("bigint"))
    return value


def _content_hash(mapped: DataFrame, table: Table) -> Column:
    """A hash of what the record says, not of when or from which file it came."""
    arrival = {"received_at", _VERSION, "event_id"}
    told = [c for c in table.cols if c.name not in arrival]
    columns = [F.map_entries(c.name) if c.type == STRING_MAP else F.col(c.name) for c in told]
    # The hash passes over nulls, so which columns have none is hashed too.
    return F.lower(F.hex(F.xxhash64(*columns, F.array(*[F.col(c.name).isNull() for c in told]))))
