"""What people decided about returns, as the events of the ledger come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.lifecycle.ledger import Submission
from pipelines.lifecycle.words import DeliveryState

# Queries of the file as a whole have no return; those of verdicts that did not keep codes no code.
WHOLE_FILE = "file"
CODE_NOT_KEPT = "NOT_KEPT"


@dataclass(frozen=True)
class Tolerance:
    """An explained query: up to ``limit`` rows of a rule, from one quarter to another."""

    code: str
    limit: int
    since: str
    until: str
    explanation: str
    role: str
    at: str


@dataclass(frozen=True)
class Query:
    """A query of the return's newest accepted file: open, or tolerated."""

    return_name: str
    code: str
    rows: int
    tolerance: Tolerance | None
    why_open: Literal["", "new", "over_the_limit", "expired", "opened_again"]

    @property
    def is_open(self) -> bool:
        return bool(self.why_open)


@dataclass(frozen=True)
class SignOff:
    """``seal`` binds it to the very bytes, rules, code and declarations of the verdict."""

    submission_id: str
    seal: str
    role: str
    at: str
    rows_left_out: int
    is_reopened: bool = False


@dataclass(frozen=True)
class Revision:
    """A later state of a locked quarter, and why: what it let in and what it took out."""

    number: int
    at: str
    role: str
    reason: str
    released: tuple[str, ...]
    withdrawals: tuple[str, ...]


@dataclass(frozen=True)
class PublishedVersion:
    """A version published under a lock, and what was in force then, by sender."""

    revision: int
    version: int
    at: str
    in_force: Mapping[str, str]


@dataclass
class Lock:
    """A nation's quarter that is closed."""

    nation_code: str
    quarter: str
    at: str
    role: str
    not_accepted: int
    revision: int = 1
    held: list[str] = field(default_factory=list)
    withdrawals: list[str] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    publications: list[PublishedVersion] = field(default_factory=list)

    @property
    def published_version(self) -> int | None:
        """The newest export version that shows the newest revision; None before there is one."""
        shown = [each for each in self.publications if each.revision == self.revision]
        return shown[-1].version if shown else None


@dataclass(frozen=True)
class DeliveryStatus:
    """What became of one file."""

    state: DeliveryState
    withdrawn_at: str | None
    released_in_revision: int | None


def seal_of(submission: Submission) -> str:
    """Hash of what a sign-off is bound to: the bytes, the rules, the code and declarations."""
    parts = [submission.sha256, submission.rule_set_hash, submission.made_with]
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()
