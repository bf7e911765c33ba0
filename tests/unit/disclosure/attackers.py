"""Programs of an attacker. They share nothing with the protection nor with its audit.

An attacker starts from children: how many of them each smallest place has, in each part and each
quarter, is unknown, a whole number, never below zero. Every number shown is a sum of these. So
whatever follows from the releases follows from a linear program over the unknown children.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import polars as pl
from scipy.optimize import linprog

from tests.unit.disclosure.tables_made import Key, Tables

KEY = ["measure", "place", "breakdown", "part", "window", "quarter"]


def shown_numbers(shown: pl.DataFrame) -> dict[Key, int | None]:
    """Every cell of a release: its number, or None where it is suppressed."""
    return {tuple(row[:6]): row[6] for row in shown.select(*KEY, "shown").iter_rows()}


def primary_only(cells: pl.DataFrame, smallest: int) -> dict[Key, int | None]:
    """The control: what an office shows that suppresses small numbers and nothing else."""
    return {
        tuple(row[:6]): None if 0 < row[6] < smallest else row[6]
        for row in cells.select(*KEY, "value").iter_rows()
    }


def linear_attack(
    tables: Tables, *releases: dict[Key, int | None], only: set[Key] | None = None
) -> dict[Key, tuple[float, float]]:
    """Least and greatest possible value of every suppressed number, from all releases together."""
    bases = list(tables.counts)
    at = {base: number for number, base in enumerate(bases)}
    forms = {key: _form(tables, key, at) for release in releases for key in release}
    known = {
        key: value for release in releases for key, value in release.items() if value is not None
    }
    equal = np.array([forms[key] for key in known])
    right = np.array(list(known.values()), dtype=float)
    less = []
    for part, whole in tables.subsets:
        for base in bases:
            if base[0] == part:
                row = np.zeros(len(bases))
                row[at[base]] = 1
                row[at[(whole, *base[1:])]] = -1
                less.append(row)
    found = {}
    for key, form in forms.items():
        if key in known or (only is not None and key not in only):
            continue
        ends = []
        for sign in (1, -1):
            answer = linprog(
                sign * form,
                A_ub=np.array(less) if less else None,
                b_ub=np.zeros(len(less)) if less else None,
                A_eq=equal if len(equal) else None,
                b_eq=right if len(equal) else None,
                bounds=(0, None),
            )
            ends.append(sign * answer.fun if answer.status == 0 else sign * -np.inf)
        found[key] = (ends[0], ends[1])
    return found


def _form(tables: Tables, key: Key, at: dict) -> np.ndarray:
    form = np.zeros(len(at))
    for base in tables.bases_of(key):
        form[at[base]] = 1
    return form


def possible(interval: tuple[float, float]) -> float:
    """How many whole numbers lie in an interval."""
    low, high = interval
    return np.floor(high + 1e-6) - np.ceil(low - 1e-6) + 1


def told(found: dict[Key, tuple[float, float]], fewest: int = 3) -> set[Key]:
    """What an attack recovers: numbers with fewer possible values than that."""
    return {key for key, interval in found.items() if possible(interval) < fewest}


def enumeration_attack(
    tables: Tables, release: dict[Key, int | None], most: int
) -> dict[Key, set[int]]:
    """Every table of children, one after the other: which values each hidden number can have."""
    bases = list(tables.counts)
    forms = {key: [bases.index(base) for base in tables.bases_of(key)] for key in release}
    known = {key: value for key, value in release.items() if value is not None}
    found: dict[Key, set[int]] = {key: set() for key in release if key not in known}
    for children in _tables(len(bases), most):
        if all(sum(children[n] for n in forms[key]) == value for key, value in known.items()):
            for key, values in found.items():
                values.add(sum(children[n] for n in forms[key]))
    return found


def _tables(count: int, most: int) -> Iterator[tuple[int, ...]]:
    yield from product(range(most + 1), repeat=count)


def subtraction_attack(tables: Tables, *releases: dict[Key, int | None]) -> dict[Key, int]:
    """Totals minus parts, until nothing new comes of it: exact values by pencil and paper.

    Uses every pair of cells that differ by a third, whatever their places, parts and windows.
    """
    bases_of = {key: frozenset(tables.bases_of(key)) for release in releases for key in release}
    known = {
        bases_of[key]: value
        for release in releases
        for key, value in release.items()
        if value is not None
    }
    wanted = {key: bases_of[key] for release in releases for key in release}
    for _ in range(3):
        fresh = {}
        for one, value in known.items():
            for other, less in known.items():
                rest = one - other
                if other < one and rest not in known:
                    fresh[rest] = value - less
        if not fresh or len(known) > 300:
            break
        known |= fresh
    kept = {key for release in releases for key, value in release.items() if value is None}
    return {key: known[wanted[key]] for key in kept if wanted[key] in known}


def mean_attack(means: Mapping[str, float], counts: Mapping[str, int | None]) -> dict[str, float]:
    """Mean times count is a sum of days; the sum of a total less those of its parts is the rest.

    ``means`` and ``counts`` by place alone: {place: number}; the total is called "nation".
    Returns the mean of the one place whose mean is not shown.
    """
    sums = {place: mean * count for place, mean in means.items() if (count := counts.get(place))}
    places = [place for place in counts if place != "nation"]
    missing = [place for place in places if place not in sums]
    if "nation" not in sums or len(missing) != 1:
        return {}
    (place_suppressed,) = missing
    count = counts[place_suppressed]
    if not count:
        return {}
    rest = sums["nation"] - sum(sums[place] for place in places if place in sums)
    return {place_suppressed: rest / count}
