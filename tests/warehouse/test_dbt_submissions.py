"""What a resubmission, a refusal, a nil and a missing return do to the figures."""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any

import pytest

from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import LedgerState, known_at
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.states import fold, return_status
from pipelines.warehouse.tables import write_tables
from tests.unit.lifecycle_story import ANGLESEY, GWYNEDD, Q1, Q2, WALES, Story
from tests.warehouse.conftest import InventedReturns

FIRST, SECOND = "2020-21-Q1", "2020-21-Q2"


def _matched(warehouse, place: str, quarter: str, window: str = "quarter") -> dict[str, Any]:
    (figure,) = warehouse.query(
        """
        select * from marts.fct_indicator
        where indicator_id = 'W05' and place_code = ? and quarter = ? and window_name = ?
            and membership_basis = 'at_the_time'
        """,
        place,
        quarter,
        window,
    )
    return figure


def test_a_correction_replaces_and_a_refused_file_does_not(warehouse) -> None:
    figure = _matched(warehouse, "CORRECTS", FIRST)
    assert figure["numerator"] == 2  # the second file, without the row set aside


def test_a_nil_return_is_a_nought_and_a_missing_one_is_not(warehouse) -> None:
    nil = _matched(warehouse, "REPORTS_NONE", FIRST)
    assert (nil["numerator"], nil["value"], nil["is_complete"]) == (0, 0, True)
    missing = _matched(warehouse, "SILENT", FIRST)
    assert (missing["numerator"], missing["value"], missing["is_complete"]) == (None, None, False)


def test_a_region_without_all_its_returns_is_visibly_incomplete(warehouse) -> None:
    first = _matched(warehouse, "TROUBLED", FIRST)
    assert (first["numerator"], first["returns_accepted"], first["returns_expected"]) == (2, 2, 3)
    assert not first["is_complete"]
    second = _matched(warehouse, "TROUBLED", SECOND)
    assert (second["numerator"], second["is_complete"]) == (1, True)


def test_a_missing_return_marks_every_window_it_lies_in(warehouse) -> None:
    year = _matched(warehouse, "TROUBLED", SECOND, "year_to_date")
    assert (year["numerator"], year["returns_accepted"], year["returns_expected"]) == (3, 5, 6)
    assert (year["quarters_covered"], year["quarters_in_window"]) == (2, 2)
    assert not year["is_complete"]


def test_no_figure_is_given_where_the_return_is_not_due(warehouse) -> None:
    places = warehouse.query(
        """
        select distinct place_code from marts.fct_indicator
        where indicator_id = 'W17' and place_code in ('TROUBLED', 'CORRECTS', 'EXAMPLE_W17')
        """
    )
    assert places == [{"place_code": "EXAMPLE_W17"}]


def test_every_return_due_has_a_status(warehouse) -> None:
    rows = warehouse.query(
        """
        select sender_code, quarter, status, refused_deliveries, rows_accepted
        from marts.fct_return
        where sender_code in ('CORRECTS', 'REPORTS_NONE', 'SILENT')
        """
    )
    statuses = {(row["sender_code"], row["quarter"]): row["status"] for row in rows}
    assert statuses == {
        ("CORRECTS", FIRST): "accepted",
        ("CORRECTS", SECOND): "accepted",
        ("REPORTS_NONE", FIRST): "nil",
        ("REPORTS_NONE", SECOND): "nil",
        ("SILENT", FIRST): "missing",
        ("SILENT", SECOND): "accepted",
    }
    (corrected,) = (r for r in rows if (r["sender_code"], r["quarter"]) == ("CORRECTS", FIRST))
    assert corrected["refused_deliveries"] == 1


def test_a_figure_leads_back_to_its_children(warehouse) -> None:
    behind = warehouse.query(
        """
        select count(*) as children, sum(amount) as amount
        from marts.fct_child_measure
        where sender_code = 'CORRECTS' and quarter = ? and measure = 'children_matched'
        """,
        FIRST,
        database="restricted",
    )
    assert behind == [{"children": 2, "amount": 2}]


def test_the_published_database_holds_no_case_level_rows_and_one_view(warehouse) -> None:
    relations = warehouse.query(
        "select table_schema, table_name, table_type from information_schema.tables"
    )
    assert {relation["table_schema"] for relation in relations} == {"marts"}
    views = [r["table_name"] for r in relations if r["table_type"] != "BASE TABLE"]
    assert views == ["rpt_indicator_breakdown"]  # it names no database: see decision 2
    columns = warehouse.query("select column_name from information_schema.columns")
    assert not [c for c in columns if c["column_name"].endswith("_pseudonym")]


# --- locks, withdrawals and releases: the ledger folded in Python, the choice made in SQL -------

ABOUT_SUBMISSIONS = ("+fct_submission", "+fct_return", "+fct_return_status")


def _a_long_story(declarations) -> Story:
    """Files, verdicts, locks, withdrawals and revisions of two senders, as chance will have it."""
    story, pick = Story(declarations), random.Random(20250731)
    while len(story.events) < 160:
        quarter, about = (
            pick.choice((Q1, Q2)),
            pick.choice([*story.ledger_state.submissions, "S000001"]),
        )
        sender = pick.choice((ANGLESEY, GWYNEDD))
        event = pick.choice(
            (
                lambda: story.file(sender, quarter),  # noqa: B023 - called at once
                lambda: story.judged(about, pick.choice(("accepted", "refused"))),  # noqa: B023
                lambda: story.withdraw(about),  # noqa: B023
                lambda: story.lock(quarter),  # noqa: B023
                lambda: story.revise(quarter),  # noqa: B023
                lambda: story.publish(len(story.events), quarter),  # noqa: B023
            )
        )()
        if refusal(story.ledger_state, event) is None:
            story.tell(event)
    return story


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[InventedReturns, Story]:
    invented = InventedReturns(tmp_path_factory.mktemp("told"))
    story = _a_long_story(invented.declarations)
    Ledger(invented.settings.ledger).append(*story.events)
    return invented, story


def _built(invented: InventedReturns, as_of: datetime | None) -> list[dict[str, Any]]:
    invented.settings.build.mkdir(parents=True, exist_ok=True)
    for path in invented.settings.build.glob("*.duckdb*"):
        path.unlink()
    write_tables(invented.settings, invented.declarations, as_of)
    invented.dbt("run", "--select", *ABOUT_SUBMISSIONS)
    return invented.query("select * from marts.fct_submission")


def _in_force(state: LedgerState) -> set[str]:
    found = [state.in_force(s, q.label) for s in (ANGLESEY, GWYNEDD) for q in (Q1, Q2)]
    return {item.submission_id for item in found if item}


def test_the_warehouse_and_the_ledger_agree_on_what_is_in_force_now_and_at_any_time(told) -> None:
    invented, story = told
    assert {one for one, _ in story.ledger_state.locks} == {
        WALES
    }  # or the story would prove little
    assert any(lock.revisions for lock in story.ledger_state.locks.values())
    moments = sorted(datetime.fromisoformat(e["at"]) for e in story.events if "at" in e)
    different = set()
    for as_of in (None, moments[len(moments) // 2]):
        state = fold(
            known_at(story.events, as_of) if as_of else story.events,
            *(invented.declarations, date(2025, 9, 1), []),
        ).ledger_state
        rows = _built(invented, as_of)
        assert {row["submission_id"] for row in rows} == set(state.submissions)
        assert {row["submission_id"] for row in rows if row["is_in_force"]} == _in_force(state)
        for row in rows:
            assert row["state"] == state.delivery(row["submission_id"]).state
            assert row["is_in_force"] == (row["state"] == "in_force")
        states = {row["state"] for row in rows}
        assert {"in_force", "rejected", "superseded"} <= states
        different.add(frozenset(_in_force(state)))
    assert len(different) == 2


def test_where_a_return_stands_is_a_table_with_the_days_of_its_build(told) -> None:
    invented, story = told
    # The ledger is cut at one place, before the first line that is later: by its last decision.
    moment = max(datetime.fromisoformat(event["at"]) for event in story.events if "at" in event)
    _built(invented, moment)
    rows = {
        (row["sender_code"], row["quarter"]): row
        for row in invented.query(
            "select * from marts.fct_return_status where return_name = 'child'"
        )
    }
    today = local_day(moment)
    state = fold(known_at(story.events, moment), invented.declarations, today, []).ledger_state
    status = return_status(state, ANGLESEY, "child", Q1, today)
    mine = rows[ANGLESEY, Q1.label]
    assert (mine["state"], mine["acts"], mine["version"]) == (
        *(status.state, status.acts),
        status.version,
    )
    days = (mine["deadline"] - today).days
    assert (mine["as_of_day"], mine["days_to_deadline"]) == (today, days)
    assert days == status.days_to_deadline < 0
    assert rows["W06000003", Q1.label]["state"] == "overdue"  # missing returns are rows
    assert (ANGLESEY, Q2.label) not in rows  # that quarter is not over yet
