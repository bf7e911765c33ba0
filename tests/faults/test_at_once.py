"""Several at once, on the command line and by the sensor: each file is taken in once."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import pytest

from pipelines.intake.conservation import refuse_unless_conserved
from pipelines.lifecycle.ledger import Ledger, LedgerError
from pipelines.settings import Settings
from tests.faults.loaded_program import Started, adoption, start
from tests.faults.table import Trial, fault
from tests.small_data import ANGLESEY, CARDIFF, FIRST, LAST, SmallData

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs are forked")

SENDERS, QUARTERS = (ANGLESEY, CARDIFF), (FIRST, LAST)
BUSY = "another process is taking returns in"


def sensor_and_its_runs() -> None:
    """What the daemon does: two looks into the inbox, and each run that the second asks for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster as dg

        from pipelines.assets.sensors import inbox_sensor
        from pipelines.commands import run
        from pipelines.definitions import defs

        with run.instance(Settings.from_environment()) as instance:
            cursor = None
            for _ in range(2):
                with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
                    answer = inbox_sensor(context)
                    cursor = context.cursor
            requests = [answer] if isinstance(answer, dg.RunRequest) else answer
            if isinstance(requests, list):
                job = defs.resolve_job_def("take_in_returns")
                for request in requests:
                    job.execute_in_process(instance=instance, tags=dict(request.tags))


def without_lock(*arguments: str) -> None:
    """The command line with a ledger that nobody can hold."""
    setattr(Ledger, "held", lambda self: contextlib.nullcontext())  # noqa: B010
    adoption(*arguments)


def _settings(home: Path) -> Settings:
    """A new installation whose inbox has a return of each sender and quarter."""
    settings = Settings(home / "data", home / "keys" / "pseudonym.key")
    data = SmallData(settings)
    for sender in SENDERS:
        for quarter in QUARTERS:
            data.write_return(settings.inbox / f"{sender}-{quarter}.xlsx", sender, quarter)
    return settings


def each_was_taken_in_once(settings: Settings) -> None:
    """Every file has one line and one verdict, and raw and validated hold what the ledger says."""
    submissions = Ledger(settings.ledger).submissions()
    assert sorted((item.sender_code, item.quarter) for item in submissions) == sorted(
        (sender, quarter.label) for sender in SENDERS for quarter in QUARTERS
    )
    assert not any(item.is_waiting for item in submissions)
    assert not list(settings.inbox.iterdir())
    refuse_unless_conserved(settings)


@fault(
    "F4",
    what="`adoption take-in` several times at once, and the sensor with the runs it asks for, over "
    "one inbox of four returns, the first that are received; 3, 4, … 8 together",
    bar="Each file is in the ledger once; a process that finds the ledger held says so and ends "
    "with 1, or waits; one more `take-in` and every return has its verdict",
    control="The ledger cannot be held",
    unit="times",
    full=6,
    few=1,
)
def test_take_in_at_once_with_the_sensor(trial: Trial, tmp_path: Path) -> None:
    for number, _ in enumerate(trial.each(), start=3):
        settings = _settings(tmp_path / str(number))
        started = [start(settings, program=sensor_and_its_runs)]
        started += [start(settings, "take-in") for _ in range(number - 1)]
        for each in started:
            each.process.join()
        for each in started[1:]:
            assert each.process.exitcode == 0 or BUSY in each.printed, each.printed[-3000:]
            assert "Traceback" not in each.printed
        assert started[0].process.exitcode == 0, started[0].printed[-3000:]
        start(settings, "take-in").process.join()
        each_was_taken_in_once(settings)

    settings = _settings(tmp_path / "control")
    unlocked: list[Started] = [start(settings, "take-in", program=without_lock) for _ in range(3)]
    for each in unlocked:
        each.process.join()
    try:
        each_was_taken_in_once(settings)
    except (AssertionError, LedgerError):
        trial.control_failed(1, 1)
