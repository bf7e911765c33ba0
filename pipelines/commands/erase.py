"""A request for erasure: ``adoption erase``."""

from __future__ import annotations

import click

from pipelines.commands.arguments import SENDER
from pipelines.commands.declared import declared
from pipelines.commands.options import because_option, role_option
from pipelines.commands.terminal import working
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings


@click.command()
@click.argument("kind", type=click.Choice(["child", "household", "submission"]))
@click.option("--sender", "sender_code", type=SENDER, help="Who gave the reference.")
@click.option(
    "--reference",
    prompt="Reference, or submission ID",
    help="Asked for when it is left out, so that it is not kept in the history of the shell.",
)
@role_option
@because_option("Why it is erased")
@click.option("--dry-run", is_flag=True, help="Count only; change nothing.")
@click.option("--no-build", is_flag=True, help="Leave the warehouse for later.")
def erase(
    kind: str,
    sender_code: str | None,
    reference: str,
    role: str,
    reason: str,
    dry_run: bool,
    no_build: bool,
) -> None:
    """Erase a child, a household or a submission from every room, and show that it is gone.

    The rows go from raw and validated, the received files that hold them go as a whole, and so do
    the names of these files. The warehouse is built again. Exports and releases stay as they were
    published. The ledger notes that something was erased, and never what.

    \b
    adoption erase child --sender Powys --role national_data_lead \\
        --because "Request for erasure that the authority confirmed"
    adoption erase submission --role national_data_lead --because "Sent by mistake"
    """
    from pipelines.commands import run
    from pipelines.intake.erasure import Person, traces
    from pipelines.intake.erasure import erase as erase_from_rooms

    settings, declarations = Settings.from_environment(), declared()
    what: Person | str = reference.strip()
    if kind != "submission":
        if sender_code is None:
            raise click.UsageError("say with --sender who gave the reference")
        is_child = kind == "child"
        what = Person.known_as(
            settings, "child" if is_child else "household", sender_code, reference
        )
    with Ledger(settings.ledger).held(), working("Looking through every room"):
        erased = erase_from_rooms(
            settings, declarations, what, role=role, reason=reason, is_trial=dry_run
        )
    verb = "Would be erased" if dry_run else "Erased"
    click.echo(
        f"{verb}: {erased.row_count} rows of {len(erased.batches)} batches, "
        f"{len(erased.received)} received files"
    )
    if dry_run:
        return
    if not no_build:
        run.build(settings, click.echo)
    found = traces(settings, declarations, what)
    for room, count in found.items():
        click.echo(f"Found in {room:16} {count}")
    if any(found.values()):
        raise click.ClickException(
            "it is still found: run `adoption build`, then look into what is named above"
        )
    click.echo("Nothing of it is found in any room. Backups keep it until they are replaced.")
