"""What is shown on a terminal: files received, validation reports, the figures a run ends with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.verdict.report import ValidationReport, sender_and_quarter, when_received
from pipelines.verdict.report_lines import ReportLine, report_lines
from pipelines.warehouse.figures import Figure, headline_figures, shown_value
from pipelines.warehouse.published import open_warehouse

WALES, ENGLAND = "W92000004", "E92000001"

# What an accepted file came to, where it is not simply in force.
_STATES = {
    "held": "held for the next revision: its quarter is locked",
    "withdrawn": "withdrawn",
    "superseded": "superseded",
}


def deliveries(
    submissions: Sequence[Submission], declarations: Declarations, title: str
) -> RenderableType:
    """A block of lines for each delivery, which stay whole in 80 columns.

    In a table the reason of a refusal had 20 characters a line, and the file no column.
    """
    lines = [ReportLine(f"{title}: {len(submissions):,}", style="italic")]
    for item in submissions:
        colour = "red" if item.status == "refused" else "green" if item.is_accepted else "yellow"
        status = item.status + (" (late)" if item.is_late else "")
        status += f", {_STATES[item.state]}" if item.state in _STATES else ""
        lines.append(ReportLine(f"{item.submission_id}  {status}", style=f"bold {colour}"))
        lines.append(
            ReportLine(
                f"{sender_and_quarter(item, declarations)}, received {when_received(item)}", 2
            )
        )
        lines.append(ReportLine(f"File: {item.name}", 2))
        if item.duplicate_of:
            lines.append(ReportLine(f"The same file as {item.duplicate_of}", 2))
        if item.refusal_sentence_en:
            lines.append(ReportLine(f"Why: {item.refusal_sentence_en}", 2))
        if item.is_to_be_confirmed:
            why = " ".join(reason["sentence_en"] for reason in item.held_for)
            lines.append(ReportLine(f"Why: {why}", 2))
    return _Lines(lines)


def report_to_show(report: ValidationReport) -> RenderableType:
    """Everything that was said of one delivery, as far as a terminal can hold it."""
    return _Lines(report_lines(report, is_short=True))


class _Lines:
    """Lines wrapped to the terminal, their further lines indented alike.

    Always plain text: a file may be called ``[red].xlsx``, which is no colour.
    """

    def __init__(self, lines: Iterable[ReportLine]) -> None:
        self._lines = list(lines)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in self._lines:
            room = max(options.max_width - line.indent, 1)
            for part in Text(line.text, line.style).wrap(console, room):
                part.rstrip()
                yield Text(" " * line.indent) + part


def taken_in_table(submissions: Sequence[Submission]) -> Table:
    """Deliveries by what became of them, and rows by return."""
    table = Table(title="Taken in", title_justify="left")
    table.add_column("Status")
    table.add_column("Files", justify="right")
    table.add_column("Children", justify="right")
    table.add_column("Adopters", justify="right")
    table.add_column("Rows set aside", justify="right")
    statuses = Counter(item.status for item in submissions)
    for status, count in sorted(statuses.items()):
        mine = [item for item in submissions if item.status == status]
        accepted = status.startswith("accepted")
        table.add_row(
            status,
            f"{count:,}",
            _sum(mine, "child", "rows_accepted") if accepted else "–",
            _sum(mine, "adopter", "rows_accepted") if accepted else "–",
            str(sum(r["rows_quarantined"] for s in mine for r in s.returns.values()))
            if accepted
            else "–",
        )
    late = sum(item.is_late for item in submissions)
    table.caption = f"{len(submissions):,} files; {late} arrived after the (proposed) deadline"
    return table


def headline_tables(settings: Settings, quarter: Quarter) -> list[Table]:
    """Headline figures of each nation, and of the regions and agencies, for ``quarter``."""
    with open_warehouse(settings) as connection:
        figures = headline_figures(connection, quarter)
    tables = []
    for nation in dict.fromkeys(figure.nation_code for figure in figures):
        mine = [figure for figure in figures if figure.nation_code == nation]
        tables.append(_nation_table([f for f in mine if f.place_kind == "nation"], quarter))
        tables.append(_place_table([f for f in mine if f.place_kind != "nation"], quarter))
    return [table for table in tables if table.row_count]


def _nation_table(figures: list[Figure], quarter: Quarter) -> Table:
    """Fits 80 columns: the quarter, and the longest window up to a year or else three years."""
    table = Table(
        title=f"{figures[0].place_name_en}, {quarter}" if figures else "",
        title_justify="left",
        caption=(
            "(n of d): numerator and denominator. * Not every return due was accepted. "
            "Words in brackets say how far the definition is public."
        ),
        caption_justify="left",
        expand=True,
    )
    table.add_column("Indicator", ratio=3)
    table.add_column("Quarter", justify="right", ratio=2)
    table.add_column("Four quarters", justify="right", ratio=2)
    table.add_column("Benchmark", justify="right")
    for indicator_id in dict.fromkeys(figure.indicator_id for figure in figures):
        by_window = {f.window_name: f for f in figures if f.indicator_id == indicator_id}
        longest = by_window.get("rolling_4")
        of_three_years = by_window.get("rolling_12")
        any_one = next(iter(by_window.values()))
        table.add_row(
            f"{indicator_id} {any_one.title_en} ({any_one.definition_status})",
            shown_value(by_window["quarter"]) if "quarter" in by_window else "",
            shown_value(longest)
            if longest
            else f"three years: {shown_value(of_three_years)}"
            if of_three_years
            else "",
            "" if any_one.benchmark is None else f"{any_one.benchmark:g} {any_one.unit}",
        )
    return table


def _place_table(figures: list[Figure], quarter: Quarter) -> Table:
    """One line a region or agency: the counts everybody asks for first, over four quarters."""
    wanted = [f for f in figures if f.window_name == "rolling_4" and f.unit == "children"]
    titles = dict.fromkeys((f.indicator_id, f.title_en) for f in wanted)
    table = Table(
        title=f"Regions and agencies, four quarters to {quarter}",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("Region or agency")
    for indicator_id, _ in titles:
        table.add_column(indicator_id, justify="right")
    for place, name in dict.fromkeys((f.place_code, f.place_name_en) for f in wanted):
        mine = {f.indicator_id: f for f in wanted if f.place_code == place}
        table.add_row(name, *(shown_value(mine[i]) if i in mine else "" for i, _ in titles))
    table.caption = " · ".join(f"{indicator_id} {title}" for indicator_id, title in titles)
    return table


def _sum(submissions: Sequence[Submission], return_name: str, count: str) -> str:
    return f"{sum(s.returns.get(return_name, {}).get(count, 0) for s in submissions):,}"
