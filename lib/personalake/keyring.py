"""Where a warehouse's de-identification keys are: the one of now, and while it is being changed the one before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from personalake.config import Settings
from personalake.errors import ConfigError, Fault
from personalake.privacy.keys import ENVIRONMENT, Key, load_key, load_previous_key, make_key


@dataclass(frozen=True)
class Keys:
    """The keys that are held.

    Args:
        current: what identifiers are made with.
        previous: the key before, between `rotate-key` and `rotate-key --finish`; None at other times.
    """

    current: Key
    previous: Key | None


def default_key_path(root: str) -> Path:
    """Where local mode keeps a key that it made: beside the warehouse, never in it."""
    path = Path(root).expanduser().absolute()
    return path.with_name(path.name + ".key")


def key_file_of(settings: Settings) -> str:
    """The file that holds the key: as conf names it, else the one local mode made; empty: the environment holds it."""
    if settings.privacy.key_file or os.environ.get(ENVIRONMENT):
        return settings.privacy.key_file
    path = default_key_path(settings.warehouse.root)
    return str(path) if "://" not in settings.warehouse.root and path.is_file() else ""


def existing_keys(settings: Settings) -> Keys:
    """The keys of a warehouse, for who only reads.

    Raises:
        ConfigError: there is no key.
    """
    file = key_file_of(settings)
    key = load_key(file)
    if key is None:
        raise ConfigError(Fault("privacy.key_file", "there is no key.", "Only who holds the key can look up."))
    return Keys(key, load_previous_key(file))


def held_keys(settings: Settings, is_local: bool, say: Callable[[str], None]) -> Keys:
    """The keys of a warehouse; local mode makes one where there is none, and says where.

    Raises:
        ConfigError: there is none, and none may be made.
    """
    named, root = settings.privacy.key_file, settings.warehouse.root
    key = load_key(named)
    if key is None and is_local and "://" not in root:
        path = Path(named).expanduser() if named else default_key_path(root)
        key = load_key(str(path)) or make_key(path)
        say(f"De-identification key {key.key_id}: {path}. Keep it; without it new logs cannot join these tables.")
    if key is None:
        todo = f"Name a file with 32 bytes or more, or set {ENVIRONMENT}."
        raise ConfigError(Fault("privacy.key_file", "there is no de-identification key.", todo))
    return Keys(key, load_previous_key(key_file_of(settings)))
