"""``sources/`` and the ledger as Parquet tables, for dbt to read where they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from expectations import verdicts
from expectations.rule_catalogue import catalogue_of_rules
from pipelines.declarations import Declarations, Return
from pipelines.files import write_checksums, write_whole
from pipelines.intake.conservation import is_of_a_batch
from pipelines.intake.problems import PROBLEM_SCHEMA
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.free_text import declared_role
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.ledger_state import LedgerState, known_at
from pipelines.lifecycle.states import LifeCycle, fold
from pipelines.lifecycle.words import state_word
from pipelines.quarters import FIRST_QUARTER, Quarter, quarters_between
from pipelines.readers import sentences
from pipelines.settings import Settings
from pipelines.text.catalogue import translations
from pipelines.warehouse.declared import (
    POLARS_TYPES,
    columns_as_table,
    columns_of_return,
    declared_tables,
)
from pipelines.warehouse.described import marts_described
from pipelines.warehouse.measures import check_measures
from pipelines.warehouse.quantiles import student_t

_QUARTER_SCHEMA = {
    "quarter": pl.String,
    "financial_year": pl.String,
    "quarter_number": pl.Int64,
    "quarter_index": pl.Int64,
    "first_day": pl.Date,
    "last_day": pl.Date,
}

_SUBMISSION_SCHEMA = {
    "submission_id": pl.String,
    "delivery_number": pl.Int64,
    "received_at": pl.Datetime("us"),
    "sha256": pl.String,
    "sender_code": pl.String,
    "quarter": pl.String,
    "version": pl.Int64,
    "declared_version": pl.Int64,
    "status": pl.String,
    "refusal_code": pl.String,
    "refusal_sentence_en": pl.String,
    "is_late": pl.Boolean,
    "is_synthetic": pl.Boolean,
    "signed_off_by_role": pl.String,
    "signed_off_on": pl.Date,
    "rule_set_hash": pl.String,
    "state": pl.String,
    "is_held": pl.Boolean,
    "is_withdrawn": pl.Boolean,
    "withdrawn_at": pl.Datetime("us"),
    "released_in_revision": pl.Int64,
}

_RETURN_STATUS_SCHEMA = {
    "sender_code": pl.String,
    "return_name": pl.String,
    "quarter": pl.String,
    "state": pl.String,
    "state_word_en": pl.String,
    "state_word_cy": pl.String,
    "acts": pl.String,
    "as_of_day": pl.Date,
    "deadline": pl.Date,
    "days_to_deadline": pl.Int64,
    "submission_id": pl.String,
    "in_force_submission_id": pl.String,
    "version": pl.Int64,
    "is_late": pl.Boolean,
    "is_nil": pl.Boolean,
    "rows_set_aside": pl.Int64,
    "queries_open": pl.Int64,
    "queries_tolerated": pl.Int64,
    "queries_fixed": pl.Int64,
    "sign_off": pl.String,
    "signed_off_by_role": pl.String,
    "is_accepted": pl.Boolean,
    "is_locked": pl.Boolean,
    "revision": pl.Int64,
    "is_newer_file_refused": pl.Boolean,
}

_SUBMISSION_RETURN_SCHEMA = {
    "submission_id": pl.String,
    "return_name": pl.String,
    "is_nil": pl.Boolean,
    "rows_read": pl.Int64,
    "rows_accepted": pl.Int64,
    "rows_quarantined": pl.Int64,
    "errors": pl.Int64,
    "queries": pl.Int64,
}


def validated_schema(declared: Return) -> dict[str, type[pl.DataType]]:
    """Columns of ``validated/<return>/…``, in order."""
    return {
        "submission_id": pl.String,
        "sender_code": pl.String,
        "quarter": pl.String,
        "sheet_row": pl.Int64,
        "row_status": pl.String,
    } | {column.name: POLARS_TYPES[column.data_type] for column in columns_of_return(declared)}


def write_tables(
    settings: Settings, declarations: Declarations, as_of: datetime | None = None
) -> dict[str, int]:
    """Write every table dbt reads besides the returns themselves; rows by table name.

    ``as_of`` (UTC) makes deliveries received later invisible to the build, and undoes every lock,
    withdrawal and release that was entered later; ``known_at`` says what later is. Deadlines are
    counted from its day, or today's. Raises DeclarationError, before anything is written, where
    measures and their SQL differ.
    """
    # Before anything is written: a build that fails half way would leave new tables beside old
    # marts.
    check_measures(declarations)
    events = Ledger(settings.ledger).events()
    submissions = Ledger(settings.ledger).submissions()
    life = fold(
        known_at(events, as_of) if as_of else events,
        declarations,
        local_day(as_of or datetime.now(UTC)),
    )
    quarters = _quarters(submissions)
    declared = declared_tables(declarations, quarters)
    columns = {name: table.columns for name, table in declared.items()} | {
        name: columns_of_return(each) for name, each in declarations.returns.items()
    }
    tables = {f"declarations/{name}": table.frame for name, table in declared.items()}
    tables["declarations/declared_columns"] = columns_as_table(columns).frame
    tables["declarations/marts_described"] = marts_described(columns).frame
    tables["declarations/student_t"] = student_t()
    tables["declarations/quarters"] = _quarters_table(quarters)
    tables["declarations/rules"] = _rules(
        declarations,
        sorted({*quarters, *(Quarter.parse(s.quarter) for s in submissions if s.quarter)}),
    )
    tables["declarations/build"] = pl.DataFrame(
        {
            "as_of": [_in_utc(as_of) if as_of else None],
            # Deliveries are numbered in the ledger's order, from 1 on.
            "last_delivery": [len(life.ledger_state.submissions) if as_of else None],
            "verdicts": [sum(not item.is_waiting for item in submissions)],
        },
        schema={"as_of": pl.Datetime("us"), "last_delivery": pl.Int64, "verdicts": pl.Int64},
    )
    tables["submissions"] = _submissions(submissions, life.ledger_state)
    tables["submission_returns"] = _submission_returns(submissions)
    tables["submission_return_status"] = _return_status(life)
    for name, each in declarations.returns.items():
        # dbt reads a pattern of files, and DuckDB fails on one that matches none: so there is
        # always one.
        tables[f"{name}/none/none"] = pl.DataFrame(schema=validated_schema(each))
    tables["problems/none/none"] = pl.DataFrame(schema=PROBLEM_SCHEMA)
    for name, frame in tables.items():
        # Renamed into place, since dbt may be reading the tables of an earlier build.
        write_whole(settings.validated / f"{name}.parquet", frame.write_parquet)
    write_checksums(settings.validated, is_of_a_batch)
    return {name: frame.height for name, frame in tables.items()}


def what_was_built(settings: Settings) -> tuple[datetime | None, int]:
    """``as_of`` (UTC) of the tables on disk, and how many verdicts are in them."""
    build = pl.read_parquet(settings.validated / "declarations" / "build.parquet")
    return build.select("as_of", "verdicts").row(0)


def _quarters(submissions: Sequence[Submission]) -> list[Quarter]:
    """Every quarter from the first the collection knows to the last one anybody reported."""
    reported = [Quarter.parse(s.quarter) for s in submissions if s.quarter and s.is_accepted]
    # Every quarter in between has a row, reported or not: windows count rows, and one that is
    # missing would shrink them silently.
    last = max(reported, default=FIRST_QUARTER)
    return list(quarters_between(min([FIRST_QUARTER, *reported]), last))


def _quarters_table(quarters: Sequence[Quarter]) -> pl.DataFrame:
    return _frame(
        _QUARTER_SCHEMA,
        [
            {
                "quarter": quarter.label,
                "financial_year": quarter.financial_year,
                "quarter_number": quarter.number,
                "quarter_index": quarter.index,
                "first_day": quarter.first_day,
                "last_day": quarter.last_day,
            }
            for quarter in quarters
        ],
    )


_RULE_SCHEMA = dict.fromkeys(
    ["code", "return_name", "field", "severity", "sentence_en", "sentence_cy", "source"], pl.String
)
_RULE_KEY = ["code", "return_name", "field", "severity"]


def _rules(declarations: Declarations, quarters: Sequence[Quarter]) -> pl.DataFrame:
    """Every rule of rows in force in any of ``quarters``, in its newest wording, and of files.

    A rule of files is of no return and no field: both are blank.
    """
    rules: dict[tuple[str, ...], dict[str, str]] = {}
    for quarter in quarters:
        catalogue = catalogue_of_rules(declarations, quarter).select(*_RULE_SCHEMA)
        for rule in catalogue.iter_rows(named=True):
            rules[_rule_key(rule)] = rule
    for rule in _rules_of_files():
        rules.setdefault(_rule_key(rule), rule)  # F211a is F211 with the severity of another field
    return _frame(_RULE_SCHEMA, rules.values())


def _rule_key(rule: dict[str, str]) -> tuple[str, ...]:
    return tuple(rule[name] for name in _RULE_KEY)


def _rules_of_files() -> Iterator[dict[str, str]]:
    for rule in sentences.file_rules():
        yield _rule_of_files(
            rule.code, rule.severity, rule.sentence_en, rule.sentence_cy, rule.source
        )
    for code, english in verdicts.REASONS.items():
        welsh = translations("cy").gettext(english)
        yield _rule_of_files(code, "error", english, welsh, "the verdict")


def _rule_of_files(
    code: str, severity: str, english: str, welsh: str, source: str
) -> dict[str, str]:
    return {
        "code": code,
        "return_name": "",
        "field": "",
        "severity": severity,
        "sentence_en": _without_places(english),
        "sentence_cy": _without_places(welsh),
        "source": source,
    }


def _without_places(sentence: str) -> str:
    """An ellipsis for each place of a file that the sentence names; nothing for what may be left
    out."""
    return sentence.format_map(defaultdict(lambda: "…", at=""))


def _submissions(submissions: Sequence[Submission], ledger_state: LedgerState) -> pl.DataFrame:
    rows = []
    declarations = ledger_state.declarations
    for submission in submissions:
        signed_off_on = submission.signed_off_on
        rows.append(
            _attributes(submission, _SUBMISSION_SCHEMA)
            | {
                "received_at": _in_utc(submission.received_at),
                # Ledgers of version 0.1 hold what the cover said, which may be a name.
                "signed_off_by_role": declared_role(
                    declarations, submission.sender_code, submission.signed_off_by_role
                ),
                "signed_off_on": (
                    datetime.fromisoformat(signed_off_on).date() if signed_off_on else None
                ),
            }
            | _state(submission, ledger_state)
        )
    return _frame(_SUBMISSION_SCHEMA, rows)


def _state(submission: Submission, ledger_state: LedgerState) -> dict[str, Any]:
    """What became of a delivery; nothing of one that this build does not see."""
    names = ["state", "is_held", "is_withdrawn", "withdrawn_at", "released_in_revision"]
    if submission.submission_id not in ledger_state.submissions:
        return dict.fromkeys(names)
    delivery = ledger_state.delivery(submission.submission_id)
    withdrawn_at = delivery.withdrawn_at
    return {
        "state": delivery.state,
        "is_held": ledger_state.is_held(submission.submission_id),
        "is_withdrawn": withdrawn_at is not None,
        "withdrawn_at": _in_utc(datetime.fromisoformat(withdrawn_at)) if withdrawn_at else None,
        "released_in_revision": delivery.released_in_revision,
    }


def _return_status(life: LifeCycle) -> pl.DataFrame:
    return _frame(
        _RETURN_STATUS_SCHEMA,
        [
            _attributes(status, _RETURN_STATUS_SCHEMA)
            | {
                "state_word_en": state_word(status.state, "en"),
                "state_word_cy": state_word(status.state, "cy"),
                "as_of_day": life.today,
            }
            for status in life.returns
        ],
    )


def _submission_returns(submissions: Sequence[Submission]) -> pl.DataFrame:
    return _frame(
        _SUBMISSION_RETURN_SCHEMA,
        [
            {"submission_id": submission.submission_id, "return_name": name} | counts
            for submission in submissions
            for name, counts in submission.returns.items()
        ],
    )


def _attributes(item: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """What ``item`` has under the names of the columns; the rest is for the caller to add."""
    return {name: getattr(item, name, None) for name in schema}


def _in_utc(moment: datetime) -> datetime:
    """Naive UTC. A moment without a zone is UTC already, whatever the machine's own zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _frame(schema: dict[str, Any], rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows by name of column; every column is there, whatever the rows name beyond them."""
    known = [{name: row[name] for name in schema} for row in rows]
    return pl.DataFrame(known, schema=schema, orient="row")
