"""Names as people write them: alike without case, accents and punctuation, and guessed at."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def plain_name(text: str) -> str:
    """Letters and digits in lower case, accents and punctuation gone: Ynys Môn is ynys mon."""
    bare = unicodedata.normalize("NFKD", text.replace("_", " "))
    letters = "".join(c if c.isalnum() else " " for c in bare if not unicodedata.combining(c))
    return " ".join(letters.casefold().replace("’", "'").split())


# Words that people leave out of a council's name, or add to it.
_LEFT_OUT = frozenset(
    [
        "a",
        "ac",
        "and",
        "borough",
        "city",
        "council",
        "county",
        "cyngor",
        "metropolitan",
        "of",
        "the",
    ]
)


def place_key(text: str) -> str:
    """A place's name without the words that come and go: "City of Bristol Council" is bristol.

    A name of nothing else stays as it is.
    """
    words = plain_name(text).split()
    return " ".join(word for word in words if word not in _LEFT_OUT) or " ".join(words)


def did_you_mean(wanted: str, known: Iterable[tuple[str, str]]) -> str:
    """Up to three codes whose code or name looks like what was said, or holds it.

    ``known`` are codes with a name, the same code as often as it has names. Empty where nothing is
    like it.
    """
    said = plain_name(wanted)
    scores: dict[str, float] = {}
    names: dict[str, str] = {}
    for code, name in known:
        names.setdefault(code, name)
        for text in (plain_name(code), plain_name(name)):
            held = bool(said) and f" {said}" in f" {text}"
            score = difflib.SequenceMatcher(None, said, text).ratio() + held
            scores[code] = max(scores.get(code, 0.0), score)
    likely = sorted((c for c in scores if scores[c] >= 0.6), key=lambda c: (-scores[c], c))[:3]
    if any(scores[code] > 1 for code in likely):
        likely = [code for code in likely if scores[code] > 1]
    if not likely:
        return ""
    return "; did you mean " + " or ".join(f"{code} ({names[code]})" for code in likely) + "?"
