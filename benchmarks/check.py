"""What a check costs its sender: wall time, CPU time and peak memory of ``adoption check``.

An invented workbook of 500 children, quick and full, with and without everything that can be
asked for; beside it a Python that does nothing. Run it with ``python benchmarks/check.py``; not on
Windows. CPU time is that of the whole process tree, memory that of its largest process. Bars: two
CPU s quick, five CPU s and 450 MiB in full.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pipelines.quarters import Quarter

CHILDREN = 500
QUARTER = Quarter(2020, 4)
SENDER = "W06000015"  # Cardiff: owes the child return alone


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    peak_mib: float


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        now, last = home / "now.xlsx", home / "last.xlsx"
        # In a process of its own: a child's peak memory counts that of the parent it came from.
        subprocess.run([sys.executable, __file__, str(now), str(last)], check=True)
        check = [sys.executable, "-m", "pipelines.cli", "check", str(now)]
        everything = ["--before", str(last), "--out", str(home / "verdict.xlsx")]
        everything += ["--marked", str(home / "marked.xlsx")]
        rows = [
            ("floor: python -c pass", _measure([sys.executable, "-c", "pass"])),
            ("quick", _measure(check)),
            ("quick, with everything", _measure([*check, *everything])),
            ("full", _measure([*check, "--full"])),
            ("full, with everything", _measure([*check, "--full", *everything])),
        ]
        print(f"{CHILDREN} children{'':20}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}")
        for name, cost in rows:
            print(f"{name:32}{cost.wall:9.2f}{cost.cpu:9.2f}{cost.peak_mib:10.0f}")


def _write(path: Path, quarter: Quarter, count: int) -> None:
    """One authority's return, filled up with the children of others under other references."""
    from pipelines.declarations import Declarations
    from pipelines.samples.population import population, senders_due
    from pipelines.settings import SOURCES
    from pipelines.templates.workbook import write_return

    declarations = Declarations(SOURCES)
    invented = population(declarations, quarter, quarter)
    others = (sender for sender, _ in senders_due(declarations, quarter) if sender != SENDER)
    rows = [dict(row) for row in invented.rows(SENDER, quarter)["child"]]
    for sender in others:
        for row in invented.rows(sender, quarter).get("child", ()):
            if len(rows) < count:
                rows.append({**row, "child_reference": f"FILLED-{len(rows):04d}"})
    cover = {
        "sender_code": SENDER,
        "quarter": quarter.label,
        "version": 1,
        "signed_off_by_role": "Synthetic benchmark",
        "signed_off_on": quarter.plus(1).first_day.replace(day=20),
        "is_synthetic": "yes",
    }
    write_return(path, declarations, quarter, cover, {"child": rows})


def _measure(command: list[str]) -> Cost:
    """Run to the end; a refusal ends with 1, and is a verdict too."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status) not in (0, 1):
            output.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{output.read()}")
    mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / mib)


if __name__ == "__main__":
    if sys.argv[1:]:
        _write(Path(sys.argv[1]), QUARTER, CHILDREN)
        _write(Path(sys.argv[2]), QUARTER.plus(-1), CHILDREN)
    else:
        main()
