"""Refused, or accepted, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from expectations.rule_counts import REASON_OF, SKIPPED, RuleCounts, rules_sentence
from expectations.suite import PROBLEM_SCHEMA
from expectations.verdicts import ReturnSent, Verdict, decide_verdict
from pipelines.declarations import RefusalPolicy, Text
from pipelines.readers.sentences import FileProblem, Severity
from pipelines.text.catalogue import translations

WORDS = Text(en="x", cy="x")


def limits_of(rows: int = 2, percent: float = 10) -> RefusalPolicy:
    """Refused above both ``rows`` rows and ``percent`` per cent."""
    return RefusalPolicy(
        tolerated_error_rows=rows, tolerated_error_percent=percent, status="proposed", note=WORDS
    )


def file_problem(code: str, severity: Severity) -> FileProblem:
    return FileProblem(
        code,
        severity,
        sheet=None,
        field=None,
        sentence_en="The sheet is missing: add it.",
        sentence_cy="Mae'r daflen ar goll: ychwanegwch hi.",
    )


def problems(*rows: tuple[str, int, str], submission: str = "mine") -> pl.DataFrame:
    """Rows of (return, sheet row, severity)."""
    return pl.DataFrame(
        [
            {
                "submission_id": submission,
                "return_name": return_name,
                "sheet_row": row,
                "severity": severity,
                "code": "X",
            }
            for return_name, row, severity in rows
        ],
        schema=PROBLEM_SCHEMA,
    )


def verdict(
    child_rows: int = 50,
    *,
    row_problems: pl.DataFrame | None = None,
    file_problems: Sequence[FileProblem] = (),
    due: Sequence[str] = ("child",),
    returns: dict[str, ReturnSent] | None = None,
    limits: RefusalPolicy | None = None,
    crashed: Sequence[str] = (),
) -> Verdict:
    return decide_verdict(
        "mine",
        due=due,
        returns={"child": ReturnSent("child", child_rows)} if returns is None else returns,
        file_problems=file_problems,
        row_problems=problems() if row_problems is None else row_problems,
        limits=limits or limits_of(),
        crashed_rules=crashed,
    )


def test_a_return_without_problems_is_accepted() -> None:
    given = verdict()
    assert (given.status, given.refusal_code, given.refusal_sentence_en) == ("accepted", None, None)
    assert given.is_accepted
    counts = given.returns["child"]
    assert (counts.rows_read, counts.rows_accepted, counts.rows_quarantined) == (50, 50, 0)


def test_a_query_is_accepted_and_said() -> None:
    given = verdict(row_problems=problems(("child", 2, "query")))
    assert given.status == "accepted with queries"
    assert given.quarantined == frozenset()
    assert given.returns["child"].queries == 1


def test_a_query_on_the_file_is_accepted_and_said() -> None:
    assert verdict(file_problems=[file_problem("ODD", "query")]).status == "accepted with queries"


def test_rows_with_errors_are_set_aside_and_the_rest_accepted() -> None:
    found = problems(
        ("child", 9, "error"), ("child", 4, "error"), ("child", 4, "error"), ("child", 5, "query")
    )
    given = verdict(row_problems=found)
    assert given.status == "accepted with errors quarantined"
    assert given.quarantined == {("child", 4), ("child", 9)}
    assert given.quarantined_rows("child") == [4, 9]
    assert given.quarantined_rows("adopter") == []
    counts = given.returns["child"]
    assert (counts.rows_accepted, counts.rows_quarantined) == (48, 2)
    assert (counts.errors, counts.queries) == (3, 1)


def test_problems_of_another_submission_are_not_held_against_this_one() -> None:
    other = problems(("child", 4, "error"), submission="theirs")
    assert verdict(row_problems=other).status == "accepted"


def test_an_error_of_the_file_refuses_it_in_its_own_words() -> None:
    given = verdict(file_problems=[file_problem("SHEET_MISSING", "error")])
    assert (given.status, given.refusal_code) == ("refused", "SHEET_MISSING")
    assert given.refusal_sentence_en == "The sheet is missing: add it."
    assert given.refusal_sentence_cy == "Mae'r daflen ar goll: ychwanegwch hi."


def test_in_a_refused_submission_no_row_is_accepted() -> None:
    counts = verdict(file_problems=[file_problem("X", "error")]).returns["child"]
    assert (counts.rows_read, counts.rows_accepted, counts.rows_quarantined) == (50, 0, 50)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "RETURN_MISSING"),
        ({"child": ReturnSent("child", 0)}, "RETURN_MISSING"),
        ({"child": ReturnSent("child", 0, is_nil=True)}, None),
        ({"child": ReturnSent("child", 1)}, None),
        ({"child": ReturnSent("child", 1, is_nil=True)}, "NIL_WITH_ROWS"),
    ],
)
def test_a_return_due_is_there_with_rows_or_ticked_as_nil(
    sent: dict[str, ReturnSent], code: str | None
) -> None:
    assert verdict(returns=sent).refusal_code == code


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (ReturnSent("adopter", 3), "RETURN_NOT_DUE"),
        (ReturnSent("adopter", 0), None),
        (ReturnSent("adopter", 0, is_nil=True), None),
    ],
)
def test_a_return_somebody_else_sends_has_no_rows(sent: ReturnSent, code: str | None) -> None:
    given = verdict(returns={"child": ReturnSent("child", 9), "adopter": sent})
    assert given.refusal_code == code


@pytest.mark.parametrize(
    ("rows", "wrong", "refused"),
    [
        (10, 2, False),  # 20 per cent, but no more than 2 rows
        (30, 3, False),  # 3 rows, but no more than 10 per cent
        (29, 3, True),
        (10, 3, True),
    ],
)
def test_a_return_is_refused_when_its_errors_exceed_both_limits(
    rows: int, wrong: int, refused: bool
) -> None:
    found = problems(*(("child", row, "error") for row in range(2, 2 + wrong)))
    given = verdict(rows, row_problems=found)
    assert given.refusal_code == ("TOO_MANY_ERRORS" if refused else None)


def test_the_limits_hold_for_each_return_alone() -> None:
    returns = {"child": ReturnSent("child", 1000), "adopter": ReturnSent("adopter", 10)}
    wrong = problems(*(("adopter", row, "error") for row in (2, 3, 4)))
    given = verdict(returns=returns, due=("child", "adopter"), row_problems=wrong)
    assert given.refusal_code == "TOO_MANY_ERRORS"
    assert "adopter" in (given.refusal_sentence_en or "")
    assert "mabwysiadwyr" in (given.refusal_sentence_cy or "")


def test_a_return_with_no_row_left_is_refused_and_does_not_count_as_nought() -> None:
    given = verdict(1, row_problems=problems(("child", 2, "error")))
    assert given.refusal_code == "NO_ROW_LEFT"
    assert verdict(2, row_problems=problems(("child", 2, "error"))).refusal_code is None


def test_a_crashed_rule_refuses_and_is_named() -> None:
    given = verdict(crashed=["CH208 placed_on"])
    assert (given.status, given.refusal_code) == ("refused", "RULE_CRASHED")
    assert "CH208 placed_on" in (given.refusal_sentence_en or "")
    assert "CH208 placed_on" in (given.refusal_sentence_cy or "")


def test_every_reason_is_given_at_once() -> None:
    given = verdict(
        returns={"adopter": ReturnSent("adopter", 3)}, file_problems=[file_problem("A", "error")]
    )
    codes = [refusal.code for refusal in given.refusals]
    assert codes == ["A", "RETURN_MISSING", "RETURN_NOT_DUE"]
    for refusal in given.refusals:
        assert refusal.sentence_en in (given.refusal_sentence_en or "")


@pytest.mark.parametrize("name", ["child", "adopter", "support"])
def test_every_refusal_speaks_both_languages(name: str) -> None:
    wrong: dict[str, Any] = {name: ReturnSent(name, 1, is_nil=True)}
    given = verdict(returns=wrong, due=(), row_problems=problems((name, 2, "error")))
    assert [refusal.code for refusal in given.refusals] == [
        "NIL_WITH_ROWS",
        "RETURN_NOT_DUE",
        "NO_ROW_LEFT",
    ]
    for refusal in given.refusals:
        assert name in refusal.sentence_en
        assert refusal.sentence_cy and refusal.sentence_cy != refusal.sentence_en


# --- what is said of the rules themselves ------------------------------------------


@pytest.mark.parametrize(
    ("told", "english", "welsh"),
    [
        (
            RuleCounts(61),
            "61 rules ran, 0 could not be run",
            "Rhedodd 61 o reolau, ni ellid rhedeg 0",
        ),
        (
            RuleCounts(61, {"NO_EARLIER_RETURN": 2}),
            "61 rules ran, 2 skipped: no earlier return, 0 could not be run",
            "Rhedodd 61 o reolau, hepgorwyd 2: dim ffurflen gynharach, ni ellid rhedeg 0",
        ),
        (
            RuleCounts(60, {"NO_EARLIER_RETURN": 2, "ADOPTER_RETURN_NOT_IN": 5}, 1),
            "60 rules ran, 7 skipped: the agency's adopter return is not in (5); "
            "no earlier return (2), 1 could not be run",
            "Rhedodd 60 o reolau, hepgorwyd 7: nid yw ffurflen mabwysiadwyr yr asiantaeth wedi "
            "cyrraedd (5); dim ffurflen gynharach (2), ni ellid rhedeg 1",
        ),
    ],
)
def test_every_verdict_can_say_how_many_rules_ran_were_skipped_and_crashed(
    told: RuleCounts, english: str, welsh: str
) -> None:
    assert rules_sentence(told.as_json()) == english
    assert rules_sentence(told.as_json(), "cy") == welsh


def test_a_ledger_from_before_skipped_rules_were_counted_is_still_told() -> None:
    assert rules_sentence({"run": 50, "crashed": 0}) == "50 rules ran, 0 could not be run"


def test_rules_of_several_returns_add_up() -> None:
    added = RuleCounts(3, {"NO_EARLIER_RETURN": 1}, 1) + RuleCounts(
        4, {"NO_EARLIER_RETURN": 2, "NOT_IN_FORCE": 1}
    )
    assert added.as_json() == {
        "run": 7,
        "skipped": {"NOT_IN_FORCE": 1, "NO_EARLIER_RETURN": 3},
        "crashed": 1,
    }


def test_every_reason_to_skip_a_rule_is_said_in_both_languages() -> None:
    assert {*REASON_OF.values(), "NOT_IN_FORCE"} == SKIPPED.keys()
    for english in SKIPPED.values():
        assert english and translations("cy").gettext(english) != english
