"""exports: the files published for a quarter, and the performance packs of its services."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from pipelines.assets.metadata import COUNTS, OWNERS, export_links, pack_list
from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.quarter_summary import update_quarter_summaries
from pipelines.assets.run_errors import no_values_in_errors
from pipelines.assets.run_locks import RUN_LOCKS, RunLocks
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from pipelines.quarters import Quarter
    from pipelines.text.catalogue import Language

KEY = ("exports", "quarterly_files")
PACKS = ("exports", "packs")


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
                "The files published for a quarter: the indicator file as CSV and Parquet with "
                "manifest and checksums, and the performance pack. A version is never changed: if "
                "a figure changes, a new version is made. Internal: not disclosure controlled."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def quarterly_files(context: dg.AssetExecutionContext, run_locks: RunLocks):
    """Publish each quarter; a locked one whose figures would change fails."""
    from datetime import UTC, datetime

    from pipelines.files import CHECKSUMS, sha256_of
    from pipelines.lifecycle.ledger import Ledger, LedgerBusy
    from pipelines.lifecycle.publication import enter_export, enter_publication
    from pipelines.publishing.internal_files import export_quarter

    make_private()
    run_locks.write("publishing files")
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    metadata: dict[Quarter, dict] = {}
    for quarter in quarters_of(context):
        try:  # held, because a lock or a release in between would not be what the version shows
            with no_values_in_errors(), Ledger(settings.ledger).held():
                export = export_quarter(settings, declarations, quarter)
                now = datetime.now(UTC)
                enter_publication(settings, declarations, quarter, export.version, now)
                checksums = sha256_of(export.folder / CHECKSUMS)
                enter_export(settings, quarter, export.version, checksums, now)
        except LedgerBusy as busy:
            raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy
        context.log.info(f"{quarter}: version {export.version} in {export.folder}")
        metadata[quarter] = {
            "Version": export.version,
            "Figures": export.figures,
            "Is new": export.is_new,
            **export_links(export.folder, settings),
        }
    yield from materialised(context, {KEY: metadata})
    update_quarter_summaries(context, settings)  # they link to what was exported


class PackLanguage(Enum):
    """The languages a pack is written in."""

    BOTH = "both"
    ENGLISH = "en"
    WELSH = "cy"

    @property
    def languages(self) -> "Sequence[Language]":
        from pipelines.text.catalogue import LANGUAGES

        return [language for language in LANGUAGES if self.value in ("both", language)]


class PackConfig(dg.Config):
    """Whose pack to write."""

    body: str = Field(
        default="Wales",
        description=(
            "Whose pack: a nation, region, agency or authority, by its code or its name in "
            "English or Welsh, such as Wales, Adoption West, Caerdydd or W06000015."
        ),
    )
    every_place_of_it: bool = Field(
        default=False,
        description=(
            "True: the packs of all regions, agencies and authorities of the nation as well."
        ),
    )
    language: PackLanguage = Field(
        default=PackLanguage.BOTH, description="BOTH, ENGLISH or WELSH: a page for each language."
    )


@dg.multi_asset(
    name="packs",
    specs=[
        dg.AssetSpec(
            PACKS,
            group_name="exports",
            deps=[["marts", "warehouse"]],
            owners=OWNERS["exports"],
            tags=COUNTS,
            description=(
                "Performance packs of a quarter, one for each place and language: for a board, a "
                "region, an authority. Written from the published warehouse whenever asked for; "
                "packs of the nations come with the quarterly files as well. Internal: not "
                "disclosure controlled."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    required_resource_keys=set(RUN_LOCKS),
)
def packs(context: dg.AssetExecutionContext, config: PackConfig):
    """Write the packs asked for, of each quarter, from one connection."""
    from pipelines.warehouse.published import open_warehouse

    make_private()
    settings = Settings.from_environment()
    metadata: dict[Quarter, dict] = {}
    with open_warehouse(settings) as connection:
        for quarter in quarters_of(context):
            folder = settings.exports / quarter.label / "packs"
            written = _written(connection, folder, quarter, config)
            context.log.info(f"{quarter}: {len(written)} packs in {folder}")
            metadata[quarter] = {
                "Packs written now": len(written),
                "Packs of the quarter": pack_list(folder, settings),
                "Folder": dg.MetadataValue.path(str(folder)),
            }
    yield from materialised(context, {PACKS: metadata})
    update_quarter_summaries(context, settings)  # they link to the packs


def _written(
    connection: "DuckDBPyConnection", folder: Path, quarter: "Quarter", config: PackConfig
) -> list[Path]:
    """Packs of one quarter. Raises dagster.Failure, which the page of the run shows, when ``body``
    is no place, or not a nation although every place of it is asked for."""
    from pipelines.pack.pages import places_with_a_pack, read_nation_quarter, write_packs
    from pipelines.pack.places import PackError, find_place

    declarations = Declarations(SOURCES)
    try:
        with no_values_in_errors():
            place = find_place(connection, config.body)
            if config.every_place_of_it and place.kind != "nation":
                raise PackError(f"{place.name.en} is not a nation, so it has no places of its own")
            data = read_nation_quarter(connection, declarations, place.nation_code, quarter)
            places = places_with_a_pack(data) if config.every_place_of_it else [place]
            return write_packs(folder, data, declarations, places, config.language.languages)
    except PackError as error:
        reason = f"body: {str(error).rstrip('.?')}. Nothing was written."
        raise dg.Failure(reason, allow_retries=False) from None
