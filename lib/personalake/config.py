"""The root settings: one section a stage, read from YAML files and `--set`, checked whole before anything starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from personalake.errors import ConfigError, Fault, near_miss
from personalake.evaluate.settings import Evaluate
from personalake.identity.settings import Identity
from personalake.ingest.settings import Ingest
from personalake.lifetime.settings import Lifetime
from personalake.packaged import conf_folder
from personalake.predict.settings import Predict
from personalake.profiles.settings import Profiles
from personalake.recommend.rules.settings import Rules
from personalake.recommend.settings import Recommend
from personalake.report.settings import Report
from personalake.segments.settings import Segments
from personalake.settings import Audience, Privacy, Raw, Section, Sources, Spark, Warehouse
from personalake.tags.settings import Tags

# Paths that a conf file names relative to itself.
_PATHS = (("sources", "folder"), ("ingest", "rates_file"), ("tags", "file"), ("rules", "file"))


class Settings(Section):
    """Every setting, at its default or as given."""

    time_zone: str = Field("UTC", description="Zone of the business day")
    seed: int = Field(7, description="Seed of everything that draws")
    warehouse: Warehouse = Warehouse()
    raw: Raw = Raw()
    sources: Sources = Sources()
    privacy: Privacy = Privacy()
    spark: Spark = Spark()
    ingest: Ingest = Ingest()
    identity: Identity = Identity()
    profiles: Profiles = Profiles()
    lifetime: Lifetime = Lifetime()
    predict: Predict = Predict()
    segments: Segments = Segments()
    tags: Tags = Tags()
    audience: Audience = Audience()
    rules: Rules = Rules()
    recommend: Recommend = Recommend()
    evaluate: Evaluate = Evaluate()
    report: Report = Report()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value} is no time zone. For example Asia/Shanghai") from None
        return value

    def hash_of(self, sections: Sequence[str]) -> str:
        """SHA-256 of some sections, of the seed and of the time zone: what a stage's rows can depend on."""
        content = self.model_dump(mode="json", include={*sections, "seed", "time_zone"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_settings(conf_files: Sequence[str] = (), overrides: Sequence[str] = ()) -> Settings:
    """The settings of a run: base.yaml, then the named files (or local.yaml), then `--set`; later wins.

    Args:
        conf_files: paths of YAML files; empty: the packaged local.yaml.
        overrides: `section.key=value`, the value in YAML.

    Raises:
        ConfigError: every fault at once, each with the file or option that set it, and near misses.
    """
    folder = conf_folder()
    files = [folder / "base.yaml", *([Path(f) for f in conf_files] or [folder / "local.yaml"])]
    merged: dict[str, Any] = {}
    origins: dict[tuple[str, ...], str] = {}
    faults: list[Fault] = []
    for path in files:
        _merge(merged, _read(path, faults), str(path), origins)
    for text in overrides:
        _merge(merged, _override(text, faults), f"--set {text.split('=', 1)[0]}", origins)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        faults.extend(_fault_of(dict(item), origins) for item in error.errors())
    if faults:
        raise ConfigError(*faults)
    return settings


def _read(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError:
        faults.append(Fault(str(path), "cannot be read.", "Name a YAML file that exists."))
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        faults.append(
            Fault(str(path), f"is no YAML{'' if line is None else f' (line {line + 1})'}.", "Mend its syntax.")
        )
        return {}
    if not isinstance(content, dict):
        faults.append(Fault(str(path), "is no mapping of sections.", "See conf/base.yaml."))
        return {}
    for section, key in _PATHS:
        inner = content.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(key), str) and inner[key]:
            inner[key] = str((path.parent / Path(inner[key]).expanduser()).resolve())
    return content


def _override(text: str, faults: list[Fault]) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        faults.append(Fault(f"--set {text}", "has no `=`.", "Write section.key=value."))
        return {}
    try:
        content: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        faults.append(Fault(f"--set {name}", "its value is no YAML.", "Quote it."))
        return {}
    for part in reversed(name.strip().split(".")):
        content = {part: content}
    return dict(content)


def _merge(
    into: dict[str, Any],
    new: Mapping[str, Any],
    origin: str,
    origins: dict[tuple[str, ...], str],
    place: tuple[str, ...] = (),
) -> None:
    for name, value in new.items():
        here = (*place, str(name))
        origins[here] = origin
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value, origin, origins, here)
        else:
            into[name] = value if not isinstance(value, Mapping) else {}
            if isinstance(value, Mapping):
                _merge(into[name], value, origin, origins, here)


def _fault_of(item: dict[str, Any], origins: dict[tuple[str, ...], str]) -> Fault:
    place = tuple(str(part) for part in item["loc"])
    known = next((origins[place[:n]] for n in range(len(place), 0, -1) if place[:n] in origins), "default")
    where = f"{known}: {'.'.join(place)}" if not known.startswith("--set") else known
    if item["type"] == "extra_forbidden":
        return Fault(where, "is no setting.", near_miss(place[-1], _names_at(place[:-1])))
    text = str(item["msg"]).removeprefix("Value error, ")
    return Fault(where, text if text.endswith((".", "?")) else text + ".")


def _names_at(place: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in place:
        annotation = model.model_fields[name].annotation if name in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def described() -> Iterator[tuple[str, str, object]]:
    """Every setting of every section: name, what it is for, default. The documentation is made from it."""
    for name, section in Settings.model_fields.items():
        if isinstance(section.annotation, type) and issubclass(section.annotation, BaseModel):
            for key, entry in section.annotation.model_fields.items():
                yield f"{name}.{key}", entry.description or "", entry.get_default(call_default_factory=True)
        else:
            yield name, section.description or "", section.default
