"""CSV files as senders' systems write them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.content import CannotRead
from pipelines.readers.csv_bundle import decode, read_csv_bundle, split

TEXT = "child_reference,plan\r\nA1,Tŷ Gŵyr\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_in_any_encoding_keeps_welsh_letters(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == (TEXT, False)


def test_windows_1252_is_read_and_reported() -> None:
    assert decode("réf,£\n".encode("cp1252")) == ("réf,£\n", True)


@pytest.mark.parametrize("content", [b"a,b\x00\n", b"\xff\xfea", b"\x81\x8d\x8f"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(CannotRead, match="F001"):
        decode(content)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_line_end_and_separator_give_the_same_rows(end: str, separator: str) -> None:
    lines = [separator.join(cells) for cells in (["a", "b"], ["00089", ""], ["", "x"])]
    expected = [["a", "b"], ["00089", None], [None, "x"]]
    assert split(end.join(lines)) == expected
    assert split(end.join(lines) + end) == expected


def test_a_record_lies_at_the_line_it_begins_on() -> None:
    rows = split('a,b\n\n"two\nlines",1\nlast,2\n')
    assert rows == [["a", "b"], [], ["two\nlines", "1"], [], ["last", "2"]]


@pytest.mark.parametrize("text", ['a,b\n"never closed,1\n', 'a,b\n"x"y,1\n'])
def test_broken_quotes_are_refused_rather_than_guessed(text: str) -> None:
    with pytest.raises(CannotRead, match="F001"):
        split(text)


def test_too_many_lines_or_columns_are_refused() -> None:
    for text in ("a\n" * 200_001, "," * 500):
        with pytest.raises(CannotRead, match="F003"):
            split(text)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n,;\t"'))


@given(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6), st.sampled_from([0, 1]))
def test_no_record_is_lost_whatever_it_holds(records: list[list[str]], trailing: int) -> None:
    lines = ['"' + '","'.join(c.replace('"', '""') for c in record) + '"' for record in records]
    rows = split("\n".join(["field,answer", *lines]) + "\n" * trailing)
    expected = [[cell or None for cell in record] for record in records]
    assert [row for row in rows if row][1:] == expected


def test_files_in_a_folder_of_the_zip_are_found_and_shadows_are_not(tmp_path: Path) -> None:
    path = tmp_path / "return.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("Return Q1/CHILD.CSV", TEXT)
        package.writestr("Return Q1/._CHILD.CSV", b"\x00\x05")
        package.writestr("__MACOSX/cover.csv", b"\x00\x05")
        package.writestr("readme.txt", "hello")
    content = read_csv_bundle(path.read_bytes())
    assert [sheet.name for sheet in content.sheets] == ["CHILD"]
