"""The landing room: what is delivered is kept as it came, known by its bytes, and answered."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.intake import landing
from pipelines.intake.inbox import waiting_files
from pipelines.intake.landing import (
    Arrival,
    clean_name,
    receive,
    stored_file,
    waiting_quarters,
)
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return

QUARTER = Quarter(2025, 1)
MORNING = datetime(2025, 7, 15, 9, 0, tzinfo=UTC)
COVER: dict[str, object] = {
    "sender_code": "W06000001",
    "quarter": QUARTER.label,
    "version": 1,
    "signed_off_by_role": "Head of service",
    "signed_off_on": date(2025, 7, 14),
}
CHILD: dict[str, object] = {"child_reference": "SECRET-7", "date_of_birth": date(2022, 3, 17)}

Drop = Callable[..., Path]


@pytest.fixture
def drop(settings: Settings, declarations: Declarations) -> Drop:
    """Puts a small return into the inbox; its cover is as usual, but for what is said."""

    def put(name: str = "return.zip", **cover: Any) -> Path:
        path = settings.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write = write_csv_return if name.endswith(".zip") else write_return
        write(path, declarations, QUARTER, COVER | cover, {"child": [CHILD]})
        return path

    return put


def deliver(
    settings: Settings, declarations: Declarations, when: datetime = MORNING
) -> list[Submission]:
    arrivals = [Arrival(path, when) for path in waiting_files(settings)]
    return receive(settings, declarations, arrivals)


# --- what lies in the inbox ---------------------------------------------------------------


def test_an_inbox_that_does_not_exist_yet_is_empty(settings: Settings) -> None:
    assert waiting_files(settings) == []


def test_files_are_found_in_order_of_name(settings: Settings) -> None:
    settings.inbox.mkdir(parents=True)
    for name in ("b.xlsx", "a.zip", "c"):
        (settings.inbox / name).touch()
        os.utime(settings.inbox / name, (1_750_000_000, 1_750_000_000))
    assert [path.name for path in waiting_files(settings)] == ["a.zip", "b.xlsx", "c"]


@pytest.mark.parametrize(
    "name", ["return.xlsx.part", "return.PART", ".hidden.xlsx", "~$return.xlsx"]
)
def test_what_is_still_being_copied_or_is_no_delivery_is_left_alone(
    settings: Settings, declarations: Declarations, name: str
) -> None:
    settings.inbox.mkdir(parents=True)
    (settings.inbox / name).write_bytes(b"half")
    assert deliver(settings, declarations) == []
    assert (settings.inbox / name).exists()
    assert Ledger(settings.ledger).events() == []


def test_a_folder_in_the_inbox_is_left_alone(settings: Settings) -> None:
    (settings.inbox / "returns.xlsx").mkdir(parents=True)
    assert waiting_files(settings) == []


# --- kept as received ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["return.xlsx", "return.zip", "RETURN.ZIP.zip"])
def test_a_file_is_stored_unchanged_under_its_hash_and_leaves_the_inbox(
    settings: Settings, declarations: Declarations, drop: Drop, name: str
) -> None:
    content = drop(name).read_bytes()
    (one,) = deliver(settings, declarations)
    sha256 = hashlib.sha256(content).hexdigest()
    assert one.sha256 == sha256
    assert stored_file(settings, one) == settings.received / f"{sha256}{Path(name).suffix}"
    assert stored_file(settings, one).read_bytes() == content
    assert [path.name for path in settings.received.iterdir()] == [stored_file(settings, one).name]
    assert waiting_files(settings) == []


def test_the_ledger_says_what_the_cover_says(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop("ffurflen tŷ.xlsx", version=3, is_synthetic="yes")
    (one,) = deliver(settings, declarations)
    assert one.submission_id == f"S000001-{one.sha256[:8]}"
    assert (one.delivery_number, one.name, one.extension) == (1, "ffurflen tŷ.xlsx", ".xlsx")
    assert (one.sender_code, one.quarter) == ("W06000001", "2025-26-Q1")
    assert (one.version, one.declared_version, one.is_synthetic) == (1, 3, True)
    assert (one.signed_off_by_role, one.signed_off_on) == ("head_of_service", "2025-07-14")
    assert one.received_at == MORNING
    assert one.is_waiting
    assert waiting_quarters(settings) == [QUARTER]


def test_a_return_that_does_not_say_it_is_a_sample_is_not_one(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop()
    assert deliver(settings, declarations)[0].is_synthetic is False


def test_nothing_about_a_child_is_in_the_ledger(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop()
    drop("refused.zip", sender_code="SECRET-7", quarter="2022-03-17")
    assert len(deliver(settings, declarations)) == 2
    content = settings.ledger.read_text(encoding="utf-8")
    assert "SECRET" not in content
    assert "2022-03" not in content


def test_deliveries_are_numbered_on_from_the_last_batch_in_order_of_arrival(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop(version=1)
    deliver(settings, declarations)
    late, early = drop("a.zip", version=2), drop("b.zip", version=3)
    found = receive(
        settings,
        declarations,
        [Arrival(late, MORNING.replace(hour=12)), Arrival(early, MORNING.replace(hour=11))],
    )
    assert [(item.delivery_number, item.name) for item in found] == [(2, "b.zip"), (3, "a.zip")]
    assert [item.version for item in found] == [2, 3]


# --- the same bytes again -----------------------------------------------------------------


def test_the_same_bytes_again_are_a_duplicate_whatever_their_name(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    content = drop().read_bytes()
    (first,) = deliver(settings, declarations)
    again = settings.inbox / "corrected version, final.zip"
    again.write_bytes(content)
    (second,) = deliver(settings, declarations)
    assert (second.status, second.duplicate_of) == ("duplicate", first.submission_id)
    assert (second.sender_code, second.quarter, second.version) == ("W06000001", "2025-26-Q1", None)
    assert len(list(settings.received.iterdir())) == 1
    assert not again.exists()


def test_the_same_bytes_twice_in_one_batch_are_taken_once(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    (settings.inbox / "copy.zip").parent.mkdir(parents=True, exist_ok=True)
    (settings.inbox / "copy.xlsx").write_bytes(drop().read_bytes())
    first, second = deliver(settings, declarations)
    assert (first.status, second.status) == ("received", "duplicate")
    assert second.duplicate_of == first.submission_id
    assert len(list(settings.received.iterdir())) == 1


def test_a_third_copy_names_the_first_and_not_the_second(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    content = drop().read_bytes()
    (first,) = deliver(settings, declarations)
    for _ in range(2):
        (settings.inbox / "again.zip").write_bytes(content)
        (copy,) = deliver(settings, declarations)
        assert copy.duplicate_of == first.submission_id


def test_the_bytes_of_a_refused_return_may_come_again(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    """It may have been refused for a fault of ours, or for a place that was not declared yet."""
    content = drop().read_bytes()
    (first,) = deliver(settings, declarations)
    Ledger(settings.ledger).append(
        {"event": "judged", "submission_id": first.submission_id, "status": "refused"}
    )
    (settings.inbox / "again.zip").write_bytes(content)
    (second,) = deliver(settings, declarations)
    assert (second.status, second.duplicate_of) == ("received", None)
    assert stored_file(settings, second) == stored_file(settings, first)
    (settings.inbox / "and again.zip").write_bytes(content)
    (third,) = deliver(settings, declarations)
    assert (third.status, third.duplicate_of) == ("duplicate", second.submission_id)


def test_the_bytes_of_a_withdrawn_return_may_come_again(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    content = drop().read_bytes()
    (first,) = deliver(settings, declarations)
    Ledger(settings.ledger).append(
        {"event": "judged", "submission_id": first.submission_id, "status": "accepted"},
        {"event": "withdrawn", "submission_id": first.submission_id, "at": MORNING.isoformat()},
    )
    (settings.inbox / "again.zip").write_bytes(content)
    (second,) = deliver(settings, declarations)
    assert (second.status, second.version, second.duplicate_of) == ("received", 2, None)


def test_other_bytes_under_the_same_name_are_a_new_version(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop()
    deliver(settings, declarations)
    drop(version=2)
    (second,) = deliver(settings, declarations)
    assert (second.status, second.version) == ("received", 2)
    assert len(list(settings.received.iterdir())) == 2


# --- names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("LA[1].xlsx", "LA[1].xlsx"),
        ("LA*.xlsx", "LA*.xlsx"),
        ("a\x1b[31mred\nline\x00.xlsx", "a[31mredline.xlsx"),
        ("evil\u202exslx.exe", "evilxslx.exe"),
        ("zero\u200bwidth\ufeff.zip", "zerowidth.zip"),
        ("t\u0175\u0302", "t\u0175\u0302"),
        ("w\u0302", "\u0175"),
        ("broken\udcff.zip", "broken.zip"),
        ("'; DROP TABLE x; --.zip", "'; DROP TABLE x; --.zip"),
        ("x" * 400, "x" * 150),
    ],
)
def test_a_name_is_shown_without_what_could_mislead_a_reader(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_a_name_never_becomes_part_of_a_path(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop("LA1.zip", sender_code="W06000002")
    for name in ("LA[1].zip", "LA*.zip", "a..%2f..%2fetc.zip", "$(reboot).zip", "=cmd.zip"):
        drop(name, version=len(name))
    found = deliver(settings, declarations)
    assert len(found) == 6
    # A reader that took LA[1].zip for a pattern would have read LA1.zip, another sender's.
    assert {item.sender_code for item in found if item.name != "LA1.zip"} == {"W06000001"}
    for item in found:
        assert stored_file(settings, item).parent == settings.received
        assert stored_file(settings, item).stem == item.sha256


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_a_name_with_control_characters_or_broken_letters_can_be_received(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    path = drop()
    path.rename(path.with_name("two\nlines\u202e.zip"))
    broken = os.fsencode(settings.inbox) + b"/br\xff.zip"
    Path(os.fsdecode(broken)).write_bytes(b"no zip")
    names = {item.name for item in deliver(settings, declarations)}
    assert names == {"twolines.zip", "br.zip"}
    assert len(settings.ledger.read_bytes().splitlines()) == 3
    assert waiting_files(settings) == []


@pytest.mark.parametrize("suffix", [".exe", ".html", "", ".xlsx;rm", ".../../x"])
def test_an_ending_that_is_not_ours_is_not_kept(
    settings: Settings, declarations: Declarations, suffix: str
) -> None:
    path = settings.inbox / f"file{suffix.replace('/', '_')}"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"whatever")
    (one,) = deliver(settings, declarations)
    assert one.extension == ""
    assert stored_file(settings, one).name == one.sha256


# --- refused at the door ------------------------------------------------------------------


def assert_refused(one: Submission, code: str, *words: str) -> None:
    assert (one.status, one.refusal_code) == ("refused", code)
    assert one.version is None
    for word in words:
        assert word in (one.refusal_sentence_en or "")
    assert one.refusal_sentence_cy and one.refusal_sentence_cy != one.refusal_sentence_en


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "F005", "file"),
        (b"<html>log in first</html>", "F008", "web page"),
        (b"PK\x03\x04 torn", "F001", "file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_kept(
    settings: Settings, declarations: Declarations, content: bytes, code: str, word: str
) -> None:
    settings.inbox.mkdir(parents=True)
    (settings.inbox / "return.xlsx").write_bytes(content)
    (one,) = deliver(settings, declarations)
    assert_refused(one, code, word)
    assert (one.sender_code, one.quarter) == (None, None)
    assert stored_file(settings, one).read_bytes() == content
    assert waiting_files(settings) == []
    assert waiting_quarters(settings) == []


def test_an_unknown_sender_is_refused_without_repeating_what_was_written(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop(sender_code="Atlantis")
    (one,) = deliver(settings, declarations)
    assert_refused(one, "F102")
    assert "Atlantis" not in settings.ledger.read_text(encoding="utf-8")
    assert (one.sender_code, one.quarter) == (None, "2025-26-Q1")


def test_a_place_that_sends_nothing_is_an_unknown_sender(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop(sender_code="W92000004")
    assert_refused(deliver(settings, declarations)[0], "F102")


@pytest.mark.parametrize("text", ["first quarter", "2025-27-Q1", "2025-26-Q5", "31/06/2025"])
def test_a_quarter_that_is_none_is_refused(
    settings: Settings, declarations: Declarations, drop: Drop, text: str
) -> None:
    drop(quarter=text)
    (one,) = deliver(settings, declarations)
    assert_refused(one, "F104")
    assert (one.sender_code, one.quarter) == ("W06000001", None)


def test_a_cover_without_sender_and_quarter_is_refused(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop(sender_code=None, quarter=None)
    assert_refused(deliver(settings, declarations)[0], "F101")


@pytest.mark.parametrize(
    ("cover", "code"),
    [({"sender_code": None}, "F101"), ({"quarter": "2099-00-Q1"}, "QUARTER_UNLIKELY")],
)
def test_everything_the_cover_lacks_is_said_at_once(
    settings: Settings,
    declarations: Declarations,
    drop: Drop,
    cover: dict[str, object],
    code: str,
) -> None:
    drop(version=None, signed_off_on=None, **cover)
    (one,) = deliver(settings, declarations)
    assert_refused(one, code, "“Version”")
    assert "“Signed off on” on the cover (cell B" in (one.refusal_sentence_en or "")
    assert len(one.refusals) >= 2 and one.refusals[0]["code"] == code
    for language in ("en", "cy"):
        told = [reason[f"sentence_{language}"] for reason in one.refusals]
        assert " ".join(told) == getattr(one, f"refusal_sentence_{language}")
    assert "“Cymeradwywyd ar” ar y clawr (cell B" in (one.refusal_sentence_cy or "")


def test_a_cover_that_lacks_its_sign_off_only_comes_through_to_its_verdict(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop(signed_off_on=None)
    assert deliver(settings, declarations)[0].is_waiting


def test_a_zip_without_a_cover_is_refused(settings: Settings, declarations: Declarations) -> None:
    settings.inbox.mkdir(parents=True)
    with zipfile.ZipFile(settings.inbox / "return.zip", "w") as bundle:
        bundle.writestr("child.csv", "child_reference,date_of_birth\r\n1,2022-03-17\r\n")
    assert_refused(deliver(settings, declarations)[0], "F100", "cover")


@pytest.mark.parametrize("quarter", ["2017-18-Q4", "2025-26-Q3", "2099-00-Q1"])
def test_a_quarter_that_no_return_can_be_for_is_refused_before_it_stops_the_others(
    settings: Settings, declarations: Declarations, drop: Drop, quarter: str
) -> None:
    drop(quarter=quarter)
    (one,) = deliver(settings, declarations)
    assert_refused(one, "QUARTER_UNLIKELY", quarter)
    assert (one.sender_code, one.quarter) == ("W06000001", None)
    assert waiting_quarters(settings) == []


@pytest.mark.parametrize("quarter", ["2018-19-Q1", "2025-26-Q1", "2025-26-Q2"])
def test_a_quarter_up_to_the_one_that_runs_comes_through_the_door(
    settings: Settings, declarations: Declarations, drop: Drop, quarter: str
) -> None:
    drop(quarter=quarter)
    (one,) = deliver(settings, declarations)
    assert (one.status, one.quarter) == ("received", quarter)


def test_a_hostile_file_does_not_keep_its_batch_mates_out(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop("a good one.zip")
    far_away = settings.inbox / "b hostile.xlsx"
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        '2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576">'
        '<c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    with zipfile.ZipFile(far_away, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/worksheets/sheet1.xml", sheet)
    drop("c another good one.zip", version=2)
    statuses = {item.name[0]: item.status for item in deliver(settings, declarations)}
    assert statuses == {"a": "received", "b": "refused", "c": "received"}


# --- crashes, and files that move -----------------------------------------------------------


def test_originals_stay_until_the_ledger_has_them(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop()
    content = path.read_bytes()
    real = Ledger.append

    def checked(self: Ledger, *events: dict[str, Any]) -> None:
        assert path.read_bytes() == content
        real(self, *events)

    monkeypatch.setattr(Ledger, "append", checked)
    assert len(deliver(settings, declarations)) == 1
    assert not path.exists()


def test_a_crash_before_the_ledger_is_written_loses_nothing(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop()

    def crash(self: Ledger, *events: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            deliver(settings, declarations)
    assert path.exists()
    (one,) = deliver(settings, declarations)
    assert (one.status, one.delivery_number) == ("received", 1)
    assert len(list(settings.received.iterdir())) == 1


def test_a_crash_between_ledger_and_removal_leads_to_a_duplicate_and_no_loss(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop()

    def crash(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            deliver(settings, declarations)
    assert path.exists()
    deliver(settings, declarations)
    assert [item.status for item in Ledger(settings.ledger).submissions()] == [
        "received",
        "duplicate",
    ]
    assert not path.exists()


def test_a_crash_while_copying_leaves_no_file_under_a_hash_that_is_not_its_own(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop()

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfile", half)
        with pytest.raises(KeyboardInterrupt):
            deliver(settings, declarations)
    (one,) = deliver(settings, declarations)
    assert one.status == "received"
    assert [path.name for path in settings.received.iterdir()] == [f"{one.sha256}.zip"]


def test_a_file_that_grows_while_it_is_received_is_received_again_when_it_is_whole(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop()
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    real = Ledger.append

    def slow(self: Ledger, *events: dict[str, Any]) -> None:
        real(self, *events)
        path.write_bytes(whole)  # the copying goes on while we read what we have

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", slow)
        (torn,) = deliver(settings, declarations)
    assert torn.status == "refused"
    assert path.read_bytes() == whole
    (one,) = deliver(settings, declarations)
    assert (one.status, one.sha256) == ("received", hashlib.sha256(whole).hexdigest())
    assert not path.exists()


def test_a_file_that_changes_between_hash_and_copy_is_left_for_the_next_look(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop("b.zip")
    mate = drop("c.zip", version=2)
    real = landing.sha256_of

    def changed_after(target: Path) -> str:
        digest = real(target)
        if target == path:
            path.write_bytes(path.read_bytes() + b"more")
        return digest

    with monkeypatch.context() as patched:
        patched.setattr(landing, "sha256_of", changed_after)
        (one,) = deliver(settings, declarations)
    assert (one.name, one.delivery_number) == ("c.zip", 1)
    assert path.exists() and not mate.exists()
    assert [stored.stem for stored in settings.received.iterdir()] == [one.sha256]
    (two,) = deliver(settings, declarations)
    assert two.sha256 == hashlib.sha256(stored_file(settings, two).read_bytes()).hexdigest()


def test_a_file_that_cannot_be_opened_does_not_keep_its_batch_mates_out(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = drop("a.zip")
    drop("b.zip", version=2)
    gone = Arrival(settings.inbox / "gone.zip", MORNING)
    real = Path.open

    def guarded(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == locked:
            raise PermissionError(13, "being used by another process", str(self))
        return real(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", guarded)
        arrivals = [Arrival(path, MORNING) for path in waiting_files(settings)]
        found = receive(settings, declarations, [gone, *arrivals])
    assert [(item.name, item.delivery_number) for item in found] == [("b.zip", 1)]
    assert locked.exists()
    assert [item.name for item in deliver(settings, declarations)] == ["a.zip"]


def test_a_file_that_cannot_be_removed_is_told_without_its_name(
    settings: Settings, declarations: Declarations, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("Jane Doe SECRET.zip")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PermissionError, match="cannot be removed from") as caught:
        deliver(settings, declarations)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert [item.status for item in Ledger(settings.ledger).submissions()] == ["received"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_what_is_stored_is_as_private_as_the_process_makes_files(
    settings: Settings, declarations: Declarations, drop: Drop
) -> None:
    drop().chmod(0o666)
    before = os.umask(0o077)
    try:
        (one,) = deliver(settings, declarations)
    finally:
        os.umask(before)
    assert stored_file(settings, one).stat().st_mode & 0o777 == 0o600
    assert settings.ledger.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
def test_a_link_in_the_inbox_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.xlsx"
    elsewhere.write_bytes(b"not delivered")
    settings.inbox.mkdir(parents=True)
    (settings.inbox / "link.xlsx").symlink_to(elsewhere)
    assert waiting_files(settings) == []
