"""How many rules ran for a submission, how many were skipped and why, how many crashed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expectations.rules.rule import Need
from pipelines.text.catalogue import N_, Language, translations

# Why a rule was skipped for a submission. The codes are stored in the ledger.
SKIPPED: dict[str, str] = {
    "NO_EARLIER_RETURN": N_("no earlier return"),
    "OTHER_SENDERS_NOT_KNOWN": N_("other senders' returns are not available here"),
    "ADOPTER_RETURN_NOT_IN": N_("the agency's adopter return is not in"),
    "CHILD_RETURNS_NOT_IN": N_("no child return is in"),
    "NOT_EVERY_CHILD_RETURN_IN": N_("not every child return of the quarter is in"),
    "NOT_IN_FORCE": N_("not in force in this quarter"),
}
REASON_OF: dict[Need, str] = {
    "prior_return": "NO_EARLIER_RETURN",
    "other_senders": "OTHER_SENDERS_NOT_KNOWN",
    "adopter_return": "ADOPTER_RETURN_NOT_IN",
    "child_returns": "CHILD_RETURNS_NOT_IN",
    "every_child_return": "NOT_EVERY_CHILD_RETURN_IN",
}


@dataclass(frozen=True)
class RuleCounts:
    """What became of the rules for one submission.

    ``run`` were checked, ``skipped`` counts the others by reason (``SKIPPED``), ``crashed`` could
    not be run.
    """

    run: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    crashed: int = 0

    def __add__(self, other: RuleCounts) -> RuleCounts:
        skipped = Counter(self.skipped) + Counter(other.skipped)
        return RuleCounts(self.run + other.run, dict(skipped), self.crashed + other.crashed)

    def as_json(self) -> dict[str, Any]:
        """For the ledger: counts and codes."""
        return {
            "run": self.run,
            "skipped": dict(sorted(self.skipped.items())),
            "crashed": self.crashed,
        }


def rules_sentence(rules: Mapping[str, Any], language: Language = "en") -> str:
    """``61 rules ran, 2 skipped: no earlier return, 0 could not be run``.

    ``rules`` is what :meth:`RuleCounts.as_json` gave; in older ledgers there is no ``skipped``.
    """
    texts = translations(language)
    _ = texts.gettext
    skipped = rules.get("skipped") or {}
    if not (rules["run"] or skipped or rules["crashed"]):  # a file that was refused unread
        return _("no rule was run")
    ran = texts.ngettext("{count} rule ran", "{count} rules ran", rules["run"])
    parts = [ran.format(count=rules["run"])]
    if skipped:
        reasons = [(_(SKIPPED[code]), count) for code, count in skipped.items()]
        listed = "; ".join(
            reason if len(reasons) == 1 else f"{reason} ({count})" for reason, count in reasons
        )
        parts.append(
            _("{count} skipped: {reasons}").format(count=sum(skipped.values()), reasons=listed)
        )
    parts.append(_("{count} could not be run").format(count=rules["crashed"]))
    return ", ".join(parts)
