"""The example written beside each indicator gives the answer written beside it."""

from __future__ import annotations

import pytest

from pipelines.declarations import Declarations, Indicator
from pipelines.settings import SOURCES

INDICATORS = list(Declarations(SOURCES).indicators.values())


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.id)
def test_the_warehouse_gives_the_worked_answer(warehouse, indicator: Indicator) -> None:
    example = indicator.example
    figures = warehouse.query(
        """
        select window_name, numerator, denominator, value, value_rounded, definition_status
        from marts.fct_indicator
        where indicator_id = ? and place_code = ? and quarter = ?
            and membership_basis = 'at_the_time' and window_name <> 'financial_year'
        """,
        indicator.id,
        f"EXAMPLE_{indicator.id}",
        example.quarter.label,
    )
    assert {figure["window_name"] for figure in figures} == set(indicator.windows)
    for figure in figures:
        assert figure["numerator"] == example.numerator
        assert figure["denominator"] == example.denominator
        assert figure["value"] == pytest.approx(example.value, abs=0.0001)
        assert figure["value_rounded"] == pytest.approx(
            example.value, abs=0.51 / 10**indicator.rounding
        )
        assert figure["definition_status"] == indicator.status


def test_an_indicator_of_a_known_measure_is_added_with_one_file(warehouse) -> None:
    figures = warehouse.query(
        "select window_name, value from marts.fct_indicator where indicator_id = 'ADDED'"
        " and place_code = 'EXAMPLE_ADDED' and membership_basis = 'at_the_time'"
        " and window_name <> 'financial_year'"
    )
    windows = warehouse.declarations.indicators["ADDED"].windows
    assert {(f["window_name"], f["value"]) for f in figures} == {(w, 1) for w in windows}
