"""Segments from the recency and frequency fifths of buyers: the grid that marketers know, with its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from personalake.segments.placement import Cells, Placement
from personalake.segments.points import Effort, Points
from personalake.settings import Section


@dataclass(frozen=True)
class Label:
    """A segment's id and its names in English and Chinese."""

    segment_id: str
    english: str
    chinese: str


RFM_LABELS: tuple[Label, ...] = (
    Label("champions", "Champions", "重要价值客户"),
    Label("loyal", "Loyal buyers", "忠诚客户"),
    Label("potential_loyalists", "Potential loyalists", "潜力客户"),
    Label("new_buyers", "New buyers", "新买家"),
    Label("promising", "Promising", "有望客户"),
    Label("need_attention", "Need attention", "需关注客户"),
    Label("about_to_sleep", "About to sleep", "将沉睡客户"),
    Label("at_risk", "At risk", "有流失风险"),
    Label("cannot_lose", "Cannot lose them", "重要挽留客户"),
    Label("hibernating", "Hibernating", "沉睡客户"),
    Label("not_bought", "Have not bought", "未购买"),
)

_HIBERNATING, _AT_RISK, _CANNOT_LOSE = 9, 7, 8

# Rows: recency fifth 1 (long ago) to 5 (just now). Columns: frequency fifth 1 (once) to 5 (most often).
RFM_GRID: tuple[tuple[int, ...], ...] = (
    (_HIBERNATING, _HIBERNATING, _AT_RISK, _AT_RISK, _CANNOT_LOSE),
    (_HIBERNATING, _HIBERNATING, _AT_RISK, _AT_RISK, _CANNOT_LOSE),
    (6, 6, 5, 1, 1),
    (4, 2, 2, 1, 1),
    (3, 2, 2, 0, 0),
)


class RfmGrid(Section):
    """Cells of recency by frequency with names of their own: nothing is fitted, so names never change."""

    kind: Literal["rfm_grid"] = "rfm_grid"
    has_k: ClassVar[bool] = False
    raw_columns: ClassVar[tuple[str, ...]] = ("rfm_recency_rank", "rfm_frequency_rank")

    def fit(self, points: Points, k: int, effort: Effort) -> Placement:
        """The grid, whatever the persons."""
        return Cells(RFM_GRID)
