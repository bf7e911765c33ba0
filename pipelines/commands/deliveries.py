"""What came and what was said of it: ``adoption status``, ``verdict``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.arguments import FILE, QUARTER
from pipelines.commands.telling import cannot_write, show
from pipelines.declarations import Declarations
from pipelines.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings

if TYPE_CHECKING:
    from pipelines.receipts import Language


@click.command()
@click.option("--quarter", type=QUARTER, help="Only this quarter.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(quarter: Quarter | None, as_json: bool) -> None:
    """Show every delivery: which file, from whom, when, and what became of it."""
    from pipelines.receipts import submission_json
    from pipelines.summary import deliveries

    settings = Settings.from_environment()
    found = [
        item
        for item in Ledger(settings.ledger).submissions()
        if quarter is None or item.quarter == quarter.label
    ]
    if as_json:
        told = [submission_json(item) for item in found]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    show(deliveries(found, Declarations(SOURCES), "Deliveries"))


@click.command()
@click.argument("submission_id")
@click.option("--language", type=click.Choice(["en", "cy"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every problem by itself.")
@click.option("--out", type=FILE, help="Write it for the sender instead: FILE.txt or FILE.csv.")
def verdict(submission_id: str, language: Language, as_json: bool, out: Path | None) -> None:
    """Show what was said of one submission: sheet, cell, field, rule and what to do.

    Problems that rows share are shown once; --json and a .csv give each of them.
    """
    from pipelines.receipts import Receipt
    from pipelines.summary import verdict as shown
    from pipelines.take_in import problems_of

    settings = Settings.from_environment()
    found = {item.submission_id: item for item in Ledger(settings.ledger).submissions()}
    if submission_id not in found:
        raise click.BadParameter(
            f"no submission {submission_id}; `adoption status` lists them",
            param_hint="SUBMISSION_ID",
        )
    item = found[submission_id]
    receipt = Receipt(item, problems_of(settings, item), Declarations(SOURCES), language)
    if out is not None:
        try:
            receipt.write(out)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--out") from error
        except OSError as error:
            raise cannot_write(out, error) from error
        click.echo(f"Wrote {out}", err=as_json)
    if as_json:
        click.echo(json.dumps(receipt.as_json(), indent=2, ensure_ascii=False))
    elif out is None:
        show(shown(receipt))
