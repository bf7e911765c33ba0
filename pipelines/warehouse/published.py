"""Publishing a finished warehouse, and opening the published one.

dbt builds in ``build/``; nobody else opens those files. A finished build is checkpointed,
flushed and renamed over the published file. Readers who hold the old file keep their consistent
old copy; whoever opens next sees the new one. The public tables lie beside it as Parquet, for tools
that do not know DuckDB.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pipelines.files import replace_durably, write_checksums
from pipelines.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

PUBLISHED = ("warehouse", "restricted")
BUILT = (*PUBLISHED, "work")


class WarehouseError(Exception):
    """The warehouse cannot be built, published or opened; the message says why."""


def prepare_build(settings: Settings) -> None:
    """An empty build folder: every build starts from the files alone."""
    settings.build.mkdir(parents=True, exist_ok=True)
    for name in BUILT:
        for path in (_built(settings, name), _wal(_built(settings, name))):
            path.unlink(missing_ok=True)


def publish(settings: Settings, folder: Path | None = None) -> Path:
    """Swap the finished build in and return its folder: the published one, unless another is given.

    Raises WarehouseError, and changes nothing, if the build is not finished.
    """
    import shutil

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
    folder.mkdir(parents=True, exist_ok=True)
    parquet = folder / f".{PARQUET}.part"
    shutil.rmtree(parquet, ignore_errors=True)
    # Written before anything is swapped: a full disk leaves everything as it was.
    write_parquet(_built(settings, "warehouse"), parquet)
    for name in PUBLISHED:
        built = _built(settings, name)
        with _refused_if_open(folder / built.name):
            replace_durably(built, folder / built.name)
    with _refused_if_open(folder / PARQUET):
        replace_folder(parquet, folder / PARQUET)
    write_checksums(folder, is_of_another_build)
    _built(settings, "work").unlink(missing_ok=True)
    return folder


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
