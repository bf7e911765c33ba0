"""What a run says while it works, and what it never says."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.declarations import DeclarationError
from pipelines.ledger import LedgerBusy, LedgerError
from pipelines.pseudonyms import KeyFileError

OURS = (DeclarationError, LedgerBusy, LedgerError, KeyFileError, OSError)


class UnexpectedError(Exception):
    """A fault of the program, told without its text: that may hold a value of a child's row."""


@contextmanager
def no_values_in_errors() -> Iterator[None]:
    """Dagster keeps the text of exceptions; keep only the kind and the place of foreign ones."""
    try:
        yield
    except OURS:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if "pipelines" in frame.filename or "expectations" in frame.filename
        ]
        place = ours[-1] if ours else where
        raise UnexpectedError(
            f"{type(error).__name__} in {place.name}, line {place.lineno}; its text is not shown "
            "because it may hold a value of a row. Nothing was lost: run the job again, and "
            "report this line if it comes back."
        ) from None


@dg.logger(description="The run's own sentences, one a line, as progress on a terminal.")
def plain(init_context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("plain", logging.INFO)
    handler = logging.StreamHandler()
    handler.addFilter(_is_a_sentence)
    handler.setFormatter(_Sentence())
    logger.addHandler(handler)
    return logger


def _is_a_sentence(record: logging.LogRecord) -> bool:
    return getattr(record, "dagster_meta", {}).get("dagster_event") is None


class _Sentence(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"  {record.dagster_meta['orig_message']}"
