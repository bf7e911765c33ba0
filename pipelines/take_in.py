"""From a stored file to raw and validated Parquet, a quarter at a time.

``to_raw`` and ``to_validated`` are the two steps of a batch: everything of one quarter that has
no verdict yet. Either can be killed and run again: files are renamed into place whole, and the
verdicts reach the ledger last, so a batch without verdicts is simply done once more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from expectations.suite import QuarterResult, rule_set_hash, validate_quarters
from expectations.verdicts import ReturnSent, Verdict, judge
from pipelines.casting import cast, validated_frame
from pipelines.declarations import Declarations
from pipelines.files import write_whole
from pipelines.landing import stored_file
from pipelines.ledger import Ledger, Submission
from pipelines.pseudonyms import Pseudonymiser
from pipelines.quarters import Quarter
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.readers.layout import LaidOut, RowConservationError, lay_out
from pipelines.readers.sentences import FileProblem, of_the_collection
from pipelines.settings import Settings
from pipelines.tables import PROBLEM_SCHEMA

LOCAL = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class QuarterSummary:
    """Counts of one quarter's batch; nothing in it is about a child."""

    quarter: Quarter
    accepted: int
    refused: int
    rows: dict[str, int]
    quarantined: int
    queries: int
    rules_run: int
    rules_crashed: int


def is_late(submission: Submission, declarations: Declarations) -> bool:
    """Received after the deadline's end of day in Wales and England."""
    assert submission.sender_code and submission.quarter
    deadline = declarations.policy_for(submission.sender_code).deadline(
        Quarter.parse(submission.quarter)
    )
    return submission.received_at.astimezone(LOCAL).date() > deadline


def to_raw(settings: Settings, declarations: Declarations, quarter: Quarter) -> dict[str, int]:
    """Write the rows of every waiting submission of ``quarter`` as text; rows by return name."""
    batched = {
        submission_id
        for path in _layout_files(settings, quarter)
        for submission_id in _read_json(path)
    }
    waiting = [item for item in _waiting(settings, quarter) if item.submission_id not in batched]
    if not waiting:
        return {}
    batch = _batch_name(waiting)
    frames: dict[str, list[pl.DataFrame]] = {name: [] for name in declarations.returns}
    layouts: dict[str, Any] = {}
    contents = read_each(stored_file(settings, item) for item in waiting)
    for submission, content in zip(waiting, contents, strict=True):
        if isinstance(content, Unreadable):  # read well at the door: the machine is at fault
            layouts[submission.submission_id] = _unreadable_record(content)
            continue
        laid_out = lay_out(content, declarations, submission.submission_id)
        layouts[submission.submission_id] = _layout_record(laid_out)
        for name, frame in laid_out.frames.items():
            if frame.height:
                frames[name].append(frame)
    rows = {}
    for name, parts in frames.items():
        if parts:
            frame = pl.concat(parts)
            rows[name] = frame.height
            write_whole(
                settings.raw / name / quarter.label / f"{batch}.parquet", frame.write_parquet
            )
    # The layout goes last: a batch without one is not there.
    write_whole(
        settings.raw / "layout" / quarter.label / f"{batch}.json",
        lambda path: path.write_text(json.dumps(layouts, ensure_ascii=False), encoding="utf-8"),
    )
    return rows


def to_validated(
    settings: Settings, declarations: Declarations, quarters: Sequence[Quarter]
) -> list[QuarterSummary]:
    """Check, pseudonymise and judge every waiting submission of ``quarters``.

    Quarters whose rules agree share a batch of Great Expectations: twelve cost what one costs.
    A quarter in which nothing waits has no summary. Raises nothing for a bad return: that is a
    verdict.
    """
    batches = [
        batch for quarter in quarters for batch in _waiting_batches(settings, declarations, quarter)
    ]
    _check(batches, declarations)
    sample = _is_sample(settings)
    summaries = []
    for quarter in quarters:
        mine = [batch for batch in batches if batch.quarter == quarter]
        judged: list[_Judged] = []
        for batch in mine:
            for submission, layout in batch.submissions:
                one = _judge(declarations, quarter, submission, layout, batch.results, sample)
                if sample is None and one.verdict.is_accepted:
                    sample = submission.is_synthetic
                batch.judged.append(one)
            _write_validated(settings, declarations, batch)
            judged += batch.judged
        if judged:
            rules = {
                "run": sum(r.rules_run for batch in mine for r in batch.results.values()),
                "crashed": sum(len(r.crashes) for batch in mine for r in batch.results.values()),
            }
            hashed = rule_set_hash(declarations, quarter)
            Ledger(settings.ledger).append(
                *(item.event(rules, hashed, declarations) for item in judged)
            )
            summaries.append(_summary(quarter, mine, judged, rules))
    return summaries


def _summary(
    quarter: Quarter, batches: list[_Batch], judged: list[_Judged], rules: dict[str, int]
) -> QuarterSummary:
    accepted = [item.verdict for item in judged if item.verdict.is_accepted]
    rows: dict[str, int] = {}
    for batch in batches:
        for name, frame in batch.typed.items():
            rows[name] = rows.get(name, 0) + frame.height
    return QuarterSummary(
        quarter=quarter,
        accepted=len(accepted),
        refused=len(judged) - len(accepted),
        rows=rows,
        quarantined=sum(
            one.rows_quarantined for verdict in accepted for one in verdict.returns.values()
        ),
        queries=sum(one.queries for item in judged for one in item.verdict.returns.values()),
        rules_run=rules["run"],
        rules_crashed=rules["crashed"],
    )


def problems_of(settings: Settings, submission: Submission) -> list[dict[str, Any]]:
    """Every problem of one submission, in the order of its sheets and rows."""
    folder = settings.validated / "problems" / (submission.quarter or "none")
    files = sorted(folder.glob("*.parquet")) if folder.exists() else []
    if not files:
        return []
    return (
        pl.scan_parquet(files)
        .filter(pl.col("submission_id") == submission.submission_id)
        .sort("return_name", "sheet_row", "code", nulls_last=False, maintain_order=True)
        .collect()
        .to_dicts()
    )


@dataclass(frozen=True)
class _Judged:
    submission: Submission
    layout: dict[str, Any]
    file_problems: tuple[FileProblem, ...]
    verdict: Verdict

    def event(
        self, rules: dict[str, int], hashed: str, declarations: Declarations
    ) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "event": "judged",
            "submission_id": self.submission.submission_id,
            "status": verdict.status,
            "refusal_code": verdict.refusal_code,
            "refusal_sentence_en": verdict.refusal_sentence_en,
            "refusal_sentence_cy": verdict.refusal_sentence_cy,
            "is_late": is_late(self.submission, declarations),
            "rule_set_hash": hashed,
            "rules": rules,
            "returns": {
                name: {
                    "is_nil": one.is_nil,
                    "rows_read": one.rows_read,
                    "rows_accepted": one.rows_accepted,
                    "rows_quarantined": one.rows_quarantined,
                    "errors": one.errors,
                    "queries": one.queries,
                }
                for name, one in verdict.returns.items()
            },
        }


@dataclass
class _Batch:
    """The waiting submissions of one quarter that were read together."""

    quarter: Quarter
    name: str
    submissions: list[tuple[Submission, dict[str, Any]]]
    typed: dict[str, pl.DataFrame]
    results: dict[str, QuarterResult] = field(default_factory=dict)
    judged: list[_Judged] = field(default_factory=list)


def _waiting_batches(
    settings: Settings, declarations: Declarations, quarter: Quarter
) -> Iterator[_Batch]:
    waiting = {item.submission_id: item for item in _waiting(settings, quarter)}
    for path in _layout_files(settings, quarter):
        found = [(waiting[key], value) for key, value in _read_json(path).items() if key in waiting]
        if not found:
            continue
        ids = [submission.submission_id for submission, _ in found]
        typed = {}
        for name, declared in declarations.returns.items():
            rows = settings.raw / name / quarter.label / f"{path.stem}.parquet"
            if rows.exists():
                raw = pl.read_parquet(rows).filter(pl.col("submission_id").is_in(ids))
                typed[name] = cast(raw, declared, quarter, declarations)
        yield _Batch(quarter, path.stem, found, typed)


def _check(batches: list[_Batch], declarations: Declarations) -> None:
    """Run the rules; a batch read later of the same quarter is checked on its own."""
    turns: dict[Quarter, int] = {}
    together: dict[int, list[_Batch]] = {}
    for batch in batches:
        turn = turns.get(batch.quarter, 0)
        turns[batch.quarter] = turn + 1
        together.setdefault(turn, []).append(batch)
    for several in together.values():
        for name in declarations.returns:
            typed = {batch.quarter: batch.typed[name] for batch in several if name in batch.typed}
            found = validate_quarters(name, typed, declarations) if typed else {}
            for batch in several:
                if batch.quarter in found:
                    batch.results[name] = found[batch.quarter]


def _is_sample(settings: Settings) -> bool | None:
    """Whether the collection holds sample returns; None before the first was accepted."""
    submissions = Ledger(settings.ledger).submissions()
    return next((item.is_synthetic for item in submissions if item.is_accepted), None)


def _judge(
    declarations: Declarations,
    quarter: Quarter,
    submission: Submission,
    layout: dict[str, Any],
    results: dict[str, QuarterResult],
    sample: bool | None,
) -> _Judged:
    assert submission.sender_code
    rows = {
        name: results[name].rows_read.get(submission.submission_id, 0) if name in results else 0
        for name in layout["returns"]
    }
    for name, found in layout["returns"].items():
        # Row conservation: what the reader counted is what the rules saw.
        if rows[name] != found["rows"]:
            raise RowConservationError(
                f"{submission.submission_id}, {name}: {found['rows']} rows read, "
                f"{rows[name]} checked"
            )
    nil = set(layout["nil_returns"])
    due = declarations.due_from(submission.sender_code, quarter)
    file_problems = (
        *(FileProblem(**problem) for problem in layout["problems"]),
        *_collection_problems(submission, quarter, due, sample),
    )
    verdict = judge(
        submission.submission_id,
        due=due,
        returns={
            name: ReturnSent(name, rows.get(name, 0), name in nil)
            for name in declarations.returns
            if rows.get(name) or name in nil or name in due
        },
        file_problems=file_problems,
        row_problems=pl.concat([result.problems for result in results.values()])
        if results
        else pl.DataFrame(schema=PROBLEM_SCHEMA),
        limits=declarations.policy_for(submission.sender_code).refusal_for(quarter),
        crashed_rules=[
            rule
            for name, result in results.items()
            if rows.get(name)
            for rule in result.crashed_rules
        ],
    )
    return _Judged(submission, layout, file_problems, verdict)


def _collection_problems(
    submission: Submission, quarter: Quarter, due: tuple[str, ...], sample: bool | None
) -> list[FileProblem]:
    """What only the collection knows: is the quarter over, is anything due, is it a sample."""
    codes = []
    if submission.received_at.astimezone(LOCAL).date() <= quarter.last_day:
        codes.append("QUARTER_NOT_OVER")
    if not due:
        codes.append("NOTHING_DUE")
    if sample is not None and sample != submission.is_synthetic:
        codes.append("SYNTHETIC_AMONG_REAL" if submission.is_synthetic else "REAL_AMONG_SYNTHETIC")
    return [of_the_collection(code, quarter.label) for code in codes]


def _write_validated(settings: Settings, declarations: Declarations, batch: _Batch) -> None:
    pseudonymiser = Pseudonymiser.from_settings(settings)
    for name, frame in batch.typed.items():
        quarantined = pl.DataFrame(
            [
                (item.submission.submission_id, row)
                for item in batch.judged
                for row in item.verdict.quarantined_rows(name)
            ],
            schema={"submission_id": pl.String, "sheet_row": pl.Int64},
            orient="row",
        )
        validated = validated_frame(
            frame, declarations.returns[name], pseudonymiser.of_column, quarantined
        )
        _write_parquet(settings, name, batch, validated)
    _write_parquet(settings, "problems", batch, _problem_frame(batch))


def _write_parquet(settings: Settings, name: str, batch: _Batch, frame: pl.DataFrame) -> None:
    folder = settings.validated / name / batch.quarter.label
    write_whole(folder / f"{batch.name}.parquet", frame.write_parquet)


def _problem_frame(batch: _Batch) -> pl.DataFrame:
    """Problems of the files, then of the rows, each with its cell's address."""
    of_files = pl.DataFrame(
        [
            (
                *(
                    item.submission.submission_id,
                    item.submission.sender_code,
                    batch.quarter.label,
                    None,
                ),
                *(problem.sheet, None, None, problem.field, problem.code, problem.severity),
                *(problem.sentence_en, problem.sentence_cy),
            )
            for item in batch.judged
            for problem in item.file_problems
        ],
        schema=PROBLEM_SCHEMA,
        orient="row",
    )
    letters = pl.DataFrame(
        [
            (item.submission.submission_id, name, field, letter)
            for item in batch.judged
            for name, found in item.layout["returns"].items()
            for field, letter in found["columns"].items()
        ],
        schema=dict.fromkeys(("submission_id", "return_name", "field", "letter"), pl.String),
        orient="row",
    )
    of_rows = [
        result.problems.join(letters, on=["submission_id", "return_name", "field"], how="left")
        .with_columns(cell=pl.col("letter") + pl.col("sheet_row").cast(pl.String))
        .select(*PROBLEM_SCHEMA)
        for result in batch.results.values()
    ]
    return pl.concat([of_files, *of_rows])


def _layout_record(laid_out: LaidOut) -> dict[str, Any]:
    """What the rules need to know of a file besides its rows; no cell's content is in it."""
    return {
        "nil_returns": sorted(laid_out.cover.nil_returns),
        "returns": {
            name: {"rows": found.frame.height, "columns": found.columns}
            for name, found in laid_out.returns.items()
        },
        "problems": [asdict(problem) for problem in laid_out.problems],
        "repairs": [asdict(repair) for repair in laid_out.repairs],
    }


def _unreadable_record(content: Unreadable) -> dict[str, Any]:
    problem = FileProblem(
        content.code, "error", None, None, content.sentence_en, content.sentence_cy
    )
    return {"nil_returns": [], "returns": {}, "problems": [asdict(problem)], "repairs": []}


def _waiting(settings: Settings, quarter: Quarter) -> list[Submission]:
    return [
        item
        for item in Ledger(settings.ledger).submissions()
        if item.is_waiting and item.quarter == quarter.label
    ]


def _batch_name(submissions: list[Submission]) -> str:
    """The same submissions give the same name, so that a repeated batch replaces itself."""
    ids = "\n".join(item.submission_id for item in submissions)
    first = submissions[0].delivery_number
    return f"{first:06d}-{hashlib.sha256(ids.encode('utf-8')).hexdigest()[:12]}"


def _layout_files(settings: Settings, quarter: Quarter) -> list[Path]:
    folder = settings.raw / "layout" / quarter.label
    return sorted(folder.glob("*.json")) if folder.exists() else []


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
