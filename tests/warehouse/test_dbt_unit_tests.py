"""The unit tests written beside the models."""

from __future__ import annotations

import json
from pathlib import Path


def test_every_dbt_unit_test_passes(warehouse, tmp_path: Path) -> None:
    copy = warehouse.copy_to(tmp_path / "copy")
    copy.dbt("test", "--select", "test_type:unit")
    written = (copy.folder / "target" / "run_results.json").read_text(encoding="utf-8")
    results = json.loads(written)["results"]
    assert results
    assert {result["status"] for result in results} == {"pass"}
