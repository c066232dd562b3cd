"""Sections on what the flow makes of it: segments, tags, items, quality, runs."""

from __future__ import annotations

from collections.abc import Sequence

from personalake.report.gather import Answers, Row
from personalake.report.groups import segment_figures
from personalake.report.plots import Bar, bar_panels
from personalake.report.sections import Card, Entry, Grid, Section, empty_lead, entries
from personalake.report.wording import NOTHING, Wording, count, number, plain, share
from personalake.tables.profile_features import FEATURE_BY_NAME, FEATURES

BASELINES = ("popular", "random")
_METRICS = {
    "recall": "Recall", "precision": "Precision", "ndcg": "nDCG", "map": "MAP", "mrr": "MRR", "hit_rate": "Hit rate",
    "coverage": "Coverage", "gini": "Gini", "novelty": "Novelty [bits]",
}  # fmt: skip


def segments(answers: Answers, wording: Wording) -> Section:
    """Segments: sizes, words, centres."""
    rows = [r for r in answers["segments"] if r["state"] != "vanished"]
    head = ("segments", "Segments", "用户分群")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "segments", "Segments"), head[2])
    told = [r for r in rows if not wording.is_small(r["person_count"])]
    biggest = max(rows, key=lambda r: (r["person_count"], r["segment_id"]))
    lead = f"{len(rows)} segments as of {rows[0]['as_of_date']}; the largest is “{biggest['segment_name']}”."
    quality = rows[0]["silhouette"]
    if quality is not None:
        lead += f" Silhouette {quality:.2f} (1: far apart, 0: overlapping)."
    lead += _changed(answers["segments"])
    sizes = [Bar(r["segment_name"], *_size(r, wording)) for r in rows]
    panels = [("Persons", sizes)]
    if any(r["segment_money_minor"] for r in told):
        panels.append(("Share of money", [Bar(r["segment_name"], *_money_share(r, wording), False) for r in rows]))
    drawn = bar_panels("segments", f"Persons and share of money per segment. {lead}", panels)
    return Section(
        *head[:2], lead, head[2], figures=[drawn, *segment_figures(answers, wording)],
        cards=[_segment(r, wording) for r in rows], grids=[_centres(told, wording)] if told else [],
    )  # fmt: skip


def _changed(rows: Sequence[Row]) -> str:
    """Which segments are new and which are gone since the run before; nothing of a first run, where all are new."""
    names = {state: [f"“{r['segment_name']}”" for r in rows if r["state"] == state] for state in ("new", "vanished")}
    if len(names["new"]) == len(rows):
        return ""
    told = {"New": names["new"], "No longer there": names["vanished"]}
    return "".join(f" {word}: {', '.join(found)}." for word, found in told.items() if found)


def _size(row: Row, wording: Wording) -> tuple[float, str]:
    if wording.is_small(row["person_count"]):
        return 0.0, wording.persons(row["person_count"])
    return row["person_count"], f"{count(row['person_count'])} · {share(row['person_share'])}"


def _money_share(row: Row, wording: Wording) -> tuple[float, str]:
    if wording.is_small(row["person_count"]) or row["segment_money_share"] is None:
        return 0.0, NOTHING
    return row["segment_money_share"], share(row["segment_money_share"])


def _segment(row: Row, wording: Wording) -> Card:
    facts = [("Persons", _size(row, wording)[1])]
    if row["segment_money_minor"] and not wording.is_small(row["buyer_count"]):
        facts.append(("Bought", wording.money(row["segment_money_minor"])))
    text = "" if wording.is_small(row["person_count"]) else f"{row['words']}\n{row['words_zh']}".strip()
    return Card(row["segment_name"], row["segment_name_zh"], facts, text)


def _centres(rows: Sequence[Row], wording: Wording) -> Grid:
    """Features at the centres; a row is tinted from its smallest to its greatest value."""
    named = {name for r in rows for name in r["centre"]}
    lines = []
    for feature in FEATURES:
        if feature.name not in named:
            continue
        values = [_float(r["centre"].get(feature.name)) for r in rows]
        known = [v for v in values if v is not None]
        low, high = min(known, default=0.0), max(known, default=0.0)
        tints = [None if v is None or high == low else (v - low) / (high - low) for v in values]
        unit = FEATURE_BY_NAME[feature.name].unit
        cells = [Entry(wording.feature(v, unit), t) for v, t in zip(values, tints, strict=True)]
        lines.append((Entry(feature.meaning), *cells))
    caption = "What a typical person of each segment is like; the stronger the tint, the higher in the row"
    return Grid(caption, ("Feature", *(r["segment_name"] for r in rows)), lines)


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def tags(answers: Answers, wording: Wording) -> Section:
    """The most frequent tags."""
    rows = answers["tags"]
    head = ("tags", "Tags", "标签")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "tags", "Tags"), head[2])
    told = [r for r in rows if not wording.is_small(r["person_count"])]
    lead = f"The {len(rows)} most frequent tags as of {rows[0]['as_of_date']}."
    if told and told[0]["person_share"] is not None:
        lead += f" {share(told[0]['person_share'])} of all persons are “{told[0]['label']}”."
    if rows[0]["previous_as_of_date"] is not None:
        lead += f" + got it since {rows[0]['previous_as_of_date']}, - lost it."
    bars = [Bar(f"{r['label']} {r['label_zh']}", *_size_and_change(r, wording)) for r in rows]
    drawn = bar_panels("tags", f"Persons per tag. {lead}", [("Persons", bars)], columns=1)
    return Section(*head[:2], lead, head[2], figures=[drawn])


def _size_and_change(row: Row, wording: Wording) -> tuple[float, str]:
    size, text = _size(row, wording)
    if not size or row["previous_as_of_date"] is None:
        return size, text
    gained, lost = (wording.persons(row[name] or 0) for name in ("gained_count", "lost_count"))
    return size, f"{text} · +{gained} -{lost}"


def items(answers: Answers, wording: Wording) -> Section:
    """What people look at and buy."""
    rows = answers["items"]
    head = ("items", "Top items of the last 30 days", "热门商品")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "items", "What people look at and buy"), head[2])
    sells = any(r["buy_count"] for r in rows)
    lead = "By the number of persons who did anything with them."
    names = ["Item", "Persons", "Views", *(("In carts", "Bought", "Money") if sells else ())]
    lines = []
    for row in rows:
        few = wording.is_small(row["buyer_count"])
        money = NOTHING if few else wording.money(row["amount_base_minor"])
        sold = (count(row["cart_count"]), wording.persons(row["buy_count"]) if few else count(row["buy_count"]), money)
        title = row["title"] or row["item_id"]
        lines.append(
            entries(title, wording.persons(row["person_count"]), count(row["view_count"]), *(sold if sells else ()))
        )
    return Section(*head[:2], lead, head[2], grids=[Grid("Top items of the last 30 days", names, lines)])


def quality(answers: Answers, wording: Wording, metrics: Sequence[str]) -> Section:
    """Models against popular and random, with intervals."""
    rows = answers["quality"]
    head = ("quality", "How good the recommendations are", "推荐质量")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "quality", "Measured quality"), head[2])
    drawn_metrics = [m for m in metrics if any(r["metric"] == m for r in rows)]
    ks = sorted({r["k"] for r in rows if r["metric"] in drawn_metrics})
    k = 10 if 10 in ks or not ks else ks[-1]
    panels = [(f"{_METRICS.get(m, plain(m))} at {k}", _model_bars(rows, m, k)) for m in drawn_metrics]
    lead = (
        f"Lists made as of {rows[0]['as_of_date']} less the test days, measured on what people did in them. "
        "Whiskers are 95 % intervals over persons; popular and random are what any model must beat."
    )
    lead += _best(rows, drawn_metrics, k)
    figures = [bar_panels("quality", f"Quality of each model at {k}. {lead}", panels)] if panels else []
    return Section(*head[:2], lead, head[2], figures=figures, grids=[_all_metrics(rows, wording)])


def _best(rows: Sequence[Row], metrics: Sequence[str], k: int) -> str:
    if not metrics:
        return ""
    of = {r["model"]: r["value"] for r in rows if (r["metric"], r["k"]) == (metrics[0], k) and r["value"] is not None}
    ours = {model: value for model, value in of.items() if model not in BASELINES}
    base = of.get("popular")
    if not ours or not base:
        return ""
    best = max(sorted(ours), key=lambda model: ours[model])
    title = _METRICS.get(metrics[0], metrics[0])
    return f" {plain(best).capitalize()} reaches {ours[best] / base:.1f} times the {title.lower()} of popular."


def _model_bars(rows: Sequence[Row], metric: str, k: int) -> list[Bar]:
    mine = [r for r in rows if r["metric"] == metric and r["k"] == k and r["value"] is not None]
    mine.sort(key=lambda r: (r["model"] in BASELINES, -r["value"], r["model"]))
    return [
        Bar(
            plain(r["model"]), r["value"], f"{r['value']:.3f}", r["model"] not in BASELINES,
            r["interval_low"], r["interval_high"],
        )
        for r in mine
    ]  # fmt: skip


def _all_metrics(rows: Sequence[Row], wording: Wording) -> Grid:
    lines = [
        entries(
            f"{_METRICS.get(r['metric'], plain(r['metric']))}" + (f" at {r['k']}" if r["k"] else ""), plain(r["model"]),
            _figure(r["value"]),
            NOTHING if r["interval_low"] is None else f"{r['interval_low']:.4f} … {r['interval_high']:.4f}",
            wording.persons(r["person_count"]),
        )
        for r in rows
    ]  # fmt: skip
    names = ("Metric", "Model", "Value", "95 % interval", "Persons")
    return Grid("All metrics", names, lines, numbers_from=2, is_folded=True)


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"


def runs(answers: Answers, _: Wording) -> Section:
    """The last run of each stage."""
    rows = answers["runs"]
    head = ("runs", "How it was made", "运行记录")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "runs", "Runs"), head[2])
    seconds = sum(r["seconds"] or 0.0 for r in rows)
    lead = f"The last run of each stage that did anything; {number(seconds)} seconds of work in all."
    lines = [
        entries(
            r["stage"], r["state"], str(r["as_of_date"] or NOTHING), number(r["seconds"]), count(r["rows_in"]),
            count(r["rows_out"]), count(r["rows_rejected"]),
        )
        for r in rows
    ]  # fmt: skip
    names = ("Stage", "State", "As of", "Seconds", "Rows read", "Rows written", "Refused")
    return Section(*head[:2], lead, head[2], grids=[Grid("Last run of each stage", names, lines, numbers_from=3)])
