"""What a run says while it works, and what it never says."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.declarations import DeclarationError
from pipelines.lifecycle.ledger import Ledger, LedgerBusy, LedgerError

STOPS = (
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
    dg.DagsterExecutionInterruptedError,
)


class UnexpectedError(Exception):
    """A fault of the program, told without its text: that may hold a value of a child's row."""


def _ours() -> tuple[type[Exception], ...]:
    """Errors whose text is ours and names no value. Looked up when there is one: the modules of
    some would keep 25 MB of polars in a process that only shows pages."""
    from pipelines.intake.pseudonyms import KeyFileError
    from pipelines.lifecycle.decisions import NotAllowed
    from pipelines.lifecycle.free_text import NamesSomebody
    from pipelines.lifecycle.publication import FrozenFigures
    from pipelines.pack.pages import PackError
    from pipelines.publishing.internal_files import ExportError
    from pipelines.release.content import ReleaseError
    from pipelines.warehouse.published import WarehouseError

    of_the_ledger = (DeclarationError, LedgerBusy, LedgerError)
    of_exports = (ExportError, FrozenFigures, PackError)
    of_releases = (ReleaseError, NotAllowed, NamesSomebody)
    of_files = (KeyFileError, WarehouseError, OSError)
    return (*of_the_ledger, *of_exports, *of_releases, *of_files)


@contextmanager
def no_values_in_errors() -> Iterator[None]:
    """Dagster keeps the text of exceptions; keep only the kind and the place of foreign ones."""
    try:
        yield
    except STOPS:
        raise
    except BaseException as error:  # a panic of polars is no Exception
        if isinstance(error, _ours()):
            raise
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


@contextmanager
def ledger_held(ledger: Ledger) -> Iterator[None]:
    """Hold the ledger for a step; wait and try again while another process holds it."""
    try:
        with no_values_in_errors(), ledger.held():
            yield
    except LedgerBusy as busy:
        raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy


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
