"""The catalogue of Welsh: what is shown from it, and what is said when it is broken or gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines import cli
from pipelines.commands import translations as command
from pipelines.text import catalogue, extraction, review
from pipelines.text.catalogue import CatalogueError, read_catalogue, translations

HEADER = """\
msgid ""
msgstr ""
"Language: cy\\n"
"Plural-Forms: nplurals=5; plural=(n==1 ? 1 : n==2 ? 2 : n==3 ? 3 : n==6 ? 4 : 0);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
FIRST_LINE = HEADER.count("\n") + 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of catalogues in place of the program's own."""
    for module in (catalogue, extraction, review):
        monkeypatch.setattr(module, "CATALOGUES", tmp_path)
    monkeypatch.setattr(catalogue, "PARTS", ())
    translations.cache_clear()
    yield tmp_path
    translations.cache_clear()


def write(folder: Path, entries: str, name: str = "part.po") -> Path:
    path = folder / name
    path.write_text(HEADER + entries, encoding="utf-8")
    return path


def test_english_is_the_text_of_the_code_and_needs_no_catalogue(folder: Path) -> None:
    assert translations("en").gettext("Children adopted") == "Children adopted"


def test_a_sentence_is_shown_in_welsh_although_nobody_has_reviewed_it(folder: Path) -> None:
    write(folder, '#, fuzzy\nmsgid "Children"\nmsgstr "Plant"\n')
    assert translations("cy").gettext("Children") == "Plant"


def test_a_sentence_without_welsh_is_shown_in_english(folder: Path) -> None:
    write(folder, 'msgid "Children"\nmsgstr ""\n')
    assert translations("cy").gettext("Children") == "Children"
    assert translations("cy").gettext("Adopters") == "Adopters"


def test_the_catalogues_of_all_parts_are_one(folder: Path) -> None:
    write(folder, 'msgid "Children"\nmsgstr "Plant"\n', "a.po")
    write(folder, 'msgid "Quarter"\nmsgstr "Chwarter"\n', "b.po")
    welsh = translations("cy")
    assert (welsh.gettext("Children"), welsh.gettext("Quarter")) == ("Plant", "Chwarter")


PLURAL = """\
msgid "{count} return"
msgid_plural "{count} returns"
msgstr[0] "{count} ffurflen"
msgstr[1] "un ffurflen"
msgstr[2] "dwy ffurflen"
msgstr[3] "tair ffurflen"
msgstr[4] "chwe ffurflen"
"""


@pytest.mark.parametrize(
    ("count", "welsh"),
    [
        (0, "0 ffurflen"),
        (1, "un ffurflen"),
        (2, "dwy ffurflen"),
        (3, "tair ffurflen"),
        (4, "4 ffurflen"),
        (6, "chwe ffurflen"),
        (11, "11 ffurflen"),
    ],
)
def test_the_number_chooses_one_of_five_forms(folder: Path, count: int, welsh: str) -> None:
    write(folder, PLURAL)
    text = translations("cy").ngettext("{count} return", "{count} returns", count)
    assert text.format(count=count) == welsh


def test_a_catalogue_that_has_to_be_there_is_named_where_it_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PARTS", ("part", "pack"))
    write(folder, 'msgid "a"\nmsgstr "b"\n')
    with pytest.raises(CatalogueError, match=r"pack\.po: no such catalogue; install again"):
        translations("cy")
    write(folder, 'msgid "c"\nmsgstr "d"\n', "pack.po")
    assert translations("cy").gettext("c") == "d"


def test_a_catalogue_that_is_gone_is_named(folder: Path) -> None:
    with pytest.raises(CatalogueError, match=r"part\.po: no such catalogue"):
        read_catalogue(folder / "part.po")


@pytest.mark.parametrize(
    ("entries", "line", "fault"),
    [
        ("hello\n", 0, "neither a comment nor a keyword"),
        ('msgid "a\nmsgstr "b"\n', 0, "neither a comment nor a keyword"),
        ('msgid "a"\nmsgstr "b\n', 1, "neither a comment nor a keyword"),
        ('<<<<<<< ours\nmsgid "a"\nmsgstr "b"\n', 0, "neither a comment nor a keyword"),
        ('msgid "a"\nmsgstr "b\\q"\n', 1, "neither a comment nor a keyword"),
        ('msgid "a"\nmsgstr[x] "b"\n', 1, "neither a comment nor a keyword"),
        ('msgid "a"\nmsgid "b"\nmsgstr "c"\n', 1, "before the one above has its msgstr"),
        ('msgid "a"\nmsgctxt "b"\nmsgid "c"\nmsgstr "d"\n', 1, "before the one above"),
        ('msgid "a"\nmsgstr "b"\nmsgstr "c"\n', 2, "gives msgstr twice"),
        ('msgctxt "a"\nmsgstr "b"\n', 1, "belongs to no msgid"),
        ('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n', 4, "was translated above"),
        ('msgid "a"\n', 1, "ends before the last entry has its msgstr"),
    ],
)
def test_a_broken_catalogue_is_told_in_one_line_with_file_and_line(
    folder: Path, entries: str, line: int, fault: str
) -> None:
    path = write(folder, entries)
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(path)
    told = str(caught.value)
    assert told.startswith(f"{path}, line {FIRST_LINE + line}: ")
    assert fault in told and "\n" not in told


def test_a_catalogue_in_another_encoding_is_told_with_its_line(folder: Path) -> None:
    path = folder / "part.po"
    path.write_bytes(HEADER.encode() + 'msgid "a"\nmsgstr "tŷ"\n'.encode("utf-16-le"))
    with pytest.raises(CatalogueError, match=rf"line {FIRST_LINE}"):
        read_catalogue(path)


def test_one_context_has_its_own_sentence(folder: Path) -> None:
    write(folder, 'msgid "a"\nmsgstr "b"\n\nmsgctxt "x"\nmsgid "a"\nmsgstr "c"\n')
    assert translations("cy").pgettext("x", "a") == "c"
    assert translations("cy").gettext("a") == "b"


def test_a_command_that_needs_a_broken_catalogue_says_so_and_ends_with_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "hello\n", "text.po")
    result = CliRunner().invoke(cli.main, ["translations"])
    assert result.exit_code == 1
    assert result.stderr == (
        f"{folder / 'text.po'}, line {FIRST_LINE}: the line is neither a comment nor a keyword "
        "with a quoted text\n"
    )
    assert command.translations in cli.SECTIONS["The installation"]
