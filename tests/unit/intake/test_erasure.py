"""Erasing a child, a household, a submission: gone from every room, and the rest conserved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.declarations import Declarations
from pipelines.intake import erasure
from pipelines.intake.conservation import refuse_unless_conserved
from pipelines.intake.erasure import Person, erase, finish_erasure, traces
from pipelines.intake.inbox import StillArriving
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.lifecycle.decisions import NotAllowed
from pipelines.lifecycle.free_text import NamesSomebody
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import SOURCES, Settings
from tests.unit.intake.test_take_in import IN_TIME, Collection, child, household

WHY = "Request for erasure that the authority confirmed"
LEAD = "national_data_lead"


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("to-erase")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    it = Collection(settings, Declarations(SOURCES))
    placed = {"adopter_agency_code": "NWAS", "adopter_household_reference": "hous-77"}
    it.send("W06000001", {"child": [child("ZQ-1001"), child("ZQ-1002", **placed)]})
    it.send("W06000001", {"child": [child("zq-1001 "), child("ZQ-1003", **placed)]}, version=2)
    it.send("W06000002", {"child": [child("ZQ-1001"), child("ZQ-2002")]})
    it.send("NWAS", {"adopter": [household("HOUS-77"), household("HOUS-78")]}, is_nil_support="yes")
    it.validate()
    return home


@pytest.fixture
def home(taken_in: Path, tmp_path: Path) -> Collection:
    shutil.copytree(taken_in, tmp_path / "home")
    place = tmp_path / "home"
    settings = Settings(data=place / "data", key_file=place / "keys" / "pseudonym.key")
    return Collection(settings, Declarations(SOURCES))


def a_child(home: Collection, reference: str = "zq-1001") -> Person:
    return Person.known_as(home.settings, "child", "W06000001", reference)


def do(home: Collection, what: Person | str, role: str = LEAD, reason: str = WHY) -> int:
    erased = erase(home.settings, home.declarations, what, role=role, reason=reason)
    return erased.row_count


def bytes_of(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.data).as_posix(): path.read_bytes()
        for path in settings.data.rglob("*")
        if path.is_file()
    }


def test_a_child_is_gone_from_every_room_and_the_others_are_not(home: Collection) -> None:
    person = a_child(home)
    assert sum(traces(home.settings, home.declarations, person).values()) > 3
    assert do(home, person) == 2
    assert not any(traces(home.settings, home.declarations, person).values())
    refuse_unless_conserved(home.settings)
    assert home.validated("child").height == 4
    namesake = Person.known_as(home.settings, "child", "W06000002", "ZQ-1001")
    assert any(traces(home.settings, home.declarations, namesake).values())
    assert not (home.settings.data / "erasing").exists()


def test_the_ledger_says_that_and_when_and_never_what(home: Collection) -> None:
    person = a_child(home)
    before = [dict(item.returns) for item in Ledger(home.settings.ledger).submissions()]
    do(home, person)
    text = home.settings.ledger.read_text(encoding="utf-8").upper()
    assert "ZQ-1001" not in text and person.pseudonym.upper() not in text
    (event,) = [e for e in Ledger(home.settings.ledger).events() if e["event"] == "erased"]
    assert event["role"] == LEAD and event["at"] and len(event["received"]) == 2
    submissions = Ledger(home.settings.ledger).submissions()
    assert [item.name for item in submissions if item.is_file_erased] == ["", ""]
    for item, returns in zip(submissions, before, strict=True):
        for name, counts in item.returns.items():
            gone = returns[name]["rows_read"] - counts["rows_read"]
            assert gone == (1 if item.is_file_erased else 0)
        assert stored_file(home.settings, item).exists() is not item.is_file_erased


def test_a_household_is_gone_and_children_lose_their_link_to_it(home: Collection) -> None:
    person = Person.known_as(home.settings, "household", "NWAS", "HOUS-77")
    assert do(home, person) == 1
    assert not any(traces(home.settings, home.declarations, person).values())
    assert home.validated("adopter").height == 1
    assert home.validated("child").height == 6
    assert home.validated("child")["adopter_household_pseudonym"].drop_nulls().is_empty()
    refuse_unless_conserved(home.settings)


def test_a_submission_that_is_superseded_can_be_erased_and_one_in_force_cannot(
    home: Collection,
) -> None:
    first, second, *_ = Ledger(home.settings.ledger).submissions()
    before = bytes_of(home.settings)
    with pytest.raises(NotAllowed, match="in force"):
        do(home, second.submission_id)
    assert bytes_of(home.settings) == before
    assert do(home, first.submission_id) == 2
    assert not any(traces(home.settings, home.declarations, first.submission_id).values())
    refuse_unless_conserved(home.settings)


@pytest.mark.parametrize(
    ("role", "reason", "error"),
    [
        ("data_officer", WHY, NotAllowed),
        ("nobody", WHY, NotAllowed),
        (LEAD, "short", NamesSomebody),
        (LEAD, "The child ZQ-1001 asked for it", NamesSomebody),
        (LEAD, "Asked for on 12 March 2024 by post", NamesSomebody),
    ],
)
def test_who_may_not_and_what_must_not_be_said(
    home: Collection, role: str, reason: str, error: type[Exception]
) -> None:
    before = bytes_of(home.settings)
    with pytest.raises(error) as caught:
        do(home, a_child(home), role, reason)
    assert "1001" not in str(caught.value)
    assert bytes_of(home.settings) == before


def test_a_reference_that_nobody_has_changes_nothing(home: Collection) -> None:
    before = bytes_of(home.settings)
    with pytest.raises(NotAllowed, match="Nothing of it is held"):
        do(home, a_child(home, "ZQ-9999"))
    assert bytes_of(home.settings) == before


def test_a_file_that_is_not_validated_yet_is_waited_for(home: Collection) -> None:
    home.send("W06000001", {"child": [child("ZQ-1001")]}, version=3)
    before = bytes_of(home.settings)
    with pytest.raises(NotAllowed, match="not validated yet"):
        do(home, a_child(home))
    assert bytes_of(home.settings) == before


def test_a_trial_counts_and_changes_nothing(home: Collection) -> None:
    before = bytes_of(home.settings)
    erased = erase(
        home.settings, home.declarations, a_child(home), role=LEAD, reason=WHY, is_trial=True
    )
    assert erased.row_count == 2 and bytes_of(home.settings) == before


@pytest.mark.parametrize("step", ["ledger", "replace", "names", "unlink"])
def test_an_erasure_killed_anywhere_is_finished_by_the_next(
    home: Collection, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    place, name = {
        "ledger": (Ledger, "append"),
        "replace": (erasure.os, "replace"),
        "names": (Ledger, "name_files"),
        "unlink": (erasure, "sync_folder"),
    }[step]
    real, calls = getattr(place, name), []

    def killed(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        is_into_place = "erasing/" in str(arguments[0]) and "erasing/" not in str(arguments[-1])
        if step != "replace" or is_into_place:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    person = a_child(home)
    with monkeypatch.context() as patched:
        patched.setattr(place, name, killed)
        with pytest.raises(KeyboardInterrupt):
            do(home, person)
    finish_erasure(home.settings)
    assert not any(traces(home.settings, home.declarations, person).values())
    refuse_unless_conserved(home.settings)
    events = [e for e in Ledger(home.settings.ledger).events() if e["event"] == "erased"]
    assert len(events) == 1


def test_the_erased_file_sent_again_is_not_taken_in(home: Collection, tmp_path: Path) -> None:
    first, *_ = Ledger(home.settings.ledger).submissions()
    again = shutil.copyfile(stored_file(home.settings, first), tmp_path / "again.xlsx")
    do(home, a_child(home))
    left: list[StillArriving] = []
    arrivals = [Arrival(again, IN_TIME)]
    assert receive(home.settings, home.declarations, arrivals, leave=left.append) == []
    assert again.exists() and "was erased" in left[0].reason
    assert not stored_file(home.settings, first).exists()
