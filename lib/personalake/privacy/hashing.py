"""Keyed hashes of identifiers, in plain Python for one value and as Arrow UDFs for columns."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from pyspark.sql import Column
from pyspark.sql.pandas.functions import arrow_udf

from personalake.privacy.keys import Key

IDENTIFIER_LENGTH = 32  # hex digits kept of an HMAC: 128 bits, no collision below 10^15 identifiers
PEPPER = "pepper"


@dataclass(frozen=True)
class IdentifierType:
    """What kind of identifier a column holds, and within which namespace it is unique."""

    kind: str
    namespace: str


def normalise(kind: str, value: str) -> str | None:
    """The one spelling of an identifier: NFKC, trimmed; mail in lower case; phone as + and digits. Empty is None."""
    # NFKC leaves ASCII as it is
    text = value.strip() if value.isascii() else unicodedata.normalize("NFKC", value).strip()
    if kind == "email":
        text = text.lower()
    elif kind == "phone":
        digits = re.sub(r"\D", "", text)
        text = "+" + digits.removeprefix("00") if digits else ""
    return text or None


def identifier_of(key: Key, kind: IdentifierType, value: str) -> str | None:
    """The de-identified form of one raw value: HMAC-SHA-256 over purpose, namespace, kind and normalised value."""
    return _hasher(key.derive("identifier"), kind)(value)


def _hasher(
    secret: bytes, kind: IdentifierType, nobody: frozenset[str] = frozenset()
) -> Callable[[str | None], str | None]:
    # What all values share is taken in once; a copy of that state takes in the value: half of a whole HMAC's time.
    begun = HMAC(secret, SHA256())
    begun.update(f"identifier\x1f{kind.namespace}\x1f{kind.kind}\x1f".encode())

    def hashed(value: str | None) -> str | None:
        text = None if value is None else normalise(kind.kind, value)
        if text is None or (nobody and text.lower() in nobody):
            return None
        state = begun.copy()
        state.update(text.encode())
        return state.finalize()[: IDENTIFIER_LENGTH // 2].hex()

    return hashed


def identify(
    key: Key,
    columns: Sequence[tuple[Column, IdentifierType]],
    nobody: Collection[str] = (),
    previous: Key | None = None,
) -> Column:
    """De-identify several columns in one pass through Python.

    Each batch is dictionary-encoded first, so a value is hashed once a batch. The keys travel inside the pickled
    function and stand in no plan, log or event log.

    Args:
        key: the key of now.
        columns: raw identifiers and what they are.
        nobody: words in lower case that systems write where they know no identifier.
        previous: the key before, while it is still held.

    Returns:
        A struct with fields id_0, id_1, … in the order given, and `pepper`, a constant for keyed row hashes in Spark.
        While the key before is held also old_0, old_1, … by that one. The pepper outlives a change of the key: what
        comes again must be known by the id it had.
    """
    rows = key if previous is None or key.rows is not None else previous
    secret, pepper = key.derive("identifier"), rows.row_secret.hex()
    words = frozenset(nobody)
    wanted = [(secret, kind, words) for _, kind in columns]
    fields = [f"id_{n}" for n in range(len(columns))]
    if previous is not None:
        wanted += [(previous.derive("identifier"), kind, words) for _, kind in columns]
        fields += [f"old_{n}" for n in range(len(columns))]
    times = 1 if previous is None else 2
    ddl = "struct<" + ", ".join(f"{name}: string" for name in [*fields, PEPPER]) + ">"

    def hash_columns(*arrays: pa.Array) -> pa.Array:
        hashed = [_hash_array(array, _hasher(*one)) for array, one in zip(arrays * times, wanted, strict=True)]
        return pa.StructArray.from_arrays([*hashed, pa.repeat(pepper, len(arrays[0]))], [*fields, PEPPER])

    udf = arrow_udf(hash_columns, returnType=ddl)  # type: ignore[call-overload]
    result: Column = udf(*[column.cast("string") for column, _ in columns])
    return result


def _hash_array(array: pa.Array, hasher: Callable[[str | None], str | None]) -> pa.Array:
    encoded = array.dictionary_encode()
    words = pa.array([hasher(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def encrypt(key: Key, column: Column) -> Column:
    """AES-GCM of a string column, base64; the nonce is a keyed hash of the text, so equal texts give equal ciphers."""
    secret = key.derive("quarantine")

    def encrypt_array(array: pa.Array) -> pa.Array:
        return pa.array([None if v is None else encrypt_text(secret, v) for v in array.to_pylist()], pa.string())

    udf = arrow_udf(encrypt_array, returnType="string")  # type: ignore[call-overload]
    result: Column = udf(column)
    return result


def decrypt(key: Key, column: Column, previous: Key | None = None) -> Column:
    """The texts behind `encrypt`, also by the key before where it is given; null where another key was used."""
    keys = (key,) if previous is None else (key, previous)

    def decrypt_array(array: pa.Array) -> pa.Array:
        return pa.array([_decrypted(keys, cipher) for cipher in array.to_pylist()], pa.string())

    udf = arrow_udf(decrypt_array, returnType="string")  # type: ignore[call-overload]
    result: Column = udf(column)
    return result


def encrypt_anew(old: Key, new: Key, column: Column) -> Column:
    """What `encrypt` gives by a new key for ciphers of an old one; null where another key was used.

    The texts themselves are in no column.
    """
    secret = new.derive("quarantine")

    def encrypt_array(array: pa.Array) -> pa.Array:
        texts = (_decrypted((old,), cipher) for cipher in array.to_pylist())
        return pa.array([None if text is None else encrypt_text(secret, text) for text in texts], pa.string())

    udf = arrow_udf(encrypt_array, returnType="string")  # type: ignore[call-overload]
    result: Column = udf(column)
    return result


def _decrypted(keys: Sequence[Key], cipher: str | None) -> str | None:
    for key in keys if cipher is not None else ():
        with suppress(InvalidTag):
            return decrypt_text(key, cipher or "")
    return None


def encrypt_text(secret: bytes, text: str) -> str:
    """Nonce and AES-GCM cipher of one text, base64."""
    nonce = hmac.digest(secret, b"nonce\x1f" + text.encode(), hashlib.sha256)[:12]
    return base64.b64encode(nonce + AESGCM(secret).encrypt(nonce, text.encode(), None)).decode()


def decrypt_text(key: Key, cipher: str) -> str:
    """The text behind `encrypt`."""
    data = base64.b64decode(cipher)
    return AESGCM(key.derive("quarantine")).decrypt(data[:12], data[12:], None).decode()
