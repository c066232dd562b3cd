"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

from datetime import date
from importlib import resources

from jinja2 import Environment, StrictUndefined
from pyspark.sql import SparkSession

from personalake.report import arrivals, futures, outcomes, people
from personalake.report.gather import Answers, gather
from personalake.report.sections import Section
from personalake.report.settings import Report
from personalake.report.wording import Wording, day


def build_report(spark: SparkSession, as_of: date, settings: Report | None = None) -> str:
    """The page as HTML: no outside request, no clock; the same tables give the same bytes.

    Args:
        spark: a session whose current database knows tables and views by name; what it does not know is said to be
            missing in its section.
        as_of: shown in the heading.
        settings: the section `report`.

    Cost:
        Some nineteen small aggregate queries; what reaches the driver does not grow with the data.
    """
    settings = settings or Report()
    return render(sections(gather(spark, settings), settings), as_of, settings)


def sections(answers: Answers, settings: Report) -> list[Section]:
    """The page's sections, in reading order.

    Args:
        answers: rows by question.
        settings: the section `report`.
    """
    wording = Wording(settings.suppress_below, settings.base_currency)
    return [
        people.portrait(answers, wording),
        arrivals.arrivals(answers, wording),
        arrivals.days(answers, wording),
        people.identities(answers, wording),
        people.rfm(answers, wording),
        futures.lifetime(answers, wording),
        futures.propensity(answers, wording),
        outcomes.segments(answers, wording),
        outcomes.tags(answers, wording),
        outcomes.items(answers, wording),
        arrivals.experience(answers, wording),
        outcomes.quality(answers, wording, settings.quality_metrics),
        people.samples(answers, wording),
        outcomes.runs(answers, wording),
    ]


def render(parts: list[Section], as_of: date, settings: Report) -> str:
    """Sections as a page. Every text is escaped; only drawings are taken as they are."""
    template = resources.files("personalake.report").joinpath("templates")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(template.joinpath("report.html.j2").read_text(encoding="utf-8"))
    style = template.joinpath("report.css").read_text(encoding="utf-8")
    return page.render(
        sections=parts, as_of=day(as_of), title=settings.title, style=style, floor=settings.suppress_below
    )
