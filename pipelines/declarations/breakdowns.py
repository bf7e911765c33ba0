"""What figures are broken down by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.declarations.model import Declared, PublicStatus, Text, Words


class Category(Declared):
    """One part of a breakdown."""

    code: Words = Field(description="The part of the breakdown.")
    en: Words = Field(description="Name of the part in English.")
    cy: Words = Field(description="Name of the part in Welsh.")


class Breakdown(Declared):
    """What figures of ``subject`` are broken down by; ``all`` for the total.

    Its parts are the codes of ``code_list``, where one is named, then ``categories``.
    """

    id: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="What figures are broken down by; total for the whole.",
    )
    subject: Literal["child", "adopter", "all"] = Field(
        description="Which return it applies to, child or adopter; all for the total.",
    )
    title: Text = Field(description="Title")
    definition: Text = Field(description="Definition")
    code_list: str | None = None
    categories: tuple[Category, ...] = ()
    status: PublicStatus = Field(
        description="Whether it is published, partly published, proposed or unverified.",
    )
    source: Words = Field(description="Where it comes from.")


class Breakdowns(Declared):
    """The file of breakdowns."""

    breakdowns: tuple[Breakdown, ...]
