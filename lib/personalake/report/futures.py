"""Sections on what is to come: how buyers' futures were expected, and how good predictions are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from personalake.report.curves import Held, expected_and_actual
from personalake.report.gather import Answers, Row
from personalake.report.ink import Figure
from personalake.report.plots import Bar, bar_panels
from personalake.report.sections import Grid, Section, empty_lead, entries
from personalake.report.wording import NOTHING, Wording, count, number, plain, share

_PARAMETERS = {"bg_nbd": ("r", "alpha", "a", "b"), "gamma_gamma": ("p", "q", "gamma")}
_MODELS = {"bg_nbd": "BG/NBD, purchases", "gamma_gamma": "Gamma-Gamma, money of a purchase"}


def lifetime(answers: Answers, wording: Wording) -> Section:
    """The lifetime models: parameters, and expectations of an earlier fit against what came since."""
    rows = answers["lifetime"]
    head = ("lifetime", "What buyers will do next", "客户生命周期")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "lifetime", "What buyers will do next"), head[2])
    held = {(r["metric"], r["step"]): r for r in rows if r["metric"] in ("expected_orders", "actual_orders")}
    groups = sorted({step for _, step in held if not wording.is_small(held["expected_orders", step]["person_count"])})
    lead = f"Fitted on all buyers as of {rows[0]['as_of_date']}."
    figures = []
    if groups:
        expected, actual = ([held[name, g]["value"] for g in groups] for name in ("expected_orders", "actual_orders"))
        persons = [held["expected_orders", g]["person_count"] for g in groups]
        sums = [sum(v * n for v, n in zip(values, persons, strict=True)) for values in (expected, actual)]
        lead += f" An earlier fit expected {number(sums[0])} days with an order since, {number(sums[1])} came."
        labels = [f"{g}+" if g == 7 else str(g) for g in groups]
        panel = Held("Days with an order per buyer", labels, expected, actual, "repeat purchases before")
        figures.append(expected_and_actual("lifetime", f"Expected and actual orders. {lead}", [panel]))
    return Section(*head[:2], lead, head[2], figures=figures, grids=[_parameters(rows)])


def _parameters(rows: Sequence[Row]) -> Grid:
    values = {(r["model"], r["metric"]): r for r in rows}
    lines = []
    for model, names in _PARAMETERS.items():
        found = [values.get((model, name)) for name in names]
        if all(found):
            told = ", ".join(f"{n} {r['value']:.4g}" for n, r in zip(names, found, strict=True) if r)
            lines.append(entries(_MODELS[model], told, count(found[0]["person_count"] if found[0] else None)))
    return Grid("Parameters", ("Model", "Parameters", "Buyers"), lines, is_folded=True)


def propensity(answers: Answers, wording: Wording) -> Section:
    """Lift and calibration of every prediction, and the rules of the tree with the likeliest persons."""
    rows = answers["propensity"]
    head = ("propensity", "What persons will do next", "行为预测")
    if not rows:
        return Section(*head[:2], empty_lead(answers, "propensity", "How good predictions are"), head[2])
    grouped = groupby(rows, key=lambda r: (r["audience"], r["model"]))
    # A share of a handful is as good as those few persons' own answers, and says little of all others.
    models = {
        key: {(r["metric"], r["k"], r["step"]): r for r in part if not wording.is_small(r["person_count"])}
        for key, part in grouped
    }
    best = max(models, key=lambda key: (_value(models[key], "lift", 1), key))
    if not _value(models[best], "lift", 1):
        lead = f"As of {rows[0]['as_of_date']}; too few persons were held out to tell how good predictions are."
        return Section(*head[:2], lead, head[2], grids=_rules(answers, wording))
    times = number(_value(models[best], "lift", 1))
    lead = (
        f"As of {rows[0]['as_of_date']}, tested on persons or days that the model had not seen. "
        f"The likeliest tenth for “{plain(best[0])}” does so {times} times as often as everybody."
    )
    figures = [_lift(models, lead), _calibration(models, lead)]
    return Section(
        *head[:2], lead, head[2], figures=figures, grids=[_models(models, wording), *_rules(answers, wording)]
    )


Measures = dict[tuple[str, int, int], Row]
Models = dict[tuple[str, str], Measures]


def _value(measures: Measures, metric: str, k: int = 0, step: int = 0) -> float:
    row = measures.get((metric, k, step))
    return float(row["value"]) if row else 0.0


def _title(key: tuple[str, str]) -> str:
    return f"{plain(key[0])} · {plain(key[1])}"


def _lift(models: Models, lead: str) -> Figure:
    panels = [(_title(key), _lift_bars(measures)) for key, measures in models.items()]
    return bar_panels("lift", f"How many times as often as everybody. {lead}", panels)


def _lift_bars(measures: Measures) -> list[Bar]:
    lifts = {k: _value(measures, "lift", k) for k in (1, 2, 3, 5, 10)}
    names = {k: "everybody" if k == 10 else f"likeliest {k * 10} %" for k in lifts}
    return [Bar(names[k], lift, f"{lift:.1f}×", k == 1) for k, lift in lifts.items() if lift]


def _calibration(models: Models, lead: str) -> Figure:
    panels = []
    for key, measures in list(models.items())[:4]:
        steps = sorted(step for metric, _, step in measures if metric == "expected_share")
        expected, actual = (
            [_value(measures, name, 0, s) * 100 for s in steps] for name in ("expected_share", "actual_share")
        )
        labels = [str(s) for s in steps]
        panels.append(Held(f"{_title(key)} [%]", labels, expected, actual, "tenth, likeliest first"))
    return expected_and_actual("calibration", f"Expected and actual shares by tenth. {lead}", panels)


def _models(models: Models, wording: Wording) -> Grid:
    lines = []
    for (target, model), measures in models.items():
        auc = measures.get(("auc", 0, 0))
        area = (
            NOTHING if auc is None else f"{auc['value']:.3f} ({auc['interval_low']:.3f} … {auc['interval_high']:.3f})"
        )
        persons = wording.persons(auc["person_count"]) if auc else NOTHING
        found = (measures.get(("positive_share", 0, 0)), measures.get(("precision", 1, 0)))
        shares = (NOTHING if row is None else share(row["value"]) for row in found)
        lines.append(entries(plain(target), plain(model), area, *shares, persons))
    names = ("Target", "Model", "AUC", "All persons", "Likeliest tenth", "Tested on")
    return Grid("How often they do it", names, lines, numbers_from=2)


def _rules(answers: Answers, wording: Wording) -> list[Grid]:
    """The first rules of each tree."""
    lines = [
        entries(
            plain(r["target"]),
            f"{r['rule']}\n{r['rule_zh']}",
            share(r["probability"]),
            wording.persons(r["person_count"]),
        )
        for r in answers["rules"]
    ]
    head = ("Target", "Who", "Probability", "Persons")
    return [Grid("The likeliest persons, in words", head, lines, numbers_from=2, is_folded=True)] if lines else []
