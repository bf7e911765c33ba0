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
    place_code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    name_en: Words
    name_cy: Words
    kind: PlaceKind
    nation_code: str
    gss_code: OptionalText = None
    since: OptionalDate = None
    until: OptionalDate = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words
    note: OptionalText = None


class Membership(Declared):
    """``member_code`` plays ``role`` in ``parent_code`` from ``since`` to ``until``.

    Both days are included. A blank date means: not known to have an end on that side.
    """

    member_code: str
    parent_code: str
    role: Literal["member", "host", "commissioner", "provider"]
    since: OptionalDate = None
    until: OptionalDate = None
    status: Literal["sourced", "unverified", "proposed"]
    source: Words
    note: OptionalText = None


class ReturnDue(Declared):
    """``sender_code`` owes ``return_name`` for every quarter from ``since`` to ``until``."""

    sender_code: str
    return_name: Literal["child", "adopter", "support"]
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
