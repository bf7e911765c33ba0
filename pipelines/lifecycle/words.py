"""What the states of returns and deliveries are called, and who has to do the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.declarations import Text

ReturnState = Literal[
    *("expected", "overdue", "received", "rejected", "withdrawn", "errors", "queries_open"),
    *("queries_answered", "checked", "nil", "signed_off", "accepted", "locked", "published"),
    *("revised", "held"),
]
DeliveryState = Literal[
    "received", "rejected", "duplicate", "in_force", "superseded", "withdrawn", "held"
]
Actor = Literal["sender", "national_team", "nobody"]
SignOffState = Literal["none", "valid", "void_data", "void_rules", "void_query"]


@dataclass(frozen=True)
class StateWords:
    """A state in a word that fits a cell, in a sentence, and who has to do the next step."""

    word: Text
    meaning: Text
    acts: Actor


_TABLE: tuple[tuple[ReturnState, Actor, str, str, str, str], ...] = (
    (
        *("expected", "sender", "expected", "disgwyl"),
        "the quarter is over; nothing has come and the deadline has not passed",
        "mae'r chwarter ar ben; nid oes dim wedi dod ac nid yw'r dyddiad cau wedi mynd heibio",
    ),
    (
        *("overdue", "sender", "overdue", "hwyr"),
        "nothing has come and the deadline has passed",
        "nid oes dim wedi dod ac mae'r dyddiad cau wedi mynd heibio",
    ),
    (
        *("received", "nobody", "received", "daeth"),
        "a file has come and waits for its verdict",
        "mae ffeil wedi dod ac yn aros am ei dyfarniad",
    ),
    (
        *("rejected", "sender", "rejected", "gwrthodwyd"),
        "the newest file was refused and nothing is in force",
        "gwrthodwyd y ffeil ddiweddaraf ac nid oes dim mewn grym",
    ),
    (
        *("withdrawn", "sender", "withdrawn", "tynnwyd"),
        "the file was withdrawn and nothing is in force",
        "tynnwyd y ffeil yn ôl ac nid oes dim mewn grym",
    ),
    (
        *("errors", "sender", "errors", "gwallau"),
        "accepted, but rows were set aside for errors",
        "derbyniwyd, ond rhoddwyd rhesi o'r neilltu oherwydd gwallau",
    ),
    (
        *("queries_open", "sender", "queries open", "ymholiadau"),
        "accepted, and queries wait for a correction or an explanation",
        "derbyniwyd, ac mae ymholiadau'n aros am gywiriad neu esboniad",
    ),
    (
        *("queries_answered", "sender", "answered", "atebwyd"),
        "every query was fixed or tolerated; to be signed off",
        "cywirwyd neu esboniwyd pob ymholiad; i'w chymeradwyo",
    ),
    (
        *("checked", "sender", "checked", "gwiriwyd"),
        "accepted without a query; to be signed off",
        "derbyniwyd heb ymholiad; i'w chymeradwyo",
    ),
    (
        *("nil", "sender", "nil", "dim"),
        "a nil return; to be signed off",
        "ffurflen ddim; i'w chymeradwyo",
    ),
    (
        *("signed_off", "national_team", "signed off", "cymeradwywyd"),
        "signed off by its sender; to be accepted by the national team",
        "cymeradwywyd gan ei hanfonwr; i'w derbyn gan y tîm cenedlaethol",
    ),
    (
        *("accepted", "national_team", "accepted", "derbyniwyd"),
        "accepted by the national team; the quarter is to be locked",
        "derbyniwyd gan y tîm cenedlaethol; mae'r chwarter i'w gloi",
    ),
    (
        *("locked", "national_team", "locked", "clowyd"),
        "the quarter is locked; to be published",
        "mae'r chwarter wedi'i gloi; i'w gyhoeddi",
    ),
    (
        *("published", "nobody", "published", "cyhoeddwyd"),
        "in the published figures since they first came out",
        "yn y ffigurau a gyhoeddwyd ers y tro cyntaf",
    ),
    (
        *("revised", "nobody", "revised", "diwygiwyd"),
        "in the published figures since a revision",
        "yn y ffigurau a gyhoeddwyd ers diwygiad",
    ),
    (
        *("held", "national_team", "held", "cadwyd"),
        "late: it came, or was withdrawn, after the lock and is held for the next revision",
        "hwyr: daeth, neu fe'i tynnwyd yn ôl, wedi'r clo ac fe'i cedwir at y diwygiad nesaf",
    ),
)
STATES: dict[ReturnState, StateWords] = {
    state: StateWords(Text(en=en, cy=cy), Text(en=meaning_en, cy=meaning_cy), acts)
    for state, acts, en, cy, meaning_en, meaning_cy in _TABLE
}

ACTORS: dict[Actor, Text] = {
    "sender": Text(en="sender", cy="anfonwr"),
    "national_team": Text(en="national team", cy="tîm cenedlaethol"),
    "nobody": Text(en="nobody", cy="neb"),
}

SIGN_OFFS: dict[SignOffState, Text] = {
    "none": Text(en="not signed off", cy="heb ei chymeradwyo"),
    "valid": Text(en="signed off", cy="cymeradwywyd"),
    "void_data": Text(en="void: the data changed", cy="di-rym: newidiodd y data"),
    "void_rules": Text(en="void: the rules changed", cy="di-rym: newidiodd y rheolau"),
    "void_query": Text(en="void: a query was opened again", cy="di-rym: ailagorwyd ymholiad"),
}

NOT_IN: frozenset[ReturnState] = frozenset({"expected", "overdue", "rejected", "withdrawn"})
TO_BE_ANSWERED: frozenset[ReturnState] = frozenset({"errors", "queries_open"})
TO_BE_SIGNED_OFF: frozenset[ReturnState] = frozenset({"queries_answered", "checked", "nil"})
