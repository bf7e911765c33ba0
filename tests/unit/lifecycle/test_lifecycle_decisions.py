"""Who may decide what, when, and in which words; and what the ledger keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.decisions import Decisions, NotAllowed
from pipelines.lifecycle.free_text import NamesSomebody, check_free_text
from pipelines.lifecycle.ledger import Ledger, LedgerBusy
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from tests.unit.lifecycle_story import ANGLESEY, GWYNEDD, Q1, Q2, WALES, Story

AFTER_DEADLINE = datetime(2025, 8, 5, 9, 0, tzinfo=UTC)
WHY = "Confirmed with the social worker of the children concerned."
LEAD, DIRECTOR, HEAD = "national_data_lead", "national_director", "head_of_service"


@pytest.fixture
def story(declarations: Declarations) -> Story:
    return Story(declarations)


def entered(settings: Settings, story: Story) -> Decisions:
    """Decisions over a ledger that holds the story so far."""
    Ledger(settings.ledger).append(*story.events)
    return Decisions(settings, story.declarations, clock=lambda: AFTER_DEADLINE)


def last_event(settings: Settings) -> dict[str, object]:
    return Ledger(settings.ledger).events()[-1]


# --- entered as decided ------------------------------------------------------------------


def test_an_answer_a_sign_off_and_an_acceptance_are_entered_with_role_and_time(
    settings: Settings, story: Story
) -> None:
    sent = story.send(queries={"child": {"CH400": 3}})
    decide = entered(settings, story)
    decide.tolerate(
        ANGLESEY, "child", Q1, "CH400", limit=3, until=Q2, role=LEAD, explanation=f"  {WHY}\n"
    )
    kept = last_event(settings)
    assert (kept["explanation"], kept["role"], kept["limit"]) == (WHY, LEAD, 3)
    assert (kept["quarter"], kept["until"]) == ("2025-26-Q1", "2025-26-Q2")
    assert kept["at"] == AFTER_DEADLINE.isoformat()
    decide.sign_off(sent, role=HEAD)
    decide.accept(sent, role=LEAD)
    assert [e["event"] for e in Ledger(settings.ledger).events()[-3:]] == [
        *("tolerated", "signed_off", "accepted_centrally")
    ]
    with pytest.raises(NotAllowed, match="is accepted already"):
        decide.accept(sent, role=LEAD)


def test_a_lock_a_late_file_and_a_revision_are_entered_in_their_order(
    settings: Settings, story: Story
) -> None:
    sent = story.send()
    decide = entered(settings, story)
    with pytest.raises(NotAllowed, match=r"\d+ returns for 2025-26-Q1 are not accepted yet"):
        decide.lock(WALES, Q1, role=DIRECTOR)
    event = decide.lock(WALES, Q1, role=DIRECTOR, with_gaps=True)
    # Wales: 22 authorities, 5 regions with two returns each, 2 voluntary agencies.
    assert event["not_accepted"] == 22 + 10 + 2
    with pytest.raises(NotAllowed, match="publish it first, or unlock it"):
        decide.revise(WALES, Q1, role=DIRECTOR, reason="A late return came in.")
    decide.unlock(WALES, Q1, role=DIRECTOR, reason="Locked a week too early.")
    decide.withdraw(sent, role=HEAD, reason="The file was of another quarter.")
    assert last_event(settings)["event"] == "withdrawn"


def test_a_revision_names_what_it_releases_and_no_stranger(
    settings: Settings, story: Story
) -> None:
    story.send()
    story.tell(story.lock()).tell(story.publish())
    late = story.send()
    decide = entered(settings, story)
    with pytest.raises(NotAllowed, match="S999999 is not held for a revision of 2025-26-Q1"):
        decide.revise(WALES, Q1, role=DIRECTOR, reason="A late return came.", only=["S999999"])
    event = decide.revise(WALES, Q1, role=DIRECTOR, reason="A late return came in.")
    assert (event["released"], event["withdrawals"]) == ([late], [])


def test_a_clock_that_was_set_back_does_not_reorder_the_ledger(
    settings: Settings, story: Story
) -> None:
    sent = story.send(queries={"child": {"CH400": 3}})
    story.tell(story.tolerate())
    before = datetime.fromisoformat(story.events[-1]["at"])
    Ledger(settings.ledger).append(*story.events)
    decide = Decisions(settings, story.declarations, clock=lambda: before - timedelta(days=9))
    decide.sign_off(sent, role=HEAD)
    assert datetime.fromisoformat(str(last_event(settings)["at"])) == before


def test_a_refused_decision_leaves_the_ledger_as_it_was(settings: Settings, story: Story) -> None:
    sent = story.send()
    decide = entered(settings, story)
    before = settings.ledger.read_bytes()
    for attempt in (
        lambda: decide.accept(sent, role=LEAD),
        lambda: decide.sign_off(sent, role=LEAD),
        lambda: decide.withdraw(sent, role=HEAD, reason="short"),
        lambda: decide.withdraw("S999999", role=HEAD, reason="A wrong file was sent."),
    ):
        with pytest.raises((NotAllowed, NamesSomebody)):
            attempt()
    assert settings.ledger.read_bytes() == before


def test_nothing_is_decided_while_returns_are_taken_in(settings: Settings, story: Story) -> None:
    sent = story.send()
    decide = entered(settings, story)
    with Ledger(settings.ledger).held(), pytest.raises(LedgerBusy):
        decide.sign_off(sent, role=HEAD)


# --- who may, and when -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("Jane Smith", "There is no role Jane Smith. This is for: head_of_service"),
        ("data_officer", r"The role data_officer may not do this \(sign_off\)"),
        (DIRECTOR, r"may not do this \(sign_off\). It is for: head_of_service"),
    ],
)
def test_only_a_declared_role_with_the_duty_may_decide(
    settings: Settings, story: Story, role: str, told: str
) -> None:
    sent = story.send()
    with pytest.raises(NotAllowed, match=told):
        entered(settings, story).sign_off(sent, role=role)


def test_a_quarter_is_not_locked_before_its_deadline_is_over_by_local_time(
    settings: Settings, story: Story
) -> None:
    story.send()
    Ledger(settings.ledger).append(*story.events)
    for moment, is_early in (
        (datetime(2025, 7, 30, 22, 59, tzinfo=UTC), True),
        (datetime(2025, 7, 30, 23, 0, tzinfo=UTC), False),  # midnight in Cardiff
    ):
        decide = Decisions(settings, story.declarations, clock=lambda now=moment: now)
        told = "until 2025-07-30: lock the quarter after" if is_early else "are not accepted yet"
        with pytest.raises(NotAllowed, match=told):
            decide.lock(WALES, Q1, role=DIRECTOR)


def test_a_tolerance_lasts_as_long_as_the_policy_allows_and_no_longer(
    settings: Settings, story: Story
) -> None:
    story.send(queries={"child": {"CH400": 3}})
    decide = entered(settings, story)
    asked = (ANGLESEY, "child", Q1, "CH400")
    terms = {"limit": 3, "role": LEAD, "explanation": WHY}
    with pytest.raises(NotAllowed, match="until 2025-26-Q4 at the latest"):
        decide.tolerate(*asked, until=Quarter(2026, 1), **terms)
    decide.tolerate(*asked, until=Quarter(2025, 4), **terms)


@pytest.mark.parametrize(
    ("sender", "name", "told"),
    [
        ("NOBODY", "child", "NOBODY is not a sender"),
        (ANGLESEY, "carer", "There is no return called carer"),
    ],
)
def test_what_is_not_declared_is_told(
    settings: Settings, story: Story, sender: str, name: str, told: str
) -> None:
    decide = entered(settings, story)
    terms = {"limit": 3, "until": Q1, "role": LEAD, "explanation": WHY}
    with pytest.raises(NotAllowed, match=told):
        decide.tolerate(sender, name, Q1, "CH400", **terms)


def test_a_nation_without_a_policy_is_told(settings: Settings, story: Story) -> None:
    with pytest.raises(NotAllowed, match="No policy is declared for S92000003"):
        entered(settings, story).lock("S92000003", Q1, role=DIRECTOR)


# --- sentences name no child -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Confirmed with the social worker on 3 May 2025.",
        "Moved on 03/05/2025 with the foster carers.",
        "Moved on 3.5.25 with the foster carers.",
        "Born 2019-05, so too young for the rule.",
        "They were placed in May 2024 already.",
        "They were placed on the 3rd of June.",
        "Lleolwyd y plant ym mis Mai 2024.",
        "Ganed y plentyn ar 3 Fehefin eleni.",
        "Placed on 12/19 as the record says.",
        "The record 123456 was checked again.",
        "The record LA/00089 was checked again.",
        "NHS number 943 476 5919 was wrong.",
        "Ask jane.smith@example.org about them.",
        "short",
        "x" * 401,
        "A line with a\x07bell in it, twice.",
    ],
)
def test_a_sentence_that_could_point_to_a_child_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NamesSomebody) as caught:
        check_free_text(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Twelve children share one surname; the social worker may confirm 3 of them.",
        "Correct since 2025-26-Q1: rule CH210 does not know kinship placements.",
        "About 2.5 per cent of 14 rows; 3 in 4 are siblings.",
        "Mae'r tîm wedi cadarnhau dyddiadau 12 o blant.",
    ],
)
def test_a_sentence_about_rules_quarters_and_counts_is_taken(text: str) -> None:
    assert check_free_text(text) == text


def test_a_reference_of_the_very_return_is_recognised_in_any_spelling(
    settings: Settings, story: Story
) -> None:
    sent = story.send()
    decide = entered(settings, story)
    raw = settings.raw / "child" / Q1.label / "batch.parquet"
    raw.parent.mkdir(parents=True)
    pl.DataFrame(
        {
            "sender_code": [ANGLESEY, ANGLESEY, GWYNEDD],
            "child_reference": ["ab 12", "7", "QX77"],
            "sibling_group_reference": [None, "SG-4", None],
            "adopter_household_reference": [None, None, None],
        }
    ).write_parquet(raw)
    for text in ("The child AB12 left the area.", "Group sg-4 left the area.", "Ab 12 was sent."):
        with pytest.raises(NamesSomebody, match="a reference that is in this return") as caught:
            decide.withdraw(sent, role=HEAD, reason=text)
        assert "12" not in str(caught.value)
    # 7 could be any number, and QX77 is another sender's, of whom nothing is given away.
    decide.withdraw(sent, role=HEAD, reason="Sheet 7 was of the wrong year, not QX77.")
