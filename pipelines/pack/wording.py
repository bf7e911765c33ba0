"""Sentences and numbers of a pack as its readers see them, in English or Welsh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipelines.pack.model import (
    CLEAR_DIFFERENCES,
    Comparison,
    IndicatorFigure,
    PackIndicator,
    PackPlace,
)
from pipelines.quarters import Quarter
from pipelines.text.catalogue import N_, Language, translations
from pipelines.text.labels import (
    definition_status_label,
    return_status_label,
    unit_label,
    window_label,
    with_unit,
)

_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)

# What rpt_comparison and fct_indicator say of a figure, as a page says it.
_COMPARISONS = {
    "better": N_("better"),
    "worse": N_("worse"),
    "no different": N_("similar"),
    "too few to tell": N_("too few to tell"),
    "break in series": N_("break in series"),
    "met": N_("met"),
    "not met": N_("not met"),
}

# When a flow happened, by window; a stock is as at a day.
_PERIODS = {
    "quarter": N_("in the quarter"),
    "year_to_date": N_("in the year to date"),
    "rolling_4": N_("over the last four quarters"),
    "rolling_12": N_("over the last twelve quarters"),
}


DEFINITIONS_HAVE_A_STATUS = N_(
    "Each indicator gives the status of its definition: published, partly published, "
    "proposed by this project, or unverified."
)
# Of the internal page, where all statistics are shown; the publishable page has its own.
HOW_TO_READ = (
    N_(
        "A figure with a warning is missing returns that were due, or quarters of its period. "
        "It covers only those who sent a return."
    ),
    N_(
        "A 95% confidence interval shows how much chance there is in a figure: if it were "
        "worked out over and over again, 95 of 100 such intervals would contain the underlying "
        "value. The methods are Wilson for percentages, Student's t for means and Poisson "
        "(exact up to 9, Byar above) for comparing counts. Brothers and sisters are counted as "
        "independent, which they are not, so the intervals are a little too narrow."
    ),
    N_(
        "A figure is called better or worse only where the two 95% confidence intervals do not "
        "touch, or where the benchmark is outside the interval; below ten cases nothing is "
        "said. Both rules are proposed by this project. Whether a benchmark is met depends on "
        "the value alone, however large a part chance may play."
    ),
    N_(
        "Control charts follow NHS England's Making Data Count: the limits are the mean plus "
        "and minus 2.66 times the mean moving range. A signal is a point outside the limits, "
        "seven points in a row on one side of the mean, seven rising or falling, or two of "
        "three in the outer third towards a limit. Limits need twelve quarters without a gap "
        "and an average of five cases a quarter (the five is proposed by this project)."
    ),
    N_("Funnel limits follow Fingertips: 95% and 99.8% around the average of all places shown."),
    DEFINITIONS_HAVE_A_STATUS,
)
# At the head of a page whose data is invented.
SYNTHETIC = N_("Synthetic sample data. No figure on this page describes a real person or service.")


class Wording:
    """Sentences and numbers in one language.

    ``gettext`` and ``ngettext`` are those of the catalogue: English is the text of the code.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.gettext = translations(language).gettext
        self.ngettext = translations(language).ngettext

    def comparison(self, word: str) -> str:
        """``better``, ``not met`` and the like. Raises KeyError for a word the marts do not use."""
        return self.gettext(_COMPARISONS[word])

    def definition_status(self, status: str) -> str:
        return definition_status_label(status, self.language)

    def return_status(self, status: str) -> str:
        return return_status_label(status, self.language)

    def window(self, window_name: str) -> str:
        return window_label(window_name, self.language)

    def period(self, indicator: PackIndicator, quarter: Quarter, window_name: str) -> str:
        """``over the last four quarters``; of a stock the quarter's last day."""
        if indicator.is_stock:
            return self.gettext("on {day}").format(day=self.day(quarter.last_day))
        return self.gettext(_PERIODS[window_name])

    def when(self, indicator: PackIndicator, figure: IndicatorFigure) -> str:
        return self.period(indicator, Quarter.parse(figure.quarter), figure.window_name)

    def day(self, day: date) -> str:
        """``31 March 2021``."""
        return f"{day.day} {self.gettext(_MONTHS[day.month - 1])} {day.year}"

    def months(self, quarter: Quarter) -> str:
        """``January to March 2021``."""
        first, last = quarter.first_day, quarter.last_day
        return self.gettext("{first_month} to {last_month} {year}").format(
            first_month=self.gettext(_MONTHS[first.month - 1]),
            last_month=self.gettext(_MONTHS[last.month - 1]),
            year=last.year,
        )

    def number(self, indicator: PackIndicator, value: float) -> str:
        """``9.1`` in the indicator's decimals, without its unit; ``59.8%`` of a percentage."""
        shown = f"{value:,.{indicator.rounding}f}"
        if shown.startswith("-") and not shown.strip("-0.,"):
            shown = shown[1:]  # the rounded mean of a chart may be a hair below zero
        return f"{shown}%" if indicator.is_share else shown

    def amount(self, indicator: PackIndicator, value: float) -> str:
        """``9.1 months``, ``59.8%``, ``23``: what a count counts is in its title."""
        shown = self.number(indicator, value)
        if indicator.unit in ("months", "days"):
            return with_unit(shown, indicator.unit, self.language)
        return shown

    def chart_line(self, indicator: PackIndicator, value: float) -> str:
        """A mean, median or limit of a chart: counts too get a decimal, which shows on which side
        of a limit a point lies."""
        if indicator.rounding or value >= 100:
            return self.number(indicator, value)
        shown = f"{value:,.1f}"
        return f"{shown}%" if indicator.is_share else shown

    def limit(self, value: float, unit: str) -> str:
        """``13 months``, without decimals that are not there."""
        return with_unit(f"{value:g}", unit, self.language)

    def benchmark(self, indicator: PackIndicator, value: float) -> str:
        """``no more than 13 months``, ``at least 84%``."""
        shown = self.limit(value, indicator.unit)
        if indicator.direction == "higher":
            return self.gettext("at least {value}").format(value=shown)
        return self.gettext("no more than {value}").format(value=shown)

    def shown(self, indicator: PackIndicator, figure: IndicatorFigure) -> str:
        """The value, or why there is none."""
        if figure.value is not None:
            return self.amount(indicator, figure.value)
        return self.gettext("no cases") if figure.denominator == 0 else self.gettext("not known")

    def based_on(self, indicator: PackIndicator, figure: IndicatorFigure) -> str:
        """``52 of 87``, ``mean of 23``; nothing for a count, which is its own base."""
        if figure.denominator is None or figure.numerator is None or not figure.denominator:
            return ""
        count = f"{figure.denominator:,.0f}"
        if indicator.is_share:
            return self.gettext("{numerator} of {denominator}").format(
                numerator=f"{figure.numerator:,.0f}", denominator=count
            )
        return self.gettext("mean of {count}").format(count=count)

    def full(self, indicator: PackIndicator, figure: IndicatorFigure) -> str:
        """``59.8% (52 of 87)``."""
        based_on = self.based_on(indicator, figure)
        return self.shown(indicator, figure) + (f" ({based_on})" if based_on else "")

    def missing(self, figure: IndicatorFigure) -> str:
        """What is not in the figure: ``3 of 4 returns``; empty when all is."""
        if figure.is_complete:
            return ""
        if figure.returns_accepted < figure.returns_expected:
            return self.gettext("{accepted} of {expected} returns").format(
                accepted=figure.returns_accepted, expected=figure.returns_expected
            )
        return self.gettext("{covered} of {all} quarters").format(
            covered=figure.quarters_covered, all=figure.quarters_in_window
        )

    def unit(self, indicator: PackIndicator) -> str:
        return unit_label(indicator.unit, self.language)

    def title(self, indicator: PackIndicator) -> str:
        return indicator.title[self.language]

    def titles(self, indicators: Sequence[PackIndicator]) -> str:
        """Titles in a sentence: without capitals, parted by semicolons since some hold commas."""
        return "; ".join(uncapital(self.title(indicator)) for indicator in indicators)

    def page_title(self, place: PackPlace, quarter: Quarter) -> str:
        """``Adoption performance: Cardiff, 2020-21-Q4``."""
        title = self.gettext("Adoption performance")
        return f"{title}: {place.name[self.language]}, {quarter}"

    def synthetic_label(self) -> str:
        """The first sentence of the note on sample data, for where there is no room for all."""
        return self.gettext(SYNTHETIC).partition(".")[0]

    def earlier(self, figure: IndicatorFigure) -> str:
        """How far back the figure lies that shares no quarter with this one."""
        if figure.window_name == "rolling_12":
            return self.gettext("three years earlier")
        return self.gettext("a year earlier")

    def chance(self, comparison: Comparison | None) -> str:
        """Whether the distance from the benchmark may be chance; empty where nothing compares."""
        compared = comparison.compared_with_benchmark if comparison else None
        if compared is None:
            return ""
        if compared in CLEAR_DIFFERENCES:
            return self.gettext("unlikely to be chance")
        if compared == "no different":
            return self.gettext("could be chance")
        return self.gettext("too few to tell")

    def interval(self, indicator: PackIndicator, low: float, high: float) -> str:
        """``8.1 to 9.4``."""
        return self.range(self.number(indicator, low), self.number(indicator, high))

    def range(self, low: str, high: str) -> str:
        return self.gettext("{low} to {high}").format(low=low, high=high)


def capital(text: str) -> str:
    """``text`` at the beginning of a sentence or label."""
    return text[:1].upper() + text[1:]


def uncapital(title: str) -> str:
    """``Children matched`` within a sentence; an abbreviation keeps its capitals."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
