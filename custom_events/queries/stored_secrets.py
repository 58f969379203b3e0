"""What is encrypted at rest, page by page: for changing the key. Rows of a page are locked, so that nobody changes them meanwhile."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.secrets import KEY_CHECK_ROW


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A table with encrypted values. `page` gives rows after the row of the parameters `beginning`, with the same names, `token` and
    `label` (whose it is) and `bound` (the row that it is bound to); `replace` takes such a row's names and `token`; `count` gives how many rows there are."""

    beginning: dict[str, Any]
    page: sa.TextClause
    replace: sa.TextClause
    count: sa.TextClause


SITE_SECRETS: Final = Store(
    beginning={"id": 0},
    # Signing secrets, ended ones too, with the site that each is of.
    page=sa.text("""
SELECT id, secret_encrypted AS token, 'site ' || site_id AS label, 'site_secrets:' || site_id AS bound FROM app.site_secrets
WHERE id > :id ORDER BY id LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.site_secrets SET secret_encrypted = :token WHERE id = :id"),
    count=sa.text("SELECT count(*) FROM app.site_secrets"),
)
ANSWERS: Final = Store(
    beginning={"caller": "", "key": ""},
    # Answers kept for requests that come again.
    page=sa.text("""
SELECT caller, key, content_encrypted AS token, 'kept answers' AS label, '' AS bound FROM app.idempotent_answers
WHERE (caller, key) > (:caller, :key) AND content_encrypted IS NOT NULL ORDER BY caller, key LIMIT :limit FOR UPDATE
"""),
    replace=sa.text(
        "UPDATE app.idempotent_answers SET content_encrypted = :token WHERE caller = :caller AND key = :key"
    ),
    count=sa.text("SELECT count(*) FROM app.idempotent_answers WHERE content_encrypted IS NOT NULL"),
)
PERSONS: Final = Store(
    beginning={"raw_id": 0},
    # Who asks about their data, until that is done.
    page=sa.text("""
SELECT raw_id, person_encrypted AS token, 'request ' || raw_id AS label, 'privacy_requests:' || site_id AS bound FROM app.privacy_requests
WHERE raw_id > :raw_id AND person_encrypted IS NOT NULL ORDER BY raw_id LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.privacy_requests SET person_encrypted = :token WHERE raw_id = :raw_id"),
    count=sa.text("SELECT count(*) FROM app.privacy_requests WHERE person_encrypted IS NOT NULL"),
)
FORGETTING_KEY: Final = Store(
    beginning={"place": 0},
    # The key of the hashes of forgotten people: one row, or none.
    page=sa.text("""
SELECT 1 AS place, secret_encrypted AS token, 'the key of the hashes of forgotten people' AS label, 'forgetting_keys' AS bound FROM app.forgetting_keys
WHERE CAST(:place AS int) < 1 LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.forgetting_keys SET secret_encrypted = :token WHERE CAST(:place AS int) = 1"),
    count=sa.text("SELECT count(*) FROM app.forgetting_keys"),
)
SHOPIFY_TOKENS: Final = Store(
    beginning={"site_id": 0},
    # Tokens of our app in Shopify's shops.
    page=sa.text("""
SELECT site_id, tokens_encrypted AS token, 'shop ' || shop AS label, 'shopify_installations:' || site_id || ':' || shop AS bound FROM app.shopify_installations
WHERE site_id > :site_id AND tokens_encrypted IS NOT NULL ORDER BY site_id LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.shopify_installations SET tokens_encrypted = :token WHERE site_id = :site_id"),
    count=sa.text("SELECT count(*) FROM app.shopify_installations WHERE tokens_encrypted IS NOT NULL"),
)
STORE_API_KEYS: Final = Store(
    beginning={"site_id": 0},
    # Keys of stores' APIs.
    page=sa.text("""
SELECT site_id, key_encrypted AS token, 'API key of site ' || site_id AS label, 'store_api_keys:' || site_id AS bound FROM app.store_api_keys
WHERE site_id > :site_id ORDER BY site_id LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.store_api_keys SET key_encrypted = :token WHERE site_id = :site_id"),
    count=sa.text("SELECT count(*) FROM app.store_api_keys"),
)
REPORT_TARGETS: Final = Store(
    beginning={"id": 0},
    # What the targets of reports need.
    page=sa.text("""
SELECT id, secrets_encrypted AS token, 'report schedule ' || id AS label, 'report_schedules:' || report_key AS bound FROM app.report_schedules
WHERE id > :id AND secrets_encrypted IS NOT NULL ORDER BY id LIMIT :limit FOR UPDATE
"""),
    replace=sa.text("UPDATE app.report_schedules SET secrets_encrypted = :token WHERE id = :id"),
    count=sa.text("SELECT count(*) FROM app.report_schedules WHERE secrets_encrypted IS NOT NULL"),
)
STORES: Final = (SITE_SECRETS, ANSWERS, PERSONS, FORGETTING_KEY, SHOPIFY_TOKENS, STORE_API_KEYS, REPORT_TARGETS)

SOME: Final = 100  # signing secrets that are tried: 7 ms of a core
# Some signing secrets, the oldest first: a rotation begins with them. Without a lock, which the receiver may not take.
_SOME_SITE_SECRETS: Final = sa.text("""
SELECT secret_encrypted AS token, 'site_secrets:' || site_id AS bound FROM app.site_secrets ORDER BY id LIMIT :limit
""")
# What the ring of keys must decrypt: one row, made with the first key.
READ_CHECK: Final = sa.text("SELECT token FROM app.key_ring_checks")
KEEP_CHECK: Final = sa.text("INSERT INTO app.key_ring_checks (token) VALUES (:token) ON CONFLICT DO NOTHING")
REPLACE_CHECK: Final = sa.text("UPDATE app.key_ring_checks SET token = :token")


def for_receiver(connection: sa.Connection) -> list[tuple[bytes, str]]:
    """What the receiver may read of all that is encrypted, with the row of each: the check value, then some signing secrets.

    In the middle of a rotation a ring with the old key alone decrypts the first to the end, one with the new key alone those of the others
    that were encrypted anew first.
    """
    checks = [(bytes(row.token), KEY_CHECK_ROW) for row in connection.execute(READ_CHECK)]
    return checks + [(bytes(row.token), row.bound) for row in connection.execute(_SOME_SITE_SECRETS, {"limit": SOME})]


def page(
    connection: sa.Connection, store: Store, after: dict[str, Any], limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Up to `limit` rows after `after` (`store.beginning`, or `place_of` the last row)."""
    return connection.execute(store.page, after | {"limit": limit}).all()


def place_of(store: Store, row: sa.Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """The names by which a row is found."""
    return {name: getattr(row, name) for name in store.beginning}
