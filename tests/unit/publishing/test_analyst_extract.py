"""Parquet beside the warehouse, and the analyst extract. Tables are invented."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.publishing import analyst_extract
from pipelines.settings import Settings
from pipelines.warehouse import parquet
from pipelines.warehouse.published import WarehouseError, prepare_build, publish

PSEUDONYM = "5f0c" * 8
STATEMENTS = (
    "create schema marts",
    "create table marts.fct_figure as select range as value, 'Gŵyr' as place from range({rows})",
    "comment on table marts.fct_figure is 'One row per figure; the region''s own.'",
    "comment on column marts.fct_figure.value is 'The figure.'",
    "create view marts.rpt_figure as from marts.fct_figure",
    "create table marts.catalogue as from (values"
    " ('warehouse', 'fct_figure', 0, null, 'table', 'One row per figure.'),"
    " ('restricted', 'fct_case', 1, 'child_pseudonym', 'string', 'Who.')"
    ") as l (database_name, table_name, position, column_name, kind, description)",
    "create table marts.fct_submission as select '2020-21-Q1' as quarter,"
    " timestamp '2020-07-09 10:30:00' as received_at, {synthetic} as is_synthetic,"
    " true as is_in_force",
)


def _build(settings: Settings, rows: int = 3, synthetic: bool = True, more: str = "") -> None:
    prepare_build(settings)
    with duckdb.connect(str(settings.build / "warehouse.duckdb")) as connection:
        for statement in (*STATEMENTS, more):
            connection.execute(statement.format(rows=rows, synthetic=synthetic))
    with duckdb.connect(str(settings.build / "restricted.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.fct_case as select '{PSEUDONYM}' as child")


@pytest.fixture
def published(settings: Settings) -> Settings:
    _build(settings)
    publish(settings)
    return settings


def _extract(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["extract", str(folder), *options])


def _parquet(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (settings.marts / "parquet").iterdir()}


# --- Parquet beside the published warehouse -------------------------------------------------------


def test_every_public_table_lies_beside_the_warehouse_and_no_view(published: Settings) -> None:
    assert set(_parquet(published)) == {
        "catalogue.parquet",
        "fct_figure.parquet",
        "fct_submission.parquet",
    }
    frame = pl.read_parquet(published.marts / "parquet" / "fct_figure.parquet")
    assert frame.to_dict(as_series=False) == {"value": [0, 1, 2], "place": ["Gŵyr"] * 3}


def test_comments_travel_in_the_file(published: Settings) -> None:
    path = published.marts / "parquet" / "fct_figure.parquet"
    metadata = pl.read_parquet_metadata(path)
    assert metadata["table"] == "marts.fct_figure"
    assert metadata["description"] == "One row per figure; the region's own."
    assert json.loads(metadata["columns"]) == {"value": "The figure.", "place": ""}
    assert "not disclosure controlled" in metadata["notice"]
    assert "heb ei reoli ar gyfer datgelu" in metadata["notice"]


def test_the_same_warehouse_gives_the_same_bytes(published: Settings, tmp_path: Path) -> None:
    for number in range(2):
        folder = tmp_path / str(number)
        parquet.write_parquet(published.warehouse, folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == _parquet(published)


def test_the_next_build_replaces_the_folder_as_a_whole(published: Settings) -> None:
    left = published.marts / "parquet" / "fct_of_an_earlier_release.parquet"
    left.write_bytes(b"old")
    _build(published, rows=5)
    publish(published)
    assert not left.exists()
    assert pl.read_parquet(published.marts / "parquet" / "fct_figure.parquet").height == 5
    assert [path.name for path in published.marts.iterdir() if path.name.startswith(".")] == []


def test_a_crash_while_parquet_is_written_changes_nothing(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, warehouse = _parquet(published), published.warehouse.read_bytes()
    _build(published, rows=5)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(parquet.os, "fsync", full_disk)
        with pytest.raises(WarehouseError, match="no space is left in"):
            publish(published)
    assert (_parquet(published), published.warehouse.read_bytes()) == (before, warehouse)
    publish(published)
    assert pl.read_parquet(published.marts / "parquet" / "fct_figure.parquet").height == 5


@pytest.mark.parametrize("left", [".parquet.part", ".parquet.old"])
def test_what_a_crash_left_is_cleared_away(published: Settings, left: str) -> None:
    shutil.copytree(published.marts / "parquet", published.marts / left)
    _build(published, rows=5)
    publish(published)
    assert not (published.marts / left).exists()
    assert pl.read_parquet(published.marts / "parquet" / "fct_figure.parquet").height == 5


# --- the analyst extract --------------------------------------------------


def test_an_extract_holds_the_warehouse_the_tables_and_words(
    published: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    result = _extract(folder)
    assert result.exit_code == 0, result.output
    assert "Internal use only" in result.output
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        *("README-cy.txt", "README-en.txt", "SHA256SUMS", "catalogue.csv", "parquet"),
        "parquet/catalogue.parquet",
        "parquet/fct_figure.parquet",
        "parquet/fct_submission.parquet",
        "warehouse.duckdb",
    ]
    assert (folder / "warehouse.duckdb").read_bytes() == published.warehouse.read_bytes()
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    catalogue = (folder / "catalogue.csv").read_text(encoding="utf-8")
    assert "fct_figure" in catalogue and "fct_case" not in catalogue
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_tables_that_fit_on_a_sheet_come_as_csv_when_asked_for(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyst_extract, "ROWS_OF_A_SHEET", 2)
    assert _extract(tmp_path / "out", "--csv").exit_code == 0
    found = {path.name for path in (tmp_path / "out" / "csv").iterdir()}
    assert found == {"catalogue.csv", "fct_submission.csv"}  # fct_figure has three rows
    assert "csv/" in (tmp_path / "out" / "README-en.txt").read_text(encoding="utf-8")
    assert "csv/fct_submission.csv" in (tmp_path / "out" / "SHA256SUMS").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("not disclosure controlled", "Synthetic sample data", "2020-07-09 10:30")),
        ("cy", ("heb ei reoli ar gyfer datgelu", "Data sampl synthetig", "2020-07-09 10:30")),
    ],
)
def test_its_readme_says_what_may_be_done_with_it(
    published: Settings, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    _extract(tmp_path / "out")
    text = (tmp_path / "out" / f"README-{language}.txt").read_text(encoding="utf-8")
    assert [word for word in words if word not in text] == []


def test_real_returns_are_not_called_synthetic(settings: Settings, tmp_path: Path) -> None:
    _build(settings, synthetic=False)
    publish(settings)
    _extract(tmp_path / "out")
    text = (tmp_path / "out" / "README-en.txt").read_text(encoding="utf-8")
    assert "ynthetic" not in text and "not disclosure controlled" in text


def test_no_pseudonym_is_in_it(published: Settings, tmp_path: Path) -> None:
    _extract(tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or PSEUDONYM.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("column", ["child_pseudonym", "birth_month"])
def test_a_warehouse_with_single_children_makes_no_extract(
    settings: Settings, tmp_path: Path, column: str
) -> None:
    _build(settings, more=f"create table marts.fct_slip as select 'x' as {column}")
    publish(settings)
    result = _extract(tmp_path / "out")
    assert result.exit_code == 1
    assert f"fct_slip.{column}" in result.output
    assert list(tmp_path.glob("*out*")) == []


def test_a_folder_that_holds_something_is_left_alone(published: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    result = _extract(folder)
    assert result.exit_code == 1 and "name a new folder" in result.output
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(published: Settings, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert _extract(tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "warehouse.duckdb").exists()


def test_no_extract_is_written_into_the_rooms(published: Settings) -> None:
    result = _extract(published.marts / "out")
    assert result.exit_code == 1 and "inside the data folder" in result.output
    assert not (published.marts / "out").exists()


def test_without_a_warehouse_it_says_how_to_make_one(settings: Settings, tmp_path: Path) -> None:
    result = _extract(tmp_path / "out")
    assert result.exit_code == 1 and "adoption build" in result.output
    assert not (tmp_path / "out").exists()
