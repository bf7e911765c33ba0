"""Protection and audit in turns: secondary suppression, zeros and differences."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from pipelines.disclosure import proof
from pipelines.disclosure.audit import audit
from pipelines.disclosure.cells import KEY, DisclosureError, ReleaseCells
from pipelines.disclosure.protection import as_known, protect
from pipelines.quarters import Quarter
from tests.unit.disclosure.tables_made import Q1, Q2, Tables, counted, rules
from tests.unit.disclosure.test_attacks import ONE_QUARTER, REGIONS, audited, protected

WINDOWS = ("quarter", "year_to_date")


def _release(tables: Tables, *quarters: Quarter) -> ReleaseCells:
    return ReleaseCells(tables.cells(quarters[0]), tables.relations(*quarters), tables.ratios())


def _all_shown(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.with_columns(
        pl.col("value").alias("shown"), pl.lit(None, pl.String).alias("symbol")
    ).drop("value")


# --- in turns -----------------------------------------------------------------------------


def test_what_the_audit_can_tell_is_kept_back_in_the_next_turn(monkeypatch) -> None:
    """Protection forgets secondary suppression once: the audit finds that and says what lacks."""
    release, told = _release(Tables(counted(ONE_QUARTER), REGIONS), Q1), []

    def forgetful(cells, relations, given, known, ratios, threads, also, strict):
        found = protect(cells, relations, given, known, ratios, threads, also, strict)
        if told:
            return found
        small = found.cells["reason"] == "primary"
        shown = found.cells.with_columns(
            shown=pl.when(~small).then(cells.sort(KEY)["value"]),
            symbol=pl.when(small).then(pl.lit("c")),
        )
        return type(found)(shown, found.ratios, found.report)

    monkeypatch.setattr(proof, "protect", forgetful)
    found = proof.proved(release, rules(), say=told.append)
    assert found.audit.passed and "the audit can tell" in told[0]
    assert [choice.turns for choice in found.choices] == [2]
    assert (found.protected.cells["reason"] != "shown").sum() > 2


def test_the_last_tiers_are_left_out_until_the_audit_is_content(monkeypatch) -> None:
    """An audit that is not content while authorities are shown: they go, in two turns each."""
    release = _release(Tables(counted(ONE_QUARTER), REGIONS), Q1)
    tiers = [
        tier(["nation"], ["quarter"], exact=True),
        tier(["region"], ["quarter"]),
        tier(["authority"], ["quarter"]),
        tier(["voluntary_agency"], ["quarter"]),
    ]

    def never_content_with_authorities(cells, shown, *more):
        report = audit(cells, shown, *more)
        return type(report)(report.passed and "a" not in set(shown["place"]), ("a",), {})

    monkeypatch.setattr(proof, "audit", never_content_with_authorities)
    said: list[str] = []
    found = proof.proved(release, rules(tiers=tiers), say=said.append)
    assert found.audit.passed
    assert set(found.protected.cells["place"]) == {"nation", "north", "south"}
    left_out = [choice.left_out for choice in found.choices]
    assert left_out == [(), ("tier_authority", "tier_voluntary_agency")]
    assert max(choice.turns for choice in found.choices) == 2
    assert "without tier_authority" in said[-1]


def test_without_a_way_the_protection_says_so_and_the_audit_decides() -> None:
    """All was shown before; what is small now cannot be hidden any more."""
    tables = Tables(counted(ONE_QUARTER), REGIONS)
    cells = tables.cells(Q1)
    known = cells.with_columns(
        pl.col("value").alias("shown_from"),
        pl.col("value").alias("shown_to"),
        pl.lit("0").alias("release"),
    ).filter(~((pl.col("place") == "a") & (pl.col("part") == "boys")))
    with pytest.raises(DisclosureError, match=r"children_placed.*a.*boys"):
        protect(cells, tables.relations(Q1), rules(), known)
    found = proof.proved(_release(tables, Q1), rules(), known)
    assert not found.audit.passed
    assert any("a, sex boys" in failure for failure in found.audit.failures)
    assert found.protected.report["too_small_but_public_already"] > 0


# --- what the audit asks ------------------------------------------------------------------


def test_a_small_difference_of_shown_numbers_alone_fails_the_audit() -> None:
    """Twelve placed and eleven of them in time, both shown: one was not."""
    counts = {
        **counted({"a": (12,), "b": (30,)}, ("all",)),
        **counted({"a": (11,), "b": (20,)}, ("all",), measure="children_in_time"),
    }
    tables = Tables(
        counts,
        {"nation": {"all": ("a", "b")}},
        subsets=(("children_in_time", "children_placed"),),
    )
    cells = tables.cells(Q1)
    report = audited(tables, cells, _all_shown(cells))
    assert not report.passed
    assert report.failures == ("children_placed, a, 1 quarters: the difference from its parts",)
    assert report.more_to_suppress["place"].to_list() == ["a"]
    ignored = audited(tables, cells, _all_shown(cells), differences="ignored")
    assert ignored.passed
    cells, found = protected(tables)
    assert audited(tables, cells, found).passed


def test_cover_may_be_known_not_to_be_small_and_has_several_values_all_the_same() -> None:
    """The first quarter showed 6 at a; the year to date, secondary now, is 6 at least."""
    tables = Tables(
        {
            **counted({"a": (6,), "b": (9,), "c": (14,)}, ("all",), Q1),
            **counted({"a": (2,), "b": (3,), "c": (8,)}, ("all",), Q2),
        },
        {"nation": {"all": ("a", "b", "c")}},
        windows=WINDOWS,
    )
    cells, first = protected(tables, Q1)
    known = as_known(cells, first, rules(), "0")
    found = proof.proved(_release(tables, Q2, Q1), rules(), known)
    assert found.audit.passed and found.audit.figures["two_values_or_fewer"] == 0
    kept = found.protected.cells.filter(pl.col("reason") != "shown")
    assert {("a", "quarter"), ("b", "quarter")} <= set(kept.select("place", "window").iter_rows())


def tier(kinds: list[str], windows: Sequence[str] = WINDOWS, **changes) -> dict:
    plain = {
        "id": f"tier_{kinds[0]}",
        "title": {"en": "A tier", "cy": "Haen"},
        "kinds": kinds,
        "breakdowns": ["total"],
        "windows": list(windows),
        "why": {"en": "For tests.", "cy": "I brofion."},
    }
    return plain | changes


def test_a_quarter_may_be_left_out_of_a_release_by_policy() -> None:
    tables = Tables(
        counted(ONE_QUARTER) | counted(ONE_QUARTER, quarter=Q2), REGIONS, windows=WINDOWS
    )
    everywhere = ["nation", "region", "authority"]
    tiers = [
        tier(everywhere, ["quarter"]),
        tier(everywhere, ["year_to_date"], id="so_far", quarters=[2]),
    ]
    for quarter, windows in ((Q1, {"quarter"}), (Q2, set(WINDOWS))):
        cells = tables.cells(quarter)
        found = protect(cells, tables.relations(Q1, Q2), rules(tiers=tiers))
        assert set(found.cells["window"]) == windows
        assert set(found.cells["breakdown"]) == {"total"}
