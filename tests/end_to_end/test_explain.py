"""Explanations on whole warehouses: every figure is proved, and the SQL says what the command says.

Two warehouses: the sample's, and a small one of invented returns in which each reason for being
left out is known by hand.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.explain.reasons import REASONS
from pipelines.settings import CHECKOUT, Settings
from pipelines.warehouse.published import open_restricted, open_warehouse
from tests.conftest import Sample
from tests.warehouse.conftest import ENGLAND, WALES, InventedReturns

DOCUMENT = CHECKOUT / "docs" / "explain-a-number.md"


def explained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *question: str
) -> dict[str, Any]:
    monkeypatch.setenv("ADOPTION_DATA", str(settings.data))
    result = CliRunner().invoke(main, ["explain", *question, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


# --- the sample: proof ---------------------------------------------------------------------------


def test_the_returns_add_up_to_every_total_of_the_sample(sample: Sample) -> None:
    with open_warehouse(sample.settings) as connection:
        rows = connection.execute(
            """
            select
                figure.indicator_id, figure.place_code, figure.quarter, figure.window_name,
                figure.membership_basis, figure.numerator, figure.denominator,
                coalesce(sum(above.amount), 0), coalesce(sum(below.amount), 0)
            from marts.fct_indicator as figure
            join marts.dim_indicator as indicator using (indicator_id)
            join marts.dim_window as span
                on span.quarter = figure.quarter
                -- A stock is what stood on the last day, however long the window.
                and span.window_name = case
                    when indicator.timing = 'stock' then 'quarter' else figure.window_name
                end
            join marts.dim_place_sender as tree
                on tree.place_code = figure.place_code
                and tree.quarter = span.covered_quarter
                and tree.membership_basis = figure.membership_basis
            left join marts.fct_return_measure as above
                on above.sender_code = tree.sender_code
                and above.quarter = tree.quarter
                and above.return_name = indicator.subject
                and above.measure = indicator.numerator
            left join marts.fct_return_measure as below
                on below.sender_code = tree.sender_code
                and below.quarter = tree.quarter
                and below.return_name = indicator.subject
                and below.measure = indicator.denominator
            where figure.breakdown = 'total' and figure.numerator is not null
            group by all
            """
        ).fetchall()
    assert len(rows) > 30_000
    assert {row[4] for row in rows} == {"at_the_time", "today"}
    differing = [row[:5] for row in rows if row[5] != row[7] or (row[6] or 0) != row[8]]
    assert differing == []


def test_the_warehouse_explains_without_a_row_about_anybody(sample: Sample) -> None:
    with open_warehouse(sample.settings) as connection:
        columns = connection.execute(
            "select table_name from duckdb_columns() where column_name like '%pseudonym%'"
        ).fetchall()
        reasons = connection.execute(
            "select reason, sum(cases) from marts.fct_explanation group by reason order by reason"
        ).fetchall()
    assert columns == []
    with open_restricted(sample.settings) as connection:
        by_case = connection.execute(
            "select reason, count(*) from marts.fct_case_explanation group by 1 order by 1"
        ).fetchall()
        kinds = connection.execute(
            "select distinct data_type from duckdb_columns()"
            " where table_name = 'fct_case_explanation'"
        ).fetchall()
    assert reasons == by_case
    assert len(reasons) >= 8
    assert kinds == [("VARCHAR",)]  # no date of anybody


# --- the sample: the same as SQL -----------------------------------------------------------------

FIGURES = [
    ("W11A_PERCENT", "VVC", "2019-20-Q4", "year_to_date", "at_the_time"),
    ("A2", ENGLAND, "2020-21-Q4", "rolling_12", "at_the_time"),
    ("W11C", WALES, "2020-21-Q4", "quarter", "at_the_time"),
    ("ORDER_TO_MATCH", "TOGETHER4CHILDREN", "2020-21-Q4", "rolling_4", "today"),
    ("G8", ENGLAND, "2019-20-Q3", "quarter", "at_the_time"),
    ("W17", "ST_DAVIDS", "2020-21-Q4", "rolling_12", "at_the_time"),
]


def queries() -> dict[str, list[str]]:
    """Heading → the SQL under it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for section in re.split(r"^###? ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        blocks = re.findall(r"^```sql\n(.*?)^```", body, flags=re.DOTALL | re.MULTILINE)
        if blocks:
            found[heading] = blocks
    return found


class Analyst:
    """Types in the document's queries, the paths and the question being his own."""

    def __init__(self, settings: Settings, figure: tuple[str, ...]) -> None:
        self.settings, self.blocks = settings, queries()
        self.connection = duckdb.connect(str(settings.warehouse), read_only=True)
        question, behind = self.blocks["The question"]
        names = ("indicator", "place", "quarter", "window_name", "basis")
        for name, value in zip(names, figure, strict=True):
            question, times = re.subn(
                rf"(set variable {name} = )'[^']*'", rf"\g<1>'{value}'", question
            )
            assert times == 1
        self.connection.execute(question)
        self.connection.execute(behind)

    def ask(self, heading: str, position: int = 0, **words: str) -> list[tuple[Any, ...]]:
        sql = self.blocks[heading][position].replace("'data/", f"'{self.settings.data.as_posix()}/")
        for word, meant in words.items():
            sql = sql.replace(word, meant)
        return self.connection.execute(sql).fetchall()


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure[0]}-{figure[1]}")
def test_the_sql_of_the_document_says_what_the_command_says(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, figure: tuple[str, ...]
) -> None:
    indicator, place, quarter, window, basis = figure
    said = explained(
        *(sample.settings, monkeypatch, indicator, place, quarter),
        *("--window", window, "--basis", basis, "--children"),
    )
    analyst = Analyst(sample.settings, figure)

    (row,) = analyst.ask("The figure and its definition")
    numbers = ("numerator", "denominator", "value", "benchmark")
    coverage = ("returns_accepted", "returns_expected", "is_complete")
    assert row[:7] == tuple(said["figure"][name] for name in numbers + coverage)
    assert row[7] == said["definition"]["definition"]
    assert row[10] == said["definition"]["definition_status"]
    assert row[12].split(" ; ") == said["definition"]["sources"]

    returns = [
        (*row[:6], row[6].isoformat() if row[6] else None, *row[7:])
        for row in analyst.ask("The returns, counted or not")
    ]
    names = ("sender_code", "quarter", "status", "is_due", "submission_id", "version")
    names += ("received_at", "rows_used", "rows_set_aside", "refused_deliveries")
    names += ("numerator", "denominator")
    assert returns == sorted(tuple(one[name] for name in names) for one in said["returns"])

    (proof,) = analyst.ask("The check")
    assert (proof[0] or 0, proof[1]) == (said["figure"]["numerator"], said["figure"]["denominator"])
    assert dict(analyst.ask("What is left out, and why")) == {
        one["reason"]: one["cases"] for one in said["left_out"]
    }
    rules: dict[str, dict[str, int]] = {}
    for submission, rule, problems in analyst.ask("Rows set aside, by rule"):
        rules.setdefault(submission, {})[rule] = problems
    assert rules == {one["submission_id"]: one["rules"] for one in said["set_aside"]}

    published = [
        (one["version"], one["numerator"], one["denominator"], one["value"])
        for one in said["publications"]
    ]
    if basis == "at_the_time" and (sample.settings.exports / quarter).exists():
        found = analyst.ask("What was published")
        assert [(int(row[0]), *row[1:]) for row in found] == published
        assert published
    else:
        assert published == []

    restricted = "The children, for those with access"
    analyst.ask(restricted)
    words = {}
    if said["definition"]["subject"] == "adopter":
        words = {"fct_child_measure": "fct_adopter_measure"}
        words["child_pseudonym"] = "household_pseudonym"
    names = ("pseudonym", "sender_code", "quarter", "numerator", "denominator")
    assert sorted(analyst.ask(restricted, 1, **words)) == sorted(
        tuple(one[name] for name in names) for one in said["cases"]
    )
    assert said["cases"]
    names = ("pseudonym", "sender_code", "quarter", "reason")
    assert sorted(analyst.ask(restricted, 2)) == sorted(
        tuple(one[name] for name in names) for one in said["cases_left_out"]
    )


def test_the_document_knows_every_reason() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f"`{reason}`" not in text] == []


def test_a_missing_return_is_named_where_its_nation_lacks_it(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = explained(sample.settings, monkeypatch, "G8", "England", "2019-20-Q3")
    missing = [one["sender"] for one in said["returns"] if one["status"] == "missing"]
    assert missing == ["Solihull"]
    assert not said["figure"]["is_complete"]


def test_an_explanation_for_reading_fits_eighty_columns(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(sample.settings.data))
    monkeypatch.setenv("COLUMNS", "80")
    for indicator, place, quarter, window, basis in FIGURES:
        for language in ("en", "cy"):
            result = CliRunner().invoke(
                main,
                [
                    *("explain", indicator, place, quarter, "--window", window),
                    *("--basis", basis, "--language", language, "--children"),
                ],
            )
            assert result.exit_code == 0, result.output
            assert {line for line in result.output.splitlines() if len(line) > 80} == set()


# --- the small one: who is left out, and why -----------------------------------------------------

BEFORE, NOW = "2020-21-Q1", "2020-21-Q2"
ORDER = {"placement_order_on": date(2019, 11, 4)}
ON_REGISTER = ORDER | {"referred_to_register_on": date(2019, 12, 2)}


def child(name: str, **row: Any) -> dict[str, Any]:
    return {"child_pseudonym": name} | row


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> InventedReturns:
    """ALPHA reports twice, BETA only the second time; GAMMA is English, AGENCY recruits."""
    world = InventedReturns(tmp_path_factory.mktemp("explained"))
    world.place("ALLTOGETHER", "region")
    for sender in ("ALPHA", "BETA"):
        world.place(sender)
        world.member(sender, "ALLTOGETHER")
        world.owes(sender, "child", BEFORE, NOW)
    world.place("GAMMA", nation=ENGLAND)
    world.owes("GAMMA", "child", NOW)
    world.place("AGENCY", "voluntary_agency")
    world.owes("AGENCY", "adopter", BEFORE, NOW)

    names = ("placed", "ended", "gone", "withdrawn", "adopted", "undone", "still", "aside")
    world.submit("ALPHA", BEFORE, child=[child(name, **ON_REGISTER) for name in names])
    world.submit(
        "ALPHA",
        NOW,
        child=[
            child(
                "placed", **ON_REGISTER, matched_on=date(2020, 7, 6), placed_on=date(2020, 7, 27)
            ),
            child("ended", **ON_REGISTER, plan_ended_on=date(2020, 8, 3)),
            child("withdrawn", **ON_REGISTER, referral_withdrawn_on=date(2020, 8, 4)),
            child("adopted", **ON_REGISTER, adoption_order_on=date(2020, 9, 1)),
            child("undone"),
            child("still", **ON_REGISTER),
            child("aside", **ON_REGISTER, row_status="quarantined"),
            child("begins", placement_order_on=date(2020, 7, 20)),
            child("no order", matched_on=date(2020, 7, 8), placed_on=date(2020, 8, 10)),
            child("consent", **ORDER, authority_to_place="consent", matched_on=date(2020, 9, 7)),
            child("moved first", placement_order_on=date(2020, 9, 1), placed_on=date(2020, 7, 1))
            | {"matched_on": date(2020, 7, 1)},
            child("soon", matched_on=date(2020, 7, 30))
            | {"should_be_placed_decision_on": date(2020, 3, 2), **ORDER},
            child("both", referred_on=date(2020, 7, 1), referral_withdrawn_on=date(2020, 9, 1)),
            child("referred", referred_on=date(2020, 7, 2)),
            child("pulled out", referral_withdrawn_on=date(2020, 9, 2)),
        ],
    )
    world.submit("BETA", NOW, child=[child("waits as well", **ON_REGISTER)])
    world.submit(
        "GAMMA",
        NOW,
        child=[
            child("never placed", entered_care_on=date(2018, 5, 1))
            | {"adoption_order_on": date(2020, 8, 1)},
            child("counted", entered_care_on=date(2018, 5, 1), placed_on=date(2020, 1, 1))
            | {"adoption_order_on": date(2020, 8, 1)},
        ],
    )
    waiting = {"approved_on": date(2020, 2, 3)}
    world.submit(
        "AGENCY",
        BEFORE,
        adopter=[{"household_pseudonym": name, **waiting} for name in ("matched", "left", "waits")],
    )
    world.submit(
        "AGENCY",
        NOW,
        adopter=[
            {"household_pseudonym": "matched", **waiting, "matched_on": date(2020, 8, 3)},
            {"household_pseudonym": "left", **waiting, "left_on": date(2020, 8, 4)},
            {"household_pseudonym": "waits", **waiting},
            {"household_pseudonym": "no enquiry", "approved_on": date(2020, 8, 5)},
            {"household_pseudonym": "known", "approved_on": date(2020, 8, 5)}
            | {"enquired_on": date(2020, 1, 1)},
        ],
    )
    world.write(NOW)
    world.dbt("build", "--exclude-resource-type", "unit_test")
    return world


def reasons(world: InventedReturns, indicator: str, sender: str = "ALPHA") -> dict[str, str]:
    rows = world.query(
        "select case_pseudonym, reason from marts.fct_case_explanation"
        " where indicator_id = ? and sender_code = ? and quarter = ?",
        *(indicator, sender, NOW),
        database="restricted",
    )
    return {row["case_pseudonym"]: row["reason"] for row in rows}


def test_who_no_longer_waits_is_told_why(invented: InventedReturns) -> None:
    assert reasons(invented, "W11C") == {
        "placed": "left_placed",
        "ended": "left_plan_ended",
        "withdrawn": "left_referral_withdrawn",
        "adopted": "left_adopted",
        "undone": "left_otherwise",
        "gone": "left_return",
        "aside": "left_return",  # a row set aside is on no return we count
        "begins": "joined",
        "consent": "joined",
        "soon": "joined",
    }


def test_a_wait_for_a_match_ends_with_the_match_though_the_child_was_placed_too(
    invented: InventedReturns,
) -> None:
    assert reasons(invented, "W11D")["placed"] == "left_matched"


def test_nobody_is_said_to_join_where_the_quarter_before_was_not_reported(
    invented: InventedReturns,
) -> None:
    assert invented.query(
        "select numerator from marts.fct_indicator where indicator_id = 'W11C'"
        " and place_code = 'BETA' and quarter = ? and breakdown = 'total'",
        NOW,
    ) == [{"numerator": 1}]
    assert reasons(invented, "W11C", "BETA") == {}


def test_a_wait_that_cannot_be_measured_is_told_why(invented: InventedReturns) -> None:
    assert reasons(invented, "W09") == {
        "no order": "start_not_known",
        "moved first": "start_after_stop",
    }
    assert reasons(invented, "ORDER_TO_MATCH") == {
        "no order": "start_not_known",
        "consent": "by_consent",
        "moved first": "denominator_only",  # matched before the order: 0 days
    }


def test_a_stop_that_is_not_known_is_told(invented: InventedReturns) -> None:
    assert reasons(invented, "A1", "GAMMA") == {"never placed": "stop_not_known"}


def test_an_event_that_the_definition_does_not_take_is_told(invented: InventedReturns) -> None:
    assert reasons(invented, "W11A") == {
        "placed": "start_not_known",
        "no order": "start_not_known",
        "consent": "start_not_known",
        "moved first": "start_not_known",
        "soon": "not_in_definition",
    }


def test_either_side_of_a_fraction_is_told_from_the_other(invented: InventedReturns) -> None:
    assert reasons(invented, "W02") == {
        "referred": "denominator_only",
        "withdrawn": "numerator_only",
        "pulled out": "numerator_only",
    }


def test_households_are_told_of_as_children_are(invented: InventedReturns) -> None:
    assert reasons(invented, "W17", "AGENCY") == {"no enquiry": "start_not_known"}
    assert reasons(invented, "ADOPTERS_WAITING", "AGENCY") == {
        "matched": "left_matched",
        "left": "left_agency",
        "no enquiry": "joined",
        "known": "joined",
    }


def test_an_indicator_of_one_nation_says_nothing_of_the_other(invented: InventedReturns) -> None:
    assert reasons(invented, "A1", "ALPHA") == {}
    assert reasons(invented, "W11C", "GAMMA") == {}
