"""What senders write for codes: many arrangements of few spellings, and nothing that is unsure."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import DeclarationError, Declarations
from pipelines.quarters import Quarter
from pipelines.readers.codes_written import CodesUnderstood, codes_understood
from pipelines.settings import SOURCES

QUARTER = Quarter(2024, 1)
DECLARED = Declarations(SOURCES)
WORDS = ["White", "Black", "Asian", "other", "-", "/", "(", ")", "&", "A1", "N", "Y", "WBRI"]


def codes(code_list: str) -> CodesUnderstood:
    return codes_understood(DECLARED, code_list, QUARTER)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("White British", "white"),
        ("white - british", "white"),
        ("White  British", "white"),
        ("WHITE/BRITISH", "white"),
        ("White: British", "white"),
        ("WBRI", "white"),
        ("wbri - White British", "white"),
        ("WBRI White British", "white"),
        ("WBRI [White British]", "white"),
        ("WBRI-White - British", "white"),
        ("MWBC-White & Black Caribbean", "mixed"),
        ("White - Albanian", "white"),
        ("WBRI - White - British", "white"),
        ("WBRI: White: White - British", "white"),
        ("WBRI - White British (101)", "white"),
        ("A1 - White British", "white"),
        ("A1 White British", "white"),
        ("(A.A1) White - British", "white"),
        ("a) White", "white"),
        ("White British (A1)", "white"),
        ("WOTH - White - Other", "white"),
        ("White – Any other White background", "white"),
        ("Gypsy/Roma", "white"),
        ("Traveller of Irish Heritage [WIRT]", "white"),
        ("White (Gypsy / Romany)", "white"),
        ("Gwyn - Prydeinig", "white"),
        ("MWBC", "mixed"),
        ("White & Black Caribbean", "mixed"),
        ("White + Black Caribbean", "mixed"),
        ("White/Black Caribbean", "mixed"),
        ("White and Black Carribean", "mixed"),
        ("MWBC - Mixed - White and Black Caribbean", "mixed"),
        ("Mixed / Multiple Ethnic Groups (White and Asian)", "mixed"),
        ("B3 - Mixed - White and Asian", "mixed"),
        ("Dual Heritage", "mixed"),
        ("AIND: Asian or Asian British: Indian", "asian"),
        ("Asian / Asian British", "asian"),
        ("Asian - Other", "asian"),
        ("C1 Asian or Asian British - Pakistani", "asian"),
        ("Asiaidd: Indiaidd", "asian"),
        ("Black or Black British - Caribbean", "black"),
        ("BAFR - African", "black"),
        ("Black African", "black"),
        ("Any Other Black Background", "black"),
        ("OOTH - Any other ethnic group", "other"),
        ("Other Ethnic Group - Arab", "other"),
        ("Arall", "other"),
        ("REFU - Refused", "not_stated"),
        ("Prefer Not To Say", "not_stated"),
        ("Not Stated - Refused", "not_stated"),
        ("NOBT", "unknown"),
        ("NOBT - Information not yet obtained", "unknown"),
        ("E4 - Information not yet obtained", "unknown"),
        ("Not Known", "unknown"),
    ],
)
def test_an_ethnic_group_is_understood_as_systems_write_it(text: str, code: str) -> None:
    assert codes("ethnicity_group").meant(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "A1",  # White British in one list, Indian in another
        "White / Asian",
        "White, Black",
        "Asian - White",
        "WBRI - Indian",
        "Other - Chinese",  # other until 2011, Asian since
        "British",  # a nationality, of any group
        "Welsh",
        "N/A",
        "n/a",
        "-",
        "???",
        "White - Not yet obtained",
        "Human",
        "1",
        "",
    ],
)
def test_what_could_mean_two_groups_or_none_is_not_guessed(text: str) -> None:
    assert codes("ethnicity_group").meant(text) is None


@pytest.mark.parametrize(
    ("code_list", "text", "code"),
    [
        ("yes_no_unknown", "Y", "yes"),
        ("yes_no_unknown", "TRUE", "yes"),
        ("yes_no_unknown", "1", "yes"),
        ("yes_no_unknown", "Oes", "yes"),
        ("yes_no_unknown", "nac ydi", "no"),
        ("yes_no_unknown", "FALSE", "no"),
        ("yes_no_unknown", "0", "no"),
        ("yes_no_unknown", "n/k", "unknown"),
        ("sex", "F", "female"),
        ("sex", "2", "female"),
        ("sex", "2 - Female", "female"),
        ("sex", "M - Male", "male"),
        ("sex", "bachgen", "male"),
        ("sex", "b) Female", "female"),
        ("placement_provider", "pr1", "PR1"),
        ("placement_provider", "PR 1", "PR1"),
        ("placement_provider", "PR1 - Own provision", "PR1"),
        ("plan_ended_reason", "RD4: Other", "RD4"),
        ("early_permanence", "FfA", "fostering_for_adoption"),
        ("early_permanence", "Fostering-for-Adoption", "fostering_for_adoption"),
        ("adopters_in_household", "Couple", "2"),
        ("adopters_in_household", "2 adopters", "2"),
        ("family_finding_status", "Not started", "not_started"),
        ("family_finding_status", "not-started", "not_started"),
        ("authority_to_place", "PO", "placement_order"),
    ],
)
def test_other_codes_are_understood_too(code_list: str, text: str, code: str) -> None:
    assert codes(code_list).meant(text) == code


@pytest.mark.parametrize(
    ("code_list", "text"),
    [
        ("yes_no_unknown", "n/a"),
        ("yes_no_unknown", "NA"),  # the Welsh "na" is not told from "not applicable"
        ("yes_no_unknown", "Y/N"),
        ("yes_no_unknown", "yes no"),
        ("yes_no_unknown", "-1"),
        ("yes_no_unknown", "x"),
        ("sex", "B"),  # boy, or benyw
        ("sex", "G"),  # girl, or gwryw
        ("sex", "2 - Male"),
        ("sex", "male/female"),
        ("adopters_in_household", "-1"),
        ("adopters_in_household", "3"),
        ("early_permanence", "yes"),
        ("placement_provider", "PR9"),
    ],
)
def test_other_texts_are_not_guessed_either(code_list: str, text: str) -> None:
    assert codes(code_list).meant(text) is None


def test_a_repair_is_told_from_what_was_asked_for() -> None:
    ethnicity = codes("ethnicity_group")
    ways = {text: ethnicity.repair(text) for text in ("white", "White", "Gwyn", "WHITE", "wh ite")}
    assert ways == {
        "white": None,
        "White": None,
        "Gwyn": None,
        "WHITE": "letter case",
        "wh ite": "letter case",
    }
    assert ethnicity.repair("WBRI") == "spelling" and ethnicity.repair("A1") is None


def test_no_declared_spelling_means_two_codes_of_its_list() -> None:
    """Such a spelling would quietly mean nothing."""
    for name, rows in DECLARED.spellings.items():
        understood = codes(name)
        for row in rows:
            assert understood.meant(row.spelling) == row.code, (name, row.spelling)


def test_every_code_list_of_a_return_has_spellings_of_codes_that_exist() -> None:
    assert {path.stem for path in (SOURCES / "spellings").glob("*.csv")} <= set(DECLARED.code_lists)
    assert DECLARED.spellings["ethnicity_group"] and DECLARED.spellings["yes_no_unknown"]


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("sex", "Person,person,proposed,", "no code person"),
        ("sex", "F,female,proposed,", "declared twice"),
        ("colours", "", "no code list called colours"),
    ],
)
def test_a_spelling_of_nothing_is_refused(tmp_path: Path, name: str, line: str, said: str) -> None:
    folder = tmp_path / "sources"
    shutil.copytree(SOURCES, folder)
    path = folder / "spellings" / f"{name}.csv"
    before = path.read_text(encoding="utf-8") if path.exists() else "spelling,code,status,source\n"
    path.write_text(f"{before}{line}\n" if line else before, encoding="utf-8")
    with pytest.raises(DeclarationError, match=said):
        Declarations(folder).spellings  # noqa: B018  # loading is what is tested


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(DECLARED.code_lists)),
    st.text(max_size=30)
    | st.lists(st.sampled_from(["White", "Black", "-", "/", "(", ")", "&", "A1", "N"])).map(str),
)
def test_whatever_is_written_the_answer_is_a_code_in_force_or_none(name: str, text: str) -> None:
    code = codes(name).meant(text)
    assert code is None or code in DECLARED.codes(name, QUARTER)
    assert codes(name).repair(text) in (None, "letter case", "spelling")


def test_a_code_that_is_not_in_force_lends_its_spellings_to_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    shutil.copytree(SOURCES, folder)
    path = folder / "code_lists" / "sex.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("male,Male,Gwryw,,", "male,Male,Gwryw,2025-26-Q1,"), "utf-8")
    changed = Declarations(folder)
    assert codes_understood(changed, "sex", QUARTER).meant("M") is None
    assert codes_understood(changed, "sex", Quarter(2025, 1)).meant("M") == "male"
