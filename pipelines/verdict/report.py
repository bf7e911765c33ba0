"""The validation report: what the sender of a return gets back for a delivery.

It holds the status, the reasons and every problem, and what :mod:`pipelines.verdict.details` adds.
Sheets, cells, titles, rules and sentences are in it; nothing that a cell of the return holds. It
becomes lines (:mod:`pipelines.verdict.report_lines`), a workbook
(:mod:`pipelines.verdict.report_workbook`, the only one with the sender's own references) or a file
of another kind (:mod:`pipelines.verdict.report_files`), none of which this module knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Submission
from pipelines.text.catalogue import LANGUAGES, Language, translations
from pipelines.text.labels import with_unit
from pipelines.verdict.problems import (
    DeclaredHeadings,
    Problem,
    complete_problems,
    in_language,
)

if TYPE_CHECKING:
    from pipelines.verdict.details import ReportDetails
    from pipelines.verdict.headlines import HeadlineFigures, VersionFigure


class ValidationReport:
    """The report on one delivery in one language.

    ``problems`` are those of :func:`pipelines.verdict.problems.complete_problems`. ``details`` add
    repairs, headline figures and changes. ``gettext``, ``ngettext`` and ``pgettext`` are those of
    the report's language, for whoever writes it out.
    """

    def __init__(
        self,
        submission: Submission,
        problems: Sequence[Mapping[str, Any]],
        declarations: Declarations,
        language: Language = "en",
        details: ReportDetails | None = None,
    ) -> None:
        self.submission = submission
        self.declarations = declarations
        self.language: Language = language
        self.details = details
        self.gettext = translations(language).gettext
        self.ngettext = translations(language).ngettext
        self.pgettext = translations(language).pgettext
        self._headings = DeclaredHeadings(declarations, submission.quarter)
        self.problems: list[Problem] = complete_problems(submission, problems, self._headings)

    @property
    def is_check(self) -> bool:
        """Whether the file was only checked, and nothing was delivered."""
        return bool(self.details and self.details.is_check)

    @property
    def problems_of_the_file(self) -> list[Problem]:
        """Those that belong to no row of a return."""
        return [problem for problem in self.problems if problem["return_name"] is None]

    @property
    def reasons_to_hold(self) -> list[Problem]:
        """Problems for which the file waits until somebody confirms it."""
        if not self.submission.is_to_be_confirmed:
            return []
        reasons = {reason["sentence_en"] for reason in self.submission.held_for}
        return [each for each in self.problems_of_the_file if each["sentence_en"] in reasons]

    @property
    def repairs(self) -> list[dict[str, Any]]:
        """What was put right while reading: sheet, kind, column, count, and a sentence."""
        return [
            {
                "kind": repair.get("kind") or None,
                "sheet": repair["sheet"],
                "field": repair["field"],
                "count": repair.get("count", 1),
                "sentence_en": repair["sentence_en"],
                "sentence_cy": repair["sentence_cy"],
                **self._headings.titles({**repair, "return_name": None}),
            }
            for repair in (self.details.repairs if self.details else ())
        ]

    def as_json(self, *, for_sender: bool = False) -> dict[str, Any]:
        """The report for programs; docs/check-a-return.md explains the keys.

        What is written to be sent does not name the file, whose name may hold a child's.
        """
        details = self.details
        content = submission_json(self.submission)
        if for_sender:
            content["file_name"] = None
        return content | {
            "is_check": self.is_check,
            "problems": self.problems,
            "repairs": self.repairs,
            "headlines": details.effect.as_json() if details and details.effect else None,
            "changes": details.changes.as_json() if details and details.changes else None,
            "gaps": [
                {
                    "return": each.return_name,
                    "field": each.field.name,
                    "given": each.given,
                    "expected": each.expected,
                    "figures": list(each.figures),
                }
                for each in (details.gaps if details else ())
            ],
            "not_known_here": [
                {language: translations(language).gettext(sentence) for language in LANGUAGES}
                for sentence in (details.not_known if details else ())
            ],
        }

    # --- in words ---------------------------------------------------------------

    def sentence(self, problem: Mapping[str, Any]) -> str:
        """What is wrong and what to do, of a problem or a repair."""
        return problem[f"sentence_{self.language}"]

    def title(self, problem: Mapping[str, Any]) -> str | None:
        """Heading of the column, as on the template."""
        return problem[f"title_{self.language}"]

    def sheet(self, problem: Mapping[str, Any]) -> str | None:
        """The sheet as its author called it; None for what belongs to no sheet."""
        return self._headings.sheet_name(problem["sheet"], self.language)

    def source(self, problem: Mapping[str, Any]) -> str:
        """Where the rule comes from."""
        return problem["source"] or self.gettext("how files are read")

    def severity(self, severity: str) -> str:
        """``error`` or ``query``."""
        return self.gettext("error") if severity == "error" else self.gettext("query")

    @property
    def whole_file(self) -> str:
        """What stands in place of a sheet for a problem that belongs to none."""
        return self.gettext("The file as a whole")

    @property
    def sender(self) -> str:
        """Sender, quarter and version, as :func:`sender_and_quarter` has them."""
        return sender_and_quarter(self.submission, self.declarations, self.language)

    @property
    def status(self) -> str:
        """The status in words, with a note when the delivery was late."""
        status = status_label(self.submission.status, self.language)
        if not self.submission.is_late:
            return status
        return self.gettext("{status}; received after the proposed deadline").format(status=status)

    @property
    def meaning(self) -> str:
        """What the status means for the sender; empty where it is not decided yet."""
        _ = self.gettext
        sentences = {
            "refused": _(
                "Nothing in this file is used. If an earlier file for the quarter was accepted, it "
                "remains in force. Correct the errors listed and send the whole file again."
            ),
            "held for confirmation": _(
                "Nothing in this file counts yet. If an earlier file for the quarter was accepted, "
                "it remains in force. Correct what is listed and send the whole file again; or, if "
                "it is right, have it confirmed."
            ),
            "accepted with errors quarantined": _(
                "The rows with an error are set aside and are not in any figure. Correct them and "
                "send the whole file again; it will replace this one."
            ),
            "accepted with queries": _(
                "Every row is counted. Look at the queries: correct what is wrong and send the "
                "whole file again, or confirm that it is right."
            ),
            "accepted": _("Every row is counted. You do not need to do anything."),
        }
        return sentences.get(self.submission.status, "")

    @property
    def rules(self) -> str:
        """``61 rules ran, 2 skipped: no earlier return, 0 could not be run``."""
        from expectations.rule_counts import rules_sentence

        return rules_sentence(self.submission.rules, self.language)

    def counts(self, counts: Mapping[str, Any]) -> str:
        """Rows and problems of one return; ``counts`` as the ledger has them."""
        if counts["is_nil"] and not counts["rows_read"]:
            return self.gettext("nil return")
        if self.submission.status == "refused":
            sentence = self.gettext(
                "rows read {read}, none used; errors {errors}, queries {queries}"
            )
        else:
            sentence = self.gettext(
                "rows read {read}, accepted {accepted}, set aside {set_aside}; errors {errors}, "
                "queries {queries}"
            )
        return sentence.format(
            read=counts["rows_read"],
            accepted=counts["rows_accepted"],
            set_aside=counts["rows_quarantined"],
            errors=counts["errors"],
            queries=counts["queries"],
        )

    def version(self, version: str, for_sender: bool = True) -> str:
        """What stands over the figures of a version of the return."""
        _ = self.gettext
        names = {
            "counted": _("this return"),
            "as_sent": _("all rows as sent"),
            "version_before": _("previous version"),
            "quarter_before": _("previous quarter"),
        }
        effect = self.details.effect if self.details else None
        if effect is None or version not in ("version_before", "quarter_before"):
            return names[version]
        return f"{names[version]} ({self._name_of(effect.versions[version], for_sender)})"

    def figure(self, headline: HeadlineFigures, version: str) -> str:
        """One version's figure of an indicator; a dash where it has none."""
        figure, indicator = headline.figures.get(version), headline.indicator
        if figure is None:
            return "–"
        return figure_text(figure, indicator.unit, indicator.rounding, self.language)

    def earlier_version(self, for_sender: bool = True) -> str:
        """``S000012-0a1b2c3d (version 1, refused)``, of the version compared with."""
        earlier = self.details.earlier if self.details else None
        if earlier is None:
            return ""
        version = [_version_of_return(earlier.version, self.language)] if earlier.version else []
        about = ", ".join([*version, status_label(earlier.status, self.language)])
        return f"{self._name_of(earlier, for_sender)} ({about})"

    def _name_of(self, submission: Submission, for_sender: bool) -> str:
        """A file that was only checked was never submitted: on the screen its name says which."""
        return submission.name if self.is_check and not for_sender else submission.submission_id

    def changes(self) -> list[str]:
        """Rows of each return, then problems: how many came, went, changed or stayed."""
        changes = self.details.changes if self.details else None
        if changes is None:
            return []
        lines = []
        for return_name in changes.return_names:
            title = in_language(self.declarations.returns[return_name].title, self.language)
            counts = self.gettext(
                "rows added {added}, removed {removed}, changed {changed}, unchanged {unchanged}"
            ).format(
                added=len(changes.of(return_name, "added")),
                removed=len(changes.of(return_name, "removed")),
                changed=len(changes.of(return_name, "changed")),
                unchanged=changes.unchanged[return_name],
            )
            lines.append(f"{title}: {counts}")
        problems = self.gettext("problems fixed {fixed}, new {new}, still there {still_there}")
        return [
            *lines,
            problems.format(
                fixed=len(changes.fixed),
                new=len(changes.new),
                still_there=len(changes.still_there),
            ),
        ]


def submission_json(submission: Submission) -> dict[str, Any]:
    """What the ledger knows of a delivery, for programs."""
    return {
        "submission_id": submission.submission_id,
        "file_name": submission.name,
        "sha256": submission.sha256,
        "sender_code": submission.sender_code,
        "quarter": submission.quarter,
        "version": submission.version,
        "received_at": submission.received_at.isoformat(),
        "status": submission.status,
        "state": submission.state,
        "is_late": submission.is_late,
        "duplicate_of": submission.duplicate_of,
        "refusal_code": submission.refusal_code,
        "held_for": submission.held_for,
        "status_once_confirmed": submission.status_once_confirmed,
        "why_en": submission.refusal_sentence_en,
        "why_cy": submission.refusal_sentence_cy,
        "returns": submission.returns,
        "rules": submission.rules,
        "rule_set_hash": submission.rule_set_hash,
    }


def status_label(status: str, language: Language) -> str:
    """The status of a submission in words; one that is not known stays as it is."""
    pgettext = translations(language).pgettext
    labels = {
        "received": pgettext("status of a submission", "received"),
        "refused": pgettext("status of a submission", "refused"),
        "held for confirmation": pgettext("status of a submission", "held for confirmation"),
        "duplicate": pgettext("status of a submission", "duplicate"),
        "accepted": pgettext("status of a submission", "accepted"),
        "accepted with queries": pgettext("status of a submission", "accepted with queries"),
        "accepted with errors quarantined": pgettext(
            "status of a submission", "accepted with errors quarantined"
        ),
    }
    return labels.get(status, status)


def sender_and_quarter(
    submission: Submission, declarations: Declarations, language: Language = "en"
) -> str:
    """``Cardiff (W06000015), 2025-26-Q1, version 2``, as far as it is known."""
    _ = translations(language).gettext
    place = declarations.places.get(submission.sender_code or "")
    name = (place.name_en if language == "en" else place.name_cy) if place else None
    code = submission.sender_code or _("sender not known")
    parts = [
        f"{name} ({code})" if name else code,
        submission.quarter or _("quarter not known"),
    ]
    if submission.version:
        parts.append(_version_of_return(submission.version, language))
    return ", ".join(parts)


def _version_of_return(version: int, language: Language) -> str:
    return translations(language).gettext("version {number}").format(number=version)


def when_received(submission: Submission) -> str:
    """``2025-07-14 09:05 UTC``."""
    return submission.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def figure_text(figure: VersionFigure, unit: str, rounding: int, language: Language) -> str:
    """``485 days (mean of 15)``, ``76.9% (10 of 13)``, ``13``; "no cases" over a denominator of
    zero."""
    _ = translations(language).gettext
    if figure.denominator is None:
        return f"{figure.value:,.0f}"
    if figure.value is None:
        return _("no cases")
    shown = with_unit(f"{figure.value:,.{rounding}f}", unit, language)
    if unit == "percent":
        rests_on = _("{numerator} of {denominator}").format(
            numerator=f"{figure.numerator:,}", denominator=f"{figure.denominator:,}"
        )
    else:
        rests_on = _("mean of {count}").format(count=f"{figure.denominator:,}")
    return f"{shown} ({rests_on})"
