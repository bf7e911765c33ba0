"""Builds at once, locks of killed processes, and a clock that is set back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.exclusive import exclusive
from pipelines.lifecycle.ledger import Ledger
from pipelines.warehouse.published import open_warehouse
from tests.small_data import CARDIFF, LAST, SmallData, digests

WAIT = 1


def test_builds_at_once_take_turns_in_any_time_zone_and_all_end_well(
    small_data: SmallData,
) -> None:
    before = small_data.tables()
    patient = ("--wait-for-others", "3600")
    builds = [
        small_data.start("build", *patient),
        small_data.start("build", "--as-of", "2020-01-01", *patient, TZ="Asia/Tokyo"),
        small_data.start("build", *patient, TZ="America/New_York"),
    ]
    printed = [build.succeeded() for build in builds]
    assert sum("is building the warehouse since" in text for text in printed) == 2
    assert small_data.tables() == before
    earlier = small_data.settings.marts / "as_of" / "2020-01-01T000000" / "warehouse.duckdb"
    assert digests(earlier)["marts.fct_submission"][0] == 0
    assert before["warehouse"]["marts.fct_submission"][0] == 4


def test_who_waits_says_once_for_whom_and_gives_up_or_stops_when_it_is_told_to(
    small_data: SmallData,
) -> None:
    holder = f"process {os.getpid()} is releasing since 20"
    with exclusive(small_data.settings.writer_lock, "releasing"):
        gives_up = small_data.start("build", "--wait-for-others", "1")
        assert gives_up.process.wait(60) == 1
        first, last = gives_up.printed.splitlines()
        assert first.startswith(holder) and first.endswith("waiting up to 1 seconds")
        assert last.startswith(holder) and last.endswith("gave up after 1 seconds")

        waits = small_data.start("publish", LAST.label)
        while holder not in waits.printed:
            assert waits.process.poll() is None, waits.printed
        waits.process.send_signal(signal.SIGTERM)
        assert waits.process.wait(10) != 0


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_killed_process_frees_the_lock(small_data: SmallData) -> None:
    lock = small_data.settings.writer_lock
    program = (
        "import sys, time; from pathlib import Path; from pipelines.exclusive import take\n"
        "take(Path(sys.argv[1]), 'building the warehouse'); print('held', flush=True)\n"
        "time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    with exclusive(lock, "releasing", wait=WAIT):
        pass


@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs the program faketime")
def test_a_correction_counts_though_the_clock_was_set_back_an_hour(
    small_data: SmallData, tmp_path: Path
) -> None:
    corrected = small_data.write_return(
        tmp_path / "corrected.xlsx", CARDIFF, LAST, version=2, without=1
    )
    small_data.run("take-in", str(corrected), prefix=("faketime", "-f", "-1h"))
    *_, first, correction = Ledger(small_data.settings.ledger).submissions()
    assert first.received_at > correction.received_at
    small_data.run("build")
    with open_warehouse(small_data.settings) as connection:
        in_force = connection.execute(
            "select submission_id from marts.fct_submission"
            " where is_in_force and sender_code = ? and quarter = ?",
            [CARDIFF, LAST.label],
        ).fetchall()
    assert in_force == [(correction.submission_id,)]
