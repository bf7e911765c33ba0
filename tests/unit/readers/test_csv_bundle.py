"""CSV files as senders' systems write them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.child_process import read, read_files
from pipelines.readers.content import CannotRead, FileContent
from pipelines.readers.csv_bundle import (
    count_records,
    decode,
    lines_of,
    read_csv_bundle,
    read_single_csv,
    separator_of,
    split,
)

TEXT = "child_reference,plan\r\nA1,Tŷ Gŵyr\r\n"

Rows = list[list[str | None]]


def rows_of(text: str) -> Rows:
    lines = lines_of(text)
    return split(lines, separator_of(lines))[0]


def zipped(folder: Path, **parts: bytes) -> Path:
    path = folder / "return.zip"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(f"{name}.csv", content)
    return path


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
    assert rows_of(end.join(lines)) == expected
    assert rows_of(end.join(lines) + end) == expected


def test_a_record_lies_at_the_line_it_begins_on() -> None:
    rows = rows_of('a,b\n\n"two\nlines",1\nlast,2\n')
    assert rows == [["a", "b"], [], ["two\nlines", "1"], [], ["last", "2"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n"never closed,1\n', 2),
        ('a,b\nfine,0\n"x"y,1\n', 3),
        ('a,b\n\n1,"open\n' + "2,3\n" * 30_000, 3),
    ],
)
def test_broken_quotes_are_refused_by_their_line_rather_than_guessed(text: str, line: int) -> None:
    with pytest.raises(CannotRead, match="F009") as raised:
        rows_of(text)
    assert raised.value.number == line


def test_the_sender_is_told_on_which_line_the_quote_is(tmp_path: Path) -> None:
    [answer] = read_files([zipped(tmp_path, child=b'a,b\n1,2\n"secret,3\n')])
    assert not isinstance(answer, FileContent)
    assert answer.code == "F009" and "line 3" in answer.sentence_en
    assert "linell 3" in answer.sentence_cy and "secret" not in answer.sentence_en


@pytest.mark.parametrize("text", ["a\n" * 200_001, "," * 500, "x" * 1_000_001, "a," + "b" * 32_768])
def test_too_many_lines_columns_or_characters_are_refused(text: str) -> None:
    with pytest.raises(CannotRead, match="F003"):
        rows_of(text)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_title_with_a_comma_does_not_decide_what_separates(separator: str) -> None:
    heading = separator.join(["child_reference", "sex", "plan"])
    row = separator.join(["A1", "female", "one, two"])
    rows = rows_of(f"Children, of the quarter, in all\n{heading}\n{row}\n")
    assert rows[1] == ["child_reference", "sex", "plan"]


def test_a_separator_inside_quotes_does_not_decide_either() -> None:
    assert rows_of('"a, b, c, d";x\n') == [["a, b, c, d", "x"]]


def test_excels_line_that_names_the_separator_is_obeyed_and_blank() -> None:
    assert rows_of("sep=;\na,b;c\n") == [[], ["a,b", "c"]]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n,;\t"'))


@given(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6), st.sampled_from([0, 1]))
def test_no_record_is_lost_whatever_it_holds(records: list[list[str]], trailing: int) -> None:
    lines = ['"' + '","'.join(c.replace('"', '""') for c in record) + '"' for record in records]
    text = "\n".join(["field,answer", *lines]) + "\n" * trailing
    rows = rows_of(text)
    expected = [[cell or None for cell in record] for record in records]
    assert [row for row in rows if row][1:] == expected
    filled = sum(1 for row in rows if any(cell and not cell.isspace() for cell in row))
    assert count_records(lines_of(text), ",") == filled


def test_files_in_a_folder_of_the_zip_are_found_and_shadows_are_not(tmp_path: Path) -> None:
    path = tmp_path / "return.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("Return Q1/CHILD.CSV", TEXT)
        package.writestr("Return Q1/._CHILD.CSV", b"\x00\x05")
        package.writestr("__MACOSX/cover.csv", b"\x00\x05")
        package.writestr("readme.txt", "hello")
    content = read_csv_bundle(path.read_bytes())
    assert [sheet.name for sheet in content.sheets] == ["CHILD"]


@given(st.text('a",;\n\t ', max_size=30))
def test_two_ways_of_counting_agree_on_every_text_that_is_read(text: str) -> None:
    lines = lines_of(text)
    separator = separator_of(lines)
    try:
        rows, lengths = split(lines, separator)
    except CannotRead:
        return
    filled = sum(1 for row in rows if any(cell and not cell.isspace() for cell in row))
    assert count_records(lines, separator) == filled
    assert len(rows) == len(lengths) == len(lines)


def test_a_record_that_the_parser_drops_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.readers import csv_bundle

    def careless(lines: list[str], separator: str) -> tuple[Rows, list[int]]:
        rows, lengths = split(lines, separator)
        return [*rows[:-1], []], lengths

    monkeypatch.setattr(csv_bundle, "split", careless)
    with pytest.raises(CannotRead, match="F006"):
        read_single_csv(b"a,b\n1,2\n3,4\n")


# --- one CSV file without a zip ---------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_single_csv_file_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "children.csv"
    path.write_bytes(f"sex;plan{end}female;Tŷ{end}".encode(encoding))
    content = read(path)
    assert content.form == "csv" and content.decoded_as_cp1252 == []
    assert content.sheets[0].rows == [["sex", "plan"], ["female", "Tŷ"]]
    assert content.sheets[0].filled_rows == 2


def test_a_single_file_of_windows_1252_is_read_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "children.csv"
    path.write_bytes("sex,plan\nfemale,é\n".encode("cp1252"))
    assert read(path).decoded_as_cp1252 == ["CSV"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"rotten", "F001"),
        (b"%PDF-1.7, \x01\x02 and so on", "F001"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "F001"),
        (b"<!DOCTYPE html><table><tr><td>a,b</td></tr></table>", "F008"),
        (b"\xef\xbb\xbf\r\n <html>a,b</html>", "F008"),
        (b'<?xml version="1.0"?><Workbook>a,b</Workbook>', "F008"),
        ("<html>a,b</html>".encode("utf-16"), "F008"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "return.csv"
    path.write_bytes(content)
    with pytest.raises(CannotRead, match=code):
        read(path)


def test_a_name_with_brackets_opens_no_other_file(tmp_path: Path) -> None:
    """Some readers take ``LA[1].csv`` for a pattern and open ``LA1.csv``, another sender's."""
    (tmp_path / "LA1.csv").write_text("sex,plan\nother,sender\n", encoding="utf-8")
    (tmp_path / "LA[1].csv").write_text("sex,plan\nmine,alone\n", encoding="utf-8")
    for name, first in (("LA[1].csv", "mine"), ("LA1.csv", "other")):
        assert read(tmp_path / name).sheets[0].rows[1][0] == first
