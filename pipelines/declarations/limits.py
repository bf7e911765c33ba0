"""Numbers, words and days that the reading of returns and their rules compare with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipelines.declarations.model import (
    Day,
    Declared,
    IndicatorId,
    OptionalQuarter,
    OptionalText,
    PublicStatus,
    Words,
    blank_is_none,
    in_force,
)
from pipelines.quarters import Quarter


class WarningLimit(Declared):
    """A limit that a waiting child should not pass, by the indicator that counts who has.

    Without ``months`` the limit is the indicator's dated benchmark. It is passed on the day after
    it, or on that very day, as the definition says "over" or "or more".
    """

    indicator_id: IndicatorId = Field(description="The indicator that counts who has passed it.")
    clock_start: Literal[
        "entered_care",
        "should_be_placed_decision",
        "authority_to_place",
        "placement_order",
        "register_referral",
    ] = Field(
        description=(
            "The day it is counted from: entered_care, should_be_placed_decision, "
            "authority_to_place, placement_order or register_referral."
        ),
    )
    waits_for: Literal["match", "placement"] = Field(
        description="What the child waits for: match or placement.",
    )
    counts: Literal["everybody", "with_plan", "with_order"] = Field(
        description=(
            "Who of those waiting is counted: everybody, with_plan (a decision or authority to "
            "place) or with_order (a placement order)."
        ),
    )
    months: Annotated[int | None, Field(gt=0), BeforeValidator(blank_is_none)] = Field(
        description="Calendar months; empty where the limit is the indicator's benchmark in force."
    )
    passed: Literal["day_after", "very_day"] = Field(
        description="day_after (the definition says over) or very_day (it says or more).",
    )
    status: PublicStatus = Field(
        description="Whether the limit is published, partly published, proposed or unverified.",
    )
    source: Words = Field(description="Where the limit comes from.")


class RuleLimit(Declared):
    """A number that rules of the returns compare with, such as how many rows are a jump."""

    limit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    value: float = Field(ge=0)
    title_en: Words
    title_cy: Words
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    source: Words

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class Ssda903Rule(Declared):
    """A rule of the English looked-after children return, and what became of it here.

    ``our_rules`` names the rules that carry it over: ``CH206``, or for the rule that a field's
    declaration implies ``DATE:child.matched_on``. Where there are none, the reason says why.
    """

    rule_no: str = Field(pattern=r"^(INT)?[0-9]+$")
    text_en: Words
    text_cy: Words
    our_rules: Annotated[tuple[str, ...], BeforeValidator(str.split)]
    reason_en: OptionalText
    reason_cy: OptionalText
    status: Literal["active in 2026-27", "deleted from 2024-25"]
    source: Words

    @model_validator(mode="after")
    def _rule_or_reason(self) -> Ssda903Rule:
        reasons = [reason for reason in (self.reason_en, self.reason_cy) if reason]
        if len(reasons) != (0 if self.our_rules else 2):
            raise ValueError("name our rules, or the reason in both languages why there is none")
        return self


class NotData(Declared):
    """A text that stands in a cell or row of a return and is no data, in whatever case."""

    text: Words
    means: Literal["nothing", "total", "hint"] = Field(
        description="nothing (in a cell), total or hint (of a row)."
    )
    status: PublicStatus
    source: Words


class BankHoliday(Declared):
    """A day on which no court sits and no panel meets in England and Wales."""

    day: Day
    title: Words
    status: PublicStatus
    source: Words
