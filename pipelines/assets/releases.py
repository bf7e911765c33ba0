"""exports: what a national body may publish for a quarter, disclosure controlled."""

import dagster as dg
from pydantic import Field

from pipelines.assets.metadata import COUNTS, OWNERS
from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.run_errors import no_values_in_errors
from pipelines.assets.run_locks import RunLocks
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings, make_private

KEY = ("exports", "release")
AUDITED = "no_suppressed_number_can_be_worked_out"


class ReleaseConfig(dg.Config):
    """Who makes the release, and why the figures changed since the one before."""

    body: str = Field(description="The national body: NAS for Wales, DFE for England.")
    role: str = Field(
        description="Your role, by its name in sources/policies, such as national_director."
    )
    reason: str = Field(
        default="",
        description=(
            "Why figures changed since the version before; needed from the second version on. "
            "Do not name a child: it is published with the figures."
        ),
    )


@dg.multi_asset(
    name="release",
    specs=[
        dg.AssetSpec(
            KEY,
            group_name="exports",
            deps=[["marts", "warehouse"]],
            owners=OWNERS["exports"],
            tags=COUNTS,
            kinds={"csv", "parquet", "xlsx"},
            description=(
                "What a national body may publish for a locked quarter: small numbers suppressed, "
                "audited, in the body's own format, with workbooks in both languages and "
                "provenance. A version is never changed: if a figure changes, a new version is "
                "made."
            ),
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            AUDITED,
            asset=dg.AssetKey(KEY),
            description=(
                "Nobody who knows everything ever released can work out a suppressed number. A "
                "release that fails its audit is not written."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def release(
    context: dg.AssetExecutionContext,
    config: ReleaseConfig,
    run_locks: RunLocks,
):
    """Release each quarter, the oldest first; a release that fails its audit is not written."""
    from pipelines.lifecycle.decisions import NotAllowed
    from pipelines.lifecycle.free_text import NamesSomebody
    from pipelines.lifecycle.ledger import LedgerBusy
    from pipelines.publishing.release_files import AUDIT
    from pipelines.publishing.releases import make_release
    from pipelines.release.content import ReleaseError
    from pipelines.warehouse.published import open_warehouse

    make_private()
    run_locks.write("releasing")
    settings, declarations = Settings.from_environment(), Declarations(SOURCES)
    metadata: dict[Quarter, dict] = {}
    for quarter in quarters_of(context):  # oldest first: later ones are protected against it
        try:
            with no_values_in_errors(), open_warehouse(settings) as connection:
                made = make_release(
                    settings,
                    declarations,
                    connection,
                    config.body,
                    quarter,
                    role=config.role,
                    reason=config.reason.strip() or None,
                    say=context.log.info,
                )
        except LedgerBusy as busy:
            raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy
        except (ReleaseError, NotAllowed, NamesSomebody) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        version = made.version
        written = "written to" if made.is_new else "is unchanged in"
        context.log.info(f"{version.name} {written} {made.folder}")
        metadata[quarter] = {
            "Release": version.name,
            "Is new": made.is_new,
            "Figures": version.figures,
            "Changed since the version before": version.changed,
            "Folder": dg.MetadataValue.path(str(made.folder)),
            "Audit": dg.MetadataValue.path(str(made.folder / AUDIT)),
        }
    yield from materialised(context, {KEY: metadata})
    yield dg.AssetCheckResult(check_name=AUDITED, asset_key=dg.AssetKey(KEY), passed=True)
