"""Who owes what: the grid of places and quarters, in words, with who has to act next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pipelines.declarations import Declarations, Text
from pipelines.lifecycle.ledger import Ledger
from pipelines.lifecycle.reminders import long_day
from pipelines.lifecycle.states import (
    ReturnStatus,
    end_of,
    fold,
    known_at,
    last_quarter_over,
    quarters_asked,
)
from pipelines.lifecycle.words import (
    ACTORS,
    NOT_IN,
    SIGN_OFFS,
    STATES,
    TO_BE_ANSWERED,
    TO_BE_SIGNED_OFF,
)
from pipelines.quarters import Quarter
from pipelines.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Language = Literal["en", "cy"]

GROUPS = ("region", "regional_agency", "partnership")
_WIDTH_OF_PLACE, _WIDTH_OF_RETURN, _WIDTH_OF_STATE = 26, 10, 16
_MOST_QUARTERS = 6

_WORDS: dict[str, Text] = {
    "title": Text(en="{nation}: who owes what, {day}", cy="{nation}: pwy sy'n ddyledus, {day}"),
    "place": Text(en="Place", cy="Lle"),
    "return": Text(en="Return", cy="Ffurflen"),
    "state": Text(en="State", cy="Cyflwr"),
    "days": Text(en="Days", cy="Dyddiau"),
    "acts": Text(en="Acts next", cy="Nesaf"),
    "notes": Text(en="Notes", cy="Nodiadau"),
    "due": Text(en="due {day}", cy="erbyn {day}"),
    "to go": Text(en="in {n:,} days", cy="ymhen {n:,} diwrnod"),
    "today": Text(en="today", cy="heddiw"),
    "ago": Text(en="{n:,} days ago", cy="{n:,} diwrnod yn ôl"),
    "voluntary": Text(en="Voluntary agencies", cy="Asiantaethau gwirfoddol"),
    "alone": Text(en="In no region or agency", cy="Heb ranbarth nac asiantaeth"),
    "in": Text(en="{n} of {of} in", cy="{n} o {of} i mewn"),
    "overdue": Text(en="{n} overdue", cy="{n} yn hwyr"),
    "refused": Text(en="{n} rejected or withdrawn", cy="{n} wedi'u gwrthod neu eu tynnu"),
    "answer": Text(en="{n} with queries or errors", cy="{n} ag ymholiadau neu wallau"),
    "sign": Text(en="{n} to sign off", cy="{n} i'w cymeradwyo"),
    "held": Text(en="{n} held", cy="{n} wedi'u cadw"),
    "act": Text(
        en="sender acts on {sender}, national team on {team}",
        cy="anfonwr i weithredu ar {sender}, tîm cenedlaethol ar {team}",
    ),
    "legend": Text(
        en="S: the sender acts next. N: the national team acts next. No letter: nobody. Deadlines "
        "are proposed.",
        cy="S: yr anfonwr sy'n gweithredu nesaf. N: y tîm cenedlaethol. Dim llythyren: neb. "
        "Arfaethedig yw'r dyddiadau cau.",
    ),
    "nothing": Text(
        en="Nothing is owed: no quarter of these is over.",
        cy="Nid oes dim yn ddyledus: nid oes yr un o'r chwarteri hyn ar ben.",
    ),
    "version": Text(en="version {n}", cy="fersiwn {n}"),
    "nil": Text(en="nil", cy="dim i'w adrodd"),
    "late": Text(en="after the deadline", cy="ar ôl y dyddiad cau"),
    "open": Text(en="{n} queries open", cy="{n} ymholiad agored"),
    "tolerated": Text(en="{n} tolerated", cy="{n} wedi'u goddef"),
    "aside": Text(en="{n} rows set aside", cy="{n} rhes o'r neilltu"),
    "newer refused": Text(en="a newer file was refused", cy="gwrthodwyd ffeil fwy diweddar"),
    "revision": Text(en="revision {n}", cy="diwygiad {n}"),
}
_MARKS = {"sender": "S", "national_team": "N", "nobody": ""}
_STYLES = {"sender": "yellow", "national_team": "cyan", "nobody": "green"}


@dataclass(frozen=True)
class Summary:
    """Returns of one group for one quarter, counted."""

    quarter: str
    returns: int
    returns_in: int
    overdue: int
    rejected_or_withdrawn: int
    to_be_answered: int
    to_be_signed_off: int
    held: int
    sender_acts: int
    national_team_acts: int


@dataclass(frozen=True)
class Group:
    """A region or agency with its senders, or the senders in none."""

    place_code: str | None
    name: Text
    rows: tuple[tuple[ReturnStatus | None, ...], ...]  # per sender and return, a status a quarter
    summaries: tuple[Summary, ...]  # a quarter each


@dataclass(frozen=True)
class Board:
    """Everything owed in one nation on a day."""

    nation_code: str
    today: date
    quarters: tuple[Quarter, ...]
    groups: tuple[Group, ...]

    @property
    def statuses(self) -> list[ReturnStatus]:
        return [one for group in self.groups for row in group.rows for one in row if one]


def boards(
    settings: Settings,
    declarations: Declarations,
    today: date,
    quarters: Sequence[Quarter] = (),
    nation_code: str | None = None,
) -> list[Board]:
    """A board for each nation, as it was known at the end of ``today``.

    Without ``quarters`` all that are asked for, oldest first.
    """
    events = known_at(Ledger(settings.ledger).events(), end_of(today))
    book = fold(events, declarations, today, []).book
    over = last_quarter_over(today)
    asked = list(quarters) or quarters_asked(book.submissions.values(), today) or [over]
    asked = [quarter for quarter in sorted(set(asked)) if quarter <= over]
    life = fold(events, declarations, today, asked)
    nations = dict.fromkeys(
        declarations.places[one.sender_code].nation_code for one in life.returns
    )
    return [
        _board(declarations, nation, today, asked, life.returns)
        for nation in nations
        if nation_code in (None, nation)
    ]


def _board(
    declarations: Declarations,
    nation_code: str,
    today: date,
    quarters: list[Quarter],
    returns: Sequence[ReturnStatus],
) -> Board:
    mine = [
        one for one in returns if declarations.places[one.sender_code].nation_code == nation_code
    ]
    by_key = {(one.sender_code, one.return_name, one.quarter): one for one in mine}
    keys = dict.fromkeys((one.sender_code, one.return_name) for one in mine)
    grouped: dict[str | None, list[tuple[str, str]]] = {}
    for sender_code, return_name in keys:
        grouped.setdefault(_group_of(declarations, sender_code, quarters[-1]), []).append(
            (sender_code, return_name)
        )
    # Regions in the order of places, then voluntary agencies, then who is in none.
    order = [*declarations.places, "", None]
    groups = []
    for code in sorted(grouped, key=order.index):
        rows = tuple(
            tuple(by_key.get((*key, quarter.label)) for quarter in quarters)
            for key in grouped[code]
        )
        summaries = tuple(
            _summary(quarter, [row[at] for row in rows]) for at, quarter in enumerate(quarters)
        )
        groups.append(Group(code or None, _name_of_group(declarations, code), rows, summaries))
    return Board(nation_code, today, tuple(quarters), tuple(groups))


def _group_of(declarations: Declarations, sender_code: str, quarter: Quarter) -> str | None:
    """The region or agency a sender is in on the quarter's last day, or is itself; "" for
    voluntary agencies."""
    place = declarations.places[sender_code]
    if place.kind in GROUPS:
        return sender_code
    day = quarter.last_day
    for one in declarations.memberships:
        is_mine = one.member_code == sender_code and one.role == "member"
        has_begun = one.since is None or one.since <= day
        is_then = has_begun and (one.until is None or day <= one.until)
        if is_mine and is_then and declarations.places[one.parent_code].kind in GROUPS:
            return one.parent_code
    return "" if place.kind == "voluntary_agency" else None


def _name_of_group(declarations: Declarations, code: str | None) -> Text:
    if not code:
        return _WORDS["alone" if code is None else "voluntary"]
    place = declarations.places[code]
    return Text(en=place.name_en, cy=place.name_cy)


def _summary(quarter: Quarter, found: Sequence[ReturnStatus | None]) -> Summary:
    mine = [one for one in found if one is not None]
    states = Counter(one.state for one in mine)
    acts = Counter(one.acts for one in mine)
    return Summary(
        quarter=quarter.label,
        returns=len(mine),
        returns_in=sum(one.state not in (*NOT_IN, "received") for one in mine),
        overdue=states["overdue"],
        rejected_or_withdrawn=states["rejected"] + states["withdrawn"],
        to_be_answered=sum(states[state] for state in TO_BE_ANSWERED),
        to_be_signed_off=sum(states[state] for state in TO_BE_SIGNED_OFF),
        held=states["held"],
        sender_acts=acts["sender"],
        national_team_acts=acts["national_team"],
    )


def as_json(found: Sequence[Board]) -> dict[str, Any]:
    return {
        "as_of_day": found[0].today.isoformat() if found else None,
        "returns": [
            asdict(one)
            | {
                "deadline": one.deadline.isoformat(),
                "nation_code": board.nation_code,
                "region_code": group.place_code,
            }
            for board in found
            for group in board.groups
            for row in group.rows
            for one in row
            if one
        ],
        "summaries": [
            {
                "nation_code": board.nation_code,
                "region_code": group.place_code,
                "region_en": group.name.en,
                "region_cy": group.name.cy,
            }
            | asdict(summary)
            for board in found
            for group in board.groups
            for summary in group.summaries
            if summary.returns
        ],
    }


# --- on a terminal ----------------------------------------------------------------


class Shown:
    """A board as tables, for a terminal of a width, in one language.

    ``to_do`` leaves out what nobody has to act on.
    """

    def __init__(
        self, board: Board, declarations: Declarations, language: Language, to_do: bool = False
    ) -> None:
        self._board = board
        self._declarations = declarations
        self._language = language
        self._to_do = to_do

    def render(self, console: Console) -> Iterator[RenderableType]:
        from rich.text import Text as Words

        board = self._board
        nation = self._declarations.places[board.nation_code]
        name = nation.name_en if self._language == "en" else nation.name_cy
        day = long_day(board.today, self._language)
        yield Words(self._say("title", nation=name, day=day), style="bold")
        if not board.quarters:
            yield Words(self._say("nothing"))
            return
        shown = self._quarters_that_fit(console.width)
        for group in board.groups:
            yield from self._group(group, shown)
        if len(shown) > 1:
            yield Words(self._say("legend"), style="italic")

    def _quarters_that_fit(self, width: int) -> list[int]:
        """Positions of the newest quarters that there is room for; one is shown in full."""
        room = width - _WIDTH_OF_PLACE - _WIDTH_OF_RETURN
        count = min(max(room // _WIDTH_OF_STATE, 1), _MOST_QUARTERS, len(self._board.quarters))
        return list(range(len(self._board.quarters)))[-count:]

    def _group(self, group: Group, shown: list[int]) -> Iterator[RenderableType]:
        from rich.text import Text as Words

        rows = [
            [row[at] for at in shown]
            for row in group.rows
            if any(row[at] and (not self._to_do or row[at].acts != "nobody") for at in shown)
        ]
        if not rows:
            return
        summary = group.summaries[shown[-1]]
        yield Words("")
        yield Words.assemble((self._said(group.name), "bold"), f": {self._counts(summary)}")
        yield (
            self._grid(rows, shown) if len(shown) > 1 else self._list([r[0] for r in rows if r[0]])
        )

    def _counts(self, summary: Summary) -> str:
        parts = [self._say("in", n=summary.returns_in, of=summary.returns)]
        for key, count in (
            ("overdue", summary.overdue),
            ("refused", summary.rejected_or_withdrawn),
            ("answer", summary.to_be_answered),
            ("sign", summary.to_be_signed_off),
            ("held", summary.held),
        ):
            if count:
                parts.append(self._say(key, n=count))
        told = ", ".join(parts)
        acts = self._say("act", sender=summary.sender_acts, team=summary.national_team_acts)
        return f"{summary.quarter}: {told}; {acts}"

    def _grid(self, rows: list[list[ReturnStatus | None]], shown: list[int]) -> RenderableType:
        table = self._table()
        table.add_column(self._say("place"), width=_WIDTH_OF_PLACE - 2)
        table.add_column(self._say("return"), width=_WIDTH_OF_RETURN - 2)
        for at in shown:
            table.add_column(self._heading(self._board.quarters[at]), width=_WIDTH_OF_STATE - 2)
        before = None
        for row in rows:
            one = next(status for status in row if status)
            name = "" if one.sender_code == before else self._place(one)
            table.add_row(name, self._return(one), *(self._cell(status) for status in row))
            before = one.sender_code
        return table

    def _list(self, statuses: list[ReturnStatus]) -> RenderableType:
        table = self._table(between=1)
        table.add_column(self._say("place"), width=_WIDTH_OF_PLACE - 4)
        table.add_column(self._say("return"), width=_WIDTH_OF_RETURN - 2)
        table.add_column(self._say("state"), width=_WIDTH_OF_STATE - 4, no_wrap=True)
        table.add_column(self._say("days"), justify="right", no_wrap=True)
        table.add_column(self._say("acts"), no_wrap=True)
        table.add_column(self._say("notes"))
        before = None
        for one in statuses:
            name = "" if one.sender_code == before else self._place(one)
            table.add_row(
                *(name, self._return(one), self._cell(one, mark=False)),
                *(f"{one.days_to_deadline:,}", self._said(ACTORS[one.acts])),
                ", ".join(self._notes(one)),
            )
            before = one.sender_code
        return table

    def _table(self, between: int = 2) -> Any:
        from rich import box
        from rich.table import Table

        padding = (0, between, 0, 0)
        return Table(box=box.SIMPLE_HEAD, padding=padding, pad_edge=False, show_edge=False)

    def _heading(self, quarter: Quarter) -> str:
        policy = self._declarations.policies[self._board.nation_code]
        days = (policy.deadline(quarter) - self._board.today).days
        key = "to go" if days > 0 else "ago" if days < 0 else "today"
        return f"{quarter.label}\n{self._say(key, n=abs(days))}"

    def _cell(self, status: ReturnStatus | None, mark: bool = True) -> Any:
        from rich.text import Text as Words

        if status is None:
            return "–"
        word = self._said(STATES[status.state].word)
        letter = f" {_MARKS[status.acts]}" if mark and _MARKS[status.acts] else ""
        return Words(word + letter, style=_STYLES[status.acts])

    def _notes(self, one: ReturnStatus) -> Iterator[str]:
        if one.version and one.version > 1:
            yield self._say("version", n=one.version)
        for key, is_so in (("nil", one.is_nil), ("late", one.is_late)):
            if is_so:
                yield self._say(key)
        for key, count in (
            ("open", one.queries_open),
            ("tolerated", one.queries_tolerated),
            ("aside", one.rows_set_aside),
        ):
            if count:
                yield self._say(key, n=count)
        if one.sign_off.startswith("void"):
            yield self._said(SIGN_OFFS[one.sign_off])
        if one.is_newer_file_refused:
            yield self._say("newer refused")
        if one.revision:
            yield self._say("revision", n=one.revision)

    def _place(self, one: ReturnStatus) -> str:
        place = self._declarations.places[one.sender_code]
        return place.name_en if self._language == "en" else place.name_cy

    def _return(self, one: ReturnStatus) -> str:
        return self._said(self._declarations.returns[one.return_name].title)

    def _said(self, text: Text) -> str:
        return text.en if self._language == "en" else text.cy

    def _say(self, key: str, **named: object) -> str:
        return self._said(_WORDS[key]).format(**named)
