"""Events as a ledger would hold them, told one after the other. Everybody in them is invented."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger_state import LedgerState
from pipelines.lifecycle.order import refusal
from pipelines.lifecycle.records import seal_of
from pipelines.lifecycle.states import ReturnStatus, return_status
from pipelines.quarters import Quarter

WALES, ENGLAND = "W92000004", "E92000001"
ANGLESEY, GWYNEDD = "W06000001", "W06000002"
Q1, Q2 = Quarter(2025, 1), Quarter(2025, 2)  # April to June 2025, due by 30 July; and the next
IN_TIME, TOO_LATE = date(2025, 7, 10), date(2025, 8, 1)
START = datetime(2025, 7, 1, 9, 0, tzinfo=UTC)

Event = dict[str, Any]


# The verdict on a file that waits until somebody confirms it.
HELD: dict[str, Any] = {
    "status": "held for confirmation",
    "held_for": [{"code": "CH807", "sentence_en": "Strangers.", "sentence_cy": "Dieithriaid."}],
    "status_once_confirmed": "accepted",
}


class Story:
    """A ledger in the making: every event is checked and folded as it is told."""

    def __init__(self, declarations: Declarations) -> None:
        self.declarations = declarations
        self.events: list[Event] = []
        self.ledger_state = LedgerState(declarations)
        self.files = 0
        self.decided = 0

    # --- telling ----------------------------------------------------------------

    def tell(self, event: Event) -> Story:
        why = refusal(self.ledger_state, event)
        assert why is None, why
        self.events.append(event)
        self.ledger_state.apply(event)
        return self

    def refused(self, event: Event) -> str:
        """Why the event may not follow; asking changes nothing."""
        why = refusal(self.ledger_state, event)
        assert why is not None, f"{event['event']} was allowed"
        return why

    def state(self, today: date = IN_TIME, **of: Any) -> str:
        return self.status(today, **of).state

    def status(
        self,
        today: date = IN_TIME,
        sender: str = ANGLESEY,
        name: str = "child",
        quarter: Quarter = Q1,
    ) -> ReturnStatus:
        return return_status(self.ledger_state, sender, name, quarter, today)

    def in_force(self, sender: str, quarter: Quarter = Q1) -> str | None:
        """The submission that figures come from, if there is one."""
        submission = self.ledger_state.in_force(sender, quarter.label)
        return submission.submission_id if submission else None

    @property
    def last(self) -> str:
        """The newest submission."""
        return next(e["submission_id"] for e in reversed(self.events) if e["event"] == "received")

    # --- files ------------------------------------------------------------------

    def file(self, sender: str = ANGLESEY, quarter: Quarter = Q1, **more: Any) -> Event:
        self.files += 1
        return {
            "event": "received",
            "submission_id": f"S{self.files:06d}",
            "delivery_number": self.files,
            "sha256": f"{self.files:064x}",
            "extension": ".xlsx",
            "name": "return.xlsx",
            "received_at": (START + timedelta(hours=self.files)).isoformat(),
            "sender_code": sender,
            "quarter": quarter.label,
        } | more

    def judged(
        self,
        submission_id: str,
        status: str = "accepted",
        *,
        queries: dict[str, dict[str, int]] | None = None,
        aside: int = 0,
        nil: bool = False,
        rules: str = "rules of 2025",
        returns: tuple[str, ...] = ("child",),
        **more: Any,
    ) -> Event:
        read = 0 if nil else 10
        return {
            "event": "judged",
            "submission_id": submission_id,
            "status": status,
            "queries": queries or {},
            "errors": {"child": {"CH101": aside}} if aside else {},
            "rule_set_hash": rules,
            "made_with": "code of 2025",
            "is_late": False,
            "returns": {
                name: {
                    "is_nil": nil,
                    "rows_read": read,
                    "rows_accepted": read - aside,
                    "rows_quarantined": aside,
                    "errors": aside,
                    "queries": sum(sum(codes.values()) for codes in (queries or {}).values()),
                }
                for name in returns
            },
        } | more

    def send(self, sender: str = ANGLESEY, quarter: Quarter = Q1, **verdict: Any) -> str:
        """A file and its verdict; its submission id."""
        event = self.file(sender, quarter)
        self.tell(event).tell(self.judged(event["submission_id"], **verdict))
        return event["submission_id"]

    # --- decisions --------------------------------------------------------------

    def _decided(self, kind: str, role: str, **more: Any) -> Event:
        self.decided += 1
        at = START + timedelta(days=40, hours=self.decided)
        return {"event": kind, "role": role, "at": at.isoformat()} | more

    def tolerate(
        self,
        limit: int = 5,
        until: Quarter = Q1,
        *,
        code: str = "CH400",
        name: str = "child",
        quarter: Quarter = Q1,
        sender: str = ANGLESEY,
    ) -> Event:
        return self._decided(
            "tolerated",
            "national_data_lead",
            sender_code=sender,
            return_name=name,
            quarter=quarter.label,
            code=code,
            limit=limit,
            until=until.label,
            explanation="Confirmed with the social worker.",
        )

    def reopen(self, *, code: str = "CH400", name: str = "child", quarter: Quarter = Q1) -> Event:
        return self._decided(
            "reopened",
            "national_data_lead",
            sender_code=ANGLESEY,
            return_name=name,
            quarter=quarter.label,
            code=code,
            reason="The explanation was of another rule.",
        )

    def confirm(self, submission_id: str) -> Event:
        item = self.ledger_state.submissions.get(submission_id)
        return self._decided(
            "confirmed",
            "head_of_service",
            submission_id=submission_id,
            seal=seal_of(item) if item else "none",
            codes=item.holding_codes if item else [],
            reason="A new case system: all references have changed.",
        )

    def sign_off(self, submission_id: str, rows_left_out: int = 0) -> Event:
        item = self.ledger_state.submissions.get(submission_id)
        return self._decided(
            "signed_off",
            "head_of_service",
            submission_id=submission_id,
            seal=seal_of(item) if item else "none",
            rows_left_out=rows_left_out,
        )

    def accept(self, submission_id: str) -> Event:
        item = self.ledger_state.submissions.get(submission_id)
        seal = seal_of(item) if item else "none"
        return self._decided(
            "accepted_centrally", "national_data_lead", submission_id=submission_id, seal=seal
        )

    def withdraw(self, submission_id: str) -> Event:
        return self._decided(
            "withdrawn", "head_of_service", submission_id=submission_id, reason="Wrong file sent."
        )

    def lock(self, quarter: Quarter = Q1, nation: str = WALES) -> Event:
        return self._decided(
            "locked",
            "national_director",
            nation_code=nation,
            quarter=quarter.label,
            not_accepted=0,
        )

    def unlock(self, quarter: Quarter = Q1, nation: str = WALES) -> Event:
        return self._decided(
            "unlocked",
            "national_director",
            nation_code=nation,
            quarter=quarter.label,
            reason="Locked by mistake.",
        )

    def revise(self, quarter: Quarter = Q1, nation: str = WALES, *only: str) -> Event:
        lock = self.ledger_state.locks.get((nation, quarter.label))
        held, withdrawals = (lock.held, lock.withdrawals) if lock else ([], [])
        return self._decided(
            "revised",
            "national_director",
            nation_code=nation,
            quarter=quarter.label,
            reason="A late return changes the totals.",
            released=[one for one in held if not only or one in only],
            withdrawals=[one for one in withdrawals if not only or one in only],
        )

    def publish(self, version: int = 1, quarter: Quarter = Q1, nation: str = WALES) -> Event:
        lock = self.ledger_state.locks.get((nation, quarter.label))
        return self._decided(
            "published",
            "program",
            quarter=quarter.label,
            version=version,
            revisions={nation: lock.revision if lock else 1},
        )
