"""The sample returns as files, in the order they came, with the mess of real life.

| What happens | Who | Quarter |
|---|---|---|
| no child in the quarter: nil return | Ceredigion | 2018-19-Q2 |
| sent again three weeks later with two placements that were missing | Swansea | 2018-19-Q3 |
| first sent under a code that does not exist | Conwy | 2018-19-Q4 |
| two rows with errors are set aside | Carmarthenshire | 2018-19-Q4 |
| a web page saved as .xlsx, then the return itself, too late | Wiltshire | 2018-19-Q4 |
| sent again with so many errors that the good first version stays | Powys | 2019-20-Q1 |
| late | Wrexham | 2019-20-Q2 |
| never sent | Solihull | 2019-20-Q3 |
| cut off on the way, sent again the next day | Pembrokeshire | 2019-20-Q4 |
| refused for swapped columns, corrected a week later | Bristol | 2019-20-Q4 |
| the same file twice | Gloucestershire | 2019-20-Q4 |
| three rows with errors are set aside | Warwickshire | 2020-21-Q1 |
| never sent | Flintshire | 2020-21-Q2 |
| accepted with questions to answer | Coventry | 2020-21-Q3 |

Every quarter, Gwynedd's columns are in another order, in Welsh, with text dates and columns
nobody asked for, Liverpool and Sefton send what their own case systems export, Wirral sends CSV
files, and Anglesey and Ceredigion fill in the Welsh workbook. Nothing here touches the figures
that ``calibration.csv`` takes from publications: once the last file is in, they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from pipelines.declarations import Declarations
from pipelines.quarters import Quarter, quarters_between
from pipelines.samples.chance import Chance
from pipelines.samples.population import Population, population, senders_due
from pipelines.samples.styles import Style, write_styled_return
from pipelines.templates.csv_files import write_csv_return
from pipelines.templates.workbook import write_return

Rows = dict[str, list[dict[str, object]]]
Change = Callable[[Rows], Rows]
Form = Literal["workbook", "Welsh workbook", "CSV", "cut off", "web page", "again"]

STYLES: dict[str, Style] = {
    # Gwynedd. The Welsh is what a sender's own system writes into its file: data, no message.
    "W06000002": Style(
        headings="cy",
        dates="day first",
        codes="cy",
        lines_above=("Allforiwyd o'r system achosion (data synthetig)", ""),
        is_jumbled=True,
        extra=(("Tîm", "Tîm SYN"), ("Swp allforio", "SYN-01")),
    ),
    # Liverpool and Sefton: two of the four case systems behind Adoption in Merseyside
    "E08000012": Style(headings="synonyms", dates="day first", codes="en"),
    "E08000014": Style(
        headings="names",
        dates="year first",
        codes="capitals",
        lines_above=("Quarterly extract (synthetic data)",),
    ),
}
FORMS: dict[str, Form] = {
    "E08000015": "CSV",  # Wirral
    "W06000001": "Welsh workbook",  # Isle of Anglesey
    "W06000008": "Welsh workbook",  # Ceredigion
}

_UNKNOWN_CODE = "W06000099"  # no such authority
_ROLE = "Synthetic sample, service manager"


@dataclass(frozen=True)
class Delivery:
    """A file that came, and when. ``sender_code`` is who truly sent it, whatever its cover says."""

    path: Path
    received_at: datetime
    description: str
    sender_code: str
    quarter: Quarter


@dataclass(frozen=True)
class PlannedDelivery:
    """A file to come. ``change`` alters the true rows; ``cover_code`` is what the cover says."""

    sender_code: str
    quarter: Quarter
    received_at: datetime
    description: str
    version: int = 1
    form: Form = "workbook"
    change: Change | None = None
    cover_code: str | None = None
    note: str = ""  # end of the file name, where a version comes twice

    @property
    def file_name(self) -> str:
        suffix = ".zip" if self.form == "CSV" else ".xlsx"
        return f"{self.sender_code}_{self.quarter}_v{self.version}{self.note}{suffix}"


def plan_deliveries(
    declarations: Declarations, first: Quarter, last: Quarter
) -> list[PlannedDelivery]:
    """Every file that comes for ``first`` to ``last``, in the order of arrival."""
    planned = [
        delivery
        for quarter in quarters_between(first, last)
        for sender_code, _ in senders_due(declarations, quarter)
        for delivery in _deliveries_of(declarations, sender_code, quarter)
    ]
    return sorted(planned, key=lambda delivery: (delivery.received_at, delivery.file_name))


def write_deliveries(
    folder: Path,
    declarations: Declarations,
    first: Quarter,
    last: Quarter,
    report_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Delivery]:
    """Write the sample returns of ``first`` to ``last`` into ``folder``, in the order of arrival.

    ``report_progress`` is called after each file: how many are done, of how many. Raises
    ValueError for a quarter before 2018-19-Q1, the first of the sample.
    """
    folder.mkdir(parents=True, exist_ok=True)
    people = population(declarations, first, last)
    plan = plan_deliveries(declarations, first, last)
    written = []
    for planned in plan:
        path = folder / planned.file_name
        _write(path, declarations, people, planned)
        written.append(
            Delivery(
                path, planned.received_at, planned.description, planned.sender_code, planned.quarter
            )
        )
        report_progress(len(written), len(plan))
    return written


# --- what comes when ------------------------------------------------------------


def _deliveries_of(
    declarations: Declarations, sender_code: str, quarter: Quarter
) -> Iterator[PlannedDelivery]:
    chance = Chance("delivery", sender_code, quarter.label)
    deadline = declarations.policy_for(sender_code).deadline(quarter)
    day = chance.day(quarter.last_day + timedelta(days=6), deadline - timedelta(days=2))
    received_at = datetime.combine(
        day, time(chance.between(8, 16), chance.between(0, 59)), tzinfo=UTC
    )
    ordinary = PlannedDelivery(
        sender_code,
        quarter,
        received_at,
        "Ordinary return.",
        form=FORMS.get(sender_code, "workbook"),
    )
    incident = _INCIDENTS.get((sender_code, quarter.label))
    if incident is None:
        yield ordinary
    else:
        yield from incident(ordinary, deadline)


def _later(delivery: PlannedDelivery, days: int) -> datetime:
    return delivery.received_at + timedelta(days=days)


def _nil(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(ordinary, description="Nil return: no child in the quarter.")


def _never_sent(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield from ()


def _late(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    received_at = datetime.combine(deadline + timedelta(days=12), ordinary.received_at.timetz())
    yield replace(
        ordinary,
        received_at=received_at,
        description="Late return, twelve days after the deadline.",
    )


def _corrected(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        change=_without_two_placements,
        description="First version, in which two placements are missing.",
    )
    yield replace(
        ordinary,
        version=2,
        received_at=_later(ordinary, 21),
        description="Resubmission that gives the two placements missing from the first version.",
    )


def _mistyped_code(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        cover_code=_UNKNOWN_CODE,
        note="_first",
        description="Return under an authority code that does not exist: refused.",
    )
    yield replace(
        ordinary,
        received_at=_later(ordinary, 1),
        description="The same return under the right code.",
    )


def _few_errors(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        change=_with_two_errors,
        description="Two rows with errors, which are set aside: a match before the decision, an "
        "ethnic group that is in no list.",
    )


def _some_errors(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        change=_with_three_errors,
        description="Three rows with errors, which are set aside: a match before the decision, an "
        "ethnic group that is in no list, a 31st of February.",
    )


def _bad_resubmission(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield ordinary
    yield replace(
        ordinary,
        version=2,
        received_at=_later(ordinary, 9),
        change=_with_days_missing_from_dates,
        description="Resubmission refused for its errors; the good first version stays.",
    )


def _swapped_columns(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        change=_with_match_and_decision_swapped,
        description="Refused: the columns of the match and of the decision are swapped.",
    )
    yield replace(
        ordinary,
        version=2,
        received_at=_later(ordinary, 7),
        description="The refused return, corrected.",
    )


def _cut_off(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        form="cut off",
        note="_first",
        description="Unreadable: the workbook was cut off on the way.",
    )
    yield replace(
        ordinary,
        received_at=_later(ordinary, 1),
        description="The return that was cut off the day before, whole.",
    )


def _web_page(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        form="web page",
        note="_first",
        description="Unreadable: the log-in page of a file share, saved as .xlsx.",
    )
    received_at = datetime.combine(deadline + timedelta(days=4), ordinary.received_at.timetz())
    yield replace(
        ordinary,
        received_at=received_at,
        description="The return itself, four days after the deadline.",
    )


def _twice(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield ordinary
    yield replace(
        ordinary,
        form="again",
        note="_again",
        received_at=_later(ordinary, 2),
        description="The same file once more.",
    )


def _questions(ordinary: PlannedDelivery, deadline: date) -> Iterator[PlannedDelivery]:
    yield replace(
        ordinary,
        change=_with_questions,
        description="Accepted with queries: two matched children without the source of their "
        "adopters, and a sibling group whose number does not fit.",
    )


_INCIDENTS: dict[tuple[str, str], Callable[[PlannedDelivery, date], Iterator[PlannedDelivery]]] = {
    ("W06000008", "2018-19-Q2"): _nil,
    ("W06000011", "2018-19-Q3"): _corrected,
    ("W06000003", "2018-19-Q4"): _mistyped_code,
    ("W06000010", "2018-19-Q4"): _few_errors,
    ("E06000054", "2018-19-Q4"): _web_page,
    ("W06000023", "2019-20-Q1"): _bad_resubmission,
    ("W06000006", "2019-20-Q2"): _late,
    ("E08000029", "2019-20-Q3"): _never_sent,
    ("W06000009", "2019-20-Q4"): _cut_off,
    ("E06000023", "2019-20-Q4"): _swapped_columns,
    ("E10000013", "2019-20-Q4"): _twice,
    ("E10000031", "2020-21-Q1"): _some_errors,
    ("W06000005", "2020-21-Q2"): _never_sent,
    ("E08000026", "2020-21-Q3"): _questions,
}


# --- what is wrong with the rows --------------------------------------------------


def _changed(rows: Rows, numbers: list[int], change: dict[str, object]) -> Rows:
    children = [
        row | change if number in numbers else row for number, row in enumerate(rows["child"])
    ]
    return rows | {"child": children}


def _where(rows: Rows, *fields: str) -> list[int]:
    """Numbers of the child rows of single children in which every one of ``fields`` is given."""
    return [
        number
        for number, row in enumerate(rows["child"])
        if row["siblings_placed_together"] == 1 and all(row[field] is not None for field in fields)
    ]


def _without_two_placements(rows: Rows) -> Rows:
    """The two latest placements not entered yet, as if the paperwork had not come."""
    placed = [
        number
        for number in _where(rows, "placed_on")
        if rows["child"][number]["adoption_order_on"] is None
    ]
    placed.sort(key=lambda number: str(rows["child"][number]["placed_on"]))
    return _changed(rows, placed[-2:], {"placed_on": None, "life_journey_materials_on": None})


def _with_two_errors(rows: Rows) -> Rows:
    matched = _where(rows, "matched_on")[0]
    decision_on = rows["child"][matched]["should_be_placed_decision_on"]
    assert isinstance(decision_on, date)
    rows = _changed(rows, [matched], {"matched_on": decision_on - timedelta(days=20)})
    return _changed(rows, [_not(rows, matched)[0]], {"ethnicity_group": "SYN-WBRI"})


def _with_three_errors(rows: Rows) -> Rows:
    changed = _with_two_errors(rows)
    untouched = [
        number
        for number in _where(rows, "placement_order_on")
        if changed["child"][number] == rows["child"][number]
    ]
    return _changed(changed, untouched[:1], {"placement_order_on": "31/02/2020"})


def _not(rows: Rows, taken: int) -> list[int]:
    return [number for number in _where(rows, "referred_on") if number != taken]


def _with_days_missing_from_dates(rows: Rows) -> Rows:
    """An export that gives only month and year."""
    children = [
        row | {"entered_care_on": f"{row['entered_care_on']:%m/%Y}"} for row in rows["child"]
    ]
    return rows | {"child": children}


def _with_match_and_decision_swapped(rows: Rows) -> Rows:
    children = [
        row
        | {
            "matched_on": row["should_be_placed_decision_on"],
            "should_be_placed_decision_on": row["matched_on"],
        }
        for row in rows["child"]
    ]
    return rows | {"child": children}


def _with_questions(rows: Rows) -> Rows:
    changed = _changed(rows, _where(rows, "matched_on")[:2], {"placement_source": None})
    sibling = next(
        number for number, row in enumerate(rows["child"]) if row["siblings_placed_together"] == 2
    )
    return _changed(changed, [sibling], {"siblings_placed_together": 3})


# --- writing --------------------------------------------------------------------


def _write(
    path: Path, declarations: Declarations, people: Population, planned: PlannedDelivery
) -> None:
    if planned.form == "again":
        first = replace(planned, form="workbook", note="")
        path.write_bytes((path.parent / first.file_name).read_bytes())
        return
    if planned.form == "web page":
        path.write_bytes(_LOG_IN_PAGE.encode("utf-8"))
        return
    rows: Rows = people.rows(planned.sender_code, planned.quarter)
    if planned.change is not None:
        rows = planned.change(rows)
    cover = _cover(planned, rows)
    style = STYLES.get(planned.sender_code)
    if planned.form == "CSV":
        write_csv_return(path, declarations, planned.quarter, cover, rows)
    elif style is not None:
        write_styled_return(path, declarations, planned.quarter, cover, rows, style)
    else:
        language = "cy" if planned.form == "Welsh workbook" else "en"
        write_return(path, declarations, planned.quarter, cover, rows, language)
    if planned.form == "cut off":
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 3 // 5])


def _cover(planned: PlannedDelivery, rows: Rows) -> dict[str, object]:
    received_on = planned.received_at.date()
    chance = Chance("sign-off", planned.sender_code, planned.quarter.label, planned.version)
    return {
        "sender_code": planned.cover_code or planned.sender_code,
        "quarter": planned.quarter.label,
        "version": planned.version,
        **{f"is_nil_{name}": "no" if sent else "yes" for name, sent in rows.items()},
        "signed_off_by_role": _ROLE,
        "signed_off_on": received_on - timedelta(days=chance.between(0, 3)),
        "is_synthetic": "yes",
    }


_LOG_IN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Sign in (synthetic sample)</title></head>
<body><h1>Your session has ended</h1><p>Sign in again to download this file.</p></body></html>
"""
