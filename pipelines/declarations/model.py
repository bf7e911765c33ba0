"""What every declaration is: typed, closed to unknown keys, and with a life that runs forward."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.quarters import Quarter

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DeclarationError(Exception):
    """Something in ``sources/`` does not fit; the message names file and place."""


def as_quarter(value: Any) -> Any:
    if value is None or isinstance(value, Quarter):
        return value
    return Quarter.parse(str(value))  # a YAML date or year is told the expected form too


def blank_is_none(value: Any) -> Any:
    return None if value == "" else value


def iso_day(value: Any) -> Any:
    """Text only as ``2025-04-01``: left to pydantic, ``"0"`` would be a day in 1970."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value) is None:
        raise ValueError("a date is written like 2025-04-01")
    return value


QuarterLabel = Annotated[Quarter, BeforeValidator(as_quarter)]
OptionalQuarter = Annotated[
    Quarter | None, BeforeValidator(as_quarter), BeforeValidator(blank_is_none)
]
OptionalDate = Annotated[date | None, BeforeValidator(iso_day), BeforeValidator(blank_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(blank_is_none)]
Words = Annotated[str, Field(pattern=r"\S")]  # text that may not be left blank
PublicStatus = Literal["published", "partly published", "proposed", "unverified"]
IndicatorId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")]
EVERY = "*"  # in a scope: every indicator, or every place
Scope = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
    Field(min_length=1),
]


class Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="after")
    def _life_runs_forward(self) -> Declared:
        since, until = getattr(self, "since", None), getattr(self, "until", None)
        if since is not None and until is not None and since > until:
            raise ValueError("since is later than until, so it would never be in force")
        return self


class Text(Declared):
    """A sentence in both languages."""

    en: Words
    cy: Words


def in_force(since: Quarter | None, until: Quarter | None, quarter: Quarter) -> bool:
    return (since is None or since <= quarter) and (until is None or quarter <= until)
