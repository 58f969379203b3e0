"""SQL of our app in Shopify's shops."""

from typing import Final

import sqlalchemy as sa

from custom_events.tables.shopify_app import shopify_installations as _table

# One installation, or all of them; `BY_SITE_LOCKED` holds it until the end of the transaction: one refresh of its tokens at a time.
BY_SITE: Final = sa.select(_table).where(_table.c.site_id == sa.bindparam("site"))
BY_SITE_LOCKED: Final = BY_SITE.with_for_update()
ALL: Final = sa.select(_table).order_by(_table.c.site_id)

# How long somebody waits for a row that another process is refreshing.
LIMIT_WAIT: Final = sa.text("SELECT set_config('lock_timeout', CAST(:limit_ms AS text), true)")

# The owner agreed: a new installation, or the same shop once more.
INSTALL: Final = sa.text("""
INSERT INTO app.shopify_installations
    (site_id, shop, state, scopes, tokens_encrypted, access_expires_at, refresh_expires_at, tokens_at, api_version, installed_at)
VALUES (:site, :shop, 'installed', :scopes, :tokens, :access_expires_at, :refresh_expires_at, now(), :version, now())
ON CONFLICT (site_id) DO UPDATE SET
    shop = excluded.shop, state = 'installed', scopes = excluded.scopes, tokens_encrypted = excluded.tokens_encrypted,
    access_expires_at = excluded.access_expires_at, refresh_expires_at = excluded.refresh_expires_at, tokens_at = now(),
    api_version = excluded.api_version, installed_at = now(), uninstalled_at = NULL, watched_at = NULL, problems = '[]', updated_at = now()
""")

# The shop's installation at another site, whose domain was changed since: its tokens are those of this shop.
LEAVE_OTHERS: Final = sa.text("DELETE FROM app.shopify_installations WHERE shop = :shop AND site_id <> :site")

# Fresh tokens in place of those it had; an answer without scopes leaves them.
RENEW: Final = sa.text("""
UPDATE app.shopify_installations
SET scopes = CASE WHEN cardinality(CAST(:scopes AS text[])) = 0 THEN scopes ELSE :scopes END, tokens_encrypted = :tokens, access_expires_at = :access_expires_at, refresh_expires_at = :refresh_expires_at,
    tokens_at = now(), updated_at = now()
WHERE site_id = :site
""")

# What a look at the shop found.
WATCHED: Final = sa.text("""
UPDATE app.shopify_installations
SET scopes = :scopes, registered = CAST(:registered AS jsonb), problems = CAST(:problems AS jsonb), api_version = :version,
    watched_at = now(), updated_at = now()
WHERE site_id = :site AND state = 'installed'
""")

# What keeps us from looking at the shop.
NOT_WATCHED: Final = sa.text("""
UPDATE app.shopify_installations SET problems = CAST(:problems AS jsonb), updated_at = now() WHERE site_id = :site AND state = 'installed'
""")

# asyncpg, positional parameters: of $1 sites, the app was removed at $2; not where it was installed again since. Tokens are deleted.
UNINSTALL: Final = """
UPDATE app.shopify_installations i
SET state = 'uninstalled', uninstalled_at = u.at, tokens_encrypted = NULL, access_expires_at = NULL, refresh_expires_at = NULL,
    problems = '[]', updated_at = now()
FROM (SELECT DISTINCT ON (site) site, at FROM unnest($1::bigint[], $2::timestamptz[]) AS t (site, at) ORDER BY site, at DESC) u
WHERE i.site_id = u.site AND i.state = 'installed' AND i.installed_at < u.at
RETURNING i.site_id, i.shop
"""

# asyncpg: what the app may do in these sites has changed; the next watch looks at once.
LOOK_AGAIN: Final = "UPDATE app.shopify_installations SET watched_at = NULL WHERE site_id = ANY ($1::bigint[])"

# The shop asked at :until to be forgotten: 1 where there was an installation. One that was made since is another one.
FORGET: Final = sa.text("DELETE FROM app.shopify_installations WHERE site_id = :site AND installed_at <= :until")

# For figures and alarms: what is wrong with each installed app, and how long nobody has looked.
STATE_OF_ALL: Final = sa.text("""
SELECT i.shop, i.state, i.problems,
    extract(epoch FROM CAST(:now AS timestamptz) - COALESCE(i.watched_at, i.installed_at))::float8 AS unwatched_s
FROM app.shopify_installations i JOIN app.sites s ON s.id = i.site_id
WHERE s.removed_at IS NULL
""")
