"""Days as people write them."""

from __future__ import annotations

from datetime import date

from pipelines.text.catalogue import Language


def long_day(day: date, language: Language) -> str:
    """``30 July 2025``, ``30 Gorffennaf 2025``."""
    from babel.dates import format_date

    return format_date(day, "d MMMM y", locale=language)
