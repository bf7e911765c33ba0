"""Publishing: readers see the old warehouse or the new one, and nothing in between."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import CHECKOUT, Settings
from pipelines.warehouse.published import (
    WarehouseError,
    open_restricted,
    open_warehouse,
    prepare_build,
    publish,
)


def build(settings: Settings, amount: int, *names: str) -> None:
    prepare_build(settings)
    for name in names or ("warehouse", "restricted", "work"):
        with duckdb.connect(str(settings.build / f"{name}.duckdb")) as connection:
            connection.execute("create table figure as select ? as amount", [amount])


def published(settings: Settings) -> tuple[int, int]:
    amounts = []
    for open_one in (open_warehouse, open_restricted):
        with open_one(settings) as connection:
            row = connection.execute("select amount from figure").fetchone()
            assert row is not None
            amounts.append(row[0])
    return amounts[0], amounts[1]


@pytest.fixture
def first(settings: Settings) -> Settings:
    build(settings, 1)
    publish(settings)
    return settings


def test_a_finished_build_is_published_and_the_build_folder_is_empty(first: Settings) -> None:
    assert published(first) == (1, 1)
    assert sorted(path.name for path in first.marts.iterdir()) == [
        "SHA256SUMS",
        "parquet",
        "restricted.duckdb",
        "warehouse.duckdb",
    ]
    assert list(first.build.iterdir()) == []


def test_a_warehouse_that_was_never_built_is_told_so(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="run `adoption build`"):
        open_warehouse(settings)
    with pytest.raises(WarehouseError, match="does not exist yet"):
        open_restricted(settings)
    assert not settings.warehouse.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not rename over an open file")
def test_a_reader_keeps_the_old_rows_through_a_publish_and_the_next_sees_the_new(
    first: Settings,
) -> None:
    with open_warehouse(first) as reader:
        build(first, 2)
        publish(first)
        assert reader.execute("select amount from figure").fetchall() == [(1,)]
        # Another process: within one, DuckDB hands out the copy that is open already.
        program = (
            "import sys, duckdb; connection = duckdb.connect(sys.argv[1], read_only=True)\n"
            "print(connection.execute('select amount from figure').fetchone()[0])"
        )
        seen = subprocess.run(
            [sys.executable, "-c", program, str(first.warehouse)], capture_output=True, text=True
        )
        assert seen.stdout.strip() == "2", seen.stderr
        assert reader.execute("select count(*) from figure").fetchall() == [(1,)]
    assert published(first) == (2, 2)


def test_what_is_published_cannot_be_written_to(first: Settings) -> None:
    with open_warehouse(first) as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("create table mine as select 1")


@pytest.mark.parametrize("missing", ["warehouse", "restricted"])
def test_half_a_build_is_refused_and_nothing_changes(first: Settings, missing: str) -> None:
    build(first, 2, *({"warehouse", "restricted"} - {missing}))
    with pytest.raises(WarehouseError, match=rf"{missing}.duckdb is missing: the build did not"):
        publish(first)
    assert published(first) == (1, 1)


def test_no_build_at_all_is_refused(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="did not finish"):
        publish(settings)
    assert not settings.marts.exists()


@pytest.mark.parametrize("name", ["warehouse", "restricted"])
def test_a_stale_log_beside_the_published_file_is_refused_and_nothing_changes(
    first: Settings, name: str
) -> None:
    """DuckDB would replay it into the new file."""
    build(first, 2)
    stale = first.marts / f"{name}.duckdb.wal"
    stale.write_bytes(b"of another file")
    with pytest.raises(WarehouseError, match=r"\.wal is still there: close what writes to"):
        publish(first)
    stale.unlink()
    assert published(first) == (1, 1)
    publish(first)
    assert published(first) == (2, 2)


def test_changes_that_the_build_left_in_its_log_are_published_too(first: Settings) -> None:
    """A build that was killed after its last commit leaves a log; publishing folds it in."""
    build(first, 2)
    program = (
        "import os, sys, duckdb; connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('set checkpoint_threshold = \\'1TB\\'')\n"
        "connection.execute('update figure set amount = 3'); os._exit(9)"
    )
    path = first.build / "warehouse.duckdb"
    killed = subprocess.run([sys.executable, "-c", program, str(path)])
    assert killed.returncode == 9
    assert path.with_name("warehouse.duckdb.wal").exists()
    publish(first)
    assert published(first) == (3, 2)
    assert [item.name for item in first.marts.glob("*.wal")] == []


def test_every_build_starts_from_nothing(settings: Settings) -> None:
    build(settings, 1)
    for name in ("warehouse", "restricted", "work"):
        (settings.build / f"{name}.duckdb.wal").write_bytes(b"left-over")
    prepare_build(settings)
    assert list(settings.build.iterdir()) == []


def test_a_build_does_not_touch_what_is_published(first: Settings) -> None:
    before = first.warehouse.read_bytes()
    build(first, 2)
    assert first.warehouse.read_bytes() == before


def test_a_file_that_another_program_holds_is_told_in_words(
    first: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a file that is open cannot be renamed over."""
    build(first, 2)

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(13, "being used by another process")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(WarehouseError, match="open in another program: close it"):
            publish(first)
    assert published(first) == (1, 1)
    publish(first)
    assert published(first) == (2, 2)


def test_a_warehouse_as_of_a_time_lies_apart_from_the_published_one(settings: Settings) -> None:
    build(settings, 1)
    publish(settings)
    build(settings, 2)
    folder = settings.marts_as_of(datetime(2019, 12, 1, 10, 30))
    assert publish(settings, folder) == folder
    assert published(settings) == (1, 1)
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select amount from figure").fetchone() == (2,)
    assert folder.name == "2019-12-01T103000"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_only_the_owner_can_read_what_is_built_and_published(settings: Settings) -> None:
    program = (
        "import sys; from pathlib import Path; import duckdb, os\n"
        "from pipelines.settings import Settings, make_private\n"
        "from pipelines.warehouse.published import prepare_build, publish\n"
        "os.umask(0o022); make_private()\n"
        "settings = Settings(Path(sys.argv[1]), Path(sys.argv[1], 'unused'))\n"
        "prepare_build(settings)\n"
        "for name in ('warehouse', 'restricted'):\n"
        "    with duckdb.connect(str(settings.build / f'{name}.duckdb')) as connection:\n"
        "        connection.execute('create table t as select 1')\n"
        "publish(settings)"
    )
    subprocess.run([sys.executable, "-c", program, str(settings.data)], cwd=CHECKOUT, check=True)
    made = [settings.data, *settings.data.rglob("*")]
    assert settings.warehouse in made and settings.restricted in made
    assert [path for path in made if path.stat().st_mode & 0o077] == []
