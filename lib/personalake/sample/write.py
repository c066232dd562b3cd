"""Write sample logs and their truth with Spark."""

from __future__ import annotations

import json
from datetime import date
from functools import partial

import pyarrow.fs as pafs
from pydantic import ValidationError
from pyspark.sql import SparkSession

from personalake.errors import ConfigError, Fault
from personalake.sample.files import open_folder
from personalake.sample.packing import PACKED, TOLD, ddl, pack_parts, write_shards
from personalake.sample.parts import part_count
from personalake.sample.plan import PLATFORMS, REGISTERS, Plan
from personalake.sample.truth import build_truth

TRUTH_FILE = "truth/truth.json"
MAX_TASKS = 64
MAX_WRITERS = 24


def write_sample(
    spark: SparkSession,
    out: str,
    persons: int,
    items: int,
    days: int,
    start: date,
    seed: int,
    partitions: int | None = None,
) -> dict[str, object]:
    """Write logs of six platforms, catalogue, customers and consents, and the truth about them.

    The same arguments give the same files, byte for byte, however many partitions make them.

    Args:
        spark: the session; Python workers need this package and the folder.
        out: path or URI of a folder that is empty, absent, or holds an earlier sample, which is replaced.
        persons: how many people there are, > 0.
        items: how many items the catalogue ever has, ≥ 32.
        days: business days (Asia/Shanghai) that the logs span, > 0; one file per source and day up to 45 days, per
            month up to 1000, else per year.
        start: the first of them.
        seed: another seed gives another shop.
        partitions: number of Spark partitions; None: by size and cores.

    Returns:
        What truth/truth.json holds.

    Raises:
        ConfigError: arguments out of range, or the folder holds something else.

    Cost:
        One shuffle of compressed records, about 30 bytes per event.
    """
    plan = _plan(persons=persons, items=items, days=days, start=start, seed=seed)
    _clear(plan, out)
    tasks = partitions or min(part_count(plan), MAX_TASKS)
    packed = spark.range(0, part_count(plan), 1, tasks).mapInArrow(partial(pack_parts, plan), ddl(PACKED))
    writers = partitions or max(4, min(part_count(plan), MAX_WRITERS))
    by_shard = packed.repartition(writers, "shard").sortWithinPartitions("shard", "part")
    told = by_shard.mapInArrow(partial(write_shards, plan, out), ddl(TOLD))
    truth = build_truth(plan, [tuple(row) for row in told.collect()])
    _write_json(out, truth)
    return truth


def _plan(**arguments: object) -> Plan:
    try:
        return Plan.model_validate(arguments)
    except ValidationError as error:
        faults = [Fault(f"sample: --{'.'.join(map(str, e['loc']))}", e["msg"]) for e in error.errors()]
        raise ConfigError(*faults) from None


def _clear(plan: Plan, out: str) -> None:
    """Make the folder ready: remove an earlier sample, refuse anything else, and mark the folder as a sample's."""
    files, root = open_folder(out)
    files.create_dir(root, recursive=True)
    found = files.get_file_info(pafs.FileSelector(root, recursive=False))
    names = {info.base_name for info in found}
    own = {*PLATFORMS, *REGISTERS, "truth"}
    if names and ("truth" not in names or names - own):
        strange = sorted(names - own) or sorted(names)
        todo = "Name an empty folder, or one that holds nothing but an earlier sample."
        raise ConfigError(Fault(f"sample: --out {out}", f"the folder holds {', '.join(strange[:5])}.", todo))
    for info in found:
        if info.base_name != "truth":
            files.delete_dir(info.path)
    _write_json(out, {"complete": False, "arguments": plan.model_dump(mode="json")})


def _write_json(out: str, content: dict[str, object]) -> None:
    files, root = open_folder(out)
    files.create_dir(f"{root}/truth", recursive=True)
    with files.open_output_stream(f"{root}/{TRUTH_FILE}.part", compression=None) as stream:
        stream.write((json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    files.move(f"{root}/{TRUTH_FILE}.part", f"{root}/{TRUTH_FILE}")
