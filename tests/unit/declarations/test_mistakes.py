"""Whatever does not fit in ``sources/`` is refused with file, line and what to do.

Each case copies the real folder, breaks one thing in one line, and loads everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines.declarations import DeclarationError, Declarations
from pipelines.settings import SOURCES


class Mistake(NamedTuple):
    """``old`` becomes ``new`` at its first place in ``file``; ``at`` is text of the line named."""

    file: str
    old: str
    new: str
    at: str
    said: str


DISCLOSURE = "disclosure/wales-nas.yaml"
RELATIONS = "disclosure/subset_relations.yaml"
ENGLAND = "places/england.yaml"

MISTAKES = {
    # --- a name of something that does not exist
    "nation of a policy": Mistake(
        "policies/wales.yaml", "W92000004", "S92000003", "S92000003", "is no nation"
    ),
    "nation of an indicator": Mistake(
        "indicators/W01.yaml", "- W92000004", "- S92000003", "- S92000003", "S92000003"
    ),
    "numerator of an indicator": Mistake(
        "indicators/W01.yaml", "numerator: children", "numerator: kittens", "numerator: kittens",
        "called kittens",
    ),
    "measure of a slice": Mistake(
        RELATIONS, "- measure: children_placed_in_region", "- measure: kittens", ": kittens",
        "no measure called kittens",
    ),
    "field of a clock": Mistake(
        "indicators/W08.yaml", "clock_start: ", "clock_start: lost_", "clock_start", "no field"
    ),
    "field of an SSDA903 rule": Mistake(
        "ssda903_rules.csv", "DATE:child.matched_on", "DATE:child.lost_on", "lost_on", "no field"
    ),
    "nation of a benchmark": Mistake(
        "indicators/W08.yaml",
        "nation_code: W92000004",
        "nation_code: E92000001",
        "nation_code: E92000001",
        "E92000001 is none of the nations of this indicator",
    ),
    "nation of disclosure rules": Mistake(
        DISCLOSURE, "W92000004", "W06000001", "W06000001", "is no nation"
    ),
    "nation of an indicator not computed": Mistake(
        "indicators_not_computed.csv", "E92000001", "E92000002", "E92000002", "is no nation"
    ),
    "code list of a field": Mistake(
        "returns/child.yaml", "code_list: sex", "code_list: sexes", "code_list: sexes",
        "no code list called sexes",
    ),
    "code list of a breakdown": Mistake(
        "breakdowns.yaml", "code_list: sex", "code_list: sexes", "code_list: sexes",
        "no code list called sexes",
    ),
    "code of a spelling": Mistake(
        "spellings/left_reason.csv", ",withdrew,", ",vanished,", ",vanished,", "no code vanished"
    ),
    "member": Mistake(ENGLAND, "E06000022, since", "E06999999, since", "E06999999", "no place has"),
    "member of another nation": Mistake(
        ENGLAND, "E06000022, since", "W06000001, since", "W06000001", "another nation"
    ),
    "field of a primary key": Mistake(
        "returns/child.yaml", "primary_key:", "primary_key: [shoe_size]\nprimary_keys:",
        "primary_keys", "did you mean primary_key",
    ),
    "indicator of a break": Mistake(
        "breaks_in_series.csv", ",W28,", ",W99,", ",W99,", "no indicator called W99"
    ),
    "place of a break": Mistake(
        "breaks_in_series.csv", ",*,WEST_MERCIA", ",*,WEST_MERSEY", "WEST_MERSEY", "no place called"
    ),
    "indicator of a warning limit": Mistake(
        "warning_limits.csv", "W11A,", "W11Z,", "W11Z", "no indicator on children called W11Z"
    ),
    "breakdown of a tier": Mistake(
        DISCLOSURE, "breakdowns: ['*']", "breakdowns: [shoe_size]", "shoe_size", "no breakdown"
    ),
    "breakdown of a slice": Mistake(
        RELATIONS, "breakdown: adopting_together", "breakdown: shoe_size", "shoe_size",
        "no breakdown shoe_size",
    ),
    "part of a slice": Mistake(
        RELATIONS, "parts: [PR1]", "parts: [PR9]", "parts: [PR9]", "placement_provider has no part"
    ),
    "part that others lie within": Mistake(
        RELATIONS, '[harder_to_place_wales, "yes"]', '[harder_to_place_wales, "ja"]', '"ja"',
        "harder_to_place_wales has no part ja",
    ),
    "kind of place of a tier": Mistake(
        DISCLOSURE, "kinds: [authority]", "kinds: [county]", "[county]", "'county' is not one"
    ),
    "window of a tier": Mistake(
        DISCLOSURE, "windows: [quarter,", "windows: [fortnight,", "fortnight", "is not one of"
    ),
    "reviewed Welsh": Mistake(
        "welsh_reviewed.csv",
        "welsh_hash\n",
        "welsh_hash\nindicators/W01.yaml,titel,2027-01-01,translator,0123456789ab\n",
        "titel",
        "has no text at titel",
    ),
    # --- a file that is not called after what it declares
    "id of an indicator": Mistake("indicators/W01.yaml", "id: W01", "id: W9", "id: W9", "W9.yaml"),
    "name of a return": Mistake(
        "returns/child.yaml", "name: child\n", "name: adopter\n", "name: adopter", "adopter.yaml"
    ),
    "body of disclosure rules": Mistake(
        DISCLOSURE, "body: NAS", "body: NSA", "body: NSA", "wales-nsa.yaml"
    ),
    "nation of a file of places": Mistake(
        ENGLAND, "nation_code: E9", "nation_code: W9", "nation_code", "must be E92000001"
    ),
    # --- twice
    "key": Mistake(
        "indicators/W01.yaml", "id: W01\n", "id: W01\nid: W01\n", "", "id stands twice"
    ),
    "place": Mistake(
        ENGLAND, "- place_code: AIM", "- place_code: ADOPTION_WEST", "", "is declared twice"
    ),
    "abbreviation of two places": Mistake(
        "places/wales.yaml", "[NPT]", "[RCT]", "[RCT]", "W06000016 is called RCT, too"
    ),
    "code": Mistake("code_lists/sex.csv", "male,Male", "female,Male", "female,Male", "twice"),
    "spelling": Mistake(
        "spellings/left_reason.csv", "Adopters withdrew", "Household withdrew", "",
        "declared twice, first in line",
    ),
    "role": Mistake(
        "policies/wales.yaml", "role: data_officer", "role: head_of_service", "body: NAS",
        "a role is declared twice: head_of_service",
    ),
    "disclosure rules": Mistake(
        "disclosure/england-dfe.yaml", "id: dfe-five-and-ten", "id: dfe-map-2015", "body: DFE",
        "two sets of rules have the id dfe-map-2015",
    ),
    # --- when it is in force
    "since after until": Mistake(
        "policies/wales.yaml", "- most_quarters: 4", "- most_quarters: 4\n"
        "  since: 2027-28-Q1\n  until: 2026-27-Q4", "- most_quarters: 4",
        "so it would never be in force",
    ),
    "two memberships at once": Mistake(
        ENGLAND, "until: 2023-09-30", "until: 2023-10-01", "", "E06000019 is a member of"
    ),
    "a return due twice": Mistake(
        "places/wales.yaml", "- {return_name: support}", "- {return_name: adopter}", "",
        "adopter is declared twice for the same time",
    ),
    "a gap in a policy": Mistake(
        "policies/wales.yaml", "- days_after_quarter_end: 30", "- days_after_quarter_end: 30\n"
        "  until: 2019-20-Q4", "calendar:", "no entry is in force from 2020-21-Q1 on",
    ),
    "a policy that begins too late": Mistake(
        "policies/wales.yaml", "- tolerated_error_rows: 2", "- tolerated_error_rows: 2\n"
        "  since: 2019-20-Q4", "refusal:", "no entry is in force before 2019-20-Q4",
    ),
    "a gap in disclosure rules": Mistake(
        DISCLOSURE, "- id: nas-proposed", "- id: nas-proposed\n  until: 2019-20-Q4", "rules:",
        "no entry is in force from 2020-21-Q1 on",
    ),
    "two limits of a rule": Mistake(
        "rule_limits.csv", "rows_jump_rows,10", "rows_jump_percent,10", "rows_jump_percent,10",
        "rows_jump_percent is declared twice for the same time, first in line 2",
    ),
    # --- a changed value of one dated line
    "override of an unknown value": Mistake(
        DISCLOSURE, "  smallest_shown: 5\n",
        "  smallest_shown: 5\n  overrides:\n  - {since: 2027-28-Q1, smalest_shown: 10}\n",
        "smalest_shown", "did you mean smallest_shown?",
    ),
    "override that is too low": Mistake(
        DISCLOSURE, "  smallest_shown: 5\n",
        "  smallest_shown: 5\n  overrides:\n  - {since: 2027-28-Q1, smallest_shown: 1}\n",
        "since: 2027-28-Q1", "1: input should be greater than or equal to 2",
    ),
    "override without a quarter": Mistake(
        DISCLOSURE, "  smallest_shown: 5\n",
        "  smallest_shown: 5\n  overrides:\n  - {smallest_shown: 10}\n",
        "- {smallest_shown: 10}", "says from when on it holds",
    ),
    "override of nothing": Mistake(
        "policies/wales.yaml", "- days_after_quarter_end: 30",
        "- days_after_quarter_end: 30\n  overrides:\n  - {since: 2027-28-Q1}",
        "- {since: 2027-28-Q1}", "changes nothing",
    ),
    "override that ends": Mistake(
        "policies/wales.yaml", "- days_after_quarter_end: 30", "- days_after_quarter_end: 30\n"
        "  overrides:\n  - {since: 2027-28-Q1, until: 2027-28-Q2, days_after_quarter_end: 20}",
        "until: 2027-28-Q2", "holds until the next one",
    ),
    "overrides out of order": Mistake(
        "policies/wales.yaml", "- days_after_quarter_end: 30", "- days_after_quarter_end: 30\n"
        "  overrides:\n  - {since: 2027-28-Q1, days_after_quarter_end: 20}\n"
        "  - {since: 2026-27-Q1, days_after_quarter_end: 25}",
        "since: 2026-27-Q1", "must be later than 2027-28-Q1",
    ),
    "override of no quarter": Mistake(
        "policies/wales.yaml", "- most_quarters: 4", "- most_quarters: 4\n"
        "  overrides:\n  - {since: 2027, most_quarters: 5}",
        "since: 2027", "write it like 2025-26-Q1",
    ),
    # --- forms
    "a day that is none": Mistake(
        ENGLAND, "since: 2018-04-01", "since: 2018-04-31", "2018-04-31", "is not a day"
    ),
    "a blank Welsh name": Mistake(
        ENGLAND, "cy: Adoption West}", "cy: ' '}", "cy: ' '}", "may not be blank"
    ),
    "a lost column": Mistake(
        "rule_limits.csv", "limit,value", "limit,values", "limit,values", "missing column value"
    ),
    "not YAML": Mistake(
        "policies/wales.yaml", "may: [withdraw]", "may: [withdraw", "", "not readable as YAML"
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_with_its_file_its_line_and_what_to_do(
    sources: Path, mistake: Mistake
) -> None:
    path = sources / mistake.file
    sound = path.read_text(encoding="utf-8")
    assert mistake.old in sound, "the mistake changes nothing"
    broken = sound.replace(mistake.old, mistake.new, 1)
    path.write_text(broken, encoding="utf-8")

    with pytest.raises(DeclarationError) as refused:
        Declarations(sources).check_all()

    lines = broken.splitlines()
    number = next(n for n, line in enumerate(lines, 1) if mistake.at in line)
    where = f"{path}, line {number}: " if mistake.at else f"{path}, line "
    assert str(refused.value).startswith(where)
    assert mistake.said in str(refused.value)


def test_the_folder_as_it_is_has_no_mistake() -> None:
    Declarations(SOURCES).check_all()


def test_every_mistake_of_a_file_is_reported_at_once(sources: Path) -> None:
    path = sources / "indicators" / "W01.yaml"
    text = path.read_text(encoding="utf-8").replace("unit: children", "unit: childs")
    path.write_text(text.replace("timing: flow", "timing: ebb"), encoding="utf-8")
    with pytest.raises(DeclarationError) as refused:
        Declarations(sources).check_all()
    assert "unit: 'childs' is not one of" in str(refused.value)
    assert "timing: 'ebb' is not one of" in str(refused.value)
