"""A warehouse made by hand: the marts as dbt declares them, filled with a test's own rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import polars as pl
import yaml

from pipelines.declarations import Declarations
from pipelines.settings import DBT_PROJECT, SOURCES
from pipelines.warehouse.declared import declared_tables

_TYPES = {"string": "varchar"}


@cache
def declared_marts() -> dict[str, dict[str, str]]:
    """Columns and their DuckDB types of every mart in the warehouse, by table."""
    tables = declared_tables(Declarations(SOURCES), [])
    marts: dict[str, dict[str, str]] = {}
    for path in sorted((DBT_PROJECT / "models" / "marts").rglob("_*.yml")):
        properties = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for model in properties.get("models", ()):
            types = {
                column["name"]: column["data_type"]
                for column in model.get("columns", ())
                if "data_type" in column
            }
            declared = model.get("config", {}).get("meta", {}).get("declared")
            if declared:
                types |= {column.name: column.data_type for column in tables[declared].columns}
            if types:
                marts[model["name"]] = {
                    name: _TYPES.get(kind, kind) for name, kind in types.items()
                }
    return marts


def create_marts(connection: duckdb.DuckDBPyConnection) -> None:
    """The schema and every table, empty."""
    connection.execute("create schema marts")
    for table, columns in declared_marts().items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table marts.{table} ({listed})")


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Rows that name some of a table's columns; the others stay empty. Returns are reconciled."""
    if rows:
        # One frame: a thousand single inserts took nine seconds.
        frame = pl.from_dicts(list(rows), infer_schema_length=None)
        connection.register("rows_to_insert", frame.to_arrow())
        statement = f"insert into marts.{table} by name select * from rows_to_insert"  # noqa: S608
        connection.execute(statement)
        connection.unregister("rows_to_insert")
        if table == "fct_return":
            connection.execute(
                "insert into marts.fct_reconciliation by name select submission_id, sender_code, "
                "quarter, return_name, rows_accepted as rows_in_ledger, rows_accepted as "
                "rows_staged, rows_accepted as rows_measured, true as is_reconciled "
                "from marts.fct_return where status in ('accepted', 'nil')"
            )
