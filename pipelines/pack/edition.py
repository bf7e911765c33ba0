"""The figures of the internal edition of the pack, as they are in the warehouse.

The publishable edition is read from the files of a release (``published_release``): no number of
the warehouse can reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language

if TYPE_CHECKING:
    import duckdb

# Five years; older quarters describe a service that has since changed.
QUARTERS_SHOWN = 20

# ``value`` is shown; ``unrounded`` is what statistics are made of; ``estimate`` is what a count
# would be if every return had been sent.
FIGURE_COLUMNS: Mapping[str, type[pl.DataType]] = {
    "place_code": pl.String,
    "indicator_id": pl.String,
    "quarter": pl.String,
    "window_name": pl.String,
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "value": pl.Float64,
    "unrounded": pl.Float64,
    "estimate": pl.Float64,
    "benchmark": pl.Float64,
    "benchmark_met": pl.String,
    "returns_expected": pl.Int64,
    "returns_accepted": pl.Int64,
    "quarters_in_window": pl.Int64,
    "quarters_covered": pl.Int64,
    "is_complete": pl.Boolean,
}


@dataclass(frozen=True)
class Edition:
    """One nation's figures for one audience.

    ``figures`` has FIGURE_COLUMNS, one row per place, indicator, quarter and window. ``label`` is
    printed on every sheet.
    """

    label: Mapping[Language, str]
    figures: pl.DataFrame


def internal_edition(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    nation_code: str,
    quarter: Quarter,
) -> Edition:
    """Every figure as it is, and every part: for those who may see the returns themselves."""
    label = declarations.policies[nation_code].export_label
    parameters = {"nation": nation_code, "quarter": quarter.label, "first": first_shown(quarter)}
    figures = connection.sql(_FIGURES, params=parameters).pl()
    return Edition(
        label={"en": label.en, "cy": label.cy},
        figures=figures.cast(pl.Schema(FIGURE_COLUMNS)),
    )


def first_shown(quarter: Quarter) -> str:
    """The oldest quarter of a trend that ends with ``quarter``."""
    return quarter.plus(1 - QUARTERS_SHOWN).label


# Past quarters are for trends: by quarter, or by three years where an indicator has nothing else.
_FIGURES = """
    select
        f.place_code, f.indicator_id, f.quarter, f.window_name,
        f.numerator, f.denominator, f.value_rounded as value, f.value as unrounded,
        f.estimate, f.benchmark, f.benchmark_met,
        f.returns_expected, f.returns_accepted, f.quarters_in_window, f.quarters_covered,
        f.is_complete
    from marts.fct_indicator f
    join marts.dim_place p using (place_code)
    where p.nation_code = $nation
        and f.breakdown = 'total' and f.membership_basis = 'at_the_time'
        and (
            (f.quarter = $quarter and f.window_name <> 'financial_year')
            or (
                f.quarter between $first and $quarter
                and f.window_name in ('quarter', 'rolling_12')
            )
        )
    order by f.place_code, f.indicator_id, f.quarter, f.window_name
"""
