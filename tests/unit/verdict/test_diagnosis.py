"""What went wrong with a file is said as the one thing it is, and never passes without a word.

The matrix damages one return in two hundred ways, each a kind seen in real files. A variant is
*right* (every value read as it was meant), *asked* (a query or a hold names the cause), *refused*
(an error names the cause) or *silent*, and none may be silent. All of it is synthetic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import pytest

from tests.unit.damaged_returns import (
    CHILDREN,
    DATES,
    TITLES,
    Form,
    Judged,
    Sheet,
    judge,
    judge_all,
    sheet,
)
from tests.unit.returns_made import DECLARATIONS

Outcome = Literal["right", "asked", "refused", "held"]
# A variant: what is done to the return, what must come of it, and a code that names the cause.
Variant = tuple[Sheet, Outcome, str]

FIELDS = {field.name: field for field in DECLARATIONS.returns["child"].fields}
EVENTS = ["matched_on", "placed_on", "placement_order_on", "should_be_placed_decision_on"]
FORMS: tuple[Form, Form] = ("workbook", "csv")


def day_of(text: str) -> date:
    parts = [int(part) for part in re.split("[-/]", text)]
    return date(*parts) if parts[0] > 31 else date(*parts[::-1])


def every_date(damaged: Sheet, how: Callable[[date], str], fields: Sequence[str] = DATES) -> Sheet:
    for name in fields:
        damaged = damaged.change(name, lambda text: how(day_of(text)))
    return damaged


def swapped(day: date) -> str:
    """As a spreadsheet set for the United States leaves a British date."""
    return date(day.year, day.day, day.month).isoformat() if day.day <= 12 else f"{day:%d/%m/%Y}"


def ordinal(day: date) -> str:
    last = 0 if 10 < day.day < 14 else day.day % 10
    return f"{day.day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


WELSH = "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr"
ONE_MEANING: dict[str, Callable[[date], str]] = {
    "month day, year": lambda day: f"{day:%B} {day.day}, {day.year}",
    "day Mon year": lambda day: f"{day:%d-%b-%Y}",
    "weekday": lambda day: f"{day:%a} {day.day} {day:%b %Y}",
    "weekday in full": lambda day: f"{day:%A}, {day.day} {day:%B %Y}",
    "ordinal": lambda day: f"{ordinal(day)} {day:%B %Y}",
    "Welsh": lambda day: f"{day.day} {WELSH.split()[day.month - 1]} {day.year}",
    "inner spaces": lambda day: f"{day:%d / %m / %Y}",
    "apostrophe": lambda day: f"'{day:%d/%m/%Y}",
    "dots": lambda day: f"{day:%d.%m.%Y}",
    "long dashes": lambda day: f"{day:%d}\u2013{day:%m}\u2013{day:%Y}",
    "midnight": lambda day: f"{day:%d/%m/%Y} 00:00:00",
    "noon": lambda day: f"{day:%d/%m/%Y} 12:00:00 PM",
    "ISO with zone": lambda day: f"{day.isoformat()}T10:00:00Z",
    "ISO with milliseconds": lambda day: f"{day.isoformat()}T00:00:00.000",
    "summer midnight in UTC": lambda day: (
        f"{day - timedelta(days=1)}T23:00:00Z" if 4 <= day.month <= 9 else f"{day}T00:00:00Z"
    ),
    "serial": lambda day: str((day - date(1899, 12, 30)).days),
    "serial with time": lambda day: f"{(day - date(1899, 12, 30)).days}.573",
    "serial as a float": lambda day: f"{(day - date(1899, 12, 30)).days}.0",
    "compact": lambda day: f"{day:%Y%m%d}",
    "SAS": lambda day: f"{day:%d%b%Y}".upper(),
}
TWO_DIGITS = ("%d-%b-%y", "%d/%m/%y", "%d.%m.%y", "%d %B %y")
ZEROS = ("00/01/1900", "0", "1899-12-30", "1900-01-01", "0001-01-01", "00:00:00", "31/12/9999")
WORDS = ("n/a", "TBC", "Unknown", "-", "not applicable", "amherthnasol", "dd/mm/yyyy")


def of_dates(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form)
    for name, how in ONE_MEANING.items():
        yield f"dates: {name}", (every_date(good, how), "right", "")
    for name in ("date_of_birth", "matched_on", "entered_care_on"):
        yield f"one column: weekday {name}", (
            every_date(good, ONE_MEANING["weekday"], [name]), "right", "",
        )  # fmt: skip
    for pattern in TWO_DIGITS:
        damaged = every_date(good, lambda day, pattern=pattern: day.strftime(pattern))
        yield f"two digits: {pattern}", (damaged, "refused", "F224")
        one = every_date(good, lambda day, pattern=pattern: day.strftime(pattern), ["matched_on"])
        yield f"two digits in one column: {pattern}", (one, "refused", "F224")
    american = every_date(good, lambda day: f"{day:%m/%d/%Y}")
    yield "month first", (american, "held", "F213")
    for name in ("date_of_birth", "referred_on"):
        one = every_date(good, lambda day: f"{day:%m/%d/%Y}", [name])
        yield f"month first in {name}", (one, "held", "F213")
    for name in ("date_of_birth", "placed_on"):
        for text in ("TBC soon", "31/02/2019", "spring 2019"):
            yield f"no date in {name}: {text}", (
                good.change(name, lambda _, text=text: text, rows=(5, 6)), "asked", "DATE",
            )  # fmt: skip
    for year in ("1905-07-11", "11/07/1905", "1989-12-31", "01/05/1974"):
        yield f"early: {year}", (
            good.change("referred_on", lambda _, year=year: year, rows=(5, 6)), "held", "CH813",
        )  # fmt: skip


def of_swaps() -> Iterator[tuple[str, Variant]]:
    good = sheet("workbook")
    yield "swapped: all", (every_date(good, swapped), "held", "F221")
    for name in (*EVENTS, "date_of_birth", "entered_care_on", "referred_on"):
        yield f"swapped: {name}", (every_date(good, swapped, [name]), "held", "F221")
    for names in (["date_of_birth", "placed_on"], EVENTS):
        yield f"swapped: {len(names)} columns", (every_date(good, swapped, names), "held", "F221")
    for count in (24, 48):
        yield f"swapped: {count} children", (
            every_date(sheet("workbook", count), swapped), "held", "F221",
        )  # fmt: skip
    dotted = lambda day: swapped(day).replace("/", ".")  # noqa: E731
    yield "swapped, the rest with dots", (every_date(good, dotted), "held", "F221")
    american = lambda day: day.strftime("%m/%d/%Y") if day.day > 12 else swapped(day)  # noqa: E731
    yield "swapped the other way", (every_date(good, american), "held", "F221")


def of_blanks(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form)
    for zero in ZEROS:
        for name in ("adoption_order_on", "plan_ended_on"):
            yield f"zeros {zero} in {name}", (good.fill(name, zero), "asked", "F222")
    everywhere = good
    for name in DATES:
        everywhere = everywhere.fill(name, "00:00:00")
    for name in ("sibling_group_reference", "plan_ended_reason", "adopter_household_reference"):
        yield f"zeros of links in {name}", (everywhere.fill(name, "0"), "asked", "F222")
    for word in WORDS:
        for name in ("adoption_order_on", "sibling_group_reference"):
            yield f"{word} in {name}", (good.fill(name, word, rows=(3, 9)), "asked", "F223")


def of_columns(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form)
    for name in (*EVENTS, "adoption_order_on", "plan_ended_on"):
        lost = replace(good, fields=[each for each in good.fields if each != name])
        yield f"no column {name}", (lost, "held", "F208")
        odd = replace(good, headings={**good.headings, name: "Xyz"})
        yield f"heading of {name} means nothing", (odd, "held", "F208")
    misspelt = {"adoption_order_on": "Adotion oder date", "matched_on": "Macthed"}
    yield "two misspelt headings", (replace(good, headings=TITLES | misspelt), "held", "F208")
    welsh = {name: field.title.cy for name, field in FIELDS.items()}
    both = {
        "slash": " / ", "line": "\n", "dash": " - ", "bracket": " (", "bar": " | ", "blank": " ",
    }  # fmt: skip
    for name, mark in both.items():
        end = ")" if mark == " (" else ""
        headings = {each: f"{TITLES[each]}{mark}{welsh[each]}{end}" for each in TITLES}
        yield f"headings in both languages: {name}", (
            replace(good, headings=headings), "right", "",
        )  # fmt: skip
    first = {each: f"{welsh[each]} / {TITLES[each]}" for each in TITLES}
    yield "Welsh first", (replace(good, headings=first), "right", "")
    for number in ("{n}. {t}", "{n}) {t}", "A{n} {t}", "Q{n}: {t}", "({n}) {t}", "{n}.1 {t} *"):
        headings = {
            each: number.format(n=n, t=title) for n, (each, title) in enumerate(TITLES.items(), 1)
        }
        yield f"numbered headings {number}", (replace(good, headings=headings), "right", "")


def of_rows(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form)
    blanks: list[str | None] = [None] * len(good.fields)
    count = str(CHILDREN)
    for first in ("Total", "TOTAL:", "Grand total", "Cyfanswm", "Total children"):
        row = [first, count, *blanks[2:]]
        yield f"row of totals: {first}", (replace(good, below=(row,)), "asked", "F225")
    unnamed = [None, count, None, None, count, *blanks[5:]]
    yield "totals without a name", (replace(good, below=(unnamed,)), "asked", "F225")
    headings: list[str | None] = [TITLES[name] for name in good.fields]
    yield "headings once more", (replace(good, below=(headings,)), "asked", "F225")
    twice = replace(good, after_headings=(headings,))
    yield "headings twice", (twice, "asked", "F225")
    notes = (
        "* Children placed before April are in last year's return",
        "Note: as at 30 September",
        "(48 rows affected)",
        "Nodyn: drafft",
        "*** End of report ***",
    )
    for note in notes:
        yield f"footnote: {note}", (replace(good, below=(blanks, [note])), "asked", "F225")
    hints = [
        "dd/mm/yyyy" if FIELDS[name].type == "date" else "Text" for name in good.fields
    ]  # fmt: skip
    yield "row of hints", (replace(good, after_headings=(list(hints),)), "asked", "F225")
    example = ["Example", "01/02/2015", "Female", *blanks[3:]]
    yield "row of an example", (replace(good, after_headings=(example,)), "asked", "F225")


def of_codes(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form)
    census = (
        "Welsh/English/Scottish/Northern Irish/British",
        "White (Welsh/English/Scottish/N. Irish/British)",
        "White: Welsh, English, Scottish, Northern Irish or British",
        "A1. White British",
        "1 White",
    )
    for label in census:
        yield f"ethnic group: {label}", (
            good.change("ethnicity_group", lambda _, label=label: label), "right", "",
        )  # fmt: skip
    for cross in ("✗", "✘", "❌", "☐"):
        yield f"crosses: {cross}", (
            good.change("is_disabled", lambda _, cross=cross: cross), "right", "",
        )  # fmt: skip
    for text in ("Martian", "?!"):
        yield f"no code: {text}", (
            good.change("sex", lambda _, text=text: text, rows=(1, 2)), "asked", "CODE",
        )  # fmt: skip


def of_references(form: Form) -> Iterator[tuple[str, Variant]]:
    good = sheet(form).change("child_reference", lambda text: f"{text[:3]}-{text[3:]}")
    for mark in ("'", "\u2019", "`"):
        yield f"apostrophe {mark}", (
            good.change("child_reference", lambda text, mark=mark: mark + text), "right", "",
        )  # fmt: skip
    for dash in "\u2013\u2014\u2010\u2212":
        damaged = good.change(
            "child_reference", lambda text, dash=dash: text.replace("-", dash), rows=(4, 5, 6)
        )
        yield f"dash {ord(dash):x}", (damaged, "asked", "F226")
    for line in ("\n", "\r\n", "_x000D_\n"):
        damaged = good.change(
            "child_reference", lambda text, line=line: text.replace("-", f"-{line}"), rows=(4, 5)
        )
        yield f"line break {line!r}", (damaged, "asked", "F226")
    plain = sheet(form)
    yield "point zero", (plain.change("child_reference", lambda text: f"{text}.0"), "asked", "F226")


VARIANTS: dict[str, Variant] = {
    f"{form} {name}": variant
    for form in FORMS
    for kind in (of_dates, of_blanks, of_columns, of_rows, of_codes, of_references)
    for name, variant in kind(form)
} | {f"workbook {name}": variant for name, variant in of_swaps()}  # fmt: skip


@pytest.fixture(scope="module")
def judged() -> dict[str, Judged]:
    contents = {name: variant[0].content() for name, variant in VARIANTS.items()}
    return judge_all(contents)


def outcome(judged: Judged, meant: Sheet, cause: str) -> str:
    """What came of a variant; ``meant`` is the return before it was damaged."""
    if cause and cause not in judged.codes:
        return "silent"
    if judged.status == "held for confirmation":
        return "held"
    if judged.status == "refused":
        return "refused" if cause else "refused without a cause"
    return "asked" if cause else "right"


@pytest.mark.parametrize("name", VARIANTS)
def test_a_damaged_return_is_read_right_asked_about_or_refused(
    name: str, judged: dict[str, Judged]
) -> None:
    damaged, expected, cause = VARIANTS[name]
    found = judged[name]
    assert outcome(found, damaged, cause) == expected, (found.status, sorted(found.codes))
    if expected == "right":
        assert found.status == "accepted" and not found.codes


def test_what_is_read_right_is_what_was_meant(judged: dict[str, Judged]) -> None:
    """Cell by cell: but for what the variant is about, nothing has changed."""
    for form in FORMS:
        good = judge(sheet(form).content()).understood
        for name, (_, expected, _) in VARIANTS.items():
            kind = name.removeprefix(f"{form} ")
            if not name.startswith(form) or expected != "right":
                continue
            if kind.startswith(("dates", "one column", "headings", "Welsh", "numbered")):
                assert judged[name].understood.equals(good), name
        for kind in ("zeros", "row of", "footnote", "totals", "headings once", "point zero"):
            names = [each for each in VARIANTS if each.startswith(f"{form} {kind}")]
            assert names
            for name in names:
                assert judged[name].understood.equals(good), name


def test_none_is_silent_and_most_are_right_or_asked(judged: dict[str, Judged]) -> None:
    shares = Counter(
        outcome(judged[name], damaged, cause) for name, (damaged, _, cause) in VARIANTS.items()
    )
    assert len(VARIANTS) >= 203
    assert shares["silent"] == shares["refused without a cause"] == 0
    assert shares["right"] >= 90 and shares["refused"] <= 16, shares


def test_one_cause_is_one_problem(judged: dict[str, Judged]) -> None:
    """Of a return whose columns are damaged, no consequence is listed: 277 problems were 23."""
    for name, (_, _, cause) in VARIANTS.items():
        if cause in ("F221", "F213", "F208", "F224", "F222") and "two misspelt" not in name:
            assert judged[name].count <= 3, (name, sorted(judged[name].codes))


# --- against the last return ---------------------------------------------------------


def changed(good: Sheet, how: Callable[[str], str], rows: Sequence[int] | None = None) -> Sheet:
    return good.change("child_reference", how, rows)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("how", "code"),
    [
        (lambda text: text.lstrip("0"), "CH816"),
        (lambda text: text + "\u2009", None),
        (lambda text: f"X{text}", "CH807"),
        (lambda text: text[:3] + "-" + text[3:], "CH817"),
    ],
)
def test_references_are_compared_with_the_last_return(
    how: Callable[[str], str], code: str | None, form: Form
) -> None:
    good = sheet(form, 16)
    found = judge(changed(good, how).content(), before=good)
    assert (found.codes & {"CH807", "CH816", "CH817"}) == ({code} if code else set())
    status = {"CH816": "refused", "CH817": "refused", "CH807": "held for confirmation"}
    assert found.status == status.get(code or "", "accepted with queries")


def test_few_references_without_their_zeros_are_found_too() -> None:
    good = sheet("workbook", 16)
    found = judge(changed(good, lambda text: text.lstrip("0"), rows=(1, 2, 4, 5)).content(), good)
    assert "CH816" in found.codes and "(4 children)" in found.sentences("CH816")[0]
    two = judge(changed(good, lambda text: text.lstrip("0"), rows=(1, 2)).content(), good)
    assert "CH816" not in two.codes  # two may be new children


@pytest.mark.parametrize(
    ("before", "is_read_away"), [("'{}", True), ("{}.0", True), ("{:.3} {}", False)]
)
def test_marks_that_the_last_return_had_are_found(before: str, is_read_away: bool) -> None:
    now = sheet("workbook", 16)
    if not is_read_away:
        now = changed(now, lambda text: f"{text:.3}-{text}")
    earlier = changed(sheet("csv", 16), lambda text: before.format(text, text))
    found = judge(now.content(), before=earlier)
    assert ("CH817" in found.codes) is not is_read_away


# --- placeholders -------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_twelve_children_born_on_one_new_years_day_are_asked_about(form: Form) -> None:
    text = "2015-01-01" if form == "workbook" else "01/01/2015"
    rows = tuple(range(12, 24))
    found = judge(sheet(form).change("date_of_birth", lambda _: text, rows).content())
    assert "CH814" in found.codes and found.status == "accepted with queries"
    three = judge(sheet(form).change("date_of_birth", lambda _: text, rows[:3]).content())
    assert "CH814" not in three.codes


def test_dates_on_one_bank_holiday_are_asked_about() -> None:
    good = sheet("workbook")
    rows = [n for n, row in enumerate(good.rows) if "adoption_order_on" in row][:4]
    found = judge(good.change("adoption_order_on", lambda _: "2020-08-31", rows).content())
    assert "CH815" in found.codes
    assert "CH815" not in judge(good.content()).codes


# --- what follows from a cause ---------------------------------------------------------


def test_what_follows_from_a_missing_column_is_counted_not_listed() -> None:
    good = sheet("workbook")
    fields = [name for name in good.fields if name != "placement_order_on"]
    found = judge(replace(good, fields=fields).content())
    [sentence] = found.sentences("F208")
    assert re.search(r"Problems that follow from this and are not listed: [1-9][0-9]+\.$", sentence)
    assert found.codes == {"F208"}


def test_a_query_that_errors_follow_from_holds_the_file() -> None:
    """Folded away, the errors would let the rows count."""
    good = sheet("workbook")
    fields = [name for name in good.fields if name != "authority_to_place"]
    found = judge(replace(good, fields=fields).content())
    assert found.codes == {"F208"}
    assert found.status in ("held for confirmation", "accepted with queries")


def test_a_sheet_with_the_headings_of_another_return_is_said_to_be_it() -> None:
    adopters: list[str | None] = [f.title.en for f in DECLARATIONS.returns["adopter"].fields]
    good = sheet("workbook")
    content = good.content()
    rows: list[list[str | None]] = [[*adopters], ["H1", *([None] * (len(adopters) - 1))]]
    content.sheets[1].rows[:] = rows
    found = judge(content)
    [sentence] = found.sentences("F227")
    assert "“Adopters”" in sentence and found.status == "refused"


def test_a_cell_that_is_not_understood_is_neither_there_nor_missing() -> None:
    """96 orders on 00/01/1900 gave 178 false errors; one unreadable date gives one."""
    good = sheet("workbook")
    found = judge(good.fill("adoption_order_on", "soon", rows=(4, 8)).content())
    assert found.codes == {"DATE"} and found.count == 2
