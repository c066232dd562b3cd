"""Making tables and views known by name in a session."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import SparkSession

from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.tables.catalog import ALL as TABLES
from personalake.views.definitions import ALL as VIEWS
from personalake.views.spec import View

DATABASE = "personalake"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Registered:
    """What a session now knows by name.

    Args:
        tables: tables known by name.
        views: views known by name.
        missing: what was asked for and left out: a table or view, and the tables it waits for.
    """

    tables: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)


def all_names() -> tuple[str, ...]:
    """Every table and view there is."""
    return (*TABLES, *VIEWS)


def mentioned_in(query: str) -> set[str]:
    """The tables and views whose names occur in a query, with everything they read; all of them for SHOW.

    Args:
        query: SQL; words in comments and literals count too, which costs time and nothing else.
    """
    words = _WORD.findall(query.lower())
    if words[:1] == ["show"]:
        return set(all_names())
    return closure(word for word in words if word in TABLES or word in VIEWS)


def closure(names: Iterable[str]) -> set[str]:
    """The names, and all tables and views that they read."""
    found = set(names)
    for view in reversed(VIEWS.values()):
        if view.name in found:
            found |= {*view.views, *view.tables}
    return found


def register(
    spark: SparkSession, root: str, names: Iterable[str] | None = None, database: str = DATABASE
) -> Registered:
    """Make tables and views known by name and their database the current one.

    Tables become external tables at their folders; a view is made when all it reads is there. A name that a catalogue
    already holds for another folder is pointed at this one.

    Args:
        spark: the session.
        root: warehouse.root, a folder or URI.
        names: tables and views to register, with what they read; None: all of them.
        database: created where it is missing.

    Returns:
        What is known now, and what is left out because tables have not been written yet.

    Raises:
        ConfigError: a name is no table and no view.
        DataError: the catalogue holds a managed table of such a name.

    Cost:
        Catalogue calls, no job: about 0.1 s a table and view, so a console registers only what a query mentions.
    """
    wanted = closure(all_names() if names is None else names)
    if unknown := sorted(wanted - set(all_names())):
        raise ConfigError(*(Fault(name, "is no table or view.", near_miss(name, all_names())) for name in unknown))
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)}")
    spark.sql(f"USE {_quoted(database)}")
    there = _written_tables(spark, root)
    tables = tuple(name for name in TABLES if name in wanted & there)
    for name in tables:
        _register_table(spark, database, name, posixpath.join(root, name))
    missing: dict[str, tuple[str, ...]] = {name: (name,) for name in TABLES if name in wanted - there}
    views = []
    for view in (view for view in VIEWS.values() if view.name in wanted):
        if absent := tuple(name for name in TABLES if name in closure([view.name]) - there):
            missing[view.name] = absent
        else:
            spark.sql(view_ddl(view, database))
            views.append(view.name)
    return Registered(tables, tuple(views), missing)


def view_ddl(view: View, database: str = DATABASE) -> str:
    """The statement that creates a view, with its comments."""
    columns = ",\n  ".join(f"{_quoted(name)} COMMENT {_literal(comment)}" for name, comment in view.columns)
    name = f"{_quoted(database)}.{_quoted(view.name)}"
    return f"CREATE OR REPLACE VIEW {name} (\n  {columns}\n) COMMENT {_literal(view.comment)} AS {view.sql}"


def _register_table(spark: SparkSession, database: str, name: str, path: str) -> None:
    full = f"{_quoted(database)}.{_quoted(name)}"
    if spark.catalog.tableExists(f"{database}.{name}"):
        held = {row["col_name"]: row["data_type"] for row in spark.sql(f"DESCRIBE TABLE EXTENDED {full}").collect()}
        if _same_place(spark, held.get("Location", ""), path):
            return
        if held.get("Type") != "EXTERNAL":
            raise DataError(
                Fault(f"{database}.{name}", "is a managed table of the catalogue.", f"Rename it; ours is at {path}.")
            )
        spark.sql(f"DROP TABLE {full}")
    spark.sql(f"CREATE TABLE {full} USING DELTA LOCATION {_literal(_full_path(spark, path))}")


def _written_tables(spark: SparkSession, root: str) -> set[str]:
    """The declared tables that have a Delta log under root; one listing, and one look per folder."""
    jvm: Any = spark._jvm
    folder = jvm.org.apache.hadoop.fs.Path(root)
    files = folder.getFileSystem(_hadoop_conf(spark))
    if not files.exists(folder):
        return set()
    names = {status.getPath().getName() for status in files.listStatus(folder) if status.isDirectory()}
    return {
        name
        for name in names & set(TABLES)
        if files.exists(jvm.org.apache.hadoop.fs.Path(posixpath.join(root, name, "_delta_log")))
    }


def _same_place(spark: SparkSession, left: str, right: str) -> bool:
    return bool(left) and _full_path(spark, left) == _full_path(spark, right)


def _full_path(spark: SparkSession, path: str) -> str:
    jvm: Any = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    return str(place.getFileSystem(_hadoop_conf(spark)).makeQualified(place).toString())


def _hadoop_conf(spark: SparkSession) -> Any:
    context: Any = spark.sparkContext
    return context._jsc.hadoopConfiguration()


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
