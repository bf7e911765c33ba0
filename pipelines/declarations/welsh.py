"""Which declared Welsh a translator has reviewed.

Nothing is reviewed unless ``sources/welsh_reviewed.csv`` says so: where the sentence stands, when
and by whom (by role, never by name), and a hash of the Welsh that was read. When the Welsh changes
the hash no longer fits, and the sentence counts as not reviewed.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipelines.declarations.loading import CsvFile, YamlFile
from pipelines.declarations.model import Day, Declared, Words

REGISTER = "welsh_reviewed.csv"
RULE_SENTENCES = "expectations/rules"  # the file that the register names for the sentences of rules
NOT_SENTENCES = (REGISTER, "glossary.csv")
# What an entry of a list is known by, so that its place does not change when others are added.
NAMES = ("place_code", "id", "name", "code", "role", "break_id")
HASH_DIGITS = 12


class WelshReview(Declared):
    """A sentence whose Welsh was reviewed."""

    file: Words
    place: Words
    reviewed_on: Day
    reviewer_role: Words
    welsh_hash: str = Field(pattern=rf"^[0-9a-f]{{{HASH_DIGITS}}}$")


@dataclass(frozen=True)
class Sentence:
    """A text in both languages and where it stands: file within ``sources/``, place in the file."""

    file: str
    place: str
    english: str
    welsh: str

    @property
    def welsh_hash(self) -> str:
        """The first digits of the SHA-256 of the Welsh, as the register has it."""
        return hashlib.sha256(self.welsh.encode()).hexdigest()[:HASH_DIGITS]


@dataclass(frozen=True)
class DeclaredWelsh:
    """A sentence and how far its Welsh is."""

    sentence: Sentence
    state: Literal["missing", "unreviewed", "reviewed"]


def sentences_of(folder: Path) -> Iterator[Sentence]:
    """Every text in ``sources/`` that is declared in both languages, file by file."""
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.csv")]):
        file = path.relative_to(folder).as_posix()
        if file in NOT_SENTENCES:
            continue
        if path.suffix == ".yaml":
            for place, english, welsh in _in_document(YamlFile(path).content()):
                yield Sentence(file, place, english, welsh)
        else:
            for place, english, welsh in _in_table(CsvFile(path).text):
                yield Sentence(file, place, english, welsh)


def declared_welsh(
    folder: Path, rule_sentences: Iterable[tuple[str, str, str]] = ()
) -> list[DeclaredWelsh]:
    """All Welsh of ``folder``, which is ``sources/``, with its state.

    ``rule_sentences`` are those of the rules, which stand in code above this layer: the rule's
    code, its English and its Welsh. Raises DeclarationError for a review of a sentence that is not
    there.
    """
    sentences = [
        *sentences_of(folder),
        *(Sentence(RULE_SENTENCES, *each) for each in rule_sentences),
    ]
    has_rules = any(sentence.file == RULE_SENTENCES for sentence in sentences)
    reviewed = {
        (review.file, review.place): review.welsh_hash
        for review in read_reviews(folder, sentences)
        if has_rules or review.file != RULE_SENTENCES
    }
    states = []
    for sentence in sentences:
        is_reviewed = reviewed.get((sentence.file, sentence.place)) == sentence.welsh_hash
        state = "reviewed" if is_reviewed else "unreviewed" if sentence.welsh.strip() else "missing"
        states.append(DeclaredWelsh(sentence, state))
    return states


def read_reviews(
    folder: Path, sentences: Iterable[Sentence] | None = None
) -> tuple[WelshReview, ...]:
    """The register. Raises DeclarationError for a row that no sentence of ``sentences``, or else of
    ``folder``, belongs to; rows on rules are only looked at where rules are among them."""
    file = CsvFile(folder / REGISTER)
    reviews = file.read(WelshReview)
    if not reviews:
        return ()
    known = list(sentences_of(folder) if sentences is None else sentences)
    places = {(sentence.file, sentence.place) for sentence in known}
    files = {sentence.file for sentence in known} | {RULE_SENTENCES}
    has_rules = any(sentence.file == RULE_SENTENCES for sentence in known)
    for position, review in enumerate(reviews):
        if review.file == RULE_SENTENCES and not has_rules:
            continue
        if review.file not in files:
            raise file.mistake((position, "file"), f"no file {review.file} has a text in Welsh")
        if (review.file, review.place) not in places:
            raise file.mistake(
                (position, "place"),
                f"{review.file} has no text at {review.place}; correct the place or delete the row",
            )
    return reviews


def _in_document(content: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    if isinstance(content, list):
        for position, part in enumerate(content):
            yield from _in_document(part, (*place, _name_of(part, position)))
    elif isinstance(content, dict):
        if {"en", "cy"} <= set(content):
            yield ".".join(place), str(content["en"]), str(content["cy"] or "")
            return
        for key, part in content.items():
            yield from _in_document(part, (*place, str(key)))


def _name_of(entry: Any, position: int) -> str:
    if isinstance(entry, dict):
        for name in NAMES:
            if isinstance(entry.get(name), str):
                return entry[name]
    return str(position)


def _in_table(text: str) -> Iterator[tuple[str, str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = list(reader.fieldnames or ())
    pairs = [name.removesuffix("_en") for name in columns if name.endswith("_en")]
    for row in reader:
        # A number that changed has a row for each time; the first column alone would name both.
        since = f"@{row['since']}" if row.get("since") else ""
        for name in pairs:
            if row[f"{name}_en"]:
                place = f"{row[columns[0]]}{since}.{name}"
                yield place, row[f"{name}_en"], row[f"{name}_cy"] or ""
