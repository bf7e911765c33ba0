"""Settings of the Dagster instance that the jobs of the command line use."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest
import yaml

from pipelines.commands import run
from pipelines.declarations import DeclarationError
from pipelines.settings import CHECKOUT, SOURCES, Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster-production.yaml"])
def test_dagster_understands_its_settings_and_runs_one_job_at_a_time(
    name: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))
    content.pop("storage", None)  # PostgreSQL needs a package that a checkout does not have
    chosen = tmp_path / name
    chosen.write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(chosen))
    with run.instance(settings) as instance:  # refuses settings that it does not understand
        concurrency = instance.get_settings("concurrency")
        assert concurrency["runs"]["max_concurrent_runs"] == 1
        assert "pools" not in concurrency  # a pool kept the slot of a killed run
        monitoring = instance.get_settings("run_monitoring")
        assert monitoring["enabled"] and monitoring["free_slots_after_run_end_seconds"] == 60
        assert instance.get_settings("telemetry") == {"enabled": False}


def test_a_setting_that_dagster_does_not_know_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "dagster.yaml"
    chosen.write_text("concurrency: {pools: {default: 1}}", encoding="utf-8")
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(chosen))
    with pytest.raises(dg.DagsterInvalidConfigError, match="default"):
        run.instance(settings)


def test_the_environment_is_left_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ADOPTION_DAGSTER_YAML", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere/else")
    with run.instance(settings) as instance:
        assert instance.root_directory == str(settings.dagster_home)
    assert os.environ["DAGSTER_HOME"] == "/somewhere/else"


def test_production_differs_from_a_checkout_in_storage_and_retention_only() -> None:
    checkout, production = (
        yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))
        for name in ("dagster.yaml", "dagster-production.yaml")
    )
    assert set(production) - set(checkout) == {"storage", "retention"}
    assert {name: production[name] for name in checkout} == checkout


def test_settings_of_the_instance_can_be_chosen_and_a_wrong_choice_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ADOPTION_DAGSTER_YAML", raising=False)
    home = run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == (CHECKOUT / "dagster.yaml").read_bytes()
    chosen = CHECKOUT / "dagster-production.yaml"
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(chosen))
    run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == chosen.read_bytes()
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(tmp_path / "none.yaml"))
    with pytest.raises(run.JobFailed, match=r"none\.yaml, which is not a file"):
        run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == chosen.read_bytes()


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (DeclarationError("wales.yaml, line 3: is missing"), "wales.yaml, line 3: is missing"),
        (dg.Failure("a file is missing"), "a file is missing"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (dg.RetryRequested(max_retries=0), "ValueError: somewhere below"),
    ],
)
def test_a_failed_step_says_what_we_raised_and_not_what_that_came_of(
    raised: Exception, said: str
) -> None:
    @dg.op
    def build() -> None:
        raise raised from ValueError("somewhere below")

    @dg.job
    def builds() -> None:
        build()

    result = builds.execute_in_process(raise_on_error=False)
    [failure] = [each for each in result.all_events if each.is_step_failure]
    assert run._cause(failure) == f"build: {said}"


def test_nothing_is_built_with_a_broken_declaration(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(SOURCES, tmp_path / "sources")
    broken = tmp_path / "sources" / "places" / "wales.yaml"
    with broken.open("a", encoding="utf-8") as file:
        file.write("  - [")
    monkeypatch.setattr("pipelines.settings.SOURCES", tmp_path / "sources")
    for job in (run.build, run.take_in):
        with pytest.raises(DeclarationError) as refused:
            job(settings, print)
        assert str(refused.value).startswith(f"{broken}, line ")
        assert "\n" not in str(refused.value)
    assert not settings.data.exists()
