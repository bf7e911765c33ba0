"""What people write after a command: names as well as codes, and what is said of slips."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.commands.arguments import SENDER
from pipelines.settings import Settings


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("W06000015", "W06000015"),
        ("Cardiff", "W06000015"),
        ("caerdydd", "W06000015"),
        ("ynys mon", "W06000001"),
        ("Adoption in Merseyside", "AIM"),
        ("vvc", "VVC"),
    ],
)
def test_a_sender_is_known_by_code_or_by_name(written: str, code: str) -> None:
    assert SENDER.convert(written, None, None) == code


@pytest.mark.parametrize("written", ["Cardif", "Wales", "", "W0600001"])
def test_who_owes_nothing_is_no_sender(written: str) -> None:
    with pytest.raises(click.BadParameter, match="there is no sender called"):
        SENDER.convert(written, None, None)


def test_a_slip_of_the_pen_is_told_with_what_may_be_meant() -> None:
    told = _call("history", "Cardif", "2020-21-Q4")
    assert told.exit_code == 2
    assert "W06000015 (Cardiff)" in told.output


def test_a_command_that_is_nearly_one_is_guessed_at() -> None:
    told = _call("stauts")
    assert told.exit_code == 2
    assert "status" in told.output


def test_a_pack_with_place_and_quarter_changed_over_says_which_comes_last() -> None:
    told = _call("pack", "2020-21-Q4", "Cardiff")
    assert told.exit_code == 2
    assert "'Cardiff' is not a quarter" in told.output and "comes last" in told.output


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_there_under_both_names(option: str) -> None:
    told = _call(option)
    assert told.exit_code == 0
    assert "Before a return is sent" in told.output


def test_the_help_names_every_command(settings: Settings) -> None:
    lines = [line.split() for line in _call("--help").output.splitlines() if line.strip()]
    first = {words[0] for words in lines}
    assert set(main.commands) <= first
