"""The words of a text."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_SHORTEST, _LONGEST = 2, 40
_LONG_NUMBER = r"\d{5}"
"""A number this long may be a telephone's or an account's: nobody's taste."""


def words_of(text: str) -> Column:
    """The distinct words of a column in small letters: runs of letters and digits; null where the text is.

    Words of one letter, words longer than 40 and those with five digits in a row are left out. A script without spaces
    gives its phrases whole.
    """
    words = F.split(F.lower(text), r"[^\p{L}\p{M}\p{N}]+")
    return F.array_distinct(
        F.filter(words, lambda w: F.length(w).between(_SHORTEST, _LONGEST) & ~w.rlike(_LONG_NUMBER))
    )
