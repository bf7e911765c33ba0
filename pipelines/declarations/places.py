"""Nations, authorities, regions and agencies; who belonged where when; who owes which return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.declarations.model import (
    Declared,
    OptionalDate,
    OptionalQuarter,
    OptionalText,
    Words,
)
from pipelines.quarters import Quarter

PlaceKind = Literal[
    "nation", "region", "regional_agency", "partnership", "authority", "voluntary_agency", "service"
]
PlaceStatus = Literal["sourced", "unverified", "proposed"]
MembershipRole = Literal["member", "host", "commissioner", "provider"]
ReturnName = Literal["child", "adopter", "support"]


class Place(Declared):
    """A nation, authority, region, agency or service."""

    place_code: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="The place: a GSS code for authorities and nations, a short name for agencies.",
    )
    name_en: Words = Field(description="Name in English.")
    name_cy: Words = Field(description="Name in Welsh.")
    kind: PlaceKind = Field(
        description=(
            "nation, region, regional_agency, partnership, authority, voluntary_agency or service."
        ),
    )
    nation_code: str = Field(description="GSS code of the nation it lies in.")
    gss_code: OptionalText = Field(
        None,
        description="Code of the Office for National Statistics, where there is one.",
    )
    since: OptionalDate = Field(None, description="First day of its existence, where known.")
    until: OptionalDate = Field(
        None,
        description="Last day of its existence; empty while it goes on.",
    )
    status: Literal["sourced", "unverified", "proposed"] = Field(
        description="Whether the entry is sourced, unverified or proposed.",
    )
    source: Words = Field(description="Where the entry comes from.")
    note: OptionalText = Field(None, description="What a reader should know about the entry.")


class Membership(Declared):
    """``member_code`` plays ``role`` in ``parent_code`` from ``since`` to ``until``.

    Both days are included. A blank date means: not known to have an end on that side.
    """

    member_code: str = Field(description="The member.")
    parent_code: str = Field(description="What it is a member of.")
    role: Literal["member", "host", "commissioner", "provider"] = Field(
        description=(
            "member, host, commissioner or provider. Only members are counted in the figures of "
            "the parent."
        ),
    )
    since: OptionalDate = Field(None, description="First day, where known.")
    until: OptionalDate = Field(None, description="Last day; empty while it goes on.")
    status: Literal["sourced", "unverified", "proposed"] = Field(
        description="Whether the entry is sourced, unverified or proposed.",
    )
    source: Words = Field(description="Where the entry comes from.")
    note: OptionalText = Field(None, description="What a reader should know about the entry.")


class ReturnDue(Declared):
    """``sender_code`` owes ``return_name`` for every quarter from ``since`` to ``until``."""

    sender_code: str = Field(
        description="Place code of the authority or agency that owes the return.",
    )
    return_name: Literal["child", "adopter", "support"] = Field(
        description="Which return: child, adopter or support.",
    )
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words

    def in_force(self, quarter: Quarter) -> bool:
        return (self.since is None or self.since <= quarter) and (
            self.until is None or quarter <= self.until
        )


class OpenDataCode(Declared):
    """How the open-data format of England knows an authority: its codes, its name, its region."""

    place_code: str
    old_la_code: str
    region_code: str
    region_name: str
    la_name: str
    status: PlaceStatus
    source: Words
