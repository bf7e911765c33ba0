"""``adoption``: the same jobs as in Dagster, without its daemon, and a few questions answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.declarations import DeclarationError, Declarations
from pipelines.landing import waiting_files
from pipelines.ledger import Ledger, LedgerBusy, LedgerError
from pipelines.pseudonyms import KeyFileError
from pipelines.quarters import Quarter
from pipelines.settings import ROOMS, SOURCES, Settings, make_private
from pipelines.warehouse import WarehouseError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipelines.receipts import Language


class SampleRefused(Exception):
    """The sample run would remove what is not its own; the message says what to do."""


class QuarterType(click.ParamType):
    """A quarter as people write it: 2025-26-Q1."""

    name = "quarter"

    def convert(self, value, param, ctx):
        if isinstance(value, Quarter):
            return value
        try:
            return Quarter.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


QUARTER = QuarterType()
FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class Program(click.Group):
    """Says what went wrong in one line, and ends with 1; a wrong call ends with 2."""

    def invoke(self, ctx):
        from pipelines.exports import ExportError
        from pipelines.run import JobFailed

        try:
            return super().invoke(ctx)
        except (
            *(DeclarationError, LedgerBusy, LedgerError, KeyFileError, WarehouseError),
            *(JobFailed, ExportError, SampleRefused, OSError),
        ) as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(1)


@click.group(cls=Program)
def main() -> None:
    """Quarterly adoption returns: taken in, checked, turned into indicators, exported.

    \b
    Where things lie is set by ADOPTION_DATA (the rooms) and ADOPTION_KEY_FILE (the pseudonym key).
    A quarter is written 2025-26-Q1 for April to June 2025.
    """
    make_private()
    for stream in (sys.stdout, sys.stderr):  # a Windows code page has no ŵ, and ends the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


@main.command("sample-run")
@click.option("--first", type=QUARTER, default="2018-19-Q1", show_default=True)
@click.option("--last", type=QUARTER, default="2020-21-Q4", show_default=True)
def sample_run(first: Quarter, last: Quarter) -> None:
    """Run the whole path on synthetic sample returns, from workbooks to national figures.

    Starts afresh each time, and only in a folder that a sample run made.
    """
    import tempfile

    from pipelines import run
    from pipelines.landing import Arrival, receive
    from pipelines.samples.deliveries import write_deliveries

    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    _start_afresh(settings)
    with tempfile.TemporaryDirectory(prefix="adoption-samples-") as folder:
        with _progress(f"Writing synthetic returns, {first} to {last}") as told:
            deliveries = write_deliveries(Path(folder), declarations, first, last, told)
        arrivals = [Arrival(delivery.path, delivery.received_at) for delivery in deliveries]
        with Ledger(settings.ledger).held(), _progress("Receiving the files") as told:
            receive(settings, declarations, arrivals, told)
    click.echo("Taking the returns in: read, check, pseudonymise, judge")
    run.take_in(settings, click.echo)
    click.echo("Building the warehouse with dbt")
    run.build(settings, click.echo)
    click.echo(f"Exporting {last}")
    run.publish(settings, [last], click.echo)
    _tell(settings, declarations, last)


@main.command("run")
@click.option("--quarter", type=QUARTER, help="Quarter to export; default: the latest one.")
def run_everything(quarter: Quarter | None) -> None:
    """Take in what waits in the inbox, build the warehouse, export the latest quarter.

    Ends with 1 when a return was refused; everything else was done all the same.
    """
    from pipelines import run

    settings = Settings.from_environment()
    nothing_refused = run.take_in(settings, click.echo)
    run.build(settings, click.echo)
    quarter = quarter or _latest_quarter(settings)
    run.publish(settings, [quarter], click.echo)
    _tell(settings, Declarations(SOURCES), quarter)
    sys.exit(0 if nothing_refused else 1)


@main.command("take-in")
@click.argument("files", nargs=-1, type=EXISTING_FILE)
@click.option("--build", "then_build", is_flag=True, help="Then build the warehouse.")
def take_in(files: tuple[Path, ...], then_build: bool) -> None:
    """Take in FILES, or whatever waits in the inbox, and give each its verdict.

    The files stay where they are; a copy is kept as received. Ends with 1 when one was refused.
    """
    from pipelines import run
    from pipelines.summary import deliveries

    settings = Settings.from_environment()
    before = {s.submission_id: s.status for s in Ledger(settings.ledger).submissions()}
    nothing_refused = run.take_in(settings, click.echo, files)
    now = Ledger(settings.ledger).submissions()
    new = [item for item in now if before.get(item.submission_id) != item.status]
    _print(deliveries(new, Declarations(SOURCES), "Taken in now"))
    if then_build:
        run.build(settings, click.echo)
        click.echo(f"Published {settings.warehouse}")
    sys.exit(0 if nothing_refused else 1)


@main.command()
@click.option("--as-of", default="", help="Date and time (UTC): ignore what was received later.")
def build(as_of: str) -> None:
    """Build the warehouse anew from the returns on disk, and publish it."""
    from pipelines import run

    if as_of:
        try:
            datetime.fromisoformat(as_of)
        except ValueError as error:
            raise click.BadParameter(
                f"{as_of!r} is no date like 2021-05-01", param_hint="--as-of"
            ) from error
    settings = Settings.from_environment()
    run.build(settings, click.echo, as_of)
    click.echo(f"Published {settings.warehouse}")


@main.command()
@click.argument("quarters", nargs=-1, required=True, type=QUARTER)
def publish(quarters: tuple[Quarter, ...]) -> None:
    """Export QUARTERS: indicator files with manifest and checksums, and the performance pack."""
    from pipelines import run

    settings = Settings.from_environment()
    run.publish(settings, sorted(quarters), click.echo)


@main.command()
@click.option("--quarter", type=QUARTER, help="Only this quarter.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(quarter: Quarter | None, as_json: bool) -> None:
    """Show every delivery: which file, from whom, when, and what became of it."""
    from pipelines.receipts import submission_json
    from pipelines.summary import deliveries

    settings = Settings.from_environment()
    found = [
        item
        for item in Ledger(settings.ledger).submissions()
        if quarter is None or item.quarter == quarter.label
    ]
    if as_json:
        told = [submission_json(item) for item in found]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    _print(deliveries(found, Declarations(SOURCES), "Deliveries"))


@main.command()
@click.argument("submission_id")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every problem by itself.")
@click.option("--out", type=FILE, help="Write it for the sender instead: FILE.txt or FILE.csv.")
def verdict(submission_id: str, language: Language, as_json: bool, out: Path | None) -> None:
    """Show what was said of one submission: sheet, cell, field, rule and what to do.

    Problems that rows share are shown once; --json and a .csv give each of them.
    """
    from pipelines.receipts import Receipt
    from pipelines.summary import verdict as shown
    from pipelines.take_in import problems_of

    settings = Settings.from_environment()
    found = {item.submission_id: item for item in Ledger(settings.ledger).submissions()}
    if submission_id not in found:
        raise click.BadParameter(
            f"no submission {submission_id}; `adoption status` lists them",
            param_hint="SUBMISSION_ID",
        )
    item = found[submission_id]
    receipt = Receipt(item, problems_of(settings, item), Declarations(SOURCES), language)
    if out is not None:
        try:
            receipt.write(out)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--out") from error
        except OSError as error:
            raise _cannot_write(out, error) from error
        click.echo(f"Wrote {out}", err=as_json)
    if as_json:
        click.echo(json.dumps(receipt.as_json(), indent=2, ensure_ascii=False))
    elif out is None:
        _print(shown(receipt))


@main.command()
@click.argument("indicator")
@click.argument("place")
@click.argument("quarter", type=QUARTER)
@click.option("--window", help="quarter, year_to_date, rolling_4 …; default: the quarter.")
@click.option(
    "--basis",
    type=click.Choice(["at_the_time", "today"]),
    default="at_the_time",
    show_default=True,
    help="Which membership of regions and agencies counts.",
)
@click.option("--children", is_flag=True, help="List the cases, from the restricted database.")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    indicator: str,
    place: str,
    quarter: Quarter,
    window: str | None,
    basis: str,
    children: bool,
    language: str,
    as_json: bool,
) -> None:
    """Explain one figure: what it measures, what is in it, what is not, and how it moved.

    PLACE is a code or a name, in English or Welsh. Ends with 1 when the returns, or the children,
    do not add up to the figure.
    """
    from pipelines.explain import NotExplained, explain
    from pipelines.explain_words import print_explanation, terminal

    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    try:
        explained = explain(
            *(settings, declarations, indicator, place, quarter),
            *(window, basis, language, children),
        )
    except NotExplained as error:
        raise click.BadParameter(str(error), param_hint=error.argument) from error
    if as_json:
        click.echo(explained.as_json())
    else:
        print_explanation(explained, terminal(), children)
    sys.exit(0 if explained.is_proved else 1)


@main.command()
@click.argument("target", type=FILE)
@click.option(
    "--sender", "sender_code", help="Place code, e.g. W06000014: only the sheets it owes."
)
@click.option("--quarter", type=QUARTER, help="Default: the quarter that ended last.")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
def template(
    target: Path, sender_code: str | None, quarter: Quarter | None, language: Language
) -> None:
    """Write the empty return to TARGET: a workbook (.xlsx), or the CSV equivalent (.zip).

    In the CSV files fields have the same names in both languages; the guidance beside them
    explains them in the one asked for.
    """
    from xlsxwriter.exceptions import FileCreateError

    from pipelines.templates import FIRST_QUARTER_OFFERED, write_csv_template, write_template

    write = {".zip": write_csv_template, ".xlsx": write_template}.get(target.suffix.lower())
    if write is None:
        raise click.BadParameter("end the name in .xlsx or .zip", param_hint="TARGET")
    declarations = Declarations(SOURCES)
    quarter = quarter or Quarter.containing(date.today()).plus(-1)
    if quarter < FIRST_QUARTER_OFFERED:
        raise click.BadParameter(
            f"returns begin with {FIRST_QUARTER_OFFERED}", param_hint="--quarter"
        )
    if sender_code and sender_code not in declarations.senders:
        raise click.BadParameter(
            f"nobody called {sender_code} owes a return", param_hint="--sender"
        )
    if sender_code and not declarations.due_from(sender_code, quarter):
        raise click.BadParameter(
            f"{sender_code} owes no return for {quarter}", param_hint="--quarter"
        )
    try:
        write(target, declarations, quarter, sender_code, language)
    except (OSError, FileCreateError) as error:
        raise _cannot_write(target, error) from error
    click.echo(f"Wrote {target}")


@main.command()
@click.option("--force", is_flag=True, help="Parse again even if nothing seems to have changed.")
def prepare(force: bool) -> None:
    """Parse the dbt project, once after installing or changing a model."""
    from pipelines import run

    run.prepare(force)


@main.command()
@click.option("--port", default=3000, show_default=True)
def ui(port: int) -> None:
    """Open the Dagster UI on this machine (http://127.0.0.1:PORT), sensors included."""
    import os
    import subprocess

    from pipelines import run
    from pipelines.settings import CHECKOUT

    settings = Settings.from_environment()
    run.prepare()
    home = run.keep_instance_settings(settings)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "ADOPTION_DATA": str(settings.data)}
    click.echo(f"http://127.0.0.1:{port}   (stop with Ctrl-C)")
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)]
    sys.exit(subprocess.run(command, cwd=CHECKOUT, env=environment).returncode)


# --- telling ---------------------------------------------------------------


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere one line at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _start_afresh(settings: Settings) -> None:
    """Empty the rooms, if it was a sample run that filled them and nothing else came since."""
    import shutil

    marker = settings.data / "sample-run"
    ledger = Ledger(settings.ledger)
    if settings.data.exists() and any(settings.data.iterdir()):
        reason = None
        if not marker.exists():
            reason = "was not made by a sample run"
        elif waiting_files(settings):
            reason = "has files waiting in its inbox"
        elif any(item.quarter and not item.is_synthetic for item in ledger.submissions()):
            reason = "holds returns that are not synthetic"
        if reason:
            raise SampleRefused(
                f"{settings.data} {reason}, and the sample run would empty it: set ADOPTION_DATA "
                "to another folder for the sample"
            )
        with ledger.held():
            pass  # nobody is taking returns in
        for folder in (*ROOMS, "build", "dagster"):
            shutil.rmtree(settings.data / folder, ignore_errors=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    marker.write_text(
        "Synthetic sample data. The next sample run empties this folder.\n", encoding="utf-8"
    )


def _latest_quarter(settings: Settings) -> Quarter:
    accepted = [
        s.quarter for s in Ledger(settings.ledger).submissions() if s.is_accepted and s.quarter
    ]
    if not accepted:
        raise WarehouseError("no return was accepted yet: put files into the inbox and run again")
    return Quarter.parse(max(accepted))


def _tell(settings: Settings, declarations: Declarations, quarter: Quarter) -> None:
    """The end of a run: what came in, what was refused and why, headlines, where things lie."""
    from pipelines.summary import deliveries, headline_tables, taken_in_table

    submissions = Ledger(settings.ledger).submissions()
    _print(taken_in_table(submissions))
    refused = [item for item in submissions if item.status == "refused"]
    if refused:
        _print(deliveries(refused, declarations, "Refused, and why"))
    for table in headline_tables(settings, quarter):
        _print(table)
    folder = settings.exports / quarter.label
    latest = max((int(p.name) for p in folder.iterdir() if p.name.isdigit()), default=0)
    click.echo(f"Warehouse  {settings.warehouse}   (read-only; open it with any DuckDB 1.5)")
    click.echo(f"Exports    {folder / str(latest)}   (not disclosure controlled, internal)")
    click.echo(f"Pack       {folder / str(latest) / 'pack-en.html'}")
    click.echo(f"Dagster    {_command('adoption ui')}   then http://127.0.0.1:3000")


def _command(line: str) -> str:
    """How to call our program from this shell: by its path when the environment is not active."""
    import shutil

    if shutil.which("adoption"):
        return line
    program = Path(sys.executable).with_name(line.split()[0])
    return " ".join([str(program), *line.split()[1:]])


def _cannot_write(target: Path, error: Exception) -> click.ClickException:
    """The workbook's library wraps the system's error, which alone says why."""
    cause = error if isinstance(error, OSError) else error.args[0]
    return click.ClickException(f"cannot write {target}: {cause.strerror}")


def _print(what: RenderableType) -> None:
    from rich.console import Console

    Console().print(what)


if __name__ == "__main__":
    main()
