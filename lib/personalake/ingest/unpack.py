"""From the bytes of a file to the texts of its records: packing, encoding, line breaks, columns."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.fs as pafs

CHUNK = 1 << 20
GZIP, ZSTD = (".gz", ".gzip"), (".zst", ".zstd")
# A quote that is never closed costs one record, not the rest of the file.
_LONGEST_QUOTED = 1 << 18
_BETWEEN_QUOTES = re.compile('"[^"]*"')


class Digested(io.RawIOBase):
    """A stream that reckons size and SHA-256 of what is read from it."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self.size, self._stream, self._digest = 0, stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes; none at the end."""
        chunk: bytes = self._stream.read(CHUNK if size is None or size < 0 else size)
        self.size += len(chunk)
        self._digest.update(chunk)
        return chunk

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def finish(self) -> str:
        """Read to the end; the SHA-256 of all bytes."""
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()


def plain_bytes(stream: Digested, path: str) -> Iterator[bytes]:
    """The unpacked bytes of a file whose ending tells how it is packed.

    Raises:
        EOFError, zlib.error, OSError: it is cut off or packed otherwise.
    """
    if path.endswith(ZSTD):
        return _unzstd(stream)
    packed = iter(lambda: stream.read(CHUNK), b"")
    return unpacked(packed) if path.endswith(GZIP) else packed


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of a gzip stream of one or more members; EOFError where it ends inside one."""
    member = None
    for chunk in chunks:
        left = chunk
        while left:
            member = member or zlib.decompressobj(wbits=31)
            yield member.decompress(left, CHUNK)
            left = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    if member is not None:
        yield member.flush()
        if not member.eof:
            raise EOFError


def _unzstd(stream: Digested) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") as plain:
        while chunk := plain.read(CHUNK):
            yield chunk


def texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text of some bytes; what is no character of the encoding becomes U+FFFD, a byte-order mark is taken away."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    is_first = True
    for chunk in chain(chunks, [b""]):
        text = decoder.decode(chunk, final=not chunk)
        if is_first and text:
            text, is_first = text.removeprefix("\ufeff"), False
        if text:
            yield text


def lines(parts: Iterable[str]) -> Iterator[str]:
    """The lines of a text, without their ends."""
    rest = ""
    for part in parts:
        *whole, last = part.split("\n")
        if whole:
            whole[0] = rest + whole[0]
            rest = ""
            yield from (line.removesuffix("\r") for line in whole)
        rest += last
    if rest:
        yield rest.removesuffix("\r")


def quoted_lines(plain: Iterable[str], delimiter: str) -> Iterator[str]:
    """The records of a CSV text in which a quoted value may go on over line breaks.

    A quote that stays open to the end, or for too many characters, opens nothing: its line is a record of its own.
    """
    opened = re.compile(rf'(?:^|{re.escape(delimiter)})"')
    source, waiting = iter(plain), deque[str]()
    while (line := waiting.popleft() if waiting else next(source, None)) is not None:
        held, length = [line], len(line)
        if line.count('"') % 2 and opened.search(_BETWEEN_QUOTES.sub("", line)):
            while length <= _LONGEST_QUOTED:
                more = waiting.popleft() if waiting else next(source, None)
                if more is None:
                    break
                held.append(more)
                length += len(more)
                if more.count('"') % 2:
                    break
            if not held[-1].count('"') % 2:
                waiting.extendleft(reversed(held[1:]))
                held = [line]
        yield "\n".join(held)


def reordered(rows: Iterable[str], header: Sequence[str], declared: Sequence[str], delimiter: str) -> Iterator[str]:
    """CSV records of a file with further columns, or columns in another order, as lines of the declared columns.

    A record of another length than its header stays as it is, with delimiters behind it, so that it fits nothing.
    """
    places = [header.index(name) for name in declared]
    for row in rows:
        try:
            values = next(csv.reader([row], delimiter=delimiter), [])
        except csv.Error:
            values = []
        if len(values) != len(header):
            yield row + delimiter * (len(declared) + len(header)) if row else row
            continue
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="").writerow([values[place] for place in places])
        yield line.getvalue()


def open_digested(filesystem: pafs.FileSystem, path: str) -> Digested:
    """A file as a stream that reckons its hash."""
    return Digested(filesystem.open_input_file(path))
