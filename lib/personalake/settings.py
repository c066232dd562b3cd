"""The base of every settings section, and the sections that belong to no single stage."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Section(BaseModel):
    """A frozen group of settings. Unknown names are refused, defaults are checked like given values."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Warehouse(Section):
    """Where the tables live."""

    root: str = Field(".personalake/warehouse", description="Folder or URI that holds one Delta table per name")


class Raw(Section):
    """Where the raw logs are read from."""

    root: str = Field(".personalake/sample", description="Folder or URI that source paths are relative to")


class Sources(Section):
    """Which sources there are."""

    folder: str = Field("sources", description="Folder of source YAML files; relative to the conf file that names it")


class Privacy(Section):
    """How identifiers are de-identified and what needs consent."""

    key_file: str = Field(
        "", description="File with the de-identification key (32 bytes or more); empty: PERSONALAKE_KEY"
    )
    required_purposes: tuple[str, ...] = Field((), description="Purposes for which no recorded consent means no")


class Spark(Section):
    """How the Spark session is opened; never applied where the submit already decided."""

    master: str = Field("", description="Empty: what spark-submit says, else local[*]")
    driver_memory: str = Field("3g", description="Driver heap in local mode")
    shuffle_partitions: int = Field(8, ge=1, description="spark.sql.shuffle.partitions in local mode")
    jars: str = Field("", description="Folder with the seven Delta jars; empty: where set-up put them")
    conf: dict[str, str] = Field(default_factory=dict, description="Further Spark properties, as they are")

    @field_validator("jars")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return str(Path(value).expanduser()) if value else value
