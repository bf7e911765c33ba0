"""Files that come twice, changed, slowly, in another order, at an odd hour."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake import inbox as looking
from pipelines.intake.inbox import settled, waiting_files
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import to_validated
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.states import submissions_with_states
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import CHECKOUT, SOURCES, Settings
from pipelines.templates.csv_files import write_csv_return
from tests.faults.table import Trial, fault
from tests.unit.returns_made import child

DECLARATIONS = Declarations(SOURCES)
QUARTERS = list(quarters_between(Quarter(2019, 1), Quarter(2020, 4)))
IN_TIME = datetime(2021, 4, 20, 9, 0, tzinfo=UTC)


def places(count: int) -> list[tuple[str, Quarter]]:
    """So many senders and quarters for which the sender owes children alone."""
    every = [
        (sender, quarter)
        for quarter in QUARTERS
        for sender in DECLARATIONS.senders
        if DECLARATIONS.due_from(sender, quarter) == ("child",)
    ]
    assert len(every) >= count
    return every[:count]


def write(path: Path, place: tuple[str, Quarter], children: int = 2, version: int = 1) -> Path:
    """A return as a zip of CSV files."""
    sender, quarter = place
    cover = {
        "sender_code": sender,
        "quarter": quarter.label,
        "version": version,
        "signed_off_by_role": "Head of service",
        "signed_off_on": quarter.last_day + timedelta(days=9),
        "is_synthetic": "yes",
    }
    dates = {
        "date_of_birth": date(quarter.starting_year - 3, 3, 17),
        "entered_care_on": date(quarter.starting_year - 1, 1, 6),
        "referred_on": quarter.first_day,
    }
    rows = [child(f"{sender}-{quarter}-{number}", **dates) for number in range(children)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv_return(path, DECLARATIONS, quarter, cover, {"child": rows})
    return path


def take_in(
    settings: Settings, paths: Sequence[Path], when: datetime = IN_TIME
) -> list[Submission]:
    """Receive files in this order, and validate what waits."""
    with Ledger(settings.ledger).held():
        received = receive(
            settings, DECLARATIONS, [Arrival(path, IN_TIME) for path in paths], keep=True
        )
        for quarter in QUARTERS:
            to_raw(settings, DECLARATIONS, quarter)
        to_validated(settings, DECLARATIONS, QUARTERS)
    return received


def digest(settings: Settings) -> str:
    """Of every byte of raw and validated."""
    total = hashlib.sha256()
    for room in (settings.raw, settings.validated):
        for path in sorted(path for path in room.rglob("*") if path.is_file()):
            total.update(path.relative_to(settings.data).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def verdicts(settings: Settings) -> dict[str, str]:
    return {item.submission_id: item.status for item in Ledger(settings.ledger).submissions()}


@fault(
    "F7",
    what="Each return is delivered three times, the second and third time under other names and in "
    "another order",
    bar="Validated once, with two duplicates that name the first; no byte of raw and validated "
    "changes",
    control="The same returns saved anew, so that their bytes differ",
    unit="returns",
    full=300,
    few=6,
)
def test_the_same_file_three_times(trial: Trial, settings: Settings, tmp_path: Path) -> None:
    sent = [
        write(tmp_path / "sent" / f"{number}.zip", place)
        for number, place in enumerate(places(trial.count))
    ]
    first = {item.sha256: item.submission_id for item in take_in(settings, sent)}
    before, judged = digest(settings), verdicts(settings)
    assert set(judged.values()) == {"accepted"}
    again = [path for path in sent for _ in range(2)]
    Random(trial.fault.seed).shuffle(again)
    renamed = [
        Path(shutil.copyfile(path, path.with_name(f"again {number}.zip")))
        for number, path in enumerate(again)
    ]
    copies = take_in(settings, renamed)
    for item in copies:
        assert (item.status, item.duplicate_of) == ("duplicate", first[item.sha256])
    assert digest(settings) == before
    assert {name: verdicts(settings)[name] for name in judged} == judged
    trial.done = trial.count

    anew = write(tmp_path / "anew.zip", places(1)[0], version=2)
    (saved,) = take_in(settings, [anew])
    trial.control_failed(int(saved.duplicate_of is None), 1)


@fault(
    "F8",
    what="A return comes again under another name, then another one under the name of the first",
    bar="The first is a duplicate; the second replaces the return, whose bytes are still there",
    control="A folder in which files keep the names they came with",
    unit="returns",
    full=100,
    few=5,
)
def test_names_say_nothing(trial: Trial, settings: Settings, tmp_path: Path) -> None:
    files: list[Path] = []
    by_name, lost = tmp_path / "by name", 0
    by_name.mkdir()
    for number, place in enumerate(places(trial.count)):
        first = write(tmp_path / f"{number}" / "return.zip", place)
        renamed = Path(shutil.copyfile(first, tmp_path / f"{number}" / "copy.zip"))
        other = write(tmp_path / f"{number}" / "new" / "return.zip", place, 3, version=2)
        files += [first, renamed, other]
        for path in (first, other):
            shutil.copyfile(path, by_name / f"{number}-{path.name}")
        lost += not any(path.read_bytes() == first.read_bytes() for path in by_name.iterdir())
    take_in(settings, files)
    now = submissions_with_states(Ledger(settings.ledger).events(), DECLARATIONS)
    for first, copy, other in zip(now[::3], now[1::3], now[2::3], strict=True):
        assert (copy.status, copy.duplicate_of) == ("duplicate", first.submission_id)
        assert first.is_accepted and other.is_accepted
        assert first.version and other.version == first.version + 1
        assert first.state == "superseded"
        kept = stored_file(settings, first)
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == first.sha256 != other.sha256
    trial.done = trial.count
    trial.control_failed(lost, trial.count)


@fault(
    "F23",
    what="A program writes a return into the inbox piece by piece, with pauses, while the inbox is "
    "looked at all the time",
    bar="Nothing is taken before it is whole; then it is taken once, with the bytes that were sent",
    control="Taken as soon as it is seen",
    unit="files",
    full=100,
    few=4,
)
def test_a_file_that_is_still_being_copied(
    trial: Trial, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SECONDS_BETWEEN_LOOKS", 0.02)
    settings.inbox.mkdir(parents=True)
    too_early = 0
    for chance, place in zip(trial.each(), places(trial.count), strict=True):
        content = write(tmp_path / "whole.zip", place).read_bytes()
        target = settings.inbox / "return.zip"
        writer = threading.Thread(target=_write_slowly, args=(target, content, chance))
        writer.start()
        while not target.exists():
            time.sleep(0.001)
        too_early += target.read_bytes() != content
        received: list[Submission] = []
        while not received:
            ready, _ = settled(waiting_files(settings))
            with Ledger(settings.ledger).held():
                received = receive(settings, DECLARATIONS, [Arrival(p, IN_TIME) for p in ready])
            assert writer.is_alive() or received or target.exists()
        writer.join()
        assert [item.sha256 for item in received] == [hashlib.sha256(content).hexdigest()]
        assert received[0].is_waiting and not target.exists()
    assert len(Ledger(settings.ledger).submissions()) == trial.count
    trial.control_failed(too_early, trial.count)


def _write_slowly(path: Path, content: bytes, chance: Random) -> None:
    """Some programs keep the file open, some open it anew for each piece."""
    cuts = sorted(chance.sample(range(1, len(content)), 4))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    if chance.random() < 0.5:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(chance.uniform(0, 0.1))
        return
    path.touch()
    for piece in pieces:
        with path.open("ab") as file:
            file.write(piece)
        time.sleep(chance.uniform(0, 0.1))


@fault(
    "F24",
    what="Returns of a quarter or more, some with a correction, are delivered together in another "
    "order each time; only a correction stays behind what it corrects",
    bar="The same rows, statuses and versions in force",
    control="A correction that comes before what it corrects",
    unit="orders",
    full=50,
    few=2,
)
def test_another_order_of_arrival(trial: Trial, tmp_path: Path) -> None:
    chosen = places(24 if trial.count < trial.fault.full else 150)
    firsts = [write(tmp_path / f"{n}.zip", place) for n, place in enumerate(chosen)]
    seconds = {
        n: write(tmp_path / f"{n}-2.zip", place, 3, version=2)
        for n, place in enumerate(chosen)
        if n % 3 == 0
    }

    def outcome(order: Sequence[Path], number: int) -> Any:
        settings = Settings(tmp_path / f"data{number}", tmp_path / "keys" / "pseudonym.key")
        take_in(settings, order)
        found = in_force(settings)
        shutil.rmtree(settings.data)
        return found

    expected = outcome([*firsts, *seconds.values()], 0)
    for number, chance in enumerate(trial.each(), start=1):
        order: list[Path] = []
        for n in chance.sample(range(len(firsts)), len(firsts)):
            order.insert(chance.randint(0, len(order)), firsts[n])
        for n, path in seconds.items():
            order.insert(chance.randint(order.index(firsts[n]) + 1, len(order)), path)
        assert outcome(order, number) == expected
    wrong = outcome([*seconds.values(), *firsts], -1)
    trial.control_failed(int(wrong != expected), 1)


def in_force(settings: Settings) -> Any:
    """Rows in force by sender and quarter, with version on the cover and status: without the ids,
    which hold the number of the delivery."""
    states = submissions_with_states(Ledger(settings.ledger).events(), DECLARATIONS)
    counted = {
        item.submission_id: (item.sender_code, item.quarter, item.declared_version, item.status)
        for item in states
        if item.is_accepted and item.state != "superseded"
    }
    rows = pl.read_parquet(settings.validated / "child" / "*" / "*.parquet")
    rows = rows.filter(pl.col("submission_id").is_in(list(counted)))
    kept = rows.drop("submission_id", "batch", strict=False)
    lines = sorted(map(repr, kept.sort(kept.columns).iter_rows()))
    return sorted(map(repr, counted.values())), lines


# --- clocks ------------------------------------------------------------------------------------

LONDON = ZoneInfo("Europe/London")
ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/London")
FAKETIME = shutil.which("faketime")

# Sets its own clock, as faketime allows, and takes in one file at each moment.
_CLOCK = """
import json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.validation import is_late
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from tests.faults.test_arrivals import DECLARATIONS
home = Path(sys.argv[1])
settings = Settings(home / "data", home / "keys" / "pseudonym.key")
for number, moment in enumerate(json.load(sys.stdin)):
    os.environ["FAKETIME"] = str(moment)
    now = datetime.now(UTC)
    with Ledger(settings.ledger).held():
        (item,) = receive(settings, DECLARATIONS, [Arrival(home / f"{number}.zip", now)])
    late = item.is_waiting and is_late(item, DECLARATIONS)
    at = int(item.received_at.timestamp())
    print(json.dumps([at, local_day(now).isoformat(), item.refusal_code, late]))
"""


def _moments(count: int) -> Iterator[tuple[datetime, Quarter]]:
    """Odd moments in Wales and England, with a quarter that begins then, or is due: the turn of
    quarters, both nights of the clock change, 29 February, 31 December; minutes around each."""
    chance = Random(6)
    around = [
        (datetime(2020, 7, 1, 0, 30), Quarter(2020, 2)),
        (datetime(2020, 7, 31, 0, 30), Quarter(2020, 1)),
        (datetime(2020, 3, 29, 1, 30), Quarter(2019, 4)),
        (datetime(2020, 10, 25, 1, 30), Quarter(2020, 2)),
        (datetime(2020, 2, 29), Quarter(2019, 4)),
        (datetime(2021, 1, 1), Quarter(2020, 4)),
        (datetime(2020, 7, 31), Quarter(2020, 1)),
        (datetime(2020, 4, 30), Quarter(2019, 4)),
        (datetime(2020, 10, 31), Quarter(2020, 2)),
        (datetime(2020, 1, 1), Quarter(2019, 4)),
    ]
    for number in range(count):
        moment, quarter = around[number % len(around)]
        local = moment.replace(tzinfo=LONDON, fold=number % 2).astimezone(UTC)
        shift = timedelta(seconds=chance.randrange(-7200, 7200)) if number >= len(around) else None
        yield local + (shift or timedelta()), quarter


@pytest.mark.skipif(FAKETIME is None, reason="needs the program faketime")
@fault(
    "F6",
    what="A return is received at odd moments by a faked clock, in one of four time zones: 00:30 "
    "on 1 July, both nights of the clock change, 29 February, 31 December, deadlines; between them "
    "the clock is set back",
    bar="Day, deadline and the quarter that has begun are those of Wales and England; order of "
    "arrival is that of the ledger",
    control="The day in UTC",
    unit="moments",
    full=400,
    few=10,
)
def test_clocks_and_time_zones(trial: Trial, tmp_path: Path) -> None:
    moments = list(_moments(trial.count))
    wrong_in_utc = 0
    for zone, start in zip(ZONES, range(len(ZONES)), strict=True):
        mine = moments[start :: len(ZONES)]
        home = tmp_path / str(start)
        for number, (_, quarter) in enumerate(mine):
            sender, _ = places(number + 1)[number % 20]
            write(home / f"{number}.zip", (sender, quarter), version=number + 1)
        for (moment, quarter), said in zip(mine, _received_at(home, zone, mine), strict=True):
            at, day, code, late = said
            local = moment.astimezone(LONDON).date()
            assert at == int(moment.timestamp())
            assert day == local.isoformat()
            has_begun = local >= quarter.first_day
            assert (code is None) == has_begun, (zone, moment, code)
            deadline = DECLARATIONS.policy_for("W06000001").deadline(quarter)
            assert late == (has_begun and local > deadline), (zone, moment)
            wrong_in_utc += moment.date() != local
            trial.done += 1
        ledger = Ledger(Settings(home / "data", home / "key").ledger)
        order = [item.received_at for item in ledger.submissions()]
        assert [int(each.timestamp()) for each in order] == [int(m.timestamp()) for m, _ in mine]
    trial.control_failed(wrong_in_utc, trial.count)


def _received_at(home: Path, zone: str, moments: Sequence[tuple[datetime, Quarter]]) -> list[Any]:
    assert FAKETIME is not None
    environment = os.environ | {"TZ": zone, "FAKETIME_FMT": "%s", "FAKETIME_NO_CACHE": "1"}
    run = subprocess.run(
        [FAKETIME, "-f", "1577880000", sys.executable, "-c", _CLOCK, str(home)],
        cwd=CHECKOUT,
        env=environment,
        input=json.dumps([int(moment.timestamp()) for moment, _ in moments]),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(line) for line in run.stdout.splitlines()]
