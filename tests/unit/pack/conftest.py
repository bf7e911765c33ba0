"""A nation made by hand: one region, four authorities, one of them with hardly a child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import duckdb
import pytest

from pipelines.declarations import Declarations
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.pages import read_nation_quarter
from pipelines.quarters import Quarter, quarters_between
from tests.unit.marts_made import create_marts, insert

WALES = "W92000004"
Q = Quarter(2025, 4)
QUARTERS = [quarter.label for quarter in quarters_between(Quarter(2022, 1), Q)]  # sixteen
Rows = dict[str, list[dict[str, Any]]]

# Place: names, kind, children matched a quarter.
PLACES = {
    WALES: ("Wales", "Cymru", "nation", 44),
    "NORTH": ("The North", "Y Gogledd", "region", 44),
    "CITY": ("City", "Dinas", "authority", 22),
    "TOWN": ("Town", "Tref", "authority", 12),
    "MÔN": ("Isle", "Môn", "authority", 9),
    "GLEN": ("Glen", "Glyn", "authority", 1),
}
# Indicator: unit, timing, direction, decimals, whether it is a headline.
INDICATORS = {
    "X1": ("children", "flow", "context", 0, True),
    "X2": ("children", "flow", "higher", 0, True),
    "X3": ("children", "stock", "lower", 0, True),
    "X4": ("months", "flow", "lower", 1, True),
    "X5": ("percent", "flow", "higher", 1, True),
    "X6": ("percent", "flow", "higher", 1, False),
}
WAVE = [0, 2, -1, 1, -2, 1, 0, 2, -2, -1, 1, 2, -1, 0, 1, -2]


def figure(indicator: str, place: str, quarter: str, window: str, **more: Any) -> dict[str, Any]:
    return {
        "indicator_id": indicator,
        "place_code": place,
        "quarter": quarter,
        "window_name": window,
        "membership_basis": "at_the_time",
        "breakdown": "total",
        "breakdown_value": "total",
        "returns_expected": 4,
        "returns_accepted": 4,
        "quarters_in_window": {"quarter": 1, "rolling_4": 4}[window],
        "quarters_covered": {"quarter": 1, "rolling_4": 4}[window],
        "is_complete": True,
        "has_break_in_window": False,
        "has_break_since_previous": False,
        "definition_status": "proposed",
    } | more


def _values(indicator: str, cases: int, wave: int) -> dict[str, Any]:
    """Numerator, denominator and value of so many cases; the wave moves it up and down a little."""
    unit = INDICATORS[indicator][0]
    if unit == "children":
        count = max(0, cases + (wave if cases > 5 else 0))
        return {"numerator": count, "value": float(count), "value_rounded": float(count)}
    if unit == "months":
        days = cases * (300 + 10 * wave)
        value = days / cases * 12 / 365.25 if cases else None
        rounded = None if value is None else round(value, 1)
        benchmark = {"benchmark": 9.0, "benchmark_met": None if value is None else "not met"}
        shown = {"value": value, "value_rounded": rounded}
        return {"numerator": days, "denominator": cases} | shown | benchmark
    part = min(cases, round(cases * 0.6) + (wave if cases > 5 else 0))
    value = 100 * part / cases if cases else None
    rounded = None if value is None else round(value, 1)
    return {"numerator": part, "denominator": cases, "value": value, "value_rounded": rounded}


def made_rows() -> Rows:
    """Sixteen quarters of six indicators, with everything else that the pack reads."""
    rows: Rows = {
        "dim_quarter": [{"quarter": quarter} for quarter in QUARTERS],
        "dim_place": [
            {"place_code": code, "name_en": en, "name_cy": cy, "kind": kind, "nation_code": WALES}
            for code, (en, cy, kind, _) in PLACES.items()
        ],
        "dim_indicator": [
            {
                "indicator_id": code,
                "title_en": f"Title of {code}",
                "title_cy": f"Teitl {code}",
                "definition_en": f"What {code} counts.",
                "definition_cy": f"Beth mae {code} yn ei gyfrif.",
                "status_note_en": f"Why {code}.",
                "status_note_cy": f"Pam {code}.",
                "definition_status": "proposed",
                "subject": "child",
                "timing": timing,
                "unit": unit,
                "direction": direction,
                "rounding": decimals,
                "is_headline": is_headline,
            }
            for code, (unit, timing, direction, decimals, is_headline) in INDICATORS.items()
        ],
        "dim_place_sender": [
            {"place_code": place, "sender_code": sender, "quarter": Q.label}
            | {"membership_basis": "at_the_time"}
            for place in PLACES
            for sender in ("CITY", "TOWN", "MÔN", "GLEN")
            if place in (WALES, "NORTH", sender)
        ],
        "fct_indicator": [],
        "fct_submission": [
            {"submission_id": "S1", "sender_code": "CITY", "quarter": Q.label, "version": 1}
            | {"received_at": datetime(2026, 4, 9), "status": "accepted", "is_in_force": True}
            | {"is_synthetic": False}
        ],
        "fct_return": [
            {"sender_code": sender, "return_name": "child", "quarter": Q.label, "is_due": True}
            | {"status": "accepted", "rows_accepted": 40, "rows_quarantined": 0, "queries": 2}
            for sender in ("CITY", "TOWN", "MÔN", "GLEN")
        ],
        "rpt_comparison": [],
        "rpt_early_warning": [
            {"indicator_id": "X3", "place_code": place, "quarter": Q.label, "limit_value": 6.0}
            | {
                "limit_unit": "months",
                "children_waiting": cases,
                "children_waiting_past": cases // 2,
            }
            | {"children_waiting_within_30_days": cases // 10}
            | {"children_waiting_within_60_days": cases // 8}
            | {"children_waiting_within_90_days": cases // 5}
            for place, (*_, cases) in PLACES.items()
        ],
        "fct_distribution": [
            {"indicator_id": "X4", "place_code": place, "quarter": Q.label, "window_name": window}
            | {"numerator": 300 * cases, "denominator": cases, "mean": 9.9, "mean_lower_ci": 8.8}
            | {
                "mean_upper_ci": 11.0,
                "median": 9.0,
                "median_lower_ci": 8.0,
                "median_upper_ci": 10.0,
            }
            | {"lower_quartile": 6.0, "upper_quartile": 12.5, "unit": "months"}
            for place, (*_, cases) in PLACES.items()
            for window in ("quarter", "rolling_4")
        ],
        "fct_proportion_interval": [],
        "fct_journey": [
            {"place_code": place, "quarter": Q.label, "days": days, "children_ordered": 90}
            | {"at_risk": 90 - days // 10, "matched": 1, "survival": 1 - days / 800}
            | {"survival_lower_ci": 0.95 - days / 800, "survival_upper_ci": 1.0 - days / 850}
            | {"left_by_then": days / 8000, "median_days": 400, "median_days_lower_ci": 350}
            | {"median_days_upper_ci": 460, "returns_expected": 48, "returns_accepted": 47}
            for place in (WALES, "NORTH")
            for days in range(0, 720, 20)
        ],
        "dim_break_in_series": [
            {"break_id": "B1", "indicator_id": "X6", "place_code": "*", "since": "2024-25-Q1"}
            | {"title_en": "Counted anew", "title_cy": "Cyfrif o'r newydd", "kind": "definition"}
            | {"explanation_en": "From then on.", "explanation_cy": "O hynny ymlaen."}
            | {"status": "unverified", "source": "a report"}
        ],
    }
    for place, (*_, cases) in PLACES.items():
        for indicator, (_, timing, direction, *_, is_headline) in INDICATORS.items():
            for quarter, wave in zip(QUARTERS, WAVE, strict=True):
                values = _values(indicator, cases, wave)
                rows["fct_indicator"].append(figure(indicator, place, quarter, "quarter", **values))
            if timing == "flow":
                values = _values(indicator, 4 * cases, 0)
                rows["fct_indicator"].append(
                    figure(indicator, place, Q.label, "rolling_4", **values)
                )
            if is_headline and direction != "context":
                main = figure(
                    indicator, place, Q.label, "quarter" if timing == "stock" else "rolling_4"
                )
                word = "no different" if cases > 2 else "too few to tell"
                rows["rpt_comparison"].append(
                    {name: main[name] for name in ("indicator_id", "place_code", "window_name")}
                    | {"quarter": Q.label, "compared_with_previous": word, "previous_value": 12.0}
                    | {"previous_quarter": QUARTERS[-5], "minimum_to_tell": 10}
                    | {"has_break_since_previous": False}
                )
    return rows


@pytest.fixture
def rows() -> Rows:
    """A copy to be changed by a test before it asks for a book."""
    return deepcopy(made_rows())


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        create_marts(opened)
        yield opened


@pytest.fixture
def data_of(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations
) -> Callable[[Rows], NationQuarter]:
    """Puts rows into the warehouse and reads the internal book of the nation."""

    def read(rows: Rows) -> NationQuarter:
        for table, content in rows.items():
            insert(connection, table, content)
        return read_nation_quarter(connection, declarations, WALES, Q)

    return read
