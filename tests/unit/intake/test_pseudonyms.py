"""Pseudonyms: the same child every quarter, nobody's reference in sight, and a key kept safe."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.declarations import Declarations
from pipelines.intake import pseudonyms
from pipelines.intake.landing import Arrival, receive
from pipelines.intake.pseudonyms import KeyFileError, Pseudonymiser, weakness
from pipelines.lifecycle.ledger import Ledger
from pipelines.settings import CHECKOUT, Settings

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def ours() -> Pseudonymiser:
    return Pseudonymiser(KEY)


# --- the pseudonyms -----------------------------------------------------------------------


def test_the_same_reference_has_the_same_pseudonym_every_time(ours: Pseudonymiser) -> None:
    assert ours.of("child", "W06000001", "LA/00089") == Pseudonymiser(KEY).of(
        "child", "W06000001", "LA/00089"
    )


def test_a_pseudonym_is_what_it_was_when_the_first_data_was_made(ours: Pseudonymiser) -> None:
    """A changed recipe would turn every child into a new child."""
    import hashlib
    import hmac

    expected = hmac.new(KEY, b"W06000001\x1fchild\x1fLA/00089", hashlib.sha256).hexdigest()[:32]
    assert ours.of("child", "W06000001", "LA/00089") == expected


@pytest.mark.parametrize(
    ("kind", "issuer", "reference"),
    [
        ("child", "W06000002", "7"),
        ("household", "W06000001", "7"),
        ("child", "W06000001", "8"),
        ("child", "W06000001", "07"),
        ("child", "W0600000", "17"),
    ],
)
def test_another_issuer_kind_or_reference_has_another_pseudonym(
    ours: Pseudonymiser, kind: str, issuer: str, reference: str
) -> None:
    assert ours.of(kind, issuer, reference) != ours.of("child", "W06000001", "7")


@pytest.mark.parametrize("written", [" la/89", "LA/89 ", "La/89", "\tLA/89\n"])
def test_case_and_outer_blanks_do_not_make_another_child(ours: Pseudonymiser, written: str) -> None:
    assert ours.of("child", "W06000001", written) == ours.of("child", "W06000001", "LA/89")


def test_a_blank_within_a_reference_does_make_another(ours: Pseudonymiser) -> None:
    assert ours.of("child", "W06000001", "LA 89") != ours.of("child", "W06000001", "LA89")


def test_another_key_gives_other_pseudonyms_throughout(ours: Pseudonymiser) -> None:
    other = Pseudonymiser(KEY[::-1])
    references = [f"{number:06d}" for number in range(200)]
    mine = {ours.of("child", "X", reference) for reference in references}
    theirs = {other.of("child", "X", reference) for reference in references}
    assert len(mine) == len(theirs) == 200
    assert not mine & theirs


@pytest.mark.parametrize("reference", ["ABCDEF0123", "1234567890", "a" * 32, "Siân", ""])
def test_a_pseudonym_is_32_hexadecimal_digits_and_shows_nothing_of_the_reference(
    ours: Pseudonymiser, reference: str
) -> None:
    pseudonym = ours.of("child", "W06000001", reference)
    assert re.fullmatch("[0-9a-f]{32}", pseudonym)
    assert not reference or reference.lower() not in pseudonym


def test_a_column_keeps_its_name_its_order_and_its_blanks(ours: Pseudonymiser) -> None:
    issuers = pl.Series("agency", ["A", None, "A", "B"])
    references = pl.Series("child_reference", ["1", "1", None, " 1"])
    found = ours.of_column("child", issuers, references)
    assert found.name == "child_reference"
    assert found.dtype == pl.String
    assert found.to_list() == [
        ours.of("child", "A", "1"),
        ours.of("child", "", "1"),
        None,
        ours.of("child", "B", "1"),
    ]


def test_a_column_of_blanks_is_still_a_column_of_text(ours: Pseudonymiser) -> None:
    blank = pl.Series("r", [None, None], dtype=pl.Null)
    assert ours.of_column("child", pl.Series(["A", "A"]), blank).dtype == pl.String


def test_columns_of_different_length_are_a_fault(ours: Pseudonymiser) -> None:
    with pytest.raises(ValueError):
        ours.of_column("child", pl.Series(["A", "B"]), pl.Series(["1"]))


def test_the_id_of_a_key_does_not_give_the_key_away(ours: Pseudonymiser) -> None:
    assert re.fullmatch("[0-9a-f]{12}", ours.key_id)
    assert ours.key_id not in KEY.decode()
    assert ours.key_id != Pseudonymiser(KEY[::-1]).key_id


# --- the key ------------------------------------------------------------------------------


def test_a_new_installation_makes_a_key_that_only_its_owner_reads(settings: Settings) -> None:
    Pseudonymiser.from_settings(settings)
    content = settings.key_file.read_text(encoding="ascii")
    assert re.fullmatch("[0-9a-f]{64}\n", content)
    if os.name != "nt":
        assert settings.key_file.stat().st_mode & 0o777 == 0o600
        assert settings.key_file.parent.stat().st_mode & 0o777 == 0o700


def test_two_installations_make_different_keys(tmp_path: Path) -> None:
    ids = {
        Pseudonymiser.from_settings(
            Settings(data=tmp_path / name / "data", key_file=tmp_path / name / "keys" / "key")
        ).key_id
        for name in ("one", "two")
    }
    assert len(ids) == 2


def test_the_key_is_used_again_the_next_time(settings: Settings) -> None:
    first = Pseudonymiser.from_settings(settings)
    second = Pseudonymiser.from_settings(settings)
    assert first.of("child", "A", "1") == second.of("child", "A", "1")
    assert settings.key_file.exists()


def test_the_data_folder_remembers_the_id_of_its_key_and_not_the_key(settings: Settings) -> None:
    found = Pseudonymiser.from_settings(settings)
    key = settings.key_file.read_bytes().strip()
    kept = [path for path in settings.data.rglob("*") if path.is_file()]
    assert [path.read_text(encoding="utf-8") for path in kept] == [found.key_id]
    assert not any(key in path.read_bytes() for path in kept)


def test_a_crash_while_the_id_is_written_leaves_no_empty_one_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty id would look like another key's and lock the installation out."""

    def crash(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            Pseudonymiser.from_settings(settings)
    assert Pseudonymiser.from_settings(settings).key_id


@pytest.mark.parametrize("where", ["validated", "", "deep/er"])
def test_a_key_inside_the_data_folder_is_refused_before_it_is_made(
    settings: Settings, where: str
) -> None:
    inside = Settings(data=settings.data, key_file=settings.data / where / "key")
    with pytest.raises(KeyFileError, match="set ADOPTION_KEY_FILE"):
        Pseudonymiser.from_settings(inside)
    assert not inside.key_file.exists()


def test_a_key_inside_the_checkout_is_refused_before_it_is_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert pseudonyms.CHECKOUT == CHECKOUT
    monkeypatch.setattr(pseudonyms, "CHECKOUT", tmp_path / "checkout")
    inside = Settings(data=settings.data, key_file=tmp_path / "checkout" / "pipelines" / "key")
    with pytest.raises(KeyFileError, match="keep it apart"):
        Pseudonymiser.from_settings(inside)
    assert not inside.key_file.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o602])
def test_a_key_that_others_can_reach_is_refused(settings: Settings, mode: int) -> None:
    Pseudonymiser.from_settings(settings)
    settings.key_file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Pseudonymiser.from_settings(settings)
    settings.key_file.chmod(0o400)
    assert Pseudonymiser.from_settings(settings)


@pytest.mark.parametrize("content", [b"", b"short", b"  \n" * 40, b"x" * 31])
def test_a_short_key_is_refused(settings: Settings, content: bytes) -> None:
    settings.key_file.parent.mkdir(parents=True)
    settings.key_file.write_bytes(content)
    settings.key_file.chmod(0o600)
    with pytest.raises(KeyFileError, match="shorter than 32"):
        Pseudonymiser.from_settings(settings)


def test_a_key_given_by_the_owner_is_used(settings: Settings) -> None:
    settings.key_file.parent.mkdir(parents=True)
    settings.key_file.write_bytes(KEY + b"\r\n")
    settings.key_file.chmod(0o600)
    found = Pseudonymiser.from_settings(settings)
    assert found.of("child", "A", "1") == Pseudonymiser(KEY).of("child", "A", "1")


def test_a_key_that_is_gone_after_use_is_not_replaced_by_a_new_one(settings: Settings) -> None:
    Pseudonymiser.from_settings(settings)
    settings.key_file.unlink()
    with pytest.raises(KeyFileError, match="restore the key from its backup"):
        Pseudonymiser.from_settings(settings)
    assert not settings.key_file.exists()


def test_another_key_than_the_data_was_made_with_is_refused(settings: Settings) -> None:
    made_with = Pseudonymiser.from_settings(settings).key_id
    settings.key_file.write_bytes(KEY)
    with pytest.raises(KeyFileError, match=made_with) as caught:
        Pseudonymiser.from_settings(settings)
    assert KEY.decode() not in str(caught.value)
    assert (settings.validated / "key_id").read_text(encoding="utf-8") == made_with


# --- weak keys, and keys that are lost -------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a" * 32, "too few different"),
        (b"0" * 64, "too few different"),
        (b"\x00" * 64, "too few different"),
        (b"abcdefgh" * 8, "too few different"),
        (b"0123456701234567" * 4, "too few different"),
        (b"correct horse battery staple, and adoption 2026", "password"),
        (b"CorrectHorseBatteryStapleAdoption2026!", "password"),
        ("llyfrgell gŵyl mabwysiadu môr tŷ heddiw 12".encode(), "password"),
        (b"<!doctype html><html>log in first</html>", "password"),
    ],
)
def test_a_key_that_could_be_guessed_is_refused(
    settings: Settings, content: bytes, why: str
) -> None:
    _put_key(settings, content)
    with pytest.raises(KeyFileError, match=why) as caught:
        Pseudonymiser.from_settings(settings)
    assert content.decode("utf-8")[:20] not in str(caught.value)


def test_random_keys_are_not_taken_for_weak_ones() -> None:
    for _ in range(300):
        assert weakness(os.urandom(48).strip() or b"") is None
        assert weakness(secrets.token_hex(32).encode()) is None


@pytest.mark.parametrize("is_other", [False, True])
def test_nothing_is_taken_in_without_the_key_of_what_was_validated(
    settings: Settings, declarations: Declarations, is_other: bool
) -> None:
    """Also where the validated room, with its own note, is gone: the ledger says it."""
    key_id = Pseudonymiser.from_settings(settings).key_id
    Ledger(settings.ledger).append(
        {"event": "received", "submission_id": "S1", "delivery_number": 1, "sha256": "0" * 64}
        | {"extension": "", "name": "", "received_at": "2025-07-01T09:00:00+00:00"},
        {"event": "judged", "submission_id": "S1", "status": "accepted", "key_id": key_id}
        | {"returns": {"child": {"rows_read": 1}}},
    )
    shutil.rmtree(settings.validated)
    settings.key_file.unlink()
    if is_other:
        _put_key(settings, secrets.token_hex(32).encode())
    path = settings.inbox / "return.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no matter what")
    before = settings.ledger.read_bytes()
    with pytest.raises(KeyFileError, match="nothing is taken in without") as caught:
        receive(settings, declarations, [Arrival(path, datetime.now(UTC))])
    assert key_id in str(caught.value) and "\n" not in str(caught.value)
    assert path.exists() and settings.ledger.read_bytes() == before
    assert not settings.received.exists()
    assert settings.key_file.exists() is is_other, "no new key is made"


def test_a_ledger_from_before_key_ids_were_kept_needs_its_key_as_well(settings: Settings) -> None:
    Ledger(settings.ledger).append(
        {"event": "received", "submission_id": "S1", "delivery_number": 1, "sha256": "0" * 64}
        | {"extension": "", "name": "", "received_at": "2025-07-01T09:00:00+00:00"},
        {"event": "judged", "submission_id": "S1", "status": "accepted"}
        | {"returns": {"child": {"rows_read": 1}}},
    )
    with pytest.raises(KeyFileError, match="is missing"):
        Pseudonymiser.from_settings(settings)
    assert not settings.key_file.exists()
    _put_key(settings, KEY)
    assert Pseudonymiser.from_settings(settings)


def _put_key(settings: Settings, content: bytes) -> None:
    settings.key_file.parent.mkdir(parents=True, exist_ok=True)
    settings.key_file.write_bytes(content)
    settings.key_file.chmod(0o600)
