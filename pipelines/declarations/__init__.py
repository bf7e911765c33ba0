"""Typed view of ``sources/``: what is declared there, and nothing else.

Knows no tool of the pipeline. Every loader checks what it reads and raises
:class:`DeclarationError` naming the file, the line, the field, what is wrong and what to do.
"""

from pipelines.declarations.breakdowns import Breakdown, Category
from pipelines.declarations.declarations import Declarations
from pipelines.declarations.extracts import (
    EpisodeCodes,
    Extract,
    ExtractTable,
    UnusedTable,
)
from pipelines.declarations.indicators import (
    Benchmark,
    BreakInSeries,
    Indicator,
    NotComputed,
    WorkedExample,
)
from pipelines.declarations.limits import RuleLimit, Ssda903Rule, WarningLimit
from pipelines.declarations.measures import Measure
from pipelines.declarations.model import (
    EVERY,
    DeclarationError,
    Declared,
    OptionalQuarter,
    PublicStatus,
    Text,
    Words,
)
from pipelines.declarations.places import Membership, Place, PlaceKind, ReturnDue
from pipelines.declarations.policies import (
    REMINDER_PLACES,
    Calendar,
    Duty,
    Policy,
    RefusalPolicy,
    ReleasePolicy,
    Reminder,
    Role,
    TolerancePolicy,
)
from pipelines.declarations.returns import (
    Code,
    Constraints,
    Cover,
    CoverField,
    Return,
    ReturnField,
    Spelling,
)

__all__ = [
    "EVERY",
    "REMINDER_PLACES",
    "Benchmark",
    "BreakInSeries",
    "Breakdown",
    "Calendar",
    "Category",
    "Code",
    "Constraints",
    "Cover",
    "CoverField",
    "DeclarationError",
    "Declarations",
    "Declared",
    "Duty",
    "EpisodeCodes",
    "Extract",
    "ExtractTable",
    "Indicator",
    "Measure",
    "Membership",
    "NotComputed",
    "OptionalQuarter",
    "Place",
    "PlaceKind",
    "Policy",
    "PublicStatus",
    "RefusalPolicy",
    "ReleasePolicy",
    "Reminder",
    "Return",
    "ReturnDue",
    "ReturnField",
    "Role",
    "RuleLimit",
    "Spelling",
    "Ssda903Rule",
    "Text",
    "TolerancePolicy",
    "UnusedTable",
    "WarningLimit",
    "Words",
    "WorkedExample",
]
