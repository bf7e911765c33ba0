"""What the states of returns and deliveries are called, and who has to do the next step."""

from __future__ import annotations

from typing import Literal

from pipelines.text.catalogue import N_, Language, translations

ReturnState = Literal[
    "expected",
    "overdue",
    "received",
    "rejected",
    "to_confirm",
    "withdrawn",
    "errors",
    "queries_open",
    "queries_answered",
    "checked",
    "nil",
    "signed_off",
    "accepted",
    "locked",
    "published",
    "revised",
    "held",
]
DeliveryState = Literal[
    "received",
    "rejected",
    "to_confirm",
    "duplicate",
    "in_force",
    "superseded",
    "withdrawn",
    "held",
]
Actor = Literal["sender", "national_team", "nobody"]
SignOffState = Literal["none", "valid", "void_data", "void_rules", "void_query"]

# Who has to do the next step.
ACTS_NEXT: dict[ReturnState, Actor] = {
    "expected": "sender",
    "overdue": "sender",
    "received": "nobody",
    "rejected": "sender",
    "to_confirm": "sender",
    "withdrawn": "sender",
    "errors": "sender",
    "queries_open": "sender",
    "queries_answered": "sender",
    "checked": "sender",
    "nil": "sender",
    "signed_off": "national_team",
    "accepted": "national_team",
    "locked": "national_team",
    "published": "nobody",
    "revised": "nobody",
    "held": "national_team",
}

NOT_IN: frozenset[ReturnState] = frozenset({"expected", "overdue", "rejected", "withdrawn"})
TO_BE_ANSWERED: frozenset[ReturnState] = frozenset({"errors", "queries_open", "to_confirm"})
TO_BE_SIGNED_OFF: frozenset[ReturnState] = frozenset({"queries_answered", "checked", "nil"})

_SIGN_OFFS: dict[SignOffState, str] = {
    "none": N_("not signed off"),
    "valid": N_("signed off"),
    "void_data": N_("void: the data changed"),
    "void_rules": N_("void: the rules changed"),
    "void_query": N_("void: a query was reopened"),
}


def state_word(state: ReturnState, language: Language) -> str:
    """A state in a word or two that fit a cell."""
    pgettext = translations(language).pgettext
    words: dict[ReturnState, str] = {
        "expected": pgettext("state of a return", "expected"),
        "overdue": pgettext("state of a return", "overdue"),
        "received": pgettext("state of a return", "received"),
        "rejected": pgettext("state of a return", "rejected"),
        "to_confirm": pgettext("state of a return", "to confirm"),
        "withdrawn": pgettext("state of a return", "withdrawn"),
        "errors": pgettext("state of a return", "errors"),
        "queries_open": pgettext("state of a return", "queries open"),
        "queries_answered": pgettext("state of a return", "answered"),
        "checked": pgettext("state of a return", "checked"),
        "nil": pgettext("state of a return", "nil"),
        "signed_off": pgettext("state of a return", "signed off"),
        "accepted": pgettext("state of a return", "accepted"),
        "locked": pgettext("state of a return", "locked"),
        "published": pgettext("state of a return", "published"),
        "revised": pgettext("state of a return", "revised"),
        "held": pgettext("state of a return", "held"),
    }
    return words[state]


def actor_word(actor: Actor, language: Language) -> str:
    """Who acts next, in a word that fits a cell."""
    pgettext = translations(language).pgettext
    words: dict[Actor, str] = {
        "sender": pgettext("who acts next", "sender"),
        "national_team": pgettext("who acts next", "national team"),
        "nobody": pgettext("who acts next", "nobody"),
    }
    return words[actor]


def sign_off_words(sign_off: SignOffState, language: Language) -> str:
    """Whether a return is signed off, and if not any more, why."""
    return translations(language).gettext(_SIGN_OFFS[sign_off])
