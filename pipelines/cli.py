"""``adoption``: the same jobs as in Dagster, without its daemon, and a few questions answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.declarations import DeclarationError, Declarations
from pipelines.ledger import Ledger, LedgerBusy, LedgerError, Submission
from pipelines.pseudonyms import KeyFileError
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings, make_private
from pipelines.warehouse import WarehouseError

if TYPE_CHECKING:
    from rich.table import Table


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
            *(JobFailed, ExportError),
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


@main.command("sample-run")
@click.option("--first", type=QUARTER, default="2018-19-Q1", show_default=True)
@click.option("--last", type=QUARTER, default="2020-21-Q4", show_default=True)
def sample_run(first: Quarter, last: Quarter) -> None:
    """Run the whole path on synthetic sample returns, from workbooks to national figures.

    Starts afresh each time; refuses when the data folder holds returns that are not synthetic.
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
def take_in(files: tuple[Path, ...]) -> None:
    """Take in FILES, or whatever waits in the inbox, and give each its verdict.

    The files stay where they are; a copy is kept as received. Ends with 1 when one was refused.
    """
    import shutil

    from pipelines import run

    settings = Settings.from_environment()
    settings.inbox.mkdir(parents=True, exist_ok=True)
    for path in files:
        half = settings.inbox / f"{path.name}.part"
        shutil.copyfile(path, half)
        half.replace(settings.inbox / path.name)
    before = {item.submission_id for item in Ledger(settings.ledger).submissions()}
    nothing_refused = run.take_in(settings, click.echo)
    new = [s for s in Ledger(settings.ledger).submissions() if s.submission_id not in before]
    _print(_deliveries_table(new, "Taken in now"))
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
    """Show every delivery: from whom, when, and what became of it."""
    settings = Settings.from_environment()
    found = [
        item
        for item in Ledger(settings.ledger).submissions()
        if quarter is None or item.quarter == quarter.label
    ]
    if as_json:
        click.echo(json.dumps([_as_json(item) for item in found], indent=2, ensure_ascii=False))
        return
    _print(_deliveries_table(found, "Deliveries"))


@main.command()
@click.argument("submission_id")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verdict(submission_id: str, language: str, as_json: bool) -> None:
    """Show what was said of one submission: sheet, cell, field, rule and what to do."""
    from pipelines.take_in import problems_of

    settings = Settings.from_environment()
    found = {item.submission_id: item for item in Ledger(settings.ledger).submissions()}
    if submission_id not in found:
        raise click.BadParameter(
            f"no submission {submission_id}; `adoption status` lists them",
            param_hint="SUBMISSION_ID",
        )
    item = found[submission_id]
    problems = problems_of(settings, item)
    if as_json:
        click.echo(
            json.dumps({**_as_json(item), "problems": problems}, indent=2, ensure_ascii=False)
        )
        return
    click.echo(
        f"{item.submission_id}: {item.sender_code or 'sender not known'}, "
        f"{item.quarter or 'quarter not known'}: {item.status}"
    )
    refusal = item.refusal_sentence_cy if language == "cy" else item.refusal_sentence_en
    if refusal:
        click.echo(refusal)
    if item.rules:
        click.echo(f"{item.rules['run']} rules ran, {item.rules['crashed']} crashed")
    _print(_problems_table(problems, language))


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
def template(target: Path, sender_code: str | None, quarter: Quarter | None, language: str) -> None:
    """Write the empty return to TARGET: a workbook (.xlsx), or the CSV equivalent (.zip)."""
    from pipelines.templates import write_csv_template, write_template

    declarations = Declarations(SOURCES)
    if sender_code and sender_code not in declarations.senders:
        raise click.BadParameter(
            f"nobody called {sender_code} owes a return", param_hint="--sender"
        )
    quarter = quarter or Quarter.containing(date.today()).plus(-1)
    if target.suffix == ".zip":
        write_csv_template(target, declarations, quarter, sender_code)
    elif target.suffix == ".xlsx":
        write_template(target, declarations, quarter, sender_code, language)
    else:
        raise click.BadParameter("end the name in .xlsx or .zip", param_hint="TARGET")
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
    import shutil

    if any(
        not item.is_synthetic and item.is_accepted for item in Ledger(settings.ledger).submissions()
    ):
        raise LedgerError(
            f"{settings.data} holds returns that are not synthetic; the sample run would remove "
            "them. Set ADOPTION_DATA to another folder."
        )
    for folder in (
        *("landing", "raw", "validated", "build", "marts", "exports"),
        "dagster",  # its memory of runs would speak of returns that are gone
    ):
        shutil.rmtree(settings.data / folder, ignore_errors=True)


def _latest_quarter(settings: Settings) -> Quarter:
    accepted = [
        s.quarter for s in Ledger(settings.ledger).submissions() if s.is_accepted and s.quarter
    ]
    if not accepted:
        raise WarehouseError("no return was accepted yet: put files into the inbox and run again")
    return Quarter.parse(max(accepted))


def _tell(settings: Settings, declarations: Declarations, quarter: Quarter) -> None:
    """The end of a run: what came in, what was refused and why, headlines, where things lie."""
    from pipelines.summary import headline_tables, taken_in_table

    submissions = Ledger(settings.ledger).submissions()
    _print(taken_in_table(submissions))
    refused = [item for item in submissions if item.status == "refused"]
    if refused:
        _print(_refusals_table(refused, declarations))
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


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)


def _deliveries_table(submissions: list[Submission], title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("Submission", no_wrap=True)  # to be copied into `adoption verdict`
    for column in ("Sender", "Quarter", "Version", "Received (UTC)", "Status", "Why"):
        table.add_column(column)
    for item in submissions:
        table.add_row(
            *(item.submission_id, item.sender_code or "–", item.quarter or "–"),
            str(item.version or "–"),
            item.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
            item.status + (" (late)" if item.is_late else ""),
            item.refusal_sentence_en
            or (f"same as {item.duplicate_of}" if item.duplicate_of else ""),
        )
    return table


def _refusals_table(refused: list[Submission], declarations: Declarations) -> Table:
    from rich.table import Table

    table = Table(title="Refused, and why", title_justify="left")
    for column in ("File", "Sender", "Quarter", "Why"):
        table.add_column(column)
    for item in refused:
        place = declarations.places.get(item.sender_code or "")
        table.add_row(
            f"{item.name} ({item.submission_id})",
            place.name_en if place else "not known",
            item.quarter or "not known",
            item.refusal_sentence_en or "",
        )
    return table


def _problems_table(problems: list[dict], language: str) -> Table:
    from rich.table import Table

    table = Table(title=f"{len(problems)} problems", title_justify="left")
    for column in ("Sheet", "Cell", "Field", "Rule", "Severity", "What to do"):
        table.add_column(column)
    for problem in problems:
        table.add_row(
            *(problem["sheet"] or "", problem["cell"] or "", problem["field"] or ""),
            *(problem["code"], problem["severity"], problem[f"sentence_{language}"]),
        )
    return table


def _as_json(item: Submission) -> dict:
    return {
        "submission_id": item.submission_id,
        "sender_code": item.sender_code,
        "quarter": item.quarter,
        "version": item.version,
        "received_at": item.received_at.isoformat(),
        "status": item.status,
        "is_late": item.is_late,
        "why": item.refusal_sentence_en,
        "returns": item.returns,
        "rules": item.rules,
    }


if __name__ == "__main__":
    main()
