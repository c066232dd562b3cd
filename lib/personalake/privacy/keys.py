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
PREVIOUS_ENVIRONMENT = "PERSONALAKE_KEY_PREVIOUS"
PREVIOUS = ".previous"
"""What the name of a file ends in that holds the key before, beside the key of now."""
ROWS = ".rows"
"""What the name of a file ends in that holds the secret of row ids of a key that was changed."""
SHORTEST_KEY = 32


@dataclass(frozen=True)
class Key:
    """A de-identification key. Its bytes never show in a repr, a log or a plan.

    Args:
        secret: the key.
        rows: the secret of row ids where it is another than the key's own: a record that comes again must be known by
            the id it had, however often the key was changed. It makes no identifier.
    """

    secret: bytes = field(repr=False)
    rows: bytes | None = field(default=None, repr=False, compare=False)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HMAC-SHA-256 as the extract-and-expand of one block, RFC 5869 §2.3)."""
        return hmac.digest(self.secret, b"personalake\x1f" + purpose.encode() + b"\x01", hashlib.sha256)

    @property
    def row_secret(self) -> bytes:
        """What ids of rows are keyed with."""
        return self.derive("row") if self.rows is None else self.rows

    @property
    def key_id(self) -> str:
        """Names the key without telling it: 8 hex digits."""
        return self.derive("key id").hex()[:8]


def load_key(key_file: str, environment: dict[str, str] | None = None, variable: str = ENVIRONMENT) -> Key | None:
    """The key from its file or, where no file is named, from the environment; None where neither is there.

    Args:
        key_file: path from `privacy.key_file`; empty means the environment variable.
        environment: in place of os.environ.
        variable: its name.

    Raises:
        ConfigError: the key is shorter than 32 bytes, or the file cannot be read.
    """
    where = f"privacy.key_file ({key_file})" if key_file else variable
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
        text = (os.environ if environment is None else environment).get(variable, "")
        if not text:
            return None
        secret = text.encode()
    if len(secret) < SHORTEST_KEY:
        raise ConfigError(Fault(where, f"holds {len(secret)} bytes.", f"At least {SHORTEST_KEY} are needed."))
    return Key(secret, _rows_of(Path(key_file + ROWS).expanduser()) if key_file else None)


def _rows_of(path: Path) -> bytes | None:
    if not path.exists():
        return None
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError):
        todo = "Restore it from where the key is kept: without it records that come again would be new ones."
        raise ConfigError(Fault(str(path), "is no secret of row ids.", todo)) from None


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


def load_previous_key(key_file: str, environment: dict[str, str] | None = None) -> Key | None:
    """The key before, while it is still held: from `<key_file>.previous`, or from PERSONALAKE_KEY_PREVIOUS.

    Raises:
        ConfigError: as `load_key`.
    """
    return load_key(key_file + PREVIOUS if key_file else "", environment, PREVIOUS_ENVIRONMENT)


def rotate_key(path: Path) -> tuple[Key, Key]:
    """Make a new key and keep the one of now beside it, both with mode 0600; begun and stopped, it can be done again.

    The secret of row ids is put beside both, and stays when the key before goes.

    Args:
        path: the file of the key.

    Returns:
        The new key, and the one before.

    Raises:
        ConfigError: there is no key to change, or one before is still held.
    """
    current, previous = load_key(str(path)), load_previous_key(str(path))
    if current is None:
        raise ConfigError(Fault(f"privacy.key_file ({path})", "is not there.", "There is no key to change."))
    if previous is not None and previous != current:
        text = f"the key before, {previous.key_id}, is still held."
        raise ConfigError(Fault(f"{path}{PREVIOUS}", text, "End that change first: personalake rotate-key --finish."))
    _write_whole(path.with_name(path.name + ROWS), current.row_secret.hex().encode())
    _write_whole(path.with_name(path.name + PREVIOUS), path.read_bytes())
    made = secrets.token_hex(SHORTEST_KEY).encode()
    _write_whole(path, made)
    return Key(made, current.row_secret), current


def destroy_previous_key(path: Path) -> Key:
    """Take the key before away, overwritten once; copies elsewhere are the operator's to destroy.

    Args:
        path: the file of the key of now.

    Returns:
        The key that is gone.

    Raises:
        ConfigError: none is held.
    """
    key, old = load_previous_key(str(path)), path.with_name(path.name + PREVIOUS)
    if key is None:
        raise ConfigError(Fault(str(old), "is not there.", "No key is being changed: personalake rotate-key begins."))
    with old.open("r+b") as stream:
        stream.write(b"\0" * len(old.read_bytes()))
        stream.flush()
        os.fsync(stream.fileno())
    old.unlink()
    return key


def _write_whole(path: Path, content: bytes) -> None:
    """The file holds all of it or what it held before, for the owner alone."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
