"""What an attacker sees of releases: every number, what is known of it, and all equations.

The equations are put up again here, in another way than for protection, from the cells and the
declared relations alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from pipelines.disclosure.audit.equation_rows import EquationRows
from pipelines.disclosure.audit.numbers import QUANTITY, SeenNumbers
from pipelines.disclosure.cells import KEY, TOTAL

CONCERNED = ["measure", "place", "breakdown"]
CLOSE = 1e-6


class AttackerView:
    """Numbers, what is known of each, and all equations among them."""

    def __init__(self, cells, shown, relations, rules, known, ratios, shown_ratios):
        self.rules = rules
        self.values_required = rules.protection.values
        self.seen = SeenNumbers(cells, shown, relations, rules, known, ratios, shown_ratios)
        self.contributors = self.seen.contributors
        equations = EquationRows(self.seen)
        self.rows, self.numbers = equations.rows, equations.numbers
        self._ratio_bounds(ratios, shown_ratios)
        self._assemble()

    # --- what percentages and means tell ---

    def _ratio_bounds(self, ratios, shown_ratios) -> None:
        """What a shown percentage or mean says of a part of it that is suppressed.

        To within half of its last place: (ratio - half) x below <= above <= (ratio + half) x below.
        """
        self.bounds: list[tuple[int, int, float, float]] = []
        self.zeros: list[int] = []
        if ratios is None or shown_ratios is None:
            return
        where = ["place", "breakdown", "part", "window", "quarter"]
        visible = shown_ratios.filter(
            pl.col("shown").is_not_null() | (pl.col("symbol") == self.seen.not_applicable)
        ).join(ratios, on="indicator_id")
        parts = {}
        for role in ("numerator", "denominator"):
            keyed = visible.select("indicator_id", pl.col(role).alias("measure"), *where)
            parts[role] = (
                self.seen.quantities_of(keyed.with_columns(pl.lit(0).alias("value")))
                .join(
                    self.numbers.filter("is_now").select(*QUANTITY, "number", "low", "high"),
                    on=QUANTITY,
                )
                .select(
                    "indicator_id",
                    *where,
                    pl.col("number").alias(role),
                    (pl.col("low").is_null() | (pl.col("low") < pl.col("high"))).alias(
                        f"{role}_open"
                    ),
                )
            )
        both = (
            visible.drop("numerator", "denominator")
            .join(parts["numerator"], on=["indicator_id", *where])
            .join(parts["denominator"], on=["indicator_id", *where])
        )
        both = both.filter(pl.col("numerator_open") | pl.col("denominator_open"))
        decimals = self.rules.percentages.decimals
        for row in both.sort("indicator_id", *where).iter_rows(named=True):
            if row["shown"] is None:
                self.zeros.append(row["denominator"])
                continue
            is_percent = row["unit"] == "percent" and decimals is not None
            # Half of the last place shown. The edges themselves are let in, although rounding
            # excludes one: the attacker is given a value more, never one less.
            half = 0.5 * 10.0 ** -(decimals if is_percent else row["rounding"])
            low = (row["shown"] - half) / row["multiplier"]
            high = (row["shown"] + half) / row["multiplier"]
            self.bounds.append((row["numerator"], row["denominator"], low, high))

    # --- the system ---

    def _assemble(self) -> None:
        numbers = self.numbers
        count = numbers.height
        self.value = numbers["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        low = numbers["low"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        high = numbers["high"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        self.is_difference = numbers["is_difference"].to_numpy()
        self.is_hidden = np.isnan(low) & ~self.is_difference
        self.is_sum = np.array(
            [self.contributors[measure] is not None for measure in numbers["measure"].to_list()],
            dtype=bool,
        )
        self.is_now = numbers["is_now"].to_numpy()
        self.rests_on_few = self._rests_on_few()
        floor = np.zeros(count)
        # Then a suppressed number cannot be zero, and every reader of the policy knows that.
        never_zero = self.rules.zeros == "shown" and not self.rules.zeros_may_be_secondary
        if never_zero:  # readers know that zeros are always shown
            floor[self.is_hidden & ~self.is_sum] = 1
        self.low = np.where(np.isnan(low), floor, low)
        self.high = np.where(np.isnan(high), np.inf, high)
        for number in self.zeros:
            self.high[number] = 0
        self.equal, self.least = self._matrices(count)

    def _rests_on_few(self) -> np.ndarray:
        """Sums of days of fewer cases than a mean is shown for; also where cases are not shown."""
        counted = pl.DataFrame(
            [pair for pair in self.contributors.items() if pair[1] is not None],
            schema={"measure": pl.String, "counted": pl.String},
            orient="row",
        )
        where = ["place", "breakdown", "part", "first", "last"]
        cases = self.numbers.filter(~pl.col("is_difference")).group_by("measure", *where)
        cases = cases.agg(pl.col("value").min().alias("cases")).rename({"measure": "counted"})
        joined = self.numbers.join(counted, on="measure", how="left", maintain_order="left").join(
            cases, on=["counted", *where], how="left", maintain_order="left"
        )
        few = pl.col("cases").fill_null(1).is_between(1, self.rules.means.fewest - 1)
        return joined.select(pl.col("counted").is_not_null() & few).to_series().to_numpy()

    def _matrices(self, count: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        pieces: dict[bool, list] = {False: [], True: []}
        starts = {False: 0, True: 0}
        for frame in self.rows:
            for is_least in (False, True):
                part = frame.filter(pl.col("is_least") == is_least)
                if not len(part):
                    continue
                row = part["row"].rank("dense").cast(pl.Int64).to_numpy() - 1 + starts[is_least]
                starts[is_least] = int(row.max()) + 1
                pieces[is_least].append((row, part["number"].to_numpy(), part["sign"].to_numpy()))
        for above, below, low, high in self.bounds:
            for sign, edge in ((1.0, low), (-1.0, high)):
                row = np.full(2, starts[True])
                starts[True] += 1
                entries = np.array([sign, -sign * edge])
                pieces[True].append((row, np.array([above, below]), entries))
        matrices = []
        for is_least in (False, True):
            if not pieces[is_least]:
                matrices.append(sparse.csr_matrix((0, count)))
                continue
            row, column, sign = (
                np.concatenate(parts) for parts in zip(*pieces[is_least], strict=True)
            )
            matrices.append(
                sparse.csr_matrix(
                    (sign.astype(float), (row, column)), shape=(starts[is_least], count)
                )
            )
        return matrices[0], matrices[1]

    def name(self, number: int) -> str:
        row = self.numbers.row(int(number), named=True)
        part = "" if row["breakdown"] == TOTAL else f", {row['breakdown']} {row['part']}"
        quarters = row["last"] - row["first"] + 1
        return f"{row['measure']}, {row['place']}{part}, {quarters} quarters"

    def whole_of(self, least_row: int) -> int:
        row = self.least[least_row].tocoo()
        return int(row.col[row.data > 0][0])

    def shown_differences(self) -> np.ndarray:
        """Inequalities among shown numbers alone that leave a small number as their difference."""
        rules = self.rules
        if rules.differences != "protected" or rules.method == "round":
            return np.zeros(0, dtype=np.int64)
        is_open = (self.high > self.low).astype(float)
        shown = np.where(self.high > self.low, 0.0, self.low)
        rest = self.least @ shown
        small = (rest > CLOSE) & (rest < rules.smallest_shown - CLOSE)
        small &= abs(self.least) @ is_open == 0
        small &= abs(self.least) @ self.is_sum.astype(float) == 0
        return np.array(
            [
                row
                for row in np.flatnonzero(small)
                # Not the bounds from percentages, whose coefficients are no counts of children.
                if np.allclose(self.least[row].data, np.round(self.least[row].data))
            ],
            dtype=np.int64,
        )

    def shown_changes(self) -> list[int]:
        """Numbers shown now of which an earlier release showed a version a little off."""
        rules = self.rules
        if rules.differences != "protected" or rules.method == "round":
            return []
        shown = self.numbers.filter(
            ~pl.col("is_difference"), pl.col("low").is_not_null(), pl.col("low") == pl.col("high")
        ).filter(~pl.col("measure").is_in(self._sums()))
        pairs = shown.filter("is_now").join(
            shown.filter(~pl.col("is_now")).select(*QUANTITY, was="value"), on=QUANTITY
        )
        by = (pl.col("value") - pl.col("was")).abs()
        small = pairs.filter(by.is_between(1, rules.smallest_shown - 1))
        return small["number"].unique().sort().to_list()

    def _sums(self) -> list[str]:
        return [measure for measure, counted in self.contributors.items() if counted is not None]

    def around(self, number: int) -> sparse.csr_matrix:
        """Everything that shares an equation or inequality with a number, as one row."""
        both = sparse.vstack([self.equal, self.least], format="csr")
        rows = np.flatnonzero(np.asarray(both[:, [number]].todense()).ravel() != 0)
        return sparse.csr_matrix(abs(both[rows]).sum(axis=0))

    def cheapest_of(self, rows: list[sparse.csr_matrix]) -> pl.DataFrame:
        """Of each row the least number that is shown now and is not zero: KEY of its cells.

        Where a row has none, as among stretches that windows leave over, of what its numbers share
        an equation with.
        """
        chosen: set[int] = set()
        for row in rows:
            there = np.unique(row.tocoo().col)
            free = self._free(there)
            if not len(free):
                near = [self.around(number).tocoo().col for number in there.tolist()]
                free = self._free(np.unique(np.concatenate(near)))
            # Failures share numbers: one more suppression may settle several of them.
            if len(free) and not chosen & set(free.tolist()):
                chosen.add(int(free[np.lexsort((free, self.value[free]))[0]]))
        wanted = self.numbers[sorted(chosen)].select(QUANTITY)
        return self.seen.now_cells.join(wanted, on=QUANTITY, how="semi").select(KEY).sort(KEY)

    def _free(self, numbers: np.ndarray) -> np.ndarray:
        """Those of them that are shown now and could be suppressed instead."""
        is_now = self.is_now[numbers]
        is_shown = self.high[numbers] <= self.low[numbers]
        counts = (self.value[numbers] > 0) & ~self.is_sum[numbers]
        return numbers[is_now & is_shown & counts]

    def tables(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Connected unknowns: numbers, equations, inequalities."""
        is_open = self.high > self.low
        columns = np.flatnonzero(is_open)
        both = sparse.vstack([self.equal, self.least], format="csr")[:, columns]
        graph = sparse.block_array([[None, abs(both)], [abs(both).T, None]], format="csr")
        count, labels = csgraph.connected_components(graph, directed=False)
        of_row, of_column = labels[: both.shape[0]], labels[both.shape[0] :]
        hidden = np.bincount(of_column[self.is_hidden[columns]], minlength=count) > 0
        small = np.zeros(count, dtype=bool)
        small[of_column[self._has_to_hide(columns)]] = True
        row_order, start = _sorted(of_row, count)
        order, begin = _sorted(of_column, count)
        exact = self.equal.shape[0]
        for table in np.flatnonzero(hidden | small):
            rows = row_order[start[table] : start[table + 1]]
            mine = columns[order[begin[table] : begin[table + 1]]]
            yield mine, rows[rows < exact], rows[rows >= exact] - exact

    def _has_to_hide(self, columns: np.ndarray) -> np.ndarray:
        """Rounding suppresses nothing, but small numbers must be uncertain all the same."""
        value = self.value[columns]
        small = (value > 0) & (value < self.rules.smallest_shown) & ~self.is_sum[columns]
        if self.rules.method == "round":
            return small
        return small & self.is_difference[columns] & (self.rules.differences == "protected")


def _sorted(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(labels, kind="stable")
    return order, np.searchsorted(labels[order], np.arange(count + 1))
