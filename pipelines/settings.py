"""Where things lie on this machine. Read when asked, never at import.

Environment variables:

- ``ADOPTION_DATA``: folder of the rooms (default: ``data/`` in a checkout, the user's data folder
  for an installed program)
- ``ADOPTION_KEY_FILE``: the pseudonym key, which must lie outside both the
  checkout and the data folder (default: the user's configuration folder)
- ``ADOPTION_FILES_URL``: where a web server shows the exports room, behind the same login as
  Dagster (default: ``/files`` of the web server that ``adoption ui`` starts)
- ``ADOPTION_DAGSTER_YAML``: settings of the Dagster instance (default: ``dagster.yaml``; in
  production ``dagster-production.yaml`` beside it)
- ``ADOPTION_UI_ADDRESS``: where people reach the Dagster UI through a login proxy, such as
  ``https://adoption.example``; ``ADOPTION_UI_TOKEN``: its token, else a new one at each start
  (``pipelines.ui.door``)
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"  # made by the wheel only (pyproject.toml)

IS_INSTALLED = _SHIPPED.is_dir()
"""Whether this is an installed wheel rather than a checkout; nothing else decides by that."""

CHECKOUT = _PACKAGE.parent
"""The folder that holds the code: the checkout, or the site-packages of an installed program."""

SHIPPED = _SHIPPED if IS_INSTALLED else CHECKOUT
"""The folder that holds what comes with the code: declarations, dbt project, Dagster settings."""

SOURCES = SHIPPED / "sources"
DBT_PROJECT = SHIPPED / "dbt_project"
DAGSTER_YAML = SHIPPED / "dagster.yaml"

ROOMS = ("landing", "raw", "validated", "staging", "intermediate", "marts", "exports")


@dataclass(frozen=True)
class Settings:
    """Paths of one installation. Every other module takes one of these."""

    data: Path
    key_file: Path

    @classmethod
    def from_environment(cls) -> Settings:
        data = os.environ.get("ADOPTION_DATA")
        key_file = os.environ.get("ADOPTION_KEY_FILE")
        config = Path(platformdirs.user_config_dir("adoption", appauthor=False))
        return cls(
            data=Path(data).expanduser().resolve() if data else _default_data(),
            key_file=Path(key_file).expanduser().resolve()
            if key_file
            else config / "pseudonym.key",
        )

    @property
    def inbox(self) -> Path:
        """Where deliverers drop files."""
        return self.data / "landing" / "inbox"

    @property
    def received(self) -> Path:
        """Every file ever received, unchanged, named by its SHA-256."""
        return self.data / "landing" / "received"

    @property
    def ledger(self) -> Path:
        return self.data / "landing" / "ledger.jsonl"

    @property
    def raw(self) -> Path:
        return self.data / "raw"

    @property
    def validated(self) -> Path:
        return self.data / "validated"

    @property
    def build(self) -> Path:
        """Where dbt builds; nobody else opens these files."""
        return self.data / "build"

    @property
    def writer_lock(self) -> Path:
        """Held by the one process that builds, publishes or releases."""
        return self.data / "writer.lock"

    @property
    def marts(self) -> Path:
        """The published warehouse, read-only."""
        return self.data / "marts"

    @property
    def warehouse(self) -> Path:
        return self.marts / "warehouse.duckdb"

    def marts_as_of(self, as_of: datetime) -> Path:
        """A warehouse as it was known at a time, apart from the one that everybody reads."""
        return self.marts / "as_of" / as_of.strftime("%Y-%m-%dT%H%M%S")

    @property
    def restricted(self) -> Path:
        """Case-level marts (pseudonymous rows), kept apart from the warehouse."""
        return self.marts / "restricted.duckdb"

    @property
    def exports(self) -> Path:
        return self.data / "exports"

    @property
    def releases(self) -> Path:
        """Disclosure controlled releases of the national bodies: the only room made to be read
        by others."""
        return self.data / "releases"

    @property
    def released_values(self) -> Path:
        """True number behind every cell of every release, which later ones are protected with."""
        return self.data / "released_values"

    @property
    def dagster_home(self) -> Path:
        return self.data / "dagster"


def _default_data() -> Path:
    if IS_INSTALLED:
        return Path(platformdirs.user_data_dir("adoption", appauthor=False)).resolve()
    return CHECKOUT / "data"


def dbt_target(settings: Settings) -> Path:
    """Where dbt keeps the project as it parsed it, always the same: another path makes dbt parse
    everything anew, which takes 8 CPU seconds.

    In a checkout it is the project's own folder. The folder of an installed program may be
    read-only, so there it is in the data folder.
    """
    return settings.data / "dbt" if IS_INSTALLED else DBT_PROJECT / "target"


def files_url() -> str | None:
    """Web address of the exports room, or None where it has none of its own."""
    return os.environ.get("ADOPTION_FILES_URL") or None


def program(name: str) -> Path:
    """A command-line program installed beside this Python."""
    return Path(sys.executable).with_name(f"{name}.exe" if os.name == "nt" else name)


def make_private() -> None:
    """Files made from here on are readable by their owner alone (umask 077)."""
    os.umask(0o077)
