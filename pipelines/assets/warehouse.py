"""staging, intermediate, marts: dbt builds them; then the finished warehouse is published."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
from pydantic import Field

from pipelines.assets.freshness import VERDICTS_IN_IT
from pipelines.assets.quarters import PUBLISHED, tell_anew
from pipelines.assets.shown import COUNTS, OWNERS, PSEUDONYMOUS, table
from pipelines.declarations import Declarations
from pipelines.settings import (
    DBT_PROJECT,
    SOURCES,
    Settings,
    dbt_target,
    make_private,
    program,
)
from pipelines.ui.column_lineage import ColumnLineage, in_a_few_words
from pipelines.ui.data_tests import with_statements

# dbt is the one writer of the warehouse: the pool lets one step at a time hold it.
WRITER = "duckdb_writer"

RETURN_TABLES = ("child", "adopter", "support", "problems")


class BuildConfig(dg.Config):
    """How to build the warehouse."""

    as_of: str = Field(
        default="",
        description=(
            "Leave empty to build from everything that was received. Or a day such as 2021-05-01, "
            "or a day and time (UTC) such as 2021-05-01T12:00: files received later do not exist "
            "for this build, and it is put into a folder of its own."
        ),
    )

    def moment(self) -> datetime | None:
        """Raises dagster.Failure, which the run's page shows, for what is no moment in the past."""
        if not self.as_of.strip():
            return None
        try:
            moment = datetime.fromisoformat(self.as_of.strip())
        except ValueError:
            raise _wrong(f"{self.as_of!r} is no date like 2021-05-01") from None
        in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if in_utc > datetime.now(UTC):
            raise _wrong(f"{self.as_of} is still to come; leave as_of empty to build from all")
        return moment


def _wrong(told: str) -> dg.Failure:
    return dg.Failure(f"as_of: {told}. Nothing was built.", allow_retries=False)


@cache
def manifest() -> dict[str, Any]:
    path = dbt_target(Settings.from_environment()) / "manifest.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `adoption prepare` once")
    return with_statements(json.loads(path.read_text(encoding="utf-8")))


def _source_tables() -> list[str]:
    sources = manifest()["sources"].values()
    return sorted(s["name"] for s in sources if s["name"] not in RETURN_TABLES)


def _is_of_the_ledger(name: str) -> bool:
    return name.startswith(("submission", "return_status"))


@dg.multi_asset(
    name="declared_tables",
    specs=[
        dg.AssetSpec(
            ["validated", name],
            group_name="validated",
            deps=[["validated", "verdicts"]] if _is_of_the_ledger(name) else [],
            owners=OWNERS["validated"],
            tags=COUNTS,
            kinds={"parquet"},
            description=(
                "The ledger of deliveries as a table: what came, and where each return stands."
                if _is_of_the_ledger(name)
                else f"{name.replace('_', ' ').capitalize()}, as declared in sources/, as a table "
                "for the warehouse."
            ),
        )
        for name in _source_tables()
    ],
)
def declared_tables(context: dg.AssetExecutionContext, config: BuildConfig):
    from pipelines.warehouse.tables import write_tables

    make_private()
    rows = write_tables(Settings.from_environment(), Declarations(SOURCES), config.moment())
    context.log.info("wrote the declarations and the ledger as tables")
    for name in _source_tables():
        found = [count for path, count in rows.items() if path.split("/")[-1] == name]
        yield dg.MaterializeResult(asset_key=["validated", name], metadata={"Rows": sum(found)})


def _dbt() -> DbtCliResource:
    """Not a resource of the jobs, whose form would ask for it beside what a person may fill in."""
    return DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(program("dbt")),
        global_config_flags=["--no-use-colors", "--log-level-file", "warn"],
    )


class Rooms(DagsterDbtTranslator):
    """The room of a model is its schema, its folder and its group."""

    def get_group_name(self, dbt_resource_props):
        return dbt_resource_props["fqn"][1]

    def get_owners(self, dbt_resource_props):
        return OWNERS[dbt_resource_props["fqn"][1]]

    def get_tags(self, dbt_resource_props):
        names = dbt_resource_props["columns"]
        is_personal = any(name.endswith("_pseudonym") for name in names)
        return PSEUDONYMOUS if is_personal else COUNTS


@dbt_assets(
    manifest=manifest(),
    name="warehouse_models",
    dagster_dbt_translator=Rooms(),
    exclude="test_type:unit",
    pool=WRITER,
)
def warehouse_models(context: dg.AssetExecutionContext):
    from pipelines.warehouse.published import prepare_build

    make_private()
    settings = Settings.from_environment()
    os.environ["ADOPTION_DATA"] = str(settings.data)  # where dbt's profile and sources look
    prepare_build(settings)
    models = len(context.selected_asset_keys)
    context.log.info(f"dbt builds {models} models of staging, intermediate and marts")
    # One target folder an installation: dbt parses what changed, and a run leaves no other.
    target = settings.build / "dbt"
    parsed = dbt_target(settings) / "partial_parse.msgpack"
    if parsed.exists() and not (target / parsed.name).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parsed, target / parsed.name)  # dbt itself sees whether it still fits
    invocation = _dbt().cli(["build"], context=context, target_path=target)
    described = _Described(target)
    built = 0
    for event in invocation.stream():
        if isinstance(event, dg.Output):
            yield described.output(event)
            built += 1
            if built % 10 == 0 or built == models:
                context.log.info(f"{built} of {models} models built")
        elif isinstance(event, dg.AssetCheckResult):
            yield described.check(event)
        else:
            yield event
    described.keep()


class _Described:
    """Outputs of dbt with what a reader asks: how long it took, where each column comes from."""

    def __init__(self, target: Path) -> None:
        self._compiled = target / "compiled" / "adoption"
        self._lineage = ColumnLineage(target / "column_lineage.json")
        nodes = [*manifest()["nodes"].values(), *manifest()["sources"].values()]
        rooms = Rooms()
        self._keys = {
            node["name"]: rooms.get_asset_key(node)
            for node in nodes
            if node["resource_type"] in ("model", "source")
        }

    def output(self, output: dg.Output) -> dg.Output:
        node = manifest()["nodes"][output.metadata["unique_id"].value]
        seconds = output.metadata.get("Execution Duration")
        told: dict[str, Any] = {"Seconds to build": seconds} if seconds else {}
        return output.with_metadata(told | self._origins(node))

    def check(self, result: dg.AssetCheckResult) -> dg.AssetCheckResult:
        failed = result.metadata.get("dagster_dbt/failed_row_count")
        return result.with_metadata({} if failed is None else {"Rows that break it": failed})

    def _origins(self, node: dict[str, Any]) -> dict[str, Any]:
        sql = self._compiled / node["original_file_path"]
        if not sql.exists():
            return {}
        origins = self._lineage.of(node["name"], sql.read_text(encoding="utf-8"))
        if not origins:
            return {}
        return {
            "Where each column comes from": table(
                ("Column", "Comes from"),
                ((column, in_a_few_words(found)) for column, found in origins.items()),
            ),
            "dagster/column_lineage": dg.TableColumnLineage(
                {
                    column: [
                        dg.TableColumnDep(asset_key=self._keys[parent], column_name=name)
                        for parent, name in found
                        if parent in self._keys
                    ]
                    for column, found in origins.items()
                }
            ),
        }

    def keep(self) -> None:
        self._lineage.keep()


@dg.asset(
    key=["marts", "warehouse"],
    group_name="marts",
    deps=[warehouse_models],
    owners=OWNERS["marts"],
    tags=PSEUDONYMOUS,
    kinds={"duckdb"},
    # A quarter has 92 days at most: amber when one went by without a build, red when two did.
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=184), warn_window=timedelta(days=92)
    ),
    description=(
        "The published warehouse: warehouse.duckdb for every analyst, restricted.duckdb with "
        "pseudonymous rows for the few. Swapped in whole; readers never meet a lock. If a build "
        "or one of its checks fails, the one published before stays."
    ),
    pool=WRITER,
)
def warehouse(context: dg.AssetExecutionContext):
    from pipelines.warehouse.published import publish
    from pipelines.warehouse.tables import what_was_built

    make_private()
    settings = Settings.from_environment()
    as_of, verdicts = what_was_built(settings)
    folder = publish(settings, settings.marts_as_of(as_of) if as_of else None)
    context.log.info(f"published {folder / settings.warehouse.name}")
    # The sensor that builds after verdicts asks how many the published warehouse holds.
    told = {"As of": as_of.isoformat()} if as_of else {VERDICTS_IN_IT: verdicts}
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(PUBLISHED),
        metadata={
            "Folder": dg.MetadataValue.path(str(folder)),
            **told,
            "Tables": table(("Table", "Rows"), _tables(folder / settings.warehouse.name)),
        },
    )
    if as_of is None:
        changed = tell_anew(context, settings)
        context.log.info(f"the pages of {changed} quarters changed")


def _tables(path: Path) -> Iterator[tuple[str, int]]:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        yield from connection.execute(
            "select table_name, estimated_size from duckdb_tables() order by table_name"
        ).fetchall()
