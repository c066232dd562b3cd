"""Writing the files: one per source and period, named by them, the same bytes whoever writes them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from personalake.sample.dirt import CUT_LINE, GOOD, STATUSES
from personalake.sample.events import BUY, TYPES
from personalake.sample.plan import EXTENSIONS, PLATFORMS, Plan
from personalake.sample.registers import CONSENTS_HEADER, CUSTOMERS_HEADER, DEVICES_HEADER, PERSONS_HEADER
from personalake.sample.shapes_table import MINI_SCHEMA
from personalake.sample.shapes_text import TABLET_HEADER, WEB_HEADER

HEADERS = {
    "web": WEB_HEADER,
    "tablet": TABLET_HEADER,
    "customers": CUSTOMERS_HEADER,
    "consents": CONSENTS_HEADER,
    "truth/persons": PERSONS_HEADER,
    "truth/devices": DEVICES_HEADER,
}
_LEVEL = 4
_CHUNK = 1 << 20


def open_folder(out: str) -> tuple[pafs.FileSystem, str]:
    """File system and path of a folder given as a path or a URI.

    Args:
        out: e.g. `build/sample`, `s3://bucket/sample`.
    """
    if "://" in out:
        files, path = pafs.FileSystem.from_uri(out)
        return files, path
    return pafs.LocalFileSystem(), str(Path(out).absolute())


def write_file(plan: Plan, out: str, source: str, period: int, rows: pa.Table) -> Iterator[tuple[str, str, str, int]]:
    """Write one file, under another name first, and tell what is in it.

    Args:
        plan: the arguments.
        out: folder of the sample.
        source: a platform or register.
        period: number of the period.
        rows: its records, in order.

    Returns:
        (source, file, what, how many) for everything the truth counts.
    """
    name = _name(plan, source, period)
    rows, cut = _with_cut_line(plan, name, source, rows)
    files, root = open_folder(out)
    path = f"{root}/{name}"
    files.create_dir(path.rsplit("/", 1)[0], recursive=True)
    with files.open_output_stream(path + ".part", compression=None) as stream:
        if source == "mini_program":
            pq.write_table(rows.select(MINI_SCHEMA.names).cast(MINI_SCHEMA), stream, compression="zstd")
        else:
            _write_lines(stream, HEADERS.get(source, ""), rows, cut)
    files.move(path + ".part", path)
    for what, count in _counts(rows).items():
        yield source, name, what, count


def _name(plan: Plan, source: str, period: int) -> str:
    if source.startswith("truth/"):
        return f"{source}.csv.gz"
    return f"{source}/{plan.periods[period]}.{EXTENSIONS[source]}"


def _with_cut_line(plan: Plan, name: str, source: str, rows: pa.Table) -> tuple[pa.Table, bytes]:
    """Some text files end in a line cut off in the middle: the file's last good record, sent once, is lost by it."""
    draw = int(plan.digest("cut", name, length=8), 16) / 16**8
    if source not in PLATFORMS or source == "mini_program" or draw >= plan.dirt.cut_file:
        return rows, b""
    # redelivered copies come in files of their own order; only a record without a copy may be lost
    lost = np.flatnonzero(rows["is_single"].to_numpy() & ~rows["late"].to_numpy())
    if len(lost) < 2:
        return rows, b""
    last = int(lost[-1])
    line = rows["line"][last].as_py().encode().rstrip(b"\n")
    status = rows["status"].to_numpy().copy()
    status[last] = CUT_LINE
    order = np.append(np.delete(np.arange(rows.num_rows), last), last)
    rows = rows.set_column(rows.schema.get_field_index("status"), "status", pa.array(status)).take(pa.array(order))
    return rows, _cut(line, source, draw / plan.dirt.cut_file)


def _cut(line: bytes, source: str, share: float) -> bytes:
    """A part of the line that ends before its action, so that no reader can take it for a record."""
    delimiter = {"web": b",", "tablet": b"\t"}.get(source)
    start, end = (len(line) // 8, len(line) * 5 // 8) if delimiter is None else (0, 0)
    if delimiter is not None:
        fields = line.split(delimiter)
        start, end = len(fields[0]) + 3, len(fields[0]) + len(fields[1]) + 1
    return line[: start + int((end - start) * share)].decode(errors="ignore").encode()


def _write_lines(stream: pa.NativeFile, header: str, rows: pa.Table, cut: bytes) -> None:
    """Gzip without time or name in its head, so that the same lines are the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    if header:
        stream.write(packer.compress(f"{header}\n".encode()))
    whole = rows.slice(0, rows.num_rows - 1) if cut else rows
    for chunk in whole["line"].chunks:
        # the buffer of values holds the lines one after the other, line ends included
        lines = chunk.cast(pa.large_string())
        offsets = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset : lines.offset + len(lines) + 1]
        text = memoryview(lines.buffers()[2])[offsets[0] : offsets[-1]] if len(lines) else memoryview(b"")
        for start in range(0, len(text), _CHUNK):
            stream.write(packer.compress(text[start : start + _CHUNK]))
    stream.write(packer.compress(cut))
    stream.write(packer.flush())


def _counts(rows: pa.Table) -> dict[str, int]:
    """How many records of each status and, among the good ones, of each kind; late ones; money of good orders."""
    status, kind = rows["status"].to_numpy(), rows["kind"].to_numpy()
    good = status == GOOD
    counts = {STATUSES[code]: int((status == code).sum()) for code in range(len(STATUSES))}
    counts["late"] = int((good & rows["late"].to_numpy()).sum())
    counts["buy_amount_minor"] = int(rows["amount"].to_numpy()[good & (kind == BUY)].sum())
    by_kind = np.bincount(kind[good], minlength=len(TYPES))
    return counts | {f"type:{TYPES[code]}": int(count) for code, count in enumerate(by_kind) if count}
