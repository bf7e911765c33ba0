"""The jobs: ``adoption run``, ``take-in``, ``build``, ``publish``."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from pipelines.commands.arguments import EXISTING_FILE, QUARTER
from pipelines.commands.telling import show, tell
from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings
from pipelines.warehouse import WarehouseError


@click.command("run")
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
    tell(settings, Declarations(SOURCES), quarter)
    sys.exit(0 if nothing_refused else 1)


@click.command("take-in")
@click.argument("files", nargs=-1, type=EXISTING_FILE)
@click.option("--build", "then_build", is_flag=True, help="Then build the warehouse.")
def take_in(files: tuple[Path, ...], then_build: bool) -> None:
    """Take in FILES, or whatever waits in the inbox, and give each its verdict.

    The files stay where they are; a copy is kept as received. Ends with 1 when one was refused.
    """
    from pipelines import run
    from pipelines.lifecycle.states import submissions_with_states
    from pipelines.summary import deliveries

    settings = Settings.from_environment()
    before = {s.submission_id: s.status for s in Ledger(settings.ledger).submissions()}
    nothing_refused = run.take_in(settings, click.echo, files)
    declarations = Declarations(SOURCES)
    now = submissions_with_states(Ledger(settings.ledger).events(), declarations)
    new = [item for item in now if before.get(item.submission_id) != item.status]
    show(deliveries(new, declarations, "Taken in now"))
    if then_build:
        run.build(settings, click.echo)
        click.echo(f"Published {settings.warehouse}")
    sys.exit(0 if nothing_refused else 1)


@click.command()
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


@click.command()
@click.argument("quarters", nargs=-1, required=True, type=QUARTER)
def publish(quarters: tuple[Quarter, ...]) -> None:
    """Export QUARTERS: indicator files with manifest and checksums, and the performance pack."""
    from pipelines import run

    settings = Settings.from_environment()
    run.publish(settings, sorted(quarters), click.echo)


def _latest_quarter(settings: Settings) -> Quarter:
    accepted = [
        s.quarter for s in Ledger(settings.ledger).submissions() if s.is_accepted and s.quarter
    ]
    if not accepted:
        raise WarehouseError("no return was accepted yet: put files into the inbox and run again")
    return Quarter.parse(max(accepted))
