"""What much and little of a feature is called, of persons, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from personalake.tables.features.chinese import title_zh
from personalake.tables.profile_features import FEATURE_BY_NAME


@dataclass(frozen=True)
class Phrases:
    """How persons with much and with little of a feature are called."""

    high: str
    high_zh: str
    low: str
    low_zh: str


PHRASES: dict[str, Phrases] = {
    "recency_days": Phrases("long away", "久未到访", "recently here", "近期来过"),
    "order_recency_days": Phrases("last order long ago", "久未下单", "ordered recently", "近期下单"),
    "tenure_days": Phrases("long known", "老用户", "newcomers", "新近用户"),
    "event_count": Phrases("busy", "行为多", "quiet", "行为少"),
    "active_day_count": Phrases("frequent", "高频活跃", "rare", "低频活跃"),
    "session_count": Phrases("many visits", "访问多", "few visits", "访问少"),
    "mean_session_seconds": Phrases("long visits", "停留久", "short visits", "停留短"),
    "events_per_session": Phrases("deep visits", "浏览深", "quick looks", "浏览浅"),
    "view_count": Phrases("many views", "浏览量大", "few views", "浏览量小"),
    "cart_count": Phrases("full carts", "常加购", "hardly use the cart", "少加购"),
    "search_count": Phrases("searchers", "爱搜索", "hardly search", "少搜索"),
    "favourite_count": Phrases("collectors", "爱收藏", "hardly keep favourites", "少收藏"),
    "order_count": Phrases("buyers", "常购买", "hardly buy", "少购买"),
    "money_minor": Phrases("big spenders", "高消费", "small spenders", "低消费"),
    "mean_order_minor": Phrases("big baskets", "大客单", "small baskets", "小客单"),
    "refund_minor": Phrases("return much", "退款多", "return little", "退款少"),
    "discount_share": Phrases("bargain hunters", "爱优惠", "pay full price", "少用优惠"),
    "night_share": Phrases("night owls", "夜间活跃", "by day", "日间活跃"),
    "weekend_share": Phrases("at weekends", "周末活跃", "on weekdays", "工作日活跃"),
    "pc_share": Phrases("on the PC", "电脑为主", "hardly on the PC", "少用电脑"),
    "phone_share": Phrases("on the phone", "手机为主", "hardly on the phone", "少用手机"),
    "tablet_share": Phrases("on the tablet", "平板为主", "hardly on the tablet", "少用平板"),
    "tv_share": Phrases("on TV", "电视为主", "hardly on TV", "少用电视"),
    "platform_count": Phrases("on many platforms", "多平台", "on few platforms", "少平台"),
    "category_count": Phrases("broad tastes", "兴趣广", "narrow tastes", "兴趣窄"),
}

AVERAGE = ("average visitors", "普通访客")
"""Of whom no feature sets them apart."""

UNITS = {"days": " d", "s": " s", "ms": " ms"}
UNITS_ZH = {"days": " 天", "s": " 秒", "ms": " 毫秒"}
"""Units that are short enough to stand behind a number."""


def phrase(feature: str, is_high: bool) -> tuple[str, str]:
    """The words for much or little of a feature, in English and Chinese; made from its name and title without them."""
    known = PHRASES.get(feature)
    if known is None:
        title = title_zh(feature)
        return (f"high {feature}", f"{title}高") if is_high else (f"low {feature}", f"{title}低")
    return (known.high, known.high_zh) if is_high else (known.low, known.low_zh)


def amount(feature: str, value: float, units: Mapping[str, str] = UNITS) -> str:
    """A value as people read it: money in units, shares in per cent, with the unit where it has a short one."""
    declared = FEATURE_BY_NAME[feature]
    if feature.endswith("_share"):
        return f"{value:.0%}".replace("%", " %")
    if declared.is_money:
        return f"{value / 100:,.2f}"
    unit = units.get(declared.unit, "")
    return f"{value:,.0f}{unit}" if value >= 100 else f"{value:.1f}{unit}"
