"""Charts as pictures inside the page: drawn by Vega-Lite, kept as SVG, nothing fetched.

Each function takes plain numbers and returns a data address for an ``img``. Words stay in the page,
where they can be read aloud, enlarged and translated, so most pictures serve both languages.

Charts are built once, without their data (``_over_time`` and its like), and drawn with each data.
A mark is given to ``alt.Chart`` as ``alt.MarkDef``: Altair's own ``mark_point`` and the like wear a
decorator that type checkers cannot see through.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Literal

from pipelines.pack.drawing import DARK_BLUE, GREY, INK, ORANGE, drawn, specification
from pipelines.pack.funnels import funnel_limits

# Of a Kaplan-Meier curve: days, share waiting, its bounds.
Step = tuple[int, float, float | None, float | None]
Kind = Literal["common", "better", "worse", "incomplete"]

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
# Areas in square pixels: points that stand out, and all others.
_LARGE_POINT, _SMALL_POINT = 110, 45
# 13 weeks; and as many quarters as journeys are counted over.
_DAYS_OF_A_QUARTER, _QUARTERS_OF_A_CURVE = 91, 12


@dataclass(frozen=True)
class Point:
    """A quarter of a series; ``value`` is None where there is none."""

    quarter: str
    value: float | None
    kind: Kind = "common"


@dataclass(frozen=True)
class _Line:
    """A mean, median or limit across a chart."""

    at: float
    is_dashed: bool

    def shown(self, decimals: int) -> str:
        """Counts too get a decimal, below a hundred: it shows on which side a point lies."""
        return f"{self.at:,.{decimals if decimals or self.at >= 100 else 1}f}"


@dataclass(frozen=True)
class Peer:
    """A place in a funnel; ``label`` is written beside it."""

    cases: int
    share: float
    is_own: bool = False
    is_assessed: bool = True
    label: str = ""


@dataclass(frozen=True)
class Curve:
    """Steps of a Kaplan-Meier curve, from day 0 on: days, share waiting, its bounds."""

    steps: Sequence[Step]
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
    lines = [] if centre is None else [_Line(centre, is_dashed=False)]
    # A limit cut at zero would lie on the axis.
    lines += [_Line(limit, is_dashed=True) for limit in limits or () if limit > 0]
    heights = [point.value for point in points if point.value is not None]
    heights += [line.at for line in lines]
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    return drawn(
        # From zero where that costs little of the height.
        _over_time(
            from_zero=low < 0.35 * high or low == high,
            every_quarter=len(points) <= 5,
            is_whole=decimals == 0,
        ),
        {
            "points": [
                {"quarter": point.quarter, "value": point.value, "kind": point.kind}
                for point in sorted(points, key=lambda point: point.quarter)
            ],
            "levels": [
                {"at": line.at, "dash": line.is_dashed, "shown": line.shown(decimals)}
                for line in lines
            ],
            "breaks": [{"quarter": quarter} for quarter in breaks],
        },
    )


@lru_cache
def _over_time(from_zero: bool, every_quarter: bool, is_whole: bool) -> str:
    import altair as alt

    label = (
        "slice(datum.value, 8) + ' ' + slice(datum.value, 0, 7)"
        if every_quarter
        else "slice(datum.value, 8) == 'Q1' ? slice(datum.value, 0, 7) : ''"
    )
    axis = alt.Axis(labelExpr=label, labelAngle=0, labelOverlap=False)
    x = alt.X("quarter:O", title=None, axis=axis)
    scale = alt.Scale(nice=True, zero=from_zero)
    ticks = alt.Axis(tickCount=5, tickMinStep=1 if is_whole else alt.Undefined)
    y = alt.Y("value:Q", title=None, scale=scale, axis=ticks)
    level_y = alt.Y("at:Q", title=None, scale=scale, axis=ticks)
    points, levels = alt.NamedData("points"), alt.NamedData("levels")
    layers = [
        alt.Chart(levels, mark=alt.MarkDef("rule", color=GREY, strokeWidth=1.2, strokeDash=dash))
        .encode(y=level_y)
        .transform_filter(f"datum.dash == {json.dumps(is_dashed)}")
        for is_dashed, dash in ((False, [1, 0]), (True, [6, 4]))
    ]
    layers.append(
        alt.Chart(
            levels, mark=alt.MarkDef("text", align="left", dx=4, fontSize=11, color=INK)
        ).encode(x=alt.value("width"), y=level_y, text="shown:N")
    )
    layers.append(
        alt.Chart(
            alt.NamedData("breaks"),
            mark=alt.MarkDef("rule", color=ORANGE, strokeDash=[2, 2], strokeWidth=2),
        ).encode(x=x)
    )
    layers.append(
        alt.Chart(points, mark=alt.MarkDef("line", color=GREY, strokeWidth=1.5)).encode(x=x, y=y)
    )
    for kind, shape in _SHAPES.items():
        point = alt.MarkDef(
            "point",
            shape=shape,
            size=_LARGE_POINT if kind in ("better", "worse") else _SMALL_POINT,
            color=_COLOURS[kind],
            fill="white" if kind == "incomplete" else _COLOURS[kind],
            opacity=1,
        )
        layers.append(
            alt.Chart(points, mark=point)
            .encode(x=x, y=y)
            .transform_filter(f"datum.kind == '{kind}' && isValid(datum.value)")
        )
    return specification(alt.layer(*layers).properties(width=_SMALL, height=170))


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
            "assessed": peer.is_assessed,
            "label": peer.label if side else "",
            "left": side == "left",
        }
        for peer, side in zip(peers, sides, strict=True)
    ]
    return drawn(
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
    limits, places = alt.NamedData("limits"), alt.NamedData("places")
    layers = [
        alt.Chart(
            alt.NamedData("average"), mark=alt.MarkDef("rule", color=GREY, strokeWidth=1.5)
        ).encode(y=y)
    ]
    for line in _FUNNEL_LINES:
        dash = [1, 3] if line.endswith("998") else [6, 3]
        layers.append(
            alt.Chart(
                limits, mark=alt.MarkDef("line", color=GREY, strokeDash=dash, strokeWidth=1.3)
            )
            .encode(x=x, y=y)
            .transform_filter(f"datum.line == '{line}'")
        )
    # First a white edge, so that no line runs through a name; points lie over both.
    for is_left in (False, True):
        for has_edge in (True, False):
            name = alt.MarkDef(
                "text",
                align="right" if is_left else "left",
                dx=-8 if is_left else 8,
                dy=-7,
                fontSize=11,
                stroke="white" if has_edge else alt.Undefined,
                strokeWidth=4 if has_edge else alt.Undefined,
                color=alt.Undefined if has_edge else INK,
            )
            layers.append(
                alt.Chart(places, mark=name)
                .encode(x=x, y=y, text="label:N")
                .transform_filter(f"datum.label != '' && datum.left == {json.dumps(is_left)}")
            )
    for is_own in (False, True):
        for is_assessed in (False, True):
            colour = DARK_BLUE if is_own else GREY
            point = alt.MarkDef(
                "point",
                shape="square" if is_own else "circle",
                size=_LARGE_POINT if is_own else _SMALL_POINT,
                color=colour,
                fill=colour if is_assessed else "white",
                opacity=1,
            )
            layers.append(
                alt.Chart(places, mark=point)
                .encode(x=x, y=y)
                .transform_filter(
                    f"datum.own == {json.dumps(is_own)}"
                    f" && datum.assessed == {json.dumps(is_assessed)}"
                )
            )
    return specification(alt.layer(*layers).properties(width=_SMALL, height=_FUNNEL_HEIGHT))


def journey(curves: Sequence[Curve]) -> str:
    """Percentage not matched by day: the place's own curve with its band, others dashed.

    The axis ends with the quarter in which the last curve ends, at the latest after three years.
    """
    last = max(step[0] for curve in curves for step in curve.steps)
    quarters = min(max(ceil(last / _DAYS_OF_A_QUARTER), 1), _QUARTERS_OF_A_CURVE)
    end = quarters * _DAYS_OF_A_QUARTER
    own = [curve for curve in curves if curve.is_own]
    others = [curve for curve in curves if not curve.is_own]
    return drawn(
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
        axis=alt.Axis(values=list(range(0, end + 1, _DAYS_OF_A_QUARTER))),
    )
    scale = alt.Scale(domain=[0, 100])
    y = alt.Y("waiting:Q", scale=scale, title=None)
    own, others = alt.NamedData("own"), alt.NamedData("others")
    band = (
        alt.Chart(
            own,
            mark=alt.MarkDef("area", interpolate="step-after", color=DARK_BLUE, opacity=0.18),
        )
        .encode(x=x, y=alt.Y("lower:Q", scale=scale, title=None), y2="upper:Q")
        .transform_filter("isValid(datum.lower) && isValid(datum.upper)")
    )
    dashed = alt.Chart(
        others,
        mark=alt.MarkDef(
            "line", interpolate="step-after", color=GREY, strokeDash=[5, 4], strokeWidth=1.8
        ),
    ).encode(x=x, y=y, detail="curve:N")
    line = alt.Chart(
        own,
        mark=alt.MarkDef("line", interpolate="step-after", color=DARK_BLUE, strokeWidth=2.5),
    ).encode(x=x, y=y)
    return specification(alt.layer(band, dashed, line).properties(width=_WIDE, height=260))


def waits(boxes: Sequence[Box], benchmark: float | None) -> str:
    """A row for each box: middle half, median, mean."""
    rows = [
        {
            "label": box.label,
            "low": box.low,
            "median": box.median,
            "high": box.high,
            "mean": box.mean,
            "own": box.is_own,
        }
        for box in boxes
    ]
    line = [] if benchmark is None else [{"at": benchmark}]
    return drawn(_waits(), {"boxes": rows, "benchmark": line})


@lru_cache
def _waits() -> str:
    import altair as alt

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", scale=alt.Scale(zero=True, nice=True), title=None)

    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False))
    boxes = alt.NamedData("boxes")
    layers = [
        alt.Chart(
            boxes,
            mark=alt.MarkDef("bar", height=15, color=colour, stroke=GREY, strokeWidth=0.8),
        )
        .encode(x=x("low"), x2="high:Q", y=y)
        .transform_filter(f"datum.own == {json.dumps(is_own)}")
        for is_own, colour in ((True, "#A9C3DA"), (False, "#D9D9D9"))
    ]
    layers += [
        alt.Chart(
            alt.NamedData("benchmark"),
            mark=alt.MarkDef("rule", color=ORANGE, strokeDash=[5, 3], strokeWidth=2),
        ).encode(x=x("at")),
        alt.Chart(boxes, mark=alt.MarkDef("tick", color=INK, thickness=3, size=15)).encode(
            x=x("median"), y=y
        ),
        alt.Chart(
            boxes,
            mark=alt.MarkDef(
                "point", shape="diamond", size=70, color=DARK_BLUE, fill=DARK_BLUE, opacity=1
            ),
        ).encode(x=x("mean"), y=y),
    ]
    return specification(alt.layer(*layers).properties(width=_SMALL, height=alt.Step(26)))


def early_warning(bars: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Children waiting on each clock, stacked by when their limit passes: past it, in the next
    30, 31 to 60 and 61 to 90 days, later."""
    rows = []
    for code, counts in bars:
        start = 0
        for count, (colour, ink) in zip(counts, EARLY_WARNING_COLOURS, strict=True):
            rows.append(
                {
                    "code": code,
                    "from": start,
                    "to": start + count,
                    "middle": start + count / 2,
                    "shown": str(count) if count else "",
                    "colour": colour,
                    "ink": ink,
                }
            )
            start += count
    return drawn(_early_warning(), {"bars": rows})


@lru_cache
def _early_warning() -> str:
    import altair as alt

    y = alt.Y("code:N", sort=None, title=None, axis=alt.Axis(labelLimit=200, ticks=False))
    axis = alt.Axis(tickMinStep=1, format="d")
    bars = alt.NamedData("bars")
    bar = alt.Chart(bars, mark=alt.MarkDef("bar", stroke="white", strokeWidth=2, height=24)).encode(
        x=alt.X("from:Q", title=None, axis=axis),
        x2="to:Q",
        y=y,
        color=alt.Color("colour:N", scale=None),
    )
    count = alt.Chart(bars, mark=alt.MarkDef("text", fontSize=12, fontWeight="bold")).encode(
        x=alt.X("middle:Q", title=None, axis=axis),
        y=y,
        text="shown:N",
        color=alt.Color("ink:N", scale=None),
    )
    return specification(alt.layer(bar, count).properties(width=_WIDE, height=alt.Step(34)))


def _up_to(steps: Sequence[Step], end: int) -> list[dict[str, float | None]]:
    """In per cent, with a last step at the edge of the picture."""
    rows: list[dict[str, float | None]] = [
        {
            "days": float(days),
            "waiting": 100 * waiting,
            "lower": None if lower is None else 100 * lower,
            "upper": None if upper is None else 100 * upper,
        }
        for days, waiting, lower, upper in steps
        if days <= end
    ]
    if rows and steps[-1][0] > end:
        rows.append(rows[-1] | {"days": float(end)})
    return rows
