"""A quarter on one page: what was due, what came, what is missing, and the figures that rest on it.

Counts by sender, return and rule, and figures of nations; never a row about a child. Made from the
ledger, the declarations, a day and the published warehouse; nothing is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.owed import Board, Group, boards
from pipelines.lifecycle.reminders import long_day
from pipelines.lifecycle.states import ReturnStatus, fold, quarters_asked
from pipelines.lifecycle.words import ACTORS, NOT_IN, STATES
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.warehouse.figures import Figure

# The one window of an indicator that is told: the shortest it has, since trends are of quarters.
WINDOWS = ("quarter", "rolling_4", "rolling_12")

# Where the web server of ``pipelines.ui.web`` shows the exports room.
FILES = "/files"

_NOT_DUE = "–"
_WAITED_FOR = frozenset({*NOT_IN, "received"})


@dataclass(frozen=True)
class SenderLine:
    """What became of one sender's returns; states by name of the return, in a few words."""

    place: str
    states: Mapping[str, str]
    last_received: str


@dataclass(frozen=True)
class NotIn:
    """A return that is due and not accepted, or not judged yet."""

    place: str
    title: str
    state: str
    acts_next: str


@dataclass(frozen=True)
class GroupLine:
    """Returns of a region or agency, or of a nation, counted."""

    name: str
    due: int
    accepted: int
    with_queries_or_errors: int


@dataclass(frozen=True)
class Refusal:
    """A sender whose newest file was refused; the reason names no value of a row."""

    place: str
    submission_id: str
    received: str
    why: str
    still_in_force: str


@dataclass(frozen=True)
class Headline:
    """A figure of a nation; ``value`` is None where nothing was accepted."""

    nation: str
    title: str
    indicator_id: str
    definition_status: str
    window: str
    unit: str
    value: float | None
    shown: str

    @property
    def caption(self) -> str:
        window = "" if self.window == "quarter" else f", {self.window.replace('_', ' ')} quarters"
        return (
            f"{self.nation}: {self.title}{window} ({self.indicator_id}, {self.definition_status})"
        )


@dataclass(frozen=True)
class Statement:
    """Something that should be so; if it is not, ``told`` says by how much and who has to act."""

    is_so: bool
    told: str
    count: int


@dataclass(frozen=True)
class Release:
    """The newest export version of a quarter, as it lies on disk."""

    version: int
    folder: Path


@dataclass(frozen=True)
class QuarterPage:
    """Everything that is told of a quarter on a day."""

    quarter: Quarter
    today: date
    deadline: date
    is_sample: bool
    statuses: tuple[ReturnStatus, ...]
    senders: tuple[SenderLine, ...]
    not_in: tuple[NotIn, ...]
    groups: tuple[GroupLine, ...]
    refusals: tuple[Refusal, ...]
    files_received: int
    rows_accepted: int
    headlines: tuple[Headline, ...]
    release: Release | None
    places: Mapping[str, str]

    @property
    def due(self) -> int:
        return len(self.statuses)

    @property
    def accepted(self) -> int:
        return sum(one.submission_id is not None for one in self.statuses)

    @property
    def overdue(self) -> int:
        return sum(one.state == "overdue" for one in self.statuses)

    @property
    def missing(self) -> int:
        """Due, and nothing came at all, be it overdue or not yet."""
        return sum(one.state in ("expected", "overdue", "withdrawn") for one in self.statuses)

    @property
    def refused(self) -> int:
        return sum(one.state == "rejected" for one in self.statuses)

    @property
    def late(self) -> int:
        return sum(one.is_late for one in self.statuses)

    @property
    def rows_set_aside(self) -> int:
        return sum(one.rows_set_aside for one in self.statuses)

    @property
    def queries_open(self) -> int:
        return sum(one.queries_open for one in self.statuses)

    @property
    def signed_off(self) -> int:
        return sum(one.sign_off == "valid" for one in self.statuses)

    @property
    def deadline_in_words(self) -> str:
        return long_day(self.deadline, "en")

    @property
    def sentence(self) -> str:
        """The quarter's state in one breath."""
        if not self.due:
            return "No return is due for this quarter."
        share = 100 * self.accepted // self.due
        parts = [f"{self.accepted} of {self.due} returns due are accepted ({share} %)"]
        for count, words in (
            (self.refused, "refused with nothing in force"),
            (self.overdue, f"overdue since {long_day(self.deadline, 'en')}"),
            (self.missing - self.overdue, f"not in yet (due by {long_day(self.deadline, 'en')})"),
            (self.queries_open, "queries open" if self.queries_open > 1 else "query open"),
            (self.rows_set_aside, "rows set aside for errors"),
        ):
            if count:
                parts.append(f"{count} {words}")
        told = "; ".join(parts) + "."
        return f"{told} Synthetic sample data." if self.is_sample else told

    def statements(self) -> dict[str, Statement]:
        """What should be so of a quarter, by the name of its check."""
        waiting = [one for one in self.statuses if one.state in _WAITED_FOR]
        overdue = [one for one in self.statuses if one.state == "overdue"]
        aside = [one for one in self.statuses if one.rows_set_aside]
        queried = [one for one in self.statuses if one.queries_open]
        return {
            "every_return_due_was_accepted": Statement(
                not waiting,
                f"{self.accepted} of {self.due} returns due are accepted."
                + self._named("Not in", waiting),
                len(waiting),
            ),
            "no_return_is_overdue": Statement(
                not overdue,
                f"{_counted(len(overdue), 'return is', 'returns are')} overdue; "
                "the (proposed) deadline was "
                f"{long_day(self.deadline, 'en')}." + self._named("Overdue", overdue)
                if overdue
                else f"The (proposed) deadline is {long_day(self.deadline, 'en')}.",
                len(overdue),
            ),
            "no_refusal_is_unanswered": Statement(
                not self.refusals,
                f"{_counted(len(self.refusals), 'sender has', 'senders have')} to send a refused "
                "file again." + _listed("They are", (one.place for one in self.refusals))
                if self.refusals
                else "No sender's newest file was refused.",
                len(self.refusals),
            ),
            "no_row_is_set_aside": Statement(
                not aside,
                f"{_counted(self.rows_set_aside, 'row with errors is', 'rows with errors are')} in "
                "no figure." + self._named("Set aside", aside)
                if aside
                else "Every row of the accepted returns counts.",
                self.rows_set_aside,
            ),
            "no_query_is_open": Statement(
                not queried,
                f"{_counted(self.queries_open, 'query waits', 'queries wait')} for a correction "
                "or an explanation." + self._named("Asked of", queried)
                if queried
                else "No query waits for an answer.",
                self.queries_open,
            ),
        }

    def _named(self, words: str, statuses: Sequence[ReturnStatus]) -> str:
        return _listed(words, (f"{self.places[o.sender_code]} ({o.return_name})" for o in statuses))


def quarters_of_collection(settings: Settings) -> list[Quarter]:
    """Quarters for which anything was ever sent, oldest first."""
    sent = {item.quarter for item in Ledger(settings.ledger).submissions() if item.quarter}
    return sorted(Quarter.parse(label) for label in sent)


def quarters_to_watch(
    settings: Settings, declarations: Declarations, today: date, at_most: int = 4
) -> list[Quarter]:
    """The newest ended quarters, at most so many, in which something has to be done; oldest first.

    A sample collection is not watched: its quarters are long gone.
    """
    events = Ledger(settings.ledger).events()
    book = fold(events, declarations, today, []).book
    submissions = list(book.submissions.values())
    if any(item.is_synthetic for item in submissions if item.is_accepted):
        return []
    asked = quarters_asked(submissions, today)[-at_most:]
    life = fold(events, declarations, today, asked)
    to_do = {one.quarter for one in life.returns if one.acts != "nobody"}
    return [quarter for quarter in asked if quarter.label in to_do]


def quarter_pages(
    settings: Settings, declarations: Declarations, quarters: Sequence[Quarter], today: date
) -> list[QuarterPage]:
    """Pages of ``quarters`` as they stand on ``today``, oldest first.

    A quarter that is not over has nothing due. Without a published warehouse there are no
    headlines. Raises LedgerError.
    """
    quarters = sorted(set(quarters))
    submissions = Ledger(settings.ledger).submissions()
    found = boards(settings, declarations, today, quarters) if quarters else []
    headlines = _headlines(settings, quarters)
    return [
        _page(settings, declarations, quarter, today, submissions, found, headlines)
        for quarter in quarters
    ]


def _page(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    today: date,
    submissions: Sequence[Submission],
    found: Sequence[Board],
    headlines: Mapping[Quarter, tuple[Headline, ...]],
) -> QuarterPage:
    mine = [item for item in submissions if item.quarter == quarter.label]
    by_id = {item.submission_id: item for item in mine}
    statuses = tuple(
        one for board in found for one in board.statuses if one.quarter == quarter.label
    )
    return QuarterPage(
        quarter=quarter,
        today=today,
        deadline=max(
            (one.deadline for one in statuses),
            default=max(p.deadline(quarter) for p in declarations.policies.values()),
        ),
        is_sample=any(item.is_synthetic for item in submissions if item.is_accepted),
        statuses=statuses,
        senders=tuple(_sender_lines(declarations, quarter, mine, found)),
        not_in=tuple(
            NotIn(
                _name(declarations, one.sender_code),
                declarations.returns[one.return_name].title.en,
                STATES[one.state].word.en,
                ACTORS[one.acts].en,
            )
            for one in statuses
            if one.state in _WAITED_FOR
        ),
        groups=tuple(_group_lines(declarations, quarter, found)),
        refusals=tuple(_refusals(declarations, mine, statuses)),
        files_received=len(mine),
        rows_accepted=sum(
            by_id[one.in_force_submission_id].returns[one.return_name]["rows_accepted"]
            for one in statuses
            if one.in_force_submission_id in by_id
        ),
        headlines=headlines.get(quarter, ()),
        release=_release(settings, quarter),
        places={one.sender_code: _name(declarations, one.sender_code) for one in statuses},
    )


def _sender_lines(
    declarations: Declarations,
    quarter: Quarter,
    mine: Sequence[Submission],
    found: Sequence[Board],
) -> Iterator[SenderLine]:
    received = {item.sender_code: item.received_at for item in mine}  # the newest comes last
    for board in found:
        for group in board.groups:
            by_sender: dict[str, list[ReturnStatus]] = {}
            for one in _of(group, quarter):
                by_sender.setdefault(one.sender_code, []).append(one)
            for sender_code, returns in by_sender.items():
                came = received.get(sender_code)
                yield SenderLine(
                    place=_name(declarations, sender_code),
                    states=dict.fromkeys(declarations.returns, _NOT_DUE)
                    | {one.return_name: _state(one) for one in returns},
                    last_received=came.date().isoformat() if came else "",
                )


def _state(one: ReturnStatus) -> str:
    """``queries open: 2, late``"""
    told = STATES[one.state].word.en
    if one.queries_open and one.state == "queries_open":
        told = f"{told}: {one.queries_open}"
    elif one.rows_set_aside:
        told = f"{told}: {one.rows_set_aside} rows set aside"
    if one.is_late:
        told = f"{told}, late"
    if one.is_newer_file_refused:
        told = f"{told}, newer file refused"
    return f"{told}, sign-off void" if one.sign_off.startswith("void") else told


def _group_lines(
    declarations: Declarations, quarter: Quarter, found: Sequence[Board]
) -> Iterator[GroupLine]:
    for board in found:
        summaries = [
            (group, summary)
            for group in board.groups
            for summary in group.summaries
            if summary.quarter == quarter.label and summary.returns
        ]
        lines = [
            GroupLine(
                group.name.en,
                one.returns,
                one.returns_in,
                one.to_be_answered,
            )
            for group, one in summaries
        ]
        if lines:
            nation = _name(declarations, board.nation_code)
            yield GroupLine(
                f"{nation}, all", *(sum(counts) for counts in zip(*_counts(lines), strict=True))
            )
            yield from lines


def _counts(lines: Sequence[GroupLine]) -> Iterator[tuple[int, int, int]]:
    for one in lines:
        yield one.due, one.accepted, one.with_queries_or_errors


def _of(group: Group, quarter: Quarter) -> Iterator[ReturnStatus]:
    for row in group.rows:
        yield from (one for one in row if one and one.quarter == quarter.label)


def _refusals(
    declarations: Declarations, mine: Sequence[Submission], statuses: Sequence[ReturnStatus]
) -> Iterator[Refusal]:
    """Senders that have to send again, and files of senders who owe nothing and were refused."""
    in_force = {one.sender_code: one.version for one in statuses if one.in_force_submission_id}
    newest: dict[str | None, Submission] = {}
    for item in mine:
        if item.status != "duplicate":
            newest[item.sender_code or item.submission_id] = item
    for item in newest.values():
        if item.status == "refused":
            version = in_force.get(item.sender_code or "")
            yield Refusal(
                place=_name(declarations, item.sender_code) if item.sender_code else "not known",
                submission_id=item.submission_id,
                received=item.received_at.date().isoformat(),
                why=item.refusal_sentence_en or "",
                still_in_force=f"version {version}" if version else "nothing",
            )


def _headlines(
    settings: Settings, quarters: Iterable[Quarter]
) -> dict[Quarter, tuple[Headline, ...]]:
    from pipelines.warehouse.figures import headline_figures
    from pipelines.warehouse.published import open_warehouse

    if not settings.warehouse.exists():
        return {}
    with open_warehouse(settings) as connection:
        return {
            quarter: tuple(_of_nations(headline_figures(connection, quarter)))
            for quarter in quarters
        }


def _of_nations(figures: Sequence[Figure]) -> Iterator[Headline]:
    from pipelines.warehouse.figures import shown_value

    chosen: dict[tuple[str, str], Figure] = {}
    for figure in figures:
        if figure.place_kind == "nation" and figure.window_name in WINDOWS:
            key = (figure.place_code, figure.indicator_id)
            known = chosen.get(key)
            if known is None or _shorter(figure, known):
                chosen[key] = figure
    for figure in chosen.values():
        yield Headline(
            figure.place_name_en,
            figure.title_en,
            figure.indicator_id,
            figure.definition_status,
            figure.window_name,
            figure.unit,
            figure.value,
            shown_value(figure),
        )


def _shorter(one: Figure, other: Figure) -> bool:
    return WINDOWS.index(one.window_name) < WINDOWS.index(other.window_name)


def _release(settings: Settings, quarter: Quarter) -> Release | None:
    home = settings.exports / quarter.label
    versions = [int(p.name) for p in home.iterdir() if p.name.isdigit()] if home.exists() else []
    if not versions:
        return None
    return Release(max(versions), home / str(max(versions)))


def web_address(path: Path, settings: Settings, files_url: str | None) -> str:
    """Where a browser finds a file of the exports room: beside the page that links to it, unless
    the operator serves the room elsewhere. Links are kept for years, so they name no machine."""
    inside = path.relative_to(settings.exports).as_posix()
    return f"{(files_url or FILES).rstrip('/')}/{quote(inside)}"


def problems_by_rule(
    submissions: Iterable[Submission], quarter: Quarter
) -> list[tuple[str, str, str, int, int]]:
    """Return, rule, kind, rows and senders of what verdicts on a quarter found, most rows first.

    Of each sender the newest file that was judged.
    """
    newest = {
        item.sender_code: item
        for item in submissions
        if item.quarter == quarter.label and not item.is_waiting and item.status != "duplicate"
    }
    rows: Counter[tuple[str, str, str]] = Counter()
    senders: Counter[tuple[str, str, str]] = Counter()
    for item in newest.values():
        for kind, by_return in (("error", item.errors), ("query", item.queries)):
            for return_name, by_code in by_return.items():
                for code, count in by_code.items():
                    rows[return_name, code, kind] += count
                    senders[return_name, code, kind] += 1
    return [(*key, count, senders[key]) for key, count in rows.most_common()]


def rows_in(folder: Path) -> int:
    """Rows of all Parquet files of a folder, told by their footers."""
    import polars as pl

    files = sorted(folder.glob("*.parquet")) if folder.exists() else []
    return sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in files)


def _name(declarations: Declarations, place_code: str) -> str:
    place = declarations.places.get(place_code)
    return place.name_en if place else place_code


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _listed(words: str, names: Iterable[str], at_most: int = 10) -> str:
    names = list(names)
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return f" {words}: {', '.join(names[:at_most])}{more}." if names else ""
