"""``adoption convert``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import NEW_FILE_OR_FOLDER, QUARTER, SENDER, force_option
from pipelines.commands.declared import declared
from pipelines.commands.deliveries import write_or_say_why
from pipelines.commands.terminal import working
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from pipelines.extracts.conversion import Conversion
    from pipelines.text.catalogue import Language

FILES_OR_FOLDERS = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILES_OR_FOLDERS)
@click.option("--sender", "sender_code", required=True, type=SENDER, help="Whose files they are.")
@click.option(
    "--quarter",
    "quarters",
    multiple=True,
    type=QUARTER,
    help="Of the return. May be repeated; yearly files become every quarter of their years.",
)
@click.option(
    "--out",
    type=NEW_FILE_OR_FOLDER,
    help="The workbook to write, or the folder for several quarters. Default: named by sender and "
    "quarter, here.",
)
@force_option
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of sentences.")
def convert(
    files: tuple[Path, ...],
    sender_code: str,
    quarters: tuple[Quarter, ...],
    out: Path | None,
    language: Language,
    as_json: bool,
) -> None:
    """Make a return from extracts that you have: FILES, or folders with them.

    Understood are lists 10 and 11 of Ofsted's Annex A, the Standard Safeguarding Dataset, the CSV
    files of SSDA903 for one or several years, and the department's daily JSON. Nothing is guessed:
    what they do not hold stays blank and is listed, with the figures that need it.

    \b
    adoption convert annex-a.xlsx --sender Bristol --quarter 2025-26-Q1
    adoption convert 2023 2024 2025 --sender Bristol --out history    yearly files, folder by year
    """
    from pipelines.extracts.account import account
    from pipelines.extracts.account import as_json as plain

    conversion = converted(files, sender_code, quarters, language)
    declarations = declared()
    context = click.get_current_context()
    target = out or NEW_FILE_OR_FOLDER.convert(_default_target(conversion), None, context)
    if as_json:
        click.echo(json.dumps(plain(conversion, language), indent=2, ensure_ascii=False))
    else:
        for line in account(conversion, declarations, language):
            click.echo(line)
        click.echo()
    write_or_say_why(target, partial(_write, conversion, language), "--out", as_json)


def converted(
    files: tuple[Path, ...],
    sender_code: str,
    quarters: tuple[Quarter, ...],
    language: Language,
) -> Conversion:
    """Convert, or end the command with what is wrong."""
    from pipelines.extracts.conversion import convert as convert_files
    from pipelines.extracts.folders import files_of
    from pipelines.extracts.sentences import CannotConvert

    declarations = declared()
    try:
        with working("Converting"):
            return convert_files(files_of(files), declarations, sender_code, quarters)
    except CannotConvert as error:
        raise click.ClickException(error.text(language)) from error


def _default_target(conversion: Conversion) -> Path:
    of_one = len(conversion.returns) == 1
    name = f"{conversion.returns[0].quarter}.xlsx" if of_one else "history"
    return Path(f"{conversion.sender_code} {name}")


def _write(conversion: Conversion, language: Language, target: Path) -> None:
    """One workbook, or a folder of them that is there whole or not at all."""
    import tempfile

    from xlsxwriter.exceptions import FileCreateError

    from pipelines.extracts.written import write_converted, write_one

    if len(conversion.returns) == 1 and target.suffix:
        if target.suffix.lower() != ".xlsx":
            raise ValueError("the file name must end in .xlsx")
        try:
            write_one(target, conversion, conversion.returns[0], declared(), language)
        except FileCreateError as error:  # the system's own error is inside
            raise error.args[0] from error
        return
    if target.suffix:
        raise ValueError("there are several quarters: name a folder, without an ending")
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".convert-") as made:
        write_converted(Path(made) / "returns", conversion, declared(), language)
        (Path(made) / "returns").rename(target)
