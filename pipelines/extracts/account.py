"""What a conversion came to, as its sender reads it: rows, gaps and their consequence, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelines.declarations import Declarations
from pipelines.extracts.completeness import FieldGiven, gap_in_words
from pipelines.extracts.conversion import Conversion
from pipelines.templates.plan import in_language, place_name
from pipelines.text.catalogue import Language, translations


def gaps(conversion: Conversion) -> list[FieldGiven]:
    """Fields that are not given in every row that should have them, over all quarters.

    Fields that no column says and no row needs are there only where a figure is counted from them.
    """
    summed: dict[tuple[str, str], FieldGiven] = {}
    for converted in conversion.returns:
        for each in converted.completeness:
            key = each.return_name, each.field.name
            before = summed.get(key)
            given, expected = (before.given, before.expected) if before else (0, 0)
            summed[key] = replace(each, given=given + each.given, expected=expected + each.expected)
    return [
        each
        for each in summed.values()
        if each.given < each.expected or (not each.is_in_extract and each.figures)
    ]


def account(
    conversion: Conversion, declarations: Declarations, language: Language
) -> Iterator[str]:
    """Lines for a person."""
    texts = translations(language)
    _ = texts.gettext
    place = declarations.places[conversion.sender_code]
    yield _("{extract}, {sender}").format(
        extract=in_language(conversion.extract.title, language), sender=place_name(place, language)
    )
    for converted in conversion.returns:
        children = len(converted.rows["child"])
        counted = texts.ngettext("{count} child", "{count} children", children)
        line = f"  {converted.quarter}: {counted.format(count=children)}"
        if "adopter" in converted.rows:
            households = len(converted.rows["adopter"])
            counted = texts.ngettext("{count} household", "{count} households", households)
            line += f", {counted.format(count=households)}"
        yield line
    found = gaps(conversion)
    if found:
        yield ""
        yield _("What is not in the files stays blank, which counts as not known:")
    for each in found:
        yield f"  {gap_in_words(each, language)}"
    if conversion.notes:
        yield ""
    for note in conversion.notes:
        yield note.text(language)
    if conversion.is_history:
        yield _(
            "These returns are history: they count until the sender's own return for the quarter "
            "is there, and hold the match of adopted children alone."
        )


def as_json(conversion: Conversion, language: Language) -> dict[str, Any]:
    """The same for a program."""
    return {
        "extract": conversion.extract.name,
        "sender_code": conversion.sender_code,
        "is_history": conversion.is_history,
        "returns": [
            {
                "quarter": converted.quarter.label,
                "rows": {name: len(rows) for name, rows in converted.rows.items()},
            }
            for converted in conversion.returns
        ],
        "gaps": [
            {
                "return": each.return_name,
                "field": each.field.name,
                "given": each.given,
                "expected": each.expected,
                "is_in_extract": each.is_in_extract,
                "figures": list(each.figures),
            }
            for each in gaps(conversion)
        ],
        "notes": [note.text(language) for note in conversion.notes],
    }
