"""A warehouse that can be deleted, rebuilt and read at any time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.samples.population import population
from pipelines.settings import CHECKOUT, Settings
from pipelines.templates.workbook import write_return
from pipelines.warehouse.published import open_warehouse
from tests.conftest import Sample
from tests.queries import first_row

CARDIFF = "W06000015"
QUARTER = Quarter(2020, 4)

COVER = {
    "sender_code": CARDIFF,
    "quarter": QUARTER.label,
    "version": 2,
    "signed_off_by_role": "Synthetic test",
    "signed_off_on": date(2021, 5, 20),
    "is_synthetic": "yes",
}

READER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
count = "select count(*), sum(numerator) from marts.fct_indicator"
print(connection.execute(count).fetchone(), flush=True)
sys.stdin.readline()
print(connection.execute(count).fetchone(), flush=True)
"""


@pytest.fixture
def copy(sample: Sample, tmp_path: Path) -> Settings:
    """The finished sample, in a place of its own to be changed."""
    shutil.copytree(sample.settings.data, tmp_path / "data")
    shutil.copytree(sample.settings.key_file.parent, tmp_path / "keys")
    return Settings(tmp_path / "data", tmp_path / "keys" / sample.settings.key_file.name)


def _adoption(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env={
            **os.environ,
            "ADOPTION_DATA": str(settings.data),
            "ADOPTION_KEY_FILE": str(settings.key_file),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def _tables(path: Path) -> dict[str, tuple]:
    """Rows and an order-free digest of every table."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": first_row(
                connection.execute(
                    f"select count(*), bit_xor(hash(t)) from {schema}.{name} t"  # noqa: S608
                )
            )
            for schema, name in names
        }


def test_a_deleted_warehouse_is_rebuilt_the_same_while_an_analyst_reads(copy):
    before = _tables(copy.warehouse), _tables(copy.restricted)
    assert sum(rows for rows, _ in before[0].values()) > 10_000
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(copy.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    seen = reader.stdout.readline()
    if os.name != "nt":  # Windows cannot delete what a reader holds open
        shutil.rmtree(copy.marts)
    built = _adoption(copy, "build")
    assert built.returncode == 0, built.stderr
    after = _tables(copy.warehouse), _tables(copy.restricted)
    said, _ = reader.communicate("\n")
    assert said == seen, "the analyst's open file changed under the query"
    assert after == before
    assert not list(copy.build.glob("*.duckdb*")), "the build leaves nothing behind"


def test_a_new_key_changes_every_pseudonym_and_no_figure(copy):
    before, children = _tables(copy.warehouse), _pseudonyms(copy)
    rotated = _adoption(copy, "key", "rotate")
    assert rotated.returncode == 0, rotated.stdout + rotated.stderr
    built = _adoption(copy, "build")
    assert built.returncode == 0, built.stderr
    assert _tables(copy.warehouse) == before
    now = _pseudonyms(copy)
    assert len(now) == len(children) > 100 and not now & children


def test_an_erased_child_is_found_nowhere_and_what_was_published_stays(copy):
    raw = pl.read_parquet(copy.raw / "child" / QUARTER.label, columns=["child_reference"])
    reference = raw["child_reference"].drop_nulls()[0]
    sender = pl.read_parquet(copy.raw / "child" / QUARTER.label)["sender_code"][0]
    exports = _bytes_of(copy.exports)
    erased = _adoption(
        copy,
        *("erase", "child", "--sender", sender, "--reference", reference),
        *("--role", "national_data_lead", "--because", "Request that the authority confirmed"),
    )
    assert erased.returncode == 0, erased.stdout + erased.stderr
    assert "Nothing of it is found in any room" in erased.stdout
    assert reference not in erased.stdout + erased.stderr
    assert _bytes_of(copy.exports) == exports
    verified = _adoption(copy, "verify")
    assert verified.returncode == 0, verified.stdout


def _bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _pseudonyms(settings: Settings) -> set[str]:
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        query = "select distinct child_pseudonym from marts.fct_child_measure"
        return {pseudonym for (pseudonym,) in connection.execute(query).fetchall()}


def test_one_more_return_changes_the_figures_and_a_broken_one_does_not(
    copy, declarations, tmp_path
):
    placed = _placed(copy)
    rows = dict(population(declarations, Quarter(2018, 1), QUARTER).rows(CARDIFF, QUARTER))
    gone = next(row for row in rows["child"] if _is_placed_now(row))
    rows["child"] = [row for row in rows["child"] if row is not gone]
    corrected = tmp_path / "corrected.xlsx"
    write_return(corrected, declarations, QUARTER, COVER, rows)

    taken = _adoption(copy, "take-in", str(corrected))
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert corrected.exists(), "the sender's own file stays where it is"
    assert _adoption(copy, "build").returncode == 0
    assert _placed(copy) == placed - 1

    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(corrected.read_bytes()[:2000])
    arriving = _adoption(copy, "take-in", "--wait", "0", str(broken))
    assert arriving.returncode == 1 and "still arriving" in arriving.stdout
    long_ago = time.time() - 120
    os.utime(broken, (long_ago, long_ago))  # it lies still, so nobody is copying it
    refused = _adoption(copy, "take-in", str(broken))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stdout + refused.stderr
    last = Ledger(copy.ledger).submissions()[-1]
    assert (last.status, last.refusal_code) == ("refused", "F001")
    assert _adoption(copy, "build").returncode == 0
    assert _placed(copy) == placed - 1


def test_the_code_location_loads_from_the_workspace_file():
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def _placed(settings: Settings) -> int:
    with open_warehouse(settings) as connection:
        result = connection.execute(
            "select numerator from marts.fct_indicator where indicator_id = 'W06'"
            " and place_code = ? and quarter = ? and window_name = 'quarter'",
            [CARDIFF, QUARTER.label],
        )
        return first_row(result)[0]


def _is_placed_now(row: dict) -> bool:
    day = row.get("placed_on")
    return day is not None and QUARTER.first_day <= day <= QUARTER.last_day


def test_two_files_of_one_name_are_both_taken_in_and_an_old_refusal_is_told_once(
    copy, declarations, tmp_path
):
    quarter = Quarter(2020, 3)
    people = population(declarations, Quarter(2018, 1), QUARTER)
    files = []
    for sender, when in ((CARDIFF, QUARTER), ("W06000013", quarter)):
        path = tmp_path / sender / "return.xlsx"
        path.parent.mkdir()
        cover = {**COVER, "sender_code": sender, "quarter": when.label}
        write_return(path, declarations, when, cover, people.rows(sender, when))
        files.append(str(path))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"not a workbook")

    refused = _adoption(copy, "take-in", str(broken))
    assert refused.returncode == 1
    taken = _adoption(copy, "take-in", *files)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    last = Ledger(copy.ledger).submissions()[-2:]
    assert [(item.sender_code, item.is_accepted) for item in last] == [
        (CARDIFF, True),
        ("W06000013", True),
    ]


def test_a_build_as_of_a_day_leaves_the_published_warehouse_alone(copy):
    before = _tables(copy.warehouse)
    built = _adoption(copy, "build", "--as-of", "2019-12-01")
    assert built.returncode == 0, built.stderr
    assert _tables(copy.warehouse) == before
    earlier = copy.marts / "as_of" / "2019-12-01T000000" / "warehouse.duckdb"
    with duckdb.connect(str(earlier), read_only=True) as connection:
        last = connection.execute(
            "select max(quarter) from marts.fct_return where status = 'accepted'"
        ).fetchone()
    assert last == ("2019-20-Q2",)


def _first(settings: Settings, pattern: str) -> Path:
    return sorted(settings.validated.glob(pattern))[0]


def _lose_a_quarter(settings: Settings) -> Path:
    lost = settings.validated / "child" / "2020-21-Q3"
    shutil.rmtree(lost)
    return lost


def _flip_a_bit(settings: Settings) -> Path:
    path = _first(settings, "child/2020-21-Q3/*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


def _truncate(settings: Settings) -> Path:
    path = _first(settings, "adopter/2020-21-Q3/*.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    return path


def _add_a_file(settings: Settings) -> Path:
    path = _first(settings, "child/2020-21-Q3/*.parquet")
    return Path(shutil.copyfile(path, path.with_name("copy.parquet")))


@pytest.mark.parametrize("damage", [_lose_a_quarter, _flip_a_bit, _truncate, _add_a_file])
def test_a_build_stops_at_damaged_rows_and_publishes_nothing(copy, damage):
    published = {path: path.read_bytes() for path in copy.marts.glob("*.duckdb")}
    damaged = damage(copy)
    built = _adoption(copy, "build")
    assert built.returncode == 1
    assert "Traceback" not in built.stdout + built.stderr
    line = built.stderr.strip().splitlines()[-1]
    assert str(damaged) in line
    assert "Nothing was built" in line
    assert {path: path.read_bytes() for path in copy.marts.glob("*.duckdb")} == published
    verified = _adoption(copy, "verify")
    assert verified.returncode == 1
    assert str(damaged) in verified.stdout
