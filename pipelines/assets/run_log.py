"""The sentences of a run on a terminal."""

from __future__ import annotations

import logging

import dagster as dg


@dg.logger(
    config_schema=None,
    description="The run's own sentences, one a line, as progress on a terminal.",
)
def plain(init_context: dg.InitLoggerContext) -> logging.Logger:
    """A logger that prints the run's own sentences and none of Dagster's events."""
    logger = logging.Logger("plain", logging.INFO)
    handler = logging.StreamHandler()
    handler.addFilter(_is_a_sentence)
    handler.setFormatter(_Sentence())
    logger.addHandler(handler)
    return logger


def _is_a_sentence(record: logging.LogRecord) -> bool:
    """Dagster logs its own events as well, about ten a step, which say nothing to a user; and as an
    error each step after a failed one, with the failed one's name for every asset it makes: seventy
    times for a build. Why a run failed is said at its end, by the command."""
    is_event = getattr(record, "dagster_meta", {}).get("dagster_event") is not None
    return not is_event and record.levelno < logging.ERROR


class _Sentence(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # The message without the run's id and the step's name, which Dagster puts before it.
        return f"  {getattr(record, 'dagster_meta', {}).get('orig_message', record.getMessage())}"
