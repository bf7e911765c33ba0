"""What every declaration is: typed, closed to unknown keys, and with a life that runs forward."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.quarters import Quarter

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DeclarationError(Exception):
    """Something in ``sources/`` does not fit; the message names file, line and field."""


def as_quarter(value: Any) -> Any:
    """A quarter from its label. Raises ValueError with the expected form for anything else."""
    if value is None or isinstance(value, Quarter):
        return value
    return Quarter.parse(str(value))  # a YAML date or year is shown the expected form too


def blank_is_none(value: Any) -> Any:
    """An empty cell of a table means that nothing is stated."""
    return None if value == "" else value


def iso_day(value: Any) -> Any:
    """Text only as ``2025-04-01``: left to pydantic, ``"0"`` would be a day in 1970."""
    if isinstance(value, str):
        if ISO_DAY.fullmatch(value) is None:
            raise ValueError(f"{value!r} is not a date: write it like 2025-04-01")
    elif value is not None and not isinstance(value, date):
        raise ValueError(f"{value} is not a date: write it like 2025-04-01")
    return value


QuarterLabel = Annotated[Quarter, BeforeValidator(as_quarter)]
OptionalQuarter = Annotated[
    Quarter | None, BeforeValidator(as_quarter), BeforeValidator(blank_is_none)
]
Day = Annotated[date, BeforeValidator(iso_day)]
OptionalDate = Annotated[date | None, BeforeValidator(iso_day), BeforeValidator(blank_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(blank_is_none)]
Words = Annotated[str, Field(pattern=r"\S")]  # text that may not be left blank
PublicStatus = Literal["published", "partly published", "proposed", "unverified"]
NationCode = Literal["W92000004", "E92000001"]
IndicatorId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")]
EVERY = "*"  # in a scope: every indicator, or every place
Scope = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
    Field(min_length=1),
]


class Declared(BaseModel):
    """An entry of ``sources/``; a key that is not known is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    overridden: ClassVar[tuple[str, ...]] = ()  # lists whose entries may carry dated overrides

    @model_validator(mode="after")
    def _since_before_until(self) -> Declared:
        since, until = self._life
        if since is not None and until is not None and since > until:
            raise ValueError(
                f"since ({since}) is later than until ({until}), so it would never be in force"
            )
        return self

    @property
    def _life(self) -> tuple[Any, Any]:
        return getattr(self, "since", None), getattr(self, "until", None)

    def overlaps(self, other: Declared) -> bool:
        """Whether there is a day, or a quarter, on which both are in force."""
        (since, until), (other_since, other_until) = self._life, other._life
        return (until is None or other_since is None or other_since <= until) and (
            other_until is None or since is None or since <= other_until
        )


class Text(Declared):
    """A sentence in both languages."""

    en: Words
    cy: Words


def in_force(since: Quarter | None, until: Quarter | None, quarter: Quarter) -> bool:
    """Whether ``quarter`` lies from ``since`` to ``until``, both included; None is open."""
    return (since is None or since <= quarter) and (until is None or quarter <= until)
