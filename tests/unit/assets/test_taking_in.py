"""A run that takes returns in: what Dagster keeps of it, and when it is red."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pipelines.quarters import Quarter
from tests.unit.assets.conftest import SECRET, Inbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.landing import deliveries
    from pipelines.assets.partitions import range_tags
    from pipelines.assets.raw import raw_returns
    from pipelines.assets.run_locks import RUN_LOCKS
    from pipelines.assets.validated import validated_returns, verdicts
    from pipelines.intake import raw, validated
    from pipelines.ui.quarter_sentences import STATEMENTS


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
        assets=assets, jobs=[job], executor=dg.in_process_executor, resources=RUN_LOCKS
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

    monkeypatch.setattr({"raw": raw, "validated": validated}[step], function, fail)
    result = run_once(inbox)
    assert not result.success
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failures] == [f"{step}_returns"]
    kept = everything_dagster_keeps(inbox.instance)
    assert "UnexpectedError: ValueError in" in kept  # the failure is reported, its text is not
    assert SECRET not in kept
    assert [item.status for item in inbox.submissions()] == ["received"]


def test_a_run_says_what_was_taken_in_and_red_means_that_a_return_was_refused(
    inbox: Inbox,
) -> None:
    inbox.drop(f"{SECRET}.zip")  # its only row lacks nearly everything
    result = run_once(inbox)
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failures] == ["validated__verdicts"]
    evaluations = result.get_asset_check_evaluations()
    red = dg.AssetCheckSeverity.ERROR
    blocking = {event.check_name: event.passed for event in evaluations if event.severity == red}
    assert blocking == {"every_rule_ran": True, "no_return_was_refused": False}
    # What the sender still owes is amber: it stands in the summary of the quarter.
    amber = {event.check_name: event.passed for event in evaluations if event.severity != red}
    assert set(amber) == {*STATEMENTS, "every_validated_file_is_in_the_warehouse"}
    assert not amber["every_refused_file_was_sent_again"]
    kept = everything_dagster_keeps(inbox.instance)
    assert "2020-21-Q2: read 1 children" in kept
    assert "0 returns accepted, 1 refused" in kept
    assert "W06000001" in kept
    assert SECRET not in kept
    (submission,) = inbox.submissions()
    assert submission.status == "refused"
    again = run_once(inbox)
    assert again.success  # nothing new was refused
