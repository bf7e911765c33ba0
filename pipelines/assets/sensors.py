"""What starts by itself: files in the inbox, new verdicts, and the calendar once a day."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipelines.assets.freshness import verdicts_given, verdicts_in_the_warehouse
from pipelines.assets.partitions import range_tags
from pipelines.assets.progress import no_values_in_errors
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, stretches
from pipelines.settings import SOURCES, Settings, make_private

# Dagster gives a tick 60 seconds; 10,000 files take longer. The run that the tick asks for takes in
# what is left.
SECONDS_OF_A_TICK = 20.0


@dg.sensor(
    job_name="take_in_returns",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks into the inbox. A file is taken when its size and time did not change between two "
        "looks; everything taken in one tick is one run for each stretch of quarters."
    ),
)
def inbox_sensor(context: dg.SensorEvaluationContext):
    import json

    from pipelines.intake.landing import Arrival, receive, waiting_files
    from pipelines.lifecycle.ledger import Ledger, LedgerBusy

    make_private()
    settings = Settings.from_environment()
    seen = json.loads(context.cursor) if context.cursor else []
    files = _looks(waiting_files(settings))
    looks = list(files)
    context.update_cursor(json.dumps(looks))
    settled = [path for look, path in files.items() if look in seen]
    ledger = Ledger(settings.ledger)
    if not settled and not _without_verdict(ledger):
        told = f"{len(looks)} files are still arriving" if looks else "the inbox is empty"
        return dg.SkipReason(told)
    try:
        with no_values_in_errors(), ledger.held():
            now = datetime.now(UTC)
            arrivals = [Arrival(path, now) for path in settled]
            new = receive(settings, Declarations(SOURCES), arrivals, seconds=SECONDS_OF_A_TICK)
    except LedgerBusy as busy:
        return dg.SkipReason(str(busy))
    waiting = _without_verdict(ledger)
    due = waiting or new
    if not due:
        return dg.SkipReason("no file in the inbox can be opened yet")
    # Dagster remembers run keys for ever: the key holds our own delivery numbers. The same
    # deliveries give the same key, so a tick that was killed before its run is made good by the
    # next one, and no run is asked for twice.
    key = f"deliveries-{due[0].delivery_number}-{due[-1].delivery_number}"
    if waiting:
        quarters = (Quarter.parse(item.quarter) for item in waiting)
        return [
            dg.RunRequest(run_key=f"{key} {stretch[0]}", tags=range_tags(stretch))
            for stretch in stretches(quarters)
        ]
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
    judged = verdicts_given(Settings.from_environment())
    # Not by the clock: a build that began before these verdicts may end after them.
    if verdicts_in_the_warehouse(context.instance) == judged:
        return dg.SkipReason("the warehouse holds these verdicts already")
    return dg.RunRequest(run_key=f"verdicts-{judged}")


@dg.schedule(
    job_name="look_at_the_calendar",
    cron_schedule="0 7 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Every morning at seven: are returns overdue, are queries open, does the warehouse hold "
        "every verdict? For the newest four ended quarters in which somebody still has to act. "
        "Sample collections are left alone."
    ),
)
def calendar(context: dg.ScheduleEvaluationContext):
    from pipelines.lifecycle.states import local_day
    from pipelines.ui.quarter_summary import quarters_to_watch

    make_private()
    settings = Settings.from_environment()
    with no_values_in_errors():
        today = local_day(context.scheduled_execution_time.astimezone(UTC))
        quarters = quarters_to_watch(settings, Declarations(SOURCES), today)
    if not quarters:
        return dg.SkipReason("no quarter in which somebody has to act")
    return dg.RunRequest(run_key=f"calendar-{today}", tags=range_tags(quarters))


def _without_verdict(ledger):
    """Deliveries that came through the door and were not judged yet, in order of arrival."""
    return [item for item in ledger.submissions() if item.is_waiting and item.quarter]


def _looks(paths: list[Path]) -> dict[str, Path]:
    """Files by name, size and time, hashed: a name may hold what Dagster must not keep."""
    looks = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # gone again; the error would tell its name
            continue
        look = f"{path.name}|{status.st_size}|{status.st_mtime_ns}"
        looks[hashlib.sha256(look.encode("utf-8", "surrogateescape")).hexdigest()] = path
    return looks
