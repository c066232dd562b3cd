"""The queries of the report: each gives a bounded number of rows, in an order that ends in a key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One query of the report.

    Args:
        reads: tables and views that must be known by name.
        sql: gives a bounded number of rows, in an order that ends in a key.
    """

    reads: tuple[str, ...]
    sql: str


QUESTIONS: dict[str, Question] = {
    "sources": Question(("ingest_summary_v1",), "SELECT * FROM ingest_summary_v1 ORDER BY source LIMIT 200"),
    "rejections": Question(
        ("rejected_summary_v1",), "SELECT * FROM rejected_summary_v1 ORDER BY source, reason_code LIMIT 500"
    ),
    "alarms": Question(
        ("source_alarms",),
        """SELECT source, alarm_kind, subject, alarm_date, reason FROM source_alarms
           ORDER BY alarm_date DESC, source, alarm_kind, subject LIMIT 30""",
    ),
    "days": Question(
        ("activity_by_day_v1",),
        """SELECT event_date, platform, event_count FROM activity_by_day_v1
           WHERE event_date > date_sub((SELECT max(event_date) FROM activity_by_day_v1), {days})
           ORDER BY event_date, platform""",
    ),
    "identifiers": Question(
        ("identity_summary_v1",),
        """SELECT identifier_kind, least(identifier_count, 10) AS identifier_count, sum(person_count) AS person_count
           FROM identity_summary_v1 GROUP BY ALL ORDER BY identifier_kind, identifier_count""",
    ),
    "evidence": Question(
        ("identity_map", "identity_links"),
        """WITH held AS (
             SELECT person_id, count(*) AS _count FROM identity_map GROUP BY person_id
           ), example AS (
             SELECT person_id FROM held WHERE person_id = '{example_person}' OR _count BETWEEN 3 AND 9
             ORDER BY person_id = '{example_person}' DESC, _count DESC, xxhash64(person_id), person_id LIMIT 1
           ), mine AS (
             SELECT m.identifier_kind, m.identifier FROM identity_map m JOIN example e ON e.person_id = m.person_id
           ), links AS (
             SELECT l.* FROM identity_links l LEFT SEMI JOIN mine m
               ON m.identifier_kind = l.left_kind AND m.identifier = l.left_identifier
             UNION
             SELECT l.* FROM identity_links l LEFT SEMI JOIN mine m
               ON m.identifier_kind = l.right_kind AND m.identifier = l.right_identifier
           )
           SELECT left_kind, left(left_identifier, 6) AS left_identifier, right_kind,
                  left(right_identifier, 6) AS right_identifier, evidence_kind, event_count,
                  round(strength_score, 2) AS strength_score, state
           FROM links ORDER BY state <> 'used', left_kind, left_identifier, right_kind, right_identifier, link_id
           LIMIT 24""",
    ),
    "overlap": Question(
        ("platform_overlap_v1",), "SELECT * FROM platform_overlap_v1 ORDER BY left_platform, right_platform LIMIT 900"
    ),
    "headlines": Question(
        ("profiles_current_v1",),
        """SELECT min(as_of_date) AS as_of_date, count(*) AS person_count,
                  count_if(recency_days <= 30) AS active_count, count_if(is_new) AS new_count,
                  count_if(has_login) AS login_count, count_if(platform_count > 1) AS many_platforms_count,
                  count_if(order_count > 0) AS buyer_count, count_if(order_count > 1) AS repeat_buyer_count,
                  sum(money_minor) AS money_minor, sum(money_minor_30d) AS money_minor_30d,
                  sum(order_count) AS order_count
           FROM profiles_current_v1""",
    ),
    "mix": Question(
        ("profiles_current_v1",),
        """WITH counted AS (
             SELECT feature, value, count(*) AS person_count
             FROM (SELECT stack(4, 'top_platform', top_platform, 'top_daypart', top_daypart,
                                'top_category', top_category, 'top_price_band', top_price_band) AS (feature, value)
                   FROM profiles_current_v1)
             WHERE value IS NOT NULL GROUP BY feature, value
           ), ranked AS (
             SELECT *, row_number() OVER (PARTITION BY feature ORDER BY person_count DESC, value) AS _rank FROM counted
           )
           SELECT feature, value, person_count FROM ranked WHERE _rank <= 8 ORDER BY feature, _rank""",
    ),
    "rfm": Question(("rfm_summary_v1",), "SELECT * FROM rfm_summary_v1 ORDER BY rfm_recency_rank, rfm_frequency_rank"),
    "segments": Question(
        ("segment_summary_v1",),
        """SELECT * FROM segment_summary_v1 WHERE is_main IS NOT FALSE
           ORDER BY method, person_count DESC, segment_id LIMIT 60""",
    ),
    "segment_moves": Question(
        ("segment_moves", "segment_profiles"),
        """WITH named AS (
             SELECT as_of_date, method, segment_id, segment_name, is_main FROM segment_profiles
           ), newest AS (
             SELECT * FROM segment_moves WHERE as_of_date = (SELECT max(as_of_date) FROM segment_profiles)
           )
           SELECT m.from_as_of_date, m.as_of_date, m.from_segment_id, m.to_segment_id, m.person_count,
                  f.segment_name AS from_segment_name, t.segment_name AS to_segment_name
           FROM newest m
           LEFT JOIN named f ON f.as_of_date = m.from_as_of_date AND f.method = m.method
                            AND f.segment_id = m.from_segment_id
           LEFT JOIN named t ON t.as_of_date = m.as_of_date AND t.method = m.method AND t.segment_id = m.to_segment_id
           WHERE coalesce(t.is_main, f.is_main, true)
           ORDER BY m.person_count DESC, m.from_segment_id, m.to_segment_id LIMIT 400""",
    ),
    "segment_candidates": Question(
        ("segment_candidates", "segment_profiles"),
        """WITH main AS (
             SELECT DISTINCT method FROM segment_profiles
             WHERE is_main AND as_of_date = (SELECT max(as_of_date) FROM segment_profiles)
           ), tried AS (
             SELECT c.* FROM segment_candidates c LEFT SEMI JOIN main m ON m.method = c.method
           )
           SELECT as_of_date, k, silhouette, stability, is_chosen FROM tried
           WHERE as_of_date = (SELECT max(as_of_date) FROM tried)
           ORDER BY k LIMIT 100""",
    ),
    "tags": Question(
        ("tag_summary_v1", "tag_counts_v1"),
        """SELECT s.*, c.previous_as_of_date, c.gained_count, c.lost_count
           FROM tag_summary_v1 s LEFT JOIN tag_counts_v1 c ON c.tag = s.tag AND c.as_of_date = s.as_of_date
           ORDER BY s.person_count DESC, s.tag LIMIT {top_tags}""",
    ),
    "items": Question(
        ("top_items_v1",),
        "SELECT * FROM top_items_v1 WHERE window_days = 30 AND item_rank <= {top_items} ORDER BY item_rank",
    ),
    "experience": Question(
        ("experience_v1",),
        """SELECT platform, sum(session_count) AS session_count,
                  try_divide(sum(bounce_count), sum(session_count)) AS bounce_share,
                  sum(error_count) AS error_count, try_divide(sum(error_count), sum(event_count)) AS error_share,
                  sum(load_count) AS load_count,
                  round(try_divide(sum(mean_load_value * load_count), sum(load_count)), 3) AS mean_load_value,
                  sum(search_count) AS search_count,
                  try_divide(sum(zero_result_search_count), sum(answered_search_count)) AS zero_result_search_share,
                  sum(survey_count) AS survey_count,
                  round(try_divide(sum(mean_satisfaction_value * survey_count), sum(survey_count)), 3)
                    AS mean_satisfaction_value
           FROM experience_v1
           WHERE event_date > date_sub((SELECT max(event_date) FROM experience_v1), {days})
           GROUP BY platform ORDER BY platform LIMIT 30""",
    ),
    "quality": Question(
        ("quality_v1",),
        """SELECT * FROM quality_v1 WHERE stage = 'evaluate' AND audience = 'all' AND step = 0
           ORDER BY metric, k, model LIMIT 1000""",
    ),
    "lifetime": Question(
        ("quality_v1",),
        "SELECT * FROM quality_v1 WHERE stage = 'profiles' ORDER BY model, metric, k, step, audience LIMIT 200",
    ),
    "propensity": Question(
        ("quality_v1",),
        "SELECT * FROM quality_v1 WHERE stage = 'predict' ORDER BY audience, model, metric, k, step LIMIT 2000",
    ),
    "rules": Question(
        ("prediction_rules",),
        """SELECT target, rule, rule_zh, probability, person_count FROM prediction_rules
           WHERE rule_rank <= 3 AND as_of_date = (SELECT max(as_of_date) FROM prediction_rules)
           ORDER BY target, model, rule_rank LIMIT 60""",
    ),
    "samples": Question(
        ("person_360_v1", "recommendations_current_v1"),
        """WITH suggested AS (
             SELECT person_id, array_sort(collect_list(
                      struct(recommendation_rank, coalesce(title, target_id) AS title, reason, reason_zh))) AS _rows
             FROM recommendations_current_v1
             WHERE target_kind = 'item' AND recommendation_rank <= 5 GROUP BY person_id
           )
           SELECT p.*, slice(s._rows, 1, 5) AS suggestions,
                  row_number() OVER (PARTITION BY segment_name ORDER BY xxhash64(p.person_id), p.person_id) AS _turn
           FROM person_360_v1 p JOIN suggested s ON s.person_id = p.person_id
           ORDER BY _turn, segment_name, p.person_id LIMIT {sample_persons}""",
    ),
    "runs": Question(
        ("runs",),
        """WITH newest AS (
             SELECT *, row_number() OVER (PARTITION BY stage ORDER BY started_at DESC, run_id DESC) AS _age_rank
             FROM runs WHERE state <> 'skipped'
           )
           SELECT stage, as_of_date, state, rows_in, rows_out, rows_rejected, seconds
           FROM newest WHERE _age_rank = 1 ORDER BY started_at, stage LIMIT 100""",
    ),
}
