"""What people decide about returns, entered in the ledger if they may and if it fits.

Who may is declared in ``sources/policies``; what fits is for ``order.py`` to say. Roles
are kept, never names, and no sentence may name a child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.declarations import Declarations, Duty, Policy
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.free_text import check_free_text
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.ledger_state import LedgerState, ledger_state, rows_set_aside
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.records import WHOLE_FILE, seal_of
from pipelines.lifecycle.states import ReturnStatus, fold
from pipelines.lifecycle.words import NOT_IN
from pipelines.quarters import Quarter
from pipelines.settings import Settings


class NotAllowed(Exception):
    """A decision that cannot be entered; the message says why and what to do instead."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Decisions:
    """Enters decisions of one installation. ``clock`` gives the moment (UTC).

    Every method holds the ledger while it looks and writes, returns the event as it was entered,
    and raises NotAllowed, NamesSomebody, LedgerBusy or LedgerError.
    """

    settings: Settings
    declarations: Declarations
    clock: Callable[[], datetime] = field(default=_now)

    # --- queries ----------------------------------------------------------------

    def tolerate(
        self,
        sender_code: str,
        return_name: str,
        quarter: Quarter,
        code: str,
        *,
        limit: int,
        until: Quarter,
        role: str,
        explanation: str,
    ) -> Mapping[str, Any]:
        """Accept the explanation of a query for up to ``limit`` rows, up to a quarter."""
        policy = self._policy_of_sender(sender_code)
        self._known_return(return_name)
        last = policy.last_quarter_tolerated(quarter)
        if until > last:
            raise NotAllowed(
                f"A query can be tolerated until {last} at the latest, and is then raised again: "
                f"{until} is later than that."
            )
        return self._enter(
            {
                "event": "tolerated",
                "sender_code": sender_code,
                "return_name": return_name,
                "quarter": quarter.label,
                "code": code,
                "limit": limit,
                "until": until.label,
                "explanation": self.sentence(explanation, quarter, sender_code),
            },
            policy,
            "tolerate",
            role,
        )

    def reopen(
        self,
        sender_code: str,
        return_name: str,
        quarter: Quarter,
        code: str,
        *,
        role: str,
        reason: str,
    ) -> Mapping[str, Any]:
        """Ask a tolerated query again, from ``quarter`` on."""
        self._known_return(return_name)
        return self._enter(
            {
                "event": "reopened",
                "sender_code": sender_code,
                "return_name": return_name,
                "quarter": quarter.label,
                "code": code,
                "reason": self.sentence(reason, quarter, sender_code),
            },
            self._policy_of_sender(sender_code),
            "tolerate",
            role,
        )

    # --- one submission ---------------------------------------------------------

    def sign_off(
        self, submission_id: str, *, role: str, rows_left_out: int = 0
    ) -> Mapping[str, Any]:
        """Sign off a submission as it was validated, without the rows that were set aside."""
        item = self._submission(submission_id)
        return self._enter(
            {
                "event": "signed_off",
                "submission_id": submission_id,
                "seal": seal_of(item),
                "rows_left_out": rows_left_out,
            },
            self._policy_of_submission(item),
            "sign_off",
            role,
        )

    def confirm(self, submission_id: str, *, role: str, reason: str) -> Mapping[str, Any]:
        """Confirm a submission that is held, so that it counts as it was validated."""
        item = self._submission(submission_id)
        quarter = Quarter.parse(item.quarter) if item.quarter else None
        return self._enter(
            {
                "event": "confirmed",
                "submission_id": submission_id,
                "seal": seal_of(item),
                "codes": item.holding_codes,
                "reason": self.sentence(reason, quarter, item.sender_code),
            },
            self._policy_of_submission(item),
            "confirm",
            role,
        )

    def accept(self, submission_id: str, *, role: str) -> Mapping[str, Any]:
        """Accept a signed-off submission, as the national team."""
        item = self._submission(submission_id)
        return self._enter(
            {
                "event": "accepted_centrally",
                "submission_id": submission_id,
                "seal": seal_of(item),
            },
            self._policy_of_submission(item),
            "accept",
            role,
        )

    def withdraw(self, submission_id: str, *, role: str, reason: str) -> Mapping[str, Any]:
        """Take a submission out; the accepted one before it comes back in force."""
        item = self._submission(submission_id)
        quarter = Quarter.parse(item.quarter) if item.quarter else None
        return self._enter(
            {
                "event": "withdrawn",
                "submission_id": submission_id,
                "reason": self.sentence(reason, quarter, item.sender_code),
            },
            self._policy_of_submission(item),
            "withdraw",
            role,
        )

    # --- a nation's quarter -----------------------------------------------------

    def lock(
        self, nation_code: str, quarter: Quarter, *, role: str, with_gaps: bool = False
    ) -> Mapping[str, Any]:
        """Close a quarter.

        What is not accepted centrally by then is a gap, which ``with_gaps`` has to allow.
        """
        policy = self._policy(nation_code)
        deadline = policy.deadline(quarter)
        if local_day(self.clock()) <= deadline:
            raise NotAllowed(
                f"Returns for {quarter} are on time until {deadline}: lock the quarter after "
                "that day."
            )
        gaps = self.gaps(nation_code, quarter)
        if gaps and not with_gaps:
            missing = sum(status.state in NOT_IN for status in gaps)
            raise NotAllowed(
                f"{len(gaps)} returns for {quarter} are not accepted yet, {missing} of them not "
                "in: see `adoption due`. To lock the quarter as it is, use --with-gaps."
            )
        return self._enter(
            {
                "event": "locked",
                "nation_code": nation_code,
                "quarter": quarter.label,
                "not_accepted": len(gaps),
            },
            policy,
            "lock",
            role,
        )

    def gaps(self, nation_code: str, quarter: Quarter) -> list[ReturnStatus]:
        """Returns of a nation's quarter that the national team has not accepted."""
        events = Ledger(self.settings.ledger).events()
        life = fold(events, self.declarations, local_day(self.clock()), [quarter])
        return [
            status
            for status in life.returns
            if self.declarations.places[status.sender_code].nation_code == nation_code
            and not status.is_accepted
        ]

    def unlock(
        self, nation_code: str, quarter: Quarter, *, role: str, reason: str
    ) -> Mapping[str, Any]:
        """Undo a lock under which nothing was published; what was held counts again."""
        return self._enter(
            {
                "event": "unlocked",
                "nation_code": nation_code,
                "quarter": quarter.label,
                "reason": self.sentence(reason, quarter),
            },
            self._policy(nation_code),
            "lock",
            role,
        )

    def revise(
        self,
        nation_code: str,
        quarter: Quarter,
        *,
        role: str,
        reason: str,
        only: Sequence[str] = (),
    ) -> Mapping[str, Any]:
        """Begin the next revision: release what is held, all of it or ``only`` what is named.

        With nothing held it announces figures that change for another reason.
        """
        lock = self._state().locks.get((nation_code, quarter.label))
        held, withdrawals = (lock.held, lock.withdrawals) if lock else ([], [])
        unknown = [
            submission_id for submission_id in only if submission_id not in (*held, *withdrawals)
        ]
        return self._enter(
            {
                "event": "revised",
                "nation_code": nation_code,
                "quarter": quarter.label,
                "reason": self.sentence(reason, quarter),
                "released": [
                    submission_id for submission_id in held if not only or submission_id in only
                ]
                + unknown,
                "withdrawals": [
                    submission_id
                    for submission_id in withdrawals
                    if not only or submission_id in only
                ],
            },
            self._policy(nation_code),
            "revise",
            role,
        )

    # --- checked, then entered --------------------------------------------------

    def _enter(
        self, event: dict[str, Any], policy: Policy, duty: Duty, role: str
    ) -> Mapping[str, Any]:
        refuse_a_role(policy, duty, role)
        ledger = Ledger(self.settings.ledger)
        # Checked and written under one lock: two decisions at once would each be allowed by the
        # state before the other.
        with ledger.held():
            events = ledger.events()
            why = refusal(ledger_state(events, self.declarations), event)
            if why:
                raise NotAllowed(why)
            event |= {"role": role, "at": moment_after(events, self.clock())}
            ledger.append(event)
        return event

    def _state(self) -> LedgerState:
        return ledger_state(Ledger(self.settings.ledger).events(), self.declarations)

    def _submission(self, submission_id: str) -> Submission:
        submission = self._state().submissions.get(submission_id)
        if submission is None:
            raise NotAllowed(
                f"{submission_id} was never received: `adoption status` lists all submissions."
            )
        return submission

    def rows_set_aside(self, submission_id: str) -> int:
        return rows_set_aside(self._submission(submission_id))

    def _policy(self, nation_code: str) -> Policy:
        if nation_code not in self.declarations.policies:
            raise NotAllowed(f"No policy is declared for {nation_code}.")
        return self.declarations.policies[nation_code]

    def _policy_of_sender(self, sender_code: str) -> Policy:
        if sender_code not in self.declarations.senders:
            raise NotAllowed(f"{sender_code} is not a sender: no return is due from it.")
        return self.declarations.policy_for(sender_code)

    def _policy_of_submission(self, item: Submission) -> Policy:
        if item.sender_code is None:
            raise NotAllowed(f"{item.submission_id} was refused on arrival: it is nobody's return.")
        return self._policy_of_sender(item.sender_code)

    def _known_return(self, name: str) -> None:
        known = (*self.declarations.returns, WHOLE_FILE)
        if name not in known:
            raise NotAllowed(f"There is no return called {name}: choose from {', '.join(known)}.")

    def sentence(self, text: str, quarter: Quarter | None, sender_code: str | None = None) -> str:
        """An explanation or reason, if it names nobody of the quarter. Raises NamesSomebody."""
        references = self._references(quarter, sender_code) if quarter else set()
        return check_free_text(text, references)

    def _references(self, quarter: Quarter, sender_code: str | None) -> set[str]:
        """Identifiers in the quarter's raw rows, of one sender or of all; they stay in memory."""
        import polars as pl

        references: set[str] = set()
        for name, declared in self.declarations.returns.items():
            fields = [field.name for field in declared.fields if field.privacy == "identifier"]
            files = sorted((self.settings.raw / name / quarter.label).glob("*.parquet"))
            if not files or not fields:
                continue
            # Files written before a field was declared lack its column.
            rows = pl.scan_parquet(files, missing_columns="insert")
            if sender_code is not None:
                rows = rows.filter(pl.col("sender_code") == sender_code)
            for column in rows.select(fields).unique().collect().iter_columns():
                references |= set(column.drop_nulls().to_list())
        return references


def moment_after(events: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """``now``, but never before what was entered last: a clock set back must not reorder."""
    earlier = [datetime.fromisoformat(event["at"]) for event in events if "at" in event]
    return max([now.astimezone(UTC), *earlier]).isoformat()


def refuse_a_role(policy: Policy, duty: Duty, role: str) -> None:
    """Raises NotAllowed, naming the roles that may, where this one may not do this duty."""
    known = {declared.role: declared for declared in policy.roles}
    able = [declared.role for declared in policy.roles if duty in declared.may]
    those = ", ".join(able) or "nobody yet: sources/policies declares none"
    if role not in known:
        raise NotAllowed(f"There is no role {role}. This is for: {those}.")
    if role not in able:
        raise NotAllowed(f"The role {role} may not do this ({duty}). It is for: {those}.")
