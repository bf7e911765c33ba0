"""What a command costs: wall seconds, CPU seconds and peak memory. Used by the other benchmarks.

Not on Windows, which does not count the memory of a process that has ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandCost:
    """``cpu`` is of the whole tree of processes, ``peak_mib`` of the largest of them."""

    wall: float
    cpu: float
    peak_mib: float


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
