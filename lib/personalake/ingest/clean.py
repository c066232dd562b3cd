"""Cleaning of single values: texts, numbers as people write them, currencies, gaps that a constant fills."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.cleaning import Number, TestAccounts, TextStep
from personalake.ingest.source import Source

# A sign, a currency's sign or code, digits in groups of three or in a row, a decimal part, the same again behind.
_NUMBER = (
    r"^[\s\u00a0]*(?:[-+\u2212(][\s\u00a0]*)?(?:{unit}[\s\u00a0]*)?[-+\u2212]?(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)"
    r"(?:{decimal}\d*)?[\s\u00a0]*(?:{unit})?[\s\u00a0]*[-)]?[\s\u00a0]*$"
)
_UNIT = r"[^\d\s.,()+\u2212-]{1,4}"
_GROUPS = {".": r"[,'\u2019 \u00a0\u202f]", ",": r"[.'\u2019 \u00a0\u202f]"}
_SIGNS = r"[\d\s.,'\u2019()+\u2212\u00a0\u202f-]"


def cleaned_text(text: Column, steps: Sequence[TextStep]) -> Column:
    """A text after some steps, in their order; null where nothing is left."""
    for step in steps:
        if step == "trim":
            text = F.regexp_replace(text, r"^[\s\u00a0\u3000]+|[\s\u00a0\u3000]+$", "")
        elif step == "squeeze":
            text = F.regexp_replace(text, r"[\s\u00a0\u3000]+", " ")
        else:
            text = F.lower(text) if step == "lower" else F.upper(text)
    return F.when(text != "", text)


def parsed_number(text: Column, number: Number, is_whole: bool) -> Column:
    """A number as people write it: groups of digits, either decimal sign, a currency before or behind, (1.00) or 1.00-.

    Args:
        text: as it was sent.
        number: how it is written.
        is_whole: whether parts are rounded away (half up) once the factor was applied.

    Returns:
        decimal or double; null where the text is no such number, or has more digits than a decimal holds.
    """
    decimal = re.escape(number.decimal)
    pattern = _NUMBER.format(unit=_UNIT, group=_GROUPS[number.decimal], decimal=decimal)
    digits = F.regexp_replace(text, rf"[^\d{decimal}]", "")
    plain = F.regexp_replace(digits, decimal, ".")
    amount = plain.try_cast("decimal(28,6)") * F.lit(number.factor).cast("decimal(18,6)")
    is_negative = text.rlike(r"[-\u2212(]")
    signed = F.when(is_negative, -amount).otherwise(amount)
    return F.when(text.rlike(pattern), F.round(signed) if is_whole else signed.cast("double"))


def currency_word(text: Column) -> Column:
    """What of a text may name a currency: all but the amount."""
    return F.regexp_replace(text, _SIGNS, "")


def iso_currency(text: Column, currencies: Mapping[str, str]) -> Column:
    """The ISO 4217 code of a currency that is told by code, sign or name, also beside an amount (`12,90 €`)."""
    word = currency_word(text)
    pairs = [F.lit(part) for pair in currencies.items() for part in pair]
    known = F.try_element_at(F.create_map(*pairs), word)
    return F.coalesce(known, F.when(word.rlike("^[A-Za-z]{3}$"), F.upper(word)))


def with_fills(targets: Mapping[str, Column], source: Source) -> list[Column]:
    """Target columns by name, with constants in their gaps; filled_fields tells which."""
    gaps = {name: fill.default for name, fill in source.fill.items() if fill.default is not None}
    if not gaps:
        return [column.alias(name) for name, column in targets.items()]
    names = F.array_compact(F.array(*[F.when(targets[name].isNull(), F.lit(name)) for name in sorted(gaps)]))
    filled = {name: F.coalesce(targets[name], F.lit(constant)) for name, constant in gaps.items()}
    if "filled_fields" in targets:
        filled["filled_fields"] = F.when(F.size(names) > 0, names)
    return [filled.get(name, column).alias(name) for name, column in targets.items()]


def account_expression(source: Source) -> str:
    """The raw expression of the identifier that tells testers from others."""
    field = source.test_accounts.field if source.test_accounts else "login_id"
    group, _, kind = field.partition(".")
    return source.identifiers[kind] if group == "identifiers" else source.fields[field]


def is_test_account(raw: Column, accounts: TestAccounts) -> Column:
    """Whether a raw value names a tester."""
    found = raw.isin(*accounts.values) if accounts.values else F.lit(False)
    if accounts.pattern:
        found = found | raw.rlike(accounts.pattern)
    return F.coalesce(found, F.lit(False))
