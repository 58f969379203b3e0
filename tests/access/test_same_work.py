"""Timing of signing in: a login that nobody has, one without a password and one that was disabled cost what a wrong password costs."""

from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters
from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events.access import passwords, people, sessions
from custom_events.errors import NotAdmitted
from custom_events.settings import Settings

PASSWORD = "four words and more"
LOGINS = (
    "ana@example.org",
    "ben@example.org",
    "cleo@example.org",
    "nobody@example.org",
    "' OR 1=1 --",
    "a" * 5_000,
)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of every hash that a password is compared with."""
    compared: list[Any] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, stored: str, password: str) -> bool:
        compared.append((extract_parameters(stored), len(password)))
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return compared


def test_who_is_not_known_costs_the_same_work(engine: sa.Engine, hashes: list[Any]) -> None:
    settings = Settings(
        _env_file=None, secret_key=SecretStr(Fernet.generate_key().decode()), login_attempts_per_address=100
    )
    with engine.begin() as connection:
        people.add(connection, login=LOGINS[0], display_name="Ana", grants=(), actor="test", password=PASSWORD)
        people.add(connection, login=LOGINS[1], display_name="Ben", grants=(), actor="test")
        cleo = people.add(connection, login=LOGINS[2], display_name="Cleo", grants=(), actor="test", password=PASSWORD)
        people.disable(connection, cleo.id, actor="test")
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    work, words = [], set()
    for login in LOGINS:
        hashes.clear()
        statements.clear()
        with pytest.raises(NotAdmitted) as refused:
            sessions.sign_in(
                engine, login=login, password=f"{PASSWORD}!", client_address="", user_agent="", settings=settings
            )
        words.add(str(refused.value))
        work.append((list(hashes), list(statements)))
    assert len(words) == 1
    assert len(work[0][0]) == 1, "one hash is computed"
    assert all(done == work[0] for done in work), "with the same parameters, after the same statements"


@pytest.mark.parametrize("stored", [None, "no hash"])
def test_a_long_password_is_cut_before_it_is_hashed(stored: str | None, hashes: list[Any]) -> None:
    assert not passwords.fits(stored, "a" * 1_000_000)
    assert all(size == passwords.MOST_CHARACTERS for _, size in hashes)
