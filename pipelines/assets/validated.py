"""validated: typed, checked, pseudonymised rows, and what was said of each return."""

from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.assets.freshness import says_whether_it_holds_every_verdict
from pipelines.assets.partitions import ONE_RUN, QUARTERS, materialised, quarters_of
from pipelines.assets.progress import ledger_held
from pipelines.assets.quarters import tell_anew
from pipelines.assets.raw import RETURNS
from pipelines.assets.shown import COUNTS, OWNERS, PSEUDONYMOUS, table
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

if TYPE_CHECKING:
    from pipelines.intake.take_in import QuarterSummary

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
                f"The rows of the {what} sheets with dates, numbers and codes understood, checked "
                "against every rule, references replaced by pseudonyms. Rows with errors are kept, "
                "set aside, and in no figure."
            ),
        )
        for name, what in RETURNS.items()
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
                "Everything the rules found: which sheet, cell, field and rule, in a sentence; "
                "never the value. Senders read it in their verdict, analysts as counts in "
                "marts/fct_problem."
            ),
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_rule_ran",
            asset=["validated", "problems"],
            description=(
                "No rule crashed. A crashed rule refuses the returns it should have read, and is "
                "our fault, not the sender's."
            ),
        )
    ],
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
)
def validated_returns(context: dg.AssetExecutionContext):
    from pipelines.intake.take_in import to_validated
    from pipelines.lifecycle.ledger import Ledger
    from pipelines.ui.quarter_summary import problems_by_rule, rows_in

    make_private()
    settings = Settings.from_environment()
    declarations = Declarations(SOURCES)
    run = crashed = 0
    quarters = quarters_of(context)
    told: dict = {("validated", name): {} for name in (*RETURNS, "problems")}
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        now = {one.quarter: one for one in to_validated(settings, declarations, quarters)}
        states = _deliveries_by_quarter(ledger, declarations)
        submissions = ledger.submissions()
    for quarter in quarters:
        summary = now.get(quarter)
        if summary:
            run += summary.rules_run
            crashed += summary.rules_crashed
            context.log.info(
                f"{quarter}: {summary.accepted} returns accepted, {summary.refused} refused, "
                f"{summary.quarantined} rows set aside, {summary.queries} queries"
                + (f"; {summary.held} held, as the quarter is locked" if summary.held else "")
            )
        for name in RETURNS:
            told["validated", name][quarter] = {
                "Rows checked now": summary.rows.get(name, 0) if summary else 0,
                "Rows kept, every version sent": rows_in(settings.validated / name / quarter.label),
            }
        told["validated", "problems"][quarter] = {
            **_counts_now(summary),
            **states.get(quarter.label, {}),
            "Problems by rule": table(
                ("Return", "Rule", "Kind", "Rows", "Senders"),
                problems_by_rule(submissions, quarter),
            ),
        }
    yield from materialised(context, told)
    yield dg.AssetCheckResult(
        asset_key=["validated", "problems"],
        check_name="every_rule_ran",
        passed=crashed == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{run} rules ran, {crashed} crashed",
        metadata={"Rules run": run, "Rules crashed": crashed},
    )


def _counts_now(summary: "QuarterSummary | None") -> dict[str, int]:
    """What this run did for a quarter; nought everywhere if nothing waited."""
    return {
        "Judged now": summary.accepted + summary.held + summary.refused if summary else 0,
        "Accepted now": summary.accepted if summary else 0,
        "Held for a revision now": summary.held if summary else 0,
        "Refused now": summary.refused if summary else 0,
        "Rows set aside now": summary.quarantined if summary else 0,
        "Queries now": summary.queries if summary else 0,
    }


def _deliveries_by_quarter(ledger, declarations: Declarations) -> dict[str, dict[str, int]]:
    """All deliveries ever made for each quarter, by what became of them.

    An accepted one is in force, superseded, withdrawn, or held for a revision.
    """
    from pipelines.lifecycle.decisions import book_of

    book = book_of(ledger.events(), declarations)
    found: dict[str, Counter[str]] = {}
    for item in book.submissions.values():
        if item.quarter:
            state = book.delivery(item.submission_id).state.replace("_", " ")
            found.setdefault(item.quarter, Counter())[f"Files {state}"] += 1
    return {quarter: dict(sorted(states.items())) for quarter, states in found.items()}


@dg.asset(
    key=["validated", "verdicts"],
    group_name="validated",
    deps=[["validated", "problems"], ["landing", "deliveries"]],
    owners=OWNERS["validated"],
    tags=COUNTS,
    description=(
        "What was said of each file: accepted, accepted with queries, accepted with rows set "
        "aside, or refused. Red as long as the latest run refused one."
    ),
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
    from pipelines.lifecycle.decisions import book_of
    from pipelines.lifecycle.ledger import Ledger

    make_private()
    settings = Settings.from_environment()
    ledger = Ledger(settings.ledger)
    with ledger_held(ledger):
        judged_now = [event for event in ledger.unreported() if event["event"] == "judged"]
        ledger.append({"event": "reported", "run_id": context.run_id})
        by_id = {item.submission_id: item for item in ledger.submissions()}
        book = book_of(ledger.events(), Declarations(SOURCES))
    refused = [
        by_id[event["submission_id"]] for event in judged_now if event["status"] == "refused"
    ]
    held = sum(book.is_held(event["submission_id"]) for event in judged_now)
    yield dg.MaterializeResult(
        metadata={
            "Judged now": len(judged_now),
            "Held for a revision now": held,
            "Refused now": len(refused),
            "Refused, and why": table(
                ("Sender and quarter", "Why", "Submission"),
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
                "adoption report SUBMISSION --out verdict.txt writes what to send back"
                if refused
                else "nothing"
            ),
        }
    )
    tell_anew(context, settings)
    context.log_event(says_whether_it_holds_every_verdict(context.instance, settings))
    yield dg.AssetCheckResult(
        check_name=NO_REFUSAL,
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(refused)} of the {len(judged_now)} files judged now were refused",
        metadata={"Refused": len(refused), "Judged": len(judged_now)},
    )
