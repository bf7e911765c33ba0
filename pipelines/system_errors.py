"""What the operating system says of a file, in words that may be kept.

Its own text names the file, and a file that somebody sent may be called after a child. Whatever
reaches a terminal, a log or Dagster's memory goes through :func:`in_words` first.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

from pipelines.settings import DBT_PROJECT, SOURCES, Settings

FULL = 1_000_000  # bytes free, below which a volume is called full
WHAT_TO_DO = (
    "What was received and published is as it was: make room, then run the same command again."
)


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


def full_disk(error: BaseException, settings: Settings) -> str | None:
    """Where no space is left and what to do, if that is why ``error`` came; None otherwise.

    Rooms may be volumes of their own. Libraries have errors of their own for it, Polars at times
    "Invalid thrift: transport error": while a volume is full, an error of a library is put down to
    that.
    """
    rooms = [path for path in sorted(settings.data.glob("*")) if path.is_dir()]
    full = [path for path in rooms if shutil.disk_usage(path).free < FULL]
    if isinstance(error, OSError):
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return None
    elif not full and "No space left" not in str(error):
        return None
    if isinstance(error, OSError) and error.filename is not None:
        where = in_words(error, settings)
    else:
        named = full if 0 < len(full) < len(rooms) else [settings.data]
        where = f"{os.strerror(errno.ENOSPC)}: {', '.join(map(str, named))}"
    return f"{where}. {WHAT_TO_DO}"


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
