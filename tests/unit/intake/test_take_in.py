"""From stored files to verdicts: every row is accounted for, whatever is sent and whenever the
machine stops. Returns here are invented and synthetic, except where a test says otherwise."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake import batches, raw, validated
from pipelines.intake.landing import Arrival, receive, stored_file
from pipelines.intake.made_with import CODE, made_with
from pipelines.intake.problems import PROBLEM_SCHEMA, problems_of
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.intake.raw import to_raw
from pipelines.intake.validated import ValidationCounts, to_validated
from pipelines.intake.validation import is_late
from pipelines.lifecycle.decisions import Decisions, NotAllowed
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.ledger_state import ledger_state
from pipelines.quarters import Quarter
from pipelines.readers.return_sheet import RowConservationError
from pipelines.settings import SOURCES, Settings
from pipelines.templates.workbook import write_return
from pipelines.warehouse.tables import validated_schema
from tests.unit.returns_made import SUPPORT, child

Q2 = Quarter(2020, 2)  # July to September 2020; returns are due by 30 October
IN_TIME = datetime(2020, 10, 10, 9, 0, tzinfo=UTC)
UNREADABLE = "31/13/2016 SECRETDATE"


def household(reference: str, **fields: Any) -> dict[str, Any]:
    return {
        "household_reference": reference,
        "adopters_in_household": "2",
        "enquired_on": date(2020, 7, 6),
    } | fields


@dataclass
class Collection:
    """An installation, and what senders do to it."""

    settings: Settings
    declarations: Declarations
    quarter: Quarter = Q2

    def send(
        self,
        sender: str,
        rows: dict[str, list[dict[str, Any]]],
        when: datetime = IN_TIME,
        **cover: Any,
    ) -> Submission:
        answers = {
            "sender_code": sender,
            "quarter": self.quarter.label,
            "version": 1,
            "signed_off_by_role": "Head of service",
            "signed_off_on": date(2020, 10, 9),
            "is_synthetic": "yes",
        } | cover
        path = self.settings.inbox / "return.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_return(path, self.declarations, self.quarter, answers, rows)
        (one,) = receive(self.settings, self.declarations, [Arrival(path, when)])
        assert one.is_waiting, one.refusal_sentence_en
        return one

    def validate(self) -> ValidationCounts | None:
        to_raw(self.settings, self.declarations, self.quarter)
        summaries = to_validated(self.settings, self.declarations, [self.quarter])
        return summaries[0] if summaries else None

    def now(self, submission: Submission) -> Submission:
        every = Ledger(self.settings.ledger).submissions()
        return next(item for item in every if item.submission_id == submission.submission_id)

    def validated(self, return_name: str) -> pl.DataFrame:
        folder = self.settings.validated / return_name / self.quarter.label
        return pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])

    def parquet(self, room: Path) -> dict[str, pl.DataFrame]:
        return {
            path.relative_to(room).as_posix(): pl.read_parquet(path)
            for path in sorted(room.rglob("*.parquet"))
        }


@pytest.fixture
def collection(settings: Settings, declarations: Declarations) -> Collection:
    return Collection(settings, declarations)


# --- one quarter of many senders, taken in once; these tests only read it ------------------


@dataclass
class Quarterful(Collection):
    sent: dict[str, Submission] | None = None
    summary: ValidationCounts | None = None
    raw_rows: dict[str, int] | None = None

    def verdict(self, name: str) -> Submission:
        assert self.sent is not None
        return self.now(self.sent[name])


@pytest.fixture(scope="module")
def quarterful(tmp_path_factory: pytest.TempPathFactory) -> Quarterful:
    home = tmp_path_factory.mktemp("quarterful")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    it = Quarterful(settings, Declarations(SOURCES))
    it.sent = {
        "clean": it.send(
            "W06000001",
            {"child": [child(f"SECRET-A{n}") for n in range(3)]},
        ),
        "one bad row": it.send(
            "W06000002",
            {
                "child": [
                    child("SECRET-B1", date_of_birth=UNREADABLE),
                    child("SECRET-B2", adopter_agency_code="NWAS"),
                    child(
                        "secret-a1 ",
                        adopter_agency_code="NWAS",
                        adopter_household_reference="secret-h1",
                    ),
                ]
            },
        ),
        "bad throughout": it.send(
            "W06000003", {"child": [child(f"SECRET-C{n}", sex="SECRETSEX") for n in range(4)]}
        ),
        "empty": it.send("W06000004", {"child": []}),
        "nil": it.send("W06000005", {"child": []}, is_nil_child="yes"),
        "agency": it.send(
            "NWAS",
            {
                "adopter": [household("SECRET-H1"), household("SECRET-H2")],
                "support": [SUPPORT],
            },
        ),
        "nothing due": it.send(
            "TOGETHER4CHILDREN", {"adopter": [household("SECRET-T1")], "support": [SUPPORT]}
        ),
        "real": it.send("W06000006", {"child": [child("SECRET-R1")]}, is_synthetic="no"),
        "late": it.send(
            "W06000008",
            {"child": [child("SECRET-L1")]},
            when=datetime(2020, 10, 31, 0, 0, tzinfo=UTC),
        ),
    }
    it.raw_rows = to_raw(it.settings, it.declarations, Q2)
    (it.summary,) = to_validated(it.settings, it.declarations, [Q2])
    return it


def test_a_sound_return_is_accepted(quarterful: Quarterful) -> None:
    one = quarterful.verdict("clean")
    assert (one.status, one.refusal_code, one.is_late) == ("accepted", None, False)
    assert one.returns["child"] == {
        "is_nil": False,
        "rows_read": 3,
        "rows_accepted": 3,
        "rows_quarantined": 0,
        "errors": 0,
        "queries": 0,
    }
    assert one.rule_set_hash and one.rules["run"] > 50 and one.rules["crashed"] == 0


def test_the_raw_room_has_every_row_as_it_was_written(quarterful: Quarterful) -> None:
    assert quarterful.raw_rows == {"child": 12, "adopter": 3, "support": 2}
    raw = pl.concat(quarterful.parquet(quarterful.settings.raw / "child").values())
    assert raw.height == 12
    assert UNREADABLE in raw["date_of_birth"].to_list()
    assert {kind for name, kind in raw.schema.items() if name != "sheet_row"} == {pl.String}


def test_one_bad_row_is_set_aside_and_the_others_count(quarterful: Quarterful) -> None:
    one = quarterful.verdict("one bad row")
    assert one.status == "accepted with errors quarantined"
    counts = one.returns["child"]
    assert (counts["rows_read"], counts["rows_accepted"], counts["rows_quarantined"]) == (3, 2, 1)
    rows = quarterful.validated("child").filter(submission_id=one.submission_id)
    by_status = dict(rows.group_by("row_status").agg("sheet_row").iter_rows())
    assert {status: len(found) for status, found in by_status.items()} == {
        "accepted": 2,
        "quarantined": 1,
    }
    assert by_status["quarantined"] == [rows["sheet_row"].min()]


def test_a_problem_names_the_very_cell_of_the_workbook(quarterful: Quarterful) -> None:
    one = quarterful.verdict("one bad row")
    book = openpyxl.load_workbook(stored_file(quarterful.settings, one))
    (cell,) = [
        cell for sheet in book for row in sheet.iter_rows() for cell in row
        if cell.value == UNREADABLE
    ]  # fmt: skip
    problems = [
        problem
        for problem in problems_of(quarterful.settings, one)
        if problem["field"] == "date_of_birth"
    ]
    assert problems
    for problem in problems:
        assert (problem["sheet"], problem["cell"]) == (cell.parent.title, cell.coordinate)
        assert (problem["sheet_row"], problem["severity"]) == (cell.row, "error")
        assert (problem["sender_code"], problem["quarter"]) == ("W06000002", "2020-21-Q2")
        assert problem["return_name"] == "child"


def test_problems_are_of_the_return_asked_about_only(quarterful: Quarterful) -> None:
    assert problems_of(quarterful.settings, quarterful.verdict("clean")) == []
    found = problems_of(quarterful.settings, quarterful.verdict("bad throughout"))
    assert {problem["submission_id"] for problem in found} == {
        quarterful.verdict("bad throughout").submission_id
    }
    assert len({problem["cell"] for problem in found}) == 4


def test_a_return_with_errors_throughout_is_refused(quarterful: Quarterful) -> None:
    one = quarterful.verdict("bad throughout")
    assert (one.status, one.refusal_code) == ("refused", "TOO_MANY_ERRORS")
    assert "4 of 4 rows" in (one.refusal_sentence_en or "")
    assert one.refusal_sentence_cy
    assert one.returns["child"]["rows_accepted"] == 0
    assert (one.version, one.quarter) == (1, "2020-21-Q2")


def test_an_empty_sheet_is_no_nil_return(quarterful: Quarterful) -> None:
    assert quarterful.verdict("empty").status == "refused"
    nil = quarterful.verdict("nil")
    assert nil.status == "accepted"
    assert (nil.returns["child"]["is_nil"], nil.returns["child"]["rows_read"]) == (True, 0)


def test_an_agency_sends_several_returns_in_one_file(quarterful: Quarterful) -> None:
    one = quarterful.verdict("agency")
    assert one.status == "accepted"
    assert {name: found["rows_accepted"] for name, found in one.returns.items()} == {
        "adopter": 2,
        "support": 1,
    }
    support = quarterful.validated("support").filter(submission_id=one.submission_id)
    assert support["contact_exchanges"].to_list() == [7]


def test_a_return_that_nobody_expects_is_refused(quarterful: Quarterful) -> None:
    one = quarterful.verdict("nothing due")
    assert (one.status, one.refusal_code) == ("refused", "NOTHING_DUE")


def test_a_real_return_among_samples_is_refused_even_in_the_first_batch(
    quarterful: Quarterful,
) -> None:
    one = quarterful.verdict("real")
    assert (one.status, one.refusal_code) == ("refused", "REAL_AMONG_SYNTHETIC")
    assert "another data folder" in (one.refusal_sentence_en or "")


def test_a_late_return_is_accepted_and_marked_late(quarterful: Quarterful) -> None:
    one = quarterful.verdict("late")
    assert (one.status, one.is_late) == ("accepted", True)


def test_the_summary_counts_what_the_verdicts_say(quarterful: Quarterful) -> None:
    summary = quarterful.summary
    assert summary is not None
    assert (summary.accepted, summary.refused) == (5, 4)
    assert summary.rows == quarterful.raw_rows
    assert (summary.quarantined, summary.rules_crashed) == (1, 0)
    assert summary.quarter == Q2


def test_every_raw_row_is_a_validated_row(quarterful: Quarterful) -> None:
    for name in ("child", "adopter", "support"):
        raw = pl.concat(quarterful.parquet(quarterful.settings.raw / name).values())
        keys = ["submission_id", "sheet_row"]
        assert quarterful.validated(name).select(keys).rows() == raw.select(keys).rows()


def test_validated_tables_have_the_promised_columns(quarterful: Quarterful) -> None:
    for name, declared in quarterful.declarations.returns.items():
        assert dict(quarterful.validated(name).schema) == validated_schema(declared)
    problems = quarterful.parquet(quarterful.settings.validated / "problems")
    assert [dict(frame.schema) for frame in problems.values()] == [PROBLEM_SCHEMA]


def test_no_reference_and_no_other_child_level_text_is_in_the_validated_room(
    quarterful: Quarterful,
) -> None:
    """SECRET is in every reference, in the unreadable date and in the unknown code."""
    tables = quarterful.parquet(quarterful.settings.validated)
    assert len(tables) == 4
    for name, frame in tables.items():
        assert "SECRET" not in frame.write_csv().upper(), name
    raw = pl.concat(quarterful.parquet(quarterful.settings.raw / "child").values())
    assert raw.write_csv().upper().count("SECRET") > 12  # or the search would prove nothing
    for path in (quarterful.settings.ledger, *quarterful.settings.raw.rglob("*.json")):
        assert "SECRET" not in path.read_text(encoding="utf-8").upper(), path.name


def test_a_date_of_birth_keeps_its_month_only(quarterful: Quarterful) -> None:
    rows = quarterful.validated("child")
    assert set(rows["birth_month"].drop_nulls()) == {date(2017, 3, 1)}
    assert "date_of_birth" not in rows.columns


def test_equal_references_of_two_authorities_are_two_children(quarterful: Quarterful) -> None:
    """``secret-a1`` of the second authority is ``SECRET-A1`` of the first, written otherwise."""
    pseudonyms = quarterful.validated("child")["child_pseudonym"]
    assert pseudonyms.n_unique() == pseudonyms.len() == 12
    assert pseudonyms.str.contains("^[0-9a-f]{32}$").all()


def test_a_childs_household_is_the_household_its_agency_reports(quarterful: Quarterful) -> None:
    of_child = quarterful.validated("child")["adopter_household_pseudonym"].drop_nulls()
    of_agency = quarterful.validated("adopter")["household_pseudonym"]
    assert of_child.len() == 1
    assert of_child.item() in of_agency.to_list()
    key = Pseudonymiser.from_settings(quarterful.settings)
    assert of_child.item() == key.of("household", "NWAS", "SECRET-H1")


def test_nothing_is_left_lying_about(quarterful: Quarterful) -> None:
    assert [path for path in quarterful.settings.data.rglob("*.part")] == []


# --- late: by the calendar of Wales and England ---------------------------------------------


@pytest.mark.parametrize(
    ("received", "late"),
    [
        (datetime(2025, 7, 30, 22, 59, tzinfo=UTC), False),  # 23:59 in Cardiff
        (datetime(2025, 7, 30, 23, 30, tzinfo=UTC), True),  # half past midnight, 31 July
        (datetime(2025, 7, 31, 9, 0, tzinfo=UTC), True),
        (datetime(2025, 7, 1, 9, 0, tzinfo=UTC), False),
    ],
)
def test_late_is_after_the_last_day_by_summer_time(
    declarations: Declarations, received: datetime, late: bool
) -> None:
    one = Submission(
        "S1", 1, received, "", ".xlsx", "", sender_code="W06000001", quarter="2025-26-Q1"
    )
    assert is_late(one, declarations) is late


def test_in_winter_the_local_day_is_that_of_utc(declarations: Declarations) -> None:
    def at(moment: datetime) -> Submission:
        return Submission(
            "S1", 1, moment, "", ".xlsx", "", sender_code="W06000001", quarter="2025-26-Q3"
        )

    assert not is_late(at(datetime(2026, 1, 30, 23, 59, tzinfo=UTC)), declarations)
    assert is_late(at(datetime(2026, 1, 31, 0, 0, tzinfo=UTC)), declarations)


# --- what only the collection knows ---------------------------------------------------------


def test_a_return_before_the_quarter_is_over_by_local_time_is_refused(
    settings: Settings, declarations: Declarations
) -> None:
    it = Collection(settings, declarations, Quarter(2020, 1))  # to 30 June, in summer time
    row = {"child": [child("A1", referred_on=date(2020, 5, 4))]}
    early = it.send("W06000001", row, when=datetime(2020, 6, 30, 22, 59, tzinfo=UTC))
    over = it.send("W06000002", row, when=datetime(2020, 6, 30, 23, 30, tzinfo=UTC))
    it.validate()
    assert (it.now(early).status, it.now(early).refusal_code) == ("refused", "QUARTER_NOT_OVER")
    assert it.now(over).status == "accepted"


def test_a_sample_among_real_returns_is_refused_and_a_refused_sample_decides_nothing(
    collection: Collection,
) -> None:
    rows = {"child": [child("A1")]}
    broken_sample = collection.send("W06000001", {"child": []})
    real = collection.send("W06000002", rows, is_synthetic=None)
    sample = collection.send("W06000003", rows)
    collection.validate()
    assert collection.now(broken_sample).refusal_code != "SYNTHETIC_AMONG_REAL"
    assert collection.now(real).status == "accepted"
    assert collection.now(sample).refusal_code == "SYNTHETIC_AMONG_REAL"
    assert "clear the tick" in (collection.now(sample).refusal_sentence_en or "")
    later = collection.send("W06000004", rows)
    collection.validate()
    assert collection.now(later).refusal_code == "SYNTHETIC_AMONG_REAL"


def test_a_refused_correction_leaves_the_accepted_return_in_force(collection: Collection) -> None:
    first = collection.send("W06000001", {"child": [child("A1"), child("A2")]})
    collection.validate()
    before = collection.parquet(collection.settings.validated)
    second = collection.send("W06000001", {"child": []}, version=2)
    collection.validate()
    assert (collection.now(first).status, collection.now(second).status) == ("accepted", "refused")
    assert (collection.now(first).version, collection.now(second).version) == (1, 2)
    after = collection.parquet(collection.settings.validated)
    for name, frame in before.items():
        assert frame.equals(after[name]), name
    assert collection.validated("child").height == 2


def test_a_lost_column_of_dates_holds_the_return_until_somebody_confirms_it(
    collection: Collection,
) -> None:
    """Counted with a query, it would have said "Children adopted: 0"."""
    first = collection.send("W06000014", {"child": [child("A"), child("B")]})
    collection.validate()
    path = collection.settings.inbox / "again.xlsx"
    shutil.copyfile(stored_file(collection.settings, first), path)
    book = openpyxl.load_workbook(path)
    headings = {cell.value: cell for cell in book["Children"][1]}
    headings["Adoption order on"].value = "Adotion oder date"
    book.save(path)
    receive(collection.settings, collection.declarations, [Arrival(path, IN_TIME)])
    counts = collection.validate()
    assert counts and (counts.to_confirm, counts.accepted, counts.refused) == (1, 0, 0)
    ledger = Ledger(collection.settings.ledger)
    held = ledger.submissions()[-1]
    assert held.status == "held for confirmation" and held.holding_codes == ["F208"]
    assert held.status_once_confirmed == "accepted with queries"
    decisions = Decisions(collection.settings, collection.declarations)

    def in_force() -> str | None:
        state = ledger_state(ledger.events(), collection.declarations)
        now = state.in_force("W06000014", collection.quarter.label)
        return now.submission_id if now else None

    assert in_force() == first.submission_id
    reason = "Nobody was adopted in the quarter."
    with pytest.raises(NotAllowed):
        decisions.confirm(held.submission_id, role="data_officer", reason=reason)
    event = decisions.confirm(held.submission_id, role="head_of_service", reason=reason)
    assert (event["codes"], event["role"], event["reason"]) == (
        ["F208"], "head_of_service", reason,
    )  # fmt: skip
    assert in_force() == held.submission_id
    assert ledger.submissions()[-1].status == "accepted with queries"
    with pytest.raises(NotAllowed, match="not held for confirmation"):
        decisions.confirm(held.submission_id, role="head_of_service", reason=reason)


def test_a_second_version_lies_beside_the_first_which_stays_as_it_was(
    collection: Collection,
) -> None:
    first = collection.send("W06000001", {"child": [child("A1"), child("A2")]})
    collection.validate()
    second = collection.send("W06000001", {"child": [child("A1")]}, version=2)
    summary = collection.validate()
    assert summary is not None and summary.rows == {"child": 1}
    heights = dict(collection.validated("child").group_by("submission_id").len().iter_rows())
    assert heights == {first.submission_id: 2, second.submission_id: 1}


def test_nothing_waiting_is_nothing_done(collection: Collection) -> None:
    assert to_raw(collection.settings, collection.declarations, Q2) == {}
    assert to_validated(collection.settings, collection.declarations, [Q2]) == []
    assert not collection.settings.raw.exists()
    assert not collection.settings.validated.exists()


def test_returns_of_another_quarter_are_left_waiting(collection: Collection) -> None:
    one = collection.send("W06000001", {"child": [child("A1")]})
    assert to_raw(collection.settings, collection.declarations, Quarter(2020, 1)) == {}
    assert to_validated(collection.settings, collection.declarations, [Quarter(2020, 1)]) == []
    assert collection.now(one).is_waiting


# --- the machine stops -----------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the process being killed: nothing in the program may catch it."""


def killed(*arguments: Any, **options: Any) -> Any:
    raise Killed


def whole(settings: Settings) -> dict[str, bytes]:
    """Every file of the rooms but landing, byte for byte, and what the ledger holds."""
    files = {
        path.relative_to(settings.data).as_posix(): path.read_bytes()
        for room in (settings.raw, settings.validated)
        for path in sorted(room.rglob("*"))
        if path.is_file()
    }
    return files | {"ledger": settings.ledger.read_bytes()}


STOPS = (
    "before the raw rows",
    "before the layout",
    "before the validated rows",
    "before the verdicts",
    "in the midst of the verdicts",
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A home with two returns received, and what taking them in undisturbed comes to."""
    home = tmp_path_factory.mktemp("undisturbed")
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    it = Collection(settings, Declarations(SOURCES))
    it.send("W06000001", {"child": [child("A1"), child("A2")]})
    it.send("W06000002", {"child": [child("B1"), child("B2", date_of_birth=UNREADABLE)]})
    Pseudonymiser.from_settings(settings)
    kept = tmp_path_factory.mktemp("received") / "home"
    shutil.copytree(home, kept)
    it.validate()
    return kept, whole(settings)


@pytest.mark.parametrize("stop", STOPS)
def test_a_run_killed_anywhere_and_run_again_comes_to_the_same(
    tmp_path: Path,
    declarations: Declarations,
    undisturbed: tuple[Path, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    received, expected = undisturbed
    shutil.copytree(received, tmp_path / "home")
    home = tmp_path / "home"
    settings = Settings(data=home / "data", key_file=home / "keys" / "pseudonym.key")
    real_write, real_append = raw.write_whole, Ledger.append

    def killed_before(room: str) -> Any:
        def write(path: Path, fill: Any) -> None:
            if room in path.as_posix():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(f".{path.name}.part").write_bytes(b"half")
                raise Killed
            real_write(path, fill)

        return write

    def torn(self: Ledger, *events: dict[str, Any]) -> None:
        before = len(self.path.read_bytes())
        with monkeypatch.context() as within:  # the head is written after the lines
            within.setattr(Ledger, "_remember", lambda self, head: None)
            real_append(self, *events)
        content = self.path.read_bytes()
        first_verdict = content.index(b"\n", before) + 1
        self.path.write_bytes(content[: first_verdict + 20])
        raise Killed

    with monkeypatch.context() as patched:
        if stop == "before the verdicts":
            patched.setattr(Ledger, "append", killed)
        elif stop == "in the midst of the verdicts":
            patched.setattr(Ledger, "append", torn)
        else:
            room = {
                "before the raw rows": "raw/child",
                "before the layout": "raw/layout",
                "before the validated rows": "validated/child",
            }[stop]
            patched.setattr(raw, "write_whole", killed_before(room))
            patched.setattr(validated, "write_whole", killed_before(room))
        with pytest.raises(Killed):
            to_raw(settings, declarations, Q2)
            to_validated(settings, declarations, [Q2])
    assert all(item.is_waiting for item in Ledger(settings.ledger).submissions())
    to_raw(settings, declarations, Q2)
    to_validated(settings, declarations, [Q2])
    found = whole(settings)
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


def test_reading_twice_before_validating_reads_nothing_twice(collection: Collection) -> None:
    collection.send("W06000001", {"child": [child("A1")]})
    assert to_raw(collection.settings, collection.declarations, Q2) == {"child": 1}
    assert to_raw(collection.settings, collection.declarations, Q2) == {}
    second = collection.send("W06000002", {"child": [child("B1"), child("B2")]})
    assert to_raw(collection.settings, collection.declarations, Q2) == {"child": 2}
    (summary,) = to_validated(collection.settings, collection.declarations, [Q2])
    assert (summary.accepted, summary.rows) == (2, {"child": 3})
    assert collection.now(second).returns["child"]["rows_read"] == 2
    assert to_validated(collection.settings, collection.declarations, [Q2]) == []


def test_a_row_lost_between_reading_and_checking_stops_everything(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = collection.send("W06000001", {"child": [child("A1"), child("A2"), child("A3")]})
    real = batches.cast

    def lossy(raw: pl.DataFrame, *more: Any) -> pl.DataFrame:
        return real(raw, *more)[:2]

    with monkeypatch.context() as patched:
        patched.setattr(batches, "cast", lossy)
        with pytest.raises(RowConservationError, match=r"child: 3 rows read, 2 checked") as caught:
            collection.validate()
    assert "A3" not in str(caught.value)
    assert collection.now(one).is_waiting
    assert not (collection.settings.validated / "child").exists()
    collection.validate()
    assert collection.now(one).status == "accepted"


def test_a_stored_file_that_can_no_longer_be_read_is_refused_and_its_batch_mates_are_not(
    collection: Collection,
) -> None:
    broken = collection.send("W06000001", {"child": [child("A1")]})
    sound = collection.send("W06000002", {"child": [child("B1")]})
    stored_file(collection.settings, broken).write_bytes(b"rotten")
    collection.validate()
    assert (collection.now(broken).status, collection.now(broken).refusal_code) == (
        "refused",
        "F001",
    )
    assert collection.now(sound).status == "accepted"


# --- what the life of a return needs to know of a verdict ------------------------------------


def test_a_verdict_keeps_its_reasons_and_its_rules_one_by_one(quarterful: Quarterful) -> None:
    bad = quarterful.verdict("bad throughout")
    assert [reason["code"] for reason in bad.refusals] == ["TOO_MANY_ERRORS"]
    assert bad.refusals[0]["sentence_cy"] in (bad.refusal_sentence_cy or "")
    one = quarterful.verdict("one bad row")
    assert one.refusals == []
    assert sum(one.errors["child"].values()) >= one.returns["child"]["rows_quarantined"] == 1
    clean = quarterful.verdict("clean")
    assert (clean.queries, clean.errors) == ({}, {})
    assert clean.made_with and clean.made_with == one.made_with


def test_a_rule_that_asks_about_a_row_twice_asks_about_one_row(collection: Collection) -> None:
    """A date before birth in three fields of one row breaks rules more often than once."""
    days = dict.fromkeys(("entered_care_on", "referred_on"), date(2016, 1, 4))
    one = collection.send("W06000001", {"child": [child("A1"), child("A2", **days)]})
    collection.validate()
    now = collection.now(one)
    problems = problems_of(collection.settings, one)
    told = {p["code"] for p in problems if p["return_name"] == "child"}
    kept = now.errors.get("child", {}) | now.queries.get("child", {})
    assert told and set(kept) == told
    assert set(kept.values()) == {1}


def test_the_hash_of_what_read_a_file_follows_code_and_declarations_only(
    declarations: Declarations, tmp_path: Path
) -> None:
    same = tmp_path / "sources"
    shutil.copytree(SOURCES, same)
    before = made_with(declarations)
    assert made_with(Declarations(same)) == before
    (same / "indicators" / "W05.yaml").write_text("another", encoding="utf-8")
    assert made_with(Declarations(same)) == before  # no file is read by an indicator
    codes = same / "code_lists" / "sex.csv"
    codes.write_bytes(codes.read_bytes().replace(b"\n", b"\r\n"))
    assert made_with(Declarations(same)) == before  # an editor's line ends
    codes.write_text(codes.read_text(encoding="utf-8").replace("male", "man"), encoding="utf-8")
    assert made_with(Declarations(same)) != before


def test_what_is_accepted_after_the_lock_is_told_as_held_and_not_as_accepted(
    collection: Collection,
) -> None:
    first = collection.send("W06000001", {"child": [child("A1")]})
    collection.validate()
    lock = {"event": "locked", "nation_code": "W92000004", "quarter": "2020-21-Q2"}
    more = {"at": "2020-11-02T09:00:00+00:00", "role": "national_director", "not_accepted": 0}
    Ledger(collection.settings.ledger).append(lock | more)
    late = collection.send("W06000001", {"child": [child("A1"), child("A2")]})
    refused = collection.send("W06000002", {"child": []})
    summary = collection.validate()
    assert summary is not None
    assert (summary.accepted, summary.held, summary.refused) == (0, 1, 1)
    assert collection.now(late).status == "accepted"  # its verdict is as it would have been
    assert collection.now(refused).status == "refused"
    Ledger(collection.settings.ledger).append({**lock, **more, "event": "unlocked"})
    collection.send("W06000003", {"child": [child("B1")]})
    again = collection.validate()
    assert again is not None and (again.accepted, again.held) == (1, 0)
    assert collection.now(first).status == "accepted"


def test_every_file_of_the_code_that_the_hash_covers_is_there() -> None:
    """One that was moved would silently drop out of the hash, and verdicts would stand too long."""
    package = Path(batches.__file__).parents[1]
    assert [name for name in CODE if not (package / name).exists()] == []
