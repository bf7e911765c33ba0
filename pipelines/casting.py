"""From text to dates, whole numbers and codes; then from references to pseudonyms.

Nothing is guessed: text that is not understood becomes null and its
``readable__<field>`` false, so that a rule can say so by cell.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

import polars as pl

from pipelines.declarations import Declarations, Return, ReturnField
from pipelines.quarters import Quarter

LEADING_COLUMNS = ("submission_id", "sender_code", "quarter", "sheet", "sheet_row")
Pseudonymise = Callable[[str, pl.Series, pl.Series], pl.Series]

# A spreadsheet that has lost a cell's date format shows days since 30 December 1899. Between
# 1 October 1954 and 8 April 2064 such a number has five digits and is nothing else we are sent.
SERIAL_DAYS = range(20_000, 60_001)
_YEARS = range(1900, 2101)
_BLANK = " \t\r\n\f\v\u00a0\u2007\u202f\u200b\ufeff"
_TIME = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_ISO = rf"^([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}}){_TIME}$"
_DAY_FIRST = rf"^([0-9]{{1,2}})([/.-])([0-9]{{1,2}})([/.-])([0-9]{{4}}){_TIME}$"
_WHOLE = r"^[+-]?[0-9]{1,18}$"
_WHOLE_WITH_ZEROS = r"^([+-]?[0-9]{1,15})\.0+$"
_THOUSANDS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3}){1,4}$"


def cast(
    raw: pl.DataFrame, declared: Return, quarter: Quarter, declarations: Declarations
) -> pl.DataFrame:
    """The typed frame of a raw one, row for row.

    Dates: ISO or day first with a year of four digits, or a spreadsheet's day
    number. Codes: a code in force in ``quarter`` or its label in either
    language, whatever the case and spacing. Agency fields: a place's code or
    name becomes its code, anything else stays as written.
    """
    clean = raw.select(
        *LEADING_COLUMNS, *(stripped(pl.col(field.name)) for field in declared.fields)
    )
    places = declared.place_fields
    alike: dict[tuple[str, str], list[str]] = {}
    for field in declared.fields:
        kind = _kind(field, field.name in places)
        if kind is not None:
            alike.setdefault(kind, []).append(field.name)
    understood, checked = [], set()
    for (kind, code_list), names in alike.items():
        # Most cells repeat: each distinct text of all columns of a kind is looked at once.
        texts = pl.concat([clean[name].alias("text") for name in names]).drop_nulls().unique()
        values = _values(texts, kind, code_list, quarter, declarations)
        understood += [
            pl.col(name).replace_strict(texts, values, default=None, return_dtype=values.dtype)
            for name in names
        ]
        checked |= set(names) if kind != "place" else set()
    typed = clean.with_columns(*understood)
    return typed.with_columns(
        (clean[field.name].is_null() | typed[field.name].is_not_null()).alias(
            f"readable__{field.name}"
        )
        for field in declared.fields
        if field.name in checked
    )


def validated_frame(
    typed: pl.DataFrame,
    declared: Return,
    pseudonymise: Pseudonymise,
    quarantined_rows: pl.DataFrame,
) -> pl.DataFrame:
    """The validated frame of a typed one: no reference, no day of birth.

    ``pseudonymise(kind, issuers, references)`` gives pseudonyms for two columns
    of equal length (:meth:`pipelines.pseudonyms.Pseudonymiser.of_column`). It
    gets references without outer blanks, in upper case; the issuer is the
    sender, or what the field's ``issued_by`` field holds, which may be null.
    ``quarantined_rows`` has the columns submission_id and sheet_row; its rows
    become ``row_status`` ``quarantined``, all others ``accepted``.
    """
    keys = ["submission_id", "sheet_row"]
    quarantined = quarantined_rows.select(
        pl.col("submission_id").cast(pl.String), pl.col("sheet_row").cast(pl.Int64)
    ).unique()
    marked = typed.join(
        quarantined.with_columns(pl.lit("quarantined").alias("row_status")),
        on=keys,
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("row_status").fill_null("accepted"))
    columns = [marked[name] for name in ("submission_id", "sender_code", "quarter", "sheet_row")]
    columns.append(marked["row_status"])
    for field in declared.fields:
        columns.append(_kept(marked, field, pseudonymise).alias(field.validated_name))
    return pl.DataFrame(columns)


def stripped(text: pl.Expr) -> pl.Expr:
    """Text without outer blanks of any kind, composed (NFC); blank text is null."""
    clean = text.str.normalize("NFC").str.strip_chars(_BLANK)
    return pl.when(clean != "").then(clean)


def as_date(text: pl.Expr) -> pl.Expr:
    """Dates of stripped text; null where it is no date of the years 1900 to 2100.

    A time of day after the date is left off. Years of two digits are not
    understood: nobody can say which century a date of birth belongs to.
    """
    iso = [text.str.extract(_ISO, group) for group in (1, 2, 3)]
    day_first = [text.str.extract(_DAY_FIRST, group) for group in (5, 3, 1)]
    same_separator = text.str.extract(_DAY_FIRST, 2) == text.str.extract(_DAY_FIRST, 4)
    serial = text.str.extract(r"^([0-9]{5})$", 1).cast(pl.Int32)
    serial = pl.when(serial.is_between(SERIAL_DAYS.start, SERIAL_DAYS.stop - 1)).then(serial)
    # Day 0 of a spreadsheet's count is 25,569 days before 1 January 1970.
    found = pl.coalesce(
        _calendar_date(iso),
        pl.when(same_separator).then(_calendar_date(day_first)),
        (serial - 25_569).cast(pl.Date),
    )
    return pl.when(found.dt.year().is_between(_YEARS.start, _YEARS.stop - 1)).then(found)


def as_whole_number(text: pl.Expr) -> pl.Expr:
    """Whole numbers of stripped text (``7``, ``7.0``, ``1,250``); null for anything else."""
    plain = pl.coalesce(
        pl.when(text.str.contains(_WHOLE)).then(text),
        text.str.extract(_WHOLE_WITH_ZEROS, 1),
        pl.when(text.str.contains(_THOUSANDS)).then(text.str.replace_all(",", "", literal=True)),
    )
    return plain.cast(pl.Int64, strict=False)


def squeezed(text: str) -> str:
    """Letters and digits only, lower case, without accents: for comparing names and headings."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


@lru_cache(maxsize=16)
def places_by_text(declarations: Declarations) -> Mapping[str, str]:
    """Place codes by squeezed code, name in either language, and ``name (code)``.

    A name that two places share is left out.
    """
    found: dict[str, set[str]] = {}
    for code, place in declarations.places.items():
        for name in {place.name_en, place.name_cy}:
            found.setdefault(squeezed(name), set()).add(code)
            found.setdefault(squeezed(f"{name} ({code})"), set()).add(code)
    by_text = {text: min(codes) for text, codes in found.items() if len(codes) == 1}
    return by_text | {squeezed(code): code for code in declarations.places}


def _calendar_date(year_month_day: list[pl.Expr]) -> pl.Expr:
    year, month, day = year_month_day
    joined = pl.concat_str(year, pl.lit("-"), month.str.zfill(2), pl.lit("-"), day.str.zfill(2))
    return joined.str.to_date("%Y-%m-%d", strict=False)


def _kind(field: ReturnField, is_place: bool) -> tuple[str, str] | None:
    """How a field's texts are understood, and with which code list; None for text as it is."""
    if field.code_list:
        return "code", field.code_list
    if is_place:
        return "place", ""
    return None if field.type == "string" else (field.type, "")


def _values(
    texts: pl.Series, kind: str, code_list: str, quarter: Quarter, declarations: Declarations
) -> pl.Series:
    """What each of some distinct texts means; null where it is not understood."""
    if kind == "date":
        return texts.to_frame().select(as_date(pl.col("text"))).to_series()
    if kind == "integer":
        return texts.to_frame().select(as_whole_number(pl.col("text"))).to_series()
    if kind == "code":
        codes = _codes_by_text(declarations, code_list, quarter)
        return pl.Series([codes.get(_compared(text)) for text in texts], dtype=pl.String)
    known = places_by_text(declarations)
    return pl.Series([known.get(squeezed(text), text) for text in texts], dtype=pl.String)


@lru_cache(maxsize=512)
def _codes_by_text(
    declarations: Declarations, code_list: str, quarter: Quarter
) -> Mapping[str, str]:
    """Codes in force by what may be written for them. A code wins over another code's label."""
    in_force = [code for code in declarations.code_lists[code_list] if code.in_force(quarter)]
    found: dict[str, str] = {_compared(code.code): code.code for code in in_force}
    for code in in_force:
        for label in (code.label_en, code.label_cy):
            found.setdefault(_compared(label), code.code)
    return found


def _compared(text: str) -> str:
    """Text without regard to case, spacing and the form of apostrophes."""
    lower = unicodedata.normalize("NFC", text).lower()
    for mark in "\u2018\u2019\u02bc":
        lower = lower.replace(mark, "'")
    return " ".join(lower.split())


def _kept(marked: pl.DataFrame, field: ReturnField, pseudonymise: Pseudonymise) -> pl.Series:
    """What the validated room keeps of a field."""
    column = marked[field.name]
    if field.privacy == "month":
        return column.dt.truncate("1mo")
    if field.privacy == "identifier":
        issuers = marked[field.issued_by or "sender_code"]
        assert field.pseudonym_of is not None
        references = column.str.strip_chars(_BLANK).str.to_uppercase()
        return pseudonymise(field.pseudonym_of, issuers, references).cast(pl.String)
    return column
