"""Rules of a return as a whole: x8xx, each checked once for each return.

They guard the period and the sender, and see what no row can show: who is
missing. Their columns are those of ``expectations.return_as_a_whole``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from expectations.rules.rule import Need, Passes, Rows, Rule, Severity, adapted_from, never

_PROPOSED = "proposed by this project"


@dataclass(frozen=True)
class _Cases:
    """What the cases of a return are called. ``cases``: English, Welsh, Welsh after a number."""

    return_name: Literal["child", "adopter"]
    letters: str
    fields: tuple[str, ...]
    cases: tuple[str, str, str]
    open_cases: tuple[str, str]
    ended: tuple[str, str]


_CHILD = _Cases(
    "child",
    "CH",
    ("child_reference",),
    ("children", "plant", "blant"),
    ("Children whose plan had not ended", "Mae plant nad oedd eu cynllun wedi dod i ben"),
    ("how and when the plan ended", "sut a phryd y daeth y cynllun i ben"),
)
_ADOPTER = _Cases(
    "adopter",
    "AD",
    ("household_reference",),
    ("households", "aelwydydd", "aelwydydd"),
    ("Households that had not left", "Mae aelwydydd nad oeddent wedi gadael"),
    ("when and why they left", "pryd a pham y gadawsant"),
)


def _whole(
    of: _Cases, number: str, severity: Severity, needs: Need | None, en: str, cy: str,
    passes: Passes, ssda903: tuple[int, ...] = (), *, holds: bool = False,
) -> Rule:  # fmt: skip
    return Rule(
        f"{of.letters}{number}", of.return_name, severity, of.fields, en, cy,
        adapted_from(ssda903) if ssda903 else _PROPOSED, passes,
        ssda903=ssda903, needs=needs, level="return", holds=holds,
    )  # fmt: skip


def _none(rows_of: str) -> pl.Expr:
    return pl.col(rows_of).list.len() == 0


def _jump(rows: Rows) -> pl.Expr:
    difference = (pl.col("rows").cast(pl.Int64) - pl.col("prior_rows").cast(pl.Int64)).abs()
    percent = rows.limit("rows_jump_percent")
    return never(
        difference > rows.limit("rows_jump_rows"),
        100 * difference > percent * pl.col("prior_rows"),
    )


def _repeats(rows: Rows) -> pl.Expr:
    """The last return row for row, and nothing of it happened in this quarter."""
    return pl.col("is_same") & (pl.col("dated_within") == 0)


def _are_changed(rows: Rows, found: str) -> pl.Expr:
    """Most references that were not found again are there in another form."""
    percent = rows.limit("changed_references_percent")
    return (pl.col(found) >= rows.limit("changed_references")) & (
        100 * pl.col(found) >= percent * pl.col("vanished_rows").list.len()
    )


def _is_damaged(rows: Rows) -> pl.Expr:
    return _are_changed(rows, "found_with_zeros") | _are_changed(rows, "found_with_marks")


def _is_stranger(rows: Rows) -> pl.Expr:
    fewest = rows.limit("stranger_rows")
    return (
        (pl.col("prior_open") >= fewest)
        & (pl.col("rows") >= fewest)
        & (100 * pl.col("prior_found") < rows.limit("stranger_percent") * pl.col("prior_open"))
    )


def _rules(of: _Cases) -> tuple[Rule, ...]:
    cases, cases_cy, of_cases_cy = of.cases
    open_cases, open_cases_cy = of.open_cases
    ended, ended_cy = of.ended
    of_child = of.return_name == "child"
    return (
        _whole(
            of, "801", "query", "prior_return",
            f"{open_cases} on your last return ({{vanished_rows}} of its sheet) are missing from "
            f"this one: put them back and say {ended}, or explain why they are missing.",
            f"{open_cases_cy} yn ôl eich ffurflen ddiwethaf ({{vanished_rows}} o'i thaflen) ar "
            f"goll o hon: rhowch nhw yn ôl a dywedwch {ended_cy}, neu esboniwch pam eu bod wedi "
            "mynd.",
            # Where hardly any is found again, x807 says so once; x816 and x817 say why.
            lambda rows: _none("vanished_rows") | _is_stranger(rows) | _is_damaged(rows),
            (557,) if of_child else (),
        ),
        _whole(
            of, "802", "query", "prior_return",
            f"There are {{rows}} {cases}, and there were {{prior_rows}} on your last return: "
            "confirm, or send the full list.",
            f"Mae {{rows}} o {of_cases_cy}, ac ar eich ffurflen ddiwethaf roedd {{prior_rows}}: "
            "cadarnhewch, neu anfonwch y rhestr gyfan.",
            _jump,
        ),
        _whole(
            of, "803", "error", "prior_return",
            f"This is your last return again, row for row ({{rows}} {cases}), and nothing in it "
            "happened in the quarter: send the return for this quarter.",
            f"Eich ffurflen ddiwethaf yw hon eto, fesul rhes ({{rows}} o {of_cases_cy}), ac ni "
            "ddigwyddodd dim ynddi yn y chwarter: anfonwch ffurflen y chwarter hwn.",
            lambda rows: never(
                _repeats(rows), pl.col("rows") >= rows.limit("same_rows_refused")
            ),
        ),
        _whole(
            of, "804", "query", "prior_return",
            f"All {{rows}} {cases} are as they were on your last return: confirm that this is the "
            "return for this quarter, or send the right one.",
            f"Mae pob un o'r {{rows}} o {of_cases_cy} fel yr oeddent ar eich ffurflen ddiwethaf: "
            "cadarnhewch mai ffurflen y chwarter hwn yw hon, neu anfonwch yr un gywir.",
            lambda rows: never(
                pl.col("is_same"),
                pl.col("rows") >= rows.limit("same_rows_queried"),
                ~(_repeats(rows) & (pl.col("rows") >= rows.limit("same_rows_refused"))),
            ),
        ),
        _whole(
            of, "805", "error", None,
            "This looks like the return of a later quarter, since {dated_after} of {rows} rows "
            "have a date after the quarter on the cover: correct the cover, or send the right "
            "file.",
            "Mae hon yn edrych fel ffurflen chwarter diweddarach, gan fod gan {dated_after} o "
            "{rows} rhes ddyddiad ar ôl y chwarter ar y clawr: cywirwch y clawr, neu anfonwch y "
            "ffeil gywir.",
            lambda rows: never(
                pl.col("dated_after") >= rows.limit("later_quarter_rows"),
                100 * pl.col("dated_after")
                > rows.limit("later_quarter_percent") * pl.col("rows"),
            ),
        ),
        _whole(
            of, "806", "query", None,
            "No date in the {rows} rows falls in the quarter, and the latest falls in "
            "{newest_quarter}: confirm that the quarter on the cover is right, or send the right "
            "file.",
            "Nid oes dyddiad o'r {rows} rhes yn y chwarter, ac mae'r diweddaraf yn "
            "{newest_quarter}: cadarnhewch fod y chwarter ar y clawr yn gywir, neu anfonwch y "
            "ffeil gywir.",
            lambda rows: never(
                pl.col("rows") >= rows.limit("silent_rows"),
                pl.col("dated_within") == 0,
                pl.col("newest_quarter").is_not_null(),
            ),
        ),
        _whole(
            of, "807", "query", "prior_return",
            f"Of {{prior_open}} {cases} with an open case on your last return, only "
            f"{{prior_found}} are on this one: confirm that the file is yours and that the "
            "references are the same as last time, or send the right file.",
            f"O'r {{prior_open}} o {of_cases_cy} agored ar eich ffurflen ddiwethaf, dim ond "
            "{prior_found} sydd yma: cadarnhewch mai eich ffeil chi yw hon a bod y cyfeirnodau "
            "fel y tro diwethaf, neu anfonwch y ffeil gywir.",
            lambda rows: ~_is_stranger(rows) | _is_damaged(rows),
            holds=True,
        ),
        _whole(
            of, "808", "error", "other_senders",
            f"These {cases} are on another sender's last return, and none of yours is among them: "
            "choose the right sender on the cover, or send your own file.",
            f"{cases_cy.capitalize()} ffurflen ddiwethaf anfonwr arall yw'r rhain, ac nid oes yr "
            "un o'ch rhai chi yn eu plith: dewiswch yr anfonwr cywir ar y clawr, neu anfonwch "
            "eich ffeil eich hun.",
            lambda rows: never(
                pl.col("rows") >= rows.limit("other_sender_rows"),
                (pl.col("of_another_sender") >= rows.limit("other_sender_percent"))
                .fill_null(False),
            ),
        ),
        _whole(
            of, "811", "query", None,
            f"The cases of some {cases} ended before the quarter began ({{ended_rows}}) and need "
            "no longer be reported: delete their rows, or correct the date.",
            f"Daeth achosion rhai {cases_cy} i ben cyn dechrau'r chwarter ({{ended_rows}}) ac nid "
            "oes angen eu hadrodd mwyach: dilëwch nhw, neu cywirwch y dyddiad.",
            lambda rows: _none("ended_rows"),
            (118,) if of_child else (),
        ),
        _whole(
            of, "812", "query", "prior_return",
            f"Some {cases} are new although their cases began before the quarter ({{new_rows}}), "
            "so they are missing from the figures for that quarter: send the return for that "
            "quarter again, or correct the date or the reference.",
            f"Mae rhai {cases_cy} yn newydd er i'w hachosion ddechrau cyn y chwarter "
            "({new_rows}), felly nid ydynt yn ffigurau'r chwarter hwnnw: anfonwch ei ffurflen eto, "
            "neu cywirwch y dyddiad neu'r cyfeirnod.",
            lambda rows: _none("new_rows") | _is_stranger(rows) | _is_damaged(rows),
            (559,) if of_child else (),
        ),
        _whole(
            of, "813", "query", None,
            "Some dates are before {earliest_year} ({early_rows}), as when a year alone is typed "
            "into a cell for dates: correct them, or confirm the file without these rows.",
            "Mae rhai dyddiadau cyn {earliest_year} ({early_rows}), fel pan deipir blwyddyn yn "
            "unig mewn cell ar gyfer dyddiadau: cywirwch nhw, neu cadarnhewch y ffeil heb y rhesi "
            "hyn.",
            lambda rows: _none("early_rows"),
            holds=True,
        ),
        _whole(
            of, "814", "query", None,
            "Several rows have one and the same date, as a system writes for a date that is not "
            "known ({default_rows}): give the true dates, leave them blank where they are not "
            "known, or confirm them.",
            "Mae gan sawl rhes yr un dyddiad yn union, fel y mae system yn ei ysgrifennu pan nad "
            "yw'r dyddiad yn hysbys ({default_rows}): rhowch y gwir ddyddiadau, gadewch nhw'n wag "
            "lle nad ydynt yn hysbys, neu cadarnhewch nhw.",
            lambda rows: _none("default_rows"),
        ),
        _whole(
            of, "815", "query", None,
            "Several cases have a decision, match or order on one and the same bank holiday "
            "({holiday_rows}), when no court sits and no panel meets: correct the dates, or "
            "confirm them.",
            "Mae gan sawl achos benderfyniad, paru neu orchymyn ar yr un gŵyl banc "
            "({holiday_rows}), pan nad oes llys na phanel yn eistedd: cywirwch y dyddiadau, neu "
            "cadarnhewch nhw.",
            lambda rows: _none("holiday_rows"),
        ),
        _whole(
            of, "816", "error", "prior_return",
            "References have lost the zeros they began with on your last return "
            f"({{found_with_zeros}} {cases}), so all of these look new: format the column as text, "
            "take the references from your system again, and send the return again.",
            "Mae cyfeirnodau wedi colli'r seroau ar eu dechrau ar eich ffurflen ddiwethaf "
            f"({{found_with_zeros}} o {of_cases_cy}), felly mae pob un yn edrych yn newydd: "
            "fformatiwch y golofn fel testun, cymerwch y cyfeirnodau o'ch system eto, ac anfonwch "
            "y ffurflen eto.",
            lambda rows: ~_are_changed(rows, "found_with_zeros"),
        ),
        _whole(
            of, "817", "error", "prior_return",
            "References differ from those on your last return by a mark alone, such as an "
            f"apostrophe, a dash, a space or .0 ({{found_with_marks}} {cases}), so all of these "
            "look new: write them as last time, and send the return again.",
            "Mae cyfeirnodau'n wahanol i'r rhai ar eich ffurflen ddiwethaf o farc yn unig, fel "
            f"collnod, llinell, bwlch neu .0 ({{found_with_marks}} o {of_cases_cy}), felly mae pob "
            "un yn edrych yn newydd: ysgrifennwch nhw fel y tro diwethaf, ac anfonwch y ffurflen "
            "eto.",
            lambda rows: ~_are_changed(rows, "found_with_marks"),
        ),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (*_rules(_CHILD), *_rules(_ADOPTER))
