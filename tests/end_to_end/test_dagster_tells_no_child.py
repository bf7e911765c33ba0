"""Everything Dagster keeps of the main job is read: there are counts in it, never a child."""

from __future__ import annotations

import calendar
import re
import warnings
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest

from pipelines.commands import run
from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import SOURCES, Settings
from tests.conftest import Sample

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

_MONTHS = tuple(calendar.month_name)[1:]
_WRITTEN = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b")
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_NUMERIC = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")


@pytest.fixture(scope="module")
def texts(sample: Sample) -> list[str]:
    """Every text in every event of every run: messages, metadata, tags, errors, tables."""
    return kept_by_dagster(sample.settings)


def kept_by_dagster(settings: Settings) -> list[str]:
    with run.instance(settings) as instance:
        texts: set[str] = set()
        for record in instance.get_runs():
            texts |= set(_texts(record))
            for entry in instance.all_logs(record.run_id):
                texts |= set(_texts(entry))
    return sorted(texts)


def _texts(value: Any) -> Iterator[str]:
    """Texts of whatever Dagster keeps, however deep; classes of its own are unpacked."""
    yield from re.findall(r'"((?:[^"\\]|\\.)*)"', dg.serialize_value(value))


def test_all_there_is_was_read(texts: list[str]) -> None:
    """The other tests hold of nothing; tables, descriptions of checks and errors are in it."""
    everything = "\n".join(texts)
    for words in (
        "Vale, Valleys and Cardiff Adoption Collaborative",  # a table
        "returns due are accepted",  # a check's description
        "files validated now were refused",
        "Children referred to the adoption service",  # what is plotted
        "no_return_was_refused",
    ):
        assert words in everything, words
    assert len(texts) > 2000


def test_a_value_in_a_cell_of_a_table_would_be_found() -> None:
    table = dg.TableMetadataValue([dg.TableRecord({"Why": "LA/00089, born 17/03/2017"})], None)
    entered = dg.AssetMaterialization("problems", metadata={"Refused": table})
    written = list(_texts(entered))
    assert any("LA/00089" in text for text in written)
    assert {day for text in written for day in _dates(text)} == {date(2017, 3, 17)}


def test_no_reference_of_a_child_or_household_is_in_it(sample: Sample, texts: list[str]) -> None:
    references = _sent(sample.settings, "_reference")
    assert len(references) > 3000
    words = {word for text in texts for word in re.findall(r"[\w/.\-]+", text)}
    leaked = references & words
    assert not leaked, f"{len(leaked)} references"


def test_no_pseudonym_is_in_it(sample: Sample, texts: list[str]) -> None:
    frame = pl.read_parquet(sample.settings.validated / "child" / "*" / "*.parquet")
    pseudonyms = set(frame["child_pseudonym"].drop_nulls().to_list())
    assert len(pseudonyms) > 1000
    words = re.findall(r"\b[0-9a-f]{32}\b", "\n".join(texts))
    leaked = pseudonyms.intersection(words)
    assert not leaked, f"{len(leaked)} pseudonyms"


def test_every_date_in_it_is_a_deadline_or_the_day_a_file_came(
    sample: Sample, texts: list[str]
) -> None:
    """A date of birth, or any date of a child, is neither."""
    declarations = Declarations(SOURCES)
    deliveries = Ledger(sample.settings.ledger).submissions()
    known = {item.received_at.date() for item in deliveries}
    known |= {item.signed_off_on for item in deliveries if isinstance(item.signed_off_on, date)}
    for label in {item.quarter for item in deliveries if item.quarter}:
        quarter = Quarter.parse(label)
        known |= {policy.deadline(quarter) for policy in declarations.policies.values()}
    when_it_ran = {entry for text in texts for entry in _dates(text) if entry.year >= 2026}
    others = {day for text in texts for day in _dates(text)} - known - when_it_ran
    assert not others, f"{len(others)} dates"
    births = {day for text in _sent(sample.settings, "date_of_birth") for day in _dates(text)}
    assert len(births) > 500  # the same reading finds them where they are


def _dates(text: str) -> Iterator[date]:
    days = [(int(year), int(month), int(day)) for year, month, day in _ISO.findall(text)]
    days += [(int(year), int(month), int(day)) for day, month, year in _NUMERIC.findall(text)]
    days += [
        (int(year), _MONTHS.index(month) + 1, int(day))
        for day, month, year in _WRITTEN.findall(text)
    ]
    for parts in days:
        try:
            yield date(*parts)
        except ValueError:
            continue


@cache
def _sent(settings: Settings, ending: str) -> frozenset[str]:
    """What was sent in the columns whose name ends so, as text; short ones are words as well."""
    values: set[str] = set()
    for name in ("child", "adopter"):
        frame = pl.read_parquet(settings.raw / name / "*" / "*.parquet")
        for column in frame.columns:
            if column.endswith(ending):
                values |= set(frame[column].drop_nulls().str.strip_chars().to_list())
    return frozenset(value for value in values if len(value) >= 4)
