"""A backlog of files, taken in as the sensor and its runs take it, and what a tick then costs.

    python benchmarks/backlog.py            10,000 files
    python benchmarks/backlog.py 1000       fewer
    python benchmarks/backlog.py 1000 4000  and how the cost grows from one to the other

Invents small returns (one in ten a workbook, the others zips of CSV files; some sent twice, some
broken) of all authorities over all quarters in a temporary folder, puts them into the inbox at
once and lets the sensor tick until nothing waits. Limits, on 2 cores for 10,000 files: 30 minutes,
20 Dagster runs, 5 seconds for a tick when nothing is new, 2 GiB. Machines differ: quote the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import SOURCES, Settings
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return

FILES = 10_000
FIRST, LAST = Quarter(2018, 1), Quarter(2025, 4)
LIMITS = {"minutes": 30.0, "runs": 20, "seconds of an idle tick": 5.0, "peak MiB": 2048}


@dataclass(frozen=True)
class BacklogCost:
    files: int
    seconds: float
    cpu: float
    runs: int
    slowest_tick: float
    idle_tick: float
    peak_mib: float
    events: int


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=int, help="how many; several to compare")
    parser.add_argument("--json", type=Path, help="a file for the costs as JSON")
    chosen = parser.parse_args()
    sizes = chosen.files or [FILES]
    os.umask(0o077)
    costs = [_measure(files) for files in sizes]
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(cost) for cost in costs]), encoding="utf-8")
    headings = ("files", "minutes", "CPU min", "CPU ms a file", "runs", "slowest tick s")
    headings += ("idle tick s", "peak MiB", "ledger lines")
    print("\n" + "  ".join(headings))
    for cost in costs:
        cells = (
            *(f"{cost.files:,}", f"{cost.seconds / 60:.1f}", f"{cost.cpu / 60:.1f}"),
            *(f"{1000 * cost.cpu / cost.files:.1f}", f"{cost.runs}", f"{cost.slowest_tick:.1f}"),
            *(f"{cost.idle_tick:.2f}", f"{cost.peak_mib:,.0f}", f"{cost.events:,}"),
        )
        widths = zip(cells, headings, strict=True)
        print("  ".join(cell.rjust(len(heading)) for cell, heading in widths))
    for before, after in pairwise(costs):
        grown = (after.cpu / after.files) / (before.cpu / before.files)
        print(
            f"{after.files / before.files:.1f} times the files cost {grown:.2f} times as much each"
            " (1.0: no worse; the same as the first factor: quadratic)"
        )
    last = costs[-1]
    if last.files >= FILES:
        measured = (last.seconds / 60, last.runs, last.idle_tick, last.peak_mib)
        for (name, limit), value in zip(LIMITS.items(), measured, strict=True):
            outcome = "within" if value <= limit else "OVER"
            print(f"{name:>24}: {value:,.2f} of {limit:,.0f} allowed, {outcome} the limit")


def _measure(files: int) -> BacklogCost:
    with tempfile.TemporaryDirectory(prefix="adoption-backlog-") as folder:
        home = Path(folder)
        settings = Settings(home / "data", home / "keys" / "pseudonym.key")
        os.environ["ADOPTION_DATA"] = str(settings.data)
        os.environ["ADOPTION_KEY_FILE"] = str(settings.key_file)
        began = time.perf_counter()
        sent = _fill_the_inbox(settings, files)
        print(f"{sent:,} files written in {time.perf_counter() - began:.0f} s", flush=True)
        return _take_in(settings, sent)


def _fill_the_inbox(settings: Settings, files: int) -> int:
    """Every authority, quarter by quarter, version by version."""
    declarations = Declarations(SOURCES)
    settings.inbox.mkdir(parents=True)
    wanted = [
        (sender, quarter, version)
        for version in range(1, 99)
        for quarter in quarters_between(FIRST, LAST)
        for sender in declarations.senders
        if declarations.due_from(sender, quarter) == ("child",)
    ][:files]
    for number, (sender, quarter, version) in enumerate(wanted):
        suffix = ".xlsx" if number % 10 == 0 else ".zip"
        path = settings.inbox / f"{number:06d}{suffix}"
        if number % 50 == 7:
            path.write_bytes(f"broken file {number}".encode())
            continue
        if number % 50 == 8:  # the file before the broken one, sent again
            path.write_bytes((settings.inbox / f"{number - 2:06d}.zip").read_bytes())
            continue
        cover = {
            "sender_code": sender,
            "quarter": quarter.label,
            "version": version,
            "signed_off_by_role": "Invented",
            "signed_off_on": date(2026, 5, 1),
            "is_synthetic": "yes",
        }
        rows = {"child": [_child(quarter, number, each) for each in range(4)]}
        write = write_return if suffix == ".xlsx" else write_csv_return
        write(path, declarations, quarter, cover, rows)
    return len(wanted)


def _child(quarter: Quarter, number: int, each: int) -> dict[str, object]:
    return {
        "child_reference": f"INVENTED-{number}-{each}",
        "date_of_birth": date(quarter.starting_year - 3, 3, 17),
        "sex": "female",
        "ethnicity_group": "white",
        "is_disabled": "no",
        "has_additional_needs": "no",
        "siblings_placed_together": 1,
        "siblings_placed_apart": 0,
        "entered_care_on": date(quarter.starting_year - 1, 1, 6),
        "referred_on": quarter.first_day,
        "early_permanence": "none",
        "family_finding_status": "not_started",
    }


def _take_in(settings: Settings, files: int) -> BacklogCost:
    """Tick and run until nothing waits, as the daemon does, in this process."""
    warnings.simplefilter("ignore")
    from pipelines.commands import run

    run.prepare()
    import dagster as dg

    from pipelines.assets.sensors import inbox_sensor
    from pipelines.definitions import defs

    job = defs.resolve_job_def("take_in_returns")
    ticks: list[float] = []
    runs = 0
    cursor = None
    began, worked = time.perf_counter(), _cpu()
    with run.instance(settings) as instance:

        def tick() -> list[dg.RunRequest]:
            nonlocal cursor
            started = time.perf_counter()
            with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
                answer: Any = inbox_sensor(context)
                cursor = context.cursor
            ticks.append(time.perf_counter() - started)
            if isinstance(answer, dg.SkipReason):
                return []
            return answer if isinstance(answer, list) else [answer]

        tick()  # the first look takes nothing
        while requests := tick():
            for request in requests:
                runs += 1
                job.execute_in_process(
                    instance=instance,
                    tags=request.tags,
                    run_config={"loggers": {"plain": {"config": {}}}},
                    asset_selection=list(request.asset_selection or ()) or None,
                    raise_on_error=False,  # red, because broken files were refused
                )
                done = time.perf_counter() - began
                print(f"run {runs}: {done:.0f} s since the first tick", flush=True)
        seconds, cpu = time.perf_counter() - began, _cpu() - worked
        slowest = max(ticks)
        for _ in range(3):
            tick()
        idle = max(ticks[-3:])
    _nothing_is_missing(settings, files)
    events = len(Ledger(settings.ledger).events())
    return BacklogCost(files, seconds, cpu, runs, slowest, idle, _peak_mib(), events)


def _nothing_is_missing(settings: Settings, files: int) -> None:
    """The ledger has every file, each has its verdict, and the inbox is empty."""
    submissions = Ledger(settings.ledger).submissions()
    statuses = Counter(item.status for item in submissions)
    print(dict(statuses))
    left = list(settings.inbox.iterdir())
    if len(submissions) != files or statuses["received"] or left:
        raise SystemExit(
            f"{files} files sent, {len(submissions)} in the ledger, {len(left)} left in the inbox"
        )


def _cpu() -> float:
    """CPU seconds so far, of this process and of those it has ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _peak_mib() -> float:
    """Peak memory of this process, or of the largest it started; 0 if unknown."""
    try:
        import resource
    except ImportError:
        return 0.0
    mib = 1024 * 1024 if sys.platform == "darwin" else 1024
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in whose) / mib


if __name__ == "__main__":
    main()
