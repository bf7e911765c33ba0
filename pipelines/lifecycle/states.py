"""Where each return and each delivery stands on a day, from expected to published and revised.

Everything is folded from the ledger's events, the declarations and a day: nothing is stored. A
*delivery* is one file; a *return* is what one sender owes for one quarter. Each has exactly one
state at any time. ``docs/life-of-a-return.md`` describes it in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Submission
from pipelines.lifecycle.ledger_state import LedgerState, ledger_state
from pipelines.lifecycle.records import Lock
from pipelines.lifecycle.words import ACTS_NEXT, Actor, ReturnState, SignOffState
from pipelines.quarters import Quarter, quarters_between


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


def return_status(
    state: LedgerState, sender_code: str, return_name: str, quarter: Quarter, today: date
) -> ReturnStatus:
    """Where one return stands on ``today``, by what the ledger holds."""
    label = quarter.label
    deadline = state.declarations.policy_for(sender_code).deadline(quarter)
    deliveries = state.deliveries_of(sender_code, label)
    newest_file = deliveries[-1] if deliveries else None
    in_force = state.in_force(sender_code, label)
    item = state.newest(sender_code, label)
    # A delivery says nothing of a return it was not asked for.
    if item is not None and return_name not in item.returns:
        item = in_force = None  # it came before this return was due from the sender
    return_state = (
        _state_without(state, newest_file, today > deadline)
        if item is None
        else _state_with(state, item, return_name, item is not in_force)
    )
    lock = state.lock_for(sender_code, label)
    # It may replace what is in force, and somebody has to say so; a lock closes the quarter first.
    if newest_file is not None and newest_file.is_to_be_confirmed and lock is None:
        return_state = "to_confirm"
    mine = state.queries_about(item, return_name) if item else []
    sign_off, signed = state.sign_off(item) if item else ("none", None)
    counts = item.returns[return_name] if item else {}
    return ReturnStatus(
        sender_code=sender_code,
        return_name=return_name,
        quarter=label,
        state=return_state,
        acts=ACTS_NEXT[return_state],
        deadline=deadline,
        days_to_deadline=(deadline - today).days,
        submission_id=item.submission_id if item else None,
        in_force_submission_id=in_force.submission_id if in_force else None,
        version=item.version if item else None,
        is_late=bool(item and item.is_late),
        is_nil=bool(counts.get("is_nil")),
        rows_set_aside=counts.get("rows_quarantined", 0),
        queries_open=sum(query.is_open for query in mine),
        queries_tolerated=sum(not query.is_open for query in mine),
        queries_fixed=state.queries_corrected(item, return_name) if item else 0,
        sign_off=sign_off,
        signed_off_by_role=signed.role if signed and sign_off == "valid" else None,
        is_accepted=bool(item and state.is_agreed(item)),
        is_locked=lock is not None,
        revision=lock.revision if lock else None,
        is_newer_file_refused=bool(item and newest_file and newest_file.status == "refused"),
    )


def _state_without(state: LedgerState, newest: Submission | None, is_past: bool) -> ReturnState:
    if newest is not None and newest.is_waiting:
        return "received"
    if newest is not None and newest.status == "refused":
        return "rejected"
    if newest is not None and newest.is_to_be_confirmed:
        return "to_confirm"
    if newest is not None and newest.submission_id in state.withdrawn:
        return "withdrawn"
    return "overdue" if is_past else "expected"


def _state_with(
    state: LedgerState, item: Submission, return_name: str, is_held: bool
) -> ReturnState:
    lock = state.lock_over(item)
    if lock is not None:
        if is_held or item.submission_id in lock.withdrawals:
            return "held"
        return _published(lock, item)
    return _state_before_lock(state, item, return_name)


def _state_before_lock(state: LedgerState, item: Submission, return_name: str) -> ReturnState:
    sign_off, _ = state.sign_off(item)
    counts = item.returns[return_name]
    queries = state.queries_about(item, return_name)
    if state.is_agreed(item):
        return "accepted"
    if sign_off == "valid":
        return "signed_off"
    # Worst first: a return has one state, the one that says who must act next.
    if counts.get("rows_quarantined"):
        return "errors"
    if any(query.is_open for query in queries):
        return "queries_open"
    if counts.get("is_nil") and not counts.get("rows_read"):
        return "nil"
    if queries or state.queries_corrected(item, return_name):
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


@dataclass(frozen=True)
class LifeCycle:
    """Every return and delivery as it stands on ``today``."""

    today: date
    ledger_state: LedgerState
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
    state = ledger_state(events, declarations)
    if quarters is None:
        quarters = quarters_asked(state.submissions.values(), today)
    returns = tuple(
        return_status(state, sender_code, return_name, quarter, today)
        for quarter in quarters
        for sender_code in declarations.senders
        for return_name in declarations.due_from(sender_code, quarter)
    )
    return LifeCycle(today, state, returns)


def submissions_with_states(
    events: Iterable[Mapping[str, Any]], declarations: Declarations
) -> list[Submission]:
    """Every delivery in order of arrival, as the ledger has it, with what became of it."""
    state = ledger_state(events, declarations)
    for submission_id, item in state.submissions.items():
        item.state = state.delivery(submission_id).state
    return list(state.submissions.values())


def quarters_asked(submissions: Iterable[Submission], today: date) -> list[Quarter]:
    """Quarters whose returns are owed: from the first that anybody sent to the one after the last,
    as far as they are over. A collection that nobody has used yet owes nothing."""
    sent = [Quarter.parse(submission.quarter) for submission in submissions if submission.quarter]
    if not sent:
        return []
    # Nothing is owed of a quarter that still runs, nor of years before anybody sent.
    last = min(max(sent).plus(1), last_quarter_over(today))
    return list(quarters_between(min(sent), last))


def last_quarter_over(today: date) -> Quarter:
    """The newest quarter that has ended before ``today``."""
    return Quarter.containing(today).plus(-1)
