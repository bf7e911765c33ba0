"""The catalogue of indicators: computed, not computed, and from when on not comparable."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, computed_field, model_validator

from pipelines.declarations.model import (
    EVERY,
    Declared,
    IndicatorId,
    NationCode,
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

    value: float = Field(description="The benchmark, in the unit of the indicator.")
    since: OptionalQuarter = Field(None, description="First quarter it is in force.")
    until: OptionalQuarter = Field(None, description="Last quarter it is in force.")
    nation_code: str = Field(description="GSS code of the nation it is set for.")
    status: PublicStatus = Field(
        description="Whether the benchmark is published, partly published, proposed or unverified.",
    )
    source: Words = Field(description="Where the benchmark comes from.")


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

    id: IndicatorId = Field(description="Identifier of the indicator; never reused.")
    headline: bool = Field(False, description="Whether it belongs to the headline set.")
    title: Text = Field(description="Title")
    definition: Text = Field(description="Definition")
    nations: tuple[NationCode, ...]
    subject: Literal["child", "adopter", "support"] = Field(
        description="Which return it is measured on: child, adopter or support.",
    )
    numerator: str = Field(
        description="Measure that is counted or divided; dim_measure says what it counts.",
    )
    denominator: str | None = Field(
        None,
        description="Measure that the numerator is divided by; empty for a plain count.",
    )
    numerator_within_denominator: bool = Field(
        True,
        description=(
            "Whether the numerator counts part of what the denominator counts, so that a "
            "percentage is a share."
        ),
    )
    timing: Literal["flow", "stock"] = Field(
        description="flow (events of the period) or stock (as it stood on the last day).",
    )
    clock_start: str | None = Field(None, description="Field whose date starts the clock.")
    clock_stop: str | None = Field(None, description="Field whose date stops the clock.")
    unit: Literal[
        "percent",
        "months",
        "days",
        "children",
        "households",
        "families",
        "people",
        "requests",
        "assessments",
        "plans",
        "arrangements",
        "exchanges",
    ] = Field(description="percent, months, days, or what is counted, such as children.")
    direction: Literal["higher", "lower", "context"] = Field(
        description="Which way is better: higher, lower, or context where neither is.",
    )
    windows: tuple[Literal["quarter", "year_to_date", "rolling_4", "rolling_12"], ...]
    rounding: int = Field(1, description="Decimal places of the value as published.")
    benchmarks: tuple[Benchmark, ...] = ()
    status: PublicStatus = Field(
        description=(
            "Whether the definition is published, partly published, proposed or unverified."
        ),
    )
    status_note: Text = Field(
        description="What is public about the definition and what is proposed",
    )
    sources: tuple[str, ...] = Field(
        description="Addresses of the sources, separated by semicolons.",
    )
    reviewed_on: date = Field(description="Day the definition was last reviewed.")
    since: OptionalQuarter = Field(
        None,
        description="First quarter it applies to; empty where there is no limit.",
    )
    until: OptionalQuarter = Field(
        None,
        description="Last quarter it applies to; empty where there is no limit.",
    )
    example: WorkedExample

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if self.unit in ("percent", "months", "days") and self.denominator is None:
            raise ValueError(f"a value in {self.unit} needs a denominator")
        return self

    @computed_field(
        description=(
            "What the fraction is multiplied by: 100 for percent, 12 / 365.25 for months from days."
        )
    )
    @property
    def multiplier(self) -> float:
        return {"percent": 100.0, "months": 12 / 365.25}.get(self.unit, 1.0)


class NotComputed(Declared):
    """An indicator known by name that no return here can give honestly, and why."""

    indicator_id: IndicatorId = Field(
        description=(
            "Identifier under which it is known; never that of an indicator that is computed."
        ),
    )
    nation_code: str = Field(description="GSS code of the nation it is reported in.")
    title_en: Words = Field(description="Title in English.")
    title_cy: Words = Field(description="Title in Welsh.")
    reason_en: Words = Field(description="Why it is not computed, in English.")
    reason_cy: Words = Field(description="Why it is not computed, in Welsh.")
    status: PublicStatus = Field(
        description=(
            "How far its definition is public: published, partly published, proposed or unverified."
        ),
    )
    source: OptionalText = Field(
        None,
        description="Where the entry comes from; empty where nothing public was found.",
    )
    reviewed_on: Annotated[date, BeforeValidator(iso_day)] = Field(
        description="Day the reason was last reviewed.",
    )


class BreakInSeries(Declared):
    """Figures from ``since`` on are not comparable with those of earlier quarters.

    It concerns every listed indicator in every listed place; ``*`` alone is every one.
    """

    break_id: IndicatorId = Field(
        description="Identifier of the break; one break may concern several indicators and places.",
    )
    kind: Literal["definition", "recording", "membership"] = Field(
        description=(
            "definition (what is counted), recording (how it is collected) or membership (who is "
            "counted)."
        ),
    )
    indicator_ids: Scope
    place_codes: Scope
    since: QuarterLabel = Field(
        description="First quarter that is not comparable with the quarters before it.",
    )
    title_en: Words = Field(description="Title in English.")
    title_cy: Words = Field(description="Title in Welsh.")
    explanation_en: Words = Field(description="What changed, in English.")
    explanation_cy: Words = Field(description="What changed, in Welsh.")
    status: Literal["sourced", "unverified", "proposed"] = Field(
        description="Whether the entry is sourced, unverified or proposed.",
    )
    source: Words = Field(description="Where the entry comes from.")

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
