"""``sources/`` and the ledger as Parquet tables, for dbt to read where they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from expectations import verdicts
from expectations.rule_catalogue import catalogue_of_rules
from pipelines.declarations import Declarations, Return
from pipelines.files import write_whole
from pipelines.intake.problems import PROBLEM_SCHEMA
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.ledger_state import LedgerState, known_at
from pipelines.lifecycle.states import LifeCycle, fold
from pipelines.lifecycle.words import state_word
from pipelines.quarters import FIRST_QUARTER, Quarter, quarters_between
from pipelines.readers import sentences
from pipelines.settings import Settings
from pipelines.text.catalogue import translations

_POLARS = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}

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


def validated_schema(declared: Return) -> dict[str, pl.DataType]:
    """Columns of ``validated/<return>/…``, in order."""
    return {
        "submission_id": pl.String,
        "sender_code": pl.String,
        "quarter": pl.String,
        "sheet_row": pl.Int64,
        "row_status": pl.String,
    } | {field.validated_name: _POLARS[field.validated_type] for field in declared.fields}


def write_tables(
    settings: Settings, declarations: Declarations, as_of: datetime | None = None
) -> dict[str, int]:
    """Write every table dbt reads besides the returns themselves; rows by table name.

    ``as_of`` (UTC) makes deliveries received later invisible to the build, and undoes every lock,
    withdrawal and release that was entered later. Deadlines are counted from its day, or today's.
    """
    events = Ledger(settings.ledger).events()
    submissions = Ledger(settings.ledger).submissions()
    life = fold(
        known_at(events, as_of) if as_of else events,
        declarations,
        local_day(as_of or datetime.now(UTC)),
    )
    quarters = _quarters(submissions)
    tables = {f"declarations/{name}": frame for name, frame in _declared(declarations, quarters)}
    tables["declarations/rules"] = _rules(
        declarations,
        sorted({*quarters, *(Quarter.parse(s.quarter) for s in submissions if s.quarter)}),
    )
    tables["declarations/build"] = pl.DataFrame(
        {
            "as_of": [_in_utc(as_of) if as_of else None],
            "verdicts": [sum(not item.is_waiting for item in submissions)],
        },
        schema={"as_of": pl.Datetime("us"), "verdicts": pl.Int64},
    )
    tables["submissions"] = _submissions(submissions, life.ledger_state)
    tables["submission_returns"] = _submission_returns(submissions)
    tables["submission_return_status"] = _return_status(life)
    for declared in declarations.returns.values():
        tables[f"{declared.name}/none/none"] = pl.DataFrame(schema=validated_schema(declared))
    tables["problems/none/none"] = pl.DataFrame(schema=PROBLEM_SCHEMA)
    for name, frame in tables.items():
        write_whole(settings.validated / f"{name}.parquet", frame.write_parquet)
    return {name: frame.height for name, frame in tables.items()}


def what_was_built(settings: Settings) -> tuple[datetime | None, int]:
    """``as_of`` (UTC) of the tables on disk, and how many verdicts are in them."""
    build = pl.read_parquet(settings.validated / "declarations" / "build.parquet")
    return build.row(0)


def _quarters(submissions: Sequence[Submission]) -> list[Quarter]:
    """Every quarter from the first the collection knows to the last one anybody reported."""
    reported = [Quarter.parse(s.quarter) for s in submissions if s.quarter and s.is_accepted]
    last = max(reported, default=FIRST_QUARTER)
    return list(quarters_between(min([FIRST_QUARTER, *reported]), last))


def _declared(
    declarations: Declarations, quarters: list[Quarter]
) -> list[tuple[str, pl.DataFrame]]:
    indicators = declarations.indicators.values()
    return [
        (
            "quarters",
            _frame(
                {
                    "quarter": pl.String,
                    "financial_year": pl.String,
                    "quarter_number": pl.Int64,
                    "quarter_index": pl.Int64,
                    "first_day": pl.Date,
                    "last_day": pl.Date,
                },
                (
                    (q.label, q.financial_year, q.number, q.index, q.first_day, q.last_day)
                    for q in quarters
                ),
            ),
        ),
        (
            "places",
            _frame(
                dict.fromkeys(
                    ("place_code", "name_en", "name_cy", "kind", "nation_code", "gss_code"),
                    pl.String,
                )
                | {"since": pl.Date, "until": pl.Date}
                | dict.fromkeys(("status", "source", "note"), pl.String),
                (
                    (
                        *(p.place_code, p.name_en, p.name_cy, p.kind, p.nation_code, p.gss_code),
                        *(p.since, p.until, p.status, p.source, p.note),
                    )
                    for p in declarations.places.values()
                ),
            ),
        ),
        (
            "memberships",
            _frame(
                dict.fromkeys(("member_code", "parent_code", "role"), pl.String)
                | {"since": pl.Date, "until": pl.Date}
                | dict.fromkeys(("status", "source", "note"), pl.String),
                (
                    (
                        *(m.member_code, m.parent_code, m.role),
                        *(m.since, m.until, m.status, m.source, m.note),
                    )
                    for m in declarations.memberships
                ),
            ),
        ),
        (
            "returns_due",
            _frame(
                dict.fromkeys(("sender_code", "return_name", "quarter"), pl.String),
                (
                    (due.sender_code, due.return_name, quarter.label)
                    for due in declarations.returns_due
                    for quarter in quarters
                    if due.in_force(quarter)
                ),
            ),
        ),
        ("indicators", _indicators(declarations)),
        (
            "indicator_nations",
            _frame(
                dict.fromkeys(("indicator_id", "nation_code"), pl.String),
                ((i.id, nation) for i in indicators for nation in i.nations),
            ),
        ),
        (
            "indicator_windows",
            _frame(
                dict.fromkeys(("indicator_id", "window_name"), pl.String),
                ((i.id, window) for i in indicators for window in i.windows),
            ),
        ),
        (
            "benchmarks",
            _frame(
                {"indicator_id": pl.String, "nation_code": pl.String, "benchmark": pl.Float64}
                | dict.fromkeys(("since", "until", "status", "source"), pl.String),
                (
                    (
                        *(i.id, b.nation_code, b.value),
                        *(_label(b.since), _label(b.until), b.status, b.source),
                    )
                    for i in indicators
                    for b in i.benchmarks
                ),
            ),
        ),
        (
            "breakdowns",
            _frame(
                dict.fromkeys(
                    ("breakdown", "title_en", "title_cy", "definition_en", "definition_cy"),
                    pl.String,
                )
                | dict.fromkeys(("subject", "status", "source"), pl.String)
                | {"position": pl.Int64}
                | dict.fromkeys(("breakdown_value", "label_en", "label_cy"), pl.String),
                (
                    (
                        *(b.id, b.title.en, b.title.cy, b.definition.en, b.definition.cy),
                        *(b.subject, b.status, b.source, position),
                        *(category.code, category.en, category.cy),
                    )
                    for b in declarations.breakdowns.values()
                    for position, category in enumerate(b.categories, 1)
                ),
            ),
        ),
        (
            "indicators_not_computed",
            _frame(
                dict.fromkeys(
                    (
                        *("indicator_id", "nation_code", "title_en", "title_cy"),
                        *("reason_en", "reason_cy", "definition_status", "source"),
                    ),
                    pl.String,
                )
                | {"reviewed_on": pl.Date},
                (
                    (
                        *(n.indicator_id, n.nation_code, n.title_en, n.title_cy),
                        *(n.reason_en, n.reason_cy, n.status, n.source, n.reviewed_on),
                    )
                    for n in declarations.not_computed.values()
                ),
            ),
        ),
        (
            "breaks_in_series",
            _frame(
                dict.fromkeys(
                    (
                        *("break_id", "kind", "indicator_id", "place_code", "since", "title_en"),
                        *("title_cy", "explanation_en", "explanation_cy", "status", "source"),
                    ),
                    pl.String,
                ),
                (
                    (
                        *(b.break_id, b.kind, indicator_id, place_code, b.since.label),
                        *(b.title_en, b.title_cy, b.explanation_en, b.explanation_cy),
                        *(b.status, b.source),
                    )
                    for b in declarations.breaks_in_series
                    for indicator_id in b.indicator_ids
                    for place_code in b.place_codes
                ),
            ),
        ),
        (
            "warning_limits",
            _frame(
                dict.fromkeys(
                    ("indicator_id", "clock_start", "waits_for", "counts"),
                    pl.String,
                )
                | {"months": pl.Int64}
                | dict.fromkeys(("passed", "status", "source"), pl.String),
                (
                    (
                        *(w.indicator_id, w.clock_start, w.waits_for, w.counts),
                        *(w.months, w.passed, w.status, w.source),
                    )
                    for w in declarations.warning_limits.values()
                ),
            ),
        ),
        (
            "code_lists",
            _frame(
                dict.fromkeys(("code_list", "code", "label_en", "label_cy"), pl.String),
                (
                    (name, code.code, code.label_en, code.label_cy)
                    for name, codes in declarations.code_lists.items()
                    for code in codes
                ),
            ),
        ),
    ]


def _indicators(declarations: Declarations) -> pl.DataFrame:
    text = dict.fromkeys(
        (
            *("indicator_id", "title_en", "title_cy", "definition_en", "definition_cy"),
            *("subject", "numerator", "denominator", "timing", "unit"),
        ),
        pl.String,
    )
    return _frame(
        text
        | {"multiplier": pl.Float64, "rounding": pl.Int64}
        | dict.fromkeys(
            (
                *("direction", "clock_start", "clock_stop", "definition_status"),
                *("status_note_en", "status_note_cy", "sources"),
            ),
            pl.String,
        )
        | {"reviewed_on": pl.Date, "is_headline": pl.Boolean, "since": pl.String}
        | {"until": pl.String},
        (
            (
                *(i.id, i.title.en, i.title.cy, i.definition.en, i.definition.cy),
                *(i.subject, i.numerator, i.denominator, i.timing, i.unit),
                *(i.multiplier, i.rounding, i.direction, i.clock_start, i.clock_stop),
                *(i.status, i.status_note.en, i.status_note.cy, " ; ".join(i.sources)),
                *(i.reviewed_on, i.headline, _label(i.since), _label(i.until)),
            )
            for i in declarations.indicators.values()
        ),
    )


_RULE_SCHEMA = dict.fromkeys(
    ("code", "return_name", "field", "severity", "sentence_en", "sentence_cy", "source"), pl.String
)


def _rules(declarations: Declarations, quarters: Sequence[Quarter]) -> pl.DataFrame:
    """Every rule of rows in force in any of ``quarters``, in its newest wording, and of files.

    A rule of files is of no return and no field: both are blank.
    """
    found = {}
    for quarter in quarters:
        for rule in catalogue_of_rules(declarations, quarter).select(*_RULE_SCHEMA).rows():
            found[rule[:4]] = rule
    for rule in _rules_of_files():
        found.setdefault(rule[:4], rule)  # F211a is F211 with the severity of another field
    return _frame(_RULE_SCHEMA, found.values())


def _rules_of_files() -> Iterator[tuple[str, ...]]:
    for rule in sentences.file_rules():
        wording = (_without_places(rule.sentence_en), _without_places(rule.sentence_cy))
        yield (rule.code, "", "", rule.severity, *wording, rule.source)
    for code, english in verdicts.REASONS.items():
        welsh = translations("cy").gettext(english)
        yield (
            *(code, "", "", "error"),
            *(_without_places(english), _without_places(welsh), "the verdict"),
        )


def _without_places(sentence: str) -> str:
    """An ellipsis for each place of a file that the sentence names; nothing for what may be left
    out."""
    return sentence.format_map(defaultdict(lambda: "…", at=""))


def _submissions(submissions: Sequence[Submission], state: LedgerState) -> pl.DataFrame:
    return _frame(
        _SUBMISSION_SCHEMA,
        (
            (
                *(s.submission_id, s.delivery_number),
                s.received_at.astimezone(UTC).replace(tzinfo=None),
                *(s.sha256, s.sender_code, s.quarter, s.version, s.declared_version, s.status),
                *(s.refusal_code, s.refusal_sentence_en, s.is_late, s.is_synthetic),
                s.signed_off_by_role,
                datetime.fromisoformat(s.signed_off_on).date() if s.signed_off_on else None,
                s.rule_set_hash,
                *_state(s, state),
            )
            for s in submissions
        ),
    )


def _state(submission: Submission, state: LedgerState) -> tuple[Any, ...]:
    """What became of a delivery; nothing of one that this build does not see."""
    if submission.submission_id not in state.submissions:
        return None, None, None, None, None
    found = state.delivery(submission.submission_id)
    withdrawn_at = datetime.fromisoformat(found.withdrawn_at) if found.withdrawn_at else None
    return (
        found.state,
        state.is_held(submission.submission_id),
        withdrawn_at is not None,
        _in_utc(withdrawn_at) if withdrawn_at else None,
        found.released_in_revision,
    )


def _return_status(life: LifeCycle) -> pl.DataFrame:
    return _frame(
        _RETURN_STATUS_SCHEMA,
        (
            (
                *(one.sender_code, one.return_name, one.quarter, one.state),
                *(state_word(one.state, "en"), state_word(one.state, "cy"), one.acts),
                *(life.today, one.deadline, one.days_to_deadline),
                *(one.submission_id, one.in_force_submission_id, one.version),
                *(one.is_late, one.is_nil, one.rows_set_aside),
                *(one.queries_open, one.queries_tolerated, one.queries_fixed),
                *(one.sign_off, one.signed_off_by_role, one.is_accepted, one.is_locked),
                *(one.revision, one.is_newer_file_refused),
            )
            for one in life.returns
        ),
    )


def _submission_returns(submissions: Sequence[Submission]) -> pl.DataFrame:
    return _frame(
        _SUBMISSION_RETURN_SCHEMA,
        (
            (
                *(s.submission_id, name, counts["is_nil"], counts["rows_read"]),
                *(counts["rows_accepted"], counts["rows_quarantined"]),
                *(counts["errors"], counts["queries"]),
            )
            for s in submissions
            for name, counts in s.returns.items()
        ),
    )


def _in_utc(moment: datetime) -> datetime:
    """Naive UTC. A moment without a zone is UTC already, whatever the machine's own zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _label(quarter: Quarter | None) -> str | None:
    return quarter.label if quarter else None


def _frame(schema: dict[str, Any], rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")
