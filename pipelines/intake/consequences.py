"""What follows from one cause is said once: under the cause, and counted.

Two misspelt headings gave 277 problems, of which 254 said no more than that two columns were not
there. What the rules find about a field that a problem of the file explains is not listed, nor
counted against the return; the problem of the file decides what becomes of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from expectations.rules import RULES
from pipelines.readers.sentences import FileProblem
from pipelines.text.catalogue import N_, translations

_WITH_COUNT = N_("{sentence} Problems that follow from this and are not listed: {count}.")
_FIELDS = {
    (name, rule.code): rule.fields
    for name, rules in RULES.items()
    for rule in rules
    if rule.level == "row"
}


def fold_consequences(
    row_problems: pl.DataFrame, file_problems: Sequence[FileProblem]
) -> tuple[pl.DataFrame, Sequence[FileProblem]]:
    """The problems of rows that no problem of the file explains, and those with what they explain.

    ``row_problems`` has the columns of ``expectations.suite.PROBLEM_SCHEMA``, or more. A query that
    errors follow from holds the file: to fold the errors away would let the rows count.
    """
    causes = {
        (problem.sheet, name): number
        for number, problem in reversed(list(enumerate(file_problems)))
        for name in problem.explains
    }
    if not causes or row_problems.is_empty():
        return row_problems, file_problems
    kinds = ("return_name", "sheet", "field", "code")
    distinct = row_problems.select(kinds).unique(maintain_order=True)
    numbers = [_cause(causes, *kind) for kind in distinct.iter_rows()]
    marked = row_problems.join(
        distinct.with_columns(pl.Series("cause", numbers, dtype=pl.Int64)),
        on=kinds,
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    folded = marked.drop_nulls("cause")
    counts = Counter(folded["cause"].to_list())
    with_errors = set(folded.filter(pl.col("severity") == "error")["cause"].to_list())
    kept = marked.filter(pl.col("cause").is_null()).drop("cause")
    return kept, tuple(
        _with_consequences(problem, counts[number], number in with_errors)
        for number, problem in enumerate(file_problems)
    )


def _cause(
    causes: dict[tuple[str | None, str], int],
    return_name: str,
    sheet: str | None,
    field: str,
    code: str,
) -> int | None:
    about = _FIELDS.get((return_name, code), (field,))
    return next((causes[sheet, name] for name in about if (sheet, name) in causes), None)


def _with_consequences(problem: FileProblem, count: int, with_errors: bool) -> FileProblem:
    if not count:
        return problem
    english, welsh = (
        translations(language).gettext(_WITH_COUNT).format(sentence=sentence, count=count)
        for language, sentence in (("en", problem.sentence_en), ("cy", problem.sentence_cy))
    )
    holds = problem.holds or (problem.severity == "query" and with_errors)
    return replace(problem, sentence_en=english, sentence_cy=welsh, holds=holds)
