"""What commands write on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipelines.declarations import Declarations


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere one line at the end. Standard output stays clean."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def working(what: str) -> Generator[None]:
    """A clock on a terminal beside what cannot say how far it is; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        bar.add_task(what, total=None)
        yield


def show_outcome(settings: Settings, declarations: Declarations, quarter: Quarter) -> None:
    """The end of a run: files taken in, refusals and their reasons, headlines, where files are."""
    from pipelines.commands.summary import deliveries, headline_tables, taken_in_table

    submissions = Ledger(settings.ledger).submissions()
    show(taken_in_table(submissions))
    refused = [item for item in submissions if item.status == "refused"]
    if refused:
        show(deliveries(refused, declarations, "Refused, with reasons"))
    for table in headline_tables(settings, quarter):
        show(table)
    folder = settings.exports / quarter.label
    latest = max((int(p.name) for p in folder.iterdir() if p.name.isdigit()), default=0)
    click.echo(f"Warehouse  {settings.warehouse}   (read-only; open it with any DuckDB 1.5)")
    click.echo(f"Exports    {folder / str(latest)}   (not disclosure controlled, internal)")
    for page in sorted((folder / str(latest)).glob("pack-*-en.html"), reverse=True):
        click.echo(f"Pack       {page}")
    click.echo(f"Dagster    {_command('adoption ui')}   prints the address to open")


def _command(line: str) -> str:
    """How to call our program from this shell: by its path when the environment is not active."""
    import shutil

    if shutil.which("adoption"):
        return line
    program = Path(sys.executable).with_name(line.split()[0])
    return " ".join([str(program), *line.split()[1:]])


def cannot_write(target: Path, error: Exception) -> click.ClickException:
    """The workbook's library wraps the system's error, which alone says why."""
    cause = error if isinstance(error, OSError) else error.args[0]
    return click.ClickException(f"cannot write {target}: {cause.strerror}")


def show(what: RenderableType) -> None:
    from rich.console import Console

    Console().print(what)
