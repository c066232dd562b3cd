"""What a source says of how its files are written, beyond format and columns."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from pydantic import Field, field_validator

from personalake.settings import Section

_PATH = re.compile(r"^[^.\s]+(\.[^.\s]+)*$")


class Shape(Section):
    """How the text of a file becomes records."""

    encoding: str = Field("utf-8", description="csv, json: encoding of the files, e.g. gb18030, utf-16, latin-1")
    records: str = Field(
        "",
        description="json: where in a file that is one document the array of records is, e.g. data.events; `.`: on top",
    )
    quoted_newlines: bool = Field(False, description="csv: whether a quoted value may hold a line break")

    json_texts: tuple[str, ...] = Field(
        (), description="json, avro: columns declared as text that may hold an object or a list, taken as its JSON"
    )
    further_fields: Literal["tell", "ignore"] = Field("tell", description="What of fields that nobody declared")
    equal_records: Literal["one", "each"] = Field(
        "one", description="Whether equal records of one file are one event, sent twice, or an event each"
    )

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            codec = codecs.lookup(value)
        except LookupError:
            raise ValueError(f"{value} is no encoding. For example utf-8, gb18030, utf-16, latin-1") from None
        if not codec._is_text_encoding:
            raise ValueError(f"{value} is no encoding of texts. For example utf-8, gb18030, utf-16, latin-1")
        return codec.name

    @field_validator("records")
    @classmethod
    def _is_path(cls, value: str) -> str:
        if value not in ("", ".") and not _PATH.match(value):
            raise ValueError("is no path. Names divided by dots, e.g. data.events, or `.` for an array on top")
        return value

    @property
    def is_document(self) -> bool:
        """Whether a file is one JSON document, not a record a line."""
        return bool(self.records)

    @property
    def record_path(self) -> tuple[str, ...]:
        """Names that lead from the top of a document to the array of its records."""
        return tuple(self.records.split(".")) if self.records not in ("", ".") else ()
