"""The declared policies: what they say, and that a broken one is refused with the file's name."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines.declarations import DeclarationError, Declarations
from pipelines.disclosure.cells import KNOWN_SCHEMA, DisclosureError
from pipelines.disclosure.protection import protect
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES
from tests.unit.disclosure.tables_made import Q1, Tables, counted, rules

NOW = Quarter(2025, 1)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    shutil.copytree(SOURCES, tmp_path / "sources")
    return tmp_path / "sources"


def changed(sources: Path, change) -> Declarations:
    path = sources / "disclosure" / "wales-nas.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(policy)
    path.write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    return Declarations(sources)


@pytest.mark.parametrize("body", ["NAS", "DFE"])
def test_the_rules_in_use_are_proposed_and_keep_back_what_is_below_five(body):
    found = Declarations(SOURCES).disclosure_policy_of(body).rules_for(NOW)
    assert (found.status, found.smallest_shown, found.method) == ("proposed", 5, "suppress")
    assert found.protection.values >= 3


def test_known_practice_names_its_sources_and_is_not_in_force():
    policy = Declarations(SOURCES).disclosure_policy_of("DFE")
    assert {rules.id for rules in policy.practice} >= {"dfe-rounded-to-ten", "dfe-five-and-ten"}
    for practice in policy.practice:
        assert practice.facts and practice.status == "published"
        assert policy.rules_for(NOW, practice.id) is practice
        assert policy.rules_for(NOW).id != practice.id


def test_every_percentage_says_whether_its_numerator_is_part_of_its_denominator():
    assert Declarations(SOURCES).subset_relations.subsets


def test_a_body_without_a_policy_is_told_which_there_are():
    with pytest.raises(DeclarationError, match=r"no policy of NOBODY; there are .*NAS"):
        Declarations(SOURCES).disclosure_policy_of("NOBODY")


def test_a_quarter_without_rules_is_refused(sources):
    found = changed(sources, lambda p: p["rules"][0].update(until="2018-19-Q4"))
    with pytest.raises(DeclarationError, match="no entry is in force from 2019-20-Q1 on"):
        found.disclosure_policy_of("NAS")


BROKEN = {
    "two values are no protection": lambda p: p["rules"][0]["protection"].update(values=2),
    "a threshold of one keeps nothing back": lambda p: p["rules"][0].update(smallest_shown=1),
    "rounding without a base": lambda p: p["rules"][0].update(method="round"),
    "a base without rounding": lambda p: p["rules"][0].update(
        rounding=[{"kinds": ["nation"], "base": 5}]
    ),
    "a tier of an unknown breakdown": lambda p: p["rules"][0]["tiers"][0].update(
        breakdowns=["shoe_size"]
    ),
    "a tier of an unknown measure": lambda p: p["rules"][0]["tiers"][0].update(
        measures=["shoes_sold"]
    ),
    "two tiers of one name": lambda p: p["rules"][0]["tiers"].append(p["rules"][0]["tiers"][0]),
    "a relation of participants nobody knows": lambda p: p["rules"][0].update(
        participants={"senders": "some"}
    ),
    "published without a source": lambda p: p["rules"][0].update(status="published", facts=[]),
    "a field nobody knows": lambda p: p["rules"][0].update(treshold=5),
    "not a nation": lambda p: p.update(nation_code="W06000001"),
    "no rules at all": lambda p: p.pop("rules"),
    "a second set in the same quarters": lambda p: p["rules"].append(
        {**p["rules"][0], "id": "second"}
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_policy_is_refused_with_the_name_of_its_file(sources, what):
    found = changed(sources, BROKEN[what])
    with pytest.raises(DeclarationError, match=r"disclosure/wales-nas\.yaml"):
        found.disclosure_policy_of("NAS")


def test_a_file_that_is_no_yaml_is_refused_with_its_name(sources):
    (sources / "disclosure" / "wales-nas.yaml").write_text("body: [NAS", encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"disclosure/wales-nas\.yaml"):
        Declarations(sources).disclosure_policy_of("NAS")


def test_a_percentage_whose_relation_nobody_declared_is_refused_with_file_and_line(sources):
    path = sources / "measures" / "child.yaml"
    text = path.read_text(encoding="utf-8")
    gone = "  part_of: children_placed_with_authority\n"
    path.write_text(text.replace(gone, "", 1), encoding="utf-8")
    said = r"W10\.yaml, line \d+: numerator: say whether children_placed_within_six_months"
    with pytest.raises(DeclarationError, match=said):
        _ = Declarations(sources).subset_relations


def test_a_percentage_may_say_that_its_numerator_counts_others(sources):
    path = sources / "indicators" / "W02.yaml"
    text = path.read_text(encoding="utf-8")
    said = "numerator_within_denominator: false\n"
    assert said in text
    path.write_text(text.replace(said, ""), encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"W02\.yaml, line \d+: numerator: say whether"):
        _ = Declarations(sources).subset_relations


def test_whoever_is_part_of_a_part_is_part_of_the_whole():
    declarations = Declarations(SOURCES)
    part = "children_waiting_eighteen_months_since_placement_order"
    assert declarations.is_part_of(part, "children_waiting_with_placement_order")
    assert not declarations.is_part_of("children_waiting_with_placement_order", part)


def test_a_policy_that_cannot_be_met_says_which_table_and_why():
    """One place, one number: with the nation's total known, nothing is left to hide it behind."""
    tables = Tables(counted({"a": (3,)}, parts=("all",)), {"nation": {"senders": ("a",)}})
    cells = tables.cells(Q1)
    known = cells.filter(cells["place"] == "nation").with_columns(shown_from=3, shown_to=3)
    known = known.with_columns(release=known["quarter"]).cast(pl.Schema(KNOWN_SCHEMA))
    with pytest.raises(DisclosureError, match=r"children_placed, a.*cannot be suppressed"):
        protect(
            cells,
            tables.relations(Q1),
            rules(),
            known.cast({"shown_from": int, "shown_to": int}),
        )


def test_cells_that_do_not_add_up_are_refused_with_the_table():
    tables = Tables(counted({"a": (3, 9), "b": (8, 7)}), {"nation": {"senders": ("a", "b")}})
    cells = tables.cells(Q1)
    wrong = cells.with_columns(value=cells["value"] + (cells["place"] == "nation").cast(int))
    with pytest.raises(DisclosureError, match="children_placed, nation: the parts do not add up"):
        protect(wrong, tables.relations(Q1), rules())


def test_no_refusal_tells_a_number():
    tables = Tables(counted({"a": (3, 941)}), {"nation": {"senders": ("a",)}})
    cells = tables.cells(Q1)
    wrong = cells.with_columns(value=cells["value"] + (cells["place"] == "nation").cast(int))
    with pytest.raises(DisclosureError) as refused:
        protect(wrong, tables.relations(Q1), rules())
    assert "94" not in str(refused.value)
