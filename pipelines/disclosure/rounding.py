"""Rounding of what is shown: each number by itself, or all together so that tables still add up."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.declarations.disclosure import Rules
from pipelines.disclosure.equations import System, connected_tables

WIDEST = 30_000  # variables rounded together; wider tables are rounded number by number
OFF = 1000.0  # what an equation that does not add up costs, in units of one base


def nearest(value: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Whole multiples of ``base``, a half upwards: 246 to the nearest 5 is 245, 248 is 250."""
    return np.floor(value / base + 0.5) * base


def rounded(cells: pl.DataFrame, system: System, rules: Rules) -> pl.Series:
    """What each row of ``cells`` (value, base) is shown as; whole numbers, null where null."""
    base = cells["base"].to_numpy().astype(float)
    value = cells["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if rules.method == "round":
        of = np.maximum(system.of_cell, 0)
        bases = np.ones(len(system.value))
        bases[of[system.of_cell >= 0]] = base[system.of_cell >= 0]
        together = together_rounded(system, bases)
        shown = np.where(system.of_cell >= 0, together[of], np.nan)
    else:
        shown = np.where(base > 1, nearest(value, base), value)
    return pl.Series("shown", shown).fill_nan(None).cast(pl.Int64)


def together_rounded(system: System, base: np.ndarray) -> np.ndarray:
    """Every variable to a multiple of its base next to it, so that sums hold as far as they can.

    A multiple of the base stays. One linear program for each connected table chooses between the
    multiple below and the one above: as few sums as possible are off, then the numbers as near as
    possible. Where its answer lies between the two, the nearer one is taken.
    """
    below = np.floor(system.value / base) * base
    up = (nearest(system.value, base) - below) / base
    free = (system.value > below) & system.is_published
    # Numbers that are multiples already stay, zeros among them.
    for columns, equal_rows, _ in connected_tables(system, free):
        if len(columns) <= WIDEST and len(equal_rows):
            up[columns] = _choose(system, base, below, columns, equal_rows)
    return below + base * up


def _choose(
    system: System,
    base: np.ndarray,
    below: np.ndarray,
    columns: np.ndarray,
    equal_rows: np.ndarray,
) -> np.ndarray:
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix = system.equal[equal_rows].astype(float)
    steps = matrix[:, columns] @ sparse.diags_array(base[columns])
    off = np.asarray(matrix @ below).ravel()
    share = (system.value[columns] - below[columns]) / base[columns]
    rows, count = len(equal_rows), len(columns)
    slack = sparse.identity(rows, format="csc")
    result = milp(
        np.concatenate([1 - 2 * share, np.full(2 * rows, OFF)]),
        constraints=LinearConstraint(
            sparse.hstack([steps, slack, -slack], format="csc"), -off, -off
        ),
        bounds=Bounds(
            np.zeros(count + 2 * rows),
            np.concatenate([np.ones(count), np.full(2 * rows, np.inf)]),
        ),
    )
    chosen = result.x[:count] if result.x is not None else share
    # Not asked for in whole numbers: the answer of the linear program nearly always is, and where
    # it is not, the nearer multiple is what rounding by itself would have shown.
    return np.where(np.abs(chosen - np.round(chosen)) < 1e-6, np.round(chosen), share >= 0.5)
