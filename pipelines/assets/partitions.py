"""Partitioned by quarter only: authority, region and return are data."""

from __future__ import annotations

from datetime import date

import dagster as dg

from pipelines.quarters import Quarter, quarters_between
from pipelines.tables import FIRST_QUARTER

# Made when the process starts, one quarter ahead: a return comes after its quarter has ended, so
# the list serves a process for half a year.
QUARTERS = dg.StaticPartitionsDefinition(
    [
        quarter.label
        for quarter in quarters_between(FIRST_QUARTER, Quarter.containing(date.today()).plus(1))
    ]
)

# One run may cover many quarters: a run costs 8 CPU seconds, a quarter in it less than one.
ONE_RUN = dg.BackfillPolicy.single_run()


def range_tags(stretch: list[Quarter]) -> dict[str, str]:
    """Run tags that make one run cover a stretch of quarters without a gap."""
    return {
        "dagster/asset_partition_range_start": stretch[0].label,
        "dagster/asset_partition_range_end": stretch[-1].label,
    }


def quarters_of(context: dg.AssetExecutionContext) -> list[Quarter]:
    return [Quarter.parse(key) for key in context.partition_keys]
