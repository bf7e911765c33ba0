"""Labels that several parts show: windows, statuses of definitions and returns, units.

One wording for all of them, in English and Welsh, so that a window has the same name on a page,
in a released file and in an explanation.
"""

from __future__ import annotations

from pipelines.text.catalogue import N_, Language, translations

# Keys are ``window_name`` of the marts, in the order in which windows are listed.
WINDOWS: dict[str, str] = {
    "quarter": N_("Quarter"),
    "year_to_date": N_("Year to date"),
    "rolling_4": N_("Last four quarters"),
    "rolling_12": N_("Last twelve quarters"),
    "financial_year": N_("Financial year"),
}

# Any number that is none of Welsh's special ones (0, 1, 2, 3, 6): of "9.1 months" and the like.
_NO_SPECIAL_NUMBER = 99


def window_label(window_name: str, language: Language) -> str:
    """``Last four quarters``. Raises KeyError for a window that is not in WINDOWS."""
    return translations(language).gettext(WINDOWS[window_name])


def definition_status_label(status: str, language: Language) -> str:
    """How far a definition (or another declared fact) is public; unknown ones stay as they are."""
    pgettext = translations(language).pgettext
    labels = {
        "published": pgettext("status of a definition", "published"),
        "partly published": pgettext("status of a definition", "partly published"),
        "proposed": pgettext("status of a definition", "proposed"),
        "unverified": pgettext("status of a definition", "unverified"),
        "sourced": pgettext("status of a definition", "sourced"),
    }
    return labels.get(status, status)


def return_status_label(status: str, language: Language) -> str:
    """What became of a return that is due (``fct_return``); unknown ones stay as they are."""
    pgettext = translations(language).pgettext
    labels = {
        "accepted": pgettext("status of a return", "accepted"),
        "nil": pgettext("status of a return", "nil"),
        "refused": pgettext("status of a return", "refused"),
        "received": pgettext("status of a return", "received, not yet validated"),
        "missing": pgettext("status of a return", "missing"),
        "held": pgettext("status of a return", "held for the next revision"),
    }
    return labels.get(status, status)


def unit_label(unit: str, language: Language) -> str:
    """The unit of an indicator by itself, as in a heading: ``children``, ``percentage``.

    Raises KeyError for a unit that no indicator may have.
    """
    pgettext = translations(language).pgettext
    labels = {
        "children": pgettext("unit", "children"),
        "households": pgettext("unit", "households"),
        "families": pgettext("unit", "families"),
        "people": pgettext("unit", "people"),
        "requests": pgettext("unit", "requests"),
        "assessments": pgettext("unit", "assessments"),
        "plans": pgettext("unit", "plans"),
        "arrangements": pgettext("unit", "arrangements"),
        "exchanges": pgettext("unit", "exchanges"),
        "percent": pgettext("unit", "percentage"),
        "days": pgettext("unit", "days"),
        "months": pgettext("unit", "months"),
    }
    return labels[unit]


def with_unit(number: str, unit: str, language: Language) -> str:
    """A number, formatted already, with its unit: ``1 child``, ``9.1 months``, ``59.8%``.

    Raises KeyError for a unit that no indicator may have.
    """
    if unit == "percent":
        return f"{number}%"
    count = int(number) if number.isdecimal() else _NO_SPECIAL_NUMBER
    ngettext = translations(language).ngettext
    sentences = {
        "children": ngettext("{number} child", "{number} children", count),
        "households": ngettext("{number} household", "{number} households", count),
        "families": ngettext("{number} family", "{number} families", count),
        "people": ngettext("{number} person", "{number} people", count),
        "requests": ngettext("{number} request", "{number} requests", count),
        "assessments": ngettext("{number} assessment", "{number} assessments", count),
        "plans": ngettext("{number} plan", "{number} plans", count),
        "arrangements": ngettext("{number} arrangement", "{number} arrangements", count),
        "exchanges": ngettext("{number} exchange", "{number} exchanges", count),
        "days": ngettext("{number} day", "{number} days", count),
        "months": ngettext("{number} month", "{number} months", count),
    }
    return sentences[unit].format(number=number)
