"""The analyst extract of the sample: no pseudonym in any byte or cell of it, and a page of docs."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.settings import CHECKOUT

HEX = re.compile(rb"[0-9a-f]{32,}")


@pytest.fixture(scope="module")
def extract(sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pipelines.publishing.analyst_extract import write_extract

    return write_extract(sample.settings, tmp_path_factory.mktemp("extract") / "out", with_csv=True)


@pytest.fixture(scope="module")
def pseudonyms(sample) -> set[bytes]:
    """Every pseudonym of the validated room and of the restricted file."""
    found: set[str] = set()
    for path in sample.settings.validated.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        for name in frame.columns:
            if name.endswith("_pseudonym"):
                found |= set(frame[name].drop_nulls())
    with duckdb.connect(str(sample.settings.restricted), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where schema_name = 'marts' and column_name like '%pseudonym'"
        ).fetchall()
        for table, column in columns:
            found |= set(connection.table(f"marts.{table}").pl()[column].drop_nulls())
    assert len(found) > 5000 and all(re.fullmatch("[0-9a-f]{32}", one) for one in found)
    return {one.encode() for one in found}


def _held(content: bytes, pseudonyms: set[bytes]) -> set[bytes]:
    runs = {match[0] for match in HEX.finditer(content)}
    return {run[i : i + 32] for run in runs for i in range(len(run) - 31)} & pseudonyms


def _texts(frame: pl.DataFrame) -> list[str]:
    kinds = frame.schema.items()
    columns = [frame[name].unique().drop_nulls() for name, kind in kinds if kind == pl.String]
    return [text for column in columns for text in column]


def test_no_byte_of_an_extract_is_a_pseudonym(extract: Path, pseudonyms: set[bytes]) -> None:
    files = [path for path in extract.rglob("*") if path.is_file()]
    assert len(files) > 55
    assert [path.name for path in files if _held(path.read_bytes(), pseudonyms)] == []


def test_no_cell_of_an_extract_is_a_pseudonym(extract: Path, pseudonyms: set[bytes]) -> None:
    """Bytes alone do not show it: databases and Parquet keep text compressed."""
    texts: list[str] = []
    with duckdb.connect(str(extract / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select database_name || '.' || schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()  # the one view repeats what tables hold
        for (table,) in tables:
            texts += _texts(connection.table(table).pl())
    for path in (extract / "parquet").iterdir():
        texts += _texts(pl.read_parquet(path))
    assert len(texts) > 10_000
    assert _held("\n".join(texts).encode("utf-8"), pseudonyms) == set()


def test_a_pseudonym_would_be_found(pseudonyms: set[bytes]) -> None:
    one = min(pseudonyms)
    assert _held(b"x" + one + b"y", pseudonyms) == {one}
    assert _held(b"00" + one + b"ff", pseudonyms) >= {one}


def test_parquet_has_what_the_warehouse_has(extract: Path, sample) -> None:
    with duckdb.connect(str(sample.settings.warehouse), read_only=True) as connection:
        tables = dict(
            connection.execute("select table_name, comment from duckdb_tables()").fetchall()
        )
        folder = sample.settings.marts / "parquet"
        assert {path.stem for path in folder.iterdir()} == set(tables)
        for path in folder.iterdir():
            beside = path.read_bytes() == (extract / "parquet" / path.name).read_bytes()
            assert beside, path.name
            there = connection.table(f"marts.{path.stem}").pl().height
            assert pl.scan_parquet(path).select(pl.len()).collect().item() == there
            assert pl.read_parquet_metadata(path)["description"] == tables[path.stem] != ""


def test_the_docs_are_one_page_without_network_or_paths_of_this_machine(
    sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(sample.settings.data))
    page = tmp_path / "warehouse.html"
    told = CliRunner().invoke(main, ["dictionary", str(page)])
    assert told.exit_code == 0, told.output
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"']?https?:", text) == []
    assert "data/validated/child" in text and "rpt_headline" in text
    assert '"type": "VARCHAR"' in text or '"type":"VARCHAR"' in text  # asked of the warehouse
    for path in (sample.settings.data, Path.home(), CHECKOUT):
        assert str(path) not in text


def test_what_the_page_for_analysts_types_in_python_works(
    extract: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (CHECKOUT / "docs" / "for-analysts.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(extract)
    for block in blocks:
        known: dict[str, pl.DataFrame] = {}
        exec(block, known)
        frame = known.get("frame", known.get("figures"))
        assert frame is not None and frame.height > 100
    assert len(blocks) == 2
    assert "One row per indicator" in capsys.readouterr().out
