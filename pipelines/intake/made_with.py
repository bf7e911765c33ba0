"""Hash of the code and declarations that decide which rows come out of a file.

With the rules' own hash it says what a verdict, and a sign-off of it, rests on: when either
changes, a sign-off is void until the return has been validated and signed off again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipelines.declarations import Declarations

# What decides, besides the rules, which rows come out of a file and what becomes of them. Not the
# landing: it identifies a file by its cover, and changes no row.
CODE = (
    "readers",
    "text/fuzzy_match.py",
    "intake/accepted_returns.py",
    "intake/batches.py",
    "intake/prior_period.py",
    "intake/problems.py",
    "intake/pseudonyms.py",
    "intake/raw.py",
    "intake/validated.py",
    "intake/validation.py",
)
DECLARATIONS = ("returns", "code_lists", "spellings", "places", "policies")


def made_with(declarations: Declarations) -> str:
    """SHA-256, in hexadecimal, of the files in ``CODE`` and ``DECLARATIONS``.

    Line ends do not count: they differ between machines.
    """
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for folder, names in ((package, CODE), (declarations.folder, DECLARATIONS)):
        for name in names:
            place = folder / name
            files = [place] if place.is_file() else sorted(place.rglob("*.*"))
            for path in files:
                if path.suffix in (".py", ".yaml", ".csv"):
                    digest.update(path.relative_to(folder).as_posix().encode("utf-8") + b"\0")
                    digest.update(path.read_text(encoding="utf-8").encode("utf-8") + b"\0")
    return digest.hexdigest()
