"""Killed at any moment (kill -9): start it again, and it is as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.commands import run
from pipelines.declarations import Declarations
from pipelines.publishing.verification import verify
from pipelines.settings import CHECKOUT, SOURCES, Settings
from tests.faults.loaded_program import Started, start
from tests.faults.reader import answer
from tests.faults.table import Trial, fault
from tests.small_data import CARDIFF, LAST, SmallData

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


def without_times(folder: Path) -> dict[str, tuple]:
    """Rows and an order-free digest of every published table, without its columns of times."""
    found: dict[str, tuple] = {}
    for name in ("warehouse", "restricted"):
        with duckdb.connect(str(folder / f"{name}.duckdb"), read_only=True) as connection:
            columns = connection.execute(
                "select table_name, string_agg(column_name, ', ' order by column_index)"
                " filter (data_type not like 'TIMESTAMP%') from duckdb_columns()"
                " where schema_name = 'marts' and not internal group by table_name"
            ).fetchall()
            for table, names in columns:
                found[f"{name}.{table}"] = connection.execute(
                    f"select count(*), bit_xor(hash(({names}))) from marts.{table}"  # noqa: S608
                ).fetchall()[0]
    assert len(found) > 20
    return found


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
                time.sleep(15 * chance.random() ** 3)
                was_in_dbt = _is_in_dbt(build, settings)
                assert build.kill() or not was_in_dbt
                if was_in_dbt:
                    in_place += answer(str(settings.build / "warehouse.duckdb")) not in (old, new)
            start(settings, "build").succeeded()
        assert data.tables() == expected
        nothing_is_left_over(settings)
        shutil.rmtree(settings.data)
    trial.control_failed(in_place, trial.done)
