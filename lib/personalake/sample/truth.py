"""The truth about a sample, counted where the files were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from personalake.sample.dirt import REFUSED, STATUSES
from personalake.sample.plan import PLATFORMS, REGISTERS, Plan

_REFUSED_NAMES = tuple(STATUSES[code] for code in REFUSED)


def build_truth(plan: Plan, told: Iterable[tuple[str, str, str, int]]) -> dict[str, object]:
    """What a reader of the logs must find.

    `records`: all lines or rows; `good` (for platforms also `events`): those that stay after de-duplication and
    refusal; `refused`: by reason; `redelivered`: further copies of good records; `late`: good records in the file of
    a later period; `buy_amount_minor`: cents paid in good `buy` events.

    Args:
        plan: the arguments.
        told: (source, file, what, how many) of every file.
    """
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    file_names: dict[str, set[str]] = defaultdict(set)
    for source, name, what, number in told:
        counts[source][what] += number
        file_names[source].add(name)
    sources = {source: _source_truth(counts[source], file_names[source]) for source in (*PLATFORMS, *REGISTERS)}
    for platform in PLATFORMS:
        sources[platform] |= _event_truth(counts[platform])
    arguments = plan.model_dump(mode="json")
    return {
        "complete": True,
        "arguments": arguments,
        "sources": sources,
        "events_total": sum(counts[platform]["good"] for platform in PLATFORMS),
        "refused_total": sum(sum(counts[p][kind] for kind in _REFUSED_NAMES) for p in PLATFORMS),
        "files_total": sum(len(names) for source, names in file_names.items() if not source.startswith("truth/")),
        "persons": counts["truth/persons"]["good"],
        "device_uses": counts["truth/devices"]["good"],
    }


def _source_truth(counts: dict[str, int], names: set[str]) -> dict[str, object]:
    refused = {kind: counts[kind] for kind in _REFUSED_NAMES if counts[kind]}
    return {
        "files": len(names),
        "records": sum(counts[status] for status in STATUSES),
        "good": counts["good"],
        "refused": refused,
        "refused_total": sum(refused.values()),
        "redelivered": counts["redelivered"],
    }


def _event_truth(counts: dict[str, int]) -> dict[str, object]:
    kinds = {what.removeprefix("type:"): number for what, number in sorted(counts.items()) if what.startswith("type:")}
    return {
        "events": counts["good"],
        "events_by_type": kinds,
        "late": counts["late"],
        "buy_amount_minor": counts["buy_amount_minor"],
    }
