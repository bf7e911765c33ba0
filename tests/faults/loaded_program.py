"""``adoption`` started from a process that has its libraries loaded, in a group of its own.

Starting it anew takes ten seconds of processor time before it does anything, and there is nothing
to find in killing it then. What it does is the same.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipelines.settings import CHECKOUT, Settings
from tests.small_data import PATIENCE_SECONDS

_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload(
    [
        "pipelines.cli",
        "pipelines.definitions",
        "pipelines.publishing.releases",
        "pipelines.intake.validated",
        "dbt.adapters.duckdb",
        "dbt.cli.main",
        "tests.faults.version_of_dbt",
    ]
)


@dataclass(frozen=True)
class Started:
    """A started program, all it started in turn, and the file with what they print."""

    process: BaseProcess
    output: Path

    @property
    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> bool:
        """Kill it with all its children (-9); False when it had ended before."""
        assert self.process.pid is not None
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()
        return self.process.exitcode == -signal.SIGKILL

    def wait_until(self, reached: Callable[[], object], poll: float = 0.02) -> None:
        """Wait for ``reached``; fails when the program ends before."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert self.process.is_alive(), f"ended before: {self.printed[-3000:]}"
            assert time.monotonic() < until, f"not reached: {self.printed[-3000:]}"
            time.sleep(poll)

    def succeeded(self) -> str:
        """Wait for its end and return what it printed. Fails when it did."""
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode == 0, self.printed[-5000:]
        return self.printed


def adoption(*arguments: str) -> None:
    """The command line."""
    from pipelines.cli import main

    sys.argv = ["adoption", *arguments]
    main()


def start(
    settings: Settings, *arguments: str, program: Callable[..., object] = adoption
) -> Started:
    """Start ``adoption`` with ``arguments``, or another ``program``, on a data folder."""
    home = settings.data.parent
    output = home / f"printed-{len(list(home.glob('printed-*')))}"
    output.touch()
    process = _LOADED.Process(target=_run, args=(settings, program, arguments, output))
    process.start()
    return Started(process, output)


def _run(
    settings: Settings, program: Callable[..., object], arguments: tuple[str, ...], output: Path
) -> None:
    os.setsid()
    os.chdir(CHECKOUT)
    os.environ["ADOPTION_DATA"] = str(settings.data)
    os.environ["ADOPTION_KEY_FILE"] = str(settings.key_file)
    with output.open("ab") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    program(*arguments)
