"""The validation report as a workbook: summary, problems, repairs, headlines, changes.

This is the one answer in which the sender's own references stand, so that problems can be found
in the case system. The same report gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.text.labels import definition_status_label
from pipelines.verdict.problems import in_language, wrong_and_right
from pipelines.verdict.report import ValidationReport, when_received
from pipelines.verdict.report_lines import headlines_explained, no_headlines
from pipelines.verdict.workbook_form import Cells, Formats, WorkbookColumn, WorkbookForm

_LONGEST_REFERENCE = 60  # a longer one is an error of its own
_MOST_FREQUENT = 8
# A sheet holds 1,048,576 rows; what goes beyond is on a further sheet, never left out.
ROWS_OF_A_SHEET = 1_000_000

_SIGNS = {"refused": "✗", "accepted": "✓", "error": "✗", "query": "?"}


def report_workbook(report: ValidationReport) -> bytes:
    """The bytes of an xlsx workbook."""
    return _ReportWorkbook(report).written()


class _ReportWorkbook:
    """The five sheets, written one after the other."""

    def __init__(self, report: ValidationReport) -> None:
        self._report = report
        self._ = report.gettext
        self._form = WorkbookForm()

    def written(self) -> bytes:
        self._summary()
        self._problems()
        self._repairs()
        self._headlines()
        self._changes()
        return self._form.content()

    # --- summary -----------------------------------------------------------------------------

    def _summary(self) -> None:
        report, form = self._report, self._form
        submission = report.submission
        widths = (30, 100)
        sheet = form.add_sheet(self._("Summary"), widths)
        title = self._("Validation report on the adoption return")
        sheet.write_string(0, 0, title, form.title)
        row = 1
        if submission.is_synthetic:
            notice = self._(
                "The cover says that this return is synthetic: it describes no real person."
            )
            sheet.write_string(row, 0, notice, form.notice)
            row += 1
        row += 1

        def line(label: str, text: str, style: Any = None) -> None:
            nonlocal row
            form.line(sheet, row, widths, (label, text), {0: form.strong, 1: style or form.text})
            row += 1

        def section(title: str) -> None:
            nonlocal row
            sheet.write_string(row + 1, 0, title, form.section)
            row += 2

        self._facts(line)
        if submission.returns:
            section(self._("What was read"))
            for return_name, counts in submission.returns.items():
                declared = report.declarations.returns[return_name]
                line(in_language(declared.title, report.language), report.counts(counts))
        section(self._("Most frequent problems"))
        self._most_frequent(line)
        section(self._("In this workbook"))
        line(
            self._("Problems"),
            self._("every problem, by sheet and row: what is wrong, and what to do"),
        )
        line(self._("Repairs"), self._("what was put right automatically when the file was read"))
        line(
            self._("Headlines"),
            self._("what this return gives for the headline indicators"),
        )
        line(self._("Changes"), self._("what differs from the version you sent before"))

    def _facts(self, line: Callable[..., None]) -> None:
        report = self._report
        submission = report.submission
        mark = {"refused": "error", "accepted": "accepted"}.get(submission.status, "query")
        sign = _SIGNS.get(submission.status, "?")
        line(self._("Status"), f"{sign} {report.status.upper()}", self._form.marks[mark])
        if report.meaning:
            line(self._("What this means"), report.meaning)
        line(self._("Submission"), submission.submission_id)
        line(report.pgettext("sender", "From"), report.sender)
        if report.is_check:
            line(
                self._("Checked"),
                self._("Checked on this machine: nothing was sent and nothing was kept."),
            )
        else:
            line(report.pgettext("delivery", "Received"), when_received(submission))
        line("SHA-256", submission.sha256)
        if submission.rules:
            line(self._("Rules"), report.rules)
        label = self._("What a check on this machine cannot tell")
        for sentence in report.details.not_known if report.details else ():
            line(label, self._(sentence))
            label = ""
        line(
            self._("Keep this safe"),
            self._(
                "This workbook holds your own references. Keep it where the return itself is kept, "
                "and never send it by e-mail. It holds nothing from any other authority or agency."
            ),
        )

    def _most_frequent(self, line: Callable[..., None]) -> None:
        """Errors first, each kind by how often it occurs."""
        report = self._report
        kinds = Counter(
            (report.sentence(problem), problem["severity"], problem["code"] or "")
            for problem in report.problems
        )
        if not kinds:
            line("", self._("No problems were found."))
        ranked = sorted(kinds.items(), key=lambda kind: (kind[0][1] != "error", -kind[1]))
        for (sentence, severity, code), count in ranked[:_MOST_FREQUENT]:
            kind = f"{_SIGNS[severity]} {report.severity(severity)} {code}".strip()
            line(f"{count} × {kind}", sentence)

    # --- problems ----------------------------------------------------------------------------

    def _problems(self) -> None:
        problems, form = self._report.problems, self._form
        columns = (
            WorkbookColumn(self._("Error or query"), 12),
            WorkbookColumn(self._("Your reference"), 18),
            WorkbookColumn(self._("What is wrong"), 50),
            WorkbookColumn(self._("What to do"), 44),
            WorkbookColumn(self._("Sheet"), 12),
            WorkbookColumn(self._("Cell"), 8),
            WorkbookColumn(self._("Row"), 7),
            WorkbookColumn(self._("Column heading"), 26),
            WorkbookColumn(self._("Rule"), 14),
            WorkbookColumn(self._("Where the rule comes from"), 30),
        )
        widths = [column.width for column in columns]
        name = self._("Problems")
        for number, start in enumerate(range(0, max(len(problems), 1), ROWS_OF_A_SHEET), start=1):
            of_sheet = problems[start : start + ROWS_OF_A_SHEET]
            sheet = form.add_sheet(name if number == 1 else f"{name} {number}", widths)
            sheet.freeze_panes(1, 2)
            sheet.repeat_rows(0)
            below = form.table(sheet, 0, columns, map(self._problem_line, of_sheet))
            if of_sheet:
                sheet.autofilter(0, 0, below - 1, len(columns) - 1)
            else:
                sheet.write_string(1, 0, self._("No problems were found."), form.plain)

    def _problem_line(self, problem: Mapping[str, Any]) -> tuple[Cells, Formats]:
        report = self._report
        wrong, right = wrong_and_right(report.sentence(problem))
        severity = problem["severity"]
        cells = (
            f"{_SIGNS[severity]} {report.severity(severity)}",
            self._reference(problem["return_name"], problem["sheet_row"]),
            wrong,
            right,
            report.sheet(problem) or report.whole_file,
            problem["cell"] or "",
            problem["sheet_row"],
            report.title(problem) or "",
            problem["code"] or "",
            report.source(problem),
        )
        return cells, {0: self._form.marks[severity], 2: self._form.strong}

    def _reference(self, return_name: str | None, sheet_row: int | None) -> str:
        """The sender's own reference of the row."""
        details = self._report.details
        sent = details.validated.sent if details else None
        reference = sent.reference(return_name, sheet_row) if sent else None
        if reference is None:
            return ""
        is_long = len(reference) > _LONGEST_REFERENCE
        return f"{reference[:_LONGEST_REFERENCE]}…" if is_long else reference

    # --- repairs -----------------------------------------------------------------------------

    def _repairs(self) -> None:
        report, form = self._report, self._form
        columns = (
            WorkbookColumn(self._("What was done"), 80),
            WorkbookColumn(self._("Sheet"), 16),
            WorkbookColumn(self._("Column heading"), 34),
            WorkbookColumn(self._("Kind"), 22),
            WorkbookColumn(self._("Number of times"), 12),
        )
        widths = [column.width for column in columns]
        sheet = form.add_sheet(self._("Repairs"), widths)
        title = self._("Put right automatically when the file was read")
        sheet.write_string(0, 0, title, form.title)
        explanation = self._(
            "You do not need to do anything about these. If one of them is not what you meant, "
            "correct the file."
        )
        form.prose(sheet, 1, widths, explanation)
        if not report.repairs:
            nothing = self._("Nothing had to be put right when the file was read.")
            sheet.write_string(3, 0, nothing, form.plain)
            return
        sheet.freeze_panes(4, 0)
        kinds = repair_kinds(report)
        form.table(
            sheet,
            3,
            columns,
            (
                (
                    (
                        report.sentence(repair),
                        report.sheet(repair) or "",
                        report.title(repair) or "",
                        kinds.get(repair["kind"] or "", repair["kind"]),
                        repair["count"],
                    ),
                    {},
                )
                for repair in report.repairs
            ),
        )

    # --- headlines ---------------------------------------------------------------------------

    def _headlines(self) -> None:
        report, form = self._report, self._form
        effect = report.details.effect if report.details else None
        versions = list(effect.versions) if effect else []
        columns = (
            WorkbookColumn(self._("Indicator"), 18),
            WorkbookColumn(self._("What it measures"), 62),
            WorkbookColumn(self._("Definition"), 18),
            *(WorkbookColumn(report.version(version), 30) for version in versions),
        )
        widths = [column.width for column in columns]
        sheet = form.add_sheet(self._("Headlines"), widths)
        title = self._("What this return gives for the headline indicators")
        sheet.write_string(0, 0, title, form.title)
        form.prose(sheet, 1, widths, headlines_explained(report))
        if effect is None:
            is_unknown = bool(report.details and report.details.is_effect_unknown)
            nothing = self._("There are no figures: no part of a return could be read.")
            sheet.write_string(3, 0, no_headlines(report) if is_unknown else nothing, form.plain)
            return
        if {"counted", "as_sent"} <= set(versions):
            explanation = self._(
                "“All rows as sent” includes the rows that were set aside, as they stand. A figure "
                "marked ≠ differs from the one for this return, and may change when those rows are "
                "corrected."
            )
            form.prose(sheet, 2, widths, explanation)
        sheet.freeze_panes(5, 2)
        form.headings(sheet, 4, columns)
        for row, headline in enumerate(effect.headlines, start=5):
            indicator, figures = headline.indicator, headline.figures
            differs = (
                "counted" in figures
                and "as_sent" in figures
                and figures["counted"] != figures["as_sent"]
            )
            cells = [
                indicator.id,
                in_language(indicator.title, report.language),
                definition_status_label(indicator.status, report.language),
            ]
            for version in versions:
                shown = report.figure(headline, version)
                cells.append(f"≠ {shown}" if differs and version == "as_sent" else shown)
            formats = {0: form.strong}
            if differs:
                formats[3 + versions.index("as_sent")] = form.marks["query"]
            form.line(sheet, row, widths, cells, formats)

    # --- changes -----------------------------------------------------------------------------

    def _changes(self) -> None:
        report, form = self._report, self._form
        changes = report.details.changes if report.details else None
        columns = (
            WorkbookColumn(self._("What changed"), 18),
            WorkbookColumn(self._("Your reference"), 20),
            WorkbookColumn(self._("Return"), 16),
            WorkbookColumn(self._("Row now"), 12),
            WorkbookColumn(self._("Row before"), 12),
            WorkbookColumn(self._("Columns that differ"), 90),
        )
        sheet = form.add_sheet(self._("Changes"), [column.width for column in columns])
        if changes is None:
            sheet.write_string(0, 0, self._("Changes"), form.title)
            if report.is_check:
                nothing = self._(
                    "No earlier version of this return was given. Add --before FILE to compare "
                    "with one."
                )
            else:
                nothing = self._("No earlier version of this return is known.")
            sheet.write_string(2, 0, nothing, form.plain)
            return
        title = self._("Compared with {version}").format(version=report.earlier_version())
        sheet.write_string(0, 0, title, form.title)
        row = 1
        for line in report.changes():
            sheet.write_string(row, 0, line, form.plain)
            row += 1
        row += 1
        if changes.rows:
            row = form.table(sheet, row, columns, self._row_changes()) + 1
        else:
            nothing = self._("No row differs from the earlier version.")
            sheet.write_string(row, 0, nothing, form.plain)
            row += 2
        if changes.fixed or changes.new or changes.still_there:
            columns = (
                WorkbookColumn(self._("Outcome"), 18),
                WorkbookColumn(self._("Your reference"), 20),
                WorkbookColumn(self._("Sheet"), 16),
                WorkbookColumn(self._("Row"), 12),
                WorkbookColumn(self._("Rule"), 12),
                WorkbookColumn(self._("What is wrong"), 90),
            )
            form.table(sheet, row, columns, self._problem_changes())

    def _row_changes(self) -> Iterator[tuple[Cells, Formats]]:
        report = self._report
        assert report.details and report.details.changes
        kinds = {
            "added": self._("+ added"),
            "removed": self._("− removed"),
            "changed": self._("≠ changed"),
        }
        now, earlier = report.details.validated.sent, report.details.earlier_sent
        for change in report.details.changes.rows:
            declared = report.declarations.returns[change.return_name]
            titles = [
                in_language(declared.field(name).title, report.language) for name in change.fields
            ]
            reference = (now.reference(change.return_name, change.sheet_row) if now else None) or (
                earlier.reference(change.return_name, change.earlier_row) if earlier else None
            )
            cells = (
                kinds[change.kind],
                (reference or "")[:_LONGEST_REFERENCE],
                in_language(declared.title, report.language),
                change.sheet_row,
                change.earlier_row,
                ", ".join(titles),
            )
            yield cells, {0: self._form.strong}

    def _problem_changes(self) -> Iterator[tuple[Cells, Formats]]:
        """Problems fixed, new and still there; a fixed one has its row on the earlier file."""
        report = self._report
        assert report.details and report.details.changes
        changes = report.details.changes
        now, earlier = report.details.validated.sent, report.details.earlier_sent
        outcomes: Sequence[tuple[str, Sequence[Mapping[str, Any]], Any]] = (
            (self._("✓ fixed"), changes.fixed, earlier),
            (self._("! new"), changes.new, now),
            (self._("= still there"), changes.still_there, now),
        )
        for outcome, problems, sent in outcomes:
            for problem in problems:
                return_name, row = problem["return_name"], problem["sheet_row"]
                reference = (sent.reference(return_name, row) if sent else None) or ""
                cells = (
                    outcome,
                    reference[:_LONGEST_REFERENCE],
                    report.sheet(problem) or report.whole_file,
                    row,
                    problem["code"] or "",
                    report.sentence(problem),
                )
                yield cells, {0: self._form.strong}


def repair_kinds(report: ValidationReport) -> dict[str, str]:
    """Kinds of repair (:mod:`pipelines.readers.repairs`), of the file and of cells, in brief."""
    _ = report.gettext
    return {
        "headings": _("headings lower down"),
        "heading": _("different heading"),
        "order": _("order of columns"),
        "1904": _("dates counted from 1904"),
        "zeros": _("leading zeros"),
        "sheet": _("name of the sheet"),
        "cover": _("name of the cover sheet"),
        "answer": _("answer on the cover"),
        "left out": _("sheet left out"),
        "spaces": _("spaces"),
        "apostrophe": _("apostrophe in front"),
        "letter case": _("capitals and punctuation"),
        "spelling": _("spelling of a code"),
        "date form": _("form of a date"),
        "day number": _("day number of a spreadsheet"),
        "time of day": _("time of day"),
        "number form": _("form of a number"),
        "place name": _("name of a place"),
    }
