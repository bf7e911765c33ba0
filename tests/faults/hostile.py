"""Files made to harm whoever opens them, each with the code it has to be refused with."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping

SHEET = "xl/worksheets/sheet2.xml"
TEXTS = "xl/sharedStrings.xml"
BOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Change = Callable[[bytes], bytes]
# From a sound workbook and a sound zip of CSV files.
Maker = Callable[[bytes, bytes], bytes]


def altered(package: bytes, changes: Mapping[str, Change]) -> bytes:
    """A zip with parts changed or added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, changes[part](content) if part in changes else content)
        for part in changes.keys() - set(old.namelist()):
            new.writestr(part, changes[part](b""))
    return target.getvalue()


def _workbook(**changes: Change) -> Maker:
    names = {"sheet": SHEET, "texts": TEXTS, "book": BOOK, "styles": STYLES}
    return lambda workbook, _: altered(
        workbook, {names.get(name, name): change for name, change in changes.items()}
    )


def _plain(content: bytes) -> Maker:
    return lambda *_: content


def far_cell(reference: str) -> Change:
    """A value in a cell far away from the others."""
    row = re.sub("[A-Z]", "", reference)
    cell = f'<row r="{row}"><c r="{reference}"><v>1</v></c></row></sheetData>'.encode()
    return lambda xml: xml.replace(b"</sheetData>", cell)


def lying_count(xml: bytes) -> bytes:
    """A count of texts that nobody could hold."""
    return re.sub(rb'uniqueCount="\d+"', b'uniqueCount="4294967295"', xml)


def _doctype(xml: bytes) -> bytes:
    head, body = xml.split(b"?>", 1)
    return head + b'?><!DOCTYPE a [<!ENTITY b "bb">]>' + body


def _laughs(xml: bytes) -> bytes:
    """A billion laughs: each entity is ten of the one before."""
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    return xml.split(b"?>", 1)[0] + f"?><!DOCTYPE a [{entities}]>".encode() + b"<a>&a9;</a>"


def _error_far_away(xml: bytes) -> bytes:
    row = b'<row r="1048576"><c r="XFD1048576" t="e"/></row></sheetData>'
    return xml.replace(b"</sheetData>", row)


def _with_stated_size(workbook: bytes, _: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as package:
        size = package.getinfo(SHEET).file_size
    stated = size.to_bytes(4, "little")
    assert workbook.count(stated) >= 2  # local header and directory
    return workbook.replace(stated, (size // 2).to_bytes(4, "little"))


def _with_part(name: str) -> Maker:
    def make(_: bytes, bundle: bytes) -> bytes:
        return altered(bundle, {name: lambda _: b"child_reference\nA\n"})

    return make


def _many_csv_files(*_: bytes) -> bytes:
    return altered(_empty_zip(), {f"{number}.csv": lambda _: b"a\n" for number in range(51)})


def _empty_zip() -> bytes:
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    return target.getvalue()


def _encrypted(_: bytes, bundle: bytes) -> bytes:
    content = bytearray(bundle)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 1)
    return bytes(content)


def _many_parts(workbook: bytes, _: bytes) -> bytes:
    parts = {f"xl/media/{number}.png": lambda _: b"" for number in range(1000)}
    return altered(workbook, parts)


def _many_sheets(workbook: bytes, _: bytes) -> bytes:
    parts = {f"xl/worksheets/other{number}.xml": lambda _: b"" for number in range(20_000)}
    return altered(workbook, parts)


def _into_sheet(rows: bytes) -> Change:
    return lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>")


def _into_texts(texts: bytes) -> Change:
    return lambda xml: xml.replace(b"</sst>", texts + b"</sst>")


def _first_text(xml: bytes) -> bytes:
    text = b"<si><t>" + b"y" * 30_000 + b"</t></si>"
    return re.sub(rb"<si>.*?</si>", text, xml, count=1)


def _sharing(xml: bytes) -> bytes:
    rows = (b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(3, 90_000))
    return _into_sheet(b"".join(rows))(xml)


def _sheets_in_one_part(xml: bytes) -> bytes:
    sheets = (b'<sheet name="s%d" sheetId="%d" r:id="rId2"/>' % (n, n + 9) for n in range(20_000))
    return xml.replace(b"</sheets>", b"".join(sheets) + b"</sheets>")


def _reading_a_file(xml: bytes) -> bytes:
    head, body = xml.split(b"?>", 1)
    entity = b'?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return head + entity + body.replace(b"<t>", b"<t>&e;", 1)


def _csv(make: Callable[[], bytes]) -> Maker:
    return lambda *_: altered(_empty_zip(), {"child.csv": lambda _: make()})


_FAR = ["XFD1048576", "A200001", "SH2", "ZZZZZZ1", "A4294967295", "SF100000", "ZZZZZZ4294967295"]
_HIDDEN = b'<worksheet><sheetData><row><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'

HOSTILE: dict[str, tuple[str, Maker]] = {
    "a letter": ("F001", _plain(b"Dear colleague please find enclosed")),
    "a PDF": ("F001", _plain(b"%PDF-1.4\n1 0 obj, \x00\x01")),
    "a web page": ("F008", _plain(b"<html><table><tr><td>1</td></tr></table></html>")),
    "the beginning of a zip": ("F001", _plain(b"PK\x03\x04 and nothing more")),
    "an empty file": ("F005", _plain(b"")),
    "an old compound file": ("F001", _plain(OLE + bytes(600))),
    "a workbook with a password": (
        "F002",
        _plain(OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)),
    ),
    "an xls": ("F007", _plain(OLE + bytes(600) + "Workbook\0".encode("utf-16-le") + bytes(600))),
    "a Word document": (
        "F001",
        _plain(OLE + bytes(600) + "WordDocument\0".encode("utf-16-le") + bytes(600)),
    ),
    **{f"a value in {cell}": ("F003", _workbook(sheet=far_cell(cell))) for cell in _FAR},
    "an error in a far corner": ("F003", _workbook(sheet=_error_far_away)),
    "a far value on a sheet that no list names": (
        "F003",
        _workbook(**{"xl/worksheets/other.xml": lambda _: _HIDDEN}),
    ),
    "a count of texts that lies": ("F003", _workbook(texts=lying_count)),
    **{
        f"a document type in the {part}": ("F003", _workbook(**{part: _doctype}))
        for part in ("sheet", "texts", "book", "styles")
    },
    "a billion laughs": ("F003", _workbook(texts=_laughs)),
    "a thousand nested elements": (
        "F003",
        _workbook(**{"xl/deep.xml": lambda _: b"<a>" * 1000 + b"</a>" * 1000}),
    ),
    "a thousand pictures": ("F003", _many_parts),
    "a part larger than it says": ("F001", _with_stated_size),
    **{
        f"a part called {name}": ("F003", _with_part(name))
        for name in ("../child.csv", "/etc/child.csv", "C:\\child.csv", "a/../../b.csv")
    },
    "a zip with a password": ("F002", _encrypted),
    "a zip of 51 CSV files": ("F003", _many_csv_files),
    "a document that reads a file": ("F003", _workbook(texts=_reading_a_file)),
    "a blank text in the last cell": (
        "F003",
        _workbook(sheet=_into_sheet(b'<row r="9"><c r="XFD1048576" t="str"><v></v></c></row>')),
    ),
    "a blank inline text in the last cell": (
        "F003",
        _workbook(sheet=_into_sheet(b'<row r="9"><c r="XFD1048576" t="inlineStr"><is/></c></row>')),
    ),
}
QUICK = len(HOSTILE)
# As large as the limits of their kind allow, or larger by as little as shows the bar: these take a
# while to make.
HOSTILE |= {
    "20,000 parts": ("F003", _many_sheets),
    "20,000 sheets in one part": ("F003", _workbook(book=_sheets_in_one_part)),
    "more than a million texts": ("F003", _workbook(texts=_into_texts(b"<si/>" * 1_200_000))),
    "one text of 50 MB": (
        "F003",
        _workbook(
            texts=lambda xml: _into_texts(b"<si><t>" + b"x" * (50 << 20) + b"</t></si>")(xml)
        ),
    ),
    "a long text that all cells share": ("F003", _workbook(texts=_first_text, sheet=_sharing)),
    "120 MB of blanks": ("F003", _workbook(sheet=lambda xml: _into_sheet(b" " * (120 << 20))(xml))),
    "an attribute of 120 MB": (
        "F003",
        _workbook(sheet=lambda xml: _into_sheet(b'<row x="' + b"y" * (120 << 20) + b'"/>')(xml)),
    ),
    "a part of 160 MB": (
        "F003",
        _workbook(**{"xl/media/picture.png": lambda _: bytes(160 << 20)}),
    ),
    "elements two million deep": (
        "F003",
        _workbook(**{"xl/deep.xml": lambda _: b"<a>" * 2_000_000}),
    ),
    "five million elements": (
        "F003",
        _workbook(**{"xl/wide.xml": lambda _: b"<a>" + b"<b/>" * 5_000_000 + b"</a>"}),
    ),
    "a CSV line of commas": ("F003", _csv(lambda: b"a,b\n" + b"," * (15 << 20))),
    "a CSV file of quotes": ("F003", _csv(lambda: b"a,b\n" + b'"x' * (7 << 20))),
    "a CSV file of lines": ("F003", _csv(lambda: b"a,b\n" + b"1,2\n" * (4 << 20))),
    "a CSV file of blanks": ("F003", _csv(lambda: b"a,b\n" + b" " * (40 << 20))),
}
