"""Nothing is lost after a verdict: files and rows of raw and validated against the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.intake.conservation import (
    ConservationError,
    batch_files,
    faults_of_rooms,
    refuse_unless_conserved,
    without_hashes,
)
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from tests.unit.returns_made import DECLARATIONS, Q1, Q2, child, children, last_quarter, workbook


@pytest.fixture
def taken_in(settings: Settings, tmp_path: Path) -> Settings:
    """Two quarters of one authority: one whole return, and one with a row set aside."""
    for quarter, rows, month in (
        (Q1, last_quarter(3), 7),
        (Q2, [*children(3), child("REF-BAD", date_of_birth="not a day")], 10),
    ):
        path = workbook(tmp_path / "return.xlsx", rows, quarter)
        receive(settings, DECLARATIONS, [Arrival(path, datetime(2020, month, 12, tzinfo=UTC))])
        to_raw(settings, DECLARATIONS, quarter)
        to_validated(settings, DECLARATIONS, [quarter])
    return settings


def _lines(settings: Settings) -> list[str]:
    return [str(fault) for fault in faults_of_rooms(settings)]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def test_what_was_taken_in_has_no_fault_and_every_file_is_in_the_ledger(taken_in: Settings) -> None:
    assert _lines(taken_in) == []
    assert without_hashes(taken_in) == []
    stored = [event for event in Ledger(taken_in.ledger).events() if event["event"] == "stored"]
    named = {name for event in stored for name in event["files"]}
    on_disk = {path.relative_to(taken_in.data).as_posix() for path in batch_files(taken_in)}
    assert named == on_disk
    assert len(on_disk) == 8  # of each batch rows and layout, rows and problems
    (bad,) = stored[1]["set_aside"].values()
    assert bad == {"child": [5]}


@pytest.mark.parametrize("damage", [_flip, _truncate, Path.unlink])
def test_every_damaged_file_is_named_with_the_way_to_mend_it(
    taken_in: Settings, damage: Callable[[Path], object]
) -> None:
    for path in list(batch_files(taken_in)):
        whole = path.read_bytes()
        damage(path)
        lines = _lines(taken_in)
        assert len(lines) == 1
        assert str(path) in lines[0]
        assert "S0000" in lines[0]
        assert "adoption rebuild" in lines[0]
        with pytest.raises(ConservationError, match=r"Nothing was built"):
            refuse_unless_conserved(taken_in)
        path.write_bytes(whole)
    assert _lines(taken_in) == []


@pytest.mark.parametrize(
    "name", ["validated/child/2020-21-Q1/copy.parquet", "raw/child/2020-21-Q3/000009-x.parquet"]
)
def test_a_file_that_no_line_of_the_ledger_knows_is_a_fault(taken_in: Settings, name: str) -> None:
    extra = taken_in.data / name
    extra.parent.mkdir(parents=True, exist_ok=True)
    extra.write_bytes(next(taken_in.validated.glob("child/*/*.parquet")).read_bytes())
    assert any(str(extra) in line and "no line of the ledger" in line for line in _lines(taken_in))


def test_a_lost_quarter_is_a_fault(taken_in: Settings) -> None:
    for path in taken_in.validated.glob("child/2020-21-Q1/*"):
        path.unlink()
    path.parent.rmdir()
    (line,) = _lines(taken_in)
    assert "2020-21-Q1" in line
    assert "is missing" in line


def test_a_ledger_without_hashes_is_compared_by_rows(
    taken_in: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As version 0.1 left it: verdicts, but no event about files."""
    events = [event for event in Ledger(taken_in.ledger).events() if event["event"] != "stored"]
    taken_in.ledger.unlink()
    Ledger(taken_in.ledger).head_file.unlink()
    Ledger(taken_in.ledger).append(*events)
    assert _lines(taken_in) == []
    assert len(without_hashes(taken_in)) == 2
    path = next(taken_in.validated.glob("child/2020-21-Q2/*.parquet"))
    pl.read_parquet(path).with_columns(row_status=pl.lit("accepted")).write_parquet(path)
    (line,) = _lines(taken_in)
    assert "4 accepted rows of S000002" in line
    assert "the ledger 3" in line
    path.unlink()
    (line,) = _lines(taken_in)
    assert "has 0 rows of S000002" in line


def test_an_unfinished_batch_is_no_fault_and_leaves_nothing_behind(
    taken_in: Settings, tmp_path: Path
) -> None:
    """Killed between rows and layout; then another file comes, and the batch gets another name."""
    when = datetime(2020, 10, 13, tzinfo=UTC)
    first = workbook(tmp_path / "again.xlsx", children(2), Q2, version=2)
    receive(taken_in, DECLARATIONS, [Arrival(first, when)])
    to_raw(taken_in, DECLARATIONS, Q2)
    layout = max((taken_in.raw / "layout" / Q2.label).iterdir())
    layout.unlink()
    assert _lines(taken_in) == []
    second = workbook(tmp_path / "third.xlsx", children(1), Q2, version=3)
    receive(taken_in, DECLARATIONS, [Arrival(second, when)])
    to_raw(taken_in, DECLARATIONS, Q2)
    to_validated(taken_in, DECLARATIONS, [Q2])
    assert _lines(taken_in) == []
    assert len(list((taken_in.raw / "child" / Q2.label).iterdir())) == 2
