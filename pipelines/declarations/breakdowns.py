"""What figures are broken down by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.declarations.model import Declared, PublicStatus, Text, Words


class Category(Declared):
    """One part of a breakdown."""

    code: Words
    en: Words
    cy: Words


class Breakdown(Declared):
    """What figures of ``subject`` are broken down by; ``all`` for the total.

    Its parts are the codes of ``code_list``, where one is named, then ``categories``.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    subject: Literal["child", "adopter", "all"]
    title: Text
    definition: Text
    code_list: str | None = None
    categories: tuple[Category, ...] = ()
    status: PublicStatus
    source: Words


class Breakdowns(Declared):
    breakdowns: tuple[Breakdown, ...]
