"""Every damaged file of every room is noticed, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.files import CHECKSUMS, sha256_of, write_checksums
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.publication import enter_export
from pipelines.publishing.verification import verify
from pipelines.settings import Settings
from pipelines.warehouse.published import publish
from pipelines.warehouse.tables import write_tables
from tests.unit.marts_made import create_marts
from tests.unit.returns_made import DECLARATIONS, Q2, children, workbook


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two returns of a quarter in every room; the marts are empty, the exports made by hand."""
    home = tmp_path_factory.mktemp("rooms")
    settings = Settings(home / "data", home / "keys" / "pseudonym.key")
    for version, day in ((1, 12), (2, 13)):
        path = workbook(home / "return.xlsx", children(2 + version), version=version)
        receive(settings, DECLARATIONS, [Arrival(path, datetime(2020, 10, day, tzinfo=UTC))])
        to_raw(settings, DECLARATIONS, Q2)
        to_validated(settings, DECLARATIONS, [Q2])
    write_tables(settings, DECLARATIONS)
    settings.build.mkdir()
    with duckdb.connect(str(settings.build / "warehouse.duckdb")) as connection:
        create_marts(connection)
    with duckdb.connect(str(settings.build / "restricted.duckdb")) as connection:
        connection.execute("create schema marts")
    publish(settings)
    for version in (1, 2):
        export = settings.exports / Q2.label / str(version)
        export.mkdir(parents=True)
        for name in ("indicators.csv", "manifest.json"):
            (export / name).write_text(f"{{}} {name} {version}")
        write_checksums(export)
        now = datetime(2020, 11, version, tzinfo=UTC)
        enter_export(settings, Q2, version, sha256_of(export / CHECKSUMS), now)
    return settings


def _files(settings: Settings) -> Iterator[Path]:
    for room in ("landing/received", "raw", "validated", "marts", "exports"):
        for path in sorted((settings.data / room).rglob("*")):
            if path.is_file() and path.name != "key_id":
                yield path


def _damaged(content: bytes) -> Iterator[bytes | None]:
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    yield bytes(flipped)
    yield content[:-9]
    yield None


def test_nothing_is_wrong_with_what_was_not_touched(rooms: Settings) -> None:
    findings = verify(rooms, DECLARATIONS)
    assert (findings.faults, findings.remarks) == ([], [])
    assert set(findings.rooms) == {"landing", "raw", "validated", "marts", "exports", "releases"}
    assert all(count for room, count in findings.rooms.items() if room != "releases")


def test_every_damaged_file_of_every_room_is_noticed(rooms: Settings) -> None:
    files = list(_files(rooms))
    assert len(files) > 70
    unnoticed = []
    for path in files:
        content = path.read_bytes()
        for damaged in _damaged(content):
            if damaged is None:
                path.unlink()
            else:
                path.write_bytes(damaged)
            faults = verify(rooms, DECLARATIONS).faults
            # Of checksums that were damaged any file may be the one that does not fit them.
            named = path.parent if path.name == CHECKSUMS else path
            if not any(str(named) in fault for fault in faults):
                unnoticed.append(path)
            assert all(": " in fault for fault in faults), "each says what to do"
            path.write_bytes(content)
    assert unnoticed == []
    assert verify(rooms, DECLARATIONS).faults == []


@pytest.mark.parametrize(
    "name",
    [
        "landing/received/extra.xlsx",
        "raw/child/2020-21-Q2/extra.parquet",
        "validated/child/2020-21-Q2/extra.parquet",
        "validated/extra.parquet",
        "marts/extra.duckdb",
        "marts/parquet/extra.parquet",
        "exports/2020-21-Q2/extra.csv",
        "exports/2020-21-Q2/1/extra.csv",
        "exports/2020-21-Q2/3/indicators.csv",
        "releases/nas/2020-21-Q2/1/figures.csv",
        "released_values/extra.parquet",
    ],
)
def test_a_file_too_many_is_noticed_in_every_room(rooms: Settings, name: str) -> None:
    path = rooms.data / name
    created = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"extra")
    faults = verify(rooms, DECLARATIONS).faults
    path.unlink()
    for folder in created:
        folder.rmdir()
    assert faults
    assert all(str(path) in fault or str(path.parent) in fault for fault in faults)


@pytest.mark.parametrize("lost", ["exports/2020-21-Q2", "exports/2020-21-Q2/2", "exports"])
def test_a_lost_export_is_noticed(rooms: Settings, tmp_path: Path, lost: str) -> None:
    shutil.move(rooms.data / lost, tmp_path / "aside")
    faults = verify(rooms, DECLARATIONS).faults
    shutil.move(tmp_path / "aside", rooms.data / lost)
    assert any("exports/2020-21-Q2/2 is missing" in Path(fault).as_posix() for fault in faults)
