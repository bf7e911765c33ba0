"""The files of an extract, which may lie in folders: one for each year, or one for all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

KINDS = (".csv", ".xlsx", ".xlsm", ".ods", ".zip", ".json", ".jsonl")


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and those of folders by name; without what programs leave beside them."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            found += [each for each in inside if _is_of_an_extract(each, path)]
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _is_of_an_extract(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    is_hidden = any(part.startswith((".", "~$")) for part in parts)
    return file.suffix.lower() in KINDS and not is_hidden and not file.is_symlink()
