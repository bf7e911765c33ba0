"""A validation report as lines, for a terminal or a text: sentence first, then cell and rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.extracts.completeness import gap_in_words
from pipelines.verdict.problems import Problem, in_language, letters_of
from pipelines.verdict.report import ValidationReport, when_received

# A terminal shows that many of each; the file has them all.
RANGES_SHOWN = 12  # of rows
REPAIRS_SHOWN = 8
PROBLEMS_SHOWN = 15  # kinds of problem for each sheet


@dataclass(frozen=True)
class ReportLine:
    """A line of a report, before it is wrapped. ``style`` is a colour of the terminal or none."""

    text: str
    indent: int = 0
    style: str = ""


def report_lines(
    report: ValidationReport, *, for_sender: bool = False, is_short: bool = False
) -> list[ReportLine]:
    """The whole report.

    What goes to the sender gives the checksum of the file, not its name: the name may hold a
    child's, and the report may be sent by e-mail. ``is_short`` says how many more there are where
    a terminal would be flooded.
    """
    return _LineWriter(report, for_sender, is_short).every()


class _LineWriter:
    def __init__(self, report: ValidationReport, for_sender: bool, is_short: bool) -> None:
        self._report = report
        self._ = report.gettext
        self._for_sender = for_sender
        self._is_short = is_short

    def every(self) -> list[ReportLine]:
        return [
            *self._head(),
            *self._about_the_file(),
            *(line for name in self._returns_mentioned() for line in self._about_return(name)),
            *self._about_repairs(),
            *self._about_gaps(),
            *self._about_headlines(),
            *self._about_changes(),
            *self._foot(),
        ]

    def _head(self) -> Iterator[ReportLine]:
        report, submission = self._report, self._report.submission
        colours = {"refused": "bold red", "accepted": "bold green"}
        colour = colours.get(submission.status, "bold yellow")
        yield ReportLine(f"{submission.submission_id}  {report.status}", 0, colour)
        if self._for_sender:
            yield ReportLine(f"SHA-256: {submission.sha256}", 2)
        else:
            file_line = self._("File: {name}").format(name=submission.name)
            yield ReportLine(file_line, 2)
        sender = self._("From: {sender}").format(sender=report.sender)
        yield ReportLine(sender, 2)
        if report.is_check:
            yield ReportLine(
                self._("Checked on this machine: nothing was sent and nothing was kept."), 2
            )
        else:
            received = self._("Received: {time}").format(time=when_received(submission))
            yield ReportLine(received, 2)

    def _about_the_file(self) -> Iterator[ReportLine]:
        problems = self._report.problems_of_the_file
        if self._report.submission.status == "refused":
            yield from self._section(self._("Why it was refused"))
            yield from self._of_file([p for p in problems if p["severity"] == "error"])
            if self._report.is_check:
                consequence = self._(
                    "If it were sent as it is, this file would be refused. Correct the errors "
                    "listed here first."
                )
            else:
                consequence = self._(
                    "Nothing in this file is used. If an earlier file for the quarter was "
                    "accepted, it remains in force."
                )
            yield ReportLine(consequence, 2)
            problems = [problem for problem in problems if problem["severity"] != "error"]
        elif reasons := self._report.reasons_to_hold:
            yield from self._section(self._("Why it is held"))
            yield from self._of_file(reasons)
            if self._report.is_check:
                consequence = self._(
                    "If it were sent as it is, this file would not count before somebody confirms "
                    "it. Correct what is listed here first."
                )
            else:
                consequence = self._report.meaning
            yield ReportLine(consequence, 2)
            problems = [problem for problem in problems if problem not in reasons]
        if problems:
            yield from self._section(self._report.whole_file)
            yield from self._of_file(problems)

    def _of_file(self, problems: Sequence[Problem]) -> Iterator[ReportLine]:
        shown = problems[:PROBLEMS_SHOWN] if self._is_short else problems
        for problem in shown:
            where = ", ".join(filter(None, [self._report.sheet(problem), self._quoted(problem)]))
            rule = self._rule(problem)
            yield ReportLine(self._report.sentence(problem), 2, _colour(problem))
            yield ReportLine(f"{where} – {rule}" if where else rule, 4)
        yield from self._and_more(len(problems) - len(shown))

    def _returns_mentioned(self) -> list[str]:
        mentioned = {problem["return_name"] for problem in self._report.problems}
        return [
            name
            for name in self._report.declarations.returns
            if name in mentioned or name in self._report.submission.returns
        ]

    def _about_return(self, return_name: str) -> Iterator[ReportLine]:
        report = self._report
        problems = [p for p in report.problems if p["return_name"] == return_name]
        title = in_language(report.declarations.returns[return_name].title, report.language)
        counts = report.submission.returns.get(return_name)
        yield from self._section(f"{title}: {report.counts(counts)}" if counts else title)
        kinds = _by_kind(problems)
        shown = kinds[:PROBLEMS_SHOWN] if self._is_short else kinds
        for of_one_kind in shown:
            first = of_one_kind[0]
            where = ", ".join(filter(None, [self._cells(of_one_kind), self._quoted(first)]))
            yield ReportLine(report.sentence(first), 2, _colour(first))
            yield ReportLine(f"{where} – {self._rule(first)}", 4)
        yield from self._and_more(len(kinds) - len(shown))

    def _and_more(self, count: int) -> Iterator[ReportLine]:
        if count > 0:
            sentence = self._report.ngettext(
                "… and {count} more kind of problem. The file lists them all: --out REPORT.xlsx",
                "… and {count} more kinds of problem. The file lists them all: --out REPORT.xlsx",
                count,
            )
            yield ReportLine(sentence.format(count=count), 2, "bold")

    def _about_repairs(self) -> Iterator[ReportLine]:
        sentences = list(dict.fromkeys(map(self._report.sentence, self._report.repairs)))
        if not sentences:
            return
        yield from self._section(self._("Put right automatically when the file was read"))
        shown = sentences[:REPAIRS_SHOWN] if self._is_short else sentences
        yield from (ReportLine(sentence, 2) for sentence in shown)
        if len(shown) < len(sentences):
            more = self._("… and {count} more.").format(count=len(sentences) - len(shown))
            yield ReportLine(more, 2)

    def _about_gaps(self) -> Iterator[ReportLine]:
        gaps = self._report.details.gaps if self._report.details else ()
        if not gaps:
            return
        yield from self._section(self._("What is not given, which counts as not known"))
        shown = gaps[:REPAIRS_SHOWN] if self._is_short else gaps
        for each in shown:
            yield ReportLine(gap_in_words(each, self._report.language), 2)
        if len(shown) < len(gaps):
            more = self._("… and {count} more.").format(count=len(gaps) - len(shown))
            yield ReportLine(more, 2)

    def _about_headlines(self) -> Iterator[ReportLine]:
        report, details = self._report, self._report.details
        if details is None or (details.effect is None and not details.is_effect_unknown):
            return
        yield from self._section(self._("What this return gives for the headline indicators"))
        if details.effect is None:
            yield ReportLine(no_headlines(report), 2)
            return
        versions = list(details.effect.versions)
        yield ReportLine(" | ".join(report.version(v, self._for_sender) for v in versions), 2)
        for headline in details.effect.headlines:
            figures = " | ".join(report.figure(headline, version) for version in versions)
            title = in_language(headline.indicator.title, report.language)
            yield ReportLine(f"{headline.indicator.id} {title}: {figures}", 4)
        yield ReportLine(headlines_explained(report), 2, "italic")

    def _about_changes(self) -> Iterator[ReportLine]:
        if self._report.details is None or self._report.details.changes is None:
            return
        earlier = self._report.earlier_version(self._for_sender)
        yield from self._section(self._("Compared with {version}").format(version=earlier))
        yield from (ReportLine(line, 2) for line in self._report.changes())

    def _foot(self) -> Iterator[ReportLine]:
        report, submission = self._report, self._report.submission
        counted = sum(each["errors"] + each["queries"] for each in submission.returns.values())
        listed = sum(1 for problem in report.problems if problem["return_name"])
        yield ReportLine("")
        if submission.status == "received":
            yield ReportLine(self._("Not validated yet: run `adoption take-in`."))
        elif submission.status == "duplicate":
            same = self._(
                "This file is identical to {submission_id}; the report on that one applies."
            )
            yield ReportLine(same.format(submission_id=submission.duplicate_of))
        elif counted > listed:
            gone = report.ngettext(
                "{count} problem in a row was counted, but the list is no longer on disk.",
                "{count} problems in rows were counted, but the list is no longer on disk.",
                counted,
            )
            yield ReportLine(gone.format(count=counted), 0, "red")
        elif not report.problems:
            yield ReportLine(self._("No problems were found."))
        if submission.rules:
            yield ReportLine(report.rules)
        if report.details and report.details.not_known:
            yield ReportLine(self._("What a check on this machine cannot tell:"))
            yield from (ReportLine(self._(sentence), 2) for sentence in report.details.not_known)

    def _section(self, title: str) -> list[ReportLine]:
        return [ReportLine(""), ReportLine(title, 0, "bold")]

    def _cells(self, problems: Sequence[Problem]) -> str:
        """Where problems of one kind are: a cell, or a column and its rows."""
        cell, rows = problems[0]["cell"], [problem["sheet_row"] for problem in problems]
        if len(problems) == 1 and cell:
            return self._("cell {address}").format(address=cell)
        if len(problems) == 1:
            return self._("row {number}").format(number=rows[0])
        listed = row_ranges(rows)
        ranges = listed.split(", ")
        if self._is_short and len(ranges) > RANGES_SHOWN:
            more = self._("and {count} more").format(count=len(ranges) - RANGES_SHOWN)
            listed = f"{', '.join(ranges[:RANGES_SHOWN])} {more}"
        listed = self._("rows {ranges}").format(ranges=listed)
        if not cell:
            return listed
        column = self._("column {letters}").format(letters=letters_of(cell))
        return f"{column}, {listed}"

    def _rule(self, problem: Problem) -> str:
        severity = self._report.severity(problem["severity"])
        return " ".join(filter(None, [severity, problem["code"]]))

    def _quoted(self, problem: Problem) -> str | None:
        title = self._report.title(problem)
        return f"“{title}”" if title else None


def headlines_explained(report: ValidationReport) -> str:
    """What the figures of a single return are, and are not."""
    return report.gettext(
        "These figures come from this return and this quarter alone; published figures combine "
        "senders, and some combine quarters. Definitions are provisional where the catalogue says "
        "so. No disclosure control has been applied: the figures are for your own use and must not "
        "be passed on."
    )


def no_headlines(report: ValidationReport) -> str:
    """Why there are no headline figures although a return was read."""
    return report.gettext(
        "Figures for the headline indicators could not be worked out here: the dbt project is "
        "missing or uses a feature that this program does not have."
    )


def row_ranges(rows: Iterable[int]) -> str:
    """``2–31, 40``: rows that follow each other are drawn together."""
    ranges: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1] = (ranges[-1][0], row)
        else:
            ranges.append((row, row))
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in ranges)


def _by_kind(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems that differ in their row only, in the order of the first of each kind."""
    kinds: dict[tuple[Any, ...], list[Problem]] = {}
    for problem in problems:
        letters = letters_of(problem["cell"] or "")
        kind = [problem[key] for key in ("sheet", "field", "code", "severity", "sentence_en")]
        kinds.setdefault((letters, *kind), []).append(problem)
    return list(kinds.values())


def _colour(problem: Problem) -> str:
    return "red" if problem["severity"] == "error" else "yellow"
