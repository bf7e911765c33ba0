"""Returns owed: the grid of places and quarters, with who has to act next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipelines.declarations import Declarations, Text
from pipelines.lifecycle.days import end_of
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.ledger_state import known_at, ledger_state
from pipelines.lifecycle.states import (
    ReturnStatus,
    fold,
    last_quarter_over,
    quarters_asked,
)
from pipelines.lifecycle.words import NOT_IN, TO_BE_ANSWERED, TO_BE_SIGNED_OFF
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES, N_, translations

GROUP_KINDS = ("region", "regional_agency", "partnership")


@dataclass(frozen=True)
class OwedCounts:
    """Returns of status group for status quarter, counted."""

    quarter: str
    returns: int
    returns_in: int
    overdue: int
    rejected_or_withdrawn: int
    to_be_answered: int
    to_be_signed_off: int
    held: int
    sender_acts: int
    national_team_acts: int


@dataclass(frozen=True)
class GroupOwed:
    """A region or agency with its senders, or the senders in none."""

    place_code: str | None
    name: Text
    rows: tuple[tuple[ReturnStatus | None, ...], ...]  # per sender and return, a status a quarter
    counts: tuple[OwedCounts, ...]  # a quarter each


@dataclass(frozen=True)
class ReturnsOwed:
    """Everything owed in status nation on a day."""

    nation_code: str
    today: date
    quarters: tuple[Quarter, ...]
    groups: tuple[GroupOwed, ...]

    @property
    def statuses(self) -> list[ReturnStatus]:
        return [status for group in self.groups for row in group.rows for status in row if status]


def returns_owed(
    settings: Settings,
    declarations: Declarations,
    today: date,
    quarters: Sequence[Quarter] = (),
    nation_code: str | None = None,
) -> list[ReturnsOwed]:
    """What is owed in each nation, as it was known at the end of ``today``.

    Without ``quarters`` all that are asked for, oldest first.
    """
    events = known_at(Ledger(settings.ledger).events(), end_of(today))
    submissions = ledger_state(events, declarations).submissions.values()
    over = last_quarter_over(today)
    asked = list(quarters) or quarters_asked(submissions, today) or [over]
    ended = [quarter for quarter in sorted(set(asked)) if quarter <= over]
    life = fold(events, declarations, today, ended)
    nations = dict.fromkeys(
        declarations.places[status.sender_code].nation_code for status in life.returns
    )
    return [
        _owed_in(declarations, nation, today, ended, life.returns)
        for nation in nations
        if nation_code in (None, nation)
    ]


def _owed_in(
    declarations: Declarations,
    nation_code: str,
    today: date,
    quarters: list[Quarter],
    returns: Sequence[ReturnStatus],
) -> ReturnsOwed:
    mine = [
        status
        for status in returns
        if declarations.places[status.sender_code].nation_code == nation_code
    ]
    by_key = {(status.sender_code, status.return_name, status.quarter): status for status in mine}
    keys = dict.fromkeys((status.sender_code, status.return_name) for status in mine)
    grouped: dict[str | None, list[tuple[str, str]]] = {}
    for sender_code, return_name in keys:
        grouped.setdefault(_group_of(declarations, sender_code, quarters[-1]), []).append(
            (sender_code, return_name)
        )
    # Regions in the order of places, then voluntary agencies, then who is in none.
    order = [*declarations.places, "", None]
    groups = []
    for code in sorted(grouped, key=order.index):
        rows = tuple(
            tuple(by_key.get((*key, quarter.label)) for quarter in quarters)
            for key in grouped[code]
        )
        counts = tuple(
            _counts(quarter, [row[at] for row in rows]) for at, quarter in enumerate(quarters)
        )
        groups.append(GroupOwed(code or None, _name_of_group(declarations, code), rows, counts))
    return ReturnsOwed(nation_code, today, tuple(quarters), tuple(groups))


def _group_of(declarations: Declarations, sender_code: str, quarter: Quarter) -> str | None:
    """The region or agency a sender is in on the quarter's last day, or is itself.

    Empty for voluntary agencies, None for a sender in no group.
    """
    place = declarations.places[sender_code]
    if place.kind in GROUP_KINDS:
        return sender_code
    day = quarter.last_day
    for membership in declarations.memberships:
        is_mine = membership.member_code == sender_code and membership.role == "member"
        has_begun = membership.since is None or membership.since <= day
        is_then = has_begun and (membership.until is None or day <= membership.until)
        if is_mine and is_then and declarations.places[membership.parent_code].kind in GROUP_KINDS:
            return membership.parent_code
    return "" if place.kind == "voluntary_agency" else None


def _name_of_group(declarations: Declarations, code: str | None) -> Text:
    if not code:
        name = N_("In no region or agency") if code is None else N_("Voluntary agencies")
        return Text(**{language: translations(language).gettext(name) for language in LANGUAGES})
    place = declarations.places[code]
    return Text(en=place.name_en, cy=place.name_cy)


def _counts(quarter: Quarter, statuses: Sequence[ReturnStatus | None]) -> OwedCounts:
    mine = [status for status in statuses if status is not None]
    states = Counter(status.state for status in mine)
    acts = Counter(status.acts for status in mine)
    return OwedCounts(
        quarter=quarter.label,
        returns=len(mine),
        returns_in=sum(status.state not in (*NOT_IN, "received") for status in mine),
        overdue=states["overdue"],
        rejected_or_withdrawn=states["rejected"] + states["withdrawn"],
        to_be_answered=sum(states[state] for state in TO_BE_ANSWERED),
        to_be_signed_off=sum(states[state] for state in TO_BE_SIGNED_OFF),
        held=states["held"],
        sender_acts=acts["sender"],
        national_team_acts=acts["national_team"],
    )


def as_json(nations: Sequence[ReturnsOwed]) -> dict[str, Any]:
    """Every return with its status, and the counts of each group and quarter, for programs."""
    return {
        "as_of_day": nations[0].today.isoformat() if nations else None,
        "returns": [
            asdict(status)
            | {
                "deadline": status.deadline.isoformat(),
                "nation_code": nation.nation_code,
                "region_code": group.place_code,
            }
            for nation in nations
            for group in nation.groups
            for row in group.rows
            for status in row
            if status
        ],
        "summaries": [
            {
                "nation_code": nation.nation_code,
                "region_code": group.place_code,
                "region_en": group.name.en,
                "region_cy": group.name.cy,
            }
            | asdict(counts)
            for nation in nations
            for group in nation.groups
            for counts in group.counts
            if counts.returns
        ],
    }
