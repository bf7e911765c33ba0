"""What a sender gets back for a delivery: its verdict, the reasons and every problem.

Shown on a terminal, or written as a file to be sent back. Sheets, cells, titles, rules and
sentences are in it, in English or Welsh; nothing that a cell of the return holds. Only the
workbook (:mod:`pipelines.verdict.report_workbook`) has the sender's own references in it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Declarations, Text
from pipelines.files import write_whole
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import squeezed
from pipelines.verdict.report_words import (
    SOURCE_OF_FILES,
    STATUS,
    WORDS,
    Language,
    said,
    say,
    shown_part,
)

if TYPE_CHECKING:
    from pipelines.verdict.details import Details
    from pipelines.verdict.headlines import Headline
    from pipelines.verdict.report_lines import Line

Problem = dict[str, Any]

SUFFIXES = (".xlsx", ".csv", ".txt", ".json")
WIDTH_OF_TEXT = 88

# Sorted after every real column: what has no cell follows what has one.
_NO_COLUMN = 1 << 20

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


class Receipt:
    """The verdict of one delivery in one language.

    ``found`` are the problems of :func:`pipelines.intake.take_in.problems_of`. ``problems`` has
    them in the order of sheet, row and column, those of the whole file first, each with
    ``title_en`` and ``title_cy``, the column's heading, and ``source``, where its rule comes from.
    What a refusal rests on is always among them. ``details`` add repairs, headline figures and
    changes.
    """

    def __init__(
        self,
        submission: Submission,
        found: Sequence[Problem],
        declarations: Declarations,
        language: Language = "en",
        details: Details | None = None,
    ) -> None:
        self.submission = submission
        self.declarations = declarations
        self.language: Language = language
        self.details = details
        self._words_of_returns = {
            squeezed(word): name
            for name, declared in declarations.returns.items()
            for word in (name, *_both(declared.sheet), *_both(declared.title))
        }
        every = [*found, *_reasons(submission, found)]
        self.problems: list[Problem] = [
            problem | self._titles(problem) | {"source": self._source(problem)}
            for problem in sorted(every, key=self._position)
        ]

    def as_json(self, *, for_sender: bool = False) -> dict[str, Any]:
        """The receipt for programs; docs/check-a-return.md explains the keys.

        What is written to be sent does not name the file, whose name may hold a child's.
        """
        told = self.details
        effect = told.effect.as_json() if told and told.effect else None
        named = submission_json(self.submission)
        return (named | {"file_name": None} if for_sender else named) | {
            "is_check": bool(told and told.is_check),
            "problems": self.problems,
            "repairs": self.repairs,
            "headlines": effect,
            "changes": told.changes.as_json() if told and told.changes else None,
            "not_known_here": [
                {"en": WORDS[key].en, "cy": WORDS[key].cy}
                for key in (told.not_known if told else ())
            ],
        }

    @property
    def repairs(self) -> list[dict[str, Any]]:
        """What was read as it was meant: sheet, kind, column, how often, and a sentence."""
        found = self.details.repairs if self.details else ()
        return [
            {
                "kind": repair.get("kind") or None,
                "sheet": repair["sheet"],
                "field": repair["field"],
                "count": repair.get("count", 1),
                "sentence_en": repair["sentence_en"],
                "sentence_cy": repair["sentence_cy"],
            }
            | self._titles(repair | {"return_name": None})
            for repair in found
        ]

    # --- in words ---------------------------------------------------------------

    def lines(self, *, for_sender: bool = False, is_short: bool = False) -> list[Line]:
        """The whole receipt, as :class:`pipelines.verdict.report_lines.ReceiptLines` has it."""
        from pipelines.verdict.report_lines import ReceiptLines

        return ReceiptLines(self, for_sender, is_short).every()

    def changes_told(self) -> list[str]:
        """Rows of each return, then problems: how many came, went, changed or stayed."""
        found = self.details.changes if self.details else None
        if found is None:
            return []
        told = []
        for name in found.return_names:
            counts = {kind: len(found.of(name, kind)) for kind in ("added", "removed", "changed")}
            title = said(self.declarations.returns[name].title, self.language)
            changed = self.say("rows changed", **counts, unchanged=found.unchanged[name])
            told.append(f"{title}: {changed}")
        return [
            *told,
            self.say(
                "problems changed",
                fixed=len(found.fixed),
                new=len(found.new),
                still_there=len(found.still_there),
            ),
        ]

    @property
    def status(self) -> str:
        item = self.submission
        status = said(STATUS[item.status], self.language) if item.status in STATUS else item.status
        return f"{status} ({self.say('late')})" if item.is_late else status

    @property
    def rules(self) -> str:
        """``61 rules ran, 2 skipped: no earlier return, 0 crashed``."""
        from expectations.verdicts import rules_sentence

        return rules_sentence(self.submission.rules, self.language)

    def version(self, version: str, for_sender: bool = True) -> str:
        """What stands over the figures of a version of the return."""
        effect = self.details.effect if self.details else None
        is_other = effect is not None and version in ("version_before", "quarter_before")
        name = self.say(version)
        return (
            f"{name} ({self._called(effect.versions[version], for_sender)})" if is_other else name
        )

    def figure(self, headline: Headline, version: str) -> str:
        """One version's figure of an indicator; a dash where it has none."""
        part, indicator = headline.parts.get(version), headline.indicator
        if part is None:
            return "–"
        return shown_part(indicator.unit, indicator.rounding, part, self.language)

    def earlier_version(self, for_sender: bool = True) -> str:
        """``S000012-0a1b2c3d (version 1, refused)``, of the version compared with."""
        earlier = self.details.earlier if self.details else None
        if earlier is None:
            return ""
        known = [self.say("version", earlier.version)] if earlier.version else []
        known.append(said(STATUS[earlier.status], self.language))
        return f"{self._called(earlier, for_sender)} ({', '.join(known)})"

    def _called(self, item: Submission, for_sender: bool) -> str:
        """A file that was only checked has no receipt: on the screen it is called by its name."""
        is_check = bool(self.details and self.details.is_check)
        return item.name if is_check and not for_sender else item.submission_id

    def counts(self, counts: Mapping[str, Any]) -> str:
        if counts["is_nil"] and not counts["rows_read"]:
            return self.say("nil")
        key = "not used" if self.submission.status == "refused" else "used"
        return self.say(
            key,
            read=counts["rows_read"],
            accepted=counts["rows_accepted"],
            aside=counts["rows_quarantined"],
            errors=counts["errors"],
            queries=counts["queries"],
        )

    def sentence(self, problem: Mapping[str, Any]) -> str:
        return problem[f"sentence_{self.language}"]

    def title(self, problem: Mapping[str, Any]) -> str | None:
        """Heading of the column, as on the template."""
        return problem[f"title_{self.language}"]

    # --- as files ---------------------------------------------------------------

    def write(self, target: Path) -> None:
        """Write the receipt for its sender, readable by its owner alone.

        .xlsx has everything, with the sender's own references; .csv a line for each problem; .txt
        groups them; .json is for programs. Raises ValueError for another ending, OSError where
        nothing can be written.
        """
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"end the name in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
        if suffix == ".xlsx":
            from pipelines.verdict.report_workbook import verdict_workbook

            content = verdict_workbook(self)
        elif suffix == ".json":
            content = (
                json.dumps(self.as_json(for_sender=True), indent=2, ensure_ascii=False) + "\n"
            ).encode()
        else:
            content = self._csv() if suffix == ".csv" else self._text()
        write_private(target, content)

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
        item = self.submission
        whose_return = whose(item, self.declarations, self.language)
        verdict = f"{self.status}: {whose_return}, {when(item)}"
        table = [
            [said(heading, self.language) for heading in _HEADINGS],
            [item.submission_id, self.say("whole"), *[""] * 5, verdict],
        ]
        table += [
            [
                item.submission_id,
                self.sheet(problem) or self.say("whole"),
                "" if problem["sheet_row"] is None else str(problem["sheet_row"]),
                problem["cell"] or "",
                self.title(problem) or "",
                self.say(problem["severity"]),
                problem["code"] or "",
                self.sentence(problem),
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
        sheet = -1 if name is None else list(self.declarations.returns).index(name)
        row = problem["sheet_row"] or (0 if problem["severity"] == "error" else 1)
        return sheet, row, column_number(letters_of(problem["cell"] or "")) or _NO_COLUMN

    def _titles(self, problem: Mapping[str, Any]) -> dict[str, str | None]:
        """The heading of the problem's column, or the question of the cover, as on the template."""
        field = problem["field"]
        name = problem["return_name"] or self._words_of_returns.get(
            squeezed(problem["sheet"] or "")
        )
        asked = self.declarations.returns[name] if name else self.declarations.cover
        title = next((each.title for each in asked.fields if each.name == field), None)
        return {
            "title_en": title.en if title else field,
            "title_cy": title.cy if title else field,
        }

    def _source(self, problem: Problem) -> str | None:
        """Where the rule comes from; None for rules about files, which no catalogue lists."""
        found = self._sources
        code, field = problem["code"], problem["field"] or ""
        name = problem["return_name"] or ""
        return found.get((name, code, field)) or found.get((name, code, ""))

    @cached_property
    def _sources(self) -> dict[tuple[str, str, str], str]:
        if self.submission.quarter is None:
            return {}
        from expectations.suite import catalogue_of_rules

        quarter = Quarter.parse(self.submission.quarter)
        columns = ("return_name", "code", "field", "source")
        rows = catalogue_of_rules(self.declarations, quarter).select(columns).iter_rows()
        return {(name, code, field): source for name, code, field, source in rows}

    def source(self, problem: Mapping[str, Any]) -> str:
        return problem["source"] or said(SOURCE_OF_FILES, self.language)

    def sheet(self, problem: Mapping[str, Any]) -> str | None:
        """The sheet as its author called it.

        A cover may be found by its questions under any name, which is then not repeated.
        """
        sheet, cover = problem["sheet"], self.declarations.cover.sheet
        known = {*self._words_of_returns, squeezed(cover.en), squeezed(cover.cy), "cover"}
        is_known = sheet is None or squeezed(sheet) in known
        return sheet if is_known else said(cover, self.language)

    def say(self, key: str, *numbers: object, **named: object) -> str:
        return say(key, self.language, *numbers, **named)


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
        "state": item.state,
        "is_late": item.is_late,
        "duplicate_of": item.duplicate_of,
        "refusal_code": item.refusal_code,
        "why_en": item.refusal_sentence_en,
        "why_cy": item.refusal_sentence_cy,
        "returns": item.returns,
        "rules": item.rules,
        "rule_set_hash": item.rule_set_hash,
    }


def whose(item: Submission, declarations: Declarations, language: Language = "en") -> str:
    """``Cardiff (W06000015), 2025-26-Q1, version 2``, as far as it is known."""
    place = declarations.places.get(item.sender_code or "")
    name = (place.name_en if language == "en" else place.name_cy) if place else None
    unknown = say("sender unknown", language)
    sender = f"{name} ({item.sender_code})" if name else item.sender_code or unknown
    parts = [sender, item.quarter or say("quarter unknown", language)]
    if item.version:
        parts.append(say("version", language, item.version))
    return ", ".join(parts)


def when(item: Submission) -> str:
    return item.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def write_private(target: Path, content: bytes) -> None:
    """Write a file whole that nobody but its owner may read, whatever the umask."""

    def write(part: Path) -> None:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)

    write_whole(target, write)


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends


def _reasons(item: Submission, found: Sequence[Problem]) -> list[Problem]:
    """What a refusal rests on beside the problems found, as problems of the whole file.

    A file refused at the door has no other; nor have a return that is missing, or too many errors.
    """
    if item.status != "refused":
        return []
    told = [p for p in found if p["return_name"] is None and p["severity"] == "error"]
    joined = {  # before reasons were kept one by one
        "code": item.refusal_code,
        "sentence_en": item.refusal_sentence_en or "",
        "sentence_cy": item.refusal_sentence_cy or "",
    }
    reasons = []
    for reason in item.refusals or [joined]:
        english, welsh = reason["sentence_en"], reason["sentence_cy"]
        for problem in told:
            english = english.replace(problem["sentence_en"], "", 1).strip()
            welsh = welsh.replace(problem["sentence_cy"], "", 1).strip()
        if english or not told:
            is_new = reason["code"] not in {problem["code"] for problem in told}
            reasons.append(_of_whole_file(item, reason["code"] if is_new else None, english, welsh))
    return reasons


def _of_whole_file(item: Submission, code: str | None, english: str, welsh: str) -> Problem:
    return {
        "submission_id": item.submission_id,
        "sender_code": item.sender_code,
        "quarter": item.quarter,
        **dict.fromkeys(("return_name", "sheet", "sheet_row", "cell", "field")),
        "code": code,
        "severity": "error",
        "sentence_en": english,
        "sentence_cy": welsh,
    }


def letters_of(cell: str) -> str:
    """The column of an address: ``AB`` of ``AB12``."""
    return re.sub(r"[0-9]+$", "", cell)


def column_number(letters: str) -> int:
    """``A`` is 1, ``AA`` 27; nothing is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _no_formula(text: str) -> str:
    """A leading sign that a spreadsheet would take for a formula gets an apostrophe (CWE-1236)."""
    from pipelines.files import FORMULA_STARTS

    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _both(text: Text) -> tuple[str, str]:
    return text.en, text.cy
