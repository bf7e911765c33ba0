"""Conventions of ``sources/`` as it stands: what a loader cannot know, because it is about us."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date, timedelta

import pytest
import yaml

from pipelines.declarations import Declarations, Membership, Place
from pipelines.quarters import Quarter, quarters_between
from pipelines.settings import CHECKOUT, SOURCES

DECLARED = Declarations(SOURCES)  # reads nothing until asked
WALES, ENGLAND = "W92000004", "E92000001"
RELATIONS = SOURCES / "disclosure" / "subset_relations.yaml"  # which has no words
GROUPS = ("region", "regional_agency", "partnership")
FIRST_QUARTER = Quarter(2018, 1)  # before it no adopter or support return is asked in England
LAST_QUARTER = Quarter(2026, 4)

# Letters of the GSS entity: countries E92/W92; unitary E06/W06, metropolitan E08,
# London E09, counties E10.
GSS = re.compile(r"(E92|W92|E06|E08|E09|E10|W06)[0-9]{6}")

WELSH_HOSTS = {
    "NWAS": ("W06000006", "sourced"),
    "AMWW": ("W06000010", "unverified"),
    "WBAS": ("W06000011", "sourced"),
    "VVC": ("W06000014", "sourced"),
    "SEWAS": ("W06000019", "sourced"),
}


@pytest.fixture(scope="module")
def places() -> dict[str, Place]:
    return DECLARED.places


@pytest.fixture(scope="module")
def memberships() -> tuple[Membership, ...]:
    return DECLARED.memberships


def _codes(places: dict[str, Place], kind: str, nation: str) -> set[str]:
    return {
        code for code, place in places.items() if place.kind == kind and place.nation_code == nation
    }


def _on(row: Place | Membership, day: date) -> bool:
    return (row.since is None or row.since <= day) and (row.until is None or day <= row.until)


def _turning_days(memberships: tuple[Membership, ...]) -> list[date]:
    """Every day on which a membership begins, and the days beside it and beside each end.

    Between two of these days nothing changes, so checking them checks every day.
    """
    days = {date(2010, 4, 1), date(2026, 12, 31)}
    for row in memberships:
        for day in filter(None, (row.since, row.until)):
            days |= {day - timedelta(days=1), day, day + timedelta(days=1)}
    return sorted(days)


def _groups_of(member: str, day: date) -> list[str]:
    return [
        row.parent_code
        for row in DECLARED.memberships
        if row.member_code == member
        and row.role == "member"
        and DECLARED.places[row.parent_code].kind in GROUPS
        and _on(row, day)
    ]


# --- places ------------------------------------------------------------------


def test_gss_codes_are_well_formed_and_unique(places):
    codes = [place.gss_code for place in places.values() if place.gss_code]
    assert [code for code in codes if GSS.fullmatch(code) is None] == []
    assert [code for code, times in Counter(codes).items() if times > 1] == []


def test_nations_and_authorities_go_by_their_gss_code(places):
    for place in places.values():
        if place.kind in ("nation", "authority"):
            assert place.gss_code == place.place_code
            assert place.gss_code[0] == place.nation_code[0]


def test_who_has_no_gss_code_goes_by_our_own_and_says_so(places):
    for place in places.values():
        if place.kind not in ("nation", "authority"):
            assert place.gss_code is None, place.place_code
            assert GSS.fullmatch(place.place_code) is None
            assert "no GSS code" in place.note, place.place_code


def test_wales_has_five_regions_and_twenty_two_authorities(places):
    assert _codes(places, "region", WALES) == set(WELSH_HOSTS)
    assert len(_codes(places, "authority", WALES)) == 22


def test_two_places_of_one_kind_never_share_a_name(places):
    for language in ("name_en", "name_cy"):
        names = Counter((place.kind, getattr(place, language)) for place in places.values())
        assert [name for name, times in names.items() if times > 1] == []


def test_an_assumed_day_is_the_first_of_its_month(places, memberships):
    assumed = [row for row in (*places.values(), *memberships) if "day assumed" in (row.note or "")]
    assert assumed
    assert [row for row in assumed if row.since is None or row.since.day != 1] == []


def test_what_is_not_sourced_says_why(places, memberships):
    doubtful = [row for row in (*places.values(), *memberships) if row.status != "sourced"]
    assert doubtful
    assert [row for row in doubtful if not row.note] == []


def test_somerset_keeps_its_agency_through_its_change_of_code(places):
    assert places["E10000027"].until + timedelta(days=1) == places["E06000066"].since
    assert _groups_of("E10000027", date(2023, 3, 31)) == ["ADOPT_SOUTH_WEST"]
    assert _groups_of("E10000027", date(2023, 4, 1)) == []
    assert _groups_of("E06000066", date(2023, 3, 31)) == []
    assert _groups_of("E06000066", date(2023, 4, 1)) == ["ADOPT_SOUTH_WEST"]


# --- memberships -------------------------------------------------------------


def test_every_authority_in_wales_is_in_one_region_once_its_region_began(places, memberships):
    regions_begun = max(
        row.since for row in memberships if row.parent_code in WELSH_HOSTS and row.since
    )
    for code in _codes(places, "authority", WALES):
        for day in _turning_days(memberships):
            found = _groups_of(code, day)
            assert len(found) == 1 if day >= regions_begun else len(found) <= 1, (code, day)


def test_no_authority_is_in_two_regions_agencies_or_partnerships_on_one_day(places, memberships):
    authorities = [code for code, place in places.items() if place.kind == "authority"]
    for day in _turning_days(memberships):
        for code in authorities:
            assert len(_groups_of(code, day)) <= 1, (code, day)


def test_a_host_is_a_member_of_what_it_hosts(places, memberships):
    hosts = [
        row for row in memberships if row.role == "host" and places[row.parent_code].kind in GROUPS
    ]
    assert {row.parent_code for row in hosts} == {*WELSH_HOSTS, "AIM", "ACE", "ADOPT_SOUTH_WEST"}
    for host in hosts:
        day = host.since or date(2026, 1, 1)
        assert host.parent_code in _groups_of(host.member_code, day)


@pytest.mark.parametrize(("region", "host"), WELSH_HOSTS.items())
def test_every_welsh_region_has_its_host_and_says_how_sure_we_are(memberships, region, host):
    found = [
        (row.member_code, row.status)
        for row in memberships
        if row.parent_code == region and row.role == "host"
    ]
    assert found == [host]


def test_members_and_parents_are_of_one_nation(places, memberships):
    for row in memberships:
        assert places[row.member_code].nation_code == places[row.parent_code].nation_code


def test_no_membership_reaches_beyond_the_life_of_either_place(places, memberships):
    for row in memberships:
        for place in (places[row.member_code], places[row.parent_code]):
            if place.since and row.since:
                assert row.since >= place.since, (row.member_code, row.parent_code)
            if place.until:
                assert row.until and row.until <= place.until, (row.member_code, row.parent_code)


def test_the_national_service_has_five_regions_and_three_voluntary_agencies(memberships):
    members = {
        row.member_code for row in memberships if row.parent_code == "NAS" and row.role == "member"
    }
    assert members == {*WELSH_HOSTS, "ST_DAVIDS", "BARNARDOS_CYMRU", "ADOPTION_UK_CYMRU"}


@pytest.mark.parametrize(
    ("day", "groups"),
    [
        (date(2014, 4, 15), []),
        (date(2014, 4, 16), ["WEST_MERCIA"]),
        (date(2023, 9, 30), ["WEST_MERCIA"]),
        (date(2023, 10, 1), ["ACE"]),
    ],
)
def test_herefordshire_goes_from_the_partnership_to_the_agency(day, groups):
    assert _groups_of("E06000019", day) == groups


# --- who owes what -----------------------------------------------------------


def test_every_sender_follows_a_policy_and_every_nation_has_one(places):
    assert {DECLARED.policy_for(sender).nation_code for sender in DECLARED.senders} == {
        WALES,
        ENGLAND,
    }
    assert set(DECLARED.policies) == {code for code, p in places.items() if p.kind == "nation"}


def test_returns_are_sent_by_those_who_have_the_children_or_the_adopters(places):
    kinds = {
        "child": {"authority"},
        "adopter": {"authority", "region", "regional_agency", "voluntary_agency"},
        "support": {"authority", "region", "regional_agency"},
    }
    for due in DECLARED.returns_due:
        assert places[due.sender_code].kind in kinds[due.return_name], due.sender_code


def test_all_obligations_are_our_proposal_and_say_so():
    for due in DECLARED.returns_due:
        assert due.status == "proposed"
        assert "Proposed by this project" in due.source


def test_every_welsh_authority_owes_children_in_every_quarter(places):
    for code in _codes(places, "authority", WALES):
        for quarter in quarters_between(FIRST_QUARTER, LAST_QUARTER):
            assert DECLARED.due_from(code, quarter) == ("child",)


def test_no_return_is_owed_by_an_agency_that_has_not_begun_or_has_ended(places):
    for due in DECLARED.returns_due:
        place = places[due.sender_code]
        for quarter in quarters_between(FIRST_QUARTER, LAST_QUARTER):
            if due.in_force(quarter):
                assert place.since is None or place.since <= quarter.first_day, due.sender_code
                assert place.until is None or place.until >= quarter.last_day, due.sender_code


@pytest.mark.parametrize("return_name", ["adopter", "support"])
def test_an_authoritys_adopters_are_returned_by_it_or_by_its_agency_never_by_both(
    places, return_name
):
    senders_of_children = {d.sender_code for d in DECLARED.returns_due if d.return_name == "child"}
    for quarter in quarters_between(FIRST_QUARTER, LAST_QUARTER):
        for code in senders_of_children:
            if "child" not in DECLARED.due_from(code, quarter):
                continue
            # The quarter an agency begins in the middle of stays with the authority.
            possible = [code, *_groups_of(code, quarter.first_day)]
            owing = [who for who in possible if return_name in DECLARED.due_from(who, quarter)]
            assert len(owing) == 1, (code, quarter.label, owing)


@pytest.mark.parametrize("code", ["E06000030", "E10000008", "ADOPT_SOUTH_WEST"])
def test_nothing_is_asked_yet_of_swindon_or_adopt_south_west(code):
    assert code not in DECLARED.senders


# --- policies, lists, wording ------------------------------------------------


@pytest.mark.parametrize("nation", [WALES, ENGLAND])
def test_deadline_and_refusal_are_labelled_as_proposed(nation):
    policy = DECLARED.policies[nation]
    for entry in (*policy.calendar, *policy.refusal):
        assert entry.status == "proposed"
    assert policy.export_label.en.startswith("Not disclosure controlled")


def test_every_published_code_names_its_source():
    for name, codes in DECLARED.code_lists.items():
        for code in codes:
            assert code.status == "proposed" or code.source, f"{name}.{code.code}"


def test_every_code_list_is_used_by_a_field():
    used = {field.code_list for ret in DECLARED.returns.values() for field in ret.fields}
    assert set(DECLARED.code_lists) == used - {None}


def test_every_published_field_names_its_source():
    for declared in DECLARED.returns.values():
        for field in declared.fields:
            assert field.status in ("proposed", "unverified") or field.source, field.name


def _texts(content: object) -> list[dict[str, str]]:
    """Every ``{en: …, cy: …}`` found anywhere, and every mapping with only one of the two."""
    if isinstance(content, list):
        return [text for part in content for text in _texts(part)]
    if not isinstance(content, dict):
        return []
    if {"en", "cy"} & set(content):
        return [content]
    return [text for part in content.values() for text in _texts(part)]


@pytest.mark.parametrize(
    "path",
    sorted(set(SOURCES.glob("*/*.yaml")) - {RELATIONS}),
    ids=lambda path: path.relative_to(SOURCES).as_posix(),
)
def test_every_title_and_sentence_is_in_english_and_in_welsh(path):
    texts = _texts(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert texts
    for text in texts:
        assert set(text) == {"en", "cy"}
        assert all(isinstance(words, str) and words.strip() for words in text.values())


@pytest.mark.parametrize(
    "path", sorted(SOURCES.glob("*/*.csv")), ids=lambda path: path.relative_to(SOURCES).as_posix()
)
def test_no_cell_of_a_table_has_spaces_around_it_or_two_lines(path):
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            for column, cell in row.items():
                assert cell == " ".join(cell.split()), f"{path.name}: {column}"


def test_nothing_lies_in_sources_that_no_loader_reads():
    read = {"code_lists/*.csv", "indicators/*.yaml", "policies/*.yaml", "README.md"}
    read |= {"spellings/*.csv", "disclosure/*.yaml", "extracts/*.yaml"}
    read |= {f"measures/{name}.yaml" for name in ("child", "adopter", "support")}
    read |= {f"returns/{name}.yaml" for name in ("child", "adopter", "support", "cover")}
    read |= {f"places/{name}.yaml" for name in ("nations", "wales", "england")}
    read |= {"indicators_not_computed.csv", "breaks_in_series.csv", "breakdowns.yaml"}
    read |= {
        "rule_limits.csv",
        "not_data.csv",
        "bank_holidays.csv",
        "ssda903_rules.csv",
        "glossary.csv",
        "welsh_reviewed.csv",
        "warning_limits.csv",
        "disclosure/*.yaml",
    }
    known = {path for pattern in read for path in SOURCES.glob(pattern)}
    found = {path for path in SOURCES.rglob("*") if path.is_file()}
    assert {path.name for path in found - known if not path.name.startswith(".")} == set()


def test_one_place_says_that_the_welsh_awaits_a_translators_review():
    sentence = "has not been reviewed by a translator"
    pages = [*SOURCES.rglob("*.md"), *(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("*.md")]
    saying = [page for page in pages if sentence in page.read_text(encoding="utf-8")]
    assert saying == [SOURCES / "README.md"]


def test_the_glossary_gives_every_term_once_and_in_both_languages():
    text = (CHECKOUT / "docs" / "glossary.md").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(entries) > 50
    shaped = [re.match(r"- \*\*(.+?)\*\* – \*(.+?)\*\. \S", line) for line in entries]
    assert [line for line, match in zip(entries, shaped, strict=True) if match is None] == []
    terms = Counter(match[1] for match in shaped if match)
    assert [term for term, times in terms.items() if times > 1] == []


def test_every_term_the_glossary_points_to_has_an_entry():
    text = (CHECKOUT / "docs" / "glossary.md").read_text(encoding="utf-8")
    body = text.split("\n## ", 1)[1]
    entries = {m[1].lower() for m in re.finditer(r"^- \*\*(.+?)\*\*", body, flags=re.M)}
    mentioned = {m[1].lower() for m in re.finditer(r"\*\*(.+?)\*\*", body)}
    singular = {word.removesuffix("s") for word in entries}
    missing = {word for word in mentioned - entries if word.removesuffix("s") not in singular}
    assert missing == set()
