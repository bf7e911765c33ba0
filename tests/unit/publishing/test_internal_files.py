"""The exports room: numbered versions that never change, safe to open, the same when made again.

The warehouse here is a handful of invented figures in the shape of the marts.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, changed_files
from pipelines.publishing.internal_files import (
    ExportError,
    export_quarter,
    write_csv,
)
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.text.catalogue import Language
from pipelines.warehouse.figures import Figure, headline_figures, shown_value
from pipelines.warehouse.published import WarehouseError, open_warehouse
from tests.unit.marts_made import create_marts, insert

Q1 = Quarter(2025, 1)
# What Excel, LibreOffice or Google Sheets may take for the beginning of a formula (OWASP).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
WALES = "W92000004"


def figure(indicator: str, place: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {
        "indicator_id": indicator,
        "place_code": place,
        "quarter": Q1.label,
        "window_name": "quarter",
        "membership_basis": "at_the_time",
        "breakdown": "total",
        "breakdown_value": "total",
        "numerator": value,
        "value": value,
        "value_rounded": value,
        "returns_expected": 22,
        "returns_accepted": 22,
        "quarters_in_window": 1,
        "quarters_covered": 1,
        "is_complete": True,
        "definition_status": "proposed",
    } | more


def submission(number: int, **more: Any) -> dict[str, Any]:
    return {
        "submission_id": f"S{number:06d}-x",
        "sender_code": "W06000001",
        "quarter": Q1.label,
        "version": number,
        "received_at": datetime(2025, 7, 15, 9, 30),
        "sha256": f"{number:064x}",
        "status": "accepted",
        "is_in_force": True,
        "is_synthetic": False,
    } | more


def returned(sender: str, return_name: str = "child", **more: Any) -> dict[str, Any]:
    return {
        "sender_code": sender,
        "return_name": return_name,
        "quarter": Q1.label,
        "is_due": True,
        "status": "accepted",
        "is_late": False,
        "rows_accepted": 12,
        "rows_quarantined": 0,
    } | more


def rows() -> dict[str, list[dict[str, Any]]]:
    words = ("title", "definition", "status_note")
    return {
        "dim_quarter": [{"quarter": "2024-25-Q4"}, {"quarter": Q1.label}],
        "dim_indicator": [
            {
                "indicator_id": name,
                "unit": unit,
                "rounding": 1,
                "timing": "flow",
                "subject": "child",
                "direction": "context",
                "definition_status": "proposed",
                "is_headline": True,
            }
            | {
                f"{word}_{language}": f"{word} {name}"
                for word in words
                for language in ("en", "cy")
            }
            for name, unit in (("W01", "children"), ("W11", "percent"))
        ],
        "dim_place": [
            {"place_code": code, "name_en": en, "name_cy": cy, "kind": kind, "nation_code": WALES}
            for code, en, cy, kind in (
                (WALES, "Wales", "Cymru", "nation"),
                ("W06000001", "Isle of Anglesey", "Ynys Môn", "authority"),
            )
        ],
        "fct_indicator": [
            figure("W01", WALES, 98.0),
            figure("W01", "W06000001", 3.0),
            figure("W11", WALES, 80.6, numerator=79.0, denominator=98.0, benchmark=75.0),
            figure("W01", WALES, 91.0, quarter="2024-25-Q4"),
        ],
        "fct_submission": [submission(1), submission(9, quarter="2024-25-Q4")],
        "fct_return": [returned("W06000001")],
    }


def publish(settings: Settings, content: dict[str, list[dict[str, Any]]]) -> None:
    settings.marts.mkdir(parents=True, exist_ok=True)
    settings.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        create_marts(connection)
        for table, made in content.items():
            insert(connection, table, made)


@pytest.fixture
def warehouse(settings: Settings) -> Settings:
    publish(settings, rows())
    return settings


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# --- versions -------------------------------------------------------------------------------


def test_the_first_export_of_a_quarter_is_version_1(
    warehouse: Settings, declarations: Declarations
) -> None:
    export = export_quarter(warehouse, declarations, Q1)
    assert (export.version, export.is_new, export.figures) == (1, True, 3)
    assert export.folder == warehouse.exports / "2025-26-Q1" / "1"
    assert sorted(content_of(export.folder)) == [
        "SHA256SUMS",
        "indicators.csv",
        "indicators.parquet",
        "manifest.json",
        "pack-wales-cy.html",
        "pack-wales-en.html",
    ]
    assert export.pack.is_file()


def test_the_same_content_again_is_the_same_version(
    warehouse: Settings, declarations: Declarations
) -> None:
    first = export_quarter(warehouse, declarations, Q1)
    before = content_of(first.folder)
    second = export_quarter(warehouse, declarations, Q1)
    assert (second.version, second.is_new, second.folder) == (1, False, first.folder)
    assert content_of(first.folder) == before
    assert [path.name for path in first.folder.parent.iterdir()] == ["1"]


def test_changed_figures_are_version_2_and_version_1_stays_as_it_was(
    warehouse: Settings, declarations: Declarations
) -> None:
    first = export_quarter(warehouse, declarations, Q1)
    before = content_of(first.folder)
    changed = rows()
    changed["fct_indicator"][0]["value"] = 99.0
    publish(warehouse, changed)
    second = export_quarter(warehouse, declarations, Q1)
    assert (second.version, second.is_new) == (2, True)
    assert content_of(first.folder) == before
    assert content_of(second.folder)["indicators.csv"] != before["indicators.csv"]
    assert changed_files(first.folder) == changed_files(second.folder) == []


def test_figures_that_change_back_are_a_third_version(
    warehouse: Settings, declarations: Declarations
) -> None:
    """The latest version is always what was last said."""
    changed = rows()
    changed["fct_indicator"][0]["value"] = 99.0
    for content in (rows(), changed, rows()):
        publish(warehouse, content)
        last = export_quarter(warehouse, declarations, Q1)
    assert last.version == 3
    assert content_of(last.folder) == content_of(last.folder.parent / "1")


def test_the_tenth_version_follows_the_ninth(
    warehouse: Settings, declarations: Declarations
) -> None:
    first = export_quarter(warehouse, declarations, Q1)
    for version in range(2, 11):
        shutil.copytree(first.folder, first.folder.parent / str(version))
    changed = rows()
    changed["fct_indicator"][0]["value"] = 99.0
    publish(warehouse, changed)
    assert export_quarter(warehouse, declarations, Q1).version == 11


def test_another_quarters_change_makes_no_new_version_of_this_one(
    warehouse: Settings, declarations: Declarations
) -> None:
    export_quarter(warehouse, declarations, Q1)
    changed = rows()
    changed["fct_indicator"][3]["value"] = 1.0
    changed["fct_submission"].append(submission(2, quarter="2024-25-Q4"))
    publish(warehouse, changed)
    assert export_quarter(warehouse, declarations, Q1).is_new is False


def with_a_year_of_figures() -> dict[str, list[dict[str, Any]]]:
    """As ``rows``, with a figure that rests on four quarters."""
    content = rows()
    content["fct_indicator"].append(
        figure("W01", WALES, 300.0, window_name="rolling_4", quarters_in_window=4)
    )
    return content


@pytest.mark.parametrize("status", ["refused", "duplicate", "received"])
def test_a_delivery_that_changes_no_figure_makes_no_new_version(
    settings: Settings, declarations: Declarations, status: str
) -> None:
    content = with_a_year_of_figures()
    publish(settings, content)
    first = export_quarter(settings, declarations, Q1)
    before = content_of(first.folder)
    content["fct_submission"].append(submission(2, status=status, is_in_force=False))
    content["fct_return"].append(returned("W06000002", status="refused"))
    publish(settings, content)
    second = export_quarter(settings, declarations, Q1)
    assert (second.version, second.is_new) == (1, False)
    assert content_of(first.folder) == before


@pytest.mark.parametrize("quarter", ["2024-25-Q2", "2024-25-Q4", "2025-26-Q1"])
def test_the_same_figures_resting_on_another_submission_are_a_new_version(
    settings: Settings, declarations: Declarations, quarter: str
) -> None:
    content = with_a_year_of_figures()
    content["fct_submission"] = [submission(1, quarter=quarter)]
    publish(settings, content)
    first = export_quarter(settings, declarations, Q1)
    content["fct_submission"] = [
        submission(1, quarter=quarter, is_in_force=False),
        submission(2, quarter=quarter),
    ]
    publish(settings, content)
    second = export_quarter(settings, declarations, Q1)
    assert (second.version, second.is_new) == (2, True)
    figures = [content_of(one.folder)["indicators.csv"] for one in (first, second)]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("quarter", ["2024-25-Q1", "2025-26-Q2"])
def test_a_submission_outside_every_window_makes_no_new_version(
    settings: Settings, declarations: Declarations, quarter: str
) -> None:
    content = with_a_year_of_figures()
    publish(settings, content)
    export_quarter(settings, declarations, Q1)
    content["fct_submission"].append(submission(3, quarter=quarter))
    publish(settings, content)
    assert export_quarter(settings, declarations, Q1).is_new is False


def test_another_wording_of_the_pack_makes_no_new_version(
    warehouse: Settings, declarations: Declarations
) -> None:
    export_quarter(warehouse, declarations, Q1)
    content = rows()
    content["dim_indicator"][0]["definition_en"] = "The same, in other words."
    publish(warehouse, content)
    assert export_quarter(warehouse, declarations, Q1).is_new is False


def test_an_export_made_in_another_place_on_another_day_is_the_same_bytes(
    warehouse: Settings, declarations: Declarations, tmp_path: Path
) -> None:
    here = export_quarter(warehouse, declarations, Q1)
    there = Settings(data=tmp_path / "elsewhere", key_file=warehouse.key_file)
    content = rows()
    for table in content.values():
        table.reverse()  # whatever order a rebuilt warehouse stores its rows in
    publish(there, content)
    again = export_quarter(there, declarations, Q1)
    assert content_of(again.folder) == content_of(here.folder)
    page = here.pack.read_text(encoding="utf-8")
    assert str(datetime.now().year + 1) not in page


# --- what goes wrong ------------------------------------------------------------------------


def test_a_quarter_without_figures_is_refused_and_leaves_nothing_behind(
    warehouse: Settings, declarations: Declarations
) -> None:
    with pytest.raises(ExportError, match=r"no figures for 2031-32-Q1; its last .* 2025-26-Q1"):
        export_quarter(warehouse, declarations, Quarter(2031, 1))
    assert not warehouse.exports.exists()


def test_an_export_before_any_build_says_what_to_do(
    settings: Settings, declarations: Declarations
) -> None:
    with pytest.raises(WarehouseError, match="adoption build"):
        export_quarter(settings, declarations, Q1)


def test_an_export_that_was_killed_leaves_no_version_and_the_next_one_is_whole(
    warehouse: Settings, declarations: Declarations, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name == "1":
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            export_quarter(warehouse, declarations, Q1)
    home = warehouse.exports / Q1.label
    assert not (home / "1").exists()
    (home / ".part" / "left-over.csv").write_text("old", encoding="utf-8")
    export = export_quarter(warehouse, declarations, Q1)
    assert (export.version, export.is_new) == (1, True)
    assert "left-over.csv" not in content_of(export.folder)
    assert [path.name for path in home.iterdir()] == ["1"]


@pytest.mark.parametrize("name", ["indicators.csv", "pack-wales-cy.html", CHECKSUMS])
@pytest.mark.parametrize("is_removed", [True, False])
def test_a_published_file_that_was_changed_stops_the_next_export(
    warehouse: Settings, declarations: Declarations, name: str, is_removed: bool
) -> None:
    folder = export_quarter(warehouse, declarations, Q1).folder
    published = (folder / name).read_bytes()
    if is_removed:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(b"")
    changed = rows()
    changed["fct_indicator"][0]["value"] = 99.0
    publish(warehouse, changed)
    with pytest.raises(ExportError, match=rf"1 is not as it was published \({name} "):
        export_quarter(warehouse, declarations, Q1)
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    (folder / name).write_bytes(published)
    assert export_quarter(warehouse, declarations, Q1).version == 2


def test_a_place_whose_nation_has_no_label_is_not_exported(
    warehouse: Settings, declarations: Declarations
) -> None:
    content = rows()
    content["dim_place"][1]["nation_code"] = "S92000003"
    publish(warehouse, content)
    with pytest.raises(ExportError, match="no policy labels the exports of S92000003"):
        export_quarter(warehouse, declarations, Q1)


# --- checksums and manifest -------------------------------------------------------------------


def test_checksums_are_those_of_the_files_in_the_form_that_other_tools_read(
    warehouse: Settings, declarations: Declarations
) -> None:
    export = export_quarter(warehouse, declarations, Q1)
    files = content_of(export.folder)
    expected = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in files.items()
        if name != CHECKSUMS
    )
    assert files[CHECKSUMS].decode() == expected
    assert changed_files(export.folder) == []


@pytest.mark.parametrize("name", ["indicators.csv", "manifest.json", "pack-wales-cy.html"])
def test_a_changed_or_missing_file_no_longer_agrees(
    warehouse: Settings, declarations: Declarations, name: str
) -> None:
    folder = export_quarter(warehouse, declarations, Q1).folder
    changed = folder / name
    changed.write_bytes(changed.read_bytes() + b" ")
    assert changed_files(folder)
    changed.unlink()
    assert changed_files(folder)


def manifest_of(settings: Settings, declarations: Declarations) -> dict[str, Any]:
    folder = export_quarter(settings, declarations, Q1).folder
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_the_manifest_says_what_the_file_is(
    warehouse: Settings, declarations: Declarations
) -> None:
    manifest = manifest_of(warehouse, declarations)
    assert manifest["quarter"] == "2025-26-Q1"
    assert manifest["figures"] == 3
    assert manifest["definition_status"] == {"proposed": 3}
    assert set(manifest["label"]) == set(declarations.policies)
    for label in manifest["label"].values():
        assert "Not disclosure controlled" in label["en"]


def test_the_manifest_lists_what_the_figures_of_every_window_rest_on_and_nothing_else(
    settings: Settings, declarations: Declarations
) -> None:
    content = with_a_year_of_figures()
    outside = ("2024-25-Q1", "2025-26-Q2")
    content["fct_submission"] = [
        submission(1, is_in_force=False),
        submission(2, received_at=datetime(2025, 7, 16, 9, 30)),
        submission(3, status="refused", is_in_force=False),
        submission(4, status="duplicate", version=None, is_in_force=False),
        submission(5, quarter="2024-25-Q4"),
        submission(6, quarter="2024-25-Q2", status="accepted with queries"),
        *(submission(7 + place, quarter=quarter) for place, quarter in enumerate(outside)),
    ]
    publish(settings, content)
    submissions = manifest_of(settings, declarations)["submissions"]
    assert [one["submission_id"][:7] for one in submissions] == ["S000006", "S000005", "S000002"]
    assert submissions[2] == {
        "submission_id": "S000002-x",
        "sender_code": "W06000001",
        "quarter": "2025-26-Q1",
        "version": 2,
        "received_at": "2025-07-16T09:30:00Z",
        "sha256": f"{2:064x}",
        "status": "accepted",
    }


def test_the_manifest_lists_the_returns_that_are_in_no_figure(
    settings: Settings, declarations: Declarations
) -> None:
    content = rows()
    newest = datetime(2025, 7, 20, 9, 30)
    content["fct_submission"] += [
        submission(2, sender_code="B", status="refused", refusal_sentence_en="Hŷn.")
        | {"is_in_force": False},
        submission(3, sender_code="B", status="refused", refusal_sentence_en="Rhy hwyr: ŷ.")
        | {"is_in_force": False, "received_at": newest},
    ]
    content["fct_return"] += [
        returned("A", status="missing"),
        returned("B", status="refused", last_refused_at=newest),
        returned("B", "adopter", status="refused", last_refused_at=newest),
        returned("C", status="received"),
        returned("D", status="nil"),
        returned("E", status="missing", is_due=False),
        returned("F", status="missing", quarter="2024-25-Q4"),
    ]
    publish(settings, content)
    assert manifest_of(settings, declarations)["returns_not_in"] == {
        "refused": [
            {"sender_code": "B", "return_name": "adopter", "why": "Rhy hwyr: ŷ."},
            {"sender_code": "B", "return_name": "child", "why": "Rhy hwyr: ŷ."},
        ],
        "missing": [{"sender_code": "A", "return_name": "child"}],
        "received": [{"sender_code": "C", "return_name": "child"}],
    }


def test_breaks_in_series_travel_with_the_figures_and_their_texts_with_the_manifest(
    settings: Settings, declarations: Declarations
) -> None:
    content = rows()
    content["fct_indicator"][0] |= {"has_break_in_window": True, "has_break_since_previous": True}
    touching: dict[str, Any] = {
        "indicator_id": "W01",
        "place_code": WALES,
        "window_name": "quarter",
    }
    touching |= {"membership_basis": "at_the_time", "is_in_window": True}
    content["fct_indicator_break"] = [
        touching | {"break_id": "SECOND", "quarter": Q1.label},
        touching | {"break_id": "FIRST", "quarter": Q1.label},
        touching | {"break_id": "ELSEWHEN", "quarter": "2024-25-Q4"},
    ]
    content["dim_break_in_series"] = [
        {"break_id": name, "kind": "definition", "indicator_id": "W01", "place_code": place}
        | {"since": "2025-26-Q1", "title_en": f"{name} title", "title_cy": f"{name} teitl"}
        | {"explanation_en": "It changed.", "explanation_cy": "Newidiodd.", "status": "sourced"}
        for name, place in (("FIRST", "*"), ("SECOND", WALES), ("SECOND", "X"), ("ELSEWHEN", "*"))
    ]
    publish(settings, content)
    folder = export_quarter(settings, declarations, Q1).folder
    flagged = {
        (row["indicator_id"], row["place_code"]): row
        for row in pl.read_parquet(folder / "indicators.parquet").to_dicts()
    }
    assert flagged["W01", WALES]["break_ids"] == "FIRST SECOND"
    assert flagged["W01", WALES]["has_break_in_window"] is True
    assert flagged["W11", WALES]["break_ids"] is None
    breaks = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["breaks_in_series"]
    assert [one["break_id"] for one in breaks] == ["FIRST", "SECOND"]
    assert breaks[1]["title"] == {"en": "SECOND title", "cy": "SECOND teitl"}
    assert breaks[1]["explanation"] == {"en": "It changed.", "cy": "Newidiodd."}


@pytest.mark.parametrize("quarter", [Q1.label, "2018-19-Q1"])
@pytest.mark.parametrize("in_force", [True, False])
def test_a_sample_that_counts_in_any_quarter_makes_the_whole_export_a_sample(
    warehouse: Settings, declarations: Declarations, in_force: bool, quarter: str
) -> None:
    content = rows()
    content["fct_submission"].append(
        submission(2, is_synthetic=True, is_in_force=in_force, quarter=quarter)
    )
    publish(warehouse, content)
    export = export_quarter(warehouse, declarations, Q1)
    manifest = json.loads((export.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["is_synthetic"] is in_force
    for name in ("indicators.csv", "indicators.parquet"):
        read = pl.read_csv if name.endswith("csv") else pl.read_parquet
        assert read(export.folder / name)["is_synthetic"].to_list() == [in_force] * 3
    page = export.pack.read_text(encoding="utf-8")
    assert ("Synthetic sample data" in page) is in_force
    told = pl.read_parquet_metadata(export.folder / "indicators.parquet")
    assert told["is_synthetic"] == str(in_force).lower()


def test_every_row_and_the_parquet_file_itself_say_that_they_are_internal(
    warehouse: Settings, declarations: Declarations
) -> None:
    folder = export_quarter(warehouse, declarations, Q1).folder
    label = declarations.policies[WALES].export_label.en
    assert "Not disclosure controlled" in label
    assert set(pl.read_csv(folder / "indicators.csv")["label"]) == {label}
    assert set(pl.read_parquet(folder / "indicators.parquet")["label"]) == {label}
    told = pl.read_parquet_metadata(folder / "indicators.parquet")
    assert (told["label"], told["quarter"]) == (label, "2025-26-Q1")


# --- the pack -----------------------------------------------------------------------------------


def test_every_page_says_that_it_is_internal(
    warehouse: Settings, declarations: Declarations
) -> None:
    folder = export_quarter(warehouse, declarations, Q1).folder
    label = declarations.policies[WALES].export_label
    assert label.en in (folder / "pack-wales-en.html").read_text(encoding="utf-8")
    assert label.cy in (folder / "pack-wales-cy.html").read_text(encoding="utf-8")


# --- the CSV and the Parquet file -------------------------------------------------------------


def test_both_files_hold_the_same_figures_in_the_same_order(
    warehouse: Settings, declarations: Declarations
) -> None:
    folder = export_quarter(warehouse, declarations, Q1).folder
    frame = pl.read_parquet(folder / "indicators.parquet")
    text = (folder / "indicators.csv").read_text(encoding="utf-8")
    read = list(csv.DictReader(io.StringIO(text)))
    assert list(read[0]) == frame.columns
    keys = [(row["indicator_id"], row["place_code"]) for row in read]
    assert keys == frame.select("indicator_id", "place_code").rows()
    assert keys == [("W01", "W06000001"), ("W01", WALES), ("W11", WALES)]
    assert [float(row["value"]) for row in read] == frame["value"].to_list() == [3.0, 98.0, 80.6]
    assert read[0]["place_name_cy"] == "Ynys Môn"
    assert read[0]["denominator"] == ""
    assert {row["quarter"] for row in read} == {"2025-26-Q1"}


@pytest.mark.parametrize("start", [*FORMULA_STARTS, " =", "  @"])
def test_text_that_a_spreadsheet_would_take_for_a_formula_is_made_text(
    tmp_path: Path, start: str
) -> None:
    frame = pl.DataFrame({"name": [f"{start}1+1", "a=1", None, ""], "value": [-1.5, 2.0, 0.0, 1.0]})
    write_csv(frame, tmp_path / "it.csv")
    with (tmp_path / "it.csv").open(encoding="utf-8", newline="") as handle:
        found = list(csv.DictReader(handle))
    assert [row["name"] for row in found] == [f"'{start}1+1", "a=1", "", ""]
    # Numbers are numbers: a negative one is no formula.
    assert [row["value"] for row in found] == ["-1.5", "2.0", "0.0", "1.0"]


@given(st.text(max_size=12))
def test_no_text_begins_as_a_formula_and_every_text_can_be_had_back(text: str) -> None:
    path = io.BytesIO()
    write_csv(pl.DataFrame({"name": [text], "other": ["x"]}), path)
    (_, row) = csv.reader(io.StringIO(path.getvalue().decode("utf-8"), newline=""))
    shown = row[0]
    assert not shown.lstrip(" ").startswith(FORMULA_STARTS)
    assert shown in (text, "'" + text)


def test_a_table_without_text_can_be_written_too(tmp_path: Path) -> None:
    write_csv(pl.DataFrame({"value": [-1]}), tmp_path / "it.csv")
    assert (tmp_path / "it.csv").read_text(encoding="utf-8") == "value\n-1\n"


def test_a_hostile_name_reaches_the_export_as_text(
    warehouse: Settings, declarations: Declarations, tmp_path: Path
) -> None:
    content = rows()
    content["dim_place"][1]["name_en"] = '=HYPERLINK("http://x","y")'
    publish(warehouse, content)
    folder = export_quarter(warehouse, declarations, Q1).folder
    with (folder / "indicators.csv").open(encoding="utf-8", newline="") as handle:
        names = [row["place_name_en"] for row in csv.DictReader(handle)]
    assert names[0] == '\'=HYPERLINK("http://x","y")'
    book = openpyxl.Workbook()
    book.active.append(names)
    assert [cell.data_type for cell in next(book.active.iter_rows())] == ["s", "s", "s"]


# --- figures ------------------------------------------------------------------------------------


def test_headline_figures_are_those_of_the_quarter_and_not_of_single_authorities(
    warehouse: Settings,
) -> None:
    content = rows()
    content["dim_indicator"].append(
        {"indicator_id": "W99", "unit": "days", "rounding": 0, "is_headline": False}
    )
    content["fct_indicator"] += [
        figure("W99", WALES, 5.0),
        figure("W01", WALES, 7.0, breakdown="sex", breakdown_value="female"),
        figure("W01", WALES, 8.0, membership_basis="today"),
        figure("W01", WALES, 98.0, window_name="financial_year"),
    ]
    publish(warehouse, content)
    with open_warehouse(warehouse) as connection:
        found = headline_figures(connection, Q1)
    assert [(one.indicator_id, one.place_code, one.value) for one in found] == [
        ("W01", WALES, 98.0),
        ("W11", WALES, 80.6),
    ]
    assert (found[1].numerator, found[1].denominator, found[1].benchmark) == (79.0, 98.0, 75.0)
    assert (found[0].place_name_cy, found[0].title_en) == ("Cymru", "title W01")


def shown(unit: str, value: float | None, language: Language = "en", **more: Any) -> str:
    given: dict[str, Any] = dict.fromkeys(Figure.__dataclass_fields__, "") | {
        "unit": unit,
        "value": value,
        "rounding": 1,
        "numerator": 79.0,
        "denominator": 98.0,
        "is_complete": True,
    }
    return shown_value(Figure(**given | more), language)


@pytest.mark.parametrize(
    ("unit", "value", "more", "english", "welsh"),
    [
        ("percent", 80.6, {}, "80.6 % (79 of 98)", "80.6 % (79 o 98)"),
        ("months", 14.25, {"rounding": 2}, "14.25 months (n 98)", "14.25 mis (n 98)"),
        ("days", 12.0, {"rounding": 0}, "12 days (n 98)", "12 diwrnod (n 98)"),
        ("children", 1234.0, {"denominator": None}, "1,234", "1,234"),
        ("children", 3.0, {"denominator": None, "is_complete": False}, "3 *", "3 *"),
        ("exchanges", 11.0, {"denominator": None}, "11", "11"),
        ("percent", None, {"denominator": 0.0}, "none", "dim"),
        ("percent", None, {"denominator": None, "is_complete": False}, "– *", "– *"),
    ],
)
def test_a_figure_is_shown_with_what_it_rests_on(
    unit: str, value: float | None, more: dict[str, Any], english: str, welsh: str
) -> None:
    assert shown(unit, value, "en", **more) == english
    assert shown(unit, value, "cy", **more) == welsh
