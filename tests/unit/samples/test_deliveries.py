from __future__ import annotations

import zipfile
from collections import Counter
from datetime import date, datetime

import pytest

from pipelines.quarters import Quarter
from pipelines.readers.casting import cast
from pipelines.readers.child_process import read_files
from pipelines.readers.content import Unreadable
from pipelines.readers.cover import read_cover
from pipelines.readers.layout import lay_out
from pipelines.samples.calibration import Calibration
from pipelines.samples.deliveries import (
    FORMS,
    STYLES,
    PlannedDelivery,
    plan_deliveries,
    write_deliveries,
)
from pipelines.samples.population import senders_due
from pipelines.samples.styles import heading

FIRST, LAST = Quarter(2018, 1), Quarter(2020, 4)
BUSY = Quarter(2018, 4)  # has a wrong code, a web page, a late return and rows with errors


@pytest.fixture(scope="module")
def plan(declarations) -> list[PlannedDelivery]:
    return plan_deliveries(declarations, FIRST, LAST)


@pytest.fixture(scope="module")
def written(declarations, tmp_path_factory):
    return write_deliveries(tmp_path_factory.mktemp("inbox"), declarations, BUSY, BUSY)


@pytest.fixture(scope="module")
def broken(declarations, tmp_path_factory):
    """A quarter with a file cut off on the way and one that comes twice."""
    quarter = Quarter(2019, 4)
    return write_deliveries(tmp_path_factory.mktemp("broken"), declarations, quarter, quarter)


@pytest.fixture(scope="module")
def contents(written):
    return dict(zip([d.path.name for d in written], read_files([d.path for d in written]),
                    strict=True))  # fmt: skip


def of(plan, sender_code: str, quarter: str) -> list[PlannedDelivery]:
    return [d for d in plan if d.sender_code == sender_code and str(d.quarter) == quarter]


def deadline(declarations, delivery: PlannedDelivery) -> int:
    """Days from the quarter's end to arrival, minus the days allowed."""
    deadline = declarations.policy_for(delivery.sender_code).deadline(delivery.quarter)
    return (delivery.received_at.date() - deadline).days


def test_every_return_owed_is_delivered_but_for_the_two_that_are_missing(declarations, plan):
    sent = {(d.sender_code, d.quarter) for d in plan}
    owed = {
        (sender, Quarter(year, number))
        for year in (2018, 2019, 2020)
        for number in (1, 2, 3, 4)
        for sender, _ in senders_due(declarations, Quarter(year, number))
    }
    assert owed - sent == {("E08000029", Quarter(2019, 3)), ("W06000005", Quarter(2020, 2))}
    assert sent <= owed


def test_deliveries_come_in_order_after_their_quarter_and_under_names_of_their_own(plan):
    assert [d.received_at for d in plan] == sorted(d.received_at for d in plan)
    assert all(d.received_at.date() > d.quarter.last_day for d in plan)
    assert all(d.received_at.utcoffset().total_seconds() == 0 for d in plan)
    assert max(Counter(d.file_name for d in plan).values()) == 1


def test_only_what_is_said_to_be_late_is_late(declarations, plan):
    late = {
        (d.sender_code, str(d.quarter), d.version) for d in plan if deadline(declarations, d) > 0
    }
    assert late == {
        ("E06000054", "2018-19-Q4", 1),
        ("W06000006", "2019-20-Q2", 1),
        ("W06000011", "2018-19-Q3", 2),
        ("W06000023", "2019-20-Q1", 2),
        ("E06000023", "2019-20-Q4", 2),
    }


def test_published_figures_rest_on_returns_that_end_up_whole(plan):
    calibration = Calibration()
    published = {t.place_code for t in calibration.targets if t.is_published}
    authorities = {
        code for name in published for code in calibration.weights.get(name, {name: 1.0})
    } | published
    last: dict[tuple[str, str], PlannedDelivery] = {}
    for delivery in plan:
        last[delivery.sender_code, str(delivery.quarter)] = delivery
    for (sender, _), delivery in last.items():
        if sender in authorities:
            assert delivery.change is None
            assert delivery.form in ("workbook", "Welsh workbook", "CSV")


def test_a_correction_gives_the_two_placements_that_were_missing(people, plan):
    first, second = of(plan, "W06000011", "2018-19-Q3")
    true = people.rows("W06000011", Quarter(2018, 3))
    assert first.change is not None
    sent = first.change(true)
    missing = [now for now, then in zip(sent["child"], true["child"], strict=True) if now != then]
    assert len(missing) == 2
    assert all(row["placed_on"] is None and row["matched_on"] for row in missing)
    assert (second.version, second.change) == (2, None)


def test_the_true_rows_are_not_changed_by_making_a_mess_of_them(people, plan):
    for delivery in plan:
        if delivery.change is not None:
            true = people.rows(delivery.sender_code, delivery.quarter)
            before = [dict(row) for row in true["child"]]
            assert delivery.change(true)["child"] != before
            assert true["child"] == before


@pytest.mark.parametrize(
    ("sender_code", "quarter", "rows"),
    [("W06000010", "2018-19-Q4", 2), ("E10000031", "2020-21-Q1", 3)],
)
def test_few_enough_rows_have_errors_for_the_rest_to_be_accepted(
    declarations, people, plan, sender_code, quarter, rows
):
    (delivery,) = of(plan, sender_code, quarter)
    true = people.rows(sender_code, delivery.quarter)["child"]
    assert delivery.change is not None
    sent = delivery.change({"child": true})["child"]
    changed = sum(now != then for now, then in zip(sent, true, strict=True))
    refusal = declarations.policy_for(sender_code).refusal_for(delivery.quarter)
    assert changed == rows
    assert (
        changed <= refusal.tolerated_error_rows
        or 100 * changed / len(true) <= refusal.tolerated_error_percent
    )


@pytest.mark.parametrize(
    ("sender_code", "quarter", "version"),
    [("W06000023", "2019-20-Q1", 2), ("E06000023", "2019-20-Q4", 1)],
)
def test_a_return_to_be_refused_has_errors_in_most_of_its_rows(
    people, plan, sender_code, quarter, version
):
    delivery = next(d for d in of(plan, sender_code, quarter) if d.version == version)
    true = people.rows(sender_code, delivery.quarter)["child"]
    assert delivery.change is not None
    sent = delivery.change({"child": true})["child"]
    assert sum(now != then for now, then in zip(sent, true, strict=True)) > len(true) / 2


def test_the_mess_lies_where_the_module_says(plan):
    described = {
        (d.sender_code, str(d.quarter)) for d in plan if d.description != "Ordinary return."
    }
    assert described == {
        ("W06000008", "2018-19-Q2"), ("W06000011", "2018-19-Q3"), ("W06000003", "2018-19-Q4"),
        ("W06000010", "2018-19-Q4"), ("E06000054", "2018-19-Q4"), ("W06000023", "2019-20-Q1"),
        ("E10000013", "2019-20-Q4"), ("W06000006", "2019-20-Q2"), ("W06000009", "2019-20-Q4"),
        ("E06000023", "2019-20-Q4"), ("E10000031", "2020-21-Q1"), ("E08000026", "2020-21-Q3"),
    }  # fmt: skip


def test_the_same_file_comes_twice(broken):
    twice = [d.path.read_bytes() for d in broken if d.sender_code == "E10000013"]
    assert len(twice) == 2
    assert twice[0] == twice[1]


def test_files_are_the_same_every_time_they_are_written(declarations, written, tmp_path):
    again = write_deliveries(tmp_path, declarations, BUSY, BUSY)
    assert [d.path.name for d in again] == [d.path.name for d in written]
    for one, other in zip(written, again, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes(), one.path.name


def test_every_sample_that_can_be_read_says_synthetic(declarations, contents):
    readable = {name: one for name, one in contents.items() if not isinstance(one, Unreadable)}
    assert len(readable) == len(contents) - 1
    for name, content in readable.items():
        answers = read_cover(content, declarations).values
        assert answers["is_synthetic"] is True, name
        assert "Synthetic" in answers["signed_off_by_role"]
        assert answers["signed_off_on"] > BUSY.last_day


def test_a_web_page_is_no_workbook(written, contents):
    (page,) = [d for d in written if d.sender_code == "E06000054" and "Unreadable" in d.description]
    assert page.path.suffix == ".xlsx"
    assert isinstance(contents[page.path.name], Unreadable)


def test_a_workbook_that_was_cut_off_is_no_zip(broken):
    cut, whole = [d for d in broken if d.sender_code == "W06000009"]
    assert not zipfile.is_zipfile(cut.path)
    assert zipfile.is_zipfile(whole.path)


def test_the_wrong_code_is_nobody_s(declarations, contents):
    cover = read_cover(contents["W06000003_2018-19-Q4_v1_first.xlsx"], declarations)
    assert cover.values["sender_code"] is None
    assert cover.values["quarter"] == BUSY


@pytest.mark.parametrize("sender_code", [*STYLES, *FORMS, "W06000015", "E08000011", "ST_DAVIDS"])
def test_a_return_in_any_style_reads_back_as_the_rows_it_was_made_from(
    declarations, people, contents, written, sender_code
):
    (delivery,) = [d for d in written if d.sender_code == sender_code]
    laid_out = lay_out(contents[delivery.path.name], declarations, "S1")
    true = people.rows(sender_code, BUSY)
    assert laid_out.cover.values["sender_code"] == sender_code
    assert set(laid_out.returns) == set(true)
    assert not [problem for problem in laid_out.problems if problem.severity == "error"]
    for name, rows in true.items():
        declared = declarations.returns[name]
        typed = cast(laid_out.frames[name], declared, BUSY, declarations)
        fields = [field.name for field in declared.fields]
        assert typed.select(fields).to_dicts() == [
            {field: row[field] for field in fields} for row in rows
        ]


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_no_two_columns_of_a_style_have_the_same_heading(declarations, style):
    for declared in declarations.returns.values():
        headings = [heading(field, style).casefold() for field in declared.fields]
        assert len(headings) == len(set(headings))


def test_a_date_kept_as_text_is_no_date_cell(written, contents):
    (gwynedd,) = [d for d in written if d.sender_code == "W06000002"]
    children = contents[gwynedd.path.name].sheets[1]
    assert children.name == "Plant"
    cells = {cell for row in children.rows[3:] for cell in row if cell}
    assert any(is_day_first(cell) for cell in cells)
    assert not any(isinstance(cell, (date, datetime)) for cell in cells)


def is_day_first(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%d/%m/%Y"))
    except ValueError:
        return False
