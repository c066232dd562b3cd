"""From bytes to records in plain Python, against the standard library's own readers."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs
import pytest

from personalake.ingest.documents import document_records
from personalake.ingest.unpack import lines, open_digested, plain_bytes, quoted_lines, reordered, texts, unpacked

SEED = 1952


def pieces(draw: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(4)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def test_gzip_of_any_members_in_any_chunks_gives_what_the_standard_library_gives():
    draw = random.Random(SEED)
    for _ in range(200):
        members = [draw.randbytes(draw.randrange(2000)) * draw.randrange(1, 60) for _ in range(draw.randrange(1, 4))]
        packed = b"".join(gzip.compress(member, draw.randrange(10)) for member in members)
        assert b"".join(unpacked(pieces(draw, packed))) == gzip.decompress(packed), f"seed {SEED}"


def test_gzip_cut_or_spoilt_anywhere_is_told():
    draw = random.Random(SEED)
    packed = gzip.compress(b"first") + gzip.compress(draw.randbytes(300))
    whole = {0, len(gzip.compress(b"first")), len(packed)}
    for length in range(len(packed)):
        if length not in whole:
            with pytest.raises((EOFError, zlib.error)):
                list(unpacked(pieces(draw, packed[:length])))
    for extra in (b"x", b"\n", b"\0\0"):
        with pytest.raises((EOFError, zlib.error)):
            list(unpacked([packed + extra]))


def test_a_gzip_bomb_takes_no_more_than_a_chunk_of_memory_at_a_time():
    packed = gzip.compress(b"\0" * (64 << 20))
    assert max(len(part) for part in unpacked([packed])) <= 1 << 20


def read(path: Path) -> bytes:
    with open_digested(pafs.LocalFileSystem(), str(path)) as stream:
        return b"".join(plain_bytes(stream, path.name))


def test_zstandard_is_unpacked_and_cut_anywhere_it_is_told(tmp_path):
    plain = random.Random(SEED).randbytes(3000)
    packed = pa.compress(plain, codec="zstd", asbytes=True)
    path = tmp_path / "a.csv.zst"
    path.write_bytes(packed + packed)
    assert read(path) == plain + plain
    for length in (len(packed) // 2, len(packed) - 1, len(packed) + 1):
        path.write_bytes((packed + packed)[:length])
        with pytest.raises((OSError, EOFError)):
            read(path)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16", b""), ("utf-16-le", b"\xff\xfe"), ("gb18030", b"\x84\x31\x95\x33")],
)
def test_any_encoding_in_any_pieces_gives_the_text_without_its_mark(encoding, mark):
    text = "登录,\u00e9 𠮷\r\n第二行\n" * 20
    draw = random.Random(SEED)
    for _ in range(50):
        assert "".join(texts(pieces(draw, mark + text.encode(encoding)), encoding)) == text, f"seed {SEED}"


def test_what_is_no_character_becomes_one_that_says_so():
    assert "".join(texts([b"a\xff", b"b"], "utf-8")) == "a\ufffdb"
    assert "".join(texts([b"\xe4\xb8"], "utf-8")) == "\ufffd"


def test_lines_in_any_pieces_are_those_of_a_split():
    draw = random.Random(SEED)
    for _ in range(200):
        whole = "".join(draw.choice(["a", "\n", "\r\n", "bc\0"]) for _ in range(draw.randrange(12)))
        parts = [part.decode() for part in pieces(draw, whole.encode())]
        told = [line.removesuffix("\r") for line in whole.removesuffix("\n").split("\n")] if whole else []
        assert list(lines(parts)) == told, f"seed {SEED}: {whole!r}"


def test_quoted_line_breaks_give_what_the_standard_library_gives():
    draw = random.Random(SEED)
    for _ in range(300):
        rows = [
            ["".join(draw.choice('ab,"\n ') for _ in range(draw.randrange(6))) for _ in range(3)]
            for _ in range(draw.randrange(1, 6))
        ]
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        found = [next(csv.reader([record])) for record in quoted_lines(lines([text.getvalue()]), ",")]
        assert found == rows, f"seed {SEED}: {rows}"


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('a,"cut\nb,c\nd,e', ['a,"cut', "b,c", "d,e"]),  # a quote left open costs one record
        ('a,5"\nb,"x\ny"\n', ['a,5"', 'b,"x\ny"']),  # a quote in the middle opens nothing
        ('a,"b""\nc"\nd', ['a,"b""\nc"', "d"]),
        ('"\n"\n', ['"\n"']),
        ("", []),
    ],
)
def test_records_of_odd_quotes(text, records):
    assert list(quoted_lines(lines([text]), ",")) == records


def test_a_quote_that_stays_open_for_too_long_costs_one_record():
    text = 'a,"open\n' + "b,c\n" * 100_000 + 'd,"e"\n'
    found = list(quoted_lines(lines([text]), ","))
    assert (len(found), found[0], found[-1]) == (100_002, 'a,"open', 'd,"e"')


@pytest.mark.parametrize("path", [(), ("data",), ("data", "events")])
def test_the_records_of_a_document_are_those_of_its_array(path):
    draw = random.Random(SEED)
    for _ in range(100):
        records = [
            {"id": draw.randrange(1 << 70), "t": draw.choice(["]", '"', "é\n", "\\"]), "n": [1, {"a": [2]}]}
            for _ in range(draw.randrange(4))
        ]
        value: object = records
        for name in reversed(path):
            value = {"before": [{"events": 1}], name: value, "after": {"data": [3]}}
        text = json.dumps(value, indent=draw.choice([None, 2]), ensure_ascii=draw.random() < 0.5)
        assert [json.loads(record) for record in document_records(f" {text}\n", path)] == records, f"seed {SEED}"


@pytest.mark.parametrize(
    ("text", "path"),
    [("[1, 2", ()), ("[1 2]", ()), ("{}", ()), ('{"a": {"b": 1}}', ("a", "b")), ('{"a": [1]}', ("b",)), ("[{", ()),
     ('{"a" [1]}', ("a",)), ("", ()), ('["a', ())],
)  # fmt: skip
def test_what_is_no_whole_document_is_told(text, path):
    with pytest.raises(ValueError):
        list(document_records(text, path))


def test_a_document_keeps_each_record_as_it_stands():
    number = "1" * 40
    assert list(document_records('[{"n": ' + number + ', "x":  1.10}]', ())) == ['{"n": ' + number + ', "x":  1.10}']


def test_columns_in_another_order_and_further_ones_become_lines_of_the_declared():
    rows = ["b,more,a", '2,x,"1,""q"""', "3,x", "4,x,5,6", ""]
    found = list(reordered(rows, ["b", "more", "a"], ["a", "b"], ","))
    assert found[:2] == ["a,b", '"1,""q""",2']
    # a record of another length fits no number of declared columns
    assert [len(next(csv.reader([row]))) > 2 for row in found[2:4]] == [True, True]
    assert found[4] == ""
