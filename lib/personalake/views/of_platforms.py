"""Views that answer: what arrived, what happened where, and how did it feel?"""

from __future__ import annotations

from personalake.views.spec import View

INGEST_SUMMARY = View(
    name="ingest_summary_v1",
    comment="One row per source: files read, records taken and refused, and the events it holds now.",
    columns=(
        ("source", "Name of the source's YAML"),
        ("platforms", "Platforms of its events, sorted; empty for catalogues, customers and consents"),
        ("file_count", "Files read"),
        ("rows_in", "Records in them"),
        ("rows_rejected", "Records refused"),
        ("rejected_share", "rows_rejected in rows_in"),
        ("event_count", "Its rows in events: what is left once refused and re-delivered records are gone"),
        ("first_event_date", "Day of its first event"),
        ("last_event_date", "Day of its last event"),
    ),
    tables=("source_reads", "events"),
    views=(),
    sql="""
        WITH reads AS (
          SELECT source, count(*) AS file_count, sum(rows_in) AS rows_in, sum(rows_rejected) AS rows_rejected
          FROM source_reads WHERE state = 'read' GROUP BY source
        ), kept AS (
          SELECT source, array_sort(collect_set(platform)) AS platforms, count(*) AS event_count,
                 min(event_date) AS first_event_date, max(event_date) AS last_event_date
          FROM events GROUP BY source
        )
        SELECT source, coalesce(kept.platforms, array()) AS platforms, coalesce(reads.file_count, 0) AS file_count,
               coalesce(reads.rows_in, 0) AS rows_in, coalesce(reads.rows_rejected, 0) AS rows_rejected,
               try_divide(reads.rows_rejected, reads.rows_in) AS rejected_share,
               coalesce(kept.event_count, 0) AS event_count, kept.first_event_date, kept.last_event_date
        FROM reads FULL OUTER JOIN kept USING (source)
    """,
)

REJECTED_SUMMARY = View(
    name="rejected_summary_v1",
    comment="One row per source and reason for which records were refused.",
    columns=(
        ("source", "Name of the source's YAML"),
        ("reason_code", "ING-001 … as in the documentation"),
        ("reason", "Why, in words; the first of them where a code has several"),
        ("record_count", "Records refused"),
        ("file_count", "Files they came from"),
    ),
    tables=("rejected_records",),
    views=(),
    sql="""
        SELECT source, reason_code, min(reason) AS reason, count(*) AS record_count,
               count(DISTINCT file) AS file_count
        FROM rejected_records GROUP BY source, reason_code
    """,
)

ACTIVITY_BY_DAY = View(
    name="activity_by_day_v1",
    comment="One row per business day and platform: what people (no machines) did.",
    columns=(
        ("event_date", "Business day"),
        ("platform", "Platform"),
        ("event_count", "Events of known persons"),
        ("person_count", "Persons"),
        ("view_count", "Views"),
        ("cart_count", "Puts into the cart"),
        ("buy_count", "Lines bought"),
        ("order_count", "Orders"),
        ("amount_base_minor", "Money of everything bought [cents, base currency]"),
    ),
    tables=("person_days",),
    views=(),
    sql="""
        SELECT event_date, platform, sum(event_count) AS event_count, count(DISTINCT person_id) AS person_count,
               coalesce(sum(event_count) FILTER (WHERE event_type = 'view'), 0) AS view_count,
               coalesce(sum(event_count) FILTER (WHERE event_type = 'cart'), 0) AS cart_count,
               coalesce(sum(event_count) FILTER (WHERE event_type = 'buy'), 0) AS buy_count,
               coalesce(sum(order_count) FILTER (WHERE event_type = 'buy'), 0) AS order_count,
               coalesce(sum(amount_base_minor) FILTER (WHERE event_type = 'buy'), 0) AS amount_base_minor
        FROM person_days GROUP BY event_date, platform
    """,
)

PLATFORM_OVERLAP = View(
    name="platform_overlap_v1",
    comment="One row per ordered pair of different platforms: persons who were on both.",
    columns=(
        ("left_platform", "One platform"),
        ("right_platform", "The other"),
        ("person_count", "Persons on both"),
        ("left_person_count", "Persons on the left platform"),
        ("right_person_count", "Persons on the right platform"),
        ("left_share", "Of the persons on the left platform, those on the right one too"),
        ("overlap_share", "Of the persons on either, those on both"),
    ),
    tables=("person_days",),
    views=(),
    sql="""
        WITH met AS (
          SELECT DISTINCT person_id, platform FROM person_days
        ), platforms AS (
          SELECT platform, count(*) AS person_count FROM met GROUP BY platform
        ), shared AS (
          SELECT l.platform AS left_platform, r.platform AS right_platform, count(*) AS person_count
          FROM met l JOIN met r ON l.person_id = r.person_id AND l.platform <> r.platform
          GROUP BY l.platform, r.platform
        )
        SELECT l.platform AS left_platform, r.platform AS right_platform,
               coalesce(s.person_count, 0) AS person_count,
               l.person_count AS left_person_count, r.person_count AS right_person_count,
               coalesce(s.person_count, 0) / l.person_count AS left_share,
               coalesce(s.person_count, 0) / (l.person_count + r.person_count - coalesce(s.person_count, 0))
                 AS overlap_share
        FROM platforms l JOIN platforms r ON l.platform <> r.platform
        LEFT JOIN shared s ON s.left_platform = l.platform AND s.right_platform = r.platform
    """,
)

EXPERIENCE = View(
    name="experience_v1",
    comment="One row per business day and platform: how it felt to be there. Machines are left out.",
    columns=(
        ("event_date", "Business day; visits count on the day they began"),
        ("platform", "Platform"),
        ("event_count", "Events"),
        ("session_count", "Visits"),
        ("bounce_count", "Visits with a single event"),
        ("bounce_share", "bounce_count in session_count"),
        ("error_session_share", "Visits with an error in session_count"),
        ("error_count", "Errors"),
        ("error_share", "error_count in event_count"),
        ("load_count", "Page loads that were timed"),
        ("mean_load_value", "Mean load time [ms]"),
        ("search_count", "Searches"),
        ("zero_result_search_count", "Searches that found nothing"),
        ("answered_search_count", "Searches of which it is known how much they found"),
        ("zero_result_search_share", "zero_result_search_count in answered_search_count"),
        ("survey_count", "Answers to satisfaction surveys"),
        ("mean_satisfaction_value", "Mean of the answers [the survey's scale]"),
    ),
    tables=("events", "sessions"),
    views=(),
    sql="""
        WITH felt AS (
          SELECT event_date, platform, count(*) AS event_count, count_if(event_type = 'error') AS error_count,
                 count_if(event_type = 'load' AND value IS NOT NULL) AS load_count,
                 round(avg(value) FILTER (WHERE event_type = 'load'), 6) AS mean_load_value,
                 count_if(event_type = 'search') AS search_count,
                 count_if(event_type = 'search' AND value = 0) AS zero_result_search_count,
                 count_if(event_type = 'search' AND value IS NOT NULL) AS answered_search_count,
                 count_if(event_type = 'survey' AND value IS NOT NULL) AS survey_count,
                 round(avg(value) FILTER (WHERE event_type = 'survey'), 6) AS mean_satisfaction_value
          FROM events WHERE NOT is_bot GROUP BY event_date, platform
        ), visits AS (
          SELECT started_date AS event_date, platform, count(*) AS session_count,
                 count_if(is_bounce) AS bounce_count, count_if(has_error) AS _with_error
          FROM sessions GROUP BY started_date, platform
        )
        SELECT event_date, platform, coalesce(event_count, 0) AS event_count,
               coalesce(session_count, 0) AS session_count, coalesce(bounce_count, 0) AS bounce_count,
               try_divide(bounce_count, session_count) AS bounce_share,
               try_divide(_with_error, session_count) AS error_session_share,
               coalesce(error_count, 0) AS error_count, try_divide(error_count, event_count) AS error_share,
               coalesce(load_count, 0) AS load_count, mean_load_value,
               coalesce(search_count, 0) AS search_count,
               coalesce(zero_result_search_count, 0) AS zero_result_search_count,
               coalesce(answered_search_count, 0) AS answered_search_count,
               try_divide(zero_result_search_count, answered_search_count) AS zero_result_search_share,
               coalesce(survey_count, 0) AS survey_count, mean_satisfaction_value
        FROM felt FULL OUTER JOIN visits USING (event_date, platform)
    """,
)

VIEWS = (INGEST_SUMMARY, REJECTED_SUMMARY, ACTIVITY_BY_DAY, PLATFORM_OVERLAP, EXPERIENCE)
