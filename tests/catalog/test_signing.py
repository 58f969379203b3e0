from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events.catalog import audit, signing
from custom_events.catalog.sites import Site
from custom_events.errors import InvalidConfiguration, NotFound
from tests.catalog.conftest import ME

SECRET = "a-secret-of-a-store"


def test_a_secret_is_kept_encrypted_and_never_shown(connection: sa.Connection, site: Site, key: bytes) -> None:
    made = signing.add(connection, site.id, SECRET, key=key, actor=ME, key_id="k1")
    assert signing.of(connection, site.id) == [made]
    assert (made.key_id, made.valid_until) == ("k1", None)
    assert SECRET not in repr(made)
    (token,) = connection.execute(sa.text("SELECT secret_encrypted FROM app.site_secrets")).scalars()
    assert SECRET.encode() not in bytes(token)
    assert SECRET not in repr(audit.entries(connection))
    assert signing.holds(connection, site.id, SECRET, key=key)
    assert not signing.holds(connection, site.id, "another-secret", key=key)


def test_after_a_rotation_the_old_secret_stays_good_for_a_while(
    connection: sa.Connection, site: Site, key: bytes
) -> None:
    signing.add(connection, site.id, SECRET, key=key, actor=ME)
    short = datetime.now(UTC) + timedelta(minutes=5)
    signing.add(connection, site.id, "ends-sooner", key=key, actor=ME, valid_until=short)
    signing.rotate(connection, site.id, signing.make(), key=key, actor=ME, overlap=timedelta(hours=1))
    old, sooner, new = signing.of(connection, site.id)
    assert old.valid_until is not None
    assert timedelta(minutes=59) < old.valid_until - datetime.now(UTC) <= timedelta(hours=1)
    assert (sooner.valid_until, new.valid_until) == (short, None)
    assert signing.holds(connection, site.id, SECRET, key=key)


def test_a_removed_secret_is_good_no_longer(connection: sa.Connection, site: Site, key: bytes) -> None:
    made = signing.add(connection, site.id, SECRET, key=key, actor=ME)
    signing.remove(connection, site.id, made.id, actor=ME)
    assert not signing.holds(connection, site.id, SECRET, key=key)
    with pytest.raises(NotFound, match=f"no secret {made.id}"):
        signing.remove(connection, site.id, made.id, actor=ME)


@pytest.mark.parametrize("value", ["short", " padded-with-space", "line-end-pasted\n"])
def test_what_is_hardly_a_secret_is_refused(connection: sa.Connection, site: Site, key: bytes, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match="at least 8"):
        signing.add(connection, site.id, value, key=key, actor=ME)


def test_made_secrets_are_long_and_differ() -> None:
    assert len({signing.make() for _ in range(20)}) == 20
    assert len(signing.make()) >= 43


def test_a_site_that_is_not_there_gets_no_secret(connection: sa.Connection, key: bytes) -> None:
    with pytest.raises(NotFound):
        signing.add(connection, 999_999, SECRET, key=key, actor=ME)


def test_another_key_shows_which_sites_it_cannot_serve(
    connection: sa.Connection, site: Site, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "_PAGE", 2)
    for _ in range(5):
        signing.add(connection, site.id, SECRET, key=key, actor=ME)
    other = Fernet.generate_key()
    assert signing.undecryptable(connection, key) == (5, [])
    assert signing.undecryptable(connection, other) == (5, [site.id])
