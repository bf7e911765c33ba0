"""What a sender gets back for a delivery: its verdict, the reasons and every problem.

Shown on a terminal, or written as a file to be sent back. Sheets, cells, titles, rules and
sentences are in it, in English or Welsh; nothing that a cell of the return holds.
"""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

from pipelines.casting import squeezed
from pipelines.declarations import Declarations, Text
from pipelines.exports import FORMULA_STARTS
from pipelines.files import write_whole
from pipelines.ledger import Submission

Language = Literal["en", "cy"]
Problem = dict[str, Any]

SUFFIXES = (".csv", ".txt")
WIDTH_OF_TEXT = 88

# Sorted after every real column: what has no cell follows what has one.
_NO_COLUMN = 1 << 20

_WORDS: dict[str, Text] = {
    "file": Text(en="File", cy="Ffeil"),
    "from": Text(en="From", cy="Gan"),
    "received": Text(en="Received", cy="Daeth i law"),
    "fingerprint": Text(en="SHA-256", cy="SHA-256"),
    "version": Text(en="version {}", cy="fersiwn {}"),
    "sender unknown": Text(en="sender not known", cy="anfonwr anhysbys"),
    "quarter unknown": Text(en="quarter not known", cy="chwarter anhysbys"),
    "late": Text(en="after the proposed deadline", cy="ar ôl y dyddiad cau arfaethedig"),
    "why": Text(en="Why it was refused", cy="Pam y'i gwrthodwyd"),
    "unused": Text(
        en="Nothing in this file is used. An earlier accepted file of the quarter stays in force.",
        cy="Ni ddefnyddir dim o'r ffeil hon. Mae ffeil gynharach o'r chwarter a dderbyniwyd yn "
        "parhau mewn grym.",
    ),
    "whole": Text(en="The file as a whole", cy="Y ffeil gyfan"),
    "waiting": Text(
        en="There is no verdict yet: `adoption take-in` gives it.",
        cy="Nid oes dyfarniad eto: mae `adoption take-in` yn ei roi.",
    ),
    "same": Text(
        en="The bytes are those of {}, whose verdict holds.",
        cy="Mae'r beitiau yr un fath â rhai {}, a'i ddyfarniad sy'n cyfrif.",
    ),
    "none": Text(en="No problem was found.", cy="Ni chafwyd hyd i unrhyw broblem."),
    "gone": Text(
        en="{} problems of rows were counted, and their list is not on disk any more.",
        cy="Cyfrifwyd {} o broblemau mewn rhesi, ac nid yw'r rhestr ohonynt ar ddisg mwyach.",
    ),
    "rules": Text(en="{} rules ran, {} crashed", cy="Rhedodd {} o reolau, methodd {}"),
    "nil": Text(en="nil return", cy="ffurflen ddim"),
    "used": Text(
        en="rows read {read}, accepted {accepted}, set aside {aside}; errors {errors}, "
        "queries {queries}",
        cy="rhesi a ddarllenwyd {read}, derbyniwyd {accepted}, o'r neilltu {aside}; "
        "gwallau {errors}, ymholiadau {queries}",
    ),
    "not used": Text(
        en="rows read {read}, none used; errors {errors}, queries {queries}",
        cy="rhesi a ddarllenwyd {read}, ni ddefnyddiwyd yr un; gwallau {errors}, "
        "ymholiadau {queries}",
    ),
    "cell": Text(en="cell {}", cy="cell {}"),
    "column": Text(en="column {}", cy="colofn {}"),
    "row": Text(en="row {}", cy="rhes {}"),
    "rows": Text(en="rows {}", cy="rhesi {}"),
    "error": Text(en="error", cy="gwall"),
    "query": Text(en="query", cy="ymholiad"),
}

_STATUS: dict[str, Text] = {
    status: Text(en=status, cy=welsh)
    for status, welsh in {
        "received": "daeth i law",
        "refused": "gwrthodwyd",
        "duplicate": "dyblyg",
        "accepted": "derbyniwyd",
        "accepted with queries": "derbyniwyd gydag ymholiadau",
        "accepted with errors quarantined": "derbyniwyd, a rhesi â gwallau o'r neilltu",
    }.items()
}

_HEADINGS: tuple[Text, ...] = (
    Text(en="Submission", cy="Cyflwyniad"),
    Text(en="Sheet", cy="Taflen"),
    Text(en="Row", cy="Rhes"),
    Text(en="Cell", cy="Cell"),
    Text(en="Column heading", cy="Pennawd y golofn"),
    Text(en="Error or query", cy="Gwall neu ymholiad"),
    Text(en="Rule", cy="Rheol"),
    Text(en="What to do", cy="Beth i'w wneud"),
)


@dataclass(frozen=True)
class Line:
    """A line of a receipt, before it is wrapped. ``style`` is a colour of the terminal or none."""

    text: str
    indent: int = 0
    style: str = ""


class Receipt:
    """The verdict of one delivery in one language.

    ``found`` are the problems of :func:`pipelines.take_in.problems_of`. ``problems`` has them in
    the order of sheet, row and column, those of the whole file first, each with ``title_en`` and
    ``title_cy``, the column's heading. What a refusal rests on is always among them.
    """

    def __init__(
        self,
        submission: Submission,
        found: Sequence[Problem],
        declarations: Declarations,
        language: Language = "en",
    ) -> None:
        self._submission = submission
        self._declarations = declarations
        self._language = language
        self._words_of_returns = {
            squeezed(word): name
            for name, declared in declarations.returns.items()
            for word in (name, *_both(declared.sheet), *_both(declared.title))
        }
        every = [*found, *_reasons(submission, found)]
        self.problems: list[Problem] = [
            problem | self._titles(problem) for problem in sorted(every, key=self._position)
        ]

    def as_json(self) -> dict[str, Any]:
        return submission_json(self._submission) | {"problems": self.problems}

    # --- as lines ---------------------------------------------------------------

    def lines(self, *, for_sender: bool = False) -> list[Line]:
        """The whole receipt. What goes to the sender names the bytes, not the file.

        A file's name may hold a child's, and the receipt may be sent by e-mail.
        """
        return [
            *self._head(for_sender),
            *self._about_the_file(),
            *(line for name in self._returns_told() for line in self._about_return(name)),
            *self._foot(),
        ]

    def _head(self, for_sender: bool) -> Iterator[Line]:
        item = self._submission
        colour = {"refused": "bold red", "accepted": "bold green"}.get(item.status, "bold yellow")
        yield Line(f"{item.submission_id}  {self._status()}", 0, colour)
        if for_sender:
            yield Line(f"{self._say('fingerprint')}: {item.sha256}", 2)
        else:
            yield Line(f"{self._say('file')}: {item.name}", 2)
        yield Line(f"{self._say('from')}: {whose(item, self._declarations, self._language)}", 2)
        yield Line(f"{self._say('received')}: {when(item)}", 2)

    def _about_the_file(self) -> Iterator[Line]:
        of_file = [problem for problem in self.problems if problem["return_name"] is None]
        if self._submission.status == "refused":
            yield from self._section(self._say("why"))
            yield from self._of_file(p for p in of_file if p["severity"] == "error")
            yield Line(self._say("unused"), 2)
            of_file = [problem for problem in of_file if problem["severity"] != "error"]
        if of_file:
            yield from self._section(self._say("whole"))
            yield from self._of_file(of_file)

    def _of_file(self, problems: Iterable[Problem]) -> Iterator[Line]:
        for problem in problems:
            where = ", ".join(filter(None, [self._sheet(problem), self._quoted(problem)]))
            kind = self._kind(problem)
            yield Line(f"{where} – {kind}" if where else kind, 2, _colour(problem))
            yield Line(problem[f"sentence_{self._language}"], 4)

    def _returns_told(self) -> list[str]:
        mentioned = {problem["return_name"] for problem in self.problems}
        return [
            name
            for name in self._declarations.returns
            if name in mentioned or name in self._submission.returns
        ]

    def _about_return(self, name: str) -> Iterator[Line]:
        mine = [problem for problem in self.problems if problem["return_name"] == name]
        title = self._said(self._declarations.returns[name].title)
        counts = self._submission.returns.get(name)
        yield from self._section(f"{title}: {self._counts(counts)}" if counts else title)
        for group in _grouped(mine):
            first = group[0]
            where = ", ".join(filter(None, [self._cells(group), self._quoted(first)]))
            yield Line(f"{where} – {self._kind(first)}", 2, _colour(first))
            yield Line(first[f"sentence_{self._language}"], 4)

    def _foot(self) -> Iterator[Line]:
        item = self._submission
        counted = sum(each["errors"] + each["queries"] for each in item.returns.values())
        listed = sum(1 for problem in self.problems if problem["return_name"])
        yield Line("")
        if item.status == "received":
            yield Line(self._say("waiting"))
        elif item.status == "duplicate":
            yield Line(self._say("same", item.duplicate_of))
        elif counted > listed:
            yield Line(self._say("gone", counted), 0, "red")
        elif not self.problems:
            yield Line(self._say("none"))
        if item.rules:
            yield Line(self._say("rules", item.rules["run"], item.rules["crashed"]))

    def _section(self, title: str) -> list[Line]:
        return [Line(""), Line(title, 0, "bold")]

    def _status(self) -> str:
        item = self._submission
        status = self._said(_STATUS[item.status]) if item.status in _STATUS else item.status
        return f"{status} ({self._say('late')})" if item.is_late else status

    def _counts(self, counts: dict[str, Any]) -> str:
        if counts["is_nil"] and not counts["rows_read"]:
            return self._say("nil")
        key = "not used" if self._submission.status == "refused" else "used"
        return self._say(
            key,
            read=counts["rows_read"],
            accepted=counts["rows_accepted"],
            aside=counts["rows_quarantined"],
            errors=counts["errors"],
            queries=counts["queries"],
        )

    def _cells(self, group: Sequence[Problem]) -> str:
        cell, rows = group[0]["cell"], [problem["sheet_row"] for problem in group]
        if len(group) == 1:
            return self._say("cell", cell) if cell else self._say("row", rows[0])
        listed = self._say("rows", row_ranges(rows))
        return f"{self._say('column', _letters(cell))}, {listed}" if cell else listed

    def _kind(self, problem: Problem) -> str:
        return " ".join(filter(None, [self._say(problem["severity"]), problem["code"]]))

    def _quoted(self, problem: Problem) -> str | None:
        title = problem[f"title_{self._language}"]
        return f"“{title}”" if title else None

    # --- as files ---------------------------------------------------------------

    def write(self, target: Path) -> None:
        """Write the receipt for its sender: .csv has a line for each problem, .txt groups them.

        Raises ValueError for another ending, OSError where nothing can be written.
        """
        if target.suffix.lower() not in SUFFIXES:
            raise ValueError(f"end the name in {' or '.join(SUFFIXES)}")
        content = self._csv() if target.suffix.lower() == ".csv" else self._text()
        write_whole(target, lambda path: path.write_bytes(content))

    def _text(self) -> bytes:
        wrapped = (
            textwrap.fill(
                line.text,
                WIDTH_OF_TEXT,
                initial_indent=" " * line.indent,
                subsequent_indent=" " * line.indent,
                break_on_hyphens=False,
            )
            for line in self.lines(for_sender=True)
        )
        return ("\n".join(wrapped) + "\n").encode("utf-8")

    def _csv(self) -> bytes:
        """UTF-8 with byte order mark, so that spreadsheets show Welsh letters.

        The first line after the headings is the verdict itself.
        """
        item = self._submission
        whose_return = whose(item, self._declarations, self._language)
        verdict = f"{self._status()}: {whose_return}, {when(item)}"
        table = [
            [self._said(heading) for heading in _HEADINGS],
            [item.submission_id, self._say("whole"), *[""] * 5, verdict],
        ]
        table += [
            [
                item.submission_id,
                self._sheet(problem) or self._say("whole"),
                "" if problem["sheet_row"] is None else str(problem["sheet_row"]),
                problem["cell"] or "",
                problem[f"title_{self._language}"] or "",
                self._say(problem["severity"]),
                problem["code"] or "",
                problem[f"sentence_{self._language}"],
            ]
            for problem in self.problems
        ]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerows([_no_formula(cell) for cell in row] for row in table)
        return text.getvalue().encode("utf-8-sig")

    # --- what is declared -------------------------------------------------------

    def _position(self, problem: Problem) -> tuple[int, int, int]:
        """By sheet in declared order, row, column. Equals keep the order they were found in.

        Of the file as a whole, errors come first.
        """
        name = problem["return_name"]
        sheet = -1 if name is None else list(self._declarations.returns).index(name)
        row = problem["sheet_row"] or (0 if problem["severity"] == "error" else 1)
        return sheet, row, _column_number(_letters(problem["cell"] or "")) or _NO_COLUMN

    def _titles(self, problem: Problem) -> dict[str, str | None]:
        """The heading of the problem's column, or the question of the cover, as on the template."""
        field = problem["field"]
        name = problem["return_name"] or self._words_of_returns.get(
            squeezed(problem["sheet"] or "")
        )
        asked = self._declarations.returns[name] if name else self._declarations.cover
        title = next((each.title for each in asked.fields if each.name == field), None)
        return {
            "title_en": title.en if title else field,
            "title_cy": title.cy if title else field,
        }

    def _sheet(self, problem: Problem) -> str | None:
        """The sheet as its author called it.

        A cover may be found by its questions under any name, which is then not repeated.
        """
        sheet, cover = problem["sheet"], self._declarations.cover.sheet
        known = {*self._words_of_returns, squeezed(cover.en), squeezed(cover.cy), "cover"}
        is_known = sheet is None or squeezed(sheet) in known
        return sheet if is_known else self._said(cover)

    def _said(self, text: Text) -> str:
        return text.en if self._language == "en" else text.cy

    def _say(self, key: str, *numbers: object, **named: object) -> str:
        return self._said(_WORDS[key]).format(*numbers, **named)


def submission_json(item: Submission) -> dict[str, Any]:
    """What the ledger knows of a delivery, for programs."""
    return {
        "submission_id": item.submission_id,
        "file_name": item.name,
        "sha256": item.sha256,
        "sender_code": item.sender_code,
        "quarter": item.quarter,
        "version": item.version,
        "received_at": item.received_at.isoformat(),
        "status": item.status,
        "is_late": item.is_late,
        "duplicate_of": item.duplicate_of,
        "refusal_code": item.refusal_code,
        "why_en": item.refusal_sentence_en,
        "why_cy": item.refusal_sentence_cy,
        "returns": item.returns,
        "rules": item.rules,
    }


def whose(item: Submission, declarations: Declarations, language: Language = "en") -> str:
    """``Cardiff (W06000015), 2025-26-Q1, version 2``, as far as it is known."""

    def say(key: str) -> str:
        text = _WORDS[key]
        return text.en if language == "en" else text.cy

    place = declarations.places.get(item.sender_code or "")
    name = (place.name_en if language == "en" else place.name_cy) if place else None
    sender = f"{name} ({item.sender_code})" if name else item.sender_code or say("sender unknown")
    parts = [sender, item.quarter or say("quarter unknown")]
    if item.version:
        parts.append(say("version").format(item.version))
    return ", ".join(parts)


def when(item: Submission) -> str:
    return item.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def row_ranges(rows: Iterable[int]) -> str:
    """``2–31, 40``: rows that follow each other are drawn together."""
    ranges: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1] = (ranges[-1][0], row)
        else:
            ranges.append((row, row))
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in ranges)


def _reasons(item: Submission, found: Sequence[Problem]) -> list[Problem]:
    """What a refusal rests on beside the problems found, as one problem of the whole file.

    A file refused at the door has no other; nor have a return that is missing, or too many errors.
    """
    if item.status != "refused":
        return []
    english, welsh = item.refusal_sentence_en or "", item.refusal_sentence_cy or ""
    told = [p for p in found if p["return_name"] is None and p["severity"] == "error"]
    for problem in told:
        english = english.replace(problem["sentence_en"], "", 1).strip()
        welsh = welsh.replace(problem["sentence_cy"], "", 1).strip()
    if not english and told:
        return []
    is_first = item.refusal_code not in {problem["code"] for problem in told}
    return [
        {
            "submission_id": item.submission_id,
            "sender_code": item.sender_code,
            "quarter": item.quarter,
            **dict.fromkeys(("return_name", "sheet", "sheet_row", "cell", "field")),
            "code": item.refusal_code if is_first else None,
            "severity": "error",
            "sentence_en": english,
            "sentence_cy": welsh,
        }
    ]


def _grouped(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems that differ in their row only, in the order of the first of each."""
    groups: dict[tuple[Any, ...], list[Problem]] = {}
    for problem in problems:
        letters = _letters(problem["cell"] or "")
        same = ("sheet", "field", "code", "severity", "sentence_en")
        groups.setdefault((letters, *(problem[key] for key in same)), []).append(problem)
    return list(groups.values())


def _colour(problem: Problem) -> str:
    return "red" if problem["severity"] == "error" else "yellow"


def _letters(cell: str) -> str:
    return re.sub(r"[0-9]+$", "", cell)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _no_formula(text: str) -> str:
    """A leading sign that a spreadsheet would take for a formula gets an apostrophe (CWE-1236)."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _both(text: Text) -> tuple[str, str]:
    return text.en, text.cy
