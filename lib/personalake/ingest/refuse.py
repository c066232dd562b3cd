"""Why a record is refused: the first reason that holds, as a code and in words that quote nothing."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.clean import account_expression, is_test_account
from personalake.ingest.readers import MALFORMED, MODIFIED
from personalake.ingest.source import ENTITY_TIME, Source
from personalake.ingest.unread import REVISION, sent, typed_targets

REASONS = {
    "ING-001": "The record cannot be parsed as the source declares it (cut off, or a value of another type).",
    "ING-002": "The time cannot be read, or lies outside the allowed years.",
    "ING-003": "The verb is not among the source's event_types.",
    "ING-004": "A required field is missing.",
    "ING-005": "A value lies outside its allowed range.",
    "ING-006": "Neither a device nor a login is named.",
    "ING-007": "A consent has a state other than granted, denied or withdrawn.",
    "ING-008": "The account is one of testers.",
    "ING-009": "The source's YAML refuses it.",
    "ING-010": "A value is sent that cannot be read as what its column holds.",
}
_JUDGED, _SENT = "_judged_", "_sent_"
_IS_TEST = "_is_test"
_NUMBER = "is no number that its column holds"
_KINDS = {
    "int": _NUMBER,
    "bigint": _NUMBER,
    "double": _NUMBER,
    "boolean": "is neither true nor false",
    "timestamp": "is no time",
    "date": "is no date",
}


def refusal(source: Source, earliest: date, latest: date) -> Column:
    """The first reason to refuse a mapped record, or null.

    Args:
        source: what the record should be.
        earliest: first allowed day [UTC].
        latest: first day no longer allowed [UTC].

    Returns:
        A struct of `code` and `reason`; null where the record is good. Reads the mapped columns and `_is_malformed`.
    """
    checks = [_check(F.col(MALFORMED), "ING-001")]
    time = F.col(ENTITY_TIME[source.entity])
    if source.time is not None:
        first = max(earliest, source.time.earliest or earliest)
        in_years = (time >= F.lit(first).cast("timestamp")) & (time < F.lit(latest).cast("timestamp"))
        if source.time.ahead_seconds is not None:
            ahead = F.unix_micros(time) - F.unix_micros(F.col(MODIFIED))
            in_years = in_years & (ahead <= source.time.ahead_seconds * 1_000_000)
        checks.append(_check(~F.coalesce(in_years, F.lit(False)), "ING-002"))
    if source.entity == "event":
        checks.append(_check(F.col("event_type").isNull(), "ING-003"))
    checks += [_missing(name, F.lit(True)) for name in _always_required(source)]
    checks += [_missing(name, F.col("event_type").isin(*types)) for name, types in source.required_for.items()]
    checks += [_out_of_range(name, bounds.min, bounds.max) for name, bounds in source.ranges.items()]
    checks += [_not_allowed(name, values) for name, values in source.allowed.items()]
    if source.entity == "event":
        nobody = F.col("device_id").isNull() & F.col("login_id").isNull()
        checks.append(_check(nobody, "ING-006"))
    if source.entity == "consent":
        checks.append(_check(~F.col("state").isin("granted", "denied", "withdrawn"), "ING-007"))
    if source.test_accounts is not None and source.test_accounts.then == "refuse":
        checks.append(_check(F.col(_IS_TEST), "ING-008"))
    checks += [_check(F.col(f"{_JUDGED}{n}"), "ING-009", f"{words}.") for n, words in enumerate(source.refuse)]
    checks += [_unread(source, name) for name in typed_targets(source)]
    return F.coalesce(*checks)


def judged(source: Source) -> list[Column]:
    """What `refusal` needs to know of the raw columns, as columns beside the mapped ones."""
    told = [F.coalesce(F.expr(e), F.lit(False)).alias(f"{_JUDGED}{n}") for n, e in enumerate(source.refuse.values())]
    told += [sent(source, name).alias(f"{_SENT}{name}") for name in typed_targets(source)]
    if source.test_accounts is not None:
        raw = F.expr(account_expression(source)).cast("string")
        told.append(is_test_account(raw, source.test_accounts).alias(_IS_TEST))
    return told


def _always_required(source: Source) -> tuple[str, ...]:
    keys = {"item": ("item_id",), "customer": ("login_id",), "consent": ("identifier", "purpose", "state")}
    return tuple(dict.fromkeys((*keys.get(source.entity, ()), *source.required)))


def _check(fails: Column, code: str, reason: str = "") -> Column:
    return F.when(fails, F.struct(F.lit(code).alias("code"), F.lit(reason or REASONS[code]).alias("reason")))


def _missing(name: str, applies: Column) -> Column:
    return _check(F.col(name).isNull() & applies, "ING-004", f"The required field {name} is missing.")


def _unread(source: Source, name: str) -> Column:
    """A value that is there in the record and not in the row. Of a currency only the record tells: gaps are filled."""
    is_sent = F.col(f"{_SENT}{name}")
    if name == "currency":
        return _check(is_sent, "ING-010", "currency is none of those that are known.")
    if name == REVISION:
        return _check(is_sent & F.col("_revision").isNull(), "ING-010", "revision is no whole number and no time.")
    kind = _KINDS.get(source.table[name].type.simpleString(), "cannot be read")
    return _check(is_sent & F.col(name).isNull(), "ING-010", f"{name} {kind}.")


def _not_allowed(name: str, values: tuple[str, ...]) -> Column:
    return _check(~F.col(name).isin(*values), "ING-005", f"{name} is none of its allowed values.")


def _out_of_range(name: str, low: float | None, high: float | None) -> Column:
    bounds = [F.col(name) < low] if low is not None else []
    bounds += [F.col(name) > high] if high is not None else []
    outside = reduce(lambda a, b: a | b, bounds, F.lit(False))
    words = " and ".join(
        text
        for text, bound in (
            (f"at least {_said(low)}" if low is not None else "", low),
            (f"at most {_said(high)}" if high is not None else "", high),
        )
        if bound is not None
    )
    return _check(outside, "ING-005", f"{name} lies outside its allowed range ({words}).")


def _said(bound: float) -> str:
    return f"{bound:.0f}" if bound == int(bound) else f"{bound:g}"
