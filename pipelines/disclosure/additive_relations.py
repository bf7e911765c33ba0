"""Which quantities add up to which: by place, breakdown, window and measure.

Each relation is a list of groups with a sign: the whole (+1) and its parts (-1), as arrays of
quantities of equal length, one equation for each position. Beside it stands, for each equation,
whether the parts fall short of the whole, so that a difference is left which is not below zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from pipelines.disclosure.quantities import ABSENT, Quantities, clip, numbered

Groups = list[tuple[np.ndarray, int]]


class AdditiveRelations:
    """All relations among the quantities of a release.

    ``fixed_zero`` marks the quantities that relations passed so far make zero by definition.
    """

    def __init__(self, quantities: Quantities):
        self.quantities = quantities
        self.names, self.relations = quantities.names, quantities.relations
        self.value, self.is_empty = quantities.value, quantities.is_empty
        self.m, self.p, self.k, self.s = quantities.uncode(quantities.codes)
        self.fixed_zero = np.zeros(quantities.count, dtype=bool)

    def __iter__(self) -> Iterator[tuple[Groups, np.ndarray]]:
        yield from self._place_groups()
        yield from self._breakdown_groups()
        yield from self._window_groups()
        yield from self._relation_groups()
        # Last, and easily forgotten: an audit that did not know of differences between windows
        # passed while 18 numbers of Wales could be estimated, four of them exactly.
        yield from self._difference_groups()

    def _place_groups(self) -> Iterator[tuple[Groups, np.ndarray]]:
        places = numbered(self.names.places)
        spans = numbered(self.names.spans)
        schemes: dict[tuple[str, str, str], dict[tuple[int, int], list[str]]] = {}
        for subject, parent, scheme, member, first, last in self.relations.places.iter_rows():
            if parent in places:
                stretches = schemes.setdefault((subject, parent, scheme), {})
                stretches.setdefault((first, last), []).append(member)
        for (subject, parent, _), stretches in sorted(schemes.items()):
            mine = np.isin(self.m, self.quantities.measures_of(subject)) & (
                self.p == places[parent]
            )
            for number, span in enumerate(self.names.spans):
                whole = np.flatnonzero(mine & (self.s == number) & ~self.is_empty)
                if not len(whole):
                    continue
                portions, is_covered = self._portions(subject, span, stretches)
                if not portions:
                    continue
                groups = [(whole, 1)]
                # Parts that do not fill the whole span, or that are in no table, still bound the
                # whole from below.
                difference = np.full(len(whole), not is_covered)
                for member, portion in portions:
                    if member in places and portion in spans:
                        members = self.quantities.find(
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
        of_members: dict[str, list[tuple[int, int]]] = {}
        uncovered = set(range(span[0], span[1] + 1))
        for (first, last), members in sorted(stretches.items()):
            start, stop = max(first, span[0]), min(last, span[1])
            if start > stop:
                continue
            uncovered -= set(range(start, stop + 1))
            for member in members:
                mine = of_members.setdefault(member, [])
                # A member that stayed through a change of the others is one stretch, not two: two
                # halves of a window are in no table, the whole is.
                if mine and mine[-1][1] == start - 1:
                    mine[-1] = (mine[-1][0], stop)
                else:
                    mine.append((start, stop))
        portions = [
            (member, clip(portion, self.quantities.lives.get((subject, member))))
            for member, mine in sorted(of_members.items())
            for portion in mine
        ]
        return portions, not uncovered

    def _breakdown_groups(self) -> Iterator[tuple[Groups, np.ndarray]]:
        parts = {part: number for number, part in enumerate(self.names.parts)}
        breakdowns: dict[tuple[str, str], list[str]] = {}
        for subject, breakdown, part in self.relations.breakdowns.iter_rows():
            breakdowns.setdefault((subject, breakdown), []).append(part)
        for (subject, breakdown), members in sorted(breakdowns.items()):
            if not any((breakdown, part) in parts for part in members):
                continue
            mine = np.isin(self.m, self.quantities.measures_of(subject))
            whole = np.flatnonzero(mine & (self.k == 0) & ~self.is_empty)
            of_parts = [
                self.quantities.find(
                    self.m[whole], self.p[whole], parts[breakdown, part], self.s[whole]
                )
                if (breakdown, part) in parts
                else np.full(len(whole), ABSENT)
                for part in members
            ]
            # A total without any part in the tables says nothing; without this, each would be an
            # inequality.
            broken_down = np.any([rows != ABSENT for rows in of_parts], axis=0)
            whole, of_parts = whole[broken_down], [rows[broken_down] for rows in of_parts]
            difference = np.any([rows == ABSENT for rows in of_parts], axis=0)
            yield [(whole, 1)] + [(rows, -1) for rows in of_parts], difference

    def _window_groups(self) -> Iterator[tuple[Groups, np.ndarray]]:
        for there, series in self._patterns():
            for signed, is_difference in _cycles([self.names.spans[n] for n in there]):
                groups = [(self._at(series, there[n]), sign) for n, sign in signed]
                yield groups, np.full(len(series), is_difference)

    def _patterns(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Which windows there are of flows, and all series with exactly these windows."""
        stocks = set(self.relations.measures.filter("is_stock")["measure"])
        is_flow = np.array([name not in stocks for name in self.names.measures])
        flows = np.flatnonzero(is_flow[self.m] & ~self.is_empty)
        spans = len(self.names.spans)
        series, inverse = np.unique(self.quantities.codes[flows] // spans, return_inverse=True)
        pattern = np.zeros((len(series), spans), dtype=bool)
        pattern[inverse, self.s[flows]] = True
        # Thousands of series have the same few windows, so paths are looked for once for each
        # pattern. Packed into bits, patterns compare as bytes.
        kinds, kind_of = np.unique(np.packbits(pattern, axis=1), axis=0, return_inverse=True)
        for number in range(len(kinds)):
            members = np.flatnonzero(kind_of.ravel() == number)
            yield np.flatnonzero(pattern[members[0]]), series[members]

    def _at(self, series: np.ndarray, span: int) -> np.ndarray:
        """Quantities of whole series over one span; they must exist."""
        return np.searchsorted(self.quantities.codes, series * len(self.names.spans) + span)

    def _difference_groups(self) -> Iterator[tuple[Groups, np.ndarray]]:
        """Whoever is part of another is so in what windows leave over, too.

        If as many were placed in the year to date as in the quarter, nobody was in the quarters
        before, nor anybody placed late.
        """
        measures = numbered(self.names.measures)
        pairs = [
            (relation.whole, relation.part) for relation in self.relations.subset_relations.subsets
        ]
        for there, series in self._patterns():
            paths = [path for path, left in _cycles([self.names.spans[n] for n in there]) if left]
            measure, place, part, _ = self.quantities.uncode(series * len(self.names.spans))
            for whole, inside in pairs:
                if not paths or whole not in measures or inside not in measures:
                    continue
                mine = measure == measures[whole]
                parts = [
                    self.quantities.find(measures[inside], place[mine], part[mine], span)
                    for span in there
                ]
                complete = np.all([other >= 0 for other in parts], axis=0)
                for path in paths:
                    groups = [(self._at(series[mine], there[n])[complete], s) for n, s in path]
                    groups += [(parts[n][complete], -s) for n, s in path]
                    yield groups, np.ones(int(complete.sum()), dtype=bool)

    def _relation_groups(self) -> Iterator[tuple[Groups, np.ndarray]]:
        measures = numbered(self.names.measures)
        subset_relations = self.relations.subset_relations
        for relation in subset_relations.partitions:
            yield from self._measure_relation(
                measures, relation.whole, relation.parts, is_exact=True
            )
        # Children placed within six months are among those placed: an exact difference if both are
        # shown.
        for relation in subset_relations.subsets:
            yield from self._measure_relation(
                measures, relation.whole, (relation.part,), is_exact=False
            )

        for relation in subset_relations.slices:
            yield from self._slice(measures, relation)
        for relation in subset_relations.inclusions:
            yield from self._inclusion(relation)
        for relation in subset_relations.covers:
            yield from self._cover(measures, relation)
        for relation in subset_relations.part_covers:
            yield from self._part_cover(relation)

    def _slice(self, measures: dict[str, int], relation) -> Iterator[tuple[Groups, np.ndarray]]:
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
        # Zero by definition, so no reader learns from it and no protection can move it. One that is
        # not zero contradicts the declaration and is protected like any other number.
        self.fixed_zero |= mine & outside & (self.value == 0)
        if relation.of is None or relation.of not in measures or not inside:
            return
        rows = np.flatnonzero(mine & (self.k == 0) & ~self.is_empty)
        portions = [
            self.quantities.find(measures[relation.of], self.p[rows], part, self.s[rows])
            for part in inside
        ]
        complete = np.all([other != ABSENT for other in portions], axis=0)
        rows, portions = rows[complete], [other[complete] for other in portions]
        yield [(rows, 1)] + [(other, -1) for other in portions], np.zeros(len(rows), dtype=bool)

    def _inclusion(self, relation) -> Iterator[tuple[Groups, np.ndarray]]:
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
        portions = [
            self.quantities.find(self.m[rows], self.p[rows], part, self.s[rows]) for part in inner
        ]
        yield [(rows, 1)] + [(other, -1) for other in portions], np.ones(len(rows), dtype=bool)

    def _cover(self, measures: dict[str, int], relation) -> Iterator[tuple[Groups, np.ndarray]]:
        """Measures that overlap are together at least the one that they cover."""
        if relation.covered not in measures or any(name not in measures for name in relation.by):
            return
        rows = np.flatnonzero((self.m == measures[relation.covered]) & ~self.is_empty)
        found = [
            self.quantities.find(measures[name], self.p[rows], self.k[rows], self.s[rows])
            for name in relation.by
        ]
        yield from self._together(rows, found)

    def _part_cover(self, relation) -> Iterator[tuple[Groups, np.ndarray]]:
        parts = {part: number for number, part in enumerate(self.names.parts)}
        if any(part not in parts for part in (relation.covered, *relation.by)):
            return
        rows = np.flatnonzero((self.k == parts[relation.covered]) & ~self.is_empty)
        found = [
            self.quantities.find(self.m[rows], self.p[rows], parts[part], self.s[rows])
            for part in relation.by
        ]
        yield from self._together(rows, found)

    def _together(
        self, rows: np.ndarray, found: list[np.ndarray]
    ) -> Iterator[tuple[Groups, np.ndarray]]:
        """At least ``rows`` where all of ``found`` are in the tables."""
        complete = np.all([other != ABSENT for other in found], axis=0)
        rows = rows[complete]
        groups = [(other[complete], 1) for other in found]
        yield [*groups, (rows, -1)], np.ones(len(rows), dtype=bool)

    def _measure_relation(
        self, measures: dict[str, int], whole: str, parts: tuple[str, ...], is_exact: bool
    ) -> Iterator[tuple[Groups, np.ndarray]]:
        if whole not in measures or not any(part in measures for part in parts):
            return
        rows = np.flatnonzero((self.m == measures[whole]) & ~self.is_empty)
        portions = [
            self.quantities.find(measures[part], self.p[rows], self.k[rows], self.s[rows])
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


def _cycles(spans: list[tuple[int, int]]) -> list[tuple[list[tuple[int, int]], bool]]:
    """Equations among windows: each as (position in ``spans``, sign) pairs and whether what is
    left is a difference, that is a stretch of quarters no window covers by itself.

    Windows are edges between the days on which they begin and end. Every cycle is an equation;
    shortest paths keep them short. A stretch between two neighbouring days that a path joins is
    the signed sum of the path, and never below zero.
    """
    edges: dict[int, list[tuple[int, int, int]]] = {}
    cycles = []
    # Short windows first, so that long ones are written as sums of them and equations stay short.
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
        # A window covers this stretch by itself: it is a number of the tables already.
        if (start, stop - 1) in spans:
            continue
        path = _path(edges, start, stop)
        if path is not None:
            # Whoever reads a row takes its first variable for the whole of which the rest are
            # parts.
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
