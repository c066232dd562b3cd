"""What every command shares: the group, the common options, and how a command ends."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from personalake import __version__
from personalake.errors import Fault, PersonalakeError, SetupError
from personalake.flow import FLOW
from personalake.job import Selection
from personalake.runner import Options, say
from personalake.runtime import parse_day, run_stages

INTERRUPTED = 130
DEBUG = "PERSONALAKE_DEBUG"


def guarded(command: str, work: Callable[[], dict[str, object] | None], prints_data: bool = False) -> int:
    """Do a command's work, tell its end in plain words, and give the exit code.

    Args:
        command: its name, for the status.
        work: gives the status, the last line of stdout.
        prints_data: stdout holds only data, so a failure is told on stderr alone.
    """
    try:
        status = work()
    except PersonalakeError as error:
        return _failed(command, error.message, error.exit_code, prints_data)
    except KeyboardInterrupt:
        return _failed(command, "Interrupted. Run the same command again to go on.", INTERRUPTED, prints_data)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        return _failed(command, _plain(error), 1, prints_data)
    if status is not None:
        print(json.dumps({"command": command, "exit_code": 0, **status}, default=str), flush=True)
    return 0


def _plain(error: Exception) -> str:
    """A sentence about an unexpected error. Its own text may quote values of the data, so it is not shown."""
    if os.environ.get(DEBUG):
        traceback.print_exc()
    if "No space left on device" in str(error):
        return str(SetupError(Fault("The disk", "is full.", "Free some space, then run the same command again.")))
    condition = getattr(error, "getCondition", lambda: None)()
    name = type(error).__name__ + (f" [{condition}]" if condition else "")
    return f"Failed with {name}. Nothing half-done counts. {DEBUG}=1 shows where; that may quote values of the data."


def _failed(command: str, message: str, code: int, prints_data: bool) -> int:
    say(message)
    if not prints_data:
        print(json.dumps({"command": command, "exit_code": code, "state": "failed", "message": message}), flush=True)
    return code


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command takes."""
    for option in reversed(
        (
            click.option("--conf", multiple=True, metavar="FILE", help="Settings; may repeat, later wins."),
            click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting."),
            click.option("--as-of", metavar="YYYY-MM-DD", help="Everything before this day."),
            click.option("--dry-run", is_flag=True, help="Say what would be read and written; write nothing."),
            click.option("--force", is_flag=True, help="Do it even where nothing has changed; read all files again."),
        )
    ):
        function = option(function)
    return function


def options_of(arguments: dict[str, Any]) -> Options:
    """The common options of a command."""
    day: date | None = parse_day(arguments["as_of"]) if arguments["as_of"] else None
    since, until = (parse_day(arguments[n], f"--{n}") if arguments.get(n) else None for n in ("since", "until"))
    chosen = Selection(tuple(arguments.get("sources") or ()), since, until)
    return Options(
        tuple(arguments["conf"]), tuple(arguments["overrides"]), day, arguments["dry_run"], arguments["force"], chosen
    )


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the commands that take files in."""
    for option in reversed(
        (
            click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source; may repeat."),
            click.option("--since", metavar="YYYY-MM-DD", help="Only files last modified on this UTC day or later."),
            click.option("--until", metavar="YYYY-MM-DD", help="Only files last modified before this UTC day."),
        )
    ):
        function = option(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """One picture of each person from the logs of many platforms."""


def _add_stage(name: str, title: str, stages: tuple[str, ...]) -> None:
    @cli.command(name, help=title)
    @(selection_options if "ingest" in stages else _as_it_is)
    @common_options
    def command(**arguments: Any) -> int:
        return guarded(name, lambda: run_stages(stages, options_of(arguments)))


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


for _stage in FLOW:
    _add_stage(_stage.name, _stage.title + ".", (_stage.name,))
_add_stage("run", "All stages in order, skipping what is unchanged.", tuple(stage.name for stage in FLOW))
