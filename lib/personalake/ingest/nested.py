"""JSON values of another kind than declared that Spark takes all the same: an object where a text should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from personalake.ingest.source import Source

_Path = tuple[str, ...]


def text_paths(schema: StructType, above: _Path = ()) -> Iterator[_Path]:
    """Names that lead to each text of a record, also within objects."""
    for field in schema.fields:
        if isinstance(field.dataType, StringType):
            yield (*above, field.name)
        elif isinstance(field.dataType, StructType):
            yield from text_paths(field.dataType, (*above, field.name))


def is_nested(source: Source, schema: StructType, text: Column, parsed: Column) -> Column:
    """Whether a record has an object or a list where a text is declared and used.

    Args:
        source: whose record it is; texts of `json_texts` may be either.
        schema: its declared columns.
        text: the record.
        parsed: the record as a struct of the declared columns, where Spark gives the JSON of an object as text.

    Cost:
        A text that begins as JSON does has its record parsed once more; others cost a look at their first letter.
    """
    words = set(re.findall(r"\w+", " ".join(source.expressions().values())))
    asked = {tuple(name.split(".")) for name in source.json_texts}
    paths = [p for p in text_paths(schema) if p not in asked and p[-1] in words and all(_is_plain(n) for n in p)]
    if not paths or source.format not in ("json", "avro"):
        return F.lit(False)
    suspects = [F.left(reduce(Column.getField, path, parsed), F.lit(1)).isin("{", "[") for path in paths]
    whole = F.try_parse_json(text)
    kinds = [F.schema_of_variant(F.try_variant_get(whole, _variant_path(path), "variant")) for path in paths]
    found = [F.coalesce(kind.rlike("^(OBJECT|ARRAY)"), F.lit(False)) for kind in kinds]
    return F.when(_any(suspects), _any(found)).otherwise(F.lit(False))


def _any(conditions: list[Column]) -> Column:
    return reduce(lambda left, right: left | right, [F.coalesce(c, F.lit(False)) for c in conditions])


def _is_plain(name: str) -> bool:
    return not re.search(r"['\"\\\]]", name)


def _variant_path(path: _Path) -> str:
    return "$" + "".join(f"['{name}']" for name in path)
