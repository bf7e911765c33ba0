"""The pseudonym key: ``adoption key check``, ``rotate``, ``forget-old``."""

from __future__ import annotations

import json
import sys

import click

from pipelines.commands.declared import declared
from pipelines.commands.options import json_option
from pipelines.commands.terminal import working
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings


@click.group()
def key() -> None:
    """Look after the pseudonym key: check it, change it, remove an old one.

    \b
    adoption key check
    adoption key rotate
    adoption key forget-old
    """


@key.command("check")
@json_option
def check_key(as_json: bool) -> None:
    """Show the key's id, place and permissions, and what is wrong with it; never the key.

    The exit code is 1 if something is wrong.

    \b
    adoption key check
    """
    from pipelines.intake.key_rotation import key_state

    state = key_state(Settings.from_environment())
    if as_json:
        click.echo(json.dumps(state.as_json(), indent=2))
        sys.exit(1 if state.faults else 0)
    click.echo(f"Key          {state.path}")
    click.echo(f"Id           {state.key_id or 'no key that can be read'}")
    click.echo(f"Permissions  {state.permissions or 'none'}")
    click.echo(f"Data has     {state.key_id_of_data or 'no pseudonyms yet'}")
    for path in state.kept:
        click.echo(f"Old key      {path}")
    for fault in state.faults:
        click.secho(f"Fault        {fault}", fg="red")
    sys.exit(1 if state.faults else 0)


@key.command()
def rotate() -> None:
    """Make a new key and give every child and household its new pseudonym.

    Figures stay the same. The old key is kept beside the new one. If the command is interrupted,
    run it again: it goes on where it was.

    \b
    adoption key rotate
    adoption build             so that the case-level tables have the new pseudonyms
    adoption key forget-old    when a backup of the new key is made
    """
    from pipelines.intake.key_rotation import rotate_key

    settings = Settings.from_environment()
    with Ledger(settings.ledger).held(), working("Replacing pseudonyms"):
        rotation = rotate_key(settings, declared())
    click.echo(f"The key's id is now {rotation.key_now}; it was {rotation.key_before}.")
    click.echo(
        f"Back up {settings.key_file}, run `adoption build`, then `adoption key forget-old`."
    )


@key.command("forget-old")
def forget_old() -> None:
    """Remove the keys that rotations kept. Whoever has one and old pseudonyms can link both.

    \b
    adoption key forget-old
    """
    from pipelines.intake.key_rotation import forget_old_keys

    removed = forget_old_keys(Settings.from_environment())
    for path in removed:
        click.echo(f"Removed {path}")
    if not removed:
        click.echo("There is no old key.")
