"""``adoption template``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import FILE, QUARTER
from pipelines.commands.telling import cannot_write
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES

if TYPE_CHECKING:
    from pipelines.verdict.receipts import Language


@click.command()
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
        raise cannot_write(target, error) from error
    click.echo(f"Wrote {target}")
