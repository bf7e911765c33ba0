"""The one module that knows what a quarter is.

A quarter is written ``2025-26-Q1``: financial year (1 April to 31 March) and
number. The label sorts as text, is legal in file names, and is the partition
key, the folder name and the value of every ``quarter`` column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

# ASCII digits only (\d also takes ٢); years 1900 to 2199, because dates end with 9999 and
# a quarter far from today is a slip of the pen, to be said so at the door.
_LABEL = re.compile(r"((?:19|20|21)[0-9]{2})-([0-9]{2})-Q([1-4])")


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a financial year. ``Quarter(2025, 1)`` is April to June 2025."""

    starting_year: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 4:
            raise ValueError(f"a quarter's number is 1 to 4, not {self.number}")

    @classmethod
    def parse(cls, label: str) -> Quarter:
        """Read ``2025-26-Q1``. Raises ValueError with the expected form for anything else."""
        match = _LABEL.fullmatch(label)
        if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
            raise ValueError(
                f"{label!r} is not a quarter: write it like 2025-26-Q1 (April to June 2025)"
            )
        return cls(int(match[1]), int(match[3]))

    @classmethod
    def containing(cls, day: date) -> Quarter:
        months_since_april = (day.month - 4) % 12
        return cls(day.year if day.month >= 4 else day.year - 1, months_since_april // 3 + 1)

    @property
    def label(self) -> str:
        return f"{self.financial_year}-Q{self.number}"

    @property
    def financial_year(self) -> str:
        return f"{self.starting_year}-{(self.starting_year + 1) % 100:02d}"

    @property
    def first_day(self) -> date:
        month = (3, 6, 9, 0)[self.number - 1] + 1
        return date(self.starting_year + (1 if self.number == 4 else 0), month, 1)

    @property
    def last_day(self) -> date:
        return self.plus(1).first_day - timedelta(days=1)

    @property
    def index(self) -> int:
        """Consecutive quarters have consecutive indexes."""
        return self.starting_year * 4 + self.number - 1

    def plus(self, quarters: int) -> Quarter:
        index = self.index + quarters
        return Quarter(index // 4, index % 4 + 1)

    def __str__(self) -> str:
        return self.label


FIRST_QUARTER = Quarter(2018, 1)  # of the collection: April to June 2018


def quarters_between(first: Quarter, last: Quarter) -> Iterator[Quarter]:
    """Every quarter from ``first`` to ``last``, both included."""
    for offset in range(last.index - first.index + 1):
        yield first.plus(offset)


def stretches(quarters: Iterable[Quarter]) -> list[list[Quarter]]:
    """Quarters in order, cut where one is left out: Q1 Q2 Q4 gives Q1 Q2 and Q4."""
    runs: list[list[Quarter]] = []
    for quarter in sorted(set(quarters)):
        if runs and runs[-1][-1].plus(1) == quarter:
            runs[-1].append(quarter)
        else:
            runs.append([quarter])
    return runs


def windows_ending(quarter: Quarter) -> dict[str, int]:
    """How many quarters each window has that ends with ``quarter``: a financial year exists only
    where it ends, in the fourth quarter."""
    lengths = {
        "quarter": 1,
        "year_to_date": quarter.number,
        "rolling_4": 4,
        "rolling_12": 12,
    }
    return lengths | ({"financial_year": 4} if quarter.number == 4 else {})
