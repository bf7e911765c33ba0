"""What stands around a verdict: its rows, what they do to the headlines, what has changed.

The same for a submission in the ledger and for a file that was only checked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.declarations import Declarations
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.settings import Settings
from pipelines.verdict.changes import Changes, changes
from pipelines.verdict.headlines import Headline, NoHeadlines, Rows, headlines
from pipelines.verdict.sent_returns import SentReturn, as_taken_in, rows_set_aside

# The versions of a return whose figures stand side by side, in this order.
VERSIONS = ("counted", "as_sent", "version_before", "quarter_before")

Problem = dict[str, Any]


@dataclass(frozen=True)
class JudgedReturn:
    """A file with its verdict; ``sent`` is None where nothing but its cover was read."""

    submission: Submission
    problems: Sequence[Problem]
    sent: SentReturn | None


@dataclass(frozen=True)
class Effect:
    """Headline figures; ``versions`` are the submissions that each column is of, in order."""

    headlines: tuple[Headline, ...]
    versions: Mapping[str, Submission]

    def as_json(self) -> dict[str, Any]:
        return {
            "versions": {version: one.submission_id for version, one in self.versions.items()},
            "indicators": [
                {
                    "indicator_id": headline.indicator.id,
                    "title_en": headline.indicator.title.en,
                    "title_cy": headline.indicator.title.cy,
                    "unit": headline.indicator.unit,
                    "definition_status": headline.indicator.status,
                    "parts": {
                        version: {
                            "numerator": headline.parts[version].numerator,
                            "denominator": headline.parts[version].denominator,
                            "value": headline.parts[version].value,
                        }
                        for version in self.versions
                        if version in headline.parts
                    },
                }
                for headline in self.headlines
            ],
        }


@dataclass(frozen=True)
class Details:
    """Everything of a verdict beside its problems. What is None is not known or does not apply.

    ``not_known`` are keys of :data:`pipelines.verdict.report_words.WORDS`: what a check cannot
    know.
    ``earlier`` is the version of the same quarter sent before, ``earlier_sent`` its rows.
    """

    judged: JudgedReturn
    effect: Effect | None = None
    has_no_effect_known: bool = False
    changes: Changes | None = None
    earlier: Submission | None = None
    earlier_sent: SentReturn | None = None
    is_check: bool = False
    not_known: tuple[str, ...] = ()

    @property
    def repairs(self) -> tuple[dict[str, Any], ...]:
        return self.judged.sent.repairs if self.judged.sent else ()


def details(
    judged: JudgedReturn,
    declarations: Declarations,
    *,
    earlier: JudgedReturn | None = None,
    in_force_before: JudgedReturn | None = None,
    quarter_before: JudgedReturn | None = None,
    is_check: bool = False,
    not_known: Iterable[str] = (),
) -> Details:
    """Work out effect and changes, as far as the other versions are there."""
    sent, effect, is_unknown = judged.sent, None, False
    if sent is not None and judged.submission.sender_code is not None:
        try:
            effect = _effect(judged, in_force_before, quarter_before, declarations)
        except NoHeadlines:
            is_unknown = True
    compared = None
    if sent is not None and earlier is not None and earlier.sent is not None:
        compared = changes(earlier.sent, earlier.problems, sent, judged.problems, declarations)
    return Details(
        judged=judged,
        effect=effect,
        has_no_effect_known=is_unknown,
        changes=compared,
        earlier=earlier.submission if compared and earlier else None,
        earlier_sent=earlier.sent if compared and earlier else None,
        is_check=is_check,
        not_known=tuple(not_known),
    )


def details_of_submission(
    settings: Settings,
    declarations: Declarations,
    submission: Submission,
    problems: Sequence[Problem],
) -> Details:
    """Details of a judged submission, beside what the same sender had sent before it came.

    What came after it is left out, so that the answer never changes.
    """
    from pipelines.intake.take_in import problems_of

    def judged(item: Submission | None) -> JudgedReturn | None:
        if item is None:
            return None
        sent = as_taken_in(settings, declarations, item)
        return JudgedReturn(item, problems_of(settings, item), sent) if sent else None

    this = JudgedReturn(submission, problems, as_taken_in(settings, declarations, submission))
    if this.sent is None or submission.is_waiting:
        return Details(this)
    before = [
        item
        for item in Ledger(settings.ledger).submissions()
        if item.delivery_number < submission.delivery_number
        and item.sender_code == submission.sender_code
        and item.status not in ("received", "duplicate")
    ]
    quarter = this.sent.quarter
    same = [item for item in before if item.quarter == quarter.label]
    last = [item for item in before if item.quarter == quarter.plus(-1).label]
    return details(
        this,
        declarations,
        earlier=judged(_newest(same)),
        in_force_before=judged(_newest(_in_force(same, submission.received_at))),
        quarter_before=judged(_newest(_in_force(last, submission.received_at))),
    )


def _in_force(submissions: Iterable[Submission], moment: datetime) -> list[Submission]:
    """Those accepted and not withdrawn by then."""
    return [
        item
        for item in submissions
        if item.is_accepted
        and (item.withdrawn_at is None or datetime.fromisoformat(item.withdrawn_at) > moment)
    ]


def _newest(submissions: Sequence[Submission]) -> Submission | None:
    return max(submissions, key=lambda item: item.delivery_number, default=None)


def _effect(
    judged: JudgedReturn,
    in_force_before: JudgedReturn | None,
    quarter_before: JudgedReturn | None,
    declarations: Declarations,
) -> Effect | None:
    """What counts of this return; all of it, where that is more; and what counted before."""
    assert judged.sent is not None and judged.submission.sender_code is not None
    pseudonymiser = Pseudonymiser(secrets.token_bytes(32))  # for these sums alone
    set_aside = rows_set_aside(judged.problems)
    rows: dict[str, Rows] = {}
    versions: dict[str, Submission] = {}

    def add(version: str, one: JudgedReturn, without: Mapping[str, Iterable[int]]) -> None:
        assert one.sent is not None
        rows[version] = Rows(one.sent.quarter, one.sent.measured(pseudonymiser, without))
        versions[version] = one.submission

    if judged.submission.is_accepted:
        add("counted", judged, set_aside)
    if set_aside or not judged.submission.is_accepted:
        add("as_sent", judged, {})
    for version, other in (
        ("version_before", in_force_before),
        ("quarter_before", quarter_before),
    ):
        if other is not None and other.sent is not None and other.submission.is_accepted:
            add(version, other, rows_set_aside(other.problems))
    found = headlines(rows, judged.submission.sender_code, declarations)
    return Effect(tuple(found), versions) if found else None
