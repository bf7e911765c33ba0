"""Sentences people write into the ledger: explanations and reasons. They must not name a child.

No program can see every name. What it can see is refused: dates, long numbers, e-mail addresses,
and the references of the return that the sentence is about.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

from pipelines.declarations import Declarations
from pipelines.text.fuzzy_match import plain_name

SHORTEST, LONGEST = 10, 400  # characters; shorter than ten says nothing

_QUARTER = re.compile(r"\b(?:19|20|21)[0-9]{2}-[0-9]{2}-Q[1-4]\b")
# Five digits, also in groups: local references of children have six, NHS numbers ten in 3-3-4.
_LONG_NUMBER = re.compile(r"\d(?:[\s\-/.]?\d){4,}")
# Welsh months as they are written after a preposition too.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "Jun",
    "Jul",
    "Aug",
    "Sept?",
    "Oct",
    "Nov",
    "Dec",
    "Ionawr",
    "[CG]?hwefror",
    "[MF]awrth",
    "Ebrill",
    "[MF]ehefin",
    "G?orffennaf",
    "Awst",
    "[MF]edi",
    "Hydref",
    "[TD]achwedd",
    "Rh?agfyr",
)
# "may" is a verb as well, and is a month only when it begins with a capital.
_MONTH = rf"(?:(?i:{'|'.join(_MONTHS)})|May|[MF]ai)"
_DATES = (
    re.compile(r"\d{1,4}\s*/\s*\d{1,4}"),
    re.compile(r"\d{4}-\d{1,2}\b|\b\d{1,2}-\d{4}"),
    re.compile(r"\d{1,4}\s*[.-]\s*\d{1,2}\s*[.-]\s*\d{1,4}"),
    re.compile(rf"\d\w{{0,4}}\s+(?:(?:of|o|day of)\s+)?{_MONTH}\b"),
    re.compile(rf"\b{_MONTH},?\s+\d"),
)
_WORDS = re.compile(r"[^\s,;:()“”\"'!?]+")
_SHORTEST_REFERENCE = 3  # "1" or "A2" may well be a word of an innocent sentence


class NamesSomebody(Exception):
    """A sentence that may not enter the ledger; the message says why and never repeats it."""


def check_free_text(text: str, references: Collection[str] = ()) -> str:
    """The sentence, its spaces tidied. ``references`` are identifiers of the return in question.

    Raises NamesSomebody.
    """
    tidy = " ".join(text.split())
    if not SHORTEST <= len(tidy) <= LONGEST:
        raise NamesSomebody(
            f"the explanation has {len(tidy)} characters: write a sentence of {SHORTEST} to "
            f"{LONGEST}"
        )
    if not all(character.isprintable() for character in tidy):
        raise NamesSomebody("the explanation holds characters that cannot be shown")
    if "@" in tidy:
        raise NamesSomebody("the explanation holds an e-mail address: name roles, not people")
    # A quarter such as 2025-26-Q1 points to nobody, and explanations need it.
    plain = _QUARTER.sub(" ", tidy)
    if any(pattern.search(plain) for pattern in _DATES):
        raise NamesSomebody(
            "the explanation holds what looks like a date, which could point to a child: leave "
            "it out, or name a quarter like 2025-26-Q1"
        )
    if _LONG_NUMBER.search(plain):
        raise NamesSomebody(
            "the explanation holds a number of five or more digits, which could be a child's "
            "reference: leave it out"
        )
    _refuse_references(plain, references)
    return tidy


def declared_role(
    declarations: Declarations, sender_code: str | None, text: str | None
) -> str | None:
    """The declared role that a cover names as the one that signed off, or None.

    People write a name there as well, which must not be kept. A role is known by its id, its title
    in either language, or the first words of it: "Head of service" of "Head of service of the
    authority or agency".
    """
    if not text or sender_code not in declarations.senders:
        return None
    written = plain_name(text)
    for role in declarations.policy_for(sender_code).roles:
        titles = [plain_name(title) for title in (role.title.en, role.title.cy)]
        is_begun = len(written.split()) > 1 and any(
            title.startswith(f"{written} ") for title in titles
        )
        if is_begun or written in (*titles, plain_name(role.role.replace("_", " "))):
            return role.role
    return None


def _refuse_references(text: str, references: Collection[str]) -> None:
    known = {
        "".join(reference.casefold().split())
        for reference in references
        if len(reference.strip()) >= _SHORTEST_REFERENCE and any(c.isdigit() for c in reference)
    }
    words = [word.rstrip(".").casefold() for word in _WORDS.findall(text)]
    # A reference may be written in two parts, "LA 00089".
    pairs = ["".join(pair) for pair in pairwise(words)]
    if known.intersection([*words, *pairs]):
        raise NamesSomebody(
            "the explanation holds a reference that is in this return: leave it out; say how many "
            "children it is about, not which"
        )
