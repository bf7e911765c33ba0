"""validated: typed, checked, pseudonymised rows, and the verdict on each return."""

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.assets.metadata import COUNTS, OWNERS, PSEUDONYMOUS, table
from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.quarter_summary import update_quarter_summaries
from pipelines.assets.raw import RETURNS
from pipelines.assets.run_errors import ledger_held
from pipelines.assets.run_locks import RUN_LOCKS
from pipelines.assets.warehouse_check import warehouse_evaluation
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

if TYPE_CHECKING:
    from pipelines.intake.validated import ValidationCounts

NO_REFUSAL = "no_return_was_refused"


@dg.multi_asset(
    name="validated_returns",
    specs=[
        dg.AssetSpec(
            ["validated", name],
            group_name="validated",
            deps=[["raw", name]],
            owners=OWNERS["validated"],
            tags=PSEUDONYMOUS,
            kinds={"parquet"},
            description=(
                f"The rows of the {rows_of} sheets with dates, numbers and codes read, checked "
                "against every rule, references replaced by pseudonyms. Rows with errors are kept, "
                "set aside, and in no figure."
            ),
        )
        for name, rows_of in RETURNS.items()
    ]
    + [
        dg.AssetSpec(
            ["validated", "problems"],
            group_name="validated",
            deps=[["raw", name] for name in RETURNS],
            owners=OWNERS["validated"],
            tags=COUNTS,
            kinds={"parquet"},
            description=(
                "Every problem the rules found: which sheet, cell, field and rule, in a sentence; "
                "never the value. Senders read it in their validation report, analysts as counts "
                "in marts/fct_problem."
            ),
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_rule_ran",
            asset=["validated", "problems"],
            description=(
                "No rule crashed. If one did, the returns it should have checked are refused; the "
                "fault is in this program, not with the sender."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    required_resource_keys=set(RUN_LOCKS),
)
def validated_returns(context: dg.AssetExecutionContext):
    """Validate what waits; all quarters of the run share one Great Expectations batch."""
    from pipelines.intake.validated import to_validated
    from pipelines.lifecycle.ledger import Ledger
    from pipelines.ui.return_counts import files_by_quarter, problems_by_rule, rows_in

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    rules_run = rules_crashed = 0
    quarters = quarters_of(context)
    metadata: dict = {("validated", name): {} for name in (*RETURNS, "problems")}
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        counts = {item.quarter: item for item in to_validated(settings, declarations, quarters)}
        files = files_by_quarter(ledger, declarations)
        submissions = ledger.submissions()
    for quarter in quarters:
        validated = counts.get(quarter)
        if validated:
            rules_run += validated.rules_run
            rules_crashed += validated.rules_crashed
            context.log.info(
                f"{quarter}: {validated.accepted} returns accepted, {validated.refused} refused, "
                f"{validated.quarantined} rows set aside, {validated.queries} queries"
                + (f"; {validated.held} held, as the quarter is locked" if validated.held else "")
                + (f"; {validated.to_confirm} to be confirmed" if validated.to_confirm else "")
            )
        for name in RETURNS:
            metadata["validated", name][quarter] = {
                "Rows checked now": validated.rows.get(name, 0) if validated else 0,
                "Rows kept, every version sent": rows_in(settings.validated / name / quarter.label),
            }
        metadata["validated", "problems"][quarter] = {
            **_counts_of_run(validated),
            **files.get(quarter.label, {}),
            "Problems by rule": table(
                ("Return", "Rule", "Kind", "Rows", "Senders"),
                problems_by_rule(submissions, quarter),
            ),
        }
    yield from materialised(context, metadata)
    yield dg.AssetCheckResult(
        asset_key=["validated", "problems"],
        check_name="every_rule_ran",
        passed=rules_crashed == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{rules_run} rules ran, {rules_crashed} crashed",
        metadata={"Rules run": rules_run, "Rules crashed": rules_crashed},
    )


def _counts_of_run(validated: "ValidationCounts | None") -> dict[str, int]:
    """What this run did for a quarter; zero everywhere if no file was waiting."""
    return {
        "Validated now": (
            validated.accepted + validated.held + validated.to_confirm + validated.refused
            if validated
            else 0
        ),
        "Accepted now": validated.accepted if validated else 0,
        "Held for a revision now": validated.held if validated else 0,
        "To be confirmed now": validated.to_confirm if validated else 0,
        "Refused now": validated.refused if validated else 0,
        "Rows set aside now": validated.quarantined if validated else 0,
        "Queries now": validated.queries if validated else 0,
    }


@dg.asset(
    key=["validated", "verdicts"],
    group_name="validated",
    deps=[["validated", "problems"], ["landing", "deliveries"]],
    owners=OWNERS["validated"],
    tags=COUNTS,
    description=(
        "The verdict on each file: accepted, accepted with queries, accepted with rows set aside, "
        "held for confirmation, or refused. Red if the latest run refused one."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            NO_REFUSAL,
            asset=["validated", "verdicts"],
            blocking=True,
            description=(
                "Fails the run when a return was refused, after everything else was kept: the "
                "refused return replaced nothing, and its sender must send it again."
            ),
        )
    ],
    required_resource_keys=set(RUN_LOCKS),
)
def verdicts(context: dg.AssetExecutionContext):
    """Report the verdicts of this run once each, and block at the end if one refuses."""
    from pipelines.lifecycle.ledger import Ledger
    from pipelines.lifecycle.ledger_state import ledger_state

    make_private()
    settings = Settings.from_environment()
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        events = [event for event in ledger.unreported() if event["event"] == "judged"]
        ledger.append({"event": "reported", "run_id": context.run_id})
        by_id = {item.submission_id: item for item in ledger.submissions()}
        book = ledger_state(ledger.events(), Declarations(SOURCES))
    refused = [by_id[event["submission_id"]] for event in events if event["status"] == "refused"]
    held = sum(book.is_held(event["submission_id"]) for event in events)
    yield dg.MaterializeResult(
        metadata={
            "Validated now": len(events),
            "Held for a revision now": held,
            "To be confirmed now": sum(
                by_id[event["submission_id"]].is_to_be_confirmed for event in events
            ),
            "Refused now": len(refused),
            "Refused, and why": table(
                ("Sender and quarter", "Reason", "Submission"),
                (
                    (
                        f"{item.sender_code or 'not known'}, {item.quarter or 'not known'}",
                        item.refusal_sentence_en or "",
                        item.submission_id,
                    )
                    for item in refused
                ),
            ),
            "What to do": (
                "adoption report SUBMISSION --out report.txt writes what to send back"
                if refused
                else "nothing"
            ),
        }
    )
    update_quarter_summaries(context, settings)
    context.log_event(warehouse_evaluation(context.instance, settings))
    yield dg.AssetCheckResult(
        check_name=NO_REFUSAL,
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(refused)} of the {len(events)} files validated now were refused",
        metadata={"Refused": len(refused), "Validated": len(events)},
    )
