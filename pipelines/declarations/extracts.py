"""Extracts that senders already hold, and how each of their columns becomes a field of a return."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from pipelines.declarations.model import Day, Declared, NationCode, PublicStatus, Text, Words

# What a table holds one row of. ``flag``: a code of which any row says yes, such as a disability.
Role = Literal["person", "plan", "episode", "flag", "adopter"]

# Days of an extract that are no field of a return under that name.
FURTHER_DAYS = frozenset({"started_on", "ended_on", "left_care_on"})
FURTHER_COLUMNS = FURTHER_DAYS | {
    "reference",
    "why_started",
    "legal_status",
    "placement",
    "provider",
    "why_ended",
    "order_made",
}


class ExtractTable(Declared):
    """One sheet, CSV file or list of an extract.

    ``columns`` gives, for each field of the return or part of an episode, the heading it stands
    under. A sheet with all the headings of ``recognised_by`` is this table. ``codes`` translates
    what a column may hold; where it does not, our own code lists and their spellings do.
    """

    name: Words
    role: Role
    needed: bool = False
    recognised_by: tuple[Words, ...] = Field(min_length=1)
    columns: dict[str, Words]
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_reference(self) -> ExtractTable:
        if "reference" not in self.columns:
            raise ValueError(f"{self.name}: columns names no reference")
        return self


class UnusedTable(Declared):
    """A table of the same extract that nothing is taken from, so that it is not taken for wrong."""

    name: Words
    recognised_by: tuple[Words, ...] = Field(min_length=1)


class DerivedField(Declared):
    """A field that no column holds and that follows from several; ``how`` says so to its sender."""

    field: str
    columns: tuple[Words, ...]
    how: Text


class EpisodeCodes(Declared):
    """What the codes of episodes of care mean for a plan for adoption.

    ``known`` are all codes of a column: any other is refused. The rest are codes of reasons for a
    new episode, of placements, of legal statuses and of reasons for the end of an episode.
    """

    known: dict[str, tuple[str, ...]]
    started_care: tuple[str, ...]
    changed_legal_status: tuple[str, ...]
    changed_placement: tuple[str, ...]
    changed_carer: tuple[str, ...]
    placement_order: tuple[str, ...]
    placed_for_adoption: tuple[str, ...]
    placed_by_consent: tuple[str, ...]
    placed_with_foster_carer: tuple[str, ...]
    early_permanence: tuple[str, ...]
    adopted: tuple[str, ...]
    goes_on: tuple[str, ...]


class Extract(Declared):
    """An extract: who defines it, what it is made of, and what becomes of it.

    ``looks_back_months``: cases that ended longer ago than that are no longer on it. ``of_years``:
    each file covers a financial year, and several make history. ``placeholders`` are days that
    stand where nothing is known. ``episode_codes_of`` names another extract with the same codes.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    defined_by: Words
    nations: tuple[NationCode, ...]
    status: PublicStatus
    sources: tuple[Words, ...] = Field(min_length=1)
    read_on: Day
    form: Literal["sheets", "json"] = "sheets"
    of_years: bool = False
    looks_back_months: int | None = None
    placeholders: tuple[date, ...] = ()
    marker: str = ""  # pattern of what stands before a code in its lists, such as "a) "
    tables: tuple[ExtractTable, ...]
    unused: tuple[UnusedTable, ...] = ()
    derived: tuple[DerivedField, ...] = ()
    episode_codes: EpisodeCodes | None = None
    episode_codes_of: str | None = None

    def table(self, name: str) -> ExtractTable:
        """Raises KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def fields(self, return_name: Literal["child", "adopter"]) -> frozenset[str]:
        """Names of the fields of a return that the extract fills, from columns or derived."""
        names = set()
        for table in self.tables:
            is_of_adopters = table.role == "adopter"
            if table.role != "episode" and is_of_adopters == (return_name == "adopter"):
                names |= set(table.columns)
        names -= FURTHER_COLUMNS
        if return_name == "child":
            names |= {"child_reference"} | {each.field for each in self.derived}
        elif names:
            names |= {"household_reference", "adopters_in_household"}
        return frozenset(names)
