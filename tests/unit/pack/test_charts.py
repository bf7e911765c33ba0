"""Pictures: valid to the library that describes them, and with the data in them."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from pipelines.pack import charts
from pipelines.pack.charts import Box, Curve, Peer, Point
from pipelines.pack.sparklines import SparkPoint, sparkline

QUARTERS = [f"{year}-{year % 100 + 1:02d}-Q{n}" for year in (2023, 2024, 2025) for n in range(1, 5)]
SERIES = [Point(quarter, 10.0 + number % 3) for number, quarter in enumerate(QUARTERS)]
BUILDERS = (
    charts._over_time,
    charts._funnel,
    charts._journey,
    charts._waits,
    charts._early_warning,
)


def picture(source: str) -> str:
    kind, _, content = source.partition(";base64,")
    assert kind == "data:image/svg+xml"
    return base64.b64decode(content).decode("utf-8")


def texts(source: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", picture(source))


def test_altair_finds_every_chart_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    import altair as alt

    to_dict, checked = alt.LayerChart.to_dict, []

    def check(self, validate=True, **more):
        checked.append(validate)
        return to_dict(self, validate=True, **more)

    monkeypatch.setattr(alt.LayerChart, "to_dict", check)
    for build in BUILDERS:
        build.cache_clear()
    for flags in ((True, True, True), (False, False, False)):
        charts._over_time(*flags)
    charts._funnel(), charts._journey(364), charts._waits(), charts._early_warning()
    assert checked.count(False) == 6
    for build in BUILDERS:
        build.cache_clear()


def test_altair_would_find_a_chart_that_is_not() -> None:
    import altair as alt

    wrong: Any = 3
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        alt.Chart(alt.NamedData("x"), mark=alt.MarkDef("point", shape=wrong)).to_dict()


def test_a_control_chart_writes_its_lines_and_years() -> None:
    drawn = charts.over_time(SERIES, 11.0, (7.4, 14.6), [], 1)
    assert {"11.0", "7.4", "14.6"} <= set(texts(drawn))
    assert {"2023-24", "2024-25", "2025-26"} <= set(texts(drawn))


def test_a_limit_at_zero_is_the_axis_itself() -> None:
    drawn = charts.over_time(SERIES, 11.0, (0.0, 14.6), [], 1)
    assert "14.6" in texts(drawn) and "0.0" not in texts(drawn)


def test_few_quarters_are_each_named() -> None:
    assert "Q1 2025-26" in texts(charts.over_time(SERIES[-4:], 11.0, None, [], 1))


def test_quarters_stand_in_their_order_whatever_comes_first() -> None:
    broken = charts.over_time(SERIES[::-1], 11.0, None, [QUARTERS[8]], 1)
    years = [text for text in texts(broken) if re.fullmatch(r"\d{4}-\d\d", text)]
    assert years == ["2023-24", "2024-25", "2025-26"]


def test_a_kind_of_point_has_a_shape_of_its_own() -> None:
    """Not by colour alone: without it the four kinds still differ."""
    outlines = set()
    for kind in ("common", "better", "worse", "incomplete"):
        svg = picture(
            charts.over_time([*SERIES[:-1], Point(QUARTERS[-1], 9.0, kind)], 11, None, [], 1)
        )
        symbols = re.findall(r'<path transform="[^"]*" d="([^"]*)" fill="([^"]*)"', svg)
        shape, fill = symbols[-1]
        outlines.add((re.sub(r"[-\d.,]+", "", shape), fill == "white"))
    assert len(outlines) == 4


def test_nothing_drawn_has_a_gap_as_a_value() -> None:
    points = [*SERIES[:5], Point(QUARTERS[5], None), *SERIES[6:]]
    svg = picture(charts.over_time(points, 11.0, None, [], 1))
    assert "NaN" not in svg and "null" not in svg


def test_a_funnel_names_those_it_is_told_to() -> None:
    peers = [Peer(40, 0.7, label="Outside"), Peer(20, 0.4, is_own=True), Peer(5, 0.2)]
    assert texts(charts.funnel(peers, 0.5)).count("Outside") == 2  # the name and its white edge


def test_a_name_that_would_hide_another_point_goes_to_the_other_side_or_is_left_out() -> None:
    def name_of(*others: Peer) -> tuple[int, set[str]]:
        svg = picture(charts.funnel([Peer(100, 0.5, label="Outside"), *others], 0.5))
        anchors = re.findall(r'<text text-anchor="(\w+)"[^>]*>Outside</text>', svg)
        return len(anchors), set(anchors)

    far, right, left = Peer(200, 0.9), Peer(115, 0.53), Peer(85, 0.53)
    assert name_of(far) == (2, {"start"})
    assert name_of(far, right) == (2, {"end"})
    assert name_of(far, right, left) == (0, set())


def test_a_curve_ends_where_its_last_child_was_seen() -> None:
    curve = Curve([(0, 1.0, None, None), (200, 0.5, 0.4, 0.6)], is_own=True)
    assert {"0", "91", "182", "273"} <= set(texts(charts.journey([curve])))


def test_a_bar_has_its_counts_in_it_and_no_zeros() -> None:
    drawn = texts(charts.early_warning([("X3", [17, 0, 2, 1, 13])]))
    assert {"17", "2", "1", "13", "X3"} <= set(drawn)


def test_a_row_of_waits_is_named() -> None:
    drawn = texts(charts.waits([Box("Somewhere (12)", 6, 9, 12, 10, is_own=True)], 9.0))
    assert "Somewhere (12)" in drawn


def test_markup_in_a_name_is_text_in_a_picture() -> None:
    svg = picture(charts.waits([Box("<script>x</script>", 6, 9, 12, 10, is_own=True)], None))
    assert "<script" not in svg and "&lt;script" in svg


# --- the small line in a table ----------------------------------------------------------------


def spark(*values: float | None) -> str:
    points = [
        SparkPoint(f"Q{number}", value, "–" if value is None else f"{value:g}", value != 7)
        for number, value in enumerate(values)
    ]
    return sparkline(points, "A & B: 1, 2")


def test_a_small_line_writes_every_value_and_says_it_aloud() -> None:
    drawn = spark(3, 5, 4)
    assert re.findall(r">([^<]+)</text>", drawn) == ["3", "5", "4"]
    assert 'aria-label="A &amp; B: 1, 2"' in drawn
    (line,) = re.findall(r'points="([^"]*)"', drawn)
    heights = [float(pair.partition(",")[2]) for pair in line.split()]
    assert heights[0] > heights[2] > heights[1]  # downwards in a picture


def test_a_gap_breaks_the_line() -> None:
    assert len(re.findall("<polyline", spark(3, 4, None, 5, 6))) == 2
    assert len(re.findall("<polyline", spark(3, None, 5))) == 0
    assert len(re.findall("<circle", spark(3, None, 5))) == 2


def test_a_line_that_never_moves_is_level() -> None:
    (line,) = re.findall(r'points="([^"]*)"', spark(4, 4, 4))
    assert len({pair.partition(",")[2] for pair in line.split()}) == 1


def test_a_quarter_that_lacks_returns_is_hollow() -> None:
    assert re.findall(r'class="([^"]*)" cx', spark(3, 7, 4)) == ["then", "then hollow", "now"]
