"""Files received and their validation reports: ``adoption status``, ``report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import NEW_FILE, QUARTER, SENDER, SUBMISSION, force_option
from pipelines.commands.declared import declared
from pipelines.commands.terminal import cannot_write, show
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.text.catalogue import Language
    from pipelines.verdict.report import ValidationReport


@click.command()
@click.option("--quarter", type=QUARTER, help="Only this quarter.")
@click.option("--sender", "sender_code", type=SENDER, help="Only this sender: code or name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(quarter: Quarter | None, sender_code: str | None, as_json: bool) -> None:
    """List every file received, the newest first: who sent it, when, and its status.

    Each entry begins with the submission ID, which `adoption report` asks for. Files that could not
    be read have no quarter and no sender.

    \b
    adoption status --quarter 2020-21-Q4
    adoption status --sender Powys
    """
    from pipelines.commands.summary import deliveries
    from pipelines.lifecycle.states import submissions_with_states
    from pipelines.verdict.report import submission_json

    settings, declarations = Settings.from_environment(), declared()
    every = submissions_with_states(Ledger(settings.ledger).events(), declarations)
    submissions = [
        item
        for item in reversed(every)
        if (quarter is None or item.quarter == quarter.label)
        and sender_code in (None, item.sender_code)
    ]
    if as_json:
        records = [submission_json(item) for item in submissions]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    show(deliveries(submissions, declarations, "Files received"))
    if not every:
        click.echo(
            "Nothing has been received yet: put files in "
            f"{settings.inbox}, then run `adoption take-in`."
        )


@click.command()
@click.argument("submission_id", type=SUBMISSION)
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every problem by itself.")
@click.option(
    "--out",
    type=NEW_FILE,
    help="Write it to a file for the sender: FILE.xlsx, .csv, .txt or .json.",
)
@click.option(
    "--marked", type=NEW_FILE, help="Write a copy with the problem cells marked: FILE.xlsx."
)
@force_option
def report(
    submission_id: str, language: Language, as_json: bool, out: Path | None, marked: Path | None
) -> None:
    """Show the validation report of one submission: each problem, its cells and what to do.

    SUBMISSION_ID is as `adoption status` lists it, or its beginning. A problem that several rows
    have is shown once; --json and files list every row.

    \b
    adoption report S000616-1a2b3c4d
    adoption report S000616-1a2b3c4d --out report.xlsx  --language cy   to send back
    adoption report S000616-1a2b3c4d --marked to-correct.xlsx           problem cells in colour
    """
    from pipelines.commands.summary import report_to_show
    from pipelines.intake.problems import problems_of
    from pipelines.verdict.details import details_of_submission
    from pipelines.verdict.report import ValidationReport
    from pipelines.verdict.report_files import write_report

    settings = Settings.from_environment()
    declarations = declared()
    submissions = {item.submission_id: item for item in Ledger(settings.ledger).submissions()}
    if submission_id not in submissions:
        raise click.BadParameter(
            f"no submission {submission_id}; `adoption status` lists them",
            param_hint="SUBMISSION_ID",
        )
    item = submissions[submission_id]
    problems = problems_of(settings, item)
    details = details_of_submission(settings, declarations, item, problems)
    report = ValidationReport(item, problems, declarations, language, details)
    if out is not None:
        write_or_say_why(out, partial(write_report, report), "--out", as_json)
    if marked is not None:
        write_or_say_why(
            marked, lambda target: _mark(target, settings, report), "--marked", as_json
        )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    elif out is None and marked is None:
        show(report_to_show(report))


def write_or_say_why(
    target: Path, write: Callable[[Path], None], option: str, is_quiet: bool
) -> None:
    """Write a file that the user named; with JSON on standard output nothing else goes there."""
    from pipelines.verdict.marked_copy import NothingToMark

    try:
        write(target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error
    except NothingToMark as error:
        click.echo(f"{target}: {error}", err=True)
    except OSError as error:
        raise cannot_write(target, error) from error
    else:
        click.echo(f"Wrote {target}", err=is_quiet)


def _mark(target: Path, settings: Settings, report: ValidationReport) -> None:
    """Read the file once more as it was received, and write it with its problems marked."""
    from pipelines.intake.landing import stored_file
    from pipelines.readers.child_process import read_files
    from pipelines.readers.content import Unreadable
    from pipelines.readers.layout import lay_out
    from pipelines.verdict.marked_copy import write_marked_copy

    item = report.submission
    (content,) = read_files([stored_file(settings, item)])
    if isinstance(content, Unreadable):
        write_marked_copy(target, report, None, None)
    else:
        laid_out = lay_out(content, report.declarations, item.submission_id)
        write_marked_copy(target, report, content, laid_out)
