"""The parts of a page as plain rows, pictures and sentences, so that templates decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

# Two years: eight values stay readable in a column of a table.
QUARTERS_IN_A_ROW = 8
# England could have thirty agencies; seven columns fit A4 landscape and a screen of 1,100 pixels.
PLACES_IN_A_TABLE = 7


@dataclass(frozen=True)
class Statement:
    """A sentence with the shape and the word that stand before it; both may be empty."""

    mark: str
    word: str
    text: str


@dataclass(frozen=True)
class StatementGroup:
    """Statements under a heading; ``note`` where there are none."""

    heading: str
    statements: Sequence[Statement]
    note: str = ""


@dataclass(frozen=True)
class FigureCell:
    """A value with what it is based on, and a warning where returns or quarters are missing."""

    value: str
    based_on: str = ""
    interval: str = ""
    estimate: str = ""
    warning: str = ""
    few: str = ""


@dataclass(frozen=True)
class Remark:
    """A shape, its word, and what it is about."""

    mark: str
    word: str
    about: str


@dataclass(frozen=True)
class Picture:
    """A chart: its data address, what it shows to those who cannot see it, the words under it, and
    its values as a table (``head`` and ``rows``, which may be empty)."""

    title: str
    unit: str
    source: str
    alt: str
    caption: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    definition_of: str = ""
    status: str = ""


@dataclass(frozen=True)
class PlainTable:
    """A table whose first column names the row; ``numeric`` are columns that align right."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Section:
    """What stands under a heading; the template leaves out parts that are empty.

    ``key`` has pairs of a colour and what it means.
    """

    intro: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[PlainTable] = ()
    notes: Sequence[str] = ()
    key: Sequence[tuple[str, str]] = ()


def linked(indicator_id: str, title: str) -> Markup:
    """Code and title of an indicator; the code leads to its definition in the table."""
    return Markup('<a href="#i-{0}">{0}</a> {1}').format(indicator_id, title)
