"""What Dagster loads: forms of jobs, many quarters at once, words that explain themselves."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.partitions import QUARTERS
    from pipelines.assets.quarter_summary import KEY
    from pipelines.definitions import defs


def test_every_asset_of_quarters_takes_a_range_of_them_in_one_run() -> None:
    partitioned = [
        asset
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def
    ]
    assert {asset.op.name for asset in partitioned} >= {"quarterly_files", "packs", "raw_returns"}
    for asset in partitioned:
        assert asset.partitions_def == QUARTERS
        assert asset.backfill_policy == dg.BackfillPolicy.single_run(), asset.op.name


@pytest.mark.parametrize(
    ("job", "step", "fields"),
    [
        ("build_warehouse", "declared_tables", {"as_of"}),
        ("write_packs", "packs", {"body", "every_place_of_it", "language"}),
    ],
)
def test_a_form_asks_little_says_what_each_word_means_and_may_stay_as_it_is(
    job: str, step: str, fields: set[str]
) -> None:
    run_config: Any = defs.resolve_job_def(job).run_config_schema.config_type
    schema = run_config.fields["ops"].config_type
    form = schema.fields[step].config_type.fields["config"].config_type.fields
    assert set(form) == fields
    for name, field in form.items():
        assert not field.is_required, name
        assert len(field.description) > 30, name


def test_jobs_and_what_starts_them_say_what_they_do() -> None:
    for job in defs.jobs or ():
        assert len(job.description or "") > 80, job.name
    for starter in [*(defs.sensors or ()), *(defs.schedules or ())]:
        assert len(starter.description or "") > 60, starter.name


def test_every_asset_has_a_room_an_owner_and_a_description() -> None:
    graph = defs.resolve_asset_graph()
    summary = dg.AssetKey(KEY)
    assert graph.get(summary).partitions_def == QUARTERS
    for key in [*graph.materializable_asset_keys, summary]:
        node = graph.get(key)
        assert node.group_name == key.path[0]
        assert node.owners and node.description and "personal_data" in node.tags, key
