"""What people write after a command: quarters, files."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.quarters import Quarter


class QuarterType(click.ParamType):
    """A quarter as people write it: 2025-26-Q1."""

    name = "quarter"

    def convert(self, value, param, ctx):
        if isinstance(value, Quarter):
            return value
        try:
            return Quarter.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


QUARTER = QuarterType()
FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
