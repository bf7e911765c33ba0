"""The slow twin: every figure worked out by hand, in plain Python, from the returns as they came.

It shares no line with the warehouse: texts are read by its own small rules, each measure is a
function over one child (household, row of counts) and a quarter, and adding up is a loop. Where
the two differ, the sentence in ``sources/indicators`` says which is wrong.

Nothing here prints or raises a value of a row: exceptions name field and quarter only.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from pipelines.declarations import BreakInSeries, Declarations, Indicator, Return
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import Settings

Row = Mapping[str, Any]  # field name → date, whole number, code, or None
Count = Callable[[Row, Quarter], int]  # what one row adds to a measure
Spread = Callable[[Sequence[Row], Quarter], list[int]]  # what each of a sender's rows adds
Part = Callable[[Row, Quarter], str]  # the part of a breakdown into which a row falls
Wait = Callable[[Row, Quarter], int | None]  # its days, or None: it is in neither number
Share = tuple[int, int | None]  # numerator and denominator; a plain count has no denominator

# --- days and months -----------------------------------------------------------------------


def months_after(day: date, months: int) -> date:
    """The same day of the month, ``months`` later; the month's last day where there is none."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_quarter(day: date | None, quarter: Quarter) -> TypeGuard[date]:
    return day is not None and quarter.first_day <= day <= quarter.last_day


def by(day: date | None, limit: date) -> TypeGuard[date]:
    """It has happened, and no later than ``limit``."""
    return day is not None and day <= limit


def days(start: date, stop: date) -> int:
    return (stop - start).days


def tenth_working_day_after(day: date) -> date:
    """Counted off one by one, Monday to Friday."""
    left = 10
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= 5
    return day


def days_of(wait: Wait) -> Count:
    """The days of whoever has a wait: the numerator of a mean."""
    return lambda row, quarter: wait(row, quarter) or 0


def rows_of(wait: Wait) -> Count:
    """One for whoever has a wait, be it of no days: the denominator of that mean."""
    return lambda row, quarter: int(wait(row, quarter) is not None)


def each(by_hand: Mapping[str, Count]) -> dict[str, Spread]:
    """Measures that rows add to one by one, none knowing of another."""

    def spread(count: Count) -> Spread:
        return lambda rows, quarter: [count(row, quarter) for row in rows]

    return {measure: spread(count) for measure, count in by_hand.items()}


# --- what can be said of one child ---------------------------------------------------------


def order_on(child: Row) -> date | None:
    """Day of the placement order. A consent is no order; an unknown kind is taken as one."""
    return None if child.get("authority_to_place") == "consent" else authority_on(child)


def authority_on(child: Row) -> date | None:
    return child.get("placement_order_on")


ENDS = ("plan_ended_on", "adoption_order_on", "referral_withdrawn_on")


def ended_by(child: Row, day: date, ends: Sequence[str] = ENDS) -> bool:
    """The plan no longer goes on: adopted, given up, or the referral withdrawn."""
    return any(by(child.get(name), day) for name in ends)


def disrupted_by(child: Row, day: date) -> bool:
    """The family whose dates are given has been lost by ``day``.

    A match on or after the disruption, or a placement after it, is that with a new family.
    """
    lost = child.get("disrupted_on")
    matched, placed = child.get("matched_on"), child.get("placed_on")
    is_new = (matched is not None and lost is not None and matched >= lost) or (
        placed is not None and lost is not None and placed > lost
    )
    return by(lost, day) and not is_new


def is_placed(child: Row, day: date) -> bool:
    return by(child.get("placed_on"), day) and not disrupted_by(child, day)


def is_matched(child: Row, day: date) -> bool:
    return by(child.get("matched_on"), day) and not disrupted_by(child, day)


def waits_since(child: Row, granted_on: date | None, quarter: Quarter) -> date | None:
    """The day authority was granted, if the child waits for a placement on the last day."""
    last = quarter.last_day
    waits = by(granted_on, last) and not is_placed(child, last) and not ended_by(child, last)
    return granted_on if waits else None


def clock(start: date | None, stop: date | None) -> int | None:
    """Days from start to stop, where both are known and in this order."""
    return None if start is None or stop is None or stop < start else days(start, stop)


def is_over(start: date | None, months: int, stop: date | None) -> bool:
    """From start to stop took longer than ``months``; exactly as many are not over."""
    return start is not None and stop is not None and stop > months_after(start, months)


# --- events of the quarter -----------------------------------------------------------------


def event(name: str) -> Count:
    """Counts whoever's ``name`` lies in the quarter."""
    return lambda row, quarter: int(in_quarter(row.get(name), quarter))


def order_granted(child: Row, quarter: Quarter) -> int:
    return int(in_quarter(order_on(child), quarter))


def disrupted(child: Row, quarter: Quarter) -> int:
    ended, adopted = child.get("disrupted_on"), child.get("adoption_order_on")
    return int(in_quarter(ended, quarter) and (adopted is None or ended < adopted))


def plan_ended(child: Row, quarter: Quarter) -> int:
    without_adoption = child.get("adoption_order_on") is None
    return int(in_quarter(child.get("plan_ended_on"), quarter) and without_adoption)


def placed_through_adopting_together(child: Row, quarter: Quarter) -> int:
    through = child.get("is_adopting_together_placement") == "yes"
    return int(in_quarter(child.get("placed_on"), quarter) and through)


def placed_by(name: str, *codes: str | None) -> Count:
    """Placed in the quarter, ``name`` being one of ``codes``; None is a blank."""
    return lambda child, quarter: int(
        in_quarter(child.get("placed_on"), quarter) and child.get(name) in codes
    )


def placed_in_early_permanence(child: Row, quarter: Quarter) -> int:
    is_none = child.get("early_permanence") == "none"
    return int(in_quarter(child.get("early_permanence_placed_on"), quarter) and not is_none)


def placed_with_materials(child: Row, quarter: Quarter) -> int:
    given_by_then = by(child.get("life_journey_materials_on"), quarter.last_day)
    return int(in_quarter(child.get("placed_on"), quarter) and given_by_then)


def adopted_with_materials(child: Row, quarter: Quarter) -> int:
    adopted = child.get("adoption_order_on")
    if not in_quarter(adopted, quarter):
        return 0
    return int(by(child.get("life_journey_materials_on"), adopted))


def left_after_approval(household: Row, quarter: Quarter) -> int:
    left = household.get("left_on")
    if not in_quarter(left, quarter) or household.get("left_reason") == "placed_and_completed":
        return 0
    return int(by(household.get("approved_on"), left))


def withdrawn_before_approval(household: Row, quarter: Quarter) -> int:
    left = household.get("left_on")
    if not in_quarter(left, quarter) or household.get("left_reason") != "withdrew":
        return 0
    was_registered = by(household.get("registered_on"), left)
    return int(was_registered and not by(household.get("approved_on"), left))


def reported(name: str) -> Count:
    """A number the sender has counted."""
    return lambda counts, quarter: counts.get(name) or 0


# --- clocks stopped in the quarter ---------------------------------------------------------


def is_adopted_after(placed: date | None, child: Row, quarter: Quarter) -> bool:
    adopted = child.get("adoption_order_on")
    return in_quarter(adopted, quarter) and placed is not None and placed <= adopted


def care_to_placement_of_adopted(child: Row, quarter: Quarter) -> int | None:
    placed = child.get("placed_on")
    if not is_adopted_after(placed, child, quarter):
        return None
    return clock(child.get("entered_care_on"), placed)


def care_to_moving_in_of_adopted(child: Row, quarter: Quarter) -> int | None:
    by_foster_carers = child.get("is_foster_carer_adoption") == "yes"
    moved_in = child.get("foster_placement_started_on" if by_foster_carers else "placed_on")
    if not is_adopted_after(moved_in, child, quarter):
        return None
    return clock(child.get("entered_care_on"), moved_in)


def order_to_match_of_adopted(child: Row, quarter: Quarter) -> int | None:
    if not is_adopted_after(child.get("placed_on"), child, quarter):
        return None
    return days_to_match(child)


def days_to_match(child: Row) -> int | None:
    order, matched = order_on(child), child.get("matched_on")
    return None if order is None or matched is None else max(0, days(order, matched))


def order_to_match(child: Row, quarter: Quarter) -> int | None:
    return days_to_match(child) if in_quarter(child.get("matched_on"), quarter) else None


def care_to_placement(child: Row, quarter: Quarter) -> int | None:
    placed = child.get("placed_on")
    return clock(child.get("entered_care_on"), placed) if in_quarter(placed, quarter) else None


def authority_to_placement(child: Row, quarter: Quarter) -> int | None:
    placed = child.get("placed_on")
    return clock(authority_on(child), placed) if in_quarter(placed, quarter) else None


def placed_within_six_months(child: Row, quarter: Quarter) -> int:
    counts = authority_to_placement(child, quarter) is not None
    return int(counts and not is_over(authority_on(child), 6, child["placed_on"]))


def matched_over_six_months(child: Row, quarter: Quarter) -> int:
    matched = child.get("matched_on")
    over = is_over(child.get("should_be_placed_decision_on"), 6, matched)
    return int(in_quarter(matched, quarter) and over)


def wait_of_placed_over_six_months(child: Row, quarter: Quarter) -> int | None:
    decided, placed = child.get("should_be_placed_decision_on"), child.get("placed_on")
    counts = in_quarter(placed, quarter) and is_over(decided, 6, placed)
    return clock(decided, placed) if counts else None


def enquiry_to_approval(household: Row, quarter: Quarter) -> int | None:
    approved = household.get("approved_on")
    return clock(household.get("enquired_on"), approved) if in_quarter(approved, quarter) else None


def order_to_placement(child: Row, quarter: Quarter) -> int | None:
    placed = child.get("placed_on")
    return clock(order_on(child), placed) if in_quarter(placed, quarter) else None


def adopted_placed_under_fourteen_months(child: Row, quarter: Quarter) -> int:
    if care_to_placement_of_adopted(child, quarter) is None:
        return 0
    return int(child["placed_on"] < months_after(child["entered_care_on"], 14))


def decision_to_placement_of_adopted(child: Row, quarter: Quarter) -> int | None:
    """Not of a child adopted by another family than the first: that is in neither number."""
    adopted = child.get("adoption_order_on")
    if not in_quarter(adopted, quarter) or by(child.get("disrupted_on"), adopted):
        return None
    return clock(child.get("should_be_placed_decision_on"), child.get("placed_on"))


def between(start: str, stop: str) -> Wait:
    """Days from one date of a row to another that lies in the quarter."""
    return lambda row, quarter: (
        clock(row.get(start), row.get(stop)) if in_quarter(row.get(stop), quarter) else None
    )


def within(months: int, wait: Wait, start: str, stop: str) -> Count:
    """Of those who have a ``wait``, whoever waited no longer than ``months``."""
    return lambda row, quarter: int(
        wait(row, quarter) is not None and not is_over(row[start], months, row[stop])
    )


stage_one = between("stage_one_started_on", "stage_one_completed_on")
registration_to_stage_one = between("registered_on", "stage_one_completed_on")
stage_two = between("stage_two_started_on", "approved_on")
approval_to_match = between("approved_on", "matched_on")


def registration_to_approval(household: Row, quarter: Quarter) -> int | None:
    skipped = household.get("stage_one_started_on") is None
    if household.get("is_fast_track") == "yes" and skipped:
        return None
    return between("registered_on", "approved_on")(household, quarter)


def matched_three_months_after_approval(household: Row, quarter: Quarter) -> int:
    if approval_to_match(household, quarter) is None:
        return 0
    return int(household["matched_on"] >= months_after(household["approved_on"], 3))


# --- time that was up in the quarter -------------------------------------------------------


def month_is_up(start: date | None, ends: Iterable[date | None], quarter: Quarter) -> bool:
    """A month after ``start`` lies in the quarter, and nothing ended from then to then."""
    if start is None:
        return False
    due = months_after(start, 1)
    ended = any(end is not None and start <= end <= due for end in ends)
    return in_quarter(due, quarter) and not ended


def child_due_for_register(child: Row, quarter: Quarter) -> int:
    ends = (child.get("plan_ended_on"), child.get("referral_withdrawn_on"))
    return int(month_is_up(authority_on(child), ends, quarter))


def child_on_register_in_time(child: Row, quarter: Quarter) -> int:
    granted = authority_on(child)
    if granted is None or not child_due_for_register(child, quarter):
        return 0
    return int(by(child.get("referred_to_register_on"), months_after(granted, 1)))


def household_due_for_register(household: Row, quarter: Quarter) -> int:
    return int(month_is_up(household.get("approved_on"), (household.get("left_on"),), quarter))


def household_on_register_in_time(household: Row, quarter: Quarter) -> int:
    if not household_due_for_register(household, quarter):
        return 0
    due = months_after(household["approved_on"], 1)
    return int(by(household.get("referred_to_register_on"), due))


def due_for_meeting(household: Row, quarter: Quarter) -> int:
    enquired = household.get("enquired_on")
    if enquired is None:
        return 0
    due = tenth_working_day_after(enquired)
    never_met = household.get("initial_meeting_on") is None
    return int(in_quarter(due, quarter) and not (never_met and by(household.get("left_on"), due)))


def met_in_time(household: Row, quarter: Quarter) -> int:
    if not due_for_meeting(household, quarter):
        return 0
    due = tenth_working_day_after(household["enquired_on"])
    return int(by(household.get("initial_meeting_on"), due))


def matched_through_adopting_together(child: Row, quarter: Quarter) -> int:
    through = child.get("is_adopting_together_placement") == "yes"
    return int(in_quarter(child.get("matched_on"), quarter) and through)


def adopting_together_to_match(child: Row, quarter: Quarter) -> int | None:
    if not matched_through_adopting_together(child, quarter):
        return None
    return clock(child.get("adopting_together_referred_on"), child["matched_on"])


# --- stocks on the last day of the quarter -------------------------------------------------


def waiting_with_order(child: Row, quarter: Quarter) -> int:
    return int(waits_since(child, order_on(child), quarter) is not None)


def waiting_with_order_and_in_care(child: Row, quarter: Quarter) -> int:
    entered = child.get("entered_care_on")
    long = entered is not None and months_after(entered, 18) <= quarter.last_day
    return int(waiting_with_order(child, quarter) and long)


def waiting_since_order(months: int) -> Count:
    def counted(child: Row, quarter: Quarter) -> int:
        since = waits_since(child, order_on(child), quarter)
        return int(since is not None and months_after(since, months) <= quarter.last_day)

    return counted


def waiting_with_authority(child: Row, quarter: Quarter) -> int:
    return int(waits_since(child, authority_on(child), quarter) is not None)


def waiting_over_six_months_with_authority(child: Row, quarter: Quarter) -> int:
    since = waits_since(child, authority_on(child), quarter)
    return int(is_over(since, 6, quarter.last_day))


def waiting_nine_months_with_authority(child: Row, quarter: Quarter) -> int:
    since = waits_since(child, authority_on(child), quarter)
    return int(since is not None and months_after(since, 9) <= quarter.last_day)


def waiting_over_ninety_days_with_order(child: Row, quarter: Quarter) -> int:
    since = waits_since(child, order_on(child), quarter)
    return int(since is not None and days(since, quarter.last_day) > 90)


def waiting_since_decision(child: Row, quarter: Quarter) -> int:
    """An earlier plan may have ended before the decision that began this one."""
    last, decided = quarter.last_day, child.get("should_be_placed_decision_on")
    if not by(decided, last) or is_placed(child, last):
        return 0
    is_earlier = by(child.get("plan_ended_on"), decided - timedelta(days=1))
    return int(not ended_by(child, last, ENDS[1:] if is_earlier else ENDS))


def family_finding(status: str | None) -> Count:
    """Waits since the decision, and family finding stands so; None is a blank."""
    return lambda child, quarter: int(
        waiting_since_decision(child, quarter) and child.get("family_finding_status") == status
    )


def families_needed(children: Sequence[Row], quarter: Quarter) -> list[int]:
    """One for each single child in active family finding, and for the oldest of each sibling
    group of which somebody is; of twins for the one whose pseudonym comes first."""
    active = family_finding("active")
    needed = [0] * len(children)
    groups: dict[str, list[int]] = defaultdict(list)
    for at, child in enumerate(children):
        if not active(child, quarter):
            continue
        # A return as it came has the sender's own reference, an invented one a pseudonym.
        group = child.get("sibling_group_pseudonym") or child.get("sibling_group_reference")
        if group is None:
            needed[at] = 1
        else:
            groups[group.upper()].append(at)
    for members in groups.values():
        born = {at: born_on(children[at]) or date.max for at in members}
        oldest = min(members, key=lambda at: (born[at], children[at].get("child_pseudonym") or ""))
        needed[oldest] = 1
    return needed


def on_register_since(child: Row, quarter: Quarter) -> date | None:
    """The day of the referral to the register, if the child waits for a match on the last day."""
    last, referred = quarter.last_day, child.get("referred_to_register_on")
    waits = by(referred, last) and not is_matched(child, last) and not ended_by(child, last)
    return referred if waits else None


def on_register(child: Row, quarter: Quarter) -> int:
    return int(on_register_since(child, quarter) is not None)


def over_six_months_on_register(child: Row, quarter: Quarter) -> int:
    return int(is_over(on_register_since(child, quarter), 6, quarter.last_day))


def waiting_with_adopting_together(child: Row, quarter: Quarter) -> int:
    last = quarter.last_day
    waits = not is_matched(child, last) and not is_placed(child, last) and not ended_by(child, last)
    return int(by(child.get("adopting_together_referred_on"), last) and waits)


def household_waiting(household: Row, quarter: Quarter) -> int:
    last = quarter.last_day
    gone = by(household.get("matched_on"), last) or by(household.get("left_on"), last)
    return int(by(household.get("approved_on"), last) and not gone)


def household_waiting_for_approval(household: Row, quarter: Quarter) -> int:
    last = quarter.last_day
    gone = by(household.get("approved_on"), last) or by(household.get("left_on"), last)
    return int(by(household.get("registered_on"), last) and not gone)


def household_waiting_for_placement(household: Row, quarter: Quarter) -> int:
    last = quarter.last_day
    gone = by(household.get("placed_on"), last) or by(household.get("left_on"), last)
    return int(by(household.get("approved_on"), last) and not gone)


CHILDREN: dict[str, Count] = {
    "children_referred": event("referred_on"),
    "children_referral_withdrawn": event("referral_withdrawn_on"),
    "children_should_be_placed_decided": event("should_be_placed_decision_on"),
    "children_placement_order_granted": order_granted,
    "children_referred_to_adopting_together": event("adopting_together_referred_on"),
    "children_matched": event("matched_on"),
    "children_matched_over_six_months_after_decision": matched_over_six_months,
    "children_matched_with_placement_order": rows_of(order_to_match),
    "days_from_placement_order_to_match": days_of(order_to_match),
    "children_placed": event("placed_on"),
    "children_placed_through_adopting_together": placed_through_adopting_together,
    "children_placed_after_entering_care": rows_of(care_to_placement),
    "days_from_entering_care_to_placement": days_of(care_to_placement),
    "children_placed_with_authority": rows_of(authority_to_placement),
    "children_placed_within_six_months_of_authority": placed_within_six_months,
    "days_from_authority_to_placement": days_of(authority_to_placement),
    "children_placed_over_six_months_after_decision": rows_of(wait_of_placed_over_six_months),
    "days_from_decision_to_placement_over_six_months": days_of(wait_of_placed_over_six_months),
    "children_adopted": event("adoption_order_on"),
    "children_adopted_after_placement": rows_of(care_to_placement_of_adopted),
    "days_from_entering_care_to_placement_of_adopted": days_of(care_to_placement_of_adopted),
    "children_adopted_with_placement_order": rows_of(order_to_match_of_adopted),
    "days_from_placement_order_to_match_of_adopted": days_of(order_to_match_of_adopted),
    "children_adopted_after_moving_in": rows_of(care_to_moving_in_of_adopted),
    "days_from_entering_care_to_moving_in_of_adopted": days_of(care_to_moving_in_of_adopted),
    "children_plan_ended": plan_ended,
    "children_disrupted": disrupted,
    "children_waiting_with_authority": waiting_with_authority,
    "children_waiting_over_six_months_with_authority": waiting_over_six_months_with_authority,
    "children_waiting_nine_months_with_authority": waiting_nine_months_with_authority,
    "children_waiting_on_register": on_register,
    "children_waiting_over_six_months_on_register": over_six_months_on_register,
    "children_waiting_with_placement_order": waiting_with_order,
    "children_waiting_eighteen_months_since_entering_care": waiting_with_order_and_in_care,
    "children_waiting_twelve_months_since_placement_order": waiting_since_order(12),
    "children_waiting_eighteen_months_since_placement_order": waiting_since_order(18),
    "children_placed_with_placement_order": rows_of(order_to_placement),
    "days_from_placement_order_to_placement": days_of(order_to_placement),
    "children_placed_in_region": placed_by("placement_source", "in_region"),
    "children_placed_elsewhere_in_nation": placed_by("placement_source", "in_nation"),
    "children_placed_outside_nation": placed_by("placement_source", "outside_nation"),
    "children_placed_from_unknown_source": placed_by("placement_source", "unknown", None),
    "children_placed_by_own_provision": placed_by("placement_provider", "PR1"),
    "children_placed_by_another_authority": placed_by("placement_provider", "PR2"),
    "children_placed_by_voluntary_agency": placed_by("placement_provider", "PR5"),
    "children_placed_by_other_provider": placed_by("placement_provider", "PR0", "PR3", "PR4"),
    "children_placed_by_unknown_provider": placed_by("placement_provider", None),
    "children_placed_in_early_permanence": placed_in_early_permanence,
    "children_placed_with_life_journey_materials": placed_with_materials,
    "children_adopted_with_life_journey_materials": adopted_with_materials,
    "children_adopted_placed_under_fourteen_months": adopted_placed_under_fourteen_months,
    "children_adopted_after_decision": rows_of(decision_to_placement_of_adopted),
    "children_adopted_placed_within_twelve_months_of_decision": within(
        12, decision_to_placement_of_adopted, "should_be_placed_decision_on", "placed_on"
    ),
    "children_due_for_register_referral": child_due_for_register,
    "children_referred_to_register_within_a_month": child_on_register_in_time,
    "children_waiting_over_ninety_days_since_placement_order": (
        waiting_over_ninety_days_with_order
    ),
    "children_waiting_since_decision": waiting_since_decision,
    "children_waiting_with_family_finding_not_started": family_finding("not_started"),
    "children_waiting_with_family_finding_active": family_finding("active"),
    "children_waiting_with_family_finding_link_identified": family_finding("link_identified"),
    "children_waiting_with_family_finding_on_hold": family_finding("on_hold"),
    "children_waiting_with_family_finding_ended": family_finding("ended"),
    "children_waiting_with_family_finding_unknown": family_finding(None),
    "children_matched_through_adopting_together": matched_through_adopting_together,
    "children_matched_through_adopting_together_after_referral": rows_of(
        adopting_together_to_match
    ),
    "days_from_adopting_together_referral_to_match": days_of(adopting_together_to_match),
    "children_waiting_with_adopting_together": waiting_with_adopting_together,
}

HOUSEHOLDS: dict[str, Count] = {
    "households_enquired": event("enquired_on"),
    "households_approved": event("approved_on"),
    "households_approved_after_enquiry": rows_of(enquiry_to_approval),
    "days_from_enquiry_to_approval": days_of(enquiry_to_approval),
    "households_matched": event("matched_on"),
    "households_waiting_for_match": household_waiting,
    "households_due_for_initial_meeting": due_for_meeting,
    "households_met_within_ten_working_days": met_in_time,
    "households_completed_stage_one": rows_of(stage_one),
    "days_in_stage_one": days_of(stage_one),
    "households_completed_stage_one_within_two_months": within(
        2, stage_one, "stage_one_started_on", "stage_one_completed_on"
    ),
    "households_completed_stage_one_after_registration": rows_of(registration_to_stage_one),
    "days_from_registration_to_end_of_stage_one": days_of(registration_to_stage_one),
    "households_completed_stage_one_within_two_months_of_registration": within(
        2, registration_to_stage_one, "registered_on", "stage_one_completed_on"
    ),
    "households_approved_after_stage_two": rows_of(stage_two),
    "days_in_stage_two": days_of(stage_two),
    "households_approved_within_four_months_of_stage_two": within(
        4, stage_two, "stage_two_started_on", "approved_on"
    ),
    "households_approved_after_registration": rows_of(registration_to_approval),
    "households_approved_within_six_months_of_registration": within(
        6, registration_to_approval, "registered_on", "approved_on"
    ),
    "households_due_for_register_referral": household_due_for_register,
    "households_referred_to_register_within_a_month": household_on_register_in_time,
    "households_matched_after_approval": rows_of(approval_to_match),
    "households_matched_within_three_months_of_approval": within(
        3, approval_to_match, "approved_on", "matched_on"
    ),
    "households_matched_three_months_after_approval": matched_three_months_after_approval,
    "households_left_after_approval": left_after_approval,
    "households_withdrawn_before_approval": withdrawn_before_approval,
    "households_waiting_for_approval": household_waiting_for_approval,
    "households_waiting_for_placement": household_waiting_for_placement,
}

SUPPORT: dict[str, Count] = {
    name: reported(name)
    for name in (
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
}

# --- breakdowns ----------------------------------------------------------------------------


def recorded(name: str) -> Part:
    """The code on the return; a blank is not known."""
    return lambda row, quarter: row.get(name) or "unknown"


def born_on(child: Row) -> date | None:
    # A return as it came has the day, the validated room the first of the month. Both have had
    # their birthday by the last day of a quarter in whose month it falls.
    return child.get("birth_month") or child.get("date_of_birth")


def age(child: Row, quarter: Quarter) -> int | None:
    """Birthdays had by the last day; of a child not yet born, none."""
    born, had = born_on(child), 0
    if born is None:
        return None
    while months_after(born, 12 * (had + 1)) <= quarter.last_day:
        had += 1
    return had


def age_band(child: Row, quarter: Quarter) -> str:
    years = age(child, quarter)
    if years is None:
        return "unknown"
    if years >= 10:
        return "10_and_over"
    return "5_to_9" if years >= 5 else str(years) if years else "under_1"


def siblings(child: Row, quarter: Quarter) -> str:
    together = child.get("siblings_placed_together")
    if together is not None:
        return "single" if together == 1 else "sibling_group"
    grouped = child.get("sibling_group_pseudonym") or child.get("sibling_group_reference")
    return "sibling_group" if grouped else "unknown"


def harder_to_place(years: int, needs: str) -> Part:
    """Any of four things makes a child harder to place; only when all four are known not to be
    so is the answer no."""

    def part(child: Row, quarter: Quarter) -> str:
        had, ethnicity = age(child, quarter), child.get("ethnicity_group") or "unknown"
        group, need = siblings(child, quarter), child.get(needs) or "unknown"
        answers = [
            None if had is None else had >= years,
            {"sibling_group": True, "single": False}.get(group),
            {"yes": True, "no": False}.get(need),
            ethnicity != "white" if ethnicity not in ("not_stated", "unknown") else None,
        ]
        if any(answers):
            return "yes"
        return "unknown" if None in answers else "no"

    return part


# By subject, under the names of sources/breakdowns.yaml.
PARTS: dict[str, dict[str, Part]] = {
    "child": {
        "age_band": age_band,
        "sibling_group": siblings,
        "harder_to_place_england": harder_to_place(5, "is_disabled"),
        "harder_to_place_wales": harder_to_place(4, "has_additional_needs"),
        "additional_needs": recorded("has_additional_needs"),
        "adopting_together": recorded("is_adopting_together_placement"),
    }
    | {
        name: recorded(name)
        for name in (
            *("sex", "ethnicity_group", "is_disabled", "placement_source", "early_permanence"),
            "placement_provider",
        )
    },
    "adopter": {
        name: recorded(name)
        for name in (
            *("adopters_in_household", "is_fast_track", "is_willing_sibling_group"),
            *("is_willing_aged_five_and_over", "is_willing_additional_needs"),
            "is_willing_early_permanence",
        )
    },
    "support": {},
}

# By subject, under the names that indicators give their numerator and denominator.
BY_HAND: dict[str, dict[str, Spread]] = {
    "child": each(CHILDREN)
    | {"sibling_groups_waiting_with_family_finding_active": families_needed},
    "adopter": each(HOUSEHOLDS),
    "support": each(SUPPORT),
}


def amount(subject: str, measure: str, rows: Sequence[Row], quarter: Quarter) -> int:
    """What ``rows``, all those of a sender and quarter, come to in one measure."""
    return sum(BY_HAND[subject][measure](rows, quarter))


def total(indicator: Indicator, rows: Sequence[Row], quarter: Quarter) -> Share:
    """What ``rows`` add up to, above and below the line."""
    above, below = indicator.numerator, indicator.denominator
    return (
        amount(indicator.subject, above, rows, quarter),
        None if below is None else amount(indicator.subject, below, rows, quarter),
    )


def added(shares: Iterable[Share]) -> Share:
    numerator, denominator = 0, None
    for above, below in shares:
        numerator += above
        if below is not None:
            denominator = (denominator or 0) + below
    return numerator, denominator


def value_of(indicator: Indicator, numerator: int | None, denominator: int | None) -> float | None:
    """Counts are their own value; months are days × 12 / 365.25; nothing over nothing is none."""
    if numerator is None or indicator.denominator is None:
        return numerator
    if not denominator:
        return None
    factor = {"percent": 100, "months": 12 / 365.25}.get(indicator.unit, 1)
    return numerator * factor / denominator


# --- adding up: senders, places, windows ---------------------------------------------------

ROLLS_UP_TO = ("region", "regional_agency", "partnership")
TOTAL = ("total", "total")


class Belonging(NamedTuple):
    """``member`` belongs to ``parent`` from one day to another, both included, None is open."""

    member: str
    parent: str
    since: date | None
    until: date | None


class Key(NamedTuple):
    indicator_id: str
    place_code: str
    quarter: str
    window: str


class Figure(NamedTuple):
    numerator: int | None
    denominator: int | None
    value: float | None
    returns_expected: int
    returns_accepted: int
    quarters_covered: int


@dataclass
class Collection:
    """Everything the figures follow from, read and no more than read."""

    quarters: list[Quarter]
    nation_of: dict[str, str]  # sender → nation
    belongings: list[Belonging]
    due: set[tuple[str, str, str]]  # sender, return, quarter
    accepted: set[tuple[str, str, str]] = field(default_factory=set)
    rows: dict[tuple[str, str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    _spreads: dict[tuple[str, str, str, str], list[int]] = field(default_factory=dict)

    def spread(self, sender: str, subject: str, quarter: Quarter, measure: str) -> list[int]:
        """What each row of a return adds to a measure, worked out once: many indicators ask."""
        key = (sender, subject, quarter.label, measure)
        if key not in self._spreads:
            rows = self.rows.get(key[:3], [])
            self._spreads[key] = BY_HAND[subject][measure](rows, quarter)
        return self._spreads[key]

    def places_of(self, sender: str, quarter: Quarter, basis: str) -> set[str]:
        """Where a sender's quarter counts.

        At the time: in itself, its nation, and whatever it is a member of on the quarter's last
        day. Today: whatever it is a member of on the last day there is, and, where others are
        members of it, in itself.
        """
        is_today = basis == "today"
        day = self.quarters[-1].last_day if is_today else quarter.last_day
        parents = {
            b.parent
            for b in self.belongings
            if b.member == sender
            and (b.since is None or b.since <= day)
            and (b.until is None or day <= b.until)
        }
        if is_today:
            return parents | ({sender} & {b.parent for b in self.belongings})
        return {sender, self.nation_of[sender]} | parents


WINDOWS: dict[str, Callable[[Quarter], int]] = {  # how many quarters, back from this one
    "quarter": lambda quarter: 1,
    "year_to_date": lambda quarter: quarter.number,
    "rolling_4": lambda quarter: 4,
    "rolling_12": lambda quarter: 12,
    # Only whole years: before its fourth quarter a year is no year.
    "financial_year": lambda quarter: 4 if quarter.number == 4 else 0,
}


def windows_of(indicator: Indicator, quarter: Quarter) -> set[str]:
    """The windows asked for; whoever is asked for the year to date has the whole year, too."""
    asked: set[str] = {*indicator.windows}
    if "year_to_date" in asked and quarter.number == 4:
        asked.add("financial_year")
    return asked


def window_of(name: str, quarter: Quarter) -> list[Quarter]:
    return list(quarters_between(quarter.plus(1 - WINDOWS[name](quarter)), quarter))


def summed_over(indicator: Indicator, window: str, quarter: Quarter) -> list[Quarter]:
    """A stock is what stood on the last day, however long the window."""
    return window_of("quarter" if indicator.timing == "stock" else window, quarter)


@dataclass
class Tally:
    """One indicator at one place in one quarter, before windows."""

    expected: int = 0
    accepted: int = 0
    shares: list[Share] = field(default_factory=list)


def figures(
    collection: Collection, indicators: Iterable[Indicator], basis: str = "at_the_time"
) -> dict[Key, Figure]:
    """Every figure there is in the windows known here.

    A place has figures for the quarters in which a return is due from it or from a member of
    it; one that is not due counts nowhere, even if it came. Without an accepted return in the
    whole window there is no value.
    """
    found: dict[Key, Figure] = {}
    places = {
        (sender, quarter): collection.places_of(sender, quarter, basis)
        for sender in collection.nation_of
        for quarter in collection.quarters
    }
    for indicator in indicators:
        tallies = _tallies(collection, indicator, places)
        for place, label in tallies:
            quarter = Quarter.parse(label)
            for window in windows_of(indicator, quarter):
                in_window = [
                    tallies[place, q.label]
                    for q in summed_over(indicator, window, quarter)
                    if (place, q.label) in tallies
                ]
                key = Key(indicator.id, place, label, window)
                found[key] = _figure(indicator, in_window)
    return found


def _tallies(
    collection: Collection, indicator: Indicator, places: dict[tuple[str, Quarter], set[str]]
) -> dict[tuple[str, str], Tally]:
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for sender, quarter in _returns_asked(collection, indicator):
        key = (sender, indicator.subject, quarter.label)
        above, below = (
            sum(collection.spread(sender, indicator.subject, quarter, measure)) if measure else None
            for measure in (indicator.numerator, indicator.denominator)
        )
        share = (above or 0, below)
        for place in places[sender, quarter]:
            tally = tallies[place, quarter.label]
            tally.expected += 1
            if key in collection.accepted:
                tally.accepted += 1
                tally.shares.append(share)
    return dict(tallies)


def _returns_asked(collection: Collection, indicator: Indicator) -> Iterator[tuple[str, Quarter]]:
    """Every return due that the indicator is asked of."""
    for quarter in collection.quarters:
        if (indicator.since and quarter < indicator.since) or (
            indicator.until and quarter > indicator.until
        ):
            continue
        for sender, nation in collection.nation_of.items():
            key = (sender, indicator.subject, quarter.label)
            if nation in indicator.nations and key in collection.due:
                yield sender, quarter


def _figure(indicator: Indicator, in_window: list[Tally]) -> Figure:
    numerator, denominator = added(share for tally in in_window for share in tally.shares)
    accepted = sum(tally.accepted for tally in in_window)
    if not accepted:
        numerator = denominator = None
    return Figure(
        numerator,
        denominator,
        value_of(indicator, numerator, denominator),
        returns_expected=sum(tally.expected for tally in in_window),
        returns_accepted=accepted,
        quarters_covered=sum(tally.accepted > 0 for tally in in_window),
    )


# --- parts of breakdowns -------------------------------------------------------------------


class PartKey(NamedTuple):
    indicator_id: str
    place_code: str
    quarter: str
    window: str
    breakdown: str
    part: str


def parts_of(subject: str, row: Row, quarter: Quarter) -> list[tuple[str, str]]:
    """Breakdown and part, for every breakdown of the subject: a row falls once into each."""
    return [(breakdown, part(row, quarter)) for breakdown, part in PARTS[subject].items()]


def part_figures(
    collection: Collection,
    indicators: Iterable[Indicator],
    wanted: Callable[[str], bool],
    basis: str = "at_the_time",
) -> dict[PartKey, Share]:
    """Numerator and denominator of every part at the places ``wanted``, where either is not 0.

    A stock is there once, in the window 'quarter'. Nothing is given where no return is due in
    the window's last quarter.
    """
    amounts = _amounts_by_part(collection)
    found: dict[PartKey, Share] = {}
    for indicator in indicators:
        of_quarter: dict[tuple[str, Quarter], dict[tuple[str, str], list[int]]] = {}
        for sender, quarter in _returns_asked(collection, indicator):
            places = {p for p in collection.places_of(sender, quarter, basis) if wanted(p)}
            for place in places:
                sums = of_quarter.setdefault((place, quarter), {})
                for side, measure in enumerate((indicator.numerator, indicator.denominator)):
                    key = (sender, indicator.subject, quarter, measure)
                    for part, amount_of_part in amounts.get(key, {}).items():
                        sums.setdefault(part, [0, 0])[side] += amount_of_part
        for place, quarter in of_quarter:
            windows = windows_of(indicator, quarter)
            for window in {"quarter"} if indicator.timing == "stock" else windows:
                sums = defaultdict(lambda: [0, 0])
                for covered in window_of(window, quarter):
                    for part, (above, below) in of_quarter.get((place, covered), {}).items():
                        sums[part][0] += above
                        sums[part][1] += below
                for part, (above, below) in sums.items():
                    if above or below:
                        key = PartKey(indicator.id, place, quarter.label, window, *part)
                        found[key] = (above, below if indicator.denominator else None)
    return found


def _amounts_by_part(
    collection: Collection,
) -> dict[tuple[str, str, Quarter, str | None], dict[tuple[str, str], int]]:
    """What each accepted return adds to each measure, by part; parts of nought left out."""
    found: dict[tuple[str, str, Quarter, str | None], dict[tuple[str, str], int]] = {}
    for sender, subject, label in collection.accepted:
        quarter, rows = Quarter.parse(label), collection.rows.get((sender, subject, label), [])
        falls_into = [parts_of(subject, row, quarter) for row in rows]
        for measure in BY_HAND[subject]:
            of_part: dict[tuple[str, str], int] = defaultdict(int)
            spread = collection.spread(sender, subject, quarter, measure)
            for amount_of_row, parts in zip(spread, falls_into, strict=True):
                for part in parts if amount_of_row else ():
                    of_part[part] += amount_of_row
            found[sender, subject, quarter, measure] = of_part
    return found


# --- estimates for missing returns ---------------------------------------------------------


def estimates(
    collection: Collection, indicators: Iterable[Indicator]
) -> dict[Key, tuple[float, str]]:
    """Of counts of nations with returns missing: the estimate, and how it was come by."""
    found: dict[Key, tuple[float, str]] = {}
    for indicator in indicators:
        if indicator.denominator is not None:
            continue
        due: dict[tuple[str, Quarter], list[str]] = defaultdict(list)
        for sender, quarter in _returns_asked(collection, indicator):
            due[collection.nation_of[sender], quarter].append(sender)
        grossed = {
            (nation, quarter): [
                _grossed(collection, indicator, sender, quarter, senders) for sender in senders
            ]
            for (nation, quarter), senders in due.items()
        }
        for nation, quarter in due:
            for window in windows_of(indicator, quarter):
                covered = summed_over(indicator, window, quarter)
                if not all((nation, q) in due for q in covered):
                    continue
                amounts, methods = zip(
                    *(one for q in covered for one in grossed[nation, q]), strict=True
                )
                if set(methods) != {"reported"} and "none" not in methods:
                    method = "own_or_nation_mean" if "nation_mean" in methods else "own_mean"
                    key = Key(indicator.id, nation, quarter.label, window)
                    found[key] = (sum(amounts), method)
    return found


def _grossed(
    collection: Collection,
    indicator: Indicator,
    sender: str,
    quarter: Quarter,
    senders: list[str],
) -> tuple[float, str]:
    """What a return holds, or would probably have held, and which of the two."""

    def reported(by: str, when: Quarter) -> list[int]:
        if (by, indicator.subject, when.label) not in collection.accepted:
            return []
        return [sum(collection.spread(by, indicator.subject, when, indicator.numerator))]

    told = reported(sender, quarter)
    if told:
        return told[0], "reported"
    own = [n for q in collection.quarters if q < quarter for n in reported(sender, q)][-4:]
    if own:
        return sum(own) / len(own), "own_mean"
    others = [n for other in senders for n in reported(other, quarter)]
    return (sum(others) / len(others), "nation_mean") if others else (0, "none")


# --- breaks in series ----------------------------------------------------------------------


def breaks(
    keys: Iterable[Key],
    indicators: Mapping[str, Indicator],
    declared: Iterable[BreakInSeries],
    first: Quarter,
    basis: str = "at_the_time",
) -> dict[tuple[Key, str], bool]:
    """Which break touches which figure, and whether it lies inside the figure's own window.

    It touches a figure whose quarters, with those of the figure it is compared with, lie on both
    sides of it. Quarters before the ``first`` one hold nothing, and are on no side.
    """
    found: dict[tuple[Key, str], bool] = {}
    listed = [one for one in declared if basis == "at_the_time" or one.kind != "membership"]
    for key in keys:
        indicator, quarter = indicators[key.indicator_id], Quarter.parse(key.quarter)
        before = quarter.plus(-12 if key.window == "rolling_12" else -4)
        own, compared = (
            [q for q in summed_over(indicator, key.window, ending) if q >= first]
            if ending >= first
            else []
            for ending in (quarter, before)
        )
        for one in listed:
            concerned = {"*", key.indicator_id} & {*one.indicator_ids} and (
                {"*", key.place_code} & {*one.place_codes}
            )
            is_old = [q < one.since for q in own]
            if not concerned or all(is_old):
                continue
            if any(is_old):
                found[key, one.break_id] = True
            elif any(q < one.since for q in compared):
                found[key, one.break_id] = False
    return found


# --- reading what came ---------------------------------------------------------------------

_EXCEL_DAY_ZERO = date(1899, 12, 30)


def read_day(text: str) -> date | None:
    """2019-07-01 (a time of day after it is ignored), 01/07/2019, or Excel's count of days."""
    text = text.strip()
    try:
        if "/" in text:
            day, month, year = text.split("/")
            return date(int(year), int(month), int(day))
        if "-" in text:
            return date.fromisoformat(text[:10])
        return _EXCEL_DAY_ZERO + timedelta(days=int(float(text)))
    except (ValueError, OverflowError):
        return None


def read_number(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


def reader_of(declared: Return, declarations: Declarations) -> Callable[[Row], dict[str, Any]]:
    """Texts of one row → days, whole numbers and codes; blank and unreadable are None."""
    codes = {
        name: {
            text.strip().casefold(): code.code
            for code in listed
            for text in (code.label_cy, code.label_en, code.code)
        }
        for name, listed in declarations.code_lists.items()
    }

    def read(texts: Row) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for known in declared.fields:
            text = texts.get(known.name)
            if text is None or not text.strip():
                row[known.name] = None
            elif known.code_list:
                row[known.name] = codes[known.code_list].get(text.strip().casefold())
            elif known.type == "date":
                row[known.name] = read_day(text)
            elif known.type == "integer":
                row[known.name] = read_number(text)
            else:
                row[known.name] = text.strip()
        return row

    return read


def collect(settings: Settings, declarations: Declarations) -> Collection:
    """The collection of an installation, from ledger, raw room and row verdicts."""
    latest: dict[tuple[str, str], Any] = {}
    for submission in Ledger(settings.ledger).submissions():
        if submission.is_accepted:
            assert submission.sender_code and submission.quarter, submission.submission_id
            latest[submission.sender_code, submission.quarter] = submission
    reported = [Quarter.parse(label) for _, label in latest]
    quarters = list(quarters_between(min([Quarter(2018, 1), *reported]), max(reported)))
    places = declarations.places
    collection = Collection(
        quarters,
        nation_of={code: places[code].nation_code for code in declarations.senders},
        belongings=[
            Belonging(m.member_code, m.parent_code, m.since, m.until)
            for m in declarations.memberships
            if m.role == "member" and places[m.parent_code].kind in ROLLS_UP_TO
        ],
        due={
            (owed.sender_code, owed.return_name, quarter.label)
            for owed in declarations.returns_due
            for quarter in quarters
            if owed.in_force(quarter)
        },
        accepted={
            (sender, name, label)
            for (sender, label), submission in latest.items()
            for name in submission.returns
        },
    )
    senders = {s.submission_id: key for key, s in latest.items()}
    for name, declared in declarations.returns.items():
        read = reader_of(declared, declarations)
        quarantined = {
            (row["submission_id"], row["sheet_row"])
            for row in _rows(
                settings.validated / name, ["submission_id", "sheet_row", "row_status"]
            )
            if row["row_status"] == "quarantined"
        }
        for texts in _rows(settings.raw / name):
            submission_id = texts["submission_id"]
            if submission_id not in senders:
                continue
            if (submission_id, texts["sheet_row"]) not in quarantined:
                sender, label = senders[submission_id]
                collection.rows[sender, name, label].append(read(texts))
    return collection


def _rows(folder: Path, columns: list[str] | None = None) -> list[dict[str, Any]]:
    import polars as pl

    return [
        row
        for path in sorted(folder.glob("*/*.parquet"))
        for row in pl.read_parquet(path, columns=columns).to_dicts()
    ]
