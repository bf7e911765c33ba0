"""The loaders of ``sources/``: a small sound house, and for every way to break it a bad twin."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.declarations import DeclarationError, Declarations
from pipelines.quarters import Quarter

CHILD = """\
name: child
title: {en: Children, cy: Plant}
description: {en: Children., cy: Plant.}
grain: {en: One row per child., cy: Un rhes i bob plentyn.}
sheet: {en: Children, cy: Plant}
primary_key: [child_reference]
status: proposed
source: invented for the test
fields:
- name: child_reference
  title: {en: Child reference, cy: Cyfeirnod y plentyn}
  description: {en: Reference., cy: Cyfeirnod.}
  type: string
  constraints: {required: true}
  privacy: identifier
  pseudonym_of: child
- name: date_of_birth
  title: {en: Date of birth, cy: Dyddiad geni}
  description: {en: Born., cy: Ganwyd.}
  type: date
  privacy: month
  measured_as: birth_month
- name: sex
  title: {en: Sex, cy: Rhyw}
  description: {en: Sex., cy: Rhyw.}
  type: string
  code_list: sex
  since: 2020-21-Q1
  until: 2021-22-Q4
"""

COVER = """\
title: {en: Return, cy: Ffurflen}
sheet: {en: Cover, cy: Clawr}
notice: {en: Fill in., cy: Llenwch.}
status: proposed
source: invented for the test
fields:
- name: quarter
  title: {en: Quarter, cy: Chwarter}
  guidance: {en: Which., cy: Pa un.}
  type: quarter
  required: true
"""

INDICATOR = """\
id: CHILDREN_MATCHED
title: {en: Children matched, cy: Plant a barwyd}
definition: {en: Count., cy: Cyfrif.}
nations: [W92000004]
subject: child
numerator: children_matched
timing: flow
unit: children
direction: higher
windows: [quarter]
status: proposed
status_note: {en: Ours., cy: Ein cynnig ni.}
sources: [invented for the test]
reviewed_on: 2025-04-01
example:
  quarter: 2025-26-Q1
  rows: []
  numerator: 0
  value: 0
  why: nobody
"""

POLICY = """\
body: NAS
nation_code: W92000004
title: {en: Wales, cy: Cymru}
calendar:
- days_after_quarter_end: 30
  status: proposed
  note: {en: Ours., cy: Ein cynnig ni.}
refusal:
- tolerated_error_rows: 2
  tolerated_error_percent: 10
  status: proposed
  note: {en: Ours., cy: Ein cynnig ni.}
export_label: {en: Internal, cy: Mewnol}
"""

SEX = """\
code,label_en,label_cy,since,until,status,source
female,Female,Benyw,,,proposed,
male,Male,Gwryw,,2021-22-Q4,proposed,
"""

NATIONS = """\
places:
- place_code: W92000004
  name: {en: Wales, cy: Cymru}
  kind: nation
  status: sourced
  source: register
"""

PLACES = """\
nation_code: W92000004
unless_said_otherwise:
  returns_due: {status: proposed, source: ours}
places:
- place_code: VVC
  name: {en: Region, cy: Rhanbarth}
  kind: region
  since: 2015-06-01
  status: sourced
  source: paper
  members:
  - {place_code: W06000014, since: 2015-06-02}
  - {place_code: W06000014, role: host, since: 2015-06-02}
  returns_due:
  - {return_name: adopter, since: 2019-20-Q1}
- place_code: WBAS
  name: {en: Other region, cy: Rhanbarth arall}
  kind: region
  status: sourced
  source: paper
  members:
  - {place_code: W06000014, until: 2015-06-01, status: unverified, source: minutes}
- place_code: W06000014
  name: {en: Vale, cy: Y Fro}
  kind: authority
  status: sourced
  source: register
  returns_due:
  - {return_name: child}
  - {return_name: adopter, until: 2018-19-Q4}
"""

NOT_COMPUTED = """\
indicator_id,nation_code,title_en,title_cy,reason_en,reason_cy,status,source,reviewed_on
A20,W92000004,A20,A20,No definition.,Dim diffiniad.,unverified,,2025-04-01
W27,W92000004,A group,Grŵp,No figure.,Dim ffigur.,unverified,report,2025-04-01
"""

BREAKS = """\
break_id,kind,indicator_ids,place_codes,since,title_en,title_cy,explanation_en,explanation_cy,\
status,source
STAGES_2020,definition,CHILDREN_MATCHED,*,2020-21-Q1,Stages,Camau,New.,Newydd.,unverified,paper
VALE_2015,membership,*,VVC WBAS,2015-16-Q1,Vale,Y Fro,It moved.,Symudodd.,sourced,paper
"""

MEASURES = """
subject: child
measures:
- name: children_placed
  caption: {en: Children placed., cy: Plant a leolwyd.}
  timing: flow
  fields: []
- name: children_matched
  caption: {en: Children matched., cy: Plant a barwyd.}
  timing: flow
  fields: []
"""

SOUND = {
    "returns/child.yaml": CHILD,
    "returns/adopter.yaml": CHILD.replace("name: child\n", "name: adopter\n", 1),
    "returns/support.yaml": CHILD.replace("name: child\n", "name: support\n", 1),
    "returns/cover.yaml": COVER,
    "measures/child.yaml": MEASURES,
    "measures/adopter.yaml": "subject: adopter\nmeasures: []\n",
    "measures/support.yaml": "subject: support\nmeasures: []\n",
    "indicators/CHILDREN_MATCHED.yaml": INDICATOR,
    "policies/wales.yaml": POLICY,
    "code_lists/sex.csv": SEX,
    "places/nations.yaml": NATIONS,
    "places/wales.yaml": PLACES,
    "indicators_not_computed.csv": NOT_COMPUTED,
    "breaks_in_series.csv": BREAKS,
}

TABLES = {
    "code_lists": "code_lists/sex.csv",
    "not_computed": "indicators_not_computed.csv",
    "breaks_in_series": "breaks_in_series.csv",
}
DOCUMENTS = {
    "returns": "returns/child.yaml",
    "cover": "returns/cover.yaml",
    "measures": "measures/child.yaml",
    "indicators": "indicators/CHILDREN_MATCHED.yaml",
    "policies": "policies/wales.yaml",
    "places": "places/wales.yaml",
}


class House:
    """A sound ``sources/`` folder in which one text can be exchanged for another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path, text in SOUND.items():
            self.write(path, text)

    def write(self, path: str, text: str, encoding: str = "utf-8") -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode(encoding))

    def exchange(self, path: str, old: str, new: str) -> None:
        assert old in SOUND[path], f"the bad twin changes nothing: {old!r} is not in {path}"
        self.write(path, SOUND[path].replace(old, new, 1))

    def refused(self, part: str) -> str:
        """What the loader says when it refuses ``part``."""
        with pytest.raises(DeclarationError) as caught:
            getattr(self.declarations, part)
        return str(caught.value)

    @property
    def declarations(self) -> Declarations:
        return Declarations(self.folder)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "sources")


# --- the sound house ---------------------------------------------------------


@pytest.mark.parametrize("part", [*TABLES, *DOCUMENTS])
def test_a_sound_declaration_loads(house, part):
    assert getattr(house.declarations, part)


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    Declarations(tmp_path / "nowhere")


def test_a_blank_date_means_no_known_limit(house):
    joined, _, left = house.declarations.memberships
    assert (joined.since, joined.until) == (date(2015, 6, 2), None)
    assert (left.since, left.until) == (None, date(2015, 6, 1))


def test_a_membership_is_known_as_well_as_its_place_unless_it_says_otherwise(house):
    joined, _, left = house.declarations.memberships
    assert (joined.status, joined.source) == ("sourced", "paper")
    assert (left.status, left.source) == ("unverified", "minutes")


def test_a_return_is_due_from_the_first_to_the_last_declared_quarter(house):
    due_from = house.declarations.due_from
    assert due_from("W06000014", Quarter(2018, 4)) == ("child", "adopter")
    assert due_from("W06000014", Quarter(2019, 1)) == ("child",)
    assert due_from("VVC", Quarter(2018, 4)) == ()
    assert due_from("VVC", Quarter(2019, 1)) == ("adopter",)


def test_a_sender_of_two_returns_is_one_sender(house):
    assert house.declarations.senders == ("W06000014", "VVC")


def test_a_code_can_be_used_until_its_last_quarter(house):
    codes = house.declarations.codes
    assert codes("sex", Quarter(2021, 4)) == ("female", "male")
    assert codes("sex", Quarter(2022, 1)) == ("female",)


@pytest.mark.parametrize(
    ("quarter", "asked"),
    [
        (Quarter(2019, 4), False),
        (Quarter(2020, 1), True),
        (Quarter(2021, 4), True),
        (Quarter(2022, 1), False),
    ],
)
def test_a_field_is_asked_for_only_during_its_life(house, quarter, asked):
    names = [field.name for field in house.declarations.returns["child"].fields_in_force(quarter)]
    assert ("sex" in names) is asked


def test_identifiers_and_birth_dates_change_their_name_in_the_validated_room(house):
    child = house.declarations.returns["child"]
    assert [field.validated_name for field in child.fields] == [
        "child_pseudonym",
        "birth_month",
        "sex",
    ]


def test_a_field_that_does_not_exist_is_not_found(house):
    with pytest.raises(KeyError):
        house.declarations.returns["child"].field("shoe_size")


def test_a_sender_follows_the_policy_of_its_nation(house):
    assert house.declarations.policy_for("W06000014").body == "NAS"


def test_a_table_saved_by_excel_with_a_byte_order_mark_loads_the_same(house):
    before = house.declarations.code_lists
    house.write("code_lists/sex.csv", SEX.replace("\n", "\r\n"), encoding="utf-8-sig")
    assert house.declarations.code_lists == before


def test_welsh_letters_survive_loading(house):
    house.exchange("places/wales.yaml", "Y Fro", "Ynys Môn ŵŷ")
    assert house.declarations.places["W06000014"].name_cy == "Ynys Môn ŵŷ"


def test_what_was_loaded_cannot_be_changed(house):
    with pytest.raises(ValueError, match="frozen"):
        house.declarations.places["VVC"].name_en = "Another"


# --- tables: bad twins -------------------------------------------------------


@pytest.mark.parametrize(("part", "path"), TABLES.items())
def test_every_column_of_a_table_must_be_there_even_one_that_may_stay_blank(house, part, path):
    header, *lines = SOUND[path].splitlines()
    for position, name in enumerate(header.split(",")):
        kept = [
            ",".join(cell for at, cell in enumerate(line.split(",")) if at != position)
            for line in (header, *lines)
        ]
        house.write(path, "\n".join(kept) + "\n")
        said = house.refused(part)
        assert Path(path).name in said
        assert f"missing column {name}" in said


@pytest.mark.parametrize(("part", "path"), TABLES.items())
def test_an_undeclared_column_is_refused(house, part, path):
    header, first, *_ = SOUND[path].splitlines()
    house.write(path, f"{header},colour\n{first},red\n")
    said = house.refused(part)
    assert "colour" in said and "line 2" in said


@pytest.mark.parametrize(
    "change", [lambda line: line + ",more", lambda line: line.rsplit(",", 1)[0]]
)
@pytest.mark.parametrize(("part", "path"), TABLES.items())
def test_a_line_with_more_or_fewer_cells_than_columns_is_refused(house, part, path, change):
    header, first, second, *_ = SOUND[path].splitlines()
    house.write(path, f"{header}\n{first}\n{change(second)}\n")
    said = house.refused(part)
    assert "line 3" in said and "more or fewer" in said


@pytest.mark.parametrize(("part", "path"), TABLES.items())
def test_an_empty_table_lacks_its_columns(house, part, path):
    house.write(path, "")
    assert "missing column" in house.refused(part)


@pytest.mark.parametrize(("part", "path"), (TABLES | DOCUMENTS).items())
def test_a_file_not_saved_as_utf8_is_refused_with_its_name(house, part, path):
    text = SOUND[path].replace("invented", "invented â", 1).replace("Wales", "Ŵâles", 1)
    house.write(path, text + "# Môn\n", encoding="utf-16")
    said = house.refused(part)
    assert Path(path).name in said and "UTF-8" in said


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ("places", "places/nations.yaml"),
        ("not_computed", "indicators_not_computed.csv"),
        ("breaks_in_series", "breaks_in_series.csv"),
        ("returns", "returns/support.yaml"),
        ("cover", "returns/cover.yaml"),
    ],
)
def test_a_missing_file_is_named(house, part, path):
    (house.folder / path).unlink()
    said = house.refused(part)
    assert Path(path).name in said and "no such file" in said


@pytest.mark.parametrize(
    "written", ["01/06/2015", "2015-06-31", "2015-13-01", "2015-6-1", "June 2015", "0", "2015"]
)
@pytest.mark.parametrize(("sound", "line"), [("2015-06-01", 8), ("2015-06-02", 12)])
def test_a_bad_date_is_refused_with_its_line(house, sound, line, written):
    house.exchange("places/wales.yaml", sound, written)
    said = house.refused("places")
    assert f"wales.yaml, line {line}: " in said and written in said
    assert "write it like 2025-04-01" in said


@pytest.mark.parametrize("written", ["2019-Q1", "2019-21-Q1", "2019-20-Q5", "2019-04-01"])
def test_a_bad_quarter_is_refused_with_its_line_and_the_expected_form(house, written):
    house.exchange("places/wales.yaml", "2019-20-Q1", written)
    said = house.refused("returns_due")
    assert "line 15" in said and "since" in said and "2025-26-Q1" in said


def test_a_bad_quarter_in_a_code_list_is_refused(house):
    house.exchange("code_lists/sex.csv", "2021-22-Q4", "2021-22-Q9")
    said = house.refused("code_lists")
    assert "sex.csv" in said and "line 3" in said and "until" in said


@pytest.mark.parametrize(
    ("part", "path", "old", "new"),
    [
        ("places", "places/wales.yaml", "2015-06-01\n", "2015-06-01\n  until: 2014-06-01\n"),
        ("places", "places/wales.yaml", "2015-06-02}", "2015-06-02, until: 2015-06-01}"),
        ("places", "places/wales.yaml", "2019-20-Q1}", "2019-20-Q1, until: 2018-19-Q4}"),
        ("code_lists", "code_lists/sex.csv", ",2021-22-Q4", "2022-23-Q1,2021-22-Q4"),
        ("returns", "returns/child.yaml", "since: 2020-21-Q1", "since: 2022-23-Q1"),
    ],
)
def test_a_life_that_ends_before_it_begins_is_refused(house, part, path, old, new):
    house.exchange(path, old, new)
    assert "is later than until" in house.refused(part)


@pytest.mark.parametrize(
    ("part", "path", "old", "new", "where"),
    [
        ("places", "places/wales.yaml", "kind: region", "kind: county", "line 7: places.0.kind"),
        ("places", "places/wales.yaml", "VVC", "vvc", "line 5: places.0.place_code"),
        ("places", "places/wales.yaml", "Y Fro", "' '", "line 24: places.2.name.cy"),
        ("places", "places/wales.yaml", "source: register", "source: ''", "places.2.source"),
        ("places", "places/wales.yaml", "sourced", "certain", "line 9: places.0.status"),
        ("places", "places/wales.yaml", "role: host", "role: owner", "line 13: places.0.members.1"),
        (
            "returns_due",
            "places/wales.yaml",
            "return_name: child",
            "return_name: children",
            "line 29",
        ),
        ("returns_due", "places/wales.yaml", "status: proposed", "status: law", "line 3"),
        ("code_lists", "code_lists/sex.csv", "Benyw", "", "label_cy"),
        ("code_lists", "code_lists/sex.csv", "proposed", "sourced", "status"),
        ("not_computed", "indicators_not_computed.csv", "W27,", "w27,", "indicator_id"),
        ("not_computed", "indicators_not_computed.csv", "Dim ffigur.", "", "reason_cy"),
        ("not_computed", "indicators_not_computed.csv", "unverified", "sourced", "status"),
        ("not_computed", "indicators_not_computed.csv", "2025-04-01", "0", "reviewed_on"),
        ("not_computed", "indicators_not_computed.csv", "2025-04-01", "", "reviewed_on"),
        ("breaks_in_series", "breaks_in_series.csv", "membership", "merger", "kind"),
        ("breaks_in_series", "breaks_in_series.csv", "VVC WBAS", " ", "place_codes"),
        ("breaks_in_series", "breaks_in_series.csv", "2020-21-Q1", "2020-04-01", "since"),
        ("breaks_in_series", "breaks_in_series.csv", "2020-21-Q1", "", "since"),
        ("breaks_in_series", "breaks_in_series.csv", "sourced,paper", "sourced,", "source"),
        ("breaks_in_series", "breaks_in_series.csv", "Symudodd.", "", "explanation_cy"),
    ],
)
def test_a_cell_that_may_not_be_so_is_refused_with_its_column(house, part, path, old, new, where):
    house.exchange(path, old, new)
    said = house.refused(part)
    assert Path(path).name in said and where in said


def test_a_place_declared_twice_is_refused_with_both_lines(house):
    again = PLACES[PLACES.index("- place_code: WBAS") :].partition("- place_code: W06000014")[0]
    house.write("places/wales.yaml", PLACES + again)
    said = house.refused("places")
    assert "line 31: places.3.place_code: WBAS is declared twice, first in line 16" in said


def test_a_place_in_two_files_is_refused(house):
    england = (
        NATIONS.partition("\n")[2].replace("W92000004", "E92000001").replace("Wales", "England")
    )
    house.write("places/nations.yaml", NATIONS + england)
    house.write("places/england.yaml", PLACES.replace("W92000004", "E92000001"))
    said = house.refused("places")
    assert "england.yaml, line 5: places.0.place_code: VVC is also in wales.yaml" in said


@pytest.mark.parametrize("code", ["S92000003", "W06000014"])
def test_a_file_of_places_is_of_the_nation_it_is_named_after(house, code):
    house.exchange("places/wales.yaml", "nation_code: W92000004", f"nation_code: {code}")
    assert "line 1: nation_code: must be W92000004" in house.refused("places")


def test_a_file_of_places_of_no_known_nation_is_refused(house):
    house.write("places/scotland.yaml", PLACES)
    assert "scotland.yaml, line 1: no nation is called scotland" in house.refused("places")


def test_a_nation_stands_with_the_nations_and_nothing_else_does(house):
    house.exchange("places/wales.yaml", "kind: authority", "kind: nation")
    assert "line 25: places.2.kind: a nation stands in nations.yaml" in house.refused("places")
    house.write("places/wales.yaml", PLACES)
    house.exchange("places/nations.yaml", "kind: nation", "kind: region")
    assert "line 4: places.0.kind: must be nation" in house.refused("places")


@pytest.mark.parametrize("line", [12, 13, 22])
def test_a_membership_of_an_unknown_place_is_refused(house, line):
    lines = PLACES.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace("W06000014", "ELSEWHERE")
    house.write("places/wales.yaml", "".join(lines))
    assert f"wales.yaml, line {line}: " in house.refused("memberships")
    assert "no place has the code ELSEWHERE" in house.refused("memberships")


MEMBER = "  - {place_code: W06000014, until: 2015-06-01, status: unverified, source: minutes}\n"


@pytest.mark.parametrize("since", [", since: 2015-06-01", ", since: 2014-01-01", ""])
def test_the_same_membership_twice_for_the_same_day_is_refused(house, since):
    again = f"  - {{place_code: W06000014, until: 2016-01-01{since}}}\n"
    house.exchange("places/wales.yaml", MEMBER, MEMBER + again)
    said = house.refused("memberships")
    assert "W06000014 as member is declared twice for the same time, first in line 22" in said or (
        "W06000014 is a member of VVC at the same time" in said
    )


def test_a_member_of_two_regions_on_one_day_is_refused(house):
    house.exchange("places/wales.yaml", "until: 2015-06-01", "until: 2015-06-02")
    said = house.refused("memberships")
    assert "line 22: places.1.members.0: W06000014 is a member of VVC at the same time" in said


def test_the_last_day_of_a_membership_still_belongs_to_it(house):
    again = MEMBER.replace("until: 2015-06-01", "since: 2015-06-01, until: 2015-06-01")
    house.exchange("places/wales.yaml", MEMBER, MEMBER + again)
    assert "W06000014 as member is declared twice" in house.refused("memberships")


def test_a_member_may_leave_and_come_back_the_next_day(house):
    house.exchange(
        "places/wales.yaml",
        MEMBER,
        MEMBER.replace("2015-06-01", "2015-05-30")
        + MEMBER.replace("until: 2015-06-01", "since: 2015-05-31, until: 2015-06-01"),
    )
    assert len(house.declarations.memberships) == 4


def test_a_return_due_twice_for_the_same_quarter_is_refused(house):
    house.exchange("places/wales.yaml", "adopter, until", "child, until")
    said = house.refused("returns_due")
    assert "line 30: places.2.returns_due.1: child is declared twice" in said


def test_a_return_due_without_evidence_is_refused(house):
    house.exchange(
        "places/wales.yaml",
        "unless_said_otherwise:\n  returns_due: {status: proposed, source: ours}\n",
        "",
    )
    assert "returns due of VVC: state status and source" in house.refused("returns_due")


def test_a_code_declared_twice_is_refused(house):
    house.exchange("code_lists/sex.csv", "male,Male", "female,Male")
    said = house.refused("code_lists")
    assert "sex.csv, line 3: code: female is declared twice, first in line 2" in said


# --- documents: bad twins ----------------------------------------------------


@pytest.mark.parametrize(("part", "path"), DOCUMENTS.items())
def test_what_is_not_yaml_is_refused_with_its_file(house, part, path):
    house.write(path, "name: [child\n")
    said = house.refused(part)
    assert Path(path).name in said and "not readable as YAML" in said


@pytest.mark.parametrize("text", ["", "just a sentence", "- a\n- list\n"])
@pytest.mark.parametrize(("part", "path"), DOCUMENTS.items())
def test_yaml_of_another_shape_is_refused_with_its_file(house, part, path, text):
    house.write(path, text)
    assert Path(path).name in house.refused(part)


@pytest.mark.parametrize(("part", "path"), DOCUMENTS.items())
def test_an_unknown_key_is_refused_by_name(house, part, path):
    house.write(path, SOUND[path] + "colour: red\n")
    assert "colour" in house.refused(part)


@pytest.mark.parametrize(
    ("part", "path", "old", "where"),
    [
        ("returns", "returns/child.yaml", "primary_key: [child_reference]\n", "primary_key"),
        ("returns", "returns/child.yaml", ", cy: Plant}", "title.cy"),
        ("cover", "returns/cover.yaml", "status: proposed\n", "status"),
        ("indicators", "indicators/CHILDREN_MATCHED.yaml", "timing: flow\n", "timing"),
        ("policies", "policies/wales.yaml", "  tolerated_error_percent: 10\n", "refusal.0"),
    ],
)
def test_a_lost_key_is_refused_with_its_place(house, part, path, old, where):
    house.exchange(path, old, "}" if old.endswith("}") else "")
    assert where in house.refused(part)


def test_an_unknown_code_list_is_refused_with_its_field(house):
    house.exchange("returns/child.yaml", "code_list: sex", "code_list: gender")
    said = house.refused("returns")
    assert "child.yaml, line 27: fields.2.code_list: no code list called gender" in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: sex", "name: date_of_birth", "a field name appears twice"),
        ("name: sex", "name: Sex", "fields.2.name"),
        ("[child_reference]", "[case_number]", "primary_key names case_number"),
        ("type: date", "type: datetime", "fields.1.type"),
        ("type: date", "type: string", "only a date can become a month"),
        ("  pseudonym_of: child\n", "", "privacy identifier and pseudonym_of go together"),
        ("code_list: sex", "pseudonym_of: child", "privacy identifier and pseudonym_of"),
        ("code_list: sex", "issued_by: agency", "issued_by names agency"),
        ("since: 2020-21-Q1", "since: 2020-04-01", "fields.2.since: '2020-04-01'"),
        ("since: 2020-21-Q1", "since: 2020", "write it like 2025-26-Q1"),
        ("since: 2020-21-Q1", "since: {starting_year: 2020, number: 1}", "is not a quarter"),
        ("cy: Rhyw}", "cy: ' '}", "fields.2.title.cy"),
    ],
)
def test_a_return_that_contradicts_itself_is_refused(house, old, new, says):
    house.exchange("returns/child.yaml", old, new)
    assert says in house.refused("returns")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("unit: children", "unit: percent", "a value in percent needs a denominator"),
        ("unit: children", "unit: months", "a value in months needs a denominator"),
        ("id: CHILDREN_MATCHED", "id: children matched", "id"),
        ("nations: [W92000004]", "nations: [S92000003]", "nations.0"),
        ("windows: [quarter]", "windows: [fortnight]", "windows.0"),
        ("reviewed_on: 2025-04-01", "reviewed_on: lately", "reviewed_on"),
        ("quarter: 2025-26-Q1", "quarter: Q1 2025", "example.quarter"),
    ],
)
def test_an_indicator_that_contradicts_itself_is_refused(house, old, new, says):
    house.exchange("indicators/CHILDREN_MATCHED.yaml", old, new)
    said = house.refused("indicators")
    assert "CHILDREN_MATCHED.yaml" in said and says in said


def test_an_indicator_declared_twice_is_refused(house):
    house.write("indicators/copy.yaml", INDICATOR)
    said = house.refused("indicators")
    assert "copy.yaml, line 1: id: CHILDREN_MATCHED belongs in a file called" in said


@pytest.mark.parametrize(("unit", "multiplier"), [("percent", 100.0), ("months", 12 / 365.25)])
def test_the_unit_fixes_the_multiplier(house, unit, multiplier):
    house.write(
        "indicators/CHILDREN_MATCHED.yaml",
        INDICATOR.replace("unit: children", f"unit: {unit}\ndenominator: children_placed"),
    )
    assert house.declarations.indicators["CHILDREN_MATCHED"].multiplier == multiplier


def test_a_count_is_multiplied_by_one(house):
    assert house.declarations.indicators["CHILDREN_MATCHED"].multiplier == 1.0


def test_an_indicator_that_is_computed_cannot_be_listed_as_not_computed(house):
    house.exchange("indicators_not_computed.csv", "W27,", "CHILDREN_MATCHED,")
    assert "CHILDREN_MATCHED is computed" in house.refused("not_computed")


def test_an_indicator_listed_twice_as_not_computed_is_refused(house):
    house.exchange("indicators_not_computed.csv", "W27,", "A20,")
    assert "A20 is declared twice" in house.refused("not_computed")


@pytest.mark.parametrize("code", ["S92000003", "VVC"])
def test_an_indicator_not_computed_is_of_a_nation(house, code):
    house.exchange("indicators_not_computed.csv", "W92000004", code)
    said = house.refused("not_computed")
    assert f"line 2: nation_code: {code} is no nation in places/nations.yaml" in said


def test_a_break_concerns_every_place_it_names_or_every_one(house):
    stages, vale = house.declarations.breaks_in_series
    assert (stages.indicator_ids, stages.place_codes) == (("CHILDREN_MATCHED",), ("*",))
    assert (vale.indicator_ids, vale.place_codes) == (("*",), ("VVC", "WBAS"))
    assert (stages.since, vale.since) == (Quarter(2020, 1), Quarter(2015, 1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "CHILDREN_MATCHED",
            "CHILDREN_LOST",
            "line 2: indicator_ids: no indicator",
        ),
        ("VVC WBAS", "VVC ELSEWHERE", "line 3: place_codes: no place called ELSEWHERE"),
        ("VVC WBAS", "VVC VVC", "line 3: place_codes: VVC is declared twice"),
        ("VVC WBAS", "VVC *", "stands alone"),
        ("VVC WBAS", "*", "tells nobody anything"),
        ("*,VVC WBAS", "CHILDREN_MATCHED,*", "names the places"),
        ("VALE_2015", "STAGES_2020", "STAGES_2020 is declared twice"),
    ],
)
def test_a_break_that_concerns_nobody_known_is_refused(house, old, new, said):
    house.exchange("breaks_in_series.csv", old, new)
    assert said in house.refused("breaks_in_series")


def test_a_second_policy_for_the_same_nation_is_refused(house):
    house.write("policies/copy.yaml", POLICY)
    said = house.refused("policies")
    assert "copy.yaml, line 1: wales belongs in a file called wales.yaml" in said


def test_a_sender_whose_nation_has_no_policy_is_named(house):
    (house.folder / "policies" / "wales.yaml").unlink()
    with pytest.raises(DeclarationError, match="W92000004, nation of VVC"):
        house.declarations.policy_for("VVC")


def test_a_deadline_changes_on_a_day_and_the_old_one_stays_known(house):
    house.exchange(
        "policies/wales.yaml",
        "- days_after_quarter_end: 30\n",
        "- since: 2020-21-Q1\n  days_after_quarter_end: 20\n  status: proposed\n"
        "  note: {en: New., cy: Newydd.}\n- until: 2019-20-Q4\n  days_after_quarter_end: 30\n",
    )
    policy = house.declarations.policies["W92000004"]
    assert policy.deadline(Quarter(2019, 4)) == date(2020, 4, 30)
    assert policy.deadline(Quarter(2020, 1)) == date(2020, 7, 20)


def test_two_deadlines_for_one_quarter_are_refused(house):
    house.exchange(
        "policies/wales.yaml",
        "- days_after_quarter_end: 30\n",
        "- since: 2020-21-Q1\n  days_after_quarter_end: 20\n  status: proposed\n"
        "  note: {en: New., cy: Newydd.}\n- days_after_quarter_end: 30\n",
    )
    with pytest.raises(DeclarationError, match="calendar: two entries are in force in 2020-21-Q1"):
        _ = house.declarations.policies


def test_a_quarter_without_a_deadline_is_refused(house):
    house.exchange(
        "policies/wales.yaml",
        "- days_after_quarter_end: 30\n",
        "- until: 2019-20-Q4\n  days_after_quarter_end: 30\n",
    )
    said = house.refused("policies")
    assert "line 4: calendar: no entry is in force from 2020-21-Q1 on" in said
