"""Typed frames built from the declaration, and a consistent journey to change."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from expectations.reference_data import ReferenceData
from pipelines.declarations import Declarations
from pipelines.intake.prior_period import NOTHING_SET_ASIDE, plain_keys
from pipelines.quarters import Quarter
from pipelines.readers.casting import validated_frame
from pipelines.settings import SOURCES

Row = Mapping[str, Any]

PLACES = (
    ("W92000004", "nation"),
    ("W06000001", "authority"),
    ("REGION_ONE", "region"),
    ("VOLUNTARY_ONE", "voluntary_agency"),
    ("SERVICE_ONE", "service"),
)

# In care → referred → decision → order → register → match → placement → order.
CONSISTENT: dict[str, dict[str, Any]] = {
    "child": {
        "child_reference": "C1",
        "date_of_birth": date(2021, 3, 10),
        "sex": "female",
        "ethnicity_group": "white",
        "is_disabled": "no",
        "has_additional_needs": "no",
        "siblings_placed_together": 1,
        "siblings_placed_apart": 0,
        "entered_care_on": date(2023, 1, 10),
        "referred_on": date(2023, 3, 1),
        "should_be_placed_decision_on": date(2023, 6, 1),
        "authority_to_place": "placement_order",
        "placement_order_on": date(2023, 9, 1),
        "family_finding_status": "ended",
        "referred_to_register_on": date(2023, 9, 20),
        "matched_on": date(2024, 2, 1),
        "placed_on": date(2024, 3, 1),
        "adoption_order_on": date(2024, 11, 1),
        "early_permanence": "none",
        "is_foster_carer_adoption": "no",
        "placement_source": "in_region",
        "placement_provider": "PR1",
        "adopter_agency_code": "REGION_ONE",
        "adopter_household_reference": "H1",
        "is_adopting_together_placement": "no",
        "life_journey_materials_on": date(2024, 4, 1),
    },
    "adopter": {
        "household_reference": "H1",
        "adopters_in_household": "2",
        "enquired_on": date(2022, 1, 5),
        "initial_meeting_on": date(2022, 2, 5),
        "registered_on": date(2022, 3, 5),
        "stage_one_started_on": date(2022, 4, 5),
        "stage_one_completed_on": date(2022, 6, 5),
        "stage_two_started_on": date(2022, 7, 5),
        "approved_on": date(2022, 11, 5),
        "referred_to_register_on": date(2022, 11, 20),
        "matched_on": date(2024, 2, 1),
        "placed_on": date(2024, 3, 1),
        "is_fast_track": "no",
        "is_willing_sibling_group": "yes",
        "is_willing_aged_five_and_over": "no",
        "is_willing_additional_needs": "unknown",
        "is_willing_early_permanence": "yes",
    },
    "support": {
        "support_requests": 60,
        "support_assessments_started": 40,
        "support_assessments_completed": 30,
        "support_plans_agreed": 25,
        "families_receiving_support": 200,
        "birth_parents_offered_support": 20,
        "birth_parents_taking_up_support": 10,
        "contact_arrangements_active": 300,
        "contact_exchanges": 80,
    },
}


@pytest.fixture(scope="session")
def quarter() -> Quarter:
    return Quarter(2025, 1)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The declared returns and codes, with a few invented places."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("returns", "code_lists"):
        shutil.copytree(SOURCES / name, folder / name)
    for name in ("rule_limits.csv", "not_data.csv", "bank_holidays.csv"):
        shutil.copy(SOURCES / name, folder / name)
    (folder / "policies").mkdir()
    (folder / "places").mkdir()
    entries = [
        {
            "place_code": code,
            "name": {"en": "Wales" if kind == "nation" else code, "cy": code},
            "kind": kind,
            "status": "proposed",
            "source": "invented",
        }
        for code, kind in PLACES
    ]
    files = {
        "nations.yaml": {"places": [entry for entry in entries if entry["kind"] == "nation"]},
        "wales.yaml": {
            "nation_code": "W92000004",
            "places": [entry for entry in entries if entry["kind"] != "nation"],
        },
    }
    for name, content in files.items():
        (folder / "places" / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def declarations(sources: Path) -> Declarations:
    return Declarations(sources)


@pytest.fixture(scope="session")
def typed(declarations: Declarations, quarter: Quarter) -> Callable[..., pl.DataFrame]:
    """``typed(return_name, {submission: rows})``: the typed frame of those rows.

    A row is what differs from the consistent journey; ``"readable__x": False``
    says that the text of ``x`` was not understood. References are made unique
    unless the row gives its own.
    """
    types = {"string": pl.String, "date": pl.Date, "integer": pl.Int64}

    def build(
        return_name: str, submissions: Mapping[str, Sequence[Row]], of: Quarter = quarter
    ) -> pl.DataFrame:
        declared = declarations.returns[return_name]
        schema: dict[str, Any] = {
            "submission_id": pl.String,
            "sender_code": pl.String,
            "quarter": pl.String,
            "sheet": pl.String,
            "sheet_row": pl.Int64,
        }
        schema.update({field.name: types[field.type] for field in declared.fields})
        readable = {
            f"readable__{field.name}": pl.Boolean
            for field in declared.fields
            if field.type != "string" or field.code_list
        }
        schema.update(readable)
        number = itertools.count(1)
        records = []
        for submission, rows in submissions.items():
            for sheet_row, row in enumerate(rows, start=2):
                record = dict.fromkeys(schema) | dict.fromkeys(readable, True)
                record |= CONSISTENT[return_name]
                record |= {key: f"R{next(number)}" for key in declared.primary_key}
                record |= row
                unknown = record.keys() - schema.keys()
                assert not unknown, f"no such columns: {unknown}"
                records.append(
                    record
                    | {
                        "submission_id": submission,
                        "sender_code": "W06000001",
                        "quarter": of.label,
                        "sheet": declared.sheet.en,
                        "sheet_row": sheet_row,
                    }
                )
        return pl.DataFrame(records, schema=schema, orient="row")

    return build


@pytest.fixture(scope="session")
def sent_by() -> Callable[[pl.DataFrame, str | None], pl.DataFrame]:
    """The same frame from another sender; None: each submission from a sender of its own name."""

    def change(frame: pl.DataFrame, sender: str | None) -> pl.DataFrame:
        code = pl.col("submission_id") if sender is None else pl.lit(sender)
        return frame.with_columns(code.alias("sender_code"))

    return change


@pytest.fixture(scope="session")
def reference_data_of(declarations: Declarations) -> Callable[..., ReferenceData]:
    """What is known beside typed frames: ``now``, ``prior`` and ``in_force`` by return.

    A submission in ``now`` holds the returns that it has rows in, and those in ``nil``.
    """

    def validated(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        return {
            name: validated_frame(frame, declarations.returns[name], plain_keys, NOTHING_SET_ASIDE)
            for name, frame in frames.items()
        }

    def senders(frames: Mapping[str, pl.DataFrame]) -> dict[str, frozenset[str]]:
        return {name: frozenset(frame["sender_code"]) for name, frame in frames.items()}

    def build(
        now: Mapping[str, pl.DataFrame],
        prior: Mapping[str, pl.DataFrame] | None = None,
        in_force: Mapping[str, pl.DataFrame] | None = None,
        nil: Sequence[tuple[str, str, str]] = (),
        **known: Any,
    ) -> ReferenceData:
        held = {
            (submission, sender, name): None
            for name, frame in now.items()
            for submission, sender in frame.select("submission_id", "sender_code").rows()
        }
        return ReferenceData(
            key_of=plain_keys,
            now=validated(now),
            sent=pl.DataFrame(
                [*held, *nil],
                schema=dict.fromkeys(("submission_id", "sender_code", "return_name"), pl.String),
                orient="row",
            ),
            prior=validated(prior or {}),
            prior_senders=senders(prior or {}),
            in_force=validated(in_force or {}),
            in_force_senders=senders(in_force or {}),
            **known,
        )

    return build
