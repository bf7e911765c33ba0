"""What an error of a run never says."""

from __future__ import annotations

import warnings

import polars as pl
import pytest

from pipelines.lifecycle.ledger import Ledger, LedgerBusy
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from tests.unit.assets.conftest import SECRET

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.run_errors import UnexpectedError, ledger_held, no_values_in_errors


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        KeyError(SECRET),
        pl.exceptions.InvalidOperationError(f"conversion failed for {SECRET}"),
        pl.exceptions.PanicException(f"index out of bounds: {SECRET}"),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_text_of_a_foreign_error_is_not_passed_on(error: BaseException) -> None:
    import traceback

    with pytest.raises(UnexpectedError) as caught, no_values_in_errors():
        try:
            raise KeyError(SECRET)  # an error that was being handled when the other came
        except KeyError:
            raise error from ValueError(SECRET)
    text = "".join(traceback.format_exception(caught.value))
    assert SECRET not in text.replace(f'"{SECRET}"', "")
    assert type(error).__name__ in str(caught.value)


def test_the_place_of_a_foreign_error_is_reported() -> None:
    place = r"ValueError in parse, line \d+;"
    with pytest.raises(UnexpectedError, match=place) as caught, no_values_in_errors():
        Quarter.parse(SECRET)  # whose own sentence repeats what it could not read
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [LedgerBusy("another process is taking returns in"), KeyboardInterrupt(), SystemExit(3)],
    ids=lambda error: type(error).__name__,
)
def test_our_own_sentences_and_a_stop_are_passed_on(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, no_values_in_errors():
        raise error
    assert caught.value is error


def test_a_step_waits_for_a_busy_ledger_and_tries_again(settings: Settings) -> None:
    ledger = Ledger(settings.ledger)
    with ledger.held(), pytest.raises(dg.RetryRequested) as caught, ledger_held(ledger):
        pass
    assert caught.value.max_retries > 1
    with ledger_held(ledger):
        pass


def test_a_step_that_fails_gives_no_text_and_releases_the_ledger(
    settings: Settings,
) -> None:
    ledger = Ledger(settings.ledger)
    with pytest.raises(UnexpectedError) as caught, ledger_held(ledger):
        raise ValueError(SECRET)
    assert SECRET not in str(caught.value)
    with ledger.held():
        pass


def test_a_full_disk_is_told_in_our_words_whoever_noticed_it(settings: Settings) -> None:
    settings.validated.mkdir(parents=True)
    with pytest.raises(dg.Failure, match="No space left on device") as told, no_values_in_errors():
        raise pl.exceptions.ComputeError("REF-1: No space left on device (os error 28)")
    assert "make room" in str(told.value.description)
    assert str(settings.data) in str(told.value.description)
    assert "REF-1" not in str(told.value.description)
