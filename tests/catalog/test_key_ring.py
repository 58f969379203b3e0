"""The keys are those of the database, or nobody encrypts by them; tokens are worth something in their own row alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.access import key_rotation
from custom_events.catalog import key_ring, signing
from custom_events.errors import NeedsAction
from custom_events.queries import stored_secrets
from custom_events.redaction import requests
from custom_events.redaction.person import Person
from custom_events.settings import Settings
from custom_events.values.deliveries import PrivacyRequest
from tests.world import World

NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEY, OTHER = Fernet.generate_key(), Fernet.generate_key()


def settings_of(directory: Path, **fields: object) -> Settings:
    return Settings.model_validate({"local_directory": directory, "_env_file": None, **fields})


def test_the_first_key_is_remembered_and_another_one_refused(database: str, engine: sa.Engine) -> None:
    site = World(database, engine).site()
    with engine.begin() as connection:
        signing.add(connection, site, "a long secret", key=KEY, actor="test")
        key_ring.check(connection, KEY)
        with pytest.raises(NeedsAction, match="not the key that this database"):
            signing.add(connection, site, "another secret", key=OTHER, actor="test")
        with pytest.raises(NeedsAction, match="not the key that this database"):
            requests.ask(connection, OTHER, site, PrivacyRequest.REDACT_SHOP, Person(), actor="test", now=NOW)
        signing.add(connection, site, "another secret", key=OTHER + b"," + KEY, actor="test")
    key_rotation.rotate(engine, OTHER + b"," + KEY, actor="test")
    with engine.begin() as connection:
        key_ring.check(connection, OTHER)  # after the rotation the old key is not needed
        with pytest.raises(NeedsAction):
            key_ring.check(connection, KEY)
        assert signing.holds(connection, site, "a long secret", key=OTHER)


def test_no_key_is_made_where_secrets_are_stored(database: str, engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        with pytest.raises(NeedsAction, match="With a server of your own the key is yours"):
            key_ring.ensure(connection, settings_of(tmp_path, database_url=database))
        assert list(tmp_path.iterdir()) == []
        key_ring.ensure(connection, settings_of(tmp_path))  # beside the embedded server one is made
        key_ring.ensure(connection, settings_of(tmp_path, database_url=database))
        with pytest.raises(NeedsAction, match="is missing"):
            key_ring.ensure(connection, settings_of(tmp_path / "other"))
        assert not (tmp_path / "other").exists()


def test_secrets_of_an_older_version_decide_which_key_is_ours(database: str, engine: sa.Engine) -> None:
    site = World(database, engine).site()
    with engine.begin() as connection:
        old = {"site": site, "token": secrets.encrypt(b"an old secret", KEY)}
        connection.execute(
            sa.text("INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (:site, :token)"), old
        )
        with pytest.raises(NeedsAction, match="decrypts none"):
            key_ring.check(connection, OTHER)
        key_ring.check(connection, KEY)


def test_a_token_that_is_copied_to_another_site_is_worth_nothing(database: str, engine: sa.Engine) -> None:
    world = World(database, engine)
    first, second = world.site(), world.site()
    with engine.begin() as connection:
        signing.add(connection, first, "a long secret", key=KEY, actor="test")
        connection.execute(
            sa.text(
                "INSERT INTO app.site_secrets (site_id, secret_encrypted) SELECT :site, secret_encrypted FROM app.site_secrets"
            ),
            {"site": second},
        )
        assert signing.undecryptable(connection, KEY) == (2, [second])
    assert len(key_rotation.rotate(engine, KEY, actor="test").lost) == 1


def test_a_rotation_binds_what_an_older_version_encrypted() -> None:
    row = secrets.row_of_site(7)
    unbound = secrets.encrypt(b"hush", KEY)
    assert secrets.decrypt(unbound, KEY, row) == b"hush"
    assert not secrets.is_current(unbound, KEY, row)
    bound = secrets.renew(unbound, KEY, row)
    assert secrets.is_current(bound, KEY, row)
    assert not secrets.is_current(bound, KEY, secrets.row_of_site(8))
    for other in ("", secrets.row_of_site(8)):
        with pytest.raises(NeedsAction):
            secrets.decrypt(bound, KEY, other)


def test_a_receiver_starts_with_a_key_of_this_database_alone_at_any_moment_of_a_rotation(
    database: str, engine: sa.Engine, tmp_path: Path
) -> None:
    sites = World(database, engine)

    def receiver(*keys: bytes) -> None:
        with engine.connect() as connection:
            stored = stored_secrets.for_receiver(connection)
        secrets.check_some(settings_of(tmp_path, secret_key=b",".join(keys).decode() or None), stored)

    receiver()  # nothing is encrypted yet, and nothing is made
    receiver(OTHER)
    assert list(tmp_path.iterdir()) == []
    first, second = sites.site(), sites.site()
    with engine.begin() as connection:
        for site in (first, second):
            signing.add(connection, site, "a long secret", key=KEY, actor="test")
    receiver(KEY)
    for keys in ((), (Fernet.generate_key(),), (OTHER,)):
        with pytest.raises(NeedsAction, match="is missing" if not keys else "not the key that this database"):
            receiver(*keys)
    with engine.begin() as connection:  # half of a rotation
        token = secrets.encrypt(b"a long secret", OTHER, secrets.row_of_site(first))
        statement = sa.text("UPDATE app.site_secrets SET secret_encrypted = :token WHERE site_id = :site")
        connection.execute(statement, {"token": token, "site": first})
    for keys in ((KEY,), (OTHER, KEY), (OTHER,)):
        receiver(*keys)
    key_rotation.rotate(engine, OTHER + b"," + KEY, actor="test")
    receiver(OTHER)
    receiver(OTHER, KEY)
    with pytest.raises(NeedsAction, match="CUSTOM_EVENTS_SECRET_KEY"):
        receiver(KEY)
