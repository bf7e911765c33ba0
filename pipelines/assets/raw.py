"""raw: the same rows as Parquet, all columns text."""

import dagster as dg

from pipelines.assets.metadata import AS_SENT, OWNERS
from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.run_errors import ledger_held
from pipelines.assets.run_locks import RUN_LOCKS
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

RETURNS = {"child": "children", "adopter": "adopters", "support": "support counts"}


@dg.multi_asset(
    name="raw_returns",
    specs=[
        dg.AssetSpec(
            ["raw", name],
            group_name="raw",
            deps=[["landing", "deliveries"]],
            owners=OWNERS["raw"],
            tags=AS_SENT,
            kinds={"parquet"},
            description=(
                f"The rows of the {rows_of} sheets exactly as sent: one row in, one row out, "
                "everything as text, with file, sheet and row number."
            ),
        )
        for name, rows_of in RETURNS.items()
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    required_resource_keys=set(RUN_LOCKS),
)
def raw_returns(context: dg.AssetExecutionContext):
    """Read what waits, a quarter at a time, with the ledger held."""
    from pipelines.intake.raw import to_raw
    from pipelines.lifecycle.ledger import Ledger
    from pipelines.ui.return_counts import rows_in

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    metadata: dict = {("raw", name): {} for name in RETURNS}
    with ledger_held(Ledger(settings.ledger)):
        for quarter in quarters_of(context):
            rows = to_raw(settings, declarations, quarter)
            if rows:
                read = ", ".join(
                    f"{rows[name]} {rows_of}" for name, rows_of in RETURNS.items() if name in rows
                )
                context.log.info(f"{quarter}: read {read}")
            for name in RETURNS:
                metadata["raw", name][quarter] = {
                    "Rows read now": rows.get(name, 0),
                    "Rows kept, every version sent": rows_in(settings.raw / name / quarter.label),
                }
    yield from materialised(context, metadata)
