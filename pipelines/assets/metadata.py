"""What Dagster shows of an asset: tables, links, whom to ask, and how personal its rows are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.settings import Settings, files_url
from pipelines.ui.links import web_address

# Whom to ask. Roles, not people: who fills them is for the installation.
OWNERS = {
    "landing": ["team:operator"],
    "raw": ["team:operator"],
    "validated": ["team:data-officer"],
    "staging": ["team:analyst"],
    "intermediate": ["team:analyst"],
    "marts": ["team:analyst"],
    "exports": ["team:national-team"],
}

# How much its rows say of a child.
AS_SENT = {"personal_data": "as-sent"}
PSEUDONYMOUS = {"personal_data": "pseudonymous"}
COUNTS = {"personal_data": "none"}


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.TableMetadataValue:
    """A table of text and whole numbers; an empty one has ``none`` in its first cell."""
    cells = [list(row) for row in rows] or [["none", *[""] * (len(columns) - 1)]]
    numeric = [all(isinstance(row[at], int) for row in cells) for at in range(len(columns))]
    return dg.TableMetadataValue(
        [dg.TableRecord(dict(zip(columns, row, strict=True))) for row in cells],
        schema=dg.TableSchema(
            [
                dg.TableColumn(name, "int" if is_numeric else "string")
                for name, is_numeric in zip(columns, numeric, strict=True)
            ]
        ),
    )


def in_one_line(words: str) -> str:
    """``words`` that a narrow column of a table does not break."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def link(path: Path, settings: Settings) -> dg.MetadataValue:
    """A link that opens a file of the exports room."""
    return dg.MetadataValue.url(web_address(path, settings, files_url()))


def export_links(folder: Path, settings: Settings) -> dict[str, dg.MetadataValue]:
    """The folder of an export version, its packs by place and language, and the main files."""
    links: dict[str, dg.MetadataValue] = {"Exports, folder": dg.MetadataValue.path(str(folder))}
    for path in sorted(folder.glob("pack-*.html")):
        place, language = _place_and_language(path)
        links[f"Pack {place} ({language})"] = link(path, settings)
    for words, name in (("Indicator file", "indicators.csv"), ("Manifest", "manifest.json")):
        if (folder / name).exists():
            links[words] = link(folder / name, settings)
    return links


def pack_list(folder: Path, settings: Settings) -> dg.MetadataValue:
    """Every pack of a folder: a line for each place, with a link for each language."""
    by_place: dict[str, list[str]] = {}
    for path in sorted(folder.glob("pack-*.html")):
        place, language = _place_and_language(path)
        address = web_address(path, settings, files_url())
        by_place.setdefault(place, []).append(f"[{language}]({address})")
    lines = (f"- {place}: {' · '.join(links)}" for place, links in by_place.items())
    return dg.MetadataValue.md("\n".join(lines) or "none")


_SMALL_WORDS = frozenset({"of", "and", "the", "in"})
_LANGUAGES = {"en": "English", "cy": "Cymraeg"}


def _place_and_language(pack: Path) -> tuple[str, str]:
    """``pack-vale-of-glamorgan-en.html`` is Vale of Glamorgan, English."""
    place, _, language = pack.stem.removeprefix("pack-").rpartition("-")
    words = (word if word in _SMALL_WORDS else word.capitalize() for word in place.split("-"))
    return " ".join(words), _LANGUAGES.get(language, language)
