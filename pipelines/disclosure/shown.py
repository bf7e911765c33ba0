"""What a release shows of its cells and ratios, once it is known which are suppressed."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.declarations.disclosure import Rules
from pipelines.disclosure.cells import KEY, RATIO_SCHEMA, Relations
from pipelines.disclosure.equations import System
from pipelines.disclosure.rounding import rounded

SHOWN, PRIMARY, SECONDARY, EMPTY = "shown", "primary", "secondary", "not_available"
WHERE = ("place", "breakdown", "part", "window", "quarter")


def shown_cells(
    cells: pl.DataFrame,
    system: System,
    reasons: np.ndarray,
    relations: Relations,
    rules: Rules,
) -> pl.DataFrame:
    """KEY, shown, symbol, reason and base of each cell; ``reasons`` are by variable."""
    of = system.of_cell
    reason = np.where(of >= 0, reasons[np.maximum(of, 0)], EMPTY)
    symbols = rules.symbols
    bases = {
        kind: rules.base(kind) if rules.rounding else 1 for kind in relations.kinds["kind"].unique()
    }
    sums = relations.measures.filter(pl.col("contributors").is_not_null())["measure"]
    shown = (
        cells.with_columns(pl.Series("reason", reason.tolist(), dtype=pl.String))
        .join(relations.kinds, on="place", how="left", maintain_order="left")
        .with_columns(
            pl.col("kind").replace_strict(bases, default=1, return_dtype=pl.Int64).alias("base"),
            pl.col("measure").is_in(sums.implode()).alias("is_sum"),
        )
    )
    shown = shown.with_columns(
        # Sums of days are never shown themselves, only through their mean.
        pl.when((pl.col("reason") == SHOWN) & ~pl.col("is_sum"))
        .then(rounded(shown, system, rules))
        .alias("shown"),
        pl.when(pl.col("reason") == EMPTY)
        .then(pl.lit(symbols.not_available))
        .when(pl.col("reason") != SHOWN)
        .then(pl.lit(symbols.suppressed))
        .alias("symbol"),
    )
    return shown.select(*KEY, "shown", "symbol", "reason", "base")


def shown_ratios(
    cells: pl.DataFrame, shown: pl.DataFrame, ratios: pl.DataFrame, rules: Rules
) -> pl.DataFrame:
    """Percentages and means, from true figures, where both of their parts may be known."""
    where = list(WHERE)
    state = cells.join(shown.select(*KEY, "reason"), on=list(KEY), maintain_order="left")
    top = state.rename({"measure": "numerator", "value": "top", "reason": "top_reason"})
    bottom = state.rename({"measure": "denominator", "value": "bottom", "reason": "bottom_reason"})
    symbols = rules.symbols
    decimals = rules.percentages.decimals
    is_percent = pl.col("unit") == "percent"
    # From unrounded figures, so that a percentage is the one the warehouse has.
    places = pl.when(is_percent & pl.lit(decimals is not None)).then(
        pl.lit(decimals or 0, dtype=pl.Int64)
    )
    value = pl.col("multiplier") * pl.col("top") / pl.col("bottom")
    scale = pl.lit(10.0).pow(places.otherwise(pl.col("rounding")))
    nearest = (value * scale + 0.5).floor() / scale
    # Not available before suppressed: the symbol of suppression would say that a return came.
    empty = (pl.col("top_reason") == EMPTY) | (pl.col("bottom_reason") == EMPTY)
    hidden = (pl.col("top_reason") != SHOWN) | (pl.col("bottom_reason") != SHOWN)
    # A percentage that rounds to zero, of somebody, has a symbol of its own in the Department for
    # Education's tables: k.
    low = (nearest == 0) & (pl.col("top") > 0) & is_percent & pl.lit(symbols.low is not None)
    return (
        ratios.select(list(RATIO_SCHEMA))
        .join(top, on="numerator")
        .join(bottom, on=["denominator", *where])
        .with_columns(
            pl.when(empty)
            .then(pl.lit(symbols.not_available))
            .when(hidden)
            .then(pl.lit(symbols.suppressed))
            .when(pl.col("bottom") == 0)
            .then(pl.lit(symbols.not_applicable))
            .when(low)
            .then(pl.lit(symbols.low))
            .alias("symbol"),
            pl.when(empty)
            .then(pl.lit(EMPTY))
            .when(hidden)
            .then(
                pl.when((pl.col("top_reason") == PRIMARY) | (pl.col("bottom_reason") == PRIMARY))
                .then(pl.lit(PRIMARY))
                .otherwise(pl.lit(SECONDARY))
            )
            .otherwise(pl.lit(SHOWN))
            .alias("reason"),
        )
        .with_columns(pl.when(pl.col("symbol").is_null()).then(nearest).alias("shown"))
        .select("indicator_id", *where, "shown", "symbol", "reason")
        .sort("indicator_id", *where)
    )
