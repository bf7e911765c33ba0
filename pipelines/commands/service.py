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
@click.option(
    "--read-only", is_flag=True, help="Show everything, but let nobody start or change anything."
)
def ui(port: int, read_only: bool) -> None:
    """Start the Dagster UI on this machine (http://127.0.0.1:PORT), with its sensors.

    Ctrl-C stops it.

    \b
    adoption ui
    adoption ui --port 3100 --read-only
    """
    import os

    from pipelines.commands import run
    from pipelines.ui.services import PortTaken, ServiceEnded, serve

    settings = Settings.from_environment()
    run.prepare()
    home = run.keep_instance_settings(settings)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "ADOPTION_DATA": str(settings.data)}
    settings.inbox.mkdir(parents=True, exist_ok=True)
    click.echo(f"Returns put into {settings.inbox} are taken in automatically")
    click.echo(f"Starting Dagster on http://127.0.0.1:{port}, which takes about ten seconds")
    try:
        serve(port, environment, click.echo, read_only)
    except (PortTaken, ServiceEnded) as error:
        raise click.ClickException(str(error)) from error
