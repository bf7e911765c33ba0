"""What starts a run, and what a run never says."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger, LedgerBusy
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.templates.workbook import write_csv_return

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg
    from pipelines.assets.progress import UnexpectedError, ledger_held, no_values_in_errors
    from pipelines.assets.quarters import STATEMENTS

    from pipelines.assets import progress, sensors
    from pipelines.assets.landing import deliveries
    from pipelines.assets.partitions import QUARTERS, quarters_of, range_tags
    from pipelines.assets.raw import raw_returns
    from pipelines.assets.validated import validated_returns, verdicts
    from pipelines.intake import landing, take_in

SECRET = "SECRET-CHILD-7"
Q2 = Quarter(2020, 2)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Sensors and assets make files private for the whole process."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Inbox:
    """The inbox of an installation, its senders, and the sensor that looks at it."""

    def __init__(
        self, settings: Settings, declarations: Declarations, instance: dg.DagsterInstance
    ) -> None:
        self.settings = settings
        self.declarations = declarations
        self.instance = instance
        self.cursor: str | None = None

    def drop(self, name: str, quarter: Quarter = Q2, **cover: Any) -> Path:
        path = self.settings.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = {
            "sender_code": "W06000001",
            "quarter": quarter.label,
            "version": 1,
            "signed_off_by_role": "Head of service",
            "signed_off_on": date(2020, 10, 9),
        } | cover
        row = {"child_reference": SECRET, "date_of_birth": date(2017, 3, 17)}
        write_csv_return(path, self.declarations, quarter, answers, {"child": [row]})
        return path

    def look(self) -> Any:
        """One tick of the sensor: what it asks for, or why it does not."""
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            answer = sensors.inbox_sensor(context)
            self.cursor = context.cursor
        return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer

    def submissions(self) -> list[Any]:
        return Ledger(self.settings.ledger).submissions()


@pytest.fixture
def inbox(settings: Settings, declarations: Declarations, instance: dg.DagsterInstance) -> Inbox:
    return Inbox(settings, declarations, instance)


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


def test_a_tick_that_was_killed_before_its_run_is_made_good_by_the_next(inbox: Inbox) -> None:
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


def test_files_refused_at_the_door_start_a_run_that_reports_them(inbox: Inbox) -> None:
    inbox.settings.inbox.mkdir(parents=True)
    (inbox.settings.inbox / "a.xlsx").write_bytes(b"no workbook")
    inbox.look()
    answer = inbox.look()
    assert isinstance(answer, dg.RunRequest)
    assert answer.run_key == "deliveries-1-1"
    assert dg.AssetKey(["validated", "verdicts"]) in (answer.asset_selection or ())
    assert "dagster/asset_partition_range_start" not in answer.tags
    assert isinstance(inbox.look(), dg.SkipReason)


def test_a_year_that_nobody_means_does_not_stop_the_returns_beside_it(inbox: Inbox) -> None:
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


def test_a_file_that_vanishes_between_two_glances_is_no_error(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = inbox.settings.inbox / f"{SECRET}.zip"
    monkeypatch.setattr(landing, "waiting_files", lambda settings: [gone])
    answer = inbox.look()
    assert isinstance(answer, dg.SkipReason)


# --- verdicts start a build --------------------------------------------------------------------


def test_each_new_set_of_verdicts_asks_for_one_build(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    keys = []
    cursor = None
    for number in (1, 2):
        _judge_one(inbox, number)
        instance.report_runless_asset_event(dg.AssetMaterialization(["validated", "verdicts"]))
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=_verdicts_only()
        ) as context:
            found = list(sensors.verdicts_sensor.evaluate_tick(context).run_requests or [])
        keys += [request.run_key for request in found]
        cursor = sensors.verdicts_sensor.evaluate_tick(context).cursor or cursor
    assert len(keys) == 2 and len(set(keys)) == 2


def test_verdicts_that_a_build_holds_already_ask_for_none(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    _judge_one(inbox, 1)
    instance.report_runless_asset_event(dg.AssetMaterialization(["validated", "verdicts"]))
    for held, expected in ((1, 0), (0, 1)):  # the second build began before the verdict was given
        instance.report_runless_asset_event(
            dg.AssetMaterialization(["marts", "warehouse"], metadata={"Verdicts in it": held})
        )
        with dg.build_sensor_context(instance=instance, definitions=_verdicts_only()) as context:
            found = sensors.verdicts_sensor.evaluate_tick(context).run_requests or []
        assert len(found) == expected


def _judge_one(inbox: Inbox, number: int) -> None:
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
    return dg.Definitions(assets=[deliveries, raw_returns, validated_returns, verdicts])


# --- partitions --------------------------------------------------------------------------------


def test_partitions_are_the_quarters_up_to_the_one_after_this() -> None:
    keys = QUARTERS.get_partition_keys()
    assert keys[0] == "2018-19-Q1"
    assert keys[-1] in {
        Quarter.containing(day).plus(1).label
        for day in (date.today(), date.today() - timedelta(days=1))
    }
    assert keys == sorted(set(keys))


def test_a_range_covers_a_stretch_of_quarters() -> None:
    tags = range_tags([Quarter(2019, 4), Quarter(2020, 1), Quarter(2020, 2)])
    assert sorted(tags.values()) == ["2019-20-Q4", "2020-21-Q2"]


# --- what a run never says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        KeyError(SECRET),
        pl.exceptions.InvalidOperationError(f"conversion failed for {SECRET}"),
        pl.exceptions.PanicException(f"index out of bounds: {SECRET}"),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_text_of_a_foreign_error_is_not_passed_on(error: BaseException) -> None:
    import traceback

    with pytest.raises(UnexpectedError) as caught, no_values_in_errors():
        try:
            raise KeyError(SECRET)  # an error that was being handled when the other came
        except KeyError:
            raise error from ValueError(SECRET)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told.replace(f'"{SECRET}"', "")
    assert type(error).__name__ in str(caught.value)


def test_the_place_of_a_foreign_error_is_told() -> None:
    told = r"ValueError in parse, line \d+;"
    with pytest.raises(UnexpectedError, match=told) as caught, no_values_in_errors():
        Quarter.parse(SECRET)  # whose own sentence repeats what it could not read
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [LedgerBusy("another process is taking returns in"), KeyboardInterrupt(), SystemExit(3)],
    ids=lambda error: type(error).__name__,
)
def test_our_own_sentences_and_a_stop_are_passed_on(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, no_values_in_errors():
        raise error
    assert caught.value is error


def test_a_step_waits_for_a_busy_ledger_and_tries_again(settings: Settings) -> None:
    ledger = Ledger(settings.ledger)
    with ledger.held(), pytest.raises(dg.RetryRequested) as caught, ledger_held(ledger):
        pass
    assert caught.value.max_retries > 1
    with ledger_held(ledger):
        pass


def test_a_step_that_holds_the_ledger_tells_no_text_and_lets_it_go(settings: Settings) -> None:
    ledger = Ledger(settings.ledger)
    with pytest.raises(UnexpectedError) as caught, ledger_held(ledger):
        raise ValueError(SECRET)
    assert SECRET not in str(caught.value)
    with ledger.held():
        pass


def everything_dagster_keeps(instance: dg.DagsterInstance) -> str:
    """All events of all runs, as stored, and the run records."""
    parts = []
    for record in instance.get_run_records():
        parts.append(repr(record.dagster_run))
        parts += [entry.to_json() for entry in instance.all_logs(record.dagster_run.run_id)]
    return "\n".join(parts)


def take_in_job() -> Any:
    assets = [deliveries, raw_returns, validated_returns, verdicts]
    job = dg.define_asset_job("take_in_returns", selection=dg.AssetSelection.assets(*assets))
    return dg.Definitions(
        assets=assets, jobs=[job], executor=dg.in_process_executor
    ).resolve_job_def("take_in_returns")


def run_once(inbox: Inbox) -> Any:
    """The job as the command line runs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return take_in_job().execute_in_process(
            instance=inbox.instance, tags=range_tags([Quarter(2020, 2)]), raise_on_error=False
        )


@pytest.mark.parametrize(("step", "function"), [("raw", "to_raw"), ("validated", "to_validated")])
def test_dagster_keeps_nothing_of_an_error_that_quotes_a_child(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, step: str, function: str
) -> None:
    inbox.drop(f"{SECRET}.zip")
    secrets = {"text": SECRET}

    def fail(*arguments: Any) -> None:
        raise ValueError(f"could not read {secrets['text']}")

    monkeypatch.setattr(take_in, function, fail)
    result = run_once(inbox)
    assert not result.success
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failures] == [f"{step}_returns"]
    kept = everything_dagster_keeps(inbox.instance)
    assert "UnexpectedError: ValueError in" in kept  # the failure is told, its text is not
    assert SECRET not in kept
    assert [item.status for item in inbox.submissions()] == ["received"]


def test_a_run_says_what_was_taken_in_and_red_means_that_a_return_was_refused(
    inbox: Inbox,
) -> None:
    inbox.drop(f"{SECRET}.zip")  # its only row lacks nearly everything
    result = run_once(inbox)
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failures] == ["validated__verdicts"]
    found = result.get_asset_check_evaluations()
    red = dg.AssetCheckSeverity.ERROR
    blocking = {event.check_name: event.passed for event in found if event.severity == red}
    assert blocking == {"every_rule_ran": True, "no_return_was_refused": False}
    # What the sender still owes is amber: it stands on the quarter's page.
    amber = {event.check_name: event.passed for event in found if event.severity != red}
    assert set(amber) == {*STATEMENTS, "the_warehouse_holds_every_verdict"}
    assert not amber["no_refusal_is_unanswered"]
    kept = everything_dagster_keeps(inbox.instance)
    assert "2020-21-Q2: read 1 children" in kept
    assert "0 returns accepted, 1 refused" in kept
    assert "W06000001" in kept
    assert SECRET not in kept
    (one,) = inbox.submissions()
    assert one.status == "refused"
    again = run_once(inbox)
    assert again.success  # nothing new was refused


def test_the_plain_log_shows_our_sentences_and_none_of_dagsters_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def speak(context) -> None:
        context.log.info("two returns accepted")

    @dg.job(logger_defs={"plain": progress.plain})
    def speaking() -> None:
        speak()

    speaking.execute_in_process(run_config={"loggers": {"plain": {"config": {}}}})
    assert capsys.readouterr().err == "  two returns accepted\n"


def test_assets_are_asked_for_the_quarters_of_their_partitions() -> None:
    context = SimpleNamespace(partition_keys=["2020-21-Q2", "2020-21-Q3"])
    assert quarters_of(context) == [Quarter(2020, 2), Quarter(2020, 3)]  # type: ignore[arg-type]
