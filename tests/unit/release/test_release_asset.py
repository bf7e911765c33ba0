"""The asset ``exports/release``: what its page says of a release, and of one that was refused."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest

import pipelines.publishing.releases as releases
import pipelines.warehouse.published as warehouse
from pipelines.assets.releases import AUDITED, KEY, release
from pipelines.assets.run_locks import RUN_LOCKS
from pipelines.lifecycle.decisions import NotAllowed
from pipelines.quarters import Quarter
from pipelines.release.content import ReleaseError
from pipelines.release.versions import Version

WALES = "W92000004"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(warehouse, "open_warehouse", lambda _: nullcontext())
    return tmp_path


def _released(quarters: list[str], home: Path):
    def made(_, __, ___, body, quarter: Quarter, *, role, reason, say):
        quarters.append(quarter.label)
        one = Version(
            *(body, WALES, quarter, 1, 1, "", role, "", reason, 1234, 0, "", ""), ledger_length=3
        )
        return releases.ReleaseMade(one, home / "data" / "releases" / quarter.label, is_new=True)

    return made


def _run(reason: str = "", last: str = "2020-21-Q4") -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("only", [dg.AssetKey(KEY)])
    resolved = dg.Definitions([release], jobs=[job], resources=RUN_LOCKS).resolve_job_def("only")
    config = {"body": "NAS", "role": "national_director", "reason": reason}
    return resolved.execute_in_process(
        run_config={"ops": {"release": {"config": config}}},
        tags={
            "dagster/asset_partition_range_start": "2020-21-Q3",
            "dagster/asset_partition_range_end": last,
        },
        raise_on_error=False,
    )


def test_quarters_are_released_one_after_the_other_the_oldest_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarters: list[str] = []
    monkeypatch.setattr(releases, "make_release", _released(quarters, home))
    result = _run()
    assert result.success and quarters == ["2020-21-Q3", "2020-21-Q4"]
    told = {
        event.partition: event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert told["2020-21-Q3"]["Release"].value == "NAS/2020-21-Q3/1"
    assert told["2020-21-Q4"]["Figures"].value == 1234
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (AUDITED, True)


@pytest.mark.parametrize("refusal", [ReleaseError, NotAllowed])
def test_a_refused_release_is_red_and_says_why_in_our_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    def refused(*_, **__):
        raise refusal("the audit found a number that readers could work out")

    monkeypatch.setattr(releases, "make_release", refused)
    result = _run(last="2020-21-Q3")
    assert not result.success
    (failure,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    error = failure.step_failure_data.error
    assert error is not None and "the audit found a number" in error.message
    assert not result.get_asset_materialization_events()


def test_an_error_that_is_not_ours_is_told_without_its_text(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_, **__):
        raise ValueError("a child of four")

    monkeypatch.setattr(releases, "make_release", broken)
    result = _run(last="2020-21-Q3")
    assert not result.success
    assert not any("a child of four" in str(event) for event in result.all_events)
