"""One linear program, answered in whole numbers where children are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

TINY = 1e-6
MENDED = 400  # variables that a sweep may round together: 5,300 once took ten seconds
GAP = 0.2  # a rounded alternative may cost so much more than the cheapest one


@dataclass
class LinearProgram:
    """minimise cost x, low <= matrix x <= high, lower <= x <= upper; in whole numbers if wanted."""

    cost: np.ndarray
    matrix: sparse.csc_matrix
    low: np.ndarray
    high: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    solved: int = 0

    def solve(self, whole: bool, must: bool) -> np.ndarray | None:
        """The answer, or None. ``must``: every constraint matters; else zero is an answer too.

        A linear program nearly always answers in whole numbers but for a few corners. Those and
        their neighbours are solved again, everything else standing still.
        """
        solution = self._run(self.lower, self.upper, whole=False)
        if solution is None or not whole:
            return solution
        broken = np.abs(solution - np.round(solution)) > TINY
        entries = abs(self.matrix)
        for _ in range(3):
            if not broken.any():
                return np.round(solution)
            # In whole numbers over the whole table a single program once took nine seconds; over
            # what is broken and its neighbours it is a small one.
            broken |= entries.T @ (entries @ broken.astype(float) > 0).astype(float) > 0
            # Not worth it: the next program starts elsewhere and may come out in whole numbers.
            if not must and broken.sum() > MENDED:
                return None
            still = np.round(solution)
            mended = self._run(
                np.where(broken, self.lower, still), np.where(broken, self.upper, still), whole=True
            )
            if mended is not None:
                return np.round(mended)
        if must:
            answer = self._run(self.lower, self.upper, whole=True)
            return None if answer is None else np.round(answer)
        return None

    def _run(self, lower: np.ndarray, upper: np.ndarray, whole: bool) -> np.ndarray | None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        self.solved += 1
        result = milp(
            self.cost,
            integrality=np.ones(len(self.cost)) if whole else None,
            constraints=LinearConstraint(self.matrix, self.low, self.high),
            bounds=Bounds(lower, upper),
            # Linear programs were 16 per cent quicker without presolve.
            options={"presolve": whole, "mip_rel_gap": GAP if whole else 0.0},
        )
        return result.x
