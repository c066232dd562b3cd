"""The picture of one person's evidence: identifiers, and the links that bind them or were cut."""

from __future__ import annotations

from personalake.report.gather import Row
from personalake.report.graphs import Edge, Node, small_graph
from personalake.report.ink import Figure
from personalake.report.wording import Wording, count, plain


def evidence_graph(rows: list[Row], wording: Wording) -> Figure:
    """Identifiers of one person as points, each link a line: whole where it binds, broken where it was cut.

    Args:
        rows: of the question `evidence`: one a link, used ones first.
        wording: counts below its floor are not told.
    """
    ends = {_name(row, side): (row[f"{side}_kind"], row[f"{side}_identifier"]) for row in rows for side in _SIDES}
    nodes = [Node(name, f"{plain(kind)} {digits}…", kind) for name, (kind, digits) in ends.items()]
    edges = [Edge(_name(row, "left"), _name(row, "right"), _told(row, wording), row["state"] == "used") for row in rows]
    used = sum(edge.is_used for edge in edges)
    words = "Why these identifiers are one person's: "
    cut = f", {len(edges) - used} cut by a guard (broken lines)" if len(edges) > used else ""
    return small_graph("evidence", f"{words}{used} links that bind{cut}.", nodes, edges)


_SIDES = ("left", "right")


def _name(row: Row, side: str) -> str:
    return f"{row[f'{side}_kind']}:{row[f'{side}_identifier']}"


def _told(row: Row, wording: Wording) -> str:
    """How often both were seen together; for a link that was cut, by which guard."""
    if row["state"] != "used":
        return plain(row["state"])
    events = row["event_count"]
    return f"{wording.persons(events)} events" if wording.is_small(events) else f"{count(events)} events"
