"""marts: the summary of each quarter, for those who lead a service.

The steps that change a summary record it: after verdicts, a build or an export. For Dagster it is
therefore an external asset, one that is kept up to date by something other than a run of its own.
A run of its own would cost 8 CPU seconds; and a summary that a build left as it was would be called
out of date, because the warehouse it was made from is newer.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines.assets.metadata import COUNTS, in_one_line, table
from pipelines.assets.partitions import QUARTERS, latest
from pipelines.assets.quarter_metadata import summary_metadata
from pipelines.assets.run_errors import no_values_in_errors
from pipelines.assets.warehouse_check import WAREHOUSE
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings, make_private
from pipelines.ui.quarter_sentences import STATEMENTS, in_short, statement_results
from pipelines.ui.quarter_summary import (
    QuarterSummary,
    quarter_summaries,
    quarters_of_collection,
)

KEY = ("marts", "quarter_summary")

# What each statement counts: 0 while it is true. Dagster draws it over time.
COUNTED = {
    "every_return_due_was_accepted": "Returns awaited",
    "no_return_is_overdue": "Returns overdue",
    "every_refused_file_was_sent_again": "Senders to send again",
    "no_row_is_set_aside": "Rows set aside",
    "no_query_is_open": "Queries open",
}

_CONTENT_HASH = "adoption/content_hash"

# Quarters that a check names in its sentence; its table has all of them.
_MOST_QUARTERS = 4

quarter_summary = dg.AssetSpec(
    KEY,
    group_name="marts",
    partitions_def=QUARTERS,
    deps=[["validated", "problems"], WAREHOUSE],
    owners=["team:national-team"],
    tags=COUNTS,
    description=(
        "**Start here.** Choose a quarter under *Partitions*: who sent what, what was refused, "
        "what is missing or overdue, how complete the figures are, and the headline figures of "
        "each nation. *Plots* shows them over time.\n\n"
        "*Checks* are statements about all quarters. A statement is amber while it is not true of "
        "one of them; it says of which.\n\n"
        "Kept up to date after every verdict, build and export, and every morning. Counts by "
        "sender and return; no row about a child. Figures for internal use: not disclosure "
        "controlled."
    ),
)


@dg.multi_asset_check(
    name="quarter_statements",
    specs=[
        dg.AssetCheckSpec(name, asset=KEY, description=sentence)
        for name, sentence in STATEMENTS.items()
    ],
    can_subset=True,  # without it Dagster offers no button to evaluate them
)
def quarter_statements(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the statements that were selected, over all quarters."""
    make_private()
    settings = Settings.from_environment()
    summaries = current_summaries(settings)
    record_changes(context.op_execution_context, settings, summaries)
    for evaluation in evaluations(summaries):
        if evaluation.asset_check_key in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=evaluation.asset_key,
                check_name=evaluation.check_name,
                passed=evaluation.passed,
                severity=evaluation.severity,
                description=evaluation.description,
                metadata=evaluation.metadata,
            )


def update_quarter_summaries(context: dg.AssetExecutionContext, settings: Settings) -> int:
    """Record the summaries that changed, from within the step that changed them, and what is true
    of them now. Returns how many changed."""
    summaries = current_summaries(settings)
    changed = record_changes(context.op_execution_context, settings, summaries)
    if changed:
        for evaluation in evaluations(summaries):
            context.log_event(evaluation)
    return changed


def current_summaries(settings: Settings) -> list[QuarterSummary]:
    """Summaries of all quarters of the collection as they stand today, oldest first."""
    from datetime import UTC, datetime

    from pipelines.lifecycle.days import local_day

    known = set(QUARTERS.get_partition_keys())
    with no_values_in_errors():
        quarters = [item for item in quarters_of_collection(settings) if item.label in known]
        today = local_day(datetime.now(UTC))
        return quarter_summaries(settings, Declarations(SOURCES), quarters, today)


def record_changes(
    context: dg.OpExecutionContext,
    settings: Settings,
    summaries: Sequence[QuarterSummary],
) -> int:
    """Record the summaries that differ from what was last recorded; returns how many.

    The overview of an asset shows what was recorded last: where anything changed, the newest
    quarter is recorded at the end, changed or not.
    """
    declarations = Declarations(SOURCES)
    metadata = {item.quarter: summary_metadata(item, declarations, settings) for item in summaries}
    changed = [
        quarter
        for quarter, content in metadata.items()
        if _recorded_hash(context.instance, quarter) != _content_hash(content)
    ]
    newest = [quarter for quarter in list(metadata)[-1:] if changed and quarter not in changed]
    for item in summaries:
        if item.quarter in changed:
            context.log.info(f"{item.quarter}: {in_short(item)}")
    for quarter in changed + newest:
        context.log_event(
            dg.AssetMaterialization(
                dg.AssetKey(KEY),
                partition=quarter.label,
                metadata=metadata[quarter],
                tags={_CONTENT_HASH: _content_hash(metadata[quarter])},
            )
        )
    return len(changed)


def evaluations(summaries: Sequence[QuarterSummary]) -> Iterator[dg.AssetCheckEvaluation]:
    """Whether each statement is true of all quarters; amber where not.

    Never red: what a sender still owes is no fault of the system, and must not stop others.
    """
    results = {item.quarter: statement_results(item) for item in reversed(summaries)}
    for name in STATEMENTS:
        by_quarter = {quarter: result[name] for quarter, result in results.items()}
        false = [quarter for quarter, result in by_quarter.items() if not result.is_true]
        sentences = [
            f"{quarter}: {by_quarter[quarter].sentence}" for quarter in false[:_MOST_QUARTERS]
        ]
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(KEY),
            check_name=name,
            passed=not false,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Not true of {len(false)} of {len(results)} quarters. "
            + " ".join(sentences)
            if false
            else f"True of all {len(results)} quarters.",
            metadata={
                COUNTED[name]: sum(result.count for result in by_quarter.values()),
                "By quarter": table(
                    ("Quarter", "True", "Details"),
                    (
                        (
                            quarter.label,
                            in_one_line("✓ yes" if result.is_true else "⚠ no"),
                            result.sentence,
                        )
                        for quarter, result in by_quarter.items()
                    ),
                ),
            },
        )


def _content_hash(metadata: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(metadata.items())).encode("utf-8")).hexdigest()[:32]


def _recorded_hash(instance: dg.DagsterInstance, quarter: Quarter) -> str | None:
    record = latest(instance, KEY, quarter)
    event = record.asset_materialization if record else None
    return (event.tags or {}).get(_CONTENT_HASH) if event else None
