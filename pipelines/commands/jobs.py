"""The jobs: ``adoption run``, ``take-in``, ``build``, ``publish``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from pipelines.commands.arguments import EXISTING_FILE, QUARTER
from pipelines.commands.declared import declared
from pipelines.commands.options import wait_for_others_option
from pipelines.commands.terminal import show, show_outcome
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.warehouse.published import WarehouseError


@click.command("run")
@click.option("--quarter", type=QUARTER, help="Quarter to export; default: the latest.")
@wait_for_others_option
def run_everything(quarter: Quarter | None, wait_for_others: float) -> None:
    """Take in the files in the inbox, build the warehouse and export the latest quarter.

    The exit code is 1 when a return was refused; everything else is done all the same.

    \b
    adoption run
    adoption run --quarter 2025-26-Q1
    """
    from pipelines.commands import run

    settings = Settings.from_environment()
    nothing_refused = run.take_in(settings, click.echo)
    run.build(settings, click.echo, wait_for_others=wait_for_others)
    quarter = quarter or _latest_quarter(settings)
    run.publish(settings, [quarter], click.echo, wait_for_others)
    show_outcome(settings, declared(), quarter)
    sys.exit(0 if nothing_refused else 1)


@click.command("take-in")
@click.argument("files", nargs=-1, type=EXISTING_FILE)
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for files that are still being copied.",
)
@click.option("--build", "then_build", is_flag=True, help="Build the warehouse afterwards.")
@click.option("--json", "as_json", is_flag=True, help="Print what was taken in as JSON.")
def take_in(files: tuple[Path, ...], wait: float, then_build: bool, as_json: bool) -> None:
    """Take in FILES, or the files in the inbox, and validate each of them.

    FILES stay where they are; a copy is kept as received. The exit code is 1 when one was refused,
    or was still being copied and could not be taken in. A file in the inbox that is still being
    copied is left there for the next time.

    \b
    adoption take-in return.xlsx           one file, and no other
    adoption take-in --build               the files in the inbox, then the figures
    """
    from pipelines.commands import run
    from pipelines.commands.summary import deliveries
    from pipelines.lifecycle.states import submissions_with_states
    from pipelines.verdict.report import submission_json

    settings = Settings.from_environment()
    say = partial(click.echo, err=as_json)
    before = {s.submission_id: s.status for s in Ledger(settings.ledger).submissions()}
    nothing_refused = run.take_in(settings, say, files, wait)
    declarations = declared()
    now = submissions_with_states(Ledger(settings.ledger).events(), declarations)
    new = [item for item in now if before.get(item.submission_id) != item.status]
    if as_json:
        records = [submission_json(item) for item in new]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    else:
        show(deliveries(new, declarations, "Taken in now"))
    if then_build:
        run.build(settings, say)
        say(f"Published {settings.warehouse}")
    sys.exit(0 if nothing_refused else 1)


@click.command()
@click.option(
    "--as-of",
    default="",
    metavar="WHEN",
    help="Date and time (UTC): leave out whatever was received later.",
)
@wait_for_others_option
def build(as_of: str, wait_for_others: float) -> None:
    """Rebuild the warehouse from the returns on disk, and publish it.

    People who have the present warehouse open are not disturbed. With --as-of the warehouse is
    written to a folder of its own, as it was known then, and the published one stays as it is.

    \b
    adoption build
    adoption build --as-of 2021-05-01
    adoption build --as-of "2021-05-01 09:00"
    """
    from pipelines.commands import run

    settings = Settings.from_environment()
    written = settings.warehouse
    if as_of:
        try:
            moment = datetime.fromisoformat(as_of)
        except ValueError as error:
            raise click.BadParameter(
                f"{as_of!r} is not a date such as 2021-05-01", param_hint="--as-of"
            ) from error
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        written = settings.marts_as_of(moment) / settings.warehouse.name
    run.build(settings, click.echo, as_of, wait_for_others)
    click.echo(f"{'Wrote' if as_of else 'Published'} {written}")


@click.command()
@click.argument("quarters", nargs=-1, required=True, type=QUARTER)
@wait_for_others_option
def publish(quarters: tuple[Quarter, ...], wait_for_others: float) -> None:
    """Export QUARTERS: indicator files with their manifest and checksums, and performance packs.

    A version never changes once it is written: publishing again writes the next one.

    \b
    adoption publish 2020-21-Q4
    """
    from pipelines.commands import run

    settings = Settings.from_environment()
    run.publish(settings, sorted(quarters), click.echo, wait_for_others)


def _latest_quarter(settings: Settings) -> Quarter:
    accepted = [
        s.quarter for s in Ledger(settings.ledger).submissions() if s.is_accepted and s.quarter
    ]
    if not accepted:
        raise WarehouseError(
            "no return has been accepted yet: put files in the inbox, then run this again"
        )
    return Quarter.parse(max(accepted))
