"""Which names columns and verbs usually go by, as patterns over names in lower case."""

from __future__ import annotations

ROLES = {
    "source_session_id": r"session|visit(?!or)",
    "device_id": r"device|visitor|cookie|idf[av]|install|open_?id|client_?id|anonymous|domain_userid|\bbox\b|\bpad\b",
    "login_id": r"login|\buid\b|user[._]?(id|name)?$|member|account|acct|customer(_?id)?",
    "item_id": r"item|article|sku|product|goods|content([._]?id)?$|stock_?code",
    "order_id": r"order|invoice",
    "query": r"query|keyword|\bkw\b|search",
    "currency": r"currency",
    "amount_minor": r"amount|price|cents|\bfee\b|revenue|total|paid",
    "quantity": r"quantity|\bqty\b|pieces",
    "position": r"position|\bpos\b|slot|rank",
    "region": r"region|province|state|\barea\b",
    "country": r"country",
}
ITEM_ROLES = {
    "item_id": ROLES["item_id"] + r"|\bid\b",
    "title": r"title|name",
    "category": r"category|tree",
    "brand": r"brand|maker",
    "price_minor": r"price|cents",
    "text": r"text|description|words",
}
VERB = r"event[._]?(name|type)?$|\bact\b|action|verb|\bwhat\b|\bkind\b"
AGENT = r"user_?agent|\bua\b|\bagent\b"
OWN_ID = r"(^|[._])(event|record|row)?_?(id|uuid)$"
VERBS = {
    "view": r"pv|view|detail|look|visit|screen|watch|load_?item",
    "cart": r"cart|basket|add|keep",
    "buy": r"buy|bought|pay|paid|purchase|order|checkout",
    "refund": r"refund|return|pay_?back",
    "search": r"search|query|find",
    "favourite": r"fav|like|heart|thumb",
    "bookmark": r"bookmark|save",
    "follow": r"follow",
    "comment": r"comment|review",
    "rate": r"rat(e|ing)|score|star",
    "impression": r"impression|expose|show",
    "click": r"click|tap|press",
    "error": r"error|err|crash|exception|fail",
    "load": r"load|perf|launch",
    "survey": r"survey|nps|ask",
    "share": r"share",
    "login": r"login|sign_?in",
    "logout": r"logout|sign_?out",
    "open": r"open",
}
