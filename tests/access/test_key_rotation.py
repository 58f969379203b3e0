"""Whatever is encrypted at rest is encrypted by the first key after a rotation, however it was ended and begun again."""

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.access import idempotency, key_rotation
from custom_events.access.key_rotation import Rotation
from custom_events.catalog import audit, signing, sites
from custom_events.values.deliveries import Platform

OLD, NEW, FOREIGN = (Fernet.generate_key() for _ in range(3))
BOTH = NEW + b"," + OLD
ME = "ana"


@pytest.fixture
def site_id(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    """A site with five secrets, one of them ended, and two kept answers, by the old key; two rows make a transaction."""
    monkeypatch.setattr(key_rotation, "PAGE", 2)
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", actor=ME, currency="EUR")
        for number in range(5):
            signing.add(connection, site.id, f"secret number {number}", key=OLD, actor=ME)
        connection.execute(
            sa.text("UPDATE app.site_secrets SET valid_until = now() - interval '1 day' WHERE id % 5 = 0")
        )
        for key in ("a", "b"):
            assert idempotency.begin(connection, "api_key:1", key, b"x" * 32, secret_key=OLD) is None
            idempotency.finish(connection, "api_key:1", key, status=200, headers={}, content=b"hush", secret_key=OLD)
    return site.id


def test_everything_is_encrypted_by_the_first_key_and_says_the_same(engine: sa.Engine, site_id: int) -> None:
    told: list[Rotation] = []
    found = key_rotation.rotate(engine, BOTH, actor=ME, on_progress=told.append)
    assert found == Rotation(total=7, renewed=7)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert len(told) > 4
    with engine.begin() as connection:
        assert signing.holds(connection, site_id, "secret number 3", key=NEW)
        kept = idempotency.begin(connection, "api_key:1", "b", b"x" * 32, secret_key=NEW)
        assert kept is not None
        assert kept.content == b"hush"
        entries = [one for one in audit.entries(connection) if one.action == "secret.renew"]
        assert sum(one.detail["count"] for one in entries) == 7
    assert key_rotation.rotate(engine, BOTH, actor=ME) == Rotation(total=7, current=7), "again: nothing more to do"


def test_ended_in_between_the_next_run_does_the_rest(engine: sa.Engine, site_id: int) -> None:
    def end(found: Rotation) -> None:
        if found.done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        key_rotation.rotate(engine, BOTH, actor=ME, on_progress=end)
    with engine.connect() as connection:
        assert key_rotation.outstanding(connection, BOTH) == 3
    assert key_rotation.rotate(engine, BOTH, actor=ME) == Rotation(total=7, renewed=5, current=2)
    with engine.connect() as connection:
        assert key_rotation.outstanding(connection, BOTH) == 0


def test_what_no_key_decrypts_stays_and_is_named(engine: sa.Engine, site_id: int) -> None:
    with engine.begin() as connection:
        token = secrets.encrypt(b"a foreign one", FOREIGN, secrets.row_of_site(site_id))
        statement = sa.text("INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (:site, :token)")
        connection.execute(statement, {"site": site_id, "token": token})
        assert key_rotation.outstanding(connection, BOTH) == 5, "a rotation does not help the foreign one"
    assert key_rotation.rotate(engine, BOTH, actor=ME) == Rotation(total=8, renewed=7, lost=(f"site {site_id}",))
    assert key_rotation.rotate(engine, FOREIGN + b"," + NEW, actor=ME) == Rotation(total=8, renewed=7, current=1)
