"""One Dagster daemon for each data folder: two would take the same files in side by side.

The system holds the lock, on a file in Dagster's folder, so none is left behind by a process that
was killed. The daemon inherits it: should it outlive the program that started it, the lock does,
too. On a server ``flock`` takes the same lock (docs/operate.md).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = "daemon.lock"
_UNKNOWN = "by another process"
# Windows lets nobody read bytes that are locked; those of the holder's name are not.
_BEYOND_THE_NAME = 4096


@dataclass(frozen=True)
class DaemonLock:
    """``holder`` is who holds the lock; ``to_pass_on`` are descriptors that a daemon inherits."""

    is_held: bool
    holder: str
    to_pass_on: tuple[int, ...] = ()


@contextmanager
def daemon_lock(home: Path, name: str) -> Generator[DaemonLock]:
    """The lock of the daemon of ``home``, held meanwhile if nobody else has it."""
    descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if _lock(descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, name.encode("utf-8"))
            yield DaemonLock(True, name, () if os.name == "nt" else (descriptor,))
            os.ftruncate(descriptor, 0)  # the next one may be a program that writes no name
        else:
            holder = os.read(descriptor, _BEYOND_THE_NAME).decode("utf-8", "replace")
            yield DaemonLock(False, holder or _UNKNOWN)
    finally:
        os.close(descriptor)  # and with the last copy of it the lock is gone


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _BEYOND_THE_NAME, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
