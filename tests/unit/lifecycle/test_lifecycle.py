"""The life of a return, transition by transition, and what each rests on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import known_at
from pipelines.lifecycle.order import EVENTS, refusal
from pipelines.lifecycle.records import CODE_NOT_KEPT
from pipelines.lifecycle.states import fold, quarters_asked
from pipelines.lifecycle.words import ACTS_NEXT, sign_off_words, state_word
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from pipelines.text.catalogue import LANGUAGES
from tests.unit.lifecycle_story import (
    ANGLESEY,
    ENGLAND,
    GWYNEDD,
    HELD,
    IN_TIME,
    Q1,
    Q2,
    START,
    TOO_LATE,
    WALES,
    Event,
    Story,
)

ASKED = {"child": {"CH400": 3}}
Tell = Callable[[], Story]


@pytest.fixture
def story(declarations: Declarations) -> Story:
    return Story(declarations)


# --- every transition -------------------------------------------------------------------

# A row for each state, a column for what happens next, and the state it leads to; – is refused.
# The file that comes is accepted as it is (good), refused (bad), accepted with a query or with rows
# set aside, a nil return, or held for confirmation.
TABLE = """
from             file             good             bad              query            aside  nil
expected         received         checked          rejected         queries_open     errors nil
overdue          received         checked          rejected         queries_open     errors nil
received         received         checked          rejected         queries_open     errors nil
rejected         received         checked          rejected         queries_open     errors nil
to_confirm       received         checked          rejected         queries_open     errors nil
withdrawn        received         checked          rejected         queries_open     errors nil
errors           errors           checked          errors           queries_open     errors nil
queries_open     queries_open     queries_answered queries_open     queries_open     errors nil
queries_answered queries_answered queries_answered queries_answered queries_answered errors nil
checked          checked          checked          checked          queries_open     errors nil
nil              nil              checked          nil              queries_open     errors nil
signed_off       signed_off       checked          signed_off       queries_open     errors nil
accepted         accepted         checked          accepted         queries_open     errors nil
locked           locked           held             locked           held             held   held
published        published        held             published        held             held   held
revised          revised          held             revised          held             held   held
held             held             held             held             held             held   held

from             hold
expected         to_confirm
overdue          to_confirm
received         to_confirm
rejected         to_confirm
to_confirm       to_confirm
withdrawn        to_confirm
errors           to_confirm
queries_open     to_confirm
queries_answered to_confirm
checked          to_confirm
nil              to_confirm
signed_off       to_confirm
accepted         to_confirm
locked           locked
published        published
revised          revised
held             held

from             tolerate         reopen       sign       accept   withdraw  confirm
expected         –                –            –          –        –         –
overdue          –                –            –          –        –         –
received         –                –            –          –        –         –
rejected         –                –            –          –        –         –
to_confirm       –                –            –          –        –         checked
withdrawn        –                –            –          –        –         –
errors           –                –            –          –        withdrawn –
queries_open     queries_answered –            –          –        withdrawn –
queries_answered –                queries_open signed_off –        withdrawn –
checked          –                –            signed_off –        withdrawn –
nil              –                –            signed_off –        withdrawn –
signed_off       –                –            –          accepted withdrawn –
accepted         –                –            –          –        withdrawn –
locked           –                –            –          –        held      –
published        –                –            –          –        held      –
revised          –                –            revised    –        held      –
held             –                –            held       –        published –

from             lock       unlock   revise    publish
expected         expected   –        –         –
overdue          overdue    –        –         –
received         –          –        –         –
rejected         rejected   –        –         –
to_confirm       to_confirm –        –         –
withdrawn        withdrawn  –        –         –
errors           locked     –        –         –
queries_open     locked     –        –         –
queries_answered locked     –        –         –
checked          locked     –        –         –
nil              locked     –        –         –
signed_off       locked     –        –         –
accepted         locked     –        –         –
locked           –          accepted –         published
published        –          –        published published
revised          –          –        revised   revised
held             –          –        locked    held
"""

FILES: dict[str, Callable[[Story], object]] = {
    "file": lambda s: s.tell(s.file()),
    "good": lambda s: s.send(),
    "bad": lambda s: s.send(status="refused"),
    "query": lambda s: s.send(queries=ASKED),
    "aside": lambda s: s.send(aside=2),
    "nil": lambda s: s.send(nil=True),
    "hold": lambda s: s.send(**HELD),
}


def _newest(story: Story) -> str:
    item = story.ledger_state.newest(ANGLESEY, Q1.label)
    return item.submission_id if item else "S000001"


DECISIONS: dict[str, Callable[[Story], Event]] = {
    "tolerate": lambda s: s.tolerate(),
    "reopen": lambda s: s.reopen(),
    "sign": lambda s: s.sign_off(_newest(s)),
    "accept": lambda s: s.accept(_newest(s)),
    "withdraw": lambda s: s.withdraw(_newest(s)),
    "confirm": lambda s: s.confirm(s.last if s.files else "S000001"),
    "lock": lambda s: s.lock(),
    "unlock": lambda s: s.unlock(),
    "revise": lambda s: s.revise(),
    "publish": lambda s: s.publish(7),
}


def _transitions() -> list[tuple[str, str, str]]:
    found = []
    for block in TABLE.strip().split("\n\n"):
        heading, *rows = (line.split() for line in block.splitlines())
        for before, *after in rows:
            found += [(before, what, to) for what, to in zip(heading[1:], after, strict=True)]
    return found


def brought_to(story: Story, state: str) -> date:
    """Tell the usual way to a state; the day on which it is so."""
    if state == "received":
        story.tell(story.file())
    elif state == "rejected":
        story.send(status="refused")
    elif state == "to_confirm":
        story.send(**HELD)
    elif state == "errors":
        story.send(aside=2)
    elif state == "nil":
        story.send(nil=True)
    elif state in ("queries_open", "queries_answered"):
        story.send(queries=ASKED)
        if state == "queries_answered":
            story.tell(story.tolerate())
    elif state not in ("expected", "overdue"):
        _brought_far(story, state)
    return TOO_LATE if state == "overdue" else IN_TIME


def _brought_far(story: Story, state: str) -> None:
    sent = story.send()
    if state == "withdrawn":
        story.tell(story.withdraw(sent))
        return
    way = ("checked", "signed_off", "accepted", "locked", "published", "held", "revised")
    steps: tuple[Callable[[], object], ...] = (
        lambda: story.tell(story.sign_off(sent)),
        lambda: story.tell(story.accept(sent)),
        lambda: story.tell(story.lock()),
        lambda: story.tell(story.publish()),
        lambda: story.send(),
        lambda: story.tell(story.revise()).tell(story.publish(2)),
    )
    for step in steps[: way.index(state)]:
        step()


@pytest.mark.parametrize(("before", "what", "after"), _transitions())
def test_from_each_state_every_event_leads_where_the_table_says(
    story: Story, before: str, what: str, after: str
) -> None:
    today = brought_to(story, before)
    assert story.state(today) == before
    if what in FILES:
        FILES[what](story)
        assert story.state(today) == after
        return
    event = DECISIONS[what](story)
    if after == "–":
        told = story.refused(event)
        assert told.endswith(".") and len(told.split()) > 3
        assert story.state(today) == before
    else:
        assert story.tell(event).state(today) == after


def test_the_table_has_every_state_and_every_kind_of_event() -> None:
    rows = _transitions()
    assert {before for before, _, _ in rows} == set(ACTS_NEXT)
    assert {after for _, _, after in rows} == {*ACTS_NEXT, "–"}
    assert len(rows) == len(ACTS_NEXT) * (len(FILES) + len(DECISIONS))
    told_by_files = {"received", "judged"}
    # These change the state of no return.
    elsewhere = {"duplicate", "stored", "exported", "rekeyed", "erased", "reported", "released"}
    assert len(EVENTS) == len(DECISIONS) + len(told_by_files | elsewhere)


def test_every_state_has_words_in_both_languages_that_fit_a_cell() -> None:
    for language in LANGUAGES:
        words = [state_word(state, language) for state in ACTS_NEXT]
        assert max(map(len, words)) <= 12
        assert len(set(words)) == len(words)
    assert all(state_word(state, "cy") != state_word(state, "en") for state in ACTS_NEXT)


def test_a_state_tells_who_has_to_act_next() -> None:
    assert {state for state, actor in ACTS_NEXT.items() if actor == "national_team"} == {
        *("signed_off", "accepted", "locked", "held")
    }
    assert {state for state, actor in ACTS_NEXT.items() if actor == "nobody"} == {
        *("received", "published", "revised")
    }


# --- deadlines and days --------------------------------------------------------------------


def test_days_are_counted_to_the_deadline_and_on_after_it(story: Story) -> None:
    assert story.status(date(2025, 7, 30)).days_to_deadline == 0
    assert story.state(date(2025, 7, 30)) == "expected"
    assert story.status(date(2025, 7, 31)).days_to_deadline == -1
    assert story.state(date(2025, 7, 31)) == "overdue"


def test_a_refused_return_is_not_hidden_by_the_deadline(story: Story) -> None:
    story.send(status="refused")
    assert (story.state(TOO_LATE), story.status(TOO_LATE).days_to_deadline) == ("rejected", -2)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2025, 7, 30, 23, 30, tzinfo=UTC), date(2025, 7, 31)),  # summer time
        (datetime(2025, 7, 30, 23, 30), date(2025, 7, 31)),  # without a zone it is UTC
        (datetime(2026, 1, 30, 23, 30, tzinfo=UTC), date(2026, 1, 30)),
        (datetime(2025, 10, 26, 0, 30, tzinfo=UTC), date(2025, 10, 26)),  # the night of the change
    ],
)
def test_a_day_is_that_of_wales_and_england(moment: datetime, day: date) -> None:
    assert local_day(moment) == day


def test_quarters_are_owed_from_the_first_that_came_to_the_one_after_the_last(
    story: Story,
) -> None:
    assert quarters_asked([], date(2026, 1, 1)) == []
    story.send(quarter=Q1)
    items = list(story.ledger_state.submissions.values())
    assert quarters_asked(items, date(2025, 7, 10)) == [Q1]  # the next one is not over
    assert quarters_asked(items, date(2025, 10, 1)) == [Q1, Q2]
    assert quarters_asked(items, date(2029, 1, 1)) == [Q1, Q2]
    story.send(quarter=Quarter(2024, 3))
    items = list(story.ledger_state.submissions.values())
    assert quarters_asked(items, date(2025, 7, 1))[0] == Quarter(2024, 3)


# --- several files -------------------------------------------------------------------------


def test_a_whole_return_supersedes_the_one_before_and_every_version_is_known(
    story: Story,
) -> None:
    first, second = story.send(), story.send()
    assert story.ledger_state.delivery(first).state == "superseded"
    assert story.ledger_state.delivery(second).state == "in_force"
    assert [item.version for item in story.ledger_state.deliveries_of(ANGLESEY, Q1.label)] == [1, 2]
    assert story.status().version == 2


def test_a_refused_newer_file_replaces_nothing_and_is_told(story: Story) -> None:
    first = story.send()
    story.send(status="refused")
    status = story.status()
    assert (status.state, status.submission_id) == ("checked", first)
    assert status.is_newer_file_refused
    story.send()
    assert not story.status().is_newer_file_refused


def test_a_withdrawn_file_gives_way_to_the_one_before_it(story: Story) -> None:
    first, second = story.send(), story.send(queries=ASKED)
    story.tell(story.withdraw(second))
    assert story.ledger_state.delivery(second).state == "withdrawn"
    assert story.ledger_state.delivery(first).state == "in_force"
    assert (story.state(), story.status().submission_id) == ("checked", first)
    assert "was withdrawn before" in story.refused(story.withdraw(second))


@pytest.mark.parametrize("status", ["received", "refused", "duplicate"])
def test_what_is_in_no_figure_cannot_be_withdrawn(story: Story, status: str) -> None:
    first = story.file()
    story.tell(first)
    about = first["submission_id"]
    if status == "refused":
        story.tell(story.judged(about, "refused"))
    if status == "duplicate":
        again = story.file(event="duplicate", duplicate_of=about)
        story.tell(again)
        about = again["submission_id"]
    assert "nothing to withdraw" in story.refused(story.withdraw(about))


def test_a_duplicate_changes_nothing_and_gets_no_verdict_of_its_own(story: Story) -> None:
    first = story.send()
    again = story.file(event="duplicate", duplicate_of=first)
    story.tell(again)
    assert story.ledger_state.delivery(again["submission_id"]).state == "duplicate"
    assert (story.state(), story.status().submission_id) == ("checked", first)
    assert "duplicate" in story.refused(story.judged(again["submission_id"]))
    nobody = story.file(event="duplicate", duplicate_of="S999999")
    assert "never received" in story.refused(nobody)


@pytest.mark.parametrize(
    "clock",
    [
        timedelta(hours=-1),  # set back by hand, or summer time ended on a clock of local time
        timedelta(days=-400),
        timedelta(0),
        timedelta(days=1),
    ],
)
def test_the_order_of_the_ledger_decides_whatever_the_clock_said(
    story: Story, clock: timedelta
) -> None:
    first = story.file(received_at=START.isoformat())
    correction = story.file(received_at=(START + clock).isoformat())
    for event in (first, correction):
        story.tell(event).tell(story.judged(event["submission_id"]))
    assert story.status().submission_id == correction["submission_id"]
    state = story.ledger_state
    assert [state.delivery(event["submission_id"]).state for event in (first, correction)] == [
        "superseded",
        "in_force",
    ]


def test_the_past_is_cut_at_one_place_of_the_ledger_though_the_clock_was_set_back(
    story: Story,
) -> None:
    noon = START + timedelta(hours=3)
    times = [noon, noon + timedelta(hours=1), noon + timedelta(minutes=10)]  # set back at the end
    for time in times:
        event = story.file(received_at=time.isoformat())
        story.tell(event).tell(story.judged(event["submission_id"]))

    def known(moment: datetime) -> list[str]:
        events = known_at(story.events, moment)
        return [event["submission_id"] for event in events if event["event"] == "received"]

    assert known(noon) == ["S000001"]
    # The third came after the second, which was not known at 12:30, whatever its own time says.
    assert known(noon + timedelta(minutes=30)) == ["S000001"]
    assert known(noon + timedelta(hours=1)) == ["S000001", "S000002", "S000003"]


def test_what_came_after_a_release_is_not_in_it_though_the_clock_was_set_back(
    story: Story,
) -> None:
    first = story.file(received_at=START.isoformat())
    later = story.file(received_at=(START - timedelta(hours=1)).isoformat())
    released = {"event": "released", "as_of": START.isoformat(), "at": START.isoformat()}
    events = [first, released, later]
    assert known_at(events, START) == [first, released]


def test_a_time_far_ahead_hides_nothing_today(story: Story) -> None:
    ahead = story.file(received_at="2999-01-01T09:00:00+00:00")
    after = story.file(received_at=START.isoformat())
    assert known_at([ahead, after], datetime.now(UTC) + timedelta(days=1)) == [ahead, after]


def test_returns_of_one_file_stand_each_for_itself(story: Story) -> None:
    """NWAS owes adopters and support in one file; a query of one does not ask about the other."""
    story.send("NWAS", queries={"adopter": {"AD300": 1}}, returns=("adopter", "support"))
    assert story.state(sender="NWAS", name="adopter") == "queries_open"
    assert story.state(sender="NWAS", name="support") == "checked"
    story.send("NWAS", queries={"file": {"F203": 1}}, returns=("adopter", "support"))
    assert story.state(sender="NWAS", name="adopter") == "queries_open"
    assert story.state(sender="NWAS", name="support") == "queries_open"


def test_a_return_that_became_due_after_its_file_came_is_still_owed(story: Story) -> None:
    story.send("NWAS", returns=("adopter",))
    assert story.state(sender="NWAS", name="support") == "expected"


# --- queries and tolerances ----------------------------------------------------------------


def test_a_query_is_fixed_by_a_new_file(story: Story) -> None:
    story.send(queries={"child": {"CH400": 3, "CH401": 1}})
    assert story.status().queries_open == 2
    story.send(queries={"child": {"CH401": 1}})
    assert (story.status().queries_open, story.status().queries_fixed) == (1, 1)
    story.send()
    assert (story.state(), story.status().queries_fixed) == ("queries_answered", 2)


def test_a_tolerance_is_carried_to_later_quarters_and_ends_with_the_last(story: Story) -> None:
    story.send(queries=ASKED)
    story.tell(story.tolerate(limit=3, until=Q2))
    story.send(queries=ASKED, quarter=Q2)
    assert story.state(quarter=Q2) == "queries_answered"
    later = Quarter(2025, 3)
    story.send(queries=ASKED, quarter=later)
    assert story.state(quarter=later) == "queries_open"
    (query,) = story.ledger_state.queries(story.ledger_state.submissions[story.last])
    assert query.why_open == "expired"


def test_a_tolerance_does_not_reach_back(story: Story) -> None:
    story.send(queries=ASKED, quarter=Q1)
    story.send(queries=ASKED, quarter=Q2)
    story.tell(story.tolerate(quarter=Q2, until=Q2))
    assert story.state(quarter=Q1) == "queries_open"
    assert story.state(quarter=Q2) == "queries_answered"


def test_more_rows_than_the_limit_ask_again(story: Story) -> None:
    story.send(queries=ASKED)
    story.tell(story.tolerate(limit=3, until=Q2))
    story.send(queries={"child": {"CH400": 4}}, quarter=Q2)
    (query,) = story.ledger_state.queries(story.ledger_state.submissions[story.last])
    assert (query.is_open, query.why_open) == (True, "over_the_limit")
    story.tell(story.tolerate(limit=4, quarter=Q2, until=Q2))
    assert story.state(quarter=Q2) == "queries_answered"
    assert story.state(quarter=Q1) == "queries_answered"  # the first answer holds for its quarter


def test_a_tolerance_is_of_one_rule_one_return_and_one_sender(story: Story) -> None:
    story.send(queries={"child": {"CH400": 3, "CH401": 1}})
    story.send(GWYNEDD, queries=ASKED)
    story.tell(story.tolerate())
    assert (story.status().queries_open, story.status().queries_tolerated) == (1, 1)
    assert story.state(sender=GWYNEDD) == "queries_open"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"limit": 2}, "3 rows have the query CH400 and the limit given is 2"),
        ({"code": "CH101"}, "CH101 is an error, not a query: errors cannot be tolerated"),
        ({"code": "CH999"}, "no query CH999 on the child return"),
        ({"return_name": "adopter"}, "on the adopter return of"),
        ({"until": "2024-25-Q4"}, "would end with 2024-25-Q4"),
        ({"quarter": Q2.label}, "no accepted return for 2025-26-Q2"),
        ({"sender_code": GWYNEDD}, "W06000002 has no accepted return"),
    ],
)
def test_an_answer_to_what_was_not_asked_is_refused(
    story: Story, change: dict[str, object], told: str
) -> None:
    story.send(queries=ASKED, aside=2)
    assert told in story.refused(story.tolerate() | change)


def test_a_verdict_from_before_rules_were_kept_still_asks(story: Story) -> None:
    event = story.file()
    judged = story.judged(event["submission_id"], queries=ASKED)
    del judged["queries"]
    story.tell(event).tell(judged)
    assert story.state() == "queries_open"
    story.tell(story.tolerate(code=CODE_NOT_KEPT))
    assert story.state() == "queries_answered"


# --- sign-off ------------------------------------------------------------------------------


def test_a_sign_off_is_void_when_another_file_comes_and_holds_again_when_that_goes(
    story: Story,
) -> None:
    first = story.send()
    story.tell(story.sign_off(first)).tell(story.accept(first))
    second = story.send()
    status = story.status()
    assert (status.state, status.sign_off, status.is_accepted) == ("checked", "void_data", False)
    assert sign_off_words(status.sign_off, "en") == "void: the data changed"
    story.tell(story.withdraw(second))
    assert (story.state(), story.status().sign_off) == ("accepted", "valid")


@pytest.mark.parametrize("change", [{"rule_set_hash": "rules of 2026"}, {"made_with": "new code"}])
def test_a_sign_off_is_void_when_the_same_file_is_judged_by_other_rules_or_code(
    story: Story, change: dict[str, str]
) -> None:
    sent = story.send()
    story.tell(story.sign_off(sent)).tell(story.accept(sent))
    story.tell(story.judged(sent) | change)
    status = story.status()
    assert (status.state, status.sign_off, status.is_accepted) == ("checked", "void_rules", False)
    assert status.signed_off_by_role is None
    story.tell(story.sign_off(sent))
    assert story.state() == "signed_off"


def test_the_same_verdict_given_again_leaves_the_sign_off(story: Story) -> None:
    sent = story.send()
    story.tell(story.sign_off(sent)).tell(story.judged(sent))
    assert (story.state(), story.status().signed_off_by_role) == ("signed_off", "head_of_service")


def test_a_query_opened_again_voids_what_was_decided_on_its_answer(story: Story) -> None:
    sent = story.send(queries=ASKED)
    story.tell(story.tolerate()).tell(story.sign_off(sent)).tell(story.accept(sent))
    story.tell(story.reopen())
    assert (story.state(), story.status().sign_off) == ("queries_open", "void_query")
    story.tell(story.tolerate()).tell(story.sign_off(sent))
    assert story.state() == "signed_off"  # the national team looks at it again


def test_what_has_open_queries_cannot_be_signed_off(story: Story) -> None:
    sent = story.send(queries=ASKED)
    assert "open queries (CH400)" in story.refused(story.sign_off(sent))


def test_rows_set_aside_are_signed_off_by_their_number_or_not_at_all(story: Story) -> None:
    sent = story.send(aside=2)
    for rows in (0, 1, 3):
        told = story.refused(story.sign_off(sent, rows))
        assert "2 rows set aside" in told and "--without-rows 2" in told
    story.tell(story.sign_off(sent, 2))
    assert (story.state(), story.status().rows_set_aside) == ("signed_off", 2)


def test_a_sign_off_of_something_else_is_refused(story: Story) -> None:
    first, second = story.send(), story.send()
    assert f"{second} stands" in story.refused(story.sign_off(first))
    assert "was never received" in story.refused(story.sign_off("S999999"))
    stale = story.sign_off(second) | {"seal": "of an earlier look"}
    assert "look at it again" in story.refused(stale)
    refused = story.send(status="refused")
    assert "was not accepted" in story.refused(story.sign_off(refused))


def test_nobody_accepts_what_its_sender_has_not_signed_off(story: Story) -> None:
    sent = story.send()
    assert "Its sender has to sign it off first" in story.refused(story.accept(sent))


# --- lock and revision ---------------------------------------------------------------------


def published(story: Story) -> str:
    sent = story.send()
    story.tell(story.lock()).tell(story.publish())
    return sent


def test_what_comes_after_the_lock_is_held_and_what_was_published_stays_in_force(
    story: Story,
) -> None:
    first = published(story)
    second = story.send()
    assert story.in_force(ANGLESEY) == first
    assert story.ledger_state.delivery(second).state == "held"
    status = story.status()
    assert (status.submission_id, status.in_force_submission_id) == (second, first)
    third = story.send()
    assert story.ledger_state.delivery(second).state == "superseded"
    assert story.ledger_state.delivery(third).state == "held"
    assert story.in_force(ANGLESEY) == first


def test_a_file_received_before_the_lock_and_judged_after_it_is_held_too(story: Story) -> None:
    """The program does not lock while a file waits; should it ever happen, nothing changes."""
    first = story.send()
    waiting = story.file()
    story.tell(waiting)
    story.ledger_state.apply(story.lock())
    story.tell(story.judged(waiting["submission_id"]))
    assert story.ledger_state.delivery(waiting["submission_id"]).state == "held"
    assert story.in_force(ANGLESEY) == first


def test_a_quarter_is_not_locked_while_a_file_is_not_validated_yet(story: Story) -> None:
    story.tell(story.file())
    assert "not validated yet: 1." in story.refused(story.lock())
    story.tell(story.lock(nation=ENGLAND))  # nobody waits there


def test_a_lock_closes_one_nations_quarter_and_no_other(story: Story) -> None:
    published(story)
    story.send(quarter=Q2)
    story.send("E10000023")
    assert story.state(quarter=Q2) == "checked"
    assert story.ledger_state.delivery(story.last).state == "in_force"


def test_a_return_that_was_missing_at_the_lock_is_held_when_it_comes(story: Story) -> None:
    published(story)
    assert story.state(sender=GWYNEDD) == "expected"
    sent = story.send(GWYNEDD)
    assert story.state(sender=GWYNEDD) == "held"
    assert story.in_force(GWYNEDD) is None
    story.tell(story.revise()).tell(story.publish(2))
    assert story.state(sender=GWYNEDD) == "revised"
    assert story.in_force(GWYNEDD) == sent
    assert story.state() == "published"  # what did not change was not revised


def test_a_revision_can_release_one_file_and_leave_another_held(story: Story) -> None:
    published(story)
    mine, theirs = story.send(), story.send(GWYNEDD)
    story.tell(story.revise(Q1, WALES, theirs))
    assert story.ledger_state.delivery(mine).state == "held"
    assert story.ledger_state.delivery(theirs).state == "in_force"
    assert story.ledger_state.delivery(theirs).released_in_revision == 2
    told = story.refused(story.revise() | {"released": [theirs]})
    assert "has not been published yet" in told
    story.tell(story.publish(2))
    again = story.revise() | {"released": [theirs]}
    assert f"{theirs} is not held" in story.refused(again)


def test_a_withdrawal_after_the_lock_waits_for_the_revision(story: Story) -> None:
    earlier = story.send()
    sent = published(story)
    story.tell(story.withdraw(sent))
    assert (story.state(), story.ledger_state.delivery(sent).state) == ("held", "in_force")
    assert "waits for the next revision" in story.refused(story.withdraw(sent))
    story.tell(story.revise())
    assert story.ledger_state.delivery(sent).state == "withdrawn"
    assert story.in_force(ANGLESEY) == earlier
    story.tell(story.publish(2))
    assert story.state() == "revised"


def test_a_held_file_can_be_withdrawn_at_once(story: Story) -> None:
    published(story)
    second = story.send()
    story.tell(story.withdraw(second))
    assert (story.state(), story.ledger_state.delivery(second).state) == ("published", "withdrawn")


def test_an_unpublished_lock_can_be_undone_and_then_everything_counts(story: Story) -> None:
    first = story.send()
    story.tell(story.lock())
    story.tell(story.withdraw(first))
    second = story.send()
    assert "publish it first, or unlock it" in story.refused(story.revise())
    story.tell(story.unlock())
    assert story.ledger_state.delivery(first).state == "withdrawn"
    assert (story.ledger_state.delivery(second).state, story.state()) == ("in_force", "checked")
    assert "is not locked" in story.refused(story.unlock())


def test_what_was_released_is_revised_though_its_internal_files_were_not_published(
    story: Story,
) -> None:
    """Locked, released: it cannot be unlocked any more, so it can be revised; once, until that is
    released too."""
    first = story.send()
    story.tell(story.lock())
    lock = next(iter(story.ledger_state.locks.values()))
    story.tell(
        {
            "event": "released",
            "nation_code": lock.nation_code,
            "quarter": lock.quarter,
            "version": 1,
            "revision": 1,
            "reason": None,
            "at": START.isoformat(),
        }
    )
    assert "revise it instead" in story.refused(story.unlock())
    story.tell(story.withdraw(first))
    story.tell(story.revise())
    assert "publish or release it first" in story.refused(story.revise())


def test_what_is_published_is_revised_and_never_unlocked(story: Story) -> None:
    published(story)
    assert "published as version 1" in story.refused(story.unlock())
    assert "already locked for W92000004" in story.refused(story.lock())


def test_revisions_are_numbered_and_keep_their_reasons(story: Story) -> None:
    published(story)
    for number in (2, 3):
        story.send()
        story.tell(story.revise()).tell(story.publish(number))
    lock = story.ledger_state.locks[WALES, Q1.label]
    assert [one.number for one in lock.revisions] == [2, 3]
    assert {one.reason for one in lock.revisions} == {"A late return changes the totals."}
    assert [(one.revision, one.version) for one in lock.publications] == [(1, 1), (2, 2), (3, 3)]
    assert story.status().revision == 3


def test_a_publication_of_a_revision_that_is_not_is_refused(story: Story) -> None:
    published(story)
    event = story.publish(2) | {"revisions": {WALES: 2}}
    assert "has no revision 2" in story.refused(event)


def test_what_is_locked_is_not_validated_again_but_what_is_held_may_be(story: Story) -> None:
    first = published(story)
    assert "not validated again" in story.refused(story.judged(first))
    second = story.send()
    story.tell(story.judged(second, "refused"))
    assert (story.state(), story.ledger_state.delivery(second).state) == ("published", "rejected")
    assert story.ledger_state.locks[WALES, Q1.label].held == []


# --- as it was known -----------------------------------------------------------------------


def test_the_past_is_told_as_it_was_known_then(story: Story, declarations: Declarations) -> None:
    first = published(story)
    locked_at = datetime.fromisoformat(story.events[-1]["at"])
    second = story.file(received_at=(locked_at + timedelta(days=1)).isoformat())
    story.tell(second).tell(story.judged(second["submission_id"]))
    story.decided += 48  # two days on
    story.tell(story.revise()).tell(story.publish(2))

    def in_force_at(moment: datetime) -> str | None:
        book = fold(known_at(story.events, moment), declarations, IN_TIME, []).ledger_state
        found = book.in_force(ANGLESEY, Q1.label)
        return found.submission_id if found else None

    assert in_force_at(START) is None
    assert in_force_at(locked_at - timedelta(hours=12)) == first
    assert in_force_at(locked_at + timedelta(days=1, hours=1)) == first  # come, and held
    assert in_force_at(locked_at + timedelta(days=9)) == second["submission_id"]


def test_a_verdict_or_a_decision_about_what_had_not_come_yet_is_not_seen(story: Story) -> None:
    sent = story.send()
    story.tell(story.sign_off(sent))
    assert known_at(story.events, START) == []
    assert [e["event"] for e in known_at(story.events, START + timedelta(days=2))] == [
        *("received", "judged")
    ]


def test_a_fold_of_a_ledger_with_lines_it_does_not_know_or_cannot_follow_still_answers(
    story: Story, declarations: Declarations
) -> None:
    story.send()
    strange: list[Event] = [
        {"event": "weather", "sky": "blue"},
        {"event": "reported", "run_id": "r"},
        story.sign_off("S999999"),
        story.unlock(Q2),
        story.revise(Q2),
        story.judged("S999999"),
    ]
    assert "no event of this kind" in (refusal(story.ledger_state, strange[0]) or "")
    life = fold([*strange, *story.events, *strange], declarations, IN_TIME)
    mine = [one for one in life.returns if one.sender_code == ANGLESEY]
    assert [one.state for one in mine] == ["checked"]


def test_the_ledger_and_the_book_number_versions_alike(story: Story, tmp_path) -> None:
    story.send()
    story.send(status="refused")
    story.tell(story.file(event="duplicate", duplicate_of="S000001"))
    story.send(GWYNEDD)
    story.send()
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(*story.events)
    assert {item.submission_id: item.version for item in ledger.submissions()} == {
        name: item.version for name, item in story.ledger_state.submissions.items()
    }


def test_every_due_return_has_a_row_and_a_missing_one_is_no_absence() -> None:
    declarations = Declarations(SOURCES)
    life = fold([], declarations, date(2025, 8, 10), [Q1])
    assert {one.state for one in life.returns} == {"overdue"}
    due = [(s, name) for s in declarations.senders for name in declarations.due_from(s, Q1)]
    assert [(one.sender_code, one.return_name) for one in life.returns] == due


# --- held for confirmation ---------------------------------------------------------------


def test_what_was_in_force_stays_so_until_the_newer_file_is_confirmed(story: Story) -> None:
    first = story.send()
    second = story.send(**HELD)
    assert story.in_force(ANGLESEY) == first
    assert story.ledger_state.delivery(second).state == "to_confirm"
    story.tell(story.confirm(second))
    assert story.in_force(ANGLESEY) == second
    assert story.ledger_state.delivery(first).state == "superseded"
    assert "is not held for confirmation" in story.refused(story.confirm(second))


def test_a_file_that_was_replaced_cannot_be_confirmed(story: Story) -> None:
    held = story.send(**HELD)
    story.send()
    assert "there is nothing to confirm" in story.refused(story.confirm(held))
    assert story.ledger_state.delivery(held).state == "superseded"


def test_what_was_confirmed_is_not_asked_again_for_the_same_reason(story: Story) -> None:
    held = story.send(**HELD)
    story.tell(story.confirm(held))
    story.tell(story.judged(held, **HELD))
    assert story.in_force(ANGLESEY) == held
    another = [*HELD["held_for"], {"code": "F221", "sentence_en": "S.", "sentence_cy": "C."}]
    story.tell(story.judged(held, status=HELD["status"], held_for=another))
    assert story.in_force(ANGLESEY) is None and story.state() == "to_confirm"


def test_a_file_confirmed_after_the_lock_waits_for_a_revision(story: Story) -> None:
    first = story.send()
    held = story.send(**HELD)
    story.tell(story.lock()).tell(story.publish()).tell(story.confirm(held))
    assert story.in_force(ANGLESEY) == first and story.state() == "held"
    story.tell(story.revise())
    assert story.in_force(ANGLESEY) == held
