"""Sentences in the reader's language: English where the code says it, Welsh in the catalogue.

The catalogue is GNU gettext, so that translators can use the tools they have (Poedit, Weblate):
one file for each part of the program in ``pipelines/locale/cy/LC_MESSAGES``. Code writes

    _ = translations(language).gettext
    _("Children adopted")
    _("{count} returns are missing").format(count=3)

with ``ngettext`` where the sentence depends on a number (Welsh has five forms), ``pgettext`` where
one English word has two Welsh ones, and ``N_`` around a sentence that is translated later.
``adoption translations --update`` brings the files up to date with the code.
"""

from __future__ import annotations

import re
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Language = Literal["en", "cy"]
LANGUAGES: tuple[Language, ...] = ("en", "cy")

# Catalogues that have to be there. Without the list a lost file would show a page half in English.
PARTS = (
    "expectations",
    "explain",
    "extracts",
    "intake",
    "lifecycle",
    "pack",
    "publishing",
    "readers",
    "release",
    "templates",
    "text",
    "verdict",
    "warehouse",
)
CATALOGUES = Path(__file__).resolve().parents[1] / "locale" / "cy" / "LC_MESSAGES"


class CatalogueError(Exception):
    """A catalogue of translations is missing or cannot be read; the message names the file."""


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogue where it is written; it is translated where it is used."""
    return sentence


@cache
def translations(language: Language) -> NullTranslations:
    """The catalogue of ``language``; English is the text of the code itself.

    A sentence that is not in the catalogue comes back in English. Raises CatalogueError.
    """
    if language == "en":
        return NullTranslations()
    gone = [part for part in PARTS if not (CATALOGUES / f"{part}.po").is_file()]
    if gone:
        raise CatalogueError(f"{CATALOGUES / gone[0]}.po: no such catalogue; install again")
    every = NullTranslations()
    for path in reversed(catalogue_files()):
        compiled = _compiled(read_catalogue(path))
        if isinstance(every, GNUTranslations):
            compiled.add_fallback(every)
        every = compiled
    return every


def catalogue_files() -> list[Path]:
    """The catalogues of Welsh, one for each part of the program."""
    return sorted(CATALOGUES.glob("*.po"))


def read_catalogue(path: Path) -> Catalog:
    """One catalogue as Babel holds it. Raises CatalogueError, which names the file and line."""
    from babel.messages.pofile import PoFileError, read_po

    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CatalogueError(f"{path}: no such catalogue; install again") from error
    if fault := _first_fault(content):
        raise CatalogueError(f"{path}, line {fault[0]}: {fault[1]}")
    try:
        return read_po(BytesIO(content), locale="cy", domain=path.stem, abort_invalid=True)
    except PoFileError as error:
        raise CatalogueError(f"{path}, line {error.lineno + 1}: {error}") from error


_QUOTED = r'"(?:[^"\\]|\\[abfnrtv"\\])*"'
_LINE = re.compile(rf"(?:(msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\]) )?({_QUOTED})")


def _first_fault(content: bytes) -> tuple[int, str] | None:
    """Line and description of the first thing that is wrong with the text of a catalogue.

    Babel reads past most faults and drops the sentence: half a conflict of a merge, or a quotation
    mark too few, would show English to a Welsh reader and nobody would know why.
    """
    entry: dict[str, str] = {}
    keyword = ""
    known: set[tuple[str | None, str]] = set()
    for number, raw in enumerate(content.splitlines(), start=1):
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            return number, "is not UTF-8"
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            return (
                number,
                "the line is neither a comment nor a keyword with a quoted text",
            )
        if match[1] == "msgctxt" or (match[1] == "msgid" and keyword != "msgctxt"):
            if entry and not _is_complete(entry):
                return number, "begins an entry before the one above has its msgstr"
            entry = {}
        keyword = match[1] or keyword
        if not keyword or ("msgid" not in entry and keyword not in ("msgctxt", "msgid")):
            return number, "belongs to no msgid"
        if match[1] and keyword in entry:
            return number, f"gives {keyword} twice"
        entry[keyword] = entry.get(keyword, "") + match[2][1:-1]
        if match[1] in ("msgstr", "msgstr[0]"):
            key = (entry.get("msgctxt"), entry["msgid"])
            if key in known:
                return number, "translates a sentence that was translated above"
            known.add(key)
    if entry and not _is_complete(entry):
        return content.count(b"\n") + 1, "ends before the last entry has its msgstr"
    return None


def _is_complete(entry: dict[str, str]) -> bool:
    return "msgstr" in entry or "msgstr[0]" in entry


def _compiled(catalogue: Catalog) -> GNUTranslations:
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    # Marked "fuzzy" is how gettext says that nobody has reviewed it: it is shown all the same.
    write_mo(compiled, catalogue, use_fuzzy=True)
    compiled.seek(0)
    return GNUTranslations(compiled)
