"""landing: files as received, never changed."""

import dagster as dg

from pipelines.assets.progress import ledger_held
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private


@dg.asset(
    key=["landing", "deliveries"],
    group_name="landing",
    description="Every file received, stored under its hash and entered in the ledger.",
)
def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    from pipelines.landing import receive_inbox
    from pipelines.ledger import Ledger

    make_private()
    settings = Settings.from_environment()
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        receive_inbox(settings, Declarations(SOURCES))
        # The sensor and the command line receive before they start a run.
        new = [e for e in ledger.unreported() if e["event"] in ("received", "duplicate")]
        everything = ledger.submissions()
    context.log.info(f"{len(new)} files received, {len(everything)} deliveries in the ledger")
    return dg.MaterializeResult(
        metadata={
            "received since the last run": len(new),
            "deliveries in the ledger": len(everything),
            "waiting for a verdict": sum(item.is_waiting for item in everything),
            "duplicates": sum(item.status == "duplicate" for item in everything),
        }
    )
