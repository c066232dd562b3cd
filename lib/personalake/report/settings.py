"""Settings of the report."""

from __future__ import annotations

from pydantic import Field

from personalake.settings import Section


class Report(Section):
    """What the report shows, and where it goes."""

    out: str = Field("", description="File the report is written to; empty: report.html beside the warehouse")
    title: str = Field("Personalake", description="Heading of the page")
    base_currency: str = Field("", pattern=r"^([A-Z]{3})?$", description="Currency shown beside money; empty: none")
    suppress_below: int = Field(10, ge=1, description="Smaller counts of persons are shown as '<10' and not drawn")
    sample_persons: int = Field(5, ge=0, le=50, description="Persons shown as examples, from different segments")
    example_person: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_]*$",
        description="Person whose evidence is drawn; empty: one with several identifiers",
    )
    top_tags: int = Field(15, ge=1, le=100, description="Tags shown, most frequent first")
    top_items: int = Field(10, ge=1, le=100, description="Items shown, most persons first")
    quality_metrics: tuple[str, ...] = Field(
        ("recall", "ndcg", "map", "hit_rate"), description="Metrics drawn; the table beside has all of them"
    )
    days: int = Field(365, ge=7, description="Days before the last event that daily plots go back")
