"""Finished builds made in milliseconds, whose every figure is their number."""

from __future__ import annotations

import duckdb

from pipelines.settings import Settings

TABLES = ("fct", "later")


def make_build(settings: Settings, figure: int, rows: int = 3000) -> None:
    """A finished build as dbt leaves it: two tables of the same rows in each database."""
    settings.build.mkdir(parents=True, exist_ok=True)
    for name in ("warehouse", "restricted"):
        with duckdb.connect(str(settings.build / f"{name}.duckdb")) as connection:
            connection.execute("create schema marts")
            for table in TABLES:
                connection.execute(
                    f"create table marts.{table} as"  # noqa: S608
                    f" select {figure} as figure, hash(range + {figure}) as noise"
                    f" from range({rows})"
                )
