"""What may follow in the life of a return: which event the ledger takes next, and why not others.

Only what happened before is looked at. Roles and calendars are of the day of a decision, and are
checked then by ``decisions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.lifecycle.ledger import Submission
from pipelines.lifecycle.states import Book, Query, rows_set_aside, seal_of, whose
from pipelines.lifecycle.words import SIGN_OFFS

Event = Mapping[str, Any]


def refusal(book: Book, event: Event) -> str | None:
    """Why ``event`` cannot follow what has happened, in a sentence; None when it can."""
    look = _LOOKS.get(event["event"])
    return look(book, event) if look else "The ledger knows no event of this kind."


# --- deliveries -----------------------------------------------------------------


def _received(book: Book, event: Event) -> str | None:
    if event["submission_id"] in book.submissions:
        return f"{event['submission_id']} was received before."
    return None


def _duplicate(book: Book, event: Event) -> str | None:
    if event["duplicate_of"] not in book.submissions:
        return f"It repeats {event['duplicate_of']}, which was never received."
    return _received(book, event)


def _judged(book: Book, event: Event) -> str | None:
    item = book.submissions.get(event["submission_id"])
    if item is None:
        return f"{event['submission_id']} was never received."
    if item.status == "duplicate":
        return f"{item.submission_id} is a duplicate: the verdict of the first file holds."
    lock = book.lock_over(item)
    if not item.is_waiting and lock is not None and item.submission_id not in lock.held:
        return (
            f"{item.quarter} is locked for {lock.nation_code}: what is in it is not judged again."
        )
    return None


def _reported(book: Book, event: Event) -> str | None:
    return None


# --- queries --------------------------------------------------------------------


def _tolerated(book: Book, event: Event) -> str | None:
    asked = _asked(book, event)
    if isinstance(asked, str):
        return asked
    if not asked.is_open and asked.tolerance:
        return f"{asked.code} is tolerated already, up to {asked.tolerance.limit} rows."
    if event["limit"] < asked.rows:
        return (
            f"{asked.rows} rows have the query {asked.code} and the limit given is "
            f"{event['limit']}: it would stay open."
        )
    if event["until"] < event["quarter"]:
        return f"The tolerance would end with {event['until']}, before {event['quarter']} itself."
    return None


def _reopened(book: Book, event: Event) -> str | None:
    asked = _asked(book, event)
    if isinstance(asked, str):
        return asked
    return f"{asked.code} is open already." if asked.is_open else None


def _asked(book: Book, event: Event) -> Query | str:
    """The query that an answer is about, or why there is none."""
    sender_code, quarter, code = event["sender_code"], event["quarter"], event["code"]
    item = book.newest(sender_code, quarter)
    if item is None:
        return f"{sender_code} has no accepted return for {quarter}: there is nothing to answer."
    name = event["return_name"]
    for one in book.queries(item):
        if (one.return_name, one.code) == (name, code):
            return one
    if code in item.errors.get(name, {}):
        return (
            f"{code} is an error, not a query: errors cannot be tolerated. Correct the rows and "
            "send the whole file again."
        )
    return (
        f"The rule {code} asks nothing of the {name} return of {sender_code} for {quarter} "
        f"({item.submission_id}): `adoption queries` lists what is asked."
    )


# --- one submission -------------------------------------------------------------


def _signed_off(book: Book, event: Event) -> str | None:
    item = _the_newest(book, event["submission_id"])
    if isinstance(item, str):
        return item
    if event["seal"] != seal_of(item):
        return f"{item.submission_id} is not what it was when it was shown: look at it again."
    if book.sign_off(item)[0] == "valid":
        return f"{item.submission_id} is signed off already."
    codes = sorted({one.code for one in book.queries(item) if one.is_open})
    if codes:
        return (
            f"{item.submission_id} has open queries ({', '.join(codes)}): correct the file and "
            "send it again, or have them tolerated; then sign off."
        )
    aside = rows_set_aside(item)
    if event["rows_left_out"] != aside:
        return (
            f"{item.submission_id} has {aside} rows set aside for errors, which are in no figure: "
            f"correct them and send the file again, or sign off --without-rows {aside}."
        )
    return None


def _accepted_centrally(book: Book, event: Event) -> str | None:
    item = _the_newest(book, event["submission_id"])
    if isinstance(item, str):
        return item
    state, _ = book.sign_off(item)
    if state != "valid":
        return f"{item.submission_id}: {SIGN_OFFS[state].en}. Its sender signs off first."
    if event["seal"] != seal_of(item):
        return f"{item.submission_id} is not what it was when it was shown: look at it again."
    if book.is_agreed(item):
        return f"{item.submission_id} is accepted already."
    return None


def _the_newest(book: Book, submission_id: str) -> Submission | str:
    """The submission, if it is the one that stands for its quarter; else why it is not."""
    item = book.submissions.get(submission_id)
    if item is None:
        return f"{submission_id} was never received."
    if not item.is_accepted:
        return f"{submission_id} was not accepted: its status is {item.status}."
    newest = book.newest(*whose(item))
    if newest is item:
        return item
    state = book.delivery(submission_id).state
    now = f"{newest.submission_id} stands" if newest else "nothing stands"
    return f"{submission_id} is {state}: {now} for its sender and quarter."


def _withdrawn(book: Book, event: Event) -> str | None:
    item = book.submissions.get(event["submission_id"])
    if item is None:
        return f"{event['submission_id']} was never received."
    if not item.is_accepted:
        return (
            f"{item.submission_id} was not accepted (its status is {item.status}): it is in no "
            "figure, so there is nothing to withdraw."
        )
    if item.submission_id in book.withdrawn:
        return f"{item.submission_id} was withdrawn before."
    lock = book.lock_over(item)
    if lock is not None and item.submission_id in lock.withdrawals:
        return f"{item.submission_id} was withdrawn before, and waits for the next revision."
    return None


# --- a nation's quarter ---------------------------------------------------------


def _locked(book: Book, event: Event) -> str | None:
    nation_code, quarter = event["nation_code"], event["quarter"]
    if (nation_code, quarter) in book.locks:
        return f"{quarter} is locked for {nation_code} already."
    waiting = len(book.waiting(nation_code, quarter))
    if waiting:
        return (
            f"Files for {quarter} wait for their verdict ({waiting}): run `adoption take-in` first."
        )
    return None


def _unlocked(book: Book, event: Event) -> str | None:
    lock = book.locks.get((event["nation_code"], event["quarter"]))
    if lock is None:
        return f"{event['quarter']} is not locked for {event['nation_code']}."
    if (lock.nation_code, lock.quarter) in book.releases:
        return f"{lock.quarter} was released: what is released is revised, and not unlocked."
    if lock.publications:
        return (
            f"{lock.quarter} was published as version {lock.publications[-1].version}: what is "
            "published is revised, with a reason, and not unlocked."
        )
    return None


def _revised(book: Book, event: Event) -> str | None:
    lock = book.locks.get((event["nation_code"], event["quarter"]))
    if lock is None:
        return (
            f"{event['quarter']} is not locked for {event['nation_code']}: new files count "
            "without a revision."
        )
    if lock.published_version is None:
        return f"Revision {lock.revision} of {lock.quarter} has not been published yet: " + (
            "publish it first." if lock.publications else "publish it first, or unlock it."
        )
    for listed, there in (
        (event["released"], lock.held),
        (event["withdrawals"], lock.withdrawals),
    ):
        for submission_id in listed:
            if submission_id not in there:
                return f"{submission_id} is not held for a revision of {lock.quarter}."
    return None


def _published(book: Book, event: Event) -> str | None:
    for nation_code, revision in event["revisions"].items():
        lock = book.locks.get((nation_code, event["quarter"]))
        if lock is None or lock.revision != revision:
            return f"{event['quarter']} has no revision {revision} for {nation_code} now."
    return None


def _released(book: Book, event: Event) -> str | None:
    nation_code, quarter = event["nation_code"], event["quarter"]
    lock = book.locks.get((nation_code, quarter))
    if lock is None:
        return (
            f"{quarter} is not locked for {nation_code}: a release shows a quarter that is closed. "
            "See `adoption lock`."
        )
    if lock.revision != event["revision"]:
        return f"{quarter} has no revision {event['revision']} for {nation_code} now."
    version = len(book.releases.get((nation_code, quarter), ())) + 1
    if event["version"] != version:
        return f"The next release of {quarter} for {nation_code} is version {version}."
    if version > 1 and not event["reason"]:
        return f"Version {version} of a release needs a reason: say why it changes."
    return None


_LOOKS: dict[str, Callable[[Book, Event], str | None]] = {
    "received": _received,
    "duplicate": _duplicate,
    "judged": _judged,
    "reported": _reported,
    "tolerated": _tolerated,
    "reopened": _reopened,
    "signed_off": _signed_off,
    "accepted_centrally": _accepted_centrally,
    "withdrawn": _withdrawn,
    "locked": _locked,
    "unlocked": _unlocked,
    "revised": _revised,
    "published": _published,
    "released": _released,
}
EVENTS = tuple(_LOOKS)
