"""Links to files of the exports room, as assets show them."""

from __future__ import annotations

import warnings

import pytest

from pipelines.settings import Settings
from pipelines.ui.links import web_address

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets.metadata import export_links, pack_list


def test_links_name_no_machine_unless_the_room_is_served_elsewhere(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = settings.exports / "2020-21-Q2" / "packs" / "pack-vale-of-glamorgan-cy.html"
    assert web_address(pack, settings, None) == (
        "/files/2020-21-Q2/packs/pack-vale-of-glamorgan-cy.html"
    )
    elsewhere = web_address(pack, settings, "https://files.example/adoption/")
    assert elsewhere.startswith("https://files.example/adoption/2020-21-Q2/packs/")
    pack.parent.mkdir(parents=True)
    for name in ("pack-vale-of-glamorgan-cy.html", "pack-vale-of-glamorgan-en.html", "pack.css"):
        (pack.parent / name).touch()
    monkeypatch.delenv("ADOPTION_FILES_URL", raising=False)
    assert pack_list(pack.parent, settings).value == (
        "- Vale of Glamorgan: [Cymraeg](/files/2020-21-Q2/packs/pack-vale-of-glamorgan-cy.html)"
        " · [English](/files/2020-21-Q2/packs/pack-vale-of-glamorgan-en.html)"
    )
    links = export_links(pack.parent, settings)
    assert links["Pack Vale of Glamorgan (English)"] == dg.MetadataValue.url(
        "/files/2020-21-Q2/packs/pack-vale-of-glamorgan-en.html"
    )
