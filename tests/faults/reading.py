"""Files read as they are read in production, one after the other, with time and memory watched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.readers import child_process
from pipelines.readers.child_process import SECONDS_PER_FILE
from pipelines.readers.content import FileContent, Unreadable

# What the parser makes of a file without anything of ours around it.
_BARE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import python_calamine
try:
    book = python_calamine.CalamineWorkbook.from_path(sys.argv[1])
    for name in book.sheet_names:
        book.get_sheet_by_name(name).to_python()
except Exception:
    pass
"""


@dataclass
class Reader:
    """A reading process, replaced when it died or grew, as in production."""

    slowest: float = 0.0  # processor seconds for a file; by the clock where that is not told
    peak_mib: float = 0.0  # of any process that lived on; Linux alone tells
    died: int = 0
    _child: Any = None

    def read(self, path: Path) -> FileContent | Unreadable:
        if self._child is None:
            self._child = child_process._Child()
        began = self._seconds()
        answer = self._child.ask(path, SECONDS_PER_FILE, password=None)
        self.slowest = max(self.slowest, self._seconds() - began)
        self.died += answer is None
        self._look_at_memory()
        if answer is None or answer.get("retires"):
            self.end()
        return child_process._content(answer)

    def end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _seconds(self) -> float:
        try:
            status = Path(f"/proc/{self._child._process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return time.perf_counter()
        ticks = status.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def _look_at_memory(self) -> None:
        try:
            status = Path(f"/proc/{self._child._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return
        kib = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        self.peak_mib = max([self.peak_mib, *(int(each) / 1024 for each in kib)])


def kills_the_parser(path: Path) -> bool:
    """Whether the parser alone, in a process of 1 GiB, ends it rather than raising an exception."""
    run = subprocess.run([sys.executable, "-c", _BARE, str(path)], capture_output=True)
    return run.returncode != 0
