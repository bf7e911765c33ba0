"""The inbox: which files lie there, and which of them have arrived whole.

Every way in asks here before a file is taken: the command line, a run's own step and the sensor.
What is still being copied is left for the next look. A half-copied return that is taken is
refused, and its other half is lost with the file that was removed under its writer.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import Settings

# Ends of names under which browsers and copying programs write until a file is whole.
TEMPORARY = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download")

# Two looks that are this far apart show a copy that goes on.
SECONDS_BETWEEN_LOOKS = 1.0

# How long an archive whose end is missing must have lain still before it counts as damaged, not as
# half copied: a copy over a network was seen to stand still for half a minute.
SECONDS_OF_STILLNESS = 60.0

_END_OF_ARCHIVE = b"PK\x05\x06"
_LONGEST_END = 22 + 65_535  # the end record and its longest comment


@dataclass(frozen=True)
class StillArriving:
    """A file that is left where it lies. ``reason`` names neither the file nor what is in it."""

    path: Path
    reason: str


def waiting_files(settings: Settings) -> list[Path]:
    """Files in the inbox, oldest first, without those whose name marks them as half copied."""
    if not settings.inbox.exists():
        return []
    files = [
        path
        for path in settings.inbox.iterdir()
        if path.is_file()
        and not path.is_symlink()  # a link could name a file that nobody delivered
        and not _has_temporary_name(path)
    ]
    return sorted(files, key=lambda path: (_written_at(path), path.name))


def settled(paths: Iterable[Path], wait: float = 0.0) -> tuple[list[Path], list[StillArriving]]:
    """Look at files twice or, for up to ``wait`` seconds, until all have arrived.

    Those that have arrived whole, in the order given, and those that have not.
    """
    paths = list(paths)
    until = time.monotonic() + wait
    reasons: dict[Path, str | None] = dict.fromkeys(paths, "")
    while arriving := [path for path, reason in reasons.items() if reason is not None]:
        looks = {look_at(path) for path in arriving}
        time.sleep(SECONDS_BETWEEN_LOOKS)
        reasons |= {path: why_still_arriving(path, looks) for path in arriving}
        if time.monotonic() >= until:
            break
    return (
        [path for path, reason in reasons.items() if reason is None],
        [StillArriving(path, reason) for path, reason in reasons.items() if reason is not None],
    )


def look_at(path: Path) -> str | None:
    """What a later look is compared with: name, size and time, hashed, since a name may hold what
    must not be kept. None where the file is gone, or cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    look = f"{path}|{status.st_size}|{status.st_mtime_ns}"
    return hashlib.sha256(look.encode("utf-8", "surrogateescape")).hexdigest()


def why_still_arriving(path: Path, earlier_looks: Collection[str | None]) -> str | None:
    """Why a file is left for the next look, as the end of a sentence; None when it is whole.

    ``earlier_looks`` are of :func:`look_at`, from at least a second ago.
    """
    look = look_at(path)
    if look is None:
        return "it is gone or cannot be seen"
    if _has_temporary_name(path):
        return "its name says that it is still being copied"
    if look not in earlier_looks:
        return "it changed between two looks"
    try:
        if is_being_written(path):
            return "another program has it open for writing"
        is_still = abs(time.time() - path.stat().st_mtime) > SECONDS_OF_STILLNESS
        if not is_still and not _has_its_end(path):
            return "its end is missing and it was written to a moment ago"
    except OSError:
        return "it cannot be opened"
    return None


def is_being_written(path: Path) -> bool:
    """Whether any program has the file open for writing, where the system can tell.

    Linux grants a read lease only on a file that nobody writes to. Windows refuses to open a file
    that is being copied. Elsewhere, and on a network drive, nothing is known. Raises OSError.
    """
    if sys.platform != "linux":
        with path.open("rb"):
            return False
    import fcntl
    import signal

    with path.open("rb") as handle:
        try:
            # A writer that comes while the lease is held has us signalled, by SIGIO if nothing is
            # said, which would end the process; SIGURG is ignored.
            fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN  # any other: no leases here, or not our file
    return False


def _has_its_end(path: Path) -> bool:
    """Whether an archive ends as archives do, with the place of its table of contents.

    What is no archive by its first bytes has no end to look for. An empty file, and one whose room
    was reserved and not filled yet, may become one.
    """
    with path.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(0)
        if handle.read(2) not in (b"PK", b"P", b"\0\0", b"\0", b""):
            return True
        start = max(size - _LONGEST_END, 0)
        handle.seek(start)
        tail = handle.read()
    at = tail.rfind(_END_OF_ARCHIVE)
    if at < 0 or len(tail) < at + 22:
        return False
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    place = int.from_bytes(tail[at + 16 : at + 20], "little")
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    # An archive inside the archive ends likewise, but counts from its own first byte.
    is_outermost = place == 0xFFFFFFFF or place + length == start + at
    return is_outermost and len(tail) >= at + 22 + comment


def _has_temporary_name(path: Path) -> bool:
    return path.name.startswith((".", "~$")) or path.name.lower().endswith(TEMPORARY)


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # gone again
        return 0
