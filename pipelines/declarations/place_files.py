"""``sources/places``: one file for each nation, one entry for each place.

The entry of an agency holds everything that is known of it: names, members, returns due. From the
entries come the places, memberships, returns due and open-data codes that the rest works with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from pipelines.declarations.loading import Location, YamlFile, no_duplicates, no_overlaps
from pipelines.declarations.model import (
    DeclarationError,
    Declared,
    OptionalDate,
    OptionalQuarter,
    OptionalText,
    Text,
    Words,
)
from pipelines.declarations.places import (
    Membership,
    MembershipRole,
    OpenDataCode,
    Place,
    PlaceKind,
    PlaceStatus,
    ReturnDue,
    ReturnName,
)
from pipelines.text.fuzzy_match import place_key

NATIONS = "nations.yaml"
WITH_GSS_CODE = ("nation", "authority")  # their place code is their GSS code
WITH_MEMBERS = ("region", "regional_agency", "partnership")  # figures roll up by these


class MemberEntry(Declared):
    """Who belongs to the place, or has another part in it; both days are included.

    Status and source are those of the place unless said otherwise.
    """

    place_code: str
    role: MembershipRole = "member"
    since: OptionalDate = None
    until: OptionalDate = None
    status: PlaceStatus | None = None
    source: OptionalText = None
    note: OptionalText = None


class ReturnDueEntry(Declared):
    """A return the place owes; status and source are the file's unless said otherwise."""

    return_name: ReturnName
    since: OptionalQuarter = None
    until: OptionalQuarter = None
    status: PlaceStatus | None = None
    source: OptionalText = None


class OpenDataEntry(Declared):
    """How the open-data format of England knows an authority; its name is that of the place
    unless said otherwise, status and source are the file's."""

    old_la_code: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    region_code: Words
    region_name: Words
    la_name: OptionalText = None
    status: PlaceStatus | None = None
    source: OptionalText = None


class PlaceEntry(Declared):
    """One place with everything that is known of it."""

    place_code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    name: Text
    also_called: tuple[Words, ...] = ()
    kind: PlaceKind
    since: OptionalDate = None
    until: OptionalDate = None
    status: PlaceStatus
    source: Words
    note: OptionalText = None
    open_data: OpenDataEntry | None = None
    members: tuple[MemberEntry, ...] = ()
    returns_due: tuple[ReturnDueEntry, ...] = ()


class Evidence(Declared):
    """How far something is known, and from where."""

    status: PlaceStatus
    source: Words


class FileEvidence(Declared):
    """What holds for every entry of the file that does not say otherwise."""

    returns_due: Evidence | None = None
    open_data: Evidence | None = None


class PlaceFile(Declared):
    """All places of a nation, or the nations themselves."""

    nation_code: str | None = None
    unless_said_otherwise: FileEvidence = FileEvidence()
    places: tuple[PlaceEntry, ...]

    @model_validator(mode="after")
    def _nothing_without_evidence(self) -> PlaceFile:
        general = self.unless_said_otherwise
        for place in self.places:
            for due in place.returns_due:
                if general.returns_due is None and not (due.status and due.source):
                    raise ValueError(
                        f"returns due of {place.place_code}: state status and source, there or "
                        "for the file under unless_said_otherwise"
                    )
            codes = place.open_data
            if codes and general.open_data is None and not (codes.status and codes.source):
                raise ValueError(
                    f"open_data of {place.place_code}: state status and source, there or for the "
                    "file under unless_said_otherwise"
                )
        return self


@dataclass(frozen=True)
class PlaceDeclarations:
    """All of ``sources/places``: nation by nation, in the order of the files."""

    places: dict[str, Place] = field(default_factory=dict)
    memberships: tuple[Membership, ...] = ()
    returns_due: tuple[ReturnDue, ...] = ()
    open_data_codes: dict[str, OpenDataCode] = field(default_factory=dict)
    also_called: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Read:
    """A file of one nation as read, with the code of the nation."""

    file: YamlFile
    content: PlaceFile
    nation_code: str


def read_places(folder: Path) -> PlaceDeclarations:
    """Everything in ``folder``. Raises DeclarationError with file and line of a mistake."""
    nations, *others = _read_files(folder)
    read = [nations, *others]
    _check_codes(read)
    places = {place.place_code: place for each in read for place in _places(each)}
    _check_members(read, places)
    _check_names(read)
    for each in read:
        for position, entry in enumerate(each.content.places):
            at = _below("places", position, "returns_due")
            no_overlaps(each.file, entry.returns_due, lambda due: due.return_name, at)
    return PlaceDeclarations(
        places,
        tuple(member for each in read for member in _memberships(each)),
        _returns_due(read),
        {codes.place_code: codes for each in read for codes in _open_data_codes(each)},
        {entry.place_code: entry.also_called for each in read for entry in each.content.places},
    )


def _read_files(folder: Path) -> list[_Read]:
    file = YamlFile(folder / NATIONS)
    content = file.read(PlaceFile)
    read = [_Read(file, content, "")]
    stems = set()
    for position, entry in enumerate(content.places):
        if entry.kind != "nation":
            raise file.mistake(("places", position, "kind"), f"must be nation in {NATIONS}")
        stems.add(stem := file_stem(entry.name.en))
        of_nation = YamlFile(folder / f"{stem}.yaml")
        if not of_nation.path.exists():
            continue  # a nation none of whose places is known yet
        places = of_nation.read(PlaceFile)
        if places.nation_code != entry.place_code:
            raise of_nation.mistake(
                ("nation_code",),
                f"must be {entry.place_code}: {stem} is {entry.name.en} in {NATIONS}",
            )
        for inside, place in enumerate(places.places):
            if place.kind == "nation":
                raise of_nation.mistake(("places", inside, "kind"), f"a nation stands in {NATIONS}")
        read.append(_Read(of_nation, places, entry.place_code))
    for path in sorted(folder.glob("*.yaml")):
        if path.name != NATIONS and path.stem not in stems:
            raise DeclarationError(
                f"{path}, line 1: no nation is called {path.stem}; add it to {NATIONS}, or name "
                "the file after one that is there"
            )
    return read


def file_stem(name: str) -> str:
    """How a file is named after a nation: Northern Ireland is northern-ireland."""
    return name.casefold().replace(" ", "-")


def _below(*path: int | str) -> Callable[[int], Location]:
    return lambda position: (*path, position)


def _check_codes(read: list[_Read]) -> None:
    seen: dict[str, str] = {}
    for each in read:
        no_duplicates(
            each.file,
            [entry.place_code for entry in each.content.places],
            lambda position: ("places", position, "place_code"),
        )
        for position, entry in enumerate(each.content.places):
            at: Location = ("places", position, "place_code")
            if entry.place_code in seen:
                raise each.file.mistake(
                    at, f"{entry.place_code} is also in {seen[entry.place_code]}"
                )
            seen[entry.place_code] = each.file.path.name


def _check_members(read: list[_Read], places: dict[str, Place]) -> None:
    groups: dict[str, list[tuple[MemberEntry, str]]] = {}
    for each in read:
        for position, entry in enumerate(each.content.places):
            at = _below("places", position, "members")
            for number, member in enumerate(entry.members):
                place = places.get(member.place_code)
                if place is None:
                    raise each.file.mistake(
                        (*at(number), "place_code"),
                        f"no place has the code {member.place_code}; add it, or correct the code",
                    )
                if place.nation_code != each.nation_code:
                    raise each.file.mistake(
                        (*at(number), "place_code"),
                        f"{member.place_code} lies in another nation than {entry.place_code}",
                    )
                if member.role != "member" or entry.kind not in WITH_MEMBERS:
                    continue
                for other, parent in groups.get(member.place_code, ()):
                    if parent != entry.place_code and member.overlaps(other):
                        raise each.file.mistake(
                            at(number),
                            f"{member.place_code} is a member of {parent} at the same time; let "
                            "one membership end before the other begins",
                        )
                groups.setdefault(member.place_code, []).append((member, entry.place_code))
            no_overlaps(each.file, entry.members, lambda m: f"{m.place_code} as {m.role}", at)


def _check_names(read: list[_Read]) -> None:
    """Whoever writes an abbreviation means one place."""
    entries = [(each, n, entry) for each in read for n, entry in enumerate(each.content.places)]
    codes: dict[str, set[str]] = {}
    for _, _, entry in entries:
        for name in (entry.place_code, entry.name.en, entry.name.cy, *entry.also_called):
            codes.setdefault(place_key(name), set()).add(entry.place_code)
    for each, position, entry in entries:
        for number, name in enumerate(entry.also_called):
            if others := sorted(codes[place_key(name)] - {entry.place_code}):
                raise each.file.mistake(
                    ("places", position, "also_called", number),
                    f"{', '.join(others)} is called {name}, too; leave it out of both",
                )


def _places(each: _Read) -> Iterator[Place]:
    for entry in each.content.places:
        yield Place(
            place_code=entry.place_code,
            name_en=entry.name.en,
            name_cy=entry.name.cy,
            kind=entry.kind,
            nation_code=each.nation_code or entry.place_code,
            gss_code=entry.place_code if entry.kind in WITH_GSS_CODE else None,
            since=entry.since,
            until=entry.until,
            status=entry.status,
            source=entry.source,
            note=entry.note,
        )


def _memberships(each: _Read) -> Iterator[Membership]:
    for entry in each.content.places:
        for member in entry.members:
            yield Membership(
                member_code=member.place_code,
                parent_code=entry.place_code,
                role=member.role,
                since=member.since,
                until=member.until,
                status=member.status or entry.status,
                source=member.source or entry.source,
                note=member.note,
            )


def _returns_due(read: list[_Read]) -> tuple[ReturnDue, ...]:
    """Nation by nation, those of children first: in this order senders are listed everywhere."""
    due = []
    for each in read:
        rows = list(_returns_due_in(each))
        due += [row for row in rows if row.return_name == "child"]
        due += [row for row in rows if row.return_name != "child"]
    return tuple(due)


def _returns_due_in(each: _Read) -> Iterator[ReturnDue]:
    general = each.content.unless_said_otherwise.returns_due
    for entry in each.content.places:
        for due in entry.returns_due:
            status, source = _evidence(due, general)
            yield ReturnDue(
                sender_code=entry.place_code,
                return_name=due.return_name,
                since=due.since,
                until=due.until,
                status=status,
                source=source,
            )


def _open_data_codes(each: _Read) -> Iterator[OpenDataCode]:
    general = each.content.unless_said_otherwise.open_data
    for entry in each.content.places:
        if (codes := entry.open_data) is None:
            continue
        status, source = _evidence(codes, general)
        yield OpenDataCode(
            place_code=entry.place_code,
            old_la_code=codes.old_la_code,
            region_code=codes.region_code,
            region_name=codes.region_name,
            la_name=codes.la_name or entry.name.en,
            status=status,
            source=source,
        )


def _evidence(
    entry: ReturnDueEntry | OpenDataEntry, general: Evidence | None
) -> tuple[PlaceStatus, str]:
    if general is not None:
        return entry.status or general.status, entry.source or general.source
    assert entry.status and entry.source  # _nothing_without_evidence has seen to it
    return entry.status, entry.source
