"""What goes into an algorithm is checked before any work: every fault at once, in one aggregate."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, IntegralType, NumericType, StringType

from personalake.errors import ConfigError, DataError, Fault, near_miss

PAIR = ("person_id", "item_id")
# Where interactions were indexed when they were built, these ride along and are used instead of a new index.
INDEXES = ("person_index", "item_index")


def checked_interactions(interactions: DataFrame, check: bool = True) -> DataFrame:
    """The columns an algorithm reads, after a look at every row.

    Args:
        interactions: one row per person and item; reads person_id and item_id (string or integer), weight (> 0,
            finite), and person_index with item_index where both are there.
        check: whether to look at the rows; False trusts them and saves the job. The columns are always looked at.

    Returns:
        The same rows: person_id, item_id, weight (double), and the two indexes where both are there.

    Raises:
        DataError: a column is missing or mistyped, an id is null, a weight is null, NaN, infinite, zero or negative,
            a pair comes twice, or an index does not number the ids one to one. All of these at once.

    Cost:
        One job with one shuffle by pair; one more per index that is there.
    """
    faults = column_faults(interactions, (*PAIR, "weight"), "interactions")
    if faults:
        raise DataError(*faults)
    indexes = INDEXES if set(INDEXES) <= set(interactions.columns) else ()
    rows = interactions.select(*PAIR, F.col("weight").cast("double").alias("weight"), *indexes)
    if check:
        faults = [*_row_faults(rows, "interactions")]
        faults += [fault for name in indexes for fault in _index_faults(rows, name)]
        if faults:
            raise DataError(*faults)
    return rows


def checked_histories(histories: DataFrame, like: DataFrame, check: bool = True) -> DataFrame:
    """The columns that a fitted model reads of histories it was not fitted on, after a look at every row.

    Args:
        histories: one row per person and item; reads person_id, item_id, weight (> 0, finite).
        like: the interactions that the model was fitted on.
        check: whether to look at the rows; False trusts them and saves the job. The columns are always looked at.

    Returns:
        The same rows: person_id, item_id, weight (double).

    Raises:
        ConfigError: a column is missing or mistyped, or ids are of another kind than the model's.
        DataError: of the rows, what `checked_interactions` finds, all at once.

    Cost:
        One job with one shuffle by pair.
    """
    faults = column_faults(histories, (*PAIR, "weight"), "histories")
    if faults:
        raise ConfigError(*faults)
    check_ids(histories, PAIR, like, "histories")
    rows = histories.select(*PAIR, F.col("weight").cast("double").alias("weight"))
    faults = _row_faults(rows, "histories") if check else []
    if faults:
        raise DataError(*faults)
    return rows


def column_faults(frame: DataFrame, names: Iterable[str], where: str) -> list[Fault]:
    """Every named column that is missing, or is neither an id (`…_id`: string or integer) nor a number.

    Args:
        frame: the frame to look at; no job is run.
        names: columns it must have.
        where: what to call the frame in a fault.
    """
    types = {field.name: field.dataType for field in frame.schema.fields}
    faults = []
    for name in names:
        if name not in types:
            faults.append(Fault(f"{where}.{name}", "is missing.", near_miss(name, types)))
        elif name.endswith("_id") and not isinstance(types[name], StringType | IntegralType):
            faults.append(Fault(f"{where}.{name}", f"is {types[name].simpleString()}.", "Give a string or an integer."))
        elif not name.endswith("_id") and not isinstance(types[name], NumericType):
            faults.append(Fault(f"{where}.{name}", f"is {types[name].simpleString()}.", "Give a number."))
    return faults


def check_ids(frame: DataFrame, names: Iterable[str], like: DataFrame, where: str) -> None:
    """Refuse a frame whose id columns are missing or of another kind than those the model was fitted on.

    Args:
        frame: the frame to look at; no job is run.
        names: id columns it must have.
        like: the interactions that the model was fitted on.
        where: what to call the frame in a fault.

    Raises:
        ConfigError: with every fault at once.
    """
    faults = column_faults(frame, names, where)
    if not faults:
        kinds = [(name, frame.schema[name].dataType, like.schema[name].dataType) for name in names]
        faults = [
            Fault(f"{where}.{name}", f"is {ours.simpleString()}.", f"The model was fitted on {theirs.simpleString()}.")
            for name, ours, theirs in kinds
            if _kind(ours) is not _kind(theirs)
        ]
    if faults:
        raise ConfigError(*faults)


def check_limit(limit: int, where: str = "limit") -> None:
    """Refuse a list length below one.

    Raises:
        ConfigError: it is below one.
    """
    if limit < 1:
        raise ConfigError(Fault(where, f"is {limit}.", "Give 1 or more."))


def _kind(column_type: DataType) -> type:
    return StringType if isinstance(column_type, StringType) else IntegralType


def _row_faults(rows: DataFrame, frame: str) -> list[Fault]:
    weight = F.col("weight")
    endless = F.isnan(weight) | (F.abs(weight) == F.lit(float("inf")))
    looked_for: dict[str, tuple[Column, str, str]] = {
        "no_person": (F.col("person_id").isNull(), f"{frame}.person_id", "null"),
        "no_item": (F.col("item_id").isNull(), f"{frame}.item_id", "null"),
        "no_weight": (weight.isNull(), f"{frame}.weight", "null"),
        "endless": (endless, f"{frame}.weight", "NaN or infinite"),
        "too_small": (~endless & (weight <= 0), f"{frame}.weight", "zero or negative"),
    }
    counts = [F.count_if(found).alias(name) for name, (found, _, _) in looked_for.items()]
    sums = [F.sum(name).alias(name) for name in looked_for]
    pairs = rows.groupBy(*PAIR).agg(F.count(F.lit(1)).alias("copies"), *counts)
    found = pairs.agg(*sums, F.sum(F.col("copies") - 1).alias("repeated")).collect()[0]
    faults = [
        Fault(where, f"{found[name]} rows are {what}.", "Drop or mend them.")
        for name, (_, where, what) in looked_for.items()
        if found[name]
    ]
    if found["repeated"]:
        text = f"{found['repeated']} rows repeat a person and item."
        faults.append(Fault(frame, text, "Sum them to one row per pair first."))
    return faults


def _index_faults(rows: DataFrame, index: str) -> list[Fault]:
    name = index.replace("_index", "_id")
    pairs = rows.select(name, index).distinct()
    counts = [F.count(F.lit(1)), F.count_distinct(name), F.count_distinct(index)]
    found = pairs.agg(*(count.alias(f"count_{place}") for place, count in enumerate(counts))).first()
    if found is None or len(set(found)) == 1:
        return []
    return [Fault(f"interactions.{index}", f"does not number {name} one to one.", "Leave it out, or index again.")]
