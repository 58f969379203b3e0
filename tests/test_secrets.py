import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events import secrets
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.settings import Settings

KEY, OLD = Fernet.generate_key(), Fernet.generate_key()


def _settings(directory: Path, secret_key: str | None = None) -> Settings:
    return Settings(local_directory=directory, secret_key=secret_key, _env_file=None)


@given(st.binary(max_size=200))
@settings(max_examples=30)
def test_decrypting_is_the_inverse_of_encrypting(value: bytes) -> None:
    token = secrets.encrypt(value, KEY)
    assert value not in token or len(value) < 4
    assert secrets.decrypt(token, KEY) == value


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    place = _settings(tmp_path / "new" / "local")
    first = secrets.key(place)
    file = place.local_directory / secrets.KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets.key(place) == first
    assert [path.name for path in place.local_directory.iterdir()] == [secrets.KEY_FILE]


def test_processes_that_start_together_get_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _settings(tmp_path)
    numbers = iter(range(1000, 2000))
    monkeypatch.setattr(os, "getpid", lambda: next(numbers))  # threads play processes
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secrets.key(place), range(16)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [secrets.KEY_FILE]


def test_another_process_may_make_the_file_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _settings(tmp_path)
    theirs = secrets.key(place)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert secrets.key(place) == theirs


def test_the_setting_goes_before_the_file(tmp_path: Path) -> None:
    assert secrets.key(_settings(tmp_path, KEY.decode())) == KEY
    assert [path.name for path in tmp_path.iterdir()] == []


def test_during_a_rotation_old_keys_decrypt_and_the_first_encrypts() -> None:
    token = secrets.encrypt(b"hush", OLD)
    both = KEY + b"," + OLD
    assert secrets.decrypt(token, both) == b"hush"
    assert secrets.decrypt(secrets.renew(token, both), KEY) == b"hush"


def test_a_foreign_token_says_what_to_do() -> None:
    with pytest.raises(NeedsAction, match="CUSTOM_EVENTS_SECRET_KEY"):
        secrets.decrypt(secrets.encrypt(b"hush", OLD), KEY)


@pytest.mark.parametrize("given", ["short", "ä" * 44])
def test_what_is_no_fernet_key_is_refused_with_its_remedy(tmp_path: Path, given: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"Fernet\.generate_key") as caught:
        secrets.key(_settings(tmp_path, given))
    assert caught.value.path == "CUSTOM_EVENTS_SECRET_KEY"
    assert given not in str(caught.value)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NeedsAction, match=r"file/local/secret\.key cannot be read or made"):
        secrets.key(_settings(tmp_path / "file" / "local"))


def test_a_new_key_goes_before_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _settings(tmp_path)
    old = secrets.key(place)
    token = secrets.encrypt(b"hush", old)
    secrets.put_first(place)
    ring = secrets.key(place)
    assert secrets.parts(ring)[1:] == [old]
    assert secrets.decrypt(token, ring) == b"hush"
    assert not secrets.is_current(token, ring)
    assert secrets.is_current(secrets.renew(token, ring), ring)
    with pytest.raises(NeedsAction, match="put a new one there"):
        secrets.put_first(_settings(tmp_path, OLD.decode()))
    monkeypatch.setattr(os, "open", _denied)
    with pytest.raises(NeedsAction, match="cannot be written"):
        secrets.put_first(place)


def _denied(*_: object) -> int:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("raw", [b"0123456789" * 3 + b"01", bytes(32), b"a" * 31 + b"\xff"])
def test_a_key_that_was_typed_is_none_for_the_public(tmp_path: Path, raw: bytes) -> None:
    typed = base64.urlsafe_b64encode(raw)
    found = secrets.public_problem(_settings(tmp_path, (KEY + b"," + typed).decode()))
    assert found is not None
    assert "secrets rotate" in found
    assert typed.decode() not in found
    assert secrets.public_problem(_settings(tmp_path)) is None
