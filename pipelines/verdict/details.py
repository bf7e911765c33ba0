"""What a report shows besides problems: the rows, their headline figures, what has changed.

The same for a submission in the ledger and for a file that was only checked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.declarations import Declarations
from pipelines.extracts.completeness import FieldGiven, completeness
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.settings import Settings
from pipelines.verdict.changes import Changes, changes
from pipelines.verdict.headlines import HeadlineFigures, NoHeadlines, VersionRows, headlines
from pipelines.verdict.problems import Problem
from pipelines.verdict.sent_returns import SentReturn, as_taken_in, rows_set_aside

# The versions of a return whose figures stand side by side, in this order.
VERSIONS = ("counted", "as_sent", "version_before", "quarter_before")


@dataclass(frozen=True)
class ValidatedReturn:
    """A file after validation; ``sent`` is None where nothing but its cover was read."""

    submission: Submission
    problems: Sequence[Problem]
    sent: SentReturn | None


@dataclass(frozen=True)
class EffectOnHeadlines:
    """Headline figures; ``versions`` are the submissions that each column is of, in order."""

    headlines: tuple[HeadlineFigures, ...]
    versions: Mapping[str, Submission]

    def as_json(self) -> dict[str, Any]:
        return {
            "versions": {
                version: submission.submission_id for version, submission in self.versions.items()
            },
            "indicators": [
                {
                    "indicator_id": headline.indicator.id,
                    "title_en": headline.indicator.title.en,
                    "title_cy": headline.indicator.title.cy,
                    "unit": headline.indicator.unit,
                    "definition_status": headline.indicator.status,
                    "parts": {
                        version: {
                            "numerator": headline.figures[version].numerator,
                            "denominator": headline.figures[version].denominator,
                            "value": headline.figures[version].value,
                        }
                        for version in self.versions
                        if version in headline.figures
                    },
                }
                for headline in self.headlines
            ],
        }


@dataclass(frozen=True)
class ReportDetails:
    """What a report shows besides problems. What is None is not known or does not apply.

    ``is_effect_unknown`` says that the headline figures could not be worked out. ``not_known`` are
    sentences on what a check cannot know, in English as the catalogue has them. ``gaps`` are fields
    that are not given in every row that should have them. ``earlier`` is the
    version of the same quarter sent before, ``earlier_sent`` its rows.
    """

    validated: ValidatedReturn
    effect: EffectOnHeadlines | None = None
    is_effect_unknown: bool = False
    changes: Changes | None = None
    earlier: Submission | None = None
    earlier_sent: SentReturn | None = None
    is_check: bool = False
    not_known: tuple[str, ...] = ()
    gaps: tuple[FieldGiven, ...] = ()

    @property
    def repairs(self) -> tuple[dict[str, Any], ...]:
        return self.validated.sent.repairs if self.validated.sent else ()


def details(
    validated: ValidatedReturn,
    declarations: Declarations,
    *,
    earlier: ValidatedReturn | None = None,
    in_force_before: ValidatedReturn | None = None,
    quarter_before: ValidatedReturn | None = None,
    is_check: bool = False,
    not_known: Iterable[str] = (),
) -> ReportDetails:
    """Work out effect and changes, as far as the other versions are there."""
    sent, effect, is_unknown = validated.sent, None, False
    if sent is not None and validated.submission.sender_code is not None:
        try:
            effect = _effect(validated, in_force_before, quarter_before, declarations)
        except NoHeadlines:
            is_unknown = True
    compared = None
    if sent is not None and earlier is not None and earlier.sent is not None:
        compared = changes(earlier.sent, earlier.problems, sent, validated.problems, declarations)
    return ReportDetails(
        validated=validated,
        effect=effect,
        is_effect_unknown=is_unknown,
        changes=compared,
        earlier=earlier.submission if compared and earlier else None,
        earlier_sent=earlier.sent if compared and earlier else None,
        is_check=is_check,
        not_known=tuple(not_known),
        gaps=_gaps(validated, declarations),
    )


def _gaps(validated: ValidatedReturn, declarations: Declarations) -> tuple[FieldGiven, ...]:
    """Fields that are blank, or not known, in rows that should have them."""
    sent, sender = validated.sent, validated.submission.sender_code
    if sent is None or sender is None:
        return ()
    rows = {name: frame.to_dicts() for name, frame in sent.typed.items()}
    given = completeness(rows, sender, sent.quarter, declarations)
    return tuple(each for each in given if each.given < each.expected)


def details_of_submission(
    settings: Settings,
    declarations: Declarations,
    submission: Submission,
    problems: Sequence[Problem],
) -> ReportDetails:
    """Details of a validated submission, and of what the same sender had sent before it came.

    What came after it is left out, so that the answer never changes.
    """
    from pipelines.intake.problems import problems_of

    def with_problems(other: Submission | None) -> ValidatedReturn | None:
        if other is None:
            return None
        sent = as_taken_in(settings, declarations, other)
        return ValidatedReturn(other, problems_of(settings, other), sent) if sent else None

    current = ValidatedReturn(submission, problems, as_taken_in(settings, declarations, submission))
    if current.sent is None or submission.is_waiting:
        return ReportDetails(current)
    before = [
        other
        for other in Ledger(settings.ledger).submissions()
        if other.delivery_number < submission.delivery_number
        and other.sender_code == submission.sender_code
        and other.status not in ("received", "duplicate")
    ]
    quarter = current.sent.quarter
    same_quarter = [other for other in before if other.quarter == quarter.label]
    last_quarter = [other for other in before if other.quarter == quarter.plus(-1).label]
    return details(
        current,
        declarations,
        earlier=with_problems(_newest(same_quarter)),
        in_force_before=with_problems(_newest(_in_force_before(same_quarter, submission))),
        quarter_before=with_problems(_newest(_in_force_before(last_quarter, submission))),
    )


def _in_force_before(submissions: Iterable[Submission], submission: Submission) -> list[Submission]:
    """Those accepted, and not withdrawn before ``submission`` came."""
    return [
        other
        for other in submissions
        if other.is_accepted
        and (other.withdrawn_after is None or other.withdrawn_after >= submission.delivery_number)
    ]


def _newest(submissions: Sequence[Submission]) -> Submission | None:
    return max(submissions, key=lambda other: other.delivery_number, default=None)


def _effect(
    validated: ValidatedReturn,
    in_force_before: ValidatedReturn | None,
    quarter_before: ValidatedReturn | None,
    declarations: Declarations,
) -> EffectOnHeadlines | None:
    """What counts of this return; all of it, where that is more; and what counted before."""
    assert validated.sent is not None and validated.submission.sender_code is not None
    pseudonymiser = Pseudonymiser(secrets.token_bytes(32))  # for these sums alone
    set_aside = rows_set_aside(validated.problems)
    rows: dict[str, VersionRows] = {}
    versions: dict[str, Submission] = {}

    def add(version: str, of: ValidatedReturn, without: Mapping[str, Iterable[int]]) -> None:
        assert of.sent is not None
        rows[version] = VersionRows(of.sent.quarter, of.sent.measured(pseudonymiser, without))
        versions[version] = of.submission

    if validated.submission.is_accepted:
        add("counted", validated, set_aside)
    if set_aside or not validated.submission.is_accepted:
        add("as_sent", validated, {})
    for version, other in (
        ("version_before", in_force_before),
        ("quarter_before", quarter_before),
    ):
        if other is not None and other.sent is not None and other.submission.is_accepted:
            add(version, other, rows_set_aside(other.problems))
    figures = headlines(rows, validated.submission.sender_code, declarations)
    return EffectOnHeadlines(tuple(figures), versions) if figures else None
