"""The canonical verbs, and the columns that no source fills itself."""

from __future__ import annotations

EVENT_TYPES = frozenset(
    {
        *("view", "click", "search", "cart", "uncart", "favourite", "bookmark", "follow", "share", "comment", "rate"),
        *("survey", "buy", "refund", "impression", "open", "error", "load", "login", "logout"),
    }
)
# Columns that ingest fills itself; a source cannot name them as a target.
OWN_COLUMNS = frozenset(
    {
        *("event_id", "event_at", "event_date", "received_at", "utc_offset_minutes", "source", "key_id", "run_id"),
        *("identifiers", "acquisition", "properties", "attributes", "filled_fields", "is_bot", "record_version"),
        *("amount_base_minor", "effective_at", "first_seen_at", "price_base_minor", "price_band", "consent_id"),
    }
)
