"""A command on a data folder of which one room is a volume of its own, and full.

    unshare -Urm python -m tests.faults.full_disk DATA KEY ROOM COMMAND…

The room's content goes onto a file system in memory, which then has a few kilobytes left; the
command is run, room is made, and it is run again. What came of it is printed as JSON.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.files import sha256_of
from pipelines.publishing.verification import verify
from pipelines.settings import SOURCES, Settings
from tests.faults.loaded_program import start

OLD, NEW = b"old" * 1000, b"new" * 100_000
FREE = 4  # kilobytes


def volume(folder: Path) -> None:
    """Mount a file system in memory in the place of ``folder``, with its content, and fill it."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.mkdir(exist_ok=True)
    shutil.copytree(folder, aside)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=0700", "tmpfs", folder], check=True)
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    shutil.rmtree(aside)
    (folder / "straight").write_bytes(OLD)
    used = shutil.disk_usage(folder).used // 1024
    make_room(folder, used + FREE)


def make_room(folder: Path, kilobytes: int) -> None:
    """Change the size of the volume."""
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", folder], check=True)


def is_damaged_when_written_straight(path: Path) -> bool:
    """Whether a file on a full volume is neither the old nor the new one after it was written over,
    not beside it."""
    with contextlib.suppress(OSError):
        path.write_bytes(NEW)
    is_damaged = path.read_bytes() not in (OLD, NEW)
    path.unlink()
    return is_damaged


def bytes_of(*folders: Path) -> dict[str, str]:
    return {
        str(path): sha256_of(path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.parts)
    }


if __name__ == "__main__":
    data, key, room, *command = sys.argv[1:]
    settings = Settings(Path(data), Path(key))
    shown = settings.marts, settings.exports, settings.releases
    before = bytes_of(*shown)
    volume(settings.data / room)
    is_damaged = is_damaged_when_written_straight(settings.data / room / "straight")
    refused = start(settings, *command)
    refused.process.join()
    after = bytes_of(*shown)
    make_room(settings.data / room, 1_000_000)
    again = start(settings, *command)
    again.process.join()
    left = [path for path in settings.data.rglob(".*") if settings.dagster_home not in path.parents]
    came = {
        "control_is_damaged": is_damaged,
        "exit": refused.process.exitcode,
        "said": refused.printed,
        "is_untouched": after == before,
        "exit_again": again.process.exitcode,
        "said_again": again.printed,
        "faults": list(map(str, verify(settings, Declarations(SOURCES)).faults)),
        "left": list(map(str, left)),
    }
    print(json.dumps(came))
