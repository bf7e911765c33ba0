"""A collection compares each return with the one before it, and a child with its household."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake.accepted_returns import AcceptedReturns, remembering
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.prior_period import (
    NotThePriorReturn,
    plain_keys,
    reference_data_of_file,
)
from pipelines.intake.problems import problems_of
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, raw_schema
from pipelines.settings import Settings
from pipelines.templates.workbook import write_return
from tests.unit.returns_made import SUPPORT, child

Q1, Q2, Q3 = (Quarter(2020, number) for number in (1, 2, 3))
REGION = "NWAS"  # recruits adopters for W06000001


_child = partial(child, referred_on=date(2020, 4, 3))  # in the first quarter


def _matched(reference: str, household: str, day: date) -> dict[str, Any]:
    return _child(
        reference,
        should_be_placed_decision_on=date(2020, 5, 1),
        placement_order_on=date(2020, 6, 1),
        authority_to_place="placement_order",
        matched_on=day,
        placement_source="in_region",
        placement_provider="PR2",
        adopter_agency_code=REGION,
        adopter_household_reference=household,
        is_foster_carer_adoption="no",
        family_finding_status="ended",
    )


def _household(reference: str, day: date) -> dict[str, Any]:
    return {
        "household_reference": reference,
        "adopters_in_household": "2",
        "enquired_on": date(2019, 4, 1),
        "registered_on": date(2019, 6, 1),
        "approved_on": date(2019, 12, 1),
        "matched_on": day,
    }


@dataclass
class Story:
    """Returns that come one after the other."""

    settings: Settings
    declarations: Declarations
    versions: dict[tuple[str, Quarter], int] = field(default_factory=dict)

    def send(
        self, sender: str, quarter: Quarter, rows: dict[str, list[dict[str, Any]]], **cover: Any
    ) -> str:
        version = self.versions[sender, quarter] = self.versions.get((sender, quarter), 0) + 1
        answers = {
            "sender_code": sender,
            "quarter": quarter.label,
            "version": version,
            "signed_off_by_role": "Head of service",
            "signed_off_on": quarter.last_day,
            "is_synthetic": "yes",
        } | cover
        path = self.settings.inbox / "return.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_return(path, self.declarations, quarter, answers, rows)
        first = quarter.plus(1).first_day
        when = datetime(first.year, first.month, 10, version, tzinfo=UTC)
        (one,) = receive(self.settings, self.declarations, [Arrival(path, when)])
        assert one.is_waiting, one.refusal_sentence_en
        return one.submission_id

    def judge(self, *quarters: Quarter) -> None:
        for quarter in quarters:
            to_raw(self.settings, self.declarations, quarter)
        to_validated(self.settings, self.declarations, list(quarters))

    def verdict(self, submission_id: str) -> Submission:
        every = Ledger(self.settings.ledger).submissions()
        return next(one for one in every if one.submission_id == submission_id)

    def told(self, submission_id: str) -> list[dict[str, Any]]:
        return problems_of(self.settings, self.verdict(submission_id))

    def codes(self, submission_id: str) -> list[str]:
        return [problem["code"] for problem in self.told(submission_id)]


@pytest.fixture
def story(settings: Settings, declarations: Declarations) -> Story:
    return Story(settings, declarations)


def test_a_child_who_vanished_is_asked_about_by_the_rows_of_the_last_return(story: Story) -> None:
    story.send("W06000001", Q1, {"child": [_child(f"SECRET{n}") for n in range(4)]})
    now = story.send("W06000001", Q2, {"child": [_child("SECRET1"), _child("SECRET2")]})
    story.judge(Q1, Q2)
    (problem,) = story.told(now)
    assert (problem["code"], problem["severity"]) == ("CH801", "query")
    assert (problem["sheet"], problem["cell"], problem["sheet_row"]) == ("Children", None, None)
    # The template's first row of data is the fifth of the sheet.
    rows = pl.read_parquet(next((story.settings.validated / "child" / Q1.label).glob("*.parquet")))[
        "sheet_row"
    ].to_list()
    assert f"rows {rows[0]}, {rows[3]} of its sheet" in problem["sentence_en"]
    verdict = story.verdict(now)
    assert verdict.status == "accepted with queries"
    assert "SECRET" not in json.dumps(Ledger(story.settings.ledger).events())
    assert "SECRET" not in str(problem)


def test_quarters_judged_at_once_are_compared_as_if_one_came_after_the_other(
    story: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def send_all(to: Story) -> list[str]:
        return [
            to.send("W06000001", Q1, {"child": [_child("A"), _child("B")]}),
            to.send("W06000001", Q2, {"child": [_child("A", referred_on=date(2020, 4, 4))]}),
            to.send("W06000001", Q3, {"child": [_child("A")]}),
        ]

    home = tmp_path_factory.mktemp("in turn")
    in_turn = Story(
        Settings(data=home / "data", key_file=home / "keys" / "key"), story.declarations
    )
    at_once = send_all(story)
    story.judge(Q1, Q2, Q3)
    one_by_one = send_all(in_turn)
    for quarter in (Q1, Q2, Q3):
        in_turn.judge(quarter)
    codes = [story.codes(one) for one in at_once]
    assert codes == [in_turn.codes(one) for one in one_by_one]
    assert codes == [[], ["CH801", "CH612"], ["CH612"]]
    rules = [story.verdict(one).rules for one in at_once]
    assert rules == [in_turn.verdict(one).rules for one in one_by_one]
    assert rules[0]["skipped"]["NO_EARLIER_RETURN"] > 20
    assert "NO_EARLIER_RETURN" not in rules[1]["skipped"]
    assert rules[0]["run"] + sum(rules[0]["skipped"].values()) == rules[1]["run"] + sum(
        rules[1]["skipped"].values()
    )


def test_the_newest_accepted_version_is_what_the_next_quarter_is_compared_with(
    story: Story,
) -> None:
    story.send("W06000001", Q1, {"child": [_child("A"), _child("B")]})
    story.judge(Q1)
    story.send("W06000001", Q1, {"child": [_child("A", referred_on=date(2020, 4, 4))]})
    refused = story.send("W06000001", Q1, {"child": [_child("A", referred_on=None)]})
    now = story.send("W06000001", Q2, {"child": [_child("A", referred_on=date(2020, 4, 4))]})
    story.judge(Q1, Q2)
    assert story.verdict(refused).status == "refused"
    assert story.codes(now) == []


def test_a_return_that_was_withdrawn_is_not_compared_with(story: Story) -> None:
    sent = story.send("W06000001", Q1, {"child": [_child("A")]})
    story.judge(Q1)
    submissions = Ledger(story.settings.ledger).submissions()

    def senders() -> frozenset[str]:
        accepted = AcceptedReturns(story.settings, story.declarations, submissions, plain_keys)
        return accepted.reference_data(Q2, [], {}).prior_senders["child"]

    assert senders() == {"W06000001"}
    (one,) = [item for item in submissions if item.submission_id == sent]
    one.withdrawn_at = "2020-07-20T10:00:00+00:00"
    assert senders() == frozenset()


def test_rows_that_were_deleted_are_not_taken_for_an_empty_return(story: Story) -> None:
    story.send("W06000001", Q1, {"child": [_child("A")]})
    story.send("W06000005", Q1, {"child": []}, is_nil_child="yes")
    story.judge(Q1)
    (path,) = (story.settings.validated / "child" / Q1.label).glob("*.parquet")
    path.unlink()
    after_rows = story.send("W06000001", Q2, {"child": [_child("A")]})
    after_nil = story.send("W06000005", Q2, {"child": [_child("N")]})
    story.judge(Q2)
    assert story.codes(after_rows) == []
    assert "NO_EARLIER_RETURN" in story.verdict(after_rows).rules["skipped"]
    # A nil return is known without rows: the child should have been on it.
    assert story.codes(after_nil) == ["CH812"]
    assert "NO_EARLIER_RETURN" not in story.verdict(after_nil).rules["skipped"]


def test_a_file_of_another_sender_is_refused_and_does_not_say_whose_it_is(story: Story) -> None:
    theirs = [_child(f"SECRET{n}", date_of_birth=date(2016, 1 + n, 3)) for n in range(6)]
    story.send("W06000002", Q1, {"child": theirs})
    story.send("W06000001", Q1, {"child": [_child("OWN")]})
    wrong = story.send("W06000001", Q2, {"child": theirs})
    # The same references, but other children: nothing is wrong.
    others = [row | {"date_of_birth": date(2018, 1, 3)} for row in theirs]
    right = story.send("W06000003", Q2, {"child": others})
    story.judge(Q1, Q2)
    verdict = story.verdict(wrong)
    assert (verdict.status, verdict.refusal_code) == ("refused", "CH808")
    assert "W06000002" not in str(story.told(wrong)) and "Gwynedd" not in str(story.told(wrong))
    assert "CH808" not in story.codes(right)
    assert story.verdict(right).status != "refused"


def test_last_quarters_file_under_this_quarters_cover_is_refused(story: Story) -> None:
    rows = [_child(f"A{n}") for n in range(10)]
    story.send("W06000001", Q1, {"child": rows})
    again = story.send("W06000001", Q2, {"child": rows})
    story.judge(Q1, Q2)
    assert story.verdict(again).refusal_code == "CH803"


def test_whoever_of_child_and_household_comes_second_is_asked(story: Story) -> None:
    """The authority sends the child, the region the household, on different days."""
    day, other = date(2020, 8, 3), date(2020, 8, 4)
    child = story.send("W06000001", Q2, {"child": [_matched("A", "H", day)]})
    story.judge(Q2)
    skipped = story.verdict(child).rules["skipped"]
    assert skipped["ADOPTER_RETURN_NOT_IN"] == 5
    region = story.send(REGION, Q2, {"adopter": [_household("H", other)], "support": [SUPPORT]})
    story.judge(Q2)
    assert story.codes(child) == []
    assert story.codes(region) == ["AD702"]
    assert story.verdict(region).rules["skipped"] == {
        "NO_EARLIER_RETURN": skipped_of(story, region),
        "NOT_EVERY_CHILD_RETURN_IN": 1,
    }
    again = story.send("W06000001", Q2, {"child": [_matched("A", "H", day), _child("B")]})
    story.judge(Q2)
    assert "ADOPTER_RETURN_NOT_IN" not in story.verdict(again).rules["skipped"]
    assert story.codes(again)[-1] == "CH702"


def skipped_of(story: Story, submission_id: str) -> int:
    return story.verdict(submission_id).rules["skipped"]["NO_EARLIER_RETURN"]


def test_child_and_household_judged_at_once_are_both_asked(story: Story) -> None:
    child = story.send("W06000001", Q2, {"child": [_matched("A", "H", date(2020, 8, 3))]})
    region = story.send(
        REGION, Q2, {"adopter": [_household("H", date(2020, 8, 4))], "support": [SUPPORT]}
    )
    story.judge(Q2)
    assert story.codes(child) == ["CH702"]
    assert story.codes(region) == ["AD702"]


def test_a_field_that_an_older_batch_does_not_have_is_unknown_and_no_crash(story: Story) -> None:
    story.send("W06000001", Q1, {"child": [_child("A")]})
    story.judge(Q1)
    (path,) = (story.settings.validated / "child" / Q1.label).glob("*.parquet")
    frame = pl.read_parquet(path).drop("life_journey_materials_on", "sex")
    frame.write_parquet(path)
    now = story.send("W06000001", Q2, {"child": [_child("A", sex="male")]})
    story.judge(Q2)
    assert story.codes(now) == []
    assert story.verdict(now).rules["crashed"] == 0


# --- a single file --------------------------------------------------------------------


def _typed(
    declarations: Declarations, sender: str, quarter: Quarter, references: list[str]
) -> dict[str, pl.DataFrame]:
    declared = declarations.returns["child"]
    raw = pl.DataFrame(
        [
            {
                "submission_id": f"{sender} {quarter}",
                "sender_code": sender,
                "quarter": quarter.label,
                "sheet": "Children",
                "sheet_row": number,
                "child_reference": reference,
            }
            for number, reference in enumerate(references, start=5)
        ],
        schema=raw_schema(declared),
    )
    return {"child": cast(raw, declared, quarter, declarations)}


def test_a_file_alone_knows_nothing_before_it(declarations: Declarations) -> None:
    typed = _typed(declarations, "W06000001", Q2, ["A", "B"])
    reference_data = reference_data_of_file(declarations, Q2, "W06000001", typed)
    assert reference_data.prior_senders == {} and reference_data.in_force == {}
    assert reference_data.sent.rows() == [("W06000001 2020-21-Q2", "W06000001", "child")]


def test_a_nil_return_is_sent_without_rows(declarations: Declarations) -> None:
    reference_data = reference_data_of_file(
        declarations, Q2, "W06000001", {}, submission_id="nil one", nil=["child"]
    )
    assert reference_data.sent.rows() == [("nil one", "W06000001", "child")]


@pytest.mark.parametrize(
    ("sender", "quarter"), [("W06000002", Q1), ("W06000001", Q2), ("W06000001", Quarter(2019, 1))]
)
def test_a_file_that_is_not_the_last_return_is_not_compared_with(
    declarations: Declarations, sender: str, quarter: Quarter
) -> None:
    typed = _typed(declarations, "W06000001", Q2, ["A"])
    before = _typed(declarations, sender, quarter, ["SECRET"])
    with pytest.raises(NotThePriorReturn) as refused:
        reference_data_of_file(declarations, Q2, "W06000001", typed, prior_return=before)
    assert "SECRET" not in str(refused.value)
    last = _typed(declarations, "W06000001", Q1, ["A"])
    reference_data = reference_data_of_file(declarations, Q2, "W06000001", typed, prior_return=last)
    assert reference_data.prior_senders == {"child": frozenset({"W06000001"})}


@pytest.mark.parametrize("key_of", [plain_keys, Pseudonymiser(b"k" * 32).of_column])
def test_keys_that_are_remembered_are_the_keys_themselves(key_of: Any) -> None:
    issuers = pl.Series(["X", "Y", None, "X", "X"], dtype=pl.String)
    references = pl.Series(["1", "1", "1", None, "1"], dtype=pl.String)
    asked: list[int] = []

    def listening(kind: str, some: pl.Series, others: pl.Series) -> pl.Series:
        asked.append(some.len())
        return key_of(kind, some, others)

    remembered = remembering(listening)
    for _ in range(2):
        found = remembered("child", issuers, references).to_list()
        assert found == key_of("child", issuers, references).to_list()
    assert found[0] == found[4] and len({*found}) == 4 and found[3] is None
    assert asked == [3, 0], "each reference once, whoever asks again"
