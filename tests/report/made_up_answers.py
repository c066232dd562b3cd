"""What the report's questions may give: a lake with something in every section, and hostile words in it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

HOSTILE = "<script>alert('x')</script> & \"$x_1$\" <img src=http://evil.example/a.png>"
DAY = date(2024, 3, 31)
PLATFORMS = ("web", "ios", "tv")


def made_up() -> dict[str, list[dict[str, Any]]]:
    """Rows by question."""
    return {
        "sources": [_source("web_log", "web", 1000, 12), _source("items", None, 30, 0)],
        "rejections": [
            {"source": "web_log", "reason_code": "ING-001", "reason": HOSTILE, "record_count": 12, "file_count": 1}
        ],
        "alarms": [
            {"source": "web_log", "alarm_kind": "vanished_field", "subject": "login_id", "alarm_date": DAY,
             "reason": HOSTILE}
        ],
        "days": [
            {"event_date": DAY - timedelta(days=n), "platform": p, "event_count": 10 * n + 7}
            for n in range(30, 0, -1) for p in PLATFORMS
        ],
        "identifiers": [
            {"identifier_kind": kind, "identifier_count": n, "person_count": c}
            for kind in ("all", "login", "device") for n, c in ((1, 300), (2, 40), (10, 3))
        ],
        "evidence": [
            {"left_kind": "login", "left_identifier": "a1b2c3", "right_kind": "device", "right_identifier": f"d0000{n}",
             "evidence_kind": "login_on_device", "event_count": 5 * n + 4, "strength_score": 0.9,
             "state": "used" if n < 3 else "cut_shared_device"}
            for n in range(4)
        ],
        "overlap": [_overlap(a, b) for a in PLATFORMS for b in PLATFORMS if a != b],
        "headlines": [
            {"as_of_date": DAY, "person_count": 343, "active_count": 200, "new_count": 9, "login_count": 150,
             "many_platforms_count": 43, "buyer_count": 120, "repeat_buyer_count": 8, "money_minor": 987_654,
             "money_minor_30d": 1, "order_count": 250}
        ],
        "mix": [
            {"feature": "top_category", "value": HOSTILE, "person_count": 70},
            {"feature": "top_category", "value": "茶叶", "person_count": 4},
            {"feature": "top_daypart", "value": "night", "person_count": 100},
        ],
        "rfm": [
            {"rfm_recency_rank": 5, "rfm_frequency_rank": 5, "person_count": 112, "money_minor": 900_000,
             "mean_money_minor": 8000},
            {"rfm_recency_rank": 1, "rfm_frequency_rank": 1, "person_count": 8, "money_minor": 87_654,
             "mean_money_minor": 1},
        ],
        "segments": [_segment("s1", "Loyal", "忠实", 336, 980_000), _segment("s2", "Tiny", "小群", 7, 7_654, "new"),
            _segment("s0", "Gone", "旧群", 1, 0, "vanished")],
        "segment_moves": [
            {"from_as_of_date": DAY - timedelta(days=7), "as_of_date": DAY, "from_segment_id": a, "to_segment_id": b,
             "person_count": n, "from_segment_name": HOSTILE if a else None, "to_segment_name": b or None}
            for a, b, n in (("s1", "s1", 300), ("s1", "", 30), ("", "s2", 4))
        ],
        "segment_candidates": [
            {"as_of_date": DAY, "k": 2, "silhouette": 0.31, "stability": 0.97, "is_chosen": True},
            {"as_of_date": DAY, "k": 3, "silhouette": 0.29, "stability": None, "is_chosen": False},
        ],
        "tags": [_tag("new", 9), _tag("big", 120)],
        "items": [
            {"window_days": 30, "item_rank": 1, "item_id": "i1", "title": HOSTILE, "category": None, "brand": None,
             "person_count": 55, "view_count": 99, "cart_count": 12, "buy_count": 5, "buyer_count": 4,
             "amount_base_minor": 4321}
        ],
        "experience": [
            {"platform": p, "session_count": 90, "bounce_share": 0.25, "error_count": 3, "error_share": 0.01,
             "load_count": 0, "mean_load_value": None, "search_count": 8, "zero_result_search_share": 0.125,
             "survey_count": 0, "mean_satisfaction_value": None}
            for p in PLATFORMS
        ],
        "quality": [
            {"as_of_date": DAY, "metric": "recall", "k": k, "model": model, "value": value,
             "interval_low": value - 0.01, "interval_high": value + 0.01, "person_count": 300}
            for k in (5, 10) for model, value in (("als", 0.4), ("popular", 0.1), ("random", 0.01))
        ] + [{"as_of_date": DAY, "metric": "coverage", "k": 10, "model": "als", "value": None, "interval_low": None,
              "interval_high": None, "person_count": None}],
        "lifetime": [
            *(_measure("bg_nbd", name, value)
              for name, value in (("r", 0.2426), ("alpha", 4.41), ("a", 0.8), ("b", 2.4))),
            *(_measure("bg_nbd", name, value, step=n, persons=5 if n == 7 else 100 + n)
              for n in range(8) for name, value in (("expected_orders", n / 2), ("actual_orders", n / 2.2))),
        ],
        "propensity": [
            _measure("gbt", "auc", 0.78, audience="buys_30d", low=0.75, high=0.81),
            *(_measure("gbt", name, value / n, k=n, audience="buys_30d")
              for n in range(1, 11) for name, value in (("lift", 3.1), ("precision", 0.7))),
            *(_measure("gbt", name, value / n, step=n, audience="buys_30d")
              for n in range(1, 11) for name, value in (("expected_share", 0.7), ("actual_share", 0.6))),
            _measure("gbt", "positive_share", 0.23, audience="buys_30d"),
        ],
        "rules": [
            {"target": "buys_30d", "rule": HOSTILE, "rule_zh": "order_count 大于 2", "probability": 0.95,
             "person_count": 116},
            {"target": "buys_30d", "rule": "Orders: at most 2", "rule_zh": "order_count 不超过 2", "probability": 0.05,
             "person_count": 6},
        ],
        "samples": [
            {"person_id": "0123456789abcdef", "segment_name": "Loyal", "recency_days": 1, "event_count": 40,
             "platform_count": 2, "top_platform": "ios", "order_count": 1, "money_minor": 1250, "top_category": None,
             "top_price_band": "low", "tag_labels": [HOSTILE],
             "suggestions": [{"title": HOSTILE, "reason": HOSTILE, "reason_zh": None}]}
        ],
        "runs": [
            {"stage": "ingest", "as_of_date": DAY, "state": "complete", "rows_in": 1030, "rows_out": 990,
             "rows_rejected": 12, "seconds": 12.345}
        ],
    }  # fmt: skip


def _source(name: str, platform: str | None, rows: int, refused: int) -> dict[str, Any]:
    return {"source": name, "platforms": [platform] if platform else [], "file_count": 2, "rows_in": rows,
            "rows_rejected": refused, "rejected_share": refused / rows, "event_count": 980 if platform else 0,
            "first_event_date": DAY if platform else None, "last_event_date": DAY if platform else None}  # fmt: skip


def _measure(
    model: str, metric: str, value: float, *, k: int = 0, step: int = 0, audience: str = "all", persons: int = 300,
    low: float | None = None, high: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {"as_of_date": DAY, "model": model, "metric": metric, "k": k, "step": step, "audience": audience,
            "value": value, "interval_low": low, "interval_high": high, "person_count": persons}  # fmt: skip


def _overlap(left: str, right: str) -> dict[str, Any]:
    both = 3 if "tv" in (left, right) else 40
    return {"left_platform": left, "right_platform": right, "person_count": both, "left_person_count": 120,
            "right_person_count": 120, "left_share": both / 120, "overlap_share": both / (240 - both)}  # fmt: skip


def _segment(segment_id: str, name: str, name_zh: str, persons: int, money: int, state: str = "kept") -> dict[str, Any]:
    return {
        "as_of_date": DAY, "method": "kmeans", "segment_id": segment_id, "segment_name": name,
        "segment_name_zh": name_zh, "state": state, "person_count": persons,
        "person_share": persons / 343, "silhouette": 0.31,
        "words": f"words of {name}", "words_zh": "很多",
        "centre": {"money_minor": str(money / persons), "night_share": "0.5"},
        "segment_money_minor": money, "segment_money_share": money / 987_654, "buyer_count": persons // 3,
    }  # fmt: skip


def _tag(name: str, persons: int) -> dict[str, Any]:
    return {"as_of_date": DAY, "tag": name, "label": name.title(), "label_zh": "标签", "person_count": persons,
            "new_person_count": 1,
            "previous_as_of_date": DAY - timedelta(days=1), "gained_count": 25, "lost_count": 3,
            "person_share": persons / 343}  # fmt: skip
