"""The summary of a quarter as Dagster shows it: a sentence, tables, links, and numbers to plot."""

from __future__ import annotations

from typing import Any

from pipelines.assets.metadata import export_links, in_one_line, pack_list, table
from pipelines.declarations import Declarations
from pipelines.lifecycle.words import actor_word, state_word
from pipelines.settings import Settings
from pipelines.ui.quarter_sentences import (
    STATEMENTS,
    in_short,
    state_in_words,
    statement_results,
)
from pipelines.ui.quarter_summary import QuarterSummary

RETURN_COLUMNS = {"child": "Children", "adopter": "Adopters", "support": "Support"}


def summary_metadata(
    summary: QuarterSummary, declarations: Declarations, settings: Settings
) -> dict[str, Any]:
    """Metadata by heading, in the order in which Dagster shows them; it plots the plain numbers."""
    figures = {
        figure.caption: figure.value for figure in summary.figures if figure.value is not None
    }
    return {
        "In short": in_short(summary),
        "What should be true": table(
            ("Statement", "True"),
            (
                (
                    f"{STATEMENTS[name]} {result.sentence}",
                    in_one_line("✓ yes" if result.is_true else "⚠ no"),
                )
                for name, result in statement_results(summary).items()
            ),
        ),
        **_tables(summary, declarations),
        **_links(summary, settings),
        **_numbers(summary),
        **figures,
        "Who sent what": table(
            ("Sender", *RETURN_COLUMNS.values(), "Last file"),
            (
                (
                    sender.sender,
                    *(state_in_words(sender.returns.get(name)) for name in RETURN_COLUMNS),
                    sender.last_received_on.isoformat() if sender.last_received_on else "",
                )
                for sender in summary.senders
            ),
        ),
    }


def _tables(summary: QuarterSummary, declarations: Declarations) -> dict[str, Any]:
    return {
        "Coverage": table(
            ("Nation, region or agency", "Due", "Accepted", "To answer"),
            ((group.name, group.due, group.accepted, group.to_answer) for group in summary.groups),
        ),
        "Awaited": table(
            ("Sender", "Return", "State", "Acts next"),
            (
                (
                    summary.names_of_senders[status.sender_code],
                    declarations.returns[status.return_name].title.en,
                    state_word(status.state, "en"),
                    actor_word(status.acts, "en"),
                )
                for status in summary.awaited
            ),
        )
        if summary.awaited
        else "none",
        "Refused files to be sent again": table(
            ("Sender", "Received", "Reason", "In force", "Submission"),
            (
                (
                    refused.sender,
                    refused.received_on.isoformat(),
                    refused.reason,
                    f"version {refused.version_in_force}"
                    if refused.version_in_force
                    else "nothing",
                    refused.submission_id,
                )
                for refused in summary.refused_files
            ),
        )
        if summary.refused_files
        else "none",
        "Headline figures": table(
            ("Figure", "Value"),
            ((figure.caption, in_one_line(figure.value_as_text)) for figure in summary.figures),
        ),
    }


def _links(summary: QuarterSummary, settings: Settings) -> dict[str, Any]:
    links: dict[str, Any] = {}
    if summary.export is None:
        links["Exports"] = "Nothing has been exported yet: run the job publish_quarter."
    else:
        links["Exports, version"] = str(summary.export.version)  # text: not a number to plot
        links |= export_links(summary.export.folder, settings)
    packs = settings.exports / summary.quarter.label / "packs"
    if packs.exists():
        links["Packs of places"] = pack_list(packs, settings)
    return links


def _numbers(summary: QuarterSummary) -> dict[str, Any]:
    return {
        "Deadline (proposed)": summary.deadline.isoformat(),
        "Returns due": summary.due,
        "Returns accepted": summary.accepted,
        "Returns missing": summary.missing,
        "Returns overdue": len(summary.overdue),
        "Returns refused, nothing in force": summary.refused,
        "Returns that came late": summary.late,
        "Returns signed off": summary.signed_off,
        "Files received": summary.files_received,
        "Rows in force": summary.rows_accepted,
        "Rows set aside": summary.rows_set_aside,
        "Queries open": summary.queries_open,
    }
