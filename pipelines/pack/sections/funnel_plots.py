"""Percentages of a place among similar places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.pack import charts
from pipelines.pack.funnels import Position, position_in_funnel
from pipelines.pack.model import FEW_CASES, REGION_KINDS, IndicatorFigure, PackIndicator, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import Picture, Section
from pipelines.pack.wording import Wording
from pipelines.text.catalogue import N_

# An average of two places is the middle between them.
_FEWEST_PEERS = 3
# Of the letters of a name; a funnel has room for as many beside a point in its middle.
_LONGEST_LABEL = 22

_POSITIONS: dict[Position | None, str] = {
    "inside": N_("inside the funnel"),
    "low": N_("below the 95% limit"),
    "high": N_("above the 95% limit"),
    "very low": N_("below the 99.8% limit"),
    "very high": N_("above the 99.8% limit"),
    None: N_("fewer than ten cases, not assessed"),
}


@dataclass(frozen=True)
class _Peer:
    """A place of a funnel; ``position`` is None where it has too few cases for one."""

    place: PackPlace
    figure: IndicatorFigure
    count: int
    cases: int
    position: Position | None = None

    @property
    def is_outside(self) -> bool:
        return self.position not in ("inside", None)


def funnel_section(wording: Wording, data: NationQuarter, place: PackPlace) -> Section | None:
    """Percentages of this place among its peers; of a nation, its authorities or agencies."""
    _ = wording.gettext
    pictures = []
    is_of_authorities = set()
    for indicator in data.indicators.values():
        if not indicator.is_share or indicator.direction == "context":
            continue
        if data.passes_a_hundred(indicator.indicator_id):
            continue
        peers = _peers(data, place, indicator)
        picture = _picture(wording, data, place, indicator, peers)
        if picture is not None:
            pictures.append(picture)
            is_of_authorities.add(peers[0].kind == "authority")
    if not pictures:
        return None
    nation = data.nation.name[wording.language]
    named = []
    if True in is_of_authorities:
        named.append(_("authorities of {nation}").format(nation=nation))
    if False in is_of_authorities:
        named.append(_("regions and agencies of {nation}").format(nation=nation))
    key = _("dashed: 95% limits; dotted: 99.8% limits; square: this place")
    if place.kind == "nation":
        key = _("dashed: 95% limits; dotted: 99.8% limits")
    axes = _("Horizontal axis: number of cases. Vertical axis: percentage.")
    return Section(
        intro=[
            _(
                "Each point is one of the {peers}, over the last four quarters. A place inside the "
                "funnel differs from the average by no more than its size explains; among many "
                "places one in twenty lies outside the inner lines by chance alone. Places with "
                "fewer than ten cases are shown as hollow points and are not assessed."
            ).format(peers=" / ".join(named))
        ],
        pictures=pictures,
        notes=[axes + " " + _("Key: {key}.").format(key=key)],
    )


def _peers(data: NationQuarter, place: PackPlace, indicator: PackIndicator) -> list[PackPlace]:
    """Places of one level: those that return the indicator, or the place's own kind."""
    is_of_children = indicator.subject == "child"
    if place.kind == "authority" or (place.kind == "nation" and is_of_children):
        kinds: tuple[str, ...] = ("authority",)
    else:
        kinds = (*REGION_KINDS, "voluntary_agency")
    return [
        peer
        for peer in data.places.values()
        if peer.kind in kinds and indicator.indicator_id in data.now(peer.code)
    ]


def _picture(
    wording: Wording,
    data: NationQuarter,
    place: PackPlace,
    indicator: PackIndicator,
    places: Sequence[PackPlace],
) -> Picture | None:
    """None where fewer than three places have a case, or the place itself has none."""
    _ = wording.gettext
    counted = [
        _Peer(place_beside, figure, int(figure.numerator), int(figure.denominator))
        for place_beside in places
        if (figure := data.main(place_beside.code, indicator))
        and figure.denominator
        and figure.numerator is not None
    ]
    has_own = any(peer.place == place for peer in counted)
    if len(counted) < _FEWEST_PEERS or (not has_own and place.kind != "nation"):
        return None
    average = sum(peer.count for peer in counted) / sum(peer.cases for peer in counted)
    # Larger places first, in the table and under the others in the picture.
    peers = [
        _placed(peer, average)
        for peer in sorted(counted, key=lambda peer: peer.cases, reverse=True)
    ]
    facts = _facts(wording, place, indicator, peers, average)
    title = wording.title(indicator)
    return Picture(
        title=f"{indicator.indicator_id} {title}",
        unit="%",
        source=charts.funnel([_point(wording, place, peer) for peer in peers], average),
        alt=_(
            "Funnel plot of {title}: percentage against number of cases for {count} places. {facts}"
        ).format(title=title, count=len(peers), facts=facts),
        caption=facts,
        head=[_("Place"), _("Percentage"), _("Cases"), _("Position")],
        rows=[
            [
                peer.place.name[wording.language],
                wording.shown(indicator, peer.figure),
                wording.based_on(indicator, peer.figure),
                _(_POSITIONS[peer.position]),
            ]
            for peer in peers
        ],
        definition_of=indicator.indicator_id,
        status=wording.definition_status(indicator.definition_status),
    )


def _placed(peer: _Peer, average: float) -> _Peer:
    is_assessed = peer.cases >= FEW_CASES
    position = position_in_funnel(average, peer.count, peer.cases) if is_assessed else None
    return _Peer(peer.place, peer.figure, peer.count, peer.cases, position)


def _point(wording: Wording, place: PackPlace, peer: _Peer) -> charts.Peer:
    """Named where it lies outside; the place itself is the square, and in the words below."""
    is_own = peer.place == place
    label = ""
    if peer.is_outside and not is_own:
        label = _in_the_picture(peer.place.name[wording.language])
    is_assessed = peer.position is not None
    return charts.Peer(peer.cases, peer.count / peer.cases, is_own, is_assessed, label)


def _facts(
    wording: Wording,
    place: PackPlace,
    indicator: PackIndicator,
    peers: Sequence[_Peer],
    average: float,
) -> str:
    """The average, the place itself, and which others lie outside."""
    _ = wording.gettext
    shown = wording.number(indicator, 100 * average)
    facts = [_("Average of all places: {average}.").format(average=shown)]
    own = next((peer for peer in peers if peer.place == place), None)
    if own is not None:
        facts.append(
            _("{place}: {value} ({of}), {position}.").format(
                place=place.name[wording.language],
                value=wording.shown(indicator, own.figure),
                of=wording.based_on(indicator, own.figure),
                position=_(_POSITIONS[own.position]),
            )
        )
    outside = [
        f"{peer.place.name[wording.language]} ({_(_POSITIONS[peer.position])})"
        for peer in peers
        if peer.is_outside and peer is not own
    ]
    if outside:
        facts.append(_("Outside the funnel: {places}.").format(places=", ".join(outside)))
    elif own is not None:
        facts.append(_("No other place is outside the funnel."))
    else:
        facts.append(_("No place is outside the funnel."))
    return " ".join(facts)


def _in_the_picture(name: str) -> str:
    """A name that leaves room for the points: some agencies' are wider than the funnel."""
    return name if len(name) <= _LONGEST_LABEL else f"{name[:_LONGEST_LABEL].rstrip()}…"
