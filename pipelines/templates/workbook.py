"""The workbook (or the CSV files) an authority fills in, made from ``sources/``.

The same layout serves two purposes: :func:`write_template` and
:func:`write_csv_template` make what an authority is given, :func:`write_return`
and :func:`write_csv_return` make filled-in returns in that layout. The same
input gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pipelines.declarations import (
    Code,
    CoverField,
    Declarations,
    Place,
    Return,
    ReturnField,
    Text,
)
from pipelines.quarters import Quarter, quarters_between
from pipelines.readers.content import VERSION_PROPERTY

Language = Literal["en", "cy"]
Row = Mapping[str, object]

# Rows given drop-downs and checks. The largest English authorities have had about 150 children
# with a plan for adoption at once and agencies some hundreds of households.
ROWS_TO_FILL = 2_000
MADE_ON = datetime(2019, 4, 1)  # fixed, so that the same declarations give the same bytes
FIRST_QUARTER_OFFERED = Quarter(2018, 1)

_WORDS: dict[str, Text] = {
    "guidance": Text(en="Guidance", cy="Canllawiau"),
    "codes": Text(en="Codes", cy="Codau"),
    "lists": Text(en="Lists", cy="Rhestrau"),
    "question": Text(en="Question", cy="Cwestiwn"),
    "answer": Text(en="Answer", cy="Ateb"),
    "field": Text(en="Column", cy="Colofn"),
    "name": Text(en="Name in CSV files", cy="Enw mewn ffeiliau CSV"),
    "meaning": Text(en="Meaning", cy="Ystyr"),
    "required": Text(en="Required", cy="Gofynnol"),
    "kind": Text(en="What to write", cy="Beth i'w ysgrifennu"),
    "status": Text(en="Status of the definition", cy="Statws y diffiniad"),
    "source": Text(en="Source", cy="Ffynhonnell"),
    "list": Text(en="List", cy="Rhestr"),
    "code": Text(en="Code", cy="Cod"),
    "label_en": Text(en="English", cy="Saesneg"),
    "label_cy": Text(en="Welsh", cy="Cymraeg"),
    "places": Text(en="Places", cy="Lleoedd"),
    "yes": Text(en="yes", cy="ydy"),
    "date": Text(
        en="Date, day first: 31/01/2026. Blank if not known yet.",
        cy="Dyddiad, y diwrnod yn gyntaf: 31/01/2026. Yn wag os nad yw'n hysbys eto.",
    ),
    "required_date": Text(
        en="Date, day first: 31/01/2026.",
        cy="Dyddiad, y diwrnod yn gyntaf: 31/01/2026.",
    ),
    "text": Text(en="Text", cy="Testun"),
    "integer": Text(en="Whole number", cy="Rhif cyfan"),
    "between": Text(en="Whole number from {} to {}", cy="Rhif cyfan o {} i {}"),
    "at_least": Text(en="Whole number, {} or more", cy="Rhif cyfan, {} neu fwy"),
    "choose": Text(en="Choose from the list:", cy="Dewiswch o'r rhestr:"),
    "choose_place": Text(
        en="Choose from the places under Codes.",
        cy="Dewiswch o'r lleoedd o dan Codau.",
    ),
    "not_a_date": Text(
        en="This is not a date. Write it day first, like 31/01/2026, or leave the cell blank.",
        cy="Nid dyddiad yw hwn. Ysgrifennwch y diwrnod yn gyntaf, fel 31/01/2026, neu gadewch y "
        "gell yn wag.",
    ),
    "not_a_required_date": Text(
        en="This is not a date. Write it day first, like 31/01/2026.",
        cy="Nid dyddiad yw hwn. Ysgrifennwch y diwrnod yn gyntaf, fel 31/01/2026.",
    ),
    "not_in_list": Text(
        en="This is not in the list. A code from the Codes sheet is accepted too. Keep it?",
        cy="Nid yw hwn yn y rhestr. Derbynnir cod o'r daflen Codau hefyd. Ei gadw?",
    ),
    "not_a_number": Text(
        en="Write a whole number here, without words.",
        cy="Ysgrifennwch rif cyfan yma, heb eiriau.",
    ),
    "check": Text(en="Please check", cy="Gwiriwch os gwelwch yn dda"),
    "guidance_file": Text(en="GUIDANCE.txt", cy="CANLLAWIAU.txt"),
    "in_csv": Text(
        en="Fill in the CSV files and send the whole zip; this text may stay in it. Keep the first "
        "line of each file, and save as “CSV UTF-8”. Where a list is given, write the code.",
        cy="Llenwch y ffeiliau CSV ac anfonwch y ffeil zip gyfan; caiff y testun hwn aros ynddi. "
        "Cadwch linell gyntaf pob ffeil, a'u cadw fel “CSV UTF-8”. Lle rhoddir rhestr, "
        "ysgrifennwch y cod.",
    ),
    "legend": Text(
        en="Columns with a dark heading are required. Point at a cell to read what it means.",
        cy="Mae colofnau â phennawd tywyll yn ofynnol. Pwyntiwch at gell i ddarllen ei hystyr.",
    ),
}

_STATUS: dict[str, Text] = {
    "published": Text(en="published", cy="cyhoeddwyd"),
    "partly published": Text(en="partly published", cy="cyhoeddwyd yn rhannol"),
    "proposed": Text(en="proposed", cy="arfaethedig"),
    "unverified": Text(en="unverified", cy="heb ei wirio"),
}


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
    names = _returns_for(declarations, quarter, sender_code)
    cover: dict[str, object] = {"quarter": quarter.label, "version": 1}
    if sender_code is not None:
        cover["sender_code"] = _place_label(declarations.places[sender_code], language)
    _write_workbook(
        path, declarations, quarter, cover, dict.fromkeys(names, ()), language, for_filling=True
    )


def write_return(
    path: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Row]],
    language: Language = "en",
) -> None:
    """Write a filled-in workbook: one sheet for every return named in ``rows``, even if empty.

    ``cover`` and each row are keyed by declared field name. Dates become date
    cells, integers numbers, codes the label the drop-down offers; any other
    text is written as it is. Keys of a row that are no declared field become
    further columns. Raises KeyError for a return that is not declared.
    """
    _write_workbook(path, declarations, quarter, cover, rows, language, for_filling=False)


def write_csv_template(
    path_zip: Path,
    declarations: Declarations,
    quarter: Quarter,
    sender_code: str | None = None,
    language: Language = "en",
) -> None:
    """The CSV equivalent of :func:`write_template`: one zip, headers only, and a guidance text.

    The files' words are the declared field names, which are the same in both
    languages; the guidance is in ``language``.
    """
    names = _returns_for(declarations, quarter, sender_code)
    cover: dict[str, object] = {"quarter": quarter.label, "version": 1}
    if sender_code is not None:
        cover["sender_code"] = declarations.places[sender_code].place_code
    write_csv_return(path_zip, declarations, quarter, cover, dict.fromkeys(names, ()), language)
    with zipfile.ZipFile(path_zip, "a", zipfile.ZIP_DEFLATED) as package:
        guidance = _guidance_text(declarations, quarter, names, cover, language)
        _add_part(package, _word("guidance_file", language), guidance)


def write_csv_return(
    path_zip: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Row]],
    language: Language = "en",
) -> None:
    """The CSV equivalent of :func:`write_return`: cover.csv and one file for each return.

    UTF-8 with byte order mark, so that spreadsheets show Welsh letters; dates
    as 2026-01-31; codes as codes.
    """
    plan = _plan(declarations, quarter, language)
    answers = [["field", "answer"]]
    answers += [
        [field.name, _plain(cover.get(field.name))] for field in plan.cover_fields(rows, cover)
    ]
    parts = {"cover": answers}
    for name, entries in rows.items():
        columns = [field.name for field in plan.sheets[name].fields]
        columns += _further_columns(columns, entries)
        parts[name] = [columns]
        parts[name] += [[_plain(entry.get(column)) for column in columns] for entry in entries]
    with zipfile.ZipFile(path_zip, "w", zipfile.ZIP_DEFLATED) as package:
        for name, lines in parts.items():
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\r\n").writerows(lines)
            _add_part(package, f"{name}.csv", text.getvalue())


def _add_part(package: zipfile.ZipFile, name: str, text: str) -> None:
    """A part whose time never changes, in UTF-8 with byte order mark."""
    part = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    part.compress_type = zipfile.ZIP_DEFLATED
    part.external_attr = 0o600 << 16
    package.writestr(part, text.encode("utf-8-sig"))


def _guidance_text(
    declarations: Declarations,
    quarter: Quarter,
    names: Sequence[str],
    cover: Mapping[str, object],
    language: Language,
) -> str:
    """The Guidance and Codes sheets as a text: every field, what it means, what to write."""
    plan = _plan(declarations, quarter, language)
    lines = [f"{_said(declarations.cover.title, language)}, {quarter}", ""]
    lines += _folded(_word("in_csv", language), 0)
    lines += ["", "cover.csv"]
    for asked in plan.cover_fields(dict.fromkeys(names), cover):
        lines += _entry(asked, asked.required, language)
        lines += _folded(_said(asked.guidance, language), 6)
    for name in names:
        planned = plan.sheets[name]
        lines += ["", "", f"{name}.csv"]
        lines += _folded(_said(planned.declared.grain, language), 2)
        for field in planned.fields:
            lines += _entry(field, field.constraints.required, language)
            lines += _folded(_said(field.description, language), 6)
            if not field.code_list:
                lines += _folded(_what_to_write(language, planned, field), 6)
                continue
            lines += _folded(_word("choose", language), 6)
            for code, label in planned.labels[field.name].items():
                lines += _folded(f"{code} = {label}", 8)
    lines += ["", "", _word("codes", language)]
    for place in _places_offered(declarations, quarter):
        lines += _folded(f"{place.place_code} = {_place_name(place, language)}", 2)
    return "\r\n".join(lines) + "\r\n"


def _entry(field: ReturnField | CoverField, required: bool, language: Language) -> list[str]:
    must = f" – {_word('required', language).lower()}" if required else ""
    return ["", *_folded(f"{field.name} – {_said(field.title, language)}{must}", 2)]


def _folded(text: str, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, 88, initial_indent=space, subsequent_indent=space)


def template_version(declarations: Declarations, quarter: Quarter) -> str:
    """Twelve hexadecimal digits that change when anything declared for the template changes."""
    return _plan(declarations, quarter, "en").version


# --- what is written, worked out once per declarations, quarter and language ----


@dataclass(frozen=True)
class _SheetPlan:
    """One return's sheet: its name, its fields in force, their titles and their labels."""

    declared: Return
    sheet: str
    fields: tuple[ReturnField, ...]
    titles: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]  # field name → code → label the drop-down offers


@dataclass(frozen=True)
class _Plan:
    version: str
    language: Language
    sheets: Mapping[str, _SheetPlan]
    all_cover_fields: tuple[CoverField, ...]
    yes_no: tuple[str, str]

    def cover_fields(
        self, returns: Mapping[str, object], answers: Mapping[str, object]
    ) -> list[CoverField]:
        """The cover's lines; a nil-return tick only for a return with a sheet or an answer."""
        return [
            field
            for field in self.all_cover_fields
            if not field.name.startswith("is_nil_")
            or field.name.removeprefix("is_nil_") in returns
            or field.name in answers
        ]


@lru_cache(maxsize=128)  # 0.1 s of hashing once per quarter instead of once per workbook
def _plan(declarations: Declarations, quarter: Quarter, language: Language) -> _Plan:
    sheets = {
        name: _sheet_plan(declarations, declared, quarter, language)
        for name, declared in declarations.returns.items()
    }
    codes = {code.code: code for code in declarations.code_lists["yes_no_unknown"]}
    return _Plan(
        version=_version(declarations, quarter),
        language=language,
        sheets=sheets,
        all_cover_fields=declarations.cover.fields,
        yes_no=(_label(codes["yes"], language), _label(codes["no"], language)),
    )


def _sheet_plan(
    declarations: Declarations, declared: Return, quarter: Quarter, language: Language
) -> _SheetPlan:
    fields = declared.fields_in_force(quarter)
    places = {
        code: _place_label(place, language)
        for code, place in declarations.places.items()
        if place.kind != "nation"
    }
    labels = {
        field.name: {
            code.code: _label(code, language)
            for code in declarations.code_lists[field.code_list]
            if code.in_force(quarter)
        }
        for field in fields
        if field.code_list
    }
    labels |= {name: places for name in declared.place_fields if declared.field(name) in fields}
    return _SheetPlan(
        declared,
        _said(declared.sheet, language),
        fields,
        tuple(_said(field.title, language) for field in fields),
        labels,
    )


def _version(declarations: Declarations, quarter: Quarter) -> str:
    declared: list[Any] = [declarations.cover.model_dump(mode="json")]
    for each in declarations.returns.values():
        plain = each.model_dump(mode="json", exclude={"fields"})
        declared += [plain, [f.model_dump(mode="json") for f in each.fields_in_force(quarter)]]
    for name, codes in declarations.code_lists.items():
        in_force = [code.model_dump(mode="json") for code in codes if code.in_force(quarter)]
        declared += [name, in_force]
    text = json.dumps(declared, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def _returns_for(
    declarations: Declarations, quarter: Quarter, sender_code: str | None
) -> tuple[str, ...]:
    if sender_code is None:
        return tuple(declarations.returns)
    due = declarations.due_from(sender_code, quarter)
    return tuple(name for name in declarations.returns if name in due)


def _further_columns(columns: Sequence[str], entries: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for entry in entries for key in entry if key not in columns))


def _said(text: Text, language: Language) -> str:
    return text.en if language == "en" else text.cy


def _label(code: Code, language: Language) -> str:
    return code.label_en if language == "en" else code.label_cy


def _place_name(place: Place, language: Language) -> str:
    return place.name_en if language == "en" else place.name_cy


def _place_label(place: Place, language: Language) -> str:
    return f"{_place_name(place, language)} ({place.place_code})"


def _word(key: str, language: Language) -> str:
    return _said(_WORDS[key], language)


def _plain(value: object) -> str:
    """A value as text for CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


# --- the workbook ---------------------------------------------------------------


_A4, _A3 = 9, 8  # as spreadsheets number paper
_POINTS_PER_LINE = 15


class _Book:
    """A workbook being written, with the formats every sheet shares."""

    def __init__(self, path: Path, plan: _Plan, quarter: Quarter) -> None:
        import xlsxwriter

        self.plan = plan
        self.quarter = quarter
        self.book = xlsxwriter.Workbook(
            str(path),
            {
                "in_memory": True,  # no temporary files, and zip times that never change
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.book.set_properties({"created": MADE_ON})
        self.book.set_custom_property(VERSION_PROPERTY, plan.version)
        self.book.set_custom_property("adoption_quarter", quarter.label)
        add = self.book.add_format
        wrapped = {"text_wrap": True, "valign": "top"}
        heading = wrapped | {"bold": True, "border": 1, "border_color": "#FFFFFF"}
        centred = {"text_wrap": True, "valign": "vcenter"}
        answer = centred | {"bg_color": "#FFF8DC", "border": 1, "border_color": "#A6A6A6"}
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F3864"})
        self.notice = add({"font_color": "#9C0006"})
        self.required = add(heading | {"bg_color": "#1F3864", "font_color": "#FFFFFF"})
        self.optional = add(heading | {"bg_color": "#D9E2F3", "font_color": "#1F3864"})
        self.section = add({"bold": True, "font_size": 13, "font_color": "#1F3864"})
        self.wrapped = add(wrapped)
        self.question = add(wrapped | {"bold": True})
        self.asked = add(centred | {"bold": True})
        self.explained = add(centred | {"indent": 1})
        self.text = add({"num_format": "@"})
        self.date = add({"num_format": "dd/mm/yyyy", "align": "left"})
        self.number = add({"num_format": "0", "align": "left"})
        self.answers = {
            "date": add(answer | {"num_format": "dd/mm/yyyy", "align": "left"}),
            "integer": add(answer | {"num_format": "0", "align": "left"}),
        }
        self.answer = add(answer | {"num_format": "@"})

    def say(self, key: str) -> str:
        return _word(key, self.plan.language)

    def format_for(self, field: ReturnField) -> Any:
        return {"date": self.date, "integer": self.number}.get(field.type, self.text)

    def add_sheet(self, name: str, paper: int = _A4) -> Any:
        """A sheet that prints on its side and as wide as the paper."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        return sheet

    def write_line(self, sheet: Any, row: int, widths: Sequence[int], texts: Sequence[str]) -> None:
        """A row of wrapped texts, the first bold, high enough for all of them."""
        lines = 1
        for column, (width, text) in enumerate(zip(widths, texts, strict=True)):
            cell_format = self.wrapped if column else self.question
            sheet.write_string(row, column, text, cell_format)
            lines = max(lines, _lines(text, width))
        sheet.set_row(row, _POINTS_PER_LINE * lines + 2)

    def close(self) -> None:
        self.book.close()


def _lines(text: str, width: int) -> int:
    """Lines a text takes in a column of ``width`` characters, on the generous side."""
    return sum(max(1, -(-len(part) * 11 // (width * 10))) for part in text.split("\n"))


def _write_workbook(
    path: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Row]],
    language: Language,
    *,
    for_filling: bool,
) -> None:
    plan = _plan(declarations, quarter, language)
    book = _Book(path, plan, quarter)
    cover_sheet = book.add_sheet(_said(declarations.cover.sheet, language))
    _write_cover(book, cover_sheet, declarations, plan.cover_fields(rows, cover), cover)
    for name, entries in rows.items():
        planned = plan.sheets[name]
        sheet = book.add_sheet(planned.sheet, _A3)
        _write_data(book, sheet, planned, entries)
        if for_filling:
            _guide_data(book, sheet, planned)
    if for_filling:
        _guide_cover(book, cover_sheet, plan.cover_fields(rows, cover))
        _write_guidance(book, declarations, list(rows))
        _write_codes(book, declarations, quarter, list(rows))
        _write_lists(book, declarations, list(rows))
    cover_sheet.activate()
    book.close()


COVER_FIRST_ROW = 7  # counted from 0; above it title, notice and column headings


def _write_cover(
    book: _Book,
    sheet: Any,
    declarations: Declarations,
    fields: Sequence[CoverField],
    answers: Mapping[str, object],
) -> None:
    """Labels in A, answers in B, guidance in C."""
    language = book.plan.language
    for column, width in enumerate((34, 44, 80)):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, _said(declarations.cover.title, language), book.title)
    sentences = _said(declarations.cover.notice, language).replace(". ", ".\n").split("\n")
    for row, sentence in enumerate(sentences[:4], start=1):
        sheet.write_string(row, 0, sentence, book.notice)
    sheet.set_row(COVER_FIRST_ROW - 1, 20)
    for column, key in enumerate(("question", "answer", "guidance")):
        sheet.write_string(COVER_FIRST_ROW - 1, column, book.say(key), book.required)
    for row, field in enumerate(fields, start=COVER_FIRST_ROW):
        sheet.set_row(row, 24)
        sheet.write_string(row, 0, _said(field.title, language), book.asked)
        answer_format = book.answers.get(field.type, book.answer)
        _write_cell(sheet, row, 1, _cover_answer(answers.get(field.name), book), answer_format)
        sheet.write_string(row, 2, _said(field.guidance, language), book.explained)


def _cover_answer(value: object, book: _Book) -> object:
    if isinstance(value, bool):
        return book.plan.yes_no[0] if value else book.plan.yes_no[1]
    if isinstance(value, Quarter):
        return value.label
    return value


def _write_cell(sheet: Any, row: int, column: int, value: object, cell_format: Any) -> None:
    """Write a value as what it is; text stays text whatever it looks like."""
    if value is None:
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, cell_format)
    elif isinstance(value, (date, datetime)):
        sheet.write_datetime(row, column, value, cell_format)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value, cell_format)
    else:
        sheet.write_string(row, column, str(value), cell_format)


def _write_data(book: _Book, sheet: Any, planned: _SheetPlan, entries: Sequence[Row]) -> None:
    """Headings in the first row, one row for each entry below."""
    sheet.set_row(0, 50)
    sheet.fit_to_pages(-(-len(planned.fields) // 12), 0)  # twelve columns can be read on paper
    sheet.repeat_rows(0)
    sheet.repeat_columns(0)
    sheet.freeze_panes(1, 1 if planned.declared.primary_key else 0)
    for column, (field, title) in enumerate(zip(planned.fields, planned.titles, strict=True)):
        heading = book.required if field.constraints.required else book.optional
        sheet.set_column(column, column, _width(field, title, planned), book.format_for(field))
        sheet.write_string(0, column, title, heading)
    known = [field.name for field in planned.fields]
    further = _further_columns(known, entries)
    for column, title in enumerate(further, start=len(known)):
        sheet.write_string(0, column, title, book.optional)
    columns = [
        (column, field.name, planned.labels.get(field.name, {}), book.format_for(field))
        for column, field in enumerate(planned.fields)
    ]
    columns += [(column, key, {}, book.text) for column, key in enumerate(further, len(known))]
    for row, entry in enumerate(entries, start=1):
        for column, name, labels, cell_format in columns:
            value = entry.get(name)
            if value is not None:
                shown = labels.get(value, value) if isinstance(value, str) else value
                _write_cell(sheet, row, column, shown, cell_format)


def _width(field: ReturnField, title: str, planned: _SheetPlan) -> float:
    """In characters: room for the title's longest word, for a date, for most labels."""
    longest_word = max(len(word) for word in title.split())
    longest_label = max(
        (len(label) for label in planned.labels.get(field.name, {}).values()), default=0
    )
    half_title = -(-len(title) // 2) + 2  # a title of two lines
    least = {"date": 13, "integer": 12}.get(field.type, 14)
    return min(max(least, longest_word + 2, half_title, min(longest_label + 3, 46)), 46)


def _guide_data(book: _Book, sheet: Any, planned: _SheetPlan) -> None:
    """Drop-downs, checks and explanations for the rows to be filled in."""
    last = planned.declared.max_rows or ROWS_TO_FILL
    for column, field in enumerate(planned.fields):
        check = _check(book, field) | {
            "ignore_blank": True,
            "input_title": planned.titles[column][:32],
            "input_message": _short(_said(field.description, book.plan.language)),
        }
        sheet.data_validation(1, column, last, column, check)


def _short(text: str, limit: int = 255) -> str:
    """Spreadsheets show at most 255 characters beside a cell."""
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"


def _check(book: _Book, field: ReturnField) -> dict[str, Any]:
    title = {"error_title": book.say("check")[:32]}
    if field.code_list or field.name in _place_field_names(book):
        source = f"={_list_name(field.code_list or 'places')}"
        # A warning, not a stop: codes are as welcome as the labels the list offers.
        return title | {
            "validate": "list",
            "source": source,
            "error_type": "warning",
            "error_message": book.say("not_in_list"),
        }
    if field.type == "date":
        return title | {
            "validate": "date",
            "criteria": "between",
            "minimum": date(1990, 1, 1),
            "maximum": date(2099, 12, 31),
            "error_message": book.say(
                "not_a_required_date" if field.constraints.required else "not_a_date"
            ),
        }
    if field.type == "integer":
        return title | {
            "validate": "integer",
            "criteria": "between",
            "minimum": field.constraints.minimum or 0,
            "maximum": field.constraints.maximum or 1_000_000,
            "error_message": book.say("not_a_number"),
        }
    if field.constraints.maxLength:
        return title | {
            "validate": "length",
            "criteria": "<=",
            "value": field.constraints.maxLength,
        }
    return {"validate": "any"}


def _place_field_names(book: _Book) -> frozenset[str]:
    return frozenset().union(*(plan.declared.place_fields for plan in book.plan.sheets.values()))


def _list_name(code_list: str) -> str:
    return f"list_{code_list}"


def _guide_cover(book: _Book, sheet: Any, fields: Sequence[CoverField]) -> None:
    for row, field in enumerate(fields, start=COVER_FIRST_ROW):
        check: dict[str, Any] = {"error_title": book.say("check")[:32]}
        if field.type in ("sender", "quarter"):
            check |= {
                "validate": "list",
                "source": f"={_list_name(field.type + 's')}",
                "error_type": "warning",
                "error_message": book.say("not_in_list"),
            }
        elif field.type == "yes_no":
            check |= {"validate": "list", "source": list(book.plan.yes_no)}
        elif field.type == "date":
            check |= {
                "validate": "date",
                "criteria": ">=",
                "value": date(1990, 1, 1),
                "error_message": book.say(
                    "not_a_required_date" if field.required else "not_a_date"
                ),
            }
        elif field.type == "integer":
            check |= {
                "validate": "integer",
                "criteria": ">=",
                "value": 1,
                "error_message": book.say("not_a_number"),
            }
        else:
            continue
        sheet.data_validation(row, 1, row, 1, check)


def _write_guidance(book: _Book, declarations: Declarations, names: Sequence[str]) -> None:
    """Every column of every sheet: what it means, whether it is required, where it comes from."""
    language = book.plan.language
    sheet = book.add_sheet(book.say("guidance"))
    widths = (34, 32, 60, 11, 52, 18, 44)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width, book.wrapped)
    sheet.write_string(0, 0, book.say("guidance"), book.title)
    sheet.write_string(1, 0, book.say("legend"), book.text)
    row = 3
    for name in names:
        planned = book.plan.sheets[name]
        declared = planned.declared
        sheet.write_string(row, 0, planned.sheet, book.section)
        introduction = (declared.description, declared.grain)
        for offset, text in enumerate(introduction, start=1):
            sheet.write_string(row + offset, 0, _said(text, language), book.text)
        status = f"{book.say('status')}: {_said(_STATUS[declared.status], language)}"
        sheet.write_string(row + 3, 0, status, book.text)
        row += 4
        headings = ("field", "name", "meaning", "required", "kind", "status", "source")
        sheet.set_row(row, 2 * _POINTS_PER_LINE + 2)
        for column, key in enumerate(headings):
            sheet.write_string(row, column, book.say(key), book.required)
        for field, title in zip(planned.fields, planned.titles, strict=True):
            row += 1
            cells = (
                title,
                field.name,
                _said(field.description, language),
                book.say("yes") if field.constraints.required else "",
                _what_to_write(language, planned, field),
                _said(_STATUS[field.status], language),
                field.source or "",
            )
            book.write_line(sheet, row, widths, cells)
        row += 3


def _what_to_write(language: Language, planned: _SheetPlan, field: ReturnField) -> str:
    if field.code_list:
        return "\n".join([_word("choose", language), *planned.labels[field.name].values()])
    if field.name in planned.labels:
        return _word("choose_place", language)
    if field.type == "integer":
        least, most = field.constraints.minimum, field.constraints.maximum
        if least is not None and most is not None:
            return _word("between", language).format(least, most)
        key = "integer" if least is None else "at_least"
        return _word(key, language).format(least)
    if field.type == "date":
        return _word("required_date" if field.constraints.required else "date", language)
    return _word("text", language)


def _code_lists_used(book: _Book, names: Sequence[str]) -> list[str]:
    """Code lists of the sheets in the workbook, in the order of their columns."""
    fields = (field for name in names for field in book.plan.sheets[name].fields)
    return list(dict.fromkeys(field.code_list for field in fields if field.code_list))


def _write_codes(
    book: _Book, declarations: Declarations, quarter: Quarter, names: Sequence[str]
) -> None:
    """Every code list with its codes in both languages, and the places."""
    sheet = book.add_sheet(book.say("codes"))
    widths = (36, 26, 62, 62, 18)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width, book.wrapped)
    sheet.set_row(0, 2 * _POINTS_PER_LINE + 2)
    for column, key in enumerate(("list", "code", "label_en", "label_cy", "status")):
        sheet.write_string(0, column, book.say(key), book.required)
    sheet.freeze_panes(1, 0)
    lines = [
        (
            _list_title(book, names, name),
            *(code.code, code.label_en, code.label_cy),
            _said(_STATUS[code.status], book.plan.language),
        )
        for name in _code_lists_used(book, names)
        for code in declarations.code_lists[name]
        if code.in_force(quarter)
    ]
    lines += [
        (book.say("places"), place.place_code, place.name_en, place.name_cy, "")
        for place in _places_offered(declarations, quarter)
    ]
    previous = None
    for row, (title, *cells) in enumerate(lines, start=1):
        texts = ("" if title == previous else title, *cells)
        previous = title
        book.write_line(sheet, row, widths, texts)


def _list_title(book: _Book, names: Sequence[str], code_list: str) -> str:
    """Titles of the columns a list is for; the first three, since yes-or-no serves many."""
    plans = [book.plan.sheets[name] for name in names]
    titles = [
        title
        for plan in plans
        for field, title in zip(plan.fields, plan.titles, strict=True)
        if field.code_list == code_list
    ]
    return "; ".join(titles[:3]) + ("; …" if len(titles) > 3 else "")


def _places_offered(declarations: Declarations, quarter: Quarter) -> list[Place]:
    """Places that can send a return or approve adopters and exist in the quarter."""
    return [
        place
        for place in declarations.places.values()
        if place.kind != "nation"
        and (place.since is None or place.since <= quarter.last_day)
        and (place.until is None or quarter.first_day <= place.until)
    ]


def _write_lists(book: _Book, declarations: Declarations, names: Sequence[str]) -> None:
    """A hidden sheet with what the drop-downs offer, one list a column, each a defined name."""
    language = book.plan.language
    quarter = book.quarter
    offered = _places_offered(declarations, quarter)
    senders = [place for place in offered if declarations.due_from(place.place_code, quarter)]
    columns = {
        code_list: [
            _label(c, language) for c in declarations.code_lists[code_list] if c.in_force(quarter)
        ]
        for code_list in _code_lists_used(book, names)
    }
    columns["places"] = [_place_label(place, language) for place in offered]
    columns["senders"] = [_place_label(place, language) for place in senders]
    last = max(quarter, FIRST_QUARTER_OFFERED).plus(1)
    quarters = [each.label for each in quarters_between(FIRST_QUARTER_OFFERED, last)]
    columns["quarters"] = quarters[::-1]
    sheet = book.add_sheet(book.say("lists"))
    sheet.hide()
    for column, (name, values) in enumerate(columns.items()):
        sheet.write_string(0, column, name, book.text)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, column, value, book.text)
        letter = _letters(column)
        area = f"='{sheet.get_name()}'!${letter}$2:${letter}${max(len(values), 1) + 1}"
        book.book.define_name(_list_name(name), area)


def _letters(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return xl_col_to_name(column)
