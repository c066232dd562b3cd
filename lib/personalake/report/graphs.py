"""A small graph: who is bound to whom, drawn by place alone, so the same input gives the same picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from personalake.report.ink import ACCENT, INK, MUTED, SERIES, Figure, figure

_INNER = 0.32
_HEIGHT = 3.6


@dataclass(frozen=True)
class Node:
    """A point of the graph.

    Args:
        name: tells it from the others.
        label: written beside it.
        kind: of one colour with others of the kind.
    """

    name: str
    label: str
    kind: str


@dataclass(frozen=True)
class Edge:
    """A line between two points: thin and broken where it does not count; text stands at its middle."""

    left: str
    right: str
    text: str
    is_used: bool


def small_graph(name: str, label: str, nodes: Sequence[Node], edges: Sequence[Edge]) -> Figure:
    """A graph of some twenty points: those that bind others in the middle, the others around them.

    Args:
        name: see `figure`.
        label: see `figure`.
        nodes: in the order they stand around the circle, clockwise from the top.
        edges: between them; a left end binds.
    """
    places = _places(nodes, edges)
    kinds = list(dict.fromkeys(node.kind for node in nodes))

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        axes = canvas.subplots()
        size = 6.5 if is_narrow else 8.0
        for edge in edges:
            _line(axes, places[edge.left], places[edge.right], edge, size - 1)
        for node in nodes:
            x, y = places[node.name]
            axes.plot([x], [y], "o", markersize=9, color=SERIES[kinds.index(node.kind) % len(SERIES)])
            axes.annotate(
                node.label, (x, y), (0, -13), textcoords="offset points", ha="center", fontsize=size, color=INK
            )
        axes.set(xlim=(-1.35, 1.35), ylim=(-1.35, 1.25))
        axes.set_axis_off()

    return figure(name, label, draw, _HEIGHT)


def _places(nodes: Sequence[Node], edges: Sequence[Edge]) -> dict[str, tuple[float, float]]:
    binding = {edge.left for edge in edges if edge.is_used}
    inner = [node.name for node in nodes if node.name in binding]
    outer = [node.name for node in nodes if node.name not in binding]
    # Who hangs on one stands together, on that one's side of the circle.
    hangs_on = {edge.right: inner.index(edge.left) for edge in reversed(edges) if edge.left in binding}
    outer.sort(key=lambda name: hangs_on.get(name, len(inner)))
    return {**_circle(inner, 0.0 if len(inner) == 1 else _INNER, 0.5), **_circle(outer, 1.0, 0.0)}


def _circle(names: Sequence[str], radius: float, offset: float) -> dict[str, tuple[float, float]]:
    """Places on a circle, clockwise from the top; the offset is in steps."""
    turn = 2 * math.pi / max(len(names), 1)
    angles = [(n + offset) * turn for n in range(len(names))]
    return {name: (radius * math.sin(a), radius * math.cos(a)) for name, a in zip(names, angles, strict=True)}


def _line(axes: Axes, start: tuple[float, float], end: tuple[float, float], edge: Edge, size: float) -> None:
    colour, style, width = (ACCENT, "-", 1.6) if edge.is_used else (MUTED, "--", 0.8)
    axes.plot([start[0], end[0]], [start[1], end[1]], style, color=colour, linewidth=width, zorder=0)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    axes.annotate(edge.text, middle, ha="center", va="center", fontsize=size, color=MUTED)
