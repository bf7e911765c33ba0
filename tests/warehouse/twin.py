"""The slow twin: every figure worked out by hand, in plain Python, from the returns as they came.

It shares no line with the warehouse: texts are read by its own small rules, each indicator is a
function over one child (household, row of counts) and a quarter, and adding up is a loop. Where
the two differ, the sentence in ``sources/indicators`` says which is wrong.

Nothing here prints or raises a value of a row: exceptions name field and quarter only.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.declarations import Declarations, Indicator, Return
from pipelines.ledger import Ledger
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import Settings

Row = Mapping[str, Any]  # field name → date, whole number, code, or None
Share = tuple[int, int | None]  # what one row adds to numerator and denominator

# --- days and months -----------------------------------------------------------------------


def months_after(day: date, months: int) -> date:
    """The same day of the month, ``months`` later; the month's last day where there is none."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_quarter(day: date | None, quarter: Quarter) -> bool:
    return day is not None and quarter.first_day <= day <= quarter.last_day


def by(day: date | None, limit: date) -> bool:
    """It has happened, and no later than ``limit``."""
    return day is not None and day <= limit


def days(start: date, stop: date) -> int:
    return (stop - start).days


def mean_of(number_of_days: int | None) -> Share:
    """One child in a mean: its days and itself; without a clock it is in neither."""
    return (0, 0) if number_of_days is None else (number_of_days, 1)


# --- what can be said of one child ---------------------------------------------------------


def order_on(child: Row) -> date | None:
    """Day of the placement order. A consent is no order; an unknown kind is taken as one."""
    return None if child.get("authority_to_place") == "consent" else authority_on(child)


def authority_on(child: Row) -> date | None:
    return child.get("placement_order_on")


def ended_by(child: Row, day: date) -> bool:
    """The plan no longer goes on: adopted, given up, or the referral withdrawn."""
    return any(
        by(child.get(name), day)
        for name in ("plan_ended_on", "adoption_order_on", "referral_withdrawn_on")
    )


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


def event(name: str) -> Callable[[Row, Quarter], Share]:
    """Counts whoever's ``name`` lies in the quarter."""

    def counted(row: Row, quarter: Quarter) -> Share:
        return int(in_quarter(row.get(name), quarter)), None

    return counted


def order_granted(child: Row, quarter: Quarter) -> Share:
    return int(in_quarter(order_on(child), quarter)), None


def disrupted(child: Row, quarter: Quarter) -> Share:
    ended, adopted = child.get("disrupted_on"), child.get("adoption_order_on")
    return int(in_quarter(ended, quarter) and (adopted is None or ended < adopted)), None


def plan_ended(child: Row, quarter: Quarter) -> Share:
    without_adoption = child.get("adoption_order_on") is None
    return int(in_quarter(child.get("plan_ended_on"), quarter) and without_adoption), None


def placed_through_adopting_together(child: Row, quarter: Quarter) -> Share:
    through = child.get("is_adopting_together_placement") == "yes"
    return int(in_quarter(child.get("placed_on"), quarter) and through), None


def withdrawn_of_referred(child: Row, quarter: Quarter) -> Share:
    return (
        int(in_quarter(child.get("referral_withdrawn_on"), quarter)),
        int(in_quarter(child.get("referred_on"), quarter)),
    )


def support_requests(counts: Row, quarter: Quarter) -> Share:
    return counts.get("support_requests") or 0, None


# --- clocks stopped in the quarter ---------------------------------------------------------


def is_adopted_after(placed: date | None, child: Row, quarter: Quarter) -> bool:
    adopted = child.get("adoption_order_on")
    return in_quarter(adopted, quarter) and placed is not None and placed <= adopted


def care_to_placement_of_adopted(child: Row, quarter: Quarter) -> Share:
    placed = child.get("placed_on")
    if not is_adopted_after(placed, child, quarter):
        return mean_of(None)
    return mean_of(clock(child.get("entered_care_on"), placed))


def care_to_moving_in_of_adopted(child: Row, quarter: Quarter) -> Share:
    by_foster_carers = child.get("is_foster_carer_adoption") == "yes"
    moved_in = child.get("foster_placement_started_on" if by_foster_carers else "placed_on")
    if not is_adopted_after(moved_in, child, quarter):
        return mean_of(None)
    return mean_of(clock(child.get("entered_care_on"), moved_in))


def order_to_match_of_adopted(child: Row, quarter: Quarter) -> Share:
    if not is_adopted_after(child.get("placed_on"), child, quarter):
        return mean_of(None)
    return mean_of(days_to_match(child))


def days_to_match(child: Row) -> int | None:
    order, matched = order_on(child), child.get("matched_on")
    return None if order is None or matched is None else max(0, days(order, matched))


def order_to_match(child: Row, quarter: Quarter) -> Share:
    return mean_of(days_to_match(child) if in_quarter(child.get("matched_on"), quarter) else None)


def care_to_placement(child: Row, quarter: Quarter) -> Share:
    placed = child.get("placed_on")
    entered = child.get("entered_care_on")
    return mean_of(clock(entered, placed) if in_quarter(placed, quarter) else None)


def authority_to_placement(child: Row, quarter: Quarter) -> Share:
    placed = child.get("placed_on")
    return mean_of(clock(authority_on(child), placed) if in_quarter(placed, quarter) else None)


def placed_within_six_months(child: Row, quarter: Quarter) -> Share:
    placed, authorised = child.get("placed_on"), authority_on(child)
    if not in_quarter(placed, quarter) or clock(authorised, placed) is None:
        return 0, 0
    return int(not is_over(authorised, 6, placed)), 1


def matched_over_six_months(child: Row, quarter: Quarter) -> Share:
    matched = child.get("matched_on")
    over = is_over(child.get("should_be_placed_decision_on"), 6, matched)
    return int(in_quarter(matched, quarter) and over), None


def share_matched_over_six_months(child: Row, quarter: Quarter) -> Share:
    over, _ = matched_over_six_months(child, quarter)
    return over, int(in_quarter(child.get("matched_on"), quarter))


def wait_of_placed_over_six_months(child: Row, quarter: Quarter) -> Share:
    decided, placed = child.get("should_be_placed_decision_on"), child.get("placed_on")
    counts = in_quarter(placed, quarter) and is_over(decided, 6, placed)
    return mean_of(days(decided, placed) if counts else None)


def enquiry_to_approval(household: Row, quarter: Quarter) -> Share:
    approved = household.get("approved_on")
    enquired = household.get("enquired_on")
    return mean_of(clock(enquired, approved) if in_quarter(approved, quarter) else None)


# --- stocks on the last day of the quarter -------------------------------------------------


def waiting_with_order(child: Row, quarter: Quarter) -> Share:
    return int(waits_since(child, order_on(child), quarter) is not None), None


def waiting_with_order_and_in_care(child: Row, quarter: Quarter) -> Share:
    waiting, _ = waiting_with_order(child, quarter)
    entered = child.get("entered_care_on")
    long = entered is not None and months_after(entered, 18) <= quarter.last_day
    return int(waiting and long), None


def waiting_since_order(months: int) -> Callable[[Row, Quarter], Share]:
    def counted(child: Row, quarter: Quarter) -> Share:
        since = waits_since(child, order_on(child), quarter)
        return int(since is not None and months_after(since, months) <= quarter.last_day), None

    return counted


def waiting_with_authority(child: Row, quarter: Quarter) -> Share:
    return int(waits_since(child, authority_on(child), quarter) is not None), None


def waiting_over_six_months_with_authority(child: Row, quarter: Quarter) -> Share:
    since = waits_since(child, authority_on(child), quarter)
    return int(is_over(since, 6, quarter.last_day)), None


def waiting_nine_months_with_authority(child: Row, quarter: Quarter) -> Share:
    since = waits_since(child, authority_on(child), quarter)
    return int(since is not None and months_after(since, 9) <= quarter.last_day), None


def over_six_months_on_register(child: Row, quarter: Quarter) -> Share:
    last = quarter.last_day
    on_register = not is_matched(child, last) and not ended_by(child, last)
    return int(on_register and is_over(child.get("referred_to_register_on"), 6, last)), None


BY_HAND: dict[str, Callable[[Row, Quarter], Share]] = {
    "A1": care_to_placement_of_adopted,
    "A10": care_to_moving_in_of_adopted,
    "A2": order_to_match_of_adopted,
    "AT_PLACED": placed_through_adopting_together,
    "AT_REFERRED": event("adopting_together_referred_on"),
    "G1": event("should_be_placed_decision_on"),
    "G2": order_granted,
    "G3": waiting_with_order,
    "G4": waiting_with_order_and_in_care,
    "G5": waiting_since_order(12),
    "G6": waiting_since_order(18),
    "G7": event("matched_on"),
    "G8": event("placed_on"),
    "G9": event("adoption_order_on"),
    "ORDER_TO_MATCH": order_to_match,
    "W01": event("referred_on"),
    "W02": withdrawn_of_referred,
    "W03": event("should_be_placed_decision_on"),
    "W04": order_granted,
    "W05": event("matched_on"),
    "W06": event("placed_on"),
    "W07": event("adoption_order_on"),
    "W08": care_to_placement,
    "W09": authority_to_placement,
    "W10": placed_within_six_months,
    "W11A": matched_over_six_months,
    "W11A_PERCENT": share_matched_over_six_months,
    "W11B": wait_of_placed_over_six_months,
    "W11C": waiting_with_authority,
    "W11C_SIX_MONTHS": waiting_over_six_months_with_authority,
    "W11D": over_six_months_on_register,
    "W11E": waiting_nine_months_with_authority,
    "W12": plan_ended,
    "W14": event("enquired_on"),
    "W16": event("approved_on"),
    "W17": enquiry_to_approval,
    "W23": support_requests,
    "W26": disrupted,
}


def total(indicator_id: str, rows: Iterable[Row], quarter: Quarter) -> Share:
    """What ``rows`` add up to; the denominator of a plain count is None."""
    by_hand = BY_HAND[indicator_id]
    shares = [by_hand(row, quarter) for row in rows]
    return added(shares)


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

    def places_of(self, sender: str, quarter: Quarter) -> set[str]:
        """Itself, its nation, and whatever it is a member of on the quarter's last day."""
        day = quarter.last_day
        parents = {
            b.parent
            for b in self.belongings
            if b.member == sender
            and (b.since is None or b.since <= day)
            and (b.until is None or day <= b.until)
        }
        return {sender, self.nation_of[sender]} | parents


def window_of(name: str, quarter: Quarter) -> list[Quarter]:
    back = {"quarter": 1, "year_to_date": quarter.number, "rolling_4": 4, "rolling_12": 12}[name]
    return list(quarters_between(quarter.plus(1 - back), quarter))


@dataclass
class Tally:
    """One indicator at one place in one quarter, before windows."""

    expected: int = 0
    accepted: int = 0
    shares: list[Share] = field(default_factory=list)


def figures(collection: Collection, indicators: Iterable[Indicator]) -> dict[Key, Figure]:
    """Every figure there is.

    A place has figures for the quarters in which a return is due or accepted from it or from
    a member of it. Without an accepted return in the whole window there is no value.
    """
    found: dict[Key, Figure] = {}
    places = {
        (sender, quarter): collection.places_of(sender, quarter)
        for sender in collection.nation_of
        for quarter in collection.quarters
    }
    for indicator in indicators:
        tallies = _tallies(collection, indicator, places)
        for place, label in tallies:
            quarter = Quarter.parse(label)
            for window in indicator.windows:
                in_window = [
                    tallies[place, q.label]
                    for q in window_of(window, quarter)
                    if (place, q.label) in tallies
                ]
                key = Key(indicator.id, place, label, window)
                found[key] = _figure(indicator, in_window)
    return found


def _tallies(
    collection: Collection, indicator: Indicator, places: dict[tuple[str, Quarter], set[str]]
) -> dict[tuple[str, str], Tally]:
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for quarter in collection.quarters:
        if (indicator.since and quarter < indicator.since) or (
            indicator.until and quarter > indicator.until
        ):
            continue
        for sender, nation in collection.nation_of.items():
            key = (sender, indicator.subject, quarter.label)
            concerned = key in collection.due or key in collection.accepted
            if nation not in indicator.nations or not concerned:
                continue
            share = total(indicator.id, collection.rows.get(key, ()), quarter)
            for place in places[sender, quarter]:
                tally = tallies[place, quarter.label]
                tally.expected += key in collection.due
                if key in collection.accepted:
                    tally.accepted += 1
                    tally.shares.append(share)
    return dict(tallies)


def _figure(indicator: Indicator, in_window: list[Tally]) -> Figure:
    numerator, denominator = added(share for tally in in_window for share in tally.shares)
    accepted = sum(tally.accepted for tally in in_window)
    if not accepted:
        numerator = denominator = None
    elif indicator.denominator is not None:
        denominator = denominator or 0  # accepted returns without a single row
    return Figure(
        numerator,
        denominator,
        value_of(indicator, numerator, denominator),
        returns_expected=sum(tally.expected for tally in in_window),
        returns_accepted=accepted,
        quarters_covered=sum(tally.accepted > 0 for tally in in_window),
    )


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
