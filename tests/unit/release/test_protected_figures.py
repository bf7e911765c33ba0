"""Protected cells become figures: numbers, flags in the body's own signs, notes."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from pipelines.disclosure.protection import Protected
from pipelines.quarters import Quarter
from pipelines.release.content import check_figures
from pipelines.release.protected_figures import figures_of
from tests.unit.disclosure.tables_made import rules

Q4 = Quarter.parse("2020-21-Q4")
NATION = "W92000004"
RULES = rules(symbols={"suppressed": "*", "not_available": ":", "not_applicable": "-", "low": "~"})


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    opened.execute("create schema marts")
    opened.execute(
        "create table marts.dim_place as select * from (values ('W92000004', 'W92000004'),"
        " ('W06000014', 'W92000004'), ('E06000023', 'E92000001')) as t(place_code, nation_code)"
    )
    opened.execute(
        "create table marts.dim_indicator as select * from (values"
        " ('COUNT', 'placed', null, 'children', 0),"
        " ('SHARE', 'in_time', 'placed', 'percent', 1),"
        " ('WAIT', 'days', 'placed', 'days', 0))"
        " as t(indicator_id, numerator, denominator, unit, rounding)"
    )
    opened.execute(
        "create table marts.fct_indicator as select indicator_id, place_code,"
        " '2020-21-Q4' as quarter, 'quarter' as window_name, 'total' as breakdown,"
        " 'at_the_time' as membership_basis from marts.dim_indicator"
        " cross join marts.dim_place"
    )
    opened.execute(
        "create table marts.fct_indicator_break as select 'COUNT' as indicator_id,"
        " 'W06000014' as place_code, '2020-21-Q4' as quarter, 'quarter' as window_name,"
        " 'at_the_time' as membership_basis"
    )
    return opened


def _cells(*rows: tuple[str, str, str, int | None, str | None]) -> pl.DataFrame:
    """measure, place, part, shown, symbol."""
    return pl.DataFrame(
        [
            (measure, place, "sex" if part != "total" else "total", part, shown, symbol)
            for measure, place, part, shown, symbol in rows
        ],
        schema={
            **dict.fromkeys(("measure", "place", "breakdown", "part"), pl.String),
            "shown": pl.Int64,
            "symbol": pl.String,
        },
        orient="row",
    ).with_columns(
        pl.lit("quarter").alias("window"), pl.lit(Q4.label).alias("quarter"), reason=pl.lit("")
    )


def _protected() -> Protected:
    ratios = pl.DataFrame(
        [
            ("SHARE", NATION, "total", "total", 62.5, None),
            ("SHARE", NATION, "sex", "female", None, "~"),
            ("SHARE", "W06000014", "total", "total", None, "*"),
            ("WAIT", NATION, "total", "total", 241.0, None),
            ("WAIT", "W06000014", "total", "total", None, "-"),
        ],
        schema={
            **dict.fromkeys(("indicator_id", "place", "breakdown", "part"), pl.String),
            "shown": pl.Float64,
            "symbol": pl.String,
        },
        orient="row",
    ).with_columns(pl.lit("quarter").alias("window"), pl.lit(Q4.label).alias("quarter"))
    cells = _cells(
        ("placed", NATION, "total", 80, None),
        ("placed", NATION, "female", 45, None),
        ("placed", "W06000014", "total", None, "*"),
        ("in_time", NATION, "total", 50, None),
        ("in_time", NATION, "female", None, ":"),
        ("days", NATION, "total", None, None),
        ("unused", NATION, "total", 7, None),
    )
    return Protected(cells=cells, ratios=ratios, report={})


def _found(connection) -> dict[tuple[str, str, str, str], tuple[float | None, str | None, int]]:
    figures = figures_of(connection, NATION, Q4, _protected(), RULES)
    check_figures(figures)
    return {
        (row["indicator_id"], row["component"], row["place_code"], row["breakdown_value"]): (
            row["number"],
            row["flag"],
            row["decimals"],
        )
        for row in figures.iter_rows(named=True)
    }


def test_an_indicator_shows_its_counts_and_what_they_make(connection) -> None:
    found = _found(connection)
    assert found["COUNT", "value", NATION, "total"] == (80.0, None, 0)
    assert found["COUNT", "value", NATION, "female"] == (45.0, None, 0)
    assert found["SHARE", "value", NATION, "total"] == (62.5, None, 1)
    assert found["SHARE", "numerator", NATION, "total"] == (50.0, None, 0)
    assert found["SHARE", "denominator", NATION, "total"] == (80.0, None, 0)
    assert found["WAIT", "value", NATION, "total"] == (241.0, None, 0)
    assert found["WAIT", "denominator", NATION, "total"] == (80.0, None, 0)


def test_a_sum_of_days_is_never_a_figure(connection) -> None:
    assert not [key for key in _found(connection) if key[:2] == ("WAIT", "numerator")]


def test_the_signs_of_a_body_become_the_flags_of_every_form(connection) -> None:
    found = _found(connection)
    assert found["COUNT", "value", "W06000014", "total"][:2] == (None, "c")
    assert found["SHARE", "value", "W06000014", "total"][:2] == (None, "c")
    assert found["SHARE", "numerator", NATION, "female"][:2] == (None, "x")
    assert found["SHARE", "value", NATION, "female"][:2] == (None, "low")
    assert found["WAIT", "value", "W06000014", "total"][:2] == (None, "z")


def test_what_no_indicator_asks_for_is_not_published(connection) -> None:
    assert {key[0] for key in _found(connection)} == {"COUNT", "SHARE", "WAIT"}
    assert not [key for key in _found(connection) if key[2] == "E06000023"]


def test_a_break_in_series_is_a_note_of_the_figures_it_concerns(connection) -> None:
    figures = figures_of(connection, NATION, Q4, _protected(), RULES)
    noted = figures.filter(pl.col("notes") == "b").select("indicator_id", "place_code").unique()
    assert noted.rows() == [("COUNT", "W06000014")]
