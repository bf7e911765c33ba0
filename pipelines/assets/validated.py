"""validated: typed, checked, pseudonymised rows, and what was said of each return."""

from collections import Counter

import dagster as dg

from pipelines.assets.partitions import ONE_RUN, QUARTERS, quarters_of
from pipelines.assets.progress import ledger_held
from pipelines.assets.raw import RETURNS
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

NO_REFUSAL = "no_return_was_refused"


@dg.multi_asset(
    name="validated_returns",
    specs=[
        dg.AssetSpec(
            ["validated", name],
            group_name="validated",
            deps=[["raw", name]],
            description=(
                f"Typed rows of the {what} sheets, identifiers replaced by pseudonyms; "
                "rows with errors are kept apart as quarantined."
            ),
        )
        for name, what in RETURNS.items()
    ]
    + [
        dg.AssetSpec(
            ["validated", "problems"],
            group_name="validated",
            deps=[["raw", name] for name in RETURNS],
            description="Every problem found: sheet, cell, field, rule, sentence; never a value.",
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_rule_ran",
            asset=["validated", "problems"],
            description="No rule crashed: a crashed rule refuses the returns it should have read.",
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def validated_returns(context: dg.AssetExecutionContext):
    from pipelines.ledger import Ledger
    from pipelines.take_in import to_validated

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    run = crashed = 0
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        for summary in to_validated(settings, declarations, quarters_of(context)):
            quarter = summary.quarter
            run += summary.rules_run
            crashed += summary.rules_crashed
            context.log.info(
                f"{quarter}: {summary.accepted} returns accepted, {summary.refused} refused, "
                f"{summary.quarantined} rows quarantined, {summary.queries} queries"
            )
            context.add_asset_metadata(
                {
                    "judged now": summary.accepted + summary.refused,
                    "refused now": summary.refused,
                    "rows quarantined now": summary.quarantined,
                    "queries now": summary.queries,
                    **_deliveries_of(ledger, quarter.label),
                },
                asset_key=["validated", "problems"],
                partition_key=quarter.label,
            )
            for name in RETURNS:
                context.add_asset_metadata(
                    {"rows now": summary.rows.get(name, 0)},
                    asset_key=["validated", name],
                    partition_key=quarter.label,
                )
    for name in (*RETURNS, "problems"):
        yield dg.MaterializeResult(asset_key=["validated", name])
    yield dg.AssetCheckResult(
        asset_key=["validated", "problems"],
        check_name="every_rule_ran",
        passed=crashed == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"rules run": run, "rules crashed": crashed},
    )


def _deliveries_of(ledger, quarter: str) -> dict[str, int]:
    """All deliveries ever made for a quarter, by what became of them."""
    statuses = Counter(item.status for item in ledger.submissions() if item.quarter == quarter)
    return {f"deliveries {status}": count for status, count in sorted(statuses.items())}


@dg.asset(
    key=["validated", "verdicts"],
    group_name="validated",
    deps=[["validated", "problems"], ["landing", "deliveries"]],
    description="What was said of each delivery. Red as long as the latest run refused one.",
    check_specs=[
        dg.AssetCheckSpec(
            NO_REFUSAL,
            asset=["validated", "verdicts"],
            blocking=True,
            description=(
                "Fails the run when a return was refused, after everything else was kept: "
                "the refused return replaced nothing and its sender must send again."
            ),
        )
    ],
)
def verdicts(context: dg.AssetExecutionContext):
    from pipelines.ledger import Ledger

    make_private()
    ledger = Ledger(Settings.from_environment().ledger)
    with ledger_held(ledger):
        judged_now = [event for event in ledger.unreported() if event["event"] == "judged"]
        ledger.append({"event": "reported", "run_id": context.run_id})
        by_id = {item.submission_id: item for item in ledger.submissions()}
    refused = [
        by_id[event["submission_id"]] for event in judged_now if event["status"] == "refused"
    ]
    yield dg.MaterializeResult(
        metadata={
            "judged now": len(judged_now),
            "refused now": len(refused),
            "refused returns": dg.TableMetadataValue(
                [
                    dg.TableRecord(
                        {
                            "submission": item.submission_id,
                            "sender": item.sender_code or "not known",
                            "quarter": item.quarter or "not known",
                            "why": item.refusal_sentence_en or "",
                        }
                    )
                    for item in refused
                ],
                schema=dg.TableSchema(
                    [dg.TableColumn(name) for name in ("submission", "sender", "quarter", "why")]
                ),
            ),
        }
    )
    yield dg.AssetCheckResult(
        check_name=NO_REFUSAL,
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(refused)} refused of {len(judged_now)} judged",
        metadata={"refused": len(refused), "judged": len(judged_now)},
    )
