"""The disk is full in one room: one line says so, nothing is half-written, and room is enough."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import CHECKOUT
from tests.faults.table import Trial, fault
from tests.small_data import CARDIFF, LAST, SmallData

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
MOUNTS = [*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
CAN_MOUNT = (
    bool(shutil.which("unshare")) and not subprocess.run(MOUNTS, capture_output=True).returncode
)

pytestmark = pytest.mark.skipif(not CAN_MOUNT, reason="needs a user namespace that may mount")

TAKE_IN = ("take-in", "RETURN")
ROOMS = [
    ("exports", ("publish", LAST.label)),
    ("landing", TAKE_IN),
    ("raw", TAKE_IN),
    ("validated", TAKE_IN),
    ("build", ("build",)),
    ("marts", ("build",)),
    ("dagster", ("build",)),
]


def _run(data: SmallData, room: str, command: tuple[str, ...]) -> dict[str, Any]:
    run = subprocess.run(
        [
            *UNSHARE,
            *(sys.executable, "-m", "tests.faults.full_disk"),
            *(str(data.settings.data), str(data.settings.key_file), room, *command),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@fault(
    "F3",
    what="One room after the other is a volume of its own with a few kilobytes left: exports for "
    "`publish`; landing, raw and validated for `take-in`; build, marts and Dagster's home for "
    "`build`. Then there is room, and the command is run again",
    bar="Exit code 1 and a line that names the folder, no traceback; what was published is "
    "untouched; the second run succeeds, `adoption verify` finds nothing, nothing is left over",
    control="The same file written straight over the old one on a full volume",
    unit="rooms",
    full=len(ROOMS),
    few=1,
)
def test_disk_is_full_in_one_room(trial: Trial, small_data_made: SmallData, tmp_path: Path) -> None:
    sent = small_data_made.write_return(
        tmp_path / "again.xlsx", CARDIFF, LAST, version=2, without=1
    )
    damaged = 0
    for (room, command), _ in zip(ROOMS, trial.each(), strict=False):
        data = small_data_made.copy_to(tmp_path / room)
        command = tuple(str(sent) if word == "RETURN" else word for word in command)
        came = _run(data, room, command)
        said = f"{room}: {came['said'][-3000:]}"
        assert came["exit"] == 1, said
        assert "Traceback" not in came["said"], said
        assert str(data.settings.data / room) in came["said"].splitlines()[-1], said
        assert came["is_untouched"], said
        assert came["exit_again"] == 0, came["said_again"][-3000:]
        assert (came["faults"], came["left"]) == ([], []), room
        damaged += came["control_is_damaged"]
    trial.control_failed(damaged, trial.done)
