"""The verdict as a workbook for its sender: summary, problems, repairs, headlines, changes.

This is the one answer in which the sender's own references stand, so that problems can be found
in the case system. Every cell is written as the text or the number it is: nothing in it is a
formula or a link, whatever a cell of the return held. The same verdict gives the same bytes.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.templates.workbook import MADE_ON
from pipelines.verdict.report_words import (
    DEFINITIONS,
    MEANING,
    REPAIR_KINDS,
    said,
    wrong_and_right,
)

if TYPE_CHECKING:
    from pipelines.verdict.report import Receipt

_A4 = 9  # as spreadsheets number paper
_POINTS_PER_LINE = 15
_LONGEST_REFERENCE = 60  # a longer one is an error of its own
_MOST_FREQUENT = 8
# A sheet holds 1,048,576 rows; what goes beyond is on a further sheet, never left out.
ROWS_OF_A_SHEET = 1_000_000

_SIGNS = {"refused": "✗", "accepted": "✓", "error": "✗", "query": "?"}


@dataclass(frozen=True)
class _Column:
    """A column of a table: a key of the words, and its width in characters."""

    heading: str
    width: int


def verdict_workbook(receipt: Receipt) -> bytes:
    """The bytes of an xlsx workbook."""
    book = _Book(receipt)
    _summary(book)
    _problems(book)
    _repairs(book)
    _headlines(book)
    _changes(book)
    return book.content()


class _Book:
    """A workbook being written, with its formats and the words of its language."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt
        self.say = receipt.say
        self._bytes = io.BytesIO()
        self.book = new_workbook(self._bytes)
        add = self.book.add_format
        wrapped = {"text_wrap": True, "valign": "top"}
        lined = wrapped | {"bottom": 4, "bottom_color": "#BFBFBF"}
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F3864"})
        self.notice = add({"font_color": "#9C0006"})
        self.heading = add(
            wrapped
            | {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF"}
            | {"border": 1, "border_color": "#FFFFFF"}
        )
        self.section = add({"bold": True, "font_size": 13, "font_color": "#1F3864"})
        self.label = add(lined | {"bold": True})
        self.text = add(lined)
        self.number = add(lined | {"num_format": "0", "align": "left"})
        self.strong = add(lined | {"bold": True})
        self.plain = add({})
        self.marks = {
            "error": add(lined | {"bg_color": "#FFC7CE", "font_color": "#9C0006", "bold": True}),
            "query": add(lined | {"bg_color": "#FFEB9C", "font_color": "#7F6000", "bold": True}),
            "accepted": add(lined | {"bg_color": "#C6EFCE", "font_color": "#006100", "bold": True}),
        }

    def add_sheet(self, name: str, widths: Sequence[int]) -> Any:
        """A sheet that prints on its side and as wide as the paper."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return sheet

    def line(
        self,
        sheet: Any,
        row: int,
        widths: Sequence[int],
        cells: Sequence[str | int | None],
        formats: Mapping[int, Any] | None = None,
    ) -> None:
        """A row of cells, high enough for all of them."""
        lines = 1
        for column, (width, value) in enumerate(zip(widths, cells, strict=True)):
            style = (formats or {}).get(column)
            if isinstance(value, int):
                sheet.write_number(row, column, value, style or self.number)
            else:
                sheet.write_string(row, column, value or "", style or self.text)
                lines = max(lines, lines_of(value or "", width))
        sheet.set_row(row, _POINTS_PER_LINE * lines + 2)

    def table(
        self,
        sheet: Any,
        row: int,
        columns: Sequence[_Column],
        lines: Iterable[tuple[Sequence[str | int | None], Mapping[int, Any]]],
    ) -> int:
        """Headings in ``row``, then the lines. Returns the first row below."""
        widths = [column.width for column in columns]
        headings = [self.say(column.heading) for column in columns]
        style = dict.fromkeys(range(len(columns)), self.heading)
        self.line(sheet, row, widths, headings, style)
        for row, (cells, formats) in enumerate(lines, start=row + 1):  # noqa: B020
            self.line(sheet, row, widths, cells, formats)
        return row + 1

    def content(self) -> bytes:
        self.book.close()
        return self._bytes.getvalue()


def new_workbook(target: io.BytesIO) -> Any:
    """A workbook in which text stays text and which is the same whenever it is made."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,  # no temporary files, and zip times that never change
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": MADE_ON})
    return book


def lines_of(text: str, width: int) -> int:
    """Lines a text takes in a column of ``width`` characters, on the generous side."""
    return sum(max(1, -(-len(part) * 11 // (width * 10))) for part in text.split("\n"))


# --- the sheets --------------------------------------------------------------------------------


def _summary(book: _Book) -> None:
    from pipelines.verdict.report import when, whose

    receipt, say = book.receipt, book.say
    item = receipt.submission
    widths = (30, 100)
    sheet = book.add_sheet(say("sheet summary"), widths)
    sheet.write_string(0, 0, say("title"), book.title)
    row = 1
    if item.is_synthetic:
        sheet.write_string(row, 0, say("is synthetic"), book.notice)
        row += 1
    row += 1

    def line(label: str, text: str, style: Any = None) -> None:
        nonlocal row
        book.line(sheet, row, widths, (label, text), {0: book.label, 1: style or book.text})
        row += 1

    def section(title: str) -> None:
        nonlocal row
        sheet.write_string(row + 1, 0, title, book.section)
        row += 2

    is_check = bool(receipt.details and receipt.details.is_check)
    mark = {"refused": "error", "accepted": "accepted"}.get(item.status, "query")
    sign = _SIGNS.get(item.status, "?")
    line(say("verdict"), f"{sign} {receipt.status.upper()}", book.marks[mark])
    if item.status in MEANING:
        line(say("meaning"), said(MEANING[item.status], receipt.language))
    line(say("receipt"), item.submission_id)
    line(say("from"), whose(item, receipt.declarations, receipt.language))
    if is_check:
        line(say("checked"), say("checked here"))
    else:
        line(say("received"), when(item))
    line(say("fingerprint"), item.sha256)
    if item.rules:
        line(say("rules ran"), receipt.rules)
    told = receipt.details.not_known if receipt.details else ()
    for position, key in enumerate(told):
        line(say("not known here") if position == 0 else "", say(key))
    line(say("keep"), say("keep explained"))
    if item.returns:
        section(say("returns"))
        for name, counts in item.returns.items():
            title = said(receipt.declarations.returns[name].title, receipt.language)
            line(title, receipt.counts(counts))
    _most_frequent(book, section, line)
    section(say("sheets"))
    for name in ("problems", "repairs", "headlines", "changes"):
        line(say(f"sheet {name}"), say(f"in {name}"))


def _most_frequent(book: _Book, section: Any, line: Any) -> None:
    """Errors first, each kind by how often it was found."""
    receipt = book.receipt
    found = Counter(
        (receipt.sentence(problem), problem["severity"], problem["code"] or "")
        for problem in receipt.problems
    )
    section(book.say("most frequent"))
    if not found:
        line("", book.say("none"))
    ranked = sorted(found.items(), key=lambda item: (item[0][1] != "error", -item[1]))
    for (sentence, severity, code), count in ranked[:_MOST_FREQUENT]:
        kind = f"{_SIGNS[severity]} {book.say(severity)} {code}".strip()
        line(book.say("times", count, kind), sentence)


_PROBLEM_COLUMNS = (
    _Column("head severity", 12),
    _Column("head reference", 18),
    _Column("head wrong", 50),
    _Column("head right", 44),
    _Column("head sheet", 12),
    _Column("head cell", 8),
    _Column("head row", 7),
    _Column("head column", 26),
    _Column("head rule", 14),
    _Column("head source", 30),
)


def _problems(book: _Book) -> None:
    every = book.receipt.problems
    widths = [column.width for column in _PROBLEM_COLUMNS]
    name = book.say("sheet problems")
    for number, start in enumerate(range(0, max(len(every), 1), ROWS_OF_A_SHEET), start=1):
        part = every[start : start + ROWS_OF_A_SHEET]
        title = name if number == 1 else book.say("continued", name, number)
        sheet = book.add_sheet(title, widths)
        sheet.freeze_panes(1, 2)
        sheet.repeat_rows(0)
        below = book.table(sheet, 0, _PROBLEM_COLUMNS, _problem_lines(book, part))
        if part:
            sheet.autofilter(0, 0, below - 1, len(widths) - 1)
        else:
            sheet.write_string(1, 0, book.say("none"), book.plain)


def _problem_lines(
    book: _Book, problems: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Sequence[str | int | None], Mapping[int, Any]]]:
    receipt = book.receipt
    for problem in problems:
        wrong, right = wrong_and_right(receipt.sentence(problem))
        severity = problem["severity"]
        cells = (
            f"{_SIGNS[severity]} {book.say(severity)}",
            _reference(book, problem["return_name"], problem["sheet_row"]),
            wrong,
            right,
            receipt.sheet(problem) or book.say("whole"),
            problem["cell"] or "",
            problem["sheet_row"],
            receipt.title(problem) or "",
            problem["code"] or "",
            receipt.source(problem),
        )
        yield cells, {0: book.marks[severity], 2: book.strong}


def _reference(book: _Book, return_name: str | None, sheet_row: int | None) -> str:
    """The sender's own reference of the row."""
    sent = book.receipt.details.judged.sent if book.receipt.details else None
    reference = sent.reference(return_name, sheet_row) if sent else None
    if reference is None:
        return ""
    is_long = len(reference) > _LONGEST_REFERENCE
    return f"{reference[:_LONGEST_REFERENCE]}…" if is_long else reference


_REPAIR_COLUMNS = (
    _Column("head repair", 80),
    _Column("head sheet", 16),
    _Column("head column", 34),
    _Column("head kind", 22),
    _Column("head count", 12),
)


def _repairs(book: _Book) -> None:
    receipt = book.receipt
    sheet = book.add_sheet(book.say("sheet repairs"), [column.width for column in _REPAIR_COLUMNS])
    _preface(book, sheet, book.say("repairs"), book.say("repairs explained"))
    if not receipt.repairs:
        sheet.write_string(3, 0, book.say("no repairs"), book.plain)
        return
    sheet.freeze_panes(4, 0)
    lines = [
        (
            (
                receipt.sentence(repair),
                receipt.sheet(repair) or "",
                receipt.title(repair) or "",
                _kind(book, repair["kind"]),
                repair["count"],
            ),
            {},
        )
        for repair in receipt.repairs
    ]
    book.table(sheet, 3, _REPAIR_COLUMNS, lines)


def _kind(book: _Book, kind: str | None) -> str:
    words = REPAIR_KINDS.get(kind or "")
    return said(words, book.receipt.language) if words else kind or ""


def _headlines(book: _Book) -> None:
    receipt = book.receipt
    effect = receipt.details.effect if receipt.details else None
    versions = list(effect.versions) if effect else []
    widths = (18, 62, 18, *[30] * len(versions))
    sheet = book.add_sheet(book.say("sheet headlines"), widths)
    _preface(book, sheet, book.say("headlines"), book.say("headlines explained"))
    if effect is None:
        is_unknown = bool(receipt.details and receipt.details.has_no_effect_known)
        sheet.write_string(
            3, 0, book.say("no headlines" if is_unknown else "no figures"), book.plain
        )
        return
    if {"counted", "as_sent"} <= set(versions):
        sheet.write_string(2, 0, book.say("every row explained"), book.plain)
    sheet.freeze_panes(5, 2)
    headings = [book.say(key) for key in ("head indicator", "head title", "head status")]
    headings += [receipt.version(version) for version in versions]
    book.line(sheet, 4, widths, headings, dict.fromkeys(range(len(widths)), book.heading))
    for row, headline in enumerate(effect.headlines, start=5):
        indicator, parts = headline.indicator, headline.parts
        differs = "counted" in parts and "as_sent" in parts and parts["counted"] != parts["as_sent"]
        cells = [
            indicator.id,
            said(indicator.title, receipt.language),
            said(DEFINITIONS[indicator.status], receipt.language),
        ]
        for version in versions:
            shown = receipt.figure(headline, version)
            cells.append(f"≠ {shown}" if differs and version == "as_sent" else shown)
        column = 3 + versions.index("as_sent") if differs else None
        formats = {0: book.strong} | ({column: book.marks["query"]} if column else {})
        book.line(sheet, row, widths, cells, formats)


_CHANGE_COLUMNS = (
    _Column("head change", 18),
    _Column("head reference", 20),
    _Column("head return", 16),
    _Column("head row now", 12),
    _Column("head row before", 12),
    _Column("head columns", 90),
)
_FATE_COLUMNS = (
    _Column("head became", 18),
    _Column("head reference", 20),
    _Column("head sheet", 16),
    _Column("head row", 12),
    _Column("head rule", 12),
    _Column("head wrong", 90),
)


def _changes(book: _Book) -> None:
    receipt = book.receipt
    found = receipt.details.changes if receipt.details else None
    widths = [column.width for column in _CHANGE_COLUMNS]
    sheet = book.add_sheet(book.say("sheet changes"), widths)
    if found is None:
        is_check = bool(receipt.details and receipt.details.is_check)
        sheet.write_string(0, 0, book.say("sheet changes"), book.title)
        sheet.write_string(
            2, 0, book.say("no earlier here" if is_check else "no earlier"), book.plain
        )
        return
    sheet.write_string(0, 0, book.say("changes", receipt.earlier_version()), book.title)
    row = 1
    for line in receipt.changes_told():
        sheet.write_string(row, 0, line, book.plain)
        row += 1
    row += 1
    if found.rows:
        row = book.table(sheet, row, _CHANGE_COLUMNS, _change_lines(book)) + 1
    else:
        sheet.write_string(row, 0, book.say("nothing changed"), book.plain)
        row += 2
    if found.fixed or found.new or found.still_there:
        book.table(sheet, row, _FATE_COLUMNS, _fate_lines(book))


def _change_lines(
    book: _Book,
) -> Iterator[tuple[Sequence[str | int | None], Mapping[int, Any]]]:
    receipt = book.receipt
    assert receipt.details and receipt.details.changes
    now, earlier = receipt.details.judged.sent, receipt.details.earlier_sent
    for change in receipt.details.changes.rows:
        declared = receipt.declarations.returns[change.return_name]
        titles = [said(declared.field(name).title, receipt.language) for name in change.fields]
        reference = (now.reference(change.return_name, change.sheet_row) if now else None) or (
            earlier.reference(change.return_name, change.earlier_row) if earlier else None
        )
        cells = (
            book.say(change.kind),
            (reference or "")[:_LONGEST_REFERENCE],
            said(declared.title, receipt.language),
            change.sheet_row,
            change.earlier_row,
            ", ".join(titles),
        )
        yield cells, {0: book.strong}


def _fate_lines(
    book: _Book,
) -> Iterator[tuple[Sequence[str | int | None], Mapping[int, Any]]]:
    """Problems fixed, new and still there; a fixed one is named by its row on the earlier file."""
    receipt = book.receipt
    assert receipt.details and receipt.details.changes
    found = receipt.details.changes
    now, earlier = receipt.details.judged.sent, receipt.details.earlier_sent
    for fate, problems, sent in (
        ("fixed", found.fixed, earlier),
        ("new", found.new, now),
        ("still_there", found.still_there, now),
    ):
        for problem in problems:
            name, row = problem["return_name"], problem["sheet_row"]
            reference = (sent.reference(name, row) if sent else None) or ""
            cells = (
                book.say(fate),
                reference[:_LONGEST_REFERENCE],
                receipt.sheet(problem) or book.say("whole"),
                row,
                problem["code"] or "",
                receipt.sentence(problem),
            )
            yield cells, {0: book.strong}


def _preface(book: _Book, sheet: Any, title: str, explanation: str) -> None:
    sheet.write_string(0, 0, title, book.title)
    sheet.write_string(1, 0, explanation, book.plain)
