"""Partitioned by quarter only: authority, region and return are data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from pipelines.quarters import FIRST_QUARTER, Quarter, quarters_between

# Made when the process starts, one quarter ahead: a return is sent after its quarter has ended, so
# the list serves a process for half a year.
QUARTERS = dg.StaticPartitionsDefinition(
    [
        quarter.label
        for quarter in quarters_between(FIRST_QUARTER, Quarter.containing(date.today()).plus(1))
    ]
)

# One run may cover many quarters: a run costs 8 CPU seconds, a quarter in it less than one.
ONE_RUN = dg.BackfillPolicy.single_run()


def range_tags(stretch: Sequence[Quarter]) -> dict[str, str]:
    """Run tags that make one run cover a stretch of quarters without a gap.

    Dagster documents the two tags for schedules and sensors (dagster discussion 11653) and has no
    argument for a range of partitions in a RunRequest or in ``execute_in_process``.
    """
    return {
        "dagster/asset_partition_range_start": stretch[0].label,
        "dagster/asset_partition_range_end": stretch[-1].label,
    }


def quarters_of(context: dg.AssetExecutionContext) -> list[Quarter]:
    """The quarters that a run was asked for, oldest first."""
    return [Quarter.parse(key) for key in context.partition_keys]


def materialised(
    context: dg.AssetExecutionContext,
    metadata: Mapping[tuple[str, str], Mapping[Quarter, Mapping[str, Any]]],
) -> Iterator[dg.MaterializeResult]:
    """Results of the assets of a run over one or many quarters, with the metadata of each quarter.

    Dagster records the quarters of one run in no order, and the overview of an asset shows the one
    recorded last: therefore the newest is recorded once more at the end.
    """
    for key, by_quarter in metadata.items():
        for quarter, content in by_quarter.items():
            context.add_asset_metadata(content, asset_key=key, partition_key=quarter.label)
        yield dg.MaterializeResult(asset_key=key)
        if len(context.partition_keys) > 1 and by_quarter:
            newest = max(by_quarter)
            context.log_event(
                dg.AssetMaterialization(
                    dg.AssetKey(key),
                    partition=newest.label,
                    metadata=by_quarter[newest],
                    tags=_tags_of_latest(context.instance, key, newest),
                )
            )


def _tags_of_latest(
    instance: dg.DagsterInstance, key: tuple[str, str], quarter: Quarter
) -> dict[str, str]:
    """Tags of what was last recorded for a quarter: among them Dagster's own of what it was made
    from, without which an entry is called out of date whenever anything upstream is renewed."""
    record = latest(instance, key, quarter)
    event = record.asset_materialization if record else None
    return dict(event.tags or {}) if event else {}


def latest(
    instance: dg.DagsterInstance, key: tuple[str, str], quarter: Quarter
) -> dg.EventLogRecord | None:
    """What was last recorded for a quarter of an asset; None if nothing was."""
    of_quarter = dg.AssetRecordsFilter(dg.AssetKey(key), asset_partitions=[quarter.label])
    records = instance.fetch_materializations(of_quarter, limit=1).records
    return records[0] if records else None
