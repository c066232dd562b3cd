"""Keyed hashes against the standard library, and nothing that tells the key."""

from __future__ import annotations

import hashlib
import hmac
import random
import unicodedata

import pytest
from cryptography.exceptions import InvalidTag
from pyspark.sql import SparkSession

from personalake.privacy.hashing import (
    IdentifierType,
    decrypt_text,
    encrypt,
    encrypt_text,
    identifier_of,
    identify,
    normalise,
)
from personalake.privacy.keys import Key

SEED = 41
SECRET = b"0123456789abcdef0123456789abcdef"
KEY = Key(SECRET)


@pytest.mark.parametrize(
    ("kind", "raw", "told"),
    [
        ("login", "  Ann ", "Ann"),
        ("login", "", None),
        ("login", " \t", None),
        ("login", "-9223372036854775808", "-9223372036854775808"),
        ("login", "\uff21\uff4e\uff4e", "Ann"),
        ("device", "AbC", "AbC"),
        ("email", " Ann@Example.ORG", "ann@example.org"),
        ("email", "\u212bsa@x.se", "\u00e5sa@x.se"),
        ("phone", "+86 138-0013-8000", "+8613800138000"),
        ("phone", "0086 138 0013 8000", "+8613800138000"),
        ("phone", "none", None),
        ("login", "nullius", "nullius"),
        ("login", "0", "0"),
        ("phone", "\uff0b\uff18\uff16", "+86"),
    ],
)
def test_one_spelling_of_an_identifier(kind, raw, told):
    assert normalise(kind, raw) == told


def test_one_spelling_stays_one_spelling():
    draw = random.Random(SEED)
    letters = "aZ0 9+-()@.\u212b\uff21\u0301e\u4e2d\U0001f600"
    for _ in range(500):
        kind = draw.choice(["login", "email", "phone"])
        text = "".join(draw.choice(letters) for _ in range(draw.randrange(9)))
        once = normalise(kind, text)
        if once is not None and kind != "phone":
            assert normalise(kind, once) == once, f"seed {SEED}: {text!r}"


def _oracle(kind: str, namespace: str, value: str | None) -> str | None:
    """The identifier by the standard library alone."""
    text = unicodedata.normalize("NFKC", value).strip() if value else ""
    if not text:
        return None
    secret = hmac.new(SECRET, b"personalake\x1fidentifier\x01", hashlib.sha256).digest()
    message = f"identifier\x1f{namespace}\x1f{kind}\x1f{text}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:32]


def test_identifiers_of_columns_are_those_of_single_values_and_of_the_standard_library(spark: SparkSession):
    draw = random.Random(SEED)
    values = [draw.choice(["", " ", "a", "A", "\u4e2d\u6587", str(draw.getrandbits(64)), None]) for _ in range(300)]
    numbers = [draw.choice([None, draw.getrandbits(63)]) for _ in values]
    frame = spark.createDataFrame(list(zip(values, numbers, strict=True)), "login string, device bigint")
    login, device = IdentifierType("login", "shop"), IdentifierType("device", "web")
    named = frame.select("*", identify(KEY, [(frame.login, login), (frame.device, device)]).alias("ids"))
    rows = named.select("login", "device", "ids.*").collect()
    assert len(rows) == len(values)
    for row in rows:
        device_text = None if row.device is None else str(row.device)
        assert row.id_0 == _oracle("login", "shop", row.login), f"seed {SEED}: {row}"
        assert row.id_1 == _oracle("device", "web", device_text), f"seed {SEED}: {row}"
        assert row.id_0 == (None if row.login is None else identifier_of(KEY, login, row.login))
        assert row.pepper == KEY.derive("row").hex()


def test_kind_namespace_and_key_each_make_another_identifier():
    made = {
        identifier_of(key, IdentifierType(kind, namespace), "ann")
        for key in (KEY, Key(SECRET[::-1]))
        for kind in ("login", "email")
        for namespace in ("shop", "forum")
    }
    assert len(made) == 8


def test_encrypted_records_come_back_and_equal_ones_are_equal(spark: SparkSession):
    texts = ['{"a": 1}', "", "\u4e2d\u6587 \U0001f600", "x" * 5000, None, '{"a": 1}']
    frame = spark.createDataFrame([(n, text) for n, text in enumerate(texts)], "n int, record string")
    ciphers = {row.n: row.cipher for row in frame.select("n", encrypt(KEY, frame.record).alias("cipher")).collect()}
    assert [None if ciphers[n] is None else decrypt_text(KEY, ciphers[n]) for n in range(len(texts))] == texts
    assert ciphers[0] == ciphers[5]
    assert len(set(ciphers.values())) == 5
    assert ciphers[1] == encrypt_text(KEY.derive("quarantine"), "")


def test_another_key_does_not_open_a_record():
    with pytest.raises(InvalidTag):
        decrypt_text(Key(SECRET[::-1]), encrypt_text(KEY.derive("quarantine"), "secret"))


def test_neither_the_key_nor_what_is_derived_stands_in_a_plan(spark: SparkSession):
    frame = spark.createDataFrame([("ann",)], "login string")
    mapped = frame.select(identify(KEY, [(frame.login, IdentifierType("login", "shop"))]), encrypt(KEY, frame.login))
    plan = mapped._jdf.queryExecution().toString()  # type: ignore[operator]
    secrets = [SECRET.decode(), SECRET.hex(), *(KEY.derive(p).hex() for p in ("identifier", "row", "quarantine"))]
    assert [secret for secret in secrets if secret in plan or secret in repr(KEY)] == []


def test_one_raw_id_is_another_identifier_on_each_platform_unless_they_share_a_namespace():
    draw = random.Random(SEED)
    for _ in range(300):
        raw = str(draw.getrandbits(draw.choice([8, 64])))
        kind = draw.choice(["login", "device", "email", "phone"])
        web, app = (identifier_of(KEY, IdentifierType(kind, name), raw) for name in ("web", "app"))
        assert web != app, f"seed {SEED}: {raw}"
        assert web == identifier_of(KEY, IdentifierType(kind, "web"), f" {raw} "), f"seed {SEED}: {raw}"
        assert len({identifier_of(KEY, IdentifierType(k, "web"), raw) for k in ("login", "device", "account")}) == 3
