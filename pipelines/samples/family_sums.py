"""Small sums over families, days and financial years."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date

from pipelines.quarters import Quarter
from pipelines.samples.families import Family

DAYS_A_MONTH = 365.25 / 12

# How waits spread above their minimum: mean 1, longest 2.4 times the mean.
_TAIL = (0.1, 0.22, 0.34, 0.46, 0.59, 0.72, 0.86, 1.0, 1.17, 1.36, 1.6, 1.95, 2.4)


def by_year_placed(cohorts: dict[int, list[Family]]) -> dict[int, list[Family]]:
    """Families by the financial year of their placement; a year's matches can end in the next."""
    by_year: dict[int, list[Family]] = {}
    for cohort in cohorts.values():
        for family in cohort:
            year = Quarter.containing(family.matches[0].placed_on).starting_year
            by_year.setdefault(year, []).append(family)
    return by_year


def six_months_after(day: date) -> date:
    """The same day six calendar months on, or the last day of that month."""
    months = day.month + 5
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def days_of_year(year: int) -> tuple[date, date]:
    """First and last day of the financial year that begins in ``year``."""
    return Quarter(year, 1).first_day, Quarter(year, 4).last_day


def days_between(first: date | None, last: date) -> int:
    """Days from one to the other; 0 where the first is not known."""
    return (last - first).days if first else 0


def quantiles(count: int) -> list[float]:
    """``count`` evenly spread steps between 0 and 1, neither of them included."""
    return [(place + 0.5) / count for place in range(count)]


def mean_over_children(days: Sequence[float], families: Sequence[Family]) -> float:
    """Average over children, so that three brothers count three times."""
    children = sum(family.size for family in families)
    return sum(day * f.size for day, f in zip(days, families, strict=True)) / max(1, children)


def stretched(
    lowest: int, steps: Sequence[float], families: Sequence[Family], mean: float
) -> list[int]:
    """Days from ``lowest`` upwards along ``_TAIL`` whose average over children is ``mean``."""
    if not families:
        return []
    shape = [_tail(step) for step in steps]
    stretch = max(0.0, (mean - lowest) / mean_over_children(shape, families))
    return [lowest + int(stretch * value + 0.5) for value in shape]


def _tail(step: float) -> float:
    place = step * (len(_TAIL) - 1)
    below = int(place)
    return _TAIL[below] + (_TAIL[below + 1] - _TAIL[below]) * (place - below)


def families_with(children: int, families: Iterable[Family]) -> set[str]:
    """Keys of the first families that together have exactly ``children``, if there are any."""
    chosen: set[str] = set()
    for family in families:
        if family.size <= children:
            chosen.add(family.key)
            children -= family.size
    return chosen
