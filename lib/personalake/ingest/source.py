"""A source is one YAML file: what its records look like and how they become rows of an entity."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Set
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, model_validator

from personalake.errors import ConfigError, Fault, near_miss
from personalake.ingest.cleaning import INNER, Cleaning, Range, Time
from personalake.ingest.connect import kinds
from personalake.ingest.evidence import evidence_faults
from personalake.ingest.expressions import raising
from personalake.ingest.shape import Shape
from personalake.ingest.unused import unused_faults
from personalake.ingest.words import EVENT_TYPES, OWN_COLUMNS
from personalake.tables.ingest import CONSENTS, CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS
from personalake.tables.spec import BIGINT, DOUBLE, INT, Table

ENTITY_TABLES: dict[str, Table] = {
    "event": EVENTS,
    "item": ITEM_VERSIONS,
    "customer": CUSTOMER_VERSIONS,
    "consent": CONSENTS,
}
ENTITY_TIME = {"event": "event_at", "item": "effective_at", "customer": "effective_at", "consent": "effective_at"}
_NUMBERS = (BIGINT, INT, DOUBLE)
NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")


class Source(Shape, Cleaning):
    """One source, as its YAML file says. `name` is the file's name without ending."""

    name: str = ""
    entity: Literal["event", "item", "customer", "consent"]
    format: Literal["csv", "json", "parquet", "orc", "avro"]
    path: str = Field(description="Glob below raw.root")
    delimiter: str = Field(",", min_length=1, max_length=1)
    header: bool = Field(True, description="csv: whether the first line of a file names the columns")
    null_values: tuple[str, ...] = Field(("",), description="Texts that mean nothing was sent")
    columns: str = Field(alias="schema", description="Raw columns as Spark DDL")
    platform: str = "other"
    device_class: Literal["pc", "phone", "tablet", "tv", "other"] = "other"
    time: Time | None = None
    event_id: tuple[str, ...] | str = Field((), description="Raw expressions that make a record unique")
    revision: str = Field("", description="Expression that rises when a record is corrected; the greatest wins")
    fields: dict[str, str] = Field(description="Target column to expression over the raw columns")
    event_types: dict[str, str] = Field(default_factory=dict, description="The source's verb to the canonical one")
    required: tuple[str, ...] = Field((), description="Target columns no record may lack")
    required_for: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Target column to the event types that may not lack it"
    )
    ranges: dict[str, Range] = Field(default_factory=dict, description="Allowed values by target column")
    namespaces: dict[str, str] = Field(
        default_factory=dict, description="Identifier kind to namespace; default: the source's name"
    )
    identifiers: dict[str, str] = Field(default_factory=dict, description="Further identifiers: kind to expression")
    evidence: dict[str, float] | None = Field(
        None, description="Kind of evidence to how much it counts, 0 to 1; default: whatever is seen together, 1"
    )
    acquisition: dict[str, str] = Field(default_factory=dict, description="Key to expression")
    properties: dict[str, str] = Field(default_factory=dict, description="Key to expression")
    attributes: dict[str, str] = Field(default_factory=dict, description="item, customer: key to expression")
    user_agent: str = Field("", description="Expression; only looked at for bots, never kept")
    optional: bool = Field(False, description="Whether the run goes on where no file matches")
    connect: kinds.AnyConnect | None = Field(None, description="Where records come from that lie in no files")

    @property
    def table(self) -> Table:
        """The table its records become rows of."""
        return ENTITY_TABLES[self.entity]

    @property
    def event_id_parts(self) -> tuple[str, ...]:
        """The expressions of event_id, one or many."""
        return (self.event_id,) if isinstance(self.event_id, str) else self.event_id

    @property
    def mapping_hash(self) -> str:
        """SHA-256 of everything that decides what its records become."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def namespace(self, kind: str) -> str:
        """Within which its identifiers of a kind are unique."""
        return self.namespaces.get(kind, self.name)

    def expressions(self) -> dict[str, str]:
        """Every expression over the raw columns, by where it stands in the YAML."""
        groups = ("fields", "identifiers", "acquisition", "properties", "attributes")
        found = {f"{group}.{k}": v for group in groups for k, v in getattr(self, group).items()}
        found |= {f"event_id.{n}": part for n, part in enumerate(self.event_id_parts)}
        found |= {"time.column": self.time.column} if self.time else {}
        found |= {name: getattr(self, name) for name in ("revision", "user_agent") if getattr(self, name)}
        return found | dict(self.cleaning_expressions())

    @model_validator(mode="before")
    @classmethod
    def _files_or_connect(cls, content: Any) -> Any:
        return kinds.stands_for_files(content)

    @model_validator(mode="after")
    def _names_exist(self, info: ValidationInfo) -> Source:
        verbs = EVENT_TYPES | set((info.context or {}).get("event_types", ()))
        faults = [*self._target_faults(), *self._entity_faults(verbs), *kinds.faults_beside(self), *unused_faults(self)]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _target_faults(self) -> list[str]:
        targets = {*self.table.names} - OWN_COLUMNS
        faults = []
        named = [("fields", k) for k in self.fields] + [("required", k) for k in self.required]
        named += [("required_for", k) for k in self.required_for] + [("ranges", k) for k in self.ranges]
        for group, name in named:
            if name not in targets:
                faults.append(f"{group}.{name}: is no column of {self.table.name}. {near_miss(name, targets)}")
        for name in self.ranges:
            if name in targets and self.table[name].type not in _NUMBERS:
                faults.append(f"ranges.{name}: is no number.")
        for place, expression in self.expressions().items():
            word = raising(expression)
            if word:
                faults.append(f"{place}: {word}, so that one bad value does not stop the run.")
        if self.path.startswith("/") or ".." in self.path.split("/"):
            faults.append("path: leads out of raw.root. Name files below it.")
        mapped = {*self.fields, *(f"identifiers.{kind}" for kind in self.identifiers)}
        faults += self.cleaning_faults({t: self.table[t].type for t in targets}, mapped)
        faults += [
            f"identifiers.{k}: is no name. Letters, digits and _ only." for k in self.identifiers if not NAME.match(k)
        ]
        return faults

    def _entity_faults(self, event_types: Set[str]) -> list[str]:
        needed = {"event": ["event_type"], "item": ["item_id"], "customer": ["login_id"]}.get(
            self.entity, ["identifier_kind", "identifier", "purpose", "state"]
        )
        faults = [
            f"fields.{name}: is missing. A source of entity {self.entity} needs it."
            for name in needed
            if name not in self.fields
        ]
        if self.entity in ("event", "consent") and self.time is None:
            faults.append(f"time: is missing. A source of entity {self.entity} needs it.")
        if self.entity != "event":
            return faults
        if not self.event_id_parts:
            faults.append("event_id: is missing. Name the columns that make a record unique.")
        verbs = [("event_types." + raw, verb) for raw, verb in self.event_types.items()]
        verbs += [(f"required_for.{column}", verb) for column, of in self.required_for.items() for verb in of]
        faults += [
            f"{at}: {verb} is no event type. {near_miss(verb, event_types)}"
            for at, verb in verbs
            if verb not in event_types
        ]
        if not self.event_types:
            faults.append("event_types: is missing. Map each verb of the source to a canonical one.")
        return faults + evidence_faults(self.evidence or {}, self.fields, self.identifiers)


def load_sources(folder: Path, event_types: Collection[str] = ()) -> tuple[Source, ...]:
    """All sources of a folder, by name.

    Args:
        folder: where their files are.
        event_types: verbs beyond the canonical ones.

    Raises:
        ConfigError: with every fault of every file.
    """
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        raise ConfigError(Fault("sources.folder", f"{folder} holds no source.", "Each source is one .yaml file there."))
    sources: list[Source] = []
    faults: list[Fault] = []
    for path in files:
        source = load_source(path, faults, event_types)
        if source is not None:
            sources.append(source)
    if faults:
        raise ConfigError(*faults)
    return tuple(sources)


def load_source(path: Path, faults: list[Fault], event_types: Collection[str] = ()) -> Source | None:
    """The source of one file; None where it has faults, which are added to those given."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        faults.append(
            Fault(str(path), f"is no YAML{'' if line is None else f' (line {line + 1})'}.", "Mend its syntax.")
        )
        return None
    if not isinstance(content, dict):
        faults.append(Fault(str(path), "is empty or no mapping.", "See docs/sources.md for what a source says."))
        return None
    if not NAME.match(path.stem):
        faults.append(Fault(str(path), "its name is no identifier.", "Letters, digits and _ only."))
        return None
    try:
        return Source.model_validate({**content, "name": path.stem}, context={"event_types": event_types})
    except ValidationError as error:
        allowed = [f.alias or n for n, f in Source.model_fields.items() if n != "name"]
        faults.extend(fault for item in error.errors() for fault in _faults_of(path, dict(item), allowed))
        return None


def _faults_of(path: Path, item: dict[str, object], allowed: list[str]) -> list[Fault]:
    full = [str(part) for part in item["loc"]]  # type: ignore[attr-defined]
    location = kinds.without_kinds(full)
    where = f"{path}: {'.'.join(location)}" if location else str(path)
    if item["type"] == "extra_forbidden":
        inner = INNER.get(location[0]) if len(location) > 1 else None
        beside = [f.alias or n for n, f in inner.model_fields.items()] if inner else kinds.names_at(full)
        names = beside if len(location) > 1 else allowed
        return [Fault(where, "is no setting.", near_miss(location[-1], names))]
    if str(item["type"]).startswith("union_tag"):
        return [Fault(f"{where}.kind", "names no kind that is known.", kinds.told(full[-1]))]
    text = str(item["msg"]).removeprefix("Value error, ")
    # What is checked as a whole tells its places itself: a source, a connection.
    if item["type"] == "value_error" and location in ([], ["connect"]):
        parts = [line.partition(": ") for line in text.split("\n")]
        return [Fault(f"{path}: {place}", words) for place, _, words in parts]
    return [Fault(where, text + ("." if not text.endswith(".") else ""))]
