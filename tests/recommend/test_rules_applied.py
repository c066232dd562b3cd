"""What rules do to lists: who is suggested what, and what the run is told of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.errors import ConfigError
from personalake.recommend import ItemCosine, Popular
from personalake.recommend.build import fit_all, ranked_items
from personalake.recommend.propose import proposed_items
from personalake.recommend.removed import counted_removals, removals
from personalake.recommend.request import Request
from personalake.recommend.rules import Ruleset, parse_rules
from personalake.recommend.settings import Recommend

DAY = date(2024, 3, 10)
PAIR = "person_id string, item_id string"
WINE = {"feature": "item.category", "is": "wine"}
NORTH = {"feature": "person.region", "is": "north"}
ADULT = {"feature": "person.age_band", "one_of": ["18-24", "25-34"]}
# The lower the number, the more popular. Odd ones are wine; i4 cannot be had.
ITEMS = [
    (f"i{n}", "wine" if n % 2 else "tea", "low" if n < 6 else "high", n != 4, f"b{n % 3}", {"vegan": str(n != 6)})
    for n in range(16)
]
ITEM_COLUMNS = (
    "item_id string, category string, price_band string, is_available boolean, brand string, "
    "attributes map<string,string>"
)
PERSONS = [
    ("adult", "25-34", "north", "high"), ("child", "<18", "north", "high"), ("ageless", None, "south", "high"),
    ("thrifty", "25-34", "south", "low"), ("out", "25-34", "north", "low"),
]  # fmt: skip
HISTORY = [(f"crowd{m}", f"i{n}", 1.0) for n in range(16) for m in range(20 - n)]
HISTORY += [(person[0], "i0", 1.0) for person in PERSONS if person[0] != "ageless"]


def rules_of(*rules: dict[str, Any]) -> Ruleset:
    return parse_rules({"rules": [{"code": f"RUL-{n:03}", **rule} for n, rule in enumerate(rules, start=1)]}, "test")


class Shop:
    """Fitted once; lists under any rules."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.settings = Recommend(algorithms={"near": ItemCosine(), "popular": Popular()}, limit=4, candidates=6)
        self.interactions = spark.createDataFrame(HISTORY, f"{PAIR}, weight double").coalesce(1)
        self.items = spark.createDataFrame(ITEMS, ITEM_COLUMNS).coalesce(1)
        self.fitted = fit_all(self.interactions, self.settings)

    def request(self, rules: Ruleset, **more: Any) -> Request:
        columns = "person_id string, age_band string, region string, top_price_band string"
        persons = self.spark.createDataFrame(PERSONS, columns).coalesce(1)
        opted_out = persons.where("person_id = 'out'").select("person_id")
        return Request(persons, self.items, opted_out=opted_out, rules=rules, as_of=DAY, **more)

    def lists(self, rules: Ruleset, **more: Any) -> tuple[dict[str, list[str]], dict[str, tuple[str, int]]]:
        request = self.request(rules, **more)
        proposed = proposed_items(self.fitted, self.settings, request).persist()
        ranked = ranked_items(proposed, self.fitted, self.settings, request).persist()
        found: dict[str, list[str]] = {}
        for row in sorted(ranked.where("rule_code IS NULL").collect(), key=lambda row: row.recommendation_rank):
            found.setdefault(row.person_id, []).append(row.item_id)
            assert len(found[row.person_id]) == row.recommendation_rank
        removed = removals(proposed, ranked, self.fitted, self.settings, request).collect()
        told = {r.rule_code: (r.removed_kind, r.removed_count) for r in removed}
        proposed.unpersist()
        ranked.unpersist()
        return found, told


@pytest.fixture(scope="module")
def shop(spark: SparkSession) -> Any:
    made = Shop(spark)
    yield made
    for model in made.fitted.values():
        model.unpersist()


def is_wine(item: str) -> bool:
    return int(item[1:]) % 2 == 1


def test_exclusions_leave_full_lists_and_are_counted(shop: Shop) -> None:
    rules = rules_of(
        {"kind": "available_only"},
        {"kind": "allow", "when": WINE, "only": ADULT},
        {"kind": "exclude", "when": {"feature": "item.attributes.vegan", "is": "False"}},
        {"kind": "exclude", "when": {"all": [{"feature": "item.item_id", "is": "i1"}, NORTH]}},
        {"kind": "price_cap"},
    )
    found, told = shop.lists(rules)
    assert found == {
        "adult": ["i2", "i3", "i5", "i7"],
        "child": ["i2", "i8", "i10", "i12"],
        "ageless": ["i0", "i2", "i8", "i10"],
        "thrifty": ["i1", "i2", "i3", "i5"],
        # Who opted out is told of what was said: the age and the region count, the price band does not.
        "out": ["i2", "i3", "i5", "i7"],
    }
    assert told["RUL-001"] == told["RUL-003"] == ("items", 1)
    assert told["RUL-002"] == ("candidates", 7 + 8), "the child's own, and of the list that fills up the ageless one's"
    assert told["RUL-004"] == ("candidates", 1 + 1), "the adult's, and who opted out is in the north too"
    assert told["RUL-005"][0] == "candidates"


def test_boosts_pins_and_caps(shop: Shop) -> None:
    rules = rules_of(
        {"kind": "boost", "when": {"all": [{"feature": "item.item_id", "is": "i9"}, NORTH]}, "factor": 100},
        {"kind": "boost", "when": {"feature": "item.item_id", "is": "i8"}, "factor": 99, "until": "2024-03-09"},
        {"kind": "pin", "item": "i13", "rank": 2, "audience": NORTH},
        {"kind": "pin", "item": "i12", "rank": 2, "audience": {"feature": "person.region", "is": "south"}},
        {"kind": "pin", "item": "i11", "rank": 1, "from": "2024-03-11"},
        {"kind": "cap", "by": "brand", "limit": 2},
    )
    found, told = shop.lists(rules)
    assert found == {
        "adult": ["i9", "i13", "i1", "i2"],
        "child": ["i9", "i13", "i1", "i2"],
        "ageless": ["i0", "i12", "i1", "i2"],
        "thrifty": ["i1", "i12", "i2", "i3"],
        "out": ["i1", "i2", "i3", "i4"],
    }
    assert set(told) <= {"RUL-006"}


def bought(spark: SparkSession, *rows: tuple[str, str, date]) -> DataFrame:
    return spark.createDataFrame(rows, f"{PAIR}, last_bought_date date")


def test_what_was_bought_comes_back_after_its_days(shop: Shop, spark: SparkSession) -> None:
    rows = bought(
        spark,
        ("adult", "i0", date(2024, 2, 9)), ("child", "i0", date(2024, 2, 8)), ("adult", "i3", date(2020, 1, 1)),
        ("stranger", "i3", date(2020, 1, 1)),
    )  # fmt: skip
    rule = {"kind": "exclude_bought", "days_by_category": {"tea": 30}}
    request = shop.request(rules_of(rule), bought=rows)
    met = shop.interactions.where("person_id NOT LIKE 'crowd%'")
    met = met.unionByName(spark.createDataFrame([("adult", "i3", 1.0)], met.schema))
    masks = [request.mask(met, exclude_seen) for exclude_seen in (True, False)]
    told = counted_removals(masks[0].selectExpr("'' AS rule_code"), masks[0].selectExpr("'' AS rule_code"), request)
    seen, unseen = ({tuple(row) for row in mask.collect()} for mask in masks)
    kept_out = {("adult", "i0"), ("adult", "i3"), ("stranger", "i3")}
    assert unseen == kept_out, "bought 30 days ago; the wine for ever; not what was bought 31 days ago"
    assert seen == kept_out | {("thrifty", "i0"), ("out", "i0")}, "what may be bought again may be seen again"
    assert [tuple(row) for row in told.collect()] == [("RUL-001", "pairs", 2)]
    with pytest.raises(ConfigError, match="RUL-001: counts days"):
        shop.request(rules_of(rule), bought=rows.drop("last_bought_date")).bought_or_not()
