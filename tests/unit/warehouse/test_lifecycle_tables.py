"""What the warehouse is told of locks, withdrawals and states, now and as of an earlier day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from pipelines.warehouse.tables import write_tables
from tests.unit.lifecycle_story import ANGLESEY, GWYNEDD, Q1, Q2, START, Story


@pytest.fixture
def story(declarations: Declarations) -> Story:
    return Story(declarations)


def written(
    settings: Settings, story: Story, name: str, as_of: datetime | None = None
) -> dict[Any, dict[str, Any]]:
    """A table's rows by their key."""
    ledger = Ledger(settings.ledger)
    ledger.append(*story.events[len(ledger.events()) :])
    write_tables(settings, story.declarations, as_of)
    rows = pl.read_parquet(settings.validated / f"{name}.parquet").to_dicts()
    if name == "submissions":
        return {row["submission_id"]: row for row in rows}
    return {(row["sender_code"], row["return_name"], row["quarter"]): row for row in rows}


def test_every_delivery_is_written_with_what_became_of_it(settings: Settings, story: Story) -> None:
    earlier, slip = story.send(), story.send()
    story.tell(story.withdraw(slip))
    withdrawn_at = datetime.fromisoformat(story.events[-1]["at"]).replace(tzinfo=None)
    refused = story.send(GWYNEDD, status="refused")
    story.tell(story.lock()).tell(story.publish())
    late = story.send()
    rows = written(settings, story, "submissions")
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {
        earlier: "in_force",
        slip: "withdrawn",
        refused: "rejected",
        late: "held",
    }
    assert [name for name, row in rows.items() if row["is_held"]] == [late]
    assert [name for name, row in rows.items() if row["is_withdrawn"]] == [slip]
    assert rows[slip]["withdrawn_at"] == withdrawn_at
    story.tell(story.revise())
    assert written(settings, story, "submissions")[late]["released_in_revision"] == 2


def test_the_past_has_the_locks_and_withdrawals_of_its_time(
    settings: Settings, story: Story
) -> None:
    first = story.send()
    story.tell(story.lock()).tell(story.publish())
    locked_at = datetime.fromisoformat(story.events[-2]["at"])
    late = story.file(received_at=(locked_at + timedelta(days=1)).isoformat())
    story.tell(late).tell(story.judged(late["submission_id"]))
    story.decided += 72
    story.tell(story.revise()).tell(story.withdraw(first))
    second = late["submission_id"]

    def known(moment: datetime) -> dict[str, tuple[Any, Any]]:
        rows = written(settings, story, "submissions", moment)
        return {name: (row["state"], row["is_held"]) for name, row in rows.items()}

    assert known(START) == {first: (None, None), second: (None, None)}
    assert known(locked_at - timedelta(days=9)) == {
        first: ("in_force", False),
        second: (None, None),
    }
    assert known(locked_at + timedelta(days=2)) == {
        first: ("in_force", False),
        second: ("held", True),
    }
    assert known(locked_at + timedelta(days=9)) == {
        first: ("superseded", False),  # by the revision; its withdrawal waits for the next one
        second: ("in_force", False),
    }


def test_returns_owed_are_written_with_their_days_and_who_acts(
    settings: Settings, story: Story
) -> None:
    story.send(queries={"child": {"CH400": 3, "CH401": 1}})
    story.tell(story.tolerate())
    day = datetime(2025, 10, 2, 12, 0)
    rows = written(settings, story, "submission_return_status", day)
    mine = rows[ANGLESEY, "child", Q1.label]
    assert (mine["state"], mine["state_word_cy"], mine["acts"]) == (
        *("queries_open", "ymholiadau"),
        "sender",
    )
    assert (mine["queries_open"], mine["queries_tolerated"]) == (1, 1)
    assert (mine["as_of_day"], mine["days_to_deadline"]) == (date(2025, 10, 2), -64)
    assert rows[GWYNEDD, "child", Q1.label]["state"] == "overdue"
    assert rows[GWYNEDD, "child", Q2.label]["state"] == "expected"
    assert {quarter for _, _, quarter in rows} == {Q1.label, Q2.label}


def test_a_collection_that_nobody_has_used_owes_nothing(settings: Settings, story: Story) -> None:
    assert written(settings, story, "submission_return_status") == {}
