"""Identifiers as an end of links."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def end_of(side: str) -> list[str]:
    """The columns of links that name the end on a side, left or right."""
    return [f"{side}_kind", f"{side}_identifier"]


def as_end(identifiers: DataFrame, side: str, *more: Column) -> DataFrame:
    """Identifiers under the names they have as an end of links.

    Args:
        identifiers: reads identifier_kind, identifier.
        side: left or right.
        more: further columns to keep.

    Returns:
        The columns of `end_of`, and the further ones.
    """
    kind, name = end_of(side)
    return identifiers.select(F.col("identifier_kind").alias(kind), F.col("identifier").alias(name), *more)
