"""``adoption template``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import NEW_FILE, QUARTER, SENDER, force_option
from pipelines.commands.declared import declared
from pipelines.commands.terminal import cannot_write
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from pipelines.text.catalogue import Language


@click.command()
@click.argument("target", type=NEW_FILE)
@click.option(
    "--sender", "sender_code", type=SENDER, help="Who will send it: only the sheets due from them."
)
@click.option("--quarter", type=QUARTER, help="Default: the last quarter that has ended.")
@force_option
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
def template(
    target: Path, sender_code: str | None, quarter: Quarter | None, language: Language
) -> None:
    """Write a blank return to TARGET: a workbook (.xlsx), or CSV files (.zip).

    Fields have the same names in both languages in the CSV files; the guidance that comes with
    them is in the language you choose.

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
        raise click.BadParameter("the file name must end in .xlsx or .zip", param_hint="TARGET")
    declarations = declared()
    quarter = quarter or Quarter.containing(date.today()).plus(-1)
    if quarter < FIRST_QUARTER_OFFERED:
        raise click.BadParameter(
            f"the first returns are for {FIRST_QUARTER_OFFERED}", param_hint="--quarter"
        )
    if sender_code and not declarations.due_from(sender_code, quarter):
        raise click.BadParameter(
            f"no return is due from {sender_code} for {quarter}", param_hint="--quarter"
        )
    try:
        write(target, declarations, quarter, sender_code, language)
    except (OSError, FileCreateError) as error:
        raise cannot_write(target, error) from error
    click.echo(f"Wrote {target}")
