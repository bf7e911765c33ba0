"""What Tab offers, and that it comes at once."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from pipelines.cli import EXPLAINED, NEED_WAREHOUSE, RENAMED, SECTIONS, main
from pipelines.declarations import Declarations
from pipelines.settings import CHECKOUT, Settings

HEAVY = ("dagster", "dbt", "duckdb", "numpy", "pandas", "polars", "pydantic", "rich", "scipy")


def _offered(*words: str) -> list[str]:
    *before, incomplete = words
    completion = ShellComplete(main, {}, "adoption", "_ADOPTION_COMPLETE")
    return [item.value for item in completion.get_completions(list(before), incomplete)]


def test_an_indicator_is_offered_by_its_id(declarations: Declarations) -> None:
    assert _offered("explain", "w11c") == ["W11C", "W11C_SIX_MONTHS"]
    assert _offered("explain", "") == sorted(declarations.indicators)


def test_places_are_offered_by_code_or_by_name_in_either_language() -> None:
    assert "W06000015" in _offered("explain", "W05", "W0600001")
    assert _offered("explain", "W05", "cardif") == ["Cardiff"]
    assert _offered("explain", "W05", "Caerdy") == ["Caerdydd"]
    assert _offered("explain", "W05", "Ynys M") == ["W06000001"]  # a blank would end the word


def test_only_who_owes_a_return_is_offered_as_a_sender(declarations: Declarations) -> None:
    offered = set(_offered("history", ""))
    assert offered == set(declarations.senders)
    assert "W92000004" not in offered


def test_quarters_are_offered_the_newest_first() -> None:
    offered = _offered("publish", "2019-20")
    assert offered == ["2019-20-Q4", "2019-20-Q3", "2019-20-Q2", "2019-20-Q1"]


def test_roles_are_those_of_the_policies(declarations: Declarations) -> None:
    declared = {role.role for policy in declarations.policies.values() for role in policy.roles}
    assert set(_offered("sign-off", "S1", "--role", "")) == declared


def test_bodies_are_those_that_have_a_policy(declarations: Declarations) -> None:
    assert set(_offered("release", "")) == {one.body for one in declarations.policies.values()}


def test_nations_are_offered_by_name() -> None:
    assert _offered("lock", "2020-21-Q4", "--nation", "w") == ["Wales"]


def test_submissions_are_offered_from_the_ledger_without_their_files_names(
    settings: Settings,
) -> None:
    assert _offered("report", "S") == []
    settings.ledger.parent.mkdir(parents=True)
    lines = [
        {"event": "received", "submission_id": f"S00000{n}-aa", "name": "Gwen Rhys.xlsx"}
        for n in (1, 2)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    settings.ledger.write_text(text, encoding="utf-8")
    assert _offered("report", "S") == ["S000002-aa", "S000001-aa"]


def test_help_and_tab_start_without_heavy_libraries() -> None:
    program = f"import sys, pipelines.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli import main; main(prog_name='adoption')"],
        cwd=CHECKOUT,
        env={**os.environ, "_ADOPTION_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
    )
    if shell == "bash" and "version" in run.stderr:
        pytest.skip("this bash is too old for completion")
    assert "_ADOPTION_COMPLETE" in run.stdout


def test_every_command_has_its_section_in_the_help() -> None:
    listed = [command.name or "" for commands in SECTIONS.values() for command in commands]
    assert sorted(listed) == sorted(main.commands)
    assert {*RENAMED.values(), *NEED_WAREHOUSE} <= set(listed)


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_a_renamed_command_keeps_its_old_name_and_mentions_the_new_one(old: str, new: str) -> None:
    result = CliRunner().invoke(main, [old, "--help"])
    assert result.exit_code == 0
    assert result.stderr == f"`adoption {old}` is now called `adoption {new}`.\n"
    assert (
        result.stdout.split("\n", 1)[1]
        == (CliRunner().invoke(main, [new, "--help"]).stdout.split("\n", 1)[1])
    )
    assert f"  {old} " not in CliRunner().invoke(main, ["--help"]).stdout


def test_every_error_that_explains_itself_exists_where_it_is_said_to_be() -> None:
    """The program looks only at modules that are loaded, so a wrong name would not be noticed."""
    for module, classes in EXPLAINED.items():
        for name in classes:
            assert issubclass(getattr(importlib.import_module(module), name), Exception)


def _examples(command: click.Command) -> list[str]:
    lines = [line.strip() for line in (command.help or "").splitlines()]
    return [line for line in lines if line.startswith("adoption ")]


def test_every_command_shows_an_example_unless_it_needs_none() -> None:
    plain = {
        name
        for name, found in main.commands.items()
        if not any(line.split()[1] == name for line in _examples(found))
    }
    assert plain <= {"prepare"}


def test_every_option_of_an_example_exists() -> None:
    for name, found in main.commands.items():
        for line in _examples(found):
            words = line.split()
            options = {name for item in main.commands[words[1]].params for name in item.opts}
            assert {word for word in words if word.startswith("--")} <= options, (name, line)
