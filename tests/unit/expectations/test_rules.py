"""Every cross-field rule has a row it fails and a near miss it passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from expectations import suite
from expectations.rules import RULES
from expectations.rules.rule import Rule
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

NOT_PLACED = {
    "matched_on": None,
    "placed_on": None,
    "adoption_order_on": None,
    "placement_source": None,
    "placement_provider": None,
    "adopter_agency_code": None,
    "adopter_household_reference": None,
    "life_journey_materials_on": None,
    "family_finding_status": "active",
}
NO_ORDER = NOT_PLACED | {
    "authority_to_place": None,
    "placement_order_on": None,
    "referred_to_register_on": None,
}
NO_DECISION = NO_ORDER | {"should_be_placed_decision_on": None}
NOT_ADOPTED = {"adoption_order_on": None}
PLAN_ENDED = NOT_PLACED | {"plan_ended_on": date(2024, 1, 5), "plan_ended_reason": "RD1"}
DISRUPTED = NOT_ADOPTED | {"disrupted_on": date(2024, 6, 1)}
NOT_APPROVED = {
    "approved_on": None,
    "referred_to_register_on": None,
    "matched_on": None,
    "placed_on": None,
}
LEFT = {"left_on": date(2025, 5, 1), "left_reason": "other"}

# code: (what makes the row fail, what is like it and passes). A list is several
# rows of one submission.
TWINS: dict[str, tuple[Any, Any]] = {
    # 18 on 31 March, the day before the quarter; on its first day.
    "CH101": ({"date_of_birth": date(2007, 3, 31)}, {"date_of_birth": date(2007, 4, 1)}),
    "CH102": (
        {"date_of_birth": date(2006, 11, 1)},
        {"date_of_birth": date(2006, 11, 2)},
    ),
    "CH103": ({"entered_care_on": date(2021, 3, 9)}, {"entered_care_on": date(2021, 3, 10)}),
    "CH104": ({"referred_on": date(2021, 3, 9)}, {"referred_on": date(2021, 3, 10)}),
    "CH105": (
        {"should_be_placed_decision_on": date(2021, 3, 9)},
        {"should_be_placed_decision_on": date(2021, 3, 10)},
    ),
    "CH201": ({"referred_on": date(2023, 1, 9)}, {"referred_on": date(2023, 1, 10)}),
    "CH202": (
        {"should_be_placed_decision_on": date(2023, 1, 9)},
        {"should_be_placed_decision_on": date(2023, 1, 10)},
    ),
    "CH203": (
        {"should_be_placed_decision_on": date(2023, 2, 28)},
        {"should_be_placed_decision_on": date(2023, 3, 1)},
    ),
    "CH204": (
        {"placement_order_on": date(2023, 5, 31)},
        {"placement_order_on": date(2023, 5, 31), "authority_to_place": "consent"},
    ),
    "CH205": (
        {"placement_order_on": date(2023, 5, 31), "authority_to_place": "consent"},
        {"placement_order_on": date(2023, 6, 1), "authority_to_place": "consent"},
    ),
    "CH206": ({"matched_on": date(2023, 5, 31)}, {"matched_on": date(2023, 6, 1)}),
    "CH207": (
        {"matched_on": date(2023, 8, 31)},
        {
            "matched_on": date(2023, 8, 31),
            "early_permanence": "concurrent",
            "early_permanence_placed_on": date(2023, 2, 1),
        },
    ),
    "CH208": ({"placed_on": date(2024, 1, 31)}, {"placed_on": date(2024, 2, 1)}),
    "CH209": ({"placed_on": date(2023, 5, 31)}, {"placed_on": date(2023, 6, 1)}),
    "CH210": ({"placed_on": date(2023, 8, 31)}, {"placed_on": date(2023, 9, 1)}),
    "CH211": ({"adoption_order_on": date(2024, 2, 29)}, {"adoption_order_on": date(2024, 3, 1)}),
    # 70 days after 1 March 2024 is 10 May.
    "CH212": ({"adoption_order_on": date(2024, 5, 9)}, {"adoption_order_on": date(2024, 5, 10)}),
    "CH213": (
        {"adoption_order_on": date(2024, 2, 1)},
        {"adoption_order_on": date(2024, 2, 2)},
    ),
    "CH214": (
        PLAN_ENDED | {"plan_ended_on": date(2023, 5, 31)},
        PLAN_ENDED | {"plan_ended_on": date(2023, 6, 1)},
    ),
    "CH215": (
        PLAN_ENDED | {"plan_ended_on": date(2023, 8, 31)},
        PLAN_ENDED | {"plan_ended_on": date(2023, 9, 1)},
    ),
    "CH216": (
        DISRUPTED | {"disrupted_on": date(2024, 2, 15)},
        DISRUPTED | {"matched_on": date(2024, 6, 1), "placed_on": date(2024, 7, 1)},
    ),
    "CH217": (
        DISRUPTED | {"disrupted_on": date(2023, 8, 31)},
        DISRUPTED | {"disrupted_on": date(2023, 9, 1)},
    ),
    "CH218": (
        {"disrupted_on": date(2024, 6, 1)},
        {
            "disrupted_on": date(2024, 6, 1),
            "matched_on": date(2024, 6, 5),
            "placed_on": date(2024, 6, 10),
        },
    ),
    "CH219": (
        NO_DECISION | {"referral_withdrawn_on": date(2023, 2, 28)},
        NO_DECISION | {"referral_withdrawn_on": date(2023, 3, 1)},
    ),
    "CH220": (
        NO_ORDER | {"referral_withdrawn_on": date(2023, 7, 1)},
        NO_DECISION | {"referral_withdrawn_on": date(2023, 7, 1)},
    ),
    "CH221": (
        {"referred_to_register_on": date(2023, 8, 31)},
        {"referred_to_register_on": date(2023, 9, 1)},
    ),
    "CH222": (
        {"adopting_together_referred_on": date(2023, 5, 31)},
        {"adopting_together_referred_on": date(2023, 6, 1)},
    ),
    "CH223": (
        {"life_journey_materials_on": date(2024, 2, 28)},
        {"life_journey_materials_on": date(2024, 3, 1)},
    ),
    # Lost, matched again and placed again on one day; placed again only the day after.
    "CH224": (
        DISRUPTED | {"matched_on": date(2024, 6, 1), "placed_on": date(2024, 6, 1)},
        DISRUPTED | {"matched_on": date(2024, 6, 1), "placed_on": date(2024, 6, 2)},
    ),
    "CH225": (
        {"placement_order_on": date(2005, 11, 30)},
        {"placement_order_on": date(2005, 12, 1)},
    ),
    "CH301": ({"should_be_placed_decision_on": None}, NO_DECISION),
    "CH302": ({"placement_order_on": None}, NOT_PLACED | {"placement_order_on": None}),
    "CH303": ({"authority_to_place": None}, NO_ORDER),
    "CH304": (NO_ORDER | {"authority_to_place": "consent"}, NO_ORDER),
    "CH305": ({"placed_on": None}, {"placed_on": None, "adoption_order_on": None}),
    "CH306": ({"matched_on": None}, NOT_PLACED),
    "CH307": (PLAN_ENDED | {"plan_ended_reason": None}, PLAN_ENDED),
    "CH308": (PLAN_ENDED | {"plan_ended_on": None}, PLAN_ENDED),
    "CH309": (
        {"plan_ended_on": date(2025, 1, 1)},
        {"plan_ended_on": date(2025, 1, 1)} | NOT_ADOPTED,
    ),
    "CH310": (
        NOT_PLACED | {"disrupted_on": date(2024, 6, 1)},
        NOT_PLACED | {"disrupted_on": date(2024, 6, 1), "matched_on": date(2024, 6, 1)},
    ),
    "CH311": (
        NOT_ADOPTED | {"plan_ended_on": date(2024, 7, 1), "plan_ended_reason": "RD4"},
        DISRUPTED | {"plan_ended_on": date(2024, 7, 1), "plan_ended_reason": "RD4"},
    ),
    "CH312": (
        {"family_finding_status": "active"},
        DISRUPTED | {"family_finding_status": "active"},
    ),
    "CH313": (
        {"is_foster_carer_adoption": None},
        NOT_ADOPTED | {"is_foster_carer_adoption": None},
    ),
    "CH401": ({"placement_source": None}, NOT_PLACED),
    "CH402": (NOT_PLACED | {"placement_source": "in_region"}, {"placement_source": "in_region"}),
    "CH403": (
        {"adopter_agency_code": None},
        {"adopter_agency_code": None, "adopter_household_reference": None},
    ),
    "CH404": ({"adopter_agency_code": "SERVICE_ONE"}, {"adopter_agency_code": "VOLUNTARY_ONE"}),
    "CH405": (
        {"placement_source": "in_nation"},
        {"placement_source": "in_nation", "placement_provider": "PR2"},
    ),
    "CH406": (
        {"adopter_agency_code": "VOLUNTARY_ONE"},
        {"adopter_agency_code": "VOLUNTARY_ONE", "placement_provider": "PR5"},
    ),
    "CH407": (
        {"is_adopting_together_placement": "yes"},
        {
            "is_adopting_together_placement": "yes",
            "adopting_together_referred_on": date(2023, 12, 1),
        },
    ),
    "CH408": (
        {
            "is_adopting_together_placement": "yes",
            "adopting_together_referred_on": date(2024, 2, 2),
        },
        {
            "is_adopting_together_placement": "yes",
            "adopting_together_referred_on": date(2024, 2, 1),
        },
    ),
    "CH409": (
        NOT_PLACED | {"is_adopting_together_placement": "yes"},
        NOT_PLACED | {"is_adopting_together_placement": "no"},
    ),
    "CH410": (
        {"early_permanence": "fostering_for_adoption"},
        {
            "early_permanence": "fostering_for_adoption",
            "early_permanence_placed_on": date(2023, 2, 1),
        },
    ),
    "CH411": (
        {"early_permanence_placed_on": date(2023, 2, 1)},
        {"early_permanence_placed_on": date(2023, 2, 1), "early_permanence": "unknown"},
    ),
    "CH412": (
        {"early_permanence": "concurrent", "early_permanence_placed_on": date(2023, 1, 9)},
        {"early_permanence": "concurrent", "early_permanence_placed_on": date(2023, 1, 10)},
    ),
    "CH413": (
        {"early_permanence": "concurrent", "early_permanence_placed_on": date(2024, 3, 2)},
        {"early_permanence": "concurrent", "early_permanence_placed_on": date(2024, 3, 1)},
    ),
    "CH414": (
        {"is_foster_carer_adoption": "yes"},
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2023, 2, 1)},
    ),
    "CH415": (
        {"foster_placement_started_on": date(2023, 2, 1)},
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2023, 2, 1)},
    ),
    "CH416": (
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2024, 3, 2)},
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2024, 3, 1)},
    ),
    "CH417": (
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2023, 1, 9)},
        {"is_foster_carer_adoption": "yes", "foster_placement_started_on": date(2023, 1, 10)},
    ),
    "CH501": (
        [{"sibling_group_reference": "S", "siblings_placed_together": 2}],
        [{"sibling_group_reference": "S", "siblings_placed_together": 2}] * 2,
    ),
    "CH502": (
        {"siblings_placed_together": 2},
        [{"siblings_placed_together": 2, "sibling_group_reference": "S"}] * 2,
    ),
    "CH503": (
        [
            {"sibling_group_reference": "S", "adopter_household_reference": "H1"},
            {"sibling_group_reference": "S", "adopter_household_reference": "H2"},
        ],
        [
            {"sibling_group_reference": "S", "adopter_household_reference": "H1"},
            {"sibling_group_reference": "S", "adopter_household_reference": "H1"},
            {"sibling_group_reference": "S"} | NOT_PLACED,
        ],
    ),
    "AD201": ({"initial_meeting_on": date(2022, 1, 4)}, {"initial_meeting_on": date(2022, 1, 5)}),
    "AD202": ({"registered_on": date(2022, 2, 4)}, {"registered_on": date(2022, 2, 5)}),
    "AD203": (
        {"registered_on": None, "stage_one_started_on": date(2022, 2, 4)},
        {"registered_on": None, "stage_one_started_on": date(2022, 2, 5)},
    ),
    "AD204": (
        {"stage_one_completed_on": date(2022, 4, 4)},
        {"stage_one_completed_on": date(2022, 4, 5)},
    ),
    "AD205": (
        {"stage_two_started_on": date(2022, 6, 4)},
        {"stage_two_started_on": date(2022, 6, 5)},
    ),
    "AD206": ({"approved_on": date(2022, 7, 4)}, {"approved_on": date(2022, 7, 5)}),
    "AD207": ({"matched_on": date(2022, 11, 4)}, {"matched_on": date(2022, 11, 5)}),
    "AD208": ({"placed_on": date(2024, 1, 31)}, {"placed_on": date(2024, 2, 1)}),
    "AD209": (LEFT | {"left_on": date(2024, 2, 29)}, LEFT | {"left_on": date(2024, 3, 1)}),
    "AD210": (
        {"referred_to_register_on": date(2022, 11, 4)},
        {"referred_to_register_on": date(2022, 11, 5)},
    ),
    "AD301": (LEFT | {"left_reason": None}, LEFT),
    "AD302": (LEFT | {"left_on": None}, LEFT),
    "AD303": ({"approved_on": None}, NOT_APPROVED),
    "AD304": ({"matched_on": None}, {"matched_on": None, "placed_on": None}),
    "AD305": ({"registered_on": None}, NOT_APPROVED | {"registered_on": None}),
    "AD306": (
        {"stage_one_started_on": None},
        {"stage_one_started_on": None, "stage_one_completed_on": None},
    ),
    "AD307": (
        {"stage_one_completed_on": None},
        {"stage_one_completed_on": None, "is_fast_track": "yes"},
    ),
    "AD401": (
        LEFT | {"left_reason": "not_approved"},
        LEFT | NOT_APPROVED | {"left_reason": "not_approved"},
    ),
    "AD402": (
        LEFT | {"left_reason": "placed_and_completed", "placed_on": None},
        LEFT | {"left_reason": "placed_and_completed"},
    ),
    "AD403": (
        LEFT | NOT_APPROVED | {"left_reason": "approval_ended"},
        LEFT | {"left_reason": "approval_ended"},
    ),
    "AD404": ({"enquired_on": date(2015, 3, 31)}, {"enquired_on": date(2015, 4, 1)}),
    "SU101": (
        {"birth_parents_taking_up_support": 21},
        {"birth_parents_taking_up_support": 20},
    ),
    "SU102": ({"support_assessments_started": 61}, {"support_assessments_started": 60}),
    "SU103": ({"support_assessments_completed": 61}, {"support_assessments_completed": 60}),
    "SU104": ({"support_plans_agreed": 31}, {"support_plans_agreed": 30}),
    "SU105": (
        {"contact_arrangements_active": 0},
        {"contact_arrangements_active": 0, "contact_exchanges": 0},
    ),
    "SU106": (
        dict.fromkeys(next(r.fields for r in RULES["support"] if r.code == "SU106"), 0),
        dict.fromkeys(next(r.fields for r in RULES["support"] if r.code == "SU106")[1:], 0)
        | {"support_requests": 1},
    ),
}

ALL_RULES = [rule for rules in RULES.values() for rule in rules]
# What compares with other returns, or looks at a return as a whole: test_rules_beside.py.
OF_ROWS = [rule for rule in ALL_RULES if rule.needs is None and rule.level == "row"]

Typed = Callable[..., pl.DataFrame]


def _rows(change: Any) -> list[dict[str, Any]]:
    return change if isinstance(change, list) else [change]


@pytest.fixture(scope="module")
def problems(typed: Typed, declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    """The problems of every twin, each in a submission of its own."""
    found = []
    for return_name, rules in RULES.items():
        submissions = {}
        for rule in rules:
            if rule not in OF_ROWS:
                continue
            failing, passing = TWINS[rule.code]
            submissions[f"{rule.code} fails"] = _rows(failing)
            submissions[f"{rule.code} passes"] = _rows(passing)
        frame = typed(return_name, submissions)
        result = suite.validate_quarter(return_name, frame, quarter, declarations)
        assert not result.crashes
        found.append(result.problems)
    return pl.concat(found)


def test_every_rule_has_its_twins_and_every_twin_its_rule() -> None:
    assert {rule.code for rule in OF_ROWS} == TWINS.keys()


@pytest.mark.parametrize("rule", OF_ROWS, ids=lambda rule: rule.code)
def test_a_rule_finds_the_row_that_breaks_it_and_leaves_its_near_miss(
    rule: Rule, problems: pl.DataFrame
) -> None:
    own = problems.filter(pl.col("code") == rule.code)
    fails = own.filter(pl.col("submission_id") == f"{rule.code} fails")
    failing, passing = TWINS[rule.code]
    assert fails.height == len(_rows(failing))
    assert fails["field"].unique().to_list() == [rule.fields[0]]
    assert fails["severity"].unique().to_list() == [rule.severity]
    assert fails["sheet_row"].to_list() == list(range(2, 2 + fails.height))
    assert own.filter(pl.col("submission_id") == f"{rule.code} passes").is_empty()
    for change in (failing, passing):
        touched = {name for row in _rows(change) for name in row}
        assert touched & set(rule.fields), "the twin does not touch the rule's fields"


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_rule_names_declared_fields_and_speaks_both_languages(
    rule: Rule, declarations: Declarations
) -> None:
    declared = {field.name for field in declarations.returns[rule.return_name].fields}
    assert declared.issuperset(rule.fields)
    for sentence in (rule.sentence_en, rule.sentence_cy):
        assert sentence.endswith(".") and ":" in sentence, "what is wrong: what to do."
    assert rule.sentence_en != rule.sentence_cy
    assert rule.source and ("SSDA903" in rule.source) == bool(rule.ssda903)


CHILD_JOURNEYS: dict[str, list[dict[str, Any]]] = {
    "adopted": [{}],
    "referred only": [NO_DECISION | {"family_finding_status": None}],
    "withdrawn": [NO_DECISION | {"referral_withdrawn_on": date(2023, 5, 1)}],
    "decision, no order yet": [NO_ORDER | {"family_finding_status": "not_started"}],
    "waiting with an order": [NOT_PLACED],
    "consent": [NOT_PLACED | {"authority_to_place": "consent"}],
    "consent before the decision is made": [
        NO_DECISION | {"authority_to_place": "consent", "placement_order_on": date(2023, 9, 1)}
    ],
    "matched, not yet placed": [
        NOT_ADOPTED
        | {"placed_on": None, "life_journey_materials_on": None}
        | {"family_finding_status": "link_identified"}
    ],
    "placed on the last day of the quarter": [
        NOT_ADOPTED
        | {"placed_on": date(2025, 6, 30), "life_journey_materials_on": date(2025, 6, 30)}
    ],
    "everything on one day": [
        NOT_ADOPTED
        | dict.fromkeys(
            (
                "date_of_birth",
                "entered_care_on",
                "referred_on",
                "should_be_placed_decision_on",
                "placement_order_on",
                "referred_to_register_on",
                "matched_on",
                "placed_on",
                "life_journey_materials_on",
            ),
            date(2025, 4, 1),
        )
    ],
    "early permanence, matched before the order": [
        {
            "early_permanence": "fostering_for_adoption",
            "early_permanence_placed_on": date(2023, 2, 1),
            "matched_on": date(2023, 8, 1),
            "placed_on": date(2023, 9, 2),
            "life_journey_materials_on": None,
            "adoption_order_on": date(2023, 10, 1),
        }
    ],
    "foster carers adopt": [
        {
            "is_foster_carer_adoption": "yes",
            "foster_placement_started_on": date(2023, 2, 1),
            "adoption_order_on": date(2024, 4, 1),
        }
    ],
    "Adopting Together": [
        {
            "adopting_together_referred_on": date(2023, 12, 1),
            "is_adopting_together_placement": "yes",
            "placement_source": "in_nation",
            "placement_provider": "PR5",
            "adopter_agency_code": "VOLUNTARY_ONE",
        }
    ],
    "adopters from outside the nation, agency not in the list": [
        {
            "placement_source": "outside_nation",
            "placement_provider": "PR2",
            "adopter_agency_code": None,
            "adopter_household_reference": None,
        }
    ],
    "plan ended": [PLAN_ENDED | {"family_finding_status": "ended"}],
    "disrupted, waiting again": [DISRUPTED | {"family_finding_status": "active"}],
    "disrupted, plan ended": [
        DISRUPTED | {"plan_ended_on": date(2024, 7, 1), "plan_ended_reason": "RD1"}
    ],
    "disrupted, matched again": [
        DISRUPTED
        | {"matched_on": date(2024, 9, 1), "placed_on": None, "life_journey_materials_on": None}
    ],
    "disrupted, placed again and adopted": [
        {
            "disrupted_on": date(2024, 6, 1),
            "matched_on": date(2024, 9, 1),
            "placed_on": date(2024, 10, 1),
            "adoption_order_on": date(2025, 5, 1),
        }
    ],
    "three siblings": [
        {"sibling_group_reference": "S1", "siblings_placed_together": 3},
        {"sibling_group_reference": "S1", "siblings_placed_together": 3},
        {"sibling_group_reference": "S1", "siblings_placed_together": 3} | NOT_PLACED,
    ],
    "another sender's group of the same name": [
        {"sibling_group_reference": "S1", "siblings_placed_together": 2},
        {"sibling_group_reference": "S1", "siblings_placed_together": 2},
    ],
    "same reference as another sender's child": [{"child_reference": "X"}],
    "and that other child": [{"child_reference": "X"}],
}

ADOPTER_JOURNEYS: dict[str, list[dict[str, Any]]] = {
    "child placed": [{}],
    "enquired only": [
        NOT_APPROVED
        | dict.fromkeys(
            (
                "initial_meeting_on",
                "registered_on",
                "stage_one_started_on",
                "stage_one_completed_on",
                "stage_two_started_on",
                "is_fast_track",
            )
        )
    ],
    "approved before there were stages": [
        {
            "stage_one_started_on": None,
            "stage_one_completed_on": None,
            "stage_two_started_on": None,
        }
    ],
    "fast track": [
        {
            "is_fast_track": "yes",
            "stage_one_started_on": None,
            "stage_one_completed_on": None,
        }
    ],
    "in stage one": [NOT_APPROVED | {"stage_one_completed_on": None, "stage_two_started_on": None}],
    "withdrew": [NOT_APPROVED | LEFT | {"left_reason": "withdrew"}],
    "done": [LEFT | {"left_reason": "placed_and_completed"}],
}


@pytest.mark.parametrize(
    ("return_name", "journeys"),
    [("child", CHILD_JOURNEYS), ("adopter", ADOPTER_JOURNEYS), ("support", {"a quarter": [{}]})],
)
def test_a_consistent_journey_has_no_problem(
    return_name: str,
    journeys: dict[str, list[dict[str, Any]]],
    typed: Typed,
    declarations: Declarations,
    quarter: Quarter,
) -> None:
    frame = typed(return_name, journeys)
    result = suite.validate_quarter(return_name, frame, quarter, declarations)
    assert not result.crashes
    assert result.problems.select("submission_id", "code", "field").rows() == []
    assert result.rows_read == {name: len(rows) for name, rows in journeys.items()}


def test_a_date_that_was_there_but_not_understood_is_not_called_missing(
    typed: Typed, declarations: Declarations, quarter: Quarter
) -> None:
    unreadable = {"should_be_placed_decision_on": None}
    frame = typed(
        "child",
        {
            "blank": [unreadable],
            "garbled": [unreadable | {"readable__should_be_placed_decision_on": False}],
        },
    )
    problems = suite.validate_quarter("child", frame, quarter, declarations).problems
    codes = dict(problems.group_by("submission_id").agg("code").rows())
    assert codes == {"blank": ["CH301"], "garbled": ["DATE"]}


def _with_rule(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setitem(RULES, rule.return_name, (*RULES[rule.return_name], rule))


@pytest.mark.parametrize(
    ("of", "runs"),
    [
        (Quarter(2023, 4), False),
        (Quarter(2024, 1), True),
        (Quarter(2024, 3), True),
        (Quarter(2024, 4), False),
    ],
)
def test_a_rule_applies_from_its_first_quarter_to_its_last(
    of: Quarter,
    runs: bool,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    declarations: Declarations,
) -> None:
    template = RULES["support"][0]
    rule = replace(
        template,
        code="SU999",
        passes=lambda rows: pl.lit(False),
        since=Quarter(2024, 1),
        until=Quarter(2024, 3),
    )
    _with_rule(monkeypatch, rule)
    frame = typed("support", {"a": [{}]}, of)
    result = suite.validate_quarter("support", frame, of, declarations)
    assert result.problems["code"].to_list() == (["SU999"] if runs else [])
    assert result.rules_skipped == (() if runs else ("SU999",))


def test_a_rule_on_a_field_no_longer_asked_for_is_skipped(
    sources: Any, tmp_path: Any, typed: Typed, quarter: Quarter
) -> None:
    import shutil

    shutil.copytree(sources, tmp_path / "sources")
    child = tmp_path / "sources" / "returns" / "child.yaml"
    text = child.read_text(encoding="utf-8")
    last = "- name: life_journey_materials_on\n"
    assert last in text
    child.write_text(text.replace(last, last + "  until: 2025-26-Q1\n"), encoding="utf-8")
    changed = Declarations(tmp_path / "sources")
    frame = typed("child", {"a": [{"life_journey_materials_on": date(2020, 1, 1)}]})
    now = suite.validate_quarter("child", frame, quarter, changed)
    later = suite.validate_quarter("child", frame, quarter.plus(1), changed)
    assert now.problems["code"].to_list() == ["CH223"]
    assert (later.problems.height, later.rules_skipped) == (0, ("CH223",))


def test_a_code_used_twice_is_refused() -> None:
    from expectations.rules import _by_return

    rule = RULES["child"][0]
    with pytest.raises(ValueError, match=rule.code):
        _by_return((rule,), (rule,))
