"""Cells and relations as one sparse system of equations, for the protection.

A *quantity* is what a cell counts, over the quarters it covers: the year to date that ends a year
and the financial year are one quantity. Each is a variable; so is what remains when the published
parts of a total are taken from it (a *difference*), since an attacker can compute it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import sparse

from pipelines.disclosure.cells import KEY, TOTAL, DisclosureError, Relations

ABSENT, EMPTY = -1, -2  # no such cell; a cell whose place sent nothing


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


@dataclass(frozen=True)
class Names:
    """What the numbers in a system's arrays stand for."""

    measures: list[str]
    places: list[str]
    parts: list[tuple[str, str]]
    spans: list[tuple[int, int]]


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
    return _Builder(cells, relations, known, zeros_are_shown).build()


class _Builder:
    def __init__(
        self,
        cells: pl.DataFrame,
        relations: Relations,
        known: pl.DataFrame | None,
        zeros_are_shown: bool,
    ):
        self.relations = relations
        self.zeros_are_shown = zeros_are_shown
        self.cells = cells
        self.known = known if known is not None and len(known) else None
        self.equal, self.remain = _Rows(), _Rows()
        self._name_everything()
        self._number_quantities()

    # --- names and numbers ---

    def _name_everything(self) -> None:
        frames = [self.cells] + ([self.known] if self.known is not None else [])
        keys = pl.concat([frame.select(KEY) for frame in frames]).unique()
        measures = sorted(keys["measure"].unique())
        undeclared = set(measures) - set(self.relations.measures["measure"])
        if undeclared:
            raise DisclosureError(f"{min(undeclared)}: no such measure is declared")
        places = sorted(keys["place"].unique())
        parts = sorted(set(keys.select("breakdown", "part").unique().iter_rows()))
        parts.sort(key=lambda part: part[0] != TOTAL)  # the total is number 0
        if not parts or parts[0][0] != TOTAL:
            parts.insert(0, (TOTAL, TOTAL))
        lives = self._lives(places)
        windows = {
            (window, quarter): (first, last)
            for window, quarter, first, last in self.relations.windows.iter_rows()
        }
        subject = dict(self.relations.measures.select("measure", "subject").iter_rows())
        spans = set()
        clipped = {}
        for measure, place, window, quarter in (
            keys.select("measure", "place", "window", "quarter").unique().iter_rows()
        ):
            if (window, quarter) not in windows:
                raise DisclosureError(f"{window} at {quarter}: no such window is declared")
            span = _clip(windows[window, quarter], lives.get((subject[measure], place)))
            clipped[subject[measure], place, window, quarter] = span
            spans.add(span)
        self.lives = lives
        self.names = Names(measures, places, parts, sorted(spans))
        self.span_of = clipped
        self.subject = subject

    def _lives(self, places: list[str]) -> dict[tuple[str, str], tuple[int, int]]:
        lives: dict[tuple[str, str], tuple[int, int]] = {}
        for subject, place, first, last in self.relations.lives.iter_rows():
            lives[subject, place] = (first, last)
        return lives

    def _number_quantities(self) -> None:
        names = self.names
        self.sizes = (len(names.measures), len(names.places), len(names.parts), len(names.spans))
        now = self._codes(self.cells)
        numbers = [now]
        if self.known is not None:
            before = self._codes(self.known)
            numbers.append(before)
        self.quantities = np.unique(np.concatenate(numbers))
        self.count = len(self.quantities)
        self.value = np.zeros(self.count)
        self.is_empty = np.ones(self.count, dtype=bool)
        self.is_shown_before = np.zeros(self.count, dtype=bool)
        self.is_published = np.zeros(self.count, dtype=bool)
        self.older: list[tuple[int, float, bool, str]] = []
        row = np.searchsorted(self.quantities, now)
        self._take_values(row, self.cells["value"], "the cells")
        filled = self.cells["value"].is_not_null().to_numpy()
        self.is_published[row[filled]] = True
        self.of_cell = np.where(filled, row, -1)
        self.of_known = np.zeros(0, dtype=np.int64)
        self.was_hidden = np.zeros(0, dtype=bool)  # of the rows of of_known that are a variable
        if self.known is not None:
            self._take_known(np.searchsorted(self.quantities, before))

    def _codes(self, frame: pl.DataFrame) -> np.ndarray:
        names = self.names
        spans = {span: number for number, span in enumerate(names.spans)}
        span = pl.DataFrame(
            [(s, p, w, q, spans[number]) for (s, p, w, q), number in self.span_of.items()],
            schema=["subject", "place", "window", "quarter", "span_number"],
            orient="row",
        )
        coded = (
            frame.select(KEY)
            .with_columns(
                pl.col("measure").replace_strict(self.subject).alias("subject"),
            )
            .join(span, on=["subject", "place", "window", "quarter"], maintain_order="left")
            .join(
                pl.DataFrame(
                    [(b, p, n) for n, (b, p) in enumerate(names.parts)],
                    schema=["breakdown", "part", "part_number"],
                    orient="row",
                ),
                on=["breakdown", "part"],
                maintain_order="left",
            )
        )
        measure = coded["measure"].replace_strict(_numbered(names.measures)).to_numpy()
        place = coded["place"].replace_strict(_numbered(names.places)).to_numpy()
        return self._code(
            measure, place, coded["part_number"].to_numpy(), coded["span_number"].to_numpy()
        )

    def _code(self, measure, place, part, span) -> np.ndarray:
        _, places, parts, spans = self.sizes
        number = np.asarray(measure, dtype=np.int64) * places + place
        return (number * parts + part) * spans + span

    def _take_values(self, row: np.ndarray, values: pl.Series, where: str) -> None:
        filled = values.is_not_null().to_numpy()
        row, number = row[filled], values.drop_nulls().to_numpy().astype(float)
        if (number < 0).any():
            raise DisclosureError(f"{where}: a count below zero")
        self.value[row] = number
        self.is_empty[row] = False
        wrong = self.value[row] != number
        if wrong.any():
            raise DisclosureError(f"{where}: two values of {self._quantity_name(row[wrong][0])}")

    def _take_known(self, row: np.ndarray) -> None:
        """Numbers of earlier releases: those that still hold, and older versions of others."""
        known = self.known
        assert known is not None
        order = known["release"].arg_sort(descending=True).to_numpy()  # the latest first
        values = known["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        shown = known["shown_from"].is_not_null().to_numpy()  # rounded counts as shown: safer
        of_known = np.full(len(known), -1)
        versions: dict[tuple[int, float], int] = {}
        for i in order:
            quantity, value = row[i], values[i]
            if np.isnan(value):
                continue
            if self.is_empty[quantity]:
                self.value[quantity], self.is_empty[quantity] = value, False
            if self.value[quantity] == value:
                self.is_shown_before[quantity] |= bool(shown[i])
                of_known[i] = quantity
            else:
                key = (int(quantity), float(value))
                if key not in versions:
                    versions[key] = self.count + len(self.older)
                    self.older.append(
                        (int(quantity), float(value), False, known["release"][int(i)])
                    )
                number = versions[key] - self.count
                q, v, s, r = self.older[number]
                self.older[number] = (q, v, s or bool(shown[i]), r)
                of_known[i] = versions[key]
        self.of_known = of_known
        self.was_hidden = ~shown[of_known >= 0]

    def _quantity_name(self, quantity: int) -> str:
        measure, place, *_ = self._uncode(self.quantities[quantity])
        return f"{self.names.measures[measure]}, {self.names.places[place]}"

    def _uncode(self, number):
        _, places, parts, spans = self.sizes
        return (
            number // (places * parts * spans),
            number // (parts * spans) % places,
            number // spans % parts,
            number % spans,
        )

    # --- equations ---

    def build(self) -> System:
        self.fixed_zero = np.zeros(self.count, dtype=bool)
        self.view = np.where(self.is_empty, EMPTY, np.arange(self.count))
        older = np.array([value for _, value, _, _ in self.older])
        self.all_values = np.concatenate([self.value, older])
        self._equations_of_view(None)
        for release in sorted({release for *_, release in self.older}):
            self._view_of(release)
        return self._finish()

    def _view_of(self, release: str) -> None:
        """Equations among the numbers as they stood in an earlier release."""
        view = np.where(self.is_empty, EMPTY, np.arange(self.count))
        changed = []
        for number, (quantity, _, _, of) in enumerate(self.older):
            if of == release:
                view[quantity] = self.count + number
                changed.append(quantity)
        self.view = view
        self._equations_of_view(np.array(changed))

    def _equations_of_view(self, changed: np.ndarray | None) -> None:
        measure, place, part, span = self._uncode(self.quantities)
        self.m, self.p, self.k, self.s = measure, place, part, span
        self.changed = None
        if changed is not None:
            self.changed = np.zeros(self.count, dtype=bool)
            self.changed[changed] = True
        for groups, difference in (
            *self._place_groups(),
            *self._breakdown_groups(),
            *self._window_groups(),
            *self._relation_groups(),
            *self._difference_groups(),
        ):
            self._add(groups, difference)

    def _add(self, groups: list[tuple[np.ndarray, int]], has_difference: np.ndarray) -> None:
        """Equations; with ``has_difference`` the first group equals the others and a difference."""
        if not len(has_difference):
            return
        whole = groups[0][0]
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
        wrong = off & ~has_difference | (left < -1e-9)
        if wrong.any() and self.changed is None:
            variable = groups[0][0][np.argmax(wrong)]
            if not self._mixes_releases([rows[np.argmax(wrong)] for rows, _ in groups]):
                raise DisclosureError(
                    f"{self._quantity_name(variable)}: the parts do not add up to it"
                )
        for rows, chosen in ((self.equal, ~has_difference), (self.remain, has_difference)):
            rows.add([(columns[~wrong & chosen], sign) for columns, sign in seen])

    def _mixes_releases(self, quantities: list[int]) -> bool:
        """Whether some of these are known from earlier releases only, and may be outdated."""
        there = [quantity for quantity in quantities if quantity >= 0]
        return not self.is_published[there].all()

    def _find(self, measure, place, part, span) -> np.ndarray:
        """Quantities by number: ABSENT where there is none, EMPTY where nothing was sent."""
        wanted = self._code(measure, place, part, span)
        at = np.searchsorted(self.quantities, wanted)
        at = np.minimum(at, self.count - 1)
        places = np.where(self.quantities[at] == wanted, at, ABSENT)
        return np.where((places >= 0) & self.is_empty[np.maximum(places, 0)], EMPTY, places)

    def _subject_measures(self, subject: str) -> np.ndarray:
        names = self.names.measures
        return np.array([n for n, name in enumerate(names) if self.subject[name] == subject])

    def _place_groups(self) -> Iterator[tuple[list, np.ndarray]]:
        places = _numbered(self.names.places)
        spans = _numbered(self.names.spans)
        schemes: dict[tuple[str, str, str], dict[tuple[int, int], list[str]]] = {}
        for subject, parent, scheme, member, first, last in self.relations.places.iter_rows():
            if parent in places:
                stretches = schemes.setdefault((subject, parent, scheme), {})
                stretches.setdefault((first, last), []).append(member)
        for (subject, parent, _), stretches in sorted(schemes.items()):
            mine = np.isin(self.m, self._subject_measures(subject)) & (self.p == places[parent])
            for number, span in enumerate(self.names.spans):
                whole = np.flatnonzero(mine & (self.s == number) & ~self.is_empty)
                if not len(whole):
                    continue
                portions, is_covered = self._portions(subject, span, stretches)
                if not portions:
                    continue
                groups = [(whole, 1)]
                difference = np.full(len(whole), not is_covered)
                for member, portion in portions:
                    if member in places and portion in spans:
                        members = self._find(
                            self.m[whole], places[member], self.k[whole], spans[portion]
                        )
                    else:
                        members = np.full(len(whole), ABSENT)
                    difference |= members == ABSENT
                    groups.append((members, -1))
                yield groups, difference

    def _portions(
        self,
        subject: str,
        span: tuple[int, int],
        stretches: dict[tuple[int, int], list[str]],
    ) -> tuple[list[tuple[str, tuple[int, int]]], bool]:
        """Which quarters of each member make up a parent over a span, and if they cover it."""
        portions: dict[str, list[tuple[int, int]]] = {}
        uncovered = set(range(span[0], span[1] + 1))
        for (first, last), members in sorted(stretches.items()):
            start, stop = max(first, span[0]), min(last, span[1])
            if start > stop:
                continue
            uncovered -= set(range(start, stop + 1))
            for member in members:
                mine = portions.setdefault(member, [])
                if mine and mine[-1][1] == start - 1:
                    mine[-1] = (mine[-1][0], stop)
                else:
                    mine.append((start, stop))
        portions = [
            (member, _clip(portion, self.lives.get((subject, member))))
            for member, mine in sorted(portions.items())
            for portion in mine
        ]
        return portions, not uncovered

    def _breakdown_groups(self) -> Iterator[tuple[list, np.ndarray]]:
        parts = {part: number for number, part in enumerate(self.names.parts)}
        breakdowns: dict[tuple[str, str], list[str]] = {}
        for subject, breakdown, part in self.relations.breakdowns.iter_rows():
            breakdowns.setdefault((subject, breakdown), []).append(part)
        for (subject, breakdown), members in sorted(breakdowns.items()):
            if not any((breakdown, part) in parts for part in members):
                continue
            mine = np.isin(self.m, self._subject_measures(subject))
            whole = np.flatnonzero(mine & (self.k == 0) & ~self.is_empty)
            of_parts = [
                self._find(self.m[whole], self.p[whole], parts[breakdown, part], self.s[whole])
                if (breakdown, part) in parts
                else np.full(len(whole), ABSENT)
                for part in members
            ]
            broken_down = np.any([rows != ABSENT for rows in of_parts], axis=0)
            whole, of_parts = whole[broken_down], [rows[broken_down] for rows in of_parts]
            difference = np.any([rows == ABSENT for rows in of_parts], axis=0)
            yield [(whole, 1)] + [(rows, -1) for rows in of_parts], difference

    def _window_groups(self) -> Iterator[tuple[list, np.ndarray]]:
        for there, series in self._patterns():
            for signed, is_difference in _cycles([self.names.spans[n] for n in there]):
                groups = [(self._at(series, there[n]), sign) for n, sign in signed]
                yield groups, np.full(len(series), is_difference)

    def _patterns(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Which windows there are of flows, and all series with exactly these windows."""
        stocks = set(self.relations.measures.filter("is_stock")["measure"])
        is_flow = np.array([name not in stocks for name in self.names.measures])
        flows = np.flatnonzero(is_flow[self.m] & ~self.is_empty)
        spans = self.sizes[3]
        series, inverse = np.unique(self.quantities[flows] // spans, return_inverse=True)
        pattern = np.zeros((len(series), spans), dtype=bool)
        pattern[inverse, self.s[flows]] = True
        kinds, kind_of = np.unique(np.packbits(pattern, axis=1), axis=0, return_inverse=True)
        for number in range(len(kinds)):
            members = np.flatnonzero(kind_of.ravel() == number)
            yield np.flatnonzero(pattern[members[0]]), series[members]

    def _at(self, series: np.ndarray, span: int) -> np.ndarray:
        """Quantities of whole series over one span; they must exist."""
        return np.searchsorted(self.quantities, series * self.sizes[3] + span)

    def _difference_groups(self) -> Iterator[tuple[list, np.ndarray]]:
        """Whoever is part of another is so in what windows leave over, too.

        If as many were placed in the year to date as in the quarter, nobody was in the quarters
        before, nor anybody placed late.
        """
        measures = _numbered(self.names.measures)
        pairs = [
            (relation.whole, relation.part) for relation in self.relations.subset_relations.subsets
        ]
        for there, series in self._patterns():
            paths = [path for path, left in _cycles([self.names.spans[n] for n in there]) if left]
            measure, place, part, _ = self._uncode(series * self.sizes[3])
            for whole, inside in pairs:
                if not paths or whole not in measures or inside not in measures:
                    continue
                mine = measure == measures[whole]
                parts = [
                    self._find(measures[inside], place[mine], part[mine], span) for span in there
                ]
                complete = np.all([other >= 0 for other in parts], axis=0)
                for path in paths:
                    groups = [(self._at(series[mine], there[n])[complete], s) for n, s in path]
                    groups += [(parts[n][complete], -s) for n, s in path]
                    yield groups, np.ones(int(complete.sum()), dtype=bool)

    def _relation_groups(self) -> Iterator[tuple[list, np.ndarray]]:
        measures = _numbered(self.names.measures)
        subset_relations = self.relations.subset_relations
        for relation in subset_relations.partitions:
            yield from self._measure_relation(
                measures, relation.whole, relation.parts, is_exact=True
            )
        for relation in subset_relations.subsets:
            yield from self._measure_relation(
                measures, relation.whole, (relation.part,), is_exact=False
            )

        for relation in subset_relations.slices:
            yield from self._slice(measures, relation)
        for relation in subset_relations.inclusions:
            yield from self._inclusion(relation)

    def _slice(self, measures: dict[str, int], relation) -> Iterator[tuple[list, np.ndarray]]:
        """A measure that counts nobody outside some parts of a breakdown."""
        if relation.measure not in measures:
            return
        parts = {part: number for number, part in enumerate(self.names.parts)}
        inside = [
            parts[relation.breakdown, part]
            for part in relation.parts
            if (relation.breakdown, part) in parts
        ]
        of_breakdown = [
            n for n, (name, _) in enumerate(self.names.parts) if name == relation.breakdown
        ]
        mine = self.m == measures[relation.measure]
        outside = np.isin(self.k, of_breakdown) & ~np.isin(self.k, inside)
        self.fixed_zero |= mine & outside & (self.value == 0)
        if relation.of is None or relation.of not in measures or not inside:
            return
        rows = np.flatnonzero(mine & (self.k == 0) & ~self.is_empty)
        portions = [
            self._find(measures[relation.of], self.p[rows], part, self.s[rows]) for part in inside
        ]
        complete = np.all([other != ABSENT for other in portions], axis=0)
        rows, portions = rows[complete], [other[complete] for other in portions]
        yield [(rows, 1)] + [(other, -1) for other in portions], np.zeros(len(rows), dtype=bool)

    def _inclusion(self, relation) -> Iterator[tuple[list, np.ndarray]]:
        """Whoever falls into some parts of one breakdown falls into a part of another."""
        parts = {part: number for number, part in enumerate(self.names.parts)}
        inner = [
            parts[relation.breakdown, part]
            for part in relation.parts
            if (relation.breakdown, part) in parts
        ]
        if relation.within not in parts or not inner:
            return
        rows = np.flatnonzero((self.k == parts[relation.within]) & ~self.is_empty)
        portions = [self._find(self.m[rows], self.p[rows], part, self.s[rows]) for part in inner]
        yield [(rows, 1)] + [(other, -1) for other in portions], np.ones(len(rows), dtype=bool)

    def _measure_relation(
        self, measures: dict[str, int], whole: str, parts: tuple[str, ...], is_exact: bool
    ) -> Iterator[tuple[list, np.ndarray]]:
        if whole not in measures or not any(part in measures for part in parts):
            return
        rows = np.flatnonzero((self.m == measures[whole]) & ~self.is_empty)
        portions = [
            self._find(measures[part], self.p[rows], self.k[rows], self.s[rows])
            if part in measures
            else np.full(len(rows), ABSENT)
            for part in parts
        ]
        there = np.any([other != ABSENT for other in portions], axis=0)
        rows, portions = rows[there], [other[there] for other in portions]
        difference = np.full(len(rows), not is_exact)
        for other in portions:
            difference |= other == ABSENT
        yield [(rows, 1)] + [(other, -1) for other in portions], difference

    # --- the system ---

    def _finish(self) -> System:
        total = self.count + len(self.older)
        of = np.array([quantity for quantity, *_ in self.older], dtype=np.int64)
        spans = np.array(self.names.spans).reshape(-1, 2)
        measure, place, part, span = (
            np.concatenate([codes, codes[of]]) for codes in self._uncode(self.quantities)
        )
        older_shown = np.array([shown for *_, shown, _ in self.older], dtype=bool)
        none = np.zeros(len(self.older), dtype=bool)
        equal, remain = self.equal.matrix(total), self.remain.matrix(total)
        is_known_zero = np.concatenate([self.is_published | self.is_shown_before, older_shown])
        is_known_zero &= (self.all_values == 0) & self.zeros_are_shown
        is_nothing = _nothing(np.concatenate([self.fixed_zero, none]), is_known_zero, equal, remain)
        is_nothing[self.of_known[self.of_known >= 0][self.was_hidden]] = False
        return System(
            value=self.all_values,
            is_shown_before=np.concatenate([self.is_shown_before, older_shown]),
            is_published=np.concatenate([self.is_published, none]),
            is_nothing=is_nothing,
            measure=measure,
            place=place,
            part=part,
            first=spans[span, 0],
            last=spans[span, 1],
            equal=_without(equal, is_nothing, fewest=1),
            remain=_without(remain, is_nothing, fewest=2),
            of_cell=self.of_cell,
            of_known=self.of_known,
            names=self.names,
        )


def connected_tables(
    system: System, movable: np.ndarray
) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Connected tables: variables that may move, equations, differences."""
    columns = np.flatnonzero(movable)
    both = sparse.vstack([system.equal, system.remain], format="csr")[:, columns]
    exact = system.equal.shape[0]
    entries = abs(both)
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
        is_part = (entries.data < 0) & (wholes == 1)[entries.row]
        is_fixed[entries.col[is_part & is_known_zero[whole_of][entries.row]]] = True
    return is_fixed


def _without(matrix: sparse.csr_matrix, is_nothing: np.ndarray, fewest: int) -> sparse.csr_matrix:
    """Equations without the zeros that are certain, if enough of them is left to say anything."""
    kept = matrix @ sparse.diags_array(~is_nothing, dtype=np.int8)
    kept = sparse.csr_matrix(kept)
    kept.eliminate_zeros()
    return kept[np.diff(kept.indptr) >= fewest]


def _numbered(names: list) -> dict:
    return {name: number for number, name in enumerate(names)}


def _clip(span: tuple[int, int], life: tuple[int, int] | None) -> tuple[int, int]:
    """The part of a span in which the place sent returns; the span itself if there is none."""
    if life is None:
        return span
    first, last = max(span[0], life[0]), min(span[1], life[1])
    return (first, last) if first <= last else span


def _cycles(spans: list[tuple[int, int]]) -> list[tuple[list[tuple[int, int]], bool]]:
    """Equations among windows: each as (position in ``spans``, sign) pairs and whether what is
    left is a difference, that is a stretch of quarters no window covers by itself.

    Windows are edges between the days on which they begin and end. Every cycle is an equation;
    shortest paths keep them short. A stretch between two neighbouring days that a path joins is
    the signed sum of the path, and never below zero.
    """
    edges: dict[int, list[tuple[int, int, int]]] = {}
    cycles = []
    order = sorted(range(len(spans)), key=lambda n: (spans[n][1] - spans[n][0], spans[n]))
    for n in order:
        start, stop = spans[n][0], spans[n][1] + 1
        path = _path(edges, start, stop)
        if path is not None:
            cycles.append(([(n, 1)] + [(other, -sign) for other, sign in path], False))
        edges.setdefault(start, []).append((stop, n, 1))
        edges.setdefault(stop, []).append((start, n, -1))
    days = sorted(edges)
    for start, stop in pairwise(days):
        if (start, stop - 1) in spans:
            continue
        path = _path(edges, start, stop)
        if path is not None:
            path.sort(key=lambda step: -step[1])  # a window that is added comes first
            cycles.append((path, True))
    return cycles


def _path(
    edges: dict[int, list[tuple[int, int, int]]], start: int, stop: int
) -> list[tuple[int, int]] | None:
    """Fewest windows, as (number, sign), that lead from one day to another."""
    if start not in edges or stop not in edges:
        return None
    came: dict[int, tuple[int, int, int] | None] = {start: None}
    waiting = [start]
    for day in waiting:
        if day == stop:
            break
        for other, n, sign in sorted(edges[day]):
            if other not in came:
                came[other] = (day, n, sign)
                waiting.append(other)
    if stop not in came:
        return None
    steps = []
    day = stop
    while (step := came[day]) is not None:
        day, n, sign = step
        steps.append((n, sign))
    return steps[::-1]
