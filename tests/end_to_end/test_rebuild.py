"""A warehouse that can be deleted, rebuilt and read at any time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import CHECKOUT, Settings
from pipelines.warehouse.published import open_warehouse
from tests.conftest import Sample
from tests.queries import first_row
from tests.small_data import ANGLESEY, CARDIFF, FIRST, LAST, SmallData, Tables, digests

READER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
count = "select count(*), sum(numerator) from marts.fct_indicator"
print(connection.execute(count).fetchone(), flush=True)
sys.stdin.readline()
print(connection.execute(count).fetchone(), flush=True)
"""


def test_a_deleted_warehouse_is_rebuilt_the_same_while_an_analyst_reads(
    small_data: SmallData,
) -> None:
    settings, before = small_data.settings, small_data.tables()
    assert sum(rows for rows, _ in before["warehouse"].values()) > 10_000
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(settings.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    seen = reader.stdout.readline()
    if os.name != "nt":  # Windows cannot delete what a reader holds open
        shutil.rmtree(settings.marts)
    code, said = small_data.call("build")
    assert code == 0, said
    assert small_data.tables() == before
    assert reader.communicate("\n")[0] == seen, "the analyst's open file changed under the query"
    assert not list(settings.build.glob("*.duckdb*")), "the build leaves nothing behind"


def test_a_corrected_return_changes_the_figures_and_a_broken_one_or_a_new_key_does_not(
    small_data: SmallData, tmp_path: Path
) -> None:
    settings = small_data.settings
    published, children = small_data.tables(), _pseudonyms(settings.restricted)
    accepted = _children_accepted(settings)
    before = Ledger(settings.ledger).submissions()[-1].received_at

    corrected = small_data.write_return(
        tmp_path / "return.xlsx", CARDIFF, LAST, version=2, without=1
    )
    again = small_data.write_return(
        tmp_path / "another" / "return.xlsx", ANGLESEY, FIRST, version=2
    )
    code, said = small_data.call("take-in", str(corrected), str(again))
    assert code == 0, said
    assert corrected.exists(), "the sender's own file stays where it is"
    last = Ledger(settings.ledger).submissions()[-2:]
    assert [(item.sender_code, item.is_accepted) for item in last] == [
        *((CARDIFF, True), (ANGLESEY, True))  # two files of one name are both taken in
    ]

    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(corrected.read_bytes()[:2000])
    code, said = small_data.call("take-in", "--wait", "0", str(broken))
    assert code == 1 and "still arriving" in said
    long_ago = time.time() - 120
    os.utime(broken, (long_ago, long_ago))  # it lies still, so nobody is copying it
    code, said = small_data.call("take-in", str(broken))
    assert code == 1
    last = Ledger(settings.ledger).submissions()
    assert (last[-1].status, last[-1].refusal_code) == ("refused", "F001")

    assert small_data.call("key", "rotate")[0] == 0
    code, said = small_data.call("build", "--as-of", before.isoformat())
    assert code == 0, said
    assert small_data.tables() == published, "another day's warehouse replaces none"
    (earlier,) = (settings.marts / "as_of").iterdir()
    assert _figures(digests(earlier / "warehouse.duckdb")) == _figures(published["warehouse"])
    now = _pseudonyms(earlier / "restricted.duckdb")
    assert len(now) == len(children) > 30 and not now & children

    assert small_data.call("build")[0] == 0
    assert _children_accepted(settings) == accepted - 1
    assert _figures(small_data.tables()["warehouse"]) != _figures(published["warehouse"])


def _figures(tables: Tables) -> Tables:
    """Of tables that know nothing of the day."""
    return {
        name: digest
        for name, digest in tables.items()
        if name.startswith(("marts.fct_indicator", "marts.fct_return_measure"))
    }


def _pseudonyms(restricted: Path) -> set[str]:
    with duckdb.connect(str(restricted), read_only=True) as connection:
        query = "select distinct child_pseudonym from marts.fct_child_measure"
        return {pseudonym for (pseudonym,) in connection.execute(query).fetchall()}


def _children_accepted(settings: Settings) -> int:
    """Rows of Cardiff's return that are counted, as the warehouse says."""
    with open_warehouse(settings) as connection:
        result = connection.execute(
            "select rows_accepted from marts.fct_return"
            " where return_name = 'child' and sender_code = ? and quarter = ?",
            [CARDIFF, LAST.label],
        )
        return first_row(result)[0]


def test_an_erased_child_is_found_nowhere_and_what_was_published_stays(
    sample: Sample, tmp_path: Path
) -> None:
    copy = SmallData(sample.settings).copy_to(tmp_path)
    settings = copy.settings
    exported = settings.exports / LAST.label / "1" / "indicators.csv"
    raw = pl.read_parquet(settings.raw / "child" / LAST.label)
    reference, sender = raw["child_reference"].drop_nulls()[0], raw["sender_code"][0]
    exports = _bytes_of(settings.exports)
    assert exported in exports
    code, said = copy.call(
        *("erase", "child", "--sender", sender, "--reference", reference),
        *("--role", "national_data_lead", "--because", "Request that the authority confirmed"),
    )
    assert code == 0, said
    assert "Nothing of it is found in any room" in said
    assert reference not in said
    assert _bytes_of(settings.exports) == exports
    code, said = copy.call("verify")
    assert code == 0, said


def _bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_code_location_loads_from_the_workspace_file():
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


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
    path = _first(settings, "child/2020-21-Q4/*.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    return path


def _add_a_file(settings: Settings) -> Path:
    path = _first(settings, "child/2020-21-Q3/*.parquet")
    return Path(shutil.copyfile(path, path.with_name("copy.parquet")))


@pytest.mark.parametrize("damage", [_lose_a_quarter, _flip_a_bit, _truncate, _add_a_file])
def test_a_build_stops_at_damaged_rows_and_publishes_nothing(small_data: SmallData, damage) -> None:
    settings = small_data.settings
    published = {path: path.read_bytes() for path in settings.marts.glob("*.duckdb")}
    damaged = damage(settings)
    code, said = small_data.call("build")
    assert code == 1
    line = said.strip().splitlines()[-1]
    assert str(damaged) in line
    assert "Nothing was built" in line
    assert {path: path.read_bytes() for path in settings.marts.glob("*.duckdb")} == published
    code, said = small_data.call("verify")
    assert code == 1
    assert str(damaged) in said
