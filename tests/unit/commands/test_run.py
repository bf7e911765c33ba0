"""Settings of the Dagster instance that the jobs of the command line use."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
import yaml

from pipelines.commands import run
from pipelines.settings import CHECKOUT, Settings

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
