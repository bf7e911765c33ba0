"""``adoption sql``: questions to the published warehouse, in SQL."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipelines.settings import Settings

if TYPE_CHECKING:
    import duckdb

SHOWN = 200  # rows on a terminal; --csv and --json give all
PROMPTS = ("adoption> ", "     ...> ")
HELP = """\
End a statement with ; to run it.
  .tables          list the tables
  .describe TABLE  list its columns and their meaning
  .help            show this help
  .quit            leave (or Ctrl-D)
The warehouse is read-only: nothing you type can change a figure. docs/sql-cookbook.md has examples.
"""
TABLES = """
    select table_name, description from marts.catalogue
    where column_name is null and database_name in {databases} order by table_name
"""
COLUMNS = """
    select column_name, kind, description from marts.catalogue
    where column_name is not null and table_name = ? order by position
"""


@click.command()
@click.argument("query", required=False)
@click.option(
    "--restricted", is_flag=True, help="Attach the pseudonymous rows as restricted.marts."
)
@click.option("--csv", "form", flag_value="csv", help="Print every row as CSV.")
@click.option("--json", "form", flag_value="json", help="Print every row as JSON.")
def sql(query: str | None, restricted: bool, form: str | None) -> None:
    """Query the published warehouse in SQL: one QUERY, or a shell to type statements into.

    \b
    adoption sql
    adoption sql "from marts.catalogue where column_name is null"
    adoption sql --csv "from marts.rpt_headline where quarter = '2020-21-Q4'" > headlines.csv

    The warehouse is opened read-only, and may be open in other programs. A statement can read its
    tables and nothing else: no file, no other database, no extension. Without QUERY a shell
    opens; type .help there. The exit code is 1 when a statement fails.
    """
    import duckdb

    from pipelines.warehouse.published import open_for_questions

    settings = Settings.from_environment()
    with open_for_questions(settings, restricted=restricted) as connection:
        if query is None and not sys.stdin.isatty():
            query = sys.stdin.read()
        if query is None:
            _shell(connection, restricted)
            return
        try:
            for statement in connection.extract_statements(query):
                _answer(connection, statement, form)
        except duckdb.Error as error:
            raise click.ClickException(str(error)) from error


def _answer(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement | str, form: str | None
) -> None:
    """Run one statement and print what it gives."""
    connection.execute(statement)
    if not connection.description:
        return
    if form == "csv":
        connection.pl().write_csv(sys.stdout)
    elif form == "json":
        click.echo(connection.pl().write_json())
    else:
        names = [column[0] for column in connection.description]
        _table(names, connection.fetchmany(SHOWN + 1))


def _table(names: list[str], rows: list[tuple[object, ...]]) -> None:
    """A table where it fits the terminal, and one block of lines a record where it does not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [["" if value is None else str(value) for value in row] for row in rows[:SHOWN]]
    columns = zip(names, *cells, strict=True)
    # Three characters of frame and blanks a column, and one at the end.
    width = sum(3 + max(Text(text).cell_len for text in column) for column in columns) + 1
    console = Console()
    if width <= console.width:
        table = Table()
        for name in names:
            table.add_column(Text(name))
        for row in cells:
            table.add_row(*map(Text, row))
        console.print(table)
    else:
        longest = max(map(len, names))
        for number, row in enumerate(cells, start=1):
            console.print(Text(f"Record {number:,}", style="italic"))
            block = Table(box=None, show_header=False, pad_edge=False)
            block.add_column(min_width=longest, no_wrap=True)
            block.add_column(overflow="fold")
            for name, text in zip(names, row, strict=True):
                block.add_row(Text(name), Text(text))
            console.print(block)
    if len(rows) > SHOWN:
        click.echo(f"These are the first {SHOWN} rows; --csv and --json print all.")


def _shell(connection: duckdb.DuckDBPyConnection, restricted: bool) -> None:
    """Read statements until the end; what is wrong is told, and nothing is lost by it."""
    import contextlib

    import duckdb

    with contextlib.suppress(ImportError):  # not on Windows; arrows recall what was typed
        import readline  # noqa: F401
    click.echo("The published warehouse, read-only. .tables shows what there is, .help the rest.")
    typed = ""
    while True:
        try:
            line = input(PROMPTS[bool(typed)])
        except EOFError:
            return
        except KeyboardInterrupt:
            typed = ""
            click.echo()
            continue
        try:
            if not typed and line.strip().startswith("."):
                if not _command(connection, line.split(), restricted):
                    return
                continue
            typed = f"{typed}{line}\n" if typed or line.strip() else ""
            if typed.rstrip().endswith(";"):
                said, typed = typed, ""
                for statement in connection.extract_statements(said):
                    _answer(connection, statement, None)
        except duckdb.Error as error:
            click.secho(str(error), fg="red", err=True)


def _command(connection: duckdb.DuckDBPyConnection, words: list[str], restricted: bool) -> bool:
    """What a line that begins with a dot asks for; whether to go on."""
    if words[0] in (".quit", ".exit"):
        return False
    if words[0] == ".tables":
        databases = "('warehouse', 'restricted')" if restricted else "('warehouse')"
        _answer(connection, TABLES.format(databases=databases), None)
    elif words[0] == ".describe" and len(words) == 2:
        connection.execute(COLUMNS, [words[1].removeprefix("marts.")])
        rows = connection.fetchall()
        if rows:
            _table(["column", "type", "meaning"], rows)
        else:
            click.echo(f"There is no table {words[1]}; .tables lists all tables.")
    else:
        click.echo(HELP)
    return True
