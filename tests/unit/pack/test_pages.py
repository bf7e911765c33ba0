"""Pages: whole, self-contained, readable by everybody, right where data are few or missing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.pack import charts, drawing
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import PLACES_IN_A_TABLE
from pipelines.pack.pages import page, places_with_a_pack, write_packs
from pipelines.pack.places import PackError, file_name, find_place, nations_of
from pipelines.text.catalogue import LANGUAGES, Language
from tests.unit.pack.conftest import PLACES, QUARTERS, WALES, Q, Rows
from tests.unit.pack.reading_pages import Page

DataOf = Callable[[Rows], NationQuarter]
EVERY_PLACE = pytest.mark.parametrize("place", list(PLACES))
BOTH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def drawn(declarations: Declarations) -> Callable[..., Page]:
    def draw(data: NationQuarter, place: str, language: Language = "en") -> Page:
        return Page(page(data, declarations, data.places[place], language))

    return draw


# --- every page ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(declarations: Declarations) -> dict[tuple[str, str], Page]:
    """Every page of the made nation, drawn once."""
    import duckdb

    from pipelines.pack.pages import read_nation_quarter
    from tests.unit.marts_made import create_marts, insert
    from tests.unit.pack.conftest import made_rows

    with duckdb.connect() as connection:
        create_marts(connection)
        for table, rows in made_rows().items():
            insert(connection, table, rows)
        data = read_nation_quarter(connection, declarations, WALES, Q)
        return {
            (place, language): Page(page(data, declarations, data.places[place], language))
            for place in PLACES
            for language in LANGUAGES
        }


Pages = dict[tuple[str, str], Page]


@EVERY_PLACE
@BOTH
def test_a_page_is_well_formed_and_says_its_language(
    pages: Pages, place: str, language: str
) -> None:
    document = pages[place, language]
    assert document.unclosed == []
    assert document.all("html") == [{"lang": language}]
    assert {"charset": "utf-8"} in document.all("meta")
    assert document.html.startswith("<!doctype html>")
    assert [count for count in document.ids().values() if count > 1] == []


@EVERY_PLACE
@BOTH
def test_headings_go_down_one_level_at_a_time(pages: Pages, place: str, language: str) -> None:
    levels = pages[place, language].headings()
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


@EVERY_PLACE
@BOTH
def test_a_page_asks_nobody_for_anything(pages: Pages, place: str, language: str) -> None:
    document = pages[place, language]
    assert document.fetched() == []
    assert not {tag for tag, _ in document.elements} & {
        "script",
        "link",
        "iframe",
        "object",
        "form",
    }
    assert not [
        name for _, attributes in document.elements for name in attributes if name.startswith("on")
    ]
    for picture in document.all("img"):
        svg = base64.b64decode(str(picture["src"]).partition(",")[2]).decode("utf-8")
        assert svg.startswith("<svg")
        namespaces = re.findall(r'xmlns(?::\w+)?="[^"]*"', svg)
        assert "://" not in re.sub("|".join(map(re.escape, namespaces)), "", svg)
        assert "<script" not in svg and "<image" not in svg


@EVERY_PLACE
@BOTH
def test_every_picture_says_in_words_what_it_shows(pages: Pages, place: str, language: str) -> None:
    document = pages[place, language]
    for picture in document.all("img"):
        assert re.search(r"\d", str(picture["alt"])), "numbers, not the name of a chart"
    for svg in document.all("svg"):
        assert svg.get("aria-hidden") == "true" or re.search(r"\d", svg["aria-label"] or "")


@EVERY_PLACE
@BOTH
def test_every_table_has_a_caption_and_headings_with_a_direction(
    pages: Pages, place: str, language: str
) -> None:
    document = pages[place, language]
    assert len(document.all("table")) == len(document.all("caption")) > 0
    assert {heading.get("scope") for heading in document.all("th")} == {"row", "col"}
    wide = [div for div in document.all("div") if div.get("role") == "region"]
    assert all(div["tabindex"] == "0" and div["aria-label"] for div in wide)
    labels = [div["aria-label"] for div in wide]
    assert len(labels) == len(set(labels))


@EVERY_PLACE
@BOTH
def test_the_first_link_skips_to_the_figures_and_all_links_lead_somewhere(
    pages: Pages, place: str, language: str
) -> None:
    document = pages[place, language]
    targets = [str(link["href"]) for link in document.all("a")]
    assert targets[0] == "#main"
    assert {target[1:] for target in targets} <= set(document.ids())


@EVERY_PLACE
@BOTH
def test_nothing_of_the_program_shows_through(pages: Pages, place: str, language: str) -> None:
    text = pages[place, language].text
    assert not re.search(r"\b(None|nan|inf|True|False|Undefined)\b|\{\w*\}|\{\{|&lt;", text)


@EVERY_PLACE
def test_every_sheet_says_what_it_is_on_screen_and_on_paper(
    pages: Pages, declarations: Declarations, place: str
) -> None:
    label = declarations.policies[WALES].export_label
    english, welsh, *_ = PLACES[place]
    for language, title, name, words in (
        ("en", "Adoption performance", english, label.en),
        ("cy", "Perfformiad mabwysiadu", welsh, label.cy),
    ):
        document = pages[place, language]
        assert words in document.text
        escaped = re.search(r'@top-left \{ content: "([^"]*)"', document.html)
        assert escaped is not None
        shown = re.sub(r"\\([0-9a-f]{6})", lambda hit: chr(int(hit[1], 16)), escaped[1])
        assert shown == f"{title}: {name}, {Q} · {words}"


@EVERY_PLACE
def test_a_welsh_page_has_the_same_numbers_as_the_english_one(pages: Pages, place: str) -> None:
    """Compared as a bag: a sentence may put them in another order."""

    def numbers(language: str) -> list[str]:
        return sorted(re.findall(r"\d+(?:[.,]\d+)*%?", pages[place, language].text))

    assert numbers("en") == numbers("cy")


def test_colours_can_be_told_from_their_background(pages: Pages) -> None:
    """WCAG 2.2: 4.5 for text, 3 for what is drawn."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        light, dark = sorted((luminance(one), luminance(other)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    style = pages["CITY", "en"].html.partition("</style>")[0]
    declared = dict(re.findall(r"--(\w+): (#[0-9A-Fa-f]{6})", style))
    for name in ("ink", "quiet", "blue"):
        assert contrast(declared[name], "#ffffff") >= 4.5
    assert contrast(declared["orange"], "#ffffff") >= 3
    for colour, ink in charts.EARLY_WARNING_COLOURS:
        assert contrast(colour, "#ffffff" if ink == "white" else ink) >= 4.5
    for colour in (drawing.DARK_BLUE, drawing.ORANGE, drawing.GREY):
        assert contrast(colour, "#ffffff") >= 3


def test_the_same_page_twice_is_the_same_bytes(
    rows: Rows, data_of: DataOf, declarations: Declarations
) -> None:
    data = data_of(rows)
    first = page(data, declarations, data.places["CITY"], "en")
    drawing.rendered.cache_clear()
    assert page(data, declarations, data.places["CITY"], "en") == first


def test_markup_in_a_name_is_shown_and_not_obeyed(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    hostile = '<script>alert("x")</script>'
    for place in rows["dim_place"]:
        place["name_en"] = f"{place['name_en']} {hostile}"
    for indicator in rows["dim_indicator"]:
        for column in ("title_en", "definition_en", "status_note_en"):
            indicator[column] = hostile
    document = drawn(data_of(rows), "CITY")
    assert "script" not in {tag for tag, _ in document.elements}
    assert hostile in document.text
    pictures = [base64.b64decode(str(one["src"]).partition(",")[2]) for one in document.all("img")]
    assert not any(b"<script" in picture for picture in pictures)


# --- what a page says -----------------------------------------------------------------------------


def compare(rows: Rows, indicator: str, place: str, **more: Any) -> None:
    for row in rows["rpt_comparison"]:
        if (row["indicator_id"], row["place_code"]) == (indicator, place):
            row.update(more)


def test_what_moved_is_said_with_both_values_and_against_what(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    compare(rows, "X5", "CITY", compared_with_previous="better", previous_value=40.5)
    data = data_of(rows)
    assert (
        "Better. Title of X5: 60.2% (53 of 88) over the last four quarters, compared with 40.5% a "
        "year earlier."
    ) in drawn(data, "CITY").text
    assert (
        "Gwell. Teitl X5: 60.2% (53 o 88) dros y pedwar chwarter diwethaf, o gymharu â 40.5% "
        "flwyddyn ynghynt."
    ) in drawn(data, "CITY", "cy").text


def test_a_break_in_series_is_no_movement(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    compare(rows, "X5", "CITY", compared_with_previous="break in series", previous_value=40.5)
    text = drawn(data_of(rows), "CITY").text
    assert "No figure changed by more than chance would explain." in text
    assert "break in series a year earlier: 40.5%" in text


def test_where_all_is_too_few_nothing_is_said_of_movement(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    text = drawn(data_of(rows), "GLEN").text
    assert "chance would explain" not in text.partition("Indicators")[0]
    assert "Too few cases to tell: title of X2; title of X3" in text


def test_a_benchmark_has_word_shape_and_whether_chance_explains_it(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    compare(rows, "X4", "CITY", compared_with_benchmark="no different")
    compare(rows, "X4", "TOWN", compared_with_benchmark="worse")
    data = data_of(rows)
    document = drawn(data, "CITY")
    assert "Not met, could be chance. Title of X4: 9.9 months (mean of 88)" in document.text
    assert "no more than 9 months" in document.text
    assert "not_met" in " ".join(str(one.get("class")) for one in document.all("svg"))
    assert "Not met, unlikely to be chance. Title of X4" in drawn(data, "TOWN").text


def test_a_difference_from_the_nation_is_told_at_the_place(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    compare(rows, "X5", "CITY", compared_with_nation="worse", nation_value=71.25)
    text = drawn(data_of(rows), "CITY").text
    assert "Worse. Title of X5: 60.2% (53 of 88) over the last four quarters, compared" in text
    assert "compared with 71.2% for Wales." in text


def test_a_signal_in_the_last_quarter_is_a_headline(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page], pages: Pages
) -> None:
    for row in rows["fct_indicator"]:
        if (row["indicator_id"], row["place_code"], row["quarter"]) == ("X2", "CITY", Q.label):
            row.update(numerator=45, value=45.0, value_rounded=45.0)
    text = drawn(data_of(rows), "CITY").text
    assert f"Better than usual. Title of X2: Signal: outside the limits in {Q}." in text
    assert "Signal:" not in pages["CITY", "en"].text


def test_a_figure_that_lacks_returns_says_how_many(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_indicator"]:
        if row["place_code"] == WALES and row["quarter"] == Q.label:
            row.update(returns_accepted=3, is_complete=False)
    rows["fct_return"][1]["status"] = "missing"
    text = drawn(data_of(rows), WALES).text
    assert "3 of 4 returns" in text
    assert "1 of the 4 returns due for the quarter is not included in these figures" in text
    assert "Town Children missing" in text


def test_a_count_is_not_charted_with_limits_where_a_return_is_missing(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_indicator"]:
        if row["place_code"] == "CITY" and row["quarter"] == QUARTERS[5]:
            row.update(returns_accepted=3, is_complete=False)
    text = drawn(data_of(rows), "CITY").text
    why = f"Run chart without limits: returns or cases are missing in {QUARTERS[5]}"
    assert text.count(why) == 2  # of the two counts; a mean and a share are charted all the same
    assert len(re.findall(r"Mean \d", text)) == 2


def test_limits_begin_anew_at_a_break_in_series(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    rows["dim_break_in_series"][0].update(indicator_id="X2", since=QUARTERS[9])
    text = drawn(data_of(rows), "CITY").text
    assert f"only 7 quarters since the break in series of {QUARTERS[9]}; limits need 12" in text
    assert f"break in series from {QUARTERS[9]}" in text


def test_few_quarters_make_a_run_chart_that_says_why(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    rows["fct_indicator"] = [r for r in rows["fct_indicator"] if r["quarter"] >= QUARTERS[-4]]
    text = drawn(data_of(rows), "CITY").text
    why = "Run chart without limits: only 4 quarters have a value; limits need 12."
    assert text.count(why) == 4
    assert "Trend: 4 quarters" in text


def test_an_authority_with_one_child_gets_cautions_instead_of_charts(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    document = drawn(data_of(rows), "GLEN")
    assert "Numbers here are very small." in document.text
    assert "Fewer than ten cases".lower() in document.text.lower()
    assert "Too few cases for a chart over time: title of X3" in document.text
    assert "1 waiting on 31 March 2026, none of them past the limit of 6 months" in document.text
    assert "No others will pass it" in document.text


def test_an_authority_without_a_child_is_a_whole_page(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_indicator"]:
        if row["place_code"] == "GLEN":
            is_count = row.get("denominator") is None
            row.update(numerator=0, value=0.0 if is_count else None)
            row.update(value_rounded=row["value"], benchmark_met=None)
            if not is_count:
                row.update(denominator=0)
    for row in rows["rpt_early_warning"]:
        if row["place_code"] == "GLEN":
            row.update({name: 0 for name in row if name.startswith("children_")})
    rows["fct_distribution"] = [r for r in rows["fct_distribution"] if r["place_code"] != "GLEN"]
    rows["rpt_comparison"] = [r for r in rows["rpt_comparison"] if r["place_code"] != "GLEN"]
    document = drawn(data_of(rows), "GLEN")
    assert "No children are waiting on any of the clocks." in document.text
    assert "no cases" in document.text
    assert "Too few cases for a chart over time" in document.text
    assert "No waits ended here" in document.text
    assert not re.search(r"\b(None|nan)\b", document.text)


def test_a_return_that_never_came_leaves_not_known_and_no_zero(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_indicator"]:
        if row["place_code"] == "GLEN":
            row.update(dict.fromkeys(("numerator", "denominator", "value", "value_rounded")))
            row.update(returns_accepted=0, returns_expected=1, is_complete=False)
            row.update(benchmark_met=None)
    for row in rows["rpt_early_warning"]:
        if row["place_code"] == "GLEN":
            row.update({name: None for name in row if name.startswith("children_")})
    rows["rpt_comparison"] = [r for r in rows["rpt_comparison"] if r["place_code"] != "GLEN"]
    rows["fct_return"][3]["status"] = "missing"
    document = drawn(data_of(rows), "GLEN")
    assert "not known" in document.text and "0 of 1 returns" in document.text
    assert "waiting" not in document.ids()


def test_a_box_of_few_cases_comes_with_a_caution(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_distribution"]:
        row["denominator"] = 9 if row["place_code"] == "TOWN" else 10
    data = data_of(rows)
    caution = "A box based on fewer than ten cases says little"
    assert caution in drawn(data, "TOWN").text
    assert caution not in drawn(data, "CITY").text


def test_wherever_an_indicator_stands_its_definition_is_a_link_away(pages: Pages) -> None:
    html = pages["CITY", "en"].html
    for section in ("waiting", "side-by-side"):
        of_section = html.partition(f'<h2 id="{section}">')[2].partition("</section>")[0]
        assert '<th scope="row"><a href="#i-X3">X3</a> Title of X3' in of_section


def test_a_curve_of_few_orders_is_not_drawn(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_journey"]:
        row["children_ordered"] = 9
    data = data_of(rows)
    assert "Fewer than ten placement orders in The North" in drawn(data, "CITY").text
    assert "Half were matched" not in drawn(data, WALES).text


def test_a_curve_tells_its_median_and_who_left(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    document = drawn(data_of(rows), "NORTH")
    median = "Half were matched within 400 days (95% confidence interval 350 to 460)."
    assert f"{median} 90 children." in document.text
    # The last step before a year is day 360: 1 - 360 / 800.
    later = "After a year 55% had not been matched; by the end 9% had left without a match."
    assert later in document.text
    assert "47 of the 48 returns" in document.text


def test_a_funnel_names_who_lies_outside(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    for row in rows["fct_indicator"]:
        if (row["indicator_id"], row["place_code"]) == ("X5", "TOWN"):
            row.update(numerator=row["denominator"] // 6)
    text = drawn(data_of(rows), "CITY").text
    assert "Outside the funnel: Town (below the 99.8% limit)." in text
    # 53 + 8 + 22 + 2 of 88 + 48 + 36 + 4.
    assert "Average of all places: 48.3%." in text
    assert "City: 60.2% (53 of 88), above the 95% limit." in text
    assert "fewer than ten cases, not assessed" in text


def test_a_ratio_of_two_counts_gets_no_funnel(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    """One quarter of one place above a hundred shows that it is no share."""
    row = next(r for r in rows["fct_indicator"] if r["indicator_id"] == "X5")
    row.update(numerator=row["denominator"] + 1)
    _, _, of_funnels = drawn(data_of(rows), "CITY").html.partition('<section class="s-funnels">')
    titles = re.findall(r"<h3>(X\d)", of_funnels.partition("</section>")[0])
    assert titles == ["X6"]


def test_many_places_stand_side_by_side_in_several_tables_that_fit_a_sheet(
    rows: Rows, data_of: DataOf, drawn: Callable[..., Page]
) -> None:
    names = [f"Region {number:02d}" for number in range(PLACES_IN_A_TABLE)]
    for name in names:
        place = {"name_en": name, "name_cy": name, "kind": "region", "nation_code": WALES}
        rows["dim_place"].append({"place_code": name} | place)
        rows["fct_indicator"] += [
            {**row, "place_code": name}
            for row in rows["fct_indicator"]
            if row["place_code"] == "TOWN"
        ]
    document = drawn(data_of(rows), WALES)
    heads = [
        re.findall(r"<th scope=\"col\" class=\"number\">([^<]*?)\s*</th>", table)
        for table in re.findall(r'(?s)<table class="side">.*?</thead>', document.html)
    ]
    beside = ["Wales", *names[: PLACES_IN_A_TABLE - 1]]
    assert heads == [beside, ["Wales", names[-1], "The North"]]


# --- files and places -----------------------------------------------------------------------------


def test_files_are_named_by_place_and_language(
    rows: Rows, data_of: DataOf, declarations: Declarations, tmp_path: Path
) -> None:
    data = data_of(rows)
    reports: list[tuple[int, int]] = []
    places = [data.places["CITY"], data.places["MÔN"]]
    written = write_packs(
        tmp_path / "new", data, declarations, places, ["cy"], lambda *done: reports.append(done)
    )
    assert [path.name for path in written] == ["pack-city-cy.html", "pack-isle-cy.html"]
    assert all(path.read_bytes().startswith(b"<!doctype html>") for path in written)
    assert reports == [(1, 2), (2, 2)]


def test_two_places_of_one_name_get_two_files(rows: Rows, data_of: DataOf) -> None:
    for place in rows["dim_place"]:
        if place["place_code"] in ("CITY", "TOWN"):
            place["name_en"] = "Gwlad yr Hâf"
    data = data_of(rows)
    names = {file_name(data, data.places[code], "en") for code in ("CITY", "TOWN")}
    assert names == {"pack-gwlad-yr-haf-CITY-en.html", "pack-gwlad-yr-haf-TOWN-en.html"}


def test_the_nation_comes_first_and_places_without_figures_not_at_all(
    rows: Rows, data_of: DataOf
) -> None:
    rows["fct_indicator"] = [r for r in rows["fct_indicator"] if r["place_code"] != "TOWN"]
    codes = [place.code for place in places_with_a_pack(data_of(rows))]
    assert codes == [WALES, "NORTH", "CITY", "GLEN", "MÔN"]


def test_a_place_without_figures_gets_no_page_but_an_answer(
    rows: Rows, data_of: DataOf, declarations: Declarations
) -> None:
    rows["fct_indicator"] = [r for r in rows["fct_indicator"] if r["place_code"] != "TOWN"]
    data = data_of(rows)
    with pytest.raises(PackError, match=r"Town has no figures for 2025-26-Q4.*2025-26-Q4"):
        page(data, declarations, data.places["TOWN"], "en")


@pytest.mark.parametrize("wanted", ["MÔN", "môn", "mon", "Isle", "isle"])
def test_a_place_is_found_by_code_or_name_in_either_language(
    rows: Rows, data_of: DataOf, connection: Any, wanted: str
) -> None:
    data_of(rows)
    assert find_place(connection, wanted).code == "MÔN"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("Citty", r"no place 'Citty'; did you mean CITY \(City\)"),
        ("", "no place ''"),
        ("zzzz", "no place 'zzzz'$"),
    ],
)
def test_an_unknown_place_is_told_with_what_may_be_meant(
    rows: Rows, data_of: DataOf, connection: Any, wanted: str, message: str
) -> None:
    data_of(rows)
    with pytest.raises(PackError, match=message):
        find_place(connection, wanted)


def test_nations_are_those_with_figures(rows: Rows, data_of: DataOf, connection: Any) -> None:
    data_of(rows)
    assert nations_of(connection, Q) == [WALES]
    assert nations_of(connection, Q.plus(4)) == []
