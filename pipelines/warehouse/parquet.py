"""The public tables as Parquet files, for tools that do not know DuckDB."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.files import sync_folder
from pipelines.text.catalogue import LANGUAGES, Language, translations

if TYPE_CHECKING:
    import duckdb

PARQUET = "parquet"


def internal_notice(language: Language) -> str:
    """What every copy of the warehouse says of itself."""
    return translations(language).gettext(
        "Internal use only: not disclosure controlled. Do not pass on."
    )


def write_parquet(warehouse: Path, folder: Path) -> list[Path]:
    """One Parquet file for each table of ``marts`` in the file ``warehouse``, in a new ``folder``.

    The same warehouse gives the same bytes, whatever the number of threads. Comments travel in each
    file's own metadata: ``table``, ``description``, ``columns`` (JSON, name to comment) and
    ``notice``.
    Views stay out: the only one, 2 million rows of words repeated, takes 12 seconds. Snappy, since
    every reader of Parquet has it.
    """
    import duckdb

    folder.mkdir(parents=True)
    written = []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table, described in public_tables(connection):
            path = folder / f"{table}.parquet"
            metadata = {
                "table": f"marts.{table}",
                "description": described or "",
                "columns": json.dumps(_comments(connection, table), ensure_ascii=False),
                "notice": " ".join(internal_notice(language) for language in LANGUAGES),
            }
            pairs = ", ".join(f'"{key}": {_quoted(value)}' for key, value in metadata.items())
            connection.execute(
                # One file at a time, its rows in the table's own order: the same bytes whatever the
                # threads.
                f'copy marts."{table}" to {_quoted(str(path))} '
                f"(format parquet, compression snappy, kv_metadata {{{pairs}}})"
            )
            with path.open("rb+") as handle:
                os.fsync(handle.fileno())
            written.append(path)
    sync_folder(folder)
    return written


def replace_folder(finished: Path, folder: Path) -> None:
    """Rename ``finished`` to ``folder`` and remove what was there.

    No system swaps two folders in one step everywhere: between the two renames, some microseconds,
    there is none. Readers find the old files or the new ones, never half of one.
    """
    aside = folder.with_name(f".{folder.name}.old")
    # Left by a process that was killed between the two renames.
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        os.replace(folder, aside)
    os.replace(finished, folder)
    sync_folder(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def public_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str | None]]:
    """Name and comment of each mart of the public warehouse, by name."""
    return connection.execute(
        "select table_name, comment from duckdb_tables() where schema_name = 'marts' "
        "and not internal order by table_name"
    ).fetchall()


def _comments(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, coalesce(comment, '') from duckdb_columns() "
        "where schema_name = 'marts' and table_name = ? order by column_index",
        [table],
    )
    return dict(rows.fetchall())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
