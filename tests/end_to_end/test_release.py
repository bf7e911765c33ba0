"""A locked quarter is released, revised and released again; and made again from the returns."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.declarations import Declarations
from pipelines.disclosure import proof
from pipelines.disclosure.audit import AuditReport
from pipelines.files import CHECKSUMS, changed_files
from pipelines.lifecycle.decisions import Decisions, NotAllowed
from pipelines.lifecycle.free_text import NamesSomebody
from pipelines.lifecycle.ledger import Ledger
from pipelines.pack.places import file_name
from pipelines.pack.published_release import read_release
from pipelines.publishing.releases import ReleaseMade, make_again, make_release
from pipelines.publishing.verification import verify
from pipelines.quarters import Quarter
from pipelines.release import package
from pipelines.release.compare import compare, figures_of_folder
from pipelines.release.content import ReleaseError
from pipelines.release.versions import released_values_file, versions
from pipelines.settings import SOURCES, Settings
from pipelines.text.catalogue import LANGUAGES
from pipelines.warehouse.published import open_warehouse, open_warehouse_as_of
from tests.conftest import Sample
from tests.small_data import SmallData
from tests.unit.pack.reading_published import strangers

WALES, CARDIFF, Q4 = "W92000004", "W06000015", Quarter(2020, 4)
DIRECTOR = "national_director"
WHY = "A return was withdrawn by its authority after the release."


@dataclass(frozen=True)
class House:
    """A copy of the finished sample, whose rules of disclosure publish totals alone.

    Parts make ten times as many numbers and show nothing more of what is tested here; they are
    protected in the tests of disclosure control.
    """

    settings: Settings
    declarations: Declarations

    def release(self, role: str = DIRECTOR, reason: str | None = None) -> ReleaseMade:
        with open_warehouse(self.settings) as connection:
            return make_release(
                self.settings,
                self.declarations,
                connection,
                "NAS",
                Q4,
                role=role,
                reason=reason,
            )

    def build(self, *arguments: str) -> None:
        code, said = SmallData(self.settings).call("build", *arguments)
        assert code == 0, said[-4000:]

    def released_files(self) -> dict[str, bytes]:
        home = self.settings.releases
        return {
            path.relative_to(home).as_posix(): path.read_bytes()
            for path in sorted(home.rglob("*"))
            if path.is_file()
        }

    def decisions(self) -> Decisions:
        return Decisions(self.settings, self.declarations)


@pytest.fixture(scope="module")
def declarations(tmp_path_factory: pytest.TempPathFactory) -> Declarations:
    folder = tmp_path_factory.mktemp("declared") / "sources"
    shutil.copytree(SOURCES, folder)
    path = folder / "disclosure" / "wales-nas.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    for rules in policy["rules"]:
        rules["tiers"] = [tier for tier in rules["tiers"] if tier["breakdowns"] == ["total"]]
    path.write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    return Declarations(folder)


@pytest.fixture(scope="module")
def house(
    sample: Sample, declarations: Declarations, tmp_path_factory: pytest.TempPathFactory
) -> House:
    """Locked, and not released yet."""
    home = tmp_path_factory.mktemp("house")
    data, keys = sample.settings.data, sample.settings.key_file.parent
    shutil.copytree(data, home / "data", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(keys, home / "keys")
    settings = Settings(home / "data", home / "keys" / sample.settings.key_file.name)
    return House(settings, declarations)


@pytest.fixture(scope="module")
def refused_before_the_lock(house: House) -> str:
    with pytest.raises(NotAllowed) as refused:
        house.release()
    assert not house.settings.releases.exists()
    return str(refused.value)


@pytest.fixture(scope="module")
def refused_by_the_audit(house: House, refused_before_the_lock: str) -> str:
    house.decisions().lock(WALES, Q4, role=DIRECTOR, with_gaps=True)
    before = Ledger(house.settings.ledger).head()
    failed = AuditReport(False, ("children placed, Wales",), {})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ReleaseError) as refused:
        patch.setattr(proof, "audit", lambda *_: failed)
        house.release()
    assert Ledger(house.settings.ledger).head() == before
    assert house.released_files() == {} and not house.settings.released_values.exists()
    return str(refused.value)


@pytest.fixture(scope="module")
def first(house: House, refused_by_the_audit: str) -> ReleaseMade:
    return house.release()


@pytest.fixture(scope="module")
def second(house: House, first: ReleaseMade) -> ReleaseMade:
    """Cardiff's return is withdrawn, so its children are in no figure of the second version, but
    where that would tell a small number of Cardiff's."""
    cardiff = next(
        one.submission_id
        for one in reversed(Ledger(house.settings.ledger).submissions())
        if (one.sender_code, one.quarter) == (CARDIFF, Q4.label) and one.is_accepted
    )
    decisions = house.decisions()
    decisions.withdraw(cardiff, role="national_data_lead", reason="The wrong file was sent in.")
    # Released, so it may be revised; whether the internal files were published does not matter.
    decisions.revise(WALES, Q4, role=DIRECTOR, reason=WHY)
    with pytest.raises(ReleaseError, match="adoption build"):
        house.release(reason=WHY)
    house.build()
    return house.release(reason=WHY)


# --- what has to be so --------------------------------------------------------------------


def test_an_open_quarter_is_not_released(refused_before_the_lock: str) -> None:
    assert "adoption lock 2020-21-Q4 --nation wales" in refused_before_the_lock


def test_only_those_who_may_release_do(house: House, first: ReleaseMade) -> None:
    before = house.released_files()
    with pytest.raises(NotAllowed, match="It is for: national_director"):
        house.release(role="data_officer")
    with pytest.raises(NamesSomebody):
        house.release(reason="Corrected for the child born on 3 May 2019.")
    with duckdb.connect() as empty, pytest.raises(ReleaseError, match="there are DFE, NAS"):
        make_release(house.settings, house.declarations, empty, "ELSE", Q4, role=DIRECTOR)
    assert house.released_files() == before


def test_a_release_over_a_failed_audit_is_refused(refused_by_the_audit: str) -> None:
    assert "children placed, Wales" in refused_by_the_audit
    assert "Nothing was released" in refused_by_the_audit


def test_a_release_over_a_changed_file_is_refused(house: House, first: ReleaseMade) -> None:
    received = next(iter(sorted(house.settings.received.glob("*.xlsx"))))
    content = received.read_bytes()
    received.write_bytes(content + b" ")
    try:
        with pytest.raises(ReleaseError, match="not what was received"):
            house.release()
    finally:
        received.write_bytes(content)


def test_a_policy_that_lets_no_return_be_open_refuses_the_quarter(
    house: House, first: ReleaseMade
) -> None:
    policies = {
        nation: policy.model_copy(
            update={
                "release": tuple(
                    one.model_copy(update={"open_returns": "refused"}) for one in policy.release
                )
            }
        )
        for nation, policy in house.declarations.policies.items()
    }
    strict = Declarations(house.declarations.folder)
    strict.__dict__["policies"] = policies
    with pytest.raises(NotAllowed, match="not accepted by the national team"):
        replace(house, declarations=strict).release()


# --- what is released ---------------------------------------------------------------------


def test_a_release_is_whole_and_described(first: ReleaseMade) -> None:
    assert (first.version.name, first.is_new) == ("NAS/2020-21-Q4/1", True)
    assert changed_files(first.folder) == []
    names = {path.name for path in first.folder.iterdir()}
    assert {
        *("figures.csv", "figures.parquet", "datapackage.json", "provenance.json", "audit.json"),
        *("statswales-data.csv", "nas-2020-21-q4-v1-en.xlsx", "nas-2020-21-q4-v1-cy.ods"),
        *("revisions.csv", "README.md", "SHA256SUMS"),
        "table-children_by_authority_financial_year-cy.csv",
    } <= names
    assert pl.read_csv(first.folder / "revisions.csv").is_empty()


def test_a_release_holds_no_path_no_pseudonym_and_no_count_of_rows(
    house: House, first: ReleaseMade
) -> None:
    children = pl.read_parquet(house.settings.validated / "child" / "*" / "*.parquet")
    pseudonyms = children["child_pseudonym"].drop_nulls().unique().to_list()
    assert len(pseudonyms) > 100
    for path in first.folder.iterdir():
        content = path.read_bytes()
        assert str(house.settings.data).encode() not in content
        if path.suffix in (".csv", ".json", ".md"):
            text = content.decode("utf-8")
            assert not any(one in text for one in pseudonyms)
            assert '"rows_' not in text


def test_the_small_numbers_of_the_warehouse_are_not_in_it(house: House, first: ReleaseMade) -> None:
    figures = figures_of_folder(first.folder)
    counts = figures.filter(pl.col("decimals") == 0, pl.col("component") != "value")
    shown = counts["number"].drop_nulls()
    assert len(shown) > 100
    assert not shown.is_between(1, 4).any()
    assert figures["flag"].drop_nulls().is_in(["c"]).sum() > 100


def test_every_number_of_a_pack_is_a_figure_of_the_release(
    house: House, first: ReleaseMade
) -> None:
    found = read_release(first.folder, house.declarations)
    for place in found.places_with_a_pack():
        for language in LANGUAGES:
            html = (first.folder / file_name(found, place, language)).read_text(encoding="utf-8")
            assert strangers(html, found, place, language, house.declarations) == []
    assert len(list(first.folder.glob("pack-*.html"))) == 2 * len(found.places_with_a_pack()) > 50
    readme = (first.folder / "README.md").read_text(encoding="utf-8")
    assert "`pack-wales-en.html`: performance pack of a place" in readme


def test_provenance_says_what_it_rests_on(house: House, first: ReleaseMade) -> None:
    told = package.provenance_of_folder(first.folder)
    assert (told["version"], told["supersedes"], told["reason"]) == (1, None, None)
    assert told["sign_off"]["role"] == told["released_by"] == DIRECTOR
    assert {one["quarter"] for one in told["returns_used"]} >= {"2020-21-Q1", Q4.label}
    assert all(set(one) == {"quarter", "returns"} for one in told["returns_used"])
    assert len(told["returns_open"]) > 20  # nobody signs the sample's returns off
    assert "without being accepted" in (first.folder / "README.md").read_text(encoding="utf-8")
    audit = json.loads((first.folder / "audit.json").read_text(encoding="utf-8"))
    assert audit["audit"]["passed"] and audit["audit"]["two_values_or_fewer"] == 0
    assert "seconds" not in json.dumps(audit)


def test_the_same_figures_make_no_new_version(house: House, first: ReleaseMade) -> None:
    before = house.released_files()
    again = house.release()
    assert (again.is_new, again.version) == (False, first.version)
    assert house.released_files() == before


def test_a_release_that_was_entered_when_the_program_was_killed_comes_into_place(
    house: House, first: ReleaseMade
) -> None:
    staged = first.folder.parent / ".part"
    first.folder.rename(staged)
    again = house.release()
    assert (again.is_new, again.folder) == (False, first.folder)
    assert changed_files(first.folder) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_release_may_be_read_and_what_it_told_may_not(house: House, first: ReleaseMade) -> None:
    assert (first.folder / "figures.csv").stat().st_mode & 0o777 == 0o644
    assert released_values_file(house.settings, first.version).stat().st_mode & 0o077 == 0


# --- and again ----------------------------------------------------------------------------


def test_a_withdrawal_shows_only_where_it_tells_no_small_number(
    house: House, first: ReleaseMade, second: ReleaseMade
) -> None:
    """An attacker who knows that Cardiff withdrew subtracts the second version from the first."""
    one, other = (
        figures_of_folder(made.folder).filter(pl.col("component") != "value")
        for made in (first, second)
    )
    on = ["indicator_id", "component", "place_code", "window_name", "breakdown_value"]
    both = one.join(other, on=on, suffix="_now").drop_nulls(["number", "number_now"])
    by = (both["number"] - both["number_now"]).abs()
    assert both.height > 100 and not by.is_between(1, 4).any()
    if second.is_new:
        assert second.version.reason == WHY
        changes = compare(figures_of_folder(first.folder), figures_of_folder(second.folder))
        assert changes.height == second.version.changed
    told = package.provenance_of_folder(second.folder)
    assert "moved_by" not in told and CARDIFF not in json.dumps(told["returns_used"])


def test_the_first_version_stays_as_it_was(
    house: House, first: ReleaseMade, second: ReleaseMade
) -> None:
    assert changed_files(first.folder) == []
    assert versions(house.settings)[0].name == "NAS/2020-21-Q4/1"
    assert verify(house.settings, house.declarations).faults == []


def test_a_version_is_made_again_to_the_byte_on_another_machine(
    house: House, first: ReleaseMade, second: ReleaseMade, tmp_path: Path
) -> None:
    """Both are there, the warehouse has moved on, and the data lies elsewhere."""
    ignored = shutil.ignore_patterns("build", "marts", "releases")
    shutil.copytree(house.settings.data, tmp_path / "elsewhere", ignore=ignored)
    elsewhere = House(Settings(tmp_path / "elsewhere", house.settings.key_file), house.declarations)
    one = first.version
    elsewhere.build("--as-of", one.as_of)
    with open_warehouse_as_of(elsewhere.settings, datetime.fromisoformat(one.as_of)) as connection:
        told = (elsewhere.settings, house.declarations, connection, one)
        again = tmp_path / "again"
        assert make_again(*told, again) == []
        with pytest.raises(ReleaseError, match="not empty"):
            make_again(*told, again)
    assert (again / CHECKSUMS).read_bytes() == (first.folder / CHECKSUMS).read_bytes()
