"""A receipt as lines, for a terminal or a text: sentence first, then where and which rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.verdict.report import Problem, Receipt, letters_of, when, whose
from pipelines.verdict.report_words import said

RANGES_SHOWN = 12  # of rows, on a terminal
REPAIRS_SHOWN = 8  # there, too
PROBLEMS_SHOWN = 15  # kinds of problem for each sheet, there, too


@dataclass(frozen=True)
class Line:
    """A line of a receipt, before it is wrapped. ``style`` is a colour of the terminal or none."""

    text: str
    indent: int = 0
    style: str = ""


class ReceiptLines:
    """Writes the lines of one receipt.

    What goes to the sender names the bytes, not the file: its name may hold a child's, and the
    receipt may be sent by e-mail. ``is_short`` says how many more there are where a terminal would
    be flooded.
    """

    def __init__(self, receipt: Receipt, for_sender: bool, is_short: bool) -> None:
        self._receipt = receipt
        self._say = receipt.say
        self._for_sender = for_sender
        self._is_short = is_short

    def every(self) -> list[Line]:
        return [
            *self._head(),
            *self._about_the_file(),
            *(line for name in self._returns_told() for line in self._about_return(name)),
            *self._about_repairs(),
            *self._about_headlines(),
            *self._about_changes(),
            *self._foot(),
        ]

    def _head(self) -> Iterator[Line]:
        item = self._receipt.submission
        colour = {"refused": "bold red", "accepted": "bold green"}.get(item.status, "bold yellow")
        yield Line(f"{item.submission_id}  {self._receipt.status}", 0, colour)
        if self._for_sender:
            yield Line(f"{self._say('fingerprint')}: {item.sha256}", 2)
        else:
            yield Line(f"{self._say('file')}: {item.name}", 2)
        sender = whose(item, self._receipt.declarations, self._receipt.language)
        yield Line(f"{self._say('from')}: {sender}", 2)
        if self._receipt.details and self._receipt.details.is_check:
            yield Line(self._say("checked here"), 2)
        else:
            yield Line(f"{self._say('received')}: {when(item)}", 2)

    def _about_the_file(self) -> Iterator[Line]:
        of_file = [problem for problem in self._receipt.problems if problem["return_name"] is None]
        if self._receipt.submission.status == "refused":
            errors = [problem for problem in of_file if problem["severity"] == "error"]
            yield from self._section(self._say("why"))
            yield from self._of_file(errors)
            is_check = bool(self._receipt.details and self._receipt.details.is_check)
            yield Line(self._say("would be refused" if is_check else "unused"), 2)
            of_file = [problem for problem in of_file if problem["severity"] != "error"]
        if of_file:
            yield from self._section(self._say("whole"))
            yield from self._of_file(of_file)

    def _of_file(self, problems: Sequence[Problem]) -> Iterator[Line]:
        shown = problems[:PROBLEMS_SHOWN] if self._is_short else problems
        for problem in shown:
            where = ", ".join(filter(None, [self._receipt.sheet(problem), self._quoted(problem)]))
            kind = self._kind(problem)
            yield Line(self._receipt.sentence(problem), 2, _colour(problem))
            yield Line(f"{where} – {kind}" if where else kind, 4)
        yield from self._and_more(len(problems) - len(shown))

    def _returns_told(self) -> list[str]:
        mentioned = {problem["return_name"] for problem in self._receipt.problems}
        return [
            name
            for name in self._receipt.declarations.returns
            if name in mentioned or name in self._receipt.submission.returns
        ]

    def _about_return(self, name: str) -> Iterator[Line]:
        mine = [problem for problem in self._receipt.problems if problem["return_name"] == name]
        title = said(self._receipt.declarations.returns[name].title, self._receipt.language)
        counts = self._receipt.submission.returns.get(name)
        yield from self._section(f"{title}: {self._receipt.counts(counts)}" if counts else title)
        groups = _grouped(mine)
        shown = groups[:PROBLEMS_SHOWN] if self._is_short else groups
        for group in shown:
            first = group[0]
            where = ", ".join(filter(None, [self._cells(group), self._quoted(first)]))
            yield Line(self._receipt.sentence(first), 2, _colour(first))
            yield Line(f"{where} – {self._kind(first)}", 4)
        yield from self._and_more(len(groups) - len(shown))

    def _and_more(self, count: int) -> Iterator[Line]:
        if count > 0:
            yield Line(self._say("more", count), 2, "bold")

    def _about_repairs(self) -> Iterator[Line]:
        repairs = self._receipt.repairs
        sentences = list(dict.fromkeys(self._receipt.sentence(repair) for repair in repairs))
        if not sentences:
            return
        yield from self._section(self._say("repairs"))
        shown = sentences[:REPAIRS_SHOWN] if self._is_short else sentences
        yield from (Line(sentence, 2) for sentence in shown)
        if len(shown) < len(sentences):
            yield Line(self._say("more repairs", len(sentences) - len(shown)), 2)

    def _about_headlines(self) -> Iterator[Line]:
        told = self._receipt.details
        if told is None or (told.effect is None and not told.has_no_effect_known):
            return
        yield from self._section(self._say("headlines"))
        if told.effect is None:
            yield Line(self._say("no headlines"), 2)
            return
        versions = [self._receipt.version(each, self._for_sender) for each in told.effect.versions]
        yield Line(" | ".join(versions), 2)
        for headline in told.effect.headlines:
            figures = [self._receipt.figure(headline, version) for version in told.effect.versions]
            title = said(headline.indicator.title, self._receipt.language)
            yield Line(f"{headline.indicator.id} {title}: {' | '.join(figures)}", 4)
        yield Line(self._say("headlines explained"), 2, "italic")

    def _about_changes(self) -> Iterator[Line]:
        found = self._receipt.details.changes if self._receipt.details else None
        if found is None:
            return
        earlier = self._receipt.earlier_version(self._for_sender)
        yield from self._section(self._say("changes", earlier))
        yield from (Line(told, 2) for told in self._receipt.changes_told())

    def _foot(self) -> Iterator[Line]:
        item = self._receipt.submission
        counted = sum(each["errors"] + each["queries"] for each in item.returns.values())
        listed = sum(1 for problem in self._receipt.problems if problem["return_name"])
        yield Line("")
        if item.status == "received":
            yield Line(self._say("waiting"))
        elif item.status == "duplicate":
            yield Line(self._say("same", item.duplicate_of))
        elif counted > listed:
            yield Line(self._say("gone", counted), 0, "red")
        elif not self._receipt.problems:
            yield Line(self._say("none"))
        if item.rules:
            yield Line(self._receipt.rules)
        if self._receipt.details and self._receipt.details.not_known:
            yield Line(f"{self._say('not known here')}:")
            yield from (Line(self._say(key), 2) for key in self._receipt.details.not_known)

    def _section(self, title: str) -> list[Line]:
        return [Line(""), Line(title, 0, "bold")]

    def _cells(self, group: Sequence[Problem]) -> str:
        cell, rows = group[0]["cell"], [problem["sheet_row"] for problem in group]
        if len(group) == 1:
            return self._say("cell", cell) if cell else self._say("row", rows[0])
        listed = row_ranges(rows)
        ranges = listed.split(", ")
        if self._is_short and len(ranges) > RANGES_SHOWN:
            shown = ", ".join(ranges[:RANGES_SHOWN])
            listed = f"{shown} {self._say('more rows', len(ranges) - RANGES_SHOWN)}"
        listed = self._say("rows", listed)
        return f"{self._say('column', letters_of(cell))}, {listed}" if cell else listed

    def _kind(self, problem: Problem) -> str:
        return " ".join(filter(None, [self._say(problem["severity"]), problem["code"]]))

    def _quoted(self, problem: Problem) -> str | None:
        title = self._receipt.title(problem)
        return f"“{title}”" if title else None


def row_ranges(rows: Iterable[int]) -> str:
    """``2–31, 40``: rows that follow each other are drawn together."""
    ranges: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1] = (ranges[-1][0], row)
        else:
            ranges.append((row, row))
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in ranges)


def _grouped(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems that differ in their row only, in the order of the first of each."""
    groups: dict[tuple[Any, ...], list[Problem]] = {}
    for problem in problems:
        letters = letters_of(problem["cell"] or "")
        same = ("sheet", "field", "code", "severity", "sentence_en")
        groups.setdefault((letters, *(problem[key] for key in same)), []).append(problem)
    return list(groups.values())


def _colour(problem: Problem) -> str:
    return "red" if problem["severity"] == "error" else "yellow"
