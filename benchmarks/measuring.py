"""What a command costs: wall seconds, CPU seconds and peak memory. Used by the other benchmarks.

Not on Windows, which does not count the memory of a process that has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class CommandCost:
    """``cpu`` is of the whole tree of processes, ``peak_mib`` of the largest of them."""

    wall: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Row:
    """A line of a benchmark's table. ``wall`` and ``cpu`` are seconds, ``peak_mib`` is 0 where
    memory was not measured, ``note`` says what else is worth knowing."""

    name: str
    wall: float
    cpu: float
    peak_mib: float = 0.0
    note: str = ""


def row(name: str, cost: CommandCost, note: str = "") -> Row:
    return Row(name, cost.wall, cost.cpu, cost.peak_mib, note)


def show(rows: Sequence[Row], floor: float, as_json: bool = False) -> None:
    """Print a table, each row with its ratio to ``floor`` CPU seconds; or JSON, a list."""
    if as_json:
        print(json.dumps([asdict(each) for each in rows]))
        return
    print(f"{'':40}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}{'CPU / floor':>13}")
    for each in rows:
        print(
            f"{each.name[:39]:40}{each.wall:9.1f}{each.cpu:9.1f}{each.peak_mib:10.0f}"
            f"{each.cpu / floor:13.1f}  {each.note}"
        )


def measure(
    command: list[str],
    environment: Mapping[str, str] | None = None,
    expected: Collection[int] = (0,),
) -> CommandCost:
    """Run ``command`` to its end. An exit code other than those ``expected`` ends the benchmark,
    with the command's output."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        child = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status) not in expected:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{output.read()}")
    # ru_maxrss is in bytes on macOS, in KiB elsewhere.
    mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return CommandCost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / mib)
