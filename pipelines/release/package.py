"""What travels with the data: description for machines and people, provenance, checksums.

``datapackage.json`` follows Frictionless Data Package, ``*.csv-metadata.json`` CSV on the Web,
``provenance.json`` the JSON Schema beside it. All of them, and the README, are written from the
release itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from pathlib import Path
from typing import Any, get_args

import polars as pl

from pipelines.declarations import Indicator, Text
from pipelines.files import write_json, write_table
from pipelines.release.content import (
    COMPONENTS,
    FIGURE_SCHEMA,
    FLAGS,
    KEY,
    NOTES,
    Content,
    ReleaseError,
    bilingual,
    texts,
    unit_words,
)
from pipelines.release.statswales import metadata
from pipelines.text.catalogue import LANGUAGES, N_, translations
from pipelines.text.labels import WINDOWS

PARQUET, FIGURES = "figures.parquet", "figures.csv"
DICTIONARY, CATALOGUE = "data-dictionary.csv", "catalogue.csv"
DATAPACKAGE, README = "datapackage.json", "README.md"
PROVENANCE, PROVENANCE_SCHEMA = "provenance.json", "provenance.schema.json"

COLUMNS: dict[str, str] = {
    "indicator_id": N_("Code of the indicator."),
    "component": N_("value, numerator or denominator of the indicator."),
    "place_code": N_("GSS code of an authority or nation, short name of a region or agency."),
    "quarter": N_("Quarter the figure ends with, e.g. 2025-26-Q1 for April to June 2025."),
    "window_name": N_("Quarters the figure covers."),
    "breakdown": N_("What the figure is broken down by; total for everybody."),
    "breakdown_value": N_("The part; total for everybody."),
    "number": N_("The figure; empty where there is a flag."),
    "decimals": N_("Decimal places the figure is given to."),
    "flag": N_("Why there is no number."),
    "notes": N_("What to know about the number."),
}
PROVENANCE_RULES: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Provenance of a release",
    "type": "object",
    "additionalProperties": False,
    "required": [
        "release", "body", "quarter", "version", "is_synthetic", "as_of", "supersedes", "reason",
        "code", "rule_set_hashes", "definitions_sha256", "ledger", "returns_used",
        "returns_used_sha256", "returns_not_used", "returns_open", "sign_off", "released_by",
        "changes",
        "disclosure_control",
    ],
    "properties": {
        "release": {"type": "string"},
        "body": {"type": "string"},
        "quarter": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-Q[1-4]$"},
        "version": {"type": "integer", "minimum": 1},
        "is_synthetic": {"type": "boolean"},
        "as_of": {"type": "string", "format": "date-time"},
        "supersedes": {"type": ["integer", "null"]},
        "reason": {"type": ["string", "null"]},
        "code": {
            "type": "object",
            "additionalProperties": False,
            "required": ["commit", "sha256"],
            "properties": {
                "commit": {"type": "string"},
                "sha256": {"$ref": "#/$defs/hash"},
            },
        },
        "rule_set_hashes": {"type": "array", "items": {"$ref": "#/$defs/hash"}},
        "definitions_sha256": {"$ref": "#/$defs/hash"},
        "ledger": {
            "type": "object",
            "additionalProperties": False,
            "required": ["events", "head"],
            "properties": {"events": {"type": "integer"}, "head": {"$ref": "#/$defs/hash"}},
        },
        "returns_used": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                # No senders: two versions would tell whose return moved. No counts of rows: a child
                # return has a row for each child.
                "required": ["quarter", "returns"],
                "properties": {
                    "quarter": {"type": "string"},
                    "returns": {"type": "integer", "minimum": 1},
                },
            },
        },
        "returns_used_sha256": {"$ref": "#/$defs/hash"},
        "returns_not_used": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sender_code", "return_name", "quarter", "why"],
                "properties": {
                    "sender_code": {"type": "string"},
                    "return_name": {"type": "string"},
                    "quarter": {"type": "string"},
                    "why": {"enum": ["refused", "missing", "received", "held"]},
                },
            },
        },
        "returns_open": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "sender_code", "return_name", "sign_off", "has_rows_set_aside",
                    "has_open_queries",
                ],
                "properties": {
                    "sender_code": {"type": "string"},
                    "return_name": {"type": "string"},
                    "sign_off": {"type": "string"},
                    "has_rows_set_aside": {"type": "boolean"},
                    "has_open_queries": {"type": "boolean"},
                },
            },
        },
        "sign_off": {
            "type": "object",
            "additionalProperties": False,
            "required": ["role", "at", "revision"],
            "properties": {
                "role": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
                "revision": {"type": "integer", "minimum": 1},
            },
        },
        "released_by": {"type": "string"},
        "changes": {
            "type": "object",
            "additionalProperties": False,
            "required": ["taken_in", "waiting"],
            "properties": {
                "taken_in": {"type": "integer", "minimum": 0},
                "waiting": {"type": "integer", "minimum": 0},
            },
        },
        "disclosure_control": {"type": "object"},
    },
    "$defs": {"hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
}  # fmt: skip


def write_figures(content: Content, folder: Path) -> list[Path]:
    """The figures as one long table, as CSV and as Parquet; the files written."""
    # As they are shown: a count of 30 is 30, not 30.0.
    shown = pl.Series("number", texts(content.figures), dtype=pl.String)
    write_table(content.figures.with_columns(shown), folder / FIGURES)
    content.figures.write_parquet(
        folder / PARQUET,
        metadata={
            "release": content.name,
            "is_synthetic": "true" if content.is_synthetic else "false",
        },
    )
    return [folder / FIGURES, folder / PARQUET]


def write_dictionary(content: Content, folder: Path) -> list[Path]:
    """What every column and code means, and what every indicator is; in both languages."""
    kinds = (
        ("column", COLUMNS),
        ("flag", FLAGS),
        ("note", NOTES),
        ("window_name", WINDOWS),
        ("component", COMPONENTS),
    )
    codes: list[tuple[str, str, Text]] = [
        (kind, code, bilingual(sentence))
        for kind, sentences in kinds
        for code, sentence in sentences.items()
    ]
    codes += [
        ("unit", unit, unit_words(unit))
        for unit in get_args(Indicator.model_fields["unit"].annotation)
    ]
    codes += [
        (
            "breakdown",
            f"{row['breakdown']}.{row['breakdown_value']}",
            Text(
                en=f"{row['title_en']}: {row['label_en']}",
                cy=f"{row['title_cy']}: {row['label_cy']}",
            ),
        )
        for row in content.categories.iter_rows(named=True)
    ]
    dictionary = pl.DataFrame(
        [(kind, code, text.en, text.cy) for kind, code, text in codes],
        schema=dict.fromkeys(("kind", "code", "description_en", "description_cy"), pl.String),
        orient="row",
    )
    write_table(dictionary, folder / DICTIONARY)
    write_table(content.indicators, folder / CATALOGUE)
    return [folder / DICTIONARY, folder / CATALOGUE]


def write_provenance(provenance: dict[str, Any], folder: Path) -> list[Path]:
    """Check the provenance against its schema and write both. Raises jsonschema's error."""
    import jsonschema

    # Written by us and checked all the same: "additionalProperties" is false, so a count of rows
    # that somebody adds one day fails here and not in public.
    jsonschema.validate(provenance, PROVENANCE_RULES)
    write_json(folder / PROVENANCE_SCHEMA, PROVENANCE_RULES)
    write_json(folder / PROVENANCE, provenance)
    return [folder / PROVENANCE_SCHEMA, folder / PROVENANCE]


def provenance_of_folder(folder: Path) -> dict[str, Any]:
    """The provenance of a release on disk. Raises ReleaseError when it has none."""
    try:
        return json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{folder} is no release: it has no {PROVENANCE}") from error


def write_descriptions(content: Content, folder: Path, files: list[Path]) -> list[Path]:
    """``datapackage.json`` and, beside each CSV, its CSVW metadata; the files written."""
    tables = [path for path in files if path.suffix == ".csv"]
    described = []
    for path in tables:
        target = path.with_name(f"{path.name}-metadata.json")
        write_json(target, _csvw(content, path))
        described.append(target)
    about = metadata(content)
    write_json(
        folder / DATAPACKAGE,
        {
            "profile": "data-package",
            "name": content.name,
            "title": about["title"].en,
            "description": about["summary"].en,
            "version": str(content.version),
            "resources": [_resource(path) for path in tables],
        },
    )
    return [*described, folder / DATAPACKAGE]


def _resource(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "name": path.stem.lower().replace(".", "-").replace("_", "-"),
        "path": path.name,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {
            "fields": [_field(path.name, name) for name in _columns(path)],
            **({"primaryKey": list(KEY)} if path.name == FIGURES else {}),
        },
    }


def _columns(path: Path) -> list[str]:
    return pl.read_csv(path, n_rows=0, infer_schema=False).columns


def _field(file: str, name: str) -> dict[str, Any]:
    kinds = {pl.String: "string", pl.Float64: "number", pl.Int64: "integer"}
    # Tables for people mix numbers and shorthand such as [c] in a column, so they are text.
    kind = kinds[FIGURE_SCHEMA[name]] if file == FIGURES else "string"
    field: dict[str, Any] = {"name": name, "type": kind}
    if file == FIGURES:
        field["description"] = COLUMNS[name]
        if name in KEY:
            field["constraints"] = {"required": True}
        if name == "flag":
            field["constraints"] = {"enum": list(FLAGS)}
    return field


def _csvw(content: Content, path: Path) -> dict[str, Any]:
    """Titles of the columns in both languages, where the table is ours to name."""
    about = metadata(content)["title"]
    columns = []
    headings = _columns(path)
    for heading, name in zip(headings, _machine_names(headings), strict=True):
        column: dict[str, Any] = {"name": name, "titles": heading}
        if path.name == FIGURES:
            about_column = bilingual(COLUMNS[name])
            column["dc:description"] = [
                {"@value": about_column.en, "@language": "en"},
                {"@value": about_column.cy, "@language": "cy"},
            ]
            if FIGURE_SCHEMA[name] != pl.String:
                column["datatype"] = "integer" if FIGURE_SCHEMA[name] == pl.Int64 else "double"
        columns.append(column)
    table: dict[str, Any] = {"columns": columns}
    if path.name == FIGURES:
        table["primaryKey"] = list(KEY)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": path.name,
        "dc:title": [
            {"@value": about.en, "@language": "en"},
            {"@value": about.cy, "@language": "cy"},
        ],
        "tableSchema": table,
    }


def _machine_names(headings: list[str]) -> list[str]:
    """A name for each column as CSV on the Web allows: letters, digits and _, each once.

    Source: Metadata Vocabulary for Tabular Data, section 5.6, name.
    """
    names: list[str] = []
    for heading in headings:
        plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode("ascii")
        name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "column"
        names.append(f"{name}_{names.count(name) + 1}" if name in names else name)
    return names


def write_readme(content: Content, folder: Path, files: list[Path]) -> Path:
    """What the folder holds, in both languages, for a person who opens it."""
    about = metadata(content)
    lines = []
    for language in LANGUAGES:
        lines += [f"# {getattr(about['title'], language)}", ""]
        for name in about:
            if name == "title" or name.startswith("note_"):
                continue
            if name != "welsh_wording" or language == "cy":
                lines += [getattr(about[name], language), ""]
        lines += [f"## {translations(language).gettext('Files')}", ""]
        for path in sorted(files, key=lambda path: path.name):
            purpose = _purpose(path.name)
            lines.append(f"- `{path.name}`: {getattr(purpose, language)}")
        lines.append("")
    (folder / README).write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return folder / README


# The first part of a file's name that is found here says what the file is for.
_PURPOSES: dict[str, str] = {
    "-metadata.json": N_("CSV on the Web metadata"),
    "statswales-": N_("part of the StatsWales cube"),
    ".meta.csv": N_("metadata of the open data set"),
    "adoption_by_": N_("open data set for England"),
    FIGURES: N_("every figure, one a row"),
    PARQUET: N_("the same as Parquet"),
    DICTIONARY: N_("what columns and codes mean"),
    CATALOGUE: N_("what each indicator measures"),
    PROVENANCE_SCHEMA: N_("schema of the provenance"),
    PROVENANCE: N_("what the figures rest on"),
    "audit.json": N_("audit of the disclosure control"),
    "revisions.csv": N_("what changed since the version before"),
    DATAPACKAGE: N_("description for machines"),
    ".html": N_("performance pack of a place"),
    ".xlsx": N_("workbook"),
    ".ods": N_("the same workbook, OpenDocument"),
    "table-": N_("a table by authority or agency"),
}


def _purpose(name: str) -> Text:
    # In this order: a workbook's "-metadata.json" is first of all metadata.
    for part, sentence in _PURPOSES.items():
        if part in name:
            return bilingual(sentence)
    raise ValueError(f"nothing says what {name} is for")
