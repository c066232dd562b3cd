"""What features are called in Chinese: where rules, reasons and names of segments take their terms from."""

from __future__ import annotations

import re

_WINDOW = re.compile(r"^(?P<name>\w+?)_(?P<days>\d+)d$")

_WEEKDAYS = dict(zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "一二三四五六日",
                     strict=True))  # fmt: skip
_KINDS = {"category": "品类", "brand": "品牌", "price_band": "价位", "content_word": "标题词", "search_word": "搜索词"}
_ITEM_KINDS = ("category", "brand", "price_band")

_WHEN = {
    "first_event_date": "首次行为日期",
    "last_event_date": "最近行为日期",
    "first_order_date": "首次下单日期",
    "last_order_date": "最近下单日期",
    "recency_days": "距最近行为天数",
    "order_recency_days": "距最近下单天数",
    "tenure_days": "距首次行为天数",
    "is_new": "新客",
    "is_returning": "回访客",
    "order_day_count": "下单天数",
    "mean_days_between_orders": "平均下单间隔天数",
    "stddev_days_between_orders": "下单间隔标准差天数",
    "order_gap_variation": "下单间隔变异系数",
    "expected_order_date": "预计下次下单日期",
    "order_overdue_days": "超过预计下单日天数",
}

_HOW_OFTEN = {
    "event_count": "行为数",
    "active_day_count": "活跃天数",
    "session_count": "访问次数",
    "decayed_event_value": "衰减行为数",
    "mean_days_between_active_days": "平均活跃间隔天数",
    "bounce_count": "跳出次数",
    "mean_session_seconds": "平均访问时长（秒）",
    "events_per_session": "每次访问行为数",
    "bounce_share": "跳出率",
}

_MONEY = {
    "order_count": "订单数",
    "money_minor": "消费金额",
    "decayed_order_value": "衰减订单数",
    "decayed_money_minor": "衰减消费金额",
    "refund_minor": "退款金额",
    "refund_count": "退款行数",
    "net_money_minor": "净消费金额",
    "refund_share": "退款金额占比",
    "returned_quantity": "退货件数",
    "return_share": "退货件数占比",
    "mean_order_minor": "平均订单金额",
    "currency_count": "支付币种数",
    "unrated_count": "无汇率行为数",
    "bought_quantity": "购买件数",
    "quantity_per_order": "每单件数",
    "lines_per_order": "每单行数",
    "rebought_item_share": "复购商品占比",
    "discount_share": "折扣占比",
    "discounted_buy_count": "折扣购买数",
    "discounted_buy_share": "折扣购买占比",
    "mean_viewed_price_minor": "浏览商品均价",
    "mean_bought_price_minor": "购买商品均价",
}

_PATHS = {
    "view_count": "浏览数",
    "cart_count": "加购数",
    "buy_count": "购买数",
    "search_count": "搜索数",
    "favourite_count": "收藏数",
    "viewed_item_count": "浏览商品数",
    "carted_item_count": "加购商品数",
    "bought_item_count": "购买商品数",
    "view_to_cart_share": "浏览至加购转化率",
    "cart_to_buy_share": "加购至购买转化率",
    "view_to_buy_share": "浏览至购买转化率",
    "cross_device_buy_share": "跨设备购买占比",
    "cross_platform_order_count": "跨平台订单数",
    "cross_platform_order_share": "跨平台订单占比",
    "top_platform_path": "最常见跨平台路径",
    "phone_to_pc_buy_share": "手机浏览后电脑购买占比",
    "pc_to_phone_buy_share": "电脑浏览后手机购买占比",
}

_WHERE = {
    "device_count": "设备数",
    "platform_count": "平台数",
    "top_platform": "最常用平台",
    "top_platform_share": "最常用平台占比",
    "pc_share": "电脑占比",
    "phone_share": "手机占比",
    "tablet_share": "平板占比",
    "tv_share": "电视占比",
    "night_share": "夜间占比",
    "morning_share": "上午占比",
    "afternoon_share": "下午占比",
    "evening_share": "晚间占比",
    "weekend_share": "周末占比",
    **{f"{name}_share": f"周{word}占比" for name, word in _WEEKDAYS.items()},
    "top_daypart": "最活跃时段",
    "top_hour": "最活跃小时",
    "top_weekday": "最活跃星期",
    "campaign_event_count": "营销活动带来的行为数",
    "campaign_day_count": "营销活动带来的活跃天数",
    "campaign_event_share": "营销活动带来的行为占比",
    "campaign_buy_count": "营销活动带来的购买数",
    "campaign_buy_share": "营销活动带来的购买占比",
    "impression_count": "曝光数",
    "click_count": "点击数",
    "click_share": "点击率",
}

_TASTES = {
    "item_count": "接触商品数",
    **{f"{kind}_count": f"接触{_KINDS[kind]}数" for kind in _ITEM_KINDS},
    **{f"{kind}_variety_score": f"{_KINDS[kind]}多样性" for kind in _ITEM_KINDS},
    **{f"top_{kind}": f"最常接触{_KINDS[kind]}" for kind in _ITEM_KINDS},
    **{f"top_{kind}_share": f"最常接触{_KINDS[kind]}占比" for kind in _ITEM_KINDS},
    **{f"favoured_{kind}": f"偏爱{word}" for kind, word in _KINDS.items()},
    **{f"favoured_{kind}_score": f"偏爱{word}提升度" for kind, word in _KINDS.items()},
    **{f"favoured_{kind}_count": f"偏爱{word}行为数" for kind, word in _KINDS.items()},
    "new_item_share": "新接触商品占比",
    "revisited_item_share": "重访商品占比",
    **{f"{kind}_tastes": f"{word}偏好" for kind, word in _KINDS.items()},
}

_MET = {
    "error_count": "报错数",
    "error_share": "报错占比",
    "load_count": "加载数",
    "slow_load_count": "慢加载数",
    "slow_load_share": "慢加载占比",
    "zero_result_search_count": "无结果搜索数",
    "answered_search_count": "已知结果数的搜索数",
    "zero_result_search_share": "无结果搜索占比",
    "survey_count": "问卷回答数",
    "rating_count": "评分数",
    "mean_load_value": "平均加载时间（毫秒）",
    "mean_satisfaction_value": "平均满意度",
    "mean_rating_value": "平均评分",
}

_WHO = {
    "has_login": "曾登录",
    "age_band": "年龄段",
    "gender": "性别",
    "occupation": "职业",
    "education": "学历",
    "income_band": "收入段",
    "region": "地区",
    "demography_source": "属性来源",
    "age_band_origin": "年龄段依据",
    "rfm_recency_rank": "RFM 最近购买等级",
    "rfm_frequency_rank": "RFM 购买频次等级",
    "rfm_money_rank": "RFM 消费金额等级",
    "rfm_cell": "RFM 组合",
    "alive_probability": "仍为活跃买家的概率",
    "expected_orders": "预期下单天数",
    "expected_order_minor": "预期单日订单金额",
    "expected_value_minor": "预期消费金额",
}

TITLES_ZH: dict[str, str] = {**_WHEN, **_HOW_OFTEN, **_MONEY, **_PATHS, **_WHERE, **_TASTES, **_MET, **_WHO}
"""Feature to its Chinese title; without the window, which `title_zh` puts before it."""

_BESIDE = {"segment_name": "分群名称", "segment_id": "分群编号"}
_KEYED = {"segment": "{} 分群", "prediction": "{} 的预测概率", "predicted": "{} 的预测值", "tag": "标签 {}"}


def title_zh(name: str) -> str:
    """What a condition's feature is called in Chinese; its own name where no title is kept.

    Args:
        name: a column of profiles, a column of segments, or `segment.METHOD`, `prediction.TARGET` and the like.
    """
    known = TITLES_ZH.get(name) or _BESIDE.get(name)
    if known:
        return known
    kind, _, key = name.partition(".")
    if key and kind in _KEYED:
        return _KEYED[kind].format(key)
    window = _WINDOW.match(name)
    if window and window["name"] in TITLES_ZH:
        return f"近 {window['days']} 天{TITLES_ZH[window['name']]}"
    return name
