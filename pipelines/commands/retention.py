"""What is past its time: ``adoption retention``."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.arguments import DAY, ROLE
from pipelines.commands.declared import declared
from pipelines.commands.options import local_today
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings


@click.command()
@click.option("--apply", is_flag=True, help="Remove it; without this it is only listed.")
@click.option("--role", type=ROLE, help="Your role; needed with --apply.")
@click.option("--on", "today", type=DAY, help="Count from this day instead of today.")
def retention(apply: bool, role: str | None, today: date | None) -> None:
    """List received files and raw rows kept past their time limit, or remove them with --apply.

    How long each room holds them is declared in sources/policies. Ledger, validated rows, exports
    and releases stay.

    \b
    adoption retention
    adoption retention --apply --role national_data_lead
    """
    from pipelines.intake.retention import past_their_time, remove_past_their_time

    settings, declarations = Settings.from_environment(), declared()
    today = today or local_today()
    if apply and today > local_today():
        raise click.UsageError("--apply counts from today, not from a day to come")
    if apply:
        if role is None:
            raise click.UsageError("say with --role who removes it")
        with Ledger(settings.ledger).held():
            due = remove_past_their_time(settings, declarations, today, role)
    else:
        due = past_their_time(settings, declarations, today)
    for quarter, count in due.files_by_quarter.items():
        click.echo(f"landing  {quarter}  {count} files as sent")
    for quarter, count in due.rows_by_quarter.items():
        click.echo(f"raw      {quarter}  {count} rows")
    if not due.received and not due.raw:
        click.echo("Nothing is past its time.")
    elif apply:
        click.echo("Removed. Backups keep it until they are replaced.")
    else:
        click.echo("Nothing was removed: --apply does it.")
