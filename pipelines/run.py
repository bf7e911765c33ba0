"""The three jobs run from the command line: the same Dagster jobs, in this process, no daemon."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.quarters import Quarter
from pipelines.settings import CHECKOUT, DBT_PROJECT, Settings, program

if TYPE_CHECKING:
    import dagster as dg

Say = Callable[[str], None]


class JobFailed(Exception):
    """A job did not finish; the message names the step and the cause."""


def prepare(force: bool = False) -> None:
    """Parse the dbt project when a file of it is newer than the manifest that Dagster reads."""
    import subprocess

    if not force and _manifest_is_fresh():
        return
    settings = Settings.from_environment()
    command = [str(program("dbt")), "--quiet", "parse"]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, "ADOPTION_DATA": str(settings.data)},
        check=True,
    )


def _manifest_is_fresh() -> bool:
    manifest = DBT_PROJECT / "target" / "manifest.json"
    if not manifest.exists():
        return False
    made_from = [
        path
        for path in DBT_PROJECT.rglob("*")
        if path.is_file() and not {"target", "logs"} & set(path.relative_to(DBT_PROJECT).parts)
    ]
    return max(path.stat().st_mtime for path in made_from) <= manifest.stat().st_mtime


def instance(settings: Settings) -> dg.DagsterInstance:
    """The installation's Dagster instance, so that the UI shows these runs too."""
    import dagster as dg
    from dagster._core.instance import InstanceRef

    home = keep_instance_settings(settings)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def keep_instance_settings(settings: Settings):
    """Copy ``dagster.yaml`` into the Dagster home, where every Dagster process looks."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHECKOUT / "dagster.yaml", home / "dagster.yaml")
    return home


def take_in(settings: Settings, say: Say) -> bool:
    """Take in whatever waits; False when something was refused. Raises JobFailed."""
    from pipelines.assets.partitions import range_tags
    from pipelines.declarations import Declarations
    from pipelines.landing import receive_inbox, waiting_quarters
    from pipelines.ledger import Ledger
    from pipelines.settings import SOURCES

    ledger = Ledger(settings.ledger)
    with ledger.held():
        new = receive_inbox(settings, Declarations(SOURCES))
    quarters = waiting_quarters(settings)
    if not new and not quarters:
        say("nothing is waiting in the inbox")
        return True
    if not quarters:
        return not any(item.status == "refused" for item in new)
    return _run("take_in_returns", settings, say, tags=range_tags(quarters))


def build(settings: Settings, say: Say, as_of: str = "") -> None:
    """Build and publish the warehouse. Raises JobFailed."""
    prepare()
    _run(
        "build_warehouse",
        settings,
        say,
        run_config={"ops": {"declared_tables": {"config": {"as_of": as_of}}}},
    )


def publish(settings: Settings, quarters: list[Quarter], say: Say) -> None:
    """Export quarters. Raises JobFailed."""
    from pipelines.assets.partitions import range_tags

    _run("publish_quarter", settings, say, tags=range_tags(quarters))


def _run(
    name: str,
    settings: Settings,
    say: Say,
    tags: dict[str, str] | None = None,
    run_config: dict | None = None,
) -> bool:
    """Run a job to its end. False when its only failure is that a return was refused."""
    import warnings

    import dagster as dg

    prepare()
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    # Remarks of Dagster's libraries (which dbt command, which file) are for its UI, not for here.
    logging.getLogger("dagster.builtin").setLevel(logging.WARNING)
    from pipelines.definitions import defs

    with instance(settings) as dagster:
        # dbt tells of every model on standard output; the run's own sentences are enough.
        told_by_dbt = io.StringIO()
        with contextlib.redirect_stdout(told_by_dbt):
            result = defs.resolve_job_def(name).execute_in_process(
                instance=dagster,
                tags=tags,
                run_config={**(run_config or {}), "loggers": {"plain": {"config": {}}}},
                raise_on_error=False,
            )
    if result.success:
        return True
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    refusals = [event for event in failures if event.step_key == "validated__verdicts"]
    if failures and len(refusals) == len(failures):
        return False
    say(told_by_dbt.getvalue()[-4000:])
    raise JobFailed("; ".join(_cause(event) for event in failures) or f"{name} did not finish")


def _cause(event) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return f"{event.step_key}: {error.message.strip() if error else 'no cause given'}"
