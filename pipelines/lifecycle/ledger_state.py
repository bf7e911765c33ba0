"""The ledger's events folded one after the other: deliveries, decisions and locks as they are now.

A lock closes a nation's quarter: what is accepted, or withdrawn, afterwards is *held* and changes
nothing until a revision releases it. Which of two deliveries is the newer, and whether something
came after the lock, is decided by the order of the ledger's lines, never by a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Submission, fold_delivery
from pipelines.lifecycle.records import (
    CODE_NOT_KEPT,
    WHOLE_FILE,
    DeliveryStatus,
    Lock,
    PublishedVersion,
    Query,
    Revision,
    SignOff,
    Tolerance,
    seal_of,
)
from pipelines.lifecycle.words import DeliveryState, SignOffState


class LedgerState:
    """The ledger's events folded one after the other, as they are, legal or not.

    Which event may follow is for ``order.py`` to say.
    """

    def __init__(self, declarations: Declarations) -> None:
        self.declarations = declarations
        self.submissions: dict[str, Submission] = {}
        self.locks: dict[tuple[str, str], Lock] = {}
        self._deliveries: dict[tuple[str, str], list[Submission]] = {}
        self._tolerances: dict[tuple[str, str, str], list[Tolerance | str]] = {}
        self._sign_offs: dict[tuple[str, str], list[SignOff]] = {}
        self._agreed: dict[str, set[str]] = {}  # seals accepted centrally, by submission
        self.withdrawn: dict[str, str] = {}  # in effect, and since when
        self._released: dict[str, int] = {}
        self.releases: dict[tuple[str, str], list[Mapping[str, Any]]] = {}  # by nation, quarter
        self._takes: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "received": self._take_received,
            "tolerated": self._take_tolerated,
            "reopened": self._take_reopened,
            "signed_off": self._take_signed_off,
            "accepted_centrally": self._take_accepted_centrally,
            "withdrawn": self._take_withdrawn,
            "locked": self._take_locked,
            "unlocked": self._take_unlocked,
            "revised": self._take_revised,
            "published": self._take_published,
            "released": self._take_released,
        }

    # --- one more event ---------------------------------------------------------

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take one event. One about something that is not known changes nothing."""
        kind, about = event["event"], event.get("submission_id")
        was = self.submissions.get(about) if about else None
        # Of a ledger cut or read as of a day, an event may come without its delivery.
        if about and was is None and kind not in ("received", "duplicate"):
            return
        was_accepted = was is not None and was.is_accepted
        fold_delivery(self.submissions, event)
        # Only now is it known whether a lock holds it: what is refused has nothing to hold.
        if kind in ("judged", "confirmed"):
            self._hold(self.submissions[event["submission_id"]], was_accepted)
        elif kind in self._takes:
            self._takes[kind](event)

    def _take_received(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        if item.sender_code is None or item.quarter is None:
            return
        mine = self._deliveries.setdefault((item.sender_code, item.quarter), [])
        mine.append(item)
        item.version = len(mine)

    def _hold(self, item: Submission, was_accepted: bool) -> None:
        """What is accepted after the lock is held, whenever it came."""
        lock = self.lock_over(item)
        if lock is None:
            return
        if item.is_accepted and not was_accepted:
            lock.held.append(item.submission_id)
        elif not item.is_accepted and item.submission_id in lock.held:
            lock.held.remove(item.submission_id)

    def _take_withdrawn(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        lock = self.lock_over(item)
        # It is in published figures, which change by a revision alone, whatever the cause.
        if lock is not None and item.submission_id not in lock.held:
            lock.withdrawals.append(item.submission_id)
        else:
            self._withdraw(item.submission_id, event["at"])

    def _withdraw(self, submission_id: str, at: str) -> None:
        self.withdrawn[submission_id] = at

    def _take_tolerated(self, event: Mapping[str, Any]) -> None:
        self._tolerances.setdefault(_of_rule(event), []).append(
            Tolerance(
                code=event["code"],
                limit=event["limit"],
                since=event["quarter"],
                until=event["until"],
                explanation=event["explanation"],
                role=event["role"],
                at=event["at"],
            )
        )

    def _take_reopened(self, event: Mapping[str, Any]) -> None:
        """From its quarter on the query is asked again; what was decided on the answer is void."""
        self._tolerances.setdefault(_of_rule(event), []).append(event["quarter"])
        key = (event["sender_code"], event["quarter"])
        sign_offs = self._sign_offs.get(key, [])
        # A sign-off says that every query was answered; one that is asked again voids it.
        self._sign_offs[key] = [replace(sign_off, is_reopened=True) for sign_off in sign_offs]
        for sign_off in sign_offs:
            # What the national team accepted was that sign-off.
            self._agreed.pop(sign_off.submission_id, None)

    def _take_signed_off(self, event: Mapping[str, Any]) -> None:
        item = self.submissions[event["submission_id"]]
        self._sign_offs.setdefault(whose(item), []).append(
            SignOff(
                submission_id=item.submission_id,
                seal=event["seal"],
                role=event["role"],
                at=event["at"],
                rows_left_out=event["rows_left_out"],
            )
        )

    def _take_accepted_centrally(self, event: Mapping[str, Any]) -> None:
        self._agreed.setdefault(event["submission_id"], set()).add(event["seal"])

    def _take_locked(self, event: Mapping[str, Any]) -> None:
        key = (event["nation_code"], event["quarter"])
        # The first lock stands: a second one would move the line after which deliveries are held.
        self.locks.setdefault(key, Lock(*key, event["at"], event["role"], event["not_accepted"]))

    def _take_unlocked(self, event: Mapping[str, Any]) -> None:
        lock = self.locks.pop((event["nation_code"], event["quarter"]), None)
        for submission_id in lock.withdrawals if lock else ():
            self._withdraw(submission_id, event["at"])

    def _take_revised(self, event: Mapping[str, Any]) -> None:
        lock = self.locks.get((event["nation_code"], event["quarter"]))
        if lock is None:
            return
        lock.revision += 1
        released, withdrawals = tuple(event["released"]), tuple(event["withdrawals"])
        lock.held = [submission_id for submission_id in lock.held if submission_id not in released]
        lock.withdrawals = [
            submission_id for submission_id in lock.withdrawals if submission_id not in withdrawals
        ]
        for submission_id in released:
            self._released[submission_id] = lock.revision
        for submission_id in withdrawals:
            self._withdraw(submission_id, event["at"])
        lock.revisions.append(
            Revision(
                number=lock.revision,
                at=event["at"],
                role=event["role"],
                reason=event["reason"],
                released=released,
                withdrawals=withdrawals,
            )
        )

    def _take_published(self, event: Mapping[str, Any]) -> None:
        for nation_code, revision in event["revisions"].items():
            lock = self.locks.get((nation_code, event["quarter"]))
            if lock is not None and lock.revision == revision:
                in_force = dict(self._in_force_of(nation_code, event["quarter"]))
                lock.publications.append(
                    PublishedVersion(revision, event["version"], event["at"], in_force)
                )

    def _take_released(self, event: Mapping[str, Any]) -> None:
        key = (event["nation_code"], event["quarter"])
        self.releases.setdefault(key, []).append(event)

    # --- what holds now ---------------------------------------------------------

    def waiting(self, nation_code: str, quarter: str) -> list[Submission]:
        """Deliveries of a nation's quarter that have no verdict yet."""
        return [
            item
            for (sender_code, of_quarter), several in self._deliveries.items()
            if of_quarter == quarter and self.nation_of(sender_code) == nation_code
            for item in several
            if item.is_waiting
        ]

    def deliveries_of(self, sender_code: str, quarter: str) -> list[Submission]:
        """Deliveries that are no duplicates, in order of arrival: the order of the ledger."""
        return list(self._deliveries.get((sender_code, quarter), []))

    def in_force(self, sender_code: str, quarter: str) -> Submission | None:
        """The delivery that figures come from: the newest accepted, not held, not withdrawn."""
        lock = self.lock_for(sender_code, quarter)
        held = lock.held if lock else ()
        candidates = [
            item for item in self._accepted(sender_code, quarter) if item.submission_id not in held
        ]
        # By order of arrival, not by the version that is written on the cover sheet.
        return candidates[-1] if candidates else None

    def newest(self, sender_code: str, quarter: str) -> Submission | None:
        """The newest accepted delivery that was not withdrawn, be it held or not."""
        accepted = self._accepted(sender_code, quarter)
        return accepted[-1] if accepted else None

    def _accepted(self, sender_code: str, quarter: str) -> list[Submission]:
        return [
            item
            for item in self.deliveries_of(sender_code, quarter)
            if item.is_accepted and item.submission_id not in self.withdrawn
        ]

    def _in_force_of(self, nation_code: str, quarter: str) -> Iterator[tuple[str, str]]:
        for sender_code, of_quarter in self._deliveries:
            if of_quarter == quarter and self.nation_of(sender_code) == nation_code:
                item = self.in_force(sender_code, quarter)
                if item is not None:
                    yield sender_code, item.submission_id

    def nation_of(self, sender_code: str | None) -> str | None:
        place = self.declarations.places.get(sender_code or "")
        return place.nation_code if place else None

    def lock_for(self, sender_code: str, quarter: str) -> Lock | None:
        return self.locks.get((self.nation_of(sender_code) or "", quarter))

    def lock_over(self, item: Submission) -> Lock | None:
        if item.sender_code is None or item.quarter is None:
            return None
        return self.lock_for(item.sender_code, item.quarter)

    def is_held(self, submission_id: str) -> bool:
        """Whether it is kept out of the figures for a revision, though a newer one may be too."""
        lock = self.lock_over(self.submissions[submission_id])
        return lock is not None and submission_id in lock.held

    def delivery(self, submission_id: str) -> DeliveryStatus:
        item = self.submissions[submission_id]
        return DeliveryStatus(
            self._delivery_state(item),
            self.withdrawn.get(submission_id),
            self._released.get(submission_id),
        )

    def _delivery_state(self, item: Submission) -> DeliveryState:
        if item.status == "duplicate":
            return "duplicate"
        if item.is_waiting:
            return "received"
        if item.is_to_be_confirmed:
            return "to_confirm" if self._is_last(item) else "superseded"
        if not item.is_accepted:
            return "rejected"
        if item.submission_id in self.withdrawn:
            return "withdrawn"
        sender_code, quarter = whose(item)
        in_force = self.in_force(sender_code, quarter)
        if in_force is item:
            return "in_force"
        lock = self.lock_over(item)
        if lock and item.submission_id in lock.held and item is self.newest(sender_code, quarter):
            return "held"
        return "superseded"

    def _is_last(self, item: Submission) -> bool:
        """Whether nothing came after it that was accepted, or is to be confirmed."""
        later = [
            other
            for other in self.deliveries_of(*whose(item))
            if other.is_accepted or other.is_to_be_confirmed
        ]
        return later[-1] is item

    def queries(self, item: Submission) -> list[Query]:
        """Queries of an accepted delivery, open or tolerated, in order of return and rule."""
        queries = []
        for return_name, rows_by_code in sorted(queries_of(item).items()):
            for code, rows in sorted(rows_by_code.items()):
                queries.append(self._query(item, return_name, code, rows))
        return queries

    def _query(self, item: Submission, return_name: str, code: str, rows: int) -> Query:
        sender_code, quarter = whose(item)
        given = [
            answer
            for answer in self._tolerances.get((sender_code, return_name, code), [])
            if (answer.since if isinstance(answer, Tolerance) else answer) <= quarter
        ]
        newest = given[-1] if given else None
        if newest is None:
            return Query(return_name, code, rows, None, "new")
        if isinstance(newest, str):
            return Query(return_name, code, rows, None, "opened_again")
        if quarter > newest.until:
            return Query(return_name, code, rows, newest, "expired")
        # As at HESA: a tolerance is for so many rows, and more of them raise the query again.
        if rows > newest.limit:
            return Query(return_name, code, rows, newest, "over_the_limit")
        return Query(return_name, code, rows, newest, "")

    def queries_corrected(self, item: Submission, return_name: str) -> int:
        """Rules that queried this return in an earlier accepted delivery and do not any more."""
        asked: set[str] = set()
        for earlier in self.deliveries_of(*whose(item)):
            if earlier.delivery_number < item.delivery_number and earlier.is_accepted:
                asked |= queries_of(earlier).get(return_name, {}).keys()
        return len(asked - queries_of(item).get(return_name, {}).keys())

    def sign_off(self, item: Submission) -> tuple[SignOffState, SignOff | None]:
        """Whether the delivery is signed off as it is; if not, what became of the last sign-off."""
        sign_offs = self._sign_offs.get(whose(item), [])
        mine = [each for each in sign_offs if each.submission_id == item.submission_id]
        if not sign_offs:
            return "none", None
        if not mine:
            return "void_data", None
        newest = mine[-1]
        if newest.seal != seal_of(item):
            return "void_rules", newest
        if newest.is_reopened:
            return "void_query", newest
        return "valid", newest

    def is_agreed(self, item: Submission) -> bool:
        """Accepted by the national team as it is now."""
        return self.sign_off(item)[0] == "valid" and seal_of(item) in self._agreed.get(
            item.submission_id, ()
        )

    def queries_about(self, item: Submission, return_name: str) -> list[Query]:
        """Queries of one return of a delivery, those of the file as a whole included."""
        return [
            query for query in self.queries(item) if query.return_name in (return_name, WHOLE_FILE)
        ]


def ledger_state(events: Iterable[Mapping[str, Any]], declarations: Declarations) -> LedgerState:
    """The state after all of ``events``."""
    state = LedgerState(declarations)
    for event in events:
        state.apply(event)
    return state


def known_at(events: Iterable[Mapping[str, Any]], moment: datetime) -> list[Mapping[str, Any]]:
    """Events that were known at ``moment`` (without a zone: UTC), in the ledger's order.

    The ledger is cut at one place, before the first line whose time is later than ``moment``. What
    stands after that line came after it, even if a clock that was set back gave it an earlier time.
    A release closes its moment: what stands after it came later. Nothing is later than now, so that
    a time far ahead, of a clock that was wrong once, hides nothing today.

    A verdict is known as soon as its delivery is: the ledger keeps no time of a verdict, so that a
    batch that is killed and done again comes to the same.
    """
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment >= datetime.now(UTC):
        return list(events)
    known: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    is_later = False
    for event in events:
        at = event.get("received_at") or event.get("at")
        is_later = is_later or (at is not None and datetime.fromisoformat(at) > moment)
        # A verdict has no time of its own and is as old as its delivery.
        if event["event"] == "judged":
            if event["submission_id"] in seen:
                known.append(event)
            continue
        # What was erased is gone, whenever it is looked at.
        if is_later and event["event"] != "erased":
            continue
        known.append(event)
        if event["event"] in ("received", "duplicate"):
            seen.add(event["submission_id"])
        elif event["event"] == "released":
            is_later = datetime.fromisoformat(event["as_of"]) >= moment
    return known


def queries_of(item: Submission) -> Mapping[str, Mapping[str, int]]:
    """Rows with a query by return and rule; CODE_NOT_KEPT where a verdict did not keep the rule."""
    if item.queries:
        return item.queries
    return {
        name: {CODE_NOT_KEPT: counts["queries"]}
        for name, counts in item.returns.items()
        if counts.get("queries")
    }


def rows_set_aside(item: Submission) -> int:
    """Rows with an error in all returns of a submission: they are in no figure."""
    return sum(counts.get("rows_quarantined", 0) for counts in item.returns.values())


def whose(item: Submission) -> tuple[str, str]:
    """Sender and quarter of a submission whose cover sheet was understood."""
    assert item.sender_code is not None and item.quarter is not None
    return item.sender_code, item.quarter


def _of_rule(event: Mapping[str, Any]) -> tuple[str, str, str]:
    return event["sender_code"], event["return_name"], event["code"]
