"""What senders write for a code: the code, a label, or a declared spelling of either.

Lists of real returns hold hundreds of ways to write an ethnic group: ``WBRI``,
``A1 - White - British``, ``WBRI White British (101)``. They are few spellings
in many arrangements, so the spellings are declared (``sources/spellings``) and
the arrangements are understood here. What could mean two codes means none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter

_PARTS = re.compile(r"\s+[-\u2013\u2014]+\s*|\s*[-\u2013\u2014]+\s+|[:>/()\[\],;|]+|\s{2,}")
_PARTS_AT_HYPHENS = re.compile(rf"{_PARTS.pattern}|-")  # WBRI-White British
# The number of an entry in somebody's list: A1, A.A28, 4.1, (101), c).
_MARKER = re.compile(r"(?:[A-Za-z]?\.?[A-Za-z]{0,2}[0-9]{1,3}(\.[0-9]{1,2})?|[A-Za-z])\.?")
_MOST_PARTS = 6
_SHORT = 3  # letters; "N/K" is not "NK" everywhere, so what is this short must be written so


@dataclass(frozen=True)
class CodesUnderstood:
    """What may be written for the codes of one list in one quarter.

    ``as_asked`` has codes and labels exactly; ``compared`` without regard to
    case, spaces and apostrophes; ``by_letters`` by letters and digits alone.
    The last two have the spellings too. ``asked_for`` are the codes and labels
    by letters.
    """

    as_asked: Mapping[str, str]
    compared: Mapping[str, str]
    by_letters: Mapping[str, str]
    asked_for: frozenset[str]

    def meant(self, text: str) -> str | None:
        """The code a stripped text means; None where it means none, or more than one."""
        code = self._known(text)
        return code if code is not None else self._by_parts(text)

    def repair(self, text: str) -> str | None:
        """In which way an understood text is not as asked; None where it is, or means nothing."""
        if text in self.as_asked or self.meant(text) is None:
            return None
        return "letter case" if _letters(text) in self.asked_for else "spelling"

    def _known(self, text: str) -> str | None:
        code = self.compared.get(_compared(text))
        return code if code is not None else self.by_letters.get(_letters(text))

    def _by_parts(self, text: str) -> str | None:
        code = self._by_these_parts(_PARTS.split(text))
        if code is None and "-" in text:
            code = self._by_these_parts(_PARTS_AT_HYPHENS.split(text))
        return code

    def _by_these_parts(self, written: list[str | None]) -> str | None:
        """``WBRI - White - British (101)``: every part known, and all of them of one code.

        Markers say nothing: A1 is White British in one list and Indian in
        another. Of the ways to join neighbours (``White - Other``) the one with
        the fewest parts counts.
        """
        parts = [part.strip() for part in written if part and part.strip()]
        first, _, rest = parts[0].partition(" ") if parts else ("", "", "")
        # "WBRI White British" without any mark between: the first word may be the code.
        if rest and self._known(parts[0]) is None:
            parts[:1] = [first, rest.strip()]
        # Of 152 public spellings 124 are understood like this, and none wrongly.
        parts = [p for p in parts if self._known(p) is not None or not _MARKER.fullmatch(p)]
        if len(parts) > _MOST_PARTS or not any(len(_letters(p)) >= _SHORT for p in parts):
            return None
        for joined in _joined(parts):
            codes = {self._known(part) for part in joined}
            if None not in codes:
                return codes.pop() if len(codes) == 1 else None
        return None


def _joined(parts: list[str]) -> Iterator[list[str]]:
    """Every way of joining neighbours, the fewest parts first."""
    for cuts in range(len(parts)):
        for chosen in combinations(range(1, len(parts)), cuts):
            edges = (0, *chosen, len(parts))
            yield [" ".join(parts[a:b]) for a, b in pairwise(edges)]


@lru_cache(maxsize=512)
def codes_understood(
    declarations: Declarations, code_list: str, quarter: Quarter
) -> CodesUnderstood:
    """A code wins over another code's label, a label over a spelling; a spelling that two codes
    share is none."""
    in_force = [code for code in declarations.code_lists[code_list] if code.in_force(quarter)]
    labels = {code.code: (code.label_en, code.label_cy) for code in in_force}
    asked = [(code, code) for code in labels]
    asked += [(label, code) for code, pair in labels.items() for label in pair]
    spelt = [
        (each.spelling, each.code)
        for each in declarations.spellings[code_list]
        if each.code in labels
    ]
    compared, by_letters = _first_meanings(asked, _compared), _first_meanings(asked, _letters)
    asked_for = frozenset(by_letters)
    for text, code in _only_meanings(spelt, _compared).items():
        compared.setdefault(text, code)
    for text, code in _only_meanings(spelt, _letters).items():
        by_letters.setdefault(text, code)
    return CodesUnderstood(
        as_asked={text: code for text, code in reversed(asked)},
        compared=compared,
        by_letters={
            text: code
            for text, code in by_letters.items()
            # "N/A" by its letters is "na", which is Welsh for no.
            if len(text) > _SHORT or any(letter.isdecimal() for letter in text)
        },
        asked_for=asked_for,
    )


def squeezed(text: str) -> str:
    """Letters and digits only, lower case, without accents: for comparing names and headings."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def _first_meanings(pairs: list[tuple[str, str]], by: Callable[[str], str]) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for text, code in pairs:
        meanings.setdefault(by(text), code)
    return meanings


def _only_meanings(pairs: list[tuple[str, str]], by: Callable[[str], str]) -> dict[str, str]:
    meanings: dict[str, set[str]] = {}
    for text, code in pairs:
        meanings.setdefault(by(text), set()).add(code)
    return {text: min(codes) for text, codes in meanings.items() if len(codes) == 1}


def _letters(text: str) -> str:
    """Letters and digits only, with ``and`` for the signs that mean it; none without a letter:
    ``-1`` is not 1."""
    if not any(letter.isalpha() for letter in text):
        return ""
    return squeezed(text.replace("&", " and ").replace("+", " and "))


def _compared(text: str) -> str:
    """Text without regard to case, spacing and the form of apostrophes."""
    lower = unicodedata.normalize("NFC", text).lower()
    for mark in "\u2018\u2019\u02bc":
        lower = lower.replace(mark, "'")
    return " ".join(lower.split())
