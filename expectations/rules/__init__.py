"""Every cross-field rule, by return."""

from __future__ import annotations

from expectations.rules import (
    across_sheets,
    adopter,
    child,
    prior_period,
    support,
    whole_return,
)
from expectations.rules.rule import Rule


def _by_return(*groups: tuple[Rule, ...]) -> dict[str, tuple[Rule, ...]]:
    rules = [rule for group in groups for rule in group]
    codes = [rule.code for rule in rules]
    twice = {code for code in codes if codes.count(code) > 1}
    if twice:
        raise ValueError(f"rule codes used twice: {', '.join(sorted(twice))}")
    return {
        name: tuple(rule for rule in rules if rule.return_name == name)
        for name in ("child", "adopter", "support")
    }


RULES: dict[str, tuple[Rule, ...]] = _by_return(
    child.RULES,
    adopter.RULES,
    support.RULES,
    prior_period.RULES,
    across_sheets.RULES,
    whole_return.RULES,
)
