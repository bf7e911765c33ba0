"""Errors of a run: Dagster keeps their text for years, so it may hold no value of a child's row."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from pipelines.declarations import DeclarationError
from pipelines.lifecycle.ledger import Ledger, LedgerBusy, LedgerError
from pipelines.settings import Settings
from pipelines.system_errors import full_disk, safe_error

STOPS = (
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
    dg.DagsterExecutionInterruptedError,
)


class UnexpectedError(Exception):
    """A fault of the program, reported without its text: it may hold a value of a child's row."""


def _ours() -> tuple[type[Exception], ...]:
    """Errors whose text is ours and names no value. Imported once there is an error: the modules of
    some would keep 25 MB of polars in a process that only serves the UI."""
    from pipelines.intake.pseudonyms import KeyFileError
    from pipelines.lifecycle.decisions import NotAllowed
    from pipelines.lifecycle.free_text import NamesSomebody
    from pipelines.lifecycle.publication import FrozenFigures
    from pipelines.pack.places import PackError
    from pipelines.publishing.internal_files import ExportError
    from pipelines.release.content import ReleaseError
    from pipelines.warehouse.published import WarehouseError

    return (
        DeclarationError,
        ExportError,
        FrozenFigures,
        KeyFileError,
        LedgerBusy,
        LedgerError,
        NamesSomebody,
        NotAllowed,
        PackError,
        ReleaseError,
        WarehouseError,
    )


@contextmanager
def no_values_in_errors() -> Generator[None]:
    """Replace errors that are not ours by an UnexpectedError, which names their kind and place, and
    the text of the operating system, which names files, by one that names none that was sent."""
    try:
        yield
    except STOPS:
        raise
    except BaseException as error:  # a panic of polars is no Exception
        if isinstance(error, _ours()):
            raise
        settings = Settings.from_environment()
        if words := full_disk(error, settings):
            raise dg.Failure(words) from None
        if isinstance(error, OSError):
            raise safe_error(error, settings) from None
        frames = traceback.extract_tb(error.__traceback__)
        ours = [
            frame
            for frame in frames
            if "pipelines" in frame.filename or "expectations" in frame.filename
        ]
        place = (ours or frames)[-1]
        raise UnexpectedError(
            f"{type(error).__name__} in {place.name}, line {place.lineno}; its text is not shown "
            "because it may hold a value of a row. Nothing was lost: run the job again, and "
            "report this line if it comes back."
        ) from None


@contextmanager
def ledger_held(ledger: Ledger) -> Generator[None]:
    """Hold the ledger for a step; wait and try again while another process holds it."""
    try:
        with no_values_in_errors(), ledger.held():
            yield
    except LedgerBusy as busy:
        raise dg.RetryRequested(max_retries=12, seconds_to_wait=10) from busy
