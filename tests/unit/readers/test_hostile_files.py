"""Files that damage a reader: each is refused with a sentence, and its neighbours are read.

The set of them is in tests/faults/hostile.py; here is what each needs that is more than a code.
"""

from __future__ import annotations

import ast
import errno
import socket
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.readers import child_process
from pipelines.readers.child_process import read_each, read_files
from pipelines.readers.content import FileContent, Unreadable
from pipelines.readers.layout import lay_out
from pipelines.readers.refusals import REFUSALS, unreadable
from tests.faults.hostile import far_cell
from tests.faults.reading import Reader

SHEET = "xl/worksheets/sheet2.xml"
TEXTS = "xl/sharedStrings.xml"

Alter = Callable[..., Path]


def code_of(path: Path) -> str:
    [answer] = read_files([path])
    assert isinstance(answer, Unreadable)
    assert answer.sentence_en and answer.sentence_cy
    return answer.code


def test_the_unaltered_workbook_is_read(altered: Alter) -> None:
    [answer] = read_files([altered("same", {})])
    assert isinstance(answer, FileContent)
    assert [sheet.name for sheet in answer.sheets] == ["Cover", "Children"]


def test_a_stored_file_that_has_gone_is_not_blamed_on_its_sender(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_files([tmp_path / "gone.xlsx"])


def test_a_formatted_but_empty_far_cell_does_no_harm(altered: Alter) -> None:
    row = b'<row r="1048576"><c r="A1048576" s="1"/></row></sheetData>'
    path = altered("styled", {SHEET: lambda xml: xml.replace(b"</sheetData>", row)})
    [answer] = read_files([path])
    assert isinstance(answer, FileContent)
    assert len(answer.sheets[1].rows) == 2


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
        child.ask(with_mark(workbook, "bad.xlsx"), 60.0, password=None)
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
    reader = Reader()
    path = altered(
        "formatted", {SHEET: lambda xml: xml.replace(b"</sheetData>", empty + b"</sheetData>")}
    )
    answer = reader.read(path)
    reader.end()
    assert isinstance(answer, FileContent)
    assert (len(answer.sheets[1].rows), answer.sheets[1].filled_rows) == (2, 2)
    assert reader.slowest < 5 and reader.peak_mib < 256


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
