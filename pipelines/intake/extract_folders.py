"""Folders of extracts in the inbox: made into returns beside them, and then taken in like any file.

Only the returns are kept. An extract may hold every child in care, and what is on no return is
nothing of ours: its files are removed as soon as the returns made of them lie in the inbox.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.extracts.conversion import convert
from pipelines.extracts.folders import files_of
from pipelines.extracts.sentences import CannotConvert, Sentence
from pipelines.extracts.written import write_converted
from pipelines.files import sha256_of
from pipelines.intake.inbox import settled
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import N_

NOT_CONVERTED = " - not converted"
WHY = "why.txt"
_NAME = re.compile(r"(?P<sender>[A-Z0-9_]+)(?: (?P<quarter>[0-9]{4}-[0-9]{2}-Q[1-4]))?")
# What file managers leave behind.
_NOBODYS = ("desktop.ini", "thumbs.db")

BAD_NAME = N_(
    "The folder has to be called by the code of its sender and the quarter, such as E06000023 "
    "2025-26-Q1, or by the code alone for yearly files: rename it."
)
OTHER_FILES = N_(
    "Files in the folder that are no part of an extract: {count}. Take them out, since the folder "
    "is removed once it has been converted."
)


@dataclass(frozen=True)
class Unconverted:
    """A folder that is left where it lies: still being copied, or renamed with the reason in it.

    ``reason`` names no file and nothing that is in one.
    """

    path: Path
    reason: str


def convert_folders(settings: Settings, declarations: Declarations) -> list[Unconverted]:
    """Make returns of the folders in the inbox; those that are left, and why.

    The name of a return made here ends with a part of its checksum: a run that is killed and
    repeated makes the same one again, and no other file is ever replaced. Raises LedgerBusy.
    """
    if not _folders(settings):
        return []
    with Ledger(settings.ledger).held():  # one at a time: two would remove what the other reads
        return list(_left(settings, declarations))


def _left(settings: Settings, declarations: Declarations) -> Iterator[Unconverted]:
    for folder in _folders(settings):
        files, others = _files(folder)
        _, arriving = settled([*files, *others])
        if arriving or not (files or others):
            yield Unconverted(folder, "it is still being copied, or empty")
            continue
        try:
            _convert(settings, declarations, folder, files, others)
        except CannotConvert as error:
            kept = _set_aside(folder, error)
            yield Unconverted(kept, f"it was not converted: see {WHY} in it")


def _folders(settings: Settings) -> list[Path]:
    if not settings.inbox.exists():
        return []
    return sorted(
        path
        for path in settings.inbox.iterdir()
        if path.is_dir()
        and not path.is_symlink()
        and not path.name.startswith(".")
        and NOT_CONVERTED not in path.name
    )


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of an extract, and any other that somebody put there."""
    files = files_of([folder])
    others = [
        path
        for path in folder.rglob("*")
        if not path.is_dir() and path not in files and not _is_nobodys(path)
    ]
    return files, others


def _is_nobodys(path: Path) -> bool:
    return path.name.startswith((".", "~$")) or path.name.casefold() in _NOBODYS


def _convert(
    settings: Settings,
    declarations: Declarations,
    folder: Path,
    files: list[Path],
    others: list[Path],
) -> None:
    named = _NAME.fullmatch(folder.name)
    if named is None or named["sender"] not in declarations.senders:
        raise CannotConvert([Sentence(BAD_NAME)])
    if others:
        raise CannotConvert([Sentence(OTHER_FILES, {"count": len(others)})])
    quarters = [Quarter.parse(named["quarter"])] if named["quarter"] else []
    conversion = convert(files, declarations, named["sender"], quarters)
    with tempfile.TemporaryDirectory(dir=settings.inbox, prefix=".convert-") as made:
        for path in write_converted(Path(made), conversion, declarations):
            name = f"{path.stem} {sha256_of(path)[:8]}{path.suffix}"
            path.rename(settings.inbox / name)
    # Last: until every return lies beside it, the folder is what a repeated run begins with.
    shutil.rmtree(folder)


def _set_aside(folder: Path, error: CannotConvert) -> Path:
    """Rename the folder, so that it is not tried again unchanged, and say in it why."""
    target = next(path for path in _free_names(folder) if not path.exists())
    (folder / WHY).write_text(
        f"{error.text('en')}\n\n{error.text('cy')}\n", encoding="utf-8", newline="\r\n"
    )
    folder.rename(target)
    return target


def _free_names(folder: Path) -> Iterator[Path]:
    yield folder.with_name(f"{folder.name}{NOT_CONVERTED}")
    for number in range(2, 1000):
        yield folder.with_name(f"{folder.name}{NOT_CONVERTED} {number}")
