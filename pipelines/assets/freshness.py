"""Whether the published warehouse holds every verdict that was given."""

import dagster as dg

from pipelines.settings import Settings

WAREHOUSE = dg.AssetKey(["marts", "warehouse"])
VERDICTS_IN_IT = "Verdicts in it"

_NAME = "the_warehouse_holds_every_verdict"


def verdicts_in_the_warehouse(instance: dg.DagsterInstance) -> int | None:
    """How many verdicts the published warehouse holds; None if none was published yet.

    Builds as of a day lie apart and are passed over.
    """
    for record in instance.fetch_materializations(WAREHOUSE, limit=20).records:
        event = record.asset_materialization
        held = event.metadata.get(VERDICTS_IN_IT) if event else None
        if held is not None:
            return held.value
    return None


def verdicts_given(settings: Settings) -> int:
    from pipelines.lifecycle.ledger import Ledger

    return sum(not item.is_waiting for item in Ledger(settings.ledger).submissions())


@dg.asset_check(
    asset=WAREHOUSE,
    name=_NAME,
    description="Every verdict given so far is in the published warehouse; else build it anew.",
)
def the_warehouse_holds_every_verdict(
    context: dg.AssetCheckExecutionContext,
) -> dg.AssetCheckResult:
    told = says_whether_it_holds_every_verdict(context.instance, Settings.from_environment())
    return dg.AssetCheckResult(
        passed=told.passed,
        severity=told.severity,
        description=told.description,
        metadata=told.metadata,
    )


def says_whether_it_holds_every_verdict(
    instance: dg.DagsterInstance, settings: Settings
) -> dg.AssetCheckEvaluation:
    """The check's answer, for a step that gave verdicts to enter: amber until the next build."""
    given = verdicts_given(settings)
    held = verdicts_in_the_warehouse(instance) or 0
    return dg.AssetCheckEvaluation(
        asset_key=WAREHOUSE,
        check_name=_NAME,
        passed=held == given,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{held} of {given} verdicts are in the published warehouse.",
        metadata={"Verdicts not in it": given - held},
    )
