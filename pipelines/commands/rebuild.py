"""``adoption rebuild``: raw, validated and marts from received files, ledger and key."""

from __future__ import annotations

import json
import sys

import click

from pipelines.commands.declared import declared
from pipelines.commands.options import json_option
from pipelines.commands.terminal import working
from pipelines.settings import Settings


@click.command()
@click.option(
    "--accept-contents",
    is_flag=True,
    help="Go on where values are read differently today; rows and statuses must still agree.",
)
@json_option
def rebuild(accept_contents: bool, as_json: bool) -> None:
    """Rebuild all figures from the files as received.

    Reads every received file once more and replaces the folders raw and validated and the
    warehouse. Only the received files, the ledger and the key are needed. Each return keeps the
    status it was given; where today's rules would decide differently, that is listed. If a file is
    missing, or the rows or values differ from those in the ledger, nothing is changed and the exit
    code is 1.

    \b
    adoption rebuild
    """
    from pipelines.commands import run
    from pipelines.exclusive import exclusive
    from pipelines.intake.rebuild import rebuild as make_again
    from pipelines.lifecycle.ledger import Ledger

    settings = Settings.from_environment()
    ledger = Ledger(settings.ledger)
    with (
        exclusive(settings.writer_lock, "rebuilding raw and validated", 0),
        ledger.held(),
        working("Reading and validating the received files"),
    ):
        rebuilt = make_again(settings, declared(), accept_contents=accept_contents)
    if as_json:
        click.echo(json.dumps(rebuilt.as_json(), indent=2, ensure_ascii=False))
    else:
        for difference in rebuilt.differences:
            click.echo(f"Differs  {difference}")
        for obstacle in rebuilt.obstacles:
            click.secho(f"Fault    {obstacle}", fg="red", err=True)
        click.echo(
            f"Nothing was changed: {len(rebuilt.obstacles)} faults."
            if rebuilt.obstacles
            else f"Rebuilt raw and validated: {rebuilt.submissions} submissions in "
            f"{rebuilt.batches} batches, {len(rebuilt.differences)} differences."
        )
    if rebuilt.obstacles:
        sys.exit(1)
    run.build(settings, lambda line: click.echo(line, err=as_json))
