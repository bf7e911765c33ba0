"""The CSV equivalent of the workbook: a zip with cover.csv and one file for each return.

UTF-8 with byte order mark, so that spreadsheets show Welsh letters; dates as 2026-01-31; codes as
codes. The files' words are the declared field names, which are the same in both languages.
"""

from __future__ import annotations

import csv
import io
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from pipelines.declarations import CoverField, Declarations, ReturnField
from pipelines.quarters import Quarter
from pipelines.readers.headings import CODES_SHEET
from pipelines.templates.guidance import choose_from_the_list, what_to_write
from pipelines.templates.plan import (
    Entry,
    further_columns,
    in_language,
    place_name,
    places_offered,
    plan_template,
    returns_for,
)
from pipelines.text.catalogue import Language, translations


def write_csv_template(
    path_zip: Path,
    declarations: Declarations,
    quarter: Quarter,
    sender_code: str | None = None,
    language: Language = "en",
) -> None:
    """One zip with headers only, and a guidance text in ``language``.

    As :func:`pipelines.templates.workbook.write_template` in all else.
    """
    names = returns_for(declarations, quarter, sender_code)
    cover: dict[str, object] = {"quarter": quarter.label, "version": 1}
    if sender_code is not None:
        cover["sender_code"] = declarations.places[sender_code].place_code
    write_csv_return(path_zip, declarations, quarter, cover, dict.fromkeys(names, ()), language)
    with zipfile.ZipFile(path_zip, "a", zipfile.ZIP_DEFLATED) as package:
        guidance = _guidance_text(declarations, quarter, names, cover, language, sender_code)
        _ = translations(language).gettext
        _add_part(package, _("GUIDANCE.txt"), guidance)


def write_csv_return(
    path_zip: Path,
    declarations: Declarations,
    quarter: Quarter,
    cover: Mapping[str, object],
    rows: Mapping[str, Sequence[Entry]],
    language: Language = "en",
) -> None:
    """A filled-in zip: cover.csv and one file for each return named in ``rows``.

    Arguments and errors as for :func:`pipelines.templates.workbook.write_return`.
    """
    plan = plan_template(declarations, quarter, language)
    answers = [["field", "answer"]]
    answers += [
        [field.name, _plain(cover.get(field.name))] for field in plan.cover_fields(rows, cover)
    ]
    parts = {"cover": answers}
    for name, entries in rows.items():
        columns = [field.name for field in plan.sheets[name].fields]
        columns += further_columns(columns, entries)
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
    sender_code: str | None,
) -> str:
    """The Guidance and Codes sheets as a text: every field, what it means, what to write."""
    _ = translations(language).gettext
    plan = plan_template(declarations, quarter, language, declarations.nation_of(sender_code))
    lines = [f"{in_language(declarations.cover.title, language)}, {quarter}", ""]
    lines += _folded(
        _(
            "Fill in the CSV files and send the whole zip; this text may stay in it. Keep the "
            "first line of each file, and save as “CSV UTF-8”. Where a list is given, write the "
            "code."
        ),
        0,
    )
    lines += ["", "cover.csv"]
    for asked in plan.cover_fields(dict.fromkeys(names), cover):
        lines += _entry(asked, asked.required, language)
        lines += _folded(in_language(asked.guidance, language), 6)
    for name in names:
        planned = plan.sheets[name]
        lines += ["", "", f"{name}.csv"]
        lines += _folded(in_language(planned.declared.grain, language), 2)
        for field in planned.fields:
            lines += _entry(field, field.constraints.is_required_in(plan.nation_code), language)
            lines += _folded(in_language(field.description, language), 6)
            if not field.code_list:
                lines += _folded(what_to_write(language, planned, field), 6)
                continue
            lines += _folded(choose_from_the_list(language), 6)
            for code, label in planned.labels[field.name].items():
                lines += _folded(f"{code} = {label}", 8)
    lines += ["", "", _(CODES_SHEET)]
    for place in places_offered(declarations, quarter):
        lines += _folded(f"{place.place_code} = {place_name(place, language)}", 2)
    return "\r\n".join(lines) + "\r\n"


def _entry(field: ReturnField | CoverField, required: bool, language: Language) -> list[str]:
    pgettext = translations(language).pgettext
    line = f"{field.name} – {in_language(field.title, language)}"
    if required:
        line += f" – {pgettext('heading of the template', 'Required').lower()}"
    return ["", *_folded(line, 2)]


def _folded(text: str, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, 88, initial_indent=space, subsequent_indent=space)


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
