"""Jobs run from the command line: the same Dagster jobs, in this process, without a daemon."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.declared import declared
from pipelines.exclusive import WAIT_SECONDS, exclusive, take
from pipelines.files import write_whole
from pipelines.quarters import Quarter, stretches
from pipelines.settings import DAGSTER_YAML, DBT_PROJECT, Settings, dbt_target, program

if TYPE_CHECKING:
    import dagster as dg

Say = Callable[[str], None]

_OUR_CLASS = re.compile(r"^(pipelines|dagster)\.[\w.]+: ")

WITHOUT_QUARTER = (("landing", "deliveries"), ("validated", "verdicts"))


class JobFailed(Exception):
    """A job did not finish; the message names the step and the cause."""


def prepare(force: bool = False) -> None:
    """Parse the dbt project, unless the manifest was made from exactly the files that are there.

    Raises JobFailed.
    """
    settings = Settings.from_environment()
    target = dbt_target(settings)
    # Two that start at once would parse into one folder; the second finds it done.
    with exclusive(target / "prepare.lock", "reading the dbt project"):
        _prepare(settings, target, force)


def _prepare(settings: Settings, target: Path, force: bool) -> None:
    import subprocess

    made_from = _hash_of_dbt_project()
    marker = target / "made_from"
    is_fresh = marker.exists() and marker.read_text(encoding="ascii") == made_from
    if is_fresh and (target / "manifest.json").exists() and not force:
        return
    target.mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)  # a kill leaves a half-written manifest without it
    command = [str(program("dbt")), "--quiet", "parse", "--target-path", str(target)]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--log-level-file", "none"]
    parsed = subprocess.run(
        command,
        cwd=target,
        env={**os.environ, "ADOPTION_DATA": str(settings.data)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if parsed.returncode:
        raise JobFailed(f"the dbt project cannot be read: {parsed.stdout}{parsed.stderr}")
    marker.write_text(made_from, encoding="ascii")


def _hash_of_dbt_project() -> str:
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        inside = path.relative_to(DBT_PROJECT)
        if path.is_file() and inside.parts[0] not in ("target", "logs"):
            digest.update(inside.as_posix().encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def instance(settings: Settings) -> dg.DagsterInstance:
    """The installation's Dagster instance: the UI shows these runs too. Raises JobFailed."""
    import dagster as dg

    home = keep_instance_settings(settings)
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)  # where Dagster looks; it takes no folder as an argument
    try:
        return dg.DagsterInstance.get()
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before


def keep_instance_settings(settings: Settings) -> Path:
    """Copy ``dagster.yaml``, or the file that ADOPTION_DAGSTER_YAML names, into the Dagster home,
    where every Dagster process looks. Raises JobFailed when that file is not there."""
    chosen = Path(os.environ.get("ADOPTION_DAGSTER_YAML") or DAGSTER_YAML)
    if not chosen.is_file():
        raise JobFailed(f"ADOPTION_DAGSTER_YAML names {chosen}, which is not a file")
    home = settings.dagster_home
    kept = home / "dagster.yaml"
    if not kept.exists() or kept.read_bytes() != chosen.read_bytes():
        write_whole(kept, lambda path: shutil.copyfile(chosen, path))
    return home


def take_in(settings: Settings, say: Say, files: Sequence[Path] = (), wait: float = 0.0) -> bool:
    """Take in ``files``, or else the files in the inbox; False when a return was refused.

    Folders of extracts in the inbox are converted first; False when one could not be. Files given
    are left where they are. What is still being copied after ``wait`` seconds is left
    for another time, and said; False when it was among the files given. Raises JobFailed.
    """
    from pipelines.assets.partitions import range_tags
    from pipelines.intake.extract_folders import convert_folders
    from pipelines.intake.inbox import settled, waiting_files
    from pipelines.intake.landing import Arrival, receive, waiting_quarters
    from pipelines.lifecycle.ledger import Ledger

    declarations = declared()
    declarations.check_all()  # 0.1 s now, rather than a mistake met after an hour's work
    unconverted = [] if files else convert_folders(settings, declarations)
    for folder in unconverted:
        say(f"{folder.path.name}: {folder.reason}")
    ready, arriving = settled(files or waiting_files(settings), wait)
    with Ledger(settings.ledger).held():
        arrivals = [Arrival(path, datetime.now(UTC)) for path in ready]
        received = receive(
            settings, declarations, arrivals, keep=bool(files), leave=arriving.append
        )
    for file in arriving:
        say(f"{file.path.name}: not taken in: {file.reason}")
    if arriving:
        say("What is still arriving is taken in the next time, once it is whole.")
    waiting = stretches(waiting_quarters(settings))
    if not received and not waiting:
        if not arriving:
            say("nothing is waiting in the inbox")
        return not (unconverted or (files and arriving))
    runs = [_run("take_in_returns", settings, say, tags=range_tags(stretch)) for stretch in waiting]
    if not waiting:  # duplicates, or refused on arrival: the run that says so has no quarter
        runs.append(_run("take_in_returns", settings, say, assets=WITHOUT_QUARTER))
    return all(runs) and not (unconverted or (files and arriving))


def build(
    settings: Settings, say: Say, as_of: str = "", wait_for_others: float = WAIT_SECONDS
) -> None:
    """Build and publish the warehouse, with ``as_of`` as it was known then.

    Raises JobFailed, and Busy when another process builds, publishes or releases for longer than
    ``wait_for_others`` seconds; so do ``publish`` and ``release``.
    """
    declared().check_all()
    with exclusive(settings.writer_lock, "building the warehouse", wait_for_others, say):
        _run(
            "build_warehouse",
            settings,
            say,
            run_config={"ops": {"declared_tables": {"config": {"as_of": as_of}}}},
        )


def publish(
    settings: Settings,
    quarters: Sequence[Quarter],
    say: Say,
    wait_for_others: float = WAIT_SECONDS,
) -> None:
    """Export quarters. Raises JobFailed or Busy."""
    from pipelines.assets.partitions import range_tags

    _refuse_unknown(quarters)
    with exclusive(settings.writer_lock, "publishing files", wait_for_others, say):
        for stretch in stretches(quarters):
            _run("publish_quarter", settings, say, tags=range_tags(stretch))


def release(
    settings: Settings,
    body: str,
    quarter: Quarter,
    role: str,
    reason: str | None,
    say: Say,
    wait_for_others: float = WAIT_SECONDS,
) -> None:
    """Release a quarter from the warehouse there is. Raises JobFailed or Busy."""
    from pipelines.assets.partitions import range_tags

    _refuse_unknown([quarter])
    config = {"body": body, "role": role, "reason": reason or ""}
    with exclusive(settings.writer_lock, "releasing", wait_for_others, say):
        _run(
            "release_quarter",
            settings,
            say,
            tags=range_tags([quarter]),
            run_config={"ops": {"release": {"config": config}}},
        )


def _refuse_unknown(quarters: Sequence[Quarter]) -> None:
    from pipelines.assets.partitions import QUARTERS

    known = QUARTERS.get_partition_keys()
    for quarter in quarters:
        if quarter.label not in known:
            raise JobFailed(f"{quarter} is not a quarter of this collection")


def _run(
    name: str,
    settings: Settings,
    say: Say,
    tags: dict[str, str] | None = None,
    run_config: dict | None = None,
    assets: Sequence[tuple[str, str]] = (),
) -> bool:
    """Run a job, or only ``assets`` of it; False when nothing failed but that a return was refused.

    Raises JobFailed for every other failure.
    """
    import warnings

    import dagster as dg

    prepare()
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    # Remarks of Dagster's libraries (which dbt command, which file) are for its UI alone.
    logging.getLogger("dagster.builtin").setLevel(logging.WARNING)
    from pipelines.assets.run_locks import COMMAND_LINE, STARTED_BY, end_dead_runs, lock_of_run
    from pipelines.assets.validated import NO_REFUSAL
    from pipelines.definitions import defs

    run_id = str(uuid.uuid4())
    with instance(settings) as dagster:
        end_dead_runs(dagster, settings)
        take(lock_of_run(settings, run_id), f"run {run_id}")  # to the end of this process
        # dbt writes a line for every model to standard output; the run's own sentences are enough.
        output_of_dbt = io.StringIO()
        with contextlib.redirect_stdout(output_of_dbt):
            result = defs.resolve_job_def(name).execute_in_process(
                instance=dagster,
                tags={**(tags or {}), STARTED_BY: COMMAND_LINE},
                run_id=run_id,
                run_config={**(run_config or {}), "loggers": {"plain": {"config": {}}}},
                asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
                raise_on_error=False,
            )
    if result.success:
        return True
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    failed_checks = [
        check.check_name for check in result.get_asset_check_evaluations() if not check.passed
    ]
    if len(failures) == 1 and _is_a_failed_check(failures[0]) and NO_REFUSAL in failed_checks:
        return False
    say(output_of_dbt.getvalue()[-4000:])
    raise JobFailed("; ".join(_cause(event) for event in failures) or f"{name} did not finish")


def _is_a_failed_check(event) -> bool:
    error = event.step_failure_data.error
    while error is not None:
        if error.cls_name == "DagsterAssetCheckFailedError":
            return True
        error = error.cause
    return False


def _cause(event: dg.DagsterEvent) -> str:
    """The step and the sentence of what our code raised: not what Dagster put around it, nor what
    it came of, such as the words of a YAML parser behind our file and line."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None and _is_around(error):
        error = error.cause
    if error is None:
        return f"{event.step_key}: no cause given"
    # Dagster keeps the class as well; of our own errors our words are enough.
    return f"{event.step_key}: {_OUR_CLASS.sub('', error.message).strip()}"


def _is_around(error: Any) -> bool:
    return (error.cls_name or "").startswith("Dagster") or error.cls_name == "RetryRequested"
