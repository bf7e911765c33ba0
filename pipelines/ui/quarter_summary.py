"""What is known of one quarter on a day: returns due and accepted, refused files, headline figures.

Counts by sender, return and group, and figures of nations; never a row about a child. Computed
from the ledger, the declarations, a day and the published warehouse; nothing is stored. How it is
said is in ``quarter_sentences``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.declarations import Declarations
from pipelines.lifecycle.days import local_day
from pipelines.lifecycle.ledger import Ledger, Submission
from pipelines.lifecycle.owed import GroupOwed, ReturnsOwed, returns_owed
from pipelines.lifecycle.states import ReturnStatus, fold, quarters_asked
from pipelines.lifecycle.words import NOT_IN
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.warehouse.figures import Figure

# Of each indicator the shortest window that it has is shown, since trends are of quarters.
WINDOWS = ("quarter", "rolling_4", "rolling_12")

_AWAITED = frozenset({*NOT_IN, "received"})


@dataclass(frozen=True)
class SenderReturns:
    """The returns that one sender owes for the quarter, by name of the return."""

    sender: str
    returns: Mapping[str, ReturnStatus]
    last_received_on: date | None


@dataclass(frozen=True)
class GroupCount:
    """Returns of a region or agency, or of a whole nation, counted."""

    name: str
    due: int
    accepted: int
    to_answer: int


@dataclass(frozen=True)
class RefusedFile:
    """A sender's newest file, which was refused; the reason names no value of a row.

    ``version_in_force`` is the earlier version that still counts, None where none does.
    """

    sender: str
    submission_id: str
    received_on: date
    reason: str
    version_in_force: int | None


@dataclass(frozen=True)
class NationFigure:
    """A headline figure of a nation; ``value`` is None where nothing was accepted."""

    nation: str
    title: str
    indicator_id: str
    definition_status: str
    window: str
    unit: str
    value: float | None
    value_as_text: str

    @property
    def caption(self) -> str:
        window = "" if self.window == "quarter" else f", {self.window.replace('_', ' ')} quarters"
        return (
            f"{self.nation}: {self.title}{window} ({self.indicator_id}, {self.definition_status})"
        )


@dataclass(frozen=True)
class ExportVersion:
    """The newest export version of a quarter, as it lies on disk."""

    version: int
    folder: Path


@dataclass(frozen=True)
class QuarterSummary:
    """Where one quarter stands on a day."""

    quarter: Quarter
    today: date
    deadline: date
    is_sample: bool
    statuses: tuple[ReturnStatus, ...]
    senders: tuple[SenderReturns, ...]
    groups: tuple[GroupCount, ...]
    refused_files: tuple[RefusedFile, ...]
    files_received: int
    rows_accepted: int
    figures: tuple[NationFigure, ...]
    export: ExportVersion | None
    names_of_senders: Mapping[str, str]

    @property
    def due(self) -> int:
        return len(self.statuses)

    @property
    def accepted(self) -> int:
        return sum(status.submission_id is not None for status in self.statuses)

    @property
    def awaited(self) -> tuple[ReturnStatus, ...]:
        """Returns that are due and not accepted, or not validated yet."""
        return tuple(status for status in self.statuses if status.state in _AWAITED)

    @property
    def overdue(self) -> tuple[ReturnStatus, ...]:
        return tuple(status for status in self.statuses if status.state == "overdue")

    @property
    def missing(self) -> int:
        """Due, and nothing was received at all, whether overdue or not yet."""
        return sum(status.state in ("expected", "overdue", "withdrawn") for status in self.statuses)

    @property
    def refused(self) -> int:
        return sum(status.state == "rejected" for status in self.statuses)

    @property
    def late(self) -> int:
        return sum(status.is_late for status in self.statuses)

    @property
    def rows_set_aside(self) -> int:
        return sum(status.rows_set_aside for status in self.statuses)

    @property
    def queries_open(self) -> int:
        return sum(status.queries_open for status in self.statuses)

    @property
    def signed_off(self) -> int:
        return sum(status.sign_off == "valid" for status in self.statuses)


def quarters_of_collection(settings: Settings) -> list[Quarter]:
    """Quarters for which anything was ever sent, oldest first."""
    submissions = Ledger(settings.ledger).submissions()
    return sorted({Quarter.parse(item.quarter) for item in submissions if item.quarter})


def quarters_to_watch(
    settings: Settings, declarations: Declarations, today: date, at_most: int = 4
) -> list[Quarter]:
    """The newest ended quarters, at most so many, in which somebody still has to act; oldest first.

    A sample collection is not watched: its quarters are long past.
    """
    events = Ledger(settings.ledger).events()
    submissions = list(fold(events, declarations, today, []).ledger_state.submissions.values())
    if any(item.is_synthetic for item in submissions if item.is_accepted):
        return []
    newest = quarters_asked(submissions, today)[-at_most:]
    returns = fold(events, declarations, today, newest).returns
    with_work = {status.quarter for status in returns if status.acts != "nobody"}
    return [quarter for quarter in newest if quarter.label in with_work]


def quarter_summaries(
    settings: Settings, declarations: Declarations, quarters: Sequence[Quarter], today: date
) -> list[QuarterSummary]:
    """Summaries of ``quarters`` as they stand on ``today``, oldest first.

    A quarter that has not ended has nothing due. Without a published warehouse there are no
    figures. Raises LedgerError.
    """
    quarters = sorted(set(quarters))
    submissions = Ledger(settings.ledger).submissions()
    nations = returns_owed(settings, declarations, today, quarters) if quarters else []
    figures = _figures(settings, quarters)
    return [
        _summary(settings, declarations, quarter, today, submissions, nations, figures)
        for quarter in quarters
    ]


def _summary(
    settings: Settings,
    declarations: Declarations,
    quarter: Quarter,
    today: date,
    submissions: Sequence[Submission],
    nations: Sequence[ReturnsOwed],
    figures: Mapping[Quarter, tuple[NationFigure, ...]],
) -> QuarterSummary:
    sent = [item for item in submissions if item.quarter == quarter.label]
    by_id = {item.submission_id: item for item in sent}
    statuses = tuple(
        status
        for nation in nations
        for status in nation.statuses
        if status.quarter == quarter.label
    )
    return QuarterSummary(
        quarter=quarter,
        today=today,
        deadline=max(
            (status.deadline for status in statuses),
            default=max(policy.deadline(quarter) for policy in declarations.policies.values()),
        ),
        is_sample=any(item.is_synthetic for item in submissions if item.is_accepted),
        statuses=statuses,
        senders=tuple(_senders(declarations, quarter, sent, nations)),
        groups=tuple(_group_counts(declarations, quarter, nations)),
        refused_files=tuple(_refused_files(declarations, sent, statuses)),
        files_received=len(sent),
        rows_accepted=sum(
            by_id[status.in_force_submission_id].returns[status.return_name]["rows_accepted"]
            for status in statuses
            if status.in_force_submission_id in by_id
        ),
        figures=figures.get(quarter, ()),
        export=_newest_export(settings, quarter),
        names_of_senders={
            status.sender_code: _name(declarations, status.sender_code) for status in statuses
        },
    )


def _senders(
    declarations: Declarations,
    quarter: Quarter,
    sent: Sequence[Submission],
    nations: Sequence[ReturnsOwed],
) -> Iterator[SenderReturns]:
    received = {item.sender_code: item.received_at for item in sent}  # the newest comes last
    for nation in nations:
        for group in nation.groups:
            by_sender: dict[str, dict[str, ReturnStatus]] = {}
            for status in _statuses_of(group, quarter):
                by_sender.setdefault(status.sender_code, {})[status.return_name] = status
            for sender_code, returns in by_sender.items():
                last = received.get(sender_code)
                yield SenderReturns(
                    sender=_name(declarations, sender_code),
                    returns=returns,
                    last_received_on=last.date() if last else None,
                )


def _group_counts(
    declarations: Declarations, quarter: Quarter, nations: Sequence[ReturnsOwed]
) -> Iterator[GroupCount]:
    """A line for each nation, and under it one for each of its regions and agencies."""
    for nation in nations:
        counts = [
            GroupCount(group.name.en, count.returns, count.returns_in, count.to_be_answered)
            for group in nation.groups
            for count in group.counts
            if count.quarter == quarter.label and count.returns
        ]
        if counts:
            yield GroupCount(
                f"{_name(declarations, nation.nation_code)}, all",
                sum(count.due for count in counts),
                sum(count.accepted for count in counts),
                sum(count.to_answer for count in counts),
            )
            yield from counts


def _statuses_of(group: GroupOwed, quarter: Quarter) -> Iterator[ReturnStatus]:
    for row in group.rows:
        yield from (status for status in row if status and status.quarter == quarter.label)


def _refused_files(
    declarations: Declarations, sent: Sequence[Submission], statuses: Sequence[ReturnStatus]
) -> Iterator[RefusedFile]:
    """Of senders that have to send again, and refused files of senders who owe nothing."""
    in_force = {
        status.sender_code: status.version for status in statuses if status.in_force_submission_id
    }
    newest: dict[str | None, Submission] = {}
    for item in sent:
        if item.status != "duplicate":
            newest[item.sender_code or item.submission_id] = item
    for item in newest.values():
        if item.status == "refused":
            yield RefusedFile(
                sender=_name(declarations, item.sender_code) if item.sender_code else "not known",
                submission_id=item.submission_id,
                received_on=local_day(item.received_at),
                reason=item.refusal_sentence_en or "",
                version_in_force=in_force.get(item.sender_code or ""),
            )


def _figures(
    settings: Settings, quarters: Iterable[Quarter]
) -> dict[Quarter, tuple[NationFigure, ...]]:
    from pipelines.warehouse.figures import headline_figures
    from pipelines.warehouse.published import open_warehouse

    if not settings.warehouse.exists():
        return {}
    with open_warehouse(settings) as connection:
        return {
            quarter: tuple(_of_nations(headline_figures(connection, quarter)))
            for quarter in quarters
        }


def _of_nations(figures: Sequence[Figure]) -> Iterator[NationFigure]:
    from pipelines.warehouse.figures import shown_value

    shortest: dict[tuple[str, str], Figure] = {}
    for figure in figures:
        if figure.place_kind == "nation" and figure.window_name in WINDOWS:
            key = (figure.place_code, figure.indicator_id)
            known = shortest.get(key)
            if known is None or _is_shorter(figure, known):
                shortest[key] = figure
    for figure in shortest.values():
        yield NationFigure(
            nation=figure.place_name_en,
            title=figure.title_en,
            indicator_id=figure.indicator_id,
            definition_status=figure.definition_status,
            window=figure.window_name,
            unit=figure.unit,
            value=figure.value,
            value_as_text=shown_value(figure),
        )


def _is_shorter(figure: Figure, other: Figure) -> bool:
    return WINDOWS.index(figure.window_name) < WINDOWS.index(other.window_name)


def _newest_export(settings: Settings, quarter: Quarter) -> ExportVersion | None:
    folder = settings.exports / quarter.label
    if not folder.exists():
        return None
    versions = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    return ExportVersion(max(versions), folder / str(max(versions))) if versions else None


def _name(declarations: Declarations, place_code: str) -> str:
    place = declarations.places.get(place_code)
    return place.name_en if place else place_code
