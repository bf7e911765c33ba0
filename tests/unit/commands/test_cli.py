"""What the commands print, write and end with. Jobs that need dbt or Dagster stand aside here:
the main job is run end to end elsewhere. Returns are invented and synthetic."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.commands import run
from pipelines.declarations import Declarations
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read
from pipelines.settings import SOURCES, Settings
from pipelines.templates.workbook import write_return
from pipelines.verdict.report import ValidationReport, submission_json
from pipelines.verdict.report_files import write_report
from pipelines.verdict.report_lines import report_lines, row_ranges
from tests.unit.returns_made import child

Q2 = Quarter(2020, 2)  # July to September 2020
IN_TIME = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)
TOO_LATE = datetime(2020, 11, 11, 9, 0, tzinfo=UTC)
LONG_NAME = "Cyngor Rhywle [red] adoption return (final) 2020-21 quarter 2, third attempt v3.xlsx"
SECRET = "31/13/2016 SECRETDATE"

Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Call:
    """Runs a command in 80 columns (or others) and lets no exception but an exit pass."""

    def invoke(*arguments: object, data: Path = settings.data, columns: int = 80) -> Result:
        data.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("ADOPTION_DATA", str(data))
        monkeypatch.setenv("COLUMNS", str(columns))
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result

    return invoke


def said(result: Result) -> str:
    """What was printed, as one line."""
    return " ".join(result.output.split())


# --- a quarter of small returns, taken in once; tests only read it ---------------------------


COVER: dict[str, Any] = {
    "quarter": Q2.label,
    "version": 1,
    "signed_off_by_role": "Head of service",
    "signed_off_on": date(2020, 10, 9),
    "is_synthetic": "yes",
}


@dataclass(frozen=True)
class Quarterful:
    settings: Settings
    declarations: Declarations
    ids: dict[str, str]

    def submission(self, name: str) -> Submission:
        every = Ledger(self.settings.ledger).submissions()
        return next(item for item in every if item.submission_id == self.ids[name])


@pytest.fixture(scope="module")
def quarterful(tmp_path_factory: pytest.TempPathFactory) -> Quarterful:
    home = tmp_path_factory.mktemp("cli")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    declarations = Declarations(SOURCES)
    path = home / LONG_NAME
    ids = {}

    def send(name: str, rows: Sequence[Any], when: datetime = IN_TIME, **cover: Any) -> None:
        write_return(path, declarations, Q2, COVER | cover, {"child": rows})
        (one,) = receive(settings, declarations, [Arrival(path, when)])
        ids[name] = one.submission_id

    send("first", [child("SECRET-A1"), child("SECRET-A2")], sender_code="W06000001")
    rows = [child("SECRET-B1", early_permanence="SECRETCODE", date_of_birth=SECRET)]
    rows += [
        child(f"SECRET-B{n}", early_permanence="SECRETCODE", date_of_birth=date(2016, 3, n))
        for n in range(2, 31)
    ]
    rows += [child("SECRET-B40"), child("SECRET-B41", early_permanence="SECRETCODE")]
    send("refused", rows, sender_code="W06000002", version="one")
    good = [child(f"SECRET-C{n}") for n in range(9)]
    one_bad = [*good, child("SECRET-C9", sex="SECRETSEX", notes="SECRETNOTE")]
    send("one row aside", one_bad, sender_code="W06000003")
    send("late", [], when=TOO_LATE, sender_code="W06000004", is_nil_child="yes")
    blank: dict[str, Any] = {
        "sender_code": None,
        "signed_off_by_role": None,
        "signed_off_on": "9th of May",
    }
    send("at the door", [child("SECRET-D1")], **blank)
    to_raw(settings, declarations, Q2)
    to_validated(settings, declarations, [Q2])
    send("waiting", [child("SECRET-E1")], sender_code="W06000005")
    again = home / "again.xlsx"
    first = Ledger(settings.ledger).submissions()[0]
    shutil.copyfile(stored_file(settings, first), again)
    (same,) = receive(settings, declarations, [Arrival(again, TOO_LATE)])
    return Quarterful(settings, declarations, ids | {"same": same.submission_id})


@pytest.fixture
def ask(call: Call, quarterful: Quarterful) -> Call:
    """Runs a command on that quarter."""

    def invoke(*arguments: object, **options: Any) -> Result:
        return call(*arguments, data=quarterful.settings.data, **options)

    return invoke


# --- status -----------------------------------------------------------------------------------


def test_nothing_delivered_is_nothing_to_show(call: Call) -> None:
    result = call("status")
    assert result.exit_code == 0
    assert said(result).startswith("Files received: 0 Nothing has been received yet: put files in")
    assert json.loads(call("status", "--json").output) == []


@pytest.mark.parametrize("columns", [80, 120])
def test_each_delivery_is_traced_to_its_file_in_full(
    ask: Call, quarterful: Quarterful, columns: int
) -> None:
    result = ask("status", columns=columns)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(len(line) for line in lines) <= columns
    assert not any(line.endswith(" ") for line in lines)
    starts = [n for n, line in enumerate(lines) if line.startswith("S0")]
    blocks = [
        " ".join(" ".join(lines[start:end]).split())
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    assert len(blocks) == len(quarterful.ids)
    by_id = {block.split()[0]: block for block in blocks}
    for name, submission_id in quarterful.ids.items():
        item = quarterful.submission(name)
        block = by_id[submission_id]
        assert ("again.xlsx" if name == "same" else LONG_NAME) in block
        assert item.status in block and Q2.label in block
        assert (item.sender_code or "sender not known") in block
        assert (item.refusal_sentence_en or "") in block
        assert ("(late)" in block) == item.is_late
    assert (
        "Isle of Anglesey (W06000001), 2020-21-Q2, version 1, received 2020-10-10 09:00 UTC"
        in (by_id[quarterful.ids["first"]])
    )
    assert f"The same file as {quarterful.ids['first']}" in by_id[quarterful.ids["same"]]


def test_status_of_another_quarter_shows_none_of_them(ask: Call) -> None:
    assert said(ask("status", "--quarter", "2020-21-Q3")) == "Files received: 0"
    assert said(ask("status", "--quarter", "2020-21-Q2")).startswith("Files received: 7")


def test_status_has_the_newest_first(ask: Call) -> None:
    ids = [each["submission_id"] for each in json.loads(ask("status", "--json").stdout)]
    assert ids == sorted(ids, reverse=True) and len(ids) > 1


def test_status_of_one_sender_shows_no_other(ask: Call) -> None:
    every = json.loads(ask("status", "--json").stdout)
    sender = next(item["sender_code"] for item in every if item["sender_code"])
    found = json.loads(ask("status", "--sender", sender, "--json").stdout)
    assert found == [item for item in every if item["sender_code"] == sender] != []
    assert json.loads(ask("status", "--sender", "Barnardo's Cymru", "--json").stdout) == []


def test_status_for_programs_has_both_languages(ask: Call, quarterful: Quarterful) -> None:
    told = {each["submission_id"]: each for each in json.loads(ask("status", "--json").output)}
    refused = told[quarterful.ids["refused"]]
    assert set(refused) == set(submission_json(quarterful.submission("refused")))
    assert refused["file_name"] == LONG_NAME
    assert (refused["status"], refused["refusal_code"]) == ("refused", "F105")
    assert "whole number" in refused["why_en"] and "rhif cyfan" in refused["why_cy"]
    assert refused["returns"]["child"]["rows_read"] == 32
    accepted = told[quarterful.ids["first"]]
    assert (accepted["why_en"], accepted["why_cy"]) == (None, None)


@pytest.mark.parametrize("quarter", ["2020", "2020-21-Q5", "2020-22-Q1", ""])
def test_what_is_no_quarter_is_a_wrong_call(call: Call, quarter: str) -> None:
    for command in (("status", "--quarter", quarter), ("publish", quarter)):
        result = call(*command)
        assert result.exit_code == 2
        assert "2025-26-Q1" in result.output  # how to write one


def test_a_ledger_that_was_changed_is_one_sentence(call: Call, settings: Settings) -> None:
    settings.ledger.parent.mkdir(parents=True)
    settings.ledger.write_text('{"event": "received"}\n', encoding="utf-8")
    for command in (("status",), ("report", "S000001-0"), ("report", "S000001")):
        result = call(*command)
        assert result.exit_code == 1
        assert "line 1" in result.output


# --- verdict ----------------------------------------------------------------------------------


def test_an_unknown_submission_is_a_wrong_call(ask: Call) -> None:
    result = ask("report", "S999999-nothing")
    assert result.exit_code == 2
    assert "S999999-nothing" in result.output and "adoption status" in said(result)


def test_a_submission_is_found_by_its_number_alone(ask: Call, quarterful: Quarterful) -> None:
    whole = quarterful.ids["refused"]
    number = whole.partition("-")[0]
    assert ask("report", number).output == ask("report", whole).output
    part = ask("report", number[:-1])
    assert part.exit_code == 2 and f"{number[:-1]} begins several: " in said(part)


def test_reasons_and_problems_of_a_refused_file_are_shown_together(
    ask: Call, quarterful: Quarterful
) -> None:
    result = ask("report", quarterful.ids["refused"])
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert max(len(line) for line in lines) <= 80
    text = said(result)
    reasons = text[text.index("Why it was refused") : text.index("Nothing in this file")]
    assert "Cover, “Version” – error F105" in reasons
    assert "31 of 32 rows of the child return have errors" in reasons
    assert "Children: rows read 32, none used; errors 32" in text
    ran = r"[1-9][0-9]+ rules ran, [0-9]+ skipped: no earlier return.*, 0 could not be run"
    assert re.search(ran, text)


def test_what_rows_share_is_said_once_with_all_their_rows(
    ask: Call, quarterful: Quarterful
) -> None:
    text = said(ask("report", quarterful.ids["refused"]))
    assert text.count("“Early permanence” is not in the list") == 1
    assert "column Y, rows 2–31, 33, “Early permanence” – error CODE" in text
    assert "cell B2, “Date of birth” – error DATE" in text


def test_problems_stand_in_the_order_of_sheet_row_and_column(
    ask: Call, quarterful: Quarterful
) -> None:
    told = json.loads(ask("report", quarterful.ids["refused"], "--json").output)
    problems = told["problems"]
    of_rows = [problem for problem in problems if problem["sheet_row"] is not None]
    of_files = problems[: len(problems) - len(of_rows)]
    assert of_files + of_rows == problems and len(of_files) >= 2
    assert [problem["return_name"] for problem in of_files[:2]] == [None, None]
    assert [(p["sheet_row"], p["cell"]) for p in of_rows[:3]] == [(2, "B2"), (2, "Y2"), (3, "Y3")]
    rows = [problem["sheet_row"] for problem in of_rows]
    assert rows == sorted(rows) and len(rows) == 32  # each by itself
    assert all(problem["sentence_en"] and problem["sentence_cy"] for problem in problems)
    assert (of_rows[0]["title_en"], of_rows[0]["title_cy"]) == ("Date of birth", "Dyddiad geni")
    assert told["why_en"] != told["why_cy"]
    assert told["submission_id"] == quarterful.ids["refused"]


def test_columns_are_counted_and_not_spelt(declarations: Declarations) -> None:
    """AA comes after Z; by the alphabet it would come after A."""
    found = [_problem(cell=cell, sheet_row=5) for cell in ("AA5", "Z5", None, "B5")]
    report = ValidationReport(_submission("accepted with queries"), found, declarations)
    assert [problem["cell"] for problem in report.problems] == ["B5", "Z5", "AA5", None]


def test_everything_wrong_with_a_cover_is_said_at_the_door(
    ask: Call, quarterful: Quarterful
) -> None:
    item = quarterful.submission("at the door")
    assert item.refusal_code == "F101"
    text = said(ask("report", item.submission_id))
    for title in ("Authority or agency code", "Signed off by (role)", "Signed off on"):
        assert f"“{title}”" in text
    assert "9th of May" not in text
    assert len(re.findall(r"\(cell B[0-9]+\)", text)) == 3
    assert "0 problems" not in text and "No problem" not in text
    problems = json.loads(ask("report", item.submission_id, "--json").output)["problems"]
    assert [problem["code"] for problem in problems] == ["F101", "F106", "F107"]


def test_a_verdict_in_welsh_is_welsh_throughout(ask: Call, quarterful: Quarterful) -> None:
    english = ask("report", quarterful.ids["refused"])
    welsh = ask("report", quarterful.ids["refused"], "--language", "cy")
    for words in ("gwrthodwyd", "Pam y'i gwrthodwyd", "o reolau", "rhesi 2–31", "“Dyddiad geni”"):
        assert words in welsh.output and words not in english.output
    for words in ("refused", "rules ran", "error ", "query", "rows ", "Date of birth", "File:"):
        assert words not in welsh.output, words
    late = said(ask("report", quarterful.ids["late"], "--language", "cy"))
    assert "derbyniwyd; daeth i law ar ôl y dyddiad cau arfaethedig" in late
    assert "ffurflen ddim" in late


def test_a_row_set_aside_and_a_column_too_many_are_told_of_an_accepted_file(
    ask: Call, quarterful: Quarterful
) -> None:
    text = said(ask("report", quarterful.ids["one row aside"]))
    assert "accepted with errors quarantined" in text
    assert "Why it was refused" not in text
    whole = text[text.index("The file as a whole") : text.index("Children: rows read")]
    assert "columns that are not part of the return" in whole
    assert whole.rstrip().endswith("Children – query F209")  # plain words first, the code last
    assert "rows read 10, accepted 9, set aside 1; errors 1" in text
    assert "cell C11, “Sex” – error CODE" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first", "No problems were found."),
        ("late", "accepted; received after the proposed deadline"),
        ("late", "Children: nil return"),
        ("waiting", "Not validated yet: run `adoption take-in`."),
        ("same", "This file is identical to S000001-"),
    ],
)
def test_a_verdict_without_problems_says_what_stands(
    ask: Call, quarterful: Quarterful, name: str, words: str
) -> None:
    text = said(ask("report", quarterful.ids[name]))
    assert words in text
    assert ("No problems were found." in text) == (name in ("first", "late"))


def test_problems_that_were_counted_and_are_gone_are_not_passed_over(
    declarations: Declarations,
) -> None:
    item = _submission("accepted with queries")
    item.returns = {"child": dict.fromkeys(("rows_read", "rows_accepted", "errors"), 0)}
    item.returns["child"] |= {"is_nil": False, "rows_quarantined": 0, "queries": 3}
    lines = [line.text for line in report_lines(ValidationReport(item, [], declarations))]
    assert any("3 problems in rows were counted" in line for line in lines)
    assert "No problems were found." not in lines


def test_a_reason_that_is_a_problem_too_is_said_once(declarations: Declarations) -> None:
    item = _submission("refused")
    item.refusal_code = "F106"
    item.refusal_sentence_en, item.refusal_sentence_cy = "First. Second.", "Cyntaf. Ail."
    known = _problem(return_name=None, sheet="Cover", code="F106") | {
        "sentence_en": "First.",
        "sentence_cy": "Cyntaf.",
    }
    problems = ValidationReport(item, [known], declarations).problems
    assert [(p["code"], p["sentence_en"], p["sentence_cy"]) for p in problems] == [
        ("F106", "First.", "Cyntaf."),
        (None, "Second.", "Ail."),
    ]
    item.refusal_sentence_en, item.refusal_sentence_cy = "First.", "Cyntaf."
    assert len(ValidationReport(item, [known], declarations).problems) == 1


def test_the_same_field_name_has_the_title_of_its_own_sheet(declarations: Declarations) -> None:
    """Children and adopters are both matched; the cover's sheet may have any name."""
    about = [
        ("Adopters", "matched_on", None),
        ("Plant", "matched_on", None),
        ("Jane Doe", "sender_code", None),
        ("Adopters", "matched_on", "adopter"),
    ]
    found = [_problem(sheet=s, field=f, return_name=name, cell=None) for s, f, name in about]
    report = ValidationReport(_submission("accepted with queries"), found, declarations)
    titles = [problem["title_en"] for problem in report.problems]
    adopter = declarations.returns["adopter"].field("matched_on").title.en
    own = declarations.returns["child"].field("matched_on").title.en
    assert titles == [adopter, own, "Authority or agency code", adopter]
    assert "Jane Doe" not in "".join(line.text for line in report_lines(report))


@pytest.mark.parametrize(
    ("rows", "told"),
    [([5], "5"), ([2, 3, 4], "2–4"), ([9, 2, 3, 3, 7, 8], "2–3, 7–9"), ([], "")],
)
def test_rows_that_follow_each_other_are_drawn_together(rows: list[int], told: str) -> None:
    assert row_ranges(rows) == told


def _submission(status: str) -> Submission:
    return Submission("S000001-00000000", 1, IN_TIME, "0" * 64, ".xlsx", "a.xlsx", status)


def _problem(**known: Any) -> dict[str, Any]:
    return {
        "return_name": "child",
        "sheet": "Children",
        "sheet_row": None,
        "cell": "B2",
        "field": "sex",
        "code": "CODE",
        "severity": "error",
        "sentence_en": "Wrong.",
        "sentence_cy": "Anghywir.",
    } | known


# --- a verdict to be sent back ------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".CSV"])
def test_a_verdict_is_written_for_its_sender_without_values_or_names(
    ask: Call, quarterful: Quarterful, tmp_path: Path, suffix: str, language: str
) -> None:
    for name in quarterful.ids:
        out = tmp_path / f"{name}{suffix}"
        arguments = ("report", quarterful.ids[name], "--language", language, "--out", out)
        result = ask(*arguments)
        assert result.exit_code == 0
        assert result.output.splitlines()[0].startswith("Wrote ")
        text = out.read_bytes().decode("utf-8-sig")
        assert quarterful.ids[name] in text and Q2.label in text
        assert "SECRET" not in text and LONG_NAME not in text and "9th" not in text
    assert not list(tmp_path.glob("*.part"))


def test_the_csv_has_a_line_for_each_problem_with_cell_and_title(
    ask: Call, quarterful: Quarterful, tmp_path: Path
) -> None:
    out = tmp_path / "verdict.csv"
    ask("report", quarterful.ids["refused"], "--out", out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")  # or spreadsheets break Welsh letters
    table = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    told = json.loads(ask("report", quarterful.ids["refused"], "--json").output)["problems"]
    assert len(table) == 1 + len(told)
    assert table[0]["What to do"].startswith("refused: Gwynedd (W06000002), 2020-21-Q2")
    assert [row["Cell"] for row in table[1:]] == [problem["cell"] or "" for problem in told]
    assert table[3] | {"What to do": ""} == {
        "Submission": quarterful.ids["refused"],
        "Sheet": "Children",
        "Row": "2",
        "Cell": "B2",
        "Column heading": "Date of birth",
        "Error or query": "error",
        "Rule": "DATE",
        "What to do": "",
    }


def test_no_cell_of_the_csv_can_become_a_formula(
    declarations: Declarations, tmp_path: Path
) -> None:
    item = _submission("refused")
    item.refusal_code = "X1"
    item.refusal_sentence_en, item.refusal_sentence_cy = "=HYPERLINK(1)", " @SUM(1)"
    for language, told in (("en", "'=HYPERLINK(1)"), ("cy", "' @SUM(1)")):
        out = tmp_path / f"{language}.csv"
        write_report(ValidationReport(item, [], declarations, language), out)
        rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
        assert rows[-1][-1] == told


def test_the_text_is_folded_for_reading(ask: Call, quarterful: Quarterful, tmp_path: Path) -> None:
    out = tmp_path / "verdict.txt"
    ask("report", quarterful.ids["refused"], "--out", out)
    text = out.read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines()) <= 88
    assert quarterful.submission("refused").sha256 in text
    assert "column Y, rows 2–31, 33" in text


@pytest.mark.parametrize("name", ["verdict.xls", "verdict.pdf", "verdict"])
def test_another_kind_of_file_is_a_wrong_call(
    ask: Call, quarterful: Quarterful, tmp_path: Path, name: str
) -> None:
    result = ask("report", quarterful.ids["refused"], "--out", tmp_path / name)
    assert result.exit_code == 2
    assert ".xlsx, .csv, .txt or .json" in said(result)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["verdict.txt", "verdict.csv"])
def test_a_verdict_that_cannot_be_written_is_one_sentence(
    ask: Call, quarterful: Quarterful, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    result = ask("report", quarterful.ids["refused"], "--out", tmp_path / "file" / name)
    assert result.exit_code == 1
    assert "cannot write" in said(result) and "Errno" not in result.output


def test_json_and_file_at_once_leave_the_json_clean(
    ask: Call, quarterful: Quarterful, tmp_path: Path
) -> None:
    out = tmp_path / "verdict.txt"
    result = ask("report", quarterful.ids["refused"], "--json", "--out", out)
    assert json.loads(result.stdout)["status"] == "refused"
    assert out.exists()


# --- template ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["return.xlsx", "return.zip", "RETURN.XLSX", "RETURN.ZIP"])
def test_a_template_is_written_and_can_be_read_again(call: Call, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    result = call("template", target, "--sender", "W06000014", "--quarter", "2020-21-Q2")
    assert (result.exit_code, result.output.split()[0]) == (0, "Wrote")
    sheets = {sheet.name.casefold() for sheet in read(target).sheets}
    assert {"cover", "child" if target.suffix.lower() == ".zip" else "children"} <= sheets


@pytest.mark.parametrize(
    ("language", "part", "words"),
    [
        ("en", "GUIDANCE.txt", ("Child reference – required", "female = Female", "Cardiff")),
        ("cy", "CANLLAWIAU.txt", ("Cyfeirnod y plentyn – gofynnol", "Benyw", "Caerdydd")),
    ],
)
def test_the_zip_explains_every_field_in_the_language_asked_for(
    call: Call,
    tmp_path: Path,
    declarations: Declarations,
    language: str,
    part: str,
    words: tuple[str, ...],
) -> None:
    target = tmp_path / "return.zip"
    call("template", target, "--language", language, "--quarter", "2020-21-Q2")
    with zipfile.ZipFile(target) as package:
        assert [name for name in package.namelist() if not name.endswith(".csv")] == [part]
        text = package.read(part).decode("utf-8-sig")
    for word in words:
        assert word in text
    for declared in declarations.returns.values():
        for field in declared.fields_in_force(Q2):
            title = field.title.en if language == "en" else field.title.cy
            assert f"{field.name} – {title}" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= 90


@pytest.mark.parametrize("name", ["return.xls", "return.csv", "return"])
def test_a_template_of_another_kind_is_a_wrong_call(call: Call, tmp_path: Path, name: str) -> None:
    result = call("template", tmp_path / name)
    assert result.exit_code == 2
    assert ".xlsx or .zip" in result.output
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sender", "ATLANTIS"), "there is no sender called ATLANTIS"),
        (("--quarter", "2017-18-Q4"), "the first returns are for 2018-19-Q1"),
        (("--quarter", "2020-21-Q7"), "is not a quarter"),
        (("--language", "fr"), "'en', 'cy'"),
        (("--sender", "TOGETHER4CHILDREN", "--quarter", "2018-19-Q1"), "no return is due from"),
    ],
)
def test_a_template_for_nobody_or_no_quarter_is_a_wrong_call(
    call: Call, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    result = call("template", tmp_path / "return.xlsx", *options)
    assert result.exit_code == 2
    assert words in said(result)
    assert list(tmp_path.glob("return*")) == []


@pytest.mark.parametrize("name", ["return.xlsx", "return.zip"])
def test_a_template_that_cannot_be_written_is_one_sentence(
    call: Call, tmp_path: Path, name: str
) -> None:
    result = call("template", tmp_path / "no such folder" / name)
    assert result.exit_code == 1
    assert "cannot write" in said(result) and "No such file" in result.output
    assert "Errno" not in result.output


# --- commands that start jobs -------------------------------------------------------------------


@dataclass
class Jobs:
    """Stands where the jobs are, and remembers what was asked of it."""

    asked: list[tuple[Any, ...]]
    nothing_refused: bool = True
    fails: Exception | None = None

    def take_in(
        self, settings: Settings, say: Any, files: Sequence[Path] = (), wait: float = 0.0
    ) -> bool:
        self._note("take in", tuple(files))
        return self.nothing_refused

    def build(
        self, settings: Settings, say: Any, as_of: Any = "", wait_for_others: float = 0.0
    ) -> None:
        self._note("build", as_of)

    def publish(
        self,
        settings: Settings,
        quarters: Sequence[Quarter],
        say: Any,
        wait_for_others: float = 0.0,
    ) -> None:
        self._note("publish", tuple(quarter.label for quarter in quarters))

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.fails:
            raise self.fails


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    stand_in = Jobs([])
    for name in ("take_in", "build", "publish"):
        monkeypatch.setattr(run, name, getattr(stand_in, name))
    return stand_in


@pytest.fixture
def one_return(tmp_path: Path, declarations: Declarations) -> Path:
    path = tmp_path / LONG_NAME
    write_return(path, declarations, Q2, COVER, {"child": [child("SECRET-1")]})
    return path


def test_take_in_lists_what_it_took_and_ends_with_one_after_a_refusal(
    call: Call, monkeypatch: pytest.MonkeyPatch, declarations: Declarations, one_return: Path
) -> None:
    """The return has no sender: it is refused at the door, where no job is needed."""

    def at_the_door(
        settings: Settings, say: Any, files: Sequence[Path] = (), wait: float = 0.0
    ) -> bool:
        arrivals = [Arrival(path, IN_TIME) for path in files]
        found = receive(settings, declarations, arrivals, keep=True)
        return not any(item.status == "refused" for item in found)

    monkeypatch.setattr(run, "take_in", at_the_door)
    result = call("take-in", one_return)
    assert result.exit_code == 1
    assert "Taken in now: 1" in said(result)
    assert LONG_NAME in said(result)
    assert "Why: The cover does not say who is sending the return" in said(result)
    assert one_return.exists()
    assert said(call("take-in")) == "Taken in now: 0"  # what came before is not told again


def test_take_in_for_programs_prints_json_and_nothing_else(
    call: Call, monkeypatch: pytest.MonkeyPatch, declarations: Declarations, one_return: Path
) -> None:
    def at_the_door(
        settings: Settings, say: Any, files: Sequence[Path] = (), wait: float = 0.0
    ) -> bool:
        say("a remark on the way")
        receive(settings, declarations, [Arrival(path, IN_TIME) for path in files], keep=True)
        return False

    monkeypatch.setattr(run, "take_in", at_the_door)
    result = call("take-in", one_return, "--json")
    assert result.exit_code == 1
    (told,) = json.loads(result.stdout)
    assert told["status"] == "refused"
    assert result.stderr == "a remark on the way\n"


def test_take_in_of_nothing_wrong_ends_with_nought(call: Call, jobs: Jobs) -> None:
    result = call("take-in")
    assert result.exit_code == 0
    assert jobs.asked == [("take in", ())]


def test_take_in_builds_the_warehouse_when_asked(call: Call, jobs: Jobs) -> None:
    assert call("take-in", "--build").exit_code == 0
    assert [asked[0] for asked in jobs.asked] == ["take in", "build"]


def test_take_in_of_a_missing_file_or_a_folder_is_a_wrong_call(
    call: Call, jobs: Jobs, tmp_path: Path
) -> None:
    assert call("take-in", tmp_path / "missing.xlsx").exit_code == 2
    assert call("take-in", tmp_path).exit_code == 2
    assert jobs.asked == []


def test_publish_exports_the_quarters_in_order(call: Call, jobs: Jobs) -> None:
    assert call("publish", "2020-21-Q2", "2019-20-Q4").exit_code == 0
    assert jobs.asked == [("publish", ("2019-20-Q4", "2020-21-Q2"))]


def test_publish_of_no_quarter_is_a_wrong_call(call: Call, jobs: Jobs) -> None:
    assert call("publish").exit_code == 2
    assert call("publish", "2020-21-Q2", "soon").exit_code == 2
    assert jobs.asked == []


def test_publish_of_a_quarter_beyond_the_collection_is_one_sentence(call: Call) -> None:
    result = call("publish", "1999-00-Q1")
    assert result.exit_code == 1
    assert "1999-00-Q1" in result.output


def test_build_passes_its_date_on(call: Call, jobs: Jobs) -> None:
    assert call("build").exit_code == 0
    assert call("build", "--as-of", "2021-05-01").exit_code == 0
    assert [asked[0] for asked in jobs.asked] == ["build", "build"]
    assert not jobs.asked[0][1]
    assert str(jobs.asked[1][1]).startswith("2021-05-01")


def test_a_build_as_of_a_time_says_where_it_lies(
    call: Call, jobs: Jobs, settings: Settings
) -> None:
    told = call("build", "--as-of", "2021-05-01T10:00:00+01:00", columns=300).output
    assert told == f"Wrote {settings.marts / 'as_of' / '2021-05-01T090000' / 'warehouse.duckdb'}\n"
    assert call("build", columns=300).output == f"Published {settings.warehouse}\n"


@pytest.mark.parametrize("day", ["yesterday", "01/05/2021", "2021-02-30"])
def test_build_as_of_no_date_is_a_wrong_call(call: Call, jobs: Jobs, day: str) -> None:
    result = call("build", "--as-of", day)
    assert result.exit_code == 2
    assert "2021-05-01" in result.output  # how to write one
    assert jobs.asked == []


def test_run_without_any_accepted_return_says_so_before_it_exports(call: Call, jobs: Jobs) -> None:
    result = call("run")
    assert result.exit_code == 1
    assert "no return has been accepted yet" in said(result)
    assert "publish" not in {asked[0] for asked in jobs.asked}


@pytest.mark.parametrize("command", [("run",), ("take-in",), ("build",), ("publish", "2020-21-Q2")])
@pytest.mark.parametrize(
    "failure",
    [
        run.JobFailed("validated: the disk is full"),
        PermissionError(13, "Permission denied"),
    ],
)
def test_a_job_that_fails_is_told_in_a_sentence(
    call: Call, jobs: Jobs, command: tuple[str, ...], failure: Exception
) -> None:
    jobs.fails = failure
    result = call(*command)
    assert result.exit_code == 1
    assert str(failure.args[-1]) in result.output
    assert len(jobs.asked) == 1  # nothing else is tried


def test_a_command_that_does_not_exist_is_a_wrong_call(call: Call) -> None:
    assert call("fly").exit_code == 2
    assert call("status", "--colour").exit_code == 2
