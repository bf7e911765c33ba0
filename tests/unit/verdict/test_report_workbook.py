"""The workbook a sender gets: everything in it, nothing that could run, nobody else's data.

Returns are invented and synthetic."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from expectations.rule_catalogue import catalogue_of_rules
from pipelines.cli import main
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.problems import problems_of
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger
from pipelines.readers.child_process import read
from pipelines.settings import Settings
from pipelines.text.catalogue import Language, translations
from pipelines.verdict import report_workbook as module
from pipelines.verdict.check import CheckedFile, check_files
from pipelines.verdict.details import details_of_submission
from pipelines.verdict.problems import wrong_and_right
from pipelines.verdict.report import ValidationReport
from pipelines.verdict.report_files import write_report
from pipelines.verdict.report_workbook import report_workbook
from tests.unit.returns_made import DECLARATIONS, Q1, Q2, child, children, last_quarter, workbook

NOW = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://x.invalid")'
NASTY = (FORMULA, "+1+1", "-2", "@SUM(A1)", "http://x.invalid", "\tx", "mailto:a@b.invalid")

Table = list[tuple[Any, ...]]


def report_of(checked: CheckedFile, language: Language = "en") -> ValidationReport:
    return ValidationReport(
        checked.submission, checked.problems, DECLARATIONS, language, checked.details
    )


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def table(book: openpyxl.Workbook, sheet: str) -> Table:
    return list(book[sheet].iter_rows(values_only=True))


def words(book: openpyxl.Workbook, sheet: str) -> str:
    return " ".join(str(cell) for line in table(book, sheet) for cell in line if cell is not None)


def everything(content: bytes) -> str:
    book = opened(content)
    return " ".join(words(book, name) for name in book.sheetnames)


def rows() -> list[dict[str, Any]]:
    """Thirty sound rows, and some with problems of every kind."""
    wrong = [child(reference, sex="gibberish") for reference in NASTY[:2]]
    return [*children(30), *wrong, child("QUERIED", referred_on=date(2020, 1, 5))]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> CheckedFile:
    """A return with queries and rows set aside, beside a version and a quarter before it."""
    folder = tmp_path_factory.mktemp("checked")
    before = workbook(folder / "before.xlsx", [*rows()[1:], child("GONE")], version=1)
    last = workbook(folder / "last.xlsx", last_quarter(5), Q1)
    now = workbook(folder / "now.xlsx", rows(), version=2)
    (found,) = check_files([now], DECLARATIONS, NOW, before=[before, last])
    return found


@pytest.fixture(scope="module")
def book(checked: CheckedFile) -> openpyxl.Workbook:
    return opened(report_workbook(report_of(checked)))


# --- what is in it -------------------------------------------------------------------------------


def test_it_has_the_five_sheets_in_the_senders_language(checked: CheckedFile) -> None:
    for language in ("en", "cy"):
        names = [
            translations(language).gettext(name)
            for name in ("Summary", "Problems", "Repairs", "Headlines", "Changes")
        ]
        assert opened(report_workbook(report_of(checked, language))).sheetnames == names


def test_each_problem_says_what_is_wrong_and_what_to_do_and_where(
    book: openpyxl.Workbook, checked: CheckedFile
) -> None:
    headings, *lines = table(book, "Problems")
    assert len(lines) == len(report_of(checked).problems)
    first = dict(zip(headings, next(line for line in lines if line[1] == FORMULA), strict=True))
    assert first == {
        "Error or query": "✗ error",
        "Your reference": FORMULA,
        "What is wrong": "“Sex” is not in the list for this quarter.",
        "What to do": first["What to do"],
        "Sheet": "Children",
        "Cell": "C32",
        "Row": 32,
        "Column heading": "Sex",
        "Rule": "CODE",
        "Where the rule comes from": first["Where the rule comes from"],
    }
    assert first["What to do"][0].isupper() and first["Where the rule comes from"]
    assert {line[0] for line in lines} == {"✗ error", "? query"}  # not by colour alone


def test_summary_and_headlines_and_changes_tell_the_story(book: openpyxl.Workbook) -> None:
    summary = {line[0]: line[1] for line in table(book, "Summary") if line[0]}
    assert summary["Status"].startswith("? ACCEPTED WITH ERRORS QUARANTINED")
    assert "Correct them and send the whole file again" in summary["What this means"]
    assert summary["Children"].startswith("rows read 33, accepted 31, set aside 2")
    assert (
        "rules ran" in summary["Rules"] and "never send it by e-mail" in summary["Keep this safe"]
    )
    assert any(key.startswith("2 × ✗ error CODE") for key in summary)
    headlines = table(book, "Headlines")
    headings = next(line for line in headlines if line[0] == "Indicator")
    assert [str(each).split(" (")[0] for each in headings[3:]] == [
        "this return",
        "all rows as sent",
        "previous version",
        "previous quarter",
    ]
    referred = dict(
        zip(headings, next(line for line in headlines if line[0] == "W01"), strict=True)
    )
    assert (referred["this return"], referred["all rows as sent"]) == ("30", "≠ 32")
    changes = table(book, "Changes")
    assert [line[:2] for line in changes if line[0] in ("+ added", "− removed")] == [
        ("+ added", "REF-0001"),
        ("− removed", "GONE"),
    ]
    assert any(line[0] == "= still there" for line in changes)


def test_a_return_without_anything_wrong_says_so_on_every_sheet(tmp_path: Path) -> None:
    (sound,) = check_files([workbook(tmp_path / "a.xlsx", children(3))], DECLARATIONS, NOW)
    found = opened(report_workbook(report_of(sound)))
    text = {sheet.title: words(found, sheet.title) for sheet in found}
    assert "✓ ACCEPTED" in text["Summary"] and "You do not need to do anything" in text["Summary"]
    assert "No problems were found." in text["Problems"]
    assert "Nothing had to be put right" in text["Repairs"]
    assert "Add --before FILE to compare with one" in text["Changes"]


def test_a_file_of_which_nothing_could_be_read_gets_a_workbook_too(tmp_path: Path) -> None:
    path = tmp_path / "page.xlsx"
    path.write_text("<html>", encoding="utf-8")
    (refused,) = check_files([path], DECLARATIONS, NOW)
    found = opened(report_workbook(report_of(refused)))
    summary = {line[0]: line[1] for line in table(found, "Summary") if line[0]}
    assert summary["Status"].startswith("✗ REFUSED")
    assert len(table(found, "Problems")) == 2
    assert "There are no figures" in str(table(found, "Headlines"))


def test_repairs_are_listed_by_kind_and_column(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", children(3))
    _rename_heading(path, "Child reference", "CHILD  REFERENCE ")
    (mended,) = check_files([path], DECLARATIONS, NOW)
    assert mended.submission.status == "accepted"
    lines = table(opened(report_workbook(report_of(mended))), "Repairs")
    (repair,) = [line for line in lines if line[1] == "Children"]
    assert "Column A" in repair[0] and repair[2] == "Child reference" and repair[4] == 1


def _rename_heading(path: Path, old: str, new: str) -> None:
    book = openpyxl.load_workbook(path)
    cell = next(cell for cell in book["Children"][1] if cell.value == old)
    cell.value = new
    book.save(path)


def test_what_does_not_fit_a_sheet_is_on_the_next_one(
    checked: CheckedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_OF_A_SHEET", 2)
    report = report_of(checked)
    found = opened(report_workbook(report))
    sheets = [name for name in found.sheetnames if name.startswith("Problems")]
    assert sheets[:2] == ["Problems", "Problems 2"]
    assert len(sheets) == -(-len(report.problems) // 2)
    assert sum(len(table(found, name)) - 1 for name in sheets) == len(report.problems)


def test_every_rule_parts_into_what_is_wrong_and_what_to_do() -> None:
    catalogue = catalogue_of_rules(DECLARATIONS, Q2)
    sentences = [*catalogue["sentence_en"], *catalogue["sentence_cy"]]
    assert len(sentences) > 200
    for sentence in sentences:
        wrong, right = wrong_and_right(sentence)
        assert right, sentence
        assert wrong.count("“") == wrong.count("”"), sentence
        either = (f"{wrong[:-1]}: {right}", f"{wrong} {right}")
        assert sentence.casefold() in {each.casefold() for each in either}


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("“Nil: none. Yes” is blank: fill it in.", ("“Nil: none. Yes” is blank.", "Fill it in.")),
        ("It is empty. Send it again.", ("It is empty.", "Send it again.")),
        ("It is empty.", ("It is empty.", "")),
        ("Mae'n wag: llenwch ef.", ("Mae'n wag.", "Llenwch ef.")),
        ("", ("", "")),
    ],
)
def test_a_title_in_quotation_marks_is_never_parted(sentence: str, parts: tuple[str, str]) -> None:
    assert wrong_and_right(sentence) == parts


# --- nothing in it can run -----------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "cy"])
def test_no_cell_is_a_formula_or_a_link(tmp_path: Path, language: Language) -> None:
    nasty = [child(reference, sex="gibberish") for reference in NASTY]
    path = workbook(tmp_path / "a.xlsx", [*children(60), *nasty])
    before = workbook(tmp_path / "b.xlsx", [*children(70), *nasty[1:]])
    (found,) = check_files([path], DECLARATIONS, NOW, before=[before])
    content = report_workbook(report_of(found, language))
    for sheet in opened(content):
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type in ("s", "n") and cell.hyperlink is None
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    assert not any("<f>" in text or "<hyperlink" in text for text in parts.values())
    assert not any("externalLink" in name or name.endswith(".bin") for name in parts)
    shown = {
        cell for line in table(opened(content), opened(content).sheetnames[1]) for cell in line
    }
    assert {reference.strip() for reference in NASTY} <= {str(each).strip() for each in shown}


def test_the_same_verdict_gives_the_same_bytes(checked: CheckedFile) -> None:
    first = report_workbook(report_of(checked))
    assert report_workbook(report_of(checked)) == first
    assert report_workbook(report_of(checked, "cy")) != first


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize("name", ["verdict.xlsx", "verdict.csv", "verdict.txt", "verdict.json"])
def test_what_is_written_is_its_owners_alone_and_whole(
    checked: CheckedFile, tmp_path: Path, name: str
) -> None:
    target = tmp_path / name
    target.write_text("of yesterday", encoding="utf-8")
    target.chmod(0o644)
    earlier = os.umask(0)
    try:
        write_report(report_of(checked), target)
    finally:
        os.umask(earlier)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [name]


# --- whose references are in it ------------------------------------------------------------------


def test_only_references_of_rows_with_problems_or_changes_are_in_it(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [*children(30), child("CANARY-1", sex="CANARY-2")])
    (found,) = check_files([path], DECLARATIONS, NOW)
    text = everything(report_workbook(report_of(found)))
    assert "CANARY-1" in text
    assert "CANARY-2" not in text and "REF-" not in text and "2017" not in text


def test_a_reference_of_any_length_is_cut_for_reading(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [*children(30), child("X" * 9_000, sex="gibberish")])
    (found,) = check_files([path], DECLARATIONS, NOW)
    lines = table(opened(report_workbook(report_of(found))), "Problems")
    assert max(len(str(line[1])) for line in lines) == 61


# --- of a submission that was taken in -----------------------------------------------------------


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two senders with the same references; the first sends twice, and a quarter before."""
    home = tmp_path_factory.mktemp("collection")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    files = [
        (workbook(home / "q1.xlsx", last_quarter(5), Q1), datetime(2020, 7, 10, 9, tzinfo=UTC)),
        (workbook(home / "1.xlsx", rows()[2:]), NOW),
        (
            workbook(
                home / "other.xlsx",
                [*rows(), child("THEIRS", sex="gibberish")],
                sender_code="W06000002",
            ),
            NOW,
        ),
        (workbook(home / "2.xlsx", rows(), version=2), NOW.replace(day=11)),
    ]
    for path, when in files:
        receive(settings, DECLARATIONS, [Arrival(path, when)], keep=True)
        for quarter in (Q1, Q2):
            to_raw(settings, DECLARATIONS, quarter)
        to_validated(settings, DECLARATIONS, [Q1, Q2])
    return settings


def test_a_submission_is_told_as_a_check_is(collection: Settings, tmp_path: Path) -> None:
    """With the version and the quarter before it from the rooms, and nothing of the others'."""
    item = Ledger(collection.ledger).submissions()[-1]
    problems = problems_of(collection, item)
    told = details_of_submission(collection, DECLARATIONS, item, problems)
    assert told.effect is not None and told.changes is not None and told.earlier is not None
    assert list(told.effect.versions) == ["counted", "as_sent", "version_before", "quarter_before"]
    assert told.earlier.submission_id.startswith("S000002")
    assert len(told.changes.of("child", "added")) == 2
    content = report_workbook(ValidationReport(item, problems, DECLARATIONS, "en", told))
    text = everything(content)
    assert FORMULA in text and "THEIRS" not in text and "S000003" not in text
    path = tmp_path / "same.xlsx"
    workbook(path, rows(), version=2)
    before = [
        workbook(tmp_path / "1.xlsx", rows()[2:]),
        workbook(tmp_path / "q.xlsx", last_quarter(5), Q1),
    ]
    (checked,) = check_files([path], DECLARATIONS, NOW, before=before)
    assert checked.details.effect is not None
    assert [one.figures for one in checked.details.effect.headlines] == [
        one.figures for one in told.effect.headlines
    ]
    assert checked.details.changes is not None
    assert checked.details.changes.rows == told.changes.rows


def test_what_came_later_changes_no_earlier_answer(collection: Settings) -> None:
    first = next(i for i in Ledger(collection.ledger).submissions() if i.delivery_number == 2)
    told = details_of_submission(collection, DECLARATIONS, first, problems_of(collection, first))
    assert told.earlier is None and told.effect is not None
    assert "version_before" not in told.effect.versions
    assert told.effect.versions["quarter_before"].submission_id.startswith("S000001")


def test_the_command_writes_workbook_and_marked_copy(
    collection: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(collection.data))
    submission_id = Ledger(collection.ledger).submissions()[-1].submission_id
    out, marked = tmp_path / "verdict.xlsx", tmp_path / "marked.xlsx"
    call = ["report", submission_id, "--out", str(out), "--marked", str(marked)]
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 0 and result.output.count("Wrote ") == 2
    assert "Children" in {sheet.name for sheet in read(marked).sheets}
    assert opened(out.read_bytes()).sheetnames[0] == "Summary"
