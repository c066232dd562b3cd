"""Two warehouses side by side, read by a reader that is not Spark."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from deltalake import DeltaTable

from personalake.tables.catalog import ALL
from personalake.tables.spec import Table

# When a row came, from which file, or by which run; contents are compared without them.
ARRIVAL = {"run_id", "received_at", "rejected_at", "modified_at", "read_at"}
# What a run leaves: a kept audience is there once somebody asks for one.
LEFT = {name: table for name, table in ALL.items() if name != "audiences"}


def rows_of(root: str | Path, name: str) -> pd.DataFrame:
    """A table's rows without the columns of arrival, in the order of its key."""
    table = ALL[name]
    frame = DeltaTable(str(Path(root) / name)).to_pandas()
    key = [c for c in table.key if c not in ARRIVAL]
    frame = frame[[c for c in table.names if c not in ARRIVAL]]
    for column in frame.columns:
        if table[column].type.typeName() in ("map", "array", "struct"):
            frame[column] = frame[column].map(_as_text)
    return frame.sort_values(key, kind="stable").reset_index(drop=True)


def differences(left: str | Path, right: str | Path, name: str, tolerance: float = 0.0) -> list[str]:
    """How a table of two warehouses differs; floating-point values may by so much, relative to 1 or the value."""
    ours, theirs = rows_of(left, name), rows_of(right, name)
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} rows against {len(theirs)}"]
    found = []
    for column in ours.columns:
        wrong = ~_same(ours[column], theirs[column], ALL[name], tolerance)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            pair = f"{ours[column].iloc[first]!r} against {theirs[column].iloc[first]!r}"
            found.append(f"{name}.{column}: {int(wrong.sum())} rows differ, first: {pair}")
    return found


def _same(left: pd.Series, right: pd.Series, table: Table, tolerance: float) -> np.ndarray:
    both_null = (left.isna() & right.isna()).to_numpy()
    if table[str(left.name)].type.typeName() == "double":
        close = np.isclose(left.astype(float), right.astype(float), rtol=tolerance, atol=tolerance)
        return both_null | close
    return both_null | (left == right).fillna(False).to_numpy(bool)


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | np.ndarray):
        entries = [list(entry) if isinstance(entry, tuple) else entry for entry in value]
        if entries and isinstance(entries[0], list):  # a map's entries have no order
            entries = sorted(entries)
        return json.dumps(entries, default=str, sort_keys=True)
    return json.dumps(value, default=str, sort_keys=True)
