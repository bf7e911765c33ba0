"""staging, intermediate, marts: dbt builds them; then the finished warehouse is published."""

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from pipelines.declarations import Declarations
from pipelines.settings import DBT_PROJECT, SOURCES, Settings, make_private

MANIFEST = DBT_PROJECT / "target" / "manifest.json"

# dbt is the one writer of the warehouse: the pool lets one step at a time hold it.
WRITER = "duckdb_writer"

RETURN_TABLES = ("child", "adopter", "support", "problems")


class BuildConfig(dg.Config):
    """How to build the warehouse."""

    as_of: str = ""  # ISO date and time (UTC); deliveries received later are invisible


def manifest() -> Path:
    if not MANIFEST.exists():
        raise FileNotFoundError(f"{MANIFEST} is missing: run `adoption prepare` once")
    return MANIFEST


def _source_tables() -> list[str]:
    sources = json.loads(manifest().read_text(encoding="utf-8"))["sources"].values()
    return sorted(s["name"] for s in sources if s["name"] not in RETURN_TABLES)


@dg.multi_asset(
    name="declared_tables",
    specs=[
        dg.AssetSpec(
            ["validated", name],
            group_name="validated",
            deps=[["validated", "verdicts"]] if name.startswith("submission") else [],
            description=(
                "The ledger of deliveries as a table."
                if name.startswith("submission")
                else "Declared in sources/, as a table for the warehouse."
            ),
        )
        for name in _source_tables()
    ],
)
def declared_tables(context: dg.AssetExecutionContext, config: BuildConfig):
    from pipelines.tables import write_tables

    make_private()
    as_of = datetime.fromisoformat(config.as_of) if config.as_of else None
    rows = write_tables(Settings.from_environment(), Declarations(SOURCES), as_of)
    context.log.info("wrote the declarations and the ledger as tables")
    for name in _source_tables():
        found = [count for table, count in rows.items() if table.split("/")[-1] == name]
        yield dg.MaterializeResult(asset_key=["validated", name], metadata={"rows": sum(found)})


class Rooms(DagsterDbtTranslator):
    """The room of a model is its schema, its folder and its group."""

    def get_group_name(self, dbt_resource_props):
        return dbt_resource_props["fqn"][1]


@dbt_assets(
    manifest=manifest(),
    name="warehouse_models",
    dagster_dbt_translator=Rooms(),
    exclude="test_type:unit",
    pool=WRITER,
)
def warehouse_models(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    from pipelines.warehouse import prepare_build

    make_private()
    settings = Settings.from_environment()
    os.environ["ADOPTION_DATA"] = str(settings.data)  # where dbt's profile and sources look
    prepare_build(settings)
    models = len(context.selected_asset_keys)
    context.log.info(f"dbt builds {models} models of staging, intermediate and marts")
    built = 0
    # One target folder an installation: dbt parses what changed, and a run leaves no other.
    target = settings.build / "dbt"
    parsed = DBT_PROJECT / "target" / "partial_parse.msgpack"
    if parsed.exists() and not (target / parsed.name).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parsed, target / parsed.name)  # dbt itself sees whether it still fits
    invocation = dbt.cli(["build"], context=context, target_path=target)
    for event in invocation.stream():
        yield event
        if isinstance(event, dg.Output | dg.AssetMaterialization):
            built += 1
            if built % 10 == 0 or built == models:
                context.log.info(f"{built} of {models} models built")


@dg.asset(
    key=["marts", "warehouse"],
    group_name="marts",
    deps=[warehouse_models],
    description=(
        "The published warehouse: warehouse.duckdb for every analyst, restricted.duckdb with "
        "pseudonymous rows for the few. Swapped in whole; readers never meet a lock."
    ),
    pool=WRITER,
)
def warehouse(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    from pipelines.tables import what_was_built
    from pipelines.warehouse import publish

    make_private()
    settings = Settings.from_environment()
    as_of, verdicts = what_was_built(settings)
    folder = publish(settings, settings.marts_as_of(as_of) if as_of else None)
    context.log.info(f"published {folder / settings.warehouse.name}")
    # The sensor that builds after verdicts asks how many the published warehouse holds.
    told = {"as of": as_of.isoformat()} if as_of else {"verdicts in it": verdicts}
    return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(folder)), **told})
