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

from pipelines.assets.metadata import COUNTS, OWNERS, PSEUDONYMOUS, table
from pipelines.assets.quarter_summary import update_quarter_summaries
from pipelines.assets.run_locks import RunLocks
from pipelines.assets.warehouse_check import VALIDATED_FILES
from pipelines.declarations import Declarations
from pipelines.settings import (
    DBT_PROJECT,
    SOURCES,
    Settings,
    dbt_target,
    make_private,
    program,
)
from pipelines.ui.data_tests import with_statements

BUILDING = "building the warehouse"

# The data version of marts/warehouse, always the same: for most quarters a new build says what the
# one before said, so that files made from that one are not called out of date.
PUBLISHED = "published"

RETURN_TABLES = ("child", "adopter", "support", "problems")


class BuildConfig(dg.Config):
    """How to build the warehouse."""

    as_of: str = Field(
        default="",
        description=(
            "Leave empty to build from everything received. Or enter a day such as 2021-05-01, or "
            "a day and time (UTC) such as 2021-05-01T12:00: files received later are left out of "
            "this build, and it is put into a folder of its own."
        ),
    )

    def moment(self) -> datetime | None:
        """The moment in UTC, or None. Raises dagster.Failure, which the page of the run shows, when
        ``as_of`` is not a time or lies in the future."""
        if not self.as_of.strip():
            return None
        try:
            moment = datetime.fromisoformat(self.as_of.strip())
        except ValueError:
            raise _wrong(f"{self.as_of!r} is not a date like 2021-05-01") from None
        in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if in_utc > datetime.now(UTC):
            raise _wrong(
                f"{self.as_of} is in the future; leave as_of empty to build from everything"
            )
        return moment


def _wrong(reason: str) -> dg.Failure:
    return dg.Failure(f"as_of: {reason}. Nothing was built.", allow_retries=False)


@cache
def manifest() -> dict[str, Any]:
    path = dbt_target(Settings.from_environment()) / "manifest.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `adoption prepare` once")
    return with_statements(json.loads(path.read_text(encoding="utf-8")))


def _source_tables() -> list[str]:
    sources = manifest()["sources"].values()
    names = (source["name"] for source in sources)
    return sorted(name for name in names if name not in RETURN_TABLES)


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
                "The ledger of deliveries as a table: what was received, and the state of each "
                "return."
                if _is_of_the_ledger(name)
                else f"{name.replace('_', ' ').capitalize()}, as declared in sources/, as a table "
                "for the warehouse."
            ),
        )
        for name in _source_tables()
    ],
)
def declared_tables(context: dg.AssetExecutionContext, config: BuildConfig, run_locks: RunLocks):
    from pipelines.warehouse.published import prepare_build
    from pipelines.warehouse.tables import write_tables

    make_private()
    moment = config.moment()
    run_locks.write(BUILDING)
    settings = Settings.from_environment()
    prepare_build(settings)  # what was built from other tables must not be published as theirs
    rows = write_tables(settings, Declarations(SOURCES), moment)
    context.log.info("wrote the declarations and the ledger as tables")
    for name in _source_tables():
        count = sum(count for path, count in rows.items() if path.split("/")[-1] == name)
        yield dg.MaterializeResult(asset_key=["validated", name], metadata={"Rows": count})


def _dbt() -> DbtCliResource:
    """dbt as dagster-dbt runs it.

    Not a resource of the jobs: their forms would ask for it beside what a person may fill in.
    """
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
)
def warehouse_models(context: dg.AssetExecutionContext, run_locks: RunLocks):
    from pipelines.intake.conservation import ConservationError, refuse_unless_conserved
    from pipelines.warehouse.published import (
        end_dbt_left_behind,
        finish_build,
        prepare_build,
        said_of_a_full_disk,
    )
    from pipelines.warehouse.tables import what_was_built

    make_private()
    run_locks.write(BUILDING)
    settings = Settings.from_environment()
    try:  # a row lost since its verdict would be a wrong figure that looks like any other
        refuse_unless_conserved(settings)
    except ConservationError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    os.environ["ADOPTION_DATA"] = str(settings.data)  # where dbt's profile and sources look
    # One target folder for an installation: dbt parses only what changed, and nothing piles up.
    target = settings.build / "dbt"
    end_dbt_left_behind(target)
    prepare_build(settings)
    models = len(context.selected_asset_keys)
    context.log.info(f"dbt builds {models} models of staging, intermediate and marts")
    parsed = dbt_target(settings) / "partial_parse.msgpack"
    if parsed.exists() and not (target / parsed.name).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parsed, target / parsed.name)  # dbt itself sees whether it still fits
    invocation = _dbt().cli(["build"], context=context, target_path=target)
    built = 0
    with said_of_a_full_disk(settings.build):
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                yield _output_in_words(event)
                built += 1
                if built % 10 == 0 or built == models:
                    context.log.info(f"{built} of {models} models built")
            elif isinstance(event, dg.AssetCheckResult):
                yield _check_in_words(event)
            else:
                yield event
    if not context.is_subset:
        finish_build(settings, *what_was_built(settings))


def _output_in_words(output: dg.Output) -> dg.Output:
    """An output of dbt with the one number of its metadata that a reader asks for."""
    seconds = output.metadata.get("Execution Duration")
    return output.with_metadata({"Seconds to build": seconds} if seconds else {})


def _check_in_words(result: dg.AssetCheckResult) -> dg.AssetCheckResult:
    failed = result.metadata.get("dagster_dbt/failed_row_count")
    return result.with_metadata({} if failed is None else {"Rows that break it": failed})


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
        "pseudonymous rows for the few who may see them. Replaced as a whole, so that readers "
        "are never locked out. If a build or one of its checks fails, the one published before "
        "stays."
    ),
)
def warehouse(context: dg.AssetExecutionContext, run_locks: RunLocks):
    from pipelines.warehouse.published import finished_build, publish

    make_private()
    run_locks.write(BUILDING)
    settings = Settings.from_environment()
    as_of, validated_files = finished_build(settings)
    folder = publish(settings, settings.marts_as_of(as_of) if as_of else None)
    context.log.info(f"published {folder / settings.warehouse.name}")
    # The sensor that builds after verdicts asks how many files the published warehouse holds.
    built_from = {"As of": as_of.isoformat()} if as_of else {VALIDATED_FILES: validated_files}
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(PUBLISHED),
        metadata={
            "Folder": dg.MetadataValue.path(str(folder)),
            **built_from,
            "Tables": table(("Table", "Rows"), _tables(folder / settings.warehouse.name)),
        },
    )
    if as_of is None:
        changed = update_quarter_summaries(context, settings)
        context.log.info(f"the summaries of {changed} quarters changed")


def _tables(path: Path) -> Iterator[tuple[str, int]]:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        yield from connection.execute(
            "select table_name, estimated_size from duckdb_tables() order by table_name"
        ).fetchall()
