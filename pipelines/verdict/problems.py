"""Problems of one delivery, put in order and made complete for the report on it.

A problem is a mapping: those of :func:`pipelines.intake.problems.problems_of` have the columns of
``PROBLEM_SCHEMA``. Sentences are bilingual where their rules are declared, so that a problem holds
both; the report chooses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pipelines.declarations import Declarations, Text
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.codes_written import squeezed
from pipelines.text.catalogue import Language

Problem = dict[str, Any]

# Sorted after every real column: what has no cell follows what has one.
_NO_COLUMN = 1 << 20


class DeclaredHeadings:
    """Names of sheets, headings of columns and sources of rules, as declared for a quarter."""

    def __init__(self, declarations: Declarations, quarter: str | None) -> None:
        self._declarations = declarations
        self._quarter = quarter
        self._return_names = {
            squeezed(name): return_name
            for return_name, declared in declarations.returns.items()
            for name in (return_name, *_both(declared.sheet), *_both(declared.title))
        }

    def titles(self, problem: Mapping[str, Any]) -> dict[str, str | None]:
        """``title_en`` and ``title_cy``: the heading of the problem's column, or the question of
        the cover, as on the template; the field's own name where none is declared."""
        field = problem["field"]
        return_name = problem["return_name"] or self._return_names.get(
            squeezed(problem["sheet"] or "")
        )
        declared = (
            self._declarations.returns[return_name] if return_name else self._declarations.cover
        )
        title = next((each.title for each in declared.fields if each.name == field), None)
        return {
            "title_en": title.en if title else field,
            "title_cy": title.cy if title else field,
        }

    def sheet_name(self, sheet: str | None, language: Language) -> str | None:
        """The sheet as its author called it.

        A cover may be recognised by its questions under any name, which is then not repeated: a
        name nobody declared may hold anything.
        """
        cover = self._declarations.cover.sheet
        known = {*self._return_names, squeezed(cover.en), squeezed(cover.cy), "cover"}
        return sheet if sheet is None or squeezed(sheet) in known else in_language(cover, language)

    def source(self, problem: Mapping[str, Any]) -> str | None:
        """Where the rule comes from; None for rules about files, which no catalogue lists."""
        code, field = problem["code"], problem["field"] or ""
        return_name = problem["return_name"] or ""
        return self._sources.get((return_name, code, field)) or self._sources.get(
            (return_name, code, "")
        )

    @cached_property
    def _sources(self) -> dict[tuple[str, str, str], str]:
        if self._quarter is None:
            return {}
        from expectations.rule_catalogue import catalogue_of_rules

        catalogue = catalogue_of_rules(self._declarations, Quarter.parse(self._quarter))
        rules = catalogue.select("return_name", "code", "field", "source").iter_rows()
        return {(name, code, field): source for name, code, field, source in rules}

    def position(self, problem: Mapping[str, Any]) -> tuple[int, int, int]:
        """Sort key: sheet in declared order, row, column. Equals keep the order they came in.

        Of the file as a whole, errors come first.
        """
        return_name = problem["return_name"]
        sheet = -1 if return_name is None else list(self._declarations.returns).index(return_name)
        row = problem["sheet_row"] or (0 if problem["severity"] == "error" else 1)
        return sheet, row, column_number(letters_of(problem["cell"] or "")) or _NO_COLUMN


def complete_problems(
    submission: Submission, problems: Sequence[Mapping[str, Any]], headings: DeclaredHeadings
) -> list[Problem]:
    """Problems in the order of sheet, row and column, those of the whole file first, and of these
    the ones that are the cause of most: whole columns and references.

    Each has ``title_en``, ``title_cy`` and ``source`` as well, and what a refusal rests on is
    always among them.
    """
    every = [*problems, *_reasons_of_refusal(submission, problems)]
    causes = {reason["sentence_en"] for reason in submission.held_for}

    def position(problem: Mapping[str, Any]) -> tuple[bool, tuple[int, int, int]]:
        return problem["sentence_en"] not in causes, headings.position(problem)

    return [
        {**problem, **headings.titles(problem), "source": headings.source(problem)}
        for problem in sorted(every, key=position)
    ]


def _reasons_of_refusal(
    submission: Submission, problems: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    """What a refusal rests on besides the problems, as problems of the whole file.

    A file refused on arrival has no other; nor has a return that is missing, or that has too many
    errors.
    """
    if submission.status != "refused":
        return []
    listed = [p for p in problems if p["return_name"] is None and p["severity"] == "error"]
    joined: dict[str, Any] = {  # before reasons were kept one by one
        "code": submission.refusal_code,
        "sentence_en": submission.refusal_sentence_en or "",
        "sentence_cy": submission.refusal_sentence_cy or "",
    }
    reasons = []
    for reason in submission.refusals or [joined]:
        english, welsh = reason["sentence_en"], reason["sentence_cy"]
        for problem in listed:
            english = english.replace(problem["sentence_en"], "", 1).strip()
            welsh = welsh.replace(problem["sentence_cy"], "", 1).strip()
        if english or not listed:
            is_new = reason["code"] not in {problem["code"] for problem in listed}
            code = reason["code"] if is_new else None
            reasons.append(_of_whole_file(submission, code, english, welsh))
    return reasons


def _of_whole_file(submission: Submission, code: str | None, english: str, welsh: str) -> Problem:
    return {
        "submission_id": submission.submission_id,
        "sender_code": submission.sender_code,
        "quarter": submission.quarter,
        "return_name": None,
        "sheet": None,
        "sheet_row": None,
        "cell": None,
        "field": None,
        "code": code,
        "severity": "error",
        "sentence_en": english,
        "sentence_cy": welsh,
    }


def wrong_and_right(sentence: str) -> tuple[str, str]:
    """A sentence of a rule in two: what is wrong, and what to do about it.

    They part at the first colon or, where there is none, at the first full stop; not inside
    quotation marks, where a title may have either. The second may be empty.
    """
    for mark in (": ", ". "):
        quoted = 0
        for position, letter in enumerate(sentence):
            quoted += {"“": 1, "”": -1}.get(letter, 0)
            if quoted == 0 and sentence.startswith(mark, position):
                wrong, right = sentence[:position], sentence[position + len(mark) :]
                return f"{wrong}.", right[:1].upper() + right[1:]
    return sentence, ""


def letters_of(cell: str) -> str:
    """The column of an address: ``AB`` of ``AB12``."""
    return re.sub(r"[0-9]+$", "", cell)


def column_number(letters: str) -> int:
    """``A`` is 1, ``AA`` 27; nothing is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def in_language(text: Text, language: Language) -> str:
    """A declared text in one of its two languages."""
    return text.en if language == "en" else text.cy


def _both(text: Text) -> tuple[str, str]:
    return text.en, text.cy
