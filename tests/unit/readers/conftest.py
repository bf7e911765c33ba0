from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return

QUARTER = Quarter(2024, 1)

COVER = {
    "sender_code": "W06000014",
    "quarter": QUARTER.label,
    "version": 1,
    "is_nil_child": False,
    "signed_off_by_role": "Head of service",
    "signed_off_on": date(2024, 7, 15),
    "is_synthetic": True,
}

CHILD = {
    "child_reference": "LA/00089",
    "date_of_birth": date(2022, 5, 4),
    "sex": "female",
    "ethnicity_group": "asian",
    "is_disabled": "no",
    "has_additional_needs": "unknown",
    "siblings_placed_together": 1,
    "entered_care_on": date(2022, 6, 1),
    "referred_on": date(2023, 1, 1),
    "early_permanence": "none",
}


@pytest.fixture(scope="session")
def child_row() -> dict[str, Any]:
    """A child with every required field."""
    return CHILD


@pytest.fixture(scope="session")
def cover_answers() -> dict[str, Any]:
    return COVER


@pytest.fixture
def workbook(tmp_path: Path, declarations: Declarations) -> Path:
    """A small valid return of one child."""
    path = tmp_path / "return.xlsx"
    write_return(path, declarations, QUARTER, COVER, {"child": [CHILD]})
    return path


@pytest.fixture
def bundle(tmp_path: Path, declarations: Declarations) -> Path:
    """The same return as a zip of CSV files."""
    path = tmp_path / "return.zip"
    write_csv_return(path, declarations, QUARTER, COVER, {"child": [CHILD]})
    return path


@pytest.fixture
def altered(workbook: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the valid workbook again with parts changed or added."""

    def alter(name: str, /, changes: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.xlsx"
        with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(path, "w", 8) as new:
            for part in old.namelist():
                content = old.read(part)
                change = changes.get(part)
                new.writestr(part, change(content) if change else content)
            for part in changes.keys() - set(old.namelist()):
                new.writestr(part, changes[part](b""))
        return path

    return alter
