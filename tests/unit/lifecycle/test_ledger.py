"""The ledger of deliveries: nothing in it can change or vanish unseen, and a crash costs nothing
that was acknowledged."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.lifecycle.ledger import Ledger, LedgerBusy, LedgerError
from pipelines.settings import CHECKOUT


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "landing" / "ledger.jsonl")


def received(number: int, sender: str | None = "W06000001", **more: Any) -> dict[str, Any]:
    return {
        "event": "received",
        "submission_id": f"S{number:06d}-aaaaaaaa",
        "delivery_number": number,
        "sha256": f"{number:064x}",
        "extension": ".xlsx",
        "name": f"ffurflen tŷ {number}.xlsx",
        "received_at": f"2025-07-{number:02d}T09:00:00+00:00",
        "sender_code": sender,
        "quarter": "2025-26-Q1",
    } | more


def judged(number: int, status: str, **more: Any) -> dict[str, Any]:
    submission_id = f"S{number:06d}-aaaaaaaa"
    return {"event": "judged", "submission_id": submission_id, "status": status} | more


def lines(ledger: Ledger) -> list[bytes]:
    return ledger.path.read_bytes().splitlines(keepends=True)


def crash_while_appending(ledger: Ledger, *events: dict[str, Any]) -> bytes:
    """The ledger's bytes had the append been finished; its head is the one from before."""
    remembered = ledger.head_file.read_bytes() if ledger.head_file.exists() else None
    ledger.append(*events)
    if remembered is None:
        ledger.head_file.unlink()
    else:
        ledger.head_file.write_bytes(remembered)
    return ledger.path.read_bytes()


# --- what was written is what is read -------------------------------------------------


def test_a_ledger_that_does_not_exist_yet_is_empty(ledger: Ledger) -> None:
    assert ledger.events() == []
    assert ledger.submissions() == []
    assert not ledger.path.exists()


def test_events_come_back_as_they_were_written_in_order(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    ledger.append(judged(1, "accepted"))
    assert ledger.events() == [received(1), received(2), judged(1, "accepted")]


def test_appending_nothing_writes_nothing(ledger: Ledger) -> None:
    ledger.append()
    assert not ledger.path.exists()


def test_each_line_carries_the_hash_of_the_line_before(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    ledger.append(received(3))
    first, second, third = (line.rstrip(b"\n") for line in lines(ledger))
    assert json.loads(first)["previous"] == "0" * 64
    assert json.loads(second)["previous"] == hashlib.sha256(first).hexdigest()
    assert json.loads(third)["previous"] == hashlib.sha256(second).hexdigest()


def test_an_append_is_flushed_to_disk_before_it_returns(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        on_disk.append(ledger.path.read_bytes())
        real(descriptor)

    ledger.path.parent.mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", fsync)
    ledger.append(received(1))
    assert len(on_disk) == 4  # the file, the folder that has a new name in it, the head likewise
    ledger.append(received(2))
    assert len(on_disk) == 7
    assert on_disk[4].count(b"\n") == 2  # the line is there before the head tells of it


# --- tampering --------------------------------------------------------------------------


def test_a_changed_line_is_found_and_named(ledger: Ledger) -> None:
    ledger.append(received(1), judged(1, "refused"), received(2))
    changed = lines(ledger)
    changed[1] = changed[1].replace(b"refused", b"accepted")
    ledger.path.write_bytes(b"".join(changed))
    with pytest.raises(LedgerError, match=r"line 3: does not follow .* changed, added or removed"):
        ledger.events()


def test_a_removed_line_is_found(ledger: Ledger) -> None:
    ledger.append(received(1), received(2), received(3))
    kept = lines(ledger)
    ledger.path.write_bytes(kept[0] + kept[2])
    with pytest.raises(LedgerError, match="line 2"):
        ledger.events()


def test_a_removed_first_line_is_found(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    ledger.path.write_bytes(lines(ledger)[1])
    with pytest.raises(LedgerError, match="line 1"):
        ledger.events()


def test_an_inserted_line_is_found_even_when_it_repeats_a_real_one(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    there = lines(ledger)
    ledger.path.write_bytes(there[0] + there[0] + there[1])
    with pytest.raises(LedgerError, match="line 2"):
        ledger.events()


def test_swapped_lines_are_found(ledger: Ledger) -> None:
    ledger.append(received(1), received(2), received(3))
    there = lines(ledger)
    ledger.path.write_bytes(there[0] + there[2] + there[1])
    with pytest.raises(LedgerError):
        ledger.events()


@pytest.mark.parametrize("nonsense", [b"not json\n", b"5\n", b"null\n", b"\n", b"\xff\xfe\n"])
def test_a_line_that_is_no_event_is_named_and_not_quoted(ledger: Ledger, nonsense: bytes) -> None:
    ledger.append(received(1))
    with ledger.path.open("ab") as handle:
        handle.write(nonsense)
    with pytest.raises(LedgerError, match="line 2") as caught:
        ledger.events()
    assert "not json" not in str(caught.value)


def test_line_ends_changed_by_an_editor_are_found(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(LedgerError, match="line 2"):
        ledger.events()


# --- lines cut from the end ---------------------------------------------------------------


def test_lines_cut_from_the_end_are_missed_though_the_chain_is_sound(ledger: Ledger) -> None:
    ledger.append(received(1), received(2))
    ledger.append(received(3))
    ledger.path.write_bytes(b"".join(lines(ledger)[:2]))
    with pytest.raises(LedgerError, match="has 2 lines and had 3: lines at its end are gone"):
        ledger.submissions()
    with pytest.raises(LedgerError, match="put it back from a copy"):
        ledger.append(received(4))
    assert len(lines(ledger)) == 2  # nothing was built on what is left


def test_a_cut_ledger_that_grew_again_is_found_too(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(received(1))
    other = Ledger(tmp_path / "other" / "ledger.jsonl")
    other.append(received(1))
    ledger.append(received(2))
    other.append(received(3))
    ledger.path.write_bytes(other.path.read_bytes())
    with pytest.raises(LedgerError, match=r"line 2: not the line that ledger\.head remembers"):
        ledger.events()


def test_a_ledger_that_is_gone_is_missed(ledger: Ledger) -> None:
    ledger.append(received(1))
    ledger.path.unlink()
    with pytest.raises(LedgerError, match="has 0 lines and had 1"):
        ledger.submissions()


@pytest.mark.parametrize("content", ["", "{}", "[1]", "nonsense", '{"length": "x", "head": ""}'])
def test_a_damaged_head_is_told_and_not_passed_over(ledger: Ledger, content: str) -> None:
    ledger.append(received(1))
    ledger.head_file.write_text(content, encoding="utf-8")
    with pytest.raises(LedgerError, match="damaged: put it back from a copy"):
        ledger.events()


def test_a_ledger_older_than_its_head_file_can_be_read_and_gets_one(ledger: Ledger) -> None:
    ledger.append(received(1))
    ledger.head_file.unlink()
    assert ledger.events() == [received(1)]
    ledger.append(received(2))
    assert json.loads(ledger.head_file.read_text(encoding="utf-8")) == ledger.head().as_json()
    assert ledger.head().length == 2


# --- reading again ------------------------------------------------------------------------


def test_what_is_read_again_is_what_is_on_disk_and_only_new_lines_are_parsed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.lifecycle import ledger as module

    ledger.append(received(1), received(2))
    ledger.events()
    parsed: list[str] = []
    real = module._event
    monkeypatch.setattr(
        module, "_event", lambda *about: parsed.append(about[2][-6:]) or real(*about)
    )
    Ledger(ledger.path).append(judged(1, "refused"))
    assert [item.status for item in Ledger(ledger.path).submissions()] == ["refused", "received"]
    assert parsed == ["line 3"]


def test_a_reader_that_changes_what_it_was_given_changes_nothing_for_the_next(
    ledger: Ledger,
) -> None:
    ledger.append(received(1))
    ledger.events()[0]["event"] = "nonsense"
    ledger.submissions()[0].status = "nonsense"
    assert ledger.events() == [received(1)]
    assert [item.status for item in ledger.submissions()] == ["received"]


# --- crashes ----------------------------------------------------------------------------


def test_every_crash_while_appending_leaves_the_ledger_as_it_was(ledger: Ledger) -> None:
    """Cut in many places, also within a Welsh letter of two bytes."""
    ledger.append(received(1))
    before = ledger.path.read_bytes()
    after = crash_while_appending(ledger, received(2), judged(2, "refused"))
    within_letter = after.index("ŷ".encode(), len(before)) + 1
    for length in {within_letter, len(after) - 1, *range(len(before), len(after), 29)}:
        ledger.path.write_bytes(after[:length])
        assert ledger.events() == [received(1)], f"cut after byte {length}"


@pytest.mark.parametrize("kept", [1, 40, -1, "a whole line of two"])
def test_an_append_after_a_crash_continues_a_valid_chain(ledger: Ledger, kept: int | str) -> None:
    ledger.append(received(1))
    before = ledger.path.read_bytes()
    torn = crash_while_appending(ledger, received(2), judged(2, "refused"))[len(before) :]
    cut = torn.index(b"\n") + 1 if isinstance(kept, str) else kept
    ledger.path.write_bytes(before + torn[:cut])
    ledger.append(received(3))
    assert ledger.events() == [received(1), received(3)]
    assert ledger.path.read_bytes().startswith(before)


def test_a_crash_in_the_very_first_append_leaves_an_empty_ledger(ledger: Ledger) -> None:
    ledger.path.write_bytes(crash_while_appending(ledger, received(1))[:30])
    assert ledger.events() == []
    ledger.append(received(2))
    assert ledger.events() == [received(2)]


def test_half_of_the_verdicts_of_a_batch_is_none_of_them(ledger: Ledger) -> None:
    """Were the first verdict kept, the batch would be written again without its rows."""
    ledger.append(received(1), received(2))
    before = len(ledger.path.read_bytes())
    content = crash_while_appending(ledger, judged(1, "accepted"), judged(2, "accepted"))
    ledger.path.write_bytes(content[: content.index(b"\n", before) + 1])
    assert [item.status for item in ledger.submissions()] == ["received", "received"]


# --- events folded together ---------------------------------------------------------------


def test_a_verdict_says_what_became_of_a_delivery(ledger: Ledger) -> None:
    returns = {"child": {"is_nil": False, "rows_read": 3}}
    ledger.append(
        received(1, is_synthetic=True, signed_off_on="2025-07-01"),
        judged(1, "accepted with queries", is_late=True, rule_set_hash="abc", returns=returns),
    )
    (one,) = ledger.submissions()
    assert one.status == "accepted with queries"
    assert (one.is_accepted, one.is_waiting) == (True, False)
    assert (one.is_late, one.is_synthetic, one.rule_set_hash) == (True, True, "abc")
    assert one.returns == returns
    assert one.received_at.isoformat() == "2025-07-01T09:00:00+00:00"
    assert one.sender_code == "W06000001"


def test_a_delivery_without_a_verdict_waits(ledger: Ledger) -> None:
    ledger.append(received(1))
    (one,) = ledger.submissions()
    assert (one.is_waiting, one.is_accepted, one.status) == (True, False, "received")


def test_a_refused_delivery_neither_waits_nor_counts_as_accepted(ledger: Ledger) -> None:
    ledger.append(received(1), judged(1, "refused", refusal_code="F203"))
    (one,) = ledger.submissions()
    assert (one.is_waiting, one.is_accepted, one.refusal_code) == (False, False, "F203")


def test_every_reason_of_a_refusal_is_kept_by_itself(ledger: Ledger) -> None:
    reasons = [
        {"code": "F101", "sentence_en": "No sender.", "sentence_cy": "Dim anfonwr."},
        {"code": "F104", "sentence_en": "No quarter.", "sentence_cy": "Dim chwarter."},
    ]
    ledger.append(received(1), judged(1, "refused", refusal_code="F101", refusals=reasons))
    assert ledger.submissions()[0].refusals == reasons


def test_a_refusal_written_before_reasons_were_kept_apart_has_one_reason(ledger: Ledger) -> None:
    told = {"refusal_sentence_en": "Two. Things.", "refusal_sentence_cy": "Dau. Beth."}
    ledger.append(received(1), judged(1, "refused", refusal_code="F101", **told))
    ledger.append(received(2), judged(2, "accepted"))
    first, second = ledger.submissions()
    assert first.refusals == [
        {"code": "F101", "sentence_en": "Two. Things.", "sentence_cy": "Dau. Beth."}
    ]
    assert second.refusals == []


def test_a_withdrawal_is_noted_on_its_delivery(ledger: Ledger) -> None:
    ledger.append(received(1), judged(1, "accepted"), received(2))
    at = "2025-08-01T09:00:00+00:00"
    ledger.append({"event": "withdrawn", "submission_id": "S000001-aaaaaaaa", "at": at})
    assert [item.withdrawn_at for item in ledger.submissions()] == [at, None]


def test_events_with_further_facts_can_be_read_by_a_program_that_does_not_know_them(
    ledger: Ledger,
) -> None:
    ledger.append(received(1, size=12_345), judged(1, "accepted", weather="fine"))
    assert [item.status for item in ledger.submissions()] == ["accepted"]


def test_versions_count_the_files_of_one_sender_and_quarter_in_order_of_arrival(
    ledger: Ledger,
) -> None:
    ledger.append(
        received(1),
        received(2, sender="W06000002"),
        received(3),
        judged(3, "refused"),
        received(4, quarter="2025-26-Q2"),
        received(5, event="duplicate", duplicate_of="S000001-aaaaaaaa"),
        received(6),
        received(7, sender=None, quarter=None),
        judged(7, "refused"),
    )
    found = [(item.delivery_number, item.version) for item in ledger.submissions()]
    # 3 was refused and still is the sender's second file; 5 is no new file; 7 is nobody's.
    assert found == [(1, 1), (2, 1), (3, 2), (4, 1), (5, None), (6, 3), (7, None)]


def test_a_duplicate_names_the_delivery_it_repeats(ledger: Ledger) -> None:
    ledger.append(received(1))
    ledger.append(received(2, event="duplicate", duplicate_of="S000001-aaaaaaaa"))
    first, second = ledger.submissions()
    assert (first.status, second.status) == ("received", "duplicate")
    assert second.duplicate_of == first.submission_id


# --- one writer ---------------------------------------------------------------------------

_HOLD = (
    "import sys; from pathlib import Path; from pipelines.lifecycle.ledger import Ledger\n"
    "with Ledger(Path(sys.argv[1])).held():\n"
    "    print('held', flush=True); sys.stdin.readline()"
)


def test_a_second_process_is_told_and_gets_the_ledger_when_the_first_is_killed(
    ledger: Ledger,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(ledger.path)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline().strip() == b"held"
        with (
            pytest.raises(LedgerBusy, match="another process is taking returns in; try again"),
            ledger.held(),
        ):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with ledger.held():
        ledger.append(received(1))
    assert ledger.events() == [received(1)]


def test_the_ledger_is_free_again_after_an_error_while_it_was_held(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.held():
        raise ZeroDivisionError
    with ledger.held():
        pass


def test_two_holders_in_one_process_are_told_apart_too(ledger: Ledger) -> None:
    with ledger.held(), pytest.raises(LedgerBusy), Ledger(ledger.path).held():
        pass


def test_the_ledger_can_be_read_while_another_holds_it(ledger: Ledger) -> None:
    ledger.append(received(1))
    with ledger.held():
        assert len(Ledger(ledger.path).submissions()) == 1


def test_what_happened_is_told_once(ledger: Ledger) -> None:
    ledger.append({"event": "x", "n": 1}, {"event": "x", "n": 2})
    assert [event["n"] for event in ledger.unreported()] == [1, 2]
    ledger.append({"event": "reported", "run_id": "r"})
    assert ledger.unreported() == []
    ledger.append({"event": "x", "n": 3})
    assert [event["n"] for event in ledger.unreported()] == [3]
