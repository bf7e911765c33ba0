"""What commands open: the declarations, only once a command needs them.

Reading them brings pydantic and polars along. Help and Tab need neither: with them at the top of
every module `adoption --help` took 0.7 CPU seconds, without 0.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations import Declarations


def declared() -> Declarations:
    """Everything under ``sources/``. Raises DeclarationError."""
    from pipelines.declarations import Declarations
    from pipelines.settings import SOURCES

    return Declarations(SOURCES)
