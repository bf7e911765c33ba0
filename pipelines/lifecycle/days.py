"""Calendar days in Wales and England, which deadlines are counted in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Europe/London")


def local_day(moment: datetime) -> date:
    """The calendar day in Wales and England. A moment without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(LOCAL).date()


def end_of(day: date) -> datetime:
    """The last moment of a day in Wales and England."""
    midnight = datetime.combine(day + timedelta(days=1), time(), LOCAL)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)
