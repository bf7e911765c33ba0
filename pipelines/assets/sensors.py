"""What starts by itself: on files in the inbox, on new verdicts, and every morning."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.assets.partitions import range_tags
from pipelines.assets.run_errors import no_values_in_errors
from pipelines.assets.run_locks import end_dead_runs
from pipelines.assets.warehouse_check import files_in_the_warehouse, files_validated
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, stretches
from pipelines.settings import SOURCES, Settings, make_private

# Dagster gives a tick 60 seconds; 10,000 files take longer. The run that the tick requests takes in
# the rest.
SECONDS_OF_A_TICK = 20.0

# How often deliveries are taken in before a person has to look: a full disk, or a lock that a
# program kept, is often gone at the second time.
ATTEMPTS = 3
DELIVERIES = "adoption/deliveries"


@dg.sensor(
    job_name="take_in_returns",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks into the inbox every 30 seconds. A file is taken in once its size and time have not "
        "changed between two looks and nothing else says that it is still being copied; what is "
        "taken in together is one run for each stretch of quarters."
    ),
)
def inbox_sensor(context: dg.SensorEvaluationContext):
    import json

    from pipelines.intake.extract_folders import convert_folders
    from pipelines.intake.inbox import look_at, waiting_files, why_still_arriving
    from pipelines.intake.landing import Arrival, receive
    from pipelines.lifecycle.ledger import Ledger, LedgerBusy

    make_private()
    settings = Settings.from_environment()
    end_dead_runs(context.instance, settings)  # they would keep every other in the queue
    seen = json.loads(context.cursor) if context.cursor else []
    try:
        with no_values_in_errors():
            convert_folders(settings, Declarations(SOURCES))
    except LedgerBusy as busy:
        return dg.SkipReason(str(busy))
    with no_values_in_errors():
        files = waiting_files(settings)
        looks = [look for path in files if (look := look_at(path))]
        settled = [path for path in files if why_still_arriving(path, seen) is None]
    context.update_cursor(json.dumps(looks))
    ledger = Ledger(settings.ledger)
    if not settled and not _without_verdict(ledger):
        return dg.SkipReason(
            f"{len(looks)} files are still arriving" if looks else "the inbox is empty"
        )
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
    # deliveries give the same key, so a tick that was killed before its run is repeated by the
    # next one, and no run is requested twice. After a run that failed the key is another.
    key = f"deliveries-{due[0].delivery_number}-{due[-1].delivery_number}"
    if waiting:
        quarters = (Quarter.parse(item.quarter) for item in waiting)
        requests = [
            dg.RunRequest(
                run_key=f"{name}, attempt {failed + 1}" if failed else name,
                tags={**range_tags(stretch), DELIVERIES: name},
            )
            for stretch in stretches(quarters)
            for name in [f"{key} {stretch[0]}"]
            for failed in [_failed_runs(context.instance, name)]
            if failed < ATTEMPTS
        ]
        return requests or dg.SkipReason(
            f"{len(waiting)} deliveries have no verdict, and taking them in failed {ATTEMPTS} "
            "times: look at the last run, put right what it says, then `adoption take-in`"
        )
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
    description=(
        "Builds the warehouse after returns were validated, whether or not one of them was refused."
    ),
)
def verdicts_sensor(context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry):
    validated = files_validated(Settings.from_environment())
    # Not by the clock: a build that began before these verdicts may end after them.
    if files_in_the_warehouse(context.instance) == validated:
        return dg.SkipReason("the warehouse holds these files already")
    return dg.RunRequest(run_key=f"verdicts-{validated}")


@dg.schedule(
    job_name="refresh_quarter_summaries",
    cron_schedule="0 7 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Every morning at seven: are returns overdue, are queries open, does the warehouse hold "
        "every validated file? Only while somebody still has to act in one of the newest four "
        "quarters that have ended. Sample collections are left alone."
    ),
)
def every_morning(context: dg.ScheduleEvaluationContext):
    from pipelines.lifecycle.days import local_day
    from pipelines.ui.quarter_summary import quarters_to_watch

    make_private()
    settings = Settings.from_environment()
    with no_values_in_errors():
        today = local_day(context.scheduled_execution_time.astimezone(UTC))
        quarters = quarters_to_watch(settings, Declarations(SOURCES), today)
    if not quarters:
        return dg.SkipReason("nobody has to act in the newest quarters")
    return dg.RunRequest(run_key=f"every-morning-{today}")


def _failed_runs(instance: dg.DagsterInstance, deliveries: str) -> int:
    """How many runs over these deliveries ended without a verdict on them."""
    failed = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    filters = dg.RunsFilter(tags={DELIVERIES: deliveries}, statuses=failed)
    return len(instance.get_runs(filters, limit=ATTEMPTS))


def _without_verdict(ledger):
    """Deliveries that were landed and are not validated yet, in order of arrival."""
    return [item for item in ledger.submissions() if item.is_waiting and item.quarter]
