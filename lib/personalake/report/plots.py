"""The shapes of figures: bars, panels of bars, stacked days, heat maps, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import matplotlib.dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from personalake.report.ink import ACCENT, GRID, INK, MUTED, ON, SERIES, Figure, figure
from personalake.report.wording import shortened

ROW_INCHES = 0.3
_DATES: Any = matplotlib.dates  # has no types of its own


@dataclass(frozen=True)
class Bar:
    """One bar.

    Args:
        label: what it stands for.
        value: its length; 0 where it is suppressed.
        text: written at its end.
        is_strong: drawn in the accent colour, else muted.
        low: lower end of its interval, where it has one.
        high: upper end.
    """

    label: str
    value: float
    text: str
    is_strong: bool = True
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of a heat map: how strong (0–1) and what is written in it."""

    strength: float
    text: str


def bar_panels(name: str, label: str, panels: Sequence[tuple[str, Sequence[Bar]]], columns: int = 2) -> Figure:
    """Small charts of lying bars, side by side on a wide page and one below another on a phone.

    Args:
        name: see `figure`.
        label: see `figure`.
        panels: title and bars, top to bottom.
        columns: panels beside each other when wide.
    """
    columns = min(columns, len(panels))
    rows = [panels[n : n + columns] for n in range(0, len(panels), columns)]
    heights = [max(len(bars) for _, bars in row) * ROW_INCHES + 0.45 for row in rows]
    tall = [len(bars) * ROW_INCHES + 0.45 for _, bars in panels]

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        if is_narrow:
            axes = canvas.subplots(len(panels), 1, squeeze=False, height_ratios=tall)
        else:
            axes = canvas.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
        places = list(axes.flat)
        for number, (place, (title, bars)) in enumerate(zip(places, panels, strict=False)):
            # Bars are as thick as those of the fuller panel beside them.
            slots = len(bars) if is_narrow else max(len(b) for _, b in rows[number // columns])
            _lying_bars(place, title, bars, slots, 20 if is_narrow or columns > 2 else 28)
        for place in places[len(panels) :]:
            place.set_axis_off()

    return figure(name, label, draw, sum(heights), sum(tall))


def _lying_bars(axes: Axes, title: str, bars: Sequence[Bar], slots: int, limit: int) -> None:
    places = range(len(bars))
    colours = [ACCENT if bar.is_strong else MUTED for bar in bars]
    axes.barh(places, [bar.value for bar in bars], height=0.66, color=colours)
    ends = [max(bar.value, bar.high or 0.0) for bar in bars]
    top = max([*ends, 0.0]) or 1.0
    for place, bar in zip(places, bars, strict=True):
        if bar.low is not None and bar.high is not None:
            reach = [[max(bar.value - bar.low, 0)], [max(bar.high - bar.value, 0)]]
            axes.errorbar([bar.value], [place], xerr=reach, color=INK, linewidth=1, capsize=2.5, capthick=1)
    for place, bar, end in zip(places, bars, ends, strict=True):
        axes.annotate(bar.text, (end, place), (4, 0), textcoords="offset points", va="center", color=MUTED)
    axes.set_yticks(list(places), [shortened(bar.label, limit) for bar in bars])
    axes.set_ylim(slots - 0.4, -0.6)
    axes.set_xlim(0, top * 1.28)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_bounds(-0.5, len(bars) - 0.5)
    if title:
        axes.set_title(title, x=0)


def standing_bars(name: str, label: str, panels: Sequence[tuple[str, Sequence[Bar]]], height: float = 2.3) -> Figure:
    """Histograms: few bars each, side by side on a wide page, one below another on a phone."""

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        shape = (len(panels), 1) if is_narrow else (1, len(panels))
        for axes, (title, bars) in zip(canvas.subplots(*shape, squeeze=False).flat, panels, strict=True):
            places = range(len(bars))
            axes.bar(places, [bar.value for bar in bars], width=0.72, color=ACCENT)
            top = max([*(bar.value for bar in bars), 0.0]) or 1.0
            for place, bar in zip(places, bars, strict=True):
                axes.text(place, bar.value + top * 0.02, bar.text, ha="center", va="bottom", color=MUTED, fontsize=7.5)
            axes.set_xticks(list(places), [bar.label for bar in bars])
            axes.set_xlim(-0.6, max(len(bars), 3) - 0.4)
            axes.set_ylim(0, top * 1.15)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_title(title)

    return figure(name, label, draw, height, height * len(panels))


def stacked_days(
    name: str, label: str, days: Sequence[date], series: Sequence[tuple[str, Sequence[float]]], height: float = 3.0
) -> Figure:
    """Sums per day or week, one band a series; the first series is at the bottom."""

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        axes = canvas.subplots()
        colours = [SERIES[n % len(SERIES)] for n in range(len(series))]
        axes.stackplot(_DATES.date2num(days), [values for _, values in series], colors=colours, linewidth=0)
        axes.yaxis.grid(True)
        axes.set_axisbelow(True)
        axes.margins(x=0.01)
        locator = _DATES.AutoDateLocator(minticks=3, maxticks=5 if is_narrow else 9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(_DATES.ConciseDateFormatter(locator))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axes.tick_params(axis="y", labelcolor=MUTED)
        axes.spines["left"].set_visible(False)
        handles = axes.collections[::-1]
        names = [shortened(title, 18) for title, _ in series][::-1]
        canvas.legend(handles, names, loc="outside upper left", ncols=3 if is_narrow else 8, handlelength=0.9)

    return figure(name, label, draw, height)


def heat_map(
    name: str, label: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]],
    titles: tuple[str, str] = ("", ""),
) -> Figure:  # fmt: skip
    """A grid of cells, stronger where more; rows top to bottom.

    Args:
        name: see `figure`.
        label: see `figure`.
        rows: labels of the rows.
        columns: labels of the columns.
        cells: as many rows and columns.
        titles: what the rows and what the columns are.
    """

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        axes = canvas.subplots()
        size = 7.0 if is_narrow and len(columns) > 5 else 8.5
        for y, line in enumerate(cells):
            for x, cell in enumerate(line):
                _cell(axes, x, y, cell, size)
        turn = 40 if is_narrow and max(map(len, columns)) > 3 else 0
        axes.set_xticks(
            range(len(columns)), [shortened(c, 14) for c in columns], rotation=turn, ha="right" if turn else "center"
        )
        axes.set_yticks(range(len(rows)), [shortened(row, 14) for row in rows])
        axes.tick_params(axis="x", labelcolor=INK)
        axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), xlabel=titles[1], ylabel=titles[0])
        for spine in axes.spines.values():
            spine.set_visible(False)

    return figure(name, label, draw, 0.42 * len(rows) + 0.6, 0.42 * len(rows) + 0.9)


def _cell(axes: Axes, x: int, y: int, cell: Cell, size: float) -> None:
    strength = min(max(cell.strength, 0.0), 1.0)
    # A cell has a floor of colour, so that the grid shows where there is nothing.
    axes.bar(x, 0.92, 0.95, y - 0.46, color=ACCENT if strength else GRID, alpha=0.12 + 0.88 * strength)
    axes.text(x, y, cell.text, ha="center", va="center", fontsize=size, color=ON if strength > 0.65 else INK)


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
