"""raw: the same rows as Parquet, all columns text."""

import dagster as dg

from pipelines.assets.partitions import ONE_RUN, QUARTERS, quarters_of
from pipelines.assets.progress import ledger_held
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
            description=f"Rows of the {what} sheets as sent: one row in, one row out, all text.",
        )
        for name, what in RETURNS.items()
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def raw_returns(context: dg.AssetExecutionContext):
    from pipelines.ledger import Ledger
    from pipelines.take_in import to_raw

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    with ledger_held(Ledger(settings.ledger)):
        for quarter in quarters_of(context):
            rows = to_raw(settings, declarations, quarter)
            if rows:
                told = ", ".join(
                    f"{rows[name]} {what}" for name, what in RETURNS.items() if name in rows
                )
                context.log.info(f"{quarter}: read {told}")
            for name in RETURNS:
                context.add_asset_metadata(
                    {"rows read now": rows.get(name, 0)},
                    asset_key=["raw", name],
                    partition_key=quarter.label,
                )
    for name in RETURNS:
        yield dg.MaterializeResult(asset_key=["raw", name])
