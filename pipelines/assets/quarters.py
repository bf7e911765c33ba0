"""marts: the quarter at a glance, for who leads a service."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.assets.freshness import WAREHOUSE
from pipelines.assets.partitions import (
    ONE_RUN,
    QUARTERS,
    latest,
    materialised,
    quarters_of,
)
from pipelines.assets.progress import no_values_in_errors
from pipelines.assets.shown import COUNTS, export_links, in_one_line, pack_list, table
from pipelines.declarations import Declarations
from pipelines.settings import SOURCES, Settings, make_private

if TYPE_CHECKING:
    from pipelines.quarters import Quarter
    from pipelines.ui.quarter_summary import QuarterPage

KEY = ("marts", "quarter_at_a_glance")
PROBLEMS = ("validated", "problems")

# Never red: what a sender still owes is no fault of the machine, and must not stop the others.
STATEMENTS = {
    "every_return_due_was_accepted": "Every return that is due for the quarter was accepted.",
    "no_return_is_overdue": "No return is still to come after its (proposed) deadline.",
    "no_refusal_is_unanswered": "Every sender whose file was refused has sent a better one.",
    "no_row_is_set_aside": "No row of an accepted return was set aside for errors.",
    "no_query_is_open": "Every query was answered by a correction or an explanation.",
}

# What each of them counts: nought when it is so. Dagster draws it over time.
COUNTED = {
    "every_return_due_was_accepted": "Returns not in",
    "no_return_is_overdue": "Returns overdue",
    "no_refusal_is_unanswered": "Senders to send again",
    "no_row_is_set_aside": "Rows set aside",
    "no_query_is_open": "Queries open",
}

_SEAL = "adoption/seal"

# The version of marts/warehouse. Of most quarters a new build says what the last one said, so
# that what was made from it is not out of date.
PUBLISHED = "published"


def _specs() -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        # Checks of each quarter by itself are new in Dagster: results of a range of quarters are
        # told one by one, which works in the release that is locked, and is tested.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(name, asset=KEY, partitions_def=QUARTERS, description=sentence)
            for name, sentence in STATEMENTS.items()
        ]


@dg.multi_asset(
    name="quarter_at_a_glance",
    specs=[
        dg.AssetSpec(
            KEY,
            group_name="marts",
            deps=[list(PROBLEMS), WAREHOUSE],
            owners=["team:national-team"],
            tags=COUNTS,
            description=(
                "**Start here.** Choose a quarter under *Partitions*: who sent what, what was "
                "refused, what is missing or overdue, how complete the figures are, and the "
                "headline figures of each nation. *Plots* on this page shows them over time.\n\n"
                "*Checks* are statements. A statement is amber in the list while it is not so of "
                "any quarter; *Partitions* of the check shows of which.\n\n"
                "Counts by sender and return; no row about a child. Figures for internal use: "
                "not disclosure controlled."
            ),
        )
    ],
    check_specs=_specs(),
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    # Jobs leave the checks to be told below: planned by Dagster for many quarters at once, their
    # results would be kept in no order, and the page show those of a quarter by chance.
    can_subset=True,
)
def quarter_at_a_glance(context: dg.AssetExecutionContext):
    make_private()
    settings = Settings.from_environment()
    found = pages(settings, quarters_of(context))
    for page in found:
        context.log.info(f"{page.quarter}: {page.sentence}")
    yield from materialised(context, {KEY: {page.quarter: shown(page, settings) for page in found}})
    for page in found:
        _log_evaluations(context, page)
    for check in context.selected_asset_check_keys:
        yield dg.Output(None, output_name=f"{'__'.join(KEY)}_{check.name}")


def pages(settings: Settings, quarters: "Sequence[Quarter]") -> "list[QuarterPage]":
    """Pages of quarters as they stand today."""
    from datetime import UTC, datetime

    from pipelines.lifecycle.states import local_day
    from pipelines.ui.quarter_summary import quarter_pages

    with no_values_in_errors():
        today = local_day(datetime.now(UTC))
        return quarter_pages(settings, Declarations(SOURCES), quarters, today)


def tell_anew(context: dg.AssetExecutionContext, settings: Settings) -> int:
    """Enter the page of every quarter that changed since it was last told, the newest last.

    From within another step, after verdicts, a build or an export: figures of all quarters may
    have moved, and a run of its own would cost 8 CPU seconds. It would also be red for a refused
    return, and Dagster say of the quarter that its page was not made. Returns how many changed.
    """
    from pipelines.ui.quarter_summary import quarters_of_collection

    known = set(QUARTERS.get_partition_keys())
    quarters = [one for one in quarters_of_collection(settings) if one.label in known]
    found = [(page, shown(page, settings)) for page in pages(settings, quarters)]
    changed = [
        one for one in found if _last_seal(context.instance, one[0].quarter) != _seal(one[1])
    ]
    last = [one for one in found[-1:] if changed and one not in changed]
    for page, metadata in changed + last:
        context.log_event(
            dg.AssetMaterialization(
                dg.AssetKey(KEY),
                partition=page.quarter.label,
                metadata=metadata,
                tags={_SEAL: _seal(metadata), **_made_from(context.instance, page.quarter)},
            )
        )
        _log_evaluations(context, page)
    return len(changed)


def shown(page: "QuarterPage", settings: Settings) -> dict[str, Any]:
    """A page as Dagster shows it: a sentence, tables, links, then the numbers that are plotted."""
    told: dict[str, Any] = {
        "In short": page.sentence,
        "What should be so": table(
            ("Statement", "Is so"),
            (
                (f"{STATEMENTS[name]} {one.told}", in_one_line("✓ yes" if one.is_so else "⚠ no"))
                for name, one in page.statements().items()
            ),
        ),
        "Coverage": table(
            ("Nation, region or agency", "Due", "In", "To answer"),
            ((one.name, one.due, one.accepted, one.with_queries_or_errors) for one in page.groups),
        ),
        "Not in": table(
            ("Sender", "Return", "State", "Acts next"),
            ((one.place, one.title, one.state, one.acts_next) for one in page.not_in),
        )
        if page.not_in
        else "none",
        "Refused files that wait for a better one": table(
            ("Sender", "Received", "Why", "In force", "Submission"),
            (
                (one.place, one.received, one.why, one.still_in_force, one.submission_id)
                for one in page.refusals
            ),
        )
        if page.refusals
        else "none",
        "Headline figures": table(
            ("Figure", "Value"), ((one.caption, in_one_line(one.shown)) for one in page.headlines)
        ),
        **_links(page, settings),
        "Deadline (proposed)": page.deadline.isoformat(),
        "Returns due": page.due,
        "Returns accepted": page.accepted,
        "Returns missing": page.missing,
        "Returns overdue": page.overdue,
        "Returns refused, nothing in force": page.refused,
        "Returns that came late": page.late,
        "Returns signed off": page.signed_off,
        "Files received": page.files_received,
        "Rows in force": page.rows_accepted,
        "Rows set aside": page.rows_set_aside,
        "Queries open": page.queries_open,
    }
    told |= {one.caption: one.value for one in page.headlines if one.value is not None}
    return told | {
        "Who sent what": table(
            ("Sender", "Children", "Adopters", "Support", "Last file"),
            (
                (
                    line.place,
                    *(line.states[name] for name in ("child", "adopter", "support")),
                    line.last_received,
                )
                for line in page.senders
            ),
        )
    }


def _log_evaluations(context: dg.AssetExecutionContext, page: "QuarterPage") -> None:
    """Say of a page that was just entered whether its statements are so."""
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData,
    )

    record = latest(context.instance, KEY, page.quarter)
    assert record is not None
    # Without it Dagster takes an evaluation to be of an earlier page, and shows none.
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
    )
    for name, statement in page.statements().items():
        context.log_event(
            dg.AssetCheckEvaluation(
                check_name=name,
                asset_key=dg.AssetKey(KEY),
                passed=statement.is_so,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"{page.quarter}: {statement.told}",
                metadata={COUNTED[name]: statement.count},
                target_materialization_data=target,
                partition=page.quarter.label,
            )
        )


def _links(page: "QuarterPage", settings: Settings) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if page.release is None:
        told["Exports"] = "Nothing was exported yet: run the job publish_quarter."
    else:
        told["Exports, version"] = str(page.release.version)  # not a number to plot
        told |= export_links(page.release.folder, settings)
    packs = settings.exports / page.quarter.label / "packs"
    if packs.exists():
        told["Packs of places"] = pack_list(packs, settings)
    return told


def _seal(metadata: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(metadata.items())).encode("utf-8")).hexdigest()[:32]


def _last_seal(instance: dg.DagsterInstance, quarter: "Quarter") -> str | None:
    record = latest(instance, KEY, quarter)
    event = record.asset_materialization if record else None
    return (event.tags or {}).get(_SEAL) if event else None


def _made_from(instance: dg.DagsterInstance, quarter: "Quarter") -> dict[str, str]:
    """What Dagster notes of an entry that a run of the asset itself makes. Without it a page is
    called out of date as soon as anything before it was made anew, for whatever quarter."""
    problems = latest(instance, PROBLEMS, quarter)
    tags = {"dagster/code_version": "told", "dagster/data_version": "told"}
    for key, version, pointer in (
        (WAREHOUSE.to_user_string(), PUBLISHED, "NULL"),
        ("/".join(PROBLEMS), "told", str(problems.storage_id) if problems else "NULL"),
    ):
        tags[f"dagster/input_data_version/{key}"] = version
        tags[f"dagster/input_event_pointer/{key}"] = pointer
    return tags
