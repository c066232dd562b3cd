"""Which parts of an analysed expression stop a run on one bad value: Spark casts and reckons so by default (ANSI)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.ingest.bounds import INTEGERS, SUMS, children_of, fits, is_full, rounds_safely, type_of

# A column or a field of one: nothing that could fail.
_NAME = re.compile(r"[\w.]+|`[^`]+`(\.[\w.]+)?")
_DIVISION = {"Divide": "try_divide", "IntegralDivide": "try_divide", "Remainder": "try_mod", "Pmod": "try_mod"}
# What has no other mode than to fail, and what to write in its place.
_ALWAYS = {
    "ToNumber": "try_to_number",
    "MapFromArrays": "",
    "MapFromEntries": "",
    "MapConcat": "",
    "StringToMap": "",
    "TransformKeys": "",
    "Sequence": "",
    "StringDecode": "",
    "RaiseError": "",
    "AesDecrypt": "try_aes_decrypt",
    "UrlDecode": "try_url_decode",
    "FormatString": "concat",
    "ArrayInsert": "",
    "MakeInterval": "try_make_interval",
    "MakeDTInterval": "",
    "MillisToTimestamp": "time.format unix_millis",
    "SecondsToTimestamp": "time.format unix_seconds",
    "CreateMap": "",
    "ElementAt": "get",
}
_TWINS = {
    "Add": "try_add",
    "Subtract": "try_subtract",
    "Multiply": "try_multiply",
    "UnixTimestamp": "unix_seconds(try_to_timestamp(…))",
    "ToUnixTimestamp": "unix_seconds(try_to_timestamp(…))",
    "GetTimestamp": "try_to_timestamp",
    "ElementAt": "try_element_at",
    "GetArrayItem": "get",
    "UnaryMinus": "try_subtract(0, …)",
    "Abs": "greatest(…, try_subtract(0, …))",
    "ParseUrl": "try_parse_url",
    **_DIVISION,
    "MakeTimestamp": "try_make_timestamp",
}
_REGULAR = {"RLike", "RegExpExtract", "RegExpExtractAll", "RegExpReplace", "StringSplit", "RegExpInStr"}
_ZONED = {"FromUTCTimestamp", "ToUTCTimestamp", "ConvertTimezone"}


class Raising:
    """Looks for what raises in expressions over the columns of a frame; nothing is read."""

    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        catalyst = jvm.org.apache.spark.sql.catalyst.expressions
        self._cast = catalyst.Cast
        self._replaceable = jvm.java.lang.Class.forName(
            "org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable",
            True,
            jvm.java.lang.Thread.currentThread().getContextClassLoader(),
        )
        self._modes: dict[str, str] = {}

    def faults(self, frame: DataFrame, expression: str) -> list[tuple[str, str]]:
        """What in an expression fails on a bad value, and what to write in its place; empty where nothing does.

        Args:
            frame: has the columns.
            expression: one that can be analysed.
        """
        if _NAME.fullmatch(expression.strip()):
            return []
        plan: Any = frame.select(F.expr(expression))._jdf.queryExecution().analyzed()
        return list(dict.fromkeys(self._walk(plan.expressions().apply(0))))

    def _walk(self, node: Any) -> Iterator[tuple[str, str]]:
        name = node.nodeName()
        if name == "TryEval":
            return
        if self._replaceable.isInstance(node):
            is_known = name in _ALWAYS or name.startswith("XPath")
            yield from [_always(node)] if is_known else self._walk(node.replacement())
            return
        if fault := self._fault(node, name):
            yield fault
        for child in children_of(node):
            yield from self._walk(child)

    def _fault(self, node: Any, name: str) -> tuple[str, str] | None:
        if name in _ALWAYS and not _is_harmless(node, name):
            return _always(node)
        if name in _REGULAR | _ZONED and not all(child.foldable() for child in _patterns(node, name)):
            return f"{node.prettyName()} fails on a bad value.", "Write the pattern or zone out."
        if not self._is_strict(node, name):
            return None
        return self._cast_fault(node) if name == "Cast" else _mode_fault(node, name)

    def _cast_fault(self, node: Any) -> tuple[str, str] | None:
        child = children_of(node)[0]
        before, after = child.dataType(), node.dataType()
        is_safe = self._cast.canUpCast(before, after) or _never_fails(before.catalogString(), after.catalogString())
        if is_safe or node.foldable():
            return None
        wanted = after.catalogString()
        found = f"{child.sql()} is taken for {wanted}, which fails on a bad value."
        return found, f"Use try_cast({child.sql()} as {wanted})."

    def _is_strict(self, node: Any, name: str) -> bool:
        """Whether it is one of those that have a mode, and in the one that raises."""
        if name not in self._modes:
            self._modes[name] = next((m for m in ("evalMode", "failOnError", "ansiEnabled") if _has(node, m)), "")
        mode = self._modes[name]
        return bool(mode) and str(getattr(node, mode)()) in ("ANSI", "True")


def _has(node: Any, method: str) -> bool:
    try:
        getattr(node, method)()
    except Py4JError:
        return False
    return True


def _mode_fault(node: Any, name: str) -> tuple[str, str] | None:
    """What is wrong with a part that reckons in the mode that raises."""
    if name in _DIVISION:
        is_safe, found = _divides_safely(node), f"{node.sql()} fails where it divides by nothing."
    elif name in ("Round", "BRound"):
        is_safe, found = rounds_safely(node), f"{node.sql()} fails where it is too large."
    elif name in SUMS:
        is_safe, found = fits(node, name), f"{node.sql()} fails where it is too large."
    else:
        is_safe, found = False, f"{node.prettyName()} fails on a bad value."
    return None if is_safe else (found, _instead(_TWINS.get(name, "")))


def _divides_safely(node: Any) -> bool:
    divisor = children_of(node)[1]
    # The least whole number has no opposite.
    return divisor.foldable() and str(divisor.eval(None)) not in ("None", "0", "0.0", "-1") and not is_full(node)


def _always(node: Any) -> tuple[str, str]:
    return f"{node.prettyName()} fails on a bad value.", _instead(_ALWAYS.get(node.nodeName(), ""))


def _is_harmless(node: Any, name: str) -> bool:
    """Whether one of those that fail cannot, given what stands in it."""
    children = children_of(node)
    if name == "SecondsToTimestamp":
        return type_of(children[0]) != "bigint"
    if name == "CreateMap":
        return all(key.foldable() for key in children[::2])
    # Of an array the place nought is none.
    return name == "ElementAt" and (type_of(children[0]).startswith("map") or children[1].foldable())


def _instead(what: str) -> str:
    return f"Use {what}." if what else "Write it so that nothing in it can fail; what cannot be read may be null."


def _patterns(node: Any, name: str) -> list[Any]:
    """The arguments that must be valid whatever the record says."""
    children = children_of(node)
    return children[:-1] if name == "ConvertTimezone" else children[1:2]


def _never_fails(before: str, after: str) -> bool:
    numbers = {*INTEGERS, "float", "double"}
    is_number = before in numbers or before.startswith("decimal")
    moments = {"date", "timestamp", "timestamp_ntz"}
    return (
        after in ("string", "binary")
        or (is_number and after in ("float", "double", "boolean"))
        or (before in moments and after in moments)
    )
