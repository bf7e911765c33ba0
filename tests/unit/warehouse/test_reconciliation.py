"""No file leaves a warehouse that has lost a row, or does not say whether it has."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.warehouse.published import WarehouseError
from pipelines.warehouse.reconciliation import refuse_unless_reconciled
from tests.unit.marts_made import create_marts, insert


@pytest.fixture
def marts():
    with duckdb.connect() as connection:
        create_marts(connection)
        of = {"sender_code": "W06000001", "quarter": "2020-21-Q1", "return_name": "child"}
        returns = [
            of | {"submission_id": "S1", "status": "accepted", "rows_accepted": 9},
            of | {"submission_id": "S2", "status": "nil", "rows_accepted": 0},
            of | {"submission_id": None, "status": "missing", "rows_accepted": None},
        ]
        insert(connection, "fct_return", returns)
        yield connection


def test_a_warehouse_with_every_row_is_used(marts) -> None:
    refuse_unless_reconciled(marts)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("drop table marts.fct_reconciliation", "no table marts.fct_reconciliation"),
        ("delete from marts.fct_reconciliation", "0 of 9 child rows of S1"),
        (
            "update marts.fct_reconciliation set rows_measured = 8, is_reconciled = false "
            "where submission_id = 'S1'",
            "8 of 9 child rows of S1",
        ),
    ],
)
def test_one_that_lacks_a_row_or_does_not_say_is_refused(marts, statement, words) -> None:
    marts.execute(statement)
    with pytest.raises(WarehouseError, match=words) as refused:
        refuse_unless_reconciled(marts)
    assert "adoption build" in str(refused.value)
