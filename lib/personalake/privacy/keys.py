"""The de-identification key: where it comes from, and the keys derived from it, one per purpose."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from personalake.errors import ConfigError, Fault

ENVIRONMENT = "PERSONALAKE_KEY"
SHORTEST_KEY = 32


@dataclass(frozen=True)
class Key:
    """A de-identification key. Its bytes never show in a repr, a log or a plan."""

    secret: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HMAC-SHA-256 as the extract-and-expand of one block, RFC 5869 §2.3)."""
        return hmac.digest(self.secret, b"personalake\x1f" + purpose.encode() + b"\x01", hashlib.sha256)

    @property
    def key_id(self) -> str:
        """Names the key without telling it: 8 hex digits."""
        return self.derive("key id").hex()[:8]


def load_key(key_file: str, environment: dict[str, str] | None = None) -> Key | None:
    """The key from its file or, where no file is named, from the environment; None where neither is there.

    Args:
        key_file: path from `privacy.key_file`; empty means the environment variable PERSONALAKE_KEY.
        environment: in place of os.environ.

    Raises:
        ConfigError: the key is shorter than 32 bytes, or the file cannot be read.
    """
    where = f"privacy.key_file ({key_file})" if key_file else ENVIRONMENT
    if key_file:
        path = Path(key_file).expanduser()
        if not path.exists():
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigError(Fault(where, f"cannot be read: {error.strerror}.")) from None
        # A text may end in a line feed that is no part of it; every byte of a binary key counts.
        secret = content.strip() if content.isascii() else content
    else:
        text = (os.environ if environment is None else environment).get(ENVIRONMENT, "")
        if not text:
            return None
        secret = text.encode()
    if len(secret) < SHORTEST_KEY:
        raise ConfigError(Fault(where, f"holds {len(secret)} bytes.", f"At least {SHORTEST_KEY} are needed."))
    return Key(secret)


def make_key(path: Path) -> Key:
    """Write a new random key with mode 0600 and give it; a key that is already there is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_hex(SHORTEST_KEY).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return make_key(path) if (found := load_key(str(path))) is None else found
    with os.fdopen(handle, "wb") as stream:
        stream.write(secret)
    return Key(secret)
