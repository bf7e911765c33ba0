"""What the machine needs: ``adoption prepare``, ``ui``."""

from __future__ import annotations

import sys

import click

from pipelines.settings import Settings


@click.command()
@click.option("--force", is_flag=True, help="Parse again even if nothing seems to have changed.")
def prepare(force: bool) -> None:
    """Parse the dbt project, once after installing or changing a model."""
    from pipelines import run

    run.prepare(force)


@click.command()
@click.option("--port", default=3000, show_default=True)
def ui(port: int) -> None:
    """Open the Dagster UI on this machine (http://127.0.0.1:PORT), sensors included."""
    import os
    import subprocess

    from pipelines import run
    from pipelines.settings import CHECKOUT

    settings = Settings.from_environment()
    run.prepare()
    home = run.keep_instance_settings(settings)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "ADOPTION_DATA": str(settings.data)}
    click.echo(f"http://127.0.0.1:{port}   (stop with Ctrl-C)")
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)]
    sys.exit(subprocess.run(command, cwd=CHECKOUT, env=environment).returncode)
