"""Templates filled in, in the reader's language."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.text.catalogue import Language, translations

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(name: str, language: Language) -> Template:
    """A page to be filled in; markup in what is filled in is shown and not obeyed.

    A name that the template uses and nobody filled in raises jinja2.UndefinedError.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # All that templates need of gettext; Jinja's extension would add a syntax of its own.
    return environment.get_template(name, globals={"_": translations(language).gettext})


def in_css(text: str) -> str:
    """``text`` for a string of a style sheet, where HTML's own escapes are not understood."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)
