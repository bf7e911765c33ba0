"""What the operating system says of a file, in words that may be kept.

Its own text names the file, and a file that somebody sent may be called after a child. Whatever
reaches a terminal, a log or Dagster's memory goes through :func:`in_words` first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.settings import DBT_PROJECT, SOURCES, Settings


def in_words(error: OSError, settings: Settings) -> str:
    """Why a file operation failed and where, in one line.

    A file inside the data folder is named, since this program chose its name; one in the inbox, or
    anywhere else, is not.
    """
    named = [name for name in (error.filename2, error.filename) if name is not None]
    if error.errno is None:  # a library's words, which may hold a path
        return f"a file could not be read or written ({type(error).__name__})"
    if not named:
        return error.strerror or os.strerror(error.errno)
    places = dict.fromkeys(_place(name, settings) for name in named)
    return f"{os.strerror(error.errno)}: {', '.join(places)}"


def safe_error(error: OSError, settings: Settings) -> OSError:
    """The same error with the words of :func:`in_words`; raise it ``from None``."""
    words = in_words(error, settings)
    return OSError(words) if error.errno is None else OSError(error.errno, words)


def _place(name: object, settings: Settings) -> str:
    if not isinstance(name, str | bytes):
        return "an open file"
    path = Path(os.path.abspath(os.fsdecode(name)))
    if path.is_relative_to(settings.inbox):
        return f"a file in {settings.inbox}"
    programs = (SOURCES, DBT_PROJECT, Path(__file__).parent, Path(sys.prefix))
    ours = (settings.data, settings.key_file.parent, *programs)
    if any(path.is_relative_to(folder) for folder in ours):
        return str(path)
    return "a file outside the data folder"
