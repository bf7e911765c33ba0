"""What differs between two versions of a return. Returns are invented and synthetic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.verdict.changes import Changes
from pipelines.verdict.check import check_files
from tests.unit.returns_made import DECLARATIONS, child, children, csv_zip, workbook

NOW = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)

Rows = list[dict[str, Any]]


def compared(folder: Path, before: Rows, now: Rows, **cover: Any) -> Changes:
    old = workbook(folder / "before.xlsx", before, **cover)
    new = workbook(folder / "now.xlsx", now)
    (found,) = check_files([new], DECLARATIONS, NOW, before=[old])
    assert found.details.changes is not None
    return found.details.changes


def kinds(found: Changes) -> list[tuple[Any, ...]]:
    return [(row.kind, row.sheet_row, row.earlier_row, *row.fields) for row in found.rows]


def test_the_same_rows_in_another_order_are_no_change(tmp_path: Path) -> None:
    rows = children(6)
    found = compared(tmp_path, rows, rows[::-1])
    assert found.rows == () and found.unchanged == {"child": 6}


def test_the_same_return_as_csv_is_no_change(tmp_path: Path) -> None:
    """Dates and codes are compared as they are understood, not as they are written."""
    old = workbook(tmp_path / "before.xlsx", children(3), language="cy")
    new = csv_zip(tmp_path / "now.zip", children(3))
    (found,) = check_files([new], DECLARATIONS, NOW, before=[old])
    assert found.details.changes is not None
    assert found.details.changes.rows == ()


def test_a_reference_written_otherwise_is_the_same_child(tmp_path: Path) -> None:
    found = compared(tmp_path, [child("ab-1")], [child(" AB-1 ", sex="male")])
    assert kinds(found) == [("changed", 2, 2, "child_reference", "sex")]


def test_rows_come_go_and_change(tmp_path: Path) -> None:
    before = children(4)
    now = [before[0], before[2] | {"sex": "male", "is_disabled": "yes"}, before[3], child("NEW")]
    assert kinds(compared(tmp_path, before, now)) == [
        ("changed", 3, 4, "sex", "is_disabled"),
        ("added", 5, None),
        ("removed", None, 3),
    ]


def test_one_thing_not_understood_for_another_is_a_change(tmp_path: Path) -> None:
    before = [*children(9), child("ODD", sex="gibberish")]
    found = compared(tmp_path, before, [*children(9), child("ODD", sex="more gibberish")])
    assert kinds(found) == [("changed", 11, 11, "sex")]
    assert [problem["code"] for problem in found.still_there] == ["CODE"]


def test_rows_that_share_a_reference_or_have_none_are_paired_in_order(tmp_path: Path) -> None:
    before = [*children(9), child("TWIN"), child("TWIN", sex="male"), child("")]
    now = [*children(9), child("TWIN"), child("TWIN"), child(""), child("")]
    assert kinds(compared(tmp_path, before, now)) == [
        ("changed", 12, 12, "sex"),
        ("added", 14, None),
    ]


@pytest.mark.parametrize("nil_first", [True, False])
def test_from_nil_to_rows_and_back(tmp_path: Path, nil_first: bool) -> None:
    nil = workbook(tmp_path / "nil.xlsx", [], is_nil_child="yes")
    rows = workbook(tmp_path / "rows.xlsx", children(2))
    old, new = (nil, rows) if nil_first else (rows, nil)
    (found,) = check_files([new], DECLARATIONS, NOW, before=[old])
    changes = found.details.changes
    assert changes is not None
    assert {row.kind for row in changes.rows} == {"added" if nil_first else "removed"}
    assert changes.unchanged == {"child": 0}


def test_a_problem_follows_its_child_to_another_row(tmp_path: Path) -> None:
    """Fixed for one, new for another, still there for the third, wherever their rows are."""
    odd = {name: child(name, sex="gibberish") for name in ("A", "B", "C")}
    before = [*children(30), odd["A"], odd["B"]]
    now = [odd["C"], odd["B"], *children(30), child("A")]
    found = compared(tmp_path, before, now)
    assert [p["sheet_row"] for p in found.fixed] == [32]  # on the earlier file
    assert [p["sheet_row"] for p in found.new] == [2]
    assert [p["sheet_row"] for p in found.still_there] == [3]


def test_nothing_of_a_cell_is_told_to_programs(tmp_path: Path) -> None:
    before = [*children(9), child("SECRET-1", sex="SECRET-2")]
    told = str(compared(tmp_path, before, [*children(9), child("SECRET-3")]).as_json())
    assert "SECRET" not in told and "REF-" not in told
