"""Files of rules, read whole before anything in them is looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from personalake.errors import ConfigError, Fault


def read_rules_file(path: str | Path, setting: str) -> Any:
    """What a YAML file holds.

    Args:
        path: the file.
        setting: the setting that names it, for the fault's sake.

    Raises:
        ConfigError: it cannot be read, or is no YAML.
    """
    file = Path(path)
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(Fault(str(file), f"cannot be read: {error.strerror}.", f"Name it in {setting}.")) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(Fault(str(file), f"is no YAML: {error}".replace("\n", " "))) from None


def hash_of_rules(path: str | Path, setting: str) -> str:
    """What a file of rules holds, in 32 letters.

    Args:
        path: the file.
        setting: the setting that names it, for the fault's sake.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        content = Path(path).read_bytes()
    except OSError:
        raise ConfigError(Fault(setting, f"{path} cannot be read.", "Name a YAML file.")) from None
    return hashlib.sha256(content).hexdigest()[:32]
