"""The performance pack: one self-contained page per language for a quarter.

Internal edition: figures are not disclosure controlled, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.declarations import Declarations
from pipelines.figures import Figure, headline_figures, shown_value
from pipelines.quarters import Quarter

if TYPE_CHECKING:
    import duckdb

Language = Literal["en", "cy"]

WINDOWS = {
    "quarter": {"en": "Quarter", "cy": "Chwarter"},
    "year_to_date": {"en": "Year to date", "cy": "Y flwyddyn hyd yma"},
    "rolling_4": {"en": "Last four quarters", "cy": "Pedwar chwarter diwethaf"},
    "rolling_12": {"en": "Last twelve quarters", "cy": "Deuddeg chwarter diwethaf"},
}

# Of the units that a benchmark can be in.
UNITS = {
    "months": {"en": "months", "cy": "mis"},
    "days": {"en": "days", "cy": "diwrnod"},
    "percent": {"en": "%", "cy": "%"},
    "children": {"en": "children", "cy": "plentyn"},
    "households": {"en": "households", "cy": "aelwyd"},
    "families": {"en": "families", "cy": "teulu"},
    "people": {"en": "people", "cy": "unigolyn"},
    "requests": {"en": "requests", "cy": "cais"},
    "assessments": {"en": "assessments", "cy": "asesiad"},
    "plans": {"en": "plans", "cy": "cynllun"},
    "arrangements": {"en": "arrangements", "cy": "trefniant"},
    "exchanges": {"en": "exchanges", "cy": "cyfnewidiad"},
}

# England could have thirty agencies; seven columns fit A4 landscape and a screen of 1,100 pixels.
PLACES_IN_A_TABLE = 7

WORDS: dict[str, dict[str, str]] = {
    "title": {"en": "Adoption performance", "cy": "Perfformiad mabwysiadu"},
    "synthetic": {
        "en": "Synthetic sample data. No figure on this page describes a real person or service.",
        "cy": "Data sampl synthetig. Nid yw unrhyw ffigur ar y dudalen hon yn disgrifio person na "
        "gwasanaeth go iawn.",
    },
    "returns": {"en": "Who returned what", "cy": "Pwy ddychwelodd beth"},
    "sender": {"en": "Authority or agency", "cy": "Awdurdod neu asiantaeth"},
    "return": {"en": "Return", "cy": "Ffurflen"},
    "status": {"en": "Status", "cy": "Statws"},
    "rows": {"en": "Rows accepted", "cy": "Rhesi a dderbyniwyd"},
    "aside": {"en": "Rows set aside", "cy": "Rhesi a neilltuwyd"},
    "all_in": {
        "en": "Every return that was due was accepted.",
        "cy": "Derbyniwyd pob ffurflen a oedd yn ddyledus.",
    },
    "indicator": {"en": "Indicator", "cy": "Dangosydd"},
    "place": {"en": "Region or agency", "cy": "Rhanbarth neu asiantaeth"},
    "benchmark": {"en": "Benchmark", "cy": "Meincnod"},
    "definition": {"en": "What it measures", "cy": "Yr hyn y mae'n ei fesur"},
    "definition_status": {"en": "Definition", "cy": "Diffiniad"},
    "coverage": {"en": "Returns", "cy": "Ffurflenni"},
    "by_place": {
        "en": "Regions and agencies, last four quarters",
        "cy": "Rhanbarthau ac asiantaethau, pedwar chwarter diwethaf",
    },
    "star": {
        "en": "* Not every return that was due is in this figure: do not read a change in it as a "
        "change in performance. n is the number of children or households behind a mean.",
        "cy": "* Nid yw pob ffurflen a oedd yn ddyledus yn y ffigur hwn: peidiwch â darllen newid "
        "ynddo fel newid mewn perfformiad. n yw nifer y plant neu'r cartrefi y tu ôl i gymedr.",
    },
    "small": {
        "en": "Numbers are small: one child can move a mean or a percentage. Figures of fewer than "
        "about ten children are no sign of good or bad performance.",
        "cy": "Mae'r niferoedd yn fach: gall un plentyn symud cymedr neu ganran. Nid yw ffigurau o "
        "lai na thua deg o blant yn arwydd o berfformiad da na gwael.",
    },
    "met": {"en": "met", "cy": "cyrhaeddwyd"},
    "not met": {"en": "not met", "cy": "heb ei gyrraedd"},
    "accepted_of": {"en": "of", "cy": "o"},
}

STATUS_CY = {
    "published": "cyhoeddwyd",
    "partly published": "cyhoeddwyd yn rhannol",
    "proposed": "arfaethedig",
    "unverified": "heb ei wirio",
    "accepted": "derbyniwyd",
    "nil": "dim i'w adrodd",
    "refused": "gwrthodwyd",
    "missing": "ar goll",
}


def write_pack(
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    quarter: Quarter,
) -> list[Path]:
    """Write ``pack-en.html`` and ``pack-cy.html`` into ``folder``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("pack.html.jinja")
    content = _content(connection, declarations, quarter)
    written = []
    for language in ("en", "cy"):
        path = folder / f"pack-{language}.html"
        path.write_text(
            page.render(
                **content,
                language=language,
                words={name: text[language] for name, text in WORDS.items()},
                windows={name: text[language] for name, text in WINDOWS.items()},
                on_every_sheet=_in_css(_on_every_sheet(content, quarter, language)),
                shown=lambda figure, spoken=language: _pieces(shown_value(figure, spoken)),
                benchmark=lambda row, spoken=language: _benchmark(row["windows"], spoken),
                say=lambda status, spoken=language: (
                    STATUS_CY.get(status, status) if spoken == "cy" else status
                ),
            ),
            encoding="utf-8",
            newline="\n",
        )
        written.append(path)
    return written


def holds_samples(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any submission in force, of whatever quarter, says that its data is invented."""
    found = connection.execute(
        "select coalesce(bool_or(is_synthetic), false) from marts.fct_submission where is_in_force"
    ).fetchone()
    return bool(found and found[0])


def _benchmark(windows: dict[str, Figure], language: Language) -> str:
    """``13 months (quarter: not met)``: the shortest window that has a verdict is the one judged.

    Empty without a benchmark; without a verdict on it, the benchmark alone.
    """
    in_order = [windows[name] for name in WINDOWS if name in windows]
    with_one = [figure for figure in in_order if figure.benchmark is not None]
    if not with_one:
        return ""
    judged = next((figure for figure in with_one if figure.benchmark_met), None)
    any_one = judged or with_one[0]
    shown = f"{any_one.benchmark:g} {UNITS[any_one.unit][language]}"
    if judged is None or judged.benchmark_met is None:
        return shown
    window = WINDOWS[judged.window_name][language]
    verdict = WORDS[judged.benchmark_met][language]
    return f"{shown} ({window[0].lower()}{window[1:]}: {verdict})"


def _pieces(shown: str) -> list[str]:
    """The parts of a figure that stay on one line each: the value, and what it rests on."""
    value, bracket, rest = shown.partition(" (")
    return [value, f"({rest}"] if bracket else [value]


def _on_every_sheet(content: dict[str, Any], quarter: Quarter, language: Language) -> str:
    """What a sheet of paper says of itself once it has left the others."""
    sample = WORDS["synthetic"][language].partition(".")[0] if content["is_synthetic"] else ""
    parts = (f"{WORDS['title'][language]}, {quarter}", content["label"][language], sample)
    return " · ".join(part for part in parts if part)


def _in_css(text: str) -> str:
    """``text`` for a string of a style sheet, where HTML's own escapes are not understood."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


def _content(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, quarter: Quarter
) -> dict[str, Any]:
    figures = headline_figures(connection, quarter)
    returns = connection.execute(
        """
        select p.name_en, p.name_cy, p.nation_code, r.return_name, r.status, r.is_late,
               coalesce(r.rows_accepted, 0), coalesce(r.rows_quarantined, 0)
        from marts.fct_return r join marts.dim_place p on r.sender_code = p.place_code
        where r.quarter = ? and r.is_due
        order by p.nation_code desc, p.name_en, r.return_name
        """,
        [quarter.label],
    ).fetchall()
    nations = [
        _nation(nation, figures, returns, declarations)
        for nation in dict.fromkeys(figure.nation_code for figure in figures)
    ]
    labels = [nation["label"] for nation in nations]
    return {
        "quarter": quarter,
        "is_synthetic": holds_samples(connection),
        "label": {
            "en": " · ".join(dict.fromkeys(label.en for label in labels)),
            "cy": " · ".join(dict.fromkeys(label.cy for label in labels)),
        },
        "nations": nations,
    }


def _nation(
    nation: str, figures: list[Figure], returns: list[tuple[Any, ...]], declarations: Declarations
) -> dict[str, Any]:
    mine = [figure for figure in figures if figure.nation_code == nation]
    national = [figure for figure in mine if figure.place_kind == "nation"]
    places = [
        f for f in mine if f.place_kind != "nation" and f.window_name in ("quarter", "rolling_4")
    ]
    by_indicator = {
        key: {f.window_name: f for f in national if f.indicator_id == key}
        for key in dict.fromkeys(f.indicator_id for f in national)
    }
    codes = list(dict.fromkeys(f.place_code for f in places))
    owed = [row for row in returns if row[2] == nation]
    return {
        "code": nation,
        "name": {
            "en": declarations.places[nation].name_en,
            "cy": declarations.places[nation].name_cy,
        },
        "label": declarations.policies[nation].export_label,
        "indicators": [
            {"any": next(iter(windows.values())), "windows": windows}
            for windows in by_indicator.values()
        ],
        "place_tables": [
            [_place(code, places, by_indicator) for code in codes[at : at + PLACES_IN_A_TABLE]]
            for at in range(0, len(codes), PLACES_IN_A_TABLE)
        ],
        "returns_due": len(owed),
        "returns_in": sum(row[4] in ("accepted", "nil") for row in owed),
        "not_in": [
            {"en": row[0], "cy": row[1], "return": row[3], "status": row[4]}
            for row in owed
            if row[4] not in ("accepted", "nil")
        ],
        "set_aside": [
            {"en": row[0], "cy": row[1], "return": row[3], "rows": row[7]} for row in owed if row[7]
        ],
        "return_titles": {name: declared.title for name, declared in declarations.returns.items()},
    }


def _place(code: str, figures: list[Figure], indicators: Iterable[str]) -> dict[str, Any]:
    """A column of the table of places: stocks as they stood, flows over four quarters."""
    mine = [figure for figure in figures if figure.place_code == code]
    shown = {
        figure.indicator_id: figure
        for figure in mine
        if figure.window_name == ("quarter" if figure.timing == "stock" else "rolling_4")
    }
    return {
        "en": mine[0].place_name_en,
        "cy": mine[0].place_name_cy,
        "figures": {key: shown.get(key) for key in indicators},
    }
