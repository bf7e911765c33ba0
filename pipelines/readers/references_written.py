"""References as programs damage them: dashes for hyphens, line breaks, a number's .0.

What is put right must fit the other references of the column, by their shape: ``9999-AA`` for
``0123-AB``. Zeros that are gone leave no trace in the file; they are found where the return is
compared with the last one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.declarations import ReturnField
from pipelines.readers.cells import address, listed
from pipelines.readers.sentences import FileProblem, problem

_DASH = re.compile("[\u2010-\u2015\u2212]")
_LINE_BREAK = re.compile(r"\s*(?:[\r\n\v\u2028]|_x000[AaDd]_)+\s*")
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")
_SUSPECTED = re.compile(f"{_DASH.pattern}|[\r\n\v\u2028]|_x000|\\.0")
_DECIMAL = re.compile(r"[0-9]+\.(?!0+$)[0-9]+")
_CODES = {"dash": "F226", "line break": "F226a", "point zero": "F226b"}


@dataclass
class ReferencesMended:
    """Cells (row, column) whose reference was read otherwise than written, by kind of damage."""

    cells: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def problems(self, shown: str) -> Iterator[FileProblem]:
        """A query for each kind, with its cells."""
        for kind, code in _CODES.items():
            at = [address(row, column) for row, column in sorted(self.cells.get(kind, []))]
            if at:
                yield problem(code, shown, cells=listed(at), at=at)


def mend_references(
    columns: Mapping[str, list[str | None]],
    fields: Mapping[str, tuple[int, ReturnField]],
    rows: Sequence[int],
) -> tuple[dict[str, list[str | None]], ReferencesMended]:
    """The columns with damaged references put right, and which these were.

    Arguments as for :func:`pipelines.readers.blank_cells.blank_out`.
    """
    mended = ReferencesMended()
    kept = dict(columns)
    for name, (position, declared) in fields.items():
        if declared.privacy != "identifier":
            continue
        texts = list(columns[name])
        if not any(text and _SUSPECTED.search(text) for text in texts):
            continue
        shapes = Counter(_shape(text) for text in texts if text)
        decimals = any(text and _DECIMAL.fullmatch(text.strip()) for text in texts)
        for index, text in enumerate(texts):
            if text is None:
                continue
            kind, right = _mended(text, shapes, decimals)
            if kind:
                mended.cells.setdefault(kind, []).append((rows[index], position))
                texts[index] = right
        kept[name] = texts
    return kept, mended


def _mended(text: str, shapes: Counter[str], decimals: bool) -> tuple[str, str]:
    """The damage of a reference and how it was meant; nothing where it cannot be told."""
    inner = text.strip()
    if _LINE_BREAK.search(inner):
        joined = _LINE_BREAK.sub("", inner)
        if len(shapes) == 1 or shapes[_shape(joined)] or not _is_mixed(inner):
            return "line break", joined
    if _DASH.search(inner):
        plain = _DASH.sub("-", inner)
        if shapes[_shape(plain)]:
            return "dash", plain
    if not decimals and (number := _POINT_ZERO.fullmatch(inner)):
        return "point zero", number[1]
    return "", text


def _is_mixed(text: str) -> bool:
    """Two references in one cell: each line is as long as a reference of its own."""
    lines = [line for line in _LINE_BREAK.split(text) if line]
    return len(lines) > 1 and len({_shape(line) for line in lines}) == 1


def _shape(text: str) -> str:
    """Digits as 9, letters as A, runs as one."""
    marked = re.sub(r"[^\W\d_]+", "A", re.sub(r"[0-9]+", "9", text.strip()))
    return marked
