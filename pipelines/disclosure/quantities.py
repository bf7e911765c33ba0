"""The quantities of a release, numbered: what each cell counts, over which quarters.

A *quantity* is what a cell counts, over the quarters it covers: the year to date that ends a year
and the financial year are one quantity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.disclosure.cells import KEY, TOTAL, DisclosureError, Relations

ABSENT, EMPTY = -1, -2  # no such cell; a cell whose place sent nothing


@dataclass(frozen=True)
class Names:
    """What the numbers in a system's arrays stand for."""

    measures: list[str]
    places: list[str]
    parts: list[tuple[str, str]]
    spans: list[tuple[int, int]]


class Quantities:
    """Quantities of the cells and of what earlier releases showed, with their true values.

    A quantity is known by its position in ``codes``, which is sorted. Arrays have one entry per
    quantity; ``older`` are revised numbers as earlier releases showed them: quantity, value,
    whether it was shown, release. ``of_cell`` and ``of_known`` give the quantity of each row of
    the cells and of what is known; a number in ``of_known`` beyond the quantities is an older one.
    """

    def __init__(self, cells: pl.DataFrame, relations: Relations, known: pl.DataFrame | None):
        self.relations = relations
        self.cells = cells
        self.known = known if known is not None and len(known) else None
        self._name_everything()
        self._number()

    def _name_everything(self) -> None:
        frames = [self.cells] + ([self.known] if self.known is not None else [])
        keys = pl.concat([frame.select(KEY) for frame in frames]).unique()
        measures = sorted(keys["measure"].unique())
        undeclared = set(measures) - set(self.relations.measures["measure"])
        if undeclared:
            raise DisclosureError(f"{min(undeclared)}: no such measure is declared")
        places = sorted(keys["place"].unique())
        parts = sorted(set(keys.select("breakdown", "part").unique().iter_rows()))
        # A whole is told from its parts by this number alone, so the total has it even where no
        # cell has.
        parts.sort(key=lambda part: part[0] != TOTAL)  # the total is number 0
        if not parts or parts[0][0] != TOTAL:
            parts.insert(0, (TOTAL, TOTAL))
        self.lives = {
            (subject, place): (first, last)
            for subject, place, first, last in self.relations.lives.iter_rows()
        }
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
            # A window is cut to the life of the place: twelve quarters of an agency two years old
            # are eight, and so the same quantity as its first eight. Left long, a number that can
            # be worked out from another would pass for one that cannot.
            span = clip(windows[window, quarter], self.lives.get((subject[measure], place)))
            clipped[subject[measure], place, window, quarter] = span
            spans.add(span)
        self.names = Names(measures, places, parts, sorted(spans))
        self.span_of = clipped
        self.subject = subject

    def _number(self) -> None:
        names = self.names
        self.sizes = (len(names.measures), len(names.places), len(names.parts), len(names.spans))
        now = self._codes_of(self.cells)
        numbers = [now]
        if self.known is not None:
            before = self._codes_of(self.known)
            numbers.append(before)
        # One integer for each quantity, sorted: all positions of a relation are found by one binary
        # search.
        self.codes: np.ndarray = np.unique(np.concatenate(numbers))
        self.count = len(self.codes)
        self.value = np.zeros(self.count)
        self.is_empty = np.ones(self.count, dtype=bool)
        self.is_shown_before = np.zeros(self.count, dtype=bool)
        self.is_published = np.zeros(self.count, dtype=bool)
        self.older: list[tuple[int, float, bool, str]] = []
        row = np.searchsorted(self.codes, now)
        self._take_values(row, self.cells["value"], "the cells")
        filled = self.cells["value"].is_not_null().to_numpy()
        self.is_published[row[filled]] = True
        self.of_cell = np.where(filled, row, -1)
        self.of_known = np.zeros(0, dtype=np.int64)
        self.was_hidden = np.zeros(0, dtype=bool)  # of the rows of of_known that are a variable
        if self.known is not None:
            self._take_known(np.searchsorted(self.codes, before))

    def _codes_of(self, frame: pl.DataFrame) -> np.ndarray:
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
        measure = coded["measure"].replace_strict(numbered(names.measures)).to_numpy()
        place = coded["place"].replace_strict(numbered(names.places)).to_numpy()
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
        # Everything later rests on "no part of a zero is above zero", which a count below zero
        # breaks.
        if (number < 0).any():
            raise DisclosureError(f"{where}: a count below zero")
        self.value[row] = number
        self.is_empty[row] = False
        wrong = self.value[row] != number
        if wrong.any():
            raise DisclosureError(f"{where}: two values of {self.name_of(row[wrong][0])}")

    def _take_known(self, row: np.ndarray) -> None:
        """Numbers of earlier releases: those that still hold, and older versions of others."""
        known = self.known
        assert known is not None
        # The latest release that showed a quantity says what it is now; earlier ones that differ
        # become variables of their own, since readers still hold them.
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
                # Shown once is known for ever: a later release that suppresses it again takes
                # nothing back.
                self.older[number] = (q, v, s or bool(shown[i]), r)
                of_known[i] = versions[key]
        self.of_known = of_known
        self.was_hidden = ~shown[of_known >= 0]

    def name_of(self, quantity: int) -> str:
        measure, place, *_ = self.uncode(self.codes[quantity])
        return f"{self.names.measures[measure]}, {self.names.places[place]}"

    def uncode(self, number):
        _, places, parts, spans = self.sizes
        return (
            number // (places * parts * spans),
            number // (parts * spans) % places,
            number // spans % parts,
            number % spans,
        )

    def find(self, measure, place, part, span) -> np.ndarray:
        """Quantities by number: ABSENT where there is none, EMPTY where nothing was sent."""
        wanted = self._code(measure, place, part, span)
        at = np.searchsorted(self.codes, wanted)
        # What sorts behind the last quantity is compared with the last one, and differs from it.
        at = np.minimum(at, self.count - 1)
        places = np.where(self.codes[at] == wanted, at, ABSENT)
        return np.where((places >= 0) & self.is_empty[np.maximum(places, 0)], EMPTY, places)

    def measures_of(self, subject: str) -> np.ndarray:
        names = self.names.measures
        return np.array([n for n, name in enumerate(names) if self.subject[name] == subject])


def numbered(names: list) -> dict:
    """The position of each name, from 0."""
    return {name: number for number, name in enumerate(names)}


def clip(span: tuple[int, int], life: tuple[int, int] | None) -> tuple[int, int]:
    """The part of a span in which the place sent returns; the span itself if there is none."""
    if life is None:
        return span
    first, last = max(span[0], life[0]), min(span[1], life[1])
    return (first, last) if first <= last else span
