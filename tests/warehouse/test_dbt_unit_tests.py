"""The unit tests written beside the models."""

from __future__ import annotations

import json


def test_every_dbt_unit_test_passes(warehouse) -> None:
    warehouse.dbt("test", "--select", "test_type:unit")
    results = json.loads(
        (warehouse.folder / "target" / "run_results.json").read_text(encoding="utf-8")
    )["results"]
    assert results
    assert {result["status"] for result in results} == {"pass"}
