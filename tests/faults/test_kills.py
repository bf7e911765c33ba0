"""Killed at any moment (kill -9): start it again, and it is as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipelines.commands import run
from pipelines.declarations import Declarations
from pipelines.files import sha256_of
from pipelines.lifecycle.decisions import Decisions
from pipelines.lifecycle.ledger import Ledger
from pipelines.publishing.verification import verify
from pipelines.settings import CHECKOUT, SOURCES, Settings
from tests.faults.loaded_program import Started, adoption, start
from tests.faults.reader import answer
from tests.faults.table import Trial, fault
from tests.small_data import ANGLESEY, CARDIFF, LAST, SmallData

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.run_locks import UNFINISHED

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9")

SERIES = 20  # kills, after which a run is left alone and looked at


@pytest.fixture
def memory(tmp_path: Path) -> Generator[Path]:
    """A folder in memory where there is one: a kill loses nothing that was written, on disk or
    not, and nobody waits for disks."""
    home = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else tmp_path))
    yield home
    shutil.rmtree(home, ignore_errors=True)


def unfinished_runs(settings: Settings) -> int:
    """Runs that Dagster believes to be alive."""
    with run.instance(settings) as dagster:
        return len(dagster.get_runs(dg.RunsFilter(statuses=UNFINISHED)))


def nothing_is_left_over(settings: Settings) -> None:
    """No half of a file or build, no run that Dagster believes alive, and nothing to be verified
    that is not what it was."""
    assert [path.name for path in settings.build.iterdir()] == ["dbt"]
    left = [path for path in settings.data.rglob(".*") if settings.dagster_home not in path.parents]
    assert left == []
    assert unfinished_runs(settings) == 0
    assert verify(settings, Declarations(SOURCES)).faults == []


@contextmanager
def somebody_reads(settings: Settings, allowed: set[str]) -> Generator[None]:
    """Somebody opens the published warehouse all the while, and gets only ``allowed`` answers."""
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.reader", str(settings.warehouse)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        said, _ = reader.communicate()
    assert said and set(said.splitlines()) <= allowed


@pytest.fixture(scope="module")
def corrected(
    small_data_made: SmallData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SmallData, SmallData]:
    """The small data with a correction that is taken in and not built; and the same, built."""
    home = tmp_path_factory.mktemp("corrected")
    waiting = small_data_made.copy_to(home / "waiting")
    path = waiting.write_return(home / "again.xlsx", CARDIFF, LAST, version=2, without=1)
    start(waiting.settings, "take-in", str(path)).succeeded()
    built = waiting.copy_to(home / "built")
    start(built.settings, "build").succeeded()
    assert built.tables() != waiting.tables()
    return waiting, built


def _is_in_dbt(build: Started, settings: Settings) -> bool:
    """Whether dbt has its databases open; those of a build before are gone when it is said."""
    is_open = "dbt builds" in build.printed and (settings.build / "work.duckdb").exists()
    return is_open and not (settings.build / "finished.json").exists()


@fault(
    "F2",
    what="`adoption build` is killed while dbt has its databases open, with all its children, and "
    f"started again, {SERIES} times in a row; somebody opens the published warehouse every 50 ms",
    bar="The reader gets the old figures, then the new ones, and never an error; the last build is "
    "identical to one that was not killed; no file or run is left over",
    control="The same looked at in the file that dbt works in",
    unit="kills inside dbt",
    full=100,
    few=20,
)
def test_kill_in_dbt_while_somebody_reads(
    trial: Trial, corrected: tuple[SmallData, SmallData], memory: Path
) -> None:
    waiting, built = corrected
    old, new = (answer(str(data.settings.warehouse)) for data in corrected)
    expected = built.tables()
    in_place = 0
    chances = trial.each()
    for number in range(0, trial.count, SERIES):
        data = waiting.copy_to(memory / str(number))
        settings = data.settings
        with somebody_reads(settings, {old, new}):
            for chance, _ in zip(chances, range(SERIES), strict=False):
                build = start(settings, "build")
                build.wait_until(partial(_is_in_dbt, build, settings))
                # dbt works for 20 seconds; more often early, which is quicker.
                time.sleep((15 if trial.count > SERIES else 8) * chance.random() ** 3)
                was_in_dbt = _is_in_dbt(build, settings)
                assert build.kill() or not was_in_dbt
                if was_in_dbt:
                    in_place += answer(str(settings.build / "warehouse.duckdb")) not in (old, new)
            start(settings, "build").succeeded()
        assert data.tables() == expected
        nothing_is_left_over(settings)
        shutil.rmtree(settings.data)
    trial.control_failed(in_place, trial.done)


# --- every job, at any time ----------------------------------------------------------------------


def release_what_is_built() -> None:
    """The second half of `adoption release`, without the build before it."""
    from pipelines.commands import run

    settings = Settings.from_environment()
    run.release(settings, "NAS", LAST, "national_director", None, print)


def _rooms(settings: Settings, *names: str) -> dict[str, str]:
    """Every whole file of some rooms, by its hash."""
    files = [path for name in names for path in (settings.data / name).rglob("*")]
    return {
        path.relative_to(settings.data).as_posix(): sha256_of(path)
        for path in sorted(files)
        if path.is_file()
    }


def _in_the_ledger(settings: Settings) -> list[tuple]:
    return [
        (item.submission_id, item.status, item.returns)
        for item in Ledger(settings.ledger).submissions()
    ]


@dataclass(frozen=True)
class Job:
    """A program that is killed, and what has to be the same after it was started again."""

    arguments: tuple[str, ...]
    came_of_it: Callable[[SmallData], object]
    program: Callable[..., object] = adoption


JOBS = {
    "take-in": Job(
        ("take-in",),
        lambda data: (
            _rooms(data.settings, "raw", "validated"),
            _in_the_ledger(data.settings),
            list(data.settings.inbox.iterdir()),
        ),
    ),
    "publish": Job(("publish", LAST.label), lambda data: _rooms(data.settings, "exports")),
    "build": Job(("build",), lambda data: data.tables()),
    "release": Job((), lambda data: _rooms(data.settings, "releases"), release_what_is_built),
}


@pytest.fixture(scope="module")
def ready(
    small_data_made: SmallData, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, SmallData]:
    """The small data before each job: two returns in the inbox; a locked quarter; or as it is."""
    with_returns = small_data_made.copy_to(tmp_path_factory.mktemp("with-returns"))
    for sender in (ANGLESEY, CARDIFF):
        path = with_returns.settings.inbox / f"{sender}.xlsx"
        with_returns.write_return(path, sender, LAST, version=2, without=1)
    locked = small_data_made.copy_to(tmp_path_factory.mktemp("locked"))
    decisions = Decisions(locked.settings, Declarations(SOURCES))
    decisions.lock("W92000004", LAST, role="national_director", with_gaps=True)
    return {
        "take-in": with_returns,
        "publish": small_data_made,
        "build": small_data_made,
        "release": locked,
    }


@fault(
    "F1",
    what="In turn `adoption take-in`, `publish`, `build` and a release are killed, with all their "
    "children, at a random moment of the time they take, and started again",
    bar="What comes of it is identical to a run that was not killed, to the byte or by the digest "
    "of every table; what was acknowledged is in the ledger; no file or run is left over",
    control="Whether Dagster believes a killed run alive, before anybody starts again",
    unit="kills",
    full=100,
    few=1,
)
def test_kill_every_job_at_any_time(
    trial: Trial, ready: dict[str, SmallData], memory: Path
) -> None:
    expected: dict[str, object] = {}
    seconds: dict[str, float] = {}
    killed = 0
    start(ready["build"].settings, "--version").succeeded()  # its libraries are loaded by then
    for number, chance in enumerate(trial.each()):
        name = list(JOBS)[number % len(JOBS)]
        job = JOBS[name]
        if name not in expected:
            data = ready[name].copy_to(memory / f"control-{name}")
            began = time.monotonic()
            start(data.settings, *job.arguments, program=job.program).succeeded()
            seconds[name] = time.monotonic() - began
            expected[name] = job.came_of_it(data)
        data = ready[name].copy_to(memory / str(number))
        process = start(data.settings, *job.arguments, program=job.program)
        time.sleep(seconds[name] * chance.random())
        killed += process.kill()
        start(data.settings, *job.arguments, program=job.program).succeeded()
        assert job.came_of_it(data) == expected[name], name
        nothing_is_left_over(data.settings)
        shutil.rmtree(data.settings.data)
    trial.notes.append(f"{killed} were still running when they were killed")

    data = ready["take-in"].copy_to(memory / "control")
    process = start(data.settings, "take-in")
    process.wait_until(lambda: "files received" in process.printed)
    assert process.kill()
    trial.control_failed(unfinished_runs(data.settings), 1)
