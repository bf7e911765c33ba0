"""Readers who keep the warehouse open while others are published."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.warehouse.published import publish
from tests.faults.made_builds import make_build
from tests.faults.table import Trial, fault

pytestmark = pytest.mark.skipif(os.name == "nt", reason="an open file cannot be replaced there")

READERS = 5
# Opens when told to, and says what two tables say, one of which it has not read before. The second
# line comes after others were published.
READER = """
import sys, duckdb
for _ in sys.stdin:
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as connection:
            say = "select max(figure), bit_xor(noise) from marts."
            print(connection.execute(say + "fct").fetchall(), flush=True)
            sys.stdin.readline()
            print(connection.execute(say + "later").fetchall(), flush=True)
    except duckdb.Error as error:
        print(type(error).__name__, flush=True)
"""


class Reader:
    """A process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def reading(path: Path) -> Generator[Reader]:
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Reader(process)
    finally:
        process.communicate()


@fault(
    "F11",
    what=f"{READERS} readers, each a process of its own, hold the warehouse open while another is "
    "published, and then read a table that they had not read",
    bar="It is published; they get the old figures to the end, and whoever opens then the new ones",
    control="The new file is copied over the old one",
    unit="publications",
    full=200,
    few=4,
)
def test_readers_hold_the_warehouse_open_while_another_is_published(
    trial: Trial, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "data", Path("key"))
    make_build(settings, 0, rows=50_000)
    publish(settings)
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(settings.warehouse)) for _ in range(READERS)]
        for number, _ in enumerate(trial.each(), start=1):
            before = [reader.ask() for reader in readers]
            make_build(settings, number, rows=50_000)
            publish(settings)
            assert [reader.ask() for reader in readers] == before
            assert all(said.startswith(f"[({number - 1}, ") for said in before)
        failed = 0
        for number in range(trial.count, trial.count + 5):
            before = [reader.ask() for reader in readers]
            make_build(settings, number + 1, rows=60_000 + number)
            shutil.copyfile(settings.build / settings.warehouse.name, settings.warehouse)
            failed += [reader.ask() for reader in readers] != before
            shutil.rmtree(settings.build)
    trial.control_failed(failed, 5)
