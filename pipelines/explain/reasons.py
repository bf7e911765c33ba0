"""Why a case is in a figure in one part only, or not at all: the reasons of ``fct_explanation``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.text.catalogue import N_, Language, translations

if TYPE_CHECKING:
    from pipelines.explain.model import IndicatorDefinition

# In the order in which they are reported. {start} and {stop} are the clock's fields as the return
# calls them.
REASONS: dict[str, str] = {
    "start_not_known": N_("not counted: the return does not say when the clock starts ({start})"),
    "stop_not_known": N_("not counted: the return does not say when the clock stops ({stop})"),
    "by_consent": N_("not counted: there is a consent but no placement order"),
    "start_after_stop": N_("not counted: the clock would stop before it starts"),
    "not_in_definition": N_(
        "not counted: the event took place, but the definition asks for more than that"
    ),
    "denominator_only": N_("in the denominator but not in the numerator of the same quarter"),
    "numerator_only": N_("in the numerator but not in the denominator of the same quarter"),
    "joined": N_("counted as waiting now, but not a quarter earlier"),
    "left_adopted": N_("no longer waiting: adopted"),
    "left_placed": N_("no longer waiting: placed"),
    "left_matched": N_("no longer waiting: matched"),
    "left_plan_ended": N_("no longer waiting: the plan for adoption ended"),
    "left_referral_withdrawn": N_("no longer waiting: the referral was withdrawn"),
    "left_approved": N_("no longer waiting: approved"),
    "left_agency": N_("no longer waiting: the household left"),
    "left_return": N_("no longer waiting: not on this quarter's return; ask the sender why"),
    "left_otherwise": N_(
        "no longer counted: still on the return, with no date in the quarter that says why"
    ),
}


def reason_sentence(definition: IndicatorDefinition, reason: str, language: Language) -> str:
    """What a reason means for this indicator. Raises KeyError for one that is not in REASONS."""
    _ = translations(language).gettext
    if reason == "denominator_only" and definition.is_mean:
        return _("in the denominator with 0 days, so they lower the mean")
    return _(REASONS[reason]).format(
        start=definition.clock_start or "", stop=definition.clock_stop or ""
    )


def is_change_of_stock(reason: str) -> bool:
    """Whether a reason tells who began or ceased to wait, and not who is left out."""
    return reason == "joined" or reason.startswith("left_")
