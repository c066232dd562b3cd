"""What profiles writes: visits, daily roll-ups, interactions and the portrait of a person as of a day."""

from __future__ import annotations

from pyspark.sql.types import ArrayType, StructField, StructType

from personalake.tables.profile_features import COLUMNS
from personalake.tables.spec import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INT,
    STRING,
    STRING_MAP,
    TIMESTAMP,
    Col,
    Table,
)

DAY_ENDS = ArrayType(
    StructType(
        [
            StructField("event_date", DATE),
            StructField("ended_at", TIMESTAMP),
            StructField("event_count", BIGINT),
            StructField("login_id", STRING),
        ]
    )
)

SESSIONS = Table(
    name="sessions",
    comment="One row per visit on a device: events with no silence longer than a setting between them.",
    stage="profiles",
    key=("session_id",),
    partition=("started_date",),
    keep_days=730,
    cols=(
        Col("session_id", STRING, "Hash of what the visit is told apart by: its first event, or the source's own id"),
        Col("source", STRING, "Name of the source's YAML", optional=False),
        Col("platform", STRING, "Platform", optional=False),
        Col("device_id", STRING, "De-identified device or cookie; null where only a login is known", person=True),
        Col("login_id", STRING, "De-identified login: the last one seen in it", person=True),
        Col("started_at", TIMESTAMP, "First event [UTC]", optional=False),
        Col("started_date", DATE, "Business day of the first event", optional=False),
        Col("ended_at", TIMESTAMP, "Last event [UTC]", optional=False),
        Col("event_count", BIGINT, "Events in it", optional=False),
        Col("entry_item_id", STRING, "First item in it"),
        Col("exit_item_id", STRING, "Last item in it"),
        Col("acquisition", STRING_MAP, "utm source, medium, campaign, referrer of the first event that has any"),
        Col("has_error", BOOLEAN, "Whether an error was met in it", optional=False),
        Col("is_bounce", BOOLEAN, "Whether it has a single event", optional=False),
        Col("started_hour", INT, "Hour of the first event, 0 to 23, on the clock where it happened"),
        Col("day_ends", DAY_ENDS, "How far it had come at the end of each business day it touched", person=True),
    ),
)

_DAY_KEY = (
    Col("person_id", STRING, "The person", person=True),
    Col("event_date", DATE, "Business day"),
    Col("platform", STRING, "Platform"),
    Col("event_type", STRING, "Canonical verb"),
    Col("currency", STRING, "ISO 4217 code of the money columns; '' where the events have none"),
)

_DAY_SUMS = (
    Col("event_count", BIGINT, "Events", optional=False),
    Col("amount_minor", BIGINT, "Money in cents of currency; refunds are negative", optional=False),
    Col("amount_base_minor", BIGINT, "Money in cents of the base currency", optional=False),
    Col("discount_minor", BIGINT, "Discount in cents of currency", optional=False),
    Col("quantity", DOUBLE, "Pieces; an event without a quantity counts 1", optional=False),
    Col("value_sum", DOUBLE, "Sum of what was measured", optional=False),
    Col("value_count", BIGINT, "Events that measured something", optional=False),
    Col("first_at", TIMESTAMP, "First event [UTC]", optional=False),
    Col("last_at", TIMESTAMP, "Last event [UTC]", optional=False),
)

PERSON_DAYS = Table(
    name="person_days",
    comment="One row per person, business day, platform, verb and currency: what profiles read in place of events.",
    stage="profiles",
    key=("person_id", "event_date", "platform", "event_type", "currency"),
    partition=("event_date",),
    keep_days=1095,
    cols=(
        *_DAY_KEY,
        *_DAY_SUMS,
        Col(
            "order_count",
            BIGINT,
            "Orders whose first line of the day is here; lines without an order id are one",
            optional=False,
        ),
        Col("zero_value_count", BIGINT, "Events that measured 0: searches that found nothing", optional=False),
        Col("login_event_count", BIGINT, "Events while signed in", optional=False),
        Col("night_event_count", BIGINT, "Events from 0 to 6 o'clock, local time", optional=False),
        Col("morning_event_count", BIGINT, "Events from 6 to 12 o'clock, local time", optional=False),
        Col("afternoon_event_count", BIGINT, "Events from 12 to 18 o'clock, local time", optional=False),
        Col("evening_event_count", BIGINT, "Events from 18 to 24 o'clock, local time", optional=False),
        Col("pc_event_count", BIGINT, "Events on a PC", optional=False),
        Col("phone_event_count", BIGINT, "Events on a phone", optional=False),
        Col("tablet_event_count", BIGINT, "Events on a tablet", optional=False),
        Col("tv_event_count", BIGINT, "Events on a television", optional=False),
        # Those that came later may be null: else a warehouse that is there could not get them.
        Col("day_before_event_count", BIGINT, "Events that were still on the day before, local time"),
        Col("day_after_event_count", BIGINT, "Events that were already on the day after, local time"),
        Col("campaign_event_count", BIGINT, "Events that a campaign or message led to"),
        Col("discounted_count", BIGINT, "Events with a discount"),
        Col("unrated_count", BIGINT, "Events with money in a currency without a rate"),
        Col("slow_count", BIGINT, "Loads that measured more than slow_load_millis"),
    ),
)

PERSON_ITEM_DAYS = Table(
    name="person_item_days",
    comment="One row per person, business day, platform, verb, currency and item.",
    stage="profiles",
    key=("person_id", "event_date", "platform", "event_type", "currency", "item_id"),
    partition=("event_date",),
    keep_days=1095,
    cols=(
        *_DAY_KEY,
        Col("item_id", STRING, "The item"),
        *_DAY_SUMS,
        Col("first_device_class", STRING, "Class of device of the first event; pc, phone, tablet, tv, other at a tie"),
    ),
)

PERSON_WORD_DAYS = Table(
    name="person_word_days",
    comment="One row per person, business day and word searched for.",
    stage="profiles",
    key=("person_id", "event_date", "word"),
    partition=("event_date",),
    keep_days=1095,
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("event_date", DATE, "Business day"),
        Col("word", STRING, "A word of a search, in small letters; longer numbers are left out", person=True),
        Col("event_count", BIGINT, "Searches with it", optional=False),
    ),
)

INTERACTIONS = Table(
    name="interactions",
    comment="One row per person and item that met before the as-of day, weighted by verbs as conf says.",
    stage="profiles",
    key=("person_id", "item_id"),
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("item_id", STRING, "The item"),
        Col("weight", DOUBLE, "How much it means, > 0", optional=False),
        Col("event_count", BIGINT, "Events", optional=False),
        Col("buy_count", BIGINT, "Lines bought", optional=False),
        Col("first_at", TIMESTAMP, "First event [UTC]", optional=False),
        Col("last_at", TIMESTAMP, "Last event [UTC]", optional=False),
        Col("last_bought_at", TIMESTAMP, "Last buy [UTC]; null where there is none"),
        Col("person_index", INT, "Dense number of the person, from 0", optional=False),
        Col("item_index", INT, "Dense number of the item, from 0", optional=False),
    ),
)

PROFILES = Table(
    name="profiles",
    comment="One row per person as of a day: everything known from events before that day.",
    stage="profiles",
    key=("person_id", "as_of_date"),
    partition=("as_of_date",),
    keep_days=365,
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("as_of_date", DATE, "Everything before this day"),
        *(feature.col for feature in COLUMNS),
    ),
)
