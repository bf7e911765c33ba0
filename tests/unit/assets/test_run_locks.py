"""Runs of processes that are gone: recorded as ended, and taken in again."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import Settings
from tests.unit.assets.conftest import Inbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets import run_locks, sensors
    from pipelines.assets.run_locks import (
        COMMAND_LINE,
        RUN_LOCKS,
        STARTED_BY,
        end_dead_runs,
        lock_of_run,
    )
    from pipelines.exclusive import exclusive

TAKES = (
    "import sys; from pathlib import Path; from pipelines.exclusive import take\n"
    "take(Path(sys.argv[1]), 'a run')"
)


@dg.op
def nothing() -> None:
    """An op to have a run of."""


def started(instance: dg.DagsterInstance, **tags: str) -> str:
    """A run that Dagster believes to be going on."""
    job = dg.JobDefinition(
        name="some", graph_def=dg.GraphDefinition(name="some", node_defs=[nothing])
    )
    run = instance.create_run_for_job(job, tags=tags)
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id
    )
    return run.run_id


def dead(settings: Settings, run_id: str) -> None:
    """The process of the run took its lock, and ended without a word."""
    path: Path = lock_of_run(settings, run_id)
    subprocess.run([sys.executable, "-c", TAKES, str(path)], check=True)


def status(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def test_only_runs_whose_process_is_gone_are_recorded_as_ended(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    by_hand = started(instance, **{STARTED_BY: COMMAND_LINE})
    by_the_daemon, alive, starting = started(instance), started(instance), started(instance)
    for run_id in (by_hand, by_the_daemon):
        dead(settings, run_id)
    with exclusive(lock_of_run(settings, alive), "a run"):
        assert end_dead_runs(instance, settings) == 2
    assert status(instance, by_hand) == "CANCELED"  # a person saw it end
    assert status(instance, by_the_daemon) == "FAILURE"  # so the daemon tries it again
    assert status(instance, alive) == status(instance, starting) == "STARTED"
    assert end_dead_runs(instance, settings) == 0


def test_a_run_that_never_took_its_lock_is_dead_after_the_time_to_start(
    instance: dg.DagsterInstance, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = started(instance)
    assert end_dead_runs(instance, settings) == 0
    monkeypatch.setattr(run_locks, "_START_SECONDS", 0.0)
    assert end_dead_runs(instance, settings) == 1
    assert status(instance, run_id) == "FAILURE"


def test_a_look_at_the_inbox_ends_dead_runs(inbox: Inbox, instance: dg.DagsterInstance) -> None:
    run_id = started(instance, **{STARTED_BY: COMMAND_LINE})
    dead(inbox.settings, run_id)
    inbox.look()
    assert status(instance, run_id) == "CANCELED"
    assert not list((inbox.settings.dagster_home / "running").iterdir())


def test_a_run_is_alive_to_the_end_of_its_process_and_keeps_its_turn_to_the_end_of_the_run(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    @dg.asset
    def first(run_locks: run_locks.RunLocks) -> None:
        run_locks.write("building the warehouse")

    @dg.asset(deps=[first])
    def second(run_locks: run_locks.RunLocks) -> None:
        run_locks.write("building the warehouse")
        assert _is_taken(settings.writer_lock)

    result = dg.materialize([first, second], instance=instance, resources=RUN_LOCKS)
    assert result.success
    assert not _is_taken(settings.writer_lock)
    assert _is_taken(lock_of_run(settings, result.run_id))


def _is_taken(path: Path) -> bool:
    taking = subprocess.run([sys.executable, "-c", TAKES, str(path)], capture_output=True)
    return taking.returncode != 0


def test_a_take_in_that_failed_is_asked_for_again_three_times_in_all(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    inbox.drop("a.zip")
    inbox.look()
    keys = []
    for _ in range(sensors.ATTEMPTS):
        request: Any = inbox.look()
        assert isinstance(request, dg.RunRequest)
        again: Any = inbox.look()
        assert again.run_key == request.run_key  # asked for twice, run once
        keys.append(request.run_key)
        run_id = started(instance, **request.tags)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_run_failed(run)
    assert len(set(keys)) == sensors.ATTEMPTS
    answer = inbox.look()
    assert isinstance(answer, dg.SkipReason)
    assert "taking them in failed 3 times" in (answer.skip_message or "")
    inbox.drop("b.zip", version=2)  # another file is another chance for both
    inbox.look()
    assert isinstance(inbox.look(), dg.RunRequest)
