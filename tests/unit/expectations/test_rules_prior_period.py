"""Rules that compare with the last return or another sheet, or look at a return as a whole: each
has a case it fails and a near miss it passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from expectations import suite
from expectations.fields import checks_in_force
from expectations.reference_data import ReferenceData
from expectations.return_as_a_whole import ROWS_NAMED, rows_in_words
from expectations.rule_counts import SKIPPED
from expectations.rules import RULES
from expectations.rules.rule import Rule
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.readers.sentences import FileProblem

Typed = Callable[..., pl.DataFrame]
Row = dict[str, Any]
NOTHING_ELSE: Row = {}

# The quarter is April to June 2025, the one before it January to March.
BEFORE = date(2025, 3, 31)
WITHIN = date(2025, 4, 1)
LAST_DAY = date(2025, 6, 30)
AFTER = date(2025, 7, 1)

NOT_ADOPTED = {"adoption_order_on": None}
NOT_PLACED = NOT_ADOPTED | {
    "matched_on": None,
    "placed_on": None,
    "life_journey_materials_on": None,
}
NO_DECISION = NOT_PLACED | {"should_be_placed_decision_on": None, "placement_order_on": None}
PLAN_ENDED = NOT_PLACED | {"plan_ended_on": date(2024, 1, 5), "plan_ended_reason": "RD1"}
DISRUPTED = NOT_ADOPTED | {"disrupted_on": date(2024, 6, 1)}
EARLY = {"early_permanence": "concurrent", "early_permanence_placed_on": date(2023, 2, 1)}
LEFT = {"left_on": date(2025, 2, 1), "left_reason": "other"}


def unreadable(name: str) -> Row:
    return {name: None, f"readable__{name}": False}


@dataclass(frozen=True)
class Twins:
    """A row of the last return, or of the other sheet; a row that fails against it, and one that
    does not. ``passes_against``: what the near miss is compared with, if it is something else."""

    compared: Row
    fails: Row
    passes: Row
    passes_against: Row | None = None


def _moved(name: str, other_day: date, compared: Row = NOTHING_ELSE) -> Twins:
    """Moved by a day; the same day again passes only because it is what the last return said."""
    return Twins(compared, compared | {name: other_day}, compared | {name: other_day},
                 compared | {name: other_day})  # fmt: skip


def _gone(name: str, compared: Row = NOTHING_ELSE) -> Twins:
    """Blank now; there, but not understood."""
    return Twins(compared, compared | {name: None}, compared | unreadable(name))


def _late(name: str, compared: Row) -> Twins:
    """Dated the day before the quarter; its first day."""
    blank = compared | {name: None}
    return Twins(blank, compared | {name: BEFORE}, compared | {name: WITHIN})


# --- the last return -------------------------------------------------------------

EARLIER: dict[str, Twins] = {
    "CH601": Twins({}, {"date_of_birth": date(2021, 4, 1)}, {"date_of_birth": date(2021, 3, 31)}),
    "CH602": Twins({}, {"sex": "male"}, {"sex": "female"}),
    "CH611": _moved("entered_care_on", date(2023, 1, 11)),
    "CH612": _moved("referred_on", date(2023, 3, 2)),
    # The plan had ended, so the decision is a new one.
    "CH613": Twins(
        NOT_PLACED,
        NOT_PLACED | {"should_be_placed_decision_on": date(2024, 6, 2)},
        NOT_PLACED | {"should_be_placed_decision_on": date(2024, 6, 2)},
        PLAN_ENDED,
    ),
    "CH614": _moved("placement_order_on", date(2023, 9, 2)),
    # Matched, and placed, with another family after the placement broke down.
    "CH615": Twins(
        NOT_ADOPTED,
        NOT_ADOPTED | {"matched_on": date(2024, 9, 1)},
        DISRUPTED | {"matched_on": date(2024, 9, 1)},
    ),
    "CH616": Twins(
        NOT_ADOPTED,
        NOT_ADOPTED | {"placed_on": date(2024, 9, 1)},
        DISRUPTED | {"placed_on": date(2024, 9, 1)},
    ),
    "CH617": _moved("adoption_order_on", date(2024, 11, 2)),
    "CH618": _moved("plan_ended_on", date(2024, 1, 6), PLAN_ENDED),
    "CH619": _moved("early_permanence_placed_on", date(2023, 2, 2), EARLY),
    "CH623": _gone("should_be_placed_decision_on"),
    "CH624": _gone("placement_order_on"),
    "CH625": _gone("matched_on", NOT_ADOPTED),
    # Matched again and not placed yet.
    "CH626": Twins(
        NOT_ADOPTED,
        NOT_ADOPTED | {"placed_on": None},
        DISRUPTED | {"matched_on": date(2024, 9, 1), "placed_on": None},
    ),
    "CH628": _gone("disrupted_on", DISRUPTED),
    "CH629": _gone("early_permanence_placed_on", EARLY),
    "CH633": _late("should_be_placed_decision_on", NOT_PLACED),
    "CH634": _late("placement_order_on", NOT_PLACED),
    "CH635": _late("matched_on", NOT_ADOPTED),
    "CH636": _late("placed_on", NOT_ADOPTED),
    "CH637": _late("adoption_order_on", {}),
    "CH638": _late("plan_ended_on", PLAN_ENDED),
    "CH639": _late("disrupted_on", NOT_ADOPTED),
    "CH641": Twins({}, NOT_ADOPTED, {} | unreadable("adoption_order_on")),
    "CH642": Twins(
        PLAN_ENDED,
        PLAN_ENDED | {"plan_ended_on": None},
        PLAN_ENDED | {"plan_ended_on": None, "should_be_placed_decision_on": WITHIN},
    ),
    # On the day the plan ended; the day after.
    "CH643": Twins(
        PLAN_ENDED,
        NOT_PLACED | {"should_be_placed_decision_on": date(2024, 1, 5)},
        NOT_PLACED | {"should_be_placed_decision_on": date(2024, 1, 6)},
    ),
    "CH644": Twins(
        NO_DECISION | {"referral_withdrawn_on": BEFORE},
        NO_DECISION | {"referral_withdrawn_on": None},
        NO_DECISION | {"referral_withdrawn_on": None, "referred_on": WITHIN},
    ),
    "AD611": _moved("enquired_on", date(2022, 1, 4)),
    "AD612": _moved("registered_on", date(2022, 3, 6)),
    "AD613": _moved("stage_one_started_on", date(2022, 4, 6)),
    "AD614": _moved("stage_one_completed_on", date(2022, 6, 6)),
    "AD615": _moved("stage_two_started_on", date(2022, 7, 6)),
    "AD616": _moved("approved_on", date(2022, 11, 6)),
    "AD617": _moved("left_on", date(2025, 2, 2), LEFT),
    "AD618": Twins({}, {"matched_on": date(2024, 1, 31)}, {"matched_on": date(2024, 2, 2)}),
    "AD622": _gone("registered_on"),
    "AD626": _gone("approved_on"),
    "AD628": _gone("matched_on"),
    "AD632": _late("registered_on", {}),
    "AD636": _late("approved_on", {}),
    "AD638": _late("matched_on", {}),
    "AD639": _late("left_on", LEFT),
    "AD641": Twins(LEFT, {"left_on": None}, {"left_on": None, "enquired_on": WITHIN}),
    # Three times as many, and over 30 more, passes; one more does not.
    **{
        f"SU60{number}": Twins({name: 20}, {name: 61}, {name: 60})
        for number, name in enumerate(
            next(rule.fields for rule in RULES["support"] if rule.code == "SU610"), start=1
        )
    },
    "SU610": Twins({}, {"contact_exchanges": 80}, {"contact_exchanges": 81}),
}

# --- the other sheet --------------------------------------------------------------

# The household H1 of the agency, or the child of another sender that is matched with it.
HERE = {"household_reference": "H1"}
CHILD_OF = {"adopter_household_reference": "H1", "adopter_agency_code": "AGENCY"}
ACROSS: dict[str, Twins] = {
    "CH701": Twins(
        HERE, CHILD_OF | {"adopter_household_reference": "H9"},
        CHILD_OF | {"adopter_household_reference": "h1 "},
    ),
    # After the order the household may be matched again.
    "CH702": Twins(
        HERE, CHILD_OF | NOT_ADOPTED | {"matched_on": date(2024, 2, 2)},
        CHILD_OF | {"matched_on": date(2024, 2, 2)},
    ),
    "CH703": Twins(
        HERE, CHILD_OF | NOT_ADOPTED | {"placed_on": date(2024, 3, 2)},
        CHILD_OF | DISRUPTED | {"placed_on": date(2024, 3, 2)},
    ),
    "CH704": Twins(
        HERE | {"approved_on": date(2024, 2, 2)},
        CHILD_OF | {"matched_on": date(2024, 2, 1)},
        CHILD_OF | {"matched_on": date(2024, 2, 2)},
    ),
    "CH705": Twins(HERE | LEFT, CHILD_OF | NOT_ADOPTED, CHILD_OF | DISRUPTED),
    "AD701": Twins(
        CHILD_OF,
        {"household_reference": "H2", "matched_on": WITHIN},
        {"household_reference": "H2", "matched_on": BEFORE, "placed_on": BEFORE},
    ),
    "AD702": Twins(
        CHILD_OF | NOT_ADOPTED,
        HERE | {"matched_on": date(2024, 2, 2)},
        HERE | {"matched_on": date(2024, 2, 1)},
    ),
    "AD703": Twins(
        CHILD_OF | NOT_ADOPTED,
        HERE | {"placed_on": date(2024, 3, 2)},
        HERE | {"placed_on": date(2024, 3, 1)},
    ),
}  # fmt: skip

# --- the return as a whole ---------------------------------------------------------


@dataclass(frozen=True)
class Wholes:
    """Rows of the last return, and returns that fail and pass beside it. ``others``: rows of
    another sender's last return."""

    before: list[Row]
    fails: list[Row]
    passes: list[Row]
    says: str = ""  # in the English sentence
    others: list[Row] | None = None


def _children(*numbers: int, **change: Any) -> list[Row]:
    return [NOT_ADOPTED | {"child_reference": f"C{number}"} | change for number in numbers]


def _households(*numbers: int, **change: Any) -> list[Row]:
    return [{"household_reference": f"H{number}"} | change for number in numbers]


def _called(cases: Callable[..., list[Row]], *references: str) -> list[Row]:
    """As many cases, with these references."""
    [key] = [name for name in cases(1)[0] if name.endswith("_reference")]
    return [cases(1)[0] | {key: reference} for reference in references]


def _wholes(letters: str, cases: Callable[..., list[Row]], began: str, ends: Row) -> Any:
    some = {"matched_on": WITHIN} if letters == "AD" else {"placed_on": WITHIN}
    other_identity = (
        {"date_of_birth": date(2021, 5, 1)} if letters == "CH" else {"enquired_on": BEFORE}
    )
    return {
        f"{letters}801": Wholes(
            [*cases(1), *cases(2), *cases(3, **ends)], cases(1), cases(1, 2), "(row 3 of its sheet"
        ),
        # 12 more than 12; 10 more.
        f"{letters}802": Wholes(
            cases(*range(12)), cases(*range(24)), cases(*range(22)), "24 "
        ),
        f"{letters}803": Wholes(
            cases(*range(10)), cases(*range(10)), [*cases(*range(9)), *cases(9, **some)], "(10 "
        ),
        f"{letters}804": Wholes(cases(*range(5)), cases(*range(5)), cases(*range(4)), "All 5 "),
        # Three of five rows; three of six.
        f"{letters}805": Wholes(
            [],
            [*cases(1, 2, 3, placed_on=AFTER), *cases(4, 5)],
            [*cases(1, 2, 3, placed_on=AFTER), *cases(4, 5, 6)],
            "3 of 5 rows",
        ),
        f"{letters}806": Wholes(
            [],
            cases(*range(5)),
            [*cases(*range(4)), *cases(4, placed_on=LAST_DAY)],
            "the latest falls in 2024-25-Q1" if letters == "CH" else "2023-24-Q4",
        ),
        # None of five; one of five, which is 20 per cent.
        f"{letters}807": Wholes(
            cases(*range(5)), cases(*range(5, 10)), cases(*range(4, 9)), "Of 5 "
        ),
        # Four of five are the other's; three, for the rest is born, or enquired, at another time.
        f"{letters}808": Wholes(
            cases(90),
            [*cases(*range(4)), *cases(4, **other_identity)],
            [*cases(*range(3)), *cases(3, 4, **other_identity)],
            others=cases(*range(5)),
        ),
        f"{letters}811": Wholes(
            [],
            [*cases(1), *cases(2, **ends)],
            [*cases(1), *cases(2, **{name: day if isinstance(day, str) else WITHIN
                                     for name, day in ends.items()})],
            "(row 3)",
        ),
        f"{letters}812": Wholes(
            cases(1), cases(1, 2), [*cases(1), *cases(2, **{began: WITHIN})], "(row 3)"
        ),
        f"{letters}813": Wholes(
            [],
            [*cases(1), *cases(2, **{began: date(1989, 12, 31)})],
            [*cases(1), *cases(2, **{began: date(1990, 1, 1)})],
            "before 1990 (row 3)",
        ),
        f"{letters}814": Wholes(
            [],
            cases(1, 2, 3, 4, **{began: date(2020, 1, 1)}),
            [*cases(1, 2, 3, **{began: date(2020, 1, 1)}), *cases(4, **{began: date(2020, 1, 2)})],
            "(rows 2–5)",
        ),
        # Easter Monday.
        f"{letters}815": Wholes(
            [],
            cases(1, 2, 3, matched_on=date(2025, 4, 21)),
            [*cases(1, 2, matched_on=date(2025, 4, 21)), *cases(3, matched_on=date(2025, 4, 22))],
            "(rows 2–4)",
        ),
        f"{letters}816": Wholes(
            _called(cases, "0071", "0172", "0003"),
            _called(cases, "71", "172", "3"),
            _called(cases, "71", "172", "0003"),
            "(3 ",
        ),
        f"{letters}817": Wholes(
            _called(cases, "71-A", "72-A", "73"),
            _called(cases, "71\u2013A", "72\u2013A", "73.0"),
            _called(cases, "71\u2013A", "72\u2013A", "73"),
            "(3 ",
        ),
    }  # fmt: skip


WHOLES: dict[str, Wholes] = {
    **_wholes("CH", _children, "referred_on", {"adoption_order_on": BEFORE}),
    **_wholes("AD", _households, "enquired_on", {"left_on": BEFORE, "left_reason": "other"}),
}

BY_CODE = {rule.code: rule for rules in RULES.values() for rule in rules}


def test_every_rule_that_looks_beside_has_its_twins_and_every_twin_its_rule() -> None:
    compared_rules = {code for code, rule in BY_CODE.items() if rule.needs and rule.level == "row"}
    assert compared_rules == EARLIER.keys() | ACROSS.keys()
    assert {code for code, rule in BY_CODE.items() if rule.level == "return"} == WHOLES.keys()


@pytest.fixture
def problems(
    typed: Typed,
    sent_by: Callable[..., pl.DataFrame],
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> Callable[..., Any]:
    """What one rule says of a sender's rows beside other rows; the sender is AGENCY."""

    def check(
        rule: Rule,
        rows: list[Row],
        prior: list[Row] | None = None,
        others: list[Row] | None = None,
        other_sheet: list[Row] | None = None,
    ) -> list[Any]:
        name, last = rule.return_name, quarter.plus(-1)
        other_name = "adopter" if name == "child" else "child"
        now = sent_by(typed(name, {"now": rows}), "SENDER" if name == "child" else "AGENCY")
        sender = now["sender_code"][0]
        known: dict[str, Any] = {}
        frames = []
        if prior is not None:
            frames.append(sent_by(typed(name, {"before": prior}, last), sender))
        if others is not None:
            frames.append(sent_by(typed(name, {"theirs": others}, last), "OTHER"))
            known["knows_other_senders"] = True
        if frames:
            known["prior"] = {name: pl.concat(frames)}
        if other_sheet is not None:
            other_sender = "AGENCY" if other_name == "adopter" else "SENDER"
            frame = sent_by(typed(other_name, {"in force": other_sheet}), other_sender)
            known |= {"in_force": {other_name: frame}, "every_child_return": True}
        result = suite.validate_quarter(
            name, now, quarter, declarations, engine="polars",
            reference_data=reference_data_of({name: now}, **known),
        )  # fmt: skip
        assert not result.crashes
        if rule.level == "return":
            return [one for one in result.of_the_whole.get("now", ()) if one.code == rule.code]
        return result.problems.filter(pl.col("code") == rule.code).rows(named=True)

    return check


@pytest.mark.parametrize("code", EARLIER)
def test_a_case_is_compared_with_the_last_return(code: str, problems: Callable[..., Any]) -> None:
    rule, twins = BY_CODE[code], EARLIER[code]
    key = {"child": {"child_reference": "C"}, "adopter": {"household_reference": "H"}}
    same = key.get(rule.return_name, {})
    compared = twins.compared | same
    (found,) = problems(rule, [twins.fails | same], [compared])
    assert (found["field"], found["severity"]) == (rule.fields[0], rule.severity)
    passes_against = compared if twins.passes_against is None else twins.passes_against | same
    assert problems(rule, [twins.passes | same], [passes_against]) == []
    # Without a last return, or without the case on it, there is nothing to compare.
    assert problems(rule, [twins.fails | same]) == []
    if same:
        somebody_else = {name: "X" for name in same}
        assert problems(rule, [twins.fails | same], [compared | somebody_else]) == []
    for change in (twins.fails, twins.passes):
        assert set(change) & set(rule.fields), "the twin does not touch the rule's fields"


@pytest.mark.parametrize("code", ACROSS)
def test_a_child_is_compared_with_its_household(code: str, problems: Callable[..., Any]) -> None:
    rule, twins = BY_CODE[code], ACROSS[code]
    (found,) = problems(rule, [twins.fails], other_sheet=[twins.compared])
    assert (found["field"], found["severity"]) == (rule.fields[0], rule.severity)
    assert problems(rule, [twins.passes], other_sheet=[twins.compared]) == []
    assert problems(rule, [twins.fails]) == []


@pytest.mark.parametrize("code", WHOLES)
def test_a_return_is_looked_at_as_a_whole(code: str, problems: Callable[..., Any]) -> None:
    rule, twins = BY_CODE[code], WHOLES[code]
    before = twins.before if rule.needs else None
    (found,) = problems(rule, twins.fails, before, twins.others)
    assert (found.severity, found.field) == (rule.severity, None)
    assert found.sheet in ("Children", "Adopters")
    assert twins.says in found.sentence_en
    for sentence in (found.sentence_en, found.sentence_cy):
        assert "{" not in sentence and "None" not in sentence
    assert problems(rule, twins.passes, before, twins.others) == []
    if rule.needs:
        assert problems(rule, twins.fails) == []


def test_no_sentence_about_a_return_holds_a_reference_or_a_date(
    problems: Callable[..., Any],
) -> None:
    for code, twins in WHOLES.items():
        rule = BY_CODE[code]
        before = twins.before if rule.needs else None
        for one in problems(rule, twins.fails, before, twins.others):
            assert isinstance(one, FileProblem)
            said = one.sentence_en + one.sentence_cy
            assert not re.search(r"\b[CH][0-9]+\b|20[0-9]{2}-[0-9]{2}-[0-9]{2}|/", said), said


# --- cases that would be easy to get wrong -------------------------------------------


def test_a_row_that_was_set_aside_last_time_is_known_but_not_compared(
    typed: Typed,
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    now = typed("child", {"now": [{"child_reference": "C1", "sex": "male"}]})
    last = typed("child", {"before": [{"child_reference": "C1"}]}, quarter.plus(-1))
    reference_data = reference_data_of({"child": now}, {"child": last})
    aside = reference_data.prior["child"].with_columns(row_status=pl.lit("quarantined"))
    reference_data = replace(reference_data, prior={**reference_data.prior, "child": aside})
    result = suite.validate_quarter(
        "child", now, quarter, declarations, engine="polars", reference_data=reference_data
    )
    codes = [*result.problems["code"], *(one.code for one in result.of_the_whole["now"])]
    assert [code for code in codes if code[2] in "678"] == ["CH811"]


def test_a_nil_return_after_open_cases_is_asked_about_them(
    typed: Typed,
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    now = typed("child", {}, quarter)
    last = typed("child", {"before": _children(1, 2)}, quarter.plus(-1))
    reference_data = reference_data_of(
        {"child": now}, {"child": last}, nil=[("now", last["sender_code"][0], "child")]
    )
    result = suite.validate_quarter(
        "child", now, quarter, declarations, engine="polars", reference_data=reference_data
    )
    (problem,) = result.of_the_whole["now"]
    assert (problem.code, problem.sheet) == ("CH801", "Children")
    assert "rows 2–3" in problem.sentence_en and "rhesi 2–3" in problem.sentence_cy
    told = result.rule_counts("now")
    assert told.run == sum(rule.level == "return" for rule in RULES["child"]) - 1
    assert told.skipped == {"OTHER_SENDERS_NOT_KNOWN": 1}


def test_a_household_on_the_same_file_counts_and_an_older_version_of_it_does_not(
    typed: Typed,
    sent_by: Callable[..., pl.DataFrame],
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    """An authority that sends both sheets: the file at hand decides, whatever is in force."""
    child = sent_by(typed("child", {"now": [CHILD_OF | NOT_ADOPTED]}), "AGENCY")
    moved = {"matched_on": date(2024, 2, 2)}
    here = sent_by(typed("adopter", {"now": [HERE]}), "AGENCY")
    in_force = sent_by(typed("adopter", {"old": [HERE | moved]}), "AGENCY")

    def codes(now: dict[str, pl.DataFrame]) -> list[str]:
        reference_data = reference_data_of(now, in_force={"adopter": in_force})
        result = suite.validate_quarter(
            "child", child, quarter, declarations, engine="polars", reference_data=reference_data
        )
        skipped = result.rule_counts("now").skipped.get("ADOPTER_RETURN_NOT_IN", 0)
        return [*result.problems["code"], *(["skipped"] if skipped else [])]

    assert "CH702" not in codes({"child": child, "adopter": here})
    assert "CH702" in codes(
        {"child": child, "adopter": here.with_columns(matched_on=date(2024, 2, 2))}
    )
    # A file without the sheet replaces the one that had it.
    assert codes({"child": child})[-1] == "skipped"


def test_children_of_one_household_from_two_senders_are_added_up(
    typed: Typed,
    sent_by: Callable[..., pl.DataFrame],
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    now = sent_by(typed("adopter", {"now": [HERE | {"matched_on": WITHIN}]}), "AGENCY")
    children = pl.concat(
        sent_by(typed("child", {sender: [CHILD_OF | NOT_ADOPTED]}), sender)
        for sender in ("ONE", "TWO")
    )
    reference_data = reference_data_of(
        {"adopter": now}, in_force={"child": children}, every_child_return=True
    )
    result = suite.validate_quarter(
        "adopter", now, quarter, declarations, engine="polars", reference_data=reference_data
    )
    across = [code for code in result.problems["code"] if code.startswith("AD7")]
    assert across == ["AD702"], "named by both, and asked about the date once"


# --- what is said of rules that did not run -----------------------------------------


def test_a_verdict_says_which_rules_were_skipped_and_why(
    typed: Typed,
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    now = typed("child", {"a": [CHILD_OF], "b": [NOT_PLACED | {"adopter_agency_code": None,
                "adopter_household_reference": None}]})  # fmt: skip
    alone = suite.validate_quarter("child", now, quarter, declarations, engine="polars")
    in_all = len(checks_in_force("child", quarter, declarations)[0])
    needing = [rule.needs for rule in RULES["child"] if rule.needs]
    expected = {
        "NO_EARLIER_RETURN": needing.count("prior_return"),
        "OTHER_SENDERS_NOT_KNOWN": needing.count("other_senders"),
        "ADOPTER_RETURN_NOT_IN": needing.count("adopter_return"),
    }
    assert min(expected.values()) > 0
    counts = alone.rule_counts("a")
    assert (dict(counts.skipped), counts.crashed) == (expected, 0)
    assert counts.run == in_all - len(needing)
    assert alone.rule_counts("nobody").run == 0
    # A return that names no household has nothing to look up, so nothing was left out.
    reference_data = reference_data_of(
        {"child": now}, {"child": typed("child", {"before": [{}]}, quarter.plus(-1))}
    )
    known = suite.validate_quarter(
        "child", now, quarter, declarations, engine="polars", reference_data=reference_data
    )
    assert known.rule_counts("b").skipped == {"OTHER_SENDERS_NOT_KNOWN": 1}
    assert known.rule_counts("a").skipped == {
        "OTHER_SENDERS_NOT_KNOWN": 1,
        "ADOPTER_RETURN_NOT_IN": expected["ADOPTER_RETURN_NOT_IN"],
    }
    assert set(known.rule_counts("a").skipped) <= SKIPPED.keys()


def test_a_crashed_rule_is_counted_for_every_submission_and_passes_for_none(
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    reference_data_of: Callable[..., ReferenceData],
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    broken = [
        replace(BY_CODE["CH611"], code="CH998", passes=lambda rows: pl.col("prior__nothing")),
        replace(BY_CODE["CH802"], code="CH999", passes=lambda rows: pl.col("nothing") > 0),
    ]
    now = typed("child", {"a": [{}], "b": [{}]})
    before = suite.validate_quarter("child", now, quarter, declarations, engine="polars")
    monkeypatch.setitem(RULES, "child", (*RULES["child"], *broken))
    after = suite.validate_quarter("child", now, quarter, declarations, engine="polars")
    assert [crash.code for crash in after.crashes] == ["CH998", "CH999"]
    for submission in ("a", "b"):
        assert after.rule_counts(submission).crashed == 2
        assert after.rule_counts(submission).run == before.rule_counts(submission).run
    assert after.crashed_rules == ("CH998 entered_care_on", "CH999 child_reference")


def test_a_limit_that_is_not_declared_crashes_the_rules_that_ask_for_it(
    sources: Any, tmp_path: Any, typed: Typed, quarter: Quarter
) -> None:
    import shutil

    shutil.copytree(sources, tmp_path / "sources")
    limits = tmp_path / "sources" / "rule_limits.csv"
    kept = [
        line
        for line in limits.read_text(encoding="utf-8").splitlines()
        if not line.startswith("silent_rows,")
    ]
    limits.write_text("\n".join(kept) + "\n", encoding="utf-8")
    result = suite.validate_quarter(
        "child",
        typed("child", {"a": [{}]}),
        quarter,
        Declarations(tmp_path / "sources"),
        engine="polars",
    )
    assert [(crash.code, crash.kind) for crash in result.crashes] == [("CH806", "KeyError")]


@pytest.mark.parametrize(
    ("rows", "english", "welsh"),
    [
        ([5], "row 5", "rhes 5"),
        ([9, 5, 6, 7], "rows 5–7, 9", "rhesi 5–7, 9"),
        (
            list(range(2, 2 + 2 * ROWS_NAMED + 2, 2)),
            f"rows {', '.join(str(2 + 2 * n) for n in range(ROWS_NAMED))} and 1 more",
            f"rhesi {', '.join(str(2 + 2 * n) for n in range(ROWS_NAMED))} a 1 arall",
        ),
    ],
)
def test_rows_are_named_in_stretches_and_not_without_end(
    rows: list[int], english: str, welsh: str
) -> None:
    assert (rows_in_words(rows, "en"), rows_in_words(rows, "cy")) == (english, welsh)
