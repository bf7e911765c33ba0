"""Senders attack with their own numbers: each knows what it sent, and reads what is published.

The attack is the linear one of :mod:`attackers`: it shares nothing with protection and audit.
"""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.disclosure.protection import protect
from tests.unit.disclosure.attackers import linear_attack, shown_numbers
from tests.unit.disclosure.tables_made import Q1, Key, Tables, counted, rules
from tests.unit.disclosure.test_proof import tier

REGIONS = {
    "nation": {"regions": ("north", "south")},
    "north": {"senders": ("a", "b", "c", "d")},
    "south": {"senders": ("e", "f", "g", "h")},
}
TABLES = Tables(
    counted(
        {
            "a": (3,), "b": (6,), "c": (12,), "d": (30,),
            "e": (2,), "f": (4,), "g": (17,), "h": (9,),
        },
        ("all",),
    ),
    REGIONS,
)  # fmt: skip
# What the region's members know together of the one that is left is its total less theirs.
EXACT = [
    tier(["nation"], ["quarter"], exact=True),
    tier(["region"], ["quarter"], exact=True),
    tier(["authority"], ["quarter"]),
]


def small_numbers_told(shown: dict[Key, int | None], *know: str) -> set[str]:
    """Small numbers of others that those who ``know`` their own bound to fewer than 3 values."""
    cells = TABLES.cells(Q1)
    true = {tuple(row[:6]): row[6] for row in cells.iter_rows()}
    own = {key: value for key, value in true.items() if key[1] in know}
    small = {key for key, value in true.items() if 0 < value < 5 and key[1] not in know} & set(
        shown
    )
    found = linear_attack(TABLES, shown, own, only=small)
    return {key[1] for key, (low, high) in found.items() if high - low < 2 - 1e-6}


def released(**participants: str) -> pl.DataFrame:
    given = rules(tiers=EXACT, participants=participants)
    return protect(TABLES.cells(Q1), TABLES.relations(Q1), given).cells


def test_no_sender_learns_a_small_number_of_another_with_its_own() -> None:
    """North's 3 is beside one more number where strangers alone are reckoned with, and its sender
    subtracts; beside two where senders are."""
    strangers, senders = (shown_numbers(released(senders=who)) for who in ("none", "each"))
    told = {one: small_numbers_told(strangers, one) for one in TABLES.leaves}
    assert small_numbers_told(strangers) == set() and any(told.values())
    assert all(small_numbers_told(senders, one) == set() for one in TABLES.leaves)


def test_headlines_are_exact_and_only_authorities_are_suppressed() -> None:
    cells = released(senders="each")
    hidden = cells.filter(pl.col("reason") != "shown")["place"]
    assert set(hidden) <= set(TABLES.leaves) and len(hidden) >= 5


@pytest.mark.parametrize("senders", ["each", "none"])
def test_the_report_says_what_each_tier_lost(senders: str) -> None:
    given = rules(tiers=EXACT, participants={"senders": senders})
    report = protect(TABLES.cells(Q1), TABLES.relations(Q1), given).report
    nation, region, authority = report["tiers"]
    assert (nation["numbers"], nation["suppressed"], nation["lost"]) == (1, 0, [])
    assert (region["numbers"], region["suppressed"], region["lost"]) == (2, 0, [])
    assert authority["numbers"] == 8 and 4 <= authority["suppressed"] < 8
    assert authority["share_of_nonzero_numbers_suppressed"] == authority["suppressed"] / 8


def test_an_exact_number_that_is_small_itself_is_suppressed_and_named() -> None:
    tables = Tables(counted({"a": (2,), "b": (1,)}, ("all",)), {"nation": {"senders": ("a", "b")}})
    given = rules(tiers=EXACT[:1])
    report = protect(tables.cells(Q1), tables.relations(Q1), given).report
    assert report["tiers"][0]["lost"] == ["children_placed, nation, quarter"]
    assert report["primary"] == 1
