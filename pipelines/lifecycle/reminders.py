"""Reminders that are due on a day: texts in both languages. Nothing here sends anything.

What they say, to whom and when is declared in ``sources/policies``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations, Reminder, Text
from pipelines.files import write_whole
from pipelines.lifecycle.days import end_of
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import LedgerState, known_at, ledger_state
from pipelines.lifecycle.states import (
    ReturnStatus,
    last_quarter_over,
    quarters_asked,
    return_status,
)
from pipelines.lifecycle.words import NOT_IN, TO_BE_ANSWERED, TO_BE_SIGNED_OFF, ReturnState
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES, Language
from pipelines.text.dates import long_day

_ABOUT: Mapping[str, frozenset[ReturnState]] = {
    "return": NOT_IN,
    "queries": TO_BE_ANSWERED,
    "sign_off": TO_BE_SIGNED_OFF,
}


@dataclass(frozen=True)
class DueReminder:
    """A reminder to one sender about one quarter, filled in."""

    sender_code: str
    place: Text
    quarter: str
    about: str
    days_from_deadline: int
    subject: Text
    text: Text
    status: str  # of the policy entry: nothing of it is agreed yet

    @property
    def file_name(self) -> str:
        side = "after" if self.days_from_deadline > 0 else "before"
        days = abs(self.days_from_deadline)
        return f"{self.quarter}-{self.sender_code}-{self.about}-{days}-days-{side}.txt"

    def as_text(self) -> str:
        english, welsh = (
            f"{place} ({self.sender_code})\n\n{subject}\n\n{text}\n"
            for place, subject, text in (
                (self.place.en, self.subject.en, self.text.en),
                (self.place.cy, self.subject.cy, self.text.cy),
            )
        )
        return f"{english}\n{welsh}"

    def as_json(self) -> dict[str, Any]:
        return {
            "sender_code": self.sender_code,
            "quarter": self.quarter,
            "about": self.about,
            "days_from_deadline": self.days_from_deadline,
            "subject_en": self.subject.en,
            "subject_cy": self.subject.cy,
            "text_en": self.text.en,
            "text_cy": self.text.cy,
            "status": self.status,
        }


def due_reminders(
    settings: Settings, declarations: Declarations, day: date, since: date | None = None
) -> list[DueReminder]:
    """Reminders of ``day``, or of the days from ``since`` to it, as returns stand on ``day``.

    In the order of quarters, and of senders as declared.
    """
    events = known_at(Ledger(settings.ledger).events(), end_of(day))
    state = ledger_state(events, declarations)
    quarters = quarters_asked(state.submissions.values(), day) or [last_quarter_over(day)]
    reminders: list[DueReminder] = []
    for quarter in quarters:
        due = {
            nation_code: _of_days(
                policy.deadline(quarter), policy.reminders_for(quarter), day, since
            )
            for nation_code, policy in declarations.policies.items()
        }
        if any(due.values()):
            for sender_code in declarations.senders:
                nation = declarations.places[sender_code].nation_code
                for reminder, sent_on in due.get(nation, ()):
                    reminders += _for_sender(
                        declarations, state, sender_code, quarter, reminder, sent_on, day
                    )
    return reminders


def _of_days(
    deadline: date, reminders: Sequence[Reminder], day: date, since: date | None
) -> list[tuple[Reminder, int]]:
    """Reminders whose day is within, and how many days from the deadline that is.

    Of several about the same only the newest: who gets *overdue* needs no *due in two weeks*.
    """
    first, last = ((since or day) - deadline).days, (day - deadline).days
    within = [reminder for reminder in reminders if first <= reminder.days_from_deadline <= last]
    newest: dict[str, Reminder] = {}
    for reminder in sorted(within, key=lambda each: each.days_from_deadline):
        newest[reminder.about] = reminder
    return [(reminder, reminder.days_from_deadline) for reminder in newest.values()]


def _for_sender(
    declarations: Declarations,
    state: LedgerState,
    sender_code: str,
    quarter: Quarter,
    reminder: Reminder,
    sent_on: int,
    day: date,
) -> Iterator[DueReminder]:
    mine = [
        status
        for name in declarations.due_from(sender_code, quarter)
        if (status := return_status(state, sender_code, name, quarter, day)).state
        in _ABOUT[reminder.about]
    ]
    if not mine:
        return
    place = declarations.places[sender_code]
    words = {
        language: _words(declarations, state, mine, sent_on, language) for language in LANGUAGES
    }
    yield DueReminder(
        sender_code,
        Text(en=place.name_en, cy=place.name_cy),
        quarter.label,
        reminder.about,
        sent_on,
        _filled(reminder.subject, words),
        _filled(reminder.text, words),
        reminder.status,
    )


def _words(
    declarations: Declarations,
    state: LedgerState,
    mine: Sequence[ReturnStatus],
    sent_on: int,
    language: Language,
) -> dict[str, str]:
    place = declarations.places[mine[0].sender_code]
    item = state.newest(mine[0].sender_code, mine[0].quarter)
    names = {status.return_name for status in mine}
    return {
        "place": getattr(place, f"name_{language}"),
        "quarter": mine[0].quarter,
        "deadline": long_day(mine[0].deadline, language),
        "days": str(abs(sent_on)),
        "returns": ", ".join(
            getattr(declared.title, language).lower()
            for name, declared in declarations.returns.items()
            if name in names
        ),
        "queries": str(sum(query.is_open for query in state.queries(item)) if item else 0),
    }


def _filled(text: Text, words: Mapping[Language, Mapping[str, str]]) -> Text:
    return Text(en=text.en.format_map(words["en"]), cy=text.cy.format_map(words["cy"]))


def write_reminders(reminders: Sequence[DueReminder], folder: Path) -> list[Path]:
    """One text file each, both languages in it. Raises OSError."""
    paths = []
    for reminder in reminders:
        path = folder / reminder.file_name
        content = reminder.as_text()
        write_whole(path, lambda target, text=content: target.write_text(text, encoding="utf-8"))
        paths.append(path)
    return paths
