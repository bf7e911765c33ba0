"""From a stored file to raw and validated Parquet, a quarter at a time.

``to_raw`` and ``to_validated`` are the two steps of a batch: everything of one quarter that has
no verdict yet. Either can be killed and run again: files are renamed into place whole, and the
verdicts reach the ledger last, so a batch without verdicts is simply done once more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from expectations.reference_data import Beside
from expectations.suite import Engine, QuarterResult, rule_set_hash, validate_quarters
from expectations.verdicts import ReturnSent, RulesTold, Verdict, judge
from pipelines.declarations import Declarations
from pipelines.files import write_whole
from pipelines.intake.landing import stored_file
from pipelines.intake.prior_period import Held, Known, beside_one_file
from pipelines.intake.problems import PROBLEM_SCHEMA
from pipelines.intake.pseudonyms import Pseudonymiser
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.states import LOCAL, WHOLE_FILE
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, raw_schema, validated_frame
from pipelines.readers.child_process import read_each
from pipelines.readers.content import Unreadable
from pipelines.readers.layout import LaidOut, lay_out
from pipelines.readers.return_sheet import RowConservationError
from pipelines.readers.sentences import FileProblem, of_the_collection
from pipelines.settings import Settings

_ENGINE: Engine = "great_expectations"
_NONE_SET_ASIDE = pl.DataFrame(
    schema={"submission_id": pl.String, "return_name": pl.String, "sheet_row": pl.Int64}
)

# What decides, besides the rules, which rows come out of a file and what becomes of them.
_READS_A_FILE = (
    "readers",
    "intake/prior_period.py",
    "intake/pseudonyms.py",
    "intake/take_in.py",
)
_DECLARES_A_FILE = ("returns", "code_lists", "spellings", "places", "policies")


@dataclass(frozen=True)
class QuarterSummary:
    """Counts of one quarter's batch; nothing in it is about a child.

    ``held`` are accepted after the quarter was locked: in no figure before a revision.
    """

    quarter: Quarter
    accepted: int
    held: int
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
        batch
        for quarter in quarters
        for batch in _stored_batches(settings, declarations, quarter, _waiting(settings, quarter))
    ]
    sample = _is_sample(settings)
    _look_beside(batches, settings, declarations, sample)
    _check(batches, declarations)
    hash_of_reading = made_with(declarations)
    locked = _locked(settings)
    summaries = []
    for quarter in quarters:
        mine = [batch for batch in batches if batch.quarter == quarter]
        judged: list[_Judged] = []
        for batch in mine:
            for submission, layout in batch.submissions:
                one = _judge(declarations, batch, submission, layout, sample)
                if sample is None and one.verdict.is_accepted:
                    sample = submission.is_synthetic
                batch.judged.append(one)
            _write_validated(settings, declarations, batch)
            judged += batch.judged
        if judged:
            rules = _rule_counts(mine)
            hashed = rule_set_hash(declarations, quarter)
            Ledger(settings.ledger).append(
                *(item.event(hashed, declarations, hash_of_reading) for item in judged)
            )
            held = sum(
                item.verdict.is_accepted
                and (_nation(item.submission, declarations), quarter.label) in locked
                for item in judged
            )
            summaries.append(_summary(quarter, mine, judged, rules, held))
    return summaries


@dataclass(frozen=True)
class JudgedAlone:
    """What would become of one return: the ledger's event, every problem, the typed rows."""

    event: dict[str, Any]
    problems: list[dict[str, Any]]
    typed: dict[str, pl.DataFrame]


def judge_alone(
    declarations: Declarations,
    submission: Submission,
    laid_out: LaidOut,
    *,
    before: Mapping[str, pl.DataFrame] | None = None,
    engine: Engine = "polars",
) -> JudgedAlone:
    """Check and judge one return in memory, as :func:`to_validated` does with those that wait.

    ``submission`` has a sender and a quarter. ``before`` are typed frames of the sender's file for
    the quarter before, as :func:`pipelines.intake.prior_period.beside_one_file` wants them.
    Nothing is written and no key is needed. Whether the collection holds sample returns is not
    known here, so that is never a reason to refuse. Raises NotTheLastReturn.
    """
    assert submission.quarter and submission.sender_code
    quarter = Quarter.parse(submission.quarter)
    layout = _layout_record(laid_out)
    typed = {
        name: cast(frame, declarations.returns[name], quarter, declarations)
        for name, frame in laid_out.frames.items()
        if frame.height
    }
    batch = _Batch(quarter, submission.submission_id, [(submission, layout)], typed)
    batch.beside = beside_one_file(
        declarations,
        quarter,
        submission.sender_code,
        {name: batch.rows_of(name, declarations) for one in batch.held for name in one.returns},
        before=before,
        submission_id=submission.submission_id,
        nil=layout["nil_returns"],
    )
    _check([batch], declarations, engine)
    judged = _judge(declarations, batch, submission, layout, sample=None)
    batch.judged.append(judged)
    hashed = rule_set_hash(declarations, quarter)
    return JudgedAlone(
        judged.event(hashed, declarations),
        _in_order(_problem_frame(batch)).to_dicts(),
        typed,
    )


@dataclass(frozen=True)
class JudgedAgain:
    """What would become of a stored submission today: the ledger's event, and every problem."""

    submission: Submission
    event: dict[str, Any]
    problems: pl.DataFrame


def judge_again(
    settings: Settings,
    declarations: Declarations,
    submissions: Sequence[Submission],
    engine: Engine = "polars",
) -> Iterator[JudgedAgain]:
    """Judge submissions that were judged before, by the rules as they stand; nothing is written.

    Their rows are those of the raw room or, where they are not there any more, of the file as
    received; one of which neither is on disk is left out. They are compared with what is accepted
    now.
    """
    if not submissions:
        return
    every = Ledger(settings.ledger).submissions()
    sample = _is_sample(settings)
    known = Known(settings, declarations, every, Pseudonymiser.from_settings(settings).of_column)
    for label in sorted({item.quarter for item in submissions if item.quarter}):
        quarter = Quarter.parse(label)
        mine = [item for item in submissions if item.quarter == label]
        batches = list(_stored_batches(settings, declarations, quarter, mine))
        there = {item.submission_id for batch in batches for item, _ in batch.submissions}
        gone = [item for item in mine if item.submission_id not in there]
        batches += _received_batches(settings, declarations, quarter, gone)
        for batch in batches:
            batch.beside = known.beside(quarter, batch.held, batch.typed)
            _check([batch], declarations, engine)
            hashed = rule_set_hash(declarations, quarter)
            batch.judged = [
                _judge(declarations, batch, submission, layout, sample)
                for submission, layout in batch.submissions
            ]
            problems = _problem_frame(batch)
            of_each = problems.partition_by("submission_id", as_dict=True)
            for one in batch.judged:
                found = of_each.get((one.submission.submission_id,), problems.clear())
                yield JudgedAgain(one.submission, one.event(hashed, declarations), found)


def _received_batches(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    submissions: Sequence[Submission],
) -> Iterator[_Batch]:
    """The files of some submissions of a quarter, read again as they were received."""
    found = [item for item in submissions if stored_file(settings, item).exists()]
    contents = read_each(stored_file(settings, item) for item in found)
    for submission, content in zip(found, contents, strict=True):
        if isinstance(content, Unreadable):
            yield _Batch(quarter, "", [(submission, _unreadable_record(content))], {})
            continue
        laid_out = lay_out(content, declarations, submission.submission_id)
        typed = {
            name: cast(frame, declarations.returns[name], quarter, declarations)
            for name, frame in laid_out.frames.items()
            if frame.height
        }
        yield _Batch(quarter, "", [(submission, _layout_record(laid_out))], typed)


def _rule_counts(batches: Sequence[_Batch]) -> dict[str, Any]:
    results = [result for batch in batches for result in batch.results.values()]
    return {
        "run": sum(result.rules_run for result in results),
        "crashed": sum(len(result.crashes) for result in results),
    }


def made_with(declarations: Declarations) -> str:
    """Hash of the code and the declarations that decide what a file's rows are.

    With the rules' own hash it says what a verdict, and a sign-off of it, rests on. Line ends do
    not count: they differ between machines.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parents[1]
    for folder, names in ((here, _READS_A_FILE), (declarations.folder, _DECLARES_A_FILE)):
        for name in names:
            found = folder / name
            files = [found] if found.is_file() else sorted(found.rglob("*.*"))
            for path in files:
                if path.suffix in (".py", ".yaml", ".csv"):
                    digest.update(path.relative_to(folder).as_posix().encode("utf-8") + b"\0")
                    digest.update(path.read_text(encoding="utf-8").encode("utf-8") + b"\0")
    return digest.hexdigest()


def _locked(settings: Settings) -> set[tuple[str, str]]:
    """Nation and quarter of every lock in place."""
    locked: set[tuple[str, str]] = set()
    for event in Ledger(settings.ledger).events():
        if event["event"] in ("locked", "unlocked"):
            key = (event["nation_code"], event["quarter"])
            (locked.add if event["event"] == "locked" else locked.discard)(key)
    return locked


def _nation(submission: Submission, declarations: Declarations) -> str:
    assert submission.sender_code
    return declarations.places[submission.sender_code].nation_code


def _summary(
    quarter: Quarter,
    batches: list[_Batch],
    judged: list[_Judged],
    rules: dict[str, int],
    held: int,
) -> QuarterSummary:
    accepted = [item.verdict for item in judged if item.verdict.is_accepted]
    rows: dict[str, int] = {}
    for batch in batches:
        for name, frame in batch.typed.items():
            rows[name] = rows.get(name, 0) + frame.height
    return QuarterSummary(
        quarter=quarter,
        accepted=len(accepted) - held,
        held=held,
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
    mine = pl.scan_parquet(files).filter(pl.col("submission_id") == submission.submission_id)
    return _in_order(mine.collect()).to_dicts()


def _in_order(problems: pl.DataFrame) -> pl.DataFrame:
    return problems.sort("return_name", "sheet_row", "code", nulls_last=False, maintain_order=True)


@dataclass(frozen=True)
class _Judged:
    submission: Submission
    layout: dict[str, Any]
    file_problems: tuple[FileProblem, ...]
    row_problems: pl.DataFrame
    verdict: Verdict
    rules: RulesTold

    @property
    def rows_set_aside(self) -> pl.DataFrame:
        """submission_id, return_name and sheet_row of every row in error."""
        found = [(self.submission.submission_id, *row) for row in self.verdict.quarantined]
        return pl.DataFrame(found, schema=_NONE_SET_ASIDE.schema, orient="row")

    def event(
        self,
        hashed: str,
        declarations: Declarations,
        hash_of_reading: str | None = None,
    ) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "event": "judged",
            "submission_id": self.submission.submission_id,
            "status": verdict.status,
            "refusal_code": verdict.refusal_code,
            "refusal_sentence_en": verdict.refusal_sentence_en,
            "refusal_sentence_cy": verdict.refusal_sentence_cy,
            "refusals": [asdict(refusal) for refusal in verdict.refusals],
            "queries": self._rows_by_rule("query"),
            "errors": self._rows_by_rule("error"),
            "is_late": is_late(self.submission, declarations),
            "rule_set_hash": hashed,
            "made_with": hash_of_reading,
            "rules": self.rules.as_json(),
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

    def _rows_by_rule(self, severity: str) -> dict[str, dict[str, int]]:
        """Rows with a problem of this severity, by return and rule code.

        Of the file as a whole each cell that is named counts, and what names none counts once.
        """
        rows: dict[str, dict[str, set[object]]] = {}
        wanted = self.row_problems.filter(pl.col("severity") == severity)
        for name, code, row in wanted.select("return_name", "code", "sheet_row").iter_rows():
            rows.setdefault(name or WHOLE_FILE, {}).setdefault(code, set()).add(row)
        for problem in self.file_problems:
            if problem.severity == severity:
                about = {(problem.sheet, problem.field, cell) for cell in problem.cells or ("",)}
                rows.setdefault(WHOLE_FILE, {}).setdefault(problem.code, set()).update(about)
        return {
            name: {code: len(found) for code, found in sorted(by_code.items())}
            for name, by_code in sorted(rows.items())
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
    beside: Beside | None = None

    @property
    def held(self) -> list[Held]:
        """Each submission with the returns that it holds, with rows or as nil."""
        return [
            Held(
                submission,
                (
                    *(name for name, found in layout["returns"].items() if found["rows"]),
                    *(
                        name
                        for name in layout["nil_returns"]
                        if not layout["returns"].get(name, {}).get("rows")
                    ),
                ),
            )
            for submission, layout in self.submissions
        ]

    def rows_of(self, name: str, declarations: Declarations) -> pl.DataFrame:
        """Typed rows of a return; a frame without rows where all that hold it are nil."""
        if name in self.typed:
            return self.typed[name]
        declared = declarations.returns[name]
        nothing = pl.DataFrame(schema=raw_schema(declared))
        return cast(nothing, declared, self.quarter, declarations)

    @cached_property
    def problems(self) -> dict[str, pl.DataFrame]:
        """Problems of rows by submission, once the rules have run.

        Looking each submission up among the problems of all takes the square of their number.
        """
        found = [result.problems for result in self.results.values()]
        if not found:
            return {}
        parts = pl.concat(found).partition_by("submission_id", as_dict=True, maintain_order=True)
        return {str(key[0]): part for key, part in parts.items()}


def _stored_batches(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    submissions: Sequence[Submission],
) -> Iterator[_Batch]:
    """What the raw room holds of some submissions of a quarter."""
    wanted = {item.submission_id: item for item in submissions}
    for path in _layout_files(settings, quarter):
        found = [(wanted[key], value) for key, value in _read_json(path).items() if key in wanted]
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


def _check(batches: list[_Batch], declarations: Declarations, engine: Engine = _ENGINE) -> None:
    """Run the rules; a batch read later of the same quarter is checked on its own."""
    turns: dict[Quarter, int] = {}
    together: dict[int, list[_Batch]] = {}
    for batch in batches:
        turn = turns.get(batch.quarter, 0)
        turns[batch.quarter] = turn + 1
        together.setdefault(turn, []).append(batch)
    for several in together.values():
        beside = {batch.quarter: batch.beside for batch in several if batch.beside}
        for name in declarations.returns:
            typed = {
                batch.quarter: batch.rows_of(name, declarations)
                for batch in several
                if name in batch.typed or any(name in one.returns for one in batch.held)
            }
            found = (
                validate_quarters(name, typed, declarations, beside=beside, engine=engine)
                if typed
                else {}
            )
            for batch in several:
                if batch.quarter in found:
                    batch.results[name] = found[batch.quarter]


def _look_beside(
    batches: list[_Batch], settings: Settings, declarations: Declarations, sample: bool | None
) -> None:
    """Give each batch what is known beside it, the others included that are judged with it.

    Which of them will be in force is seen from a first run of the rules by polars, quarter after
    quarter (0.1 CPU s each): Great Expectations then looks at all quarters at once. Rules across
    the sheets are queries, so that they change nothing of who is accepted.
    """
    if not batches:
        return
    pseudonymiser = Pseudonymiser.from_settings(settings)
    submissions = Ledger(settings.ledger).submissions()
    known = Known(settings, declarations, submissions, pseudonymiser.of_column)
    for quarter in sorted({batch.quarter for batch in batches}):
        mine = [batch for batch in batches if batch.quarter == quarter]
        for batch in mine:
            batch.beside = known.beside(quarter, batch.held, batch.typed)
            first_look = replace(batch, results={})
            _check([first_look], declarations, engine="polars")
            accepted, set_aside = [], [_NONE_SET_ASIDE]
            for held, (submission, layout) in zip(batch.held, batch.submissions, strict=True):
                one = _judge(declarations, first_look, submission, layout, sample)
                if one.verdict.is_accepted:
                    sample = submission.is_synthetic if sample is None else sample
                    accepted.append(held)
                    set_aside.append(one.rows_set_aside)
            known.accept(accepted, batch.beside, pl.concat(set_aside))
        for batch in mine:
            assert batch.beside
            batch.beside = known.beside_once_more(quarter, batch.beside)


def _is_sample(settings: Settings) -> bool | None:
    """Whether the collection holds sample returns; None before the first was accepted."""
    submissions = Ledger(settings.ledger).submissions()
    return next((item.is_synthetic for item in submissions if item.is_accepted), None)


def _judge(
    declarations: Declarations,
    batch: _Batch,
    submission: Submission,
    layout: dict[str, Any],
    sample: bool | None,
) -> _Judged:
    assert submission.sender_code
    quarter, results = batch.quarter, batch.results
    row_problems = batch.problems.get(submission.submission_id)
    if row_problems is None:
        row_problems = pl.DataFrame(schema=PROBLEM_SCHEMA)
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
        *(
            problem
            for result in results.values()
            for problem in result.of_the_whole.get(submission.submission_id, ())
        ),
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
        row_problems=row_problems,
        limits=declarations.policy_for(submission.sender_code).refusal_for(quarter),
        crashed_rules=[
            rule
            for name, result in results.items()
            if rows.get(name) or name in nil
            for rule in result.crashed_rules
        ],
    )
    told = [result.told(submission.submission_id) for result in results.values()]
    rules = sum(told, start=RulesTold())
    return _Judged(submission, layout, file_problems, row_problems, verdict, rules)


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
