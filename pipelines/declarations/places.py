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
    in_force,
)
from pipelines.quarters import Quarter

PlaceKind = Literal[
    "nation", "region", "regional_agency", "partnership", "authority", "voluntary_agency", "service"
]


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
        return in_force(self.since, self.until, quarter)
