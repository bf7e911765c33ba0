"""Raw and validated from received files, ledger and key alone: the same, or nothing."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.intake.conservation import batch_files, faults_of_rooms, without_hashes
from pipelines.intake.erasure import Person, erase
from pipelines.intake.key_rotation import rotate_key
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.pseudonyms import KeyFileError, create_key
from pipelines.intake.raw import to_raw
from pipelines.intake.rebuild import rebuild
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from tests.unit.returns_made import DECLARATIONS, Q1, Q2, child, children, last_quarter, workbook

BAD_ROW = child("REF-BAD", date_of_birth="not a day")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Q2 before Q1, with a correction that came after Q2 was compared with what was there."""
    home = tmp_path_factory.mktemp("original")
    settings = Settings(home / "data", home / "keys" / "pseudonym.key")
    for day, quarter, version, rows in (
        (12, Q2, 1, [*children(3), BAD_ROW]),
        (13, Q1, 1, last_quarter(4)),
        (14, Q2, 2, [*children(4), BAD_ROW]),
        (15, Q1, 2, last_quarter(2)),
        (16, Q2, 3, []),
    ):
        path = workbook(home / "return.xlsx", rows, quarter, version=version)
        receive(settings, DECLARATIONS, [Arrival(path, datetime(2020, 10, day, tzinfo=UTC))])
        to_raw(settings, DECLARATIONS, quarter)
        to_validated(settings, DECLARATIONS, [quarter])
    return settings


@pytest.fixture
def cold(original: Settings, tmp_path: Path) -> Settings:
    """Another machine, with the landing room and the key."""
    shutil.copytree(original.data / "landing", tmp_path / "other" / "landing")
    shutil.copytree(original.key_file.parent, tmp_path / "other-key")
    return Settings(tmp_path / "other", tmp_path / "other-key" / original.key_file.name)


def _content(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.data).as_posix(): path.read_bytes()
        for path in batch_files(settings)
    }


def test_a_cold_recovery_gives_the_same_bytes_and_no_line_of_the_ledger(
    original: Settings, cold: Settings
) -> None:
    ledger = cold.ledger.read_bytes()
    rebuilt = rebuild(cold, DECLARATIONS)
    assert (rebuilt.obstacles, rebuilt.differences) == ([], [])
    assert (rebuilt.submissions, rebuilt.batches, rebuilt.newly_noted) == (5, 5, 0)
    assert _content(cold) == _content(original)
    assert len(_content(cold)) > 15
    assert cold.ledger.read_bytes() == ledger
    assert list(faults_of_rooms(cold)) == []
    assert sorted(path.name for path in cold.data.iterdir()) == ["landing", "raw", "validated"]
    assert rebuild(cold, DECLARATIONS).obstacles == []  # over what is there, too
    assert _content(cold) == _content(original)


def test_a_lost_file_stops_it_and_nothing_is_changed(cold: Settings) -> None:
    rebuild(cold, DECLARATIONS)
    before = _content(cold)
    lost = sorted(cold.received.iterdir())[0]
    lost.write_bytes(b"another")
    (line,) = rebuild(cold, DECLARATIONS).obstacles
    assert str(lost) in line
    assert "put it back from a copy" in line
    assert _content(cold) == before


def test_without_the_key_or_with_another_one_nothing_is_made(cold: Settings) -> None:
    key = cold.key_file.read_text()
    cold.key_file.unlink()
    with pytest.raises(KeyFileError, match="restore the key"):
        rebuild(cold, DECLARATIONS)
    assert not cold.key_file.exists(), "a new key would make strangers of all children"
    create_key(cold.key_file)
    with pytest.raises(KeyFileError, match="is not the one"):
        rebuild(cold, DECLARATIONS)
    _ledger_of(cold, [event | {"key_id": None} for event in Ledger(cold.ledger).events()])
    rebuilt = rebuild(cold, DECLARATIONS)  # an older ledger, which does not name its key
    assert rebuilt.obstacles
    assert all("another key" in line for line in rebuilt.obstacles)
    assert not (cold.data / "raw").exists()
    cold.key_file.write_text(key)
    assert rebuild(cold, DECLARATIONS).obstacles == []


def _ledger_of(settings: Settings, events: list[dict]) -> None:
    settings.ledger.unlink()
    Ledger(settings.ledger).head_file.unlink()
    for event in events:  # each by itself: a verdict never comes with the file it is about
        Ledger(settings.ledger).append(event)


def test_a_ledger_without_hashes_gets_them(original: Settings, cold: Settings) -> None:
    events = Ledger(cold.ledger).events()
    _ledger_of(cold, [])
    for event in events:  # each verdict by itself, as it was written
        if event["event"] != "stored":
            Ledger(cold.ledger).append(event)
    assert len(without_hashes(cold)) == 5
    rebuilt = rebuild(cold, DECLARATIONS)
    assert (rebuilt.obstacles, rebuilt.differences, rebuilt.newly_noted) == ([], [], 5)
    assert without_hashes(cold) == []
    assert list(faults_of_rooms(cold)) == []
    assert _content(cold) == _content(original)


def test_what_rules_of_another_day_decided_stands_and_is_named(cold: Settings) -> None:
    """A ledger of rules that had nothing against the bad row."""
    events = Ledger(cold.ledger).events()
    _ledger_of(cold, [])
    first = next(event["submission_id"] for event in events if event["event"] == "judged")
    for event in events:
        if event["event"] == "judged" and event["submission_id"] == first:
            counts = event["returns"]["child"] | {"rows_accepted": 4, "rows_quarantined": 0}
            event |= {"status": "accepted", "errors": {}, "returns": {"child": counts}}
        if event["event"] == "stored" and first in event["submissions"]:
            event |= {"set_aside": {}, "files": {}}
        Ledger(cold.ledger).append(event)
    rebuilt = rebuild(cold, DECLARATIONS)
    assert rebuilt.obstacles == []
    assert [line for line in rebuilt.differences if "rows are set aside" in line]
    assert all(first in line for line in rebuilt.differences)
    assert list(faults_of_rooms(cold)) == []
    folder = cold.validated / "child" / Q2.label
    rows = pl.concat([pl.read_parquet(path) for path in folder.iterdir()])
    assert set(rows.filter(pl.col("submission_id") == first)["row_status"]) == {"accepted"}


def test_another_number_of_rows_is_never_taken(cold: Settings) -> None:
    events = Ledger(cold.ledger).events()
    _ledger_of(cold, [])
    for event in events:
        if event["event"] == "judged":
            event["returns"]["child"]["rows_read"] += 1
        Ledger(cold.ledger).append(event)
    rebuilt = rebuild(cold, DECLARATIONS, accept_contents=True)
    assert len([line for line in rebuilt.obstacles if "rows are read today" in line]) == 5
    assert not cold.raw.exists()


def test_after_the_key_was_changed_the_rows_are_made_with_the_new_one(cold: Settings) -> None:
    rebuild(cold, DECLARATIONS)
    rotate_key(cold, DECLARATIONS)
    after = _content(cold)
    shutil.rmtree(cold.validated)
    rebuilt = rebuild(cold, DECLARATIONS)
    assert (rebuilt.obstacles, rebuilt.newly_noted) == ([], 0)
    assert _content(cold) == after


def test_what_was_erased_stays_erased_and_the_rest_of_its_batch_as_it_lies(cold: Settings) -> None:
    rebuild(cold, DECLARATIONS)
    person = Person.known_as(cold, "child", "W06000001", "REF-0002")
    with Ledger(cold.ledger).held():
        erase(
            cold, DECLARATIONS, person, role="national_data_lead", reason="Asked for by the family."
        )
    after = _content(cold)
    rebuilt = rebuild(cold, DECLARATIONS)
    assert (rebuilt.obstacles, rebuilt.newly_noted) == ([], 0)
    assert _content(cold) == after
    assert list(faults_of_rooms(cold)) == []
    shutil.rmtree(cold.raw)
    lines = rebuild(cold, DECLARATIONS).obstacles
    assert lines
    assert all("a received file behind it was erased" in line for line in lines)
