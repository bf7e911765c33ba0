"""Random small tables: what is protected passes its audit, and the audit is not easily pleased."""

from __future__ import annotations

import polars as pl
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.disclosure.audit import audit
from pipelines.disclosure.protection import protect
from tests.unit.disclosure.attackers import (
    enumeration_attack,
    linear_attack,
    primary_only,
    shown_numbers,
    told,
)
from tests.unit.disclosure.tables_made import Q1, Q2, Tables, counted, rules

QUICK = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SMALL = st.integers(0, 12)


def control(cells: pl.DataFrame, smallest: int) -> pl.DataFrame:
    small = (pl.col("value") > 0) & (pl.col("value") < smallest)
    return cells.with_columns(
        pl.when(~small).then("value").alias("shown"),
        pl.when(small).then(pl.lit("c")).alias("symbol"),
    ).drop("value")


@QUICK
@given(st.lists(SMALL, min_size=16, max_size=16))
def test_protected_tables_pass_the_audit_and_withstand_the_linear_attack(numbers):
    places = ("a", "b", "c", "d")
    counts = {}
    for n, quarter in enumerate((Q1, Q2)):
        rows = {p: tuple(numbers[8 * n + 2 * i : 8 * n + 2 * i + 2]) for i, p in enumerate(places)}
        counts |= counted(rows, quarter=quarter)
    schemes = {
        "nation": {"regions": ("north", "south")},
        "north": {"senders": ("a", "b")},
        "south": {"senders": ("c", "d")},
    }
    tables = Tables(counts, schemes, windows=("quarter", "year_to_date"))
    cells, relations = tables.cells(Q2), tables.relations(Q2)
    found = protect(cells, relations, rules())
    report = audit(cells, found.cells, relations, rules())
    assert report.passed, report.failures
    assert not told(linear_attack(tables, shown_numbers(found.cells)))


@QUICK
@given(st.lists(st.integers(0, 6), min_size=4, max_size=4), st.integers(2, 4))
def test_the_audit_fails_whenever_brute_force_recovers_a_cell(numbers, smallest):
    tables = Tables(
        counted({"a": tuple(numbers[:2]), "b": tuple(numbers[2:])}),
        {"nation": {"senders": ("a", "b")}},
    )
    cells, relations = tables.cells(Q1), tables.relations(Q1)
    shown = primary_only(cells, smallest)
    recovered = [
        key for key, values in enumeration_attack(tables, shown, most=8).items() if len(values) == 1
    ]
    assume(recovered)
    report = audit(cells, control(cells, smallest), relations, rules(smallest_shown=smallest))
    assert not report.passed


@QUICK
@given(st.lists(SMALL, min_size=6, max_size=6))
def test_the_answer_does_not_depend_on_the_order_of_the_rows_nor_on_threads(numbers):
    tables = Tables(
        counted({"a": tuple(numbers[:2]), "b": tuple(numbers[2:4]), "c": tuple(numbers[4:])}),
        {"nation": {"senders": ("a", "b", "c")}},
    )
    cells, relations = tables.cells(Q1), tables.relations(Q1)
    one = protect(cells, relations, rules())
    other = protect(cells.reverse(), relations, rules(), threads=2)
    assert one.cells.equals(other.cells)


@QUICK
@given(st.lists(st.integers(0, 40), min_size=6, max_size=6))
def test_rounded_numbers_are_multiples_of_the_base_next_to_the_truth(numbers):
    tables = Tables(
        counted({"a": tuple(numbers[:2]), "b": tuple(numbers[2:4]), "c": tuple(numbers[4:])}),
        {"nation": {"senders": ("a", "b", "c")}},
    )
    rounding = rules(
        method="round", rounding=[{"kinds": ["authority", "region", "nation"], "base": 5}]
    )
    cells, relations = tables.cells(Q1), tables.relations(Q1)
    found = protect(cells, relations, rounding)
    shown = found.cells["shown"]
    assert ((shown % 5) == 0).all()
    assert ((shown - cells.sort(found.cells.columns[:6])["value"]).abs() < 5).all()
