"""Pages of the internal edition, written to a folder: one for each place and language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.declarations import Declarations
from pipelines.pack import headlines
from pipelines.pack.edition import internal_edition
from pipelines.pack.model import PACK_KINDS, PackPlace
from pipelines.pack.nation_quarter import NationQuarter
from pipelines.pack.page_parts import QUARTERS_IN_A_ROW
from pipelines.pack.places import PackError, file_name, nations_of, pack_order
from pipelines.pack.rendering import in_css, template
from pipelines.pack.sections.funnel_plots import funnel_section
from pipelines.pack.sections.indicator_table import indicator_rows
from pipelines.pack.sections.journey import journey_section
from pipelines.pack.sections.over_time import over_time_section
from pipelines.pack.sections.returns import breaks_section, returns_section
from pipelines.pack.sections.side_by_side import side_by_side_tables
from pipelines.pack.sections.waiting import waiting_section
from pipelines.pack.sections.waits import waits_section
from pipelines.pack.trends import trend
from pipelines.pack.wording import HOW_TO_READ, Wording
from pipelines.quarters import Quarter
from pipelines.text.catalogue import LANGUAGES, Language
from pipelines.warehouse.reconciliation import refuse_unless_reconciled

if TYPE_CHECKING:
    import duckdb


def write_national_packs(
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    quarter: Quarter,
) -> list[Path]:
    """The internal pack of each nation with figures for ``quarter``, in both languages."""
    written = []
    for nation_code in nations_of(connection, quarter):
        data = read_nation_quarter(connection, declarations, nation_code, quarter)
        written += write_packs(folder, data, declarations, [data.nation], LANGUAGES)
    return written


def read_nation_quarter(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    nation_code: str,
    quarter: Quarter,
) -> NationQuarter:
    """Everything that the internal packs of one nation and quarter are made from.

    Raises WarehouseError where the warehouse does not hold every row that was accepted.
    """
    refuse_unless_reconciled(connection)
    edition = internal_edition(connection, declarations, nation_code, quarter)
    return NationQuarter(connection, edition, nation_code, quarter)


def write_packs(
    folder: Path,
    data: NationQuarter,
    declarations: Declarations,
    places: Iterable[PackPlace],
    languages: Sequence[Language],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """Write a page per place and language; returns their paths.

    ``report`` is called with how many of how many places are done. Raises PackError for a place
    without figures in the quarter.
    """
    places = list(places)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for done, place in enumerate(places, 1):
        for language in languages:
            path = folder / file_name(data, place, language)
            text = page(data, declarations, place, language)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
        report(done, len(places))
    return written


def page(
    data: NationQuarter, declarations: Declarations, place: PackPlace, language: Language
) -> str:
    """The whole page of ``place`` as HTML. Raises PackError where it has no figure."""
    if not data.now(place.code):
        raise PackError(
            f"{place.name.en} has no figures for {data.quarter}: no return was due from it then. "
            f"The last quarter in the warehouse is {data.last_quarter}"
        )
    wording = Wording(language)
    _ = wording.gettext
    trends = {
        indicator.indicator_id: trend(data, place, indicator)
        for indicator in data.indicators.values()
        if indicator.is_headline
        and indicator.direction != "context"
        and indicator.indicator_id in data.now(place.code)
    }
    return template("page.html.jinja", language).render(
        language=language,
        wording=wording,
        edition=data.edition,
        is_synthetic=data.is_synthetic,
        place=place,
        name=place.name[language],
        quarter=data.quarter,
        region=data.region_of(place.code),
        nation=data.nation,
        title=wording.page_title(place, data.quarter),
        on_every_sheet=in_css(_on_every_sheet(data, place, wording)),
        returns_sentence=headlines.returns_sentence(wording, data, place),
        is_small=headlines.is_small(data, place),
        groups=headlines.headlines(wording, data, place, trends),
        tail=headlines.tail(wording, data, place),
        rows=indicator_rows(wording, data, place, is_headline=True),
        others=indicator_rows(wording, data, place, is_headline=False),
        lacks_adopters=place.kind == "authority"
        and not any(data.indicators[code].subject == "adopter" for code in data.now(place.code)),
        trend_quarters=min(len(data.quarters), QUARTERS_IN_A_ROW),
        waiting=waiting_section(wording, data, place),
        over_time=over_time_section(wording, data, trends),
        side_by_side=side_by_side_tables(wording, data, place),
        funnels=funnel_section(wording, data, place),
        journey=journey_section(wording, data, place),
        waits=waits_section(wording, data, place),
        returns=returns_section(wording, data, place, declarations),
        breaks=breaks_section(wording, data, place),
        how_to_read=[_(sentence) for sentence in HOW_TO_READ],
    )


def places_with_a_pack(data: NationQuarter) -> list[PackPlace]:
    """The nation first, then regions and agencies, authorities, voluntary agencies."""
    places = [
        place for place in data.places.values() if place.kind in PACK_KINDS and data.now(place.code)
    ]
    return sorted(places, key=pack_order)


def _on_every_sheet(data: NationQuarter, place: PackPlace, wording: Wording) -> str:
    """What a printed sheet says once it is apart from the others."""
    parts = [
        wording.page_title(place, data.quarter),
        data.edition.label[wording.language],
        wording.synthetic_label() if data.is_synthetic else "",
    ]
    return " · ".join(part for part in parts if part)
