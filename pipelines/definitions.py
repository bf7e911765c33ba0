"""What Dagster sees."""

from __future__ import annotations

import dagster as dg

from pipelines.assets.exports import packs, quarterly_files
from pipelines.assets.freshness import the_warehouse_holds_every_verdict
from pipelines.assets.landing import deliveries
from pipelines.assets.progress import plain
from pipelines.assets.quarters import quarter_at_a_glance
from pipelines.assets.raw import raw_returns
from pipelines.assets.releases import release
from pipelines.assets.sensors import calendar, inbox_sensor, verdicts_sensor
from pipelines.assets.validated import validated_returns, verdicts
from pipelines.assets.warehouse import declared_tables, warehouse, warehouse_models


def _job(
    name: str, *assets, description: str, checks: bool = True
) -> dg.UnresolvedAssetJobDefinition:
    selection = dg.AssetSelection.assets(*assets)
    selection -= dg.AssetSelection.checks_for_assets(quarter_at_a_glance)  # told by its own step
    if checks:
        selection |= dg.AssetSelection.checks(the_warehouse_holds_every_verdict)
    return dg.define_asset_job(name, selection=selection, description=description)


take_in_returns = _job(
    "take_in_returns",
    *(deliveries, raw_returns, validated_returns, verdicts),
    description=(
        "Files in the inbox become raw rows, checked rows and a verdict each.\n\n"
        "Choose the quarters whose files wait; a range of them is one run. The sensor does this by "
        "itself. Red when a return was refused; everything else was kept all the same."
    ),
    checks=False,
)
build_warehouse = _job(
    "build_warehouse",
    *(declared_tables, warehouse_models, warehouse),
    description=(
        "Every accepted return becomes figures in a new warehouse, which is swapped in when all "
        "its checks hold.\n\n"
        "Nothing needs to be filled in. With `as_of` it is built as it was known on a day, and "
        "put into a folder of its own."
    ),
)
publish_quarter = _job(
    "publish_quarter",
    quarterly_files,
    description=(
        "The quarter's files for the national body, and the performance pack, as a new version if "
        "a figure changed.\n\n"
        "Choose the quarter; the warehouse must have been built since its returns came."
    ),
    checks=False,
)
release_quarter = _job(
    "release_quarter",
    release,
    description=(
        "What a national body may publish of a locked quarter: disclosure controlled, audited, in "
        "both languages.\n\n"
        "Choose the quarter, the body and what you are. Build the warehouse first. Nothing is "
        "released if anything is wrong, and what was released before stays."
    ),
    checks=False,
)
write_packs = _job(
    "write_packs",
    packs,
    description=(
        "The performance pack of a nation, region, agency or authority: a page to show in a "
        "meeting, to print or to send on within the service.\n\n"
        "Choose the quarter, and in the form whose pack: `body`. In seconds, from the published "
        "warehouse; no figure is computed anew."
    ),
    checks=False,
)
look_at_the_calendar = _job(
    "look_at_the_calendar",
    quarter_at_a_glance,
    description=(
        "Tells anew where the returns of the chosen quarters stand today: overdue, refused, "
        "queries open. Runs every morning by itself; computes no figure."
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
        quarter_at_a_glance,
        quarterly_files,
        packs,
        release,
    ],
    asset_checks=[the_warehouse_holds_every_verdict],
    jobs=[
        take_in_returns,
        build_warehouse,
        publish_quarter,
        write_packs,
        release_quarter,
        look_at_the_calendar,
    ],
    sensors=[inbox_sensor, verdicts_sensor],
    schedules=[calendar],
    executor=dg.in_process_executor,
    loggers={"plain": plain, "console": dg.colored_console_logger},
)
