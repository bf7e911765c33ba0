"""Which places have packs, how a person names one, and what its files are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pipelines.pack.model import PACK_KINDS, Bilingual, PackPlace
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language
from pipelines.text.fuzzy_match import did_you_mean, plain_name

if TYPE_CHECKING:
    import duckdb


class PackError(Exception):
    """There is no pack to write; the message says why."""


class HasPlaces(Protocol):
    """What the packs of one nation and quarter are made from, of either edition."""

    @property
    def places(self) -> Mapping[str, PackPlace]: ...


def pack_order(place: PackPlace) -> tuple[int, str]:
    """Sorts packs: the nation, regions and agencies, authorities, voluntary agencies."""
    return PACK_KINDS.index(place.kind), place.name.en


def nations_of(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> list[str]:
    """Codes of nations with figures for ``quarter``, Wales first."""
    rows = connection.execute(
        """
        select distinct p.nation_code
        from marts.fct_indicator f join marts.dim_place p using (place_code)
        where f.quarter = ? order by 1 desc
        """,
        [quarter.label],
    ).fetchall()
    return [nation_code for (nation_code,) in rows]


def find_place(connection: duckdb.DuckDBPyConnection, wanted: str) -> PackPlace:
    """A place of the warehouse by its code or its name in either language.

    Raises PackError, with what may be meant, for a name of no place or of several.
    """
    rows = connection.execute(
        "select place_code, name_en, name_cy, kind, nation_code from marts.dim_place"
    ).fetchall()
    places = [
        PackPlace(code, Bilingual(en, cy), kind, nation_code)
        for code, en, cy, kind, nation_code in rows
    ]
    return place_among(places, wanted, f"there is no place {wanted!r}")


def place_among(places: Sequence[PackPlace], wanted: str, otherwise: str) -> PackPlace:
    """The place of that code or name.

    Raises PackError, which begins with ``otherwise`` where there is none.
    """
    names = {place.code: (place.code, place.name.en, place.name.cy) for place in places}
    plain = plain_name(wanted)
    matching = [
        place for place in places if plain in {plain_name(name) for name in names[place.code]}
    ]
    if not matching:
        known = [(code, name) for code, of_place in names.items() for name in of_place[1:]]
        raise PackError(f"{otherwise}{did_you_mean(wanted, known)}")
    if len(matching) > 1:
        codes = ", ".join(f"{place.code} ({place.name.en})" for place in matching)
        raise PackError(f"{wanted!r} is more than one place: {codes}")
    return matching[0]


def file_name(data: HasPlaces, place: PackPlace, language: Language) -> str:
    """``pack-cardiff-en.html``; places that share a name have their codes in it."""
    name = slug(place.name.en)
    if sum(slug(other.name.en) == name for other in data.places.values()) > 1:
        name = f"{name}-{place.code}"
    return f"pack-{name}-{language}.html"


def slug(name: str) -> str:
    """Letters and figures that every file system takes: ``Ynys Môn`` is ``ynys-mon``."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "-".join(re.findall(r"[a-z0-9]+", bare.lower().replace("'", "")))
