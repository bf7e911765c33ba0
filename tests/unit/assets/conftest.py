"""An inbox with returns of invented senders, and the sensor that looks at it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations import Declarations
from pipelines.lifecycle.ledger import Ledger
from pipelines.quarters import Quarter
from pipelines.settings import Settings
from pipelines.templates.csv_files import write_csv_return

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from pipelines.assets import sensors

SECRET = "SECRET-CHILD-7"
Q2 = Quarter(2020, 2)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Sensors and assets make files private for the whole process."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Inbox:
    """The inbox of an installation, its senders, and the sensor that looks at it."""

    def __init__(
        self, settings: Settings, declarations: Declarations, instance: dg.DagsterInstance
    ) -> None:
        self.settings = settings
        self.declarations = declarations
        self.instance = instance
        self.cursor: str | None = None

    def drop(self, name: str, quarter: Quarter = Q2, **cover: Any) -> Path:
        path = self.settings.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = {
            "sender_code": "W06000001",
            "quarter": quarter.label,
            "version": 1,
            "signed_off_by_role": "Head of service",
            "signed_off_on": date(2020, 10, 9),
        } | cover
        row = {"child_reference": SECRET, "date_of_birth": date(2017, 3, 17)}
        write_csv_return(path, self.declarations, quarter, answers, {"child": [row]})
        return path

    def look(self) -> Any:
        """One tick of the sensor: what it asks for, or why it does not."""
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            answer = sensors.inbox_sensor(context)
            self.cursor = context.cursor
        return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer

    def submissions(self) -> list[Any]:
        return Ledger(self.settings.ledger).submissions()


@pytest.fixture
def inbox(settings: Settings, declarations: Declarations, instance: dg.DagsterInstance) -> Inbox:
    return Inbox(settings, declarations, instance)
