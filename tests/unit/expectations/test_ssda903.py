"""Every published SSDA903 adoption rule is here under its number, or listed with the reason why
not."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from expectations import rule_catalogue
from expectations.fields import SSDA903, checks_in_force
from expectations.rules import RULES
from expectations.ssda903 import as_table
from pipelines.declarations import DeclarationError, Declarations
from pipelines.quarters import Quarter
from pipelines.settings import CHECKOUT, SOURCES

DECLARED = Declarations(SOURCES)

# The adoption rules that data-to-insight/csc-validator-be-903 carries at commit 10ad07c.
NUMBERED = (
    102, 112, 113, 114, 115, 116, 117, 118, 119, 120, 134, 143, 144, 145, 146, 149, 151,
    175, 176, 177, 184, 187, 199, 217, 301, 331, 333, 334, 335, 336, 386, 390, 408, 445,
    446, 451, 511, 514, 517, 518, 519, 520, 521, 522, 523, 524, 525, 551, 552, 553, 554,
    555, 556, 557, 558, 559, 560, 561, 563, 579, 582, 583, 584, 601, 602, 1003, 1012,
)  # fmt: skip
PUBLISHED = [
    *map(str, NUMBERED),
    *("INT01", "INT02", "INT11", "INT12", "INT31"),
]
DELETED = {"445", "451", "555", "556"}


def _ours(quarter: Quarter) -> dict[str, set[str]]:
    """Our rules by the numbers they carry, as the table names them."""
    found: dict[str, set[str]] = {}
    for name in DECLARED.returns:
        crossing = {rule.code for rule in RULES[name]}
        for check in checks_in_force(name, quarter, DECLARED)[0]:
            field = "" if check.code in crossing else f":{name}.{check.fields[0]}"
            for number in check.ssda903:
                found.setdefault(str(number), set()).add(check.code + field)
    return found


def test_every_number_of_the_public_list_is_accounted_for() -> None:
    assert sorted(DECLARED.ssda903_rules) == sorted(PUBLISHED)
    deleted = {no for no, rule in DECLARED.ssda903_rules.items() if "deleted" in rule.status}
    assert deleted == DELETED


def test_the_table_and_the_rules_agree(quarter: Quarter) -> None:
    in_table = {
        no: set(rule.our_rules)
        for no, rule in DECLARED.ssda903_rules.items()
        # The validator's own checks have no number of the collection for us to carry.
        if rule.our_rules and not no.startswith("INT")
    }
    assert in_table == _ours(quarter)
    assert len(in_table) > 40


def test_every_rule_the_table_names_exists(quarter: Quarter) -> None:
    known = {rule.code for rules in RULES.values() for rule in rules}
    known |= {
        f"{check.code}:{name}.{check.fields[0]}"
        for name in DECLARED.returns
        for check in checks_in_force(name, quarter, DECLARED)[0]
    }
    named = {ours for rule in DECLARED.ssda903_rules.values() for ours in rule.our_rules}
    assert named - known == set()


def test_a_number_is_carried_by_a_check_that_there_is(quarter: Quarter) -> None:
    for name, numbers in SSDA903.items():
        there = {
            (check.code, check.fields[0]) for check in checks_in_force(name, quarter, DECLARED)[0]
        }
        assert numbers.keys() - there == set()


def test_a_sentence_ends_with_the_numbers_an_officer_knows(quarter: Quarter) -> None:
    catalogue = rule_catalogue.catalogue_of_rules(DECLARED, quarter)
    numbered = 0
    for row in catalogue.iter_rows(named=True):
        carried = "SSDA903" in row["source"]
        numbered += carried
        for sentence in (row["sentence_en"], row["sentence_cy"]):
            assert ("(SSDA903 " in sentence) == carried
            assert not carried or sentence.endswith(").")
    assert numbered > 40
    (known,) = catalogue.filter(code="CH208").iter_rows(named=True)
    assert known["sentence_en"].endswith("check both dates (SSDA903 331).")
    assert known["source"] == "SSDA903 331, adapted"


def test_nothing_is_copied_from_the_public_list() -> None:
    """Facts may be carried over, sentences may not: a few of theirs, to be told apart."""
    theirs = (
        "is not a valid date",
        "is not a valid code",
        "should be the same as, or prior to",
        "must be on or prior to",
    )
    for rule in DECLARED.ssda903_rules.values():
        assert not [words for words in theirs if words in rule.text_en], rule.rule_no
    assert len({rule.text_en for rule in DECLARED.ssda903_rules.values()}) == len(PUBLISHED)


def test_the_page_for_data_officers_has_the_table_as_it_is() -> None:
    page = (CHECKOUT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert as_table(DECLARED) in page, "python -m expectations.ssda903 prints what belongs there"


@pytest.mark.parametrize(
    ("number", "column", "value"),
    [
        ("331", "our_rules", ""),
        ("134", "our_rules", "CH208"),
        ("134", "reason_cy", ""),
        ("331", "status", "in use"),
        ("331", "rule_no", "33l"),
        ("331", "rule_no", "333"),
    ],
    ids=["neither", "rule and reason", "half a reason", "no status", "no number", "twice"],
)
def test_a_table_that_does_not_fit_is_refused(
    tmp_path: Path, number: str, column: str, value: str
) -> None:
    shutil.copy(SOURCES / "ssda903_rules.csv", tmp_path)
    path = tmp_path / "ssda903_rules.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    next(row for row in rows if row["rule_no"] == number)[column] = value
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(DeclarationError, match="ssda903_rules"):
        _ = Declarations(tmp_path).ssda903_rules


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("silent_rows,5,", "silent_rows,-5,"),
        ("silent_rows,5,", "silent_rows,five,"),
        ("silent_rows,5,", "same_rows_queried,5,"),
        (",proposed,", ",guessed,"),
    ],
    ids=["below nought", "no number", "twice at once", "no status"],
)
def test_a_limit_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (SOURCES / "rule_limits.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "rule_limits.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match="rule_limits"):
        _ = Declarations(tmp_path).rule_limits


def test_a_limit_is_that_of_its_quarter(tmp_path: Path) -> None:
    header, *rest = (SOURCES / "rule_limits.csv").read_text(encoding="utf-8").splitlines()
    (known,) = [line for line in rest if line.startswith("silent_rows,")]
    changed = [
        known.replace(",,,proposed", ",,2024-25-Q4,proposed"),
        known.replace("silent_rows,5", "silent_rows,7").replace(
            ",,,proposed", ",2025-26-Q1,,proposed"
        ),
    ]
    (tmp_path / "rule_limits.csv").write_text("\n".join([header, *changed]), encoding="utf-8")
    declared = Declarations(tmp_path)
    quarters = (Quarter(2024, 4), Quarter(2025, 1))
    assert [declared.rule_limit("silent_rows", one).value for one in quarters] == [5, 7]
    with pytest.raises(KeyError):
        declared.rule_limit("no_such_limit", Quarter(2025, 1))


def test_every_limit_is_used_by_a_rule_and_marked_as_proposed() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in (CHECKOUT / "expectations").rglob("*.py")
    )
    for row in DECLARED.rule_limits:
        assert f'limit("{row.limit}"' in code  # of a rule, or of what rules of a whole return need
        assert row.status == "proposed"
