"""The small line in a row of a table, with its values written under it.

A page has some forty. Vega-Lite would take 50 ms for each; this is a polyline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STEP, _TOP, _BOTTOM, _HEIGHT = 33, 7, 27, 43


@dataclass(frozen=True)
class SparkPoint:
    """A quarter: its value, as it is written, and whether every return is in it."""

    quarter: str
    value: float | None
    shown: str
    is_complete: bool


def sparkline(points: Sequence[SparkPoint], description: str) -> str:
    """SVG of ``points``; ``description`` is what a screen reader says."""
    width = _STEP * max(len(points), 1)
    values = [point.value for point in points if point.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    spread = high - low

    def at(number: int, value: float) -> tuple[float, float]:
        share = (value - low) / spread if spread else 0.5
        return _STEP * (number + 0.5), round(_BOTTOM - share * (_BOTTOM - _TOP), 1)

    placed = [
        None if point.value is None else at(number, point.value)
        for number, point in enumerate(points)
    ]
    parts = [
        f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in run)}"/>'
        for run in _unbroken(placed)
        if len(run) > 1
    ]
    last = len(points) - 1
    for number, (point, place) in enumerate(zip(points, placed, strict=True)):
        if place is not None:
            kind = "now" if number == last else "then"
            if not point.is_complete:
                kind += " hollow"
            radius = 4 if number == last else 2.5
            parts.append(
                f'<circle class="{kind}" cx="{place[0]:g}" cy="{place[1]:g}" r="{radius}"/>'
            )
        weight = ' class="now"' if number == last else ""
        middle = _STEP * (number + 0.5)
        parts.append(f'<text{weight} x="{middle:g}" y="{_HEIGHT - 2}">{escape(point.shown)}</text>')
    size = f'viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}"'
    label = f'role="img" aria-label="{escape(description)}"'
    return f'<svg class="spark" {label} {size}>{"".join(parts)}</svg>'


def _unbroken(
    placed: Sequence[tuple[float, float] | None],
) -> list[list[tuple[float, float]]]:
    """Stretches without a gap: a missing quarter breaks the line."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place in placed:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return runs
