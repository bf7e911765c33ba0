"""What a release rests on: returns, rules, code, definitions, decisions. Counts no child.

Nothing here is of the clock or of the machine, so that a release made again says the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.lifecycle.ledger import FIRST_LINK, Ledger
from pipelines.lifecycle.records import Lock
from pipelines.lifecycle.states import ReturnStatus
from pipelines.program import commit, hash_of, hash_of_code
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings

if TYPE_CHECKING:
    import duckdb

_USED = """
    select submission.submission_id, submission.sender_code, submission.quarter,
        submission.version, submission.received_at, submission.sha256, submission.status,
        submission.rule_set_hash
    from marts.fct_submission as submission
    join marts.dim_place as place on place.place_code = submission.sender_code
    where submission.is_in_force and place.nation_code = $nation
        and submission.quarter between $first and $last
    order by submission.quarter, submission.sender_code, submission.submission_id
"""
_NOT_USED = """
    select returned.sender_code, returned.return_name, returned.quarter, returned.status as why
    from marts.fct_return as returned
    join marts.dim_place as place on place.place_code = returned.sender_code
    where place.nation_code = $nation and returned.quarter between $first and $last
        and returned.is_due and returned.status in ('refused', 'missing', 'received', 'held')
    order by returned.quarter, returned.sender_code, returned.return_name
"""
_QUARTERS = """
    select max(quarters_in_window) from marts.fct_indicator where quarter = $quarter
"""


@dataclass(frozen=True)
class Decided:
    """What people decided about the release, and how long the ledger was then.

    ``open_returns`` are those the national team has not accepted.
    """

    lock: Lock
    role: str
    reason: str | None
    as_of: str
    ledger_length: int
    open_returns: Sequence[ReturnStatus]


def provenance_of(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    name: str,
    body: str,
    nation_code: str,
    quarter: Quarter,
    version: int,
    is_synthetic: bool,
    decided: Decided,
    changes: dict[str, int],
    disclosure_control: dict[str, Any],
) -> dict[str, Any]:
    """What ``provenance.json`` holds. ``changes``: of how many measures and quarters a change since
    an earlier release is taken in, and of how many it waits.

    Which returns were used is a count for each quarter and a hash: a list would name the sender of
    a return that came late, or was corrected, to whoever compares two versions.
    """
    used = returns_used(connection, nation_code, quarter)
    lock = decided.lock
    signed = lock.revisions[-1] if lock.revisions else lock
    links = Ledger(settings.ledger).links()[: decided.ledger_length]
    return {
        "release": name,
        "body": body,
        "quarter": quarter.label,
        "version": version,
        "is_synthetic": is_synthetic,
        "as_of": decided.as_of,
        "supersedes": version - 1 or None,
        "reason": decided.reason,
        "code": {"commit": commit(), "sha256": hash_of_code()},
        "rule_set_hashes": sorted({status["rule_set_hash"] for status in used}),
        "definitions_sha256": hash_of(sorted(SOURCES.iterdir())),
        "ledger": {"events": len(links), "head": links[-1] if links else FIRST_LINK},
        "returns_used": [
            {"quarter": of, "returns": count}
            for of, count in sorted(Counter(each["quarter"] for each in used).items())
        ],
        "returns_used_sha256": hashlib.sha256(
            json.dumps(used, sort_keys=True).encode("utf-8")
        ).hexdigest(),
        "returns_not_used": _rows(connection, _NOT_USED, nation_code, quarter),
        "returns_open": [
            {
                "sender_code": status.sender_code,
                "return_name": status.return_name,
                "sign_off": status.sign_off,
                "has_rows_set_aside": bool(status.rows_set_aside),
                "has_open_queries": bool(status.queries_open),
            }
            for status in decided.open_returns
            if status.in_force_submission_id
        ],
        "sign_off": {"role": signed.role, "at": signed.at, "revision": lock.revision},
        "released_by": decided.role,
        "changes": changes,
        "disclosure_control": disclosure_control,
    }


def returns_used(
    connection: duckdb.DuckDBPyConnection, nation_code: str, quarter: Quarter
) -> list[dict[str, Any]]:
    """The returns in force in the quarters of the longest window, by quarter and sender."""
    used = _rows(connection, _USED, nation_code, quarter)
    for submission in used:
        submission["received_at"] = f"{submission['received_at'].isoformat()}Z"
    return used


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, nation_code: str, quarter: Quarter
) -> list[dict[str, Any]]:
    longest = connection.execute(_QUARTERS, {"quarter": quarter.label}).fetchone()
    first = quarter.plus(1 - (longest[0] if longest and longest[0] else 1))
    stretch = {"nation": nation_code, "first": first.label, "last": quarter.label}
    result = connection.execute(query, stretch)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
