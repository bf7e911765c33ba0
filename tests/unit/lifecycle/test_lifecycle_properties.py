"""Any sequence of events: those that may follow lead to exactly one state, the others are refused
with a sentence and change nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger_state import LedgerState
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.states import fold, return_status
from pipelines.lifecycle.words import ACTS_NEXT
from pipelines.settings import SOURCES
from tests.unit.lifecycle_story import ANGLESEY, GWYNEDD, IN_TIME, Q1, Q2, WALES, Event, Story

DECLARATIONS = Declarations(SOURCES)
SENDERS, QUARTERS = (ANGLESEY, GWYNEDD), (Q1, Q2)
DELIVERY_STATES = {
    *("received", "rejected", "duplicate", "in_force", "superseded", "withdrawn", "held")
}
VERDICTS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "refused"},
    {"queries": {"child": {"CH400": 2}}},
    {"queries": {"child": {"CH400": 6}}},
    {"aside": 1},
    {"nil": True},
)


def _events(story: Story, pick: random.Random) -> Event:
    """An event that may or may not be legal, about whatever there is, or about nothing."""
    ids = [*story.ledger_state.submissions, "S999999"]
    sender, quarter, about = pick.choice(SENDERS), pick.choice(QUARTERS), pick.choice(ids)
    choices: tuple[Callable[[], Event], ...] = (
        lambda: story.file(sender, quarter),
        lambda: story.file(sender, quarter),
        lambda: story.judged(pick.choice(ids[-4:]), **pick.choice(VERDICTS)),
        lambda: story.judged(pick.choice(ids[-4:]), **pick.choice(VERDICTS)),
        lambda: story.judged(about, rules="other rules"),
        lambda: story.file(event="duplicate", duplicate_of=about),
        lambda: story.tolerate(
            pick.choice((1, 3, 9)), pick.choice(QUARTERS), quarter=quarter, sender=sender
        ),
        lambda: story.reopen(quarter=quarter),
        lambda: story.sign_off(about, pick.choice((0, 1))),
        lambda: story.accept(about),
        lambda: story.withdraw(about),
        lambda: story.lock(quarter),
        lambda: story.unlock(quarter),
        lambda: story.revise(quarter, WALES, *pick.sample(ids, pick.choice((0, 0, 1)))),
        lambda: story.publish(pick.randrange(1, 9), quarter),
        lambda: {"event": "reported", "run_id": "r"},
    )
    return pick.choice(choices)()


def _facts(state: LedgerState) -> dict[str, Any]:
    """All that can be asked of a state."""
    returns = {
        (sender, quarter.label): asdict(return_status(state, sender, "child", quarter, IN_TIME))
        for sender in SENDERS
        for quarter in QUARTERS
    }
    deliveries = {name: asdict(state.delivery(name)) for name in state.submissions}
    return {"returns": returns, "deliveries": deliveries}


def _in_force(state: LedgerState) -> dict[tuple[str, str], str | None]:
    found = {}
    for sender in SENDERS:
        for quarter in QUARTERS:
            item = state.in_force(sender, quarter.label)
            found[sender, quarter.label] = item.submission_id if item else None
    return found


@given(seed=st.integers(0, 2**32), length=st.integers(1, 60))
@settings(max_examples=150, deadline=None)
def test_legal_events_lead_to_one_state_each_and_others_are_refused(seed: int, length: int) -> None:
    pick = random.Random(seed)
    story = Story(DECLARATIONS)
    for _ in range(length):
        event = _events(story, pick)
        before, was_in_force = _facts(story.ledger_state), _in_force(story.ledger_state)
        why = refusal(story.ledger_state, event)
        assert _facts(story.ledger_state) == before  # to ask changes nothing
        if why is not None:
            assert why.endswith(".") and not why[0].islower() and len(why.split()) > 3, why
            continue
        story.tell(event)
        facts = _facts(story.ledger_state)
        for status in facts["returns"].values():
            assert status["acts"] == ACTS_NEXT[status["state"]]
        in_force = [
            story.ledger_state.submissions[name]
            for name, delivery in facts["deliveries"].items()
            if delivery["state"] == "in_force"
        ]
        keys = [(item.sender_code, item.quarter) for item in in_force]
        assert len(set(keys)) == len(keys)
        assert {one["state"] for one in facts["deliveries"].values()} <= DELIVERY_STATES
        _a_lock_holds(story.ledger_state, event, was_in_force)
    _the_fold_says_the_same(story)


def _a_lock_holds(
    state: LedgerState, event: Event, before: dict[tuple[str, str], str | None]
) -> None:
    """What is in force in a locked quarter changes by a revision and by nothing else."""
    for (sender, quarter), was in before.items():
        is_locked = (WALES, quarter) in state.locks
        if is_locked and event["event"] != "revised":
            now = state.in_force(sender, quarter)
            assert (now.submission_id if now else None) == was


def _the_fold_says_the_same(story: Story) -> None:
    life = fold(story.events, DECLARATIONS, IN_TIME, QUARTERS)
    assert _facts(life.ledger_state) == _facts(story.ledger_state)
    by_key = {(one.sender_code, one.return_name, one.quarter): one for one in life.returns}
    for sender in SENDERS:
        for quarter in QUARTERS:
            mine = by_key[sender, "child", quarter.label]
            assert mine == return_status(story.ledger_state, sender, "child", quarter, IN_TIME)


@given(seed=st.integers(0, 2**32), cut=st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_any_beginning_of_a_ledger_can_be_told_on_any_day(seed: int, cut: int) -> None:
    """A crash, or a look at the past, leaves a beginning; a day may be any."""
    pick = random.Random(seed)
    story = Story(DECLARATIONS)
    for _ in range(40):
        event = _events(story, pick)
        if refusal(story.ledger_state, event) is None:
            story.tell(event)
    day = date.fromordinal(
        pick.randrange(date(2025, 7, 1).toordinal(), date(2027, 1, 1).toordinal())
    )
    life = fold(story.events[:cut], DECLARATIONS, day, QUARTERS)
    for one in life.returns:
        assert one.state in ACTS_NEXT
        assert one.days_to_deadline == (one.deadline - day).days
        assert not (one.state == "expected" and one.days_to_deadline < 0)
        assert not (one.state == "overdue" and one.days_to_deadline >= 0)
        in_force = one.in_force_submission_id
        assert in_force is None or life.ledger_state.submissions[in_force].is_accepted
