"""Figures that a change is waiting for are provisional, at every place alike."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from pipelines.quarters import Quarter
from pipelines.release.from_warehouse import without_changes

Q2 = Quarter(2020, 2)


@pytest.mark.parametrize(
    ("quarter", "marked"),
    [
        ("2020-21-Q2", {"quarter", "year_to_date", "rolling_4", "rolling_12"}),
        ("2020-21-Q1", {"year_to_date", "rolling_4", "rolling_12"}),
        ("2019-20-Q4", {"rolling_4", "rolling_12"}),
        ("2015-16-Q4", set()),
    ],
)
def test_windows_with_the_quarter_of_a_change_are_marked(quarter: str, marked: set[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_indicator as select * from (values ('PLACED', 'placed', null),"
            " ('SHARE', 'in_time', 'placed'), ('ENQUIRED', 'enquired', null))"
            " as t (indicator_id, numerator, denominator)"
        )
        waiting = pl.DataFrame({"measure": ["placed"], "quarter": [quarter]})
        found = without_changes(connection, Q2, waiting)
        assert set(found.rows()) == {(one, w) for one in ("PLACED", "SHARE") for w in marked}
        assert without_changes(connection, Q2, None).is_empty()
