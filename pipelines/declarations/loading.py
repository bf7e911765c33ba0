"""Reading one file of ``sources/``, and saying where in it a mistake is.

The parser that keeps line numbers is ten times slower than the one that does not, so lines are
looked up in a second reading, and only when there is a mistake to report.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import ConstructorError

from pipelines.declarations.dated import Expansion, Location, expand_overrides
from pipelines.declarations.model import ISO_DAY, DeclarationError, Declared

Model = TypeVar("Model", bound=Declared)

# libyaml, where it was compiled in: all of sources/ in 0.05 CPU s, in plain Python 0.45.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):
    """YAML in which a key may not stand twice: the second one would silently win."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise ConstructorError(
                        None, None, f"{key.value} stands twice; keep one", key.start_mark
                    )
                seen.add(key.value)
        return mapping

    def construct_day(self, node: Any) -> date:
        """Only as 2025-04-01; YAML itself would also read 2025-4-1 and times of day."""
        if ISO_DAY.fullmatch(node.value):
            with suppress(ValueError):  # 2025-02-30 has the form of a day and is none
                return date.fromisoformat(node.value)
        raise ConstructorError(
            None,
            None,
            f"{node.value} is not a day of the calendar; write it like 2025-04-01",
            node.start_mark,
        )


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _StrictLoader.construct_day)


class SourceFile:
    """One file of declarations."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def text(self) -> str:
        """The file as text. A byte order mark is dropped: Excel writes one.

        Raises DeclarationError where the file is missing or not UTF-8.
        """
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise DeclarationError(f"{self.path}: no such file") from error
        except UnicodeDecodeError as error:
            line = self.path.read_bytes()[: error.start].count(b"\n") + 1
            raise DeclarationError(
                f"{self.path}, line {line}: not saved as UTF-8; save it again with that encoding"
            ) from error

    def line(self, location: Location) -> int:
        """The line on which the value at ``location`` stands, or what is nearest above it."""
        raise NotImplementedError

    def mistake(self, location: Location, message: str) -> DeclarationError:
        """An error to raise that names the file, the line and the field."""
        return DeclarationError(self._sentence(location, message))

    def _sentence(self, location: Location, message: str) -> str:
        field = ".".join(str(part) for part in location)
        named = f"{field}: {message}" if field else message
        return f"{self.path}, line {self.line(location)}: {named}"

    def _refused(self, model: type[Declared], error: ValidationError) -> DeclarationError:
        sentences = dict.fromkeys(
            self._sentence(self._location(detail["loc"]), explain(model, detail))
            for detail in error.errors()
        )
        return DeclarationError("\n".join(sentences))

    def _location(self, location: Location) -> Location:
        return location


class YamlFile(SourceFile):
    """A document: one return, one indicator, one policy."""

    _expansion = Expansion()

    def content(self) -> Any:
        """The document as written. Raises DeclarationError where it is not YAML."""
        try:
            return yaml.load(self.text, Loader=_StrictLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise DeclarationError(
                f"{self.path}, line {line}: not readable as YAML: {error.problem}"
            ) from error
        except yaml.YAMLError as error:
            raise DeclarationError(f"{self.path}: not readable as YAML: {error}") from error

    def read(self, model: type[Model]) -> Model:
        """The document as ``model``. Raises DeclarationError with the line of every mistake."""
        content = self.content()
        if isinstance(content, dict):
            content, self._expansion = expand_overrides(content, model.overridden, self.mistake)
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise self._refused(model, error) from error

    def line(self, location: Location) -> int:
        node = yaml.compose(self.text, Loader=_Loader)
        line = node.start_mark.line if node else 0
        for part in location:
            if isinstance(node, yaml.MappingNode):
                pairs = {key.value: (key, value) for key, value in node.value}
                if str(part) not in pairs:
                    break
                key, node = pairs[str(part)]
                line = key.start_mark.line
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                if part >= len(node.value):
                    break
                node = node.value[part]
                line = node.start_mark.line
            else:
                break
        return line + 1

    def _location(self, location: Location) -> Location:
        return self._expansion.written_at(location)


class CsvFile(SourceFile):
    """A table. A location in it is the position of a row, from 0, and the name of a column."""

    def read(self, model: type[Model]) -> tuple[Model, ...]:
        """Rows in the order of the file. Raises DeclarationError with the line of the mistake.

        Every column must be there, even one that may stay blank: a lost ``until`` column would
        otherwise bring everything that has ended back to life.
        """
        reader = self._reader()
        columns = reader.fieldnames or ()
        missing = [name for name in model.model_fields if name not in columns]
        if missing:
            raise DeclarationError(f"{self.path}, line 1: missing column {', '.join(missing)}")
        rows = []
        for row in reader:
            if None in row or None in row.values():
                raise DeclarationError(
                    f"{self.path}, line {reader.line_num}: {len(columns)} columns are declared, "
                    "this line has more or fewer (a comma inside a text needs quotes)"
                )
            try:
                rows.append(model.model_validate(row))
            except ValidationError as error:
                at = len(rows)
                sentences = (
                    self._sentence((at, *detail["loc"]), explain(model, detail))
                    for detail in error.errors()
                )
                raise DeclarationError("\n".join(sentences)) from error
        return tuple(rows)

    def line(self, location: Location) -> int:
        reader = self._reader()
        lines = [reader.line_num for _ in reader]
        return lines[int(location[0])] if location and lines else 1

    def _sentence(self, location: Location, message: str) -> str:
        columns = ".".join(str(part) for part in location[1:])
        named = f"{columns}: {message}" if columns else message
        return f"{self.path}, line {self.line(location)}: {named}"

    def _reader(self) -> csv.DictReader[str]:
        return csv.DictReader(io.StringIO(self.text, newline=""))


def explain(model: type[Declared], detail: ErrorDetails) -> str:
    """What pydantic found wrong, as a sentence that says what to write instead."""
    kind, written, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return "is not a name that is known here" + _nearest(model, detail["loc"])
    if kind == "literal_error":
        return f"{written!r} is not one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        if context["pattern"] == r"\S":
            return "may not be blank"
        return f"{written!r} does not have the form {context['pattern']}"
    if kind == "value_error":
        return str(context["error"])
    message = detail["msg"]
    shown = "" if isinstance(written, dict | list) else f"{written!r}: "
    return shown + message[:1].lower() + message[1:]


def _nearest(model: type[Declared], location: Location) -> str:
    """The known names that look like the unknown one, else all of them."""
    *parents, unknown = location
    for part in parents:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        within = next(_declared_in(field.annotation), None) if field else None
        if within is None:
            return ""
        model = within
    near = get_close_matches(str(unknown), model.model_fields, n=1, cutoff=0.7)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(model.model_fields)}"


def _declared_in(annotation: Any) -> Iterator[type[Declared]]:
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        yield annotation
    for part in get_args(annotation):
        yield from _declared_in(part)


def no_duplicates(
    file: SourceFile, keys: Iterable[str], at: Callable[[int], Location] = lambda n: (n,)
) -> None:
    """Raises DeclarationError where a key comes twice; ``at`` gives the location of the nth."""
    first: dict[str, int] = {}
    for position, key in enumerate(keys):
        if key in first:
            line = file.line(at(first[key]))
            raise file.mistake(at(position), f"{key} is declared twice, first in line {line}")
        first[key] = position


def no_overlaps(
    file: SourceFile,
    rows: Sequence[Any],
    key: Callable[[Any], str],
    at: Callable[[int], Location] = lambda n: (n,),
) -> None:
    """Raises DeclarationError where two rows of one key are in force on the same day: the thing
    would be counted twice in a roll-up."""
    earlier: dict[str, list[tuple[int, Any]]] = {}
    for position, row in enumerate(rows):
        same = earlier.setdefault(key(row), [])
        for before, other in same:
            if row.overlaps(other):
                raise file.mistake(
                    at(position),
                    f"{key(row)} is declared twice for the same time, first in line "
                    f"{file.line(at(before))}; let one end before the other begins",
                )
        same.append((position, row))
