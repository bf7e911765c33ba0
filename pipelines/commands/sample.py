"""``adoption sample-run``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.arguments import QUARTER
from pipelines.commands.declared import declared
from pipelines.commands.terminal import progress, show_outcome
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import ROOMS, Settings, dbt_target


class SampleRefused(Exception):
    """The sample run would remove what is not its own; the message says what to do."""


@click.command("sample-run")
@click.option("--first", type=QUARTER, default="2018-19-Q1", show_default=True)
@click.option("--last", type=QUARTER, default="2020-21-Q4", show_default=True)
def sample_run(first: Quarter, last: Quarter) -> None:
    """Try everything on synthetic sample returns, from workbooks to national figures.

    Starts afresh each time, and only in an empty folder or one that a sample run made. Takes about
    two minutes.

    \b
    adoption sample-run
    adoption sample-run --first 2020-21-Q1
    """
    import tempfile

    from pipelines.commands import run
    from pipelines.intake.landing import Arrival, receive
    from pipelines.samples.deliveries import write_deliveries

    settings = Settings.from_environment()
    declarations = declared()
    _start_afresh(settings)
    with tempfile.TemporaryDirectory(prefix="adoption-samples-") as folder:
        with progress(f"Writing synthetic returns, {first} to {last}") as say:
            deliveries = write_deliveries(Path(folder), declarations, first, last, say)
        arrivals = [Arrival(delivery.path, delivery.received_at) for delivery in deliveries]
        with Ledger(settings.ledger).held(), progress("Receiving the files") as say:
            receive(settings, declarations, arrivals, say)
    click.echo("Taking in the returns: read, check, pseudonymise, validate")
    run.take_in(settings, click.echo)
    click.echo("Building the warehouse with dbt")
    run.build(settings, click.echo)
    click.echo(f"Exporting {last}")
    run.publish(settings, [last], click.echo)
    show_outcome(settings, declarations, last)


def _holds_settings_alone(settings: Settings) -> bool:
    """Whether the folder has nothing but what `adoption prepare` puts there, which has no data."""
    files = {path for path in settings.data.rglob("*") if path.is_file()}
    kept = {settings.dagster_home / "dagster.yaml", settings.writer_lock}
    return all(path in kept or path.is_relative_to(dbt_target(settings)) for path in files)


def _start_afresh(settings: Settings) -> None:
    """Empty the rooms, if it was a sample run that filled them and nothing else came since."""
    import shutil

    from pipelines.intake.inbox import waiting_files

    marker = settings.data / "sample-run"
    ledger = Ledger(settings.ledger)
    if settings.data.exists() and not _holds_settings_alone(settings):
        reason = None
        if not marker.exists():
            reason = "was not made by a sample run"
        elif waiting_files(settings):
            reason = "has files waiting in its inbox"
        elif any(item.quarter and not item.is_synthetic for item in ledger.submissions()):
            reason = "holds returns that are not synthetic"
        if reason:
            raise SampleRefused(
                f"{settings.data} {reason}, and the sample run would empty it: set ADOPTION_DATA "
                "to another folder for the sample"
            )
        with ledger.held():
            pass  # nobody is taking returns in
        for folder in (*ROOMS, "build", "dagster"):
            shutil.rmtree(settings.data / folder, ignore_errors=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    marker.write_text(
        "Synthetic sample data. The next sample run empties this folder.\n", encoding="utf-8"
    )
