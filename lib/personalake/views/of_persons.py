"""Views that answer: who are these people, and what are they like?"""

from __future__ import annotations

from personalake.tables.ingest import EVENTS
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.profiles import PROFILES
from personalake.tables.tags import TAGS
from personalake.views.spec import View

# What a reader wants of a person at first sight; everything else is in profiles_current_v1.
MAIN_FEATURES: tuple[str, ...] = (
    "recency_days", "first_event_date", "last_event_date", "tenure_days", "is_new", "is_returning",
    "event_count", "active_day_count_30d", "session_count", "session_count_30d",
    "view_count", "cart_count", "search_count", "favourite_count",
    "order_count", "order_count_30d", "order_recency_days", "money_minor", "money_minor_30d", "net_money_minor",
    "mean_order_minor", "rfm_cell",
    "platform_count", "top_platform", "device_count", "top_daypart", "weekend_share",
    "top_category", "top_brand", "top_price_band",
    "alive_probability", "expected_orders", "expected_value_minor", "error_count_30d", "mean_satisfaction_value",
    "has_login", "age_band", "gender", "occupation", "education", "income_band", "region",
)  # fmt: skip

PERSON_EVENTS = View(
    name="person_events_v1",
    comment="One row per event, with the person who did it.",
    columns=(
        ("person_id", "The person of login_id, else of device_id; null where neither is known"),
        *((c.name, c.comment) for c in EVENTS.columns),
    ),
    tables=("events", "identity_map"),
    views=(),
    sql=f"""
        SELECT m.person_id, {", ".join(f"e.{name}" for name in EVENTS.names)}
        FROM events e
        LEFT JOIN identity_map m
          ON m.identifier = coalesce(e.login_id, e.device_id)
         AND m.identifier_kind = CASE WHEN e.login_id IS NOT NULL THEN 'login' ELSE 'device' END
    """,  # noqa: S608 - declared names only
)

PROFILES_CURRENT = View(
    name="profiles_current_v1",
    comment="One row per person: the profile as of the newest day.",
    columns=tuple((c.name, c.comment) for c in PROFILES.columns),
    tables=("profiles",),
    views=(),
    sql=f"""
        SELECT {", ".join(PROFILES.names)}
        FROM profiles WHERE as_of_date = (SELECT max(as_of_date) FROM profiles)
    """,  # noqa: S608 - declared names only
)

TAGS_CURRENT = View(
    name="tags_current_v1",
    comment="One row per person and tag as of the newest day of tags, but for those that their persons hid since.",
    columns=tuple((c.name, c.comment) for c in TAGS.columns),
    tables=("tags",),
    views=("tag_words_v1",),
    sql=f"""
        SELECT {", ".join(f"t.{name}" for name in TAGS.names)}
        FROM tags t
        LEFT ANTI JOIN tag_words_v1 w ON w.person_id = t.person_id AND w.tag = t.tag AND w.state <> 'restored'
        WHERE t.as_of_date = (SELECT max(as_of_date) FROM tags)
    """,  # noqa: S608 - declared names only
)

PERSON_360 = View(
    name="person_360_v1",
    comment="One row per person as of the newest day of profiles: portrait, segment, tags, predictions, suggestions.",
    columns=(
        ("person_id", "The person"),
        ("as_of_date", "Everything before this day"),
        *((name, FEATURE_BY_NAME[name].col.comment) for name in MAIN_FEATURES),
        ("segment_name", "Segment as of the same day, by the method that conf calls the main one"),
        ("tags", "Tags as of the same day, sorted"),
        ("tag_labels", "Their English labels, in the order of tags"),
        ("predictions", "Target to its probability as of the same day, by the alphabetically first model"),
        (
            "recommended_titles",
            "Titles of the first ten items of the last complete run, best first; ids where untitled",
        ),
        ("identifier_count", "Identifiers of any kind"),
        ("login_count", "Logins"),
        ("linked_device_count", "Devices linked to the person"),
    ),
    tables=("segments", "predictions", "identity_map"),
    views=("profiles_current_v1", "tags_current_v1", "recommendations_current_v1"),
    sql=f"""
        WITH expected AS (
          SELECT person_id, as_of_date, map_from_entries(array_sort(collect_list(struct(target, _probability)))) AS _all
          FROM (SELECT person_id, as_of_date, target, min_by(probability, model) AS _probability
                FROM predictions GROUP BY person_id, as_of_date, target)
          GROUP BY person_id, as_of_date
        ), named AS (
          SELECT person_id, as_of_date,
                 min_by(segment_name, struct(NOT coalesce(is_main, false) AS _is_beside, method)) AS segment_name
          FROM segments GROUP BY person_id, as_of_date
        ), tagged AS (
          SELECT person_id, as_of_date, array_sort(collect_list(struct(tag, label))) AS _tags
          FROM tags_current_v1 GROUP BY person_id, as_of_date
        ), suggested AS (
          SELECT person_id, array_sort(collect_list(
                   struct(recommendation_rank, policy, coalesce(title, target_id) AS title))) AS _titles
          FROM recommendations_current_v1
          WHERE target_kind = 'item' AND recommendation_rank <= 10 GROUP BY person_id
        ), known AS (
          SELECT person_id, count(*) AS identifier_count, count_if(identifier_kind = 'login') AS login_count,
                 count_if(identifier_kind = 'device') AS linked_device_count
          FROM identity_map GROUP BY person_id
        )
        SELECT p.person_id, p.as_of_date, {", ".join(f"p.{name}" for name in MAIN_FEATURES)},
               named.segment_name,
               coalesce(tagged._tags.tag, array()) AS tags,
               coalesce(tagged._tags.label, array()) AS tag_labels,
               coalesce(expected._all, map()) AS predictions,
               coalesce(slice(suggested._titles.title, 1, 10), array()) AS recommended_titles,
               coalesce(known.identifier_count, 0) AS identifier_count,
               coalesce(known.login_count, 0) AS login_count,
               coalesce(known.linked_device_count, 0) AS linked_device_count
        FROM profiles_current_v1 p
        LEFT JOIN named ON named.person_id = p.person_id AND named.as_of_date = p.as_of_date
        LEFT JOIN tagged ON tagged.person_id = p.person_id AND tagged.as_of_date = p.as_of_date
        LEFT JOIN expected ON expected.person_id = p.person_id AND expected.as_of_date = p.as_of_date
        LEFT JOIN suggested ON suggested.person_id = p.person_id
        LEFT JOIN known ON known.person_id = p.person_id
    """,  # noqa: S608 - declared names only
)

IDENTITY_SUMMARY = View(
    name="identity_summary_v1",
    comment="One row per kind and number of identifiers: how many persons have so many.",
    columns=(
        ("identifier_kind", "login, device, …; all: identifiers of any kind"),
        ("identifier_count", "Identifiers of this kind that a person has"),
        ("person_count", "Persons with so many; persons without any are not counted"),
    ),
    tables=("identity_map",),
    views=(),
    sql="""
        WITH held AS (
          SELECT person_id, coalesce(identifier_kind, 'all') AS identifier_kind, count(*) AS identifier_count
          FROM identity_map GROUP BY GROUPING SETS ((person_id, identifier_kind), (person_id))
        )
        SELECT identifier_kind, identifier_count, count(*) AS person_count
        FROM held GROUP BY identifier_kind, identifier_count
    """,
)

RFM_SUMMARY = View(
    name="rfm_summary_v1",
    comment="One row per pair of recency and frequency fifths of buyers, as of the newest day.",
    columns=(
        ("rfm_recency_rank", "Fifth by days since the last order; 5 bought last"),
        ("rfm_frequency_rank", "Fifth by orders; 5 buys most often"),
        ("person_count", "Buyers"),
        ("money_minor", "Money of everything they bought [cents, base currency]"),
        ("mean_money_minor", "The same per buyer, rounded [cents, base currency]"),
    ),
    tables=(),
    views=("profiles_current_v1",),
    sql="""
        SELECT rfm_recency_rank, rfm_frequency_rank, count(*) AS person_count,
               sum(money_minor) AS money_minor, cast(round(avg(money_minor)) AS bigint) AS mean_money_minor
        FROM profiles_current_v1
        WHERE rfm_recency_rank IS NOT NULL AND rfm_frequency_rank IS NOT NULL
        GROUP BY rfm_recency_rank, rfm_frequency_rank
    """,
)

VIEWS = (PERSON_EVENTS, PROFILES_CURRENT, TAGS_CURRENT, PERSON_360, IDENTITY_SUMMARY, RFM_SUMMARY)
