"""The life of a return, from expected to published and revised.

Everything is folded from the ledger's events, the declarations and a day: nothing is stored. A
*delivery* is one file; a *return* is what one sender owes for one quarter. Each has exactly one
state at any time. ``docs/life-of-a-return.md`` tells it in words.

A lock closes a nation's quarter: what is accepted, or withdrawn, afterwards is *held* and changes
nothing until a revision releases it. Whether something came after the lock is decided by the order
of the ledger's lines, never by a clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Submission, fold_delivery
from pipelines.lifecycle.words import STATES, Actor, DeliveryState, ReturnState, SignOffState
from pipelines.quarters import Quarter, quarters_between

LOCAL = ZoneInfo("Europe/London")

# Queries of the file as a whole have no return; those of verdicts that did not keep codes no code.
WHOLE_FILE = "file"
CODE_NOT_KEPT = "NOT_KEPT"


def local_day(moment: datetime) -> date:
    """The calendar day in Wales and England. A moment without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(LOCAL).date()


def end_of(day: date) -> datetime:
    """The last moment of a day in Wales and England."""
    midnight = datetime.combine(day + timedelta(days=1), time(), LOCAL)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


def known_at(events: Iterable[Mapping[str, Any]], moment: datetime) -> list[Mapping[str, Any]]:
    """Events that could be known at ``moment`` (without a zone: UTC), in the ledger's order.

    A verdict is known as soon as its delivery is: the ledger keeps no time of a verdict, so that a
    batch that is killed and done again comes to the same.
    """
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seen: set[str] = set()
    known = []
    for event in events:
        if event["event"] in ("received", "duplicate"):
            if datetime.fromisoformat(event["received_at"]) > moment:
                continue
            seen.add(event["submission_id"])
        elif event.get("submission_id") is not None and event["submission_id"] not in seen:
            continue
        if "at" in event and datetime.fromisoformat(event["at"]) > moment:
            continue
        known.append(event)
    return known


# --- what is decided ------------------------------------------------------------


@dataclass(frozen=True)
class Tolerance:
    """An explained query: up to ``limit`` rows of a rule, from one quarter to another."""

    code: str
    limit: int
    since: str
    until: str
    explanation: str
    role: str
    at: str


@dataclass(frozen=True)
class Query:
    """A query of the return's newest accepted file: open, or tolerated."""

    return_name: str
    code: str
    rows: int
    tolerance: Tolerance | None
    why_open: Literal["", "new", "over_the_limit", "expired", "opened_again"]

    @property
    def is_open(self) -> bool:
        return bool(self.why_open)


@dataclass(frozen=True)
class SignOff:
    """``seal`` binds it to the very bytes, rules, code and declarations of the verdict."""

    submission_id: str
    seal: str
    role: str
    at: str
    rows_left_out: int
    is_reopened: bool = False


@dataclass(frozen=True)
class Revision:
    number: int
    at: str
    role: str
    reason: str
    released: tuple[str, ...]
    withdrawals: tuple[str, ...]


@dataclass(frozen=True)
class Publication:
    """An export version made under a lock, and what was in force then, by sender."""

    revision: int
    version: int
    at: str
    in_force: Mapping[str, str]


@dataclass
class Lock:
    """A nation's quarter that is closed."""

    nation_code: str
    quarter: str
    at: str
    role: str
    not_accepted: int
    revision: int = 1
    held: list[str] = field(default_factory=list)
    withdrawals: list[str] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    publications: list[Publication] = field(default_factory=list)

    @property
    def published_version(self) -> int | None:
        """The newest export version that shows the newest revision; None before there is one."""
        of_this = [one for one in self.publications if one.revision == self.revision]
        return of_this[-1].version if of_this else None


@dataclass(frozen=True)
class ReturnStatus:
    """Where one sender's return for one quarter stands on a day.

    What is said of the data is said of ``submission_id``: the newest accepted delivery that was
    not withdrawn, held or not. ``days_to_deadline`` is negative after the deadline.
    """

    sender_code: str
    return_name: str
    quarter: str
    state: ReturnState
    acts: Actor
    deadline: date
    days_to_deadline: int
    submission_id: str | None
    in_force_submission_id: str | None
    version: int | None
    is_late: bool
    is_nil: bool
    rows_set_aside: int
    queries_open: int
    queries_tolerated: int
    queries_fixed: int
    sign_off: SignOffState
    signed_off_by_role: str | None
    is_accepted: bool
    is_locked: bool
    revision: int | None
    is_newer_file_refused: bool


@dataclass(frozen=True)
class DeliveryStatus:
    """What became of one file."""

    state: DeliveryState
    withdrawn_at: str | None
    released_in_revision: int | None


def seal_of(submission: Submission) -> str:
    """Hash of what a sign-off is bound to: the bytes, the rules, the code and declarations."""
    parts = [submission.sha256, submission.rule_set_hash, submission.made_with]
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()


# --- the fold -------------------------------------------------------------------


class Book:
    """The ledger's events folded one after the other, as they are, legal or not.

    Which event may follow is for ``lifecycle_order.py`` to say.
    """

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self.submissions: dict[str, Submission] = {}
        self.locks: dict[tuple[str, str], Lock] = {}
        self._of: dict[tuple[str, str], list[Submission]] = {}
        self._tolerances: dict[tuple[str, str, str], list[Tolerance | str]] = {}
        self._sign_offs: dict[tuple[str, str], list[SignOff]] = {}
        self._agreed: dict[str, set[str]] = {}  # seals accepted centrally, by submission
        self.withdrawn: dict[str, str] = {}  # in effect, and since when
        self._released: dict[str, int] = {}
        self.releases: dict[tuple[str, str], list[Mapping[str, Any]]] = {}  # by nation, quarter
        self._takes: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "received": self._take_received,
            "tolerated": self._take_tolerated,
            "reopened": self._take_reopened,
            "signed_off": self._take_signed_off,
            "accepted_centrally": self._take_accepted_centrally,
            "withdrawn": self._take_withdrawn,
            "locked": self._take_locked,
            "unlocked": self._take_unlocked,
            "revised": self._take_revised,
            "published": self._take_published,
            "released": self._take_released,
        }

    # --- one event more ---------------------------------------------------------

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take one event. One about something that is not known changes nothing."""
        kind, about = event["event"], event.get("submission_id")
        was = self.submissions.get(about) if about else None
        if about and was is None and kind not in ("received", "duplicate"):
            return
        was_accepted = was is not None and was.is_accepted
        fold_delivery(self.submissions, event)
        if kind == "judged":
            self._hold(self.submissions[event["submission_id"]], was_accepted)
        elif kind in self._takes:
            self._takes[kind](event)

    def _take_received(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        if item.sender_code is None or item.quarter is None:
            return
        mine = self._of.setdefault((item.sender_code, item.quarter), [])
        mine.append(item)
        item.version = len(mine)

    def _hold(self, item: Submission, was_accepted: bool) -> None:
        """What is accepted after the lock is held, whenever it came."""
        lock = self.lock_over(item)
        if lock is None:
            return
        if item.is_accepted and not was_accepted:
            lock.held.append(item.submission_id)
        elif not item.is_accepted and item.submission_id in lock.held:
            lock.held.remove(item.submission_id)

    def _take_withdrawn(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        lock = self.lock_over(item)
        if lock is not None and item.submission_id not in lock.held:
            lock.withdrawals.append(item.submission_id)
        else:
            self._withdraw(item.submission_id, event["at"])

    def _withdraw(self, submission_id: str, at: str) -> None:
        self.withdrawn[submission_id] = at

    def _take_tolerated(self, event: Mapping[str, Any]) -> None:
        self._tolerances.setdefault(_of_rule(event), []).append(
            Tolerance(
                *(event["code"], event["limit"], event["quarter"], event["until"]),
                *(event["explanation"], event["role"], event["at"]),
            )
        )

    def _take_reopened(self, event: Mapping[str, Any]) -> None:
        """From its quarter on the query is asked again; what was decided on the answer is void."""
        self._tolerances.setdefault(_of_rule(event), []).append(event["quarter"])
        key = (event["sender_code"], event["quarter"])
        given = self._sign_offs.get(key, [])
        self._sign_offs[key] = [replace(one, is_reopened=True) for one in given]
        for one in given:
            self._agreed.pop(one.submission_id, None)

    def _take_signed_off(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        self._sign_offs.setdefault(whose(item), []).append(
            SignOff(
                *(item.submission_id, event["seal"], event["role"], event["at"]),
                event["rows_left_out"],
            )
        )

    def _take_accepted_centrally(self, event: Mapping[str, Any]) -> None:
        self._agreed.setdefault(event["submission_id"], set()).add(event["seal"])

    def _take_locked(self, event: Mapping[str, Any]) -> None:
        key = (event["nation_code"], event["quarter"])
        self.locks.setdefault(key, Lock(*key, event["at"], event["role"], event["not_accepted"]))

    def _take_unlocked(self, event: Mapping[str, Any]) -> None:
        lock = self.locks.pop((event["nation_code"], event["quarter"]), None)
        for submission_id in lock.withdrawals if lock else ():
            self._withdraw(submission_id, event["at"])

    def _take_revised(self, event: Mapping[str, Any]) -> None:
        lock = self.locks.get((event["nation_code"], event["quarter"]))
        if lock is None:
            return
        lock.revision += 1
        released, withdrawals = tuple(event["released"]), tuple(event["withdrawals"])
        lock.held = [one for one in lock.held if one not in released]
        lock.withdrawals = [one for one in lock.withdrawals if one not in withdrawals]
        for submission_id in released:
            self._released[submission_id] = lock.revision
        for submission_id in withdrawals:
            self._withdraw(submission_id, event["at"])
        lock.revisions.append(
            Revision(
                *(lock.revision, event["at"], event["role"], event["reason"]),
                *(released, withdrawals),
            )
        )

    def _take_published(self, event: Mapping[str, Any]) -> None:
        for nation_code, revision in event["revisions"].items():
            lock = self.locks.get((nation_code, event["quarter"]))
            if lock is not None and lock.revision == revision:
                in_force = dict(self._in_force_of(nation_code, event["quarter"]))
                lock.publications.append(
                    Publication(revision, event["version"], event["at"], in_force)
                )

    def _take_released(self, event: Mapping[str, Any]) -> None:
        key = (event["nation_code"], event["quarter"])
        self.releases.setdefault(key, []).append(event)

    # --- what holds now ---------------------------------------------------------

    def waiting(self, nation_code: str, quarter: str) -> list[Submission]:
        """Deliveries of a nation's quarter that have no verdict yet."""
        return [
            item
            for (sender_code, of_quarter), several in self._of.items()
            if of_quarter == quarter and self.nation_of(sender_code) == nation_code
            for item in several
            if item.is_waiting
        ]

    def deliveries_of(self, sender_code: str, quarter: str) -> list[Submission]:
        """Deliveries that are no duplicates, oldest first."""
        return sorted(self._of.get((sender_code, quarter), []), key=_age)

    def in_force(self, sender_code: str, quarter: str) -> Submission | None:
        """The delivery that figures come from: the newest accepted, not held, not withdrawn."""
        lock = self._lock_for(sender_code, quarter)
        held = lock.held if lock else ()
        found = [
            one for one in self._accepted(sender_code, quarter) if one.submission_id not in held
        ]
        return found[-1] if found else None

    def newest(self, sender_code: str, quarter: str) -> Submission | None:
        """The newest accepted delivery that was not withdrawn, be it held or not."""
        found = self._accepted(sender_code, quarter)
        return found[-1] if found else None

    def _accepted(self, sender_code: str, quarter: str) -> list[Submission]:
        return [
            one
            for one in self.deliveries_of(sender_code, quarter)
            if one.is_accepted and one.submission_id not in self.withdrawn
        ]

    def _in_force_of(self, nation_code: str, quarter: str) -> Iterator[tuple[str, str]]:
        for sender_code, of_quarter in self._of:
            if of_quarter == quarter and self.nation_of(sender_code) == nation_code:
                found = self.in_force(sender_code, quarter)
                if found is not None:
                    yield sender_code, found.submission_id

    def nation_of(self, sender_code: str | None) -> str | None:
        place = self._declarations.places.get(sender_code or "")
        return place.nation_code if place else None

    def _lock_for(self, sender_code: str, quarter: str) -> Lock | None:
        return self.locks.get((self.nation_of(sender_code) or "", quarter))

    def lock_over(self, item: Submission) -> Lock | None:
        if item.sender_code is None or item.quarter is None:
            return None
        return self._lock_for(item.sender_code, item.quarter)

    def is_held(self, submission_id: str) -> bool:
        """Whether it is kept out of the figures for a revision, though a newer one may be too."""
        lock = self.lock_over(self.submissions[submission_id])
        return lock is not None and submission_id in lock.held

    def delivery(self, submission_id: str) -> DeliveryStatus:
        item = self.submissions[submission_id]
        return DeliveryStatus(
            self._delivery_state(item),
            self.withdrawn.get(submission_id),
            self._released.get(submission_id),
        )

    def _delivery_state(self, item: Submission) -> DeliveryState:
        if item.status == "duplicate":
            return "duplicate"
        if item.is_waiting:
            return "received"
        if not item.is_accepted:
            return "rejected"
        if item.submission_id in self.withdrawn:
            return "withdrawn"
        sender_code, quarter = whose(item)
        in_force = self.in_force(sender_code, quarter)
        if in_force is item:
            return "in_force"
        lock = self.lock_over(item)
        if lock and item.submission_id in lock.held and item is self.newest(sender_code, quarter):
            return "held"
        return "superseded"

    def queries(self, item: Submission) -> list[Query]:
        """Queries of an accepted delivery, open or tolerated, in order of return and rule."""
        found = []
        for return_name, rows_by_code in sorted(queries_of(item).items()):
            for code, rows in sorted(rows_by_code.items()):
                found.append(self._query(item, return_name, code, rows))
        return found

    def _query(self, item: Submission, return_name: str, code: str, rows: int) -> Query:
        sender_code, quarter = whose(item)
        given = [
            one
            for one in self._tolerances.get((sender_code, return_name, code), [])
            if (one.since if isinstance(one, Tolerance) else one) <= quarter
        ]
        newest = given[-1] if given else None
        if newest is None:
            return Query(return_name, code, rows, None, "new")
        if isinstance(newest, str):
            return Query(return_name, code, rows, None, "opened_again")
        if quarter > newest.until:
            return Query(return_name, code, rows, newest, "expired")
        if rows > newest.limit:
            return Query(return_name, code, rows, newest, "over_the_limit")
        return Query(return_name, code, rows, newest, "")

    def _fixed(self, item: Submission, return_name: str) -> int:
        """Rules that queried this return in an earlier accepted delivery and do not any more."""
        asked: set[str] = set()
        for earlier in self.deliveries_of(*whose(item)):
            if _age(earlier) < _age(item) and earlier.is_accepted:
                asked |= queries_of(earlier).get(return_name, {}).keys()
        return len(asked - queries_of(item).get(return_name, {}).keys())

    def sign_off(self, item: Submission) -> tuple[SignOffState, SignOff | None]:
        """Whether the delivery is signed off as it is; if not, what became of the last sign-off."""
        given = self._sign_offs.get(whose(item), [])
        mine = [one for one in given if one.submission_id == item.submission_id]
        if not given:
            return "none", None
        if not mine:
            return "void_data", None
        newest = mine[-1]
        if newest.seal != seal_of(item):
            return "void_rules", newest
        if newest.is_reopened:
            return "void_query", newest
        return "valid", newest

    def is_agreed(self, item: Submission) -> bool:
        """Accepted by the national team as it is now."""
        return self.sign_off(item)[0] == "valid" and seal_of(item) in self._agreed.get(
            item.submission_id, ()
        )

    # --- where a return stands --------------------------------------------------

    def status(
        self, sender_code: str, return_name: str, quarter: Quarter, today: date
    ) -> ReturnStatus:
        label = quarter.label
        deadline = self._declarations.policy_for(sender_code).deadline(quarter)
        deliveries = self.deliveries_of(sender_code, label)
        newest_file = deliveries[-1] if deliveries else None
        in_force = self.in_force(sender_code, label)
        item = self.newest(sender_code, label)
        if item is not None and return_name not in item.returns:
            item = in_force = None  # it came before this return was due from the sender
        state = (
            self._state_without(newest_file, today > deadline)
            if item is None
            else self._state_with(item, return_name, item is not in_force)
        )
        lock = self._lock_for(sender_code, label)
        mine = self._queries_about(item, return_name) if item else []
        sign_off, signed = self.sign_off(item) if item else ("none", None)
        counts = item.returns[return_name] if item else {}
        return ReturnStatus(
            sender_code=sender_code,
            return_name=return_name,
            quarter=label,
            state=state,
            acts=STATES[state].acts,
            deadline=deadline,
            days_to_deadline=(deadline - today).days,
            submission_id=item.submission_id if item else None,
            in_force_submission_id=in_force.submission_id if in_force else None,
            version=item.version if item else None,
            is_late=bool(item and item.is_late),
            is_nil=bool(counts.get("is_nil")),
            rows_set_aside=counts.get("rows_quarantined", 0),
            queries_open=sum(one.is_open for one in mine),
            queries_tolerated=sum(not one.is_open for one in mine),
            queries_fixed=self._fixed(item, return_name) if item else 0,
            sign_off=sign_off,
            signed_off_by_role=signed.role if signed and sign_off == "valid" else None,
            is_accepted=bool(item and self.is_agreed(item)),
            is_locked=lock is not None,
            revision=lock.revision if lock else None,
            is_newer_file_refused=bool(item and newest_file and newest_file.status == "refused"),
        )

    def _queries_about(self, item: Submission, return_name: str) -> list[Query]:
        return [one for one in self.queries(item) if one.return_name in (return_name, WHOLE_FILE)]

    def _state_without(self, newest: Submission | None, is_past: bool) -> ReturnState:
        if newest is not None and newest.is_waiting:
            return "received"
        if newest is not None and newest.status == "refused":
            return "rejected"
        if newest is not None and newest.submission_id in self.withdrawn:
            return "withdrawn"
        return "overdue" if is_past else "expected"

    def _state_with(self, item: Submission, return_name: str, is_held: bool) -> ReturnState:
        lock = self.lock_over(item)
        if lock is not None:
            if is_held or item.submission_id in lock.withdrawals:
                return "held"
            return _published(lock, item)
        return self._state_before_lock(item, return_name)

    def _state_before_lock(self, item: Submission, return_name: str) -> ReturnState:
        sign_off, _ = self.sign_off(item)
        counts = item.returns[return_name]
        queries = self._queries_about(item, return_name)
        if self.is_agreed(item):
            return "accepted"
        if sign_off == "valid":
            return "signed_off"
        if counts.get("rows_quarantined"):
            return "errors"
        if any(one.is_open for one in queries):
            return "queries_open"
        if counts.get("is_nil") and not counts.get("rows_read"):
            return "nil"
        if queries or self._fixed(item, return_name):
            return "queries_answered"
        return "checked"


def _published(lock: Lock, item: Submission) -> ReturnState:
    assert item.sender_code is not None
    if not lock.publications:
        return "locked"
    first, last = lock.publications[0], lock.publications[-1]
    if last.in_force.get(item.sender_code) != item.submission_id:
        return "locked"
    is_first = first.in_force.get(item.sender_code) == item.submission_id
    return "published" if is_first else "revised"


def queries_of(item: Submission) -> Mapping[str, Mapping[str, int]]:
    """Rows with a query by return and rule; CODE_NOT_KEPT where a verdict did not keep the rule."""
    if item.queries:
        return item.queries
    return {
        name: {CODE_NOT_KEPT: counts["queries"]}
        for name, counts in item.returns.items()
        if counts.get("queries")
    }


def rows_set_aside(item: Submission) -> int:
    return sum(counts.get("rows_quarantined", 0) for counts in item.returns.values())


def whose(item: Submission) -> tuple[str, str]:
    assert item.sender_code is not None and item.quarter is not None
    return item.sender_code, item.quarter


def _age(item: Submission) -> tuple[datetime, int]:
    return item.received_at, item.delivery_number


def _of_rule(event: Mapping[str, Any]) -> tuple[str, str, str]:
    return event["sender_code"], event["return_name"], event["code"]


# --- everything on a day ---------------------------------------------------------


@dataclass(frozen=True)
class LifeCycle:
    """Every return and delivery as it stands on ``today``."""

    today: date
    book: Book
    returns: tuple[ReturnStatus, ...]


def fold(
    events: Iterable[Mapping[str, Any]],
    declarations: Declarations,
    today: date,
    quarters: Sequence[Quarter] | None = None,
) -> LifeCycle:
    """States of every return due and every delivery, from events, declarations and a day.

    ``quarters`` are those that are asked for; default: :func:`quarters_asked`.
    """
    book = Book(declarations)
    for event in events:
        book.apply(event)
    if quarters is None:
        quarters = quarters_asked(book.submissions.values(), today)
    returns = tuple(
        book.status(sender_code, return_name, quarter, today)
        for quarter in quarters
        for sender_code in declarations.senders
        for return_name in declarations.due_from(sender_code, quarter)
    )
    return LifeCycle(today, book, returns)


def submissions_with_states(
    events: Iterable[Mapping[str, Any]], declarations: Declarations
) -> list[Submission]:
    """Every delivery in order of arrival, as the ledger tells it, with what became of it now."""
    book = fold(events, declarations, date.min, []).book
    for submission_id, item in book.submissions.items():
        item.state = book.delivery(submission_id).state
    return list(book.submissions.values())


def quarters_asked(submissions: Iterable[Submission], today: date) -> list[Quarter]:
    """Quarters whose returns are owed: from the first that anybody sent to the one after the last,
    as far as they are over. A collection that nobody has used yet owes nothing."""
    sent = [Quarter.parse(one.quarter) for one in submissions if one.quarter]
    if not sent:
        return []
    last = min(max(sent).plus(1), last_quarter_over(today))
    return list(quarters_between(min(sent), last))


def last_quarter_over(today: date) -> Quarter:
    return Quarter.containing(today).plus(-1)
