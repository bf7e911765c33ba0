"""A sick installation is told what to do; a sound one that all is in order."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.files import write_checksums
from pipelines.readers import child_process
from pipelines.settings import SOURCES, Settings
from pipelines.warehouse.published import MADE_BY, publish
from tests.unit.marts_made import create_marts


@pytest.fixture
def installation(settings: Settings) -> Settings:
    """A published warehouse without a return."""
    before = os.umask(0o077)
    settings.build.mkdir(parents=True)
    with duckdb.connect(str(settings.build / "warehouse.duckdb")) as connection:
        create_marts(connection)
    with duckdb.connect(str(settings.build / "restricted.duckdb")) as connection:
        connection.execute("create schema marts")
    publish(settings)
    os.umask(before)
    return settings


def _doctor(*options: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *options])


def _to_do(result: Result) -> list[str]:
    return [line for line in result.output.splitlines() if line.startswith("⚠ to do")]


def test_a_sound_installation_is_in_order(installation: Settings) -> None:
    result = _doctor()
    assert (result.exit_code, _to_do(result)) == (0, []), result.output
    lines = result.output.splitlines()
    assert len(lines) >= 8
    assert all(line.startswith("✓ in order  ") for line in lines)
    told = json.loads(_doctor("--json").output)
    assert told["is_in_order"]
    assert {"about", "is_in_order", "text"} == set(told["findings"][0])


def test_each_fault_is_one_line_with_what_to_do(installation: Settings) -> None:
    installation.inbox.mkdir(parents=True)
    (installation.inbox / "return.xlsx").write_bytes(b"x")
    (installation.marts / "parquet" / "fct_return.parquet").unlink()
    if os.name != "nt":
        installation.marts.chmod(0o755)
    result = _doctor()
    assert result.exit_code == 1
    told = "\n".join(_to_do(result))
    assert "fct_return.parquet is missing" in told
    assert "1 files wait: run `adoption take-in`" in told
    assert os.name == "nt" or "chmod -R go-rwx" in told
    assert "return.xlsx" not in result.output, "a file's name may name a child"


def test_a_warehouse_that_cannot_be_opened_or_is_not_there_is_named(settings: Settings) -> None:
    told = "\n".join(_to_do(_doctor()))
    assert "none is published yet: run `adoption build`" in told
    settings.marts.mkdir(parents=True)
    settings.warehouse.write_bytes(b"damaged" * 1000)
    result = _doctor()
    assert result.exit_code == 1
    assert "it cannot be opened: run `adoption build`" in result.output


def test_a_warehouse_of_another_program_is_said_to_be_one(installation: Settings) -> None:
    path = installation.marts / MADE_BY
    noted = json.loads(path.read_text(encoding="utf-8"))
    assert noted["duckdb"] == duckdb.__version__
    path.write_text(json.dumps(noted | {"program": "0.0.7", "duckdb": "1.4.0"}), encoding="utf-8")
    write_checksums(installation.marts)
    [line] = _to_do(_doctor())
    assert "made by program 0.0.7" in line and "DuckDB 1.4.0, and this is program" in line
    assert line.endswith("run `adoption build`")
    path.unlink()
    write_checksums(installation.marts)
    [line] = _to_do(_doctor())
    assert "does not say which program made it" in line


@pytest.mark.parametrize("has_network", [True, False])
def test_whether_the_reading_process_has_a_network_is_said(
    installation: Settings, monkeypatch: pytest.MonkeyPatch, has_network: bool
) -> None:
    monkeypatch.setattr(child_process, "reader_has_network", lambda: has_network)
    said = "has a network: this system takes it from nobody" if has_network else "has no network"
    result = _doctor()
    assert result.exit_code == 0
    assert said in result.output


@pytest.mark.parametrize(
    ("file", "mistake"),
    [
        ("places/wales.yaml", b"\n  - [\n"),
        ("indicators/W05.yaml", b"\nwrong: 1\n"),
        ("code_lists/sex.csv", b"x\n"),
        ("returns/child.yaml", b"\xff"),
    ],
)
def test_a_broken_declaration_is_one_line_of_file_and_line(
    installation: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    file: str,
    mistake: bytes,
) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES, sources)
    with (sources / file).open("ab") as broken:
        broken.write(mistake)
    monkeypatch.setattr("pipelines.settings.SOURCES", sources)
    result = _doctor()
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    [line] = _to_do(result)
    assert f"Declarations: {sources / file}, line " in line
