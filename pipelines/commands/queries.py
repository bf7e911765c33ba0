"""Queries and their answers: ``adoption queries``, ``tolerate``, ``reopen``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from pipelines.commands.arguments import QUARTER, SENDER
from pipelines.commands.declared import declared
from pipelines.commands.options import (
    because_option,
    json_option,
    open_decisions,
    return_option,
    role_option,
)
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings


@click.command()
@click.option("--quarter", type=QUARTER, help="Only this quarter.")
@click.option("--sender", "sender_code", type=SENDER, help="Only this sender: code or name.")
@click.option("--open", "only_open", is_flag=True, help="Only queries that still need an answer.")
@json_option
def queries(
    quarter: Quarter | None, sender_code: str | None, only_open: bool, as_json: bool
) -> None:
    """List the queries on the latest returns: rule, rows, and whether open or tolerated.

    A query is a value that is unusual but possible. `adoption report` shows its cells.

    \b
    adoption queries --open --quarter 2020-21-Q4
    adoption queries --sender Gwynedd
    """
    from pipelines.lifecycle.ledger_state import ledger_state

    settings, declarations = Settings.from_environment(), declared()
    book = ledger_state(Ledger(settings.ledger).events(), declarations)
    lines = []
    for item in _standing(book.submissions.values(), book.newest):
        if sender_code not in (None, item.sender_code):
            continue
        if quarter is not None and item.quarter != quarter.label:
            continue
        for query in book.queries(item):
            if query.is_open or not only_open:
                lines.append(_query_json(item, query))
    if as_json:
        click.echo(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    for line in lines:
        place = declarations.places[line["sender_code"]].name_en
        click.echo(
            f"{place} ({line['sender_code']}), {line['quarter']}, {line['return_name']}: "
            f"{line['code']}, {line['rows']} rows, {line['state']}"
        )
    waiting = sum(line["is_open"] for line in lines)
    click.echo(f"{len(lines)} queries, {waiting} open. `adoption report` shows their cells.")


def _standing(items: Any, newest: Callable[[str, str], Submission | None]) -> list[Submission]:
    keys = sorted(
        {(item.quarter, item.sender_code) for item in items if item.quarter and item.sender_code}
    )
    standing = [newest(sender_code, quarter) for quarter, sender_code in keys]
    return [item for item in standing if item is not None]


_WHY_OPEN = {
    "new": "open",
    "over_the_limit": "open: more rows than the {limit} tolerated",
    "expired": "open: was tolerated until {until}",
    "opened_again": "open: asked again",
}


def _query_json(item: Submission, query: Any) -> dict[str, Any]:
    given = query.tolerance
    limits = {"limit": given.limit, "until": given.until} if given else {}
    state = (
        _WHY_OPEN[query.why_open].format(**limits)
        if query.is_open
        else f"tolerated up to {given.limit} rows until {given.until} ({given.role})"
    )
    return {
        "sender_code": item.sender_code,
        "quarter": item.quarter,
        "submission_id": item.submission_id,
        "return_name": query.return_name,
        "code": query.code,
        "rows": query.rows,
        "is_open": query.is_open,
        "state": state,
        "limit": given.limit if given else None,
        "until": given.until if given else None,
        "explanation": given.explanation if given else None,
    }


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@click.argument("code")
@return_option
@click.option(
    "--limit", type=click.IntRange(min=1), required=True, help="The most rows that may have it."
)
@click.option("--until", type=QUARTER, help="Last quarter it applies to; default: QUARTER itself.")
@role_option
@because_option("Why the rows are right although the rule queries them")
def tolerate(
    sender_code: str,
    quarter: Quarter,
    code: str,
    return_name: str,
    limit: int,
    until: Quarter | None,
    role: str,
    reason: str,
) -> None:
    """Answer the query CODE of a return with an explanation instead of a correction.

    The answer carries over to later quarters. The query is asked again when more rows have it, or
    after the last quarter it applies to.

    \b
    adoption tolerate Coventry 2020-21-Q3 CH401 --limit 2 --role national_data_lead \\
        --because "Confirmed with the social worker: both dates are right"
    """
    until = until or quarter
    open_decisions().tolerate(
        sender_code,
        return_name,
        quarter,
        code,
        limit=limit,
        until=until,
        role=role,
        explanation=reason,
    )
    click.echo(f"{code} of {sender_code} is tolerated up to {limit} rows, {quarter} to {until}.")


@click.command()
@click.argument("sender_code", type=SENDER, metavar="SENDER")
@click.argument("quarter", type=QUARTER)
@click.argument("code")
@return_option
@role_option
@because_option("Why the explanation does not hold")
def reopen(
    sender_code: str, quarter: Quarter, code: str, return_name: str, role: str, reason: str
) -> None:
    """Ask a tolerated query again from QUARTER on; a sign-off that relied on it becomes void.

    \b
    adoption reopen Coventry 2020-21-Q3 CH401 --role national_data_lead \\
        --because "The dates have changed since"
    """
    open_decisions().reopen(sender_code, return_name, quarter, code, role=role, reason=reason)
    click.echo(f"{code} of {sender_code} is open again from {quarter} on.")
