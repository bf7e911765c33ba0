"""Counts of the faults, and their results kept when asked for."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.faults.table import PAGE, Trial, page, write_result

TRIAL = pytest.StashKey[Trial]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_const", const=1.0, dest="share", help="faults at their full counts"
    )
    parser.addoption("--share", type=float, dest="share", help="faults at this share of them")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(declaration): a row of the table of faults")


def _share(config: pytest.Config) -> float | None:
    return config.getoption("share", default=None)


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """The fault that the test declares, with the count asked for."""
    marker = request.node.get_closest_marker("fault")
    assert marker is not None, "declare it with @fault(…)"
    declared = marker.args[0]
    share = _share(request.config)
    count = declared.few if share is None else max(1, round(declared.full * share))
    if count == 0:
        pytest.skip("too long for the ordinary check")
    trial = request.node.stash[TRIAL] = Trial(declared, count)
    return trial


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if TRIAL in item.stash and _share(item.config) is not None:
        trial = item.stash[TRIAL]
        if report.when == "call" or not report.passed:
            skipped = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            write_result(item.name, trial, skipped or report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _share(session.config) is not None and PAGE.exists():
        PAGE.write_text(page(), encoding="utf-8")
