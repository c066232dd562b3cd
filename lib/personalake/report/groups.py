"""Figures on segments: how many there should be, and who went from where to where."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from personalake.report.gather import Answers, Row
from personalake.report.ink import ACCENT, INK, MUTED, WARN, Figure, figure
from personalake.report.plots import Cell, heat_map
from personalake.report.wording import Wording, share

ARRIVED, LEFT = "(not known before)", "(not seen any more)"
_SERIES = (("silhouette", "Silhouette", ACCENT), ("stability", "Stability", WARN))


def segment_figures(answers: Answers, wording: Wording) -> list[Figure]:
    """What there is to draw: the numbers of segments that were tried, and the moves since the run before."""
    drawn = []
    tried = [row for row in answers["segment_candidates"] if row["silhouette"] is not None]
    if len(tried) > 1:
        drawn.append(candidates_plot(tried))
    if moves := answers["segment_moves"]:
        drawn.append(moves_map(moves, wording))
    return drawn


def candidates_plot(rows: Sequence[Row]) -> Figure:
    """Silhouette and stability by number of segments; the number that stands is marked."""
    series = [part for part in _SERIES if any(row[part[0]] is not None for row in rows)]
    best = next((row["k"] for row in rows if row["is_chosen"]), None)

    def draw(canvas: Canvas, is_narrow: bool) -> None:
        shape = (len(series), 1) if is_narrow else (1, len(series))
        places = canvas.subplots(*shape, squeeze=False).flat
        for axes, (name, title, colour) in zip(places, series, strict=True):
            _line(axes, rows, name, colour, best)
            axes.set_title(title)
            axes.set_xlabel("segments")

    told = ", ".join(f"{row['k']}: {row['silhouette']:.2f}" for row in rows)
    when = f"Tried as of {rows[0]['as_of_date']}, when segments were last fitted."
    text = f"How well each number of segments comes out; {best} stands. Silhouette by number: {told}. {when}"
    return figure("segment-candidates", text, draw, 2.1, 2.1 * len(series))


def _line(axes: Axes, rows: Sequence[Row], name: str, colour: str, best: int | None) -> None:
    known = [(row["k"], row[name]) for row in rows if row[name] is not None]
    axes.plot([k for k, _ in known], [value for _, value in known], color=colour, linewidth=1.6, marker="o", ms=3.5)
    for k, value in known:
        is_best = k == best
        axes.annotate(
            f"{value:.2f}", (k, value), (0, 6), textcoords="offset points", ha="center",
            color=INK if is_best else MUTED, fontweight="bold" if is_best else "normal",
        )  # fmt: skip
        if is_best:
            axes.plot([k], [value], color=colour, marker="o", ms=8, alpha=0.35)
    axes.set_xticks([k for k, _ in known])
    axes.set_yticks([])
    axes.margins(x=0.08, y=0.35)
    axes.spines["left"].set_visible(False)


def moves_map(rows: Sequence[Row], wording: Wording) -> Figure:
    """Of the people of the row, the share who are in the column now."""
    froms = _names(rows, "from_segment_id", "from_segment_name", ARRIVED)
    tos = _names(rows, "to_segment_id", "to_segment_name", LEFT)
    counts = {(row["from_segment_id"], row["to_segment_id"]): row["person_count"] for row in rows}
    totals = {source: sum(counts.get((source, target), 0) for target in tos) for source in froms}

    def cell(source: str, target: str) -> Cell:
        persons = counts.get((source, target), 0)
        if not persons:
            return Cell(0.0, "")
        if wording.is_small(persons) or wording.is_small(totals[source]):
            return Cell(0.0, wording.persons(1))
        return Cell(persons / totals[source], share(persons / totals[source]).replace(" ", ""))

    text = (
        f"Where the people of each segment of {rows[0]['from_as_of_date']} are on {rows[0]['as_of_date']}: "
        "the share of the row who are in the column."
    )
    cells = [[cell(source, target) for target in tos] for source in froms]
    return heat_map("segment-moves", text, [*froms.values()], [*tos.values()], cells, ("was in …", "… is in"))


def _names(rows: Sequence[Row], key: str, name: str, nowhere: str) -> dict[str, str]:
    """Segments by id, by name; those who are in none come last."""
    found = {row[key]: row[name] or (row[key] or nowhere) for row in rows}
    return dict(sorted(found.items(), key=lambda item: (item[0] == "", item[1], item[0])))
