"""What holds from one quarter to another: succession without gaps, and changes of one line.

An entry in force may carry ``overrides``: dated lines that change some of its values from a quarter
on. Each line is merged over what was in force before it and stays until the next one:

    rules:
    - id: nas-proposed
      smallest_shown: 5
      overrides:
      - {since: 2027-28-Q1, smallest_shown: 10}

is read as two entries, the first until 2026-27-Q4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from pydantic import AfterValidator

from pipelines.declarations.model import Declared, OptionalQuarter
from pipelines.quarters import Quarter

OVERRIDES = "overrides"
Location = tuple[int | str, ...]  # keys and positions from the top of a file down to a value
Refuse = Callable[[Location, str], Exception]


class Dated(Declared):
    """In force from ``since`` to ``until``, both included; blank where no limit is known."""

    since: OptionalQuarter = None
    until: OptionalQuarter = None

    def in_force(self, quarter: Quarter) -> bool:
        """Whether it holds for ``quarter``."""
        return (self.since is None or self.since <= quarter) and (
            self.until is None or quarter <= self.until
        )


Entries = TypeVar("Entries", bound=Sequence[Dated])


def _one_at_a_time(entries: Entries) -> Entries:
    for earlier, later in pairwise(sorted(entries, key=_start)):
        if earlier.until is None or (later.since is None or later.since <= earlier.until):
            quarter = later.since or earlier.until
            when = f"in {quarter}" if quarter else "in every quarter"
            raise ValueError(
                f"two entries are in force {when}; let one end before the other begins"
            )
    return entries


def _always_one(entries: Entries) -> Entries:
    _one_at_a_time(entries)
    if not entries:
        raise ValueError("has no entry; one must be in force in every quarter")
    ordered = sorted(entries, key=_start)
    if (first := ordered[0].since) is not None:
        raise ValueError(f"no entry is in force before {first}; leave out its since")
    for earlier, later in pairwise(ordered):
        if earlier.until is not None and earlier.until.plus(1) != later.since:
            raise ValueError(f"no entry is in force in {earlier.until.plus(1)}; close the gap")
    if (last := ordered[-1].until) is not None:
        raise ValueError(f"no entry is in force from {last.plus(1)} on; leave out its until")
    return entries


def _start(entry: Dated) -> int:
    return entry.since.index if entry.since else -1


ONE_AT_A_TIME = AfterValidator(_one_at_a_time)  # at most one entry in any quarter
ALWAYS_ONE = AfterValidator(_always_one)  # exactly one entry in every quarter


@dataclass(frozen=True)
class Expansion:
    """Where entries that were made of overrides stand in the file.

    By name of the list and position of the entry made: the position of the entry as written, and
    for each of its keys that a dated line changed, the position of that line.
    """

    entries: dict[tuple[str, int], tuple[int, dict[str, int]]] = field(default_factory=dict)

    def written_at(self, location: Location) -> Location:
        """Where in the file the value stands that was read as ``location``."""
        name, *rest = (*location, None, None)
        entry = self.entries.get((str(name), rest[0])) if isinstance(rest[0], int) else None
        if entry is None:
            return location
        written, changed = entry
        key = location[2] if len(location) > 2 else None
        if key in changed:
            return (location[0], written, OVERRIDES, changed[str(key)], *location[2:])
        return (location[0], written, *location[2:])


def expand_overrides(
    content: dict[str, Any], names: Sequence[str], refuse: Refuse
) -> tuple[dict[str, Any], Expansion]:
    """``content`` with the dated lines of the lists ``names`` turned into entries of their own.

    ``refuse`` makes the error of a line that cannot be read as one.
    """
    expansion = Expansion()
    for name in names:
        written = content.get(name)
        if not isinstance(written, list):
            continue
        made: list[Any] = []
        for position, entry in enumerate(written):
            for part, changed in _parts(entry, (name, position), refuse):
                expansion.entries[name, len(made)] = (position, changed)
                made.append(part)
        content = {**content, name: made}
    return content, expansion


def _parts(entry: Any, at: Location, refuse: Refuse) -> list[tuple[Any, dict[str, int]]]:
    if not isinstance(entry, dict) or OVERRIDES not in entry:
        return [(entry, {})]
    current = {key: value for key, value in entry.items() if key != OVERRIDES}
    changed: dict[str, int] = {}
    lines = entry[OVERRIDES] or []
    if not isinstance(lines, list):
        raise refuse((*at, OVERRIDES), "write a list of lines like - {since: 2027-28-Q1, …}")
    parts = []
    start, end = (_quarter(entry.get(key)) for key in ("since", "until"))
    for number, line in enumerate(lines):
        where = (*at, OVERRIDES, number)
        since = _line_since(line, where, refuse)
        if start is not None and since <= start:
            raise refuse((*where, "since"), f"must be later than {start}, which comes before it")
        if end is not None and since > end:
            raise refuse((*where, "since"), f"the entry ends with {end}, before this line begins")
        parts.append(({**current, "until": since.plus(-1).label}, changed))
        current = _merged(current, line)
        changed = changed | dict.fromkeys(line, number)
        if "id" in entry:
            current["id"] = f"{entry['id']}-from-{since.label.lower()}"
        start = since
    return [*parts, (current, changed)]


def _line_since(line: Any, where: Location, refuse: Refuse) -> Quarter:
    if not isinstance(line, dict) or "since" not in line:
        raise refuse(where, "says from when on it holds and what changes: {since: 2027-28-Q1, …}")
    for key in ("id", "until", OVERRIDES):
        if key in line:
            raise refuse((*where, key), "cannot stand here; a line holds until the next one")
    if len(line) == 1:
        raise refuse(where, "changes nothing; name a value of the entry and what it becomes")
    try:
        return Quarter.parse(str(line["since"]))
    except ValueError as error:
        raise refuse((*where, "since"), str(error)) from error


def _quarter(written: Any) -> Quarter | None:
    """None also for what is no quarter: the entry itself is refused for that."""
    try:
        return Quarter.parse(str(written)) if written is not None else None
    except ValueError:
        return None


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; lists and single values are replaced."""
    merged = dict(base)
    for key, value in changes.items():
        before = merged.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = _merged(before, value) if both else value
    return merged
