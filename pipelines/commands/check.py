"""``adoption check``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import (
    EXISTING_FILE,
    NEW_FILE,
    QUARTER,
    SENDER,
    force_option,
)
from pipelines.commands.convert import FILES_OR_FOLDERS, converted
from pipelines.commands.declared import declared
from pipelines.commands.deliveries import write_or_say_why
from pipelines.commands.extras import require_warehouse
from pipelines.commands.terminal import show, working
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from pipelines.text.catalogue import Language


@click.command()
@click.argument("files", nargs=-1, type=FILES_OR_FOLDERS)
@click.option(
    "--before",
    multiple=True,
    type=EXISTING_FILE,
    help="What you sent before: the previous version, or the previous quarter. May be repeated.",
)
@click.option(
    "--sender",
    "sender_code",
    type=SENDER,
    help="Whose extracts FILES are: they are converted first, as `adoption convert` does.",
)
@click.option(
    "--quarter",
    "quarters",
    multiple=True,
    type=QUARTER,
    help="With --sender: the quarter of the return that they become. May be repeated.",
)
@click.option("--out", type=NEW_FILE, help="Write the report: FILE.xlsx, .csv, .txt or .json.")
@click.option(
    "--marked", type=NEW_FILE, help="Write a copy with the problem cells marked: FILE.xlsx."
)
@force_option
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: a list with an entry for each file."
)
@click.option(
    "--quick/--full",
    default=True,
    help="Full runs the same rules through Great Expectations, as the collection does. The default "
    "is quick.",
)
@click.option("--ask-password", is_flag=True, help="Ask for the password of a protected workbook.")
@click.option(
    "--page", "as_page", is_flag=True, help="Open a page of this computer to drop files into."
)
@click.pass_context
def check(
    context: click.Context,
    files: tuple[Path, ...],
    before: tuple[Path, ...],
    sender_code: str | None,
    quarters: tuple[Quarter, ...],
    out: Path | None,
    marked: Path | None,
    language: Language,
    as_json: bool,
    quick: bool,
    ask_password: bool,
    as_page: bool,
) -> None:
    """Check returns on this computer before you send them, by the rules of the collection.

    Nothing is sent and nothing is kept. The exit code is 0 when every file would be accepted, and
    1 when any would be refused, or held until somebody confirms it.

    \b
    adoption check return.xlsx
    adoption check return.xlsx --before last-quarter.xlsx --out problems.xlsx
    adoption check return.xlsx --marked to-correct.xlsx   problem cells in colour
    adoption check annex-a.xlsx --sender Bristol --quarter 2025-26-Q1   an extract
    adoption check --page                                 without a terminal, in the browser
    adoption check protected.xlsx --ask-password   typed, used once and kept nowhere
    """
    import tempfile

    if as_page == bool(files):
        raise click.UsageError("give FILES to check, or --page")
    if as_page:
        _serve_page(language)
        return
    password = click.prompt("Password", hide_input=True, err=True) if ask_password else None
    with tempfile.TemporaryDirectory(prefix="adoption-check-") as made:
        if sender_code is not None:
            files = _converted(Path(made), files, sender_code, quarters, language)
        elif quarters:
            raise click.UsageError("--quarter goes with --sender, for extracts")
        elif folders := [path for path in files if path.is_dir()]:
            raise click.UsageError(
                f"{folders[0]} is a folder: say with --sender whose extracts it holds"
            )
        refused = _check(files, before, out, marked, language, as_json, quick, password)
    context.exit(1 if refused else 0)


def _converted(
    folder: Path,
    files: tuple[Path, ...],
    sender_code: str,
    quarters: tuple[Quarter, ...],
    language: Language,
) -> tuple[Path, ...]:
    """The returns that extracts become, written for the check alone."""
    from pipelines.extracts.written import write_converted

    conversion = converted(files, sender_code, quarters, language)
    return tuple(write_converted(folder, conversion, declared(), language))


def _check(
    files: tuple[Path, ...],
    before: tuple[Path, ...],
    out: Path | None,
    marked: Path | None,
    language: Language,
    as_json: bool,
    quick: bool,
    password: str | None,
) -> bool:
    """Print and write what was found; True when any file would be refused."""
    from pipelines.commands.summary import report_to_show
    from pipelines.verdict.check import WrongEarlierFile, check_files
    from pipelines.verdict.report import ValidationReport
    from pipelines.verdict.report_files import write_report

    if len(files) > 1 and (out or marked):
        raise click.UsageError("--out and --marked take one file at a time")
    for target in (out, marked):
        if target and any(target.exists() and target.samefile(each) for each in (*files, *before)):
            raise click.UsageError(f"{target} is the return itself: choose another name")
    if out and out == marked:
        raise click.UsageError("--out and --marked name one file: choose two")
    if not quick:
        require_warehouse("adoption check --full")
    declarations = declared()
    try:
        with working(f"Checking {files[0].name}" if len(files) == 1 else f"{len(files)} files"):
            checked = check_files(
                files,
                declarations,
                datetime.now(UTC),
                before=before,
                engine="polars" if quick else "great_expectations",
                password=password,
            )
    except WrongEarlierFile as error:
        raise click.BadParameter(str(error), param_hint="--before") from error
    reports = [
        ValidationReport(file.submission, file.problems, declarations, language, file.details)
        for file in checked
    ]
    if out is not None:
        write_or_say_why(out, partial(write_report, reports[0]), "--out", as_json)
    if marked is not None:
        from pipelines.verdict.marked_copy import write_marked_copy

        write_or_say_why(
            marked,
            lambda target: write_marked_copy(
                target, reports[0], checked[0].content, checked[0].laid_out
            ),
            "--marked",
            as_json,
        )
    if as_json:
        content = [report.as_json() for report in reports]
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for report in reports:
            show(report_to_show(report))
    return any(file.is_refused for file in checked)


def _serve_page(language: Language) -> None:
    """The page, until Ctrl-C ends it."""
    import webbrowser

    require_warehouse("adoption check --page")
    from pipelines.verdict.check_page import serve

    def announce(address: str) -> None:
        shown = f"{address}?language={language}" if language != "en" else address
        click.echo(f"The page is at {shown} (for this computer alone; Ctrl-C ends it).")
        webbrowser.open(shown)

    serve(declared(), announce)
