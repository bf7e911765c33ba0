"""What a run holds while it lives: its own lock, and the turn of the one writer.

Both are locks of the operating system, so a killed process frees them. Whoever starts next sees
which runs have ended without saying so, and the warehouse is free at once.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from pipelines.exclusive import Busy, give_back, is_left_behind, take
from pipelines.settings import Settings

STARTED_BY = "adoption/started_by"
COMMAND_LINE = "command line"

UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

# As start_timeout_seconds in dagster.yaml: a run that has no lock of its own by then never will.
_START_SECONDS = 300.0


def lock_of_run(settings: Settings, run_id: str) -> Path:
    """The lock that the process of a run holds as long as it lives."""
    return settings.dagster_home / "running" / run_id


class RunLocks(dg.ConfigurableResource):
    """Set up for every run: marks it as alive, and gives it the turn to write when a step asks.

    In one process, as all our jobs run, a resource lasts as long as the run.
    """

    _writing: Path | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[RunLocks]:
        settings = Settings.from_environment()
        run = context.run
        if run is not None:
            # Never given back: the run is recorded as finished after its resources are gone.
            take(lock_of_run(settings, run.run_id), f"run {run.run_id}")
        try:
            yield self
        finally:
            if self._writing is not None:
                give_back(self._writing)

    def write(self, doing: str) -> None:
        """Take the turn to write the warehouse or exports, and keep it to the end of the run.

        While another process has it, the step is tried again every ten seconds for an hour; the
        page of the run says for whom it waits. (Waiting here would be deaf to a request to stop.)
        """
        if self._writing is not None:
            return
        path = Settings.from_environment().writer_lock
        try:
            take(path, doing)
        except Busy as busy:
            raise dg.RetryRequested(max_retries=360, seconds_to_wait=10) from busy
        self._writing = path


RUN_LOCKS = {"run_locks": RunLocks()}


def end_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> int:
    """Record the end of runs whose process is gone; how many there were.

    Dagster alone would believe them alive for hours, and keep every other run in the queue. What
    the command line started is called cancelled: a person sees it end, and starts it again. What
    the daemon started has failed, and is tried again.
    """
    dead = dead_runs(instance, settings)
    for run in dead:
        why = "Its process ended without a word: it was killed, or the machine went down."
        if run.tags.get(STARTED_BY) == COMMAND_LINE:
            instance.report_run_canceled(run, message=why)
        else:
            instance.report_run_failed(run, message=why)
    for lock in (settings.dagster_home / "running").glob("*"):
        if is_left_behind(lock):  # of runs that are recorded as ended
            lock.unlink(missing_ok=True)
    return len(dead)


def dead_runs(instance: dg.DagsterInstance, settings: Settings) -> list[dg.DagsterRun]:
    """Runs that are recorded as alive though their process is gone; nothing is changed."""
    dead = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        lock = lock_of_run(settings, record.dagster_run.run_id)
        since = (datetime.now(UTC) - record.update_timestamp.astimezone(UTC)).total_seconds()
        if is_left_behind(lock) or (not lock.exists() and since >= _START_SECONDS):
            dead.append(record.dagster_run)
    return dead
