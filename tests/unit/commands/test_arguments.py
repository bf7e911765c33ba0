"""What people write after a command: names as well as codes, and what is said of slips."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.commands.arguments import PLACE, SENDER, SUBMISSION
from pipelines.settings import Settings


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("W06000015", "W06000015"),
        ("Cardiff", "W06000015"),
        ("caerdydd", "W06000015"),
        ("ynys mon", "W06000001"),
        ("Adoption in Merseyside", "AIM"),
        ("vvc", "VVC"),
        ("Vale, Valleys & Cardiff", "VVC"),
        ("RCT", "W06000016"),
        ("Cardiff Council", "W06000015"),
        ("Cyngor Gwynedd", "W06000002"),
        ("Merthyr Tydfil County Borough Council", "W06000024"),
        ("City of Bristol", "E06000023"),
    ],
)
def test_a_sender_is_known_by_code_or_by_name(written: str, code: str) -> None:
    assert SENDER.convert(written, None, None) == code


@pytest.mark.parametrize("written", ["Cardif", "Wales", "", "W0600001"])
def test_who_owes_nothing_is_no_sender(written: str) -> None:
    with pytest.raises(click.BadParameter, match="there is no sender called"):
        SENDER.convert(written, None, None)


@pytest.mark.parametrize(("written", "code"), [("vale valleys and cardiff", "VVC"), ("NAS", "NAS")])
def test_a_place_is_known_as_people_call_it(written: str, code: str) -> None:
    assert PLACE.convert(written, None, None) == code


def test_a_place_nobody_declared_is_left_to_the_command() -> None:
    assert PLACE.convert("Atlantis", None, None) == "Atlantis"


def test_a_slip_of_the_pen_is_told_with_what_may_be_meant() -> None:
    told = _call("history", "Cardif", "2020-21-Q4")
    assert told.exit_code == 2
    assert "W06000015 (Cardiff)" in told.output


def test_a_command_that_is_nearly_one_is_guessed_at() -> None:
    told = _call("stauts")
    assert told.exit_code == 2
    assert "status" in told.output


def test_a_pack_with_place_and_quarter_changed_over_says_which_comes_last() -> None:
    told = _call("pack", "2020-21-Q4", "Cardiff")
    assert told.exit_code == 2
    assert "'Cardiff' is not a quarter" in told.output and "comes last" in told.output


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_there_under_both_names(option: str) -> None:
    told = _call(option)
    assert told.exit_code == 0
    assert "Before a return is sent" in told.output


def test_the_help_names_every_command(settings: Settings) -> None:
    lines = [line.split() for line in _call("--help").output.splitlines() if line.strip()]
    first = {words[0] for words in lines}
    assert set(main.commands) <= first


@pytest.mark.parametrize(
    ("command", "says"), [("status", True), ("due", True), ("doctor", False), ("key", False)]
)
def test_a_mistyped_data_folder_is_said_where_data_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, says: bool
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "dta"))
    assert ("names a folder that is not there" in _call(command).stderr) is says


@pytest.mark.parametrize("arguments", [("help",), ("help", "report"), ("help", "key", "rotate")])
def test_help_is_a_command_too(arguments: tuple[str, ...]) -> None:
    told = _call(*arguments)
    assert told.exit_code == 0
    assert told.output == _call(*arguments[1:], "--help").output


@pytest.mark.parametrize(
    "arguments",
    [
        ("template", "{file}"),
        ("check", "{other}", "--out", "{file}"),
        ("check", "{other}", "--marked", "{file}"),
        ("report", "S000001-00000000", "--out", "{file}"),
        ("report", "S000001-00000000", "--marked", "{file}"),
        ("dictionary", "{file}"),
        ("compare", "NAS/2020-21-Q4/1", "NAS/2020-21-Q4/2", "--out", "{file}"),
    ],
)
def test_a_file_that_is_there_is_not_written_over(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    paths = {"file": tmp_path / "filled.xlsx", "other": tmp_path / "other.xlsx"}
    for path in paths.values():
        path.write_bytes(b"a return, filled in")
    told = _call(*(each.format(**paths) for each in arguments))
    assert told.exit_code == 2
    assert "is there already" in told.output and "--force" in told.output
    assert paths["file"].read_bytes() == b"a return, filled in"


@pytest.mark.parametrize("option", ["--out", "--marked"])
def test_a_return_is_not_written_over_even_when_asked(tmp_path: Path, option: str) -> None:
    filled = tmp_path / "filled.xlsx"
    filled.write_bytes(b"a return, filled in")
    told = _call("check", str(filled), option, str(filled), "--force")
    assert told.exit_code == 2
    assert "is the return itself" in told.output
    assert filled.read_bytes() == b"a return, filled in"


def test_a_file_is_replaced_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "return.zip"
    target.write_bytes(b"old")
    told = _call("template", str(target), "--sender", "Cardiff", "--force")
    assert told.exit_code == 0, told.output
    assert target.read_bytes() != b"old"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("S000002-bbbb0000", "S000002-bbbb0000"),
        ("S000002", "S000002-bbbb0000"),
        ("S000003", "S000003"),
    ],
)
def test_the_beginning_of_a_submission_id_is_enough(
    settings: Settings, written: str, meant: str
) -> None:
    _ledger_with(settings, "S000001-aaaa0000", "S000002-bbbb0000")
    assert SUBMISSION.convert(written, None, None) == meant


def test_a_beginning_of_two_submissions_names_them(settings: Settings) -> None:
    _ledger_with(settings, "S000001-aaaa0000", "S000002-bbbb0000")
    with pytest.raises(click.BadParameter, match="S000001-aaaa0000, S000002-bbbb0000"):
        SUBMISSION.convert("S0", None, None)


def _ledger_with(settings: Settings, *ids: str) -> None:
    settings.ledger.parent.mkdir(parents=True)
    lines = [json.dumps({"event": "received", "submission_id": each}) for each in ids]
    settings.ledger.write_text("\n".join(lines), encoding="utf-8")
