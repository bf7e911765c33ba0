"""What is known about one figure: what it measures, which returns and cases are in it or not."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from pipelines.text.catalogue import Language

Basis = Literal["at_the_time", "today"]


@dataclass(frozen=True)
class IndicatorDefinition:
    """What the indicator measures, in the language asked for.

    ``numerator`` and ``denominator`` are measures, by the names of their columns; the captions say
    what they count.
    """

    indicator_id: str
    title: str
    definition: str
    subject: str
    timing: str
    unit: str
    multiplier: float
    rounding: int
    direction: str | None
    numerator: str
    denominator: str | None
    numerator_caption: str
    denominator_caption: str | None
    clock_start: str | None
    clock_stop: str | None
    definition_status: str
    status_note: str
    sources: list[str]
    reviewed_on: date | None

    @property
    def is_mean(self) -> bool:
        """A mean of days, whatever unit it is shown in."""
        return self.denominator is not None and self.unit in ("days", "months")


@dataclass(frozen=True)
class FigureExplained:
    """The figure as the warehouse has it. ``numerator`` and ``value`` are None when no return was
    accepted."""

    numerator: int | None
    denominator: int | None
    value: float | None
    value_rounded: float | None
    benchmark: float | None
    benchmark_met: str | None
    returns_expected: int
    returns_accepted: int
    quarters_in_window: int
    quarters_covered: int
    is_complete: bool
    estimate: float | None
    estimate_method: str | None


@dataclass(frozen=True)
class ReturnBehind:
    """One return of the place and window, in the figure or not, and what it adds."""

    sender_code: str
    sender: str
    quarter: str
    status: str
    is_due: bool
    is_late: bool | None
    submission_id: str | None
    version: int | None
    received_at: datetime | None
    is_synthetic: bool | None
    rows_read: int | None
    rows_used: int | None
    rows_set_aside: int | None
    refused_deliveries: int
    numerator: int
    denominator: int

    @property
    def is_counted(self) -> bool:
        """Whether the figure has it."""
        return self.is_due and self.status in ("accepted", "nil")


@dataclass(frozen=True)
class LeftOut:
    """Children or households that are not where one may look for them, by reason."""

    reason: str
    cases: int
    sentence: str


@dataclass(frozen=True)
class RowsSetAside:
    """Rows of one return that were set aside, and errors by rule; one row may have several."""

    sender: str
    quarter: str
    submission_id: str
    rows: int
    rules: dict[str, int]


@dataclass(frozen=True)
class BreakNearFigure:
    """A change after which figures cannot be compared with those before.

    It lies inside the window, so that the figure mixes data from before and after it, or between
    the window and the one a year (for rolling_12, three years) before.
    """

    kind: str
    since: str
    title: str
    explanation: str
    status: str
    is_in_window: bool


@dataclass(frozen=True)
class ExportedFigure:
    """The same figure in one exported version."""

    version: int
    numerator: int | None
    denominator: int | None
    value: float | None
    is_same: bool
    arrived_since: list[str]


@dataclass(frozen=True)
class CaseCounted:
    """What one child or household adds: 1 or a number of days to the numerator, 0 or 1 to the
    denominator."""

    pseudonym: str
    sender_code: str
    sender: str
    quarter: str
    numerator: int
    denominator: int


@dataclass(frozen=True)
class CaseLeftOut:
    """A child or household that is not where one may look for it."""

    pseudonym: str
    sender_code: str
    sender: str
    quarter: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Everything that is known about one figure. ``cases`` is None when not asked for."""

    definition: IndicatorDefinition
    place_code: str
    place: str
    quarter: str
    window: str
    membership_basis: Basis
    language: Language
    figure: FigureExplained
    quarters: list[str]
    returns: list[ReturnBehind]
    set_aside: list[RowsSetAside]
    left_out: list[LeftOut]
    breaks: list[BreakNearFigure]
    publications: list[ExportedFigure]
    cases: list[CaseCounted] | None
    cases_left_out: list[CaseLeftOut] | None
    differences: list[str]

    @property
    def is_proved(self) -> bool:
        """Whether returns (and cases) add up to the figure."""
        return not self.differences

    @property
    def returns_counted(self) -> list[ReturnBehind]:
        """Returns that the figure has."""
        return [each for each in self.returns if each.is_counted]

    @property
    def returns_not_counted(self) -> list[ReturnBehind]:
        """Returns that are missing, were refused, or were not due."""
        return [each for each in self.returns if not each.is_counted]

    def as_json(self) -> str:
        """The explanation for programs; dates as ``2025-07-14``."""
        content = {**asdict(self), "is_proved": self.is_proved}
        return json.dumps(content, indent=2, ensure_ascii=False, default=_as_text)


def _as_text(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
