"""Cells and relations as one sparse system of equations, for the protection.

Each quantity (:mod:`pipelines.disclosure.quantities`) is a variable; so is what remains when the
published parts of a total are taken from it (a *difference*), since an attacker can compute it as
well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from pipelines.disclosure.additive_relations import AdditiveRelations, Groups
from pipelines.disclosure.cells import TOTAL, DisclosureError, Relations
from pipelines.disclosure.quantities import EMPTY, Names, Quantities


@dataclass(frozen=True)
class System:
    """Variables, and what relates them: ``equal @ value == 0`` and ``remain @ value >= 0``.

    Arrays have one entry per variable. ``value``: the true number. ``is_shown_before``: an earlier
    release showed it. ``is_published``: the release would show it. A variable that is neither is
    hidden: an earlier release kept it back, or it is an older version of a number that has been
    revised. ``is_nothing``: zero by definition, or because something it is part of is a
    published zero. Each row of ``remain`` is a difference: a whole less those of its parts that
    are published. ``of_cell`` gives the variable of each row of the cells, -1 where nothing was
    sent; ``of_known`` likewise.
    """

    value: np.ndarray
    is_shown_before: np.ndarray
    is_published: np.ndarray
    is_nothing: np.ndarray
    measure: np.ndarray
    place: np.ndarray
    part: np.ndarray
    first: np.ndarray
    last: np.ndarray
    equal: sparse.csr_matrix
    remain: sparse.csr_matrix
    of_cell: np.ndarray
    of_known: np.ndarray
    names: Names

    def name(self, variable: int) -> str:
        """Where a variable stands, in words without its value."""
        names = self.names
        measure = names.measures[self.measure[variable]]
        breakdown, part = names.parts[self.part[variable]]
        where = f"{measure}, {names.places[self.place[variable]]}"
        if breakdown != TOTAL:
            where += f", {breakdown} {part}"
        return f"{where}, {self.last[variable] - self.first[variable] + 1} quarters"


class _Rows:
    """Equations under construction."""

    def __init__(self) -> None:
        self.variables: list[np.ndarray] = []
        self.signs: list[np.ndarray] = []
        self.equations: list[np.ndarray] = []
        self.count = 0

    def add(self, groups: list[tuple[np.ndarray, int]]) -> np.ndarray:
        """One equation for each position of the arrays; an entry below 0 is left out.

        Returns the numbers of the equations.
        """
        numbers = np.arange(len(groups[0][0])) + self.count
        self.count += len(numbers)
        for variables, sign in groups:
            is_there = variables >= 0
            self.variables.append(variables[is_there])
            self.signs.append(np.full(int(is_there.sum()), sign, dtype=np.int8))
            self.equations.append(numbers[is_there])
        return numbers

    def matrix(self, variables: int) -> sparse.csr_matrix:
        empty = np.zeros(0, dtype=np.int64)
        entries = np.concatenate(self.signs or [empty.astype(np.int8)])
        rows = np.concatenate(self.equations or [empty])
        columns = np.concatenate(self.variables or [empty])
        matrix = sparse.csr_matrix((entries, (rows, columns)), shape=(self.count, variables))
        # A quantity may stand in an equation twice, as where a whole window is its own only part.
        matrix.sum_duplicates()
        return matrix


def build(
    cells: pl.DataFrame,
    relations: Relations,
    known: pl.DataFrame | None = None,
    zeros_are_shown: bool = True,
) -> System:
    """The system of ``cells`` (CELL_SCHEMA) and of what earlier releases showed (KNOWN_SCHEMA).

    Unless ``zeros_are_shown``, a published zero does not make zeros of what it contains.

    Raises DisclosureError where cells do not add up as the relations say: nothing can be said
    about what an attacker finds out from numbers that contradict each other.
    """
    return _Builder(Quantities(cells, relations, known), zeros_are_shown).build()


class _Builder:
    """The equations of all relations, among today's numbers and among those of each release."""

    def __init__(self, quantities: Quantities, zeros_are_shown: bool):
        self.quantities = quantities
        self.zeros_are_shown = zeros_are_shown
        self.equal, self.remain = _Rows(), _Rows()
        self.relations = AdditiveRelations(quantities)

    def build(self) -> System:
        """Equations of today's numbers first, then those that earlier versions of them add."""
        self.view = self._view_of_today()
        older = np.array([value for _, value, _, _ in self.quantities.older])
        self.all_values = np.concatenate([self.quantities.value, older])
        self._equations_of_view(None)
        # A late or corrected return changes each number by its own share, and the difference
        # between two versions of a table is a table of its own. So the numbers as each release
        # showed them have to satisfy the relations as well.
        for release in sorted({release for *_, release in self.quantities.older}):
            self._view_of(release)
        return self._finish()

    def _view_of_today(self) -> np.ndarray:
        return np.where(self.quantities.is_empty, EMPTY, np.arange(self.quantities.count))

    def _view_of(self, release: str) -> None:
        """Equations among the numbers as they stood in an earlier release."""
        view = self._view_of_today()
        changed = []
        for number, (quantity, _, _, of) in enumerate(self.quantities.older):
            if of == release:
                view[quantity] = self.quantities.count + number
                changed.append(quantity)
        self.view = view
        self._equations_of_view(np.array(changed))

    def _equations_of_view(self, changed: np.ndarray | None) -> None:
        self.changed = None
        if changed is not None:
            self.changed = np.zeros(self.quantities.count, dtype=bool)
            self.changed[changed] = True
        for groups, has_difference in self.relations:
            self._add(groups, has_difference)

    def _add(self, groups: Groups, has_difference: np.ndarray) -> None:
        """Equations; with ``has_difference`` the first group equals the others and a difference."""
        if not len(has_difference):
            return
        whole = groups[0][0]
        # Of an earlier release only the equations that a revised number is part of: the others are
        # today's.
        keep = whole >= 0
        if self.changed is not None:
            touched = np.zeros(len(whole), dtype=bool)
            for rows, _ in groups:
                there = rows >= 0
                touched[there] |= self.changed[rows[there]]
            keep &= touched
        groups = [(rows[keep], sign) for rows, sign in groups]
        has_difference = has_difference[keep]
        seen = [(np.where(rows >= 0, self.view[rows], rows), sign) for rows, sign in groups]
        left = np.zeros(len(has_difference))
        for rows, sign in seen:
            left += sign * np.where(rows >= 0, self.all_values[np.maximum(rows, 0)], 0)
        off = np.abs(left) > 1e-9
        # Sums are exact integers held as floats; the tolerance is for their sum, not for wrong
        # counts.
        wrong = off & ~has_difference | (left < -1e-9)
        if wrong.any() and self.changed is None:
            variable = groups[0][0][np.argmax(wrong)]
            # Numbers of different releases need not add up: the one not published today may be
            # outdated. Such a row says nothing and is left out. Numbers published together must.
            if not self._mixes_releases([rows[np.argmax(wrong)] for rows, _ in groups]):
                raise DisclosureError(
                    f"{self.quantities.name_of(variable)}: the parts do not add up to it"
                )
        for rows, chosen in ((self.equal, ~has_difference), (self.remain, has_difference)):
            rows.add([(columns[~wrong & chosen], sign) for columns, sign in seen])

    def _mixes_releases(self, quantities: list[int]) -> bool:
        """Whether some of these are known from earlier releases only, and may be outdated."""
        there = [quantity for quantity in quantities if quantity >= 0]
        return not self.quantities.is_published[there].all()

    def _finish(self) -> System:
        quantities = self.quantities
        total = quantities.count + len(quantities.older)
        of = np.array([quantity for quantity, *_ in quantities.older], dtype=np.int64)
        spans = np.array(quantities.names.spans).reshape(-1, 2)
        measure, place, part, span = (
            np.concatenate([codes, codes[of]]) for codes in quantities.uncode(quantities.codes)
        )
        older_shown = np.array([shown for *_, shown, _ in quantities.older], dtype=bool)
        none = np.zeros(len(quantities.older), dtype=bool)
        equal, remain = self.equal.matrix(total), self.remain.matrix(total)
        is_known_zero = np.concatenate(
            [quantities.is_published | quantities.is_shown_before, older_shown]
        )
        # Part of a shown zero is zero, known to everybody: it can neither be protected nor protect
        # others. Users of sdcTools report zeros that were suppressed to cover zeros.
        is_known_zero &= (self.all_values == 0) & self.zeros_are_shown
        is_nothing = _nothing(
            np.concatenate([self.relations.fixed_zero, none]), is_known_zero, equal, remain
        )
        # Suppressed in an earlier release, so no reader knows it to be zero, whatever the tables
        # now say.
        is_nothing[quantities.of_known[quantities.of_known >= 0][quantities.was_hidden]] = False
        return System(
            value=self.all_values,
            is_shown_before=np.concatenate([quantities.is_shown_before, older_shown]),
            is_published=np.concatenate([quantities.is_published, none]),
            is_nothing=is_nothing,
            measure=measure,
            place=place,
            part=part,
            first=spans[span, 0],
            last=spans[span, 1],
            # One variable left in an equation is zero and has to be known as such; left alone in an
            # inequality it says only that a count is not negative, which is a bound already.
            equal=_without(equal, is_nothing, fewest=1),
            remain=_without(remain, is_nothing, fewest=2),
            of_cell=quantities.of_cell,
            of_known=quantities.of_known,
            names=quantities.names,
        )


def connected_tables(
    system: System, movable: np.ndarray
) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Connected tables: variables that may move, equations, differences."""
    columns = np.flatnonzero(movable)
    both = sparse.vstack([system.equal, system.remain], format="csr")[:, columns]
    exact = system.equal.shape[0]
    entries = abs(both)
    # Rows and columns as one graph: tables that share no movable number are solved apart.
    graph = sparse.block_array([[None, entries], [entries.T, None]], format="csr")
    count, labels = sparse.csgraph.connected_components(graph, directed=False)
    of_row, of_column = labels[: both.shape[0]], labels[both.shape[0] :]
    row_order = np.argsort(of_row, kind="stable")
    row_start = np.searchsorted(of_row[row_order], np.arange(count + 1))
    order = np.argsort(of_column, kind="stable")
    start = np.searchsorted(of_column[order], np.arange(count + 1))
    for table in range(count):
        mine = order[start[table] : start[table + 1]]
        if len(mine):
            rows = row_order[row_start[table] : row_start[table + 1]]
            yield columns[mine], rows[rows < exact], rows[rows >= exact] - exact


def _nothing(
    fixed: np.ndarray,
    is_known_zero: np.ndarray,
    equal: sparse.csr_matrix,
    remain: sparse.csr_matrix,
) -> np.ndarray:
    """Zeros that must be: by definition, or as parts of a published zero."""
    is_fixed = fixed.copy()
    for matrix in (equal, remain):
        entries = matrix.tocoo()
        wholes = np.bincount(entries.row[entries.data > 0], minlength=matrix.shape[0])
        whole_of = np.full(matrix.shape[0], 0)
        plus = entries.data > 0
        whole_of[entries.row[plus]] = entries.col[plus]
        # With two numbers added, one may be zero and the other hold all the parts.
        is_part = (entries.data < 0) & (wholes == 1)[entries.row]
        is_fixed[entries.col[is_part & is_known_zero[whole_of][entries.row]]] = True
    return is_fixed


def _without(matrix: sparse.csr_matrix, is_nothing: np.ndarray, fewest: int) -> sparse.csr_matrix:
    """Equations without the zeros that are certain, if enough of them is left to say anything."""
    kept = matrix @ sparse.diags_array(~is_nothing, dtype=np.int8)
    kept = sparse.csr_matrix(kept)
    kept.eliminate_zeros()
    return kept[np.diff(kept.indptr) >= fewest]
