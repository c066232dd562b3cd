"""Figures as inline SVG: the same bytes for the same input, text as text, colours that follow the page's light or dark.

Each figure is drawn twice, wide and narrow, and the page shows the one that fits: a drawing that is only scaled down
cannot be read on a phone. Colours are drawn as stand-ins that become variables of the page's style sheet.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

INK, MUTED, GRID, ON = "#010101", "#020202", "#030303", "#040404"
SERIES = tuple(f"#0a0a{n:02x}" for n in range(1, 9))
ACCENT, WARN = SERIES[0], SERIES[1]
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", ON: "on"} | {c: f"c{n}" for n, c in enumerate(SERIES)}

WIDE_INCHES, NARROW_INCHES = 8.6, 3.5
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
_HEAD = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_PLAIN_IDS = re.compile(r' id="[A-Za-z0-9.]+_\d+"')
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"| height="[^"]*"(?=[^>]*viewBox)')
_FONT = re.compile(r"font: ((?:\w+ )*?[\d.]+px) [^;\"]+")

Draw = Callable[[Canvas, bool], None]


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Args:
        label: what it shows, in a sentence, for people who cannot see it.
        wide: SVG for wide screens.
        narrow: SVG for phones.
    """

    label: str
    wide: Markup
    narrow: Markup


def figure(name: str, label: str, draw: Draw, height: float, narrow_height: float | None = None) -> Figure:
    """Draw a figure for both widths.

    Args:
        name: unique on the page; ids inside the SVG derive from it.
        label: see Figure.
        draw: fills a canvas; its second argument says whether it is the narrow one.
        height: of the wide drawing [inches].
        narrow_height: of the narrow drawing [inches]; None: the same.
    """
    wide = _svg(f"{name}-wide", draw, WIDE_INCHES, height, False)
    narrow = _svg(f"{name}-narrow", draw, NARROW_INCHES, narrow_height or height, True)
    return Figure(label, wide, narrow)


def _svg(salt: str, draw: Draw, width: float, height: float, is_narrow: bool) -> Markup:
    style: Any = {**_STYLE, "svg.hashsalt": salt}
    with rc_context(style), warnings.catch_warnings():
        # The page's own fonts draw the text; that the measuring font lacks Chinese does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas = Canvas(figsize=(width, height), layout="constrained")
        draw(canvas, is_narrow)
        out = io.StringIO()
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Markup(_for_page(out.getvalue()))  # noqa: S704 - matplotlib escapes every text it writes


def _for_page(svg: str) -> str:
    svg = _METADATA.sub("", _HEAD.sub("", svg))
    svg = _PLAIN_IDS.sub("", svg)
    svg = _SIZE.sub(lambda match: match[1] or "", svg, count=2)
    svg = _FONT.sub(r"font: \1 var(--font)", svg)
    for stand_in, variable in VARIABLES.items():
        svg = svg.replace(stand_in, f"var(--{variable})")
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
