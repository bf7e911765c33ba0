"""What becomes of a submission, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipelines.declarations import RefusalPolicy
from pipelines.readers.sentences import FileProblem
from pipelines.text.catalogue import N_, Language, translations

Accepted = Literal["accepted", "accepted with queries", "accepted with errors quarantined"]
Status = Literal[
    "refused",
    "held for confirmation",
    "accepted",
    "accepted with queries",
    "accepted with errors quarantined",
]


@dataclass(frozen=True)
class ReturnSent:
    """What a submission holds of one return: rows, or the tick that says there are none."""

    return_name: str
    rows_read: int = 0
    is_nil: bool = False


@dataclass(frozen=True)
class Refusal:
    """A reason to refuse the whole submission, or to hold it until it is confirmed."""

    code: str
    sentence_en: str
    sentence_cy: str


@dataclass(frozen=True)
class ReturnCounts:
    """``rows_read`` = ``rows_accepted`` + ``rows_quarantined``, in a refused submission too."""

    return_name: str
    is_nil: bool
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    errors: int
    queries: int


@dataclass(frozen=True)
class Verdict:
    """``quarantined`` holds (return, sheet row) of every row with an error.

    In a refused submission no row goes further, whatever ``quarantined`` says. ``held_for`` are the
    reasons why it waits for somebody who confirms it, unless it is refused, and
    ``status_once_confirmed`` what it is then.
    """

    submission_id: str
    status: Status
    refusals: tuple[Refusal, ...]
    quarantined: frozenset[tuple[str, int]]
    returns: Mapping[str, ReturnCounts]
    held_for: tuple[Refusal, ...] = ()
    status_once_confirmed: Accepted | None = None

    @property
    def is_accepted(self) -> bool:
        return not self.refusals and not self.held_for

    def quarantined_rows(self, return_name: str) -> list[int]:
        """Sheet rows of one return that are set aside, in the order of the sheet."""
        return sorted(row for name, row in self.quarantined if name == return_name)

    @property
    def refusal_code(self) -> str | None:
        return self.refusals[0].code if self.refusals else None

    @property
    def refusal_sentence_en(self) -> str | None:
        return " ".join(refusal.sentence_en for refusal in self.refusals) or None

    @property
    def refusal_sentence_cy(self) -> str | None:
        return " ".join(refusal.sentence_cy for refusal in self.refusals) or None


def decide_verdict(
    submission_id: str,
    *,
    due: Sequence[str],
    returns: Mapping[str, ReturnSent],
    file_problems: Sequence[FileProblem],
    row_problems: pl.DataFrame,
    limits: RefusalPolicy,
    crashed_rules: Sequence[str] = (),
) -> Verdict:
    """What becomes of one submission as a whole.

    ``due`` names the returns the sender owes that quarter, ``returns`` what the
    file holds. ``row_problems`` may hold those of other submissions, which are
    passed over. ``crashed_rules`` are those of the returns that this
    submission has rows in. All reasons to refuse it are given at once.
    """
    # All reasons at once, so that a sender corrects once and not reason by reason.
    mine = row_problems.filter(pl.col("submission_id") == submission_id)
    tallies = {name: _Tally.of(sent, mine) for name, sent in returns.items()}
    refusals = tuple(
        [
            *_broken_file(file_problems),
            *_wrong_returns(due, returns),
            *_too_many_errors(tallies, limits),
            *_not_checked(crashed_rules),
        ]
    )
    queries = any(problem.severity == "query" for problem in file_problems)
    counts = {name: tally.counts(refused=bool(refusals)) for name, tally in tallies.items()}
    # Counted with a query, a lost column of dates would have made "Children adopted: 0" a figure.
    held_for = tuple(_to_be_confirmed(file_problems))
    accepted = _accepted(counts, queries)
    return Verdict(
        submission_id=submission_id,
        status="refused" if refusals else "held for confirmation" if held_for else accepted,
        held_for=held_for,
        status_once_confirmed=accepted if held_for and not refusals else None,
        refusals=refusals,
        quarantined=frozenset(
            (name, row) for name, tally in tallies.items() for row in tally.rows_in_error
        ),
        returns=counts,
    )


def _accepted(counts: Mapping[str, ReturnCounts], file_queries: bool) -> Accepted:
    if any(each.rows_quarantined for each in counts.values()):
        return "accepted with errors quarantined"
    if file_queries or any(each.queries for each in counts.values()):
        return "accepted with queries"
    return "accepted"


@dataclass(frozen=True)
class _Tally:
    sent: ReturnSent
    errors: int
    queries: int
    rows_in_error: frozenset[int]

    @classmethod
    def of(cls, sent: ReturnSent, problems: pl.DataFrame) -> _Tally:
        own = problems.filter(pl.col("return_name") == sent.return_name)
        severities = Counter(own["severity"].to_list())
        rows = own.filter(pl.col("severity") == "error")["sheet_row"].drop_nulls()
        return cls(sent, severities["error"], severities["query"], frozenset(rows.to_list()))

    def counts(self, *, refused: bool) -> ReturnCounts:
        set_aside = self.sent.rows_read if refused else len(self.rows_in_error)
        return ReturnCounts(
            return_name=self.sent.return_name,
            is_nil=self.sent.is_nil,
            rows_read=self.sent.rows_read,
            rows_accepted=self.sent.rows_read - set_aside,
            rows_quarantined=set_aside,
            errors=self.errors,
            queries=self.queries,
        )


def _broken_file(problems: Sequence[FileProblem]) -> Iterator[Refusal]:
    for problem in problems:
        if problem.severity == "error":
            yield Refusal(problem.code, problem.sentence_en, problem.sentence_cy)


def _to_be_confirmed(problems: Sequence[FileProblem]) -> Iterator[Refusal]:
    for problem in problems:
        if problem.holds:
            yield Refusal(problem.code, problem.sentence_en, problem.sentence_cy)


# Reasons of the verdict itself; ``{the_return}`` is the return's name, the rest are counts.
REASONS: dict[str, str] = {
    "RETURN_MISSING": N_(
        "The {the_return} return is due but has neither rows nor the nil-return tick: fill in the "
        "sheet, or tick the box on the cover sheet, and send the whole file again."
    ),
    "NIL_WITH_ROWS": N_(
        "The {the_return} return has rows although the cover sheet says there is nothing to "
        "report: clear the tick or the rows, and send the whole file again."
    ),
    "RETURN_NOT_DUE": N_(
        "The {the_return} return has rows although somebody else sends it for you, so they would "
        "be counted twice: clear its rows and send the whole file again, or ask for the list of "
        "returns due to be corrected."
    ),
    "TOO_MANY_ERRORS": N_(
        "{wrong} of {rows} rows of the {the_return} return have errors, more than can be set "
        "aside: correct them and send the whole file again."
    ),
    "NO_ROW_LEFT": N_(
        "Every row of the {the_return} return has an error: correct them and send the whole file "
        "again."
    ),
    "RULE_CRASHED": N_(
        "Some checks could not be run ({rules}). This is a fault in our system, not in your "
        "return: send the same file again once we tell you that it has been put right."
    ),
}


def _refusal(code: str, return_name: str = "", **counts: object) -> Refusal:
    english, welsh = (
        translations(language)
        .gettext(REASONS[code])
        .format(the_return=_name_of_return(return_name, language), **counts)
        for language in ("en", "cy")
    )
    return Refusal(code, english, welsh)


def _name_of_return(return_name: str, language: Language) -> str:
    """As it stands in "the child return"; what is not declared keeps its name."""
    pgettext = translations(language).pgettext
    names = {
        "child": pgettext("the … return", "child"),
        "adopter": pgettext("the … return", "adopter"),
        "support": pgettext("the … return", "support"),
    }
    return names.get(return_name, return_name)


def _wrong_returns(due: Sequence[str], returns: Mapping[str, ReturnSent]) -> Iterator[Refusal]:
    for name in due:
        sent = returns.get(name)
        if sent is None or not (sent.rows_read or sent.is_nil):
            yield _refusal("RETURN_MISSING", name)
    for name, sent in returns.items():
        if sent.is_nil and sent.rows_read:
            yield _refusal("NIL_WITH_ROWS", name)
        # Somebody else already reports these rows: they would be counted twice, without a sign of
        # it.
        if name not in due and sent.rows_read:
            yield _refusal("RETURN_NOT_DUE", name)


def _too_many_errors(tallies: Mapping[str, _Tally], limit: RefusalPolicy) -> Iterator[Refusal]:
    for name, tally in tallies.items():
        rows, wrong = tally.sent.rows_read, len(tally.rows_in_error)
        if not wrong:
            continue
        # Both limits, because one slip among eight children is 12.5 per cent of the rows.
        over_both = (
            wrong > limit.tolerated_error_rows
            and wrong * 100 > limit.tolerated_error_percent * rows
        )
        if over_both:
            yield _refusal("TOO_MANY_ERRORS", name, wrong=wrong, rows=rows)
        elif wrong >= rows:
            # Setting every row aside would leave a return that counts as zero.
            yield _refusal("NO_ROW_LEFT", name)


def _not_checked(crashed_rules: Sequence[str]) -> Iterator[Refusal]:
    # A crashed rule refuses rather than letting rows pass unchecked.
    if crashed_rules:
        yield _refusal("RULE_CRASHED", rules=", ".join(sorted(set(crashed_rules))))
