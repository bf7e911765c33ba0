"""What a resubmission, a refusal, a nil and a missing return do to the figures."""

from __future__ import annotations

from typing import Any

FIRST, SECOND = "2020-21-Q1", "2020-21-Q2"


def _matched(warehouse, place: str, quarter: str, window: str = "quarter") -> dict[str, Any]:
    (figure,) = warehouse.query(
        """
        select * from marts.fct_indicator
        where indicator_id = 'W05' and place_code = ? and quarter = ? and window_name = ?
            and membership_basis = 'at_the_time'
        """,
        place,
        quarter,
        window,
    )
    return figure


def test_a_correction_replaces_and_a_refused_file_does_not(warehouse) -> None:
    figure = _matched(warehouse, "CORRECTS", FIRST)
    assert figure["numerator"] == 2  # the second file, without the row set aside


def test_a_nil_return_is_a_nought_and_a_missing_one_is_not(warehouse) -> None:
    nil = _matched(warehouse, "REPORTS_NONE", FIRST)
    assert (nil["numerator"], nil["value"], nil["is_complete"]) == (0, 0, True)
    missing = _matched(warehouse, "SILENT", FIRST)
    assert (missing["numerator"], missing["value"], missing["is_complete"]) == (None, None, False)


def test_a_region_without_all_its_returns_is_visibly_incomplete(warehouse) -> None:
    first = _matched(warehouse, "TROUBLED", FIRST)
    assert (first["numerator"], first["returns_accepted"], first["returns_expected"]) == (2, 2, 3)
    assert not first["is_complete"]
    second = _matched(warehouse, "TROUBLED", SECOND)
    assert (second["numerator"], second["is_complete"]) == (1, True)


def test_a_missing_return_marks_every_window_it_lies_in(warehouse) -> None:
    year = _matched(warehouse, "TROUBLED", SECOND, "year_to_date")
    assert (year["numerator"], year["returns_accepted"], year["returns_expected"]) == (3, 5, 6)
    assert (year["quarters_covered"], year["quarters_in_window"]) == (2, 2)
    assert not year["is_complete"]


def test_no_figure_is_given_where_the_return_is_not_due(warehouse) -> None:
    places = warehouse.query(
        """
        select distinct place_code from marts.fct_indicator
        where indicator_id = 'W17' and place_code in ('TROUBLED', 'CORRECTS', 'EXAMPLE_W17')
        """
    )
    assert places == [{"place_code": "EXAMPLE_W17"}]


def test_every_return_due_has_a_status(warehouse) -> None:
    rows = warehouse.query(
        """
        select sender_code, quarter, status, refused_deliveries, rows_accepted
        from marts.fct_return
        where sender_code in ('CORRECTS', 'REPORTS_NONE', 'SILENT')
        """
    )
    statuses = {(row["sender_code"], row["quarter"]): row["status"] for row in rows}
    assert statuses == {
        ("CORRECTS", FIRST): "accepted",
        ("CORRECTS", SECOND): "accepted",
        ("REPORTS_NONE", FIRST): "nil",
        ("REPORTS_NONE", SECOND): "nil",
        ("SILENT", FIRST): "missing",
        ("SILENT", SECOND): "accepted",
    }
    (corrected,) = (r for r in rows if (r["sender_code"], r["quarter"]) == ("CORRECTS", FIRST))
    assert corrected["refused_deliveries"] == 1


def test_a_figure_leads_back_to_its_children(warehouse) -> None:
    behind = warehouse.query(
        """
        select count(*) as children, sum(amount) as amount
        from marts.fct_child_measure
        where sender_code = 'CORRECTS' and quarter = ? and measure = 'children_matched'
        """,
        FIRST,
        database="restricted",
    )
    assert behind == [{"children": 2, "amount": 2}]


def test_the_published_database_holds_tables_only_and_no_case_level_rows(warehouse) -> None:
    relations = warehouse.query(
        "select table_schema, table_name, table_type from information_schema.tables"
    )
    assert {relation["table_schema"] for relation in relations} == {"marts"}
    assert {relation["table_type"] for relation in relations} == {"BASE TABLE"}
    columns = warehouse.query("select column_name from information_schema.columns")
    assert not [c for c in columns if c["column_name"].endswith("_pseudonym")]
