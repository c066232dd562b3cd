"""What a section of the page holds, before it is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from personalake.report.gather import Answers
from personalake.report.ink import Figure


@dataclass(frozen=True)
class Tile:
    """A number that stands for itself."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """One cell of a table: text, and how strongly its ground is tinted (0–1, None: not)."""

    text: str
    tint: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table.

    Args:
        caption: what it shows.
        head: headings; those from `numbers_from` on stand above numbers.
        rows: cells.
        numbers_from: first column that holds numbers.
        is_folded: shown only when the reader opens it.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    numbers_from: int = 1
    is_folded: bool = False


@dataclass(frozen=True)
class Card:
    """A segment or a person: a heading, a line below it, facts, a list.

    Args:
        heading: its name.
        subtitle: its Chinese name, or what else stands below the heading.
        facts: label and value.
        text: words about it.
        chips: tags: label and Chinese label or reason.
        points: an ordered list: title and reason.
    """

    heading: str
    subtitle: str = ""
    facts: Sequence[tuple[str, str]] = ()
    text: str = ""
    chips: Sequence[str] = ()
    points: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Args:
        anchor: its id on the page.
        title: heading.
        lead: what to take away, in a sentence or two.
        subtitle: the heading in Chinese.
        tiles: numbers.
        figures: drawings.
        cards: segments or persons.
        grids: tables.
    """

    anchor: str
    title: str
    lead: str
    subtitle: str = ""
    tiles: Sequence[Tile] = ()
    figures: Sequence[Figure] = ()
    cards: Sequence[Card] = ()
    grids: Sequence[Grid] = ()


def entries(*texts: str) -> tuple[Entry, ...]:
    """A row of plain cells."""
    return tuple(Entry(text) for text in texts)


def empty_lead(answers: Answers, question: str, what: str) -> str:
    """Why a section is empty: its tables are not there, or hold nothing."""
    if question in answers.absent:
        names = ", ".join(answers.absent[question])
        return f"{what} will appear here once the flow has written what {names} needs."
    return f"{what} will appear here once there are any: the tables are there and hold none yet."
