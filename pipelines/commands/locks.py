"""Decisions about a nation's quarter: ``adoption lock``, ``unlock``, ``revise``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pipelines.commands.arguments import QUARTER, SUBMISSION
from pipelines.commands.options import because_option, nation_option, open_decisions, role_option
from pipelines.quarters import Quarter


@click.command()
@click.argument("quarter", type=QUARTER)
@nation_option
@click.option(
    "--with-gaps", is_flag=True, help="Lock even though returns are missing or not accepted."
)
@role_option
def lock(quarter: Quarter, nation_code: str, with_gaps: bool, role: str) -> None:
    """Lock a nation's quarter: later submissions are validated, but held for a revision.

    \b
    adoption lock 2020-21-Q4 --nation Wales --role national_director
    """
    event = open_decisions().lock(nation_code, quarter, role=role, with_gaps=with_gaps)
    gaps = event["not_accepted"]
    click.echo(f"{quarter} is locked for {nation_code}; {gaps} returns are not accepted.")


@click.command()
@click.argument("quarter", type=QUARTER)
@nation_option
@role_option
@because_option("Why the lock was too early")
def unlock(quarter: Quarter, nation_code: str, role: str, reason: str) -> None:
    """Undo a lock before anything is published; submissions that were held count again.

    \b
    adoption unlock 2020-21-Q4 --nation Wales --role national_director \\
        --because "Two returns were still on their way"
    """
    open_decisions().unlock(nation_code, quarter, role=role, reason=reason)
    click.echo(f"{quarter} is open again for {nation_code}. Run `adoption build`.")


@click.command()
@click.argument("quarter", type=QUARTER)
@nation_option
@click.option(
    "--only",
    multiple=True,
    type=SUBMISSION,
    metavar="SUBMISSION_ID",
    help="Include only this submission; may be repeated.",
)
@role_option
@because_option("Why the published figures change; shown in the manifest")
def revise(quarter: Quarter, nation_code: str, only: Sequence[str], role: str, reason: str) -> None:
    """Begin the next revision of a published quarter: held submissions count from now on.

    \b
    adoption revise 2020-21-Q4 --nation Wales --role national_director \\
        --because "Late return of one authority"
    """
    event = open_decisions().revise(nation_code, quarter, role=role, reason=reason, only=only)
    click.echo(
        f"{len(event['released'])} files released, {len(event['withdrawals'])} withdrawn. "
        f"Run `adoption build`, then `adoption publish {quarter}`."
    )
