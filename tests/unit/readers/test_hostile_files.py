"""Files that damage a reader: each is refused with a sentence, and its neighbours are read."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.readers import child_process
from pipelines.readers.child_process import read_each, read_files
from pipelines.readers.content import REFUSALS, FileContent, Unreadable

SHEET = "xl/worksheets/sheet2.xml"
TEXTS = "xl/sharedStrings.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Alter = Callable[..., Path]


def code_of(path: Path) -> str:
    [answer] = read_files([path])
    assert isinstance(answer, Unreadable)
    assert answer.sentence_en and answer.sentence_cy
    return answer.code


def far_cell(reference: str) -> Callable[[bytes], bytes]:
    row = re.sub("[A-Z]", "", reference)
    cell = f'<row r="{row}"><c r="{reference}"><v>1</v></c></row></sheetData>'.encode()
    return lambda xml: xml.replace(b"</sheetData>", cell)


def doctype(xml: bytes) -> bytes:
    head, body = xml.split(b"?>", 1)
    return head + b'?><!DOCTYPE a [<!ENTITY b "bb">]>' + body


def test_the_unaltered_workbook_is_read(altered: Alter) -> None:
    [answer] = read_files([altered("same", {})])
    assert isinstance(answer, FileContent)
    assert [sheet.name for sheet in answer.sheets] == ["Cover", "Children"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"child_reference,sex\nA,female\n", "F001"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "F001"),
        (b"PK\x03\x04 and nothing more", "F001"),
        (OLE + b"\x00" * 600, "F001"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600, "F002"),
        (b"", "F005"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "return.xlsx"
    path.write_bytes(content)
    assert code_of(path) == code


def test_a_stored_file_that_has_gone_is_not_blamed_on_its_sender(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_files([tmp_path / "gone.xlsx"])


def test_a_truncated_workbook_is_refused_wherever_it_is_cut(workbook: Path) -> None:
    whole = workbook.read_bytes()
    paths = []
    for step in range(1, 10):
        path = workbook.with_name(f"cut{step}.xlsx")
        path.write_bytes(whole[: len(whole) * step // 10])
        paths.append(path)
    answers = read_files(paths)
    assert [a.code for a in answers if isinstance(a, Unreadable)] == ["F001"] * len(paths)


def test_a_flipped_bit_is_refused_or_makes_no_difference(workbook: Path) -> None:
    whole = workbook.read_bytes()
    paths = [workbook]
    for step in range(60):
        path = workbook.with_name(f"flip{step}.xlsx")
        place = len(whole) * step // 60
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        paths.append(path)
    first, *others = read_files(paths)
    assert isinstance(first, FileContent)
    refused = 0
    for answer in others:
        if isinstance(answer, Unreadable):
            refused += 1
        else:
            assert answer.sheets == first.sheets
    assert refused > 30


@pytest.mark.parametrize(
    "reference", ["XFD1048576", "A200001", "SH2", "ZZZZZZ1", "A4294967295", "SF100000"]
)
def test_a_value_in_a_far_corner_is_refused(altered: Alter, reference: str) -> None:
    assert code_of(altered("far", {SHEET: far_cell(reference)})) == "F003"


def test_an_error_in_a_far_corner_is_refused(altered: Alter) -> None:
    row = b'<row r="1048576"><c r="XFD1048576" t="e"/></row></sheetData>'
    path = altered("error", {SHEET: lambda xml: xml.replace(b"</sheetData>", row)})
    assert code_of(path) == "F003"


def test_a_formatted_but_empty_far_cell_does_no_harm(altered: Alter) -> None:
    row = b'<row r="1048576"><c r="A1048576" s="1"/></row></sheetData>'
    path = altered("styled", {SHEET: lambda xml: xml.replace(b"</sheetData>", row)})
    [answer] = read_files([path])
    assert isinstance(answer, FileContent)
    assert len(answer.sheets[1].rows) == 2


def test_a_far_value_on_a_sheet_that_no_list_names_is_refused(altered: Alter) -> None:
    sheet = (
        b'<worksheet><sheetData><row><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    assert code_of(altered("hidden", {"xl/worksheets/other.xml": lambda _: sheet})) == "F003"


def test_a_count_of_texts_that_lies_is_refused(altered: Alter) -> None:
    def lie(xml: bytes) -> bytes:
        return re.sub(rb'uniqueCount="\d+"', b'uniqueCount="4294967295"', xml)

    assert code_of(altered("texts", {TEXTS: lie})) == "F003"


@pytest.mark.parametrize("part", [SHEET, TEXTS, "xl/workbook.xml", "xl/styles.xml"])
def test_a_document_type_definition_is_refused(altered: Alter, part: str) -> None:
    assert code_of(altered("dtd", {part: doctype})) == "F003"


def test_a_thousand_nested_elements_are_refused(altered: Alter) -> None:
    deep = b"<a>" * 1000 + b"</a>" * 1000
    assert code_of(altered("deep", {"xl/deep.xml": lambda _: deep})) == "F003"


def test_a_zip_bomb_is_refused_before_it_is_inflated(altered: Alter, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    piece = b" " * (1 << 20)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(501):
            part.write(piece)
    began = time.monotonic()
    assert code_of(path) == "F003"
    assert time.monotonic() - began < 5


def test_too_many_parts_are_refused(altered: Alter) -> None:
    parts = {f"xl/media/{number}.png": lambda _: b"" for number in range(1000)}
    assert code_of(altered("parts", parts)) == "F003"


def test_a_part_whose_stated_size_is_too_small_is_refused(workbook: Path, tmp_path: Path) -> None:
    content = workbook.read_bytes()
    with zipfile.ZipFile(workbook) as package:
        size = package.getinfo(SHEET).file_size
    stated = size.to_bytes(4, "little")
    assert content.count(stated) >= 2  # local header and directory
    path = tmp_path / "lying.xlsx"
    path.write_bytes(content.replace(stated, (size // 2).to_bytes(4, "little")))
    assert code_of(path) == "F001"


@pytest.mark.parametrize(
    "name", ["../child.csv", "/etc/child.csv", "C:\\child.csv", "a/../../b.csv"]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(bundle: Path, name: str) -> None:
    with zipfile.ZipFile(bundle, "a") as package:
        package.writestr(name, "child_reference\nA\n")
    assert code_of(bundle) == "F003"


def test_an_encrypted_zip_is_refused_as_protected(bundle: Path) -> None:
    content = bytearray(bundle.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 1)
    bundle.write_bytes(bytes(content))
    assert code_of(bundle) == "F002"


def test_a_csv_bomb_and_a_zip_of_many_files_are_refused(tmp_path: Path) -> None:
    bomb, many = tmp_path / "bomb.zip", tmp_path / "many.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("child.csv", b"," * (201 * 1024 * 1024))
    with zipfile.ZipFile(many, "w") as package:
        for number in range(51):
            package.writestr(f"{number}.csv", "a\n")
    assert [a.code for a in read_files([bomb, many]) if isinstance(a, Unreadable)] == ["F003"] * 2


def test_a_zip_without_a_return_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("a.jpg", b"\xff\xd8")
        package.writestr("__MACOSX/._child.csv", b"\x00\x05")
    assert code_of(path) == "F001"


def killing_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a parser in the child's way that misbehaves for workbooks whose sheet says ``kill``."""
    package = tmp_path / "instead" / "python_calamine"
    package.mkdir(parents=True)
    lines = [
        "import importlib.util, os, sys, time",
        f"sys.path.remove({str(package.parent)!r})",
        "del sys.modules['python_calamine']",
        "import python_calamine as real",
        "class CalamineWorkbook:",
        "    @staticmethod",
        "    def from_filelike(handle):",
        "        if b'kill' in handle.getvalue()[-4:]:",
        f"            {body}",
        "        return real.CalamineWorkbook.from_filelike(handle)",
        "sys.modules['python_calamine'] = sys.modules[__name__] = real",
        "real.CalamineWorkbook, old = CalamineWorkbook, real.CalamineWorkbook",
        "class real_holder: CalamineWorkbook = old",
        "real = real_holder",
    ]
    (package / "__init__.py").write_text("\n".join(lines), encoding="utf-8")
    original = child_process._import_path
    monkeypatch.setattr(child_process, "_import_path", lambda: [str(package.parent), *original()])


def with_mark(workbook: Path, name: str) -> Path:
    """The workbook with ``kill`` as the last letters of the zip's comment."""
    path = workbook.with_name(name)
    path.write_bytes(workbook.read_bytes())
    with zipfile.ZipFile(path, "a") as package:
        package.comment = b"please kill"
    return path


@pytest.mark.parametrize(
    ("body", "seconds"), [("os.abort()", 20.0), ("time.sleep(60)", 2.0), ("os._exit(0)", 20.0)]
)
def test_a_file_that_ends_or_hangs_the_reader_costs_only_itself(
    workbook: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    seconds: float,
) -> None:
    killing_parser(tmp_path, monkeypatch, body)
    bad = with_mark(workbook, "bad.xlsx")
    answers = read_files([workbook, bad, bad, workbook], seconds)
    kinds = [a.code if isinstance(a, Unreadable) else "read" for a in answers]
    assert kinds == ["read", "F004", "F004", "read"]


def test_the_real_parser_dying_of_a_far_cell_is_survived_too(
    workbook: Path, altered: Alter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = altered("far", {SHEET: far_cell("XFD1048576")})
    body = f"real.CalamineWorkbook.from_path({str(far)!r}).get_sheet_by_index(1).to_python()"
    killing_parser(tmp_path, monkeypatch, body)
    first, second = read_files([with_mark(workbook, "bad.xlsx"), workbook])
    assert isinstance(first, Unreadable) and first.code == "F004"
    assert isinstance(second, FileContent)


@pytest.mark.parametrize("raised", ["BaseException", "RuntimeError", "SystemExit"])
def test_what_a_parser_says_when_it_panics_is_shown_to_nobody(
    workbook: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    raised: str,
) -> None:
    body = f"print('Child Canary'); raise {raised}('Child Canary')"
    killing_parser(tmp_path, monkeypatch, body)
    bad = with_mark(workbook, "bad.xlsx")
    answers = read_files([bad, workbook])
    assert [type(answer) for answer in answers] == [Unreadable, FileContent]
    assert "Canary" not in repr(answers[0])
    assert "Canary" not in "".join(capfd.readouterr())


def test_the_child_cannot_take_more_than_two_gigabytes(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resource")
    killing_parser(tmp_path, monkeypatch, "handle.hog = bytearray(3 * 1024**3)")
    answers = read_files([with_mark(workbook, "bad.xlsx"), workbook])
    assert isinstance(answers[0], Unreadable) and answers[0].code == "F003"
    assert isinstance(answers[1], FileContent)


def test_the_child_is_gone_when_reading_is_done_or_given_up(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    original = child_process.subprocess.Popen

    def remember(*arguments: object, **options: object) -> object:
        started.append(original(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(child_process.subprocess, "Popen", remember)
    read_files([workbook, workbook])
    reading = read_each([workbook, workbook])
    next(reading)
    reading.close()
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_every_refusal_speaks_both_languages() -> None:
    for english, welsh in REFUSALS.values():
        assert english.endswith(".") and welsh.endswith(".") and english != welsh


def test_an_opendocument_sheet_of_repeated_cells_is_refused(tmp_path: Path) -> None:
    cell = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
        'table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
        "</table:table-row>"
    )
    assert code_of(ods(tmp_path, cell)) == "F003"


def test_an_opendocument_sheet_is_read(tmp_path: Path) -> None:
    cell = (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
        '<table:table-row><table:table-cell office:value-type="string"><text:p>ŵ</text:p>'
        "</table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="1048573">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    [answer] = read_files([ods(tmp_path, cell)])
    assert isinstance(answer, FileContent)
    assert [[cell for cell in row if cell] for row in answer.sheets[0].rows] == [[], [], ["ŵ"]]


def ods(tmp_path: Path, rows: str) -> Path:
    path = tmp_path / "return.ods"
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body>'
        f'<office:spreadsheet><table:table table:name="Children">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", "<manifest/>")
    return path
