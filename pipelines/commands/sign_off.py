"""Decisions about one submission: ``adoption confirm``, ``sign-off``, ``accept``, ``withdraw``."""

from __future__ import annotations

import click

from pipelines.commands.arguments import NATION, QUARTER, SUBMISSION
from pipelines.commands.options import because_option, open_decisions, role_option
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter


@click.command()
@click.argument("submission_id", type=SUBMISSION)
@role_option
@because_option("Why it is right as it is")
def confirm(submission_id: str, role: str, reason: str) -> None:
    """Confirm a submission that is held, so that it counts.

    A file is held when it would change the figures beyond what is likely: hardly any reference of
    the last return is on it, a column of dates is missing, or days and months were swapped.
    `adoption report` says which. What was in force before stays in force until then.

    \b
    adoption confirm S000616-1a2b3c4d --role head_of_service \\
        --because "New case system since May: all references have changed."
    """
    event = open_decisions().confirm(submission_id, role=role, reason=reason)
    click.echo(
        f"{submission_id} is confirmed ({', '.join(event['codes'])}). Run `adoption build` for the "
        "figures."
    )


@click.command("sign-off")
@click.argument("submission_id", type=SUBMISSION)
@click.option(
    "--without-rows", type=click.IntRange(min=0), default=0, help="Number of rows set aside."
)
@role_option
def sign_off(submission_id: str, without_rows: int, role: str) -> None:
    """Sign off a submission as validated. Any change of data or rules makes the sign-off void.

    Rows set aside because of errors are in no figure: confirm their number with --without-rows.

    \b
    adoption sign-off S000616-1a2b3c4d --role head_of_service
    """
    event = open_decisions().sign_off(submission_id, role=role, rows_left_out=without_rows)
    click.echo(f"{submission_id} is signed off; seal {event['seal'][:16]}.")


@click.command()
@click.argument("submission_ids", nargs=-1, type=SUBMISSION)
@click.option("--quarter", type=QUARTER, help="Every submission signed off for this quarter.")
@click.option("--nation", "nation_code", type=NATION, help="With --quarter: Wales or England.")
@role_option
def accept(
    submission_ids: tuple[str, ...], quarter: Quarter | None, nation_code: str | None, role: str
) -> None:
    """Accept signed-off submissions on behalf of the national team.

    \b
    adoption accept S000616-1a2b3c4d --role national_data_lead
    adoption accept --quarter 2020-21-Q4 --nation Wales --role national_data_lead
    """
    if bool(submission_ids) == bool(quarter and nation_code):
        raise click.UsageError("give either SUBMISSION_IDS, or both --quarter and --nation")
    decisions = open_decisions()
    if quarter and nation_code:
        waiting = decisions.gaps(nation_code, quarter)
        matching = [each.submission_id for each in waiting if each.state == "signed_off"]
        submission_ids = tuple(dict.fromkeys(each for each in matching if each))
    for submission_id in submission_ids:
        decisions.accept(submission_id, role=role)
    click.echo(f"{len(submission_ids)} submissions accepted.")


@click.command()
@click.argument("submission_id", type=SUBMISSION)
@role_option
@because_option("Why it is withdrawn")
def withdraw(submission_id: str, role: str, reason: str) -> None:
    """Withdraw a submission; the one accepted before it is in force again.

    \b
    adoption withdraw S000616-1a2b3c4d --role data_officer \\
        --because "Sent by mistake: a test of our new system"
    """
    from pipelines.lifecycle.ledger_state import ledger_state

    decisions = open_decisions()
    decisions.withdraw(submission_id, role=role, reason=reason)
    book = ledger_state(Ledger(decisions.settings.ledger).events(), decisions.declarations)
    if submission_id not in book.withdrawn:
        click.echo(
            f"{submission_id} will be withdrawn with the next revision: its quarter is locked."
        )
        return
    item = book.submissions[submission_id]
    now = book.in_force(item.sender_code or "", item.quarter or "")
    stands = f"{now.submission_id} is in force" if now else "nothing is in force"
    click.echo(f"{submission_id} is withdrawn; {stands}. Run `adoption build` for the figures.")
