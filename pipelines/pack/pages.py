"""Pages written to a folder, one for each place and language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.declarations import Declarations
from pipelines.pack import headlines, sections
from pipelines.pack.book import PACK_KINDS, Book, Named, Place
from pipelines.pack.edition import LANGUAGES, Language, internal_edition
from pipelines.pack.trends import trend
from pipelines.pack.words import Tongue
from pipelines.quarters import Quarter
from pipelines.text.fuzzy_match import did_you_mean, plain_name

if TYPE_CHECKING:
    import duckdb
    from jinja2 import Template

    from pipelines.pack.published import Publication


class PackError(Exception):
    """There is no pack to write; the message says why."""


def write_national_packs(
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    quarter: Quarter,
) -> list[Path]:
    """The internal pack of each nation with figures for ``quarter``, in both languages."""
    written = []
    for nation_code in nations_of(connection, quarter):
        book = internal_book(connection, declarations, nation_code, quarter)
        written += write_packs(folder, book, declarations, [book.nation], LANGUAGES)
    return written


def internal_book(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    nation_code: str,
    quarter: Quarter,
) -> Book:
    """Everything that the internal packs of one nation and quarter are made from."""
    edition = internal_edition(connection, declarations, nation_code, quarter)
    return Book(connection, edition, nation_code, quarter)


def write_packs(
    folder: Path,
    book: Book,
    declarations: Declarations,
    places: Iterable[Place],
    languages: Sequence[Language],
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """Write a page per place and language; returns their paths.

    ``told`` hears how many of how many places are done. Raises PackError for a place without
    figures in the quarter.
    """
    places = list(places)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for done, place in enumerate(places, 1):
        for language in languages:
            path = folder / file_name(book, place, language)
            text = page(book, declarations, place, language)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
        told(done, len(places))
    return written


def page(book: Book, declarations: Declarations, place: Place, language: Language) -> str:
    """The whole page of ``place`` as HTML. Raises PackError where it has no figure."""
    if not book.now(place.code):
        raise PackError(
            f"{place.name.en} has no figures for {book.quarter}: no return was due from it then. "
            f"The last quarter in the warehouse is {book.last_quarter}"
        )
    tongue = Tongue(language)
    trends = {
        indicator.indicator_id: trend(book, place, indicator)
        for indicator in book.indicators.values()
        if indicator.is_headline
        and indicator.direction != "context"
        and indicator.indicator_id in book.now(place.code)
    }
    return template("page.html.jinja").render(
        language=language,
        t=tongue,
        edition=book.edition,
        is_synthetic=book.is_synthetic,
        place=place,
        name=place.name[language],
        quarter=book.quarter,
        region=book.region_of(place.code),
        nation=book.nation,
        title=f"{tongue('title')}: {place.name[language]}, {book.quarter}",
        on_every_sheet=in_css(_on_every_sheet(book, place, tongue)),
        returns_sentence=headlines.returns_sentence(tongue, book, place),
        is_small=headlines.is_small(book, place),
        groups=headlines.headlines(tongue, book, place, trends),
        tail=headlines.tail(tongue, book, place),
        rows=sections.indicator_rows(tongue, book, place, is_headline=True),
        others=sections.indicator_rows(tongue, book, place, is_headline=False),
        lacks_adopters=place.kind == "authority"
        and not any(book.indicators[code].subject == "adopter" for code in book.now(place.code)),
        trend_quarters=min(len(book.quarters), sections.QUARTERS_IN_A_ROW),
        waiting=sections.waiting(tongue, book, place),
        over_time=sections.over_time(tongue, book, trends),
        side_by_side=sections.side_by_side(tongue, book, place),
        funnels=sections.funnels(tongue, book, place),
        journey=sections.journey(tongue, book, place),
        distribution=sections.distribution(tongue, book, place),
        returns=sections.returns(tongue, book, place, declarations),
        breaks=sections.breaks(tongue, book, place),
    )


def places_with_a_pack(book: Book) -> list[Place]:
    """The nation first, then regions and agencies, authorities, voluntary agencies."""
    found = [
        place for place in book.places.values() if place.kind in PACK_KINDS and book.now(place.code)
    ]
    return sorted(found, key=lambda place: (PACK_KINDS.index(place.kind), place.name.en))


def nations_of(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> list[str]:
    """Nations with figures for ``quarter``, Wales first."""
    found = connection.execute(
        """
        select distinct p.nation_code
        from marts.fct_indicator f join marts.dim_place p using (place_code)
        where f.quarter = ? order by 1 desc
        """,
        [quarter.label],
    ).fetchall()
    return [nation_code for (nation_code,) in found]


def find_place(connection: duckdb.DuckDBPyConnection, wanted: str) -> Place:
    """A place by its code or its name in either language. Raises PackError, with what may be meant,
    for one that is not known or not one."""
    rows = connection.execute(
        "select place_code, name_en, name_cy, kind, nation_code from marts.dim_place"
    ).fetchall()
    places = [Place(row[0], Named(*row[1:3]), *row[3:]) for row in rows]
    return place_among(places, wanted, f"there is no place {wanted!r}")


def place_among(places: Sequence[Place], wanted: str, otherwise: str) -> Place:
    """The place of that code or name. Raises PackError, which begins with ``otherwise`` where there
    is none."""
    named = {one.code: (one.code, one.name.en, one.name.cy) for one in places}
    said = plain_name(wanted)
    found = [one for one in places if said in {plain_name(name) for name in named[one.code]}]
    if not found:
        names = [(code, name) for code, names in named.items() for name in names[1:]]
        raise PackError(f"{otherwise}{did_you_mean(wanted, names)}")
    if len(found) > 1:
        codes = ", ".join(f"{one.code} ({one.name.en})" for one in found)
        raise PackError(f"{wanted!r} is more than one place: {codes}")
    return found[0]


def file_name(book: Book | Publication, place: Place, language: Language) -> str:
    """``pack-cardiff-en.html``; places that share a name have their codes in it."""
    name = slug(place.name.en)
    if sum(slug(other.name.en) == name for other in book.places.values()) > 1:
        name = f"{name}-{place.code}"
    return f"pack-{name}-{language}.html"


def slug(name: str) -> str:
    """Letters and figures that every file system takes: ``Ynys Môn`` is ``ynys-mon``."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "-".join(re.findall(r"[a-z0-9]+", bare.lower().replace("'", "")))


def _on_every_sheet(book: Book, place: Place, tongue: Tongue) -> str:
    """What a sheet of paper says of itself once it has left the others."""
    sample = tongue("synthetic").partition(".")[0] if book.is_synthetic else ""
    parts = (
        f"{tongue('title')}, {place.name[tongue.language]}, {book.quarter}",
        book.edition.label[tongue.language],
        sample,
    )
    return " · ".join(part for part in parts if part)


def in_css(text: str) -> str:
    """``text`` for a string of a style sheet, where HTML's own escapes are not understood."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


@cache
def template(name: str) -> Template:
    """A page to be filled in; markup in what is filled in is shown and not obeyed."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
