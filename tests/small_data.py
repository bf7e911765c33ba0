"""A small data folder that is built in seconds, and the program run on it from outside.

For tests that kill the program, run it twice at once, or set its clock. Two Welsh authorities,
two quarters, synthetic. Made once for all tests of a session; each test gets a copy of its own
(the fixture ``small_data``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.samples.population import population
from pipelines.settings import CHECKOUT, SOURCES, Settings
from pipelines.templates.workbook import write_return

ANGLESEY, CARDIFF = "W06000001", "W06000015"
FIRST, LAST = Quarter(2020, 3), Quarter(2020, 4)
PATIENCE_SECONDS = 1800  # for a machine that has other work

# Rows and an order-free digest of every table.
Tables = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class SmallData:
    """A data folder, and the program ``adoption`` on it."""

    settings: Settings

    def copy_to(self, home: Path) -> SmallData:
        """The same in another place, to be changed or damaged."""
        shutil.copytree(self.settings.data, home / "data")
        shutil.copytree(self.settings.key_file.parent, home / "keys")
        return SmallData(Settings(home / "data", home / "keys" / self.settings.key_file.name))

    def start(self, *arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> Running:
        """Start ``adoption`` with ``arguments``; what it prints goes into a file.

        ``prefix`` is a program that starts it, such as faketime.
        """
        number = len(list(self.settings.data.parent.glob("printed-*")))
        printed = self.settings.data.parent / f"printed-{number}"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "pipelines.cli", *arguments],
                cwd=CHECKOUT,
                env={
                    **os.environ,
                    "ADOPTION_DATA": str(self.settings.data),
                    "ADOPTION_KEY_FILE": str(self.settings.key_file),
                    **environment,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Running(process, printed)

    def run(self, *arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> str:
        """Run ``adoption`` to its end and return what it printed. Fails when it does."""
        return self.start(*arguments, prefix=prefix, **environment).succeeded()

    def call(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit code and output of ``adoption`` in this process, for what no process of its own is
        needed: importing Dagster, dbt and Great Expectations anew takes 10 CPU seconds."""
        from click.testing import CliRunner

        from pipelines.cli import main

        ended = CliRunner().invoke(
            main,
            arguments,
            env={
                "ADOPTION_DATA": str(self.settings.data),
                "ADOPTION_KEY_FILE": str(self.settings.key_file),
                **environment,
            },
        )
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception  # a user would see a traceback
        return ended.exit_code, ended.output

    def tables(self, folder: Path | None = None) -> dict[str, Tables]:
        """What is published, or lies in ``folder``: the digests of both databases."""
        home = folder or self.settings.marts
        return {name: digests(home / f"{name}.duckdb") for name in ("warehouse", "restricted")}

    def write_return(self, path: Path, sender: str, quarter: Quarter, **change: Any) -> Path:
        """A return of ``sender`` as a workbook. ``change`` may give ``version``, and ``without``, a
        number of children who are left out of it."""
        declarations = Declarations(SOURCES)
        rows = dict(population(declarations, FIRST, LAST).rows(sender, quarter))
        rows["child"] = rows["child"][change.get("without", 0) :]
        cover = {
            "sender_code": sender,
            "quarter": quarter.label,
            "version": change.get("version", 1),
            "signed_off_by_role": "Synthetic test",
            "signed_off_on": date(2021, 5, 20),
            "is_synthetic": "yes",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_return(path, declarations, quarter, cover, rows)
        return path


@dataclass(frozen=True)
class Running:
    """A started program and the file with what it prints."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def succeeded(self) -> str:
        """Wait for its end and return what it printed. Fails when it did."""
        assert self.process.wait(PATIENCE_SECONDS) == 0, self.printed[-5000:]
        return self.printed

    def kill_when(self, reached: Callable[[], object], poll: float = 0.005) -> None:
        """Kill it (-9) as soon as ``reached``; fails when it ends before."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert self.process.poll() is None, f"ended before: {self.printed[-3000:]}"
            assert time.monotonic() < until, f"not reached: {self.printed[-3000:]}"
            time.sleep(poll)
        self.process.kill()
        assert self.process.wait() != 0, "ended before it was killed"


def digests(path: Path) -> Tables:
    """Rows and an order-free digest of every table of a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": connection.execute(
                f"select count(*), bit_xor(hash(t)) from {schema}.{name} t"  # noqa: S608
            ).fetchall()[0]
            for schema, name in names
        }


def make(home: Path) -> SmallData:
    """Write the returns, take them in and build; every return is accepted."""
    data = SmallData(Settings(home / "data", home / "keys" / "pseudonym.key"))
    data.settings.data.mkdir(parents=True)
    files = [
        data.write_return(home / "sent" / f"{sender}-{quarter}.xlsx", sender, quarter)
        for quarter in (FIRST, LAST)
        for sender in (ANGLESEY, CARDIFF)
    ]
    for arguments in (("take-in", *(str(path) for path in files)), ("build",)):
        code, said = data.call(*arguments)
        assert code == 0, said
    return data
