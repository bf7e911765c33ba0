"""``adoption template``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import FILE, QUARTER, SENDER
from pipelines.commands.declared import declared
from pipelines.commands.terminal import cannot_write
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from pipelines.text.catalogue import Language


@click.command()
@click.argument("target", type=FILE)
@click.option("--sender", "sender_code", type=SENDER, help="Who sends it: only the sheets it owes.")
@click.option("--quarter", type=QUARTER, help="Default: the quarter that ended last.")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
def template(
    target: Path, sender_code: str | None, quarter: Quarter | None, language: Language
) -> None:
    """Write the empty return to TARGET: a workbook (.xlsx), or the CSV equivalent (.zip).

    In the CSV files fields have the same names in both languages; the guidance beside them
    explains them in the one asked for.

    \b
    adoption template return.xlsx --sender Cardiff
    adoption template ffurflen.xlsx --sender "Ynys Môn" --quarter 2025-26-Q1 --language cy
    """
    from xlsxwriter.exceptions import FileCreateError

    from pipelines.templates.csv_files import write_csv_template
    from pipelines.templates.plan import FIRST_QUARTER_OFFERED
    from pipelines.templates.workbook import write_template

    write = {".zip": write_csv_template, ".xlsx": write_template}.get(target.suffix.lower())
    if write is None:
        raise click.BadParameter("end the name in .xlsx or .zip", param_hint="TARGET")
    declarations = declared()
    quarter = quarter or Quarter.containing(date.today()).plus(-1)
    if quarter < FIRST_QUARTER_OFFERED:
        raise click.BadParameter(
            f"returns begin with {FIRST_QUARTER_OFFERED}", param_hint="--quarter"
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
