"""The returns: fields, cover sheet, code lists and how senders spell the codes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipelines.declarations.model import (
    Declared,
    NationCode,
    OptionalQuarter,
    OptionalText,
    PublicStatus,
    Text,
    Words,
    in_force,
)
from pipelines.quarters import Quarter


class Constraints(Declared):
    """The Frictionless Table Schema constraints in use, and three of our own.

    ``required``: a blank is an error, wherever the field is asked for. ``required_in``: it is one
    in these nations alone, since a figure of theirs cannot do without it. ``queried_if_blank``: a
    blank is asked about. Any other field may be left blank, which counts as not known.
    """

    required: bool = False
    required_in: tuple[NationCode, ...] = ()
    queried_if_blank: bool = False
    minimum: int | None = None
    maximum: int | None = None
    maxLength: int | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> Constraints:
        if self.required + bool(self.required_in) + self.queried_if_blank > 1:
            raise ValueError("required, required_in and queried_if_blank: name one of them")
        return self

    def is_required_in(self, nation_code: str | None) -> bool:
        """Whether a blank is an error in a nation; without one, in any nation."""
        if nation_code is None:
            return self.required or bool(self.required_in)
        return self.required or nation_code in self.required_in


class ReturnField(Declared):
    """One column of a return.

    ``privacy`` says what the validated room keeps of it: ``identifier`` becomes
    a keyed pseudonym, ``month`` the first day of the month, ``none`` stays.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    description: Text
    type: Literal["string", "date", "integer"]
    code_list: str | None = None
    constraints: Constraints = Constraints()
    privacy: Literal["none", "identifier", "month"] = "none"
    pseudonym_of: Literal["child", "household", "sibling_group"] | None = None
    issued_by: str | None = None  # field holding the issuing agency's code; default: the sender
    measured_as: str | None = None  # column name in the validated room, where it differs
    expected_with: str | None = None  # "always", or the field with which a blank is a gap
    synonyms: tuple[str, ...] = ()
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus = "proposed"
    source: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ReturnField:
        if (self.privacy == "identifier") != (self.pseudonym_of is not None):
            raise ValueError(f"{self.name}: privacy identifier and pseudonym_of go together")
        if self.privacy == "month" and self.type != "date":
            raise ValueError(f"{self.name}: only a date can become a month")
        return self

    @property
    def validated_name(self) -> str:
        """Name of the column from the validated room on."""
        if self.measured_as:
            return self.measured_as
        if self.privacy == "identifier":
            return self.name.removesuffix("_reference") + "_pseudonym"
        return self.name

    @property
    def validated_type(self) -> Literal["string", "date", "integer"]:
        return self.type

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class Return(Declared):
    """One sheet an authority or agency fills in."""

    name: Literal["child", "adopter", "support"]
    title: Text
    description: Text
    grain: Text
    sheet: Text
    primary_key: tuple[str, ...]
    max_rows: int | None = None
    fields: tuple[ReturnField, ...]
    status: PublicStatus
    source: Words

    @model_validator(mode="after")
    def _consistent(self) -> Return:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a field name appears twice")
        for key in self.primary_key:
            if key not in names:
                raise ValueError(f"primary_key names {key}, which is no field")
        for field in self.fields:
            if field.expected_with not in (None, "always", *names):
                raise ValueError(
                    f"{field.name}: expected_with names {field.expected_with}, which is no field"
                )
            if field.issued_by and field.issued_by not in names:
                raise ValueError(
                    f"{field.name}: issued_by names {field.issued_by}, which is no field"
                )
        return self

    @property
    def place_fields(self) -> frozenset[str]:
        """Fields that hold a place code: those that another field's reference is issued by."""
        return frozenset(field.issued_by for field in self.fields if field.issued_by)

    def fields_in_force(self, quarter: Quarter) -> tuple[ReturnField, ...]:
        return tuple(field for field in self.fields if field.in_force(quarter))

    def field(self, name: str) -> ReturnField:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


class CoverField(Declared):
    """One line of the cover sheet.

    ``unless`` names the question whose answer makes this one superfluous. What is not
    ``is_offered`` is on no blank template.
    """

    name: str
    title: Text
    guidance: Text
    type: Literal["string", "date", "integer", "yes_no", "quarter", "sender", "extract"]
    required: bool = False
    unless: str | None = None
    is_offered: bool = True


class Cover(Declared):
    """The cover sheet: who sends, for which quarter, and the ticks."""

    title: Text
    sheet: Text
    notice: Text
    fields: tuple[CoverField, ...]
    status: PublicStatus
    source: Words


class Code(Declared):
    """One code of a list, and the quarters in which it may be used."""

    code: Words = Field(description="The code, as it stands in the validated room.")
    label_en: Words = Field(description="What it means, in English.")
    label_cy: Words = Field(description="What it means, in Welsh.")
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PublicStatus = "proposed"
    source: OptionalText = None

    def in_force(self, quarter: Quarter) -> bool:
        return in_force(self.since, self.until, quarter)


class Spelling(Declared):
    """Another way of writing a code or a label of a list, as senders do."""

    spelling: Words
    code: Words
    status: PublicStatus = "proposed"
    source: OptionalText = None
