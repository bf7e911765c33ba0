"""What a check costs its sender: wall time, CPU time and peak memory of ``adoption check``.

    python benchmarks/check.py

An invented workbook of 500 children, quick and full, with and without everything that can be
asked for; for comparison a Python that does nothing. Limits: 2 CPU s quick, 5 CPU s and 450 MiB
in full. Machines differ: quote the ratios. Not on Windows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import CommandCost, measure

from pipelines.quarters import Quarter

CHILDREN = 500
QUARTER = Quarter(2020, 4)
SENDER = "W06000015"  # Cardiff: owes the child return alone


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    # Used by this program itself, for the process that writes the two returns.
    parser.add_argument("--write", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        now, last = options.write
        _write(now, QUARTER, CHILDREN)
        _write(last, QUARTER.plus(-1), CHILDREN)
    else:
        _compare()


def _compare() -> None:
    with tempfile.TemporaryDirectory(prefix="adoption-benchmark-") as folder:
        home = Path(folder)
        now, last = home / "now.xlsx", home / "last.xlsx"
        # In a process of its own: a child's peak memory counts that of the parent it came from.
        subprocess.run([sys.executable, __file__, "--write", str(now), str(last)], check=True)
        check = [sys.executable, "-m", "pipelines.cli", "check", str(now)]
        everything = ["--before", str(last), "--out", str(home / "verdict.xlsx")]
        everything += ["--marked", str(home / "marked.xlsx")]
        rows = [
            ("floor: python -c pass", measure([sys.executable, "-c", "pass"])),
            ("quick", _check(check)),
            ("quick, with everything", _check([*check, *everything])),
            ("full", _check([*check, "--full"])),
            ("full, with everything", _check([*check, "--full", *everything])),
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


def _check(command: list[str]) -> CommandCost:
    """A return that is refused ends the command with 1, which is an answer too."""
    return measure(command, expected=(0, 1))


if __name__ == "__main__":
    main()
