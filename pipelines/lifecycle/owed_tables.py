"""Returns owed in one nation, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Declarations, Place, Text
from pipelines.lifecycle.owed import GroupOwed, OwedCounts, ReturnsOwed
from pipelines.lifecycle.states import ReturnStatus
from pipelines.lifecycle.words import actor_word, sign_off_words, state_word
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language, translations
from pipelines.text.dates import long_day

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDTH_OF_PLACE, _WIDTH_OF_RETURN, _WIDTH_OF_STATE = 26, 10, 20
_MOST_QUARTERS = 6  # side by side; a seventh could not be read across
_STYLES = {"sender": "yellow", "national_team": "cyan", "nobody": "green"}


class OwedTables:
    """What is owed in one nation as tables, for a terminal of a width, in one language.

    ``to_do`` leaves out what nobody has to act on.
    """

    def __init__(
        self,
        owed: ReturnsOwed,
        declarations: Declarations,
        language: Language,
        to_do: bool = False,
    ) -> None:
        self._owed = owed
        self._declarations = declarations
        self._language: Language = language
        self._texts = translations(language)
        self._to_do = to_do

    def render(self, console: Console) -> Iterator[RenderableType]:
        """A title, then a heading and a table for each group."""
        from rich.text import Text as Words

        _ = self._texts.gettext
        owed = self._owed
        nation = self._name(self._declarations.places[owed.nation_code])
        day = long_day(owed.today, self._language)
        title = _("{nation}: returns due, as at {day}").format(nation=nation, day=day)
        yield Words(title, style="bold")
        if not owed.quarters:
            yield Words(_("No return is due: none of these quarters has ended."))
            return
        shown = self._quarters_that_fit(console.width)
        for group in owed.groups:
            yield from self._group(group, shown)
        if len(shown) > 1:
            legend = _("In brackets: who acts next, if anybody. Deadlines are proposed.")
            yield Words(legend, style="italic")

    def _quarters_that_fit(self, width: int) -> list[int]:
        """Positions of the newest quarters that there is room for; one is shown in full."""
        room = width - _WIDTH_OF_PLACE - _WIDTH_OF_RETURN
        count = min(max(room // _WIDTH_OF_STATE, 1), _MOST_QUARTERS, len(self._owed.quarters))
        return list(range(len(self._owed.quarters)))[-count:]

    def _group(self, group: GroupOwed, shown: list[int]) -> Iterator[RenderableType]:
        from rich.text import Text as Words

        rows = [
            [row[at] for at in shown]
            for row in group.rows
            if any(
                (status := row[at]) and (not self._to_do or status.acts != "nobody") for at in shown
            )
        ]
        if not rows:
            return
        counts = group.counts[shown[-1]]
        yield Words("")
        yield Words.assemble((self._in_language(group.name), "bold"), f": {self._counts(counts)}")
        if len(shown) > 1:
            yield self._grid(rows, shown)
        else:
            yield self._list([status for row in rows if (status := row[0])])

    def _counts(self, counts: OwedCounts) -> str:
        _ = self._texts.gettext
        parts = [_("{n} of {of} in").format(n=counts.returns_in, of=counts.returns)]
        for sentence, count in (
            (_("{n} overdue"), counts.overdue),
            (_("{n} rejected or withdrawn"), counts.rejected_or_withdrawn),
            (_("{n} with queries or errors"), counts.to_be_answered),
            (_("{n} to sign off"), counts.to_be_signed_off),
            (_("{n} held"), counts.held),
        ):
            if count:
                parts.append(sentence.format(n=count))
        acts = _("sender acts on {sender}, national team on {team}").format(
            sender=counts.sender_acts, team=counts.national_team_acts
        )
        return f"{counts.quarter}: {', '.join(parts)}; {acts}"

    def _grid(self, rows: list[list[ReturnStatus | None]], shown: list[int]) -> RenderableType:
        _ = self._texts.gettext
        table = self._table()
        table.add_column(_("Place"), width=_WIDTH_OF_PLACE - 2)
        table.add_column(_("Return"), width=_WIDTH_OF_RETURN - 2)
        for at in shown:
            table.add_column(self._heading(self._owed.quarters[at]), width=_WIDTH_OF_STATE - 2)
        before = None
        for row in rows:
            first = next(status for status in row if status)
            place = "" if first.sender_code == before else self._place(first)
            cells = [self._cell(status) for status in row]
            table.add_row(place, self._return(first), *cells)
            before = first.sender_code
        return table

    def _list(self, statuses: list[ReturnStatus]) -> RenderableType:
        _ = self._texts.gettext
        table = self._table(between=1)
        table.add_column(_("Place"), width=_WIDTH_OF_PLACE - 4)
        table.add_column(_("Return"), width=_WIDTH_OF_RETURN - 2)
        table.add_column(_("State"), width=_WIDTH_OF_STATE - 4, no_wrap=True)
        table.add_column(_("Days"), justify="right", no_wrap=True)
        table.add_column(_("Acts next"), no_wrap=True)
        table.add_column(_("Notes"))
        before = None
        for status in statuses:
            table.add_row(
                "" if status.sender_code == before else self._place(status),
                self._return(status),
                self._cell(status, with_actor=False),
                f"{status.days_to_deadline:,}",
                actor_word(status.acts, self._language),
                ", ".join(self._notes(status)),
            )
            before = status.sender_code
        return table

    def _table(self, between: int = 2) -> Table:
        from rich import box
        from rich.table import Table

        padding = (0, between, 0, 0)
        return Table(box=box.SIMPLE_HEAD, padding=padding, pad_edge=False, show_edge=False)

    def _heading(self, quarter: Quarter) -> str:
        ngettext = self._texts.ngettext
        policy = self._declarations.policies[self._owed.nation_code]
        days = (policy.deadline(quarter) - self._owed.today).days
        if days > 0:
            when = ngettext("in {n:,} day", "in {n:,} days", days).format(n=days)
        elif days < 0:
            when = ngettext("{n:,} day ago", "{n:,} days ago", -days).format(n=-days)
        else:
            when = self._texts.gettext("today")
        return f"{quarter.label}\n{when}"

    def _cell(self, status: ReturnStatus | None, with_actor: bool = True) -> Any:
        from rich.text import Text as Words

        if status is None:
            return "–"
        words = state_word(status.state, self._language)
        if with_actor and status.acts != "nobody":
            words += f" ({actor_word(status.acts, self._language)})"
        return Words(words, style=_STYLES[status.acts])

    def _notes(self, status: ReturnStatus) -> Iterator[str]:
        _, ngettext = self._texts.gettext, self._texts.ngettext
        if status.version and status.version > 1:
            yield _("version {n}").format(n=status.version)
        if status.is_nil:
            yield self._texts.pgettext("note on a return", "nil")
        if status.is_late:
            yield _("after the deadline")
        if count := status.queries_open:
            yield ngettext("{n} query open", "{n} queries open", count).format(n=count)
        if count := status.queries_tolerated:
            yield _("{n} tolerated").format(n=count)
        if count := status.rows_set_aside:
            yield ngettext("{n} row set aside", "{n} rows set aside", count).format(n=count)
        if status.sign_off.startswith("void"):
            yield sign_off_words(status.sign_off, self._language)
        if status.is_newer_file_refused:
            yield _("a newer file was refused")
        if status.revision:
            yield _("revision {n}").format(n=status.revision)

    def _place(self, status: ReturnStatus) -> str:
        return self._name(self._declarations.places[status.sender_code])

    def _name(self, place: Place) -> str:
        return place.name_en if self._language == "en" else place.name_cy

    def _return(self, status: ReturnStatus) -> str:
        return self._in_language(self._declarations.returns[status.return_name].title)

    def _in_language(self, text: Text) -> str:
        return text.en if self._language == "en" else text.cy
