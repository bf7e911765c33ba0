"""Files that are damaged, altered, hostile or ugly: refused with a reason, or read to the row."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.lifecycle.ledger import Ledger
from pipelines.readers.content import FileContent, SheetContent, Unreadable
from pipelines.readers.layout import lay_out
from pipelines.readers.refusals import REFUSALS
from pipelines.settings import Settings
from tests.faults.hostile import HOSTILE, QUICK, SHEET, TEXTS, altered, far_cell, lying_count
from tests.faults.mutants import DAMAGED_BYTES, Mutants, sound_files
from tests.faults.reading import Reader, kills_the_parser
from tests.faults.table import Trial, fault
from tests.unit import returns_made


@pytest.fixture
def reader() -> Iterator[Reader]:
    one = Reader()
    yield one
    one.end()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A template, returns in English and Welsh, a zip of CSV files, an OpenDocument return."""
    return sound_files(tmp_path_factory.mktemp("sound"))


def _killers(sound: Path, folder: Path) -> list[Path]:
    """Workbooks that end a process which only hands them to the parser."""
    changes = {
        "far": {SHEET: far_cell("XFD1048576")},
        "texts": {TEXTS: lying_count},
        "beyond": {SHEET: far_cell("ZZZZZZ4294967295")},
    }
    paths = []
    for name, change in changes.items():
        paths.append(folder / f"{name}.xlsx")
        paths[-1].write_bytes(altered(sound.read_bytes(), change))
    return paths


CUTS, FLIPS = 20, 200  # of each sound file


def _damages(files: int) -> list[tuple[int, str, int]]:
    """File, kind and number of every damage, in an order of their own."""
    every = [(file, "cut", number) for file in range(files) for number in range(CUTS)]
    every += [(file, "flip", number) for file in range(files) for number in range(FLIPS)]
    Random(5).shuffle(every)
    return every


@fault(
    "F5",
    what="A template, returns in two languages, a zip of CSV files, an OpenDocument return, each "
    f"cut at {CUTS} places or with a bit flipped at {FLIPS}, are received with a sound one",
    bar="Refused with a code and a sentence, or the sheets are those of the sound file; the sound "
    "one is received, and the bytes of every file are kept as they came",
    control="A bit flipped in a CSV file on its own, which has no checksum, read by Polars",
    unit="files",
    full=5 * (CUTS + FLIPS),
    few=40,
)
def test_damaged_uploads(
    trial: Trial, sound: list[Path], reader: Reader, settings: Settings, declarations: Declarations
) -> None:
    expected = [reader.read(path) for path in sound]
    damages = _damages(len(sound))
    folder = settings.inbox
    folder.mkdir(parents=True)
    arrivals: list[Arrival] = []
    made: dict[str, int] = {}  # number of the sound file by name
    for number, chance in enumerate(trial.each()):
        of, kind, step = damages[number]
        content = sound[of].read_bytes()
        if kind == "cut":
            content = content[: len(content) * step // CUTS]
        else:
            place = min(len(content) - 1, len(content) * step // FLIPS + chance.randrange(20))
            content = _flipped(content, place, chance)
        path = folder / f"{number:05d}{sound[of].suffix}"
        path.write_bytes(content)
        made[path.name] = of
        arrivals.append(Arrival(path, datetime(2020, 7, 20, tzinfo=UTC)))
    last = folder / "sound.xlsx"
    last.write_bytes(sound[1].read_bytes())
    arrivals.append(Arrival(last, datetime(2020, 7, 20, tzinfo=UTC)))
    with Ledger(settings.ledger).held():
        received = receive(settings, declarations, arrivals)
    assert received[-1].is_waiting or received[-1].duplicate_of  # of an undamaged cut, if at all
    refused = 0
    first = {item.submission_id: item for item in received}
    for item in received[:-1]:
        # Two cut to the same bytes, and received together, are one and its duplicate.
        judged = first[item.duplicate_of] if item.duplicate_of else item
        assert judged.sha256 == item.sha256
        answer = reader.read(stored_file(settings, judged))
        if isinstance(answer, Unreadable):
            assert judged.refusal_code == answer.code and judged.refusal_sentence_en
            refused += 1
        else:
            assert _sheets(answer) == _sheets(expected[made[item.name]])
    assert len(received) == trial.count + 1
    trial.notes.append(f"{refused:,} refused, {trial.count - refused:,} unchanged in every cell")

    with zipfile.ZipFile(sound[3]) as package:
        plain = package.read("child.csv")
    silent = 0
    for number in range(20):
        chance = Random(number)
        flipped = _flipped(plain, chance.randrange(len(plain)), chance)
        try:
            silent += not pl.read_csv(flipped).equals(pl.read_csv(plain))
        except (pl.exceptions.PolarsError, UnicodeDecodeError):
            continue
    trial.control_failed(silent, 20)


def _flipped(content: bytes, place: int, chance: Random) -> bytes:
    damaged = bytearray(content)
    damaged[place] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _sheets(answer: FileContent | Unreadable) -> list[SheetContent]:
    assert isinstance(answer, FileContent)
    return answer.sheets


@fault(
    "F14",
    what="XML of parts, packages and bytes of templates and returns (xlsx, ods, zips of CSV) are "
    "altered at random and read",
    bar="The program lives on; each file is read to the row or refused with a code, within 10 s "
    "and 1 GiB; where only bytes were damaged the rows are those of the sound file",
    control="The parser alone, on a value in the last cell, a lying count of texts, a cell that "
    "there cannot be",
    unit="mutants",
    full=20_000,
    few=120,
)
def test_random_changes(
    trial: Trial, sound: list[Path], reader: Reader, declarations: Declarations, tmp_path: Path
) -> None:
    expected = [reader.read(path) for path in sound]
    make, path = Mutants(sound), tmp_path / "mutant"
    outcomes: Counter[str] = Counter()
    for chance in trial.each():
        mutant = make.one(chance)
        path.write_bytes(mutant.content)
        answer = reader.read(path)
        if isinstance(answer, Unreadable):
            assert answer.code in REFUSALS
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        lay_out(answer, declarations, "S1")
        assert all(sheet.filled_rows is not None for sheet in answer.sheets)
        before = expected[mutant.seed_number]
        assert isinstance(before, FileContent)
        if mutant.kind in DAMAGED_BYTES and answer.form == before.form:
            assert answer.sheets == before.sheets
    assert reader.slowest <= 10.0
    assert reader.peak_mib <= 1024
    assert outcomes["read"] > trial.count / 10 and outcomes["refused"] > trial.count / 10
    trial.notes.append(
        f"{outcomes['read']:,} read, {outcomes['refused']:,} refused; the reading process died "
        f"{reader.died} times; slowest {reader.slowest:.1f} s, largest {reader.peak_mib:.0f} MiB"
    )
    killers = _killers(sound[1], tmp_path)
    trial.control_failed(sum(map(kills_the_parser, killers)), len(killers))


@fault(
    "F15",
    what="Files made to harm: values in far corners, counts that lie, document types, entities, "
    "parts that swell, lead out of the zip or come by the thousand, passwords, other formats",
    bar="Each is refused with its code within 5 s and 256 MiB, and the next file is read",
    control="The parser alone, on three of them",
    unit="files",
    full=len(HOSTILE),
    few=QUICK,
)
def test_hostile_files(trial: Trial, sound: list[Path], reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    every = list(HOSTILE.items())
    for number, _ in enumerate(trial.each()):
        name, (code, make) = every[number]
        path.write_bytes(make(sound[1].read_bytes(), sound[3].read_bytes()))
        answer = reader.read(path)
        assert isinstance(answer, Unreadable), name
        assert (name, answer.code) == (name, code)
        assert answer.sentence_en and answer.sentence_cy
        assert isinstance(reader.read(sound[1]), FileContent), f"after {name}"
    assert reader.slowest <= 5.0
    assert reader.peak_mib <= 256
    trial.notes.append(f"slowest {reader.slowest:.1f} s, largest {reader.peak_mib:.0f} MiB")
    killers = _killers(sound[1], tmp_path)
    trial.control_failed(sum(map(kills_the_parser, killers)), len(killers))


UGLY = os.environ.get("ADOPTION_UGLY_FILES", "")
ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv")


@pytest.mark.skipif(
    not UGLY, reason="ADOPTION_UGLY_FILES names a folder of them, which is not ours"
)
@fault(
    "F16",
    what="The test files of the parser calamine (github.com/tafia/calamine, folder tests, "
    "263762c8e9): spreadsheets that people found it wrong on",
    bar="Each is read or refused with a sentence; the rows of what is read are as many as openpyxl "
    "finds, where it opens the file; none passes for a return",
    control="Polars with its defaults, on the first sheet of those that were compared",
    unit="files",
    full=132,
    few=0,
)
def test_ugly_spreadsheets(trial: Trial, reader: Reader, declarations: Declarations) -> None:
    files = sorted(path for path in Path(UGLY).iterdir() if path.suffix in ENDINGS)
    outcomes: Counter[str] = Counter()
    lost = 0
    for number, _ in enumerate(trial.each()):
        path = files[number]
        answer = reader.read(path)
        if isinstance(answer, Unreadable):
            assert answer.sentence_en
            outcomes["refused"] += 1
            continue
        laid = lay_out(answer, declarations, "S1")
        assert any(problem.severity == "error" for problem in laid.problems), path.name
        outcomes["read"] += 1
        counted = _rows_by_openpyxl(path)
        if counted is not None:
            ours = {sheet.name: sheet.filled_rows for sheet in answer.sheets}
            assert {name: ours[name] for name in counted} == counted, path.name
            outcomes["counted"] += 1
            lost += _rows_by_polars_excel(path) != next(iter(counted.values()), 1) - 1
    trial.notes.append(
        f"{outcomes['read']} read, {outcomes['counted']} of them compared; "
        f"{outcomes['refused']} refused"
    )
    trial.control_failed(lost, outcomes["counted"])


def _rows_by_polars_excel(path: Path) -> int:
    """Rows below the headings; -1 where it raises."""
    try:
        return pl.read_excel(path).height
    except Exception:  # fastexcel and Polars have an error of their own for each
        return -1


def _rows_by_openpyxl(path: Path) -> dict[str, int] | None:
    """Rows that hold anything on each sheet, by a parser that is not ours; None where it fails, or
    where it would make a cell of everything in a large empty rectangle."""
    try:
        book = openpyxl.load_workbook(path, read_only=True)
        if any(
            (sheet.max_row or 0) * (sheet.max_column or 0) > 100_000 for sheet in book.worksheets
        ):
            return None
        return {
            sheet.title: sum(
                any(str(cell or "").strip() for cell in row)
                for row in sheet.iter_rows(values_only=True)
            )
            for sheet in book.worksheets
        }
    except Exception:  # whatever a parser makes of such a file
        return None


# --- every row accounted for -----------------------------------------------------------------


def _ragged(chance: Random) -> tuple[list[list[str]], int, list[str]]:
    """The lines of a sheet of children as somebody may keep it, with blank lines, lines of spaces,
    notes above and between, short lines; how many below the headings hold something; and the
    references of those that are children."""
    headings = ["child_reference", "date_of_birth", "sex", "referred_on"]
    lines = [["Return of the quarter"]] * chance.choice([0, 0, 0, 1, 2])
    lines = [list(line) for line in lines] + [headings]
    filled, references = 0, []
    for number in range(chance.randrange(1, 30)):
        kind = chance.choices(["row", "blank", "spaces", "one", "note"], [12, 2, 1, 1, 1])[0]
        line = {
            "row": [f"R{number:03d}", "2017-03-17", "female", "2020-08-03"],
            "blank": ["", "", "", ""],
            "spaces": [" ", "", "\t" * chance.randrange(2), ""],
            "one": ["", "", "male", ""],
            "note": [f"Moved from W\u0175, see note {number}"],
        }[kind]
        filled += kind in ("row", "one", "note")
        references += [line[0]] * (kind == "row")
        lines.append(line)
    return lines, filled, references


def _as_zip(lines: list[list[str]], cover: str, chance: Random) -> bytes:
    """A zip of CSV files with some line end, encoding, separator and quoting."""
    end = chance.choice(["\n", "\r\n", "\r"])
    encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16"])
    separator = chance.choice([",", ";", "\t"])
    text = io.StringIO(newline="")
    dialect = csv.unix_dialect if chance.random() < 0.5 else csv.excel  # quoted all, or as needed
    csv.writer(text, dialect, delimiter=separator, lineterminator=end).writerows(lines)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("cover.csv", cover)
        package.writestr("child.csv", text.getvalue().encode(encoding))
    return target.getvalue()


def _as_workbook(lines: list[list[str]], template: Path, path: Path) -> bytes:
    book = openpyxl.load_workbook(template)
    sheet: Any = book["Children"]
    sheet.delete_rows(1, sheet.max_row)
    for number, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            if value:
                sheet.cell(number, column, value)
    book.save(path)
    return path.read_bytes()


@fault(
    "F20",
    what="Sheets with blank lines, lines of spaces, notes above and below and lines of other "
    "lengths, as workbooks and as CSV of any line end, encoding, separator and quoting; their "
    "lines were counted when they were written",
    bar="Every line that holds anything is a row of the return, or a note that is left out and "
    "named; every child is there; or the file is refused with a code: no more than one in ten is",
    control="Polars with its defaults, on the same CSV files",
    unit="files",
    full=2_000,
    few=40,
)
def test_every_row_is_accounted_for(
    trial: Trial, reader: Reader, declarations: Declarations, tmp_path: Path
) -> None:
    template = returns_made.workbook(tmp_path / "template.xlsx", returns_made.children(1))
    bundle = returns_made.csv_zip(tmp_path / "bundle.zip", returns_made.children(1))
    with zipfile.ZipFile(bundle) as package:
        cover = package.read("cover.csv").decode("utf-8-sig")
    refused = lost = texts = left_out = 0
    path = tmp_path / "return"
    for number, chance in enumerate(trial.each()):
        lines, filled, references = _ragged(chance)
        if number % 4 == 0:
            path.write_bytes(_as_workbook(lines, template, tmp_path / "book.xlsx"))
        else:
            path.write_bytes(_as_zip(lines, cover, chance))
            texts += 1
            lost += _rows_by_polars(path) != filled
        answer = reader.read(path)
        laid = None if isinstance(answer, Unreadable) else lay_out(answer, declarations, "S1")
        if laid is None or "child" not in laid.returns:
            refused += 1
            continue
        read = laid.returns["child"]
        assert read.frame.height + read.rows_left_out == filled, number
        kept = read.frame["child_reference"].drop_nulls().to_list()
        assert [reference for reference in kept if reference in references] == references
        left_out += read.rows_left_out
        assert not read.rows_left_out or laid.repairs or laid.problems  # and they are named
        for account in laid.account:
            assert account.loaded + account.ignored == account.filled
    assert refused <= trial.count / 10
    trial.notes.append(f"{refused} refused; {left_out:,} notes left out and named")
    trial.control_failed(lost, texts)


def _rows_by_polars(path: Path) -> int:
    with zipfile.ZipFile(path) as package:
        try:
            return pl.read_csv(package.read("child.csv")).height
        except pl.exceptions.PolarsError:
            return -1
