"""One Welsh word for each term, and the words that are not to stand in its place.

``sources/glossary.csv`` is written by hand. A test holds the catalogues of translations and every
declared sentence against it, and ``adoption translations`` can do the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from pipelines.declarations.model import Declared, OptionalText, Words

# The first sound of a Welsh word changes with the word before it: cartref, gartref, nghartref,
# chartref. Two letters come first, since ll and rh count as one sound.
MUTATIONS = {
    "ll": ("l",),
    "rh": ("r",),
    "c": ("g", "ngh", "ch"),
    "p": ("b", "mh", "ph"),
    "t": ("d", "nh", "th"),
    "g": ("", "ng"),
    "b": ("f", "m"),
    "d": ("dd", "n"),
    "m": ("f",),
}
UNMUTATED = ("ch", "dd", "ff", "ng", "ph", "th")


def _several(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(word.strip() for word in value.split(";") if word.strip())


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Term(Declared):
    """A term, its Welsh, and the Welsh that is wrong for it.

    ``not_cy`` are separated by semicolons. They are right after all where the English sentence
    also has one of ``unless_en``: "home" beside "household".
    """

    term_en: Words
    term_cy: Words
    not_cy: Annotated[Several, Field(min_length=1)]
    unless_en: Several = ()
    note: OptionalText = None


class WrongWord(NamedTuple):
    """A sentence whose Welsh has another word for a term than the glossary."""

    term: Term
    word: str

    def __str__(self) -> str:
        return f"“{self.term.term_en}” is “{self.term.term_cy}” in Welsh, not “{self.word}”"


def wrong_words(terms: Iterable[Term], english: str, welsh: str) -> Iterator[WrongWord]:
    """What in ``welsh`` the glossary does not allow for a term of ``english``.

    Mutated and longer forms of a word count as the word: plural, possessive.
    """
    for term in terms:
        if not _english_has(term.term_en, english):
            continue
        if any(_english_has(word, english) for word in term.unless_en):
            continue
        for word in term.not_cy:
            if match := _forms(word).search(welsh):
                yield WrongWord(term, match[0])


def _english_has(words: str, sentence: str) -> bool:
    return _english(words).search(sentence) is not None


@cache
def _english(words: str) -> re.Pattern[str]:
    """The term, also in the plural: query, queries; agency, agencies."""
    stem = re.escape(words)
    plural = rf"(?:{stem}|{re.escape(words[:-1])}ies)" if words.endswith("y") else stem
    return re.compile(rf"\b{plural}(?:s|es)?\b", re.IGNORECASE)


@cache
def _forms(words: str) -> re.Pattern[str]:
    forms = {words, *_mutated(words)}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(forms)))})\w*", re.IGNORECASE)


def _mutated(words: str) -> Iterator[str]:
    if words.startswith(UNMUTATED):
        return
    for first, others in MUTATIONS.items():
        if words.startswith(first):
            for other in others:
                yield other + words[len(first) :]
            return
