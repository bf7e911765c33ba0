"""``adoption convert``, and ``adoption check`` of extracts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.readers.child_process import read_files
from pipelines.readers.content import FileContent
from tests.unit.extracts.extracts_made import BATH, STORIES, write_ssda903


@pytest.fixture
def years(tmp_path: Path) -> Path:
    return write_ssda903(tmp_path / "years", (2022, 2023), STORIES)


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_one_quarter_is_a_workbook_and_several_are_a_folder(tmp_path: Path, years: Path) -> None:
    out = tmp_path / "return.xlsx"
    one = call("convert", years, "--sender", BATH, "--quarter", "2023-24-Q3", "--out", out)
    assert (one.exit_code, "2023-24-Q3: 5 children" in one.output) == (0, True), one.output
    (content,) = read_files([out])
    assert isinstance(content, FileContent)
    assert [sheet.name for sheet in content.sheets] == ["Cover", "Children"]
    several = call("convert", years, "--sender", BATH, "--out", tmp_path / "history")
    assert several.exit_code == 0, several.output
    assert len(list((tmp_path / "history").iterdir())) == 8


def test_what_is_there_is_never_replaced_unasked(tmp_path: Path, years: Path) -> None:
    out = tmp_path / "return.xlsx"
    out.write_text("mine")
    words = ("convert", years, "--sender", BATH, "--quarter", "2023-24-Q3", "--out", out)
    assert call(*words).exit_code == 2
    assert out.read_text() == "mine"
    assert call(*words, "--force").exit_code == 0
    folder = tmp_path / "mine"
    folder.mkdir()
    for more in ((), ("--force",)):
        refused = call("convert", years, "--sender", BATH, "--out", folder, *more)
        assert (refused.exit_code, list(folder.iterdir())) == (2, [])


def test_nothing_is_written_when_something_is_wrong(tmp_path: Path, years: Path) -> None:
    (years / "2024" / "episodes.csv").write_text("CHILD,DECOM,RNE,LS,PLACE\nA,no date,S,C1,U6\n")
    out = tmp_path / "history"
    for language, said in (("en", "is not a date"), ("cy", "ddyddiad")):
        failed = call("convert", years, "--sender", BATH, "--out", out, "--language", language)
        assert failed.exit_code == 1
        assert said in failed.output and "no date" not in failed.output
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".convert-")]


def test_the_same_for_a_program(tmp_path: Path, years: Path) -> None:
    done = call("convert", years, "--sender", BATH, "--out", tmp_path / "history", "--json")
    told = json.loads(done.stdout)
    assert (told["extract"], told["is_history"], len(told["returns"])) == ("ssda903", True, 8)
    gaps = {gap["field"]: gap for gap in told["gaps"]}
    assert gaps["matched_on"]["given"] < gaps["matched_on"]["expected"]
    assert "A2" in gaps["matched_on"]["figures"]


def test_extracts_are_checked_as_the_returns_they_become(years: Path) -> None:
    checked = call("check", years, "--sender", BATH, "--quarter", "2023-24-Q3", "--json")
    (report,) = json.loads(checked.stdout)
    assert checked.exit_code == 0
    assert report["status"].startswith("accepted")
    assert {gap["field"] for gap in report["gaps"]} >= {"is_disabled", "matched_on"}
    assert call("check", years).exit_code == 2
    assert call("check", years, "--quarter", "2023-24-Q3").exit_code == 2
