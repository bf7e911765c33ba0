"""Folders that cost much to make, and the order of files that lets two processes share them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

# Fixtures that ``made_once`` makes, the one that takes longest first.
FOR_ALL = ("sample", "small_data_made")
FOR_THE_WAREHOUSE = ("warehouse", "country")  # elsewhere other fixtures have these names


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name``, filled by ``make``; test processes side by side share it.

    The first makes it, the others wait. Tests only read it; what is to be changed is copied.
    """
    base = factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    made = home.with_suffix(".made")
    with FileLock(home.with_suffix(".lock")):
        if not made.exists():
            home.mkdir()
            make(home)
            made.touch()
    return home


def in_good_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files that make what is shared come first, so that hardly anybody waits for it; then what
    else is long, those that share something last; at the end the short ones, which fill up."""
    makers: dict[str, Path] = {}
    sharing: set[Path] = set()
    for item in items:
        for name in _shared(item):
            makers.setdefault(name, item.path)
            sharing.add(item.path)
    first = {path: list(makers).index(name) for name, path in reversed(makers.items())}

    def turn(item: pytest.Item) -> tuple[int, int]:
        if item.path in first:
            return (0, first[item.path])
        return (3 if "unit" in item.path.parts else 2 if item.path in sharing else 1, 0)

    return sorted(items, key=turn)


def _shared(item: pytest.Item) -> list[str]:
    names = FOR_ALL + (FOR_THE_WAREHOUSE if "warehouse" in item.path.parts else ())
    return [name for name in names if name in getattr(item, "fixturenames", ())]
