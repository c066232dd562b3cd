"""Probabilistic evidence: customers whose declared attributes are so alike that they may be one person.

The model is Fellegi and Sunter's (A Theory for Record Linkage, 1969) as Splink fits it: how often an attribute agrees
among pairs at random is counted, how often among pairs of one person is found by expectation maximisation.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, DataError, Fault
from personalake.identity.evidence import Evidence, with_consent, with_cut
from personalake.identity.links import CUT_NO_CONSENT, CUT_OPERATOR, USED
from personalake.identity.settings import Fuzzy
from personalake.tables.identity import LOGIN

ALIKE = "attributes_alike"
CUT_FUZZY = "cut_fuzzy"
PAIRS = pa.schema([("left_identifier", pa.string()), ("right_identifier", pa.string()), ("score", pa.float64())])
_KEY = "login_id"
_ENDS = ("left_kind", "left_identifier", "right_kind", "right_identifier")


def check_splink() -> None:
    """Tell at the start that the library is missing, not after an hour.

    Raises:
        ConfigError: it is not installed.
    """
    if importlib.util.find_spec("splink") is None:
        raise ConfigError(Fault("identity.fuzzy.is_on", "needs Splink.", "pip install 'personalake[fuzzy]'"))


def attribute_records(customers: DataFrame, settings: Fuzzy) -> DataFrame:
    """Customers with the attributes that are compared, as text.

    Args:
        customers: the columns of customers, one row per login.
        settings: attributes: a column of customers, or `attributes.NAME`.

    Returns:
        login_id, then a column per attribute; customers of whom none is known are left out.
    """
    named = {_column(name): _value(name).cast("string") for name in settings.attributes}
    some = F.coalesce(*named.values()).isNotNull()
    return customers.where(some).select(_KEY, *[value.alias(name) for name, value in named.items()])


def alike_pairs(files: Sequence[str], settings: Fuzzy) -> pa.Table:
    """Pairs of customers by how likely they are one person, found by Splink in DuckDB on this machine.

    DuckDB, not Spark: it needs no jar on the session's class path, spills to disk, and is done with a few million
    customers while Spark would still plan the hundred small queries of a fit.

    Args:
        files: Parquet files of `attribute_records`, on this machine.
        settings: how they are compared.

    Returns:
        left_identifier < right_identifier, score (match probability from least_score to 1, rounded to six digits),
        sorted; the same files in any order give the same rows.

    Raises:
        ConfigError: the files are not on this machine.
        DataError: more pairs than most_pairs agree on what they are blocked on.
    """
    if any("://" in file and not file.startswith("file:") for file in files):
        todo = "Turn it off, or run identity where warehouse.root is a folder."
        raise ConfigError(Fault("identity.fuzzy.is_on", "works on this machine's disk alone.", todo))
    if not files:
        return PAIRS.empty_table()
    import duckdb
    from splink import DuckDBAPI

    paths = [file.removeprefix("file://").removeprefix("file:") for file in files]
    # One thread and one order: sums of floats, and so scores, are the same every time.
    base = duckdb.connect(config={"threads": 1})
    base.execute("CREATE TABLE records AS SELECT * FROM read_parquet($1) ORDER BY login_id", [paths])
    ((count,),) = base.execute("SELECT count(*) FROM records").fetchall()
    if count < 2:
        return PAIRS.empty_table()
    _check_pairs(base, settings)
    api = DuckDBAPI(connection=base)
    linker = _fitted(api.register(base.table("records"), dataset_display_name="customers"), settings)
    linker.inference.predict(threshold_match_probability=settings.least_score).as_duckdbpyrelation().create("found")
    found = base.sql(
        f"""SELECT least({_KEY}_l, {_KEY}_r) AS left_identifier, greatest({_KEY}_l, {_KEY}_r) AS right_identifier,
                   round(max(match_probability), 6) AS score
            FROM found GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - a declared name only
    )
    table: pa.Table = found.to_arrow_table()
    return table.cast(PAIRS)


def fuzzy_links(pairs: DataFrame, seen: DataFrame, settings: Fuzzy, known: Evidence | None = None) -> DataFrame:
    """Pairs as links, kept apart from what was seen: a kind of evidence of its own, used only where conf says so.

    Args:
        pairs: left_identifier, right_identifier, score.
        seen: login_id and effective_at of customers.
        settings: join_from.
        known: what operators cut and people said; None: nothing.

    Returns:
        The columns of identity_links. state is used where join_from is set and reached, and neither an operator nor
        the want of consent cuts it; else cut_fuzzy.
    """
    said = known or Evidence()
    for side in ("left", "right"):
        since = seen.select(F.col(_KEY).alias(f"{side}_identifier"), F.col("effective_at").alias(f"_{side}_at"))
        pairs = pairs.join(since, [f"{side}_identifier"], how="inner")
    known_at = F.greatest("_left_at", "_right_at")
    is_used = F.lit(False) if settings.join_from is None else F.col("score") >= settings.join_from
    named = pairs.withColumns({"left_kind": F.lit(LOGIN), "right_kind": F.lit(LOGIN), "evidence_kind": F.lit(ALIKE)})
    heard = with_consent(with_cut(named, said.cuts), said.words, said.needs_word)
    state = F.when(F.col("_is_cut"), F.lit(CUT_OPERATOR)).when(~F.col("_may_link"), F.lit(CUT_NO_CONSENT))
    return heard.select(
        F.sha2(F.concat_ws("\u001f", *_ENDS, "evidence_kind"), 256).alias("link_id"),
        *_ENDS,
        "evidence_kind",
        F.col("score").alias("strength_score"),
        F.lit(None).cast("bigint").alias("weighed_count"),
        F.lit(None).cast("bigint").alias("visit_count"),
        F.lit(0).cast("bigint").alias("event_count"),
        known_at.alias("first_at"),
        known_at.alias("last_at"),
        state.when(is_used, F.lit(USED)).otherwise(F.lit(CUT_FUZZY)).alias("state"),
    )


def _check_pairs(base: Any, settings: Fuzzy) -> None:
    """Blocks that are too large are told before they are compared."""
    for rule in settings.block_on:
        columns = ", ".join(_column(name) for name in rule)
        present = " AND ".join(f"{_column(name)} IS NOT NULL" for name in rule)
        query = f"SELECT sum(n * (n - 1) // 2) FROM (SELECT count(*) n FROM records WHERE {present} GROUP BY {columns})"  # noqa: S608 - declared names only
        ((pairs,),) = base.execute(query).fetchall()
        if (pairs or 0) > settings.most_pairs:
            text = f"{' and '.join(rule)} agree in {int(pairs):,} pairs of customers."
            todo = "Block on more attributes at once, or raise identity.fuzzy.most_pairs."
            raise DataError(Fault("identity.fuzzy.block_on", text, todo))


def _fitted(records: Any, settings: Fuzzy) -> Any:
    """The model, fitted on the records themselves: no truth is needed."""
    import splink.comparison_library as compare
    from splink import Linker, SettingsCreator, block_on

    # It tells of every level it could not train; what matters of that ends in the scores.
    logging.getLogger("splink").setLevel(logging.ERROR)
    kinds = {
        "exact": lambda name: compare.ExactMatch(name).configure(term_frequency_adjustments=True),
        "similar": lambda name: compare.JaroWinklerAtThresholds(name, [0.92, 0.8]),
    }
    rules = [block_on(*[_column(name) for name in rule]) for rule in settings.block_on]
    creator = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=_KEY,
        comparisons=[kinds[how](_column(name)) for name, how in settings.attributes.items()],
        blocking_rules_to_generate_predictions=rules,
        probability_two_random_records_match=settings.prior,
    )
    linker = Linker(records, creator, log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=settings.most_pairs, seed=settings.seed)
    for rule in rules:
        _fit_agreement(linker, rule)
    return linker


def _fit_agreement(linker: Any, rule: Any) -> None:
    """How often attributes agree among pairs of one person, from the pairs of one block_on."""
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    except ValueError as error:  # a probability that runs to nothing
        text = "the model cannot be fitted: in the pairs of one block_on an attribute hardly ever agrees."
        raise DataError(Fault("identity.fuzzy", text, "Block on other attributes, or leave that one out.")) from error


def _column(name: str) -> str:
    return name.replace(".", "_")


def _value(name: str) -> Column:
    kept, _, entry = name.partition(".")
    return F.try_element_at(F.col(kept), F.lit(entry)) if entry else F.col(kept)
