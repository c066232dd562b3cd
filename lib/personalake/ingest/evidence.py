"""What a source may declare of the evidence that its events give on identity."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from personalake.errors import near_miss
from personalake.tables.identity import DEVICE, LOGIN, evidence_kinds


def evidence_faults(declared: Mapping[str, float], fields: Container[str], identifiers: Iterable[str]) -> list[str]:
    """What is wrong with a source's `evidence`, each as `place: words`.

    Args:
        declared: kind of evidence to how much it counts.
        fields: the source's target columns.
        identifiers: kinds of its further identifiers.
    """
    own = {kind for field, kind in (("login_id", LOGIN), ("device_id", DEVICE)) if field in fields}
    possible = evidence_kinds({*own, *identifiers})
    faults = [
        f"evidence.{kind}: no two identifiers of this source show that. {near_miss(kind, possible)}"
        for kind in declared
        if kind not in possible
    ]
    return faults + [f"evidence.{kind}: is not from 0 to 1." for kind, n in declared.items() if not 0 <= n <= 1]
