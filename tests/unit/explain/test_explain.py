"""Explaining a number: on a small warehouse made by hand, in which every answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.settings import Settings

WALES, ENGLAND = "W92000004", "E92000001"
MATCHED, LONG = "children_matched", "children_matched_over_six_months_after_decision"
DAYS, PLACED = "days_from_authority_to_placement", "children_placed_with_authority"
WAITING, REQUESTS = "children_waiting_with_authority", "support_requests"
Q1, Q2 = "2020-21-Q1", "2020-21-Q2"

WAREHOUSE = {
    "dim_quarter": "quarter varchar",
    "dim_window": "window_name varchar, quarter varchar, covered_quarter varchar",
    "dim_place": (
        "place_code varchar, name_en varchar, name_cy varchar, kind varchar, nation_code varchar"
    ),
    "dim_place_sender": (
        "place_code varchar, sender_code varchar, quarter varchar, membership_basis varchar"
    ),
    "dim_indicator": (
        "indicator_id varchar, title_en varchar, title_cy varchar, definition_en varchar, "
        "definition_cy varchar, subject varchar, numerator varchar, denominator varchar, "
        "timing varchar, unit varchar, multiplier double, rounding bigint, direction varchar, "
        "clock_start varchar, clock_stop varchar, definition_status varchar, "
        "status_note_en varchar, status_note_cy varchar, sources varchar, reviewed_on date"
    ),
    "dim_indicator_not_computed": "indicator_id varchar, reason_en varchar, reason_cy varchar",
    "fct_indicator_break": (
        "indicator_id varchar, place_code varchar, quarter varchar, window_name varchar, "
        "membership_basis varchar, break_id varchar, is_in_window boolean"
    ),
    "dim_break_in_series": (
        "break_id varchar, kind varchar, indicator_id varchar, place_code varchar, "
        "since varchar, title_en varchar, title_cy varchar, explanation_en varchar, "
        "explanation_cy varchar, status varchar"
    ),
    "fct_indicator": (
        "indicator_id varchar, place_code varchar, quarter varchar, window_name varchar, "
        "membership_basis varchar, breakdown varchar, numerator bigint, denominator bigint, "
        "value double, value_rounded double, benchmark double, benchmark_met varchar, "
        "returns_expected bigint, returns_accepted bigint, quarters_in_window bigint, "
        "quarters_covered bigint, is_complete boolean, estimate double, estimate_method varchar"
    ),
    "fct_return": (
        "sender_code varchar, return_name varchar, quarter varchar, status varchar, "
        "is_due boolean, is_late boolean, submission_id varchar, received_at timestamp, "
        "rows_read bigint, rows_accepted bigint, rows_quarantined bigint, "
        "refused_deliveries bigint"
    ),
    "fct_submission": "submission_id varchar, version bigint, is_synthetic boolean",
    "fct_return_measure": (
        "sender_code varchar, return_name varchar, quarter varchar, measure varchar, amount bigint"
    ),
    "fct_explanation": (
        "sender_code varchar, quarter varchar, indicator_id varchar, reason varchar, cases bigint"
    ),
    "fct_problem": (
        "submission_id varchar, sender_code varchar, quarter varchar, return_name varchar, "
        "code varchar, severity varchar, is_in_force boolean, problems bigint"
    ),
}
RESTRICTED = {
    "fct_child_measure": (
        "sender_code varchar, quarter varchar, child_pseudonym varchar, measure varchar, "
        "amount bigint"
    ),
    "fct_adopter_measure": (
        "sender_code varchar, quarter varchar, household_pseudonym varchar, measure varchar, "
        "amount bigint"
    ),
    "fct_case_explanation": (
        "sender_code varchar, quarter varchar, indicator_id varchar, case_pseudonym varchar, "
        "reason varchar"
    ),
}

Rows = dict[str, list[dict[str, Any]]]


def indicator(name: str, title: str, above: str, below: str | None, **more: Any) -> dict[str, Any]:
    return {
        "indicator_id": name,
        "title_en": title,
        "title_cy": f"{title} (Cymraeg)",
        "definition_en": f"What {name} measures [in full].",
        "definition_cy": f"Yr hyn y mae {name} yn ei fesur.",
        "subject": "child",
        "numerator": above,
        "denominator": below,
        "timing": "flow",
        "unit": "percent",
        "multiplier": 100.0,
        "rounding": 1,
        "definition_status": "proposed",
        "status_note_en": "Invented for a test.",
        "status_note_cy": "Dyfeisiwyd ar gyfer prawf.",
        "sources": "https://example.org/a ; A paper",
        "reviewed_on": date(2026, 11, 22),
    } | more


def figure(name: str, place: str, quarter: str, window: str, **more: Any) -> dict[str, Any]:
    return {
        "indicator_id": name,
        "place_code": place,
        "quarter": quarter,
        "window_name": window,
        "membership_basis": "at_the_time",
        "breakdown": "total",
        "returns_expected": 2,
        "returns_accepted": 2,
        "quarters_in_window": 1,
        "quarters_covered": 1,
        "is_complete": True,
    } | more


def a_return(sender: str, quarter: str, number: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "sender_code": sender,
        "return_name": "child",
        "quarter": quarter,
        "status": "accepted" if number else "missing",
        "is_due": True,
        "is_late": False if number else None,
        "submission_id": f"S00000{number}" if number else None,
        "received_at": datetime(2020, 7, 10) if number else None,
        "rows_read": 5 if number else None,
        "rows_accepted": 5 if number else None,
        "rows_quarantined": 0 if number else None,
        "refused_deliveries": 0,
    } | more


def cases(measure: str, sender: str, quarter: str, *amounts: int, first: int = 0) -> list[dict]:
    return [
        {
            "sender_code": sender,
            "quarter": quarter,
            "child_pseudonym": f"{sender.lower()}{number:030d}",
            "measure": measure,
            "amount": amount,
        }
        for number, amount in enumerate(amounts, first)
    ]


def small_world() -> Rows:
    """A region with two authorities. In Q1 both report; in Q2 the second does not.

    Of seven children matched in Q1 five waited long. In Q2 three are placed, after 0, 30 and 61
    days; two children wait at its end and one of them began to.
    """
    children = [
        *cases(MATCHED, "NORTH", Q1, 1, 1, 1, 1),
        *cases(LONG, "NORTH", Q1, 1, 1, 1),
        *cases(MATCHED, "SOUTH", Q1, 1, 1, 1),
        *cases(LONG, "SOUTH", Q1, 1, 1),
        *cases(PLACED, "NORTH", Q2, 1, 1, 1),
        *cases(DAYS, "NORTH", Q2, 30, 61),
        *cases(WAITING, "NORTH", Q2, 1, 1, first=7),
    ]
    added: dict[tuple[str, str, str], int] = {}
    for one in children:
        key = (one["sender_code"], one["quarter"], one["measure"])
        added[key] = added.get(key, 0) + one["amount"]
    both = [("NORTH", Q1), ("SOUTH", Q1), ("NORTH", Q2), ("SOUTH", Q2)]
    words = {"timing": "stock", "unit": "children", "multiplier": 1.0, "rounding": 0}
    not_counted = {"indicator_id": "LONG", "reason": "denominator_only"}
    return {
        "dim_quarter": [{"quarter": Q1}, {"quarter": Q2}],
        "dim_window": [
            {"window_name": window, "quarter": quarter, "covered_quarter": covered}
            for window, quarter, covered in (
                *(("quarter", Q1, Q1), ("quarter", Q2, Q2), ("year_to_date", Q1, Q1)),
                *(("year_to_date", Q2, Q1), ("year_to_date", Q2, Q2)),
            )
        ],
        "dim_place": [
            {"place_code": code, "name_en": en, "name_cy": cy, "kind": kind, "nation_code": nation}
            for code, en, cy, kind, nation in (
                (WALES, "Wales", "Cymru", "nation", WALES),
                (ENGLAND, "England", "Lloegr", "nation", ENGLAND),
                ("REGION", "Vale and Valleys", "Y Fro a'r Cymoedd", "region", WALES),
                ("NORTH", "Northtown", "Tre'r Gogledd", "authority", WALES),
                ("SOUTH", "Southtown", "Môn y De", "authority", WALES),
                ("ENGLISH", "Englishtown", "Tre Loegr", "authority", ENGLAND),
                ("SERVICE", "A Service", "Gwasanaeth", "service", WALES),
            )
        ],
        "dim_place_sender": [
            *(
                {"place_code": place, "sender_code": sender, "quarter": quarter}
                | {"membership_basis": "at_the_time"}
                for sender, quarter in both
                for place in (sender, "REGION", WALES)
            ),
            {"place_code": "REGION", "sender_code": "REGION", "quarter": Q1}
            | {"membership_basis": "at_the_time"},
            # Southtown has left since.
            *(
                {"place_code": "REGION", "sender_code": "NORTH", "quarter": quarter}
                | {"membership_basis": "today"}
                for quarter in (Q1, Q2)
            ),
        ],
        "dim_indicator": [
            indicator("LONG", "Matched after a long wait", LONG, MATCHED)
            | {"clock_start": "should_be_placed_decision_on", "clock_stop": "matched_on"},
            indicator("TIME", "Time to placement", DAYS, PLACED, unit="days", multiplier=1.0)
            | {"clock_start": "placement_order_on", "clock_stop": "placed_on"},
            indicator("STOCK", "Children waiting", WAITING, None, **words),
            indicator("ASKED", "Requests", REQUESTS, None, subject="support")
            | {"unit": "requests", "multiplier": 1.0, "rounding": 0},
        ],
        "dim_indicator_not_computed": [
            {
                "indicator_id": "A14",
                "reason_en": "Nobody knows what it is.",
                "reason_cy": "Ni wyddys.",
            }
        ],
        "dim_break_in_series": [
            {"break_id": "FORMS", "kind": "recording", "indicator_id": name, "place_code": "*"}
            | {"since": Q2, "title_en": "New forms", "title_cy": "Ffurflenni newydd"}
            | {"explanation_en": "They differ.", "explanation_cy": "Maent yn wahanol."}
            | {"status": "sourced"}
            for name in ("TIME", "STOCK")
        ],
        "fct_indicator_break": [
            {"indicator_id": name, "place_code": "REGION", "quarter": Q2, "window_name": window}
            | {"membership_basis": "at_the_time", "break_id": "FORMS", "is_in_window": inside}
            for name, window, inside in (
                *(("TIME", "year_to_date", True), ("STOCK", "quarter", False)),
                *(("TIME", "quarter", False), ("LONG", "quarter", True)),
            )
        ],
        "fct_indicator": [
            figure("LONG", "REGION", Q1, "quarter", numerator=5, denominator=7)
            | {
                "value": 500 / 7,
                "value_rounded": 71.4,
                "benchmark": 50,
                "benchmark_met": "not met",
            },
            figure("LONG", "REGION", Q1, "quarter", numerator=3, denominator=4, value=75.0)
            | {"membership_basis": "today", "returns_expected": 1, "returns_accepted": 1},
            figure("LONG", WALES, Q2, "quarter", numerator=0, denominator=0)
            | {"returns_accepted": 1, "is_complete": False},
            figure("TIME", "REGION", Q2, "year_to_date", numerator=91, denominator=3)
            | {"value": 91 / 3, "value_rounded": 30.3, "returns_expected": 4}
            | {"returns_accepted": 3, "quarters_in_window": 2, "quarters_covered": 2}
            | {"is_complete": False},
            figure("TIME", "SOUTH", Q2, "quarter", returns_expected=1, returns_accepted=0)
            | {"quarters_covered": 0, "is_complete": False},
            figure("STOCK", "REGION", Q2, "quarter", numerator=2, value=2.0, value_rounded=2.0)
            | {"returns_accepted": 1, "is_complete": False}
            | {"estimate": 5.0, "estimate_method": "own_mean"},
            figure("ASKED", "REGION", Q1, "quarter", numerator=9, value=9.0, value_rounded=9.0)
            | {"returns_expected": 1, "returns_accepted": 1},
        ],
        "fct_return": [
            a_return("NORTH", Q1, 1, refused_deliveries=1),
            a_return("SOUTH", Q1, 2, rows_accepted=4, rows_quarantined=1, is_late=True),
            a_return("NORTH", Q2, 3),
            a_return("SOUTH", Q2, status="refused", refused_deliveries=1),
            a_return("REGION", Q1, 4, return_name="support"),
        ],
        "fct_submission": [
            {"submission_id": f"S00000{number}", "version": version, "is_synthetic": True}
            for number, version in ((1, 2), (2, 1), (3, 1), (4, 1))
        ],
        "fct_return_measure": [
            *(
                {"sender_code": sender, "return_name": "child", "quarter": quarter}
                | {"measure": measure, "amount": amount}
                for (sender, quarter, measure), amount in added.items()
            ),
            {"sender_code": "REGION", "return_name": "support", "quarter": Q1}
            | {"measure": REQUESTS, "amount": 9},
        ],
        "fct_explanation": [
            {"sender_code": sender, "quarter": Q1, "cases": 1} | not_counted
            for sender in ("NORTH", "SOUTH")
        ]
        + [
            {"sender_code": "NORTH", "quarter": Q2, "indicator_id": name, "reason": why, "cases": n}
            for name, why, n in (
                *(("TIME", "denominator_only", 1), ("TIME", "start_not_known", 2)),
                *(("STOCK", "joined", 1), ("STOCK", "left_placed", 3)),
            )
        ],
        "fct_problem": [
            {"submission_id": "S000002", "sender_code": "SOUTH", "quarter": Q1}
            | {"return_name": "child", "code": "CH206", "severity": "error"}
            | {"is_in_force": True, "problems": 2}
        ],
        "fct_child_measure": children,
        "fct_case_explanation": [
            {
                "sender_code": sender,
                "quarter": Q1,
                "case_pseudonym": f"{sender.lower()}{number:030d}",
            }
            | not_counted
            for sender, number in (("NORTH", 3), ("SOUTH", 2))
        ]
        + [
            {"sender_code": "NORTH", "quarter": Q2, "indicator_id": name, "reason": why}
            | {"case_pseudonym": f"north{number:030d}"}
            for name, why, number in (
                *(("TIME", "denominator_only", 2), ("TIME", "start_not_known", 20)),
                *(("TIME", "start_not_known", 21), ("STOCK", "joined", 8)),
                *(("STOCK", "left_placed", number) for number in (0, 1, 2)),
            )
        ],
    }


def write_world(settings: Settings, world: Rows) -> None:
    settings.marts.mkdir(parents=True, exist_ok=True)
    for path, tables in ((settings.warehouse, WAREHOUSE), (settings.restricted, RESTRICTED)):
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema marts")
            for table, columns in tables.items():
                connection.execute(f"create table marts.{table} ({columns})")
                names = [column.split()[0] for column in columns.split(", ")]
                for row in world.get(table, []):
                    assert set(row) <= set(names), (table, set(row) - set(names))
                    connection.execute(
                        f"insert into marts.{table} values ({', '.join('?' * len(names))})",  # noqa: S608
                        [row.get(name) for name in names],
                    )


def write_export(
    settings: Settings, quarter: str, version: int, submissions: list[str], **row: Any
) -> None:
    folder = settings.exports / quarter / str(version)
    folder.mkdir(parents=True)
    known = {"breakdown": "total", "membership_basis": "at_the_time"} | row
    known = {name: value for name, value in known.items() if value != "no such column"}
    pl.DataFrame([known]).write_parquet(folder / "indicators.parquet")
    (folder / "manifest.json").write_text(
        json.dumps({"submissions": [{"submission_id": one} for one in submissions]}),
        encoding="utf-8",
    )


LONG_IN_REGION = {
    "indicator_id": "LONG",
    "place_code": "REGION",
    "window_name": "quarter",
    "numerator": 5,
    "denominator": 7,
    "value": 500 / 7,
}

Ask = Callable[..., Result]


@pytest.fixture
def ask(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Calls ``adoption explain`` on the small world, or on one that was changed first."""
    write_world(settings, small_world())
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str, **changed: list[dict[str, Any]]) -> Result:
        if changed:
            write_world(settings, small_world() | changed)
        return CliRunner().invoke(main, ["explain", *arguments])

    return call


def told(result: Result) -> str:
    """What was said, whatever the line breaks."""
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


# --- the figure and what it measures -------------------------------------------------------------


def test_the_fraction_stands_beside_what_it_measures(ask: Ask) -> None:
    text = told(ask("LONG", "REGION", Q1))
    for words in (
        "71.4% = 5 of 7 children",
        "Benchmark 50% (not met)",
        "2 of 2 returns due, 1 of 1 quarters",
        "Check the returns add up to this figure",
        "What LONG measures [in full].",
        "Clock from “Should-be-placed decision on” to “Matched on”",
        "proposed. Invented for a test.",
        "Sources https://example.org/a A paper",
    ):
        assert words in text


def test_a_mean_is_days_over_children_and_says_who_adds_no_days(ask: Ask) -> None:
    text = told(ask("TIME", "REGION", Q2, "--window", "year_to_date"))
    assert "30.3 days = 91 days ÷ 3 children" in text
    assert "1 in the denominator with 0 days, so they lower the mean" in text
    assert "2 not counted: the return does not say when the clock starts (Placement order" in text


def test_the_returns_are_told_with_version_rows_and_what_each_adds(ask: Ask) -> None:
    lines = ask("LONG", "REGION", Q1).output.splitlines()
    (north,) = [line.split() for line in lines if line.startswith("Northtown ")]
    assert north == ["Northtown", Q1, "2", "2020-07-10", "5", "–", "3", "4"]
    (south,) = [line.split() for line in lines if line.startswith("Southtown ")]
    assert south == ["Southtown", Q1, "1", "2020-07-10", "4", "1", "2", "3"]
    assert [line.split() for line in lines].count(["late"]) == 1  # below its date


def test_rows_set_aside_and_refusals_that_replaced_nothing_are_told(ask: Ask) -> None:
    text = told(ask("LONG", "REGION", Q1))
    assert "1 row set aside for errors: Southtown, 2020-21-Q1 (CH206 × 2)" in text
    assert "adoption report S000002" in text
    assert "Northtown, 2020-21-Q1: 1 other delivery was refused and replaced nothing" in text


def test_a_return_that_was_refused_is_not_in_the_figure_and_is_named(ask: Ask) -> None:
    text = told(ask("TIME", "REGION", Q2, "--window", "year_to_date"))
    assert "3 of 4 returns due, 2 of 2 quarters. INCOMPLETE" in text
    assert "Southtown, 2020-21-Q2: refused" in text
    assert "Every return that was due is in this figure" not in text


def test_no_return_at_all_is_no_figure_and_not_zero(ask: Ask) -> None:
    text = told(ask("TIME", "SOUTH", Q2))
    assert "No figure: none of the returns due was accepted." in text
    assert "add up" not in text


def test_a_denominator_of_zero_is_no_value(ask: Ask) -> None:
    assert "No value: the denominator is zero." in told(ask("LONG", "Wales", Q2))


def test_a_stock_tells_who_began_to_wait_and_who_no_longer_does(ask: Ask) -> None:
    text = told(ask("STOCK", "REGION", Q2))
    assert "2 children" in text
    assert "1 counted as waiting now, but not a quarter earlier" in text
    assert "3 no longer waiting: placed" in text
    assert "2020-21-Q2: a stock, counted on the last day" in text
    assert "Estimate 5 children with the missing returns" in text


def test_a_break_in_the_window_is_told_and_one_elsewhere_is_not(ask: Ask) -> None:
    text = told(ask("TIME", "REGION", Q2, "--window", "year_to_date"))
    assert "2020-21-Q2: New forms. They differ. The break is inside the window" in text
    assert "BREAKS" not in told(ask("LONG", "REGION", Q1))


def test_a_break_between_the_figure_and_the_year_before_is_told_as_such(ask: Ask) -> None:
    text = told(ask("STOCK", "REGION", Q2))
    assert "New forms. They differ. The break is between this figure and that of a year" in text
    welsh = told(ask("STOCK", "REGION", Q2, "--language", "cy"))
    assert "Ffurflenni newydd. Maent yn wahanol. Mae'r toriad rhwng y ffigur hwn a'r un" in welsh


def test_todays_membership_gives_another_figure_from_other_returns(ask: Ask) -> None:
    text = told(ask("LONG", "REGION", Q1, "--basis", "today"))
    assert "75.0% = 3 of 4 children" in text
    assert "today's membership" in text
    assert "Southtown" not in text


# --- proving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["numerator", "denominator", "value", "returns_accepted"])
def test_a_figure_that_its_returns_do_not_come_to_is_shouted_and_ends_with_1(
    ask: Ask, side: str
) -> None:
    figures = small_world()["fct_indicator"]
    figures[0][side] += 1
    result = ask("LONG", "REGION", Q1, fct_indicator=figures)
    assert result.exit_code == 1
    assert "DOES NOT ADD UP: DO NOT USE THIS FIGURE" in result.output
    assert side.split("_")[0] in result.output.split("DO NOT USE THIS FIGURE")[1][:400]
    assert "the returns add up to this figure" not in result.output
    assert ask("LONG", "REGION", Q1, "--json").exit_code == 1


def test_the_children_add_up_one_by_one(ask: Ask) -> None:
    text = told(ask("TIME", "REGION", Q2, "--window", "year_to_date", "--children"))
    assert "the returns, and the 3 children listed below, add up to this figure" in text
    for number, days in ((0, 30), (1, 61), (2, 0)):
        assert f"north{number:030d} Northtown 2020-21-Q2 {days} days 1" in text


@pytest.mark.parametrize("change", [-1, 1])
def test_a_child_too_many_or_too_few_is_not_proved(ask: Ask, change: int) -> None:
    children = small_world()["fct_child_measure"]
    children = children[1:] if change < 0 else [*children, *cases(MATCHED, "NORTH", Q1, 1, first=9)]
    result = ask("LONG", "REGION", Q1, "--children", fct_child_measure=children)
    assert result.exit_code == 1
    assert f"denominator, added up from the cases: {7 + change}, not 7" in result.output
    # The restricted rows alone are wrong: whoever does not open them gets the figure.
    assert ask("LONG", "REGION", Q1).exit_code == 0


def test_those_left_out_are_listed_with_their_reason(ask: Ask) -> None:
    explained = json.loads(ask("LONG", "REGION", Q1, "--children", "--json").output)
    assert {(one["sender_code"], one["reason"]) for one in explained["cases_left_out"]} == {
        ("NORTH", "denominator_only"),
        ("SOUTH", "denominator_only"),
    }
    fewer = ask("LONG", "REGION", Q1, "--children", fct_case_explanation=[])
    assert fewer.exit_code == 1
    assert "cases left out: 0, not 2" in fewer.output


def test_the_restricted_file_is_opened_only_for_the_children(ask: Ask, settings: Settings) -> None:
    settings.restricted.unlink()
    result = ask("LONG", "REGION", Q1)
    assert result.exit_code == 0
    assert "north0" not in result.output
    refused = ask("LONG", "REGION", Q1, "--children")
    assert refused.exit_code == 1
    assert "restricted.duckdb does not exist yet" in refused.output


def test_the_support_return_has_no_rows_of_people(ask: Ask, settings: Settings) -> None:
    settings.restricted.unlink()
    text = told(ask("ASKED", "REGION", Q1, "--children"))
    assert "9 requests" in text
    assert "The support return holds counts" in text


# --- against what was published ------------------------------------------------------------------


def test_what_was_never_exported_was_not_published_before(ask: Ask, settings: Settings) -> None:
    assert "Not published before." in told(ask("LONG", "REGION", Q1))
    write_export(settings, Q2, 1, [], **LONG_IN_REGION)
    write_export(settings, Q1, 1, [], **(LONG_IN_REGION | {"place_code": "NORTH"}))
    assert "Not published before." in told(ask("LONG", "REGION", Q1))


def test_the_same_figure_again_says_so(ask: Ask, settings: Settings) -> None:
    write_export(settings, Q1, 1, ["S000001", "S000002"], **LONG_IN_REGION)
    assert "Version 1 has the same figure: 71.4% = 5 of 7 children." in told(
        ask("LONG", "REGION", Q1)
    )


def test_a_figure_that_moved_says_by_how_much_and_what_arrived(
    ask: Ask, settings: Settings
) -> None:
    earlier = LONG_IN_REGION | {"numerator": 3, "denominator": 4, "value": 75.0}
    write_export(settings, Q1, 1, ["S000001"], **earlier)
    text = told(ask("LONG", "REGION", Q1))
    assert "Version 1 had 75.0% = 3 of 4 children; change since then" in text
    assert "numerator +2, denominator +3, -3.6 percentage points" in text
    assert "Arrived since version 1: S000002." in text


def test_the_latest_version_is_the_one_with_the_highest_number(
    ask: Ask, settings: Settings
) -> None:
    for version in (2, 9, 10):
        earlier = LONG_IN_REGION | {"numerator": version}
        write_export(settings, Q1, version, ["S000001", "S000002"], **earlier)
    text = told(ask("LONG", "REGION", Q1))
    assert "Version 10 had" in text
    assert "No return for 2020-21-Q1 has arrived since" in text
    assert "Version 9" not in text


def test_behind_an_unchanged_version_the_last_change_is_told(ask: Ask, settings: Settings) -> None:
    write_export(settings, Q1, 1, ["S000001"], **(LONG_IN_REGION | {"numerator": 4}))
    write_export(settings, Q1, 2, ["S000001", "S000002"], **LONG_IN_REGION)
    text = told(ask("LONG", "REGION", Q1))
    assert "Version 2 has the same figure" in text
    assert "Version 1 had" in text


def test_a_version_without_a_basis_is_compared_at_the_time_only(
    ask: Ask, settings: Settings
) -> None:
    row = LONG_IN_REGION | {"membership_basis": "no such column"}
    write_export(settings, Q1, 1, ["S000001", "S000002"], **row)
    assert "Version 1 has the same figure" in told(ask("LONG", "REGION", Q1))
    assert "Not published before" in told(ask("LONG", "REGION", Q1, "--basis", "today"))


# --- asking --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", ["REGION", "region", "Vale and Valleys", "VALE AND VALLEYS", "y fro a’r cymoedd"]
)
def test_a_place_is_known_by_code_and_by_either_name(ask: Ask, place: str) -> None:
    assert "5 of 7 children" in told(ask("LONG", place, Q1))


def test_accents_need_not_be_typed(ask: Ask) -> None:
    assert "Southtown" in told(ask("TIME", "mon y de", Q2))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("LONGS", "REGION", Q1), "did you mean LONG (Matched after a long wait)?"),
        (("waiting", "REGION", Q1), "did you mean STOCK (Children waiting)?"),
        (("A14", "REGION", Q1), "A14 is not computed. Nobody knows what it is."),
        (("zzzz", "REGION", Q1), "there is no indicator 'zzzz'; marts.dim_indicator"),
        (("LONG", "Valleys", Q1), "did you mean REGION (Vale and Valleys)?"),
        (("LONG", "Nortown", Q1), "did you mean NORTH (Northtown)"),
        (("LONG", "qqqqqq", Q1), "there is no place 'qqqqqq'"),
        (
            ("LONG", "Englishtown", Q1),
            "LONG is an indicator for Wales, and Englishtown is in England",
        ),
        (("LONG", "SERVICE", Q1), "ask for its nation, Wales (W92000004)"),
        (("LONG", "REGION", "2031-32-Q1"), "the quarters 2020-21-Q1 to 2020-21-Q2"),
        (("LONG", "REGION", "2020"), "write it like 2025-26-Q1"),
        (("LONG", "REGION", Q1, "--window", "year"), "it is given for quarter"),
        (("STOCK", "SOUTH", Q2), "STOCK has no figure for Southtown"),
        (("TIME", "SOUTH", Q2, "--basis", "today"), "ask without --basis"),
        (("LONG", "REGION"), "Missing argument 'QUARTER'"),
    ],
)
def test_a_wrong_question_is_told_what_would_be_right(
    ask: Ask, arguments: tuple[str, ...], said: str
) -> None:
    result = ask(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_two_places_of_one_name_are_told_apart_by_code(ask: Ask) -> None:
    places = small_world()["dim_place"]
    places[3]["name_cy"] = "Môn y De"
    result = ask("LONG", "Môn y De", Q1, dim_place=places)
    assert result.exit_code == 2
    assert "more than one place: NORTH (Northtown), SOUTH (Southtown)" in result.output


def test_without_a_window_the_only_one_is_taken(ask: Ask) -> None:
    figures = [f for f in small_world()["fct_indicator"] if f["window_name"] == "year_to_date"]
    result = ask("TIME", "REGION", Q2, "--json", fct_indicator=figures)
    assert json.loads(result.output)["window"] == "year_to_date"


def test_a_warehouse_of_an_earlier_version_has_to_be_built_anew(
    ask: Ask, settings: Settings
) -> None:
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("drop table marts.fct_explanation")
    result = ask("LONG", "REGION", Q1)
    assert result.exit_code == 1
    assert "run `adoption build`" in result.output


def test_no_warehouse_is_told_in_one_line(ask: Ask, settings: Settings) -> None:
    settings.warehouse.unlink()
    result = ask("LONG", "REGION", Q1)
    assert result.exit_code == 1
    assert "does not exist yet: run `adoption build`" in result.output


# --- reading -------------------------------------------------------------------------------------

QUESTIONS = [
    ("LONG", "REGION", Q1, "--children"),
    ("TIME", "REGION", Q2, "--window", "year_to_date", "--children"),
    ("TIME", "SOUTH", Q2),
    ("STOCK", "REGION", Q2, "--children"),
]


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[0])
def test_nothing_is_wider_than_eighty_columns(
    ask: Ask, settings: Settings, question: tuple[str, ...], language: str
) -> None:
    places = small_world()["dim_place"]
    for place in places:
        place["name_en"] += " with a name as long as names of collaboratives are in real life"
        place["name_cy"] += " ag enw mor hir ag y mae enwau rhai cydweithrediadau mewn gwirionedd"
    write_export(settings, Q1, 1, [], **(LONG_IN_REGION | {"numerator": 1}))
    result = ask(*question, "--language", language, dim_place=places)
    assert result.exit_code == 0
    assert {line for line in result.output.splitlines() if len(line) > 80} == set()


def test_welsh_is_welsh_throughout(ask: Ask, settings: Settings) -> None:
    write_export(settings, Q1, 1, ["S000001"], **(LONG_IN_REGION | {"numerator": 4}))
    text = told(ask("LONG", "REGION", Q1, "--language", "cy", "--children"))
    assert "71.4% = 5 o 7 plentyn" in text
    assert "Yr hyn y mae LONG yn ei fesur." in text
    english = ("Returns", "add up", "Coverage", "children", "since", "Version", "Left", "proposed")
    spoken = text.replace("children matched over six months after decision", "").replace(
        "children matched", ""
    )
    assert [word for word in english if word in spoken] == []


def test_many_returns_are_one_line_a_sender(ask: Ask) -> None:
    quarters = [
        f"{year}-{year % 100 + 1:02d}-Q{n}" for year in range(2010, 2020) for n in range(1, 5)
    ]
    world = small_world()
    more = {
        "dim_window": world["dim_window"]
        + [
            {"window_name": "year_to_date", "quarter": Q2, "covered_quarter": quarter}
            for quarter in quarters
        ],
        "dim_place_sender": world["dim_place_sender"]
        + [
            {"place_code": "REGION", "sender_code": "NORTH", "quarter": quarter}
            | {"membership_basis": "at_the_time"}
            for quarter in quarters
        ],
        "fct_return": world["fct_return"] + [a_return("NORTH", quarter, 3) for quarter in quarters],
    }
    for one in world["fct_indicator"]:
        if one["window_name"] == "year_to_date":
            one["returns_expected"], one["returns_accepted"] = 44, 43
    more["fct_indicator"] = world["fct_indicator"]
    text = told(ask("TIME", "REGION", Q2, "--window", "year_to_date", **more))
    assert "Northtown 42 1–2 2020-07-10 210 – 91 days 3" in text
    assert "2010-11-Q1 to 2020-21-Q2: 42 quarters" in text


def test_json_holds_every_return_with_its_submission(ask: Ask) -> None:
    explained = json.loads(ask("LONG", "REGION", Q1, "--json").output)
    assert explained["is_proved"] is True
    assert explained["cases"] is None
    assert [one["submission_id"] for one in explained["returns"]] == ["S000001", "S000002"]
    assert explained["figure"]["numerator"] == sum(one["numerator"] for one in explained["returns"])
    assert explained["set_aside"] == [
        {"sender": "Southtown", "quarter": Q1, "submission_id": "S000002", "rows": 1}
        | {"rules": {"CH206": 2}}
    ]
