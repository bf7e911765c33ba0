"""The performance pack: one self-contained page per language for a quarter.

Internal edition: figures are not disclosure controlled, and the page says so.
"""

from __future__ import annotations

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
                shown=lambda figure, spoken=language: shown_value(figure, spoken),
                say=lambda status, spoken=language: (
                    STATUS_CY.get(status, status) if spoken == "cy" else status
                ),
            ),
            encoding="utf-8",
            newline="\n",
        )
        written.append(path)
    return written


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
    synthetic = connection.execute(
        "select coalesce(bool_or(is_synthetic), false) from marts.fct_submission where is_in_force"
    ).fetchone()
    return {
        "quarter": quarter,
        "is_synthetic": bool(synthetic and synthetic[0]),
        "nations": [
            _nation(nation, figures, returns, declarations)
            for nation in dict.fromkeys(figure.nation_code for figure in figures)
        ],
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
        "places": [
            {
                "en": next(f.place_name_en for f in places if f.place_code == code),
                "cy": next(f.place_name_cy for f in places if f.place_code == code),
                "figures": {
                    key: next(
                        (
                            f
                            for f in places
                            if f.place_code == code
                            and f.indicator_id == key
                            and f.window_name == ("quarter" if f.timing == "stock" else "rolling_4")
                        ),
                        None,
                    )
                    for key in by_indicator
                },
            }
            for code in dict.fromkeys(f.place_code for f in places)
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
