"""All views, by name, each after the views it reads."""

from __future__ import annotations

from collections.abc import Iterable

from personalake.views import of_groups, of_persons, of_platforms, of_results, of_words
from personalake.views.spec import View


def in_reading_order(views: Iterable[View]) -> tuple[View, ...]:
    """The views so that each comes after those it reads, else by name.

    Raises:
        ValueError: a view reads itself, or a view that is not there.
    """
    left = {view.name: view for view in views}
    placed: list[View] = []
    while left:
        ready = [left[name] for name in sorted(left) if not set(left[name].views) & set(left)]
        if not ready:
            raise ValueError(f"views read each other in a circle: {sorted(left)}")
        for view in ready:
            if unknown := set(view.views) - {other.name for other in placed}:
                raise ValueError(f"{view.name} reads views that are not there: {sorted(unknown)}")
        placed += ready
        left = {name: view for name, view in left.items() if view not in ready}
    return tuple(placed)


ALL: dict[str, View] = {
    view.name: view
    for view in in_reading_order(
        (*of_persons.VIEWS, *of_words.VIEWS, *of_groups.VIEWS, *of_platforms.VIEWS, *of_results.VIEWS)
    )
}
