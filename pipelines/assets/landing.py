"""landing: files as received, never changed."""

import dagster as dg

from pipelines.assets.progress import ledger_held
from pipelines.assets.shown import AS_SENT, OWNERS
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private


@dg.asset(
    key=["landing", "deliveries"],
    group_name="landing",
    owners=OWNERS["landing"],
    tags=AS_SENT,
    kinds={"excel", "csv"},
    description=(
        "Every file that authorities and agencies sent, kept unchanged under its fingerprint and "
        "entered in the ledger before anything else is done with it."
    ),
)
def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    from pipelines.intake.landing import receive_inbox
    from pipelines.lifecycle.ledger import Ledger

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
        # Files are only added: what was made of earlier ones is not out of date.
        data_version=dg.DataVersion("append-only"),
        metadata={
            "Files received since the last run": len(new),
            "Files ever received": len(everything),
            "Waiting for a verdict": sum(item.is_waiting for item in everything),
            "Sent twice, byte for byte": sum(item.status == "duplicate" for item in everything),
        },
    )
