"""The key of what is encrypted at rest, from the terminal."""

import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events import secrets
from tests.cli.conftest import Run

SHOP = ("site", "add", "--platform", "custom", "--name", "Shop")


def test_a_key_file_is_given_a_new_key_and_what_is_stored_is_encrypted_by_it(
    run: Run, database: str, engine: sa.Engine, tmp_path: Path
) -> None:
    assert run(*SHOP, DATABASE_URL=database).exit_code == 0
    file = tmp_path / ".local" / secrets.KEY_FILE
    (old,) = file.read_bytes().split()
    result = run("secrets", "new-key", DATABASE_URL=database)
    assert result.exit_code == 0, result.output
    new, *rest = file.read_bytes().split()
    assert rest == [old]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    result = run("secrets", "rotate", DATABASE_URL=database)
    assert "1 encrypted anew, 0 were already" in result.output
    assert "remove them" in result.output
    with engine.connect() as connection:
        (token,) = connection.execute(sa.text("SELECT secret_encrypted FROM app.site_secrets")).scalars()
    assert secrets.is_current(bytes(token), new)
    file.write_bytes(new)
    assert run("secrets", "rotate", DATABASE_URL=database).output.endswith(
        "0 encrypted anew, 1 were already by the first key.\n"
    )


def test_keys_of_the_setting_are_the_persons_to_change(run: Run, database: str) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    run(*SHOP, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=old)
    shown = run("secrets", "new-key", CUSTOM_EVENTS_SECRET_KEY=old)
    assert any(len(line) == 44 and line != old for line in shown.output.splitlines())
    lost = run("secrets", "rotate", DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=new)
    assert lost.exit_code == 1
    assert "cannot be decrypted by any key: site 1" in lost.output
    found = run("secrets", "rotate", DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=f"{new},{old}")
    assert found.exit_code == 0
    assert "1 encrypted anew" in found.output


@pytest.mark.parametrize("words", [("secrets", "rotate"), ("secrets", "new-key")])
def test_what_is_no_key_is_said(run: Run, database: str, words: tuple[str, ...]) -> None:
    result = run(*words, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY="short")
    assert result.exit_code != 0
    assert "not a Fernet key" in result.output
