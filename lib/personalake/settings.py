"""The base of every settings section, and the sections that belong to no single stage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


def full_path(location: str) -> str:
    """A path on this machine in full, without `~` and `..`, links as they are, as Spark spells it; or the URI given."""
    return location if "://" in location else os.path.abspath(Path(location).expanduser())  # noqa: PTH100


class Section(BaseModel):
    """A frozen group of settings. Unknown names are refused, defaults are checked like given values."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Warehouse(Section):
    """Where the tables live."""

    root: str = Field(
        ".personalake/warehouse", min_length=1, description="Folder or URI that holds one Delta table per name"
    )

    @field_validator("root")
    @classmethod
    def _full(cls, value: str) -> str:
        return full_path(value)


class Raw(Section):
    """Where the raw logs are read from."""

    root: str = Field(
        ".personalake/sample", min_length=1, description="Folder or URI that source paths are relative to"
    )

    @field_validator("root")
    @classmethod
    def _full(cls, value: str) -> str:
        return full_path(value)


class Sources(Section):
    """Which sources there are."""

    folder: str = Field("sources", description="Folder of source YAML files; relative to the conf file that names it")


class Privacy(Section):
    """How identifiers are de-identified and what needs consent."""

    key_file: str = Field(
        "", description="File with the de-identification key (32 bytes or more); empty: PERSONALAKE_KEY"
    )
    required_purposes: tuple[str, ...] = Field((), description="Purposes for which no recorded consent means no")


class Audience(Section):
    """Whom the command `audience` may tell of, and who counts as alike."""

    floor: int = Field(50, ge=1, description="Audiences with fewer persons are not exported, nor is their size told")
    measure: Literal["cosine", "euclidean"] = Field(
        "cosine", description="cosine: which features stand out; euclidean: by how much too"
    )
    against: Literal["centroid", "nearest"] = Field(
        "centroid", description="Persons are compared with the mean of the seeds, or with the seed most like them"
    )
    most_seeds: int = Field(2000, ge=1, description="nearest: so many seeds at most, drawn by hash")


class Spark(Section):
    """How the Spark session is opened; never applied where the submit already decided."""

    master: str = Field("", description="Empty: what spark-submit says, else local[*]")
    driver_memory: str = Field("3g", description="Driver heap in local mode")
    shuffle_partitions: int = Field(8, ge=1, description="spark.sql.shuffle.partitions in local mode")
    jars: str = Field("", description="Folder with the seven Delta jars; empty: where set-up put them")
    extras: tuple[Literal["kafka", "postgresql"], ...] = Field(
        (), description="Optional jars on the session; what a source needs is there without a word here"
    )
    conf: dict[str, str] = Field(default_factory=dict, description="Further Spark properties, as they are")

    @field_validator("jars")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return str(Path(value).expanduser()) if value else value
