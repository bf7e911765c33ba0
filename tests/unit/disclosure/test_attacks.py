"""Every attack fails on what is protected, and succeeds where only small numbers are suppressed."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.disclosure.audit import audit
from pipelines.disclosure.protection import Protected, as_known, protect
from pipelines.quarters import Quarter
from tests.unit.disclosure.attackers import (
    enumeration_attack,
    linear_attack,
    mean_attack,
    possible,
    primary_only,
    shown_numbers,
    subtraction_attack,
    told,
)
from tests.unit.disclosure.tables_made import Q1, Q2, Q3, Tables, counted, rules

REGIONS = {
    "nation": {"regions": ("north", "south")},
    "north": {"senders": ("a", "b", "c")},
    "south": {"senders": ("d", "e", "f")},
}
ONE_QUARTER = {
    "a": (2, 9),
    "b": (7, 8),
    "c": (12, 3),
    "d": (6, 6),
    "e": (8, 11),
    "f": (15, 7),
}


def protected(tables: Tables, quarter: Quarter = Q1, known=None, more=(), **changes):
    cells = tables.cells(quarter)
    relations = tables.relations(quarter, *more)
    return cells, protect(cells, relations, rules(**changes), known, tables.ratios())


def audited(tables: Tables, cells, shown, quarter: Quarter = Q1, known=None, more=(), **changes):
    if isinstance(shown, Protected):
        frame, ratios = shown.cells, shown.ratios
    else:
        frame, ratios = shown, None
    return audit(
        cells,
        frame,
        tables.relations(quarter, *more),
        rules(**changes),
        known,
        tables.ratios(),
        ratios,
    )


def only_small_suppressed(cells: pl.DataFrame, smallest: int = 5) -> pl.DataFrame:
    small = (pl.col("value") > 0) & (pl.col("value") < smallest)
    return cells.with_columns(
        pl.when(~small).then("value").alias("shown"),
        pl.when(small).then(pl.lit("c")).alias("symbol"),
    ).drop("value")


# --- tables of one release --------------------------------------------------------


def test_a_linear_program_recovers_small_numbers_from_the_control_alone():
    tables = Tables(counted(ONE_QUARTER), REGIONS)
    cells, found = protected(tables)
    assert told(linear_attack(tables, primary_only(cells, 5)))
    assert not told(linear_attack(tables, shown_numbers(found.cells)))
    assert audited(tables, cells, found).passed
    assert not audited(tables, cells, only_small_suppressed(cells)).passed


def test_a_total_less_its_parts_recovers_small_numbers_from_the_control_alone():
    tables = Tables(counted(ONE_QUARTER), REGIONS)
    cells, found = protected(tables)
    recovered = subtraction_attack(tables, primary_only(cells, 5))
    true = {tuple(row[:6]): row[6] for row in cells.iter_rows()}
    assert recovered and all(true[key] == value for key, value in recovered.items())
    assert not subtraction_attack(tables, shown_numbers(found.cells))


def test_no_number_shown_stands_too_close_to_one_kept_back():
    """A total that is shown beside parts that are shown leaves a difference that is not small."""
    tables = Tables(
        counted({"a": (3,), "b": (40,), "c": (30,)}, parts=("all",)),
        {"nation": {"senders": ("a", "b", "c")}},
    )
    _, found = protected(tables)
    kept = {key[1] for key, value in shown_numbers(found.cells).items() if value is None}
    assert "a" in kept and len(kept) >= 2


def test_overlapping_hierarchies_do_not_give_a_small_number_away():
    """A place counts towards a region and towards a second scheme that cuts across regions."""
    schemes = {
        "nation": {"regions": ("north", "south"), "kinds": ("towns", "country")},
        "north": {"senders": ("a", "b")},
        "south": {"senders": ("c", "d")},
        "towns": {"senders": ("a", "c")},
        "country": {"senders": ("b", "d")},
    }
    tables = Tables(
        counted({"a": (3,), "b": (20,), "c": (14,), "d": (11,)}, parts=("all",)), schemes
    )
    cells, found = protected(tables)
    control = primary_only(cells, 5)
    assert subtraction_attack(tables, control)
    shown = shown_numbers(found.cells)
    assert not told(linear_attack(tables, shown))
    assert not subtraction_attack(tables, shown)
    assert audited(tables, cells, found).passed
    # Each scheme by itself would have been safe with fewer suppressed numbers.
    halved = Tables(tables.counts, {k: v for k, v in schemes.items() if k in ("north", "south")})
    _, alone = protected(halved)
    assert (found.cells["symbol"] == "c").sum() > (alone.cells["symbol"] == "c").sum()


def test_the_attack_on_every_table_of_children_fails_as_well():
    tables = Tables(
        counted({"a": (1, 5), "b": (6, 4)}),
        {"nation": {"senders": ("a", "b")}},
    )
    cells, found = protected(tables, smallest_shown=3)
    exact = enumeration_attack(tables, primary_only(cells, 3), most=11)
    assert any(len(values) == 1 for values in exact.values())
    safe = enumeration_attack(tables, shown_numbers(found.cells), most=11)
    assert safe and all(len(values) >= 3 for values in safe.values())


# --- windows ----------------------------------------------------------------------


def two_quarters(first: dict, second: dict) -> dict:
    return counted(first, quarter=Q1) | counted(second, quarter=Q2)


def test_the_quarter_against_the_year_to_date_gives_nothing_away():
    tables = Tables(
        two_quarters(
            {"a": (2, 1), "b": (9, 8), "c": (7, 6)}, {"a": (9, 8), "b": (7, 9), "c": (6, 7)}
        ),
        {"nation": {"senders": ("a", "b", "c")}},
        windows=("quarter", "year_to_date"),
    )
    cells, found = protected(tables, Q2)
    # The first quarter is not in this release, but is what the year to date leaves over.
    first = {
        (key[0], key[1], key[2], key[3], "quarter", Q1.label): None
        for key in shown_numbers(found.cells)
        if key[4] == "quarter"
    }
    control = primary_only(cells, 5)
    small = {
        key for key in first if 0 < sum(tables.counts[base] for base in tables.bases_of(key)) < 5
    }
    on_control = linear_attack(tables, control, first, only=small)
    assert small and told(on_control)
    on_protected = linear_attack(tables, shown_numbers(found.cells), first, only=small)
    assert not told(on_protected)
    assert audited(tables, cells, found, Q2).passed
    assert not audited(tables, cells, only_small_suppressed(cells), Q2).passed


# --- releases ---------------------------------------------------------------------


def story() -> Tables:
    """The first quarter kept a's boys back; the second could tell them by the year to date."""
    return Tables(
        two_quarters(
            {"a": (3, 9), "b": (8, 8), "c": (9, 7)}, {"a": (6, 8), "b": (9, 9), "c": (6, 8)}
        ),
        {"nation": {"senders": ("a", "b", "c")}},
        windows=("quarter", "year_to_date"),
    )


def test_two_releases_against_each_other_give_nothing_away():
    tables = story()
    first_cells, first = protected(tables, Q1)
    known = as_known(first_cells, first, rules(), "2020-21-Q1 1")
    second_cells, second = protected(tables, Q2, known, more=(Q1,))
    shown = (shown_numbers(first.cells), shown_numbers(second.cells))
    assert not told(linear_attack(tables, *shown))
    assert not subtraction_attack(tables, *shown)
    report = audited(tables, second_cells, second, Q2, known, more=(Q1,))
    assert report.passed
    assert report.figures["suppressed_earlier"] > 0


def test_a_second_release_that_forgets_the_first_is_caught():
    """Its own numbers of the second quarter and of the year to date are all large enough."""
    tables = story()
    first_cells, first = protected(tables, Q1)
    known = as_known(first_cells, first, rules(), "2020-21-Q1 1")
    second_cells, forgetful = protected(tables, Q2, differences="ignored")
    together = linear_attack(tables, shown_numbers(first.cells), shown_numbers(forgetful.cells))
    assert told(together)
    assert not audited(tables, second_cells, forgetful, Q2, known, more=(Q1,)).passed


def test_what_was_published_once_never_serves_as_cover():
    tables = story()
    first_cells, first = protected(tables, Q1)
    known = as_known(first_cells, first, rules(), "2020-21-Q1 1")
    _, second = protected(tables, Q2, known, more=(Q1,))
    again_cells, again = protected(tables, Q1, known)
    before = shown_numbers(first.cells)
    after = shown_numbers(again.cells)
    assert {k for k, v in before.items() if v is not None} == {
        k for k, v in after.items() if v is not None
    }
    assert again_cells.equals(first_cells) and len(second.cells)


def test_a_revision_that_moves_one_child_is_told_by_what_is_shown_in_both_versions():
    """The first version counted one child less at a. The hidden number stays hidden, but the totals
    shown in both differ by that child: the audit says so, and such a change has to wait."""
    old = Tables(
        counted({"a": (3, 9), "b": (8, 8), "c": (9, 7)}), {"nation": {"senders": ("a", "b", "c")}}
    )
    new = Tables({**old.counts, ("children_placed", "a", "boys", Q1): 4}, old.schemes)
    first_cells, first = protected(old)
    known = as_known(first_cells, first, rules(), "2020-21-Q1 1")
    second_cells, second = protected(new, known=known)
    report = audited(new, second_cells, second, known=known)
    assert not report.passed
    assert all("the change since an earlier release" in each for each in report.failures)
    assert not told(linear_attack(new, shown_numbers(second.cells)))
    assert (
        shown_numbers(second.cells)["children_placed", "a", "sex", "boys", "quarter", Q1.label]
        is None
    )


# --- means, percentages -----------------------------------------------------------


def with_days(days: dict[str, tuple[int, ...]]) -> Tables:
    children = {"a": (3,), "b": (20,), "c": (16,)}
    return Tables(
        counted(children, parts=("all",))
        | counted(days, parts=("all",), measure="days_to_placement"),
        {"nation": {"senders": ("a", "b", "c")}},
        days={"days_to_placement": "children_placed"},
    )


def test_a_mean_of_few_is_kept_back_and_cannot_be_worked_out():
    tables = with_days({"a": (900,), "b": (7_000,), "c": (5_200,)})
    cells, found = protected(tables)
    value = {(row[0], row[1]): row[6] for row in cells.iter_rows()}
    counts = {place: value["children_placed", place] for place in ("nation", "a", "b", "c")}
    control = {
        place: value["days_to_placement", place] / counts[place] for place in ("nation", "b", "c")
    }
    recovered = mean_attack(control, counts)
    assert recovered["a"] == pytest.approx(300)
    shown = {
        row["place"]: row["shown"]
        for row in found.ratios.iter_rows(named=True)
        if row["shown"] is not None
    }
    assert "a" not in shown and not mean_attack(shown, counts)
    assert audited(tables, cells, found).passed


def test_days_are_told_by_a_mean_that_is_shown_with_its_count():
    """The audit must fail when every mean but one is shown."""
    tables = with_days({"a": (900,), "b": (7_000,), "c": (5_200,)})
    cells, found = protected(tables)
    everything = cells.with_columns(
        pl.when(pl.col("measure") == "children_placed").then("value").alias("shown"),
        pl.when(pl.col("measure") != "children_placed").then(pl.lit("c")).alias("symbol"),
    ).drop("value")
    careless = found.ratios.with_columns(
        pl.when(pl.col("place") != "a").then(300.0).alias("shown"),
        pl.when(pl.col("place") == "a").then(pl.lit("c")).alias("symbol"),
    )
    report = audit(
        cells, everything, tables.relations(Q1), rules(), None, tables.ratios(), careless
    )
    assert not report.passed
    assert any("days_to_placement, a" in failure for failure in report.failures)


def late(**changes) -> Tables:
    children = {"a": (30, 22), "b": (12, 40), "c": (25, 25)}
    slow = {"a": (2, 7), "b": (6, 9), "c": (11, 8)}
    return Tables(
        counted(children) | counted(slow, measure="children_placed_late"),
        {"nation": {"senders": ("a", "b", "c")}},
        subsets=(("children_placed_late", "children_placed"),),
        percentages=(("A9", "children_placed_late", "children_placed"),),
        **changes,
    )


def test_a_percentage_does_not_give_its_numerator_away():
    tables = late()
    cells, found = protected(tables)
    kept = {key for key, value in shown_numbers(found.cells).items() if value is None}
    for row in found.ratios.iter_rows(named=True):
        top = ("children_placed_late", *(row[name] for name in ("place", "breakdown", "part")))
        if any(key[:4] == top for key in kept):
            assert row["shown"] is None and row["symbol"] == "c"
    assert audited(tables, cells, found).passed
    # The control shows every percentage, and with its denominator tells the numerator.
    careless = found.ratios.with_columns(
        (100 * pl.lit(2) / 30).round(0).alias("shown"), pl.lit(None, pl.String).alias("symbol")
    ).filter((pl.col("place") == "a") & (pl.col("part") == "boys"))
    report = audit(
        cells, found.cells, tables.relations(Q1), rules(), None, tables.ratios(), careless
    )
    assert not report.passed


def test_part_of_another_measure_bounds_are_reckoned_with():
    """Who was placed late was placed: a count of zero leaves nothing to hide."""
    tables = late()
    cells, found = protected(tables)
    assert not told(linear_attack(tables, shown_numbers(found.cells)))
    assert told(linear_attack(tables, primary_only(cells, 5)))


def test_small_differences_between_measures_are_kept_back():
    """All but two of nine were late: to show both numbers would tell the two."""
    tables = Tables(
        counted({"a": (9, 12), "b": (15, 20)})
        | counted({"a": (7, 9), "b": (8, 9)}, measure="children_placed_late"),
        {"nation": {"senders": ("a", "b")}},
        subsets=(("children_placed_late", "children_placed"),),
    )
    _, found = protected(tables)
    shown = shown_numbers(found.cells)
    boys = [(m, "a", "sex", "boys", "quarter", Q1.label) for m in tables.measures]
    assert any(shown[key] is None for key in boys)
    _, careless = protected(tables, differences="ignored")
    assert all(shown_numbers(careless.cells)[key] is not None for key in boys)


def test_a_linear_attack_over_three_quarters_fails():
    rows = [
        {"a": (2, 9), "b": (7, 8), "c": (12, 3)},
        {"a": (6, 1), "b": (9, 8), "c": (2, 13)},
        {"a": (12, 9), "b": (4, 8), "c": (10, 9)},
    ]
    counts = {}
    for quarter, numbers in zip((Q1, Q2, Q3), rows, strict=True):
        counts |= counted(numbers, quarter=quarter)
    tables = Tables(
        counts, {"nation": {"senders": ("a", "b", "c")}}, windows=("quarter", "year_to_date")
    )
    known, shown = None, []
    for number, quarter in enumerate((Q1, Q2, Q3)):
        cells, found = protected(tables, quarter, known, more=(Q1, Q2)[:number])
        report = audited(tables, cells, found, quarter, known, more=(Q1, Q2)[:number])
        assert report.passed, report.failures
        shown_now = as_known(cells, found, rules(), quarter.label)
        known = shown_now if known is None else pl.concat([known, shown_now])
        shown.append(shown_numbers(found.cells))
    found = linear_attack(tables, *shown)
    assert found and min(possible(interval) for interval in found.values()) >= 3
