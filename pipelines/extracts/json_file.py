"""The department's daily JSON as sheets: the child, disabilities, adoption, placements.

Read here and not in the child process: Python's own parser has no memory of ours to damage, and a
file that is too large or too deep is refused. Names and addresses are never looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.extracts.sentences import CannotConvert, Sentence
from pipelines.readers.content import FileContent, SheetContent
from pipelines.text.catalogue import N_

MAX_BYTES = 64 * 1024**2  # the whole of a large authority is 20 MB

NOT_JSON = N_("{file} is not JSON, or is damaged: give it as it was sent to the department.")
TOO_LARGE = N_("{file} is larger than {megabytes} MB: convert it in parts.")
NO_CHILD = N_("{file} has no record of a child: give the file as it was sent to the department.")

_CHILD = ("la_child_id", "date_of_birth", "sex", "ethnicity")
_ADOPTION = ("initial_decision_date", "matched_date", "placed_date")
_PLACEMENT = ("start_date", "start_reason", "placement_type", "end_date", "end_reason")


def read_json_file(path: Path) -> tuple[FileContent, set[str]]:
    """The sheets of a file, whose rows are numbered by child, and the authorities it names.

    Raises CannotConvert, FileNotFoundError.
    """
    if path.stat().st_size > MAX_BYTES:
        values = {"file": path.name, "megabytes": MAX_BYTES // 1024**2}
        raise CannotConvert([Sentence(TOO_LARGE, values)])
    try:
        records = list(_records(_documents(path.read_bytes().decode("utf-8-sig"))))
    except (ValueError, RecursionError):
        raise CannotConvert([Sentence(NOT_JSON, {"file": path.name})]) from None
    if not records:
        raise CannotConvert([Sentence(NO_CHILD, {"file": path.name})])
    la_codes = {str(code) for code, _ in records if code is not None}
    kept = [child for _, child in records if not child.get("purge")]
    sheets: dict[str, list[list[str | None]]] = {
        "child_details": [[*_CHILD]],
        "disabilities": [["la_child_id", "disability"]],
        "adoption": [["la_child_id", *_ADOPTION]],
        "child_looked_after_placements": [["la_child_id", *_PLACEMENT]],
    }
    for child in kept:
        # Every episode of social care repeats the same plan.
        for name, row in dict.fromkeys((name, tuple(row)) for name, row in _rows(child)):
            sheets[name].append([*row])
    contents = [SheetContent(name, rows) for name, rows in sheets.items()]
    return FileContent(contents, form="zip"), la_codes


def _documents(text: str) -> list[Any]:
    """One JSON document, or one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _records(documents: list[Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Each child with the code of the authority that its file names, if it names one."""
    for document in documents:
        for item in document if isinstance(document, list) else [document]:
            if not isinstance(item, dict):
                continue
            inside = item.get("Children", item.get("children"))
            listed = inside if isinstance(inside, list) else [item if inside is None else inside]
            for child in listed:
                if isinstance(child, dict) and "la_child_id" in child:
                    yield item.get("la_code"), child


def _rows(child: Mapping[str, Any]) -> Iterator[tuple[str, list[str | None]]]:
    reference = _text(child.get("la_child_id"))
    about = child.get("child_details")
    details = about if isinstance(about, dict) else {}
    yield "child_details", [reference, *(_text(details.get(name)) for name in _CHILD[1:])]
    for code in _listed(details.get("disabilities")):
        yield "disabilities", [reference, _text(code)]
    for episode in _blocks(child.get("social_care_episodes")):
        for block in _blocks(episode.get("adoption")):
            yield "adoption", [reference, *(_text(block.get(name)) for name in _ADOPTION)]
        for block in _blocks(episode.get("child_looked_after_placements")):
            row = [reference, *(_text(block.get(name)) for name in _PLACEMENT)]
            yield "child_looked_after_placements", row


def _blocks(value: Any) -> Iterator[Mapping[str, Any]]:
    """Objects of a block, which may be a list or one object; without those purged."""
    for block in _listed(value):
        if isinstance(block, dict) and not block.get("purge"):
            yield block


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, (dict, list)) else str(value)
