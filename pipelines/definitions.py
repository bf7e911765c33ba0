"""The definitions that Dagster loads: assets, checks, jobs, sensors and the schedule."""

from __future__ import annotations

import dagster as dg

from pipelines.assets.exports import packs, quarterly_files
from pipelines.assets.landing import deliveries
from pipelines.assets.quarter_summary import quarter_statements, quarter_summary
from pipelines.assets.raw import raw_returns
from pipelines.assets.releases import release
from pipelines.assets.run_locks import RUN_LOCKS
from pipelines.assets.run_log import plain
from pipelines.assets.sensors import every_morning, inbox_sensor, verdicts_sensor
from pipelines.assets.validated import validated_returns, verdicts
from pipelines.assets.warehouse import declared_tables, warehouse, warehouse_models
from pipelines.assets.warehouse_check import warehouse_check


def _job(
    name: str, *assets, description: str, checks: bool = True
) -> dg.UnresolvedAssetJobDefinition:
    selection = dg.AssetSelection.assets(*assets)
    if checks:
        selection |= dg.AssetSelection.checks(warehouse_check)
    return dg.define_asset_job(name, selection=selection, description=description)


# Taking in and building apart: a refused return makes the first red, and the figures of all others
# are built all the same.
take_in_returns = _job(
    "take_in_returns",
    deliveries,
    raw_returns,
    validated_returns,
    verdicts,
    description=(
        "Takes in the files in the inbox: raw rows, validated rows and a verdict on each file.\n\n"
        "Choose the quarters whose files are waiting; a range of quarters is one run. The sensor "
        "starts this job by itself. Red when a return was refused; everything else is kept all the "
        "same."
    ),
    checks=False,
)
build_warehouse = _job(
    "build_warehouse",
    declared_tables,
    warehouse_models,
    warehouse,
    description=(
        "Builds a new warehouse from every accepted return; it replaces the published one when all "
        "its checks pass.\n\n"
        "Nothing needs to be filled in. With `as_of` the warehouse is built as it would have been "
        "on an earlier day, and put into a folder of its own."
    ),
)
publish_quarter = _job(
    "publish_quarter",
    quarterly_files,
    description=(
        "Publishes the quarter's files for the national body and the performance packs, as a new "
        "version if a figure changed.\n\n"
        "Choose the quarter. The warehouse must have been built since its returns were taken in."
    ),
    checks=False,
)
release_quarter = _job(
    "release_quarter",
    release,
    description=(
        "Makes the release that a national body may publish for a locked quarter: disclosure "
        "controlled, audited, in English and Welsh.\n\n"
        "Choose the quarter; enter the body and your role. Build the warehouse first. If anything "
        "is wrong nothing is released, and earlier releases stay as they are."
    ),
    checks=False,
)
write_packs = _job(
    "write_packs",
    packs,
    description=(
        "Writes the performance pack of a nation, region, agency or authority, to show in a "
        "meeting, to print or to send on within the service.\n\n"
        "Choose the quarter, and enter whose pack in the form: `body`. It takes seconds, from the "
        "published warehouse; no figure is recalculated."
    ),
    checks=False,
)
refresh_quarter_summaries = dg.define_asset_job(
    "refresh_quarter_summaries",
    selection=dg.AssetSelection.checks(quarter_statements, warehouse_check),
    description=(
        "Brings the quarter summaries up to date with the calendar: returns that became overdue, "
        "files refused, queries still open. Runs every morning by itself; no figure is "
        "recalculated."
    ),
)

defs = dg.Definitions(
    assets=[
        deliveries,
        raw_returns,
        validated_returns,
        verdicts,
        declared_tables,
        warehouse_models,
        warehouse,
        quarter_summary,
        quarterly_files,
        packs,
        release,
    ],
    asset_checks=[quarter_statements, warehouse_check],
    jobs=[
        take_in_returns,
        build_warehouse,
        publish_quarter,
        write_packs,
        release_quarter,
        refresh_quarter_summaries,
    ],
    sensors=[inbox_sensor, verdicts_sensor],
    schedules=[every_morning],
    executor=dg.in_process_executor,  # a run is one process, which holds its locks to the end
    resources=RUN_LOCKS,
    loggers={"plain": plain, "console": dg.colored_console_logger},
)
