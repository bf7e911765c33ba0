"""Which sheet of a file is which return, and what is said of the sheets that are none."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pipelines.declarations import Declarations, Text
from pipelines.readers.codes_written import squeezed
from pipelines.readers.content import FileContent, SheetContent
from pipelines.readers.cover import CoverRead
from pipelines.readers.headings import looks_like, names_of_sheet, sheets_of_the_template
from pipelines.readers.repairs import Repair, repair
from pipelines.readers.sentences import FileProblem, problem

_ALIKE = 0.8  # of difflib: "Childern" is nearly "Children", "Chart" is not
_LONGEST_NAME = 100  # characters compared; spreadsheets allow 31


@dataclass(frozen=True)
class ChosenSheet:
    """The sheets that are one return, by position in the file from 0; the first one is read."""

    positions: list[int]
    by_headings: bool = False  # its name says something else

    @property
    def position(self) -> int:
        return self.positions[0]


def choose_sheets(
    content: FileContent, cover: CoverRead, declarations: Declarations
) -> dict[str, ChosenSheet]:
    """The sheet of each return, by its name; else the only sheet with the return's headings.

    By name of the return, in declared order, without those that the file has no sheet for.
    """
    chosen: dict[str, ChosenSheet] = {}
    for name, declared in declarations.returns.items():
        names = names_of_sheet(declared)
        called = [n for n, sheet in enumerate(content.sheets) if squeezed(sheet.name) in names]
        if called:
            chosen[name] = ChosenSheet(called)
    taken = {position for sheet in chosen.values() for position in sheet.positions}
    if content.form != "csv" and cover.position is not None:
        taken.add(cover.position)  # while one CSV file may be cover and return in one
    for name, declared in declarations.returns.items():
        if name not in chosen:
            alike = [
                position
                for position, sheet in enumerate(content.sheets)
                if position not in taken and looks_like(sheet, declared)
            ]
            # Two sheets with a return's headings are this quarter's and last quarter's, as likely
            # as not.
            if len(alike) == 1:
                chosen[name] = ChosenSheet(alike, by_headings=True)
    return {name: chosen[name] for name in declarations.returns if name in chosen}


def about_no_sheets(cover: CoverRead, declarations: Declarations) -> FileProblem:
    """Names the sheets this sender owes, as far as the cover says who sends and for when."""
    sender, quarter = cover.values["sender_code"], cover.values["quarter"]
    due = declarations.due_from(sender, quarter) if sender and quarter else ()
    wanted = [each for name, each in declarations.returns.items() if name in due or not due]
    names = Text(
        en=", ".join(f"“{each.sheet.en}” (“{each.sheet.cy}”)" for each in wanted),
        cy=", ".join(f"“{each.sheet.cy}” (“{each.sheet.en}”)" for each in wanted),
    )
    files = ", ".join(f"{each.name}.csv" for each in wanted)
    return problem("F200", None, title=names, cells=files)


def about_misspelt_sheets(
    content: FileContent, declarations: Declarations, chosen: Mapping[str, ChosenSheet]
) -> Iterator[FileProblem]:
    """A query for a sheet whose name is nearly that of a return that has none."""
    missing = {
        name: declared
        for declared in declarations.returns.values()
        if declared.name not in chosen
        for name in names_of_sheet(declared)
    }
    read = {sheet.position for sheet in chosen.values()}
    for position, sheet in enumerate(content.sheets):
        name = squeezed(sheet.name)[:_LONGEST_NAME]
        close = difflib.get_close_matches(name, list(missing), 1, _ALIKE)
        if close and position not in read:
            wanted = missing[close[0]]
            yield problem("F214", None, title=wanted.sheet, number=position + 1)


def about_a_sheet_like_a_return(
    sheet: SheetContent,
    position: int,
    filled_rows: int,
    declarations: Declarations,
    chosen: Collection[ChosenSheet],
) -> Iterator[FileProblem]:
    """A query for a sheet that was not read although it looks like a return."""
    if any(position in each.positions for each in chosen):
        return  # a second sheet for one return: F201 says so
    for declared in declarations.returns.values():
        if looks_like(sheet, declared):
            cells = str(filled_rows)
            yield problem("F215", None, title=declared.sheet, number=position + 1, cells=cells)


def about_a_sheet_left_out(
    sheet: SheetContent, position: int, filled_rows: int
) -> Iterator[Repair]:
    """A note for a filled sheet that is no part of the return, unless the template made it."""
    if squeezed(sheet.name) not in sheets_of_the_template():
        cells = str(filled_rows)
        yield repair("left out", "", number=position + 1, cells=cells, count=filled_rows)
