"""A validation report as a file to be sent back: workbook, CSV, text or JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import textwrap
from pathlib import Path

from pipelines.files import FORMULA_STARTS, write_whole
from pipelines.verdict.report import ValidationReport, when_received
from pipelines.verdict.report_lines import report_lines
from pipelines.verdict.report_workbook import report_workbook

SUFFIXES = (".xlsx", ".csv", ".txt", ".json")
_WIDTH_OF_TEXT = 88  # characters: fits a page of an e-mail or of a printer's default font


def write_report(report: ValidationReport, target: Path) -> None:
    """Write the report for its sender, readable by its owner alone.

    .xlsx has everything, with the sender's own references; .csv a line for each problem; .txt
    groups them; .json is for programs. Raises ValueError for another ending, OSError where
    nothing can be written.
    """
    contents = {
        ".xlsx": report_workbook,
        ".csv": _as_csv,
        ".txt": _as_text,
        ".json": _as_json,
    }
    suffix = target.suffix.lower()
    if suffix not in contents:
        raise ValueError(f"end the name in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    write_private(target, contents[suffix](report))


def _as_json(report: ValidationReport) -> bytes:
    content = report.as_json(for_sender=True)
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _as_text(report: ValidationReport) -> bytes:
    wrapped = (
        textwrap.fill(
            line.text,
            _WIDTH_OF_TEXT,
            initial_indent=" " * line.indent,
            subsequent_indent=" " * line.indent,
            break_on_hyphens=False,
        )
        for line in report_lines(report, for_sender=True)
    )
    return ("\n".join(wrapped) + "\n").encode("utf-8")


def _as_csv(report: ValidationReport) -> bytes:
    """UTF-8 with byte order mark, so that spreadsheets show Welsh letters.

    The first line after the headings is the status itself.
    """
    _ = report.gettext
    submission = report.submission
    headings = [
        _("Submission"),
        _("Sheet"),
        _("Row"),
        _("Cell"),
        _("Column heading"),
        _("Error or query"),
        _("Rule"),
        _("What to do"),
    ]
    status = f"{report.status}: {report.sender}, {when_received(submission)}"
    table = [
        headings,
        [submission.submission_id, report.whole_file, "", "", "", "", "", status],
    ]
    table += [
        [
            submission.submission_id,
            report.sheet(problem) or report.whole_file,
            "" if problem["sheet_row"] is None else str(problem["sheet_row"]),
            problem["cell"] or "",
            report.title(problem) or "",
            report.severity(problem["severity"]),
            problem["code"] or "",
            report.sentence(problem),
        ]
        for problem in report.problems
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_no_formula(cell) for cell in row] for row in table)
    return text.getvalue().encode("utf-8-sig")


def _no_formula(text: str) -> str:
    """A leading sign that a spreadsheet would take for a formula gets an apostrophe (CWE-1236)."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def write_private(target: Path, content: bytes) -> None:
    """Write a file whole that nobody but its owner may read, whatever the umask."""

    def write(part: Path) -> None:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)

    write_whole(target, write)


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends
