"""Commands for the installation: ``adoption prepare``, ``ui``."""

from __future__ import annotations

import click

from pipelines.settings import Settings


@click.command()
@click.option("--force", is_flag=True, help="Parse again even if nothing has changed.")
def prepare(force: bool) -> None:
    """Parse the dbt project, once after installing or after changing a model.

    The jobs do this by themselves; this does it now. It also copies the settings of the Dagster
    instance into its home folder.
    """
    from pipelines.commands import run

    run.prepare(force)
    run.keep_instance_settings(Settings.from_environment())


@click.command()
@click.option("--port", default=3000, show_default=True)
@click.option("--operate", is_flag=True, help="Let whoever has the address start and delete runs.")
@click.option("--read-only", is_flag=True, hidden=True, help="As it is without --operate.")
def ui(port: int, operate: bool, read_only: bool) -> None:
    """Start the Dagster UI on this machine, with its sensors, and print its address.

    It shows everything and changes nothing, unless it is started with --operate. The address holds
    a token that is made anew at each start: only who has it can open the pages. Ctrl-C stops it.

    \b
    adoption ui
    adoption ui --port 3100 --operate
    """
    import os

    from pipelines.commands import run
    from pipelines.ui.door import BadAddress, WeakToken
    from pipelines.ui.services import AlreadyRuns, PortTaken, ServiceEnded, serve

    if operate and read_only:
        raise click.UsageError("choose one of --operate and --read-only")
    settings = Settings.from_environment()
    run.prepare()
    home = run.keep_instance_settings(settings)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "ADOPTION_DATA": str(settings.data)}
    settings.inbox.mkdir(parents=True, exist_ok=True)
    click.echo(f"Returns put into {settings.inbox} are taken in automatically")
    click.echo(f"Starting Dagster on port {port}, which takes about ten seconds")
    if not operate:
        click.echo("Read-only: runs can be started in the browser with adoption ui --operate")
    try:
        serve(port, home, environment, click.echo, operate)
    except (AlreadyRuns, BadAddress, PortTaken, ServiceEnded, WeakToken) as error:
        raise click.ClickException(str(error)) from error
