"""The catalogue of indicators: computed, not computed, and from when on not comparable."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from pipelines.declarations.model import (
    EVERY,
    Declared,
    IndicatorId,
    OptionalQuarter,
    OptionalText,
    PublicStatus,
    QuarterLabel,
    Scope,
    Text,
    Words,
    iso_day,
)


class Benchmark(Declared):
    """``value`` in the indicator's own unit, in force from ``since`` to ``until``."""

    value: float
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    nation_code: str
    status: PublicStatus
    source: Words


class WorkedExample(Declared):
    """A few invented children or households and the answer a reader works out by hand."""

    quarter: QuarterLabel
    rows: tuple[dict[str, Any], ...]
    numerator: float
    denominator: float | None = None
    value: float | None
    why: str


class Indicator(Declared):
    """A row of the catalogue: numerator measure over denominator measure.

    ``unit`` fixes the multiplier: ``percent`` 100, ``months`` 12/365.25 on days,
    everything else 1.
    """

    id: IndicatorId
    headline: bool = False
    title: Text
    definition: Text
    nations: tuple[Literal["W92000004", "E92000001"], ...]
    subject: Literal["child", "adopter", "support"]
    numerator: str
    denominator: str | None = None
    timing: Literal["flow", "stock"]
    clock_start: str | None = None
    clock_stop: str | None = None
    unit: Literal[
        *("percent", "months", "days", "children", "households", "families", "people", "requests"),
        *("assessments", "plans", "arrangements", "exchanges"),
    ]
    direction: Literal["higher", "lower", "context"]
    windows: tuple[Literal["quarter", "year_to_date", "rolling_4", "rolling_12"], ...]
    rounding: int = 1  # decimal places of the published value
    benchmarks: tuple[Benchmark, ...] = ()
    status: PublicStatus
    status_note: Text
    sources: tuple[str, ...]
    reviewed_on: date
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    example: WorkedExample

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if self.unit in ("percent", "months", "days") and self.denominator is None:
            raise ValueError(f"a value in {self.unit} needs a denominator")
        return self

    @property
    def multiplier(self) -> float:
        return {"percent": 100.0, "months": 12 / 365.25}.get(self.unit, 1.0)


class NotComputed(Declared):
    """An indicator known by name that no return here can give honestly, and why."""

    indicator_id: IndicatorId
    nation_code: str
    title_en: Words
    title_cy: Words
    reason_en: Words
    reason_cy: Words
    status: PublicStatus
    source: OptionalText = None
    reviewed_on: Annotated[date, BeforeValidator(iso_day)]


class BreakInSeries(Declared):
    """Figures from ``since`` on are not comparable with those of earlier quarters.

    It concerns every listed indicator in every listed place; ``*`` alone is every one.
    """

    break_id: IndicatorId
    kind: Literal["definition", "recording", "membership"]
    indicator_ids: Scope
    place_codes: Scope
    since: QuarterLabel
    title_en: Words
    title_cy: Words
    explanation_en: Words
    explanation_cy: Words
    status: Literal["sourced", "unverified", "proposed"]
    source: Words

    @model_validator(mode="after")
    def _says_where(self) -> BreakInSeries:
        for scope in (self.indicator_ids, self.place_codes):
            if EVERY in scope and len(scope) > 1:
                raise ValueError("* already means every one and stands alone")
        if self.indicator_ids == self.place_codes == (EVERY,):
            raise ValueError("a break of every indicator in every place tells nobody anything")
        if self.kind == "membership" and self.place_codes == (EVERY,):
            raise ValueError("a change of membership names the places whose members changed")
        return self
