"""Which partitions of a table changed between two versions, told from its commits: no job, no session."""

from __future__ import annotations

from personalake.store.versions import actions_of


def changed_partitions(root: str, name: str, column: str | None, since: int, until: int) -> frozenset[str] | None:
    """Values of a partition column under which rows came, went or changed.

    A commit names the files it adds and removes, each with its partition (Delta protocol, 'Add File and Remove
    File'). Files that were only rewritten, as by OPTIMIZE, say that no data changed. A partition that is told may hold
    the same rows as before, one that is not told surely does.

    Args:
        root: warehouse.root.
        name: the table.
        column: a column it is partitioned by; None for a table that has none: any change is one that no partition
            tells.
        since: the version that is known.
        until: the version that is asked about.

    Returns:
        The values as the log spells them (a date as YYYY-MM-DD); None where the log cannot tell: a commit between the
        two is no longer there, since is later than until, or a file tells no such partition.

    Cost:
        Reads the commits between the two versions, some hundred bytes a file they touch.
    """
    if since > until:
        return None
    found: set[str] = set()
    for version in range(since + 1, until + 1):
        try:
            actions = actions_of(root, name, version)
        except FileNotFoundError:
            return None
        for action in actions:
            file = action.get("add") or action.get("remove")
            if file is None or not file.get("dataChange", True):
                continue
            value = (file.get("partitionValues") or {}).get(column) if column else None
            if value is None:
                return None
            found.add(value)
    return frozenset(found)
