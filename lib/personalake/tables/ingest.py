"""What ingest writes: events, refused records, the ledger of reads, and what is known of items and people."""

from __future__ import annotations

from personalake.tables.spec import (
    BIGINT,
    BOOLEAN,
    COUNT_MAP,
    DATE,
    DOUBLE,
    INT,
    STRING,
    STRING_MAP,
    STRINGS,
    TIMESTAMP,
    Col,
    Table,
)

EVENTS = Table(
    name="events",
    comment="One row per thing a person did, once, on any platform.",
    stage="ingest",
    key=("event_id",),
    partition=("event_date",),
    keep_days=730,
    cols=(
        Col("event_id", STRING, "Hash of the source and what makes its record unique"),
        Col("event_at", TIMESTAMP, "When it happened [UTC]", optional=False),
        Col("event_date", DATE, "Business day of event_at in the configured time zone", optional=False),
        Col("received_at", TIMESTAMP, "When the file or batch that brought it was last modified [UTC]"),
        Col("utc_offset_minutes", INT, "Offset of the source's local time from UTC, where it is known [min]"),
        Col("source", STRING, "Name of the source's YAML", optional=False),
        Col("platform", STRING, "web, mobile_web, android, ios, tablet, tv, mini_program, partner, …", optional=False),
        Col("device_class", STRING, "pc, phone, tablet, tv, other", optional=False),
        Col("device_id", STRING, "De-identified device or cookie", person=True),
        Col("login_id", STRING, "De-identified login", person=True),
        Col("identifiers", STRING_MAP, "Further de-identified identifiers by kind", person=True),
        Col("key_id", STRING, "Which de-identification key made the identifiers"),
        Col("source_session_id", STRING, "De-identified session id of the source's own", person=True),
        Col("event_type", STRING, "Canonical verb: view, click, search, cart, favourite, buy, …", optional=False),
        Col("item_id", STRING, "The item, by the catalogue's id"),
        Col("query", STRING, "Words searched for", person=True),
        Col("order_id", STRING, "The order a buy or refund belongs to"),
        Col("position", INT, "Place in the list where the item was shown, from 1"),
        Col("quantity", DOUBLE, "How many"),
        Col("value", DOUBLE, "What was measured: rating, survey answer, load time [ms], results of a search"),
        Col("amount_minor", BIGINT, "Money of the line in cents; refunds are negative"),
        Col("discount_minor", BIGINT, "Discount of the line in cents"),
        Col("currency", STRING, "ISO 4217 code of amount_minor"),
        Col("amount_base_minor", BIGINT, "amount_minor in the base currency"),
        Col("region", STRING, "Region as the source names it"),
        Col("country", STRING, "Country as the source names it"),
        Col("campaign_id", STRING, "Campaign that led here"),
        Col("message_id", STRING, "Message that led here"),
        Col("recommendation_id", STRING, "Recommendation that led here"),
        Col("acquisition", STRING_MAP, "utm source, medium, campaign, referrer"),
        Col("filled_fields", STRINGS, "Fields that were filled, not sent"),
        Col("is_bot", BOOLEAN, "Whether a machine did it", optional=False),
        Col("properties", STRING_MAP, "Whatever else the source says"),
        Col(
            "record_version",
            STRING,
            "Total order among records with one event_id; the greatest is kept",
            optional=False,
        ),
    ),
)

REJECTED_RECORDS = Table(
    name="rejected_records",
    comment="One row per record that was refused, kept with its reason.",
    stage="ingest",
    key=("rejection_id",),
    keep_days=365,
    cols=(
        Col("rejection_id", STRING, "Hash of source, file, record and ordinal"),
        Col("source", STRING, "Name of the source's YAML", optional=False),
        Col("file", STRING, "File it came from, relative to raw.root; table, address, or topic, partition and offset"),
        Col("position", BIGINT, "Ordinal among the equal records of the file, from 1"),
        Col("reason_code", STRING, "ING-001 … as in the documentation", optional=False),
        Col("reason", STRING, "Why, in words, without any value of the record", optional=False),
        Col("record", STRING, "The raw record, AES-GCM encrypted, base64", person=True),
        Col("event_date", DATE, "Business day of the record, where its time could be read"),
        Col("rejected_at", TIMESTAMP, "Modification time of the file that brought it [UTC]"),
    ),
)

SOURCE_READS = Table(
    name="source_reads",
    comment="One row per file, page, offset range or mark that was read, written last: what is not here is read again.",
    stage="ingest",
    key=("source", "read_key"),
    cols=(
        Col("source", STRING, "Name of the source's YAML"),
        Col("read_key", STRING, "File relative to raw.root; pages, offsets, versions, or rows up to a mark"),
        Col("size", BIGINT, "Size of the file or the pages [bytes]"),
        Col("modified_at", TIMESTAMP, "When the file was last modified; of what is no file, when it was read [UTC]"),
        Col("content_hash", STRING, "SHA-256 of the file's bytes or the pages' records"),
        Col("mapping_hash", STRING, "SHA-256 of the source's YAML as it was read with"),
        Col("rows_in", BIGINT, "Records in the file"),
        Col("rows_rejected", BIGINT, "Records refused"),
        Col("state", STRING, "read, or same content: its very bytes had come under another name"),
        Col("read_at", TIMESTAMP, "When it was read [UTC]"),
        Col("resume_from", STRING, "Where the next read of a source that is no file goes on, as JSON"),
        Col("filled_counts", COUNT_MAP, "Target field to records that have it, of those taken"),
        Col("undeclared_counts", COUNT_MAP, "Field nobody declared to how many of the first records have it"),
    ),
)

SOURCE_DAYS = Table(
    name="source_days",
    comment="One row per source and business day with events: how many there are, and how many came late.",
    stage="ingest",
    key=("source", "event_date"),
    cols=(
        Col("source", STRING, "Name of the source's YAML"),
        Col("event_date", DATE, "Business day"),
        Col("event_count", BIGINT, "Events of that day"),
        Col("late_count", BIGINT, "Of them, those received more than ingest.late_hours after they happened"),
    ),
)

SOURCE_ALARMS = Table(
    name="source_alarms",
    comment="One row per thing about a source that is unlike its own past, and day.",
    stage="ingest",
    key=("source", "alarm_kind", "subject", "alarm_date"),
    cols=(
        Col("source", STRING, "Name of the source's YAML"),
        Col("alarm_kind", STRING, "quiet, doubled, late, vanished_field, undeclared_field"),
        Col("subject", STRING, "The field, or events"),
        Col("alarm_date", DATE, "Business day of the events; of a field: when the newest file was last modified"),
        Col("value", DOUBLE, "What was found: events, share of late ones, records with the field"),
        Col("expected_value", DOUBLE, "What its past gave reason to expect, in the same unit"),
        Col("reason", STRING, "The same in words"),
    ),
)

_ITEM_COLS = (
    Col("item_id", STRING, "The catalogue's id"),
    Col("effective_at", TIMESTAMP, "From when on this holds [UTC]"),
    Col("title", STRING, "What it is called"),
    Col("category", STRING, "Leaf of the category path"),
    Col("category_path", STRING, "Path in the category tree, root first, parts divided by ' > '"),
    Col("brand", STRING, "Brand"),
    Col("price_minor", BIGINT, "Price in cents"),
    Col("currency", STRING, "ISO 4217 code of price_minor"),
    Col("price_base_minor", BIGINT, "price_minor in the base currency, at the rate of the day of effective_at"),
    Col("price_band", STRING, "low, middle or high: price_base_minor against the bounds in conf"),
    Col("is_available", BOOLEAN, "Whether it can be had"),
    Col("stock_count", BIGINT, "Pieces in stock"),
    Col("first_seen_at", TIMESTAMP, "Earliest effective_at of the item [UTC]"),
    Col("text", STRING, "Description"),
    Col("attributes", STRING_MAP, "Whatever else the catalogue says"),
)

ITEMS = Table("items", "One row per thing on offer, as it is now.", "ingest", ("item_id",), _ITEM_COLS)

ITEM_VERSIONS = Table(
    "item_versions",
    "One row per item and moment from which on it was so.",
    "ingest",
    ("item_id", "effective_at"),
    (*_ITEM_COLS, Col("record_version", STRING, "Total order among records of one key", optional=False)),
)

_CUSTOMER_COLS = (
    Col("login_id", STRING, "De-identified login", person=True),
    Col("effective_at", TIMESTAMP, "From when on this holds [UTC]"),
    Col("birth_year", INT, "Year of birth", person=True),
    Col("age_band", STRING, "Band of age as the source gives it", person=True),
    Col("gender", STRING, "Gender as the source gives it", person=True),
    Col("occupation", STRING, "Occupation", person=True),
    Col("education", STRING, "Education", person=True),
    Col("income_band", STRING, "Band of income", person=True),
    Col("registered_at", TIMESTAMP, "When the person registered [UTC]"),
    Col("region", STRING, "Region", person=True),
    Col("attributes", STRING_MAP, "Whatever else the source says", person=True),
    Col("source", STRING, "Name of the YAML of the source that said it"),
)

CUSTOMERS = Table("customers", "One row per registered customer, now.", "ingest", ("login_id",), _CUSTOMER_COLS)

CUSTOMER_VERSIONS = Table(
    "customer_versions",
    "One row per registered customer and moment from which on it was so.",
    "ingest",
    ("login_id", "effective_at"),
    (*_CUSTOMER_COLS, Col("record_version", STRING, "Total order among records of one key", optional=False)),
)

CONSENTS = Table(
    name="consents",
    comment="One row per change of consent; the history is kept.",
    stage="ingest",
    key=("consent_id",),
    cols=(
        Col("consent_id", STRING, "Hash of identifier, purpose, state and effective_at"),
        Col("identifier_kind", STRING, "login, device, …", optional=False),
        Col("identifier", STRING, "De-identified identifier that consented", person=True, optional=False),
        Col("purpose", STRING, "What for: personalisation, email, push, ads, linking, …", optional=False),
        Col("state", STRING, "granted, denied, withdrawn", optional=False),
        Col("effective_at", TIMESTAMP, "From when on it holds [UTC]", optional=False),
        Col("expires_at", TIMESTAMP, "Until when it holds [UTC]"),
        Col("recorded_at", TIMESTAMP, "When the source wrote it down [UTC]"),
        Col("source", STRING, "Name of the source's YAML", optional=False),
        Col("record_version", STRING, "Total order among records of one key", optional=False),
    ),
)

IDENTIFIER_ALIASES = Table(
    name="identifier_aliases",
    comment="One row per identifier that came while two keys were held: what it was by the key before.",
    stage="ingest",
    key=("identifier_kind", "old_identifier"),
    cols=(
        Col("identifier_kind", STRING, "login, device, …"),
        Col("old_identifier", STRING, "De-identified by the key before", person=True),
        Col("identifier", STRING, "De-identified by the key of now", person=True, optional=False),
        Col("old_key_id", STRING, "The key before", optional=False),
        Col("key_id", STRING, "The key of now", optional=False),
    ),
)
