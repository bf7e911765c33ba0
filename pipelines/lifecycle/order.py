"""What may follow in the life of a return: which event the ledger takes next, and why not others.

Only what happened before is looked at. Roles and calendars are of the day of a decision, and are
checked then by ``decisions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.lifecycle.ledger import Submission
from pipelines.lifecycle.ledger_state import LedgerState, rows_set_aside, whose
from pipelines.lifecycle.records import Query, seal_of
from pipelines.lifecycle.words import sign_off_words

Event = Mapping[str, Any]


def refusal(state: LedgerState, event: Event) -> str | None:
    """Why ``event`` cannot follow what has happened, in a sentence; None when it can."""
    check = _CHECKS.get(event["event"])
    return check(state, event) if check else "The ledger has no event of this kind."


# --- deliveries -----------------------------------------------------------------


def _received(state: LedgerState, event: Event) -> str | None:
    if event["submission_id"] in state.submissions:
        return f"{event['submission_id']} was received before."
    return None


def _duplicate(state: LedgerState, event: Event) -> str | None:
    if event["duplicate_of"] not in state.submissions:
        return f"It repeats {event['duplicate_of']}, which was never received."
    return _received(state, event)


def _judged(state: LedgerState, event: Event) -> str | None:
    item = state.submissions.get(event["submission_id"])
    if item is None:
        return f"{event['submission_id']} was never received."
    if item.status == "duplicate":
        return f"{item.submission_id} is a duplicate: the verdict of the first file holds."
    lock = state.lock_over(item)
    # New rules may not move figures that are published under a lock.
    if not item.is_waiting and lock is not None and item.submission_id not in lock.held:
        return f"{item.quarter} is locked for {lock.nation_code}: it is not validated again."
    return None


def _confirmed(state: LedgerState, event: Event) -> str | None:
    item = state.submissions.get(event["submission_id"])
    if item is None:
        return f"{event['submission_id']} was never received."
    if not item.is_to_be_confirmed:
        return f"{item.submission_id} is not held for confirmation: its status is {item.status}."
    if item.submission_id in state.withdrawn:
        return f"{item.submission_id} was withdrawn before."
    # Between looking and confirming a file may be validated again, under other rules.
    if event["seal"] != seal_of(item) or event["codes"] != item.holding_codes:
        return f"{item.submission_id} has changed since it was shown: look at it again."
    newest = state.newest(*whose(item))
    if newest is not None and newest.delivery_number > item.delivery_number:
        return (
            f"{newest.submission_id} came after {item.submission_id} and was accepted: there is "
            "nothing to confirm."
        )
    return None


def _stored(state: LedgerState, event: Event) -> str | None:
    for submission_id in event["submissions"]:
        item = state.submissions.get(submission_id)
        if item is None or item.is_waiting:
            return f"{submission_id} has no verdict, so no rows of it are kept."
    return None


def _always(state: LedgerState, event: Event) -> str | None:
    return None


# --- queries --------------------------------------------------------------------


def _tolerated(state: LedgerState, event: Event) -> str | None:
    query = _asked(state, event)
    if isinstance(query, str):
        return query
    if not query.is_open and query.tolerance:
        return f"{query.code} is tolerated already, up to {query.tolerance.limit} rows."
    # A tolerance below what there is would leave the query open, and look as if it did not.
    if event["limit"] < query.rows:
        return (
            f"{query.rows} rows have the query {query.code} and the limit given is "
            f"{event['limit']}: it would stay open."
        )
    if event["until"] < event["quarter"]:
        return f"The tolerance would end with {event['until']}, before {event['quarter']} begins."
    return None


def _reopened(state: LedgerState, event: Event) -> str | None:
    query = _asked(state, event)
    if isinstance(query, str):
        return query
    return f"{query.code} is open already." if query.is_open else None


def _asked(state: LedgerState, event: Event) -> Query | str:
    """The query that an answer is about, or why there is none."""
    sender_code, quarter, code = event["sender_code"], event["quarter"], event["code"]
    item = state.newest(sender_code, quarter)
    if item is None:
        return f"{sender_code} has no accepted return for {quarter}: there is nothing to answer."
    name = event["return_name"]
    for query in state.queries(item):
        if (query.return_name, query.code) == (name, code):
            return query
    if code in item.errors.get(name, {}):
        return (
            f"{code} is an error, not a query: errors cannot be tolerated. Correct the rows and "
            "send the whole file again."
        )
    return (
        f"There is no query {code} on the {name} return of {sender_code} for {quarter} "
        f"({item.submission_id}): `adoption queries` lists the queries there are."
    )


# --- one submission -------------------------------------------------------------


def _signed_off(state: LedgerState, event: Event) -> str | None:
    item = _the_newest(state, event["submission_id"])
    if isinstance(item, str):
        return item
    # Between looking and signing a file may be validated again, under other rules.
    if event["seal"] != seal_of(item):
        return f"{item.submission_id} has changed since it was shown: look at it again."
    if state.sign_off(item)[0] == "valid":
        return f"{item.submission_id} is signed off already."
    codes = sorted({query.code for query in state.queries(item) if query.is_open})
    if codes:
        return (
            f"{item.submission_id} has open queries ({', '.join(codes)}): correct the file and "
            "send it again, or have them tolerated; then sign off."
        )
    aside = rows_set_aside(item)
    # The number has to be typed: nobody signs off without knowing how many rows count nowhere.
    if event["rows_left_out"] != aside:
        return (
            f"{item.submission_id} has {aside} rows set aside for errors, which count nowhere: "
            f"correct them and send the file again, or sign off --without-rows {aside}."
        )
    return None


def _accepted_centrally(state: LedgerState, event: Event) -> str | None:
    item = _the_newest(state, event["submission_id"])
    if isinstance(item, str):
        return item
    sign_off, _ = state.sign_off(item)
    if sign_off != "valid":
        words = sign_off_words(sign_off, "en")
        return f"{item.submission_id}: {words}. Its sender has to sign it off first."
    if event["seal"] != seal_of(item):
        return f"{item.submission_id} has changed since it was shown: look at it again."
    if state.is_agreed(item):
        return f"{item.submission_id} is accepted already."
    return None


def _the_newest(state: LedgerState, submission_id: str) -> Submission | str:
    """The submission, if it is the one that stands for its quarter; else why it is not."""
    item = state.submissions.get(submission_id)
    if item is None:
        return f"{submission_id} was never received."
    if not item.is_accepted:
        return f"{submission_id} was not accepted: its status is {item.status}."
    newest = state.newest(*whose(item))
    if newest is item:
        return item
    delivery_state = state.delivery(submission_id).state.replace("_", " ")
    now = f"{newest.submission_id} stands" if newest else "nothing stands"
    return f"{submission_id} is {delivery_state}: {now} for its sender and quarter."


def _withdrawn(state: LedgerState, event: Event) -> str | None:
    item = state.submissions.get(event["submission_id"])
    if item is None:
        return f"{event['submission_id']} was never received."
    if not item.is_accepted:
        return (
            f"{item.submission_id} was not accepted (its status is {item.status}): it is in no "
            "figure, so there is nothing to withdraw."
        )
    if item.submission_id in state.withdrawn:
        return f"{item.submission_id} was withdrawn before."
    lock = state.lock_over(item)
    if lock is not None and item.submission_id in lock.withdrawals:
        return f"{item.submission_id} was withdrawn before, and waits for the next revision."
    return None


# --- a nation's quarter ---------------------------------------------------------


def _locked(state: LedgerState, event: Event) -> str | None:
    nation_code, quarter = event["nation_code"], event["quarter"]
    if (nation_code, quarter) in state.locks:
        return f"{quarter} is already locked for {nation_code}."
    # A file without a verdict would come to be held or counted by when somebody took it in.
    waiting = len(state.waiting(nation_code, quarter))
    if waiting:
        return f"Files for {quarter} not validated yet: {waiting}. Run `adoption take-in` first."
    return None


def _unlocked(state: LedgerState, event: Event) -> str | None:
    lock = state.locks.get((event["nation_code"], event["quarter"]))
    if lock is None:
        return f"{event['quarter']} is not locked for {event['nation_code']}."
    if (lock.nation_code, lock.quarter) in state.releases:
        return f"{lock.quarter} was released and cannot be unlocked: revise it instead."
    # What was published may have been quoted; it is replaced with a number and a reason, not
    # undone.
    if lock.publications:
        return (
            f"{lock.quarter} was published as version {lock.publications[-1].version}: revise "
            "it instead, with a reason, since a published quarter cannot be unlocked."
        )
    return None


def _revised(state: LedgerState, event: Event) -> str | None:
    lock = state.locks.get((event["nation_code"], event["quarter"]))
    if lock is None:
        return (
            f"{event['quarter']} is not locked for {event['nation_code']}: new files count "
            "without a revision."
        )
    released = state.releases.get((lock.nation_code, lock.quarter), ())
    # What was released has left the house, whether or not the internal files were published.
    is_out = any(release["revision"] == lock.revision for release in released)
    if lock.published_version is None and not is_out:
        return f"Revision {lock.revision} of {lock.quarter} has not been published yet: " + (
            "publish or release it first."
            if lock.publications or released
            else "publish it first, or unlock it."
        )
    for listed, there in (
        (event["released"], lock.held),
        (event["withdrawals"], lock.withdrawals),
    ):
        for submission_id in listed:
            if submission_id not in there:
                return f"{submission_id} is not held for a revision of {lock.quarter}."
    return None


def _published(state: LedgerState, event: Event) -> str | None:
    for nation_code, revision in event["revisions"].items():
        lock = state.locks.get((nation_code, event["quarter"]))
        if lock is None or lock.revision != revision:
            return f"{event['quarter']} has no revision {revision} for {nation_code} now."
    return None


def _exported(state: LedgerState, event: Event) -> str | None:
    return None


def _released(state: LedgerState, event: Event) -> str | None:
    nation_code, quarter = event["nation_code"], event["quarter"]
    lock = state.locks.get((nation_code, quarter))
    if lock is None:
        return (
            f"{quarter} is not locked for {nation_code}: only a locked quarter is released. "
            "See `adoption lock`."
        )
    if lock.revision != event["revision"]:
        return f"{quarter} has no revision {event['revision']} for {nation_code} now."
    version = len(state.releases.get((nation_code, quarter), ())) + 1
    if event["version"] != version:
        return f"The next release of {quarter} for {nation_code} is version {version}."
    if version > 1 and not event["reason"]:
        return f"Version {version} of a release needs a reason: say why it changes."
    return None


_CHECKS: dict[str, Callable[[LedgerState, Event], str | None]] = {
    "received": _received,
    "duplicate": _duplicate,
    "judged": _judged,
    "confirmed": _confirmed,
    "stored": _stored,
    "reported": _always,
    "rekeyed": _always,
    "erased": _always,
    "tolerated": _tolerated,
    "reopened": _reopened,
    "signed_off": _signed_off,
    "accepted_centrally": _accepted_centrally,
    "withdrawn": _withdrawn,
    "locked": _locked,
    "unlocked": _unlocked,
    "revised": _revised,
    "published": _published,
    "exported": _exported,
    "released": _released,
}
EVENTS = tuple(_CHECKS)
