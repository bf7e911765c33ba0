"""What a disk may hold after the power failed, from a log of what a program did to its files.

Only what was flushed is sure. Of everything later any part may have reached the disk: none of it,
some writes without others, half of a write. Names in one folder change in order, but any number of
the last changes may be lost; other folders may be further on. A flushed file whose name was not
flushed cannot be found. That is more than a common file system would do, and all of it is allowed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pipelines.settings import CHECKOUT

SECTOR = 512  # bytes that a disk writes whole
ACKNOWLEDGED = ".acknowledged"  # a program writes there what it has promised, one line each

Content = bytes | dict[str, "Content"]


@dataclass(eq=False)
class _Node:
    """A file or a folder, whatever it is called: what was flushed, and what was not."""

    is_folder: bool
    data: bytes = b""
    names: dict[str, _Node] = field(default_factory=dict)
    loose_data: list[tuple[int, bytes | None]] = field(default_factory=list)  # None cuts at offset
    loose_names: list[_Naming] = field(default_factory=list)


@dataclass(eq=False)
class _Naming:
    """``node`` gets a name in a folder, or loses one: (folder, name) each."""

    node: _Node
    gained: tuple[_Node, str] | None
    lost: tuple[_Node, str] | None


@dataclass(frozen=True)
class Step:
    """One entry of the log. ``path`` is inside the folder that was watched."""

    kind: str
    path: Path
    target: Path
    offset: int
    data: bytes


class Disk:
    """A folder as it was before, and what a program did to it since."""

    def __init__(self, before: Path) -> None:
        self.root = _read(before)
        self.now = _Live(self.root)
        self.acknowledged: list[str] = []

    def apply(self, step: Step) -> None:
        if step.path.name == ACKNOWLEDGED:
            self.acknowledged += step.data.decode().split()
        else:
            self.now.apply(step)

    def after_a_crash(self, chance: Random) -> Content:
        """What could be found: a tree of files' bytes."""
        how = chance.choice(("nothing", "some", "some", "torn", "names alone", "all"))
        names = self.now.surviving_names(chance, how)
        return _content(self.root, names, chance, how)


class _Live:
    """The files as the running program sees them."""

    def __init__(self, root: _Node) -> None:
        self.root = root
        self.names: dict[_Node, dict[str, _Node]] = {}
        self._enter(root)

    def _enter(self, node: _Node) -> None:
        if node.is_folder:
            self.names[node] = dict(node.names)
            for child in node.names.values():
                self._enter(child)

    def find(self, path: Path) -> _Node:
        node = self.root
        for name in path.parts:
            node = self.names[node][name]
        return node

    def apply(self, step: Step) -> None:
        if step.kind in ("create", "mkdir"):
            node = _Node(is_folder=step.kind == "mkdir")
            self.names[node] = {}
            self._name(node, gained=step.path, lost=None)
        elif step.kind == "rename":
            self._name(self.find(step.path), gained=step.target, lost=step.path)
        elif step.kind == "remove":
            self._name(self.find(step.path), gained=None, lost=step.path)
        elif step.kind == "sync":
            self._flush(self.find(step.path))
        else:
            data = step.data if step.kind == "write" else None
            self.find(step.path).loose_data.append((step.offset, data))

    def _name(self, node: _Node, gained: Path | None, lost: Path | None) -> None:
        def place(path: Path | None) -> tuple[_Node, str] | None:
            return (self.find(path.parent), path.name) if path else None

        naming = _Naming(node, place(gained), place(lost))
        for_whom = naming.gained or naming.lost
        assert for_whom is not None
        for_whom[0].loose_names.append(naming)
        if naming.lost:
            del self.names[naming.lost[0]][naming.lost[1]]
        if naming.gained:
            self.names[naming.gained[0]][naming.gained[1]] = node

    def _flush(self, node: _Node) -> None:
        for offset, data in node.loose_data:
            node.data = _written(node.data, offset, data)
        node.loose_data.clear()
        # A name that left this folder for another is flushed with either of them.
        for folder in list(self.names):
            while any(
                node in (place[0] for place in (naming.gained, naming.lost) if place)
                for naming in folder.loose_names
            ):
                naming = folder.loose_names.pop(0)
                _carry_out(naming, lambda folder: folder.names)

    def surviving_names(self, chance: Random, how: str) -> dict[_Node, dict[str, _Node]]:
        names = {folder: dict(folder.names) for folder in self.names if folder.is_folder}
        for folder in names:
            loose = len(folder.loose_names)
            kept = {"nothing": 0, "names alone": loose, "all": loose}.get(
                how, chance.randint(0, loose)
            )
            for naming in folder.loose_names[:kept]:
                _carry_out(naming, names.__getitem__)
        return names


def _carry_out(naming: _Naming, names_of: Callable[[_Node], dict[str, _Node]]) -> None:
    if naming.lost:
        folder, name = naming.lost
        if names_of(folder).get(name) is naming.node:
            del names_of(folder)[name]
    if naming.gained:
        folder, name = naming.gained
        names_of(folder)[name] = naming.node


def _written(before: bytes, offset: int, data: bytes | None) -> bytes:
    if data is None:
        return before[:offset].ljust(offset, b"\0")
    return before[:offset].ljust(offset, b"\0") + data + before[offset + len(data) :]


def _content(
    node: _Node, names: dict[_Node, dict[str, _Node]], chance: Random, how: str
) -> Content:
    if node.is_folder:
        return {
            name: _content(child, names, chance, how) for name, child in sorted(names[node].items())
        }
    data = node.data
    for offset, written in node.loose_data:
        if how in ("nothing", "names alone") or (how != "all" and chance.random() < 0.5):
            continue
        if how == "torn" and written is not None and chance.random() < 0.5:
            written = written[: SECTOR * chance.randint(0, len(written) // SECTOR)]
        data = _written(data, offset, written)
    return data


def _read(path: Path) -> _Node:
    if path.is_file():
        return _Node(is_folder=False, data=path.read_bytes())
    node = _Node(is_folder=True)
    node.names = {child.name: _read(child) for child in path.iterdir()}
    return node


def put_on_disk(content: Content, path: Path) -> None:
    """Make a tree of files in a new place."""
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    path.mkdir(parents=True)
    for name, child in content.items():
        put_on_disk(child, path / name)


def logged(program: str, folder: Path, home: Path, *arguments: str) -> list[Step]:
    """Run a Python program that changes ``folder``, and return what it did to it, in order.

    ``home`` keeps the compiled logger and the log. The log is complete: the folder it leads to is
    compared with the one there is.
    """
    shim, log = home / "file_log.so", home / "file_log"
    source = Path(__file__).with_name("file_log.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-lpthread"], check=True)
    before = home / "before"
    shutil.copytree(folder, before)
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder), *arguments],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "LD_PRELOAD": str(shim),
            "FILE_LOG": str(log),
            "FILE_LOG_ROOT": str(folder),
        },
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    steps = list(_steps(log.read_bytes(), folder))
    disk = Disk(before)
    for step in steps:
        disk.apply(step)
    everything = _content(disk.root, disk.now.names, Random(0), "all")
    (folder / ACKNOWLEDGED).unlink(missing_ok=True)
    assert everything == _content(there := _read(folder), _Live(there).names, Random(0), "all")
    return steps


def _steps(log: bytes, folder: Path) -> Iterator[Step]:
    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        kind, length, offset, path, target = log[at:end].decode().split("\t")
        at = end + 1 + int(length)
        yield Step(
            kind,
            Path(os.path.normpath(path)).relative_to(folder),
            Path(os.path.normpath(target)).relative_to(folder) if target else Path(),
            int(offset),
            log[end + 1 : at],
        )


def crash(before: Path, steps: list[Step], chance: Random, place: Path) -> list[str]:
    """Fail the power somewhere in ``steps``, put what may be found into ``place``, and return what
    had been acknowledged by then."""
    disk = Disk(before)
    for step in steps[: chance.randint(0, len(steps))]:
        disk.apply(step)
    shutil.rmtree(place, ignore_errors=True)
    put_on_disk(disk.after_a_crash(chance), place)
    return disk.acknowledged
