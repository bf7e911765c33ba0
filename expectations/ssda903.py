"""The table of ``docs/rules.md``: every published SSDA903 adoption rule and what became of it.

    python -m expectations.ssda903

prints it, to be put into the page when ``sources/ssda903_rules.csv`` has changed.
"""

from __future__ import annotations

from pipelines.declarations import Declarations


def as_table(declarations: Declarations) -> str:
    """Markdown: a row for each rule, with ours or the reason why there is none."""
    lines = ["| SSDA903 | Asks that | Here |", "|---|---|---|"]
    for rule in declarations.ssda903_rules.values():
        ours = ", ".join(f"`{_written(name)}`" for name in rule.our_rules)
        gone = " (deleted from 2024-25)" if rule.status != "active in 2026-27" else ""
        lines.append(
            f"| {rule.rule_no}{gone} | {rule.text_en} | {ours or f'not here: {rule.reason_en}'} |"
        )
    return "\n".join(lines)


def _written(name: str) -> str:
    """``DATE:child.matched_on`` as ``DATE matched_on``, the way verdicts name it."""
    code, _, field = name.partition(":")
    return f"{code} {field.partition('.')[2]}" if field else code


if __name__ == "__main__":
    import sys
    from pathlib import Path

    folder = Path(__file__).resolve().parents[1] / "sources"
    # As bytes: a console of another encoding could not show every rule.
    sys.stdout.buffer.write((as_table(Declarations(folder)) + "\n").encode("utf-8"))
