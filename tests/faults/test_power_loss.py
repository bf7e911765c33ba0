"""The power fails: what was acknowledged is there, and everything opens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.files import changed_files, sha256_of
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.lifecycle.ledger import Ledger, LedgerError
from pipelines.publishing import releases
from pipelines.quarters import Quarter
from pipelines.release.versions import faults, home_of, versions
from pipelines.settings import Settings
from pipelines.warehouse.published import is_of_another_build, publish
from tests.faults.made_builds import make_build
from tests.faults.power_loss import ACKNOWLEDGED, Step, crash, logged
from tests.faults.table import Trial, fault

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

CONTROLS = 30  # states for each control
FILES = ["first.xlsx", "second.xlsx", "third.xlsx"]  # each holds its name
UNFLUSHED = "import os; os.fsync = lambda descriptor: None\n"

# Builds and publishes as often as it is told to; the figure is the number of the build.
PUBLISHER = f"""
import sys
from pathlib import Path
from pipelines.settings import Settings
from tests.faults.made_builds import make_build
from pipelines.warehouse.published import publish

settings = Settings(Path(sys.argv[1]), Path("key"))
for figure in range(int(sys.argv[2]), int(sys.argv[3])):
    make_build(settings, figure)
    publish(settings)
    with open(settings.data / "{ACKNOWLEDGED}", "a") as acknowledged:
        acknowledged.write(f"{{figure}}\\n")
"""


def figures(settings: Settings) -> dict[str, int | None]:
    """What each of the published forms says; fails where one does not open or is not of a piece."""
    found: dict[str, int | None] = dict.fromkeys(("warehouse", "restricted", "parquet"))
    for name in ("warehouse", "restricted"):
        path = settings.marts / f"{name}.duckdb"
        if path.exists():
            with duckdb.connect(str(path), read_only=True) as connection:
                said = connection.execute("select distinct figure from marts.fct").fetchall()
            assert len(said) == 1, f"{name} is of several builds"
            found[name] = said[0][0]
    table = settings.marts / "parquet" / "fct.parquet"
    if table.parent.exists():
        said = pl.read_parquet(table)["figure"].unique().to_list()
        assert len(said) == 1
        found["parquet"] = said[0]
    return found


def whole_and_not_older(settings: Settings, acknowledged: list[str]) -> None:
    """Each form is that of the last acknowledged build or of the one under way; where they are of
    different builds, or one is missing, the checksums tell."""
    last = int(acknowledged[-1]) if acknowledged else 0
    found = figures(settings)
    expected = {last, last + 1}
    assert {found["warehouse"], found["restricted"]} <= expected
    # The folder of Parquet files cannot be replaced in one step.
    assert found["parquet"] in expected | {None}
    if len(set(found.values())) > 1:
        assert changed_files(settings.marts, is_of_another_build)


@pytest.fixture(scope="module")
def published_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with build 0 published."""
    settings = Settings(tmp_path_factory.mktemp("before") / "data", Path("key"))
    make_build(settings, 0)
    publish(settings)
    return settings.data


def _log_of(program: str, before: Path, home: Path, *arguments: str) -> list[Step]:
    home.mkdir()
    folder = home / "data"
    shutil.copytree(before, folder)
    return logged(program, folder, home, *arguments)


@fault(
    "F12",
    what="A warehouse is built and published twice over another; the power fails anywhere",
    bar="Everything opens and is the old or the new one, never older than what was acknowledged; "
    "where databases and Parquet differ the checksums tell; the next build leaves no trace of it",
    control="The same without flushing to disk",
    unit="states of the disk",
    full=500,
    few=25,
)
def test_power_fails_while_a_warehouse_is_published(
    trial: Trial, published_before: Path, tmp_path: Path
) -> None:
    steps = _log_of(PUBLISHER, published_before, tmp_path / "run", "1", "3")
    place = tmp_path / "found"
    settings = Settings(place, Path("key"))
    for chance in trial.each():
        acknowledged = crash(published_before, steps, chance, place)
        whole_and_not_older(settings, acknowledged)
        shutil.rmtree(settings.build, ignore_errors=True)  # as a build begins
        make_build(settings, 9)
        publish(settings)
        assert set(figures(settings).values()) == {9}
        assert not changed_files(settings.marts, is_of_another_build)
        assert not list(settings.marts.glob(".*"))

    steps = _log_of(UNFLUSHED + PUBLISHER, published_before, tmp_path / "control", "1", "3")
    trial.control_failed(*_failures(published_before, steps, place, whole_and_not_older))


def _failures(
    before: Path, steps: list[Step], place: Path, check: Callable[[Settings, list[str]], None]
) -> tuple[int, int]:
    failed = 0
    for number in range(CONTROLS):
        acknowledged = crash(before, steps, Random(number), place)
        try:
            check(Settings(place, Path("key")), acknowledged)
        except (AssertionError, LedgerError, duckdb.Error, OSError, pl.exceptions.PolarsError):
            failed += 1
    return failed, CONTROLS


# --- received files and the ledger ---------------------------------------------------------------

# Takes in the files of a folder, one at a time, as the first that this installation receives.
RECEIVER = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.declarations import Declarations
from pipelines.intake.landing import Arrival, receive
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import SOURCES, Settings

settings = Settings(Path(sys.argv[1]), Path("key"))
declarations = Declarations(SOURCES)
for path in sorted(settings.inbox.iterdir()):
    with Ledger(settings.ledger).held():
        receive(settings, declarations, [Arrival(path, datetime.now(UTC))])
    with open(settings.data / "{ACKNOWLEDGED}", "a") as acknowledged:
        acknowledged.write(path.name + "\\n")
"""


def every_file_is_somewhere(settings: Settings, acknowledged: list[str]) -> None:
    """Each file is in the inbox, or the ledger and the stored bytes have it; an acknowledged one is
    in the ledger. Files are called by their content."""
    known = {item.sha256: item for item in Ledger(settings.ledger).submissions()}
    waiting = {path.name for path in settings.inbox.iterdir()}
    for item in known.values():
        assert sha256_of(stored_file(settings, item)) == item.sha256
    for name in FILES:
        assert name in waiting or sha256(name.encode()).hexdigest() in known
    for name in acknowledged:
        assert sha256(name.encode()).hexdigest() in known


@fault(
    "F12",
    what="Three files are taken in one after the other, the first of all; the power fails anywhere",
    bar="Every file is in the inbox, or stored whole and in the ledger; an acknowledged one always "
    "in the ledger, whose chain holds; the rest is taken in afterwards",
    control="The same without flushing to disk",
    unit="states of the disk",
    full=500,
    few=20,
)
def test_power_fails_while_files_are_taken_in(
    trial: Trial, declarations: Declarations, tmp_path: Path
) -> None:
    before, place = tmp_path / "before", tmp_path / "found"
    inbox = Settings(before, Path("key")).inbox
    inbox.mkdir(parents=True)
    for name in FILES:
        (inbox / name).write_text(name)
    steps = _log_of(RECEIVER, before, tmp_path / "run")
    settings = Settings(place, Path("key"))
    for chance in trial.each():
        acknowledged = crash(before, steps, chance, place)
        every_file_is_somewhere(settings, acknowledged)
        waiting = [Arrival(path, datetime.now(UTC)) for path in sorted(settings.inbox.iterdir())]
        with Ledger(settings.ledger).held():
            receive(settings, declarations, waiting)
        every_file_is_somewhere(settings, FILES)
        assert not list(settings.inbox.iterdir())

    steps = _log_of(UNFLUSHED + RECEIVER, before, tmp_path / "control")
    trial.control_failed(*_failures(before, steps, place, every_file_is_somewhere))


# --- numbered versions ---------------------------------------------------------------------------

# Puts versions into place as exports and releases do, in folders of quarters that are new.
EXPORTER = f"""
import sys
from pathlib import Path
from pipelines.files import make_folder, put_folder_into_place, write_checksums
from pipelines.settings import Settings

settings = Settings(Path(sys.argv[1]), Path("key"))
for name in ("2020-21-Q3/1", "2020-21-Q3/2", "2020-21-Q4/1"):
    target = settings.exports / name
    staging = target.parent / ".part"
    make_folder(staging)
    for file in ("indicators.csv", "manifest.json"):
        (staging / file).write_text(name * 2000)
    write_checksums(staging)
    put_folder_into_place(staging, target)
    with open(settings.data / "{ACKNOWLEDGED}", "a") as acknowledged:
        acknowledged.write(name + "\\n")
"""


def versions_are_whole(settings: Settings, acknowledged: list[str]) -> None:
    """Versions that are there are whole, and those that were acknowledged are there."""
    for folder in settings.exports.glob("*/[0-9]*"):
        assert not changed_files(folder)
    for name in acknowledged:
        assert (settings.exports / name / "manifest.json").is_file()


@fault(
    "F12",
    what="Three versions of files are put into place, two of them in a new folder; "
    "the power fails anywhere",
    bar="A version is there whole or not at all; an acknowledged one is there",
    control="The same without flushing to disk",
    unit="states of the disk",
    full=500,
    few=100,
)
def test_power_fails_while_versions_are_put_into_place(trial: Trial, tmp_path: Path) -> None:
    before, place = tmp_path / "before", tmp_path / "found"
    before.mkdir()
    steps = _log_of(EXPORTER, before, tmp_path / "run")
    for chance in trial.each():
        acknowledged = crash(before, steps, chance, place)
        versions_are_whole(Settings(place, Path("key")), acknowledged)

    steps = _log_of(UNFLUSHED + EXPORTER, before, tmp_path / "control")
    trial.control_failed(*_failures(before, steps, place, versions_are_whole))


# --- releases ------------------------------------------------------------------------------------

# Enters two versions in the ledger and puts them into place, as a release does once its files are
# written.
RELEASER = f"""
import sys
from pathlib import Path
import polars as pl
from pipelines.files import make_folder, write_checksums
from pipelines.lifecycle.ledger import Ledger
from pipelines.publishing import releases
from pipelines.publishing.release_files import FilesWritten
from pipelines.quarters import Quarter
from pipelines.release.versions import home_of
from pipelines.settings import Settings

settings = Settings(Path(sys.argv[1]), Path("key"))
for version in (1, 2):
    staging = home_of(settings, "NAS", Quarter.parse("2020-21-Q4")) / ".part"
    make_folder(staging, mode=0o700)
    for file in ("figures.csv", "provenance.json"):
        (staging / file).write_text(f"version {{version}}" * 1000)
    write_checksums(staging)
    event = dict(event="released", body="NAS", nation_code="W92000004", quarter="2020-21-Q4",
                 version=version, revision=0, as_of="2021-06-01T00:00:00+00:00", reason=None,
                 role="national_director")
    events = Ledger(settings.ledger).events()
    values = pl.DataFrame({{"value": [version] * 100}})
    releases._enter(settings, staging, event, events, FilesWritten(2, 0, values, values))
    with open(settings.data / "{ACKNOWLEDGED}", "a") as acknowledged:
        acknowledged.write(f"{{version}}\\n")
"""


def releases_are_whole(settings: Settings, acknowledged: list[str]) -> None:
    """What the ledger says was released is there, once the next release has put into place what
    was interrupted; nothing else is shown."""
    quarter = Quarter(2020, 4)
    releases._finish_interrupted(settings, "NAS", quarter)
    assert list(faults(settings)) == []
    entered = [str(version.version) for version in versions(settings)]
    assert entered[: len(acknowledged)] == acknowledged
    shown = {path.name for path in home_of(settings, "NAS", quarter).glob("[0-9]*")}
    assert shown == set(entered)


@fault(
    "F12",
    what="Two versions of a release are entered in the ledger and put into place; "
    "the power fails anywhere",
    bar="What the ledger says was released is there whole, at once or when the next release "
    "begins, with the numbers behind it; an acknowledged one is in the ledger",
    control="The same without flushing to disk",
    unit="states of the disk",
    full=500,
    few=100,
)
def test_power_fails_while_a_release_is_entered(trial: Trial, tmp_path: Path) -> None:
    before, place = tmp_path / "before", tmp_path / "found"
    before.mkdir()
    steps = _log_of(RELEASER, before, tmp_path / "run")
    for chance in trial.each():
        acknowledged = crash(before, steps, chance, place)
        releases_are_whole(Settings(place, Path("key")), acknowledged)

    steps = _log_of(UNFLUSHED + RELEASER, before, tmp_path / "control")
    trial.control_failed(*_failures(before, steps, place, releases_are_whole))
