"""What is past its time is listed, then removed; everything that figures rest on stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.intake.conservation import refuse_unless_conserved
from pipelines.intake.landing import stored_file
from pipelines.intake.retention import past_their_time, remove_past_their_time
from pipelines.intake.validated_again import validate_again
from pipelines.lifecycle.decisions import NotAllowed
from pipelines.lifecycle.ledger import Ledger
from tests.unit.intake import test_erasure
from tests.unit.intake.test_erasure import LEAD, bytes_of
from tests.unit.intake.test_take_in import Q2, Collection

taken_in, home = test_erasure.taken_in, test_erasure.home


def last_day(home: Collection, room: str) -> date:
    declared = home.declarations.policies["W92000004"].retention_for(Q2)
    assert declared and declared.status == "proposed"
    return Q2.plus(getattr(declared, f"{room}_quarters")).last_day


def test_until_its_last_day_nothing_is_due(home: Collection) -> None:
    due = past_their_time(home.settings, home.declarations, last_day(home, "landing"))
    assert not due.received and not due.raw
    before = bytes_of(home.settings)
    remove_past_their_time(home.settings, home.declarations, last_day(home, "landing"), LEAD)
    assert bytes_of(home.settings) == before


def test_files_as_sent_go_and_rows_stay(home: Collection) -> None:
    day = last_day(home, "landing") + timedelta(days=1)
    rows = home.validated("child")
    due = remove_past_their_time(home.settings, home.declarations, day, LEAD)
    assert (due.files_by_quarter, due.rows_by_quarter) == ({Q2.label: 4}, {})
    submissions = Ledger(home.settings.ledger).submissions()
    assert not any(stored_file(home.settings, item).exists() for item in submissions)
    assert {item.name for item in submissions} == {""}
    assert home.validated("child").equals(rows)
    refuse_unless_conserved(home.settings)
    again = past_their_time(home.settings, home.declarations, day)
    assert not again.received and not again.raw


def test_raw_rows_go_after_them_and_figures_keep_theirs(home: Collection) -> None:
    day = last_day(home, "raw") + timedelta(days=1)
    rows = home.validated("child")
    due = remove_past_their_time(home.settings, home.declarations, day, LEAD)
    assert due.rows_by_quarter == {Q2.label: 8}
    assert past_their_time(home.settings, home.declarations, day).rows_by_quarter == {}
    assert home.validated("child").equals(rows)
    refuse_unless_conserved(home.settings)
    submissions = Ledger(home.settings.ledger).submissions()
    assert sum(item.returns["child"]["rows_read"] for item in submissions[:3]) == 6
    assert list(validate_again(home.settings, home.declarations, submissions)) == []


def test_only_who_may_erase_may_apply_it(home: Collection) -> None:
    before = bytes_of(home.settings)
    day = last_day(home, "raw") + timedelta(days=1)
    with pytest.raises(NotAllowed):
        remove_past_their_time(home.settings, home.declarations, day, "data_officer")
    assert bytes_of(home.settings) == before


def test_the_command_lists_before_it_removes(
    home: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(home.settings.data))
    monkeypatch.setenv("ADOPTION_KEY_FILE", str(home.settings.key_file))
    before = bytes_of(home.settings)
    day = (last_day(home, "raw") + timedelta(days=1)).isoformat()
    listed = CliRunner().invoke(main, ["retention", "--on", day])
    assert listed.exit_code == 0 and "8 rows" in listed.output
    assert bytes_of(home.settings) == before
    for options in (["--apply", "--on", day, "--role", LEAD], ["--apply"]):
        assert CliRunner().invoke(main, ["retention", *options]).exit_code == 2
    assert bytes_of(home.settings) == before
