"""Views that answer: what was suggested, what sells, how are segments and tags made up, and how good is it?"""

from __future__ import annotations

from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.recommend import RECOMMENDATIONS
from personalake.tables.segments import SEGMENT_PROFILES
from personalake.views.spec import View

RECOMMENDATIONS_CURRENT = View(
    name="recommendations_current_v1",
    comment="One row per suggestion of the last complete run of recommend; a run in progress never shows.",
    columns=(
        ("person_id", RECOMMENDATIONS["person_id"].comment),
        ("recommendation_rank", RECOMMENDATIONS["recommendation_rank"].comment),
        ("target_kind", RECOMMENDATIONS["target_kind"].comment),
        ("target_id", RECOMMENDATIONS["target_id"].comment),
        ("title", "Title of the item, null where the catalogue has none; else the target itself"),
        ("score", RECOMMENDATIONS["score"].comment),
        ("source", RECOMMENDATIONS["source"].comment),
        ("reason", RECOMMENDATIONS["reason"].comment),
        ("reason_zh", RECOMMENDATIONS["reason_zh"].comment),
        ("policy", RECOMMENDATIONS["policy"].comment),
        ("as_of_date", RECOMMENDATIONS["as_of_date"].comment),
        ("recommendation_id", RECOMMENDATIONS["recommendation_id"].comment),
        ("run_id", "The run that made it"),
    ),
    tables=("recommendations", "runs", "items"),
    views=(),
    sql="""
        SELECT r.person_id, r.recommendation_rank, r.target_kind, r.target_id,
               CASE WHEN r.target_kind = 'item' THEN i.title ELSE r.target_id END AS title,
               r.score, r.source, r.reason, r.reason_zh, r.policy, r.as_of_date, r.recommendation_id, r.run_id
        FROM recommendations r
        LEFT JOIN items i ON r.target_kind = 'item' AND i.item_id = r.target_id
        WHERE r.run_id = (
          SELECT max_by(run_id, struct(started_at, run_id)) FROM runs
          WHERE stage = 'recommend' AND state = 'complete'
        )
    """,
)

TOP_ITEMS = View(
    name="top_items_v1",
    comment="One row per item and window of days that end with the last day of events.",
    columns=(
        ("window_days", "Length of the window: 7, 30 or 90 [days]"),
        ("item_rank", "Rank in the window by person_count, from 1; ties by item_id"),
        ("item_id", "The item"),
        ("title", "What it is called, where the catalogue says"),
        ("category", "Its category"),
        ("brand", "Its brand"),
        ("person_count", "Persons who did anything with it"),
        ("view_count", "Views"),
        ("cart_count", "Puts into the cart"),
        ("buy_count", "Lines bought"),
        ("buyer_count", "Persons who bought it"),
        ("amount_base_minor", "Money of what was bought, refunds not taken off [cents, base currency]"),
    ),
    tables=("person_item_days", "items"),
    views=(),
    sql="""
        WITH last AS (
          SELECT max(event_date) AS last_date FROM person_item_days
        ), windows AS (
          SELECT explode(array(7, 30, 90)) AS window_days
        ), sums AS (
          SELECT window_days, d.item_id, count(DISTINCT d.person_id) AS person_count,
                 coalesce(sum(d.event_count) FILTER (WHERE d.event_type = 'view'), 0) AS view_count,
                 coalesce(sum(d.event_count) FILTER (WHERE d.event_type = 'cart'), 0) AS cart_count,
                 coalesce(sum(d.event_count) FILTER (WHERE d.event_type = 'buy'), 0) AS buy_count,
                 count(DISTINCT d.person_id) FILTER (WHERE d.event_type = 'buy') AS buyer_count,
                 coalesce(sum(d.amount_base_minor) FILTER (WHERE d.event_type = 'buy'), 0) AS amount_base_minor
          FROM person_item_days d CROSS JOIN last JOIN windows ON d.event_date > date_sub(last_date, window_days)
          GROUP BY window_days, d.item_id
        )
        SELECT window_days,
               row_number() OVER (PARTITION BY window_days ORDER BY person_count DESC, sums.item_id) AS item_rank,
               sums.item_id, i.title, i.category, i.brand,
               person_count, view_count, cart_count, buy_count, buyer_count, amount_base_minor
        FROM sums LEFT JOIN items i ON i.item_id = sums.item_id
    """,
)

SEGMENT_SUMMARY = View(
    name="segment_summary_v1",
    comment="One row per segment as of the newest day: its size, its words, its centre, and what its people spent.",
    columns=(
        *((c.name, c.comment) for c in SEGMENT_PROFILES.columns),
        ("buyer_count", "Persons in it with an order"),
        ("segment_money_minor", "Money of everything its people bought [cents, base currency]"),
        ("segment_money_share", "The same as a share of all segments of the method"),
    ),
    tables=("segment_profiles", "segments", "profiles"),
    views=(),
    sql=f"""
        WITH spent AS (
          SELECT s.as_of_date, s.method, s.segment_id, count_if(p.order_count > 0) AS buyer_count,
                 coalesce(sum(p.money_minor), 0) AS segment_money_minor
          FROM segments s
          LEFT JOIN profiles p ON p.person_id = s.person_id AND p.as_of_date = s.as_of_date
          WHERE s.as_of_date = (SELECT max(as_of_date) FROM segment_profiles)
          GROUP BY s.as_of_date, s.method, s.segment_id
        )
        SELECT {", ".join(f"c.{name}" for name in SEGMENT_PROFILES.names)},
               coalesce(spent.buyer_count, 0) AS buyer_count,
               coalesce(spent.segment_money_minor, 0) AS segment_money_minor,
               try_divide(spent.segment_money_minor, sum(spent.segment_money_minor) OVER (PARTITION BY c.method))
                 AS segment_money_share
        FROM segment_profiles c
        LEFT JOIN spent ON spent.as_of_date = c.as_of_date AND spent.method = c.method
                       AND spent.segment_id = c.segment_id
        WHERE c.as_of_date = (SELECT max(as_of_date) FROM segment_profiles)
    """,  # noqa: S608 - declared names only
)

TAG_SUMMARY = View(
    name="tag_summary_v1",
    comment="One row per tag as of the newest day of tags: how many persons have it.",
    columns=(
        ("as_of_date", "Everything before this day"),
        ("tag", "Name of the rule in conf"),
        ("label", "What readers call it, in English"),
        ("label_zh", "What readers call it, in Chinese"),
        ("person_count", "Persons who have it"),
        ("new_person_count", "Of them, those who have it since this day's run"),
        ("person_share", "person_count in all persons with a profile that day"),
    ),
    tables=("profiles",),
    views=("tags_current_v1",),
    sql="""
        WITH counted AS (
          SELECT as_of_date, tag, min(label) AS label, min(label_zh) AS label_zh, count(*) AS person_count,
                 count_if(since_date = as_of_date) AS new_person_count
          FROM tags_current_v1 GROUP BY as_of_date, tag
        ), everyone AS (
          SELECT as_of_date, count(*) AS _persons FROM profiles GROUP BY as_of_date
        )
        SELECT as_of_date, tag, label, label_zh, person_count, new_person_count,
               try_divide(person_count, _persons) AS person_share
        FROM counted LEFT JOIN everyone USING (as_of_date)
    """,
)

QUALITY = View(
    name="quality_v1",
    comment="One row per measured quality as of the newest day of its stage.",
    columns=tuple((c.name, c.comment) for c in MODEL_METRICS.columns),
    tables=("model_metrics",),
    views=(),
    sql=f"""
        SELECT {", ".join(f"m.{name}" for name in MODEL_METRICS.names)}
        FROM model_metrics m
        JOIN (SELECT stage, max(as_of_date) AS as_of_date FROM model_metrics GROUP BY stage) newest
          ON newest.stage = m.stage AND newest.as_of_date = m.as_of_date
    """,  # noqa: S608 - declared names only
)

VIEWS = (RECOMMENDATIONS_CURRENT, TOP_ITEMS, SEGMENT_SUMMARY, TAG_SUMMARY, QUALITY)
