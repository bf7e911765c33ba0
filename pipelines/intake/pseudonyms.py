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
import string
from pathlib import Path

import polars as pl

from pipelines.files import make_folder, sync_folder, write_whole
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import CHECKOUT, Settings

_SHORTEST_KEY = 32
_FEWEST_DIFFERENT = 10  # 32 random hexadecimal digits have 9 or fewer once in 16,000 keys


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
        by others, could be guessed, is not the one that validated rows were made with, or is gone
        although they were.
        """
        if not settings.key_file.exists():
            check_key(settings)
            create_key(settings.key_file)
        pseudonymiser = _checked(settings)
        pseudonymiser._remember(key_marker(settings))
        return pseudonymiser

    @property
    def key_id(self) -> str:
        """Names the key without giving it away."""
        return hmac.new(self._key, b"key-id", hashlib.sha256).hexdigest()[:12]

    def of(self, kind: str, issuer: str, reference: str) -> str:
        """32 hexadecimal digits for one reference; case and outer blanks do not matter."""
        # A separator that no reference holds: "AB" of C and "A" of BC are two children.
        message = "\x1f".join((issuer, kind, reference.strip().upper()))
        # 128 bits: two of a million references meet by chance less than once in 10 to the 26th.
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


def check_key(settings: Settings) -> None:
    """Refuse to go on without the key that validated rows were made with.

    Asked before anything is taken in. Raises KeyFileError; says nothing where an installation is
    new and has no key yet.
    """
    _refuse_beforehand(settings)
    if settings.key_file.exists():
        _checked(settings)
        return
    made_with = key_id_of_data(settings)
    if made_with or _holds_validated_rows(settings):
        raise KeyFileError(
            f"the key {settings.key_file} is missing, but returns were validated with it"
            f"{f' (its id is {made_with})' if made_with else ''}, and nothing is taken in without "
            "it: restore the key from its backup, since a new one would turn every child into a "
            "new child"
        )


def key_id_of_data(settings: Settings) -> str | None:
    """Id of the key that the ledger says rows were validated with, or else the validated room."""
    for event in reversed(Ledger(settings.ledger).events()):
        if event.get("key_id"):
            return str(event["key_id"])
    try:
        return key_marker(settings).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def key_marker(settings: Settings) -> Path:
    """The file beside the validated rows that holds the id of their key."""
    return settings.validated / "key_id"


def rotation_journal(settings: Settings) -> Path:
    """Lies in the data folder while the key is being changed."""
    return settings.data / "key_rotation.json"


def read_key(path: Path) -> bytes:
    """The key in a file that nobody else can read. Raises KeyFileError."""
    if os.name != "nt" and path.stat().st_mode & 0o077:
        raise KeyFileError(f"others can read the key {path}: run chmod 600 {path}")
    return path.read_bytes().strip()


def weakness(key: bytes) -> str | None:
    """Why somebody could guess a key, as the end of a sentence; None where it cannot be seen.

    Whoever has the pseudonyms can try keys, so a key has to be random: 32 hexadecimal digits or
    bytes at least. A text that somebody thought of is none, however long.
    """
    if len(key) < _SHORTEST_KEY:
        return f"is shorter than {_SHORTEST_KEY} characters"
    if len(set(key)) < _FEWEST_DIFFERENT:
        return "repeats too few different characters"
    is_hexadecimal = all(chr(byte) in string.hexdigits for byte in key)
    is_text = all(chr(byte) in string.printable for byte in key) or _is_utf8(key)
    if is_text and not is_hexadecimal:
        return "looks like a password, not like a random key of hexadecimal digits"
    return None


def create_key(path: Path) -> None:
    """Write a new random key that only its owner can read; there is no file of that name yet."""
    make_folder(path.parent, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(secrets.token_hex(32) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    sync_folder(path.parent)


def _checked(settings: Settings) -> Pseudonymiser:
    path = settings.key_file
    _refuse_beforehand(settings)
    key = read_key(path)
    if why := weakness(key):
        raise KeyFileError(
            f"the key {path} {why}: restore the right one from its backup or, if returns were "
            "validated with this one, change it with `adoption key rotate`"
        )
    pseudonymiser = Pseudonymiser(key)
    made_with = key_id_of_data(settings)
    if made_with not in (None, pseudonymiser.key_id):
        raise KeyFileError(
            f"the key {path} has the id {pseudonymiser.key_id} and is not the one that returns "
            f"were validated with (its id is {made_with}); nothing is taken in without that one: "
            "restore it from its backup"
        )
    return pseudonymiser


def _refuse_beforehand(settings: Settings) -> None:
    for place in (settings.data, CHECKOUT):
        if settings.key_file.is_relative_to(place):
            raise KeyFileError(
                f"the key {settings.key_file} lies inside {place}; keep it apart: set "
                "ADOPTION_KEY_FILE"
            )
    if rotation_journal(settings).exists():
        raise KeyFileError(
            "the key was being changed, and that was interrupted: run `adoption key rotate`, which "
            "finishes it"
        )


def _holds_validated_rows(settings: Settings) -> bool:
    return any(
        counts.get("rows_read")
        for item in Ledger(settings.ledger).submissions()
        for counts in item.returns.values()
    )


def _is_utf8(key: bytes) -> bool:
    try:
        return key.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False
