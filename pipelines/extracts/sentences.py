"""What is said of an extract, in both languages. No sentence holds anything from a cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.declarations import Text
from pipelines.text.catalogue import Language, translations

ROWS_NAMED = 10  # in one sentence; more are counted


@dataclass(frozen=True)
class Sentence:
    """A sentence of the catalogue and what stands in its braces; a Text is put in its language."""

    template: str
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        values = {
            name: (value.en if language == "en" else value.cy) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        return translations(language).gettext(self.template).format(**values)


class CannotConvert(Exception):
    """Why nothing was converted: everything that is wrong, a sentence each."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = tuple(sentences)
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """One line for each sentence."""
        return "\n".join(sentence.text(language) for sentence in self.sentences)


def some(numbers: Iterable[int]) -> str:
    """``2, 5, 9`` or ``2, 5, 9 … (+12)``: the first rows, and how many more there are."""
    listed = sorted(set(numbers))
    named, more = listed[:ROWS_NAMED], len(listed) - ROWS_NAMED
    text = ", ".join(map(str, named))
    return f"{text} … (+{more})" if more > 0 else text
