"""Loaded before programs are started: dagster-dbt asks dbt for its version once, not every time.

Each time takes a whole start of dbt, four seconds of processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from subprocess import check_output

from dagster_dbt.core import resource

_answer = cache(lambda command: check_output(command))


def _check_output(command: Sequence[str]) -> bytes:
    return _answer(tuple(command))


vars(resource)["check_output"] = _check_output
