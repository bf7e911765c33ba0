"""The numbers that authorities calibrated together aim at, year by year."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.samples.calibration import Calibration
from pipelines.samples.chance import spread


@dataclass(frozen=True)
class CalibrationGroup:
    """Authorities calibrated together. ``elsewhere`` and ``abroad`` can lend them adopters."""

    name: str
    nation_code: str
    weights: dict[str, float]
    elsewhere: dict[str, tuple[str, ...]]  # by authority: other agencies' homes in the nation
    abroad: tuple[str, ...]
    voluntary: tuple[str, ...]


@dataclass(frozen=True)
class GroupTargets:
    """What ``calibration.csv`` asks of one group."""

    calibration: Calibration
    group: CalibrationGroup

    def near(self, year: int, quantity: str) -> float:
        """The group's target of the nearest year, as :meth:`Calibration.near`. Raises KeyError."""
        return self.calibration.near(self.group.name, year, quantity)

    def exactly(self, year: int, quantity: str) -> float | None:
        """The group's target of this very year, or None."""
        return self.calibration.exactly(self.group.name, year, quantity)

    @property
    def counts_matches(self) -> bool:
        """Whether the published numbers are of children matched (else of children placed)."""
        return self.calibration.knows(self.group.name, "children_matched")

    def children_a_year(self, year: int) -> int:
        """Children to be matched or placed in a financial year."""
        counted = "children_matched" if self.counts_matches else "children_placed"
        return int(self.near(year, counted))

    def shares(self, year: int, total: int, quantity: str) -> dict[str, int]:
        """``total`` shared out among the authorities; those with a target of their own get that."""
        fixed = {
            code: int(value)
            for code in self.group.weights
            if (value := self.calibration.exactly(code, year, quantity)) is not None
        }
        return spread(total, self.group.weights, fixed)
