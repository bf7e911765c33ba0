"""What the cells of an extract say: dates, numbers and codes. What is not understood stops it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.declarations import Declarations, Extract, ReturnField
from pipelines.declarations.extracts import FURTHER_DAYS
from pipelines.extracts.recognised import Recognised, Sheet
from pipelines.extracts.sentences import CannotConvert, Sentence, some
from pipelines.quarters import Quarter
from pipelines.readers.casting import as_whole_number
from pipelines.readers.codes_written import codes_understood, squeezed
from pipelines.readers.dates_written import as_dates, stripped
from pipelines.text.catalogue import N_

_NO_DISABILITY = "NONE"

NOT_A_DATE = N_(
    "{sheet}: {column} is not a date that can be read in rows {rows}: correct them in your system, "
    "or in the file."
)
NOT_A_NUMBER = N_("{sheet}: {column} is not a whole number in rows {rows}: correct them.")
NOT_A_CODE = N_(
    "{sheet}: {column} has a code that {extract} does not know in rows {rows}: correct it in your "
    "system, or in the file."
)
NO_REFERENCE = N_("{sheet}: {column} is blank in rows {rows}: give each row its reference.")
NO_START = N_("{sheet}: {column} is blank in rows {rows}: give each episode its first day.")


@dataclass(frozen=True)
class Entry:
    """One row: the sheet's number of it, whom it is about, and what is known."""

    sheet: Sheet
    number: int
    reference: str
    values: Mapping[str, Any]


def entries(recognised: Recognised, quarter: Quarter, declarations: Declarations) -> list[Entry]:
    """Every row of every sheet, typed; codes are those in force in ``quarter``.

    Days that stand where nothing is known are left out. Raises CannotConvert with a sentence for
    each column of each sheet that holds something else.
    """
    wrong: list[Sentence] = []
    read: list[Entry] = []
    for sheet in recognised.sheets:
        typed = [(number, dict[str, Any](), row) for number, row in sheet.rows]
        for column, heading in sheet.table.columns.items():
            texts = {text for _, row in sheet.rows if (text := row.get(column)) is not None}
            meant, template = _meant(
                texts, column, sheet, recognised.extract, quarter, declarations
            )
            bad = []
            for number, values, row in typed:
                text = row.get(column)
                if text is None:
                    continue
                value = meant.get(text)
                if value is None:
                    bad.append(number)
                elif value not in recognised.extract.placeholders:
                    values[column] = value
            if bad:
                wrong.append(
                    Sentence(
                        template,
                        {
                            "sheet": sheet.shown,
                            "column": heading,
                            "rows": some(bad),
                            "extract": recognised.extract.title,
                        },
                    )
                )
        wrong += _blank(sheet, "reference", NO_REFERENCE)
        wrong += _blank(sheet, "started_on", NO_START)
        read += [
            Entry(sheet, number, values.pop("reference", ""), values) for number, values, _ in typed
        ]
    if wrong:
        raise CannotConvert(wrong)
    return read


def _blank(sheet: Sheet, column: str, template: str) -> list[Sentence]:
    if column not in sheet.table.columns:
        return []
    rows = [number for number, row in sheet.rows if column not in row]
    values = {"sheet": sheet.shown, "column": sheet.table.columns[column], "rows": some(rows)}
    return [Sentence(template, values)] if rows else []


def _meant(
    texts: Iterable[str],
    column: str,
    sheet: Sheet,
    extract: Extract,
    quarter: Quarter,
    declarations: Declarations,
) -> tuple[dict[str, Any], str]:
    """What each text means, and what is said where it means nothing."""
    texts = sorted(texts)
    field = _field(sheet, column, declarations)
    if column in FURTHER_DAYS or (field is not None and field.type == "date"):
        # Such days are often outside of the years in which a date is understood at all.
        forms = {f: d for d in extract.placeholders for f in (f"{d}", f"{d:%d/%m/%Y}")}
        placeholders = {text: forms[day] for text in texts if (day := _day_of(text)) in forms}
        return _dates(texts) | placeholders, NOT_A_DATE
    if sheet.table.role == "flag" and column != "reference":
        return {
            text: "no" if squeezed(text) == squeezed(_NO_DISABILITY) else "yes" for text in texts
        }, NOT_A_CODE
    if field is not None and field.type == "integer":
        return _numbers(texts), NOT_A_NUMBER
    texts_of = {text: re.sub(f"^{extract.marker}", "", text) for text in texts}
    codes = {squeezed(text): code for text, code in sheet.table.codes.get(column, {}).items()}
    known = declarations.episode_codes(extract)
    if sheet.table.role == "episode" and known and column in known.known:
        codes |= {squeezed(code): code for code in known.known[column]}
    elif field is not None and field.code_list:
        known_codes = codes_understood(declarations, field.code_list, quarter)
        return {
            text: codes.get(squeezed(text)) or codes.get(squeezed(bare)) or known_codes.meant(bare)
            for text, bare in texts_of.items()
        }, NOT_A_CODE
    elif not codes:
        return {text: text for text in texts}, NO_REFERENCE
    return {text: codes.get(squeezed(text)) for text in texts}, NOT_A_CODE


def _day_of(text: str) -> str:
    """Without the time of day that a database writes behind it."""
    return re.split("[T ]", text, maxsplit=1)[0]


def _field(sheet: Sheet, column: str, declarations: Declarations) -> ReturnField | None:
    declared = declarations.returns["adopter" if sheet.table.role == "adopter" else "child"]
    return next((field for field in declared.fields if field.name == column), None)


def _dates(texts: list[str]) -> dict[str, Any]:
    days = as_dates(_clean(texts))
    return dict(zip(texts, days.to_list(), strict=True))


def _numbers(texts: list[str]) -> dict[str, Any]:
    numbers = _clean(texts).to_frame().select(as_whole_number(pl.col("text"))).to_series()
    return dict(zip(texts, numbers.to_list(), strict=True))


def _clean(texts: list[str]) -> pl.Series:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(stripped(pl.col("text"))).to_series()


def days(entry: Entry) -> list[date]:
    """The days of a row, but for the day of birth."""
    return [
        value
        for column, value in entry.values.items()
        if isinstance(value, date) and column != "date_of_birth"
    ]
