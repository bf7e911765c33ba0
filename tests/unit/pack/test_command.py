"""``adoption pack``: what can be asked for, and what is said to whom asks for something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.settings import Settings
from tests.unit.marts_made import create_marts, insert
from tests.unit.pack.conftest import made_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        create_marts(connection)
        for table, rows in made_rows().items():
            insert(connection, table, rows)
    return path


@pytest.fixture
def warehouse(made: Path) -> Settings:
    settings = Settings.from_environment()
    settings.marts.mkdir(parents=True)
    shutil.copyfile(made, settings.warehouse)
    return settings


def pack(*words: str) -> Result:
    return CliRunner().invoke(main, ["pack", *words])


def test_a_pack_is_written_in_both_languages_beside_the_exports(warehouse: Settings) -> None:
    result = pack("Môn", "2025-26-Q4")
    assert result.exit_code == 0, result.output
    folder = warehouse.exports / "2025-26-Q4" / "packs"
    assert sorted(path.name for path in folder.iterdir()) == [
        "pack-isle-cy.html",
        "pack-isle-en.html",
    ]
    assert str(folder / "pack-isle-en.html") in result.output.replace("\n", "")
    assert "not disclosure controlled" in result.output


def test_one_language_and_another_folder_can_be_asked_for(warehouse: Settings, tmp_path) -> None:
    result = pack("City", "2025-26-Q4", "--language", "cy", "--out", str(tmp_path / "here"))
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["pack-city-cy.html"]
    assert not warehouse.exports.exists()


def test_a_nation_is_the_packs_of_all_its_places(warehouse: Settings, tmp_path) -> None:
    result = pack(
        "--nation",
        "Cymru",
        "2025-26-Q4",
        "--language",
        "en",
        "--out",
        str(tmp_path / "here"),
    )
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "here").iterdir())) == 6
    assert "6 packs in" in result.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["2025-26-Q4"], 2, "give either a PLACE before the quarter, or --nation"),
        (["City", "2025-26-Q4", "--nation", "Wales"], 2, "give either"),
        (["New", "City", "2025-26-Q4"], 2, "put 'New City' in quotation marks"),
        (["City", "2025-Q4"], 2, "is not a quarter: write it like 2025-26-Q1"),
        (["Citty", "2025-26-Q4"], 2, "did you mean CITY (City)?"),
        (["--nation", "City", "2025-26-Q4"], 2, "City is not a nation"),
        (["City", "2031-32-Q1"], 1, "City has no figures for 2031-32-Q1"),
        (["--nation", "Wales", "2031-32-Q1"], 1, "Wales has no figures for 2031-32-Q1"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_line(
    warehouse: Settings, words: list[str], code: int, message: str
) -> None:
    result = pack(*words)
    assert result.exit_code == code, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_no_pack_is_written_from_a_warehouse_that_lacks_rows(warehouse: Settings) -> None:
    with duckdb.connect(str(warehouse.warehouse)) as connection:
        connection.execute("update marts.fct_reconciliation set is_reconciled = false")
    result = pack("City", "2025-26-Q4")
    assert result.exit_code == 1
    assert "run `adoption verify`" in result.output
    assert not warehouse.exports.exists()


def test_without_a_warehouse_it_says_what_to_do() -> None:
    result = pack("Cardiff", "2025-26-Q4")
    assert result.exit_code == 1
    assert "run `adoption build`" in result.output
