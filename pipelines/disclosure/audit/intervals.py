"""How closely each suppressed number of one connected table can be estimated.

A feasible table is one in whole numbers that fits everything shown. The feasibility interval of a
number reaches from its lower to its upper bound over all feasible tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import sparse

from pipelines.disclosure.audit.attacker import CLOSE, AttackerView

# Linear programs for all open numbers of a table before each is asked for by itself.
MOST_FEASIBLE_TABLES = 60
NEAR = 1_500  # unknowns of a table that differs from the true one around a single number
NODES = 50  # of the search for such a table; if that is not enough, a wider one is made
MENDED = 5_000  # unknowns that a table of many numbers may round together: 6,600 took 5 s
FAR = 20.0  # how far from the truth a feasible table may lie; real attackers have no such limit


@dataclass
class TableFindings:
    """Widths of one connected table, for the report."""

    widths: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    row_failures: list[int] = field(default_factory=list)
    exact: int = 0
    narrow: int = 0
    by_feasible_tables: int = 0
    by_programs: int = 0
    programs: int = 0


class ConnectedTable:
    """Unknown numbers with the equations among them, what is known taken to the other side."""

    def __init__(self, view: AttackerView, columns, equal_rows, least_rows):
        self.view, self.columns = view, columns
        fixed = np.where(view.high > view.low, 0.0, view.low)
        equal, least = view.equal[equal_rows], view.least[least_rows]
        self.equal, self.least = equal[:, columns].tocsr(), least[:, columns].tocsr()
        # Known numbers are constants: the programs hold unknowns alone, a small part of the table.
        self.right = -(equal @ fixed)
        self.least_right = -(least @ fixed)
        self.value = view.value[columns]
        self.low, self.high = view.low[columns], view.high[columns]
        self.hidden = view.is_hidden[columns]
        self.is_sum = view.is_sum[columns]
        self.least_rows = least_rows
        self.both = sparse.vstack([self.equal, self.least], format="csc")
        self.links = abs(self.both).tocsr()
        self.whole_of_row = self._wholes()
        self._what_is_required(least)

    def _what_is_required(self, least: sparse.csr_matrix) -> None:
        rules, view = self.view.rules, self.view
        value = np.nan_to_num(self.value)
        below = np.minimum(rules.protection.below, value - self.low)
        need_low, need_high = value - below, value + rules.protection.above
        part = np.where(view.rests_on_few[self.columns], value * rules.means.percent / 100, 0.0)
        days = np.maximum(part, rules.means.days)
        need_low = np.where(self.is_sum, np.maximum(value - days, 0), need_low)
        need_high = np.where(self.is_sum, value + days, need_high)
        self.required = np.where(self.is_sum, 1, rules.protection.values)
        small = (value > 0) & (value < rules.smallest_shown) & ~self.is_sum
        is_difference = view.is_difference[self.columns] & (rules.differences == "protected")
        # A secondary suppression is no small number, and may be known not to be, as where an
        # earlier release showed part of it; it must still have as many feasible values, or days.
        is_small = np.where(self.is_sum, view.rests_on_few[self.columns], small)
        need_low = np.where(is_small, need_low, value)
        need_high = np.where(is_small, need_high, value)
        self.required = np.where(self.is_sum & ~is_small, rules.means.days, self.required)
        # What an earlier release suppressed only to protect others may come to light, and so may a
        # zero where zeros are shown; the small numbers that they protected may not.
        is_secret = view.is_now[self.columns] & ((value > 0) | (rules.zeros != "shown"))
        self.target = (self.hidden & (is_secret | is_small)) | (small & is_difference)
        if rules.method == "round":
            self.target = small
            need_low, need_high = value.copy(), value.copy()
        self.need_low, self.need_high = need_low, need_high
        known = np.isfinite(view.value)
        rest = least @ np.where(known, np.nan_to_num(view.value), 0.0)
        signed = np.abs(least.data - np.round(least.data)) < CLOSE
        whole_numbers = np.ones(least.shape[0], dtype=bool)
        whole_numbers[np.repeat(np.arange(least.shape[0]), np.diff(least.indptr))[~signed]] = False
        secret = (rest > 0) & (rest < rules.smallest_shown) & whole_numbers
        secret &= (rules.differences == "protected") & (rules.method != "round")
        secret &= ~self._is_of_sums(least)
        self.secret_rows = np.flatnonzero(secret & (np.diff(self.least.indptr) > 0))
        self.rest = rest

    def _wholes(self) -> np.ndarray:
        """For each inequality one unknown of it that is added, if there is any."""
        entries = self.least.tocoo()
        wholes = np.zeros(self.least.shape[0], dtype=np.int64)
        wholes[entries.row] = entries.col
        plus = entries.data > 0
        wholes[entries.row[plus]] = entries.col[plus]
        return wholes

    def _is_of_sums(self, least: sparse.csr_matrix) -> np.ndarray:
        return (abs(least) @ self.view.is_sum.astype(float)) > 0

    def whole_of(self, number: int) -> int:
        return self.view.whole_of(self.least_rows[number])

    # --- the three steps ---

    def examine(self) -> TableFindings:
        self.findings = findings = TableFindings()
        self.reached_low = np.nan_to_num(self.value).copy()
        self.reached_high = np.nan_to_num(self.value).copy()
        self.row_low, self.row_high = self.rest.copy(), self.rest.copy()
        fixed = self._fixed_by_rank()
        self._find_feasible_tables(~fixed)
        findings.by_feasible_tables = int((self.target & ~self._open()).sum())
        self._one_by_one()
        self._conclude()
        return findings

    def _open(self) -> np.ndarray:
        """Numbers not shown to be wide enough yet."""
        enough = (self.reached_low <= self.need_low + CLOSE) & (
            self.reached_high >= self.need_high - CLOSE
        )
        enough &= self._possible() >= self.required
        return self.target & ~enough

    def _possible(self) -> np.ndarray:
        """How many whole numbers lie in each interval."""
        return np.floor(self.reached_high + CLOSE) - np.ceil(self.reached_low - CLOSE) + 1

    def _rows_open(self) -> np.ndarray:
        protection = self.view.rules.protection
        is_open = np.zeros(len(self.rest), dtype=bool)
        rows = self.secret_rows
        low, high, rest = self.row_low[rows], self.row_high[rows], self.rest[rows]
        enough = (low <= rest - np.minimum(protection.below, rest) + CLOSE) & (
            high >= rest + protection.above - CLOSE
        )
        enough &= np.floor(high + CLOSE) - np.ceil(low - CLOSE) + 1 >= protection.values
        is_open[rows] = ~enough
        return is_open

    def _fixed_by_rank(self) -> np.ndarray:
        """Numbers that the equations alone determine: no solution of ``equal @ d = 0`` moves them.

        A random vector is projected onto those solutions; where nothing is left of it, nothing
        can move. One sparse factorisation, no linear program.
        """
        from scipy.sparse.linalg import splu

        rows, count = self.equal.shape
        if not rows:
            return np.zeros(count, dtype=bool)
        # Redundant equations (a nation by regions and by authorities) make the matrix singular;
        # this much keeps it solvable and moves no answer beyond the 1e-5 it is read at.
        tiny = 1e-9
        both = sparse.block_array(
            [[sparse.identity(count), self.equal.T], [self.equal, -tiny * sparse.identity(rows)]],
            format="csc",
        )
        solver = splu(both, permc_spec="COLAMD")
        fixed = np.ones(count, dtype=bool)
        # Two vectors, since one may by chance stand at right angles to all that moves; fixed
        # irrational steps instead of a seed, so that every audit of a release is the same.
        for share in (0.6180339887498949, 0.4142135623730951):
            lot = 1.0 + np.arange(count) * share % 1.0
            moved = solver.solve(np.concatenate([lot, np.zeros(rows)]))[:count]
            fixed &= np.abs(moved) < 1e-5
        return fixed

    def _find_feasible_tables(self, movable: np.ndarray) -> None:
        far = np.maximum(FAR, 2 * np.maximum(self.need_high - np.nan_to_num(self.value), 0))
        high = np.minimum(self.high, np.nan_to_num(self.value) + far.max(initial=FAR))
        high = np.where(np.isnan(self.value), self.high, high)
        dry = 0
        for turn in range(MOST_FEASIBLE_TABLES):
            is_open, rows_open = self._open() & movable, self._rows_open()
            left = int(is_open.sum() + rows_open.sum())
            # Four tables in a row that taught little: what is still open is asked for one by one.
            if not left or dry >= 4:
                return
            signs = self._signs(turn)
            goal = np.where(is_open, 1.0, 0.0) * signs
            goal += self.least.T @ (rows_open * signs[self.whole_of_row])
            feasible = self._feasible_table(-goal, high)
            if feasible is None:
                continue  # it could not be rounded, and nothing is learnt; the next is elsewhere
            self._learn(feasible)
            still = int((self._open() & movable).sum() + self._rows_open().sum())
            dry = dry + 1 if still > 0.98 * left else 0

    def _signs(self, turn: int) -> np.ndarray:
        """Up or down: all together, then by place, part, series, and so on, as if by lot."""
        if turn < 2:
            return np.full(len(self.columns), 1.0 if turn == 0 else -1.0)
        kinds = (("place",), ("breakdown", "part"), ("place", "breakdown", "part"), ("measure",))
        of = np.minimum(self.columns, self.view.numbers.height - 1)
        keys = kinds[turn // 2 % len(kinds)]
        frame = self.view.numbers.select(keys)[of]
        codes = frame.select(pl.struct(keys).rank("dense"))[:, 0].to_numpy().astype(np.int64)
        mixed = (codes * 2654435761 + (turn // 2) * 40503 * 65537) & 0xFFFFFFFF
        mixed ^= mixed >> 15
        mixed = mixed * 2246822519 & 0xFFFFFFFF
        sign = np.where((mixed >> 13) & 1, 1.0, -1.0)
        return sign if turn % 2 == 0 else -sign

    def _feasible_table(
        self, cost: np.ndarray, high: np.ndarray, last: bool = False
    ) -> np.ndarray | None:
        """A table in whole numbers, as far as it can be had, that fits everything shown.

        A linear program first. Where its answer cuts children in parts, those numbers and their
        neighbours are solved for again in whole numbers, all others standing still. ``last``: if
        that fails, the whole table is.
        """
        feasible = self._solve(cost, self.low, high, whole=False)
        if feasible is None:
            return None
        broken = self._broken(feasible)
        if not broken.any():
            return np.where(self.is_sum, feasible, np.round(feasible))
        for _ in range(3):
            rows = abs(self.both) @ broken.astype(float) > 0
            broken |= abs(self.both).T @ rows.astype(float) > 0
            if not last and broken.sum() > MENDED:
                return None
            still = np.where(self.is_sum, feasible, np.round(feasible))
            mended = self._solve(
                cost,
                np.where(broken, self.low, still),
                np.where(broken, high, still),
                whole=True,
            )
            if mended is not None:
                return np.where(self.is_sum, mended, np.round(mended))
        return self._solve(cost, self.low, high, whole=True) if last else None

    def _broken(self, feasible: np.ndarray) -> np.ndarray:
        return (np.abs(feasible - np.round(feasible)) > CLOSE) & ~self.is_sum

    def _solve(
        self, cost: np.ndarray, low: np.ndarray, high: np.ndarray, whole: bool
    ) -> np.ndarray | None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        self.findings.programs += 1
        right = np.concatenate([self.right, self.least_right])
        upper = np.concatenate([self.right, np.full(len(self.least_right), np.inf)])
        result = milp(
            cost,
            integrality=np.where(self.is_sum, 0, 1) if whole else None,
            constraints=LinearConstraint(self.both, right, upper),
            bounds=Bounds(low, high),
        )
        return result.x

    def _learn(self, feasible: np.ndarray) -> None:
        """Every number can be what it is in this table, if the table fits everything shown."""
        # The solver is not believed: a table counts only if it fits what is published.
        if (np.abs(self.equal @ feasible - self.right) > 1e-4).any() or (
            self.least @ feasible < self.least_right - 1e-4
        ).any():
            return
        self.reached_low = np.minimum(self.reached_low, feasible)
        self.reached_high = np.maximum(self.reached_high, feasible)
        row = self.least @ feasible - self.least_right
        self.row_low, self.row_high = np.minimum(self.row_low, row), np.maximum(self.row_high, row)

    def _one_by_one(self) -> None:
        """A table nearby for every number first, which is cheap; a wide one for what is left."""
        for explore in (self._feasible_table_nearby, self._feasible_table_anywhere):
            for number in np.flatnonzero(self._open()).tolist():
                cost = np.zeros(len(self.columns))
                cost[number] = 1.0
                self._explore(cost, lambda number=number: self._open()[number], explore)
                self.findings.by_programs += int(not self._open()[number])
            for number in np.flatnonzero(self._rows_open()).tolist():
                cost = self.least[[number]].toarray().ravel()
                self._explore(cost, lambda number=number: self._rows_open()[number], explore)

    def _explore(self, cost: np.ndarray, is_open, explore) -> None:
        for sign in (1.0, -1.0):
            if is_open():
                feasible = explore(sign * cost)
                if feasible is not None:
                    self._learn(feasible)

    def _near(self, seeds: np.ndarray) -> np.ndarray:
        """The unknowns around some of them, as far as equations reach in a few steps."""
        near = seeds
        for _ in range(4):
            rows = self.links @ near.astype(float) > 0
            wider = (self.links.T @ rows.astype(float) > 0) | near
            # Far enough for a table of its own, small enough for whole numbers in a fraction of a
            # second.
            if wider.sum() > NEAR:
                break
            near = wider
        return near | np.isnan(self.value)

    def _feasible_table_nearby(self, cost: np.ndarray) -> np.ndarray | None:
        """A table like the true one but for what lies around the unknowns that are asked for."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        self.findings.programs += 1
        near = np.flatnonzero(self._near(cost != 0))
        reach = np.maximum(np.nan_to_num(self.value) + FAR, self.need_high)
        high = np.minimum(self.high, np.where(np.isnan(self.value), np.inf, reach))
        feasible = np.nan_to_num(self.value)
        feasible[near] = 0
        matrix = self.both[:, near].tocsr()
        rows = np.flatnonzero(np.diff(matrix.indptr) > 0)
        right = np.concatenate([self.right, self.least_right]) - self.both @ feasible
        upper = np.where(np.arange(len(right)) < len(self.right), right, np.inf)
        result = milp(
            cost[near],
            integrality=np.where(self.is_sum[near], 0, 1),
            constraints=LinearConstraint(matrix[rows], right[rows], upper[rows]),
            bounds=Bounds(self.low[near], high[near]),
            options={"node_limit": NODES},
        )
        if result.x is None:
            return None
        feasible[near] = np.where(self.is_sum[near], result.x, np.round(result.x))
        return feasible

    def _feasible_table_anywhere(self, cost: np.ndarray) -> np.ndarray | None:
        far = np.nan_to_num(self.value) * 2 + 10 * FAR
        high = np.minimum(self.high, np.where(np.isnan(self.value), np.inf, far))
        return self._feasible_table(cost, high, last=True)

    def _conclude(self) -> None:
        findings = self.findings
        possible = self._possible()
        findings.widths = possible[self.target].astype(int).tolist()
        findings.failures = np.flatnonzero(self._open()).tolist()
        findings.row_failures = np.flatnonzero(self._rows_open()).tolist()
        findings.exact = int((possible[self.target] <= 1).sum())
        findings.narrow = int((possible[self.target] <= 2).sum())
