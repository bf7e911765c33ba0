"""A return of many children, and what programs and people do to one. All of it is synthetic.

Everything stays in memory, as text by cell: a date is written as the program that opens the file
gives it, ISO in a workbook and dd/mm/yyyy in a CSV file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import polars as pl

from expectations.suite import Engine
from pipelines.intake.batches import Batch, layout_record, typed_rows
from pipelines.intake.validated_alone import ValidatedAlone, validate_alone
from pipelines.intake.validation import problem_frame, run_rules, validate_submission
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast
from pipelines.readers.content import FileContent, SheetContent
from pipelines.readers.layout import LaidOut, lay_out
from tests.unit.returns_made import ANGLESEY, COVER, DECLARATIONS, Q2, child

Form = Literal["workbook", "csv"]
Rows = list[dict[str, str]]
CHILDREN = 36
FIELDS = [field.name for field in DECLARATIONS.returns["child"].fields_in_force(Q2)]
TITLES = {f.name: f.title.en for f in DECLARATIONS.returns["child"].fields}
DATES = [f.name for f in DECLARATIONS.returns["child"].fields if f.type == "date"]


def journeys(count: int = CHILDREN) -> list[dict[str, Any]]:
    """Children at every stage up to the adoption order, with every kind of day and month."""
    rows = []
    for number in range(count):
        start = date(2018, 1, 3) + timedelta(days=17 * number)
        row = child(
            f"{201_563 + 97 * number:07d}",
            date_of_birth=start - timedelta(days=400 + 31 * number % 700),
            sex="female" if number % 2 else "male",
            entered_care_on=start,
            referred_on=start + timedelta(days=40),
        )
        stage = number % 4
        if start > date(2019, 9, 1):  # too young a case for more
            stage = 0
        if stage >= 1:
            row |= {
                "should_be_placed_decision_on": start + timedelta(days=75),
                "authority_to_place": "placement_order",
                "placement_order_on": start + timedelta(days=130),
                "referred_to_register_on": start + timedelta(days=141),
                "family_finding_status": "active",
            }
        if stage >= 2:
            row |= {
                "matched_on": start + timedelta(days=230),
                "placed_on": start + timedelta(days=250),
                "family_finding_status": "ended",
                "is_foster_carer_adoption": "no",
                "placement_source": "in_region",
                "placement_provider": "PR1",
                "adopter_agency_code": ANGLESEY,
                "adopter_household_reference": f"H-{number:04d}",
            }
        if stage == 3:
            row["adoption_order_on"] = date(2020, 7, 2) + timedelta(days=2 * number % 90)
        rows.append(row)
    return rows


def as_written(rows: Sequence[Mapping[str, Any]], form: Form) -> Rows:
    """Every cell as text, as a file of this form holds it."""

    def text(value: Any) -> str:
        if isinstance(value, date):
            return value.isoformat() if form == "workbook" else f"{value:%d/%m/%Y}"
        return str(value)

    return [{name: text(value) for name, value in row.items()} for row in rows]


@dataclass(frozen=True)
class Sheet:
    """A sheet of children before it is a file: headings by field, rows of text, and the form."""

    rows: Rows
    form: Form
    headings: Mapping[str, str]
    fields: Sequence[str]
    above: tuple[list[str | None], ...] = ()
    below: tuple[list[str | None], ...] = ()
    after_headings: tuple[list[str | None], ...] = ()
    formula_zeros: tuple[tuple[int, str], ...] = ()  # row of the sheet (from 0), field

    def change(
        self, name: str, how: Callable[[str], str], rows: Sequence[int] | None = None
    ) -> Sheet:
        """The sheet with filled cells of a column written in another way."""
        changed = [
            row | {name: how(row[name])}
            if name in row and (rows is None or number in rows)
            else row
            for number, row in enumerate(self.rows)
        ]
        return replace(self, rows=changed)

    def fill(self, name: str, text: str, rows: Sequence[int] | None = None) -> Sheet:
        """The sheet with blank cells of a column filled."""
        filled = [
            row | {name: text} if name not in row and (rows is None or number in rows) else row
            for number, row in enumerate(self.rows)
        ]
        return replace(self, rows=filled)

    def content(self, sender: str = ANGLESEY) -> FileContent:
        cells: list[list[str | None]] = [
            *self.above,
            [self.headings[name] for name in self.fields],
            *self.after_headings,
            *([row.get(name) for name in self.fields] for row in self.rows),
            *self.below,
        ]
        cover = COVER | {"sender_code": sender, "signed_off_on": "2020-10-09", "version": "1"}
        titles = {field.name: field.title.en for field in DECLARATIONS.cover.fields}
        answers: list[list[str | None]] = [
            [titles[name], str(value)] for name, value in cover.items()
        ]
        is_csv = self.form == "csv"
        names = ("cover", "child") if is_csv else ("Cover", "Children")
        return FileContent(
            [
                SheetContent(names[0], answers, lengths=_lengths(answers) if is_csv else None),
                SheetContent(
                    names[1],
                    cells,
                    lengths=_lengths(cells) if is_csv else None,
                    formula_zeros=[
                        (row, self.fields.index(name)) for row, name in self.formula_zeros
                    ],
                ),
            ],
            form="zip" if is_csv else "workbook",
        )


def _lengths(rows: Sequence[Sequence[str | None]]) -> list[int]:
    return [len(row) for row in rows]


def sheet(form: Form = "workbook", count: int = CHILDREN) -> Sheet:
    """The return as it should have been."""
    return Sheet(as_written(journeys(count), form), form, TITLES, FIELDS)


@dataclass(frozen=True)
class Judged:
    """What became of a file: its status, the codes of its problems, and the rows as understood."""

    laid_out: LaidOut
    validated: ValidatedAlone

    @property
    def status(self) -> str:
        return self.validated.event["status"]

    @property
    def codes(self) -> set[str]:
        return {problem["code"] for problem in self.validated.problems}

    @property
    def count(self) -> int:
        return len(self.validated.problems)

    def sentences(self, code: str) -> list[str]:
        return [p["sentence_en"] for p in self.validated.problems if p["code"] == code]

    @property
    def understood(self) -> pl.DataFrame:
        """Declared fields of the rows, sorted by reference."""
        return self.validated.typed["child"].select(FIELDS).sort("child_reference")


def judge(content: FileContent, before: Sheet | None = None, engine: Engine = "polars") -> Judged:
    """What ``adoption check`` says of a file; ``before``: the return for the quarter before."""
    laid_out = lay_out(content, DECLARATIONS, "S1")
    submission = Submission(
        "S1", 1, datetime(2020, 10, 10, 9, tzinfo=UTC), "0" * 64, ".xlsx",
        sender_code=laid_out.cover.values["sender_code"], quarter=Q2.label,
    )  # fmt: skip
    prior = None if before is None else {"child": last_quarter(before)}
    return Judged(
        laid_out,
        validate_alone(DECLARATIONS, submission, laid_out, prior_return=prior, engine=engine),
    )


def last_quarter(before: Sheet) -> pl.DataFrame:
    """The typed rows of a sheet as the return for the quarter before."""
    quarter: Quarter = Q2.plus(-1)
    frame = lay_out(before.content(), DECLARATIONS, "S0").frames["child"]
    earlier = frame.with_columns(quarter=pl.lit(quarter.label))
    return cast(earlier, DECLARATIONS.returns["child"], quarter, DECLARATIONS)


def judge_all(contents: Mapping[str, FileContent]) -> dict[str, Judged]:
    """As :func:`judge`, many files in one batch, as the collection does it."""
    laid_out = {name: lay_out(content, DECLARATIONS, name) for name, content in contents.items()}
    submissions = {
        name: Submission(
            name, number, datetime(2020, 10, 10, 9, tzinfo=UTC), "0" * 64, ".xlsx",
            sender_code=laid.cover.values["sender_code"], quarter=Q2.label,
        )
        for number, (name, laid) in enumerate(laid_out.items(), start=1)
    }  # fmt: skip
    typed = {name: typed_rows(laid, DECLARATIONS, Q2) for name, laid in laid_out.items()}
    of_children = [frames["child"] for frames in typed.values() if "child" in frames]
    layouts = [(submissions[name], layout_record(laid)) for name, laid in laid_out.items()]
    batch = Batch(Q2, "damaged", layouts, {"child": pl.concat(of_children)})
    run_rules([batch], DECLARATIONS, "polars")
    judged = {}
    for submission, layout in layouts:
        outcome = validate_submission(DECLARATIONS, batch, submission, layout, samples=None)
        name = submission.submission_id
        problems = problem_frame(batch, [outcome]).to_dicts()
        event = outcome.event("", DECLARATIONS)
        judged[name] = Judged(laid_out[name], ValidatedAlone(event, problems, typed[name]))
    return judged
