"""The publishing core: files and folders that are whole or not there, and still what was written.

Whoever publishes (internal files, releases, analyst extracts, the warehouse) writes into a folder
beside the target, notes the checksums, and has the folder renamed into place. A crash leaves the
old one or the new one, never half of either.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

CHECKSUMS = "SHA256SUMS"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """``write`` fills a temporary neighbour of ``path``, which is then renamed into place."""
    make_folder(path.parent)
    temporary = _part_of(path)
    write(temporary)
    replace_durably(temporary, path)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make ``folder``, with its parents, so that their names survive a power loss.

    What is flushed in a folder whose own name is lost cannot be found.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode, parents=True, exist_ok=True)
    for path in made:
        sync_folder(path.parent)


def _part_of(path: Path) -> Path:
    """What ``path`` is called until it is whole."""
    return path.with_name(f".{path.name}.part")


def replace_durably(finished: Path, path: Path) -> None:
    """Rename ``finished`` to ``path`` and make both the bytes and the name survive a power loss.

    Without the folder's fsync 99 of 250 simulated power losses fell back to an older file.
    """
    # Opened for writing because Windows refuses to flush a read-only handle.
    with finished.open("rb+") as handle:
        os.fsync(handle.fileno())
    os.replace(finished, path)
    sync_folder(path.parent)


def beside(finished: Path, folder: Path) -> Path:
    """Move ``finished`` into ``folder`` under a name of its own, from which it can be renamed.

    Nothing can be renamed from one volume to another: there it is copied, and stays where it was.
    Raises OSError, and leaves no half of a copy.
    """
    part = _part_of(folder / finished.name)
    try:
        os.replace(finished, part)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        try:
            shutil.copyfile(finished, part)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    return part


def flush_folder(folder: Path) -> None:
    """Make every file in ``folder``, and all names there, survive a power loss."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path.parent)
        else:
            replace_durably(path, path)


def put_folder_into_place(finished: Path, target: Path, *, for_everybody: bool = False) -> None:
    """Flush the files of ``finished`` and rename it to ``target``, which is not there yet.

    ``for_everybody`` opens it to readers of other accounts, which the mask of the process denies.
    Raises OSError, and leaves ``target`` absent.
    """
    # Files before the folder: after a crash the folder's name must not promise bytes that are not
    # there.
    if for_everybody:
        for path in finished.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    flush_folder(finished)
    make_folder(target.parent)
    if for_everybody:
        finished.chmod(0o755)
    finished.replace(target)
    sync_folder(target.parent)


def latest_version(home: Path) -> int:
    """Number of the newest version in ``home``, whose folders are called 1, 2, 3; 0 without any."""
    if not home.exists():
        return 0
    return max((int(path.name) for path in home.iterdir() if path.name.isdigit()), default=0)


def sync_folder(folder: Path) -> None:
    """Make new names in ``folder`` survive a power loss."""
    if os.name == "nt":  # Windows has no handle on a folder to flush
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: object) -> None:
    """JSON with sorted keys, the same bytes on every machine."""
    path.write_text(
        json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n",
        encoding="utf-8",
        newline="\n",
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_checksums(folder: Path, leave_out: Callable[[PurePath], bool] = lambda _: False) -> None:
    """``SHA256SUMS`` of every file there is, as ``sha256sum --check`` reads it.

    ``leave_out`` is asked about each path inside the folder.
    """
    # Left by a crash it would be listed, and gone as soon as the list is in its place.
    _part_of(folder / CHECKSUMS).unlink(missing_ok=True)
    text = "".join(
        f"{sha256_of(folder / name)}  {name}\n" for name in sorted(_files_in(folder, leave_out))
    )
    write_whole(
        folder / CHECKSUMS, lambda path: path.write_text(text, encoding="utf-8", newline="\n")
    )


def changed_files(
    folder: Path, leave_out: Callable[[PurePath], bool] = lambda _: False
) -> list[str]:
    """Files of ``folder`` that were changed, removed or added since its checksums were written.

    Without readable checksums their own name: then nothing can be said of the others.
    """
    listed = checksums_in(folder)
    if not listed:
        return [CHECKSUMS]
    present = _files_in(folder, leave_out)
    return sorted(
        name
        for name in present | set(listed)
        if name not in listed or name not in present or sha256_of(folder / name) != listed[name]
    )


def checksums_in(folder: Path) -> dict[str, str]:
    """What ``SHA256SUMS`` of a folder lists, by path inside it; nothing where it is unreadable."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _files_in(folder: Path, leave_out: Callable[[PurePath], bool]) -> set[str]:
    inside = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix() for path in inside if not leave_out(path)} - {CHECKSUMS}


def write_csv(frame: pl.DataFrame, path: Path | IO[bytes]) -> None:
    """UTF-8 CSV in which no text cell can become a formula of a spreadsheet (CWE-1236)."""
    import polars as pl

    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    frame.with_columns(
        # Also behind spaces and as full-width signs, which spreadsheets take for the plain ones;
        # quotation marks around a cell do not help.
        pl.when(pl.col(text).str.strip_chars(" ").str.slice(0, 1).is_in(FORMULA_STARTS))
        .then(pl.lit("'") + pl.col(text))
        .otherwise(pl.col(text))
        .name.keep()
    ).write_csv(path)


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """CSV whose empty texts are empty cells, which Polars would write as two quotation marks."""
    import polars as pl

    text = pl.col(pl.String)
    write_csv(frame.with_columns(pl.when(text != "").then(text).name.keep()), path)
