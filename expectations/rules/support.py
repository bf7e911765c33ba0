"""Cross-field rules of the support return: SU1xx, on counts of the quarter."""

from __future__ import annotations

from functools import reduce

import polars as pl

from expectations.rules.rule import Passes, Rule, Severity, never, when

_PROPOSED = "proposed by this project"

_COUNTS = (
    "support_requests",
    "support_assessments_started",
    "support_assessments_completed",
    "support_plans_agreed",
    "families_receiving_support",
    "birth_parents_offered_support",
    "birth_parents_taking_up_support",
    "contact_arrangements_active",
    "contact_exchanges",
)


def _support(
    code: str, severity: Severity, fields: tuple[str, ...], en: str, cy: str, passes: Passes,
) -> Rule:  # fmt: skip
    return Rule(code, "support", severity, fields, en, cy, _PROPOSED, passes)


RULES: tuple[Rule, ...] = (
    _support(
        "SU101", "error", ("birth_parents_taking_up_support", "birth_parents_offered_support"),
        "More birth parents took up support than were offered it: correct one of the numbers.",
        "Derbyniodd mwy o rieni geni gymorth nag a gafodd ei gynnig: cywirwch un o'r rhifau.",
        lambda rows: rows.in_order(
            "birth_parents_taking_up_support", "birth_parents_offered_support"
        ),
    ),
    _support(
        "SU102", "query", ("support_assessments_started", "support_requests"),
        "More assessments were started than there were requests: confirm, or correct one of the "
        "numbers.",
        "Dechreuwyd mwy o asesiadau nag y bu o geisiadau: cadarnhewch, neu cywirwch un o'r rhifau.",
        lambda rows: rows.in_order("support_assessments_started", "support_requests"),
    ),
    _support(
        "SU103", "query", ("support_assessments_completed", "support_requests"),
        "More assessments were completed than there were requests: confirm, or correct one of the "
        "numbers.",
        "Cwblhawyd mwy o asesiadau nag y bu o geisiadau: cadarnhewch, neu cywirwch un o'r rhifau.",
        lambda rows: rows.in_order("support_assessments_completed", "support_requests"),
    ),
    _support(
        "SU104", "query", ("support_plans_agreed", "support_assessments_completed"),
        "More support plans were agreed than assessments completed: confirm, or correct one of the "
        "numbers.",
        "Cytunwyd ar fwy o gynlluniau cymorth nag o asesiadau a gwblhawyd: cadarnhewch, neu "
        "cywirwch un o'r rhifau.",
        lambda rows: rows.in_order("support_plans_agreed", "support_assessments_completed"),
    ),
    _support(
        "SU105", "query", ("contact_arrangements_active", "contact_exchanges"),
        "Exchanges were handled but there is no contact arrangement: confirm, or correct one of "
        "the numbers.",
        "Ymdriniwyd â chyfnewidiadau ond nid oes trefniant cyswllt: cadarnhewch, neu cywirwch un "
        "o'r rhifau.",
        lambda rows: when(
            pl.col("contact_exchanges") > 0, pl.col("contact_arrangements_active") > 0
        ),
    ),
    _support(
        "SU106", "query", _COUNTS,
        "Every number is zero: confirm, or tick the nil return on the cover sheet and clear the "
        "row.",
        "Sero yw pob rhif: cadarnhewch, neu diciwch y ffurflen ddim ar y clawr a chliriwch y rhes.",
        lambda rows: never(
            reduce(lambda left, right: left & right, (pl.col(name) == 0 for name in _COUNTS))
        ),
    ),
)  # fmt: skip
