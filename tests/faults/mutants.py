"""Returns of every form, and what becomes of them when they are altered at random.

Templates and synthetic returns (xlsx, ods and zips of CSV files) are altered in the XML of a part,
in the package, in its bytes. The same generator of random numbers gives the same mutants.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read
from pipelines.readers.content import FileContent
from pipelines.samples.population import population
from pipelines.settings import SOURCES
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return, write_template

QUARTER = Quarter(2020, 1)
SENDER = "W06000015"  # Cardiff
DAMAGED_BYTES = ("flipped", "cut", "joined")  # kinds that leave the XML alone
_NUMBERS = [b"0", b"-1", b"1", b"4294967295", b"1048576", b"1048577", b"16384", b"99999999999999"]
_NUMBERS += [b"1e308", b"NaN", b"", b"45000.5", b"60"]
_REFERENCES = [b"XFD1048576", b"ZZZZZZ4294967295", b"A0", b"A1", b"$B$2", b"SF200", b"1A", b"a3"]
_PIECES = [b"<c", b"</c>", b'r="A1"', b"<v>", b"<!--", b"<![CDATA[", b"&amp;", b"&#0;", b"\x00"]
_PIECES += [b'table:number-rows-repeated="1048576"', b't="s"', b't="e"', b't="inlineStr"', b'"']


@dataclass(frozen=True)
class Mutant:
    """One altered file: in which way, its bytes, and the number of the sound file."""

    kind: str
    content: bytes
    seed_number: int


def sound_files(folder: Path) -> list[Path]:
    """The files that mutants are made of: templates and filled-in returns of every form."""
    declarations = Declarations(SOURCES)
    rows = dict(population(declarations, QUARTER, QUARTER).rows(SENDER, QUARTER))
    rows["child"] = rows["child"][:40]
    cover = {
        "sender_code": SENDER,
        "quarter": QUARTER.label,
        "version": 1,
        "signed_off_by_role": "Synthetic test",
        "signed_off_on": date(2020, 7, 20),
        "is_synthetic": "yes",
    }
    files = [folder / name for name in ("a.xlsx", "b.xlsx", "c.xlsx", "d.zip", "e.ods")]
    write_template(files[0], declarations, QUARTER)
    write_return(files[1], declarations, QUARTER, cover, rows)
    write_return(files[2], declarations, QUARTER, cover, rows, "cy")
    write_csv_return(files[3], declarations, QUARTER, cover, rows)
    files[4].write_bytes(as_ods(read(files[1])))
    return files


def as_ods(content: FileContent) -> bytes:
    """The same sheets as an OpenDocument spreadsheet; every value is a text."""
    uses = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    tables = []
    for sheet in content.sheets:
        lines = "".join(
            "<table:table-row>" + "".join(_ods_cell(cell) for cell in row) + "</table:table-row>"
            for row in sheet.rows
        )
        tables.append(f'<table:table table:name="{escape(sheet.name)}">{lines}</table:table>')
    body = "".join(tables)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("META-INF/manifest.xml", "<manifest/>")
        package.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {uses}><office:body>'
            f"<office:spreadsheet>{body}</office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return target.getvalue()


def _ods_cell(text: str | None) -> str:
    if text is None:
        return "<table:table-cell/>"
    return (
        f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p>'
        "</table:table-cell>"
    )


class Mutants:
    """Makes mutants of sound files, whose parts are unpacked once."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._sound = [path.read_bytes() for path in files]
        self._parts = []
        for content in self._sound:
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                self._parts.append({name: package.read(name) for name in package.namelist()})

    def one(self, chance: random.Random) -> Mutant:
        """A mutant of one of the files, in one of the ways."""
        number = chance.randrange(len(self._sound))
        (kind,) = chance.choices(_KINDS, _WEIGHTS)
        if kind in _OF_PARTS:
            content = _with_altered_parts(self._parts[number], _OF_PARTS[kind], chance)
        elif kind == "package":
            content = _with_altered_package(self._parts[number], chance)
        else:
            content = damaged(self._sound[number], kind, chance)
        return Mutant(kind, content, number)


def _with_altered_parts(
    parts: dict[str, bytes], alter: Callable[[bytes, random.Random], bytes], chance: random.Random
) -> bytes:
    altered = dict(parts)
    # Sheets, texts and the workbook are what a parser looks at: most mutants are of those.
    names = [name for name in parts if re.search("sheet|shared|content|workbook|csv", name)]
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        name = chance.choice(names if chance.random() < 0.85 else list(parts))
        altered[name] = alter(altered[name], chance)
    return _zipped(altered)


def _with_altered_package(parts: dict[str, bytes], chance: random.Random) -> bytes:
    altered, names = dict(parts), list(parts)
    name, other = chance.choice(names), chance.choice(names)
    way = chance.randrange(4)
    if way == 0:
        del altered[name]
    elif way == 1:
        altered[name], altered[other] = altered[other], altered[name]
    elif way == 2:
        altered[name] = b""
    else:
        altered[name] = altered[name][: chance.randrange(len(altered[name]) + 1)]
    return _zipped(altered)


def damaged(content: bytes, kind: str, chance: random.Random) -> bytes:
    """A file that was flipped in places, cut, or has lost a stretch, by ``kind``."""
    if kind == "cut":
        return content[: chance.randrange(len(content))]
    if kind == "joined":
        start = chance.randrange(len(content))
        return content[:start] + content[start + chance.randrange(1, 4000) :]
    flipped = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return target.getvalue()


def _some_bytes(content: bytes, chance: random.Random) -> bytes:
    altered = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(altered) + 1)
        altered[place : place + chance.randint(0, 2)] = bytes(
            chance.randrange(256) for _ in range(chance.randint(0, 2))
        )
    return bytes(altered)


def _numbers(content: bytes, chance: random.Random) -> bytes:
    return _one_match(rb'(?<=[">])[0-9.]+(?=["<])', _NUMBERS, content, chance)


def _references(content: bytes, chance: random.Random) -> bytes:
    return _one_match(rb'(?<=r=")[A-Z]*[0-9]+(?=")', _REFERENCES, content, chance)


def _one_match(
    pattern: bytes, instead: list[bytes], content: bytes, chance: random.Random
) -> bytes:
    matches = list(re.finditer(pattern, content))
    for match in chance.sample(matches, min(len(matches), chance.choice([1, 1, 2, 5]))):
        length = match.end() - match.start()
        new = chance.choice(instead)
        content = (
            content[: match.start()] + new[:length].ljust(length, b"0") + content[match.end() :]
        )
    if matches and chance.random() < 0.5:
        match = chance.choice(matches)
        content = content[: match.start()] + chance.choice(instead) + content[match.end() :]
    return content


def _elements(content: bytes, chance: random.Random) -> bytes:
    """One stretch from a tag to another is taken out, doubled or put elsewhere."""
    tags = [match.start() for match in re.finditer(b"<", content)]
    if len(tags) < 3:
        return content
    start = chance.randrange(len(tags) - 1)
    stop = min(start + chance.choice([1, 1, 2, 3, 8]), len(tags) - 1)
    piece = content[tags[start] : tags[stop]]
    way = chance.randrange(3)
    if way == 0:
        return content[: tags[start]] + content[tags[stop] :]
    if way == 1:
        return content[: tags[stop]] + piece + content[tags[stop] :]
    target = chance.choice(tags)
    return content[:target] + piece + content[target:]


def _attributes(content: bytes, chance: random.Random) -> bytes:
    matches = list(re.finditer(rb' [\w:-]+="[^"<]*"', content))
    if not matches:
        return content
    match, other = chance.choice(matches), chance.choice(matches)
    new = chance.choice([b"", other.group(), match.group() * 2, b' t="s"', b' r="B2"', b' s="1"'])
    return content[: match.start()] + new + content[match.end() :]


def _pieces(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.choice(_PIECES) + content[place:]


_OF_PARTS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": _some_bytes,
    "numbers": _numbers,
    "references": _references,
    "elements": _elements,
    "attributes": _attributes,
    "pieces": _pieces,
}
_KINDS = [*_OF_PARTS, "package", *DAMAGED_BYTES]
_WEIGHTS = [3] * len(_OF_PARTS) + [2, 3, 2, 1]
