"""A return that is half copied, at every way in: nothing is lost, and once whole it is taken."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pipelines.commands import run
from pipelines.intake import inbox as looking
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings
from tests.unit.assets.conftest import SECRET, Inbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.landing import deliveries
    from pipelines.assets.run_locks import RUN_LOCKS


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SECONDS_BETWEEN_LOOKS", 0.05)


def by_command(inbox: Inbox) -> None:
    """Its first half; the job that follows is left out."""
    said: list[str] = []
    run.take_in(inbox.settings, said.append)
    assert any("still arriving" in line for line in said) or inbox.submissions()


def by_step(inbox: Inbox) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = dg.materialize([deliveries], instance=inbox.instance, resources=RUN_LOCKS)
    assert result.success
    kept = "".join(entry.to_json() for entry in inbox.instance.all_logs(result.dagster_run.run_id))
    assert "SECRET" not in kept


def by_sensor(inbox: Inbox) -> None:
    for _ in range(3):
        inbox.look()


@pytest.mark.parametrize("way_in", [by_command, by_step, by_sensor])
def test_a_half_copied_return_is_left_and_taken_once_it_is_whole(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, way_in: Any
) -> None:
    monkeypatch.setattr(run, "_run", lambda *arguments, **options: True)
    path = inbox.drop(f"{SECRET}.zip")
    content = path.read_bytes()
    for share in (1, 5, 9):
        path.write_bytes(content[: len(content) * share // 10])
        way_in(inbox)
        assert path.read_bytes() == content[: len(content) * share // 10]
        assert not inbox.settings.ledger.exists() or inbox.submissions() == []
    path.write_bytes(content)
    way_in(inbox)
    assert [item.status for item in inbox.submissions()] == ["received"]
    assert not path.exists()


def test_a_half_copied_file_given_by_name_is_said_and_not_taken(
    inbox: Inbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_run", lambda *arguments, **options: True)
    path = inbox.drop("given.zip")
    whole = inbox.drop("whole.zip", version=2)
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    said: list[str] = []
    assert run.take_in(settings, said.append, [path, whole], wait=0.2) is False
    (sentence,) = [line for line in said if "given.zip" in line]
    assert "not taken in: its end is missing" in sentence
    assert [item.name for item in Ledger(settings.ledger).submissions()] == ["whole.zip"]
    path.write_bytes(content)
    assert run.take_in(settings, said.append, [path], wait=0.2) is True
    assert len(inbox.submissions()) == 2 and path.exists() and whole.exists()
