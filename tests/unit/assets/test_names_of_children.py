"""A child's name in a file's name or on the cover: in no ledger, log, Dagster storage or table."""

from __future__ import annotations

import errno
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.commands import run
from pipelines.intake import inbox as looking
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from pipelines.system_errors import in_words
from pipelines.warehouse.tables import write_tables
from tests.unit.assets.conftest import Inbox
from tests.unit.assets.test_taking_in import everything_dagster_keeps, run_once

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.landing import deliveries
    from pipelines.assets.run_locks import RUN_LOCKS

CANARY = "Zebedee Quibblesworth"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SECONDS_BETWEEN_LOOKS", 0.05)


def places_with_it(folder: Path) -> list[str]:
    needle = CANARY.split()[1].encode()
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and needle in path.read_bytes()
    ]


def disk_is_full(source: Any, target: Any) -> None:
    """As ``shutil.copyfile`` raises it: with both names."""
    error = OSError(errno.ENOSPC, "No space left on device")
    error.filename, error.filename2 = str(source), str(target)
    raise error


def test_a_name_is_in_the_file_that_can_be_erased_and_nowhere_else(inbox: Inbox) -> None:
    inbox.drop(f"{CANARY}.zip", signed_off_by_role=CANARY)
    result = run_once(inbox)
    (one,) = inbox.submissions()
    assert one.name == f"{CANARY}.zip" and one.signed_off_by_role is None
    assert "Quibblesworth" not in everything_dagster_keeps(inbox.instance)
    write_tables(inbox.settings, inbox.declarations)
    received = f"landing/received/{one.sha256}.zip"
    # The received file is what was sent, compressed; its cover holds the name.
    assert set(places_with_it(inbox.settings.data)) <= {"landing/file_names.json", received}
    assert result.dagster_run
    Ledger(inbox.settings.ledger).name_files({one.submission_id: ""})
    assert inbox.submissions()[0].name == ""
    assert set(places_with_it(inbox.settings.data)) <= {received}


def test_the_name_of_a_ledger_of_before_is_still_shown_and_can_be_blanked(
    settings: Settings,
) -> None:
    ledger = Ledger(settings.ledger)
    ledger.append(
        {"event": "received", "submission_id": "S1", "delivery_number": 1, "sha256": "0" * 64}
        | {"extension": "", "name": "old.xlsx", "received_at": "2025-07-01T09:00:00+00:00"}
    )
    assert ledger.submissions()[0].name == "old.xlsx"
    ledger.name_files({"S1": ""})
    assert ledger.submissions()[0].name == ""


def test_a_full_disk_is_reported_without_the_name_by_dagster(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.drop(f"{CANARY}.zip")
    monkeypatch.setattr(shutil, "copyfile", disk_is_full)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = dg.materialize(
            [deliveries], instance=inbox.instance, raise_on_error=False, resources=RUN_LOCKS
        )
    assert not result.success and path.exists()
    kept = everything_dagster_keeps(inbox.instance)
    assert "No space left on device" in kept and "received" in kept
    assert "Quibblesworth" not in kept
    assert places_with_it(inbox.settings.data) in ([], [f"landing/inbox/{CANARY}.zip"])


def test_a_full_disk_is_reported_without_the_name_by_the_command(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_run", lambda *arguments, **options: True)
    given = inbox.drop(f"{CANARY}.zip").rename(tmp_path / f"{CANARY}.zip")
    monkeypatch.setattr(shutil, "copyfile", disk_is_full)
    result = CliRunner().invoke(main, ["take-in", str(given)])
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert str(inbox.settings.received) in result.output.replace("\n", "")
    assert "Quibblesworth" not in result.output
    assert inbox.submissions() == [] and given.exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(13, "Permission denied", f"/srv/{CANARY}.xlsx"), "outside the data folder"),
        (OSError(2, "No such file", f"in/{CANARY}/x", None, f"{CANARY}.zip"), "No such file"),
        (FileNotFoundError(f"No such file (os error 2): {CANARY}.csv"), "could not be read"),
        (OSError(5, "Input/output error", 7), "an open file"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_words_of_the_system_hold_no_name(settings: Settings, error: OSError, words: str) -> None:
    said = in_words(error, settings)
    assert words in said and "Quibblesworth" not in said and "Errno" not in said


def test_a_path_of_ours_is_named_in_full(settings: Settings) -> None:
    path = settings.exports / "2020-21-Q4" / "1" / "indicators.csv"
    assert str(path) in in_words(OSError(28, "No space", str(path)), settings)
    waiting = settings.inbox / f"{CANARY}.zip"
    said = in_words(OSError(13, "Permission denied", str(waiting)), settings)
    assert str(settings.inbox) in said and "Quibblesworth" not in said
