"""Extract files into returns: what is there is carried over, what is not stays blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.declarations import Declarations, Extract, Text
from pipelines.extracts import children, households
from pipelines.extracts.completeness import FieldGiven, completeness
from pipelines.extracts.json_file import read_json_file
from pipelines.extracts.recognised import Recognised, recognise
from pipelines.extracts.sentences import CannotConvert, Sentence
from pipelines.extracts.values import Entry, days, entries
from pipelines.quarters import FIRST_QUARTER, Quarter, quarters_between
from pipelines.readers.child_process import read_files
from pipelines.readers.content import FileContent, Unreadable
from pipelines.text.catalogue import N_

Row = dict[str, Any]

# An extract that is about the present holds something of the last half year, or is an old one.
DAYS_OF_SILENCE = 183

UNREADABLE = N_("{file}: {why}")
OF_ANOTHER_NATION = N_("{extract} is not of the nation of this sender: use the template.")
OF_ANOTHER_SENDER = N_(
    "The files are of another authority (code {code}) than the sender: choose the right sender, "
    "or the right files."
)
OF_ANOTHER_YEAR = N_(
    "The files are of {years}, and {quarter} is not in it: give the files of that year, or "
    "another quarter."
)
YEAR_MISSING = N_(
    "The files of {year} are missing between those of {years}: add them, or convert the years "
    "after it alone."
)
YEAR_TWICE = N_("There are two files of episodes of {year}: {files}. Keep the newer one.")
TOO_OLD = N_(
    "The latest date in the files is in {newest}, more than half a year before {quarter}: give an "
    "extract made after the quarter, or choose the quarter that it is of."
)
TOO_NEW = N_(
    "The files were made more than {months} months after {quarter} and hold no case that ended "
    "before: give an older extract, or the return of that quarter."
)
NO_QUARTER = N_("Say which quarter the return is for.")
NOTHING_DUE = N_("No return of children is due from this sender for {quarter}.")
NO_DATE = N_("The files hold no date at all, so nobody can say of which quarter they are.")
NO_CHILD = N_(
    "No child in the files had a plan for adoption in {quarter}: if that is right, send a nil "
    "return."
)

NOT_COLLECTED = N_("The files are of {years}, of which no quarter is collected.")

LEFT_OUT = N_("No part of this extract, and left out: {sheets}.")
ADOPTERS_NOT_DUE = N_(
    "The adopters are left out: their return is due from somebody else for this quarter."
)
FAMILIES_UNKNOWN = N_(
    "Children whose adopters are not on your own list of adopters: {count}. Neither family nor "
    "agency is given for them."
)
COLUMN_MISSING = N_("{sheet} has no column {column}.")


@dataclass(frozen=True)
class ConvertedReturn:
    """A return of one quarter: rows by name of the return, and how complete they are."""

    quarter: Quarter
    rows: dict[str, list[Row]]
    completeness: tuple[FieldGiven, ...]


@dataclass(frozen=True)
class Conversion:
    """What became of an extract. ``notes`` are what its sender should know."""

    extract: Extract
    sender_code: str
    returns: tuple[ConvertedReturn, ...]
    notes: tuple[Sentence, ...]

    @property
    def is_history(self) -> bool:
        """Made afterwards from yearly files, not by the return of the quarter itself."""
        return self.extract.of_years


def convert(
    paths: Sequence[Path],
    declarations: Declarations,
    sender_code: str,
    quarters: Sequence[Quarter] = (),
) -> Conversion:
    """Convert files of one extract into the returns of ``quarters``.

    Without ``quarters``, yearly files become the returns of all their quarters. Raises
    CannotConvert with everything that is wrong, and then nothing is converted; FileNotFoundError.
    """
    files, la_codes = _read(paths)
    recognised = recognise(files, declarations)
    extract = recognised.extract
    _require_own(extract, declarations, sender_code, la_codes)
    if not quarters and not extract.of_years:
        raise CannotConvert([Sentence(NO_QUARTER)])
    # Codes are read as of the newest quarter: those of the extract do not change with it.
    newest = max(quarters) if quarters else Quarter.containing(date.today())
    read = entries(recognised, newest, declarations)
    if extract.of_years:
        read, wanted = _in_years(read, extract, quarters)
    else:
        wanted = list(quarters)
        _require_of_the_time(read, extract, wanted)
    codes = declarations.episode_codes(extract)
    with_plan, wrong = children.gather(read, extract, codes)
    families, also_wrong = households.gather(read)
    if wrong or also_wrong:
        raise CannotConvert([*wrong, *also_wrong])
    notes = _notes(recognised)
    returns = []
    for quarter in wanted:
        due = declarations.due_from(sender_code, quarter)
        if "child" not in due:
            raise CannotConvert([Sentence(NOTHING_DUE, {"quarter": quarter.label})])
        rows: dict[str, list[Row]] = {
            "child": _filled(children.row_of(child, extract, codes, quarter) for child in with_plan)
        }
        notes += _name_agencies(rows["child"], set(families), sender_code, due)
        if families and "adopter" in due:
            rows["adopter"] = _filled(
                households.row_of(each, quarter) for each in families.values()
            )
        elif families:
            notes.append(Sentence(ADOPTERS_NOT_DUE))
        if not rows["child"]:
            if extract.of_years or len(rows) == 1:
                continue
            notes.append(Sentence(NO_CHILD, {"quarter": quarter.label}))
        returns.append(
            ConvertedReturn(
                quarter, rows, completeness(rows, sender_code, quarter, declarations, extract)
            )
        )
    if not returns:
        label = f"{wanted[0]}–{wanted[-1]}" if len(wanted) > 1 else wanted[0].label
        raise CannotConvert([Sentence(NO_CHILD, {"quarter": label})])
    return Conversion(extract, sender_code, tuple(returns), tuple(_once(notes)))


def _read(paths: Sequence[Path]) -> tuple[list[tuple[str, FileContent]], set[str]]:
    """Files as text; of JSON files also the codes of the authorities that they name."""
    files: list[tuple[str, FileContent]] = []
    la_codes: set[str] = set()
    wrong: list[Sentence] = []
    of_json = [path for path in paths if path.suffix.lower() in (".json", ".jsonl")]
    others = [path for path in paths if path not in of_json]
    for path in of_json:
        content, codes = read_json_file(path)
        files.append((path.name, content))
        la_codes |= codes
    for path, content in zip(others, read_files(others), strict=True):
        if isinstance(content, Unreadable):
            why = Text(en=content.sentence_en, cy=content.sentence_cy)
            wrong.append(Sentence(UNREADABLE, {"file": path.name, "why": why}))
        else:
            files.append((_shown(path, paths), content))
    if wrong:
        raise CannotConvert(wrong)
    return files, la_codes


def _shown(path: Path, paths: Sequence[Path]) -> str:
    """The file's name, with its folder where another has the same name, as of another year."""
    is_alone = sum(other.name == path.name for other in paths) == 1
    return path.name if is_alone else f"{path.parent.name}/{path.name}"


def _require_own(
    extract: Extract, declarations: Declarations, sender_code: str, la_codes: set[str]
) -> None:
    if declarations.nation_of(sender_code) not in extract.nations:
        raise CannotConvert([Sentence(OF_ANOTHER_NATION, {"extract": extract.title})])
    known = declarations.open_data_codes.get(sender_code)
    other = la_codes - {known.old_la_code if known else ""}
    if other:
        raise CannotConvert([Sentence(OF_ANOTHER_SENDER, {"code": ", ".join(sorted(other))})])


def _in_years(
    read: Sequence[Entry], extract: Extract, quarters: Sequence[Quarter]
) -> tuple[list[Entry], list[Quarter]]:
    """Rows with those of earlier years first, and the quarters that are wanted.

    The year of a file is that of the latest day in its episodes.
    """
    latest: dict[str, date] = {}
    for entry in read:
        newest = max(days(entry), default=date.min)
        latest[entry.sheet.shown] = max(newest, latest.get(entry.sheet.shown, newest))
    years: dict[int, list[str]] = {}
    for entry in read:
        if entry.sheet.table.role == "episode":
            year = Quarter.containing(latest[entry.sheet.shown]).starting_year
            if entry.sheet.shown not in years.setdefault(year, []):
                years[year].append(entry.sheet.shown)
    if not years:
        raise CannotConvert([Sentence(NO_DATE)])
    wrong = [
        Sentence(YEAR_TWICE, {"year": _year(year), "files": ", ".join(shown)})
        for year, shown in sorted(years.items())
        if len(shown) > 1
    ]
    first, last = min(years), max(years)
    names = _year(first) if first == last else f"{_year(first)}–{_year(last)}"
    wrong += [
        Sentence(YEAR_MISSING, {"year": _year(year), "years": names})
        for year in range(first, last)
        if year not in years
    ]
    covered = list(quarters_between(Quarter(first, 1), Quarter(last, 4)))
    collected = [q for q in covered if q >= FIRST_QUARTER and q.last_day < date.today()]
    wrong += [
        Sentence(OF_ANOTHER_YEAR, {"years": names, "quarter": quarter.label})
        for quarter in quarters
        if quarter not in covered
    ]
    if wrong:
        raise CannotConvert(wrong)
    in_order = sorted(read, key=lambda entry: latest[entry.sheet.shown])
    if not quarters and not collected:
        raise CannotConvert([Sentence(NOT_COLLECTED, {"years": names})])
    return in_order, list(quarters) or collected


def _year(starting_year: int) -> str:
    return Quarter(starting_year, 1).financial_year


def _require_of_the_time(
    read: Sequence[Entry], extract: Extract, quarters: Sequence[Quarter]
) -> None:
    known = [day for entry in read for day in days(entry)]
    if not known:
        raise CannotConvert([Sentence(NO_DATE)])
    newest = max(known)
    for quarter in quarters:
        label = quarter.label
        if (quarter.first_day - newest).days > DAYS_OF_SILENCE:
            of = Quarter.containing(newest).label
            raise CannotConvert([Sentence(TOO_OLD, {"newest": of, "quarter": label})])
        months = extract.looks_back_months
        if months and (newest - quarter.last_day).days > months * 30:
            raise CannotConvert([Sentence(TOO_NEW, {"months": months, "quarter": label})])


def _filled(rows: Any) -> list[Row]:
    return [row for row in rows if row is not None]


def _name_agencies(
    rows: Sequence[Row], families: set[str], sender_code: str, due: Sequence[str]
) -> list[Sentence]:
    """The sender for a family on its own list; no family where nobody says who approved it."""
    unknown = 0
    for row in rows:
        family = row.get("adopter_household_reference")
        if family is None:
            continue
        if family in families and "adopter" in due:
            row["adopter_agency_code"] = sender_code
        else:
            del row["adopter_household_reference"]
            unknown += 1
    return [Sentence(FAMILIES_UNKNOWN, {"count": unknown})] if unknown else []


def _notes(recognised: Recognised) -> list[Sentence]:
    left_out = "; ".join(recognised.left_out)
    notes = [Sentence(LEFT_OUT, {"sheets": left_out})] if left_out else []
    notes += [
        Sentence(COLUMN_MISSING, {"sheet": sheet.shown, "column": sheet.table.columns[column]})
        for sheet in recognised.sheets
        for column in sorted(sheet.missing)
    ]
    return notes


def _once(notes: Sequence[Sentence]) -> list[Sentence]:
    seen: list[Sentence] = []
    for note in notes:
        if note not in seen:
            seen.append(note)
    return seen
