"""Charts as pictures inside the page: drawn by Vega-Lite, kept as SVG, nothing fetched.

Each function takes plain numbers and returns a data address for an ``img``. Words stay in the page,
where they can be read aloud, enlarged and translated, so most pictures serve both languages; what
was drawn once in a process is not drawn again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pipelines.pack.funnels import funnel_limits

if TYPE_CHECKING:
    import altair as alt

Kind = Literal["common", "better", "worse", "incomplete"]

# Of the palette of the Government Analysis Function, told apart by people who see no colour, and
# never the only sign: every kind has a shape of its own.
INK, DARK_BLUE, ORANGE, GREY = "#1a1a1a", "#12436D", "#C24E00", "#595959"
_COLOURS: dict[Kind, str] = {
    "common": GREY,
    "better": DARK_BLUE,
    "worse": ORANGE,
    "incomplete": GREY,
}
_SHAPES: dict[Kind, str] = {
    "common": "circle",
    "better": "triangle-up",
    "worse": "diamond",
    "incomplete": "circle",
}
# Of a bar's parts, from past the limit to later: the fill, and what is written on it.
EARLY_WARNING_COLOURS = (
    (ORANGE, "white"),
    ("#F2B48A", INK),
    ("#F9DCC8", INK),
    ("#C9D6E2", INK),
    (DARK_BLUE, "white"),
)
_FUNNEL_LINES = ("lower_998", "lower_95", "upper_95", "upper_998")
_SMALL, _WIDE = 330, 520
# Of a funnel, in pixels; and how wide a letter of its names is, on average.
_FUNNEL_HEIGHT, _LETTER = 200, 6


@dataclass(frozen=True)
class Point:
    """A quarter of a series; ``value`` is None where there is none."""

    quarter: str
    value: float | None
    kind: Kind = "common"


@dataclass(frozen=True)
class Peer:
    """A place in a funnel; ``label`` is written beside it."""

    cases: int
    share: float
    is_own: bool = False
    is_judged: bool = True
    label: str = ""


@dataclass(frozen=True)
class Curve:
    """Steps of a Kaplan-Meier curve, from day 0 on: days, share waiting, its bounds."""

    steps: Sequence[tuple[int, float, float | None, float | None]]
    is_own: bool


@dataclass(frozen=True)
class Box:
    """One row of a picture of waits."""

    label: str
    low: float
    median: float
    high: float
    mean: float
    is_own: bool


def over_time(
    points: Sequence[Point],
    centre: float | None,
    limits: tuple[float, float] | None,
    breaks: Sequence[str],
    decimals: int,
) -> str:
    """A control chart with ``limits``, a run chart without."""
    rows = [
        {"quarter": one.quarter, "value": one.value, "kind": one.kind}
        for one in sorted(points, key=lambda one: one.quarter)
    ]
    levels = [{"at": level, "dash": False} for level in (centre,) if level is not None]
    # A limit cut at nought would lie on the axis.
    levels += [{"at": level, "dash": True} for level in limits or () if level > 0]
    for level in levels:
        shown = decimals if decimals or level["at"] >= 100 else 1
        level["shown"] = f"{level['at']:,.{shown}f}"
    heights = [one.value for one in points if one.value is not None]
    heights += [float(level["at"]) for level in levels]
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    return _drawn(
        # From nought where that costs little of the height.
        _over_time(
            from_nought=low < 0.35 * high or low == high,
            every_quarter=len(points) <= 5,
            is_whole=decimals == 0,
        ),
        {"points": rows, "levels": levels, "breaks": [{"quarter": one} for one in breaks]},
    )


@lru_cache
def _over_time(from_nought: bool, every_quarter: bool, is_whole: bool) -> str:
    import altair as alt

    shown = (
        "slice(datum.value, 8) + ' ' + slice(datum.value, 0, 7)"
        if every_quarter
        else "slice(datum.value, 8) == 'Q1' ? slice(datum.value, 0, 7) : ''"
    )
    axis = alt.Axis(labelExpr=shown, labelAngle=0, labelOverlap=False)
    x = alt.X("quarter:O", title=None, axis=axis)
    scale = alt.Scale(nice=True, zero=from_nought)
    ticks = alt.Axis(tickCount=5, **({"tickMinStep": 1} if is_whole else {}))
    y = alt.Y("value:Q", title=None, scale=scale, axis=ticks)
    level_y = alt.Y("at:Q", title=None, scale=scale, axis=ticks)
    points = alt.Chart(alt.NamedData("points")).encode(x=x, y=y)
    levels = alt.Chart(alt.NamedData("levels"))
    drawn: list[Any] = [
        levels.mark_rule(color=GREY, strokeWidth=1.2, strokeDash=dash)
        .encode(y=level_y)
        .transform_filter(f"datum.dash == {json.dumps(dash != [1, 0])}")
        for dash in ([1, 0], [6, 4])
    ]
    drawn.append(
        levels.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(
            x=alt.value("width"), y=level_y, text="shown:N"
        )
    )
    drawn.append(
        alt.Chart(alt.NamedData("breaks"))
        .mark_rule(color=ORANGE, strokeDash=[2, 2], strokeWidth=2)
        .encode(x=x)
    )
    drawn.append(points.mark_line(color=GREY, strokeWidth=1.5))
    for kind, shape in _SHAPES.items():
        drawn.append(
            points.mark_point(
                shape=shape,
                size=110 if kind in ("better", "worse") else 45,
                color=_COLOURS[kind],
                fill="white" if kind == "incomplete" else _COLOURS[kind],
                opacity=1,
            ).transform_filter(f"datum.kind == '{kind}' && isValid(datum.value)")
        )
    return _specification(alt.layer(*drawn).properties(width=_SMALL, height=170))


def funnel(peers: Sequence[Peer], average: float) -> str:
    """Shares against size, with the limits of every size up to the largest."""
    largest = max(peer.cases for peer in peers)
    sizes = sorted({max(1, round(largest * 1.08 * step / 60)) for step in range(1, 61)})
    limits = [
        {"cases": size, "share": 100 * limit, "line": line}
        for size in sizes
        for line, limit in zip(_FUNNEL_LINES, funnel_limits(average, size), strict=True)
    ]
    sides = [_side_of_name(peer, peers, sizes[-1]) for peer in peers]
    places = [
        {
            "cases": peer.cases,
            "share": 100 * peer.share,
            "own": peer.is_own,
            "judged": peer.is_judged,
            "label": peer.label if side else "",
            "left": side == "left",
        }
        for peer, side in zip(peers, sides, strict=True)
    ]
    return _drawn(
        _funnel(), {"limits": limits, "places": places, "average": [{"share": 100 * average}]}
    )


def _side_of_name(
    peer: Peer, peers: Sequence[Peer], largest: int
) -> Literal["left", "right"] | None:
    """Where a name hides no other point; None where it would on both sides, since the words under
    the picture have it too."""
    across, up = _SMALL / largest, _FUNNEL_HEIGHT
    x, y = peer.cases * across, peer.share * up
    long = 8 + _LETTER * len(peer.label)
    room: dict[Literal["left", "right"], tuple[float, float]] = {
        "right": (x, x + long),
        "left": (x - long, x),
    }
    for side, (first, last) in room.items():
        is_inside = first >= 0 and last <= _SMALL
        hidden = [
            other
            for other in peers
            if other is not peer
            and first <= other.cases * across <= last
            and y <= other.share * up <= y + 16
        ]
        if is_inside and not hidden:
            return side
    return None


@lru_cache
def _funnel() -> str:
    import altair as alt

    x = alt.X("cases:Q", title=None, scale=alt.Scale(zero=True, nice=False))
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 100]))
    lines = alt.Chart(alt.NamedData("limits")).encode(x=x, y=y)
    places = alt.Chart(alt.NamedData("places")).encode(x=x, y=y)
    drawn: list[Any] = [
        alt.Chart(alt.NamedData("average")).mark_rule(color=GREY, strokeWidth=1.5).encode(y=y)
    ]
    for line in _FUNNEL_LINES:
        dash = [1, 3] if line.endswith("998") else [6, 3]
        drawn.append(
            lines.mark_line(color=GREY, strokeDash=dash, strokeWidth=1.3).transform_filter(
                f"datum.line == '{line}'"
            )
        )
    # First a white edge, so that no line runs through a name; points lie over both.
    for left, edge in ((False, True), (False, False), (True, True), (True, False)):
        drawn.append(
            places.mark_text(
                align="right" if left else "left",
                dx=-8 if left else 8,
                dy=-7,
                fontSize=11,
                **({"stroke": "white", "strokeWidth": 4} if edge else {"color": INK}),
            )
            .encode(text="label:N")
            .transform_filter(f"datum.label != '' && datum.left == {json.dumps(left)}")
        )
    for own, judged in ((False, False), (False, True), (True, False), (True, True)):
        colour = DARK_BLUE if own else GREY
        drawn.append(
            places.mark_point(
                shape="square" if own else "circle",
                size=110 if own else 45,
                color=colour,
                fill=colour if judged else "white",
                opacity=1,
            ).transform_filter(
                f"datum.own == {json.dumps(own)} && datum.judged == {json.dumps(judged)}"
            )
        )
    return _specification(alt.layer(*drawn).properties(width=_SMALL, height=_FUNNEL_HEIGHT))


def journey(curves: Sequence[Curve]) -> str:
    """Share not matched by day: the place's own curve with its band, others dashed."""
    last = max(step[0] for curve in curves for step in curve.steps)
    end = min(-(-last // 91) * 91, 1092) or 91
    own = [curve for curve in curves if curve.is_own]
    others = [curve for curve in curves if not curve.is_own]
    return _drawn(
        _journey(end),
        {
            "own": [row for curve in own for row in _up_to(curve.steps, end)],
            "others": [
                row | {"curve": float(number)}
                for number, curve in enumerate(others)
                for row in _up_to(curve.steps, end)
            ],
        },
    )


@lru_cache
def _journey(end: int) -> str:
    import altair as alt

    x = alt.X(
        "days:Q",
        title=None,
        scale=alt.Scale(domain=[0, end], nice=False),
        axis=alt.Axis(values=list(range(0, end + 1, 91))),
    )
    scale = alt.Scale(domain=[0, 100])
    y = alt.Y("waiting:Q", scale=scale, title=None)
    own = alt.Chart(alt.NamedData("own"))
    others = alt.Chart(alt.NamedData("others"))
    band = (
        own.mark_area(interpolate="step-after", color=DARK_BLUE, opacity=0.18)
        .encode(x=x, y=alt.Y("lower:Q", scale=scale, title=None), y2="upper:Q")
        .transform_filter("isValid(datum.lower) && isValid(datum.upper)")
    )
    dashed = others.mark_line(
        interpolate="step-after", color=GREY, strokeDash=[5, 4], strokeWidth=1.8
    ).encode(x=x, y=y, detail="curve:N")
    line = own.mark_line(interpolate="step-after", color=DARK_BLUE, strokeWidth=2.5).encode(
        x=x, y=y
    )
    return _specification(alt.layer(band, dashed, line).properties(width=_WIDE, height=260))


def waits(boxes: Sequence[Box], benchmark: float | None) -> str:
    """A row for each box: middle half, median, mean."""
    rows = [
        {"label": one.label, "low": one.low, "median": one.median, "high": one.high}
        | {"mean": one.mean, "own": one.is_own}
        for one in boxes
    ]
    at = [] if benchmark is None else [{"at": benchmark}]
    return _drawn(_waits(), {"boxes": rows, "benchmark": at})


@lru_cache
def _waits() -> str:
    import altair as alt

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", scale=alt.Scale(zero=True, nice=True), title=None)

    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False))
    boxes = alt.Chart(alt.NamedData("boxes")).encode(y=y)
    drawn: list[Any] = [
        boxes.mark_bar(height=15, color=colour, stroke=GREY, strokeWidth=0.8)
        .encode(x=x("low"), x2="high:Q")
        .transform_filter(f"datum.own == {json.dumps(own)}")
        for own, colour in ((True, "#A9C3DA"), (False, "#D9D9D9"))
    ]
    drawn.append(
        alt.Chart(alt.NamedData("benchmark"))
        .mark_rule(color=ORANGE, strokeDash=[5, 3], strokeWidth=2)
        .encode(x=x("at"))
    )
    drawn.append(boxes.mark_tick(color=INK, thickness=3, size=15).encode(x=x("median")))
    drawn.append(
        boxes.mark_point(
            shape="diamond", size=70, color=DARK_BLUE, fill=DARK_BLUE, opacity=1
        ).encode(x=x("mean"))
    )
    return _specification(alt.layer(*drawn).properties(width=_SMALL, height=alt.Step(26)))


def early_warning(bars: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Children waiting on each clock, stacked by when their limit passes: past it, in the next
    30, 31 to 60 and 61 to 90 days, later."""
    rows = []
    for code, counts in bars:
        start = 0
        for number, count in enumerate(counts):
            colour, ink = EARLY_WARNING_COLOURS[number]
            row = {"code": code, "from": start, "to": start + count, "middle": start + count / 2}
            rows.append(row | {"shown": str(count) if count else "", "colour": colour, "ink": ink})
            start += count
    return _drawn(_early_warning(), {"bars": rows})


@lru_cache
def _early_warning() -> str:
    import altair as alt

    y = alt.Y("code:N", sort=None, title=None, axis=alt.Axis(labelLimit=200, ticks=False))
    bars = alt.Chart(alt.NamedData("bars")).encode(y=y)
    axis = alt.Axis(tickMinStep=1, format="d")
    bar = bars.mark_bar(stroke="white", strokeWidth=2, height=24).encode(
        x=alt.X("from:Q", title=None, axis=axis),
        x2="to:Q",
        color=alt.Color("colour:N", scale=None),
    )
    text = bars.mark_text(fontSize=12, fontWeight="bold").encode(
        x=alt.X("middle:Q", title=None, axis=axis),
        text="shown:N",
        color=alt.Color("ink:N", scale=None),
    )
    return _specification(alt.layer(bar, text).properties(width=_WIDE, height=alt.Step(34)))


def _up_to(
    steps: Sequence[tuple[int, float, float | None, float | None]], end: int
) -> list[dict[str, float | None]]:
    """In per cent, with a last step at the edge of the picture."""
    rows = [
        {"days": float(days), "waiting": 100 * waiting}
        | {"lower": None if lower is None else 100 * lower}
        | {"upper": None if upper is None else 100 * upper}
        for days, waiting, lower, upper in steps
        if days <= end
    ]
    if rows and steps[-1][0] > end:
        rows.append(rows[-1] | {"days": float(end)})
    return rows


def _specification(chart: alt.TopLevelMixin) -> str:
    """A chart without its data, turned into Vega by Vega-Lite.

    Building one of eight layers takes 0.1 s, drawing it 0.03 s, so that a chart of the same build
    with other data is not built again. Altair's check of the whole, another 0.05 s each, is made by
    the tests.
    """
    import altair as alt
    import vl_convert

    built = chart.configure(
        font="Arial, Helvetica, sans-serif",
        background="white",
        aria=False,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelFontSize=11,
            labelColor=INK,
            gridColor="#E6E6E6",
            domainColor=GREY,
            tickColor=GREY,
        ),
    )
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    return json.dumps(
        vl_convert.vegalite_to_vega(built.to_dict(validate=False), vl_version=version)
    )


def _drawn(specification: str, datasets: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    return _rendered(specification, json.dumps(datasets, sort_keys=True))


@lru_cache(maxsize=512)  # a nation's packs hold some 400 different pictures of 15 kB
def _rendered(specification: str, datasets: str) -> str:
    import vl_convert

    vega, given = json.loads(specification), json.loads(datasets)
    for source in vega["data"]:
        if source["name"] in given:
            source["values"] = given[source["name"]]
    svg = vl_convert.vega_to_svg(vega, allowed_base_urls=[])
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")
