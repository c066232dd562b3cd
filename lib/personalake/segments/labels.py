"""Which segment each centre is: its id and names, from the model, from the last run, or new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from personalake.segments.fitted import FittedSegments
from personalake.segments.match import Match, Past, match_labels, match_segments
from personalake.segments.names import Name, segment_names
from personalake.segments.rfm_grid import Label


@dataclass(frozen=True)
class Labelled:
    """A centre with its identity, and the segment of the last run that it continues."""

    label: Label
    match: Match | None


def labelled_rows(fitted: FittedSegments, past: Past, as_of: date, limit: float) -> list[Labelled]:
    """The identity of each centre, in their order.

    Ids and names that the model has already stand. Else a centre that the last run had keeps id and name; another gets
    an id made of the day and a name that no segment of the method ever had.

    Args:
        fitted: the model.
        past: the runs before.
        as_of: the day.
        limit: greatest distance of a match [deviations per feature].
    """
    if fitted.labels is not None:
        ids = [label.segment_id for label in fitted.labels]
        known = match_labels(fitted.matrix, ids, past.live, fitted.preparation)
        return [Labelled(label, known.get(row)) for row, label in enumerate(fitted.labels)]
    matches = match_segments(fitted.matrix, past.live, fitted.preparation, limit)
    kept = {row: Name(match.old.segment_name, match.old.segment_name_zh) for row, match in matches.items()}
    names = segment_names(fitted.matrix, fitted.preparation, kept, past.names)
    new_rows = [row for row in range(len(fitted.centres)) if row not in matches]
    ids_by_row = {row: match.old.segment_id for row, match in matches.items()}
    ids_by_row |= {row: f"{as_of:%Y%m%d}-{n}" for n, row in enumerate(new_rows, start=1)}
    return [
        Labelled(Label(ids_by_row[row], names[row].english, names[row].chinese), matches.get(row))
        for row in range(len(fitted.centres))
    ]
