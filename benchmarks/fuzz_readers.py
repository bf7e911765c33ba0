"""Thousands of damaged returns, read as any other: does anything die, hang, swell or get lost?

    python benchmarks/fuzz_readers.py --mutants 20000 --seed 1

Templates and synthetic returns (xlsx, ods and zips of CSV files) are altered at random: in the
XML of a part, in the package, in its bytes. Every mutant goes through the reading process and the
layout. It must come out as rows or as a refusal with a code; a file whose bytes alone were
damaged must be refused or give exactly the rows of the sound one. Prints a table and ends with 1
if a limit was missed. The same seed gives the same mutants.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read, read_each
from pipelines.readers.content import FileContent, Unreadable
from pipelines.readers.layout import lay_out
from pipelines.samples.population import population
from pipelines.settings import SOURCES
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return, write_template

SECONDS_ALLOWED = 10.0
BYTES_ALLOWED = 1024**3
QUARTER = Quarter(2020, 1)
SENDER = "W06000015"  # Cardiff
BATCH = 250
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


@dataclass
class Tally:
    """What became of the mutants."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: float = 0.0
    slow: int = 0
    changed: int = 0  # damaged bytes that gave other rows
    failures: list[str] = field(default_factory=list)

    def note(self, kind: str, outcome: str, seconds: float) -> None:
        self.outcomes.setdefault(kind, Counter())[outcome] += 1
        self.slowest = max(self.slowest, seconds)
        self.slow += seconds > SECONDS_ALLOWED


def sound_files(folder: Path) -> list[Path]:
    """The files that mutants are made of: templates and filled-in returns of every form."""
    declarations = Declarations(SOURCES)
    rows = dict(population(declarations, QUARTER, QUARTER).rows(SENDER, QUARTER))
    rows["child"] = rows["child"][:40]
    cover = {
        "sender_code": SENDER,
        "quarter": QUARTER.label,
        "version": 1,
        "signed_off_by_role": "Synthetic benchmark",
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


def mutants(files: list[Path], count: int, seed: int) -> Iterator[Mutant]:
    """``count`` mutants of the files; the same seed gives the same ones."""
    chance = random.Random(seed)
    sound = [path.read_bytes() for path in files]
    parts = []
    for content in sound:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts.append({name: package.read(name) for name in package.namelist()})
    kinds = [*_OF_PARTS, "package", *DAMAGED_BYTES]
    weights = [3] * len(_OF_PARTS) + [2, 3, 2, 1]
    for _ in range(count):
        number = chance.randrange(len(sound))
        (kind,) = chance.choices(kinds, weights)
        if kind in _OF_PARTS:
            content = _with_altered_parts(parts[number], _OF_PARTS[kind], chance)
        elif kind == "package":
            content = _with_altered_package(parts[number], chance)
        else:
            content = _with_damaged_bytes(sound[number], kind, chance)
        yield Mutant(kind, content, number)


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


def _with_damaged_bytes(content: bytes, kind: str, chance: random.Random) -> bytes:
    if kind == "cut":
        return content[: chance.randrange(len(content))]
    if kind == "joined":
        start = chance.randrange(len(content))
        return content[:start] + content[start + chance.randrange(1, 4000) :]
    damaged = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


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


def fuzz(count: int, seed: int, progress: Callable[[int], None] = lambda done: None) -> Tally:
    """Read ``count`` mutants and count the outcomes. Raises whatever kills the caller."""
    declarations = Declarations(SOURCES)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="adoption-fuzz-") as name:
        folder = Path(name)
        files = sound_files(folder)
        expected = [(read(path).form, read(path).sheets) for path in files]
        made = mutants(files, count, seed)
        done = 0
        while batch := list(islice(made, BATCH)):
            paths = []
            for index, mutant in enumerate(batch):
                paths.append(folder / f"mutant{index}")
                paths[-1].write_bytes(mutant.content)
            answers: Any = read_each(paths)  # a generator: closing it ends the reading process
            for mutant in batch:
                began = time.perf_counter()
                answer = next(answers)
                seconds = time.perf_counter() - began
                if isinstance(answer, Unreadable):
                    tally.note(mutant.kind, answer.code, seconds)
                    continue
                tally.note(mutant.kind, "read", seconds)
                _look(mutant, answer, expected, declarations, tally)
            answers.close()
            done += len(batch)
            progress(done)
    return tally


def _look(
    mutant: Mutant,
    answer: FileContent,
    expected: Sequence[tuple[str, list]],
    declarations: Declarations,
    tally: Tally,
) -> None:
    """What was read must lie in rows that are all accounted for, and be what the file held."""
    lay_out(answer, declarations, "S1")
    form, sheets = expected[mutant.seed_number]
    if mutant.kind in DAMAGED_BYTES and answer.form == form and answer.sheets != sheets:
        tally.changed += 1
    if any(sheet.filled_rows is None for sheet in answer.sheets):
        tally.failures.append(f"{mutant.kind}: rows were not counted")


def largest_child() -> int:
    """Bytes the largest reading process held; 0 where nobody counts (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--mutants", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    began = time.perf_counter()
    tally = fuzz(chosen.mutants, chosen.seed, lambda done: _progress(done, chosen.mutants))
    codes = sorted({code for counts in tally.outcomes.values() for code in counts})
    print(f"\n{'':14}" + "".join(f"{code:>9}" for code in codes) + f"{'all':>9}")
    for kind, counts in sorted(tally.outcomes.items()):
        line = "".join(f"{counts[code]:9}" for code in codes)
        print(f"{kind:14}{line}{counts.total():9}")
    peak = largest_child()
    print(
        f"\n{chosen.mutants} mutants (seed {chosen.seed}) in {time.perf_counter() - began:.0f} s; "
        f"slowest {tally.slowest:.1f} s, {tally.slow} over {SECONDS_ALLOWED:.0f} s; "
        f"largest reading process {peak / 1024**2:.0f} MiB; "
        f"{tally.changed} files of damaged bytes gave other rows"
    )
    for failure in tally.failures[:20]:
        print(failure)
    if tally.slow or tally.changed or tally.failures or peak > BYTES_ALLOWED:
        raise SystemExit(1)


def _progress(done: int, of: int) -> None:
    print(f"\r{done} of {of}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
