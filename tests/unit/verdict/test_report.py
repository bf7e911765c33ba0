"""What a report says and how much of it. Everything is invented."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from pipelines.lifecycle.ledger import Submission
from pipelines.text.catalogue import CATALOGUES, LANGUAGES, Language, read_catalogue
from pipelines.verdict.headlines import VersionFigure
from pipelines.verdict.report import ValidationReport, figure_text, status_label
from pipelines.verdict.report_files import write_private
from pipelines.verdict.report_lines import PROBLEMS_SHOWN, report_lines
from pipelines.verdict.report_workbook import repair_kinds
from tests.unit.returns_made import DECLARATIONS, Q2


def submission(status: str = "accepted with queries", **known: Any) -> Submission:
    return Submission(
        submission_id="S000001-00000000",
        delivery_number=1,
        received_at=datetime(2020, 10, 10, 9, 0, tzinfo=UTC),
        sha256="0" * 64,
        extension=".xlsx",
        name="return.xlsx",
        status=status,
        sender_code="W06000001",
        quarter=Q2.label,
        **known,
    )


def problem(
    row: int | None, field: str = "sex", code: str = "CODE", **known: Any
) -> dict[str, Any]:
    return {
        "submission_id": "S000001-00000000",
        "sender_code": "W06000001",
        "quarter": Q2.label,
        "return_name": "child" if row else None,
        "sheet": "Children" if row else None,
        "sheet_row": row,
        "cell": f"C{row}" if row else None,
        "field": field if row else None,
        "code": code,
        "severity": "query",
        "sentence_en": f"Wrong in {field}: mend it.",
        "sentence_cy": f"Anghywir yn {field}: cywirwch.",
    } | known


def text_of(report: ValidationReport, **options: bool) -> str:
    return "\n".join(line.text for line in report_lines(report, **options))


# --- words ---------------------------------------------------------------------------------------


def test_both_languages_leave_the_same_gaps() -> None:
    def forms(texts: str | Sequence[str] | None) -> tuple[str, ...]:
        """Singular and plurals; a message without a number has one form."""
        return (texts or "",) if isinstance(texts, str | None) else tuple(texts)

    for message in read_catalogue(CATALOGUES / "verdict.po"):
        english, welsh = forms(message.id), forms(message.string)
        assert all(welsh), message.id
        gaps = {frozenset(name for _, name, _, _ in Formatter().parse(t)) for t in english + welsh}
        assert len(gaps) == 1 or not message.id, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_that_can_be_is_said_and_explained(language: Language) -> None:
    from typing import get_args

    from expectations.verdicts import Status

    for status in get_args(Status):
        report = ValidationReport(submission(status), [], DECLARATIONS, language)
        assert report.meaning
        assert (status_label(status, language) == status) == (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_repair_has_its_words(language: Language) -> None:
    from pipelines.readers.repairs import REPAIRS, REPAIRS_OF_CELLS

    report = ValidationReport(submission(), [], DECLARATIONS, language)
    assert {*REPAIRS, *REPAIRS_OF_CELLS} == set(repair_kinds(report))


@pytest.mark.parametrize(
    ("unit", "rounding", "figure", "english", "welsh"),
    [
        ("children", 0, VersionFigure(13, None, 13.0), "13", "13"),
        ("percent", 1, VersionFigure(10, 13, 76.9), "76.9% (10 of 13)", "76.9% (10 o 13)"),
        (
            "months",
            1,
            VersionFigure(5497, 11, 16.4),
            "16.4 months (mean of 11)",
            "16.4 mis (cymedr o 11)",
        ),
        (
            "days",
            0,
            VersionFigure(7275, 1500, 1485.0),
            "1,485 days (mean of 1,500)",
            "1,485 diwrnod (cymedr o 1,500)",
        ),
        ("percent", 1, VersionFigure(0, 0, None), "no cases", "dim achosion"),
    ],
)
def test_a_figure_says_of_how_many(
    unit: str, rounding: int, figure: VersionFigure, english: str, welsh: str
) -> None:
    assert figure_text(figure, unit, rounding, "en") == english
    assert figure_text(figure, unit, rounding, "cy") == welsh


# --- how much ------------------------------------------------------------------------------------


def test_a_screen_says_how_many_more_there_are_and_a_file_has_them_all() -> None:
    found = [problem(row, code=f"C{kind}") for kind in range(40) for row in (kind + 2, kind + 99)]
    report = ValidationReport(submission(), found, DECLARATIONS)
    short, whole = text_of(report, is_short=True), text_of(report)
    assert f"… and {40 - PROBLEMS_SHOWN} more kinds of problem" in short
    assert "more kinds" not in whole
    assert all(f"query C{kind}" in whole for kind in range(40))


def test_rows_are_cut_short_on_a_screen_only() -> None:
    report = ValidationReport(
        submission(), [problem(row) for row in range(2, 200, 2)], DECLARATIONS
    )
    assert "rows 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24 and 87 more" in text_of(
        report, is_short=True
    )
    assert "196, 198" in text_of(report)


def test_problems_of_the_whole_file_are_cut_short_too() -> None:
    found = [problem(None, code=f"F{number}") for number in range(30)]
    report = ValidationReport(submission(), found, DECLARATIONS)
    assert "… and 15 more kinds" in text_of(report, is_short=True)


# --- reasons -------------------------------------------------------------------------------------


def test_every_reason_of_a_refusal_stands_by_itself() -> None:
    reasons = [
        {"code": "F105", "sentence_en": "Told already: x.", "sentence_cy": "Eisoes: x."},
        {"code": "TOO_MANY_ERRORS", "sentence_en": "Too many: y.", "sentence_cy": "Gormod: y."},
    ]
    told = problem(
        None, code="F105", severity="error", sentence_en="Told already: x.",
        sentence_cy="Eisoes: x.",
    )  # fmt: skip
    item = submission("refused", refusals=reasons)
    report = ValidationReport(item, [told], DECLARATIONS)
    assert [one["code"] for one in report.problems] == ["F105", "TOO_MANY_ERRORS"]
    assert report.problems[1]["sentence_cy"] == "Gormod: y."


def test_reasons_that_an_older_ledger_joined_are_not_told_twice() -> None:
    told = problem(None, code="F105", severity="error", sentence_en="One: x.", sentence_cy="Un: x.")
    item = submission(
        "refused",
        refusal_code="F105",
        refusal_sentence_en="One: x. Two: y.",
        refusal_sentence_cy="Un: x. Dau: y.",
    )
    report = ValidationReport(item, [told], DECLARATIONS)
    assert [(p["code"], p["sentence_en"]) for p in report.problems] == [
        ("F105", "One: x."),
        (None, "Two: y."),
    ]


def test_the_source_of_a_rule_is_told_where_a_catalogue_has_it() -> None:
    report = ValidationReport(submission(), [problem(2), problem(None, code="F209")], DECLARATIONS)
    of_file, of_row = report.problems
    assert of_file["source"] is None and report.source(of_file) == "how files are read"
    assert "sources/returns" in of_row["source"]


# --- writing -------------------------------------------------------------------------------------


def test_a_part_left_by_a_crash_is_neither_in_the_way_nor_kept(tmp_path: Path) -> None:
    left = tmp_path / ".verdict.txt.part"
    left.write_text("half of yesterday's, for all to read", encoding="utf-8")
    left.chmod(0o666)
    write_private(tmp_path / "verdict.txt", b"today's")
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.txt"]
    assert (tmp_path / "verdict.txt").read_bytes() == b"today's"
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "verdict.txt").stat().st_mode) == 0o600
