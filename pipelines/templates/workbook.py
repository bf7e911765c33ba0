"""The workbook an authority fills in, and workbooks filled in in the same layout.

The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.templates.book import A3, TemplateBook
from pipelines.templates.entry_checks import guide_cover, guide_data
from pipelines.templates.guidance import write_codes, write_guidance, write_lists
from pipelines.templates.plan import (
    Entry,
    TemplatePlan,
    in_language,
    place_label,
    plan_template,
    returns_for,
)
from pipelines.templates.sheets import write_cover, write_data
from pipelines.text.catalogue import Language


def write_template(
    path: Path,
    declarations: Declarations,
    quarter: Quarter,
    sender_code: str | None = None,
    language: Language = "en",
) -> None:
    """Write the workbook an authority or agency fills in for ``quarter``.

    With ``sender_code`` the cover names the sender and only the returns it owes
    get a sheet. Raises KeyError for a sender that is no declared place.
    """
    names = returns_for(declarations, quarter, sender_code)
    cover: dict[str, object] = {"quarter": quarter.label, "version": 1}
    if sender_code is not None:
        cover["sender_code"] = place_label(declarations.places[sender_code], language)
    nation_code = declarations.nation_of(sender_code)
    plan = plan_template(declarations, quarter, language, nation_code)
    rows = dict.fromkeys(names, ())
    _write_workbook(path, plan, declarations, quarter, cover, rows, for_filling=True)


def write_return(
    path: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Entry]],
    language: Language = "en",
    *,
    for_filling: bool = False,
) -> None:
    """Write a filled-in workbook: one sheet for every return named in ``rows``, even if empty.

    With ``for_filling`` it has the guidance and the drop-downs of the template as well.

    ``cover`` and each row are keyed by declared field name. Dates become date
    cells, integers numbers, codes the label the drop-down offers; any other
    text is written as it is. Keys of a row that are no declared field become
    further columns. Raises KeyError for a return that is not declared.
    """
    plan = plan_template(declarations, quarter, language)
    _write_workbook(path, plan, declarations, quarter, cover, rows, for_filling=for_filling)


def _write_workbook(
    path: Path,
    plan: TemplatePlan,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Entry]],
    *,
    for_filling: bool,
) -> None:
    book = TemplateBook(path, plan, quarter)
    cover_sheet = book.add_sheet(in_language(declarations.cover.sheet, plan.language))
    write_cover(book, cover_sheet, declarations, plan.cover_fields(rows, cover), cover)
    for name, entries in rows.items():
        planned = plan.sheets[name]
        sheet = book.add_sheet(planned.sheet, A3)
        write_data(book, sheet, planned, entries)
        if for_filling:
            guide_data(book, sheet, planned)
    if for_filling:
        guide_cover(book, cover_sheet, plan.cover_fields(rows, cover))
        write_guidance(book, declarations, list(rows))
        write_codes(book, declarations, quarter, list(rows))
        write_lists(book, declarations, list(rows))
    cover_sheet.activate()
    book.close()
