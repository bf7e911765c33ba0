"""What a run says on a terminal."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.run_log import plain


def test_the_plain_log_shows_our_sentences_and_none_of_dagsters_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def speak(context) -> None:
        context.log.info("two returns accepted")

    @dg.job(logger_defs={"plain": plain})
    def speaking() -> None:
        speak()

    speaking.execute_in_process(run_config={"loggers": {"plain": {"config": {}}}})
    assert capsys.readouterr().err == "  two returns accepted\n"
