"""What a template holds for a quarter and a language: its sheets, columns and labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipelines.declarations import (
    Code,
    CoverField,
    Declarations,
    Place,
    Return,
    ReturnField,
    Text,
)
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language

FIRST_QUARTER_OFFERED = Quarter(2018, 1)  # no collection before it has this template

Entry = Mapping[str, object]  # one row of a return, by declared field name


@dataclass(frozen=True)
class SheetPlan:
    """One return's sheet: its name, its fields in force, their titles and their labels."""

    declared: Return
    sheet: str
    fields: tuple[ReturnField, ...]
    titles: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]  # field name → code → label the drop-down offers


@dataclass(frozen=True)
class TemplatePlan:
    """Everything declared for the template, in one language; ``sheets`` by name of the return.

    ``yes_no`` are the labels offered for yes and for no.
    """

    version: str
    language: Language
    sheets: Mapping[str, SheetPlan]
    all_cover_fields: tuple[CoverField, ...]
    yes_no: tuple[str, str]
    nation_code: str | None  # of the sender, which decides what is required; None: of anybody

    def cover_fields(
        self, returns: Mapping[str, object], answers: Mapping[str, object]
    ) -> list[CoverField]:
        """The cover's lines; a nil-return tick only for a return with a sheet or an answer."""
        return [
            field
            for field in self.all_cover_fields
            if field.name in answers
            or (
                field.is_offered
                and (
                    not field.name.startswith("is_nil_")
                    or field.name.removeprefix("is_nil_") in returns
                )
            )
        ]


@lru_cache(maxsize=128)  # 0.1 s of hashing once per quarter instead of once per workbook
def plan_template(
    declarations: Declarations,
    quarter: Quarter,
    language: Language,
    nation_code: str | None = None,
) -> TemplatePlan:
    """The plan of every return's sheet with the fields in force in ``quarter``."""
    sheets = {
        name: _plan_sheet(declarations, declared, quarter, language)
        for name, declared in declarations.returns.items()
    }
    codes = {code.code: code for code in declarations.code_lists["yes_no_unknown"]}
    return TemplatePlan(
        version=_version(declarations, quarter),
        language=language,
        sheets=sheets,
        all_cover_fields=declarations.cover.fields,
        yes_no=(code_label(codes["yes"], language), code_label(codes["no"], language)),
        nation_code=nation_code,
    )


def template_version(declarations: Declarations, quarter: Quarter) -> str:
    """Twelve hexadecimal digits that change when anything declared for the template changes."""
    return plan_template(declarations, quarter, "en").version


def returns_for(
    declarations: Declarations, quarter: Quarter, sender_code: str | None
) -> tuple[str, ...]:
    """Names of the returns a template has: all, or those that ``sender_code`` owes."""
    if sender_code is None:
        return tuple(declarations.returns)
    due = declarations.due_from(sender_code, quarter)
    return tuple(name for name in declarations.returns if name in due)


def places_offered(declarations: Declarations, quarter: Quarter) -> list[Place]:
    """Places that can send a return or approve adopters and exist in the quarter."""
    return [
        place
        for place in declarations.places.values()
        if place.kind != "nation"
        and (place.since is None or place.since <= quarter.last_day)
        and (place.until is None or quarter.first_day <= place.until)
    ]


def further_columns(columns: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """Keys of the entries that are no declared column, in the order in which they appear."""
    return list(dict.fromkeys(key for entry in entries for key in entry if key not in columns))


def in_language(text: Text, language: Language) -> str:
    """The declared text in one language."""
    return text.en if language == "en" else text.cy


def code_label(code: Code, language: Language) -> str:
    """What the drop-down offers for a code."""
    return code.label_en if language == "en" else code.label_cy


def place_name(place: Place, language: Language) -> str:
    """The place's name in one language."""
    return place.name_en if language == "en" else place.name_cy


def place_label(place: Place, language: Language) -> str:
    """What the drop-down offers for a place: ``Cardiff (W06000015)``."""
    return f"{place_name(place, language)} ({place.place_code})"


def _plan_sheet(
    declarations: Declarations, declared: Return, quarter: Quarter, language: Language
) -> SheetPlan:
    fields = declared.fields_in_force(quarter)
    places = {
        code: place_label(place, language)
        for code, place in declarations.places.items()
        if place.kind != "nation"
    }
    labels = {
        field.name: {
            code.code: code_label(code, language)
            for code in declarations.code_lists[field.code_list]
            if code.in_force(quarter)
        }
        for field in fields
        if field.code_list
    }
    labels |= {name: places for name in declared.place_fields if declared.field(name) in fields}
    return SheetPlan(
        declared,
        in_language(declared.sheet, language),
        fields,
        tuple(in_language(field.title, language) for field in fields),
        labels,
    )


def _version(declarations: Declarations, quarter: Quarter) -> str:
    declared: list[Any] = [declarations.cover.model_dump(mode="json")]
    for each in declarations.returns.values():
        plain = each.model_dump(mode="json", exclude={"fields"})
        declared += [plain, [f.model_dump(mode="json") for f in each.fields_in_force(quarter)]]
    for name, codes in declarations.code_lists.items():
        in_force = [code.model_dump(mode="json") for code in codes if code.in_force(quarter)]
        declared += [name, in_force]
    text = json.dumps(declared, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
