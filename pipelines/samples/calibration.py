"""The numbers the sample aims at, from ``calibration.csv`` and ``weights.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.quarters import Quarter

HERE = Path(__file__).resolve().parent
EVERYWHERE = "*"


@dataclass(frozen=True)
class Target:
    """One number to aim at. ``year`` is the calendar year in which the financial year begins."""

    place_code: str
    year: int
    quantity: str
    value: float
    source: str
    note: str

    @property
    def is_published(self) -> bool:
        return not self.source.startswith("invented")


class Calibration:
    """Targets by place, financial year and quantity."""

    def __init__(self, folder: Path = HERE) -> None:
        self._folder = folder

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        return tuple(
            Target(
                row["place_code"],
                Quarter.parse(f"{row['financial_year']}-Q1").starting_year,
                row["quantity"],
                float(row["value"]),
                row["source"],
                row["note"],
            )
            for row in _rows(self._folder / "calibration.csv")
        )

    @cached_property
    def weights(self) -> dict[str, dict[str, float]]:
        """Weight of each authority within the group it is calibrated with."""
        groups: dict[str, dict[str, float]] = {}
        for row in _rows(self._folder / "weights.csv"):
            groups.setdefault(row["calibrated_with"], {})[row["authority_code"]] = float(
                row["weight"]
            )
        return groups

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], dict[int, float]]:
        by_place: dict[tuple[str, str], dict[int, float]] = {}
        for target in self.targets:
            by_place.setdefault((target.place_code, target.quantity), {})[target.year] = (
                target.value
            )
        return by_place

    def exactly(self, place_code: str, year: int, quantity: str) -> float | None:
        """The target of this very place and year, or None."""
        return self._by_place.get((place_code, quantity), {}).get(year)

    def near(self, place_code: str, year: int, quantity: str) -> float:
        """The target of the nearest year of this place, else the one that holds everywhere.

        Raises KeyError where neither is in ``calibration.csv``.
        """
        by_year = self._by_place.get((place_code, quantity))
        if by_year is None:
            by_year = self._by_place[(EVERYWHERE, quantity)]
        return by_year[min(by_year, key=lambda known: (abs(known - year), known))]

    def knows(self, place_code: str, quantity: str) -> bool:
        """Whether any year of this place has a target of its own."""
        return (place_code, quantity) in self._by_place


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
