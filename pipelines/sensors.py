"""Sensors: files in the inbox start one run a tick; new verdicts start a build."""

import hashlib
from datetime import UTC
from pathlib import Path

import dagster as dg

from pipelines.assets.partitions import range_tags
from pipelines.assets.progress import no_values_in_errors
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private


@dg.sensor(
    job_name="take_in_returns",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks into the inbox. A file is taken when its size and time did not change between two "
        "looks; everything taken in one tick is one run."
    ),
)
def inbox_sensor(context: dg.SensorEvaluationContext):
    import json
    from datetime import datetime

    from pipelines.landing import Arrival, receive, waiting_files, waiting_quarters
    from pipelines.ledger import Ledger, LedgerBusy

    make_private()
    settings = Settings.from_environment()
    seen = json.loads(context.cursor) if context.cursor else []
    files = {_look(path): path for path in waiting_files(settings)}
    looks = list(files)
    context.update_cursor(json.dumps(looks))
    settled = [path for look, path in files.items() if look in seen]
    if not settled and not looks:
        return dg.SkipReason("the inbox is empty")
    if not settled:
        return dg.SkipReason(f"{len(looks)} files are still arriving")
    ledger = Ledger(settings.ledger)
    try:
        with no_values_in_errors(), ledger.held():
            now = datetime.now(UTC)
            new = receive(settings, Declarations(SOURCES), [Arrival(path, now) for path in settled])
    except LedgerBusy as busy:
        return dg.SkipReason(str(busy))
    quarters = waiting_quarters(settings)
    # Dagster remembers run keys for ever: the key holds our own delivery numbers.
    key = f"deliveries-{new[0].delivery_number}-{new[-1].delivery_number}"
    if quarters:
        return dg.RunRequest(run_key=key, tags=range_tags(quarters))
    return dg.RunRequest(
        run_key=key,
        asset_selection=[
            dg.AssetKey(["landing", "deliveries"]),
            dg.AssetKey(["validated", "verdicts"]),
        ],
    )


@dg.asset_sensor(
    asset_key=dg.AssetKey(["validated", "verdicts"]),
    job_name="build_warehouse",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Builds the warehouse when verdicts were given, whether or not one was a refusal.",
)
def verdicts_sensor(context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry):
    return dg.RunRequest(run_key=context.cursor)


def _look(path: Path) -> str:
    """Name, size and time of a file, hashed: a name may hold what Dagster must not keep."""
    status = path.stat()
    look = f"{path.name}|{status.st_size}|{status.st_mtime_ns}"
    return hashlib.sha256(look.encode("utf-8")).hexdigest()
