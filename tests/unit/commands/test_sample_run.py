"""The sample run empties only what a sample run made."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.commands.sample import SampleRefused
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import Settings


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the sample run does after it has made room."""
    steps: list[str] = []

    def stop(*_: object, **__: object) -> None:
        steps.append("writing")
        raise SampleRefused("stopped here")

    monkeypatch.setattr("pipelines.samples.deliveries.write_deliveries", stop)
    return steps


def _run() -> str:
    result = CliRunner().invoke(main, ["sample-run"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    return result.output


def test_a_folder_of_somebody_elses_is_left_alone(settings: Settings, begun: list[str]) -> None:
    thesis = settings.exports / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("mine", encoding="utf-8")
    assert "was not made by a sample run" in _run()
    assert thesis.read_text(encoding="utf-8") == "mine"
    assert begun == []


def test_a_new_folder_is_used_and_used_again(settings: Settings, begun: list[str]) -> None:
    _run()
    (settings.exports / "2020-21-Q4").mkdir(parents=True)
    _run()
    assert begun == ["writing", "writing"]
    assert not settings.exports.exists()


def test_a_folder_that_was_only_prepared_is_used(settings: Settings, begun: list[str]) -> None:
    """The first command of the README prepares, and then runs the sample."""
    prepared = settings.dagster_home / "dagster.yaml"
    prepared.parent.mkdir(parents=True)
    prepared.write_text("storage: {}\n", encoding="utf-8")
    _run()
    assert begun == ["writing"]


def test_a_file_waiting_in_the_inbox_is_not_thrown_away(
    settings: Settings, begun: list[str]
) -> None:
    _run()
    settings.inbox.mkdir(parents=True, exist_ok=True)
    waiting: Path = settings.inbox / "return.xlsx"
    waiting.write_bytes(b"x")
    assert "files waiting in its inbox" in _run()
    assert waiting.exists()


def test_a_real_return_is_not_thrown_away_even_if_it_was_refused(
    settings: Settings, begun: list[str]
) -> None:
    _run()
    Ledger(settings.ledger).append(
        {
            "event": "received",
            "submission_id": "S000001-x",
            "delivery_number": 1,
            "sha256": "x",
            "extension": ".xlsx",
            "name": "return.xlsx",
            "received_at": "2021-05-01T10:00:00+00:00",
            "sender_code": "W06000015",
            "quarter": "2020-21-Q4",
            "is_synthetic": False,
        }
    )
    assert "not synthetic" in _run()
    assert settings.ledger.exists()
