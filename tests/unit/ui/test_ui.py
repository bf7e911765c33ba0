"""What the Dagster UI offers: files behind its links, forms of its jobs, many quarters at once."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.commands import run
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter
from pipelines.settings import CHECKOUT, Settings
from pipelines.ui.quarter_summary import quarter_pages, web_address
from pipelines.ui.services import Address, commands
from pipelines.ui.web import files_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg
    from pipelines.assets.quarters import COUNTED, STATEMENTS, shown
    from pipelines.assets.shown import export_links, pack_list

    from pipelines.assets.exports import PackConfig, packs
    from pipelines.assets.partitions import QUARTERS
    from pipelines.definitions import defs

Q2 = Quarter(2020, 2)


# --- files behind links ---------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> Path:
    version = tmp_path / "exports" / "2020-21-Q2" / "1"
    version.mkdir(parents=True)
    (version / "pack-wales-en.html").write_text("<p>a pack</p>", encoding="utf-8")
    part = tmp_path / "exports" / "2020-21-Q2" / ".part"
    part.mkdir()
    (part / "pack-wales-en.html").write_text("half a pack", encoding="utf-8")
    (tmp_path / "ledger.jsonl").write_text("not for readers", encoding="utf-8")
    return tmp_path / "exports"


def get(room: Path, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, the way the web server asks for it."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": f"/files{path}",
        "root_path": "",
        "headers": [],
        "query_string": b"",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    application = Starlette(routes=[Mount("/files", app=files_of(room))])
    asyncio.run(application(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


def test_a_link_opens_the_pack_and_the_pack_may_run_and_ask_nothing(room: Path) -> None:
    status, headers, body = get(room, "/2020-21-Q2/1/pack-wales-en.html")
    assert (status, body) == (200, b"<p>a pack</p>")
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox") and "allow-scripts" not in policy
    assert "default-src 'none'" in policy and "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/2020-21-Q2/1",
        "/2020-21-Q2/.part/pack-wales-en.html",
        "/../ledger.jsonl",
        "/2020-21-Q2/../../ledger.jsonl",
        "/2020-21-Q2/1/pack-england-en.html",
    ],
)
def test_nothing_but_finished_files_of_the_exports_room_is_handed_out(
    room: Path, path: str
) -> None:
    assert get(room, path)[0] == 404


def test_a_link_out_of_the_room_leads_nowhere(room: Path) -> None:
    try:
        (room / "out").symlink_to(room.parent)
    except OSError:
        pytest.skip("this system does not let us make links")
    assert get(room, "/out/ledger.jsonl")[0] == 404


def test_files_can_be_read_and_not_written(room: Path) -> None:
    assert get(room, "/2020-21-Q2/1/pack-wales-en.html", "PUT")[0] == 405


def test_a_room_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert get(tmp_path / "exports", "/2020-21-Q2/1/pack-wales-en.html")[0] == 404


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


# --- forms and ranges -----------------------------------------------------------------------


def test_every_asset_of_quarters_takes_a_range_of_them_in_one_run() -> None:
    partitioned = [one for one in defs.assets or () if getattr(one, "partitions_def", None)]
    assert {one.op.name for one in partitioned} >= {"quarterly_files", "packs", "raw_returns"}
    for one in partitioned:
        assert one.partitions_def == QUARTERS
        assert one.backfill_policy == dg.BackfillPolicy.single_run(), one.op.name


@pytest.mark.parametrize(
    ("job", "step", "fields"),
    [
        ("build_warehouse", "declared_tables", {"as_of"}),
        ("write_packs", "packs", {"body", "every_place_of_it", "language"}),
    ],
)
def test_a_form_asks_little_says_what_each_word_means_and_may_stay_as_it_is(
    job: str, step: str, fields: set[str]
) -> None:
    schema = defs.resolve_job_def(job).run_config_schema.config_type.fields["ops"].config_type
    form = schema.fields[step].config_type.fields["config"].config_type.fields
    assert set(form) == fields
    for name, field in form.items():
        assert not field.is_required, name
        assert len(field.description) > 30, name


def test_jobs_and_what_starts_them_say_what_they_do() -> None:
    for job in defs.jobs or ():
        assert len(job.description) > 80, job.name
    for one in [*(defs.sensors or ()), *(defs.schedules or ())]:
        assert len(one.description) > 60, one.name


def test_every_asset_has_a_room_an_owner_and_a_description() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.group_name == key.path[0]
        assert node.owners and node.description and "personal_data" in node.tags, key


# --- packs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"body": "Cardif"}, "did you mean W06000015 \\(Cardiff\\)"),
        ({"body": "Cardiff", "every_place_of_it": True}, "Cardiff is no nation"),
    ],
)
def test_a_body_that_has_no_pack_is_told_in_the_run(
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
        dg.build_asset_context(partition_key=Q2.label) as context,
        pytest.raises(dg.Failure, match=f"body: .*{why}.*Nothing was written"),
    ):
        list(packs(context, PackConfig(**config)))
    assert not (settings.exports / Q2.label / "packs").exists()


# --- the quarter's page ---------------------------------------------------------------------


def test_the_page_says_of_each_statement_whether_it_is_so(
    settings: Settings, declarations: Declarations
) -> None:
    settings.ledger.parent.mkdir(parents=True)
    (page,) = quarter_pages(settings, declarations, [Q2], date(2021, 1, 1))
    assert set(page.statements()) == set(STATEMENTS) == set(COUNTED)
    records = shown(page, settings)["What should be so"].records
    said = [(record.data["Statement"], record.data["Is so"]) for record in records]
    told = dict(zip(STATEMENTS, said, strict=True))
    sentence, is_so = told["no_return_is_overdue"]
    assert sentence.startswith(STATEMENTS["no_return_is_overdue"])
    assert "returns are overdue" in sentence and is_so == "⚠\N{NO-BREAK SPACE}no"
    assert told["no_query_is_open"][1] == "✓\N{NO-BREAK SPACE}yes"
    overdue = page.statements()["no_return_is_overdue"]
    assert overdue.count == page.due > 0
    assert overdue.told.startswith(f"{page.due} returns are overdue; the (proposed) deadline was")
    first = replace(page, statuses=page.statuses[:1])
    assert first.statements()["no_return_is_overdue"].told.startswith("1 return is overdue;")


# --- the instance ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster-production.yaml"])
def test_dagster_understands_its_settings_and_runs_one_job_at_a_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster._core.instance.config import dagster_instance_config

    monkeypatch.setenv("ADOPTION_POSTGRES_URL", "postgresql+psycopg2://nobody@/nothing")
    (tmp_path / "dagster.yaml").write_bytes((CHECKOUT / name).read_bytes())
    found, _ = dagster_instance_config(str(tmp_path))
    assert found["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert found["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}
    assert found["telemetry"] == {"enabled": False}


def test_production_differs_from_a_checkout_in_storage_and_retention_only() -> None:
    one, other = (
        yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))
        for name in ("dagster.yaml", "dagster-production.yaml")
    )
    assert set(other) - set(one) == {"storage", "retention"}
    assert {name: other[name] for name in one} == one


def test_settings_of_the_instance_can_be_chosen_and_a_wrong_choice_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ADOPTION_DAGSTER_YAML", raising=False)
    home = run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == (CHECKOUT / "dagster.yaml").read_bytes()
    chosen = CHECKOUT / "dagster-production.yaml"
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(chosen))
    run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == chosen.read_bytes()
    monkeypatch.setenv("ADOPTION_DAGSTER_YAML", str(tmp_path / "none.yaml"))
    with pytest.raises(run.JobFailed, match=r"none\.yaml, which is no file"):
        run.keep_instance_settings(settings)
    assert (home / "dagster.yaml").read_bytes() == chosen.read_bytes()


def test_a_web_server_that_only_shows_is_told_so() -> None:
    def web(read_only: bool) -> list[str]:
        return commands(Address(port=4000), Path("workspace.yaml"), 3000, read_only)[1]

    assert "--read-only" in web(True)
    assert "--read-only" not in web(False)
    assert "pipelines.ui.web" in web(True)
