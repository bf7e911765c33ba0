"""What Dagster sees."""

from __future__ import annotations

import dagster as dg
from dagster_dbt import DbtCliResource

from pipelines.assets.exports import quarterly_files
from pipelines.assets.landing import deliveries
from pipelines.assets.progress import plain
from pipelines.assets.raw import raw_returns
from pipelines.assets.validated import validated_returns, verdicts
from pipelines.assets.warehouse import declared_tables, warehouse, warehouse_models
from pipelines.sensors import inbox_sensor, verdicts_sensor
from pipelines.settings import DBT_PROJECT, program


def _dbt_resource() -> DbtCliResource:
    return DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(program("dbt")),
        global_config_flags=["--no-use-colors", "--log-level-file", "warn"],
    )


take_in_returns = dg.define_asset_job(
    "take_in_returns",
    selection=dg.AssetSelection.assets(deliveries, raw_returns, validated_returns, verdicts),
    description="Files in the inbox become raw rows, checked rows and a verdict each.",
)
build_warehouse = dg.define_asset_job(
    "build_warehouse",
    selection=dg.AssetSelection.assets(declared_tables, warehouse_models, warehouse),
    description="Every accepted return becomes figures in a new warehouse, which is swapped in.",
)
publish_quarter = dg.define_asset_job(
    "publish_quarter",
    selection=dg.AssetSelection.assets(quarterly_files),
    description="The quarter's files for the national body, and the performance pack.",
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
        quarterly_files,
    ],
    jobs=[take_in_returns, build_warehouse, publish_quarter],
    sensors=[inbox_sensor, verdicts_sensor],
    executor=dg.in_process_executor,
    loggers={"plain": plain, "console": dg.colored_console_logger},
    resources={"dbt": _dbt_resource()},
)
