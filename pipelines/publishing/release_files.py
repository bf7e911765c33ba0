"""All files of one version of a release, from the cells of the warehouse.

    cells → protected → audited → figures → files

The audit comes before any file: nothing is written of numbers that readers could work out. The
same ledger, code and received files make the same bytes, on any machine and at any time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.declarations import Declarations, Policy, ReleasePolicy
from pipelines.files import make_folder, write_checksums, write_json, write_table
from pipelines.quarters import Quarter
from pipelines.release import package, provenance
from pipelines.release.compare import SCHEMA as CHANGE_SCHEMA
from pipelines.release.compare import compare, figures_of_folder, with_revisions_marked
from pipelines.release.content import Content, ReleaseError
from pipelines.release.from_warehouse import content_of
from pipelines.release.open_data import write_open_data
from pipelines.release.opendocument import write_opendocument
from pipelines.release.protected_figures import figures_of
from pipelines.release.statswales import write_statswales
from pipelines.release.tables import write_tables
from pipelines.release.versions import Version, released_values_file
from pipelines.release.workbook import write_workbook
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES

if TYPE_CHECKING:
    import duckdb

    from pipelines.declarations.disclosure import Rules
    from pipelines.disclosure.cells import ReleaseCells
    from pipelines.disclosure.changes import Settled

Say = Callable[[str], None]

FORMS = {"statswales": write_statswales, "open_data": write_open_data}
REVISIONS, AUDIT = "revisions.csv", "audit.json"
# Parts of the audit's report that differ from run to run, and from machine to machine.
_OF_THE_RUN = frozenset(
    {
        "seconds",
        "cpu_seconds",
        "linear_programs",
        "proven_wide_by_feasible_tables",
        "proven_wide_one_by_one",
    }
)
THREADS = 2


@dataclass(frozen=True)
class VersionToMake:
    """One version of a release, and what is known before it is made.

    ``before`` is the folder of the version before; ``released_values`` are the true numbers behind
    everything released earlier and ``released_quarters`` the numbers of single quarters that it
    rests on, None where nothing was.
    """

    policy: Policy
    quarter: Quarter
    version: int
    before: Path | None
    decided: provenance.Decided
    released_values: pl.DataFrame | None
    released_quarters: pl.DataFrame | None


@dataclass(frozen=True)
class TrueNumbers:
    """The true numbers of a release, and the rules they are protected by.

    ``settled``: what they rest on, without changes since an earlier release that have to wait.
    """

    release: ReleaseCells
    settled: Settled
    rules: Rules
    is_synthetic: bool


@dataclass(frozen=True)
class FilesWritten:
    """Figures in the release, those that differ from the version before, and what lies behind."""

    figures: int
    changed: int
    values: pl.DataFrame
    quarters: pl.DataFrame


def true_numbers(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, task: VersionToMake
) -> TrueNumbers:
    """Every cell of the release as the warehouse has it. Raises ReleaseError, DeclarationError."""
    from pipelines.disclosure.cells import cells_of
    from pipelines.disclosure.changes import quarters_of, settled
    from pipelines.pack.nation_quarter import holds_samples

    policy, quarter = task.policy, task.quarter
    rules = declarations.disclosure_policy_of(policy.body).rules_for(quarter)
    relations = declarations.subset_relations
    release = cells_of(connection, policy.nation_code, quarter, relations, task.released_values)
    now = quarters_of(connection, policy.nation_code, quarter.label)
    found = settled(release, now, task.released_quarters, task.released_values, rules)
    return TrueNumbers(replace(release, cells=found.cells), found, rules, holds_samples(connection))


def differs_from(
    latest: Version,
    settings: Settings,
    numbers: TrueNumbers,
    task: VersionToMake,
) -> bool:
    """Whether numbers are others than in the newest version.

    True numbers are compared: which of them are suppressed depends on what was released before,
    and so would be another choice each time. A return that changed no number, or whose changes
    have to wait, makes no version: that would tell that it came.
    """
    from pipelines.disclosure.cells import KEY as CELL
    from pipelines.disclosure.protection import published

    columns = [*CELL, "value"]
    cells = published(numbers.release.cells, numbers.release.relations, numbers.rules)
    released = pl.read_parquet(released_values_file(settings, latest)).select(columns).sort(columns)
    # Of the tiers that the version left out nothing was released that could differ.
    values = cells.filter(pl.col("value").is_not_null()).select(columns).sort(columns)
    values = values.join(released, on=list(CELL), how="semi").sort(columns)
    if not values.equals(released):
        return True
    assert task.before is not None
    before = package.provenance_of_folder(task.before)
    return before["disclosure_control"]["rules"] != numbers.rules.id


def write_release(
    folder: Path,
    settings: Settings,
    declarations: Declarations,
    connection: duckdb.DuckDBPyConnection,
    task: VersionToMake,
    numbers: TrueNumbers,
    say: Say,
) -> FilesWritten:
    """All files of a version, into ``folder``, which is made anew. Raises ReleaseError, OSError."""
    from pipelines.disclosure.cells import DisclosureError
    from pipelines.disclosure.proof import proved
    from pipelines.disclosure.protection import as_known, published
    from pipelines.pack.published_release import earlier_releases
    from pipelines.pack.released_packs import write_published_packs

    policy, quarter = task.policy, task.quarter
    cells, rules = numbers.release, numbers.rules
    changes_since = {
        "taken_in": numbers.settled.taken.height,
        "waiting": numbers.settled.waiting.height,
    }
    if changes_since["waiting"]:
        say(waiting_sentence(numbers.settled))
    say(f"{published(cells.cells, cells.relations, rules).height:,} cells to protect")
    try:
        proof = proved(cells, rules, numbers.settled.known, THREADS, say)
    except DisclosureError as error:
        raise ReleaseError(f"the numbers cannot be protected: {error}") from error
    protected, report, rules = proof.protected, proof.audit, proof.rules
    if not report.passed:
        raise ReleaseError(
            "the audit found numbers that readers could work out, first of them: "
            f"{report.failures[0]} ({len(report.failures)} in all). Nothing was released. What was "
            f"tried: {'; '.join(str(choice) for choice in proof.choices)}. What was released "
            "before stays; for this quarter publish fewer numbers: give the first of the tiers in "
            "sources/disclosure fewer measures, from this quarter on"
        )
    say("protected and audited; now the files")
    figures = figures_of(connection, policy.nation_code, quarter, protected, rules)
    if figures.is_empty():
        raise ReleaseError(f"the warehouse holds no figures of {policy.body} for {quarter}")
    changes = pl.DataFrame(schema=CHANGE_SCHEMA)
    if task.before is not None:
        earlier_figures = figures_of_folder(task.before)
        changes = compare(earlier_figures, figures)
        figures = with_revisions_marked(figures, earlier_figures)
    content = content_of(
        connection,
        body=policy.body,
        nation_code=policy.nation_code,
        title=policy.title,
        quarter=quarter,
        version=task.version,
        figures=figures,
        is_synthetic=numbers.is_synthetic,
        open_returns=sum(
            status.in_force_submission_id is not None for status in task.decided.open_returns
        ),
        waiting=numbers.settled.waiting,
    )
    control = {
        "rules": rules.id,
        "title": rules.title.model_dump(),
        "status": rules.status,
        "protection": _same_in_every_run(protected.report),
        "choices": [choice.as_dict() for choice in proof.choices],
    }
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder, mode=0o700)
    about = provenance.provenance_of(
        connection,
        settings,
        name=content.name,
        body=policy.body,
        nation_code=policy.nation_code,
        quarter=quarter,
        version=task.version,
        is_synthetic=content.is_synthetic,
        decided=task.decided,
        changes=changes_since,
        disclosure_control=control,
    )
    _write_figures(content, folder, policy.release_for(quarter), changes)
    files = sorted(folder.iterdir())
    files += package.write_provenance(about, folder)
    write_json(folder / AUDIT, control | {"audit": _same_in_every_run(report.as_dict())})
    files.append(folder / AUDIT)
    # From the files above and those of earlier releases: a page has no other numbers.
    earlier = earlier_releases(settings, policy.body, quarter, task.decided.ledger_length)
    files += write_published_packs(folder, declarations, earlier)
    files += package.write_descriptions(content, folder, files)
    package.write_readme(content, folder, files)
    write_checksums(folder)
    # Sorts as releases follow each other in the ledger.
    name = f"{task.decided.ledger_length:012}"
    return FilesWritten(
        figures.height,
        changes.height,
        as_known(cells.cells, protected, rules, name),
        numbers.settled.quarters,
    )


def waiting_sentence(settled: Settled) -> str:
    """Which changes wait, in words for those who release: by quarter, with no number of children
    and no sender."""
    by_quarter = settled.waiting.group_by("quarter").len().sort("quarter").iter_rows()
    counts = ", ".join(f"{quarter}: {count} measures" for quarter, count in by_quarter)
    return (
        f"changes of returns since an earlier release wait ({counts}): shown now, they would tell "
        "a small number of their sender. Their figures stay as they were released, and they are "
        "taken in with the first release in which they tell none"
    )


def _write_figures(
    content: Content, folder: Path, policy: ReleasePolicy, changes: pl.DataFrame
) -> None:
    package.write_figures(content, folder)
    package.write_dictionary(content, folder)
    for form in policy.forms:
        FORMS[form](content, folder)
    write_tables(content, folder)
    for language in LANGUAGES:
        write_workbook(content, language, folder / f"{content.name}-{language}.xlsx")
        write_opendocument(content, language, folder / f"{content.name}-{language}.ods")
    write_table(changes, folder / REVISIONS)


def _same_in_every_run(report: Any) -> Any:
    if not isinstance(report, dict):
        return report
    return {
        name: _same_in_every_run(value) for name, value in report.items() if name not in _OF_THE_RUN
    }
