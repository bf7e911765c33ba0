"""A check on the sender's own machine says what the collection would say, and keeps nothing.

Returns are invented and synthetic."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.intake.landing import Arrival, receive, waiting_quarters
from pipelines.intake.problems import problems_of
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.verdict.check import CheckedFile, WrongEarlierFile, check_files
from pipelines.verdict.report import ValidationReport
from pipelines.verdict.report_lines import PROBLEMS_SHOWN, report_lines
from tests.unit.returns_made import (
    DECLARATIONS,
    Q1,
    Q2,
    child,
    children,
    csv_zip,
    workbook,
)

NOW = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://x.invalid")'

Rows = list[dict[str, Any]]
Collection = dict[str, tuple[Submission, list[dict[str, Any]]]]
WRONG = [child(f"R{number}", sex="gibberish") for number in range(9)]


def many_problems() -> Rows:
    """Every other row is wrong in twenty ways: there are more kinds than a screen should show."""
    wrong = {
        name: "gibberish"
        for name in (
            *("date_of_birth", "sex", "ethnicity_group", "is_disabled", "has_additional_needs"),
            *("entered_care_on", "referred_on", "referral_withdrawn_on", "authority_to_place"),
            *("should_be_placed_decision_on", "placement_order_on", "family_finding_status"),
            *("referred_to_register_on", "matched_on", "placed_on", "adoption_order_on"),
            *("plan_ended_on", "plan_ended_reason", "disrupted_on", "early_permanence"),
        )
    }
    return [row for one in children(60) for row in (one, child(f"X{id(one)}", **wrong))]


# Rows, what else the cover says, and the status: every kind of answer a sender may get.
RETURNS: dict[str, tuple[Rows, dict[str, Any], str]] = {
    "nothing wrong": (children(3), {}, "accepted"),
    "Welsh": (children(3), {"language": "cy"}, "accepted"),
    "nil": ([], {"is_nil_child": "yes"}, "accepted"),
    "only queries": (
        [child("REF-1", referred_on=date(2020, 1, 5)), *children(3)],
        {},
        "accepted with queries",
    ),
    "one row wrong": (
        [*children(9), child("REF-9999", sex="gibberish")],
        {},
        "accepted with errors quarantined",
    ),
    "formula-like": (
        [*children(9), child(FORMULA, sex="gibberish")],
        {},
        "accepted with errors quarantined",
    ),
    "too many wrong": (WRONG, {}, "refused"),
    "many problems": (many_problems(), {}, "refused"),
    "nothing sent": ([], {}, "refused"),
    "rows beside the nil tick": (children(2), {"is_nil_child": "yes"}, "refused"),
    "no sender": (children(1), {"sender_code": None, "signed_off_on": "soon"}, "refused"),
    "before the collection began": (children(1), {"quarter": Quarter(1999, 1)}, "refused"),
    "quarter not over": (children(1), {"quarter": Quarter(2020, 3)}, "refused"),
    "nothing due": (
        children(1),
        {"quarter": Quarter(2018, 1), "sender_code": "TOGETHER4CHILDREN"},
        "refused",
    ),
}


def web_page(path: Path) -> None:
    path.write_text("<html><body>Children</body></html>", encoding="utf-8")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_off(path: Path) -> None:
    whole = workbook(path, children(3)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def of_another_collection(path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("Pupils").write_row(0, 0, ["UPN", "Forename", "Year group"])
    book.close()


NO_RETURNS = (web_page, empty, cut_off, of_another_collection)
SENDERS = [code for code in DECLARATIONS.senders if code.startswith("W06")]
STATUS = {name: status for name, (_, _, status) in RETURNS.items()} | {"CSV": "accepted"}
STATUS |= {make.__name__: "refused" for make in NO_RETURNS}
EVERY_FILE = pytest.mark.parametrize("name", STATUS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file once, each of a sender of its own; tests only read them."""
    folder = tmp_path_factory.mktemp("files")
    found = {"CSV": csv_zip(folder / "csv.zip", children(3), sender_code=SENDERS[-1])}
    for number, (name, (rows, options, _)) in enumerate(RETURNS.items()):
        answers: dict[str, Any] = {"sender_code": SENDERS[number]} | options
        found[name] = workbook(folder / f"{number}.xlsx", rows, **answers)
    for make in NO_RETURNS:
        found[make.__name__] = folder / f"{make.__name__}.xlsx"
        make(found[make.__name__])
    return found


@pytest.fixture(scope="module")
def quick(made: dict[str, Path]) -> dict[str, CheckedFile]:
    return dict(zip(made, check_files(list(made.values()), DECLARATIONS, NOW), strict=True))


@pytest.fixture(scope="module")
def full(made: dict[str, Path]) -> dict[str, CheckedFile]:
    paths = list(made.values())
    found = check_files(paths, DECLARATIONS, NOW, engine="great_expectations")
    return dict(zip(made, found, strict=True))


@pytest.fixture(scope="module")
def collection(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """The same files taken in together at the same moment."""
    home = tmp_path_factory.mktemp("collection")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    arrivals = [Arrival(path, NOW) for path in made.values()]
    received = receive(settings, DECLARATIONS, arrivals, keep=True)
    quarters = waiting_quarters(settings)
    for quarter in quarters:
        to_raw(settings, DECLARATIONS, quarter)
    to_validated(settings, DECLARATIONS, quarters)
    judged = {item.submission_id: item for item in Ledger(settings.ledger).submissions()}
    names = [item.submission_id for item in received]
    return {
        name: (judged[one], problems_of(settings, judged[one]))
        for name, one in zip(made, names, strict=True)
    }


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def invoke(*arguments: object) -> Result:
        monkeypatch.setenv("COLUMNS", "80")
        result = CliRunner().invoke(main, ["check", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result

    return invoke


def said(result: Result) -> str:
    return " ".join(result.output.split())


def told(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Problems without whose they are."""
    return [{k: v for k, v in p.items() if k != "submission_id"} for p in problems]


# --- the same verdict as the collection's ---------------------------------------------------------


@EVERY_FILE
def test_a_check_says_what_the_collection_says(
    quick: dict[str, CheckedFile], collection: Collection, name: str
) -> None:
    """Status, reasons, counts and problems, of every file on the same day."""
    submission, problems = collection[name]
    checked = quick[name]

    def facts(item: Submission) -> dict[str, Any]:
        known = ("status", "sender_code", "quarter", "sha256", "is_late", "is_synthetic")
        known += ("refusal_code", "refusal_sentence_en", "refusal_sentence_cy", "refusals")
        return {each: getattr(item, each) for each in (*known, "returns", "rule_set_hash")}

    assert checked.submission.status == STATUS[name]
    assert facts(checked.submission) == facts(submission)
    assert told(checked.problems) == told(problems)


@EVERY_FILE
def test_quick_and_full_say_the_same(
    quick: dict[str, CheckedFile], full: dict[str, CheckedFile], name: str
) -> None:
    assert quick[name].problems == full[name].problems
    assert quick[name].submission == full[name].submission


@EVERY_FILE
def test_only_what_would_be_refused_ends_with_one(quick: dict[str, CheckedFile], name: str) -> None:
    assert quick[name].is_refused == (STATUS[name] == "refused")


def test_queries_and_rows_set_aside_end_with_nought(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    for name in ("only queries", "one row wrong"):
        assert call(made[name]).exit_code == 0
    for name in ("too many wrong", "empty"):
        assert call(made[name]).exit_code == 1
        assert call(made[name], "--language", "cy", "--json").exit_code == 1


def test_the_worst_of_several_files_decides(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    good, bad = made["nothing wrong"], made["web_page"]
    assert call(good, good).exit_code == 0
    both = call(good, bad, good)
    assert both.exit_code == 1
    statuses = [one["status"] for one in json.loads(call(good, bad, "--json").stdout)]
    assert statuses == ["accepted", "refused"]


# --- wrong calls ----------------------------------------------------------------------------------


def test_a_missing_file_or_none_or_a_folder_is_a_wrong_call(
    made: dict[str, Path], call: Callable[..., Result], tmp_path: Path
) -> None:
    for arguments in ((), (tmp_path / "missing.xlsx",), (tmp_path,)):
        assert call(*arguments).exit_code == 2
    assert call(made["nothing wrong"], "--language", "fr").exit_code == 2


def test_one_report_for_several_files_is_a_wrong_call(
    made: dict[str, Path], call: Callable[..., Result], tmp_path: Path
) -> None:
    good = made["nothing wrong"]
    for option in ("--out", "--marked"):
        result = call(good, good, option, tmp_path / "verdict.xlsx")
        assert result.exit_code == 2
        assert "one file at a time" in said(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--out", "verdict.pdf", ".xlsx, .csv, .txt or .json"),
        ("--marked", "return.csv", "end the name in .xlsx"),
    ],
)
def test_a_report_of_another_kind_is_a_wrong_call(
    made: dict[str, Path],
    call: Callable[..., Result],
    tmp_path: Path,
    option: str,
    name: str,
    words: str,
) -> None:
    result = call(made["nothing wrong"], option, tmp_path / name)
    assert result.exit_code == 2
    assert words in said(result)
    assert not (tmp_path / name).exists()


# --- what was sent before -------------------------------------------------------------------------


def test_the_quarter_before_runs_the_rules_that_need_it(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    last = workbook(tmp_path / "q1.xlsx", _begun(children(3)), Q1)
    now = workbook(tmp_path / "q2.xlsx", _begun(children(2)))
    alone = json.loads(call(now, "--json").stdout)[0]
    compared = json.loads(call(now, "--before", last, "--json").stdout)[0]
    assert compared["rules"]["run"] > alone["rules"]["run"]
    assert "NO_EARLIER_RETURN" in alone["rules"]["skipped"]
    assert "NO_EARLIER_RETURN" not in compared["rules"]["skipped"]
    gone = [p for p in compared["problems"] if "missing from this one" in p["sentence_en"]]
    assert len(gone) == 1 and gone[0]["code"] not in {p["code"] for p in alone["problems"]}
    assert "quarter_before" in compared["headlines"]["versions"]
    hint = "give it with --before FILE"
    assert any(hint in each["en"] for each in alone["not_known_here"])
    assert not any(hint in each["en"] for each in compared["not_known_here"])


def test_the_version_before_is_compared_with(call: Callable[..., Result], tmp_path: Path) -> None:
    before = workbook(tmp_path / "v1.xlsx", [*children(9), child("REF-0010", sex="gibberish")])
    rows = children(10)
    rows[2]["ethnicity_group"] = "gibberish"
    now = workbook(tmp_path / "v2.xlsx", [*rows[1:], child("REF-0011")], version=2)
    result = call(now, "--before", before)
    assert "rows added 1, removed 1, changed 2, unchanged 7" in said(result)
    assert "problems fixed 1, new 1, still there 0" in said(result)
    assert "Compared with v1.xlsx (accepted with errors quarantined)" in said(result)
    changes = json.loads(call(now, "--before", before, "--json").stdout)[0]["changes"]
    assert changes["returns"]["child"] == {
        "added": 1,
        "removed": 1,
        "changed": 2,
        "unchanged": 7,
        "added_rows": [11],
        "changed_rows": [3, 10],
        "removed_rows_of_earlier": [2],
    }


def test_an_earlier_file_that_does_not_fit_is_a_wrong_call(
    made: dict[str, Path], call: Callable[..., Result], tmp_path: Path
) -> None:
    now = workbook(tmp_path / "now.xlsx", children(2))
    wrong = {
        "another sender": workbook(tmp_path / "1.xlsx", children(2), sender_code="W06000002"),
        "too early": workbook(tmp_path / "2.xlsx", children(2), Quarter(2019, 4)),
        "later": workbook(tmp_path / "3.xlsx", children(2), Quarter(2020, 3)),
        "unreadable": made["web_page"],
        "no sender": made["no sender"],
    }
    for what, path in wrong.items():
        result = call(now, "--before", path)
        assert result.exit_code == 2, what
        assert "the earlier file" in said(result)
    with pytest.raises(WrongEarlierFile, match="from another sender"):
        check_files([now], DECLARATIONS, NOW, before=[wrong["another sender"]])


def test_of_a_refused_earlier_version_nothing_counts(tmp_path: Path) -> None:
    before = workbook(tmp_path / "1.xlsx", [child(f"R{n}", sex="gibberish") for n in range(9)])
    now = workbook(tmp_path / "2.xlsx", children(9))
    (checked,) = check_files([now], DECLARATIONS, NOW, before=[before])
    assert checked.details.effect is not None
    assert list(checked.details.effect.versions) == ["counted"]
    assert checked.details.changes is not None  # its rows can be compared all the same


def _begun(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"referred_on": date(2020, 5, 4)} for row in rows]


# --- what it does not know ------------------------------------------------------------------------


def test_what_only_the_collection_knows_is_said(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    text = said(call(made["nothing wrong"]))
    assert "nothing was sent and nothing was kept" in text
    assert "What a check on this machine cannot tell:" in text
    for words in ("would be a duplicate", "real returns or synthetic", "quarter is locked"):
        assert words in text
    at_the_door = said(call(made["no sender"]))
    assert "The rows were not checked" in at_the_door
    assert "If it were sent as it is, this file would be refused" in at_the_door


def test_a_rule_that_crashes_refuses_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Callable[..., Result]
) -> None:
    from expectations import fields

    def fails(*_: object) -> Any:
        raise ValueError("SECRET-77")

    path = workbook(tmp_path / "return.xlsx", [child("SECRET-1")])
    first = fields.RULES["child"][0]
    monkeypatch.setitem(
        fields.RULES, "child", (_with_passes(first, fails), *fields.RULES["child"][1:])
    )
    result = call(path)
    assert result.exit_code == 1
    assert "RULE_CRASHED" in said(result) and "1 could not be run" in said(result)
    assert first.code in said(result) and "SECRET" not in result.output


def _with_passes(rule: Any, passes: Callable[..., Any]) -> Any:
    from dataclasses import replace

    return replace(rule, passes=passes)


# --- nothing kept, nothing heavy ------------------------------------------------------------------


def test_neither_rooms_nor_ledger_nor_key_are_made_or_needed(
    made: dict[str, Path],
    call: Callable[..., Result],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*"))
    for name in ("one row wrong", "many problems", "no sender", "cut_off"):
        call(made[name])
    assert not settings.data.exists() and not settings.key_file.exists()
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_quick_check_imports_nothing_heavy(made: dict[str, Path], tmp_path: Path) -> None:
    """Great Expectations takes 2 to 3.5 CPU s to import, dbt and Dagster as much again."""
    heavy = ("great_expectations", "dagster", "dbt", "pandas", "pyarrow", "altair", "scipy")
    out = tmp_path / "verdict.xlsx"
    code = (
        "import sys\nfrom pipelines.cli import main\n"
        f"arguments = ['check', {str(made['one row wrong'])!r}, '--out', {str(out)!r}, '--json']\n"
        "try:\n    main(arguments)\nexcept SystemExit as end:\n    print(end.code)\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.splitlines()[-2:] == ["0", "[]"], run.stderr


# --- no child's value on a screen -----------------------------------------------------------------

CANARY = "CANARY"


def canary_rows() -> list[dict[str, Any]]:
    """Every field holds a word of its own that no message has any business to repeat."""
    declared = DECLARATIONS.returns["child"]
    fields = [field.name for field in declared.fields_in_force(Q2)]
    words = {name: f"{CANARY}-{number}" for number, name in enumerate(fields)}
    return [
        words,
        child("REF-1", **{name: word for name, word in words.items() if name != "sex"}),
        *children(30),
        child("REF-2", sex=f"{CANARY}-99", remarks=f"{CANARY}-98"),
    ]


def test_no_value_of_a_child_reaches_the_screen(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    now = workbook(tmp_path / "return.xlsx", canary_rows())
    earlier = ("--before", workbook(tmp_path / "before.xlsx", canary_rows()[1:]))
    earlier += ("--before", workbook(tmp_path / "last.xlsx", canary_rows()[:-2], Q1))
    calls: list[tuple[object, ...]] = [
        (now, "--language", "cy"),
        (now, *earlier),
        (now, *earlier, "--json"),
        (now, *earlier, "--full"),
        *((now, *earlier, "--out", tmp_path / f"verdict.{end}") for end in ("csv", "txt", "json")),
    ]
    for arguments in calls:
        result = call(*arguments)
        assert result.exit_code in (0, 1)
        assert "problem" in result.output.casefold() or "gwall" in result.output
        assert CANARY not in result.output and "REF-" not in result.output
    written = [path for path in tmp_path.iterdir() if path.stem == "verdict"]
    assert len(written) == 3
    for path in written:
        text = path.read_text(encoding="utf-8-sig")
        assert CANARY not in text and "REF-" not in text


def test_a_file_name_stays_on_the_screen(call: Callable[..., Result], tmp_path: Path) -> None:
    """It may hold a child's, and what is written may be sent by e-mail."""
    path = workbook(tmp_path / "Nia Jones.xlsx", children(1))
    assert "Nia Jones.xlsx" in call(path).output
    for suffix in ("csv", "txt", "json"):
        out = tmp_path / f"verdict.{suffix}"
        call(path, "--out", out, "--before", path)
        assert "Nia Jones" not in out.read_text(encoding="utf-8-sig")


# --- how it reads ---------------------------------------------------------------------------------


def test_many_kinds_of_problem_are_cut_short_on_a_screen_and_in_no_file(
    made: dict[str, Path], call: Callable[..., Result], tmp_path: Path
) -> None:
    out = tmp_path / "verdict.txt"
    shown = call(made["many problems"], "--out", out).output
    text = out.read_text(encoding="utf-8")
    assert len(shown.splitlines()) < 150
    assert "more kinds of problem." in shown and "more kinds" not in text
    assert "and 48 more" in " ".join(shown.split())  # rows, too
    problems = json.loads(call(made["many problems"], "--json").stdout)[0]["problems"]
    kinds = {(p["field"], p["code"]) for p in problems if p["return_name"]}
    assert len(kinds) > PROBLEMS_SHOWN
    for field, _ in kinds:
        title = DECLARATIONS.returns["child"].field(field).title.en
        assert title in text


def test_the_plain_sentence_comes_before_cell_and_code(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    text = said(call(made["one row wrong"]))
    sentence, place = text.index("“Sex” is not in the list"), text.index("cell C11, “Sex” – error")
    assert sentence < place
    assert "rows read 10, accepted 9, set aside 1; errors 1" in text


@EVERY_FILE
def test_a_check_in_welsh_is_welsh(quick: dict[str, CheckedFile], name: str) -> None:
    one = quick[name]
    report = ValidationReport(one.submission, one.problems, DECLARATIONS, "cy", one.details)
    text = "\n".join(line.text for line in report_lines(report))
    for words in ("accepted", "refused", "nothing was", "rules ran", "this return", "error "):
        assert words not in text
    assert "Gwiriwyd ar y peiriant hwn" in text


def test_the_zip_of_csv_files_is_checked_as_a_workbook_is(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    assert zipfile.is_zipfile(made["CSV"])
    one, other = (json.loads(call(made[n], "--json").stdout)[0] for n in ("CSV", "nothing wrong"))
    assert one["returns"] == other["returns"] and one["headlines"]["indicators"]
    assert one["headlines"]["indicators"] == other["headlines"]["indicators"]


def test_the_json_has_the_keys_that_are_documented(
    made: dict[str, Path], call: Callable[..., Result]
) -> None:
    told_of = json.loads(call(made["only queries"], "--json").stdout)
    assert isinstance(told_of, list) and len(told_of) == 1
    page = (Path(__file__).parents[3] / "docs" / "check-a-return.md").read_text(encoding="utf-8")
    (one,) = told_of
    for key in (*one, *one["problems"][0]):
        assert f"`{key}`" in page, key


def test_a_report_without_details_still_gives_the_status(made: dict[str, Path]) -> None:
    (checked,) = check_files([made["one row wrong"]], DECLARATIONS, NOW)
    plain = ValidationReport(checked.submission, checked.problems, DECLARATIONS)
    assert plain.as_json()["headlines"] is None and plain.as_json()["repairs"] == []
    assert plain.problems and report_lines(plain)
    assert checked.details.validated.sent is not None


def protected(path: Path, password: str) -> Path:
    import msoffcrypto.format.ooxml

    with path.open("rb") as plain:
        file = msoffcrypto.format.ooxml.OOXMLFile(plain)
        target = path.with_name("protected.xlsx")
        with target.open("wb") as out:
            file.encrypt(password, out)
    return target


def test_a_protected_workbook_is_opened_with_its_password(tmp_path: Path) -> None:
    path = protected(workbook(tmp_path / "a.xlsx", children(3)), "gair-cyfrin")
    (shut,) = check_files([path], DECLARATIONS, NOW)
    assert shut.submission.refusal_code == "F002" and shut.needs_a_password
    (wrong,) = check_files([path], DECLARATIONS, NOW, password="gair")
    assert wrong.submission.refusal_code == "F012" and wrong.needs_a_password
    (opened,) = check_files([path], DECLARATIONS, NOW, password="gair-cyfrin")
    assert opened.submission.status == "accepted"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.xlsx", "protected.xlsx"]


def test_the_command_asks_for_the_password_and_shows_it_nowhere(tmp_path: Path) -> None:
    path = protected(workbook(tmp_path / "a.xlsx", children(3)), "gair-cyfrin")
    arguments = ["check", str(path), "--ask-password"]
    found = CliRunner().invoke(main, arguments, input="gair-cyfrin\n")
    assert found.exit_code == 0, found.output
    assert "gair-cyfrin" not in found.output + found.stderr
