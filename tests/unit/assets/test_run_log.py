"""What a run says on a terminal."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.run_log import plain


ON_A_TERMINAL = {"loggers": {"plain": {"config": {}}}}


def test_the_plain_log_shows_our_sentences_and_none_of_dagsters_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def speak(context) -> None:
        context.log.info("two returns accepted")

    @dg.job(logger_defs={"plain": plain})
    def speaking() -> None:
        speak()

    speaking.execute_in_process(run_config=ON_A_TERMINAL)
    assert capsys.readouterr().err == "  two returns accepted\n"


def test_steps_that_are_not_run_after_a_failed_one_are_not_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def fails(context) -> int:
        context.log.info("looking at every row")
        raise dg.Failure("a row is missing")

    @dg.op
    def follows(number: int) -> None:
        pass

    @dg.job(logger_defs={"plain": plain})
    def failing() -> None:
        follows(fails())

    failing.execute_in_process(run_config=ON_A_TERMINAL, raise_on_error=False)
    assert capsys.readouterr().err == "  looking at every row\n"
