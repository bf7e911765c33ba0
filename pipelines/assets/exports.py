"""exports: what a national body receives for a quarter."""

import dagster as dg

from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.progress import no_values_in_errors
from pipelines.assets.quarters import tell_anew
from pipelines.assets.shown import COUNTS, OWNERS, export_links
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

KEY = ("exports", "quarterly_files")


@dg.multi_asset(
    name="quarterly_files",
    specs=[
        dg.AssetSpec(
            KEY,
            group_name="exports",
            deps=[["marts", "warehouse"]],
            owners=OWNERS["exports"],
            tags=COUNTS,
            kinds={"csv", "parquet"},
            description=(
                "What leaves the house for a quarter: the indicator file as CSV and Parquet with "
                "manifest and checksums, and the performance pack. A version is never changed; "
                "other figures make the next one. Internal: not disclosure controlled."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def quarterly_files(context: dg.AssetExecutionContext):
    from datetime import UTC, datetime

    from pipelines.exports import export_quarter
    from pipelines.lifecycle.ledger import Ledger, LedgerBusy
    from pipelines.lifecycle.publication import enter_publication

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    told: dict = {}
    for quarter in quarters_of(context):
        try:  # held, because a lock or a release in between would not be what the version shows
            with no_values_in_errors(), Ledger(settings.ledger).held():
                export = export_quarter(settings, declarations, quarter)
                now = datetime.now(UTC)
                enter_publication(settings, declarations, quarter, export.version, now)
        except LedgerBusy as busy:
            raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy
        context.log.info(f"{quarter}: version {export.version} in {export.folder}")
        told[quarter] = {
            "Version": export.version,
            "Figures": export.figures,
            "Is new": export.is_new,
            **export_links(export.folder, settings),
        }
    yield from materialised(context, {KEY: told})
    tell_anew(context, settings)  # pages link to what was exported
