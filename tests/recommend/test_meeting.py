"""Tasks that wait for each other: nobody goes on before all have come, and nobody waits for one that is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from personalake.recommend.meeting import MeetingPlace, meeting_place

ROUNDS = 200


def together(place: MeetingPlace, part: Callable[[int, Callable[[], None]], None]) -> list[BaseException]:
    """Run a part per task, each in a thread; gives what they raised."""
    raised: list[BaseException] = []

    def run(task: int) -> None:
        try:
            with place.joined(task) as meet:
                part(task, meet)
        except OSError as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in range(place.tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive(), "a task waits for ever"
    return raised


@pytest.mark.parametrize("tasks", [1, 2, 3, 5])
def test_nobody_goes_on_before_all_have_come(tmp_path: Path, tasks: int) -> None:
    came = [0] * tasks
    seen: list[set[int]] = []

    def part(task: int, meet: Callable[[], None]) -> None:
        for turn in range(1, ROUNDS + 1):
            came[task] = turn
            meet()
            if task == turn % tasks:
                seen.append(set(came))
            meet()

    with meeting_place(tmp_path, tasks) as place:
        assert together(place, part) == []
    assert seen == [{turn} for turn in range(1, ROUNDS + 1)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_the_others_are_told_that_a_task_is_gone(tmp_path: Path, gone: int) -> None:
    def part(task: int, meet: Callable[[], None]) -> None:
        meet()
        if task != gone:
            meet()
            meet()

    with meeting_place(tmp_path, 3) as place:
        raised = together(place, part)
    assert len(raised) == 2
    assert all(isinstance(error, BrokenPipeError) for error in raised)
