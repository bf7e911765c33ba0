"""``adoption sql``: what it answers, and how it says that something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.settings import Settings

CATALOGUE = """
    create table marts.catalogue as from (values
        ('warehouse', 'fct_figure', 0, null, 'table', 'One row per figure.'),
        ('warehouse', 'fct_figure', 1, 'value', 'double', 'The figure.'),
        ('restricted', 'fct_case', 0, null, 'table', 'One row per case.')
    ) as listed (database_name, table_name, position, column_name, kind, description)
"""


def _database(path: Path, *statements: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        for statement in ("create schema marts", *statements):
            connection.execute(statement)


@pytest.fixture
def published(settings: Settings) -> Settings:
    figures = "create table marts.fct_figure as select range as value from range(300)"
    _database(settings.warehouse, CATALOGUE, figures)
    return settings


def _ask(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["sql", *arguments], input=typed)


def test_a_question_is_answered_as_a_table(published: Settings) -> None:
    answer = _ask("select 'Gŵyr' as place, null as nothing")
    assert answer.exit_code == 0
    assert "Gŵyr" in answer.output and "place" in answer.output


def test_what_is_wider_than_the_terminal_is_a_block_a_record(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    wide = ", ".join(f"{number}::int as column_{number}" for number in range(12))
    lines = _ask(f"select {wide} union all select {wide}").output.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("Record")] == ["Record 1", "Record 2"]
    assert lines[12].split() == ["column_11", "11"]


def test_a_terminal_gets_the_first_rows_and_is_told_so(published: Settings) -> None:
    answer = _ask("from marts.fct_figure order by value")
    assert "199" in answer.output and "200 rows" in answer.output
    assert "299" not in answer.output


def test_csv_and_json_give_every_row(published: Settings) -> None:
    lines = _ask("--csv", "from marts.fct_figure order by value").output.splitlines()
    assert lines[0] == "value" and lines[-1] == "299" and len(lines) == 301
    rows = json.loads(_ask("--json", "from marts.fct_figure where value < 2 order by all").output)
    assert rows == [{"value": 0}, {"value": 1}]


def test_several_statements_are_read_from_standard_input(published: Settings) -> None:
    answer = _ask("--csv", typed="select 1 as one;\nselect 2 as two;\n")
    assert answer.output.splitlines() == ["one", "1", "two", "2"]


@pytest.mark.parametrize("change", ["drop table marts.fct_figure", "create table new (a int)"])
def test_nothing_can_be_changed(published: Settings, change: str) -> None:
    answer = _ask(change)
    assert answer.exit_code == 1
    assert "read-only" in answer.output
    assert _ask("--csv", "select count(*) as n from marts.fct_figure").output == "n\n300\n"


def test_a_wrong_statement_is_told_in_duckdbs_words_without_a_traceback(
    published: Settings,
) -> None:
    answer = _ask("select nothing_like_it from marts.fct_figure")
    assert answer.exit_code == 1
    assert "nothing_like_it" in answer.output and "Traceback" not in answer.output


def test_without_a_warehouse_it_says_how_to_make_one(settings: Settings) -> None:
    answer = _ask("select 1")
    assert answer.exit_code == 1
    assert "adoption build" in answer.output


def test_the_restricted_file_is_there_only_when_asked_for(published: Settings) -> None:
    _database(published.restricted, "create table marts.fct_case as select 7 as months")
    assert _ask("from restricted.marts.fct_case").exit_code == 1
    assert "7" in _ask("--restricted", "from restricted.marts.fct_case").output


def test_a_missing_restricted_file_is_said_to_be_missing(published: Settings) -> None:
    answer = _ask("--restricted", "select 1")
    assert answer.exit_code == 1
    assert "restricted.duckdb" in answer.output


def _shell(published: Settings, restricted: bool = False) -> None:
    from pipelines.commands.sql import _shell
    from pipelines.warehouse.published import open_for_questions

    with open_for_questions(published, restricted=restricted) as connection:
        _shell(connection, restricted)


def test_the_shell_runs_a_statement_over_several_lines_and_survives_a_wrong_one(
    published: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["selec 1;", "select 40 +", "  2 as answer;"])
    monkeypatch.setattr("builtins.input", lambda _: _line(lines))
    _shell(published)
    told = capsys.readouterr()
    assert "syntax error" in told.err
    assert "42" in told.out


def test_the_shell_tells_what_there_is(
    published: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [".tables", ".describe marts.fct_figure", ".describe fct_none", ".what", ".quit", ";"]
    lines = iter(asked)
    monkeypatch.setattr("builtins.input", lambda _: _line(lines))
    _shell(published)
    told = capsys.readouterr().out
    assert "One row per figure." in told and "One row per case." not in told
    assert "The figure." in told
    assert "no table fct_none" in told
    assert ".describe TABLE" in told
    assert next(lines) == ";"  # .quit left at once


def _line(lines) -> str:
    for line in lines:
        return line
    raise EOFError


# --- a statement reads the warehouse's tables and nothing else ----------------------------------

OUT_OF_BOUNDS = {
    "write a file": "copy (select 1) to '{target}'",
    "export the database": "export database '{folder}'",
    "read a text": "select * from read_text('{secret}')",
    "read a file by its name": "from '{secret}'",
    "list files": "select * from glob('{folder}/*')",
    "attach another database": "attach '{other}' as more (read_only)",
    "attach a new file": "attach '{folder}/new.duckdb' as new",
    "install an extension": "install httpfs",
    "load an extension": "load httpfs",
    "open the door again": "set enable_external_access = true",
    "fetch extensions again": "set autoinstall_known_extensions = true",
    "reset a setting": "reset lock_configuration",
    "change a figure": "insert into marts.fct_figure values (1)",
    "make a table": "create table marts.mine as select 1",
}


@pytest.mark.parametrize("statement", OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS.keys())
@pytest.mark.parametrize("restricted", [False, True])
def test_a_statement_reaches_nothing_outside_the_warehouse(
    published: Settings, tmp_path: Path, statement: str, restricted: bool
) -> None:
    _database(published.restricted, "create table marts.fct_case as select 7 as value")
    secret = tmp_path / "secret.txt"
    secret.write_text("KEEP-OUT", encoding="utf-8")
    other = tmp_path / "other.duckdb"
    _database(other)
    target = published.marts / "target.csv"
    target.write_text("as it was", encoding="utf-8")
    before = published.warehouse.read_bytes()
    places = {
        "target": target,
        "secret": secret,
        "folder": tmp_path,
        "other": other,
    }
    options = ["--restricted"] if restricted else []
    answer = _ask(*options, statement.format(**places))
    assert answer.exit_code == 1 and "KEEP-OUT" not in answer.output
    assert target.read_text(encoding="utf-8") == "as it was"
    assert published.warehouse.read_bytes() == before
    assert not (tmp_path / "new.duckdb").exists()


def test_the_same_statement_reads_a_file_where_nothing_is_shut(tmp_path: Path) -> None:
    # The control: without the settings of open_for_questions the file is read.
    secret = tmp_path / "secret.txt"
    secret.write_text("KEEP-OUT", encoding="utf-8")
    with duckdb.connect() as connection:
        rows = connection.execute("select content from read_text(?)", [str(secret)]).fetchall()
    assert rows == [("KEEP-OUT",)]


def test_the_restricted_rows_are_seen_only_when_asked_for(published: Settings) -> None:
    _database(published.restricted, "create table marts.fct_case as select 7 as value")
    assert _ask("from restricted.marts.fct_case").exit_code == 1
    assert "7" in _ask("--restricted", "from restricted.marts.fct_case").output
