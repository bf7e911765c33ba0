from __future__ import annotations

import pytest

from pipelines.declarations import Declarations
from pipelines.settings import SOURCES


@pytest.fixture(scope="session")
def declarations() -> Declarations:
    return Declarations(SOURCES)
