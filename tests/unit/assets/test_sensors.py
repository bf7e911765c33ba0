"""What starts a run: files in the inbox, verdicts, the morning."""

from __future__ import annotations

import json
import os
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from tests.unit.assets.conftest import SECRET, Inbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets import sensors
    from pipelines.assets.landing import deliveries
    from pipelines.assets.partitions import QUARTERS
    from pipelines.assets.raw import raw_returns
    from pipelines.assets.run_locks import RUN_LOCKS
    from pipelines.assets.validated import validated_returns, verdicts
    from pipelines.intake import inbox as inbox_module


def range_of(request: dg.RunRequest) -> tuple[str, str]:
    return (
        request.tags["dagster/asset_partition_range_start"],
        request.tags["dagster/asset_partition_range_end"],
    )


# --- the inbox ------------------------------------------------------------------------------


def test_an_empty_inbox_starts_nothing(inbox: Inbox) -> None:
    answer = inbox.look()
    assert isinstance(answer, dg.SkipReason)
    assert answer.skip_message == "the inbox is empty"
    assert not inbox.settings.ledger.exists()


def test_a_file_is_taken_at_the_second_look_and_not_at_the_first(inbox: Inbox) -> None:
    path = inbox.drop("a.zip")
    first = inbox.look()
    assert isinstance(first, dg.SkipReason)
    assert first.skip_message == "1 files are still arriving"
    assert path.exists() and inbox.submissions() == []
    second = inbox.look()
    assert isinstance(second, dg.RunRequest)
    assert range_of(second) == ("2020-21-Q2", "2020-21-Q2")
    assert not path.exists()
    assert [item.status for item in inbox.submissions()] == ["received"]


def test_a_growing_file_waits_until_it_has_stopped_and_is_then_taken_once(inbox: Inbox) -> None:
    path = inbox.drop("a.zip")
    whole = path.read_bytes()
    for length in (10, 100, len(whole) // 2, len(whole)):
        path.write_bytes(whole[:length])
        answer = inbox.look()
        assert isinstance(answer, dg.SkipReason), length
    assert isinstance(inbox.look(), dg.RunRequest)
    assert [item.status for item in inbox.submissions()] == ["received"]


def test_a_file_written_again_in_the_same_size_waits_too(inbox: Inbox) -> None:
    path = inbox.drop("a.zip")
    inbox.look()
    moment = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(moment, moment))
    assert isinstance(inbox.look(), dg.SkipReason)
    assert isinstance(inbox.look(), dg.RunRequest)


def test_settled_files_are_one_run_from_the_first_quarter_to_the_last(inbox: Inbox) -> None:
    inbox.drop("a.zip", Quarter(2020, 2))
    inbox.drop("b.zip", Quarter(2019, 4))
    inbox.drop("c.zip", Quarter(2020, 1))
    inbox.look()
    answer = inbox.look()
    assert isinstance(answer, dg.RunRequest)
    assert range_of(answer) == ("2019-20-Q4", "2020-21-Q2")
    assert answer.run_key == "deliveries-1-3 2019-20-Q4"
    assert len(inbox.submissions()) == 3


def test_quarters_apart_are_runs_apart_so_that_none_between_is_touched(inbox: Inbox) -> None:
    inbox.drop("a.zip", Quarter(2020, 2))
    inbox.drop("b.zip", Quarter(2018, 4))
    inbox.look()
    answers = inbox.look()
    assert [range_of(answer) for answer in answers] == [
        ("2018-19-Q4", "2018-19-Q4"),
        ("2020-21-Q2", "2020-21-Q2"),
    ]
    assert len({answer.run_key for answer in answers}) == 2


def test_a_file_that_is_still_arriving_does_not_hold_the_others_up(inbox: Inbox) -> None:
    inbox.drop("a.zip")
    inbox.look()
    late = inbox.drop("b.zip", version=2)
    assert isinstance(inbox.look(), dg.RunRequest)
    assert [item.name for item in inbox.submissions()] == ["a.zip"]
    assert late.exists()


def test_a_busy_ledger_is_left_alone_and_the_file_is_taken_at_the_next_look(inbox: Inbox) -> None:
    path = inbox.drop("a.zip")
    inbox.look()
    with Ledger(inbox.settings.ledger).held():
        answer = inbox.look()
    assert isinstance(answer, dg.SkipReason)
    assert "another process is taking returns in" in (answer.skip_message or "")
    assert path.exists() and inbox.submissions() == []
    assert isinstance(inbox.look(), dg.RunRequest)


def test_a_tick_that_was_killed_before_its_run_is_repeated_by_the_next(inbox: Inbox) -> None:
    """The delivery is in the ledger and the inbox is empty; nobody else would start the run."""
    inbox.drop("a.zip")
    inbox.look()
    lost = inbox.look()
    assert isinstance(lost, dg.RunRequest)
    again = inbox.look()
    assert isinstance(again, dg.RunRequest)
    assert (again.run_key, again.tags) == (lost.run_key, lost.tags)  # so Dagster runs it once


def test_when_every_delivery_has_its_verdict_nothing_is_started(inbox: Inbox) -> None:
    inbox.drop("a.zip")
    inbox.look()
    inbox.look()
    (one,) = inbox.submissions()
    Ledger(inbox.settings.ledger).append(
        {"event": "judged", "submission_id": one.submission_id, "status": "accepted"}
    )
    assert isinstance(inbox.look(), dg.SkipReason)


def test_files_refused_on_arrival_start_a_run_that_reports_them(inbox: Inbox) -> None:
    inbox.settings.inbox.mkdir(parents=True)
    (inbox.settings.inbox / "a.xlsx").write_bytes(b"no workbook")
    inbox.look()
    answer = inbox.look()
    assert isinstance(answer, dg.RunRequest)
    assert answer.run_key == "deliveries-1-1"
    assert dg.AssetKey(["validated", "verdicts"]) in (answer.asset_selection or ())
    assert "dagster/asset_partition_range_start" not in answer.tags
    assert isinstance(inbox.look(), dg.SkipReason)


def test_a_return_for_an_impossible_year_does_not_stop_the_others(inbox: Inbox) -> None:
    inbox.drop("a.zip")
    inbox.drop("b.zip", Quarter(2099, 1), sender_code="W06000002")
    inbox.look()
    answer = inbox.look()
    assert isinstance(answer, dg.RunRequest)
    for label in range_of(answer):
        assert label in QUARTERS.get_partition_keys()


def test_the_cursor_holds_no_file_name(inbox: Inbox) -> None:
    inbox.drop(f"{SECRET}.zip")
    inbox.look()
    assert inbox.cursor and json.loads(inbox.cursor)
    assert "SECRET" not in inbox.cursor
    answer = inbox.look()
    assert isinstance(answer, dg.RunRequest)
    assert "SECRET" not in repr(answer)


def test_a_file_that_vanishes_between_two_looks_is_no_error(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = inbox.settings.inbox / f"{SECRET}.zip"
    monkeypatch.setattr(inbox_module, "waiting_files", lambda settings: [gone])
    answer = inbox.look()
    assert isinstance(answer, dg.SkipReason)


# --- verdicts start a build --------------------------------------------------------------------


def test_each_new_set_of_verdicts_asks_for_one_build(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    keys = []
    cursor = None
    for number in (1, 2):
        _validate_one(inbox, number)
        instance.report_runless_asset_event(dg.AssetMaterialization(["validated", "verdicts"]))
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=_verdicts_only()
        ) as context:
            requests = list(sensors.verdicts_sensor.evaluate_tick(context).run_requests or [])
        keys += [request.run_key for request in requests]
        cursor = sensors.verdicts_sensor.evaluate_tick(context).cursor or cursor
    assert len(keys) == 2 and len(set(keys)) == 2


def test_verdicts_that_a_build_holds_already_ask_for_none(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    _validate_one(inbox, 1)
    instance.report_runless_asset_event(dg.AssetMaterialization(["validated", "verdicts"]))
    for published, expected in (
        (1, 0),
        (0, 1),
    ):  # the second build began before the verdict was given
        instance.report_runless_asset_event(
            dg.AssetMaterialization(["marts", "warehouse"], metadata={"Validated files": published})
        )
        with dg.build_sensor_context(instance=instance, definitions=_verdicts_only()) as context:
            requests = sensors.verdicts_sensor.evaluate_tick(context).run_requests or []
        assert len(requests) == expected


def _validate_one(inbox: Inbox, number: int) -> None:
    submission_id = f"S{number:06d}-x"
    Ledger(inbox.settings.ledger).append(
        {
            "event": "received",
            "submission_id": submission_id,
            "delivery_number": number,
            "sha256": str(number),
            "extension": ".xlsx",
            "name": "return.xlsx",
            "received_at": "2020-10-09T10:00:00+00:00",
        },
        {"event": "judged", "submission_id": submission_id, "status": "refused"},
    )


def _verdicts_only() -> dg.Definitions:
    return dg.Definitions(
        assets=[deliveries, raw_returns, validated_returns, verdicts], resources=RUN_LOCKS
    )


# --- every morning ----------------------------------------------------------------------------


def test_every_morning_asks_for_a_refresh_only_while_somebody_has_to_act(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    def answer() -> Any:
        morning = datetime(2020, 12, 1, 7, tzinfo=UTC)
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=morning
        ) as context:
            return sensors.every_morning(context)

    inbox.settings.ledger.parent.mkdir(parents=True)
    assert isinstance(answer(), dg.SkipReason)
    inbox.drop("a.zip")
    inbox.look()
    inbox.look()
    request = answer()
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "every-morning-2020-12-01"
