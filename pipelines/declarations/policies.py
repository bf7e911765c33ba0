"""What a national body asks for: deadline, reminders, roles, tolerance, refusal, release."""

from __future__ import annotations

from datetime import date, timedelta
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipelines.declarations.loading import lives_meet
from pipelines.declarations.model import (
    DeclarationError,
    Declared,
    OptionalQuarter,
    PublicStatus,
    Text,
    in_force,
)
from pipelines.quarters import Quarter


class Calendar(Declared):
    """When the returns of quarters from ``since`` to ``until`` are due."""

    days_after_quarter_end: int
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class RefusalPolicy(Declared):
    """A return is refused when more rows have errors than both limits allow."""

    tolerated_error_rows: int
    tolerated_error_percent: float
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class TolerancePolicy(Declared):
    """For how many quarters, the first included, a query may be tolerated before it is asked again.

    Of quarters from ``since`` to ``until``.
    """

    most_quarters: Annotated[int, Field(ge=1, le=20)]
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


Duty = Literal["tolerate", "sign_off", "accept", "withdraw", "lock", "revise", "release"]


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


class Reminder(Declared):
    """A text to senders, ``days_from_deadline`` days after the deadline; before it if negative.

    Who gets it: ``return`` those whose return is not in, ``queries`` those with open queries or
    rows set aside, ``sign_off`` those who still have to sign off.
    """

    about: Literal["return", "queries", "sign_off"]
    days_from_deadline: int
    subject: Text
    text: Text
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Reminder:
        for words in (self.subject.en, self.subject.cy, self.text.en, self.text.cy):
            try:
                named = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
            except ValueError as error:
                raise ValueError(f"a reminder has a brace that is not closed: {error}") from error
            if unknown := sorted(named - set(REMINDER_PLACES)):
                raise ValueError(f"a reminder cannot name {{{unknown[0]}}}")
        return self

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class ReleasePolicy(Declared):
    """What a release of a quarter is made of, and whether it may be made with open returns.

    A return is open until the national team has accepted it: it is missing, or has rows set aside
    or queries that nobody answered, or is not signed off. ``told``: the release lists them.
    """

    forms: tuple[Literal["statswales", "open_data"], ...]
    open_returns: Literal["told", "refused"]
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus
    note: Text

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class Policy(Declared):
    """What one national body asks for; what changes has an entry for each time it changed."""

    body: str
    nation_code: str
    title: Text
    calendar: tuple[Calendar, ...]
    refusal: tuple[RefusalPolicy, ...]
    tolerance: tuple[TolerancePolicy, ...] = ()
    release: tuple[ReleasePolicy, ...] = ()
    roles: tuple[Role, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    export_label: Text

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Policy:
        roles = [role.role for role in self.roles]
        if len(set(roles)) < len(roles):
            raise ValueError("a role is declared twice")
        for position, one in enumerate(self.reminders):
            for other in self.reminders[:position]:
                same = (one.about, one.days_from_deadline) == (
                    *(other.about, other.days_from_deadline),
                )
                if same and lives_meet(one, other):
                    raise ValueError("two reminders about the same go out on the same day")
        return self

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Policy:
        for name in ("calendar", "refusal", "tolerance", "release"):
            entries = getattr(self, name)
            if not entries and name not in ("tolerance", "release"):
                raise ValueError(f"{name} has no entry")
            starts = sorted(entry.since.index if entry.since else -1 for entry in entries)
            for entry in entries:
                following = [i for i in starts if i > (entry.since.index if entry.since else -1)]
                if len(set(starts)) < len(starts) or (
                    following and (entry.until is None or entry.until.index >= following[0])
                ):
                    raise ValueError(f"two entries of {name} are in force in one quarter")
        return self

    def deadline(self, quarter: Quarter) -> date:
        """Last day on which a return for ``quarter`` is in time."""
        return quarter.last_day + timedelta(
            days=self._of(self.calendar, quarter, "calendar").days_after_quarter_end
        )

    def refusal_for(self, quarter: Quarter) -> RefusalPolicy:
        return self._of(self.refusal, quarter, "refusal")

    def last_quarter_tolerated(self, quarter: Quarter) -> Quarter:
        """The last quarter to which an answer given for ``quarter`` may be carried."""
        return quarter.plus(self._of(self.tolerance, quarter, "tolerance").most_quarters - 1)

    def release_for(self, quarter: Quarter) -> ReleasePolicy:
        return self._of(self.release, quarter, "release")

    def reminders_for(self, quarter: Quarter) -> tuple[Reminder, ...]:
        return tuple(one for one in self.reminders if one.in_force(quarter))

    def _of(self, entries: tuple[Any, ...], quarter: Quarter, name: str) -> Any:
        for entry in entries:
            if entry.in_force(quarter):
                return entry
        raise DeclarationError(f"policy of {self.body}: no entry of {name} covers {quarter}")
