"""What is said of the Welsh: missing, stale, wrong, unreviewed, reviewed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.text import catalogue, extraction, review
from pipelines.text.review import Translation, differing_placeholders, translations_of

CODE = """\
_ = translations(language).gettext
_("Children")
_("{count} rows of {sheet}").format(count=1, sheet="x")
ngettext("{count} row", "{count} rows", 3)
pgettext("of a file", "open")
"""
PLACE = "pipelines/part/sentences.py"
EVERYTHING = {"Children", "{count} rows of {sheet}", "{count} row", "open"}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of one part with four sentences and no catalogue."""
    package = tmp_path / "pipelines"
    (package / "part").mkdir(parents=True)
    (package / "part" / "__init__.py").touch()
    (package / "part" / "sentences.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "expectations").mkdir()
    folder = package / "locale" / "cy" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    for module in (catalogue, extraction, review):
        monkeypatch.setattr(module, "CATALOGUES", folder)
    monkeypatch.setattr(extraction, "_PACKAGE", package)
    monkeypatch.setattr(
        extraction, "_ROOTS", {"pipelines": package, "expectations": tmp_path / "expectations"}
    )
    return folder / "part.po"


def states() -> dict[str, str]:
    return {row.english: row.state for row in translations_of("part")}


def fill(path: Path, english: str, *welsh: str, is_reviewed: bool = False) -> None:
    """Write the Welsh of one sentence into the catalogue."""
    entries = catalogue.read_catalogue(path)
    for message in entries:
        if english == (message.id if isinstance(message.id, str) else message.id[0]):
            message.string = welsh[0] if len(welsh) == 1 else welsh
            if is_reviewed:
                message.flags.discard("fuzzy")
    path.write_text(extraction.as_text(entries), encoding="utf-8")


def test_without_a_catalogue_every_sentence_is_missing_and_has_its_place(program: Path) -> None:
    assert translations_of("part")[0] == Translation("part", PLACE, "{count} row", "missing")
    assert states() == dict.fromkeys(EVERYTHING, "missing")


def test_an_update_writes_every_sentence_and_leaves_it_missing(program: Path) -> None:
    assert extraction.update("part") == program
    assert states() == dict.fromkeys(EVERYTHING, "missing")


def test_welsh_is_unreviewed_until_the_mark_is_taken_away(program: Path) -> None:
    extraction.update("part")
    fill(program, "Children", "Plant")
    assert states()["Children"] == "unreviewed"
    fill(program, "Children", "Plant", is_reviewed=True)
    assert states()["Children"] == "reviewed"


def test_a_sentence_that_the_code_no_longer_has_is_stale_until_the_update(program: Path) -> None:
    extraction.update("part")
    fill(program, "Children", "Plant", is_reviewed=True)
    code = program.parents[3] / "part" / "sentences.py"
    code.write_text(CODE.replace("Children", "Adopters"), encoding="utf-8")
    assert (states()["Children"], states()["Adopters"]) == ("stale", "missing")
    extraction.update("part")
    assert "Children" not in states()


def test_an_update_keeps_what_was_translated_and_reviewed(program: Path) -> None:
    extraction.update("part")
    fill(program, "Children", "Plant", is_reviewed=True)
    before = program.read_bytes()
    extraction.update("part")
    assert program.read_bytes() == before


def test_a_part_without_sentences_has_no_catalogue(program: Path) -> None:
    extraction.update("part")
    (program.parents[3] / "part" / "sentences.py").write_text("", encoding="utf-8")
    assert extraction.update("part") is None
    assert not program.exists()
    assert translations_of("part") == []


@pytest.mark.parametrize(
    ("welsh", "state"),
    [
        ("{count} rhes o {sheet}", "unreviewed"),
        ("{sheet}: {count} rhes", "unreviewed"),
        ("{count} rhes o {taflen}", "wrong"),
        ("{count} rhes", "wrong"),
        ("{count} rhes o {sheet", "wrong"),
        ("", "missing"),
    ],
)
def test_a_placeholder_is_the_same_in_both_languages(program: Path, welsh: str, state: str) -> None:
    extraction.update("part")
    fill(program, "{count} rows of {sheet}", welsh)
    assert states()["{count} rows of {sheet}"] == state


@pytest.mark.parametrize(
    ("forms", "state"),
    [
        (("{count} rhes", "un rhes", "dwy res", "tair rhes", "chwe rhes"), "unreviewed"),
        (("{count} rhes", "{count} rhes", "dwy res", "tair rhes", ""), "missing"),
        (("rhesi", "un rhes", "dwy res", "tair rhes", "chwe rhes"), "wrong"),
        (("{count} rhes", "{sawl} rhes", "dwy res", "tair rhes", "chwe rhes"), "wrong"),
    ],
)
def test_a_plural_has_all_its_forms_and_the_number_in_the_general_one(
    program: Path, forms: tuple[str, ...], state: str
) -> None:
    extraction.update("part")
    fill(program, "{count} row", *forms)
    assert states()["{count} row"] == state


def test_what_differs_is_named(program: Path) -> None:
    extraction.update("part")
    fill(program, "{count} rows of {sheet}", "{count} rhes o {taflen}")
    (message,) = (
        one for one in catalogue.read_catalogue(program) if one.id == "{count} rows of {sheet}"
    )
    assert differing_placeholders(message) == {"sheet", "taflen"}


# --- the command ------------------------------------------------------------------------------


def test_the_command_counts_by_part_and_ends_with_1_while_something_is_missing(
    program: Path,
) -> None:
    result = CliRunner().invoke(main, ["translations"])
    assert result.exit_code == 1
    header, counts, *_ = result.stdout.splitlines()  # then what is declared in sources
    assert header.split() == ["missing", "stale", "wrong", "unreviewed", "reviewed"]
    assert counts.split() == ["part", "4", "0", "0", "0", "0"]


def test_the_command_lists_each_sentence_with_its_place(program: Path) -> None:
    result = CliRunner().invoke(main, ["translations", "--list"])
    assert f"missing     {PLACE}  'Children'" in result.stdout.splitlines()


def test_the_command_brings_the_catalogues_up_to_date(program: Path) -> None:
    assert not program.exists()
    CliRunner().invoke(main, ["translations", "--update"])
    assert program.exists()
    fill(program, "Children", "Plant")
    fill(program, "open", "ar agor")
    fill(program, "{count} rows of {sheet}", "{count} rhes o {sheet}")
    fill(program, "{count} row", "{count} rhes", *["{count} rhes"] * 4)
    result = CliRunner().invoke(main, ["translations", "--json"])
    assert result.exit_code == 0
    rows = [row for row in json.loads(result.stdout) if row["part"] == "part"]
    assert {row["english"]: row["state"] for row in rows} == dict.fromkeys(EVERYTHING, "unreviewed")
