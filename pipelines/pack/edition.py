"""What an edition of the pack may show. The seam between the warehouse and every number on a page.

A page takes its figures from one frame and from nothing else, so an edition for another circle of
readers is another frame: where a figure may not be shown, its ``symbol`` stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    import duckdb

Language = Literal["en", "cy"]
LANGUAGES: tuple[Language, ...] = ("en", "cy")
Part = Literal[
    "comparisons", "early_warning", "charts", "funnels", "journey", "distribution", "returns"
]
EVERY_PART: frozenset[Part] = frozenset(
    ("comparisons", "early_warning", "charts", "funnels", "journey", "distribution", "returns")
)

# Five years: older quarters tell of a service that nobody in the room ran.
QUARTERS_SHOWN = 20

# ``value`` is shown; ``unrounded`` is what statistics are made of; ``estimate`` is what a count
# would be had every return come. All of them, and the two counts, are empty where ``symbol`` is
# not.
FIGURE_COLUMNS: dict[str, type[pl.DataType]] = {
    "place_code": pl.String,
    "indicator_id": pl.String,
    "quarter": pl.String,
    "window_name": pl.String,
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "value": pl.Float64,
    "unrounded": pl.Float64,
    "symbol": pl.String,
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
    """One nation's figures for one circle of readers.

    ``figures`` has FIGURE_COLUMNS, one row per place, indicator, quarter and window. ``label`` is
    what every sheet says of itself, ``symbols`` what each symbol means, ``parts`` what may be drawn
    besides the tables: comparisons and charts say more of a number than the number itself.
    """

    name: str
    label: Mapping[Language, str]
    figures: pl.DataFrame
    symbols: Mapping[str, Mapping[Language, str]] = field(default_factory=dict)
    parts: frozenset[Part] = EVERY_PART

    def __post_init__(self) -> None:
        missing = set(FIGURE_COLUMNS) - set(self.figures.columns)
        if missing:
            raise ValueError(f"figures of an edition lack {', '.join(sorted(missing))}")
        unexplained = set(self.figures["symbol"].drop_nulls()) - set(self.symbols)
        if unexplained:
            raise ValueError(f"no words for the symbols {', '.join(sorted(unexplained))}")
        hidden = self.figures.filter(pl.col("symbol").is_not_null())
        numbers = ("numerator", "denominator", "value", "unrounded", "estimate")
        if any(hidden[name].count() for name in numbers):
            raise ValueError("a figure has both a symbol and a number")


def internal_edition(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    nation_code: str,
    quarter: Quarter,
) -> Edition:
    """Every figure as it is, and every part: for those who may see the returns themselves."""
    label = declarations.policies[nation_code].export_label
    asked = {"nation": nation_code, "quarter": quarter.label, "first": first_shown(quarter)}
    figures = connection.sql(_FIGURES, params=asked).pl()
    return Edition(
        name="internal",
        label={"en": label.en, "cy": label.cy},
        figures=figures.cast(dict(FIGURE_COLUMNS)),  # type: ignore[arg-type]
    )


def first_shown(quarter: Quarter) -> str:
    """The oldest quarter of a trend that ends with ``quarter``."""
    return quarter.plus(1 - QUARTERS_SHOWN).label


# Past quarters are for trends: by quarter, or by three years where an indicator has nothing else.
_FIGURES = """
    select
        f.place_code, f.indicator_id, f.quarter, f.window_name,
        f.numerator, f.denominator, f.value_rounded as value, f.value as unrounded,
        cast(null as varchar) as symbol, f.estimate, f.benchmark, f.benchmark_met,
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
