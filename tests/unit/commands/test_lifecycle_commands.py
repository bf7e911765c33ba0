"""What the national team and a data officer see and type: the board, queries, reminders, proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.publication import (
    FrozenFigures,
    enter_publication,
    note_for_manifest,
    refuse_changed_figures,
)
from pipelines.lifecycle.reminders import due_reminders
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import Language
from pipelines.text.dates import long_day
from tests.unit.lifecycle_story import ANGLESEY, ENGLAND, GWYNEDD, Q1, Q2, WALES, Story

Adoption = Callable[..., Result]
NOW = datetime(2025, 8, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def story(declarations: Declarations) -> Story:
    return Story(declarations)


@pytest.fixture
def adoption(settings: Settings) -> Adoption:
    settings.data.mkdir()

    def call(*arguments: str, columns: int = 120) -> Result:
        runner = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"})
        return runner.invoke(main, arguments)

    return call


def keep(settings: Settings, story: Story) -> None:
    """Write what of the story is not in the ledger yet."""
    ledger = Ledger(settings.ledger)
    ledger.append(*story.events[len(ledger.events()) :])


# --- returns due -----------------------------------------------------------------------


def test_the_board_tells_every_return_in_words_and_who_acts_next(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    story.send(queries={"child": {"CH400": 3}})
    story.send(GWYNEDD)
    keep(settings, story)
    told = adoption("due", "--quarter", Q1.label, "--nation", "wales", "--on", "2025-08-02")
    assert told.exit_code == 0, told.output
    lines = {line[:24].strip(): line for line in told.output.splitlines()}
    assert "queries open" in lines["Isle of Anglesey"] and "sender" in lines["Isle of Anglesey"]
    assert "1 query open" in lines["Isle of Anglesey"]
    assert "checked" in lines["Gwynedd"] and "version" not in lines["Gwynedd"]
    assert "overdue" in lines["Conwy"] and " -3 " in lines["Conwy"]
    summary = "North Wales Adoption Service: 2025-26-Q1: 2 of 8 in, 6 overdue, 1 with queries or"
    assert summary in told.output
    assert "Voluntary agencies" in told.output and "England" not in told.output


@pytest.mark.parametrize(("columns", "quarters"), [(80, 2), (120, 4)])
def test_the_grid_keeps_to_the_width_and_shows_the_newest_quarters(
    settings: Settings, story: Story, adoption: Adoption, columns: int, quarters: int
) -> None:
    first = Quarter(2024, 1)
    for number in range(6):
        story.send(quarter=first.plus(number))
    keep(settings, story)
    told = adoption("due", "--nation", "Cymru", "--on", "2026-01-15", columns=columns)
    assert told.exit_code == 0, told.output
    assert max(len(line) for line in told.output.splitlines()) <= columns
    headings = [line for line in told.output.splitlines() if line.startswith(" " * 30)]
    labels = headings[0].split()
    assert labels == [first.plus(7 - quarters + n).label for n in range(quarters)]
    row = next(line for line in told.output.splitlines() if line.startswith("Isle of Anglesey"))
    assert row.count("checked (sender)") == quarters - 1 and "expected (sender)" in row
    assert "in 15 days" in told.output  # the quarter to December is due on 30 January
    assert "In brackets: who acts next" in told.output


def test_the_board_speaks_welsh(settings: Settings, story: Story, adoption: Adoption) -> None:
    story.send()
    keep(settings, story)
    told = adoption("due", "--language", "cy", "--nation", "wales", "--on", "2025-07-10")
    assert "Ynys Môn" in told.output and "gwiriwyd" in told.output and "disgwyl" in told.output
    assert "10 Gorffennaf 2025" in told.output


def test_only_what_waits_for_somebody_is_shown_when_asked(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    story.send()
    story.tell(story.lock()).tell(story.publish())
    keep(settings, story)
    told = adoption("due", "--to-do", "--quarter", Q1.label, "--nation", "wales")
    assert "Isle of Anglesey" not in told.output and "Gwynedd" in told.output


def test_the_board_is_given_to_programs_whole(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    story.send(queries={"child": {"CH400": 3}}, aside=1)
    keep(settings, story)
    told = json.loads(adoption("due", "--json", "--on", "2025-07-30").output)
    assert told["as_of_day"] == "2025-07-30"
    (mine,) = [one for one in told["returns"] if one["sender_code"] == ANGLESEY]
    assert (mine["state"], mine["acts"], mine["days_to_deadline"]) == ("errors", "sender", 0)
    assert (mine["queries_open"], mine["rows_set_aside"], mine["region_code"]) == (1, 1, "NWAS")
    (north,) = [one for one in told["summaries"] if one["region_code"] == "NWAS"]
    assert (north["returns"], north["returns_in"], north["overdue"]) == (8, 1, 0)
    assert {one["nation_code"] for one in told["returns"]} == {WALES, ENGLAND}


def test_a_quarter_that_is_not_over_owes_nothing(adoption: Adoption) -> None:
    told = adoption("due", "--quarter", "2025-26-Q4", "--on", "2026-03-31")
    assert (told.exit_code, told.output) == (
        0,
        "No returns are due: none of these quarters has ended.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("due", "--nation", "Scotland"),
        ("due", "--on", "yesterday"),
        ("due", "--quarter", "2025-27-Q1"),
        ("reminders", "--day", "2025-07-01", "--since", "2025-07-02"),
        ("verify", "--expect", "12"),
        ("accept", "--role", "national_data_lead"),
        (
            "tolerate",
            ANGLESEY,
            "2025-26-Q1",
            "CH400",
            "--limit",
            "0",
            "--role",
            "x",
            "--because",
            "y",
        ),
        ("history", "NOBODY", "2025-26-Q1"),
    ],
)
def test_a_wrong_call_ends_with_2(adoption: Adoption, arguments: tuple[str, ...]) -> None:
    told = adoption(*arguments)
    assert told.exit_code == 2, told.output
    assert "Traceback" not in told.output


# --- queries, from the question to the published figure -----------------------------------


def test_a_return_goes_from_its_query_to_a_revision_by_commands(
    settings: Settings, story: Story, adoption: Adoption, declarations: Declarations
) -> None:
    sent = story.send(queries={"child": {"CH400": 3}})
    with_files(settings, story)
    asked = adoption("queries", "--open")
    assert "Isle of Anglesey (W06000001), 2025-26-Q1, child: CH400, 3 rows, open" in asked.output
    assert "1 queries, 1 open" in asked.output

    lead, head = ("--role", "national_data_lead"), ("--role", "head_of_service")
    director = ("--role", "national_director")
    because = ("--because", "Confirmed with the social worker of the children.")
    answer = ("tolerate", ANGLESEY, Q1.label, "CH400", "--limit", "3", *because)

    def refused(*arguments: str) -> str:
        told = adoption(*arguments)
        assert told.exit_code == 1 and told.output.count("\n") == 1, told.output
        return told.output

    assert "may not do this (tolerate)" in refused(*answer, *head)
    assert "open queries (CH400)" in refused("sign-off", sent, *head)
    dated = (*answer[:-1], "Confirmed on 3 May 2025 by the social worker.")
    assert "looks like a date" in refused(*dated, *lead)

    def done(*arguments: str) -> str:
        told = adoption(*arguments)
        assert told.exit_code == 0, told.output
        return told.output

    assert "tolerated up to 3 rows" in done(*answer, *lead)
    assert "tolerated up to 3 rows until 2025-26-Q1 (national_data_lead)" in done("queries")
    assert "open again" in done("reopen", ANGLESEY, Q1.label, "CH400", *lead, *because)
    done(*answer, *lead)
    assert "is signed off; seal" in done("sign-off", sent, *head)
    assert "1 submissions accepted" in done(
        "accept", "--quarter", Q1.label, "--nation", "wales", *lead
    )
    assert "use --with-gaps" in refused("lock", Q1.label, "--nation", "wales", *director)
    assert "33 returns are not accepted" in done(
        "lock", Q1.label, "--nation", "wales", "--with-gaps", *director
    )
    assert enter_publication(settings, declarations, Q1, 1, NOW)
    assert "published quarter cannot be unlocked" in refused(
        "unlock", Q1.label, "--nation", "wales", *director, *because
    )
    assert "withdrawn with the next revision" in done("withdraw", sent, *head, *because)
    assert "0 files released, 1 withdrawn" in done(
        "revise", Q1.label, "--nation", "wales", *director, *because
    )
    told = done("history", ANGLESEY, Q1.label)
    for word in (
        "tolerated child CH400",
        "reopened",
        "signed off",
        "locked",
        "published",
        "revised",
    ):
        assert word in told
    assert "by national_director – Confirmed with the social worker" in told
    assert "return.xlsx" not in told
    assert "No faults found." in done("verify")


def test_a_withdrawal_says_what_is_in_force_now(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    first, second = story.send(), story.send()
    keep(settings, story)
    because = ("--role", "data_officer", "--because", "The wrong file was sent.")
    assert f"{first} is in force" in adoption("withdraw", second, *because).output
    assert "nothing is in force" in adoption("withdraw", first, *because).output


# --- reminders ---------------------------------------------------------------------------


def test_reminders_go_to_those_who_owe_on_the_day_the_policy_names(
    settings: Settings, story: Story, declarations: Declarations
) -> None:
    story.send()
    keep(settings, story)
    due = {one.sender_code: one for one in due_reminders(settings, declarations, date(2025, 7, 16))}
    assert ANGLESEY not in due  # it is in
    one = due[GWYNEDD]
    assert one.subject.en == "Adoption return for 2025-26-Q1: due 30 July 2025"
    assert "of Gwynedd for 2025-26-Q1 (children) is due on 30 July 2025, in 14 days" in one.text.en
    assert "erbyn 30 Gorffennaf 2025" in one.text.cy and "(plant)" in one.text.cy
    assert "(adopters, support)" in due["NWAS"].text.en.lower()
    assert one.status == "proposed"
    assert due_reminders(settings, declarations, date(2025, 7, 17)) == []


def test_open_queries_and_a_missing_sign_off_are_reminded_of_too(
    settings: Settings, story: Story, declarations: Declarations
) -> None:
    story.send(queries={"child": {"CH400": 3, "CH401": 1}})
    story.send(GWYNEDD)
    keep(settings, story)
    week_after = due_reminders(settings, declarations, date(2025, 8, 6))
    about = {one.sender_code: one for one in week_after}
    assert set(about) == {ANGLESEY, GWYNEDD}
    assert "still has 2 open queries" in about[ANGLESEY].text.en
    assert about[GWYNEDD].about == "sign_off"


def test_days_that_were_missed_are_made_up_for_by_the_newest_reminder_only(
    settings: Settings, story: Story, declarations: Declarations
) -> None:
    story.send()
    keep(settings, story)
    found = due_reminders(settings, declarations, date(2025, 8, 4), since=date(2025, 7, 1))
    mine = [one for one in found if one.sender_code == GWYNEDD]
    assert [one.days_from_deadline for one in mine] == [1]


def test_reminders_are_written_as_one_file_each_in_both_languages(
    settings: Settings, story: Story, adoption: Adoption, tmp_path: Path
) -> None:
    story.send()
    keep(settings, story)
    told = adoption(
        *("reminders", "--day", "2025-07-31", "--nation", "wales", "--out", str(tmp_path / "out"))
    )
    assert told.exit_code == 0, told.output
    text = (tmp_path / "out" / f"{Q1.label}-{GWYNEDD}-return-1-days-after.txt").read_text("utf-8")
    assert "overdue" in text and "yn hwyr" in text
    # 21 authorities, 5 regions, 2 voluntary agencies
    assert len(list((tmp_path / "out").iterdir())) == 28
    assert "Wrote 28 reminders" in told.output
    shown = adoption("reminders", "--day", "2025-07-31", "--nation", "wales", "--language", "cy")
    assert "Roedd ffurflen fabwysiadu" in shown.output and "nothing was sent" in shown.output
    listed = json.loads(adoption("reminders", "--day", "2025-07-31", "--json").output)
    assert {one["about"] for one in listed} == {"return"}


def test_a_folder_that_cannot_be_written_is_one_line(
    settings: Settings, story: Story, adoption: Adoption, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    told = adoption("reminders", "--day", "2025-07-31", "--out", str(tmp_path / "taken" / "out"))
    assert told.exit_code == 1 or "cannot write" in told.output
    assert "Traceback" not in told.output


@pytest.mark.parametrize(("language", "told"), [("en", "1 May 2026"), ("cy", "1 Mai 2026")])
def test_a_day_is_written_out_in_its_language(language: Language, told: str) -> None:
    assert long_day(date(2026, 5, 1), language) == told


# --- proof -------------------------------------------------------------------------------


def with_files(settings: Settings, story: Story) -> None:
    """The story's ledger, with a stored file for each delivery of it."""
    import hashlib

    settings.received.mkdir(parents=True)
    for event in story.events:
        if event["event"] == "received":
            content = event["submission_id"].encode()
            event["sha256"] = hashlib.sha256(content).hexdigest()
            (settings.received / f"{event['sha256']}.xlsx").write_bytes(content)
        elif event["event"] == "judged":
            _with_rows(settings, event)
    keep(settings, story)


def _with_rows(settings: Settings, verdict: dict[str, Any]) -> None:
    """Rows in validated as the verdict counts them."""
    for name, counts in verdict["returns"].items():
        folder = settings.validated / name / Q1.label
        folder.mkdir(parents=True, exist_ok=True)
        statuses = ["accepted"] * counts["rows_accepted"]
        statuses += ["quarantined"] * counts["rows_quarantined"]
        number = verdict["submission_id"][1:]
        pl.DataFrame(
            {"submission_id": [verdict["submission_id"]] * len(statuses), "row_status": statuses}
        ).write_parquet(folder / f"{number}-made.parquet")


def manifest(settings: Settings, ledger: dict[str, Any]) -> None:
    """An export version that remembers the ledger."""
    from pipelines.files import CHECKSUMS, sha256_of
    from pipelines.publishing.internal_files import FIGURES, MANIFEST

    folder = settings.exports / Q1.label / "1"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(json.dumps({"ledger": ledger}), encoding="utf-8")
    (folder / FIGURES).write_text("indicator_id\n", encoding="utf-8")
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in (FIGURES, MANIFEST)]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def test_what_is_as_it_was_is_proved_and_the_head_can_be_written_down(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    story.send()
    with_files(settings, story)
    head = Ledger(settings.ledger).head()
    manifest(settings, head.as_json())
    told = json.loads(adoption("verify", "--json").output)
    assert told["is_sound"] and told["faults"] == []
    assert (told["anchors_compared"], told["files_compared"], told["exports_compared"]) == (1, 1, 1)
    assert told["compared"]["landing"] == told["compared"]["exports"] == 1
    assert told["ledger"] == {"length": 2, "head": head.head}
    assert "What this cannot show" in told["limits_en"]
    story.send()
    keep(settings, story)
    stored = settings.received / f"{story.events[-2]['sha256']}.xlsx"
    stored.write_bytes(b"x")
    written_down = f"{head.length}:{head.head}"
    again = adoption("verify", "--expect", written_down)
    assert again.exit_code == 1  # the new file is not what was received; the old head still fits
    assert "is not what was received" in again.output and "end are gone" not in again.output


def test_a_tail_that_was_cut_together_with_its_head_is_known_from_an_export(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    first = story.send()
    with_files(settings, story)
    story.tell(story.sign_off(first))
    keep(settings, story)
    manifest(settings, Ledger(settings.ledger).head().as_json())
    lines = settings.ledger.read_bytes().splitlines(keepends=True)
    settings.ledger.write_bytes(b"".join(lines[:-1]))
    settings.ledger.with_suffix(".head").unlink()
    told = adoption("verify")
    assert told.exit_code == 1
    assert "the ledger has 2 lines and had 3" in told.output and "manifest.json" in told.output
    assert "a cut at the ledger's end shows only as far as" in told.output


def test_a_tail_that_was_cut_and_grown_anew_does_not_fit_what_was_written_down(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    first = story.send()
    with_files(settings, story)
    story.tell(story.sign_off(first))
    keep(settings, story)
    head = Ledger(settings.ledger).head()
    lines = settings.ledger.read_bytes().splitlines(keepends=True)
    settings.ledger.write_bytes(b"".join(lines[:-1]))
    settings.ledger.with_suffix(".head").unlink()
    Ledger(settings.ledger).append({"event": "reported", "run_id": "r"})
    assert adoption("verify").exit_code == 0  # nothing here remembers what was there
    told = adoption("verify", "--expect", f"{head.length}:{head.head}")
    assert told.exit_code == 1
    assert "line 3 of the ledger is not the one that was there, by what was written down" in (
        " ".join(told.output.split())
    )


MOVE = "move it out of the data folder"


def test_a_missing_a_changed_and_a_stray_file_are_told_apart(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    for _ in range(3):
        story.send()
    with_files(settings, story)
    paths = [settings.received / f"{e['sha256']}.xlsx" for e in story.events if "sha256" in e]
    paths[0].unlink()
    paths[1].write_bytes(b"another")
    (settings.received / f"{'0' * 64}.xlsx").write_bytes(b"stray")
    told = json.loads(adoption("verify", "--json").output)
    assert sorted(fault.split(" ", 1)[1] for fault in told["faults"]) == [
        f"is in no line of the ledger: {MOVE}",
        "is missing (S000001): put it back from a copy",
        "is not what was received (S000002): put it back from a copy",
    ]


def test_a_line_that_could_not_have_followed_is_found_though_its_chain_is_sound(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    first = story.send()
    with_files(settings, story)
    Ledger(settings.ledger).append(story.accept(first))
    told = adoption("verify")
    assert told.exit_code == 1
    assert "line 3 of the ledger (accepted_centrally) could not follow" in told.output


def test_a_broken_chain_is_the_only_thing_told(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    story.send()
    with_files(settings, story)
    settings.ledger.write_bytes(settings.ledger.read_bytes().replace(b"accepted", b"refused"))
    told = json.loads(adoption("verify", "--json").output)
    assert len(told["faults"]) == 1 and "line 2" not in told["remarks"]
    assert not told["is_sound"]


def test_a_changed_export_is_found(settings: Settings, story: Story, adoption: Adoption) -> None:
    story.send()
    with_files(settings, story)
    manifest(settings, Ledger(settings.ledger).head().as_json())
    (settings.exports / Q1.label / "1" / "indicators.csv").write_text("changed\n")
    told = adoption("verify")
    assert told.exit_code == 1 and "is not as it was published" in " ".join(told.output.split())


# --- publishing under a lock -------------------------------------------------------------


def figures(wales: float, england: float, **more: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "indicator_id": ["W05", "W05"],
            "nation_code": [WALES, ENGLAND],
            "value": [wales, england],
            "title_en": ["Matched", "Matched"],
        }
        | more
    )


def test_published_figures_of_a_locked_nation_do_not_change_without_a_revision(
    settings: Settings, story: Story, declarations: Declarations
) -> None:
    story.send()
    story.tell(story.lock())
    keep(settings, story)
    home = settings.exports / Q1.label
    (home / "1").mkdir(parents=True)
    figures(3.0, 5.0).write_parquet(home / "1" / "indicators.parquet")

    def check(found: pl.DataFrame) -> None:
        refuse_changed_figures(settings, declarations, Q1, home, found)

    check(figures(4.0, 5.0))  # locked, and not published yet
    assert enter_publication(settings, declarations, Q1, 1, NOW)
    assert enter_publication(settings, declarations, Q1, 1, NOW) is None  # noted once
    check(figures(3.0, 6.0))  # England is not locked
    check(figures(3.0, 5.0, unit=["new", "column"]))
    check(figures(3.0, 5.0, title_en=["reworded", "title"]))
    with pytest.raises(FrozenFigures, match=r"locked for Wales .* version 1; 2 lines"):
        check(figures(4.0, 5.0))
    story.events = [dict(event) for event in Ledger(settings.ledger).events()]
    story.ledger_state.apply(story.events[-1])
    story.tell(story.revise())
    keep(settings, story)
    check(figures(4.0, 5.0))
    note = note_for_manifest(settings, declarations, Q1)
    assert note["revisions"][WALES]["revision"] == 2
    assert note["revisions"][WALES]["reasons"][0]["reason"] == "A late return changes the totals."
    assert note["ledger"]["length"] == len(story.events)


def test_an_export_without_a_lock_is_provisional_and_not_noted(
    settings: Settings, story: Story, declarations: Declarations
) -> None:
    story.send()
    keep(settings, story)
    assert enter_publication(settings, declarations, Q1, 1, NOW) is None
    assert enter_publication(settings, declarations, Q2, 1, NOW) is None
    assert note_for_manifest(settings, declarations, Q1)["revisions"] == {}


# --- the list of deliveries --------------------------------------------------------------


def test_the_list_of_deliveries_does_not_pass_a_held_file_off_as_in_force(
    settings: Settings, story: Story, adoption: Adoption
) -> None:
    first = story.send()
    slip = story.send(GWYNEDD)
    story.tell(story.withdraw(slip)).tell(story.lock()).tell(story.publish())
    late = story.send()
    keep(settings, story)
    lines = {line[:7]: line for line in adoption("status").output.splitlines()}
    assert lines[first] == f"{first}  accepted"
    assert lines[late] == f"{late}  accepted, held for the next revision: its quarter is locked"
    assert lines[slip] == f"{slip}  accepted, withdrawn"
    told = json.loads(adoption("status", "--json").output)
    assert [one["state"] for one in told] == ["held", "withdrawn", "in_force"]
