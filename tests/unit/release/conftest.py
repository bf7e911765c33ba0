"""An invented release: two authorities, a region and a nation, with every kind of cell in it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pipelines.declarations import Text
from pipelines.quarters import Quarter
from pipelines.release.content import FIGURE_SCHEMA, KEY, Content

Q4 = Quarter.parse("2020-21-Q4")
NATIONS = {"wales": "W92000004", "england": "E92000001"}
AUTHORITIES = {"wales": ("W06000014", "W06000015"), "england": ("E06000023", "E10000013")}
REGIONS = {"wales": ("VVC", "region"), "england": ("ADOPTION_WEST", "regional_agency")}


def figure(indicator, place, shown, *, component="value", window="quarter", part=None, notes=""):
    """``shown`` is a number or a flag; ``part`` is (breakdown, part)."""
    is_flag = isinstance(shown, str)
    return {
        "indicator_id": indicator,
        "component": component,
        "place_code": place,
        "quarter": Q4.label,
        "window_name": window,
        "breakdown": part[0] if part else "total",
        "breakdown_value": part[1] if part else "total",
        "number": None if is_flag else float(shown),
        "decimals": 1 if indicator in ("SHARE", "WAIT") and component == "value" else 0,
        "flag": shown if is_flag else None,
        "notes": notes,
    }


def _figures(nation, region, one, other):
    for window in ("quarter", "financial_year"):
        yield figure("COUNT", nation, 1234, window=window, notes="p")
        yield figure("COUNT", region, 30, window=window)
        yield figure("COUNT", one, "c", window=window)
        yield figure("COUNT", other, 0, window=window)
        for sex, number in (("female", 600), ("male", 634)):
            yield figure("COUNT", nation, number, window=window, part=("sex", sex))
    yield figure("SHARE", nation, 33.34)
    yield figure("SHARE", nation, 1234, component="denominator")
    yield figure("SHARE", one, "c")
    yield figure("SHARE", one, "c", component="denominator")
    yield figure("SHARE", other, "z")
    yield figure("SHARE", other, 0, component="denominator")
    yield figure("WAIT", region, 8.25, notes="p,r")
    yield figure("WAIT", other, "x")
    yield figure("WAIT", one, "low")
    yield figure("HOMES", nation, 12)


def _indicator(code, unit, subject="child", is_ratio=False):
    return {
        "indicator_id": code,
        "title_en": f"Title of {code}",
        "title_cy": f"Teitl {code}",
        "definition_en": f"Definition of {code}.",
        "definition_cy": f"Diffiniad {code}.",
        "subject": subject,
        "unit": unit,
        "is_ratio": is_ratio,
        "definition_status": "proposed",
        "status_note_en": "Invented.",
        "status_note_cy": "Dychmygol.",
        "sources": "none",
    }


def invented(country: str) -> Content:
    nation, (one, other), (region, kind) = (
        NATIONS[country],
        AUTHORITIES[country],
        REGIONS[country],
    )
    rows = list(_figures(nation, region, one, other))
    return Content(
        body="INVENTED",
        nation_code=nation,
        title=Text(en="An invented body", cy="Corff dychmygol"),
        quarter=Q4,
        version=1,
        figures=pl.DataFrame(rows, schema=FIGURE_SCHEMA).sort(KEY),
        indicators=pl.DataFrame(
            [
                _indicator("COUNT", "children"),
                _indicator("SHARE", "percent", is_ratio=True),
                _indicator("WAIT", "months", is_ratio=True),
                _indicator("HOMES", "households", subject="adopter"),
            ]
        ),
        places=pl.DataFrame(
            [
                (nation, "Nation", "Gwlad", "nation", ""),
                (region, "The Region", "Y Rhanbarth", kind, nation),
                (one, "One", "Un", "authority", region),
                (other, "=Other", "Arall ŵ", "authority", region),
            ],
            schema=["place_code", "name_en", "name_cy", "kind", "parent_code"],
            orient="row",
        ),
        categories=pl.DataFrame(
            [
                ("total", "total", "Total", "Cyfanswm", "Total", "Cyfanswm", 1),
                ("sex", "female", "Sex", "Rhyw", "Female", "Benyw", 1),
                ("sex", "male", "Sex", "Rhyw", "Male", "Gwryw", 2),
            ],
            schema=[
                "breakdown",
                "breakdown_value",
                "title_en",
                "title_cy",
                "label_en",
                "label_cy",
                "position",
            ],
            orient="row",
        ),
        coverage=pl.DataFrame(),
        is_synthetic=True,
    )


@pytest.fixture
def wales() -> Content:
    return invented("wales")


@pytest.fixture
def england() -> Content:
    return invented("england")


def with_figures(content: Content, *changed: dict) -> Content:
    """The release with these figures in place of those of the same key."""
    new = pl.DataFrame(changed, schema=FIGURE_SCHEMA)
    kept = content.figures.join(new, on=KEY, how="anti")
    return replace(content, figures=pl.concat([kept, new]).sort(KEY))
