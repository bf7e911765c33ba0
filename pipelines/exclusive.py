"""One process at a time: locks on files that the operating system holds.

A killed process frees what it held, whatever it was doing; nothing has to be tidied up by hand.
What a process holds it may take again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

WAIT_SECONDS = 600.0
_LOOK_EVERY_SECONDS = 0.2


class Busy(Exception):
    """Another process holds the lock; the message says which, since when, and what it does."""


@dataclass
class _Held:
    handle: IO[bytes]
    times: int


_HELD: dict[Path, _Held] = {}  # by this process


@contextmanager
def exclusive(
    path: Path,
    doing: str,
    wait: float = WAIT_SECONDS,
    say: Callable[[str], object] = lambda line: None,
) -> Generator[None]:
    """Hold the lock on ``path`` while ``doing`` something, such as "building the warehouse".

    While another process holds it, wait up to ``wait`` seconds, and ``say`` once for whom. Raises
    Busy after that.
    """
    until = time.monotonic() + wait
    is_said = False
    while True:
        try:
            take(path, doing)
            break
        except Busy as busy:
            if time.monotonic() >= until:
                raise Busy(f"{busy}; gave up after {wait:.0f} seconds") from None
            if not is_said:
                say(f"{busy}; waiting up to {wait:.0f} seconds")
                is_said = True
            time.sleep(_LOOK_EVERY_SECONDS)
    try:
        yield
    finally:
        give_back(path)


def take(path: Path, doing: str) -> None:
    """Take the lock on ``path``, once more if this process holds it. Raises Busy at once."""
    held = _HELD.get(path)
    if held is not None:
        held.times += 1
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+b")
    try:
        lock(handle)
    except OSError:
        handle.close()
        raise Busy(_holder(path)) from None
    about = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(), "doing": doing}
    handle.truncate(0)
    handle.write(json.dumps(about).encode("utf-8"))
    handle.flush()
    _HELD[path] = _Held(handle, 1)


def give_back(path: Path) -> None:
    """Give a lock back as often as it was taken; then another process may have it."""
    held = _HELD[path]
    held.times -= 1
    if held.times == 0:
        del _HELD[path]
        held.handle.truncate(0)
        held.handle.flush()
        unlock(held.handle)
        held.handle.close()


def is_left_behind(path: Path) -> bool:
    """Whether a process that held the lock on ``path`` ended without giving it back."""
    if path in _HELD or not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb+") as handle:
        try:
            lock(handle)
        except OSError:
            return False
        unlock(handle)
        return True


def _holder(path: Path) -> str:
    """Who holds the lock, as it wrote itself down."""
    try:
        about = json.loads(path.read_bytes())
        since = datetime.fromisoformat(about["since"])
        return f"process {about['pid']} is {about['doing']} since {since:%Y-%m-%d %H:%M:%S} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        return f"another process holds {path}"


if os.name == "nt":
    import msvcrt

    # Others cannot read what is locked: one byte far behind everything that is written.
    _PLACE = 1 << 30

    def lock(handle: IO[Any]) -> None:
        """Lock an open file. Raises OSError when another process, or another handle, holds it."""
        handle.seek(_PLACE)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

    def unlock(handle: IO[Any]) -> None:
        """Free a file for others."""
        handle.seek(_PLACE)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(handle: IO[Any]) -> None:
        """Lock an open file. Raises OSError when another process, or another handle, holds it."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(handle: IO[Any]) -> None:
        """Free a file for others."""
        fcntl.flock(handle, fcntl.LOCK_UN)
