"""What a national body asks for: deadline, reminders, roles, tolerance, refusal, release."""

from __future__ import annotations

from datetime import date, timedelta
from string import Formatter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from pipelines.declarations.dated import ALWAYS_ONE, ONE_AT_A_TIME, Dated
from pipelines.declarations.model import (
    DeclarationError,
    Declared,
    PublicStatus,
    Text,
)
from pipelines.quarters import Quarter


class Calendar(Dated):
    """When the returns of quarters from ``since`` to ``until`` are due."""

    days_after_quarter_end: int
    status: PublicStatus
    note: Text


class RefusalPolicy(Dated):
    """A return is refused when more rows have errors than both limits allow."""

    tolerated_error_rows: int
    tolerated_error_percent: float
    status: PublicStatus
    note: Text


class TolerancePolicy(Dated):
    """For how many quarters, the first included, a query may be tolerated before it is asked again.

    Of quarters from ``since`` to ``until``.
    """

    most_quarters: Annotated[int, Field(ge=1, le=20)]
    status: PublicStatus
    note: Text


Duty = Literal[
    "tolerate", "confirm", "sign_off", "accept", "withdraw", "lock", "revise", "release", "erase"
]


class Role(Declared):
    """Somebody who decides, by what they are: the ledger keeps roles, never names."""

    role: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Text
    side: Literal["sender", "national_team"]
    may: tuple[Duty, ...]
    status: PublicStatus


# What a reminder's text may name: the sender, the quarter, its deadline, whole days to or since
# it, the titles of the returns, and how many queries wait for an answer.
REMINDER_PLACES = ("place", "quarter", "deadline", "days", "returns", "queries")


class Reminder(Dated):
    """A text to senders, ``days_from_deadline`` days after the deadline; before it if negative.

    Who gets it: ``return`` those whose return is not in, ``queries`` those with open queries or
    rows set aside, ``sign_off`` those who still have to sign off.
    """

    about: Literal["return", "queries", "sign_off"]
    days_from_deadline: int
    subject: Text
    text: Text
    status: PublicStatus

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Reminder:
        for words in (self.subject.en, self.subject.cy, self.text.en, self.text.cy):
            try:
                named = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
            except ValueError as error:
                raise ValueError(f"a reminder has a brace that is not closed: {error}") from error
            if unknown := sorted(named - set(REMINDER_PLACES)):
                known = ", ".join(f"{{{name}}}" for name in REMINDER_PLACES)
                raise ValueError(f"a reminder cannot name {{{unknown[0]}}}, only {known}")
        return self


class ReleasePolicy(Dated):
    """What a release of a quarter is made of, and whether it may be made with open returns.

    A return is open until the national team has accepted it: it is missing, or has rows set aside
    or queries that nobody answered, or is not signed off. ``listed``: the release lists them.
    """

    forms: tuple[Literal["statswales", "open_data"], ...]
    open_returns: Literal["listed", "refused"]
    status: PublicStatus
    note: Text


class RetentionPolicy(Dated):
    """How many quarters after the end of a quarter its case-level files are held.

    ``landing``: files as they were sent, and their names; ``raw``: their rows as text. The
    validated room is held as long as figures are made from it.
    """

    landing_quarters: Annotated[int, Field(ge=1, le=400)]
    raw_quarters: Annotated[int, Field(ge=1, le=400)]
    status: PublicStatus
    note: Text


class Policy(Declared):
    """What one national body asks for; what changes has an entry for each time it changed."""

    overridden: ClassVar[tuple[str, ...]] = (
        "calendar",
        "refusal",
        "tolerance",
        "release",
        "retention",
    )

    body: str
    nation_code: str
    title: Text
    calendar: Annotated[tuple[Calendar, ...], ALWAYS_ONE]
    refusal: Annotated[tuple[RefusalPolicy, ...], ALWAYS_ONE]
    tolerance: Annotated[tuple[TolerancePolicy, ...], ONE_AT_A_TIME] = ()
    release: Annotated[tuple[ReleasePolicy, ...], ONE_AT_A_TIME] = ()
    retention: Annotated[tuple[RetentionPolicy, ...], ONE_AT_A_TIME] = ()
    roles: tuple[Role, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    export_label: Text

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Policy:
        roles = [role.role for role in self.roles]
        for role in roles:
            if roles.count(role) > 1:
                raise ValueError(f"a role is declared twice: {role}; keep one")
        for position, reminder in enumerate(self.reminders):
            for other in self.reminders[:position]:
                same_day = reminder.days_from_deadline == other.days_from_deadline
                if same_day and reminder.about == other.about and reminder.overlaps(other):
                    raise ValueError(
                        f"two reminders about {reminder.about} go out on the same day, "
                        f"{reminder.days_from_deadline} days from the deadline"
                    )
        return self

    def deadline(self, quarter: Quarter) -> date:
        """Last day on which a return for ``quarter`` is in time."""
        return quarter.last_day + timedelta(
            days=self._of(self.calendar, quarter, "calendar").days_after_quarter_end
        )

    def refusal_for(self, quarter: Quarter) -> RefusalPolicy:
        """When a return for ``quarter`` is refused."""
        return self._of(self.refusal, quarter, "refusal")

    def last_quarter_tolerated(self, quarter: Quarter) -> Quarter:
        """The last quarter to which an answer given for ``quarter`` may be carried."""
        return quarter.plus(self._of(self.tolerance, quarter, "tolerance").most_quarters - 1)

    def release_for(self, quarter: Quarter) -> ReleasePolicy:
        """What a release of ``quarter`` is made of. Raises DeclarationError where none is said."""
        return self._of(self.release, quarter, "release")

    def retention_for(self, quarter: Quarter) -> RetentionPolicy | None:
        """How long files of ``quarter`` are held; None where nothing is declared."""
        return next((each for each in self.retention if each.in_force(quarter)), None)

    def reminders_for(self, quarter: Quarter) -> tuple[Reminder, ...]:
        """The reminders that are sent for ``quarter``."""
        return tuple(reminder for reminder in self.reminders if reminder.in_force(quarter))

    def _of(self, entries: tuple[Any, ...], quarter: Quarter, name: str) -> Any:
        for entry in entries:
            if entry.in_force(quarter):
                return entry
        raise DeclarationError(f"policy of {self.body}: no entry of {name} covers {quarter}")
