"""Files that damage a reader: each is refused with a sentence, and its neighbours are read."""

from __future__ import annotations

import ast
import errno
import os
import re
import socket
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.readers import child_process
from pipelines.readers.child_process import read_each, read_files
from pipelines.readers.content import FileContent, Unreadable
from pipelines.readers.layout import lay_out
from pipelines.readers.refusals import REFUSALS, unreadable

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
        (b"Dear colleague please find enclosed", "F001"),
        (b"%PDF-1.4\n1 0 obj, \x00\x01", "F001"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "F008"),
        (b"PK\x03\x04 and nothing more", "F001"),
        (OLE + b"\x00" * 600, "F001"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600, "F002"),
        (OLE + b"\x00" * 600 + "Workbook\x00".encode("utf-16-le") + b"\x00" * 600, "F007"),
        (OLE + b"\x00" * 600 + "WordDocument\x00".encode("utf-16-le") + b"\x00" * 600, "F001"),
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


def test_a_zip_of_many_csv_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as package:
        for number in range(51):
            package.writestr(f"{number}.csv", "a\n")
    assert code_of(path) == "F003"


def test_a_part_hidden_by_a_damaged_name_is_missed(bundle: Path) -> None:
    """The check sum of a zip does not cover names: ``child.cs6`` would be no part of the return."""
    content = bundle.read_bytes()
    place = content.rindex(b"child.csv")  # in the directory
    bundle.write_bytes(content[:place] + b"child.cs6" + content[place + 9 :])
    assert code_of(bundle) == "F001"


def test_a_zip_without_a_return_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("a.jpg", b"\xff\xd8")
        package.writestr("__MACOSX/._child.csv", b"\x00\x05")
    assert code_of(path) == "F001"


def test_a_part_swallowed_by_a_damaged_length_is_missed(bundle: Path) -> None:
    """One flipped bit can make the comment of one entry of the zip hold all those after it."""
    content = bytearray(bundle.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    length = content.index(b"PK\x05\x06") - second
    content[first + 32 : first + 34] = length.to_bytes(2, "little")
    bundle.write_bytes(bytes(content))
    with zipfile.ZipFile(bundle) as package:
        assert package.namelist() == ["cover.csv"]  # as if there never had been a child.csv
    assert code_of(bundle) == "F001"


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


@pytest.mark.parametrize("name", ["select", "pipelines", "python_calamine", "sitecustomize"])
def test_no_program_that_lies_beside_a_return_is_run(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Wherever the command is called from, and whatever Python was told in the environment."""
    trace = tmp_path / "trace"
    folder = tmp_path / "from a mail"
    folder.mkdir()
    (folder / f"{name}.py").write_text(f"open({str(trace)!r}, 'w')\nraise SystemExit")
    (folder / "return.xlsx").write_bytes(workbook.read_bytes())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONSTARTUP", str(folder / f"{name}.py"))
    # A caller started as ``python -m`` has the current folder on its path, with or without a name.
    monkeypatch.setattr(sys, "path", ["", str(folder), *sys.path])
    [answer] = read_files([Path("return.xlsx")])
    assert isinstance(answer, FileContent)
    assert not trace.exists()


def test_the_reader_gets_no_environment_and_an_empty_folder(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path))
    names, folder, files = said_by_the_reader(
        workbook, tmp_path, monkeypatch, "(sorted(os.environ), os.getcwd(), os.listdir('.'))"
    )
    # LC_CTYPE is set by Python itself where the locale is C.
    assert set(names) <= {*child_process._NEEDED_BY_THE_SYSTEM, "LC_CTYPE"}
    assert Path(folder).resolve() != Path.cwd() and files == []
    assert not Path(folder).exists()


def test_the_reader_reaches_no_network(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if child_process.reader_has_network():
        pytest.skip("the system does not take it away")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # it is there for others
        reached = f"__import__('socket').socket().connect_ex(('127.0.0.1', {port}))"
        assert said_by_the_reader(workbook, tmp_path, monkeypatch, reached) == errno.ENETUNREACH


def test_where_the_system_keeps_the_network_files_are_read_all_the_same(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        child_process,
        "_START",
        "import pipelines.readers.child_process as it; it.leave_network = bool; it.serve()",
    )
    assert child_process.reader_has_network()
    [answer] = read_files([workbook])
    assert isinstance(answer, FileContent)


def said_by_the_reader(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str
) -> Any:
    """What the Python expression ``shown`` gives inside the process that reads files."""
    body = f"os.write(1, repr({shown}).encode() + b'\\n')"
    killing_parser(tmp_path, monkeypatch, body)
    child = child_process._Child()
    try:
        lines: list[bytes | None] = []
        monkeypatch.setattr(
            child, "_answer", lambda _: lines.append(child._answers.get(timeout=60))
        )
        child.ask(with_mark(workbook, "bad.xlsx"), 60.0)
        return ast.literal_eval((lines[0] or b"").decode())
    finally:
        child.end()


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


def test_the_child_cannot_take_more_than_a_gigabyte(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resource")
    killing_parser(tmp_path, monkeypatch, "handle.hog = bytearray(2 * 1024**3)")
    answers = read_files([with_mark(workbook, "bad.xlsx"), workbook])
    assert isinstance(answers[0], Unreadable) and answers[0].code == "F003"
    assert isinstance(answers[1], FileContent)


def test_the_child_is_gone_when_reading_is_done_or_given_up(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    original = child_process.subprocess.Popen

    def remember(*arguments: Any, **options: Any) -> Any:
        started.append(original(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(child_process.subprocess, "Popen", remember)
    read_files([workbook, workbook])
    reading = read_each([workbook, workbook])
    next(reading)
    reading.close()
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_a_file_that_needs_endless_computing_is_stopped_by_its_processor_time(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the platform counts it; by the clock it would have had a minute."""
    pytest.importorskip("resource")
    package = tmp_path / "sooner"
    package.mkdir()
    limit = "import pipelines.readers.child_process as c; c.CPU_SECONDS_PER_FILE = 1"
    start = f"{limit}; c.serve()"
    monkeypatch.setattr(child_process, "_START", start)
    killing_parser(tmp_path, monkeypatch, "sum(1 for _ in iter(int, 1))")
    answers = read_files([with_mark(workbook, "bad.xlsx"), workbook], 60.0)
    assert isinstance(answers[0], Unreadable) and answers[0].code == "F004"
    assert isinstance(answers[1], FileContent)


def test_a_file_that_would_fill_the_caller_is_refused(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shout = "os.write(1, b'x' * (child_process_limit + 10)); time.sleep(60)"
    killing_parser(tmp_path, monkeypatch, shout.replace("child_process_limit", "2_000_000"))
    monkeypatch.setattr(child_process, "MAX_ANSWER_BYTES", 1_000_000)
    answers = read_files([with_mark(workbook, "bad.xlsx"), workbook], 20.0)
    assert isinstance(answers[0], Unreadable) and answers[0].code == "F004"
    assert isinstance(answers[1], FileContent)


@pytest.mark.parametrize(
    "answer", ["[]", "1", "{}", '{"read": {"sheets": [{}]}}', '{"refused": []}']
)
def test_an_answer_that_means_nothing_is_an_abnormal_end(answer: str) -> None:
    import json

    plain = json.loads(answer)
    content = child_process._content(plain if isinstance(plain, dict) else None)
    assert isinstance(content, Unreadable) and content.code == "F004"


def test_every_refusal_speaks_both_languages() -> None:
    for refusal in [unreadable(code, number) for code in REFUSALS for number in (0, 3)]:
        english, welsh = refusal.sentence_en, refusal.sentence_cy
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


# --- what each hostile file costs ---------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """The answer of a child that read one file, its processor seconds and its largest size."""

    answer: FileContent | Unreadable
    seconds: float
    peak_bytes: int


def cost_of(path: Path) -> Cost:
    """Read a file in a child of its own; seconds and size are 0 where nobody tells them."""
    child = child_process._Child()
    try:
        answer = child_process._content(child.ask(path, 60.0))
        process = Path("/proc") / str(child._process.pid)
        if not process.exists():
            return Cost(answer, 0.0, 0)
        peak = re.search(r"VmHWM:\s+([0-9]+) kB", (process / "status").read_text())
        times = (process / "stat").read_text().rpartition(")")[2].split()
        ticks = int(times[11]) + int(times[12])
        return Cost(answer, ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) * 1024 if peak else 0)
    finally:
        child.end()


def into_sheet(rows: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>")


def into_texts(texts: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b"</sst>", texts + b"</sst>")


def expanding(part: bytes) -> Callable[[bytes], bytes]:
    """Entities that grow to 10^9 letters if anybody expands them."""
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    return lambda xml: (
        b'<?xml version="1.0"?><!DOCTYPE x [' + entities + b"]>" + part + b"&a9;" + xml[-20:]
    )


def reading_a_file(xml: bytes) -> bytes:
    head, body = xml.split(b"?>", 1)
    entity = b'?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return head + entity + body.replace(b"<t>", b"<t>&e;", 1)


MANY_SHEETS = b"".join(
    b'<sheet name="s%d" sheetId="%d" r:id="rId2"/>' % (n, n + 9) for n in range(20_000)
)
SHARING = b"".join(
    b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(3, 90_000)
)
# Each is as large as the limits of its kind allow, or larger by as little as shows the bar.
HOSTILE: dict[str, dict[str, Callable[[bytes], bytes]]] = {
    "a value in the last cell": {SHEET: far_cell("XFD1048576")},
    "a blank text in the last cell": {
        SHEET: into_sheet(b'<row r="9"><c r="XFD1048576" t="str"><v></v></c></row>')
    },
    "a blank inline text in the last cell": {
        SHEET: into_sheet(b'<row r="9"><c r="XFD1048576" t="inlineStr"><is/></c></row>')
    },
    "a cell beyond every sheet": {SHEET: far_cell("ZZZZZZ4294967295")},
    "a false count of texts": {
        TEXTS: lambda xml: re.sub(rb'uniqueCount="\d+"', b'uniqueCount="20000000"', xml)
    },
    "more than a million texts": {TEXTS: into_texts(b"<si/>" * 1_200_000)},
    "one text of 50 MB": {TEXTS: into_texts(b"<si><t>" + b"x" * (50 << 20) + b"</t></si>")},
    "a long text that all cells share": {
        TEXTS: lambda xml: re.sub(
            rb"<si>.*?</si>", b"<si><t>" + b"y" * 30_000 + b"</t></si>", xml, count=1
        ),
        SHEET: into_sheet(SHARING),
    },
    "120 MB of blanks": {SHEET: into_sheet(b" " * (120 << 20))},
    "an attribute of 120 MB": {SHEET: into_sheet(b'<row x="' + b"y" * (120 << 20) + b'"/>')},
    "a part of 160 MB": {"xl/media/picture.png": lambda _: b"\0" * (160 << 20)},
    "elements two million deep": {"xl/deep.xml": lambda _: b"<a>" * 2_000_000},
    "five million elements": {"xl/wide.xml": lambda _: b"<a>" + b"<b/>" * 5_000_000 + b"</a>"},
    "a document that reads a file": {TEXTS: reading_a_file},
    "a billion laughs": {TEXTS: expanding(b"<sst>")},
    "20,000 sheets in one part": {
        "xl/workbook.xml": lambda xml: xml.replace(b"</sheets>", MANY_SHEETS + b"</sheets>")
    },
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_workbook_is_refused_within_5_seconds_and_256_megabytes(
    altered: Alter, kind: str
) -> None:
    cost = cost_of(altered("hostile", HOSTILE[kind]))
    assert isinstance(cost.answer, Unreadable), kind
    assert cost.answer.code == "F003"
    assert cost.answer.sentence_en and cost.answer.sentence_cy
    assert cost.seconds < 5
    assert cost.peak_bytes < 256 * 1024**2


def test_20_000_parts_are_not_even_listed(tmp_path: Path, workbook: Path) -> None:
    path = tmp_path / "parts.xlsx"
    path.write_bytes(workbook.read_bytes())
    with zipfile.ZipFile(path, "a") as package:
        for number in range(20_000):
            package.writestr(f"xl/worksheets/other{number}.xml", b"")
    cost = cost_of(path)
    assert isinstance(cost.answer, Unreadable) and cost.answer.code == "F003"
    assert cost.seconds < 5 and cost.peak_bytes < 256 * 1024**2


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n" + b"," * (15 << 20),
        b"a,b\n" + b'"x' * (7 << 20),
        b"a,b\n" + b"1,2\n" * (4 << 20),
        b"a,b\n" + b" " * (40 << 20),
    ],
    ids=["one line of commas", "quotes", "lines", "a bomb"],
)
def test_a_hostile_csv_file_costs_no_more(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "return.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("child.csv", content)
    cost = cost_of(path)
    assert isinstance(cost.answer, Unreadable) and cost.answer.code in ("F003", "F009")
    assert cost.seconds < 5 and cost.peak_bytes < 256 * 1024**2


def test_a_far_value_is_named_by_its_sheet_and_cell(altered: Alter) -> None:
    [answer] = read_files([altered("far", {SHEET: far_cell("SG17")})])
    assert isinstance(answer, Unreadable)
    assert "Sheet number 2 has a value in cell SG17" in answer.sentence_en
    assert "daflen rhif 2" in answer.sentence_cy and "SG17" in answer.sentence_cy


def test_formatted_and_empty_rows_to_the_end_of_the_sheet_are_no_reason_to_refuse(
    altered: Alter,
) -> None:
    """Whoever formats a column down to the end of the sheet makes a cell for each row. (The last
    100,000 of them show it; all of them take 5 s.)"""
    rows = range(948_575, 1_048_575)
    empty = b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (n, n) for n in rows)
    cost = cost_of(altered("formatted", {SHEET: into_sheet(empty)}))
    assert isinstance(cost.answer, FileContent)
    assert (len(cost.answer.sheets[1].rows), cost.answer.sheets[1].filled_rows) == (2, 2)
    assert cost.peak_bytes < 256 * 1024**2


def test_batch_mates_of_hostile_files_are_read(
    altered: Alter, workbook: Path, bundle: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.xlsx"
    text.write_bytes(b"<html></html>")
    kinds = [
        "a value in the last cell",
        "a false count of texts",
        "elements two million deep",
        "a billion laughs",
    ]
    hostile = [altered(f"hostile{n}", HOSTILE[kind]) for n, kind in enumerate(kinds)] + [text]
    batch = [path for bad in hostile for path in (workbook, bad, bundle)]
    answers = read_files(batch)
    refused = [isinstance(answer, Unreadable) for answer in answers]
    assert refused == [False, True, False] * len(hostile)


# --- names of sheets ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Children'); DROP TABLE child; --",
        "=cmd|' /C calc'!A0",
        "../../etc/passwd",
        "..\\..\\Children",
        "Children" + "x" * 292,
        "{sheet}{0.__class__}%s",
    ],
)
def test_a_hostile_sheet_name_is_only_a_name(
    altered: Alter, declarations: Declarations, name: str
) -> None:
    from xml.sax.saxutils import quoteattr

    quoted = quoteattr(name).encode()
    path = altered(
        "names",
        {"xl/workbook.xml": lambda xml: xml.replace(b'name="Children"', b"name=" + quoted)},
    )
    [answer] = read_files([path])
    assert isinstance(answer, FileContent)
    assert answer.sheets[1].name == name
    laid = lay_out(answer, declarations, "S1")
    assert laid.returns["child"].frame.height == 1  # known by its headings


def test_a_sheet_name_is_shown_without_what_turns_the_line_around(
    altered: Alter, declarations: Declarations
) -> None:
    turned = "\u202eChildren\u2066".encode()
    path = altered(
        "turned", {"xl/workbook.xml": lambda x: x.replace(b'"Children"', b'"' + turned + b'"')}
    )
    [answer] = read_files([path])
    assert isinstance(answer, FileContent)
    child = lay_out(answer, declarations, "S1").returns["child"]
    assert child.sheet == "Children" and child.position == 2
    assert child.frame["sheet"].to_list() == ["Children"]
