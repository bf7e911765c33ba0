"""Publishing: readers see the old warehouse or the new one, and nothing in between."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import CHECKOUT, Settings
from pipelines.warehouse.published import (
    WarehouseError,
    end_dbt_left_behind,
    finish_build,
    finished_build,
    open_restricted,
    open_warehouse,
    prepare_build,
    publish,
    said_of_a_full_disk,
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
        "made_by.json",
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


# --- another volume, a full disk, a build that was killed ----------------------------------------


def across_volumes(monkeypatch: pytest.MonkeyPatch, one: Path, other: Path) -> None:
    """Renaming between the two folders fails as it does from one volume to another."""
    rename = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(source).is_relative_to(one) and Path(target).is_relative_to(other):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)


def test_build_and_marts_may_lie_on_two_volumes(
    first: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    across_volumes(monkeypatch, first.build, first.marts)
    build(first, 2)
    publish(first)
    assert published(first) == (2, 2)
    assert list(first.build.iterdir()) == []
    assert not list(first.marts.glob(".*"))


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system")
def test_a_real_second_volume(first: Settings) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != first.marts.stat().st_dev
        first.build.rmdir()
        first.build.symlink_to(folder)
        build(first, 2)
        publish(first)
    assert published(first) == (2, 2)


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def full_for_duckdb(*_: object) -> None:
    raise duckdb.IOException('Could not write file "x": No space left on device')


@pytest.mark.parametrize(
    ("place", "fails"),
    [
        ("pipelines.warehouse.parquet.write_parquet", full_for_duckdb),
        ("pipelines.warehouse.parquet.write_parquet", full),
        ("shutil.copyfile", full),
    ],
)
def test_a_full_disk_is_named_and_what_is_published_stays(
    first: Settings,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    fails: Callable[..., None],
) -> None:
    build(first, 2)
    with monkeypatch.context() as patched:
        across_volumes(patched, first.build, first.marts)
        patched.setattr(place, fails)
        with pytest.raises(WarehouseError, match=rf"^no space is left in {first.marts};"):
            publish(first)
    assert published(first) == (1, 1)
    assert not list(first.marts.glob(".*.part"))
    publish(first)  # the build is still there, once there is room
    assert published(first) == (2, 2)


def test_an_error_of_another_kind_is_not_put_down_to_the_disk(settings: Settings) -> None:
    settings.data.mkdir(parents=True)
    with pytest.raises(KeyError), said_of_a_full_disk(settings.data):
        raise KeyError
    with pytest.raises(PermissionError), said_of_a_full_disk(settings.data):
        raise PermissionError


def test_a_build_says_what_it_was_made_from_only_once_it_is_finished(settings: Settings) -> None:
    moment = datetime(2021, 5, 1, 12)
    build(settings, 1)
    with pytest.raises(WarehouseError, match=r"no finished build in .*: run `adoption build`"):
        finished_build(settings)
    finish_build(settings, moment, 7)
    assert finished_build(settings) == (moment, 7)
    finish_build(settings, None, 8)
    assert finished_build(settings) == (None, 8)
    prepare_build(settings)  # the next build begins
    with pytest.raises(WarehouseError):
        finished_build(settings)


def test_what_a_killed_build_left_is_removed_except_what_dbt_parsed(settings: Settings) -> None:
    for name in ("work.duckdb.tmp/block", "dbt/partial_parse.msgpack"):
        path = settings.build / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    (settings.build / ".finished.json.part").write_bytes(b"{")
    prepare_build(settings)
    left = [path.name for path in settings.build.rglob("*")]
    assert sorted(left) == ["dbt", "partial_parse.msgpack"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")
def test_the_dbt_of_a_killed_build_is_ended_and_no_other(settings: Settings) -> None:
    target = settings.build / "dbt"

    def dbt(folder: Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DBT_TARGET_PATH": str(folder)}
        command = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline()
        return process

    left_behind, another = dbt(target), dbt(settings.build / "dbt-of-somebody-else")
    try:
        end_dbt_left_behind(target)
        assert left_behind.wait(10) == -9
        assert another.poll() is None
    finally:
        another.kill()
        another.wait()
