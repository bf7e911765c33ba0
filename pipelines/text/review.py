"""How far the Welsh of the program is: what is missing, stale, wrong or waits for a translator."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.text.catalogue import CATALOGUES, read_catalogue
from pipelines.text.extraction import is_translated, wanted

if TYPE_CHECKING:
    from babel.messages.catalog import Message

State = Literal["missing", "stale", "wrong", "unreviewed", "reviewed"]
STATES: tuple[State, ...] = ("missing", "stale", "wrong", "unreviewed", "reviewed")

# A form for exactly one, two or three may write the number as a word.
_NUMBERS = {"count", "number", "n"}


@dataclass(frozen=True)
class Translation:
    """One sentence, where it stands, and the state of its Welsh.

    ``missing``: there is no Welsh, or not every plural form. ``stale``: no code has the sentence
    any more. ``wrong``: the placeholders differ from the English ones. ``unreviewed``: no
    translator has looked at it. ``reviewed``: done.
    """

    part: str
    place: str
    english: str
    state: State


def translations_of(part: str) -> list[Translation]:
    """Every sentence of a part of the program, sorted as its catalogue is. Raises CatalogueError.

    A catalogue that is not there makes all its sentences missing.
    """
    sentences = {(message.id, message.context): message for message in wanted(part) if message.id}
    path = CATALOGUES / f"{part}.po"
    kept = {
        (message.id, message.context): message
        for message in (read_catalogue(path) if path.exists() else ())
        if message.id
    }
    rows = []
    for key in sorted({*sentences, *kept}, key=lambda key: (str(key[0]), str(key[1]))):
        message, translated = sentences.get(key), kept.get(key)
        held = message or translated
        if held is not None:
            english = held.id if isinstance(held.id, str) else held.id[0]
            place = held.locations[0][0] if held.locations else str(path.name)
            rows.append(Translation(part, place, english, _state(message, translated)))
    return rows


def _state(message: Message | None, translated: Message | None) -> State:
    if translated is None:
        return "missing"
    if message is None:
        return "stale"
    if not is_translated(translated):
        return "missing"
    if differing_placeholders(translated):
        return "wrong"
    return "unreviewed" if translated.fuzzy else "reviewed"


def differing_placeholders(message: Message) -> set[str]:
    """Placeholders that only one of the two languages has; empty where both say the same."""
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    welsh = [message.string] if isinstance(message.string, str) else list(message.string or ())
    in_english = [set(_placeholders(text)) for text in english]
    required, allowed = set.intersection(*in_english), set.union(*in_english)
    if len(welsh) > 1:
        required -= _NUMBERS
    differing: set[str] = set()
    for number, text in enumerate(welsh):
        fields = set(_placeholders(text))
        # Form 0 is for any number that has no form of its own, so it cannot do without the number.
        needed = set.intersection(*in_english) if number == 0 else required
        differing |= (fields - allowed) | (needed - fields)
    return differing


def _placeholders(text: str) -> Iterator[str]:
    """Names in braces, and whatever brackets a brace too many or too few is called."""
    try:
        for _, name, form, _ in string.Formatter().parse(text):
            if name is not None:
                yield name
                if form:
                    yield from _placeholders(form)
    except ValueError:
        yield "{"
