"""Keyed pseudonyms: from the validated room on, nobody sees an authority's own reference.

A pseudonym is the first 128 bits of HMAC-SHA-256(key, issuer, kind, reference), so the same
child has the same pseudonym every quarter, two authorities' equal references differ, and
without the key nothing can be found by trying references (a six-digit reference hashed with a
known salt is found in seconds).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import polars as pl

from pipelines.files import sync_folder, write_whole
from pipelines.settings import CHECKOUT, Settings


class KeyFileError(Exception):
    """The pseudonym key cannot be used; the message says what to do."""


class Pseudonymiser:
    """Turns references into pseudonyms with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_settings(cls, settings: Settings) -> Pseudonymiser:
        """Use the installation's key; make one when the installation is new.

        Raises KeyFileError when the key lies inside the data folder or the checkout, is readable
        by others, is too short, or is gone although pseudonyms were already made with it.
        """
        path = settings.key_file
        for place in (settings.data, CHECKOUT):
            if path.is_relative_to(place):
                raise KeyFileError(
                    f"the key {path} lies inside {place}; keep it apart: set ADOPTION_KEY_FILE"
                )
        marker = settings.validated / "key_id"
        if not path.exists():
            if marker.exists():
                raise KeyFileError(
                    f"the key {path} is missing, but data in {settings.validated} was made with "
                    "it: restore the key from its backup, since a new one would turn every "
                    "child into a new child"
                )
            _create_key(path)
        if os.name != "nt" and path.stat().st_mode & 0o077:
            raise KeyFileError(f"others can read the key {path}: run chmod 600 {path}")
        key = path.read_bytes().strip()
        if len(key) < 32:
            raise KeyFileError(f"the key {path} is shorter than 32 characters: restore it")
        pseudonymiser = cls(key)
        pseudonymiser._remember(marker)
        return pseudonymiser

    @property
    def key_id(self) -> str:
        """Names the key without giving it away."""
        return hmac.new(self._key, b"key-id", hashlib.sha256).hexdigest()[:12]

    def of(self, kind: str, issuer: str, reference: str) -> str:
        """32 hexadecimal digits for one reference; case and outer blanks do not matter."""
        message = "\x1f".join((issuer, kind, reference.strip().upper()))
        return hmac.new(self._key, message.encode("utf-8"), hashlib.sha256).hexdigest()[:32]

    def of_column(self, kind: str, issuers: pl.Series, references: pl.Series) -> pl.Series:
        """Pseudonyms of two columns of equal length; null where the reference is null."""
        return pl.Series(
            references.name,
            [
                None if reference is None else self.of(kind, issuer or "", reference)
                for issuer, reference in zip(issuers, references, strict=True)
            ],
            dtype=pl.String,
        )

    def _remember(self, marker: Path) -> None:
        if not marker.exists():
            write_whole(marker, lambda path: path.write_text(self.key_id, encoding="utf-8"))
        elif marker.read_text(encoding="utf-8").strip() != self.key_id:
            raise KeyFileError(
                f"the key is not the one that {marker.parent} was made with "
                f"(that one's id is {marker.read_text(encoding='utf-8').strip()}): restore it"
            )


def _create_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(secrets.token_hex(32) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    sync_folder(path.parent)
