"""The form of a pack, answered wrongly."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pipelines.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.exports import PackConfig, packs
    from pipelines.assets.run_locks import RUN_LOCKS


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"body": "Cardif"}, "did you mean W06000015 \\(Cardiff\\)"),
        ({"body": "Cardiff", "every_place_of_it": True}, "Cardiff is not a nation"),
    ],
)
def test_a_body_that_has_no_pack_is_reported_in_the_run(
    config: dict[str, Any], why: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import contextlib

    import duckdb

    from pipelines.warehouse import published as warehouse

    @contextlib.contextmanager
    def two_places(_: Settings):
        with duckdb.connect() as connection:
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.dim_place as select * from (values"
                " ('W06000015', 'Cardiff', 'Caerdydd', 'authority', 'W92000004'),"
                " ('W92000004', 'Wales', 'Cymru', 'nation', 'W92000004'))"
                " t(place_code, name_en, name_cy, kind, nation_code)"
            )
            yield connection

    monkeypatch.setattr(warehouse, "open_warehouse", two_places)
    with (
        dg.build_asset_context(partition_key="2020-21-Q2", resources=RUN_LOCKS) as context,
        pytest.raises(dg.Failure, match=f"body: .*{why}.*Nothing was written"),
    ):
        results: Any = packs(context, PackConfig(**config))
        list(results)
    assert not (settings.exports / "2020-21-Q2" / "packs").exists()
