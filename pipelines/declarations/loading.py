"""Reading one file of ``sources/``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines.declarations.model import DeclarationError, Declared


def read_text(path: Path) -> str:
    """The file as text. A byte order mark is dropped: Excel puts one before the first heading."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DeclarationError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise DeclarationError(f"{path}: not saved as UTF-8") from error


# libyaml, where it was compiled in: all of sources/ in 0.05 CPU s, in plain Python 0.45.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, model: type[Declared]) -> Any:
    text = read_text(path)
    try:
        return model.model_validate(yaml.load(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise DeclarationError(f"{path}: not readable as YAML: {error}") from error
    except ValidationError as error:
        raise DeclarationError(f"{path}: {_places(error)}") from error


def read_csv(path: Path, model: type[Declared]) -> tuple[Any, ...]:
    """Rows in the order of the file. Every column must be there, even one that may stay blank:
    a lost ``until`` column would otherwise bring every ended membership back to life."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    missing = [name for name in model.model_fields if name not in (reader.fieldnames or ())]
    if missing:
        raise DeclarationError(f"{path}, line 1: missing column {', '.join(missing)}")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise DeclarationError(
                f"{path}, line {reader.line_num}: {len(reader.fieldnames or ())} columns are "
                "declared, this line has more or fewer (a comma inside a text needs quotes)"
            )
        try:
            rows.append(model.model_validate(row))
        except ValidationError as error:
            raise DeclarationError(f"{path}, line {reader.line_num}: {_places(error)}") from error
    return tuple(rows)


def _places(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc']) or 'whole entry'}: {detail['msg']}"
        for detail in error.errors()
    )


def no_duplicates(keys: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise DeclarationError(f"{where}: {key} is declared twice")
        seen.add(key)


def no_overlaps(rows: Iterable[Any], key: Callable[[Any], str], where: str) -> None:
    """The same thing declared twice for the same day would be counted twice in a roll-up."""
    earlier: dict[str, list[Any]] = {}
    for row in rows:
        same = earlier.setdefault(key(row), [])
        if any(lives_meet(row, other) for other in same):
            raise DeclarationError(f"{where}: {key(row)} is declared twice for the same time")
        same.append(row)


def lives_meet(one: Any, other: Any) -> bool:
    return all(
        first.until is None or second.since is None or second.since <= first.until
        for first, second in ((one, other), (other, one))
    )
