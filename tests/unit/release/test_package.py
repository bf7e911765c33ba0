"""Descriptions fit their files, provenance its schema; comparisons find every change."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from pipelines.files import CHECKSUMS, write_checksums
from pipelines.release import package
from pipelines.release.compare import compare, figures_of_folder, with_revisions_marked
from pipelines.release.content import FIGURE_SCHEMA, Content, ReleaseError, as_text
from pipelines.release.package import (
    DATAPACKAGE,
    FIGURES,
    write_descriptions,
    write_dictionary,
    write_figures,
    write_provenance,
    write_readme,
)
from pipelines.release.statswales import write_statswales
from pipelines.release.tables import write_tables
from tests.unit.release.conftest import figure, with_figures

HASH = "0" * 64
PROVENANCE = {
    "release": "invented-2020-21-q4-v1",
    "body": "INVENTED",
    "quarter": "2020-21-Q4",
    "version": 1,
    "is_synthetic": True,
    "as_of": "2021-06-01T00:00:00Z",
    "supersedes": None,
    "reason": None,
    "code": {"commit": "unknown", "sha256": "0" * 64},
    "rule_set_hashes": [HASH],
    "definitions_sha256": HASH,
    "ledger": {"events": 3, "head": HASH},
    "returns_used": [],
    "returns_not_used": [],
    "returns_open": [],
    "sign_off": {"role": "national_director", "at": "2021-06-02T00:00:00Z", "revision": 1},
    "released_by": "national_director",
    "returns_used_sha256": "0" * 64,
    "changes": {"taken_in": 0, "waiting": 0},
    "disclosure_control": {"passed": True},
}


@pytest.fixture
def folder(wales: Content, tmp_path: Path) -> Path:
    files = write_figures(wales, tmp_path) + write_dictionary(wales, tmp_path)
    files += write_statswales(wales, tmp_path) + write_provenance(PROVENANCE, tmp_path)
    files += write_descriptions(wales, tmp_path, files)
    write_readme(wales, tmp_path, files)
    write_checksums(tmp_path)
    return tmp_path


def test_every_table_is_described_as_it_is(folder: Path) -> None:
    package = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    described = {resource["path"]: resource for resource in package["resources"]}
    assert set(described) == {path.name for path in folder.glob("*.csv")}
    for name, resource in described.items():
        data = (folder / name).read_bytes()
        assert resource["bytes"] == len(data)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        header = data.decode("utf-8").splitlines()[0].split(",")
        assert [field["name"] for field in resource["schema"]["fields"]] == header
        web = json.loads((folder / f"{name}-metadata.json").read_text(encoding="utf-8"))
        assert web["url"] == name
        assert [column["name"] for column in web["tableSchema"]["columns"]] == header


def test_the_checksums_are_of_every_file(folder: Path) -> None:
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(sums) == {path.name for path in folder.iterdir()} - {CHECKSUMS}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_readme_says_what_each_file_is_for_in_both_languages(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.count(f"`{FIGURES}`") == 2
    assert "Synthetic sample data" in text and "Data sampl synthetig" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"quarter": "2020-21 Q4"},
        {"sign_off": {"role": "Head", "at": "x", "revision": 1, "name": "somebody"}},
        {"returns_used": [{"quarter": "2020-21-Q1", "returns": 3, "sender_code": "W06000001"}]},
        {"ledger": {"events": 3, "head": "short"}},
        {"extra": 1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_provenance_that_does_not_fit_is_not_written(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(jsonschema.ValidationError):
        write_provenance(PROVENANCE | wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_a_folder_names_the_machine(folder: Path) -> None:
    for path in folder.glob("*"):
        assert str(folder).encode() not in path.read_bytes()


# --- figures -------------------------------------------------------------------------------


def test_a_figure_has_a_number_or_a_flag_never_both(wales: Content) -> None:
    both = wales.figures.with_columns(flag=pl.lit("c"))
    neither = wales.figures.with_columns(number=pl.lit(None, dtype=pl.Float64)).with_columns(
        flag=pl.lit(None, dtype=pl.String)
    )
    unknown = wales.figures.with_columns(
        flag=pl.when(pl.col("flag") == "c").then(pl.lit("*")).otherwise(pl.col("flag"))
    )
    twice = pl.concat([wales.figures, wales.figures.head(1)])
    endless = wales.figures.with_columns(
        number=pl.when(pl.col("flag").is_null()).then(float("inf"))
    )
    for wrong in (both, neither, unknown, twice, endless, wales.figures.drop("notes")):
        with pytest.raises(ReleaseError):
            replace(wales, figures=wrong)


def test_numbers_are_written_with_digits_alone() -> None:
    assert as_text(1234567.0, 0) == "1234567"
    assert as_text(-0.04, 1) == "0.0"
    assert as_text(33.34, 1) == "33.3"


# --- comparing -----------------------------------------------------------------------------


def test_each_kind_of_change_is_found_and_nothing_else(wales: Content) -> None:
    one, other, nation = "W06000014", "W06000015", "W92000004"
    after = with_figures(
        wales,
        figure("COUNT", nation, 1240),
        figure("COUNT", other, "c"),
        figure("COUNT", one, 7),
        figure("WAIT", other, "z"),
        figure("HOMES", one, 3),
    )
    after = replace(
        after,
        figures=after.figures.filter(
            (pl.col("indicator_id") != "HOMES") | (pl.col("place_code") != nation)
        ),
    )
    changes = {
        (row["indicator_id"], row["place_code"]): (row["change"], row["before"], row["after"])
        for row in compare(wales.figures, after.figures).iter_rows(named=True)
    }
    assert changes == {
        ("COUNT", nation): ("changed", "1234", "1240"),
        ("COUNT", other): ("newly suppressed", "0", "[c]"),
        ("COUNT", one): ("no longer suppressed", "[c]", "7"),
        ("WAIT", other): ("other flag", "[x]", "[z]"),
        ("HOMES", one): ("added", None, "3"),
        ("HOMES", nation): ("removed", "12", None),
    }


def test_a_release_does_not_differ_from_itself(wales: Content) -> None:
    assert compare(wales.figures, wales.figures).is_empty()


def test_what_differs_from_the_version_before_is_marked_as_revised(wales: Content) -> None:
    after = with_figures(wales, figure("COUNT", "W92000004", 1240, notes="p")).figures
    marked = with_revisions_marked(after, wales.figures)
    assert marked.schema == FIGURE_SCHEMA
    revised = marked.filter(pl.col("notes").str.split(",").list.contains("r"))
    revised = revised.filter(pl.col("indicator_id") == "COUNT")
    assert revised.select("place_code", "notes").rows() == [("W92000004", "p,r")]


def test_figures_are_read_back_as_they_were_written(wales: Content, folder: Path) -> None:
    """To the decimals that they are shown with; whole numbers without any."""
    assert compare(figures_of_folder(folder), wales.figures).is_empty()
    text = (folder / "figures.csv").read_text(encoding="utf-8")
    assert ",1234,0," in text and "1234.0" not in text


def test_an_edited_number_is_seen_and_a_damaged_file_named(wales: Content, folder: Path) -> None:
    path = folder / "figures.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",634,", ",635,"), encoding="utf-8")
    try:
        changes = compare(wales.figures, figures_of_folder(folder))
        assert set(changes.select("before", "after").rows()) == {("634", "635")}
        path.write_text(text.replace(",634,", ",many,"), encoding="utf-8")
        with pytest.raises(ReleaseError, match=r"figures\.csv is not as a release writes it"):
            figures_of_folder(folder)
    finally:
        path.write_text(text, encoding="utf-8")


def test_columns_have_names_that_csv_on_the_web_allows(wales: Content, tmp_path: Path) -> None:
    """Letters, digits and _ alone, each name once: spaces and brackets are refused."""
    awkward = tmp_path / "awkward.csv"
    awkward.write_text("Lle (ŵ),Lle [ŵ],%\n1,2,3\n", encoding="utf-8")
    package.write_descriptions(wales, tmp_path, [*write_tables(wales, tmp_path), awkward])
    described = sorted(tmp_path.glob("*.csv-metadata.json"))
    assert any(path.name.startswith("table-") for path in described)
    for path in described:
        columns = json.loads(path.read_text(encoding="utf-8"))["tableSchema"]["columns"]
        names = [column["name"] for column in columns]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]*", name) for name in names)
        headings = pl.read_csv(path.with_name(path.name.removesuffix("-metadata.json")), n_rows=0)
        assert [column["titles"] for column in columns] == headings.columns


def test_a_folder_that_is_no_release_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no release"):
        figures_of_folder(tmp_path)
