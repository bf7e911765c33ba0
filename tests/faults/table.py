"""The table of faults: how each is declared, what a run of it leaves, and the page made from that.

    pytest tests/faults                 a small selection, part of the ordinary check
    pytest tests/faults --full          every fault as often as declared; writes results and page
    pytest tests/faults --share 0.1     a tenth of it, likewise

Each test has ``@fault(…)`` and asks for ``trial``, whose ``each()`` gives one random number
generator for each time. ``tests/faults/results/`` has one file for each test.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipelines.settings import CHECKOUT

RESULTS = Path(__file__).with_name("results")
PAGE = CHECKOUT / "docs" / "reliability.md"
BEGIN, END = "<!-- made by tests/faults: begin -->", "<!-- made by tests/faults: end -->"

FAULTS = {
    "F1": "The program is killed at any moment",
    "F2": "It is killed inside dbt or while publishing, and somebody reads",
    "F3": "The disk is full",
    "F4": "Several at once",
    "F5": "A damaged upload",
    "F6": "Clock and time zone",
    "F7": "The same file several times",
    "F8": "The same bytes under another name; other bytes under the same name",
    "F9": "Late, after the lock",
    "F10": "A backlog of 10,000 files",
    "F11": "Readers hold the warehouse open",
    "F12": "The power fails",
    "F13": "Damaged files in the rooms",
    "F14": "Random changes to files (fuzzing)",
    "F15": "Hostile files",
    "F16": "Ugly spreadsheets as people make them",
    "F17": "Words of a return where they must not be",
    "F18": "Permissions",
    "F19": "Formulas in exports",
    "F20": "Every row accounted for",
    "F21": "As it was known then",
    "F22": "Installed without a network",
    "F23": "A file that is still being copied",
    "F24": "Order of arrival",
    "F25": "Everything lost but received files, ledger and key",
}

# Shown once by a test of the ordinary check, which counts nothing.
ELSEWHERE = {
    "F21": "tests/end_to_end/test_release.py",
    "F22": "tests/project/test_supply_chain.py",
}


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    id: str  # of FAULTS
    what: str  # what is done
    bar: str  # what has to hold each time
    control: str  # an unprotected way, on which the same test has to fail
    unit: str  # what is counted, such as "kills"
    full: int
    few: int  # in the ordinary check; 0 where one alone is too long for it
    seed: int


def fault(
    id: str, *, what: str, bar: str, control: str, unit: str, full: int, few: int, seed: int = 1
) -> pytest.MarkDecorator:
    """Declare a test as a row of the table."""
    assert id in FAULTS
    return pytest.mark.fault(Fault(id, what, bar, control, unit, full, few, seed))


@dataclass
class Trial:
    """One run of a fault: as often as asked for, and what its control came to."""

    fault: Fault
    count: int
    done: int = 0
    control: str = ""
    notes: list[str] = field(default_factory=list)  # numbers worth showing

    def each(self) -> Iterator[Random]:
        """A generator of random numbers for each time. What ends the loop early was not done."""
        for number in range(self.count):
            yield Random(f"{self.fault.seed}-{number}")
            self.done += 1

    def control_failed(self, failed: int, of: int) -> None:
        """Note how often the control failed. A control that never does proves nothing."""
        assert failed > 0, f"the control did not fail: {self.fault.control}"
        self.control = f"failed {failed} of {of}"


def write_result(test: str, trial: Trial, outcome: str) -> None:
    """Keep what a run showed; ``outcome`` is "passed", "failed" or why it was not run."""
    record = {
        **asdict(trial.fault),
        "count": trial.count,
        "done": trial.done,
        "control_result": trial.control,
        "notes": trial.notes,
        "outcome": outcome,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / f"{test}.json").write_text(text, encoding="utf-8")


def results() -> dict[str, dict[str, Any]]:
    """What the last run of each test showed, by its name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RESULTS.glob("*.json"))
    }


def page() -> str:
    """The page with its table made anew from the results."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{_table()}{END}{after}"


def _table() -> str:
    by_fault: dict[str, list[dict[str, Any]]] = {}
    for record in results().values():
        by_fault.setdefault(record["id"], []).append(record)
    lines = [
        "| Fault | What is done | What has to hold | Result | Control | When |",
        "|---|---|---|---|---|---|",
    ]
    for id, title in FAULTS.items():
        rows = sorted(by_fault.get(id, []), key=lambda record: record["what"])
        if not rows:
            result = f"a test: `{ELSEWHERE[id]}`" if id in ELSEWHERE else "not run"
            lines.append(f"| **{id}** {title} | | | {result} | | |")
        for record in rows:
            cells = (
                f"**{id}** {title}",
                record["what"],
                record["bar"],
                "; ".join((_result(record), *record["notes"])),
                f"{record['control']}: {record['control_result'] or 'not run'}",
                f"{record['date']}, `{record['commit']}`",
            )
            lines.append(f"| {' | '.join(cell.replace('|', '∣') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _result(record: dict[str, Any]) -> str:
    unit, full = record["unit"], record["full"]
    if record["outcome"] not in ("passed", "failed"):
        return f"not run: {record['outcome']}"
    if record["outcome"] == "failed":
        return f"**failed** after {record['done']:,} {unit}, seed {record['seed']}"
    held = f"held {record['done']:,} of {record['count']:,} {unit}, seed {record['seed']}"
    short = "" if record["done"] >= full else f" (**a part**: the full count is {full:,})"
    return held + short


def _commit() -> str:
    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True)
        return run.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!docs", ":!tests/faults")
    return git("rev-parse", "--short=10", "HEAD") + (" and changes" if changed else "")
