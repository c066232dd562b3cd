"""Figures of what was expected against what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure as Canvas

from personalake.report.ink import ACCENT, MUTED, Figure, figure


@dataclass(frozen=True)
class Held:
    """Expectations held against what came.

    Args:
        title: above the panel.
        groups: labels of the groups, left to right.
        expected: a value a group.
        actual: a value a group.
        axis: what the groups are.
    """

    title: str
    groups: Sequence[str]
    expected: Sequence[float]
    actual: Sequence[float]
    axis: str = ""


def expected_and_actual(name: str, label: str, panels: Sequence[Held], height: float = 2.6) -> Figure:
    """Two lines a panel: what was expected, broken, and what came; panels one below another on a phone.

    Args:
        name: see `figure`.
        label: see `figure`.
        panels: left to right.
        height: of one panel [inches].
    """

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        shape = (len(panels), 1) if is_narrow else (1, len(panels))
        for axes, held in zip(canvas.subplots(*shape, squeeze=False).flat, panels, strict=True):
            places = range(len(held.groups))
            axes.plot(places, held.actual, color=ACCENT, linewidth=2, marker="o", markersize=4, label="came")
            axes.plot(places, held.expected, color=MUTED, linewidth=1.5, linestyle="--", marker="o", markersize=3,
                      label="expected")  # fmt: skip
            axes.set_xticks(list(places), list(held.groups))
            axes.set_ylim(0, max([*held.expected, *held.actual, 0.0]) * 1.12 or 1.0)
            axes.yaxis.grid(True)
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="y", labelcolor=MUTED)
            axes.set_xlabel(held.axis)
            axes.set_title(held.title)
        axes.legend(loc="best")

    return figure(name, label, draw, height, height * len(panels))
