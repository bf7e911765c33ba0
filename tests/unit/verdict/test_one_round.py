"""Who follows only the verdict is done after one round: ten damaged returns, corrected in the
marked copy where it has a mark, and nowhere else. All of it is synthetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.lifecycle.ledger import Submission
from pipelines.readers.child_process import read
from pipelines.verdict.details import ReportDetails, ValidatedReturn
from pipelines.verdict.marked_copy import marked_copy
from pipelines.verdict.report import ValidationReport
from tests.unit.damaged_returns import DATES, TITLES, Judged, Sheet, judge, sheet
from tests.unit.returns_made import ANGLESEY, DECLARATIONS, Q2

GOOD = sheet("workbook", 20)


def with_codes(good: Sheet) -> Sheet:
    damaged = good.change("sex", lambda _: "gibberish", rows=(2, 5))
    return damaged.change("is_disabled", lambda _: "perhaps", rows=(7,))


def with_dates(good: Sheet) -> Sheet:
    damaged = good.change("date_of_birth", lambda _: "31/02/2017", rows=(1,))
    return damaged.change("referred_on", lambda _: "1905-07-11", rows=(3, 4))


def with_future(good: Sheet) -> Sheet:
    return good.change("matched_on", lambda _: "2021-01-05", rows=(2, 3, 6))


def with_order(good: Sheet) -> Sheet:
    return good.change("placed_on", lambda _: "2017-01-05", rows=(2, 3))


def with_headings(good: Sheet) -> Sheet:
    odd = {"matched_on": "Macthed when", "adoption_order_on": "AO dat"}
    return replace(good, headings=TITLES | odd)


def with_total(good: Sheet) -> Sheet:
    damaged = good.change("ethnicity_group", lambda _: "Martian", rows=(0,))
    return replace(damaged, below=(["Total", "20"],))


def with_duplicate(good: Sheet) -> Sheet:
    return good.change("child_reference", lambda _: good.rows[1]["child_reference"], rows=(2,))


def with_blanks(good: Sheet) -> Sheet:
    rows = [
        {
            name: text
            for name, text in row.items()
            if name != "date_of_birth" or number not in (4, 9)
        }
        for number, row in enumerate(good.rows)
    ]
    return replace(good, rows=rows).change("siblings_placed_together", lambda _: "two", rows=(8,))


def with_zeros(good: Sheet) -> Sheet:
    damaged = good
    for name in DATES:
        damaged = damaged.fill(name, "00:00:00")
    return damaged.change("sex", lambda _: "?", rows=(1, 2, 3))


def with_years(good: Sheet) -> Sheet:
    return good.change("placed_on", lambda text: f"{text[8:]}/{text[5:7]}/{text[2:4]}")


DAMAGES: list[Callable[[Sheet], Sheet]] = [
    with_codes, with_dates, with_future, with_order, with_headings,
    with_total, with_duplicate, with_blanks, with_zeros, with_years,
]  # fmt: skip


def report_of(judged: Judged) -> ValidationReport:
    submission = Submission(
        "S1", 1, datetime(2020, 10, 10, 9, tzinfo=UTC), "0" * 64, ".xlsx",
        sender_code=ANGLESEY, quarter=Q2.label,
    )  # fmt: skip
    for name, value in judged.validated.event.items():
        if name in Submission.__dataclass_fields__:
            setattr(submission, name, value)
    problems = judged.validated.problems
    details = ReportDetails(ValidatedReturn(submission, problems, None), is_check=True)
    return ValidationReport(submission, problems, DECLARATIONS, "en", details)


def corrected(copy: Path, damaged: Sheet) -> None:
    """What a person does with the copy: right what is marked, from the case file."""
    book = openpyxl.load_workbook(copy)
    children = book["Children"]
    marked = [cell for line in children.iter_rows() for cell in line if cell.comment]
    totals = sorted({cell.row for cell in marked if "F225" in cell.comment.text}, reverse=True)
    for cell in marked:
        name = damaged.fields[cell.column - 1]
        if cell.row == 1 and "F208" in cell.comment.text:
            cell.value = TITLES[name]
        elif 1 < cell.row <= len(GOOD.rows) + 1:
            put(cell, GOOD.rows[cell.row - 2].get(name))
        elif cell.row == 1 and "F224" in cell.comment.text:
            for below, row in zip(
                children.iter_rows(2, len(GOOD.rows) + 1), GOOD.rows, strict=True
            ):
                put(below[cell.column - 1], row.get(name))
    for row in totals:
        children.delete_rows(row)
    book.save(copy)


def put(cell: Any, right: str | None) -> None:
    """A value as a person types it: a spreadsheet takes a date for what it is."""
    try:
        cell.value = right and datetime.strptime(right, "%Y-%m-%d")
    except ValueError:
        cell.value = right


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_return_is_right_after_one_round(
    damage: Callable[[Sheet], Sheet], tmp_path: Path
) -> None:
    damaged = damage(GOOD)
    content = damaged.content()
    first = judge(content)
    assert first.status != "accepted"
    copy = tmp_path / "copy.xlsx"
    copy.write_bytes(marked_copy(report_of(first), content, first.laid_out))
    corrected(copy, damaged)
    again = judge(read(copy))
    assert (again.status, again.codes) == ("accepted", set())
    assert again.understood.equals(judge(GOOD.content()).understood)
