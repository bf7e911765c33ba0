"""exports: what a national body may publish of a quarter, disclosure controlled."""

import dagster as dg
from pydantic import Field

from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.progress import no_values_in_errors
from pipelines.assets.shown import COUNTS, OWNERS
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

KEY = ("exports", "release")
AUDITED = "nobody_can_be_worked_out"


class ReleaseConfig(dg.Config):
    """Who releases what, and why anew."""

    body: str = Field(description="The national body: NAS for Wales, DFE for England.")
    role: str = Field(
        description="What you are, as sources/policies names it, such as national_director."
    )
    reason: str = Field(
        default="",
        description=(
            "Why figures change; needed from the second version on. Name no child: readers see it."
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
                "What a national body may publish of a locked quarter: small numbers kept back, "
                "audited, in the body's own form, with workbooks in both languages and "
                "provenance. A version is never changed; other figures make the next one."
            ),
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            AUDITED,
            asset=dg.AssetKey(KEY),
            description=(
                "Nobody who knows everything that was ever released can work out a number that "
                "was kept back. A release whose audit fails is not written."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def release(context: dg.AssetExecutionContext, config: ReleaseConfig):
    from pipelines.lifecycle.decisions import NotAllowed
    from pipelines.lifecycle.free_text import NamesSomebody
    from pipelines.lifecycle.ledger import LedgerBusy
    from pipelines.publishing.releases import AUDIT, make_release
    from pipelines.release.content import ReleaseError
    from pipelines.warehouse.published import open_warehouse

    make_private()
    settings, declarations = Settings.from_environment(), Declarations(SOURCES)
    told: dict = {}
    for quarter in quarters_of(context):  # the oldest first: later ones are protected from it
        try:
            with no_values_in_errors(), open_warehouse(settings) as connection:
                made = make_release(
                    *(settings, declarations, connection, config.body, quarter),
                    role=config.role,
                    reason=config.reason.strip() or None,
                    say=context.log.info,
                )
        except LedgerBusy as busy:
            raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy
        except (ReleaseError, NotAllowed, NamesSomebody) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        one = made.version
        context.log.info(f"{one.name} {'in' if made.is_new else 'is unchanged in'} {made.folder}")
        told[quarter] = {
            "Release": one.name,
            "Is new": made.is_new,
            "Figures": one.figures,
            "Changed since the version before": one.changed,
            "Folder": dg.MetadataValue.path(str(made.folder)),
            "Audit": dg.MetadataValue.path(str(made.folder / AUDIT)),
        }
    yield from materialised(context, {KEY: told})
    yield dg.AssetCheckResult(check_name=AUDITED, asset_key=dg.AssetKey(KEY), passed=True)
