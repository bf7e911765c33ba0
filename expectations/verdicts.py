"""What becomes of a submission, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import polars as pl

from expectations.reference_data import SKIPPED
from pipelines.declarations import RefusalPolicy

Status = Literal["refused", "accepted", "accepted with queries", "accepted with errors quarantined"]


class FileProblem(Protocol):
    """A problem of the file as a whole: a missing sheet, an unknown sender."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def sentence_en(self) -> str: ...
    @property
    def sentence_cy(self) -> str: ...


@dataclass(frozen=True)
class ReturnSent:
    """What a submission holds of one return: rows, or the tick that says there are none."""

    return_name: str
    rows_read: int = 0
    is_nil: bool = False


@dataclass(frozen=True)
class RulesTold:
    """What became of the rules for one submission.

    ``run`` were checked, ``skipped`` counts the others by reason
    (``expectations.reference_data.SKIPPED``), ``crashed`` could not be run.
    """

    run: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    crashed: int = 0

    def __add__(self, other: RulesTold) -> RulesTold:
        skipped = Counter(self.skipped) + Counter(other.skipped)
        return RulesTold(self.run + other.run, dict(skipped), self.crashed + other.crashed)

    def as_json(self) -> dict[str, Any]:
        """For the ledger: counts and codes."""
        return {
            "run": self.run,
            "skipped": dict(sorted(self.skipped.items())),
            "crashed": self.crashed,
        }


def rules_sentence(rules: Mapping[str, Any], language: str = "en") -> str:
    """``61 rules ran, 2 skipped: no earlier return, 0 crashed``.

    ``rules`` is what :meth:`RulesTold.as_json` gave; in older ledgers there is no ``skipped``.
    """
    skipped = rules.get("skipped") or {}
    ran, left_out, crashed = {
        "en": ("{} rules ran", "{} skipped: {}", "{} crashed"),
        "cy": ("Rhedodd {} o reolau", "hepgorwyd {}: {}", "methodd {}"),
    }[language]
    parts = [ran.format(rules["run"])]
    if skipped:
        reasons = [
            (SKIPPED[code][0 if language == "en" else 1], count) for code, count in skipped.items()
        ]
        said = "; ".join(
            reason if len(reasons) == 1 else f"{reason} ({count})" for reason, count in reasons
        )
        parts.append(left_out.format(sum(skipped.values()), said))
    return ", ".join([*parts, crashed.format(rules["crashed"])])


@dataclass(frozen=True)
class Refusal:
    """A reason to refuse the whole submission."""

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

    In a refused submission no row goes further, whatever ``quarantined`` says.
    """

    submission_id: str
    status: Status
    refusals: tuple[Refusal, ...]
    quarantined: frozenset[tuple[str, int]]
    returns: Mapping[str, ReturnCounts]

    @property
    def is_accepted(self) -> bool:
        return not self.refusals

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


def judge(
    submission_id: str,
    *,
    due: Sequence[str],
    returns: Mapping[str, ReturnSent],
    file_problems: Sequence[FileProblem],
    row_problems: pl.DataFrame,
    limits: RefusalPolicy,
    crashed_rules: Sequence[str] = (),
) -> Verdict:
    """Judge one submission as a whole.

    ``due`` names the returns the sender owes that quarter, ``returns`` what the
    file holds. ``row_problems`` may hold those of other submissions, which are
    passed over. ``crashed_rules`` are those of the returns that this
    submission has rows in.
    """
    mine = row_problems.filter(pl.col("submission_id") == submission_id)
    tally = {name: _Tally.of(sent, mine) for name, sent in returns.items()}
    refusals = tuple(
        [
            *_broken_file(file_problems),
            *_wrong_returns(due, returns),
            *_too_many_errors(tally, limits),
            *_not_checked(crashed_rules),
        ]
    )
    queries = any(problem.severity == "query" for problem in file_problems)
    counts = {name: one.counts(refused=bool(refusals)) for name, one in tally.items()}
    return Verdict(
        submission_id=submission_id,
        status=_status(refusals, counts, queries),
        refusals=refusals,
        quarantined=frozenset(
            (name, row) for name, one in tally.items() for row in one.rows_in_error
        ),
        returns=counts,
    )


def _status(
    refusals: Sequence[Refusal], counts: Mapping[str, ReturnCounts], file_queries: bool
) -> Status:
    if refusals:
        return "refused"
    if any(one.rows_quarantined for one in counts.values()):
        return "accepted with errors quarantined"
    if file_queries or any(one.queries for one in counts.values()):
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
        held = self.sent.rows_read if refused else len(self.rows_in_error)
        return ReturnCounts(
            return_name=self.sent.return_name,
            is_nil=self.sent.is_nil,
            rows_read=self.sent.rows_read,
            rows_accepted=self.sent.rows_read - held,
            rows_quarantined=held,
            errors=self.errors,
            queries=self.queries,
        )


def _broken_file(problems: Sequence[FileProblem]) -> Iterator[Refusal]:
    for problem in problems:
        if problem.severity == "error":
            yield Refusal(problem.code, problem.sentence_en, problem.sentence_cy)


# Reasons of the verdict itself; ``{the_return}`` is the return's name, the rest are counts.
REASONS: dict[str, tuple[str, str]] = {
    "RETURN_MISSING": (
        "The {the_return} return is due and has neither rows nor the nil-return tick: fill in the "
        "sheet, or tick the cover sheet, and send the whole file again.",
        "Mae'r ffurflen {the_return} yn ddyledus ac nid oes ynddi resi na thic ffurflen ddim: "
        "llenwch y daflen, neu diciwch y clawr, ac anfonwch y ffeil gyfan eto.",
    ),
    "NIL_WITH_ROWS": (
        "The {the_return} return has rows although the cover sheet says there is nothing to "
        "report: clear the tick or the rows, and send the whole file again.",
        "Mae rhesi yn y ffurflen {the_return} er bod y clawr yn dweud nad oes dim i'w adrodd: "
        "cliriwch y tic neu'r rhesi, ac anfonwch y ffeil gyfan eto.",
    ),
    "RETURN_NOT_DUE": (
        "The {the_return} return has rows although somebody else sends it for you, so they would "
        "be counted twice: clear its rows and send the whole file again, or ask for the list of "
        "returns due to be corrected.",
        "Mae rhesi yn y ffurflen {the_return} er bod rhywun arall yn ei hanfon ar eich rhan, felly "
        "byddent yn cael eu cyfrif ddwywaith: cliriwch ei rhesi ac anfonwch y ffeil gyfan eto, neu "
        "gofynnwch am gywiro'r rhestr o ffurflenni dyledus.",
    ),
    "TOO_MANY_ERRORS": (
        "{wrong} of {rows} rows of the {the_return} return have errors, more than can be set "
        "aside: correct them and send the whole file again.",
        "Mae gwallau mewn {wrong} o {rows} rhes y ffurflen {the_return}, mwy nag y gellir eu rhoi "
        "o'r neilltu: cywirwch nhw ac anfonwch y ffeil gyfan eto.",
    ),
    "NO_ROW_LEFT": (
        "Every row of the {the_return} return has an error: correct them and send the whole file "
        "again.",
        "Mae gwall ym mhob rhes o'r ffurflen {the_return}: cywirwch nhw ac anfonwch y ffeil gyfan "
        "eto.",
    ),
    "RULE_CRASHED": (
        "Some checks could not be run ({rules}). This is a fault of the pipeline, not of the "
        "return: send the same file again when you are told that it is mended.",
        "Ni ellid rhedeg rhai gwiriadau ({rules}). Bai'r biblinell yw hyn, nid y ffurflen: "
        "anfonwch yr un ffeil eto pan ddywedir wrthych ei bod wedi'i hatgyweirio.",
    ),
}

_CY = {"child": "plant", "adopter": "mabwysiadwyr", "support": "cymorth"}


def _refusal(code: str, return_name: str = "", **places: object) -> Refusal:
    english, welsh = REASONS[code]
    return Refusal(
        code,
        english.format(the_return=return_name, **places),
        welsh.format(the_return=_CY.get(return_name, ""), **places),
    )


def _wrong_returns(due: Sequence[str], returns: Mapping[str, ReturnSent]) -> Iterator[Refusal]:
    for name in due:
        sent = returns.get(name)
        if sent is None or not (sent.rows_read or sent.is_nil):
            yield _refusal("RETURN_MISSING", name)
    for name, sent in returns.items():
        if sent.is_nil and sent.rows_read:
            yield _refusal("NIL_WITH_ROWS", name)
        if name not in due and sent.rows_read:
            yield _refusal("RETURN_NOT_DUE", name)


def _too_many_errors(tally: Mapping[str, _Tally], limit: RefusalPolicy) -> Iterator[Refusal]:
    for name, one in tally.items():
        rows, wrong = one.sent.rows_read, len(one.rows_in_error)
        if not wrong:
            continue
        over_both = (
            wrong > limit.tolerated_error_rows
            and wrong * 100 > limit.tolerated_error_percent * rows
        )
        if over_both:
            yield _refusal("TOO_MANY_ERRORS", name, wrong=wrong, rows=rows)
        elif wrong >= rows:
            # Setting every row aside would leave a return that counts as nought.
            yield _refusal("NO_ROW_LEFT", name)


def _not_checked(crashed_rules: Sequence[str]) -> Iterator[Refusal]:
    if crashed_rules:
        yield _refusal("RULE_CRASHED", rules=", ".join(sorted(set(crashed_rules))))
