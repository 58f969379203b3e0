"""The key of the hashes of forgotten people: made once, encrypted by the installation's key, and never shown."""

import os

import sqlalchemy as sa

from custom_events import secrets
from custom_events.queries import redaction as sql
from custom_events.values.forgotten import KEY_BYTES


def ensure(connection: sa.Connection, installation_key: bytes) -> bytes:
    """The key, made at the first call. Raises NeedsAction when it was encrypted by another installation key."""
    token = connection.execute(sql.READ_KEY).scalar_one_or_none()
    if token is None:
        connection.execute(
            sql.KEEP_KEY,
            {"token": secrets.encrypt(os.urandom(KEY_BYTES), installation_key, secrets.FORGETTING_KEY_ROW)},
        )
        token = connection.execute(sql.READ_KEY).scalar_one()
    return secrets.decrypt(bytes(token), installation_key, secrets.FORGETTING_KEY_ROW)
