"""Whether the published warehouse holds every validated file."""

import dagster as dg

from pipelines.settings import Settings

WAREHOUSE = dg.AssetKey(["marts", "warehouse"])
VALIDATED_FILES = "Validated files"

_NAME = "every_validated_file_is_in_the_warehouse"


def files_in_the_warehouse(instance: dg.DagsterInstance) -> int | None:
    """How many validated files the published warehouse holds; None if none was published yet.

    Builds as of a day are kept apart and are passed over.
    """
    for record in instance.fetch_materializations(WAREHOUSE, limit=20).records:
        event = record.asset_materialization
        count = event.metadata.get(VALIDATED_FILES) if event else None
        if isinstance(count, dg.IntMetadataValue):
            return count.value
    return None


def files_validated(settings: Settings) -> int:
    """How many of the files received have their verdict."""
    from pipelines.lifecycle.ledger import Ledger

    return sum(not item.is_waiting for item in Ledger(settings.ledger).submissions())


@dg.asset_check(
    asset=WAREHOUSE,
    name=_NAME,
    description="Every file validated so far is in the published warehouse; if not, build again.",
)
def warehouse_check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """The check when somebody asks for it; validation and builds record it by themselves."""
    evaluation = warehouse_evaluation(context.instance, Settings.from_environment())
    return dg.AssetCheckResult(
        passed=evaluation.passed,
        severity=evaluation.severity,
        description=evaluation.description,
        metadata=evaluation.metadata,
    )


def warehouse_evaluation(
    instance: dg.DagsterInstance, settings: Settings
) -> dg.AssetCheckEvaluation:
    """The result of the check, also for a step that validated files to record: amber until the
    next build."""
    validated = files_validated(settings)
    published = files_in_the_warehouse(instance) or 0
    return dg.AssetCheckEvaluation(
        asset_key=WAREHOUSE,
        check_name=_NAME,
        passed=published == validated,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{published} of {validated} validated files are in the published warehouse.",
        metadata={"Files not in it": validated - published},
    )
