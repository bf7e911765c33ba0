"""Figures of a release, made of protected cells: what may be shown and a flag where it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.quarters import Quarter
from pipelines.release.content import FIGURE_SCHEMA, KEY

if TYPE_CHECKING:
    import duckdb

    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.protection import Protected

_WHERE = ["place_code", "breakdown", "breakdown_value", "window_name", "quarter"]
_NAMES = {"place": "place_code", "part": "breakdown_value", "window": "window_name"}
# What the warehouse has a figure of: its parts follow from the cells that are published.
_ASKED_FOR = """
    select distinct figure.indicator_id, indicator.numerator, indicator.denominator,
        indicator.unit, cast(indicator.rounding as bigint) as rounding, figure.place_code,
        figure.window_name
    from marts.fct_indicator as figure
    join marts.dim_indicator as indicator using (indicator_id)
    join marts.dim_place as place using (place_code)
    where figure.quarter = $quarter and figure.membership_basis = 'at_the_time'
        and figure.breakdown = 'total' and place.nation_code = $nation
"""
_BREAKS = """
    select distinct indicator_id, place_code, window_name
    from marts.fct_indicator_break
    where quarter = $quarter and membership_basis = 'at_the_time'
"""


def figures_of(
    connection: duckdb.DuckDBPyConnection,
    nation_code: str,
    quarter: Quarter,
    protected: Protected,
    rules: Rules,
) -> pl.DataFrame:
    """FIGURE_SCHEMA, sorted by KEY. A sum of days is never shown: its mean and number of cases are.

    The note ``b`` marks figures that a break in series concerns.
    """
    of_quarter = {"quarter": quarter.label}
    asked = connection.execute(_ASKED_FOR, of_quarter | {"nation": nation_code}).pl()
    breaks = connection.execute(_BREAKS, of_quarter).pl().with_columns(is_broken=pl.lit(True))
    is_ratio = pl.col("denominator").is_not_null()
    is_mean = pl.col("unit").is_in(["days", "months"])
    cells = protected.cells.rename(_NAMES)
    ratios = protected.ratios.rename(_NAMES)
    sections = [
        _counts(asked.filter(~is_ratio), "value", "numerator", cells),
        _counts(asked.filter(is_ratio & ~is_mean), "numerator", "numerator", cells),
        _counts(asked.filter(is_ratio), "denominator", "denominator", cells),
        _ratios(asked.filter(is_ratio), ratios, rules),
    ]
    on = ["indicator_id", "place_code", "window_name"]
    figures = (
        pl.concat(sections)
        .with_columns(flag=_flag(rules))
        .join(breaks, on=on, how="left")
        .with_columns(notes=pl.when(pl.col("is_broken")).then(pl.lit("b")).otherwise(pl.lit("")))
    )
    return figures.select(list(FIGURE_SCHEMA)).cast(pl.Schema(FIGURE_SCHEMA)).sort(KEY)


def _counts(asked: pl.DataFrame, component: str, of: str, cells: pl.DataFrame) -> pl.DataFrame:
    """The counts of a measure, as one component of the indicators that use it."""
    return (
        asked.select("indicator_id", pl.col(of).alias("measure"), "place_code", "window_name")
        .join(cells, on=["measure", "place_code", "window_name"])
        .select(
            "indicator_id",
            pl.lit(component).alias("component"),
            *_WHERE,
            pl.col("shown").cast(pl.Float64).alias("number"),
            pl.lit(0, dtype=pl.Int64).alias("decimals"),
            "symbol",
        )
    )


def _ratios(asked: pl.DataFrame, ratios: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    decimals = rules.percentages.decimals
    rounding = pl.col("rounding")
    if decimals is not None:
        rounding = (
            pl.when(pl.col("unit") == "percent")
            .then(pl.lit(decimals, dtype=pl.Int64))
            .otherwise(rounding)
        )
    return (
        asked.select("indicator_id", "place_code", "window_name", rounding.alias("decimals"))
        .join(ratios, on=["indicator_id", "place_code", "window_name"])
        .select(
            "indicator_id",
            pl.lit("value").alias("component"),
            *_WHERE,
            pl.col("shown").alias("number"),
            "decimals",
            "symbol",
        )
    )


def _flag(rules: Rules) -> pl.Expr:
    """The body's own sign as the flag that every form of a release knows."""
    symbols = rules.symbols
    flags = {
        symbols.suppressed: "c",
        symbols.not_available: "x",
        symbols.not_applicable: "z",
        **({symbols.low: "low"} if symbols.low else {}),
    }
    return pl.col("symbol").replace_strict(flags, default=None, return_dtype=pl.String)
