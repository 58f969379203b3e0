"""The installation's keys beside what they have encrypted: a value in the database that they must decrypt, so that no other key is taken
for this installation's, and none is made where secrets are stored."""

from typing import Final

import sqlalchemy as sa

from custom_events import secrets
from custom_events.errors import NeedsAction
from custom_events.queries import stored_secrets as queries
from custom_events.settings import Settings, variable_of

_VALUE: Final = b"the keys of this installation"


def ensure(connection: sa.Connection, settings: Settings) -> None:
    """See that the keys are this installation's, and remember them where nobody has. A key is made only where nothing is encrypted yet, and
    beside the embedded server. Raises NeedsAction."""
    if not secrets.has_key(settings):
        verify(connection, settings)
        if settings.database_url is not None:
            raise unset()
    check(connection, secrets.key(settings))


def check(connection: sa.Connection, key: bytes) -> None:
    """See that this key is the installation's; the first one is remembered. Raises NeedsAction for another one."""
    token = connection.execute(queries.READ_CHECK).scalar_one_or_none()
    if token is None:
        _check_stored(connection, key)
        connection.execute(queries.KEEP_CHECK, {"token": secrets.encrypt(_VALUE, key, secrets.KEY_CHECK_ROW)})
    else:
        _compare(bytes(token), key)


def verify(connection: sa.Connection, settings: Settings) -> None:
    """See that the keys are this installation's, where it has any; nothing is made or remembered. Raises NeedsAction."""
    token = connection.execute(queries.READ_CHECK).scalar_one_or_none()
    if not secrets.has_key(settings):
        if token is not None or _stored(connection):
            raise secrets.missing_key()
    elif token is not None:
        _compare(bytes(token), secrets.key(settings))


def unset() -> NeedsAction:
    """What is said where the database is a server of one's own, and no key is set."""
    return NeedsAction(
        f"With a server of your own the key is yours to keep: set {variable_of('secret_key')}, for all programs and machines alike. Make one with "
        "`custom-events secrets new-key --print`."
    )


def renew(connection: sa.Connection, key: bytes) -> None:
    """The value encrypted by the first of the keys: the end of a rotation. Nothing, where none of the keys is this installation's."""
    token = connection.execute(queries.READ_CHECK).scalar_one_or_none()
    if token is not None and secrets.fits(bytes(token), key, secrets.KEY_CHECK_ROW):
        connection.execute(queries.REPLACE_CHECK, {"token": secrets.renew(bytes(token), key, secrets.KEY_CHECK_ROW)})


def _compare(token: bytes, key: bytes) -> None:
    if not secrets.fits(token, key, secrets.KEY_CHECK_ROW):
        raise secrets.another_key()


def _stored(connection: sa.Connection) -> bool:
    return any(connection.execute(store.count).scalar_one() for store in queries.STORES)


def _check_stored(connection: sa.Connection, key: bytes) -> None:
    """Where an older version stored secrets without a check value, the key must decrypt one of them at least."""
    rows = queries.page(connection, queries.SITE_SECRETS, queries.SITE_SECRETS.beginning, queries.SOME)
    if rows and not any(secrets.fits(bytes(row.token), key, row.bound) for row in rows):
        raise NeedsAction(
            f"This key decrypts none of the signing secrets that are stored. Set {variable_of('secret_key')} to the one they were encrypted with."
        )
