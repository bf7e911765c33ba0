"""What an extract knows of each child, gathered from its tables, and a child's row of a quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipelines.declarations import EpisodeCodes, Extract
from pipelines.extracts import episodes as care
from pipelines.extracts.episodes import Episode
from pipelines.extracts.sentences import Sentence, some
from pipelines.extracts.values import Entry
from pipelines.quarters import Quarter
from pipelines.text.catalogue import N_

# Any of these by the quarter's last day makes a child one of the return.
_BEGINS = ("should_be_placed_decision_on", "placement_order_on", "matched_on", "placed_on",
           "adoption_order_on")  # fmt: skip
# Not said before its day: what stands beside the day of an event.
_SAID_WITH = {
    "plan_ended_reason": ("plan_ended_on",),
    "is_foster_carer_adoption": ("placed_on", "adoption_order_on"),
    "foster_placement_started_on": ("placed_on", "adoption_order_on"),
    "placement_provider": ("placed_on",),
    "adopter_household_reference": ("matched_on", "placed_on"),
}

TWO_CHILDREN = N_(
    "{sheet}: rows {rows} have one {column} and two dates of birth, here or in another file: give "
    "each child a reference of its own."
)
TWO_ROWS = N_("{sheet}: rows {rows} are about one {column} twice: keep one row for each.")
NOBODY = N_(
    "{sheet}: rows {rows} are about children whom {table} does not have: add the file of the same "
    "year, as it was exported."
)


@dataclass
class Child:
    """What is known of one child; ``plans`` are the rows about a plan, by table, oldest first."""

    reference: str
    person: dict[str, Any] = field(default_factory=dict)
    plans: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    entered_care: list[date] = field(default_factory=list)
    is_disabled: str | None = None

    def has_a_plan(self, codes: EpisodeCodes | None) -> bool:
        """Whether anything at all says so; of most children an extract only says that they are in
        care."""
        if any(_days(plan, _BEGINS) for plans in self.plans.values() for plan in plans):
            return True
        return codes is not None and any(
            episode.placement in codes.placed_for_adoption
            or episode.legal_status in codes.placement_order
            or episode.why_ended in codes.adopted
            for episode in self.episodes
        )


def _days(values: Mapping[str, Any], names: Iterable[str]) -> list[date]:
    return [values[name] for name in names if values.get(name) is not None]


def gather(
    read: Sequence[Entry], extract: Extract, codes: EpisodeCodes | None
) -> tuple[list[Child], list[Sentence]]:
    """Children with a plan, in the order of their rows, and what contradicts itself.

    ``read`` has the files of earlier years first.
    """
    children: dict[str, Child] = {}
    wrong: list[Sentence] = []
    people: dict[str, list[Entry]] = {}
    # The file of a later year says how an episode of an earlier one went on.
    episodes: dict[str, dict[date, Mapping[str, Any]]] = {}
    for entry in read:
        if entry.sheet.table.role == "adopter":
            continue
        child = children.setdefault(entry.reference, Child(entry.reference))
        values = dict(entry.values)
        match entry.sheet.table.role:
            case "person":
                people.setdefault(entry.reference, []).append(entry)
                child.person |= values
            case "plan":
                child.plans.setdefault(entry.sheet.table.name, []).append(values)
            case "flag":
                answers = {child.is_disabled, values.get("is_disabled")}
                child.is_disabled = "yes" if "yes" in answers else values.get("is_disabled")
            case "episode":
                if (entered := values.get("entered_care_on")) is not None:
                    child.entered_care.append(entered)
                elif "started_on" in values:
                    episodes.setdefault(entry.reference, {})[values["started_on"]] = values
    for reference, by_day in episodes.items():
        children[reference].episodes = [Episode(**values) for values in by_day.values()]
    wrong += _two_children(people)
    wrong += _two_rows(read, extract)
    with_plan = [child for child in children.values() if child.has_a_plan(codes)]
    wrong += _nobody(read, extract, {child.reference for child in with_plan}, people)
    return with_plan, wrong


def _two_children(people: Mapping[str, Sequence[Entry]]) -> list[Sentence]:
    twice: dict[str, list[Entry]] = {}
    for entries in people.values():
        if len({entry.values.get("date_of_birth") for entry in entries}) > 1:
            for entry in entries:
                twice.setdefault(entry.sheet.shown, []).append(entry)
    return [_sentence(TWO_CHILDREN, entries) for entries in twice.values()]


def _two_rows(read: Sequence[Entry], extract: Extract) -> list[Sentence]:
    """Rows that may be there once: a person of a file; a plan with the same first day; an episode.

    A list of plans that has the person as well has one row for each child.
    """
    seen: dict[tuple[str, str, object], list[Entry]] = {}
    for entry in read:
        table = entry.sheet.table
        if table.role == "person" or "date_of_birth" in table.columns:
            first: object = None
        elif table.role == "plan":
            first = entry.values.get("should_be_placed_decision_on")
            if first is None:
                continue
        elif table.role == "episode" and "started_on" in table.columns:
            first = entry.values.get("started_on")
        else:
            continue
        seen.setdefault((entry.sheet.shown, entry.reference, first), []).append(entry)
    by_sheet: dict[str, list[Entry]] = {}
    for (shown, *_), entries in seen.items():
        if len(entries) > 1:
            by_sheet.setdefault(shown, []).extend(entries)
    return [_sentence(TWO_ROWS, entries) for entries in by_sheet.values()]


def _nobody(
    read: Sequence[Entry], extract: Extract, wanted: set[str], people: Mapping[str, object]
) -> list[Sentence]:
    """Rows about a child with a plan whom the table of people does not have."""
    tables = [table for table in extract.tables if table.role == "person" and table.needed]
    if not tables:
        return []
    lost: dict[str, list[Entry]] = {}
    for entry in read:
        of_child = entry.sheet.table.role in ("plan", "episode")
        if of_child and entry.reference in wanted and entry.reference not in people:
            lost.setdefault(entry.sheet.shown, []).append(entry)
    return [_sentence(NOBODY, entries, table=tables[0].name) for entries in lost.values()]


def _sentence(template: str, entries: Sequence[Entry], **values: object) -> Sentence:
    sheet = entries[0].sheet
    return Sentence(
        template,
        {
            "sheet": sheet.shown,
            "rows": some(entry.number for entry in entries),
            "column": sheet.table.columns["reference"],
        }
        | values,
    )


def row_of(
    child: Child, extract: Extract, codes: EpisodeCodes | None, quarter: Quarter
) -> dict[str, Any] | None:
    """The child's row as it stood at the end of a quarter; None where it is on no return of it."""
    last_day = quarter.last_day
    row: dict[str, Any] = {"child_reference": child.reference} | child.person
    if child.is_disabled is not None:
        row["is_disabled"] = child.is_disabled
    entered = [day for day in child.entered_care if day <= last_day]
    if entered:
        row["entered_care_on"] = max(entered)
    planned: dict[str, Any] = {}
    for table in extract.tables:
        plan = _latest(child.plans.get(table.name, ()), last_day)
        planned = _as_at(plan, last_day) | planned
    if codes is not None and child.episodes:
        begun = care.as_at(child.episodes, last_day)
        period = care.period_of_care(begun, planned.get("should_be_placed_decision_on"), codes)
        planned = care.facts(period, codes) | planned
        if planned.get("is_foster_carer_adoption") != "yes":
            planned.pop("foster_placement_started_on", None)
    row |= _derived(planned)
    _forget_what_is_said_later(row)
    return row if _is_of(row, quarter) else None


def _latest(plans: Sequence[Mapping[str, Any]], day: date) -> Mapping[str, Any]:
    """The plan with the latest decision by a day, or one without a decision.

    A decision that several yearly files repeat is taken from one that says how it ended.
    """
    decided, ended = "should_be_placed_decision_on", "plan_ended_on"
    known = [plan for plan in plans if plan.get(decided) is None or plan[decided] <= day]
    return max(known, key=lambda p: (p.get(decided) or date.min, ended in p), default={})


def _as_at(plan: Mapping[str, Any], day: date) -> dict[str, Any]:
    return {
        name: value
        for name, value in plan.items()
        if not isinstance(value, date) or name == "date_of_birth" or value <= day
    }


def _derived(planned: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from a plan's own columns: the kind of authority, how care ended."""
    row = dict(planned)
    left, made = row.pop("left_care_on", None), row.pop("order_made", "another")
    if left is not None:
        if made == "adoption":
            row.setdefault("adoption_order_on", left)
        elif "adoption_order_on" not in row:
            row.setdefault("plan_ended_on", left)
    if "placement_order_on" in row:
        row.setdefault("authority_to_place", "placement_order")
    if "early_permanence_placed_on" in row:
        row.setdefault("early_permanence", "unknown")
    return row


def _forget_what_is_said_later(row: dict[str, Any]) -> None:
    for name, events in _SAID_WITH.items():
        if name in row and not any(event in row for event in events):
            del row[name]


def _is_of(row: Mapping[str, Any], quarter: Quarter) -> bool:
    """A plan had begun by the last day, and had not ended before the first one."""
    if not _days(row, _BEGINS):
        return False
    adopted, ended = row.get("adoption_order_on"), row.get("plan_ended_on")
    if adopted is not None:
        return bool(adopted >= quarter.first_day)
    decided = row.get("should_be_placed_decision_on")
    is_new_plan = ended is not None and decided is not None and decided > ended
    return bool(ended is None or is_new_plan or ended >= quarter.first_day)
