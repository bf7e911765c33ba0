"""Rooms that are damaged or lost, who may read them, and what of a return is in them."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, sha256_of, write_csv
from pipelines.intake.conservation import ConservationError, is_of_a_batch, refuse_unless_conserved
from pipelines.intake.pseudonyms import KeyFileError, check_key
from pipelines.intake.rebuild import rebuild
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.publication import enter_export
from pipelines.publishing.internal_files import export_quarter
from pipelines.publishing.verification import verify
from pipelines.settings import Settings
from tests.faults.table import Trial, fault
from tests.small_data import CARDIFF, FIRST, LAST, SmallData, digests
from tests.unit import returns_made


@pytest.fixture(scope="module")
def exported(
    small_data_made: SmallData,
    declarations: Declarations,
    tmp_path_factory: pytest.TempPathFactory,
) -> SmallData:
    """The small data folder with an export. Whoever damages it mends it."""
    small_data = small_data_made.copy_to(tmp_path_factory.mktemp("exported"))
    settings = small_data.settings
    before = os.umask(0o077)
    with Ledger(settings.ledger).held():
        export = export_quarter(settings, declarations, LAST)
        checksums = sha256_of(export.folder / CHECKSUMS)
        enter_export(settings, LAST, export.version, checksums, datetime.now(UTC))
    os.umask(before)
    assert verify(settings, declarations).faults == []
    return small_data


# --- damage -------------------------------------------------------------------------------------

# Locks hold nothing; names of files and the id of the key are compared by nobody but their use.
NOT_COMPARED = ("ledger.lock", "file_names.json", "key_id")


def _files(settings: Settings) -> dict[str, list[Path]]:
    """The files of each room, and the ledger's."""
    rooms = {
        name: sorted(path for path in (settings.data / name).rglob("*") if path.is_file())
        for name in ("raw", "validated", "marts", "exports")
    }
    rooms["received"] = sorted(settings.received.iterdir())
    rooms["ledger"] = [settings.ledger, settings.ledger.with_name("ledger.head")]
    return {
        room: [path for path in paths if path.name not in NOT_COMPARED]
        for room, paths in rooms.items()
    }


def _damaged(content: bytes, chance: Random) -> bytes:
    kind = chance.choice(["flip", "flip", "flip", "cut"])
    if kind == "cut":
        return content[: chance.randrange(len(content))]
    flipped = bytearray(content)
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


@fault(
    "F13",
    what="One file of raw, validated, marts (databases and Parquet), exports, received files or "
    "the ledger has a bit flipped or its end cut off; at the end every file of raw and validated",
    bar="`verify` names the file; nothing is built from damaged rows; a damaged database gives an "
    "error or the numbers it had; `rebuild` makes raw and validated again, byte for byte",
    control="A validated file with a flipped bit, read by Polars: other values, and no error",
    unit="files",
    full=400,
    few=12,
)
def test_damage_in_every_room(
    trial: Trial, exported: SmallData, declarations: Declarations
) -> None:
    settings = exported.settings
    rooms = _files(settings)
    before = {
        name: digests(settings.marts / f"{name}.duckdb") for name in ("warehouse", "restricted")
    }
    hit: Counter[str] = Counter()
    for number, chance in enumerate(trial.each()):
        room = sorted(rooms)[number % len(rooms)]
        path = chance.choice(rooms[room])
        content = path.read_bytes()
        path.write_bytes(_damaged(content, chance))
        try:
            faults = verify(settings, declarations).faults
            named = str(path.parent) if room == "ledger" else str(path)
            assert any(named in fault for fault in faults) or (room == "ledger" and faults), path
            hit[room] += 1
            if room in ("raw", "validated") and is_of_a_batch(
                path.relative_to(settings.data / room)
            ):
                with pytest.raises(ConservationError, match="Nothing was built"):
                    refuse_unless_conserved(settings)
            if path.suffix == ".duckdb":
                _same_or_an_error(path, before[path.stem])
        finally:
            path.write_bytes(content)
    _rebuilt(settings, declarations, rooms, Random(trial.fault.seed))
    trial.notes.append(", ".join(f"{room} {count}" for room, count in sorted(hit.items())))

    child = next(path for path in rooms["validated"] if "/child/" in path.as_posix())
    other = sum(_other_values(child, Random(number)) for number in range(100))
    trial.control_failed(other, 100)


def _of_batches(settings: Settings, rooms: dict[str, list[Path]]) -> list[Path]:
    return [
        path
        for room in ("raw", "validated")
        for path in rooms[room]
        if is_of_a_batch(path.relative_to(settings.data / room))
    ]


def _same_or_an_error(path: Path, before: dict[str, tuple[int, int]]) -> None:
    try:
        now = digests(path)
    except duckdb.Error:
        return
    assert now == before


def _rebuilt(
    settings: Settings, declarations: Declarations, rooms: dict[str, list[Path]], chance: Random
) -> None:
    batches = _of_batches(settings, rooms)
    whole = {path: path.read_bytes() for path in batches}
    for path in batches:
        path.write_bytes(_damaged(whole[path], chance))
    before = os.umask(0o077)  # as the program sets it
    with Ledger(settings.ledger).held():
        assert rebuild(settings, declarations).obstacles == []
    os.umask(before)
    assert {path: path.read_bytes() for path in batches} == whole
    refuse_unless_conserved(settings)


def _other_values(path: Path, chance: Random) -> bool:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    try:
        return not pl.read_parquet(io.BytesIO(bytes(content))).equals(pl.read_parquet(path))
    except BaseException:  # a panic of Polars is no Exception
        return False


@fault(
    "F25",
    what="Received files, ledger and key are carried to an empty machine; nothing else is",
    bar="`build` refuses; `rebuild` gives the same validated rows byte for byte and every table of "
    "the warehouse as it was",
    control="Without the key",
    unit="recoveries",
    full=1,
    few=1,
)
def test_cold_recovery(trial: Trial, small_data: SmallData, declarations: Declarations) -> None:
    settings = small_data.settings
    before, rows = small_data.tables(), _rows(settings)
    for _ in trial.each():
        for path in settings.data.iterdir():
            if path.name != "landing":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(ConservationError, match="adoption rebuild"):
            refuse_unless_conserved(settings)
        small_data.run("rebuild")
        assert _rows(settings) == rows
        assert small_data.tables() == before
        assert verify(settings, declarations).faults == []
    settings.key_file.unlink()
    with pytest.raises(KeyFileError):
        check_key(settings)
    trial.control_failed(1, 1)


def _rows(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.data).as_posix(): path.read_bytes()
        for path in sorted(settings.validated.glob("*/*-Q?/*.parquet"))
    }


# --- who may read -------------------------------------------------------------------------------


@fault(
    "F18",
    what="Everything that take-in, build and export left, in a shell whose mask lets others read; "
    "and a key that others can read",
    bar="No file and no folder can be read by others, but releases; the key is refused",
    control="A file written under the same mask by a program that does not set its own",
    unit="files and folders",
    full=1,
    few=1,
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_nobody_else_may_read(trial: Trial, exported: SmallData, tmp_path: Path) -> None:
    settings = exported.settings
    # The folder itself was made by the test.
    open_to_others = [path for path in settings.data.rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []
    looked_at = sum(1 for _ in settings.data.rglob("*"))
    assert looked_at > 50
    for mode in (0o640, 0o604, 0o644):
        settings.key_file.chmod(mode)
        with pytest.raises(KeyFileError):
            check_key(settings)
    settings.key_file.chmod(0o600)
    check_key(settings)
    trial.done = trial.count
    trial.notes.append(f"{looked_at} files and folders")
    before = os.umask(0o022)
    (tmp_path / "plain").touch()
    os.umask(before)
    trial.control_failed(int(bool((tmp_path / "plain").stat().st_mode & 0o077)), 1)


# --- words of a return --------------------------------------------------------------------------


def texts_in(path: Path) -> Iterator[bytes]:
    """What a file says, unpacked: tables of Parquet and DuckDB, parts of a zip, or its bytes."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield _as_text(pl.read_parquet(path))
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables()"
            ).fetchall()
            for (name,) in tables:
                yield _as_text(connection.execute(f"from {name}").pl())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            for name in package.namelist():
                yield package.read(name)


def _as_text(frame: pl.DataFrame) -> bytes:
    return repr(frame.columns).encode() + "\n".join(map(repr, frame.iter_rows())).encode()


def places_with(words: Iterable[str], folder: Path) -> set[Path]:
    """Files below ``folder`` that say any of the words, by path inside it."""
    needles = [word.encode() for word in words]
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and any(needle in text for text in texts_in(path) for needle in needles)
    }


def _may_hold_it(path: Path) -> bool:
    """Rooms made to hold a return as it was sent, which are restricted."""
    return path.parts[0] == "raw" or path.parts[:2] in (
        ("landing", "received"),
        ("landing", "file_names.json"),
    )


@fault(
    "F17",
    what="The references of all children, and the names of all files, after take-in, build and "
    "export, are looked for in every file, tables and archives unpacked",
    bar="They are in received files, raw and the list of file names, and nowhere else",
    control="The same search where they are allowed",
    unit="words",
    full=1,
    few=1,
)
def test_references_and_file_names(trial: Trial, exported: SmallData) -> None:
    settings = exported.settings
    raw = pl.read_parquet(settings.raw / "child" / "*" / "*.parquet")
    words = set(raw["child_reference"].drop_nulls().to_list())
    words |= {item.name for item in Ledger(settings.ledger).submissions()}
    assert len(words) > 20 and all(len(word) > 5 for word in words)
    found = places_with(words, settings.data)
    assert {path for path in found if not _may_hold_it(path)} == set()
    trial.done = trial.count
    trial.notes.append(f"{len(words)} words")
    trial.control_failed(len(found), len(found))


CANARIES = {
    name: f"Quibbl{number}sworth"
    for number, name in enumerate(
        ("reference", "code", "date", "undeclared", "sheet", "role", "file", "refused")
    )
}


def _with_canaries(path: Path) -> Path:
    """A return in which whatever somebody can write is a word that is nowhere else."""
    rows = returns_made.children(12)
    rows[0]["child_reference"] = CANARIES["reference"]
    returns_made.workbook(
        path,
        rows,
        quarter=FIRST,
        sender_code=CARDIFF,
        signed_off_by_role=CANARIES["role"],
        version=2,
    )
    book: Any = openpyxl.load_workbook(path)
    sheet = book["Children"]
    titles = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(3, titles["Sex"], CANARIES["code"])
    sheet.cell(4, titles["Date of birth"], CANARIES["date"])
    sheet.cell(1, sheet.max_column + 1, "Remarks")
    sheet.cell(5, sheet.max_column, CANARIES["undeclared"])
    book.create_sheet(CANARIES["sheet"])["A1"] = CANARIES["sheet"]
    book.save(path)
    return path


@fault(
    "F17",
    what="A return with a word of its own in a reference, a code, a date, a column nobody asked "
    "for, a sheet's name, the cover, its file's name; and a damaged file called by another. Taken "
    "in, reported, built, published, explained; a build that fails, a release that is refused",
    bar="The words are in received files, raw and the list of file names; in nothing that was "
    "printed but the file's name",
    control="The same search where they are allowed",
    unit="runs",
    full=1,
    few=0,
)
def test_canaries(trial: Trial, small_data: SmallData, tmp_path: Path) -> None:
    settings = small_data.settings
    sent = _with_canaries(tmp_path / f"{CANARIES['file']}.xlsx")
    broken = tmp_path / f"{CANARIES['refused']}.xlsx"
    broken.write_bytes(sent.read_bytes()[:-400] + CANARIES["refused"].encode())
    os.utime(broken, (1, 1))
    printed: list[str] = []

    def run(*arguments: str) -> None:
        started = small_data.start(*arguments)
        started.process.wait(1800)
        printed.append(started.printed)
        started.output.unlink()

    for _ in trial.each():
        run("take-in", str(sent), str(broken))
        last, refused = Ledger(settings.ledger).submissions()[-2:]
        assert refused.refusal_code == "F001"
        run("report", last.submission_id)
        run("build")
        run("publish", FIRST.label)
        run("explain", "W05", "Cardiff", FIRST.label, "--children")
        run("release", "NAS", FIRST.label, "--role", "national_director")
        damaged = next(settings.validated.glob(f"child/{FIRST.label}/*.parquet"))
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:-9])
        run("build")
        damaged.write_bytes(whole)
        run("doctor")
    found = places_with(CANARIES.values(), settings.data)
    assert {path for path in found if not _may_hold_it(path)} == set()
    inside = set(CANARIES.values()) - {CANARIES["file"], CANARIES["refused"]}
    assert not [word for word in inside if any(word in text for text in printed)]
    assert {path.parts[0] for path in found} == {"landing", "raw"}
    trial.control_failed(len(found), len(found))


# --- formulas -----------------------------------------------------------------------------------

STARTS = ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20", " =", "  @"]


def _nasty(chance: Random) -> str:
    rest = chance.choice(["1+1", "cmd|'/c calc'!A0", 'HYPERLINK("http://x","y")', "SUM(A1)"])
    return chance.choice(STARTS) + rest + chance.choice(["", "\n", '"', ","])


def _could_be_a_formula(text: str) -> bool:
    return text.strip(" ")[:1] in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


@fault(
    "F19",
    what="Texts that a spreadsheet takes for a formula are written to a CSV file as exports, "
    "releases and reports write it, and read back",
    bar="None begins as a formula does, and without the apostrophe each is what it was",
    control="The CSV of Polars",
    unit="texts",
    full=20_000,
    few=200,
)
def test_no_text_becomes_a_formula(trial: Trial, tmp_path: Path) -> None:
    texts = [_nasty(chance) for chance in trial.each()]
    frame = pl.DataFrame({"place": texts, "number": range(len(texts))})
    path = tmp_path / "figures.csv"
    write_csv(frame, path)
    back = pl.read_csv(path)["place"].to_list()
    assert not [text for text in back if _could_be_a_formula(text)]
    assert [text.removeprefix("'") for text in back] == texts
    frame.write_csv(path)
    plain = sum(map(_could_be_a_formula, pl.read_csv(path)["place"].to_list()))
    trial.control_failed(plain, len(texts))
