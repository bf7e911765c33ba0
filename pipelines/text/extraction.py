"""The sentences of the code gathered for translators, and the catalogues kept up to date.

A catalogue belongs to a folder of the code. An entry that carries gettext's flag ``fuzzy`` has not
been reviewed by a translator; who reviews it takes the flag away.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.text.catalogue import CATALOGUES, read_catalogue

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

_PACKAGE = CATALOGUES.parents[2]
_ROOTS = {"pipelines": _PACKAGE, "expectations": _PACKAGE.parent / "expectations"}
_KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "bilingual": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_METHODS = [("**.py", "python"), ("**.jinja", "jinja2")]
_WIDTH = 100


def parts_of_the_program() -> list[str]:
    """Names of the catalogues: the folders of ``pipelines``, and ``expectations``."""
    folders = [path.name for path in _PACKAGE.iterdir() if (path / "__init__.py").exists()]
    return sorted([*folders, "expectations"])


def wanted(part: str) -> Catalog:
    """The sentences of a part of the program, each with the files it stands in, without Welsh."""
    from babel.messages.catalog import Catalog

    sentences = Catalog(domain=part, charset="utf-8")
    for place, sentence, context in _sentences(part):
        sentences.add(sentence, locations=[(place, 0)], context=context)
    return sentences


def updated(part: str) -> Catalog | None:
    """The catalogue of ``part`` as the code wants it; None where the code has no sentence.

    Sentences that are new have no translation yet, and those that the code no longer has are gone.
    """
    from babel.messages.catalog import Catalog

    sentences = wanted(part)
    if not len(sentences):
        return None
    path = CATALOGUES / f"{part}.po"
    kept = read_catalogue(path) if path.exists() else Catalog(locale="cy", domain=part)
    kept.update(sentences, no_fuzzy_matching=True)
    kept.obsolete.clear()
    for message in kept:
        if message.id and not is_translated(message):
            message.flags.add("fuzzy")
    return kept


def as_text(catalogue: Catalog) -> str:
    """The bytes of a catalogue's file: sorted by sentence, and with no date, so that it changes
    only where a sentence does."""
    from babel.messages.pofile import write_po

    catalogue.fuzzy = False
    catalogue.header_comment = (
        "# Welsh of the adoption returns system. An entry marked fuzzy has not been reviewed by\n"
        "# a translator: take the mark away when it has."
    )
    written = BytesIO()
    write_po(
        written, catalogue, width=_WIDTH, sort_output=True, omit_header=True, include_lineno=False
    )
    forms = catalogue.plural_forms
    header = (
        f'{catalogue.header_comment}\nmsgid ""\nmsgstr ""\n'
        '"Language: cy\\n"\n'
        f'"Plural-Forms: {forms}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return header + written.getvalue().decode("utf-8")


def update(part: str) -> Path | None:
    """Write the catalogue of ``part`` as the code wants it; None, and no file, if it wants none."""
    path = CATALOGUES / f"{part}.po"
    catalogue = updated(part)
    if catalogue is None:
        path.unlink(missing_ok=True)
        return None
    path.write_text(as_text(catalogue), encoding="utf-8", newline="\n")
    return path


def is_translated(message: Message) -> bool:
    """Whether an entry has its Welsh; of a plural, all its forms."""
    text = message.string
    return all(text) if isinstance(text, tuple) else bool(text)


def _sentences(part: str) -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """File, sentence (with its plural) and context of every sentence of a folder."""
    from babel.messages.extract import extract_from_dir

    folder = _ROOTS["expectations"] if part == "expectations" else _PACKAGE / part
    extracted = extract_from_dir(folder, _METHODS, keywords=_KEYWORDS, comment_tags=())
    for name, _, sentence, _, context in extracted:
        place = (folder / name).relative_to(_PACKAGE.parent).as_posix()
        yield place, sentence, context
