"""A file as returns: its cover, the sheet of each return, and what became of every filled row.

What is read is what was written: values stay text. Whatever had to be repaired (a
heading under another name, rows above the headings) is listed, and what cannot be
repaired becomes a problem of the file with a sentence in both languages. No sentence
holds anything from a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.declarations import Declarations, Return
from pipelines.readers.cells import is_filled
from pipelines.readers.content import FileContent, SheetContent, fit_to_be_shown
from pipelines.readers.cover import CoverRead, read_cover
from pipelines.readers.refusals import unreadable
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.return_sheet import ReturnRead, RowConservationError, read_return_sheet
from pipelines.readers.sentences import FileProblem, problem
from pipelines.readers.sheets import (
    about_a_sheet_left_out,
    about_a_sheet_like_a_return,
    about_misspelt_sheets,
    about_no_sheets,
    choose_sheets,
)


@dataclass(frozen=True)
class SheetAccount:
    """What became of the filled rows of one sheet: ``filled`` = ``loaded`` + ``ignored``.

    ``filled`` was counted in the file without the parser. ``part`` is ``cover``,
    a return's name, or ``none`` for a sheet that is no part of the return;
    ``ignored`` are the cover's rows, headings and what stands above them, rows that
    are no cases, and every row of a sheet that is no part.
    """

    number: int
    part: str
    filled: int
    loaded: int
    ignored: int


@dataclass(frozen=True)
class LaidOut:
    """A file as returns. ``returns`` holds those whose sheet is there, in declared order."""

    submission_id: str
    cover: CoverRead
    returns: dict[str, ReturnRead]
    problems: tuple[FileProblem, ...]
    repairs: tuple[Repair, ...]
    account: tuple[SheetAccount, ...] = ()

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """Raw frames by name of the return."""
        return {name: read.frame for name, read in self.returns.items()}


def lay_out(content: FileContent, declarations: Declarations, submission_id: str) -> LaidOut:
    """Arrange a file's sheets as declared.

    A file whose rows are not all accounted for has no returns and the problem F006: it is refused,
    and those that came with it are not. That it comes to this is a fault of this program.
    """
    cover = read_cover(content, declarations)
    try:
        return _laid_out(content, cover, declarations, submission_id)
    # A fault of ours, and yet the file is refused rather than the run stopped: one file would hold
    # up everybody's returns.
    except RowConservationError:
        lost = unreadable("F006")
        refusal = FileProblem("F006", "error", None, None, lost.sentence_en, lost.sentence_cy)
        return LaidOut(submission_id, cover, {}, (*cover.problems, refusal), cover.repairs)


def _laid_out(
    content: FileContent, cover: CoverRead, declarations: Declarations, submission_id: str
) -> LaidOut:
    problems = list(cover.problems)
    repairs = list(cover.repairs)
    returns: dict[str, ReturnRead] = {}
    chosen = choose_sheets(content, cover, declarations)
    for name, sheet in chosen.items():
        declared = declarations.returns[name]
        if len(sheet.positions) > 1:
            problems.append(problem("F201", content.sheets[sheet.position].shown_name))
        read = read_return_sheet(
            content, sheet.position, declared, cover, submission_id, declarations
        )
        returns[name] = read
        problems += read.problems
        if sheet.by_headings:
            rows = read.frame.height
            repairs.append(repair("sheet", read.sheet, title=declared.sheet, count=rows))
        repairs += read.repairs
        if _has_too_many_rows(read, declared):
            problems.append(problem("F207", read.sheet, number=declared.max_rows or 0))
    if not returns and not cover.nil_returns and cover.sheet is not None:
        problems.append(about_no_sheets(cover, declarations))
    problems += about_misspelt_sheets(content, declarations, chosen)
    account = _account(content, cover, returns, submission_id)
    for position, line in enumerate(account):
        if line.part == "none" and line.filled:
            sheet_left = content.sheets[position]
            problems += about_a_sheet_like_a_return(
                sheet_left, position, line.filled, declarations, chosen.values()
            )
            repairs += about_a_sheet_left_out(sheet_left, position, line.filled)
    problems += _about_encodings(content, cover, returns)
    return LaidOut(submission_id, cover, returns, tuple(problems), tuple(repairs), tuple(account))


def _has_too_many_rows(read: ReturnRead, declared: Return) -> bool:
    return declared.max_rows is not None and read.frame.height > declared.max_rows


def _about_encodings(
    content: FileContent, cover: CoverRead, returns: Mapping[str, ReturnRead]
) -> list[FileProblem]:
    """A query for each CSV part that was read, and whose encoding had to be guessed."""
    positions = {cover.position, *(read.position - 1 for read in returns.values())}
    names = {content.sheets[position].name for position in positions if position is not None}
    return [
        problem("F210", fit_to_be_shown(name))
        for name in content.decoded_as_cp1252
        if name in names
    ]


def _account(
    content: FileContent,
    cover: CoverRead,
    returns: Mapping[str, ReturnRead],
    submission_id: str,
) -> list[SheetAccount]:
    """Every filled row of the file is loaded or ignored as declared; anything else is our fault."""
    by_position = {read.position - 1: read for read in returns.values()}
    account = []
    for position, sheet in enumerate(content.sheets):
        came_through = _filled_rows(sheet)
        filled = came_through if sheet.filled_rows is None else sheet.filled_rows
        read = by_position.get(position)
        if read is not None:
            part, loaded = read.name, read.frame.height
            ignored = _filled_rows(sheet, read.header_row) + read.rows_left_out
        else:
            part, loaded = ("cover" if position == cover.position else "none"), 0
            ignored = came_through
        # Counted a second time because the parser drops a row whose number is given twice, and cuts
        # a value at a comment, silently.
        if loaded + ignored != filled:
            raise RowConservationError(
                f"{submission_id}, sheet number {position + 1}: {filled} filled rows counted, "
                f"{loaded} loaded and {ignored} ignored"
            )
        account.append(SheetAccount(position + 1, part, filled, loaded, ignored))
    return account


def _filled_rows(sheet: SheetContent, first: int | None = None) -> int:
    """Rows that hold anything among the first ones; among all of them without ``first``."""
    return sum(1 for row in sheet.rows[:first] if is_filled(row))
