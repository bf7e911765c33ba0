"""landing: files as received, never changed."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.assets.metadata import AS_SENT, OWNERS
from pipelines.assets.run_errors import ledger_held, no_values_in_errors
from pipelines.assets.run_locks import RUN_LOCKS
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private


@dg.asset(
    key=["landing", "deliveries"],
    group_name="landing",
    owners=OWNERS["landing"],
    tags=AS_SENT,
    kinds={"excel", "csv"},
    description=(
        "Every file that authorities and agencies sent, kept unchanged under its checksum and "
        "entered in the ledger before anything else is done with it."
    ),
    required_resource_keys=set(RUN_LOCKS),
)
def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    from pipelines.intake.extract_folders import convert_folders
    from pipelines.intake.inbox import settled, waiting_files
    from pipelines.intake.landing import Arrival, receive
    from pipelines.lifecycle.ledger import Ledger

    make_private()
    settings = Settings.from_environment()
    ledger = Ledger(settings.ledger)
    with no_values_in_errors():
        unconverted = convert_folders(settings, Declarations(SOURCES))
        ready, arriving = settled(waiting_files(settings))
    with ledger_held(ledger):
        arrivals = [Arrival(path, datetime.now(UTC)) for path in ready]
        receive(settings, Declarations(SOURCES), arrivals, leave=arriving.append)
        # The sensor and the command line receive before they start a run.
        received = [
            event for event in ledger.unreported() if event["event"] in ("received", "duplicate")
        ]
        submissions = ledger.submissions()
    context.log.info(f"{len(received)} files received, {len(submissions)} in the ledger")
    if arriving:
        context.log.info(f"{len(arriving)} files are still arriving: left for the next look")
    return dg.MaterializeResult(
        # Files are only added: what was made from earlier ones is not out of date.
        data_version=dg.DataVersion("append-only"),
        metadata={
            "Files received since the last run": len(received),
            "Still arriving, left in the inbox": len(arriving),
            "Folders of extracts left in the inbox": len(unconverted),
            "Files ever received": len(submissions),
            "Waiting for a verdict": sum(item.is_waiting for item in submissions),
            "Sent twice, byte for byte": sum(item.status == "duplicate" for item in submissions),
        },
    )
