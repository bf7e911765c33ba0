"""How the summary of a quarter is said: in one sentence, and as statements that are true or not.

English only: the Dagster UI, where these sentences are read, has no other language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.lifecycle.states import ReturnStatus
from pipelines.lifecycle.words import state_word
from pipelines.text.dates import long_day
from pipelines.ui.quarter_summary import QuarterSummary

NOT_DUE = "–"

# What should be true of a quarter, by the name of its check in Dagster.
STATEMENTS = {
    "every_return_due_was_accepted": "Every return due for the quarter was accepted.",
    "no_return_is_overdue": "No return is outstanding after its (proposed) deadline.",
    "every_refused_file_was_sent_again": (
        "Every sender whose file was refused has sent another, which was accepted."
    ),
    "no_row_is_set_aside": "No row of an accepted return was set aside for errors.",
    "no_query_is_open": "Every query was answered by a correction or an explanation.",
}

# A list of names longer than this is cut: Dagster shows a sentence in a narrow column.
_MOST_NAMES = 10


@dataclass(frozen=True)
class StatementResult:
    """Whether a statement is true of a quarter; ``count`` is 0 when it is.

    Otherwise ``sentence`` says by how many it fails, and who has to act.
    """

    is_true: bool
    sentence: str
    count: int


def in_short(summary: QuarterSummary) -> str:
    """The state of the quarter in one sentence."""
    if not summary.due:
        return "No return is due for this quarter."
    share = 100 * summary.accepted // summary.due
    deadline = long_day(summary.deadline, "en")
    overdue = len(summary.overdue)
    parts = [f"{summary.accepted} of {summary.due} returns due are accepted ({share} %)"]
    for count, words in (
        (summary.refused, "refused with nothing in force"),
        (overdue, f"overdue since {deadline}"),
        (summary.missing - overdue, f"not received yet (due by {deadline})"),
        (summary.queries_open, "queries open" if summary.queries_open > 1 else "query open"),
        (
            summary.rows_set_aside,
            "rows set aside for errors"
            if summary.rows_set_aside > 1
            else "row set aside for errors",
        ),
    ):
        if count:
            parts.append(f"{count} {words}")
    sentence = "; ".join(parts) + "."
    return f"{sentence} Synthetic sample data." if summary.is_sample else sentence


def statement_results(summary: QuarterSummary) -> dict[str, StatementResult]:
    """Each of the STATEMENTS held against the quarter, by the name of its check."""
    return {
        "every_return_due_was_accepted": _every_return_due_was_accepted(summary),
        "no_return_is_overdue": _no_return_is_overdue(summary),
        "every_refused_file_was_sent_again": _every_refused_file_was_sent_again(summary),
        "no_row_is_set_aside": _no_row_is_set_aside(summary),
        "no_query_is_open": _no_query_is_open(summary),
    }


def _every_return_due_was_accepted(summary: QuarterSummary) -> StatementResult:
    sentence = f"{summary.accepted} of {summary.due} returns due are accepted."
    sentence += _returns_listed("Awaited", summary.awaited, summary)
    return StatementResult(not summary.awaited, sentence, len(summary.awaited))


def _no_return_is_overdue(summary: QuarterSummary) -> StatementResult:
    deadline, count = long_day(summary.deadline, "en"), len(summary.overdue)
    if not count:
        return StatementResult(True, f"The (proposed) deadline is {deadline}.", 0)
    sentence = f"{_counted(count, 'return is', 'returns are')} overdue; "
    sentence += f"the (proposed) deadline was {deadline}."
    sentence += _returns_listed("Overdue", summary.overdue, summary)
    return StatementResult(False, sentence, count)


def _every_refused_file_was_sent_again(summary: QuarterSummary) -> StatementResult:
    count = len(summary.refused_files)
    if not count:
        return StatementResult(True, "No sender's latest file was refused.", 0)
    sentence = f"{_counted(count, 'sender has', 'senders have')} to send a refused file again."
    sentence += _listed("Senders", (refused.sender for refused in summary.refused_files))
    return StatementResult(False, sentence, count)


def _no_row_is_set_aside(summary: QuarterSummary) -> StatementResult:
    count = summary.rows_set_aside
    if not count:
        return StatementResult(True, "Every row of the accepted returns counts.", 0)
    affected = [status for status in summary.statuses if status.rows_set_aside]
    sentence = f"{_counted(count, 'row with errors is', 'rows with errors are')} in no figure."
    sentence += _returns_listed("Set aside", affected, summary)
    return StatementResult(False, sentence, count)


def _no_query_is_open(summary: QuarterSummary) -> StatementResult:
    count = summary.queries_open
    if not count:
        return StatementResult(True, "No query awaits an answer.", 0)
    queried = [status for status in summary.statuses if status.queries_open]
    sentence = f"{_counted(count, 'query awaits', 'queries await')} a correction or an explanation."
    sentence += _returns_listed("Asked of", queried, summary)
    return StatementResult(False, sentence, count)


def state_in_words(status: ReturnStatus | None) -> str:
    """``queries open: 2, late`` of one return; a dash where it is not due."""
    if status is None:
        return NOT_DUE
    words = state_word(status.state, "en")
    if status.queries_open and status.state == "queries_open":
        words = f"{words}: {status.queries_open}"
    elif status.rows_set_aside:
        words = f"{words}: {status.rows_set_aside} rows set aside"
    if status.is_late:
        words = f"{words}, late"
    if status.is_newer_file_refused:
        words = f"{words}, newer file refused"
    return f"{words}, sign-off void" if status.sign_off.startswith("void") else words


def _returns_listed(heading: str, statuses: Sequence[ReturnStatus], summary: QuarterSummary) -> str:
    names = summary.names_of_senders
    return _listed(
        heading, (f"{names[status.sender_code]} ({status.return_name})" for status in statuses)
    )


def _counted(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def _listed(heading: str, names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f" {heading}: {', '.join(names[:_MOST_NAMES])}{more}." if names else ""
