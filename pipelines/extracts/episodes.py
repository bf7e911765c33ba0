"""What a child's episodes of care say of a plan for adoption, as it stood at the end of a day.

An episode begins because something changed: the legal status, the placement, the carer. A day is
taken only from an episode that began with the very change; where the files begin later than the
change, the day is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pipelines.declarations import EpisodeCodes


@dataclass(frozen=True)
class Episode:
    """One episode; ``ended_on`` and ``why_ended`` are None while it goes on."""

    started_on: date
    why_started: str | None = None
    legal_status: str | None = None
    placement: str | None = None
    provider: str | None = None
    ended_on: date | None = None
    why_ended: str | None = None


def as_at(episodes: Sequence[Episode], day: date) -> list[Episode]:
    """The episodes that had begun, in order; what ended later still goes on."""
    begun = sorted(
        (episode for episode in episodes if episode.started_on <= day),
        key=lambda episode: episode.started_on,
    )
    return [
        replace(episode, ended_on=None, why_ended=None)
        if episode.ended_on is not None and episode.ended_on > day
        else episode
        for episode in begun
    ]


def period_of_care(
    episodes: Sequence[Episode], decided_on: date | None, codes: EpisodeCodes
) -> list[Episode]:
    """The episodes of the period in which the decision was made; the latest without a decision."""
    starts = [
        at for at, episode in enumerate(episodes) if episode.why_started in codes.started_care
    ]
    periods = [
        list(episodes[start:end])
        for start, end in zip([0, *starts], [*starts, len(episodes)], strict=True)
        if start < end
    ]
    begun = [
        period for period in periods if decided_on is None or period[0].started_on <= decided_on
    ]
    return (begun or periods or [[]])[-1]


def facts(period: Sequence[Episode], codes: EpisodeCodes) -> dict[str, Any]:
    """Fields of the child return that follow from one period of care; what is not known is absent.

    ``left_care_on`` is there as well, where the child left care without being adopted.
    """
    if not period:
        return {}
    found: dict[str, Any] = {}
    if period[0].why_started in codes.started_care:
        found["entered_care_on"] = period[0].started_on
    found |= _end_of_care(period[-1], codes)
    found |= _placement(period, codes)
    found |= _authority(period, codes, found)
    found |= _early_permanence(period, codes)
    return found


def _end_of_care(last: Episode, codes: EpisodeCodes) -> dict[str, Any]:
    if last.ended_on is None or last.why_ended is None or last.why_ended in codes.goes_on:
        return {}
    is_adopted = last.why_ended in codes.adopted
    return {"adoption_order_on" if is_adopted else "left_care_on": last.ended_on}


def _placement(period: Sequence[Episode], codes: EpisodeCodes) -> dict[str, Any]:
    """The latest placement for adoption, and the latest disruption of one."""
    runs = list(_placements(period, codes))
    if not runs:
        return {}
    found: dict[str, Any] = {}
    first, last = runs[-1]
    if period[first].why_started in codes.changed_placement:
        found["placed_on"] = period[first].started_on
    if period[last].provider is not None:
        found["placement_provider"] = period[last].provider
    disruptions = [day for _, end in runs if (day := _disrupted_on(period, end, codes))]
    if disruptions:
        found["disrupted_on"] = disruptions[-1]
    is_foster_carer = period[first].placement in codes.placed_with_foster_carer
    found["is_foster_carer_adoption"] = "yes" if is_foster_carer else "no"
    started = _came_to_the_carer(period, first, codes) if is_foster_carer else None
    if started is not None:
        found["foster_placement_started_on"] = started
    return found


def _placements(period: Sequence[Episode], codes: EpisodeCodes) -> Iterator[tuple[int, int]]:
    """First and last position of each placement for adoption with one carer."""
    first: int | None = None
    for at, episode in enumerate(period):
        is_placed = episode.placement in codes.placed_for_adoption
        is_new = first is not None and episode.why_started in codes.changed_carer
        if first is not None and (is_new or not is_placed):
            yield first, at - 1
            first = None
        if is_placed and first is None:
            first = at
    if first is not None:
        yield first, len(period) - 1


def _disrupted_on(period: Sequence[Episode], end: int, codes: EpisodeCodes) -> date | None:
    """The day a placement that ended at ``end`` was over without an adoption order."""
    if end + 1 < len(period):
        return period[end + 1].started_on
    last = _end_of_care(period[end], codes)
    return last.get("left_care_on")


def _came_to_the_carer(period: Sequence[Episode], placed: int, codes: EpisodeCodes) -> date | None:
    """First day with the carer who adopts; none where the placement changed the carer."""
    if period[placed].why_started in codes.changed_carer:
        return None
    for episode in reversed(period[:placed]):
        if episode.why_started in codes.changed_carer:
            return episode.started_on
    return None


def _authority(
    period: Sequence[Episode], codes: EpisodeCodes, found: dict[str, Any]
) -> dict[str, Any]:
    """The latest placement order; a consent where the child is placed by one, its day not known."""
    ordered = [at for at, each in enumerate(period) if each.legal_status in codes.placement_order]
    if ordered:
        first = ordered[-1]
        while first - 1 in ordered:
            first -= 1
        is_known = period[first].why_started in codes.changed_legal_status
        return {"authority_to_place": "placement_order"} | (
            {"placement_order_on": period[first].started_on} if is_known else {}
        )
    by_consent = any(episode.placement in codes.placed_by_consent for episode in period)
    return {"authority_to_place": "consent"} if by_consent else {}


def _early_permanence(period: Sequence[Episode], codes: EpisodeCodes) -> dict[str, Any]:
    early = [at for at, each in enumerate(period) if each.placement in codes.early_permanence]
    if not early:
        # Only a period that is known from its first day can be said to have had none.
        is_whole = period[0].why_started in codes.started_care
        return {"early_permanence": "none"} if is_whole else {}
    first = early[-1]
    while first - 1 in early and period[first].why_started not in codes.changed_carer:
        first -= 1
    is_known = period[first].why_started in codes.changed_placement
    return {"early_permanence": "unknown"} | (
        {"early_permanence_placed_on": period[first].started_on} if is_known else {}
    )
