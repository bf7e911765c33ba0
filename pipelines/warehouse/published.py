"""Publishing a finished warehouse, and opening the published one.

dbt builds in ``build/``; nobody else opens those files. A finished build is checkpointed,
flushed and renamed over the published file. Readers who hold the old file keep their consistent
old copy; whoever opens next sees the new one. The public tables lie beside it as Parquet, for tools
that do not know DuckDB.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pipelines.files import (
    beside,
    make_folder,
    replace_durably,
    write_checksums,
    write_json,
    write_whole,
)
from pipelines.program import this_program
from pipelines.settings import Settings
from pipelines.system_errors import FULL

if TYPE_CHECKING:
    import duckdb

PUBLISHED = ("warehouse", "restricted")
DBT_FOLDER = "dbt"
FINISHED = "finished.json"
MADE_BY = "made_by.json"


class WarehouseError(Exception):
    """The warehouse cannot be built, published or opened; the message says why."""


def prepare_build(settings: Settings) -> None:
    """An empty build folder: every build starts from the files alone.

    What a build that was killed left there goes too: databases, their logs, DuckDB's temporary
    folders. dbt's own folder stays, which spares it from parsing everything anew.
    """
    settings.build.mkdir(parents=True, exist_ok=True)
    for path in settings.build.iterdir():
        if path.name == DBT_FOLDER:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def end_dbt_left_behind(target: Path) -> None:
    """End the dbt of a build that was killed: it goes on alone, and would write into this build.

    The caller has the turn to build, so nobody else's dbt works in ``target``. Where the system
    shows no environments of processes (all but Linux) DuckDB refuses the second writer instead.
    """
    sign = f"DBT_TARGET_PATH={target}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if sign not in (process / "environ").read_bytes().split(b"\0"):
                continue
            os.kill(int(process.name), signal.SIGKILL)
            while process.exists() and b") Z" not in (process / "stat").read_bytes():
                time.sleep(0.01)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue  # gone, or somebody else's


def finish_build(settings: Settings, as_of: datetime | None, validated_files: int) -> None:
    """Note that every model was built and every check passed, and from what."""
    content = {"as_of": as_of.isoformat() if as_of else None, "validated_files": validated_files}
    write_whole(settings.build / FINISHED, lambda path: write_json(path, content))


def finished_build(settings: Settings) -> tuple[datetime | None, int]:
    """``as_of`` (UTC) of the finished build, None if it is the current one, and how many validated
    files are in it. Raises WarehouseError when no build is finished."""
    try:
        content = json.loads((settings.build / FINISHED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WarehouseError(
            f"there is no finished build in {settings.build}: run `adoption build`"
        ) from None
    as_of = content["as_of"]
    return datetime.fromisoformat(as_of) if as_of else None, content["validated_files"]


@contextmanager
def said_of_a_full_disk(folder: Path) -> Generator[None]:
    """Whatever fails because ``folder`` is full becomes a WarehouseError that names it."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        # dbt and DuckDB have errors of their own for it, and some of the room may be free again.
        if (
            not isinstance(error, OSError)
            and "No space left" not in str(error)
            and shutil.disk_usage(folder).free >= FULL
        ):
            raise
        raise WarehouseError(
            f"no space is left in {folder}; what was published stays as it was: make room and "
            "build again"
        ) from None


def publish(settings: Settings, folder: Path | None = None) -> Path:
    """Swap the finished build in and return its folder: the published one, unless another is given.

    The build may lie on another volume. Raises WarehouseError, and changes nothing, if the build is
    not finished or the disk is full.
    """
    import duckdb

    from pipelines.warehouse.parquet import PARQUET, replace_folder, write_parquet

    folder = folder or settings.marts
    for name in PUBLISHED:
        built = _built(settings, name)
        if not built.exists():
            raise WarehouseError(f"{built} is missing: the build did not finish")
        with duckdb.connect(str(built)) as connection:
            connection.execute("checkpoint")
        for path in (built, folder / built.name):
            # DuckDB 1.5 silently replays a stale write-ahead log beside a renamed-in file.
            if _wal(path).exists():
                raise WarehouseError(f"{_wal(path)} is still there: close what writes to {path}")
    make_folder(folder)
    parquet = folder / f".{PARQUET}.part"
    shutil.rmtree(parquet, ignore_errors=True)
    # Written before anything is swapped: a full disk leaves everything as it was.
    finished: list[Path] = []
    try:
        with said_of_a_full_disk(folder), _refused_if_open(folder):
            write_parquet(_built(settings, "warehouse"), parquet)
            for name in PUBLISHED:
                finished.append(beside(_built(settings, name), folder))
    except WarehouseError:
        for path in finished:
            path.unlink()
        shutil.rmtree(parquet, ignore_errors=True)
        raise
    for path, name in zip(finished, PUBLISHED, strict=True):
        target = folder / _built(settings, name).name
        with _refused_if_open(target):
            replace_durably(path, target)
    with _refused_if_open(folder / PARQUET):
        replace_folder(parquet, folder / PARQUET)
    write_whole(folder / MADE_BY, lambda path: write_json(path, this_program()))
    write_checksums(folder, is_of_another_build)
    prepare_build(settings)
    return folder


def made_by(settings: Settings) -> dict[str, str] | None:
    """Which program made the published warehouse (:func:`pipelines.program.this_program`); None
    where it does not say: it was published before that was noted, or ``verify`` names the file."""
    try:
        content = json.loads((settings.marts / MADE_BY).read_text(encoding="utf-8"))
        return {name: str(content[name]) for name in this_program()}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_of_another_build(path: PurePath) -> bool:
    """Whether a path inside the marts room belongs to a warehouse as of a moment."""
    return path.parts[0] == "as_of"


@contextmanager
def _refused_if_open(path: Path) -> Generator[None]:
    """Say which file to close: Windows does not rename over an open one."""
    try:
        yield
    except PermissionError as error:
        raise WarehouseError(
            f"{path} is open in another program: close it and build again"
        ) from error


def open_warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Read-only connection to the published warehouse."""
    return _open(settings.warehouse)


def open_for_questions(
    settings: Settings, *, restricted: bool = False
) -> duckdb.DuckDBPyConnection:
    """Connection for statements that a person types: it reads the warehouse's tables, nothing else.

    ``restricted`` attaches the case-level marts. Read-only alone would not do: ``copy … to``
    overwrote a published file, ``read_text`` showed the pseudonym key, ``attach`` opened the
    restricted file, and extensions were fetched from the network. Raises WarehouseError.
    """
    connection = open_warehouse(settings)
    if restricted:
        if not settings.restricted.exists():
            connection.close()
            raise WarehouseError(
                f"{settings.restricted} does not exist: this copy of the warehouse has no "
                "restricted tables"
            )
        path = str(settings.restricted).replace("'", "''")
        connection.execute(f"attach '{path}' as restricted (read_only)")
    for setting in (
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",  # the last: nothing typed can take the others back
    ):
        connection.execute(f"set {setting}")
    return connection


def open_restricted(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Read-only connection to the case-level marts."""
    return _open(settings.restricted)


def open_warehouse_as_of(settings: Settings, as_of: datetime) -> duckdb.DuckDBPyConnection:
    """Read-only connection to a warehouse that was built as of a moment."""
    return _open(settings.marts_as_of(as_of) / settings.warehouse.name)


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    if not path.exists():
        raise WarehouseError(f"{path} does not exist yet: run `adoption build`")
    return duckdb.connect(str(path), read_only=True)


def _built(settings: Settings, name: str) -> Path:
    return settings.build / f"{name}.duckdb"


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
