"""A converted extract as return workbooks, one for each quarter, ready to be completed or sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.extracts.conversion import Conversion, ConvertedReturn
from pipelines.templates.plan import Entry, place_label, returns_for
from pipelines.templates.workbook import write_return
from pipelines.text.catalogue import Language


def write_converted(
    folder: Path, conversion: Conversion, declarations: Declarations, language: Language = "en"
) -> list[Path]:
    """Write a workbook for each quarter into ``folder``; their paths, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for converted in conversion.returns:
        path = folder / f"{conversion.sender_code} {converted.quarter.label}.xlsx"
        write_one(path, conversion, converted, declarations, language)
        paths.append(path)
    return paths


def write_one(
    path: Path,
    conversion: Conversion,
    converted: ConvertedReturn,
    declarations: Declarations,
    language: Language = "en",
) -> None:
    """Write the workbook of one quarter.

    The return of a quarter gets a sheet for whatever else is due, with the drop-downs and notes of
    the template; history has the sheets it fills.
    """
    sender, quarter = conversion.sender_code, converted.quarter
    cover: dict[str, object] = {
        "sender_code": place_label(declarations.places[sender], language),
        "quarter": quarter.label,
        "version": 1,
        "made_from": conversion.extract.name,
    }
    if conversion.is_history:
        cover["is_history"] = True
        rows: Mapping[str, Sequence[Entry]] = converted.rows
    else:
        due = returns_for(declarations, quarter, sender)
        rows = {name: converted.rows.get(name, []) for name in due}
    write_return(
        path, declarations, quarter, cover, rows, language, for_filling=not conversion.is_history
    )
