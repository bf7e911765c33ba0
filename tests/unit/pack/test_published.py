"""Publishable packs: made of a release's figures alone, and telling nothing that it keeps back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.cli import main
from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, sha256_of, write_checksums
from pipelines.lifecycle.ledger import Ledger
from pipelines.pack.published_pages import published_page
from pipelines.pack.published_release import (
    Figures,
    PublishedFigure,
    PublishedRelease,
    earlier_releases,
    read_release,
)
from pipelines.pack.released_packs import write_published_packs
from pipelines.quarters import Quarter
from pipelines.release.content import FIGURE_SCHEMA, KEY, ReleaseError
from pipelines.release.package import CATALOGUE, PARQUET, PROVENANCE
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES, Language
from tests.browser import looked_at
from tests.unit.pack.reading_pages import Page
from tests.unit.pack.reading_published import PublishedPage, strangers
from tests.unit.release.test_versions import released

WALES, VVC, CARDIFF, MERTHYR = "W92000004", "VVC", "W06000015", "W06000024"
PLACES = (WALES, VVC, CARDIFF, MERTHYR)
Q = "2020-21-Q4"
# Place: what is shown of each indicator over four quarters. Every number here is unlike any other.
COUNTS: dict[str, Mapping[str, float | str]] = {
    "W05": {WALES: 1283, VVC: 271, CARDIFF: 61, MERTHYR: "c"},
    "W06": {WALES: 1277, VVC: "c", CARDIFF: 59, MERTHYR: "c"},
    "W11C": {WALES: 211, VVC: 83, CARDIFF: 37, MERTHYR: 0},
}
MEANS: dict[str, Mapping[str, float | str]] = {
    "W08": {WALES: 14.6, VVC: 13.0, CARDIFF: "c", MERTHYR: "z"},
    "W09": {WALES: 5.7, VVC: "c", CARDIFF: "c", MERTHYR: "x"},
}
SHARES: dict[str, Mapping[str, float | str]] = {
    "W11A_PERCENT": {WALES: 46.3, VVC: 47.9, CARDIFF: "c", MERTHYR: "low"},
}
ShownByIndicator = Mapping[str, Mapping[str, float | str]]


def row(
    indicator: str, place: str, shown: float | str, window: str, quarter: str, **more: Any
) -> dict[str, Any]:
    is_flag = isinstance(shown, str)
    return {
        "indicator_id": indicator,
        "component": "value",
        "place_code": place,
        "quarter": quarter,
        "window_name": window,
        "breakdown": "total",
        "breakdown_value": "total",
        "number": None if is_flag else float(shown),
        "decimals": 0,
        "flag": shown if is_flag else None,
        "notes": "",
    } | more


def figures_of(shown_by_place: ShownByIndicator, quarter: str = Q) -> list[dict[str, Any]]:
    rows = []
    for indicator, of_place in shown_by_place.items():
        windows = ("quarter",) if indicator == "W11C" else ("quarter", "rolling_4", "rolling_12")
        for place, shown in of_place.items():
            for window in windows:
                hidden = window == "quarter" and place == MERTHYR and indicator != "W11C"
                decimals = 0 if indicator in COUNTS else 1
                value = "c" if hidden and not isinstance(shown, str) else shown
                rows.append(row(indicator, place, value, window, quarter, decimals=decimals))
                if indicator not in COUNTS:
                    below = 97 if place == WALES else 0 if shown == "z" else "c"
                    rows.append(
                        row(indicator, place, below, window, quarter, component="denominator")
                    )
                if indicator in SHARES:
                    above = 45 if place == WALES else "c"
                    rows.append(
                        row(indicator, place, above, window, quarter, component="numerator")
                    )
    # A part of a total: in the release, and not on any page.
    part = {"breakdown": "sex", "breakdown_value": "female"}
    rows.append(row("W05", WALES, 641, "rolling_4", quarter, **part))
    return rows


def release_in(
    folder: Path,
    declarations: Declarations,
    rows: list[dict[str, Any]] | None = None,
    quarter: str = Q,
    **more: Any,
) -> Path:
    """The three files of a release that a page is made from, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = figures_of(COUNTS | MEANS | SHARES, quarter) if rows is None else rows
    pl.DataFrame(rows, schema=FIGURE_SCHEMA).sort(KEY).write_parquet(folder / PARQUET)
    catalogue = []
    for code in sorted({one["indicator_id"] for one in rows}):
        one = declarations.indicators[code]
        catalogue.append(
            {"indicator_id": code, "subject": one.subject, "unit": one.unit}
            | {f"title_{language}": getattr(one.title, language) for language in LANGUAGES}
            | {f"definition_{spoken}": getattr(one.definition, spoken) for spoken in LANGUAGES}
            | {f"status_note_{spoken}": getattr(one.status_note, spoken) for spoken in LANGUAGES}
            | {"definition_status": one.status}
        )
    pl.DataFrame(catalogue).write_csv(folder / CATALOGUE)
    provenance = {
        "body": "NAS",
        "quarter": quarter,
        "version": 1,
        "is_synthetic": True,
        "returns_open": [],
        "returns_not_used": [],
        "disclosure_control": {
            "title": {"en": "Invented rules", "cy": "Rheolau dychmygol"},
            "status": "proposed",
        },
    } | more
    (folder / PROVENANCE).write_text(json.dumps(provenance), encoding="utf-8")
    return folder


@pytest.fixture
def made(declarations: Declarations, tmp_path: Path) -> Callable[..., PublishedRelease]:
    def make(rows: list[dict[str, Any]] | None = None, **more: Any) -> PublishedRelease:
        folder = release_in(tmp_path / "made", declarations, rows, **more)
        return read_release(folder, declarations)

    return make


@pytest.fixture(scope="module")
def with_past(
    declarations: Declarations, tmp_path_factory: pytest.TempPathFactory
) -> PublishedRelease:
    """A release with those of a year and of a quarter before it."""
    home = tmp_path_factory.mktemp("released")
    year_ago = COUNTS | {
        "W05": {WALES: 1171, VVC: 233, CARDIFF: 47, MERTHYR: 9},
        "W11C": {WALES: 199, VVC: 79, CARDIFF: "c", MERTHYR: 0},
    }
    before = COUNTS | {"W05": {WALES: 1201, VVC: "c", CARDIFF: 53, MERTHYR: "c"}}
    folders = [
        release_in(home / label, declarations, figures_of(shown_by_place, label), label)
        for label, shown_by_place in (("2019-20-Q4", year_ago), ("2020-21-Q3", before))
    ]
    return read_release(release_in(home / Q, declarations), declarations, folders)


Draw = Callable[..., str]


@pytest.fixture(scope="module")
def drawn(declarations: Declarations) -> Draw:
    def draw(release: PublishedRelease, place: str, language: Language = "en") -> str:
        return published_page(release, declarations, release.places[place], language)

    return draw


def text_of(html: str) -> str:
    return re.sub(r"\s+([.;,])", r"\1", Page(html).text)


# --- no number but those of the release -----------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_a_page_is_a_figure_of_the_release(
    with_past: PublishedRelease,
    declarations: Declarations,
    drawn: Draw,
    place: str,
    language: Language,
) -> None:
    html = drawn(with_past, place, language)
    assert strangers(html, with_past, with_past.places[place], language, declarations) == []
    assert len(PublishedPage(html).figures) > 20


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_is_hidden_every_number_is_a_figure_of_the_release(
    with_past: PublishedRelease, declarations: Declarations, drawn: Draw, data: st.DataObject
) -> None:
    """Flags, numbers and notes as they may fall, in this release and in those before it."""
    flag = st.sampled_from([None, None, "c", "x", "z", "low"])
    number = st.integers(0, 99_999).map(lambda tenths: tenths / 10)
    notes = st.sampled_from([(), ("p",), ("b",), ("p", "b", "r")])

    def fall(figures: Figures) -> dict[tuple[str, str, str, str], PublishedFigure]:
        fallen = {}
        for key, one in figures.items():
            hidden = data.draw(flag)
            shown = None if hidden else round(data.draw(number), one.decimals)
            fallen[key] = replace(one, number=shown, flag=hidden, notes=data.draw(notes))
        return fallen

    release = replace(
        with_past,
        figures=fall(with_past.figures),
        earlier={quarter: fall(figures) for quarter, figures in with_past.earlier.items()},
    )
    place = data.draw(st.sampled_from(PLACES))
    language: Language = data.draw(st.sampled_from(LANGUAGES))
    html = drawn(release, place, language)
    assert strangers(html, release, release.places[place], language, declarations) == []
    hidden = {one.key for one in release.figures.values() if one.flag}
    on_page = dict(PublishedPage(html).figures)
    assert all(on_page[key].startswith("[") for key in hidden & set(on_page))


@pytest.mark.parametrize(
    ("whole", "spoilt", "found_in"),
    [
        ("1,283</span> over", "1,283</span> (12 more) over", "12 more"),
        (">1,283<", ">1,284<", "1,284"),
        ('data-figure="W06 value VVC 2020-21-Q4 rolling_4">[c]<', 'data-figure="X">1<', "X: 1"),
        ('aria-label="Children matched. ', 'aria-label="Children matched, 82 up. ', "82"),
        ("<caption>Headline", "<caption>17 suppressed: Headline", "17 suppressed"),
    ],
)
def test_a_number_that_is_no_figure_would_be_found(
    with_past: PublishedRelease,
    declarations: Declarations,
    drawn: Draw,
    whole: str,
    spoilt: str,
    found_in: str,
) -> None:
    html = drawn(with_past, WALES)
    assert whole in html
    unexplained = strangers(
        html.replace(whole, spoilt, 1), with_past, with_past.places[WALES], "en", declarations
    )
    assert found_in in " ".join(unexplained)


def test_what_is_suppressed_is_shown_as_a_symbol_and_in_words(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    release = made()
    english, welsh = (text_of(drawn(release, MERTHYR, language)) for language in LANGUAGES)
    for words in ("[c] suppressed", "[z] not applicable", "[x] not available"):
        assert words in english
    assert "[low] rounds to zero" in english
    assert "[c] wedi'i atal" in welsh
    assert "Suppressed to protect people: children matched; children placed for adoption" in english
    meant = dict(re.findall(r"<dt>(\[\w+\])</dt>\s*<dd>([^<]+)</dd>", drawn(release, MERTHYR)))
    assert list(meant) == ["[c]", "[x]", "[z]", "[low]"]
    assert "a small number could be worked out" in meant["[c]"]


def test_a_page_needs_no_other_file_and_no_warehouse(
    declarations: Declarations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is nowhere in these three files can be nowhere on a page."""
    import duckdb

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a publishable page opened a warehouse")

    monkeypatch.setattr(duckdb, "connect", refuse)
    folder = release_in(tmp_path / "made", declarations)
    assert {path.name for path in folder.iterdir()} == {PARQUET, CATALOGUE, PROVENANCE}
    written = write_published_packs(folder, declarations)
    assert len(written) == 2 * len(PLACES)


def test_the_same_release_makes_the_same_bytes_in_whatever_order_it_is_stored(
    declarations: Declarations, tmp_path: Path
) -> None:
    folder = release_in(tmp_path / "made", declarations)
    first = {path.name: path.read_bytes() for path in write_published_packs(folder, declarations)}
    figures = pl.read_parquet(folder / PARQUET)
    figures.reverse().write_parquet(folder / PARQUET)
    again = write_published_packs(folder, declarations)
    assert {path.name: path.read_bytes() for path in again} == first


# --- attacks: what words, order and pictures could tell -------------------------------------------


def test_nothing_is_said_of_the_benchmark_of_a_hidden_figure(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    html = drawn(made(), CARDIFF)  # both means with a benchmark are kept back
    assert "no more than 13 months" in html and "no more than 6 months" in html
    assert not re.search(r"<b>(met|not met)</b>|<strong>(Met|Not met)", html)
    assert "Compared with benchmarks" not in html


@pytest.mark.parametrize(("shown", "word"), [(13.0, "met"), (12.9, "met"), (13.1, "not met")])
def test_a_benchmark_is_held_against_the_number_that_is_shown(
    made: Callable[..., PublishedRelease], drawn: Draw, shown: float, word: str
) -> None:
    rows = figures_of(COUNTS | {"W08": {VVC: shown}, "W09": {VVC: "c"}})
    html = drawn(made(rows), VVC)
    assert re.findall(r"<b>((?:not )?met)</b>", html) == [word]


def test_decimals_beyond_those_shown_decide_nothing(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    """A release that held 13.04 and shows 13.0 would else tell on which side of 13 it lies."""
    pages = {
        drawn(made(figures_of(COUNTS | {"W08": {VVC: exact}})), VVC) for exact in (12.96, 13.04)
    }
    assert len(pages) == 1


def test_places_stand_in_the_same_order_whatever_their_figures(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    def order(shown_by_place: ShownByIndicator) -> list[str]:
        heads = re.findall(
            r'<th scope="col" class="number">([^<]+)</th>',
            drawn(made(figures_of(shown_by_place)), VVC),
        )
        return [name for name in heads if name in ("Cardiff", "Merthyr Tydfil")]

    swapped = {
        code: {**of_place, CARDIFF: of_place[MERTHYR], MERTHYR: of_place[CARDIFF]}
        for code, of_place in COUNTS.items()
    }
    assert order(COUNTS) == order(swapped) == ["Cardiff", "Merthyr Tydfil"]


def test_indicators_stand_in_the_same_order_whatever_is_hidden(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    def order(place: str) -> list[str]:
        return re.findall(r'<tr role="row" id="i-([^"]+)"', drawn(release, place))

    release = made()
    assert order(MERTHYR) == order(WALES) == ["W05", "W06", "W08", "W09", "W11A_PERCENT", "W11C"]


def test_a_line_has_a_point_for_each_shown_figure_and_a_gap_for_a_hidden_one(
    with_past: PublishedRelease, drawn: Draw
) -> None:
    page = PublishedPage(drawn(with_past, VVC))
    spoken = dict(page.sparks)["W05"]
    assert "2019-20-Q4: 233; 2020-21-Q3: suppressed; 2020-21-Q4: 271." in spoken[0]
    svg = re.search(
        r'<svg class="spark" role="img" aria-label="Children matched.*?</svg>', page.html
    )
    assert svg is not None
    assert svg[0].count("<circle") == 2
    assert "<polyline" not in svg[0]  # no two quarters beside each other are shown


def test_a_line_is_drawn_to_the_scale_of_shown_figures_alone(
    declarations: Declarations, tmp_path: Path, drawn: Draw
) -> None:
    """Shown points lie where they lie, however large the figure between them that is kept back."""

    def points(hidden: float | str) -> list[tuple[float, float]]:
        home = tmp_path / str(hidden)
        earlier = [
            release_in(home / label, declarations, figures_of({"W05": {VVC: shown}}, label), label)
            for label, shown in (("2020-21-Q2", 200), ("2020-21-Q3", hidden))
        ]
        now = release_in(home / Q, declarations, figures_of({"W05": {VVC: 210}}))
        return PublishedPage(drawn(read_release(now, declarations, earlier), VVC)).places

    shown, hidden = points(900), points("c")
    assert len(shown) == 3 and len(hidden) == 2
    assert {y for _, y in hidden} == {7.0, 27.0}  # the whole height for the two that are shown


def test_a_year_before_is_told_only_where_both_figures_are_shown(
    with_past: PublishedRelease, drawn: Draw
) -> None:
    wales, merthyr = (text_of(drawn(with_past, place)) for place in (WALES, MERTHYR))
    matched = "Children matched: 1,283 over the last four quarters"
    assert f"{matched}, compared with 1,171 for 2019-20-Q4." in wales
    assert "Figures for earlier quarters are as released at the time: NAS/2019-20-Q4/1" in wales
    assert "Children matched:" not in merthyr.partition("Indicators")[2]
    assert "compared with 9 for" not in merthyr
    cardiff = text_of(drawn(with_past, CARDIFF))
    assert "on 31 March 2021, compared with 79 for 2019-20-Q4." in text_of(drawn(with_past, VVC))
    assert "compared with 47 for 2019-20-Q4." in cardiff and "compared with [c]" not in cardiff


def test_a_break_in_series_is_no_comparison_with_the_year_before(
    with_past: PublishedRelease, drawn: Draw
) -> None:
    figures = {
        key: replace(one, notes=("b",)) if key[1] == "W05" else one
        for key, one in with_past.figures.items()
    }
    text = text_of(drawn(replace(with_past, figures=figures), WALES))
    assert "compared with 1,171" not in text
    assert "1,283 break in series" in text


def test_parts_that_a_percentage_rests_on_are_shown_only_as_the_release_shows_them(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    release = made()
    assert "46.3% 45 of 97" in text_of(drawn(release, WALES))
    region = text_of(drawn(release, VVC))
    assert "47.9%" in region and "47.9% [c] of" not in region
    assert "mean of 0" not in text_of(drawn(release, MERTHYR))


# --- what it says of itself -----------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_what_it_is_on_screen_and_on_every_sheet(
    made: Callable[..., PublishedRelease], drawn: Draw, language: Language
) -> None:
    html = drawn(made(), CARDIFF, language)
    text = text_of(html)
    label, name, rules, status, sample = {
        "en": ("Disclosure controlled", "Cardiff", "Invented rules", "proposed", "Synthetic"),
        "cy": ("Dan reolaeth datgelu", "Caerdydd", "Rheolau dychmygol", "arfaethedig", "synthetig"),
    }[language]
    for words in (f"{label}: NAS/{Q}/1", name, rules, status, sample, Q):
        assert words in text
    escaped = re.search(r'@top-left \{ content: "([^"]*)"', html)
    assert escaped is not None
    paper = re.sub(r"\\([0-9a-f]{6})", lambda hit: chr(int(hit[1], 16)), escaped[1])
    assert name in paper and f"{label}: NAS/{Q}/1" in paper


def test_a_real_release_does_not_call_itself_synthetic(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    assert "Synthetic" not in drawn(made(is_synthetic=False), WALES)


def test_returns_that_are_missing_are_named_at_the_places_they_belong_to(
    made: Callable[..., PublishedRelease], drawn: Draw
) -> None:
    lacking = {"sender_code": CARDIFF, "return_name": "child", "quarter": Q, "why": "missing"}
    release = made(returns_not_used=[lacking], returns_open=[{}])
    for place in (WALES, VVC, CARDIFF):
        text = text_of(drawn(release, place))
        assert "Returns missing. Some returns due for the quarter are not included in these" in text
        assert f"Cardiff Children {Q} missing" in text
        assert "that the national team has not yet accepted" in text
    assert "All returns due for the quarter are included" in text_of(drawn(release, MERTHYR))


def test_a_folder_that_is_no_release_is_refused(declarations: Declarations, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no release"):
        write_published_packs(tmp_path, declarations)


def test_a_release_of_a_body_that_nobody_declared_is_refused(
    made: Callable[..., PublishedRelease],
) -> None:
    with pytest.raises(ReleaseError, match="release of ABC, which is not a body declared here"):
        made(body="ABC")


def test_a_release_of_england_has_its_agencies_and_authorities(
    made: Callable[..., PublishedRelease], declarations: Declarations, drawn: Draw
) -> None:
    nation, agency, authority = "E92000001", "ADOPTION_WEST", "E06000023"
    counts = {"G1": {nation: 4410, agency: 230, authority: "low"}}
    means = {"A10": {nation: 400.5, agency: "c", authority: "z"}}
    rows = [
        row(code, place, shown, "rolling_4", Q, decimals=decimals)
        for shown_by_place, decimals in ((counts, 0), (means, 1))
        for code, of_place in shown_by_place.items()
        for place, shown in of_place.items()
    ]
    release = made(rows, body="DFE")
    assert [one.code for one in release.places_with_a_pack()] == [nation, agency, authority]
    assert [one.code for one in release.members_of(release.places[agency])] == [authority]
    for place in (nation, agency, authority):
        for language in LANGUAGES:
            html = drawn(release, place, language)
            assert strangers(html, release, release.places[place], language, declarations) == []
    assert "[low] rounds to zero" in text_of(drawn(release, authority))


def test_where_four_quarters_are_not_released_the_year_to_date_stands_for_them(
    declarations: Declarations, tmp_path: Path, drawn: Draw
) -> None:
    """And the line is of single quarters: the year to date grows through the year."""

    def rows(quarter: str, of_quarter: int, to_date: int) -> list[dict[str, Any]]:
        return [
            row("W05", WALES, of_quarter, "quarter", quarter),
            row("W05", WALES, to_date, "year_to_date", quarter),
        ]

    past = [
        release_in(tmp_path / quarter, declarations, rows(quarter, number, 3 * number), quarter)
        for quarter, number in (("2020-21-Q1", 211), ("2020-21-Q2", 223))
    ]
    now = release_in(tmp_path / "now", declarations, rows("2020-21-Q3", 227, 661), "2020-21-Q3")
    html = drawn(read_release(now, declarations, past), WALES)
    text = text_of(html)
    assert "Year to date" in text and "Last four quarters" not in text
    assert "661 in the year to date, 227 of them in the quarter" in text
    assert "2020-21-Q1: 211; 2020-21-Q2: 223; 2020-21-Q3: 227" in html
    assert "633" not in html


def test_markup_in_a_release_is_shown_and_not_obeyed(
    declarations: Declarations, tmp_path: Path, drawn: Draw
) -> None:
    folder = release_in(tmp_path / "made", declarations)
    hostile = '<script>alert("x")</script>'
    catalogue = pl.read_csv(folder / CATALOGUE).with_columns(
        title_en=pl.lit(hostile), definition_en=pl.lit(hostile)
    )
    catalogue.write_csv(folder / CATALOGUE)
    document = Page(drawn(read_release(folder, declarations), WALES))
    assert "script" not in {tag for tag, _ in document.elements}
    assert hostile in document.text


# --- for everybody --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_asks_nobody_for_anything(
    with_past: PublishedRelease, drawn: Draw, place: str, language: Language
) -> None:
    document = Page(drawn(with_past, place, language))
    assert document.unclosed == [] and document.fetched() == []
    assert document.all("html") == [{"lang": language}]
    assert max(document.ids().values()) == 1
    levels = document.headings()
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert {str(one["href"])[1:] for one in document.all("a")} <= set(document.ids())
    assert not re.search(r"\b(None|nan|inf|True|False)\b|\{\w*\}|\{\{|&lt;", document.text)
    assert not {tag for tag, _ in document.elements} & {
        "script",
        "link",
        "iframe",
        "object",
        "form",
    }


def test_a_welsh_page_has_the_same_figures_as_the_english_one(
    with_past: PublishedRelease, drawn: Draw
) -> None:
    for place in PLACES:
        english, welsh = (
            sorted(PublishedPage(drawn(with_past, place, language)).figures)
            for language in LANGUAGES
        )
        assert english == welsh


@pytest.mark.parametrize(
    ("place", "language", "width"), [(WALES, "cy", 1280), (MERTHYR, "en", 500)]
)
def test_axe_finds_nothing(
    with_past: PublishedRelease,
    drawn: Draw,
    tmp_path: Path,
    place: str,
    language: Language,
    width: int,
) -> None:
    report = looked_at(drawn(with_past, place, language), width, tmp_path)
    assert report["violations"] == []
    assert report["rules"] > 30


# --- of a released version ------------------------------------------------------------------------


@pytest.fixture
def home(declarations: Declarations, settings: Settings) -> Settings:
    """Four versions in the ledger: two of a quarter, the one before it, and one long ago."""
    in_ledger = [("2020-21-Q3", 1, 0), (Q, 1, 1), ("2020-21-Q3", 2, 2), (Q, 2, 3)]
    in_ledger.append(("2016-17-Q1", 1, 4))
    for quarter, version, moved in in_ledger:
        counts = {"W05": {WALES: 1201 + moved, VVC: 233, CARDIFF: "c"}}
        folder = settings.releases / "nas" / quarter / str(version)
        rows = figures_of(counts, quarter)
        release_in(folder, declarations, rows, quarter, version=version)
        earlier = []
        if quarter == Q:
            ledger_length = len(Ledger(settings.ledger).events())
            earlier = earlier_releases(settings, "NAS", Quarter.parse(Q), ledger_length)
        if (quarter, version) != (Q, 1):  # as a version made before packs were part of a release
            write_published_packs(folder, declarations, earlier)
        write_checksums(folder)
        event = released(version, "A reason." if version > 1 else None, quarter=quarter)
        Ledger(settings.ledger).append(event | {"checksums": sha256_of(folder / CHECKSUMS)})
    return settings


def pack(*words: str) -> Result:
    return CliRunner().invoke(main, ["pack", *words])


def test_the_trend_is_of_the_newest_versions_that_were_there_then(home: Settings) -> None:
    def names(quarter: str, lines: int) -> list[str]:
        folders = earlier_releases(home, "NAS", Quarter.parse(quarter), lines)
        return [path.relative_to(home.releases).as_posix() for path in folders]

    assert names(Q, 1) == ["nas/2020-21-Q3/1"]
    assert names(Q, 5) == ["nas/2020-21-Q3/2"]  # and not that of five years ago
    assert names("2020-21-Q3", 5) == []  # nor what came later
    assert earlier_releases(home, "DFE", Quarter.parse(Q), 5) == []
    wales = (home.releases / "nas" / Q / "2" / "pack-wales-en.html").read_text(encoding="utf-8")
    assert "as released at the time: NAS/2020-21-Q3/2." in wales


def test_the_packs_of_a_release_are_copied_as_they_were_released(home: Settings) -> None:
    result = pack("--release", f"NAS/{Q}/2")
    assert result.exit_code == 0, result.output
    folder = home.exports / Q / f"packs-nas-{Q.lower()}-v2"
    version = home.releases / "nas" / Q / "2"
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in version.glob("pack-*.html")) and len(names) == 6
    assert all((folder / name).read_bytes() == (version / name).read_bytes() for name in names)
    assert "Publishable edition of NAS/2020-21-Q4/2, disclosure controlled." in result.output


def test_one_place_and_language_of_a_release_can_be_asked_for(
    home: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "board"
    result = pack("caerdydd", "--release", f"nas/{Q}/2", "--language", "cy", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert [path.name for path in out.iterdir()] == ["pack-cardiff-cy.html"]


def test_a_version_from_before_there_were_packs_gets_its_pages_from_its_figures(
    home: Settings, tmp_path: Path
) -> None:
    assert pack("Wales", "--release", f"NAS/{Q}/1", "--out", str(tmp_path / "out")).exit_code == 0
    text = (tmp_path / "out" / "pack-wales-en.html").read_text(encoding="utf-8")
    assert "1,202" in text and "as released at the time: NAS/2020-21-Q3/1." in text
    assert not list((home.releases / "nas" / Q / "1").glob("*.html"))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--release", "NAS/2020-21-Q4/9"], 1, "was never released"),
        (["Newport", "--release", f"NAS/{Q}/2"], 2, "has no figures of 'Newport'"),
        (["Cardif", "--release", f"NAS/{Q}/2"], 2, "did you mean"),
        (["Cardiff", Q, "--release", f"NAS/{Q}/2"], 2, "one PLACE and no QUARTER"),
        (["--nation", "Wales", "--release", f"NAS/{Q}/2"], 2, "leave out --nation"),
        ([], 2, "give a PLACE and a QUARTER"),
    ],
)
def test_what_a_release_does_not_have_is_said_in_a_line(
    home: Settings, words: list[str], code: int, message: str
) -> None:
    result = pack(*words)
    assert result.exit_code == code, result.output
    assert message in result.output and "Traceback" not in result.output


def test_a_version_that_was_changed_is_not_copied(home: Settings) -> None:
    page = home.releases / "nas" / Q / "2" / "pack-wales-en.html"
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    result = pack("--release", f"NAS/{Q}/2")
    assert result.exit_code == 1
    assert "is not as it was released" in result.output.replace("\n", " ")
