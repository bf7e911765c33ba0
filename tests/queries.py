"""What tests ask of a database."""

from __future__ import annotations

from typing import Any

import duckdb


def first_row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """The first row of a query that has to find one."""
    row = result.fetchone()
    assert row is not None, "the query found no row"
    return row
