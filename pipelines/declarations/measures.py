"""What the columns of the measure models count: a number that may be added up over places.

A measure's expression is SQL and stands in ``dbt_project/models/intermediate``; everything else
that is known of it stands in ``sources/measures``, and nothing is read off its name.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelines.declarations.model import Declared, Text

MeasureName = str
Subject = Literal["child", "adopter", "support"]


class Measure(Declared):
    """A column of a measures model: ``int_child_flow_measures`` and its like."""

    name: MeasureName = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="Name of the measure, as numerators and denominators give it.",
    )
    subject: Subject = Field(
        description="The return the measure is taken from: child, adopter or support."
    )
    caption: Text = Field(description="What it counts")
    timing: Literal["flow", "stock"] = Field(
        description=(
            "flow (events of the quarter, which may be added up over quarters) or stock (as it "
            "stood on the quarter's last day, which may not)."
        )
    )
    part_of: MeasureName | None = Field(
        None,
        description=(
            "The measure that, by definition, counts everyone this one counts; empty where there "
            "is none."
        ),
    )
    event: MeasureName | None = Field(
        None,
        description=(
            "The measure of the event behind it: whoever has the event and is not counted here is "
            "explained in fct_explanation. Empty where that is not explained."
        ),
    )
    needs_placement_order: bool = Field(
        False,
        description=(
            "Whether only children with a placement order count: a parent's consent is not enough."
        ),
    )
    fields: tuple[str, ...] = Field(
        description=(
            "Fields of the return that it is counted from: without one of them it cannot be "
            "counted, or not fully."
        )
    )


class MeasuresOfSubject(Declared):
    """One file: the measures of one return."""

    subject: Subject
    measures: tuple[Measure, ...]

    @model_validator(mode="before")
    @classmethod
    def _with_subject(cls, content: Any) -> Any:
        """The file names its subject once, for all of its measures.

        A count of support is the field of its own name.
        """
        if not isinstance(content, dict) or not isinstance(content.get("measures"), list):
            return content
        subject = content.get("subject")
        measures = [
            ({"fields": [entry.get("name")]} if subject == "support" else {})
            | entry
            | {"subject": subject}
            if isinstance(entry, dict)
            else entry
            for entry in content["measures"]
        ]
        return content | {"measures": measures}
