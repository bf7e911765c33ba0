"""Which rules are in force in a quarter, as officers may read them, and a hash of all of them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl

from expectations.fields import checks_in_force
from pipelines.declarations import Declarations
from pipelines.quarters import Quarter


def rule_set_hash(declarations: Declarations, quarter: Quarter) -> str:
    """Hash of every rule and declaration a verdict of ``quarter`` rests on.

    SHA-256, in hexadecimal. Rules are hashed as code, so that a changed condition under an
    unchanged sentence shows. Returns, codes, places and policies are hashed as declared.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for module in sorted(here.rglob("*.py"), key=lambda path: path.relative_to(here).as_posix()):
        digest.update(module.relative_to(here).as_posix().encode())
        digest.update(module.read_text(encoding="utf-8").encode())
    digest.update(json.dumps(_declared(declarations, quarter), sort_keys=True).encode())
    return digest.hexdigest()


def _declared(declarations: Declarations, quarter: Quarter) -> dict[str, Any]:
    returns = declarations.returns
    lists = {
        field.code_list
        for declared in returns.values()
        for field in declared.fields_in_force(quarter)
        if field.code_list
    }
    return {
        "quarter": quarter.label,
        "returns": {
            name: {
                "primary_key": declared.primary_key,
                "fields": [repr(field) for field in declared.fields_in_force(quarter)],
            }
            for name, declared in returns.items()
        },
        "codes": {name: declarations.codes(name, quarter) for name in sorted(lists)},
        "places": sorted((code, place.kind) for code, place in declarations.places.items()),
        "limits": [repr(limit) for limit in declarations.rule_limits if limit.in_force(quarter)],
        "policies": sorted(
            repr(policy.refusal_for(quarter)) for policy in declarations.policies.values()
        ),
    }


def catalogue_of_rules(declarations: Declarations, quarter: Quarter) -> pl.DataFrame:
    """One row per rule in force in ``quarter``, as the officer may read it.

    Columns: return_name, code, severity, field, fields (``, `` joined),
    sentence_en, sentence_cy, source. A rule of a return as a whole is of no
    sheet's field: as in its problems, return_name and field are blank. What its
    sentence says of one return is an ellipsis here.
    """
    rows = [
        {
            "return_name": return_name if check.level == "row" else "",
            "code": check.code,
            "severity": check.severity,
            "field": check.fields[0] if check.level == "row" else "",
            "fields": ", ".join(check.fields),
            "sentence_en": _without_places(check.sentence_en),
            "sentence_cy": _without_places(check.sentence_cy),
            "source": check.source,
        }
        for return_name in declarations.returns
        for check in checks_in_force(return_name, quarter, declarations)[0]
    ]
    return pl.DataFrame(rows)


def _without_places(sentence: str) -> str:
    return sentence.format_map(defaultdict(lambda: "…"))
