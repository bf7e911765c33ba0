"""A changed value is one dated line, merged over what was in force before it."""

from __future__ import annotations

from pathlib import Path

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

WALES = "W92000004"
BEFORE, FIRST = Quarter(2026, 4), Quarter(2027, 1)
LATER, SECOND = Quarter(2028, 4), Quarter(2029, 1)


def insert(path: Path, after: str, lines: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert after in text
    path.write_text(text.replace(after, after + lines, 1), encoding="utf-8")


def test_a_threshold_changes_with_one_dated_line(sources: Path) -> None:
    insert(
        sources / "disclosure" / "wales-nas.yaml",
        "  smallest_shown: 5\n",
        "  overrides:\n  - {since: 2027-28-Q1, smallest_shown: 10}\n",
    )
    policy = Declarations(sources).disclosure_policy_of("NAS")
    before, after = policy.rules_for(BEFORE), policy.rules_for(FIRST)
    assert (before.smallest_shown, after.smallest_shown) == (5, 10)
    assert (before.until, after.since, after.until) == (BEFORE, FIRST, None)
    assert (before.id, after.id) == ("nas-proposed", "nas-proposed-from-2027-28-q1")
    assert before.model_copy(update={"id": "", "smallest_shown": 0, "until": None}) == (
        after.model_copy(update={"id": "", "smallest_shown": 0, "since": None})
    )


def test_a_line_stays_in_force_under_the_next_one(sources: Path) -> None:
    insert(
        sources / "disclosure" / "wales-nas.yaml",
        "  smallest_shown: 5\n",
        "  overrides:\n"
        "  - {since: 2027-28-Q1, smallest_shown: 10, protection: {values: 4}}\n"
        "  - {since: 2029-30-Q1, protection: {above: 2}}\n",
    )
    rules_for = Declarations(sources).disclosure_policy_of("NAS").rules_for
    assert rules_for(LATER).smallest_shown == rules_for(SECOND).smallest_shown == 10
    assert (rules_for(LATER).protection.values, rules_for(LATER).protection.above) == (4, 1)
    assert (rules_for(SECOND).protection.values, rules_for(SECOND).protection.above) == (4, 2)


def test_a_deadline_changes_with_one_dated_line(sources: Path) -> None:
    insert(
        sources / "policies" / "wales.yaml",
        "- days_after_quarter_end: 30\n",
        "  overrides:\n  - {since: 2027-28-Q1, days_after_quarter_end: 20}\n",
    )
    policy = Declarations(sources).policies[WALES]
    assert (policy.deadline(BEFORE) - BEFORE.last_day).days == 30
    assert (policy.deadline(FIRST) - FIRST.last_day).days == 20


def test_an_empty_list_of_changes_changes_nothing(sources: Path) -> None:
    before = Declarations(sources).policies[WALES]
    insert(sources / "policies" / "wales.yaml", "- days_after_quarter_end: 30\n", "  overrides:\n")
    assert Declarations(sources).policies[WALES] == before
