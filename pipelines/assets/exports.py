"""exports: what a national body receives for a quarter."""

import dagster as dg

from pipelines.assets.partitions import ONE_RUN, QUARTERS, quarters_of
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private


@dg.asset(
    key=["exports", "quarterly_files"],
    group_name="exports",
    deps=[["marts", "warehouse"]],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    description=(
        "Indicator file as CSV and Parquet with manifest and checksums, and the performance "
        "pack. Internal: not disclosure controlled."
    ),
)
def quarterly_files(context: dg.AssetExecutionContext) -> None:
    from pipelines.exports import export_quarter

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    for quarter in quarters_of(context):
        export = export_quarter(settings, declarations, quarter)
        context.log.info(f"{quarter}: version {export.version} in {export.folder}")
        context.add_asset_metadata(
            {
                "version": export.version,
                "figures": export.figures,
                "is new": export.is_new,
                "folder": dg.MetadataValue.path(str(export.folder)),
                "pack": dg.MetadataValue.path(str(export.pack)),
            },
            asset_key=["exports", "quarterly_files"],
            partition_key=quarter.label,
        )
