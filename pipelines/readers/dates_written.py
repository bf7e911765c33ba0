"""Dates as people and programs write them: every form that has one meaning, and no other.

Day first, since nobody in Wales or England writes it otherwise; year first; the month in words of
either language, in any place; a spreadsheet's day number; an instant with its zone. A year of two
digits has no one meaning (a date of birth may be of either century), nor has a weekday that is not
that of the date.
"""

from __future__ import annotations

import polars as pl

BLANK = " \t\r\n\f\v\u00a0\u2007\u202f\u200b\ufeff"
# A spreadsheet that has lost a cell's date format shows days since 30 December 1899. Between
# 1 October 1954 and 8 April 2064 such a number has five digits and is nothing else we are sent.
SERIAL_DAYS = range(20_000, 60_001)
# A cell that holds 0 or 12 and is formatted as a date shows a day of January 1900.
YEARS = range(1901, 2101)
# Excel writes one before a text; typed, it is part of no value.
APOSTROPHES = "'\u2018\u2019\u02bc`\u00b4"
# An instant is a day in Wales and England: midnight in July is 23:00 of the day before in UTC.
_ZONE = "Europe/London"

_TIME = r"(?:[T ]\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?)?"
_ISO = rf"^([0-9]{{4}})([-/.])([0-9]{{1,2}})([-/.])([0-9]{{1,2}}){_TIME}$"
_DAY_FIRST = rf"^([0-9]{{1,2}})([/. \\-])([0-9]{{1,2}})([/. \\-])([0-9]{{4}}){_TIME}$"
_COMPACT = r"^((?:19|20)[0-9]{2})([01][0-9])([0-3][0-9])$"  # no ddmmyyyy: its end is no month
_COMPACT_DAY_FIRST = r"^([0-3][0-9])([01][0-9])((?:19|20)[0-9]{2})$"
_ORDINAL = r"(?:st|nd|rd|th|af|ail|ydd|fed|eg|ain)?"
_MONTH = r"(\pL{3,12})"
_DAY_IN_WORDS = rf"^([0-9]{{1,2}}){_ORDINAL}(?:\s+(?:of|o))?[ .,-]*{_MONTH}\.?[ ,.-]*([0-9]{{4}})"
_DAY_IN_WORDS += rf"{_TIME}$"
_MONTH_IN_WORDS = rf"^{_MONTH}\.?[ .-]*([0-9]{{1,2}}){_ORDINAL}[ ,.-]+([0-9]{{4}}){_TIME}$"
_YEAR_IN_WORDS = rf"^([0-9]{{4}})[ ,.-]+{_MONTH}\.?[ .-]+([0-9]{{1,2}}){_ORDINAL}{_TIME}$"
_INSTANT = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"\s?(Z|z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$"
)
AS_ASKED = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})$"
SERIAL = r"^([0-9]{5})(?:\.[0-9]+)?$"
_WEEKDAY = r"^(?:[Dd]ydd\s+)?(\pL{2,9})\.?,?\s+"

_MONTH_NAMES = (
    ("january", "ionawr"),
    ("february", "chwefror"),
    ("march", "mawrth", "fawrth"),
    ("april", "ebrill"),
    ("may", "mai", "fai"),
    ("june", "mehefin", "fehefin"),
    ("july", "gorffennaf", "orffennaf"),
    ("august", "awst"),
    ("september", "medi", "fedi", "sept"),
    ("october", "hydref"),
    ("november", "tachwedd", "dachwedd"),
    ("december", "rhagfyr", "ragfyr"),
)
_MONTHS = {
    name[:length]: number
    for number, names in enumerate(_MONTH_NAMES, start=1)
    for name in names
    # Longest abbreviations in use; a wrong month is no month, never the nearest one.
    for length in {3, 4, 5, len(name)}  # Mar and Maw, Jun and Jul differ in three letters
}
_WEEKDAYS = {
    name[:length]: number
    for number, names in enumerate(
        (
            ("monday", "llun"),
            ("tuesday", "mawrth"),
            ("wednesday", "mercher"),
            ("thursday", "iau"),
            ("friday", "gwener"),
            ("saturday", "sadwrn"),
            ("sunday", "sul"),
        ),
        start=1,
    )
    for name in names
    for length in {3, 4, 5, len(name)}
} | {"tues": 2, "thur": 4, "thurs": 4}


def stripped(text: pl.Expr) -> pl.Expr:
    """Text without outer blanks of any kind, composed (NFC); blank text is null.

    An apostrophe in front is left off too.
    """
    clean = text.str.normalize("NFC").str.strip_chars(BLANK)
    clean = clean.str.strip_chars_start(APOSTROPHES).str.strip_chars_start(BLANK)
    return pl.when(clean != "").then(clean)


def as_date(text: pl.Expr) -> pl.Expr:
    """Dates of stripped text; null where it is no date of the years 1901 to 2100.

    A time of day after the date is left off; of an instant with a zone, the day is that in Wales
    and England.
    """
    tidy = _tidy(text)
    has_weekday = _number_of(tidy.str.extract(_WEEKDAY, 1), _WEEKDAYS)
    # "Mar 17, 2017" begins with the Welsh for Tuesday: what follows a weekday begins with the date.
    without = pl.when(has_weekday.is_not_null()).then(tidy.str.replace(_WEEKDAY, ""))
    after = _day_of(without)
    named = pl.when(after.dt.weekday() == has_weekday).then(after)
    day = pl.coalesce(_day_of(tidy), named)
    return pl.when(day.dt.year().is_between(YEARS.start, YEARS.stop - 1)).then(day)


def _tidy(text: pl.Expr) -> pl.Expr:
    """One kind of hyphen and blank, none around a separator, no full stop at the end."""
    return (
        text.str.replace_all("[\u2010-\u2015\u2212]", "-")
        .str.replace_all("[\u2044\u2215]", "/")
        .str.replace_all(rf"[{BLANK}]+", " ")
        .str.replace_all(r"([0-9\pL]) ?([/.-]) ?([0-9\pL])", "${1}${2}${3}")
        .str.replace_all(r"([0-9]) ?([/.-]) ?([0-9])", "${1}${2}${3}")
        .str.strip_chars_end(".,; ")
    )


def _day_of(text: pl.Expr) -> pl.Expr:
    """The date of a tidy text without a weekday."""
    groups = text.str.extract
    iso = [groups(_ISO, group) for group in (1, 3, 5)]
    day_first = [groups(_DAY_FIRST, group) for group in (5, 3, 1)]
    # Months in words leave no doubt about the order of day and month; digits do, and are read day
    # first.
    in_words = [
        [groups(_DAY_IN_WORDS, 3), _month(groups(_DAY_IN_WORDS, 2)), groups(_DAY_IN_WORDS, 1)],
        [groups(_MONTH_IN_WORDS, 3), _month(groups(_MONTH_IN_WORDS, 1)),
         groups(_MONTH_IN_WORDS, 2)],
        [groups(_YEAR_IN_WORDS, 1), _month(groups(_YEAR_IN_WORDS, 2)), groups(_YEAR_IN_WORDS, 3)],
    ]  # fmt: skip
    serial = groups(SERIAL, 1).cast(pl.Int32)
    serial = pl.when(serial.is_between(SERIAL_DAYS.start, SERIAL_DAYS.stop - 1)).then(serial)
    # Day 0 of a spreadsheet's count is 25,569 days before 1 January 1970.
    return pl.coalesce(
        pl.when(_same_separator(text, _ISO)).then(_calendar_date(iso)),
        pl.when(_same_separator(text, _DAY_FIRST)).then(_calendar_date(day_first)),
        *(_calendar_date(parts) for parts in in_words),
        (serial - 25_569).cast(pl.Date),
        _calendar_date([groups(_COMPACT, group) for group in (1, 2, 3)]),
        _calendar_date([groups(_COMPACT_DAY_FIRST, group) for group in (3, 2, 1)]),
        _day_of_instant(text),
    )


def _day_of_instant(text: pl.Expr) -> pl.Expr:
    zone = text.str.extract(_INSTANT, 3).str.replace("^(?:Z|z|UTC|GMT)$", "+00:00")
    zone = zone.str.replace("^([+-][0-9]{2})([0-9]{2})$", "${1}:${2}")
    instant = pl.concat_str(
        text.str.extract(_INSTANT, 1), pl.lit("T"), text.str.extract(_INSTANT, 2), zone
    )
    return (
        instant.str.to_datetime("%Y-%m-%dT%H:%M%:z", time_zone="UTC", strict=False)
        .dt.convert_time_zone(_ZONE)
        .dt.date()
    )


def _month(name: pl.Expr) -> pl.Expr:
    return _number_of(name, _MONTHS).cast(pl.String)


def _number_of(name: pl.Expr, numbers: dict[str, int]) -> pl.Expr:
    return name.str.to_lowercase().replace_strict(
        list(numbers), list(numbers.values()), default=None, return_dtype=pl.Int8
    )


def _same_separator(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract(pattern, 2) == text.str.extract(pattern, 4)


def _calendar_date(year_month_day: list[pl.Expr]) -> pl.Expr:
    year, month, day = year_month_day
    joined = pl.concat_str(year, pl.lit("-"), month.str.zfill(2), pl.lit("-"), day.str.zfill(2))
    return joined.str.to_date("%Y-%m-%d", strict=False)
