"""The columns of checks looked at by polars: the same answer within two seconds.

``adoption check`` and a trial of rules use it, since Great Expectations takes 2 to 3.5 CPU s to
import. A test holds the two to the same problems.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from expectations.fields import Check


def failing_rows(derived: pl.DataFrame, checks: Sequence[Check]) -> dict[str, pl.Series]:
    """Positions of failing rows by column, as Great Expectations would have it."""
    # All columns in one pass over the frame, which polars shares among its threads.
    fails = derived.select(_fails(check).fill_null(False).alias(check.column) for check in checks)
    counts = fails.sum().row(0) if fails.width else ()
    return {
        name: fails[name].arg_true().cast(pl.Int64)
        for name, count in zip(fails.columns, counts, strict=True)
        if count
    }


def _fails(check: Check) -> pl.Expr:
    """Null holds, but for ``not_null``."""
    column, arguments = pl.col(check.column), dict(check.arguments)
    match check.expectation:
        case "not_null":
            return column.is_null()
        case "in_set":
            return ~column if check.is_truth else ~column.is_in(list(arguments["value_set"]))
        case "between":
            low, high = arguments.get("min_value"), arguments.get("max_value")
            outside = [column < low] if low is not None else []
            outside += [column > high] if high is not None else []
            return pl.any_horizontal(outside)
        case "unique":
            return column.is_duplicated() & column.is_not_null()
