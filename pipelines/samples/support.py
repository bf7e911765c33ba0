"""Counts of adoption support, birth-parent support and contact of one authority and quarter."""

from __future__ import annotations

from pipelines.quarters import Quarter
from pipelines.samples.chance import Chance

# For every child placed in an ordinary year. Invented; there are no published levels.
_FIRST_YEAR = 2018
_GROWTH_A_QUARTER = 0.012


def support_counts(authority_code: str, quarter: Quarter, children_a_year: float) -> dict[str, int]:
    """The counts an authority adds to its agency's support return for ``quarter``."""
    chance = Chance("support", authority_code, quarter.label)
    growth = max(0.2, 1 + _GROWTH_A_QUARTER * (quarter.index - Quarter(_FIRST_YEAR, 1).index))

    def about(rate: float) -> int:
        return int(children_a_year * rate * growth * (0.85 + 0.3 * chance.share()) + 0.5)

    requests = about(0.42)
    started = min(requests, about(0.30))
    completed = min(requests, about(0.26))
    offered = about(0.40)
    active = about(4.2)
    return {
        "support_requests": requests,
        "support_assessments_started": started,
        "support_assessments_completed": completed,
        "support_plans_agreed": min(completed, about(0.22)),
        "families_receiving_support": about(1.3),
        "birth_parents_offered_support": offered,
        "birth_parents_taking_up_support": min(offered, about(0.18)),
        "contact_arrangements_active": active,
        "contact_exchanges": min(active, about(1.1)),
    }
