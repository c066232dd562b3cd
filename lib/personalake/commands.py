"""The commands that are no stage: those that show, those that find, and those that look after the warehouse."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from personalake import audience as audiences
from personalake import finding, key_change, mending, operate, sourcing
from personalake.console import cli, common_options, guarded, options_of
from personalake.runner import Options

__all__ = ["cli"]


@cli.command("sample", help="Write sample logs of six platforms, with their truth beside them.")
@click.option("--persons", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--items", default=600, show_default=True, type=click.IntRange(1))
@click.option("--days", default=60, show_default=True, type=click.IntRange(1))
@click.option("--start", default="2026-01-01", show_default=True, metavar="YYYY-MM-DD")
@click.option("--seed", default=7, show_default=True, type=int)
@click.option("--out", default="", metavar="DIR", help="Default: raw.root.")
@common_options
def sample(persons: int, items: int, days: int, start: str, seed: int, out: str, **arguments: Any) -> int:
    """Write sample logs."""
    return guarded(
        "sample", lambda: operate.sample(options_of(arguments), persons, items, days, start, seed, out or None)
    )


@cli.command("demo", help="Sample logs, the whole flow, the report: everything on this machine.")
@common_options
def demo(**arguments: Any) -> int:
    """Show the whole thing."""
    return guarded("demo", lambda: operate.demo(options_of(arguments)))


@cli.command("report", help="One offline HTML file of what the tables say.")
@common_options
def report(**arguments: Any) -> int:
    """Write the report."""
    return guarded("report", lambda: operate.report(options_of(arguments)))


@cli.command("sql", help="A query over tables and views.")
@click.argument("query")
@click.option("--format", "shape", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@common_options
def sql(query: str, shape: str, **arguments: Any) -> int:
    """Print the rows of a query."""
    return _reading("sql", arguments, lambda options: operate.sql(options, query, shape))


@cli.command("person", help="One person's picture.")
@click.argument("person_id")
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common_options
def person(person_id: str, shape: str, **arguments: Any) -> int:
    """Print one person."""
    return _reading("person", arguments, lambda options: operate.person(options, person_id, shape))


@cli.command("explain", help="The evidence that binds a person's identifiers, and what was cut.")
@click.argument("person_id")
@click.option("--format", "shape", type=click.Choice(["text", "csv"]), default="text", show_default=True)
@common_options
def explain(person_id: str, shape: str, **arguments: Any) -> int:
    """Print the links of one person."""
    return _reading("explain", arguments, lambda options: finding.explain(options, person_id, shape))


@cli.command("unlink", help="Call a link wrong: the next run splits what it bound, and it stays split.")
@click.argument("link_id")
@click.option("--reason", default="", metavar="TEXT", help="Kept with the word; no personal values.")
@click.option("--undo", is_flag=True, help="Take an earlier word back: the link counts again.")
@common_options
def unlink(link_id: str, reason: str, undo: bool, **arguments: Any) -> int:
    """Cut a link by hand."""
    return guarded("unlink", lambda: mending.unlink(options_of(arguments), link_id, reason, undo))


@cli.command("tag", help="A person's own word on a tag: hide it, contradict it, or restore it.")
@click.argument("word", type=click.Choice(list(mending.WORDS)))
@click.argument("person_id")
@click.argument("tag_name", metavar="TAG")
@click.option("--reason", default="", metavar="TEXT", help="Kept with the word; no personal values.")
@common_options
def tag(word: str, person_id: str, tag_name: str, reason: str, **arguments: Any) -> int:
    """Take a person's word on a tag."""
    return guarded("tag", lambda: mending.take_word(options_of(arguments), word, person_id, tag_name, reason))


@cli.command("rotate-key", help="Begin to use a new de-identification key; with --finish destroy the one before.")
@click.option("--finish", is_flag=True, help="Destroy the key before; with --dry-run say who would be left behind.")
@common_options
def rotate_key(finish: bool, **arguments: Any) -> int:
    """Change the de-identification key, in two steps."""
    return guarded("rotate-key", lambda: key_change.change_key(options_of(arguments), finish))


@cli.command("audience", help="Whom a tag or a tree of conditions means, who is like them, or who would want an item.")
@click.argument("selection", default="", metavar="[TAG|TREE]")
@click.option("--like", default="", metavar="FILE|TAG", help="Those most like these: person_ids, one a line, or a tag.")
@click.option("--item", "item_id", default="", metavar="ID", help="Those who would want it most: an id of items.")
@click.option("--limit", default=None, type=click.IntRange(1), help="Persons; default: 100 of --item, 1000 of --like.")
@click.option("--purpose", default="personalisation", show_default=True, help="Who said no to it is left out.")
@click.option("--columns", default="", metavar="A,B", help="Features of profiles that are exported too.")
@click.option("--out", default="", metavar="FILE", help="Export to this file: .csv, .json or .parquet.")
@click.option("--save", default="", metavar="NAME", help="Keep it under this name in the table audiences.")
@click.option("--format", "shape", type=click.Choice(["table", "csv"]), default="table", show_default=True)
@common_options
def audience(selection: str, item_id: str, limit: int | None, shape: str, **arguments: Any) -> int:
    """Count or export an audience."""
    given = {name: arguments.pop(name) for name in ("like", "purpose", "out", "save")}
    columns = tuple(filter(None, arguments.pop("columns").split(",")))
    if item_id:
        if selection or columns or given["like"] or given["out"] or given["save"]:
            raise click.UsageError("--item goes with --limit and --format alone.")
        return _reading("audience", arguments, lambda o: finding.audience(o, item_id, limit or 100, shape))
    wanted = audiences.Wanted(selection, limit=limit or 1000, columns=columns, **given)
    return _reading("audience", arguments, lambda options: audiences.audience(options, wanted, shape))


@cli.command("lookup", help="Raw identifiers on standard input, one a line, to CSV: raw,identifier,person_id.")
@click.option("--source", required=True, help="Name of the source that spells them so.")
@click.option("--field", required=True, help="Its field, e.g. device_id, login_id.")
@common_options
def lookup(source: str, field: str, **arguments: Any) -> int:
    """Find persons by raw identifiers; needs the key."""
    return _reading("lookup", arguments, lambda options: finding.lookup(options, source, field, sys.stdin, sys.stdout))


@cli.command("requeue", help="Refused records once more, after their source was mended; needs the key.")
@click.option("--source", required=True, metavar="NAME", help="Whose records.")
@click.option("--reason", default="", metavar="CODE", help="Only those refused with this code, e.g. ING-004.")
@common_options
def requeue(source: str, reason: str, **arguments: Any) -> int:
    """Take refused records out of quarantine where they are good now."""
    return guarded("requeue", lambda: operate.requeue(options_of(arguments), source, reason))


@cli.group("source")
def source_group() -> None:
    """Add a source: try it on its first records, or guess a first YAML from a sample file."""


@source_group.command("check", help="The first records of a source: raw, mapped, refused and why.")
@click.argument("file", metavar="FILE")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Records, at most.")
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common_options
def source_check(file: str, limit: int, shape: str, **arguments: Any) -> int:
    """Try a source."""
    return _reading("source check", arguments, lambda options: sourcing.check(options, file, limit, shape))


@source_group.command("guess", help="A first YAML, from a sample file, on standard output.")
@click.argument("path", metavar="PATH")
@common_options
def source_guess(path: str, **arguments: Any) -> int:
    """Guess a source."""
    return _reading("source guess", arguments, lambda options: sourcing.guess(options, path))


@cli.command("validate", help="Try the whole configuration; read no data.")
@common_options
def validate(**arguments: Any) -> int:
    """Try the configuration."""
    return guarded("validate", lambda: operate.validate(options_of(arguments)))


@cli.command("init", help="Create the tables that are missing.")
@common_options
def init(**arguments: Any) -> int:
    """Create tables."""
    return guarded("init", lambda: operate.init(options_of(arguments)))


@cli.command("status", help="The last runs, and each table's version and rows.")
@common_options
def status(**arguments: Any) -> int:
    """Show runs and tables."""
    return guarded("status", lambda: operate.status(options_of(arguments)))


def _reading(name: str, arguments: dict[str, Any], work: Callable[[Options], None]) -> int:
    """A command that prints only its data on stdout."""

    def quiet() -> None:
        work(options_of(arguments))

    return guarded(name, quiet, prints_data=True)
