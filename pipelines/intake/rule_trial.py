"""The rules as they stand now, run over stored submissions: who would newly fail, who pass.

A changed rule is tried on the returns that came already, before it decides about new ones.
Nothing is written: the ledger, the validated room and the figures stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.rule_catalogue import rule_set_hash
from expectations.suite import Engine
from pipelines.declarations import Declarations
from pipelines.intake.validated_again import validate_again
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings

WHOLE_FILE = ""  # stands for the return, and for the field, of a problem of a whole file


@dataclass(frozen=True, order=True)
class RuleKey:
    """A rule as problems name it. ``field`` tells the rules of declared fields apart."""

    return_name: str
    code: str
    field: str
    severity: str


@dataclass(frozen=True)
class AffectedRows:
    """Rows of one submission with a problem; 0 stands for the file as a whole."""

    submission: Submission
    rows: tuple[int, ...]


@dataclass(frozen=True)
class RuleChange:
    """What a rule would find that it did not, and what it found and would not any more.

    ``before`` and ``after`` count rows in all submissions that were tried.
    """

    rule: RuleKey
    before: int
    after: int
    newly_failing: tuple[AffectedRows, ...]
    newly_passing: tuple[AffectedRows, ...]


@dataclass(frozen=True)
class VerdictChange:
    """A submission that would have another status. ``reasons`` are the codes of a refusal."""

    submission: Submission
    before: str
    after: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class RuleTrial:
    """``same_rules``: submissions that were validated by these very rules and declarations already.

    ``counts_only``: submissions whose problems are not on disk any more, so that only their
    verdict is compared. ``not_on_disk``: those whose rows are gone too, which were left out.
    """

    quarters: tuple[Quarter, ...]
    tried: int
    same_rules: int
    crashed: int
    rules: tuple[RuleChange, ...]
    verdicts: tuple[VerdictChange, ...]
    counts_only: tuple[str, ...]
    not_on_disk: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "quarters": [quarter.label for quarter in self.quarters],
            "tried": self.tried,
            "same_rules": self.same_rules,
            "crashed": self.crashed,
            "rules": [_rule_json(change) for change in self.rules],
            "verdicts": [
                _whose(change.submission)
                | {"before": change.before, "after": change.after, "reasons": list(change.reasons)}
                for change in self.verdicts
            ],
            "counts_only": list(self.counts_only),
            "not_on_disk": list(self.not_on_disk),
        }


def try_rules(
    settings: Settings,
    declarations: Declarations,
    quarters: Iterable[Quarter] = (),
    engine: Engine = "polars",
) -> RuleTrial:
    """Validate every stored submission of ``quarters`` (none named: every one) once more.

    A file that was refused on arrival met no rule and meets none now. What is compared with
    another return is compared with what is accepted today.
    """
    asked = {quarter.label for quarter in quarters}
    stored = [
        item
        for item in Ledger(settings.ledger).submissions()
        if item.quarter
        and (not asked or item.quarter in asked)
        and (item.is_accepted or item.status == "refused")
        and item.returns
    ]
    before = _recorded(settings, stored)
    after: dict[str, pl.DataFrame] = {}
    verdicts, crashed, same_rules = [], 0, 0
    hashes: dict[str, str] = {}
    for outcome in validate_again(settings, declarations, stored, engine):
        item = outcome.submission
        after[item.submission_id] = outcome.problems
        crashed = max(crashed, outcome.event["rules"]["crashed"])
        label = item.quarter or ""
        if label not in hashes:
            hashes[label] = rule_set_hash(declarations, Quarter.parse(label))
        same_rules += item.rule_set_hash == hashes[label]
        if outcome.event["status"] != item.status:
            reasons = tuple(dict.fromkeys(reason["code"] for reason in outcome.event["refusals"]))
            verdicts.append(VerdictChange(item, item.status, outcome.event["status"], reasons))
    tried = [item for item in stored if item.submission_id in after]
    compared = [item for item in tried if item.submission_id in before]
    return RuleTrial(
        quarters=tuple(sorted({Quarter.parse(item.quarter or "") for item in stored})),
        tried=len(tried),
        same_rules=same_rules,
        crashed=crashed,
        rules=_changes(compared, before, after),
        verdicts=tuple(verdicts),
        counts_only=tuple(item.submission_id for item in tried if item.submission_id not in before),
        not_on_disk=tuple(item.submission_id for item in stored if item.submission_id not in after),
    )


def _recorded(settings: Settings, stored: Sequence[Submission]) -> dict[str, pl.DataFrame]:
    """Problems as they were recorded, by submission; only those that are all on disk."""
    by_submission: dict[str, pl.DataFrame] = {}
    for label in {item.quarter for item in stored if item.quarter}:
        folder = settings.validated / "problems" / label
        for path in sorted(folder.glob("*.parquet")) if folder.exists() else []:
            parts = pl.read_parquet(path).partition_by("submission_id", as_dict=True)
            by_submission |= {str(key[0]): part for key, part in parts.items()}
    nothing = pl.DataFrame(schema=dict.fromkeys(_COMPARED, pl.String) | {"sheet_row": pl.Int64})
    kept = {}
    for item in stored:
        problems = by_submission.get(item.submission_id, nothing)
        counted = sum(each["errors"] + each["queries"] for each in item.returns.values())
        if problems.filter(pl.col("return_name").is_not_null()).height >= counted:
            kept[item.submission_id] = problems
    return kept


_COMPARED = ("return_name", "code", "field", "severity")
_Found = dict[RuleKey, dict[str, frozenset[int]]]


def _changes(
    compared: Sequence[Submission],
    before: dict[str, pl.DataFrame],
    after: dict[str, pl.DataFrame],
) -> tuple[RuleChange, ...]:
    was, now = (
        _by_rule({item.submission_id: problems[item.submission_id] for item in compared})
        for problems in (before, after)
    )
    changes = []
    for rule in sorted(was.keys() | now.keys()):
        old, new = was.get(rule, {}), now.get(rule, {})
        if old != new:
            changes.append(
                RuleChange(
                    rule,
                    sum(len(rows) for rows in old.values()),
                    sum(len(rows) for rows in new.values()),
                    _only_in_first(new, old, compared),
                    _only_in_first(old, new, compared),
                )
            )
    return tuple(changes)


def _by_rule(problems: dict[str, pl.DataFrame]) -> _Found:
    by_rule: dict[RuleKey, dict[str, Counter[int]]] = {}
    for submission_id, frame in problems.items():
        columns = frame.select("return_name", "code", "field", "severity", "sheet_row")
        for return_name, code, field, severity, row in columns.iter_rows():
            rule = RuleKey(return_name or WHOLE_FILE, code, field or WHOLE_FILE, severity)
            rows = by_rule.setdefault(rule, {}).setdefault(submission_id, Counter())
            rows[row or 0] += 1
    return {
        rule: {key: frozenset(rows) for key, rows in of_each.items()}
        for rule, of_each in by_rule.items()
    }


def _only_in_first(
    first: dict[str, frozenset[int]],
    second: dict[str, frozenset[int]],
    compared: Sequence[Submission],
) -> tuple[AffectedRows, ...]:
    affected = []
    for item in compared:
        nothing: frozenset[int] = frozenset()
        key = item.submission_id
        rows = first.get(key, nothing) - second.get(key, nothing)
        if rows:
            affected.append(AffectedRows(item, tuple(sorted(rows))))
    return tuple(affected)


def _whose(item: Submission) -> dict[str, Any]:
    return {
        "submission_id": item.submission_id,
        "sender_code": item.sender_code,
        "quarter": item.quarter,
    }


def _rule_json(change: RuleChange) -> dict[str, Any]:
    def rows(several: tuple[AffectedRows, ...]) -> list[dict[str, Any]]:
        return [
            _whose(affected.submission) | {"rows": [row or None for row in affected.rows]}
            for affected in several
        ]

    rule = change.rule
    return {
        "code": rule.code,
        "return_name": rule.return_name or None,
        "field": rule.field or None,
        "severity": rule.severity,
        "before": change.before,
        "after": change.after,
        "newly_failing": rows(change.newly_failing),
        "newly_passing": rows(change.newly_passing),
    }
