"""What a policy says of roles, tolerances and reminders, and what does not fit into one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.declarations import REMINDER_PLACES, DeclarationError, Declarations, Policy
from pipelines.lifecycle.free_text import declared_role
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES

WALES = "W92000004"
Change = Callable[[str, str], Declarations]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """The sources with one place of Wales's policy exchanged."""

    def change(before: str, after: str) -> Declarations:
        folder = tmp_path / "sources"
        shutil.copytree(SOURCES, folder)
        path = folder / "policies" / "wales.yaml"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
        return Declarations(folder)

    return change


@pytest.fixture(params=[WALES, "E92000001"])
def policy(request: pytest.FixtureRequest, declarations: Declarations) -> Policy:
    return declarations.policies[request.param]


def test_every_duty_is_somebodys_and_sign_off_is_the_senders(policy: Policy) -> None:
    duties = {
        duty: {r.side for r in policy.roles if duty in r.may}
        for r in policy.roles
        for duty in r.may
    }
    assert set(duties) == {
        *("tolerate", "confirm", "sign_off", "accept"),
        *("withdraw", "lock", "revise", "release", "erase"),
    }
    assert duties["sign_off"] == {"sender"}
    assert duties["confirm"] == {"sender", "national_team"}
    for duty in ("tolerate", "accept", "lock", "revise", "release", "erase"):
        assert duties[duty] == {"national_team"}


def test_nothing_of_it_is_said_to_be_agreed(policy: Policy) -> None:
    entries = (*policy.calendar, *policy.tolerance, *policy.roles, *policy.reminders)
    for entry in (*entries, *policy.release):
        assert entry.status == "proposed"


def test_reminders_come_before_and_after_the_deadline_in_both_languages(policy: Policy) -> None:
    days = [one.days_from_deadline for one in policy.reminders if one.about == "return"]
    assert min(days) < 0 < max(days)
    for one in policy.reminders:
        for english, welsh in ((one.subject.en, one.subject.cy), (one.text.en, one.text.cy)):
            assert english != welsh
            for place in REMINDER_PLACES:
                assert (f"{{{place}}}" in english) == (f"{{{place}}}" in welsh), english


def test_a_tolerance_counts_its_own_quarter(declarations: Declarations) -> None:
    found = declarations.policies[WALES].last_quarter_tolerated(Quarter(2025, 2))
    assert found == Quarter(2026, 1)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("role: data_officer", "role: head_of_service", "a role is declared twice"),
        ("role: data_officer", "role: Jane Smith", "roles.0.role"),
        ("may: [withdraw]", "may: [delete]", "roles.0.may"),
        ("side: sender", "side: parent", "roles.0.side"),
        ("most_quarters: 4", "most_quarters: 0", "tolerance.0.most_quarters"),
        ("days_from_deadline: -3", "days_from_deadline: -14", "go out on the same day"),
        ("days_from_deadline: -3", "days_from_deadline: soon", "reminders.1.days_from_deadline"),
        ("about: return", "about: weather", "reminders.0.about"),
        ("Adoption return for {quarter}: due", "For {child}: due", r"cannot name \{child\}"),
        ("Adoption return for {quarter}: due", "For {quarter: due", "brace that is not closed"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    changed: Change, before: str, after: str, told: str
) -> None:
    with pytest.raises(DeclarationError, match=told) as caught:
        _ = changed(before, after).policies
    assert "wales.yaml" in str(caught.value)


def test_a_policy_without_a_rule_for_tolerances_says_so_when_asked(changed: Change) -> None:
    house = changed("- most_quarters: 4\n", "- until: 2024-25-Q4\n  most_quarters: 4\n")
    with pytest.raises(DeclarationError, match="no entry of tolerance covers 2025-26-Q1"):
        house.policies[WALES].last_quarter_tolerated(Quarter(2025, 1))


def test_a_reminder_has_its_time_like_everything_that_changes(changed: Change) -> None:
    house = changed(
        "  days_from_deadline: -14\n", "  until: 2024-25-Q4\n  days_from_deadline: -14\n"
    )
    policy = house.policies[WALES]
    assert len(policy.reminders_for(Quarter(2025, 1))) == len(policy.reminders) - 1
    assert len(policy.reminders_for(Quarter(2024, 4))) == len(policy.reminders)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Head of service", "head_of_service"),
        ("HEAD OF SERVICE of the authority or agency", "head_of_service"),
        ("Pennaeth gwasanaeth", "head_of_service"),
        ("data_officer", "data_officer"),
        ("Head", None),
        ("Jane Doe, head of service", None),
        ("Jane Doe", None),
        ("", None),
        (None, None),
    ],
)
def test_of_a_cover_only_a_declared_role_is_kept(
    declarations: Declarations, text: str | None, role: str | None
) -> None:
    assert declared_role(declarations, "W06000001", text) == role
    assert declared_role(declarations, None, text) is None
