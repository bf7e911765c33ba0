"""An explanation as text: sections for a terminal of 80 columns, in English or Welsh."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.explain.model import Explanation, ExportedFigure, ReturnBehind
from pipelines.explain.reasons import is_change_of_stock, reason_sentence
from pipelines.text.catalogue import translations
from pipelines.text.labels import (
    WINDOWS,
    definition_status_label,
    return_status_label,
    window_label,
    with_unit,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 80
MOST_QUARTERS_LISTED = 4
MOST_RETURNS_LISTED = 24  # a screen; beyond it one line a sender (Wales over three years has 264)

# Whose cases a return has; the support return has none.
_UNITS_OF_CASES = {"child": "children", "adopter": "households"}


def print_explanation(explanation: Explanation, console: Console, asked_for_cases: bool) -> None:
    """Print every section; nothing is wider than 80 columns."""
    _TextForm(explanation, console).print(asked_for_cases)


def terminal() -> Console:
    """Standard output, no wider than is easy to read."""
    from rich.console import Console

    return Console(width=min(Console().width, WIDTH), highlight=False, markup=False, emoji=False)


class _TextForm:
    """One explanation being written, in its language."""

    def __init__(self, explanation: Explanation, console: Console) -> None:
        self._explanation, self._console = explanation, console
        self._definition = explanation.definition
        self._language = explanation.language
        self._ = translations(self._language).gettext
        self.ngettext = translations(self._language).ngettext
        self.pgettext = translations(self._language).pgettext

    def print(self, asked_for_cases: bool) -> None:
        self._figure()
        self._measures()
        self._returns_counted()
        self._returns_not_counted()
        self._left_out()
        self._breaks()
        self._published()
        if asked_for_cases:
            self._cases()
        self._console.print()
        self._console.print(self._("Internal: no disclosure control has been applied."))
        if any(behind.is_synthetic for behind in self._explanation.returns_counted):
            self._console.print(self._("Synthetic sample data: no real child or household."))

    # --- sections ---

    def _figure(self) -> None:
        explanation, figure = self._explanation, self._explanation.figure
        window = explanation.window.replace("_", " ")
        if explanation.window in WINDOWS:
            window = window_label(explanation.window, self._language).lower()
        self._console.print(
            f"{self._definition.indicator_id}  {self._definition.title}", style="bold"
        )
        self._console.print(f"{explanation.place}, {explanation.quarter}, {window}")
        self._console.print()
        if figure.numerator is None:
            shown = self._("No figure: none of the returns due was accepted.")
        elif figure.value is None:
            shown = self._("No value: the denominator is zero.")
        else:
            shown = self._value(figure.numerator, figure.denominator, figure.value)
        self._console.print(f"  {shown}", style="bold")
        self._console.print()
        self._facts(self._figure_facts())
        if not explanation.is_proved:
            self._console.print()
            warning = self._(
                "DOES NOT ADD UP: DO NOT USE THIS FIGURE. The returns or cases behind it come to "
                "something else:"
            )
            self._console.print(warning, style="bold red")
            for difference in explanation.differences:
                self._console.print(f"  {difference}", style="red")

    def _figure_facts(self) -> Iterator[tuple[str, str]]:
        explanation, figure = self._explanation, self._explanation.figure
        benchmark = self._("none in force")
        if figure.benchmark is not None:
            benchmark = with_unit(f"{figure.benchmark:g}", self._definition.unit, self._language)
            if figure.benchmark_met == "met":
                benchmark = self._("{benchmark} (met)").format(benchmark=benchmark)
            elif figure.benchmark_met:
                benchmark = self._("{benchmark} (not met)").format(benchmark=benchmark)
        yield self._("Benchmark"), benchmark
        coverage = self._(
            "{accepted} of {expected} returns due, {covered} of {window} quarters"
        ).format(
            accepted=figure.returns_accepted,
            expected=figure.returns_expected,
            covered=figure.quarters_covered,
            window=figure.quarters_in_window,
        )
        if not figure.is_complete:
            incomplete = self._("INCOMPLETE: part of what is due is missing")
            coverage = f"{coverage}. {incomplete}"
        yield self._("Coverage"), coverage
        estimates = {
            "own_mean": self._(
                "{estimate} with the missing returns, each estimated by the mean of its sender's "
                "previous four returns (proposed method)"
            ),
            "own_or_nation_mean": self._(
                "{estimate} with the missing returns, each estimated by the mean of its sender's "
                "previous four returns or, without these, by the nation's mean (proposed method)"
            ),
        }
        if figure.estimate is not None and figure.estimate_method in estimates:
            estimate = with_unit(f"{figure.estimate:,.0f}", self._definition.unit, self._language)
            yield self._("Estimate"), estimates[figure.estimate_method].format(estimate=estimate)
        if explanation.is_proved and figure.numerator is not None:
            adds_up = self._("the returns add up to this figure")
            if explanation.cases is not None:
                adds_up = self._(
                    "the returns, and the {cases} listed below, add up to this figure"
                ).format(cases=self._number_of_cases())
            yield self._("Check"), adds_up

    def _measures(self) -> None:
        self._heading(self._("What it measures"))
        self._console.print(self._definition.definition)
        self._console.print()
        self._facts(self._definition_facts())
        # On lines of their own: an address that is broken in two cannot be followed.
        self._console.print(self._("Sources"), style="dim")
        for source in self._definition.sources:
            self._console.print(f"  {source}")

    def _definition_facts(self) -> Iterator[tuple[str, str]]:
        explanation, definition = self._explanation, self._definition
        if definition.clock_start and definition.clock_stop:
            clock = self._("from “{start}” to “{stop}”")
            yield (
                self._("Clock"),
                clock.format(start=definition.clock_start, stop=definition.clock_stop),
            )
        yield self._("Numerator"), definition.numerator_caption
        if definition.denominator_caption:
            yield self._("Denominator"), definition.denominator_caption
        status = definition_status_label(definition.definition_status, self._language)
        yield self._("Definition"), f"{status}. {definition.status_note}"
        if definition.reviewed_on:
            yield self._("Reviewed"), definition.reviewed_on.isoformat()
        quarters = ", ".join(explanation.quarters)
        if len(explanation.quarters) > MOST_QUARTERS_LISTED:
            quarters = self._("{first} to {last}: {count} quarters").format(
                first=explanation.quarters[0],
                last=explanation.quarters[-1],
                count=len(explanation.quarters),
            )
        if definition.timing == "stock":
            quarters = self._("{quarter}: a stock, counted on the last day").format(
                quarter=explanation.quarter
            )
        membership = self._("membership at the time")
        if explanation.membership_basis == "today":
            membership = self._("today's membership")
        yield self._("Quarters"), f"{quarters} ({membership})"

    def _returns_counted(self) -> None:
        self._heading(self._("Returns in this figure"))
        counted = self._explanation.returns_counted
        if not counted:
            self._console.print(self._("None."))
        elif len(counted) <= MOST_RETURNS_LISTED:
            self._console.print(self._returns_table(counted))
        else:
            self._console.print(self._senders_table(counted))
            note = self._("One line per sender; --json lists every return with its submission.")
            self._console.print(note, style="dim")

    def _returns_table(self, counted: list[ReturnBehind]) -> Table:
        table = _table()
        _text_column(table, self._("Sender"), folds=True)
        _text_column(table, self._("Quarter"))
        _text_column(table, self._("Version"))
        _text_column(table, self.pgettext("column", "Received"))
        _number_column(table, self._("Rows"))
        _number_column(table, self._("Rows set\naside"))
        self._add_sides(table)
        late = self._("late")
        for behind in counted:
            received = f"{behind.received_at:%Y-%m-%d}" if behind.received_at else ""
            rows = _count(behind.rows_used)
            if behind.status == "nil":
                rows = return_status_label("nil", self._language)
            table.add_row(
                behind.sender,
                behind.quarter,
                str(behind.version or ""),
                f"{received}\n{late}" if received and behind.is_late else received,
                rows,
                _count(behind.rows_set_aside),
                *self._sides(behind.numerator, behind.denominator),
            )
        return table

    def _senders_table(self, counted: list[ReturnBehind]) -> Table:
        table = _table()
        _text_column(table, self._("Sender"), folds=True)
        _number_column(table, self._("Quarters"))
        _text_column(table, self._("Version"))
        _text_column(table, self.pgettext("column", "Last received"))
        _number_column(table, self._("Rows"))
        _number_column(table, self._("Rows set\naside"))
        self._add_sides(table)
        for sender in dict.fromkeys(behind.sender for behind in counted):
            returns = [behind for behind in counted if behind.sender == sender]
            versions = sorted({behind.version or 1 for behind in returns})
            last = max(behind.received_at for behind in returns if behind.received_at)
            table.add_row(
                sender,
                str(len(returns)),
                str(versions[0]) if len(versions) == 1 else f"{versions[0]}–{versions[-1]}",
                f"{last:%Y-%m-%d}",
                _count(sum(behind.rows_used or 0 for behind in returns)),
                _count(sum(behind.rows_set_aside or 0 for behind in returns)),
                *self._sides(
                    sum(behind.numerator for behind in returns),
                    sum(behind.denominator for behind in returns),
                ),
            )
        return table

    def _returns_not_counted(self) -> None:
        explanation = self._explanation
        self._heading(self._("Returns not in this figure"))
        for behind in explanation.returns_not_counted:
            status = self._("received, but not due")
            if behind.is_due:
                status = return_status_label(behind.status, self._language)
            self._console.print(f"  {behind.sender}, {behind.quarter}: {status}")
        for behind in explanation.returns_counted:
            if behind.refused_deliveries:
                refused = self.ngettext(
                    "{count} other delivery was refused and replaced nothing",
                    "{count} other deliveries were refused and replaced nothing",
                    behind.refused_deliveries,
                ).format(count=behind.refused_deliveries)
                self._console.print(f"  {behind.sender}, {behind.quarter}: {refused}")
        gap = explanation.figure.quarters_in_window - explanation.figure.quarters_covered
        if gap:
            without = self._("Quarters of the window without any return: {count}.")
            self._console.print("  " + without.format(count=gap))
        elif not any(behind.is_due for behind in explanation.returns_not_counted):
            self._console.print(self._("Every return that was due is in this figure."))

    def _left_out(self) -> None:
        explanation = self._explanation
        self._heading(self._("Left out, and why"))
        lines = [
            (reason.cases, reason.sentence)
            for reason in explanation.left_out
            if not is_change_of_stock(reason.reason)
        ]
        for set_aside in explanation.set_aside:
            sentence = self.ngettext(
                "row set aside for errors: {sender}, {quarter} ({rules}). See adoption report {id}",
                "rows set aside for errors: {sender}, {quarter} ({rules}). See adoption report "
                "{id}",
                set_aside.rows,
            )
            rules = ", ".join(f"{rule} × {count}" for rule, count in set_aside.rules.items())
            lines.append(
                (
                    set_aside.rows,
                    sentence.format(
                        sender=set_aside.sender,
                        quarter=set_aside.quarter,
                        rules=rules or "–",
                        id=set_aside.submission_id,
                    ),
                )
            )
        nothing = self._("Nothing: no row was set aside, and every event was counted.")
        self._numbered(lines or [(0, nothing)])
        moves = [
            (reason.cases, reason.sentence)
            for reason in explanation.left_out
            if is_change_of_stock(reason.reason)
        ]
        if moves:
            self._heading(self._("Since the previous quarter"))
            compared = self._(
                "For senders whose return for the previous quarter was accepted as well:"
            )
            self._console.print(compared)
            self._numbered(moves)

    def _breaks(self) -> None:
        if not self._explanation.breaks:
            return
        self._heading(
            self._("Breaks in series: a change across a break says nothing about performance")
        )
        for series_break in self._explanation.breaks:
            if series_break.is_in_window:
                consequence = self._(
                    "The break is inside the window: the figure mixes data from before and after "
                    "it."
                )
            else:
                consequence = self._(
                    "The break is between this figure and that of a year before (three years, for "
                    "the last twelve quarters): do not compare the two."
                )
            self._console.print(
                f"{series_break.since}: {series_break.title}. {series_break.explanation} "
                f"{consequence}"
            )

    def _published(self) -> None:
        self._heading(self._("Compared with the last publication"))
        if not self._explanation.publications:
            self._console.print(self._("Not published before."))
            return
        latest, *earlier = self._explanation.publications
        self._exported_figure(latest)
        if latest.is_same:
            changed = next((exported for exported in earlier if not exported.is_same), None)
            if changed:
                self._exported_figure(changed)

    def _exported_figure(self, exported: ExportedFigure) -> None:
        figure = self._value(exported.numerator, exported.denominator, exported.value)
        if exported.is_same:
            same = self._("Version {version} has the same figure: {figure}.")
            self._console.print(same.format(version=exported.version, figure=figure))
            return
        moved = self._("Version {version} had {figure}; change since then: {change}.")
        self._console.print(
            moved.format(version=exported.version, figure=figure, change=self._change(exported))
        )
        if exported.arrived_since:
            arrived = self._("Arrived since version {version}: {submissions}.").format(
                version=exported.version, submissions=", ".join(exported.arrived_since)
            )
        else:
            arrived = self._(
                "No return for {quarter} has arrived since then: a return for an earlier quarter, "
                "or a definition, has changed."
            ).format(quarter=self._explanation.quarter)
        self._console.print(arrived)

    def _change(self, exported: ExportedFigure) -> str:
        """``numerator +2, denominator +3, -3.6%``."""
        figure = self._explanation.figure
        numerator = (figure.numerator or 0) - (exported.numerator or 0)
        changes = [self._("numerator {change}").format(change=f"{numerator:+,d}")]
        if self._definition.denominator:
            denominator = (figure.denominator or 0) - (exported.denominator or 0)
            changes.append(self._("denominator {change}").format(change=f"{denominator:+,d}"))
            if figure.value is not None and exported.value is not None:
                change = f"{figure.value - exported.value:+,.{self._definition.rounding}f}"
                if self._definition.unit == "percent":
                    changes.append(self._("{change} percentage points").format(change=change))
                else:
                    changes.append(with_unit(change, self._definition.unit, self._language))
        return ", ".join(changes)

    def _cases(self) -> None:
        cases, left_out = self._explanation.cases, self._explanation.cases_left_out
        if cases is None:
            self._console.print()
            self._console.print(
                self._("The support return holds counts: there are no rows about people behind it.")
            )
            return
        self._heading(
            self._("In this figure: {cases} (pseudonyms: restricted, do not pass on)").format(
                cases=self._number_of_cases()
            )
        )
        if cases:
            table = self._cases_table()
            self._add_sides(table)
            for case in cases:
                table.add_row(
                    case.pseudonym,
                    case.sender,
                    case.quarter,
                    *self._sides(case.numerator, case.denominator),
                )
            self._console.print(table)
        if left_out:
            self._heading(self._("Cases named above as left out or moved, by reason"))
            for reason in dict.fromkeys(case.reason for case in left_out):
                self._console.print(reason_sentence(self._definition, reason, self._language))
                table = self._cases_table()
                for case in left_out:
                    if case.reason == reason:
                        table.add_row(case.pseudonym, case.sender, case.quarter)
                self._console.print(table)

    def _cases_table(self) -> Table:
        table = _table()
        _text_column(table, self._("Pseudonym"))
        _text_column(table, self._("Sender"), folds=True)
        _text_column(table, self._("Quarter"))
        return table

    # --- pieces ---

    def _number_of_cases(self) -> str:
        """``3 children``: each counts once, however often it is listed."""
        cases = self._explanation.cases or []
        return self._with_cases(len({(case.sender_code, case.pseudonym) for case in cases}))

    def _with_cases(self, number: int) -> str:
        unit = _UNITS_OF_CASES.get(self._definition.subject)
        return with_unit(f"{number:,d}", unit, self._language) if unit else f"{number:,d}"

    def _value(self, numerator: int | None, denominator: int | None, value: float | None) -> str:
        """``80.6% = 79 of 98 children``, ``30.3 days = 91 days ÷ 3 children``; a plain count is its
        number."""
        if value is None:
            return "–"
        if not self._definition.denominator:
            number = f"{value:,.{self._definition.rounding}f}"
            return with_unit(number, self._definition.unit, self._language)
        shown = with_unit(
            _half_up(value, self._definition.rounding), self._definition.unit, self._language
        )
        cases = self._with_cases(denominator or 0)
        if self._definition.is_mean:
            days = with_unit(f"{numerator:,d}", "days", self._language)
            return f"{shown} = {days} ÷ {cases}"
        fraction = self._("{numerator} of {denominator}")
        return f"{shown} = {fraction.format(numerator=f'{numerator:,d}', denominator=cases)}"

    def _heading(self, title: str) -> None:
        self._console.print()
        self._console.print(title.upper(), style="bold")

    def _facts(self, facts: Iterator[tuple[str, str]]) -> None:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(name, value)
        self._console.print(table)

    def _numbered(self, lines: list[tuple[int, str]]) -> None:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for number, sentence in lines:
            table.add_row(f"{number:,d}" if number else "", sentence)
        self._console.print(table)

    def _add_sides(self, table: Table) -> None:
        """Columns for what a return or case adds to the numerator and the denominator."""
        _number_column(table, self._("Numerator"))
        if self._definition.denominator:
            _number_column(table, self._("Denominator"))

    def _sides(self, numerator: int, denominator: int) -> list[str]:
        shown = f"{numerator:,d}"
        if self._definition.is_mean:
            shown = with_unit(shown, "days", self._language)
        return [shown, f"{denominator:,d}"] if self._definition.denominator else [shown]


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")


def _text_column(table: Table, heading: str, *, folds: bool = False) -> None:
    table.add_column(heading, no_wrap=not folds, overflow="fold")


def _number_column(table: Table, heading: str) -> None:
    table.add_column(heading, justify="right", no_wrap=True, overflow="fold")


def _count(number: int | None) -> str:
    return f"{number:,d}" if number else "–"


def _half_up(value: float, places: int) -> str:
    """Rounded as the warehouse rounds, halves up: Python's own rounding takes halves to even."""
    return f"{math.floor(value * 10**places + 0.5) / 10**places:,.{places}f}"
