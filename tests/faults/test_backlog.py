"""A backlog: every file is taken in, in a few runs, and a look at an empty inbox stays cheap."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

from pipelines.settings import CHECKOUT
from tests.faults.table import Trial, fault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

RUNS = 20
IDLE_SECONDS = 5.0
PEAK_MIB = 2048.0
MINUTES = 30.0


def naive_look(folder: Path, files: int) -> float:
    """Seconds of a sensor's look that asks Dagster about each known file by itself."""
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        names = [f"{number:064d}" for number in range(files)]
        instance.add_dynamic_partitions("files", names)
        began = time.perf_counter()
        assert all(instance.has_dynamic_partition("files", name) for name in names)
        return time.perf_counter() - began


@fault(
    "F10",
    what="Small returns of every authority and quarter, some broken or sent twice, lie in the "
    "inbox at once; the sensor looks and its runs take them in, from a cold start",
    bar=f"The ledger has every file and each has its verdict; at most {RUNS} Dagster runs, "
    f"{MINUTES:.0f} minutes, {PEAK_MIB / 1024:.0f} GiB; a look when nothing is new takes at most "
    f"{IDLE_SECONDS:.0f} s",
    control="A look that asks Dagster about each known file by itself; a thousand of them in their "
    "part of the time",
    unit="files",
    full=10_000,
    few=0,
)
def test_a_backlog_is_taken_in(trial: Trial, tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    program = [sys.executable, str(CHECKOUT / "benchmarks" / "backlog.py"), str(trial.count)]
    run = subprocess.run([*program, "--json", str(costs)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-3000:]  # none is missing
    [cost] = json.loads(costs.read_text(encoding="utf-8"))
    assert cost["files"] == trial.count
    assert cost["runs"] <= RUNS
    assert cost["idle_tick"] <= IDLE_SECONDS
    assert cost["peak_mib"] <= PEAK_MIB
    assert cost["seconds"] <= MINUTES * 60
    trial.done = trial.count
    trial.notes.append(
        f"{cost['runs']} runs, {cost['seconds'] / 60:.1f} minutes, peak {cost['peak_mib']:,.0f} "
        f"MiB, idle look {cost['idle_tick']:.2f} s"
    )
    known = min(trial.count, 1000)  # its cost grows with each
    allowed = IDLE_SECONDS * known / trial.fault.full
    trial.control_failed(int(naive_look(tmp_path / "naive", known) > allowed), 1)
