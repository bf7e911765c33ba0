"""Returns due, and reminders of them: ``adoption due``, ``reminders``."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import DAY, NATION, QUARTER
from pipelines.commands.declared import declared
from pipelines.commands.options import FOLDER, json_option, language_option, local_today
from pipelines.commands.terminal import cannot_write
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.text.catalogue import Language


@click.command()
@click.option(
    "--quarter", "quarters", type=QUARTER, multiple=True, help="Only this quarter; may be repeated."
)
@click.option("--nation", "nation_code", type=NATION, help="Only Wales, or England.")
@click.option("--on", "today", type=DAY, help="As at the end of this day; default: today.")
@click.option("--to-do", is_flag=True, help="Only what needs action.")
@language_option
@json_option
def due(
    quarters: tuple[Quarter, ...],
    nation_code: str | None,
    today: date | None,
    to_do: bool,
    language: Language,
    as_json: bool,
) -> None:
    """Show the returns due: by place and quarter, with status, days left and who acts next.

    Shows as many of the latest quarters as there is room for. With one --quarter it shows each
    return in full: days to the deadline, version, queries, sign-off.

    \b
    adoption due --nation Wales
    adoption due --quarter 2020-21-Q4 --to-do
    adoption due --quarter 2020-21-Q4 --on 2021-04-20   as it was that day
    """
    from rich.console import Console

    from pipelines.lifecycle.owed import as_json as owed_as_json
    from pipelines.lifecycle.owed import returns_owed
    from pipelines.lifecycle.owed_tables import OwedTables

    settings, declarations = Settings.from_environment(), declared()
    nations = returns_owed(settings, declarations, today or local_today(), quarters, nation_code)
    if as_json:
        click.echo(json.dumps(owed_as_json(nations), indent=2, ensure_ascii=False))
        return
    console = Console()
    if not nations:
        click.echo("No returns are due: none of these quarters has ended.")
    for number, owed in enumerate(nations):
        if number:
            console.print()
        for part in OwedTables(owed, declarations, language, to_do).render(console):
            console.print(part)


@click.command()
@click.option("--day", type=DAY, help="Default: today.")
@click.option(
    "--since", type=DAY, help="Also the reminders of every day since this one, newest first."
)
@click.option("--nation", "nation_code", type=NATION, help="Only Wales, or England.")
@click.option("--out", type=FOLDER, help="Write a text file for each reminder into this folder.")
@language_option
@json_option
def reminders(
    day: date | None,
    since: date | None,
    nation_code: str | None,
    out: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Print the reminders due on a day, or write them to files. Nothing is sent.

    \b
    adoption reminders
    adoption reminders --day 2021-05-07 --nation Wales --out reminders
    """
    from pipelines.lifecycle.reminders import due_reminders, write_reminders

    settings, declarations = Settings.from_environment(), declared()
    day = day or local_today()
    if since and since > day:
        raise click.BadParameter(f"{since} is after {day}", param_hint="--since")
    due = [
        reminder
        for reminder in due_reminders(settings, declarations, day, since)
        if nation_code in (None, declarations.places[reminder.sender_code].nation_code)
    ]
    if out is not None:
        try:
            write_reminders(due, out)
        except OSError as error:
            raise cannot_write(out, error) from error
        click.echo(f"Wrote {len(due)} reminders to {out}", err=as_json)
    if as_json:
        records = [reminder.as_json() for reminder in due]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    elif out is None:
        for reminder in due:
            place, subject, text = (
                getattr(w, language) for w in (reminder.place, reminder.subject, reminder.text)
            )
            click.echo(f"{place} ({reminder.sender_code})\n{subject}\n\n{text}\n\n---\n")
        click.echo(f"{len(due)} reminders for {day}. The wording is proposed; nothing was sent.")
