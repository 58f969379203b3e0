"""Who may what: people, what they may, their sessions and API keys; and answers kept for requests that come again."""

import sqlalchemy as sa

from custom_events.tables.base import (
    APP,
    METADATA,
    Digest,
    Json,
    Time,
    a_word,
    created_at,
    identity,
    one_of,
    updated_at,
)

ROLES = ("viewer", "editor", "publisher", "administrator")  # custom_events/access/roles.py says what each may

people = sa.Table(
    "people",
    METADATA,
    identity(),
    sa.Column(
        "login",
        sa.Text,
        nullable=False,
        unique=True,
        comment="E-mail address or login name, lower case; who signs in, and who stands in revisions and the audit trail.",
    ),
    sa.Column("display_name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column("password_hash", sa.Text, comment="argon2id with its parameters; null: no password signs in."),
    sa.Column("disabled_at", Time, comment="Since when nobody signs in as this person; null: they may."),
    created_at(),
    updated_at(),
    schema=APP,
    comment="People who use the console and the API. One row per person.",
)

api_keys = sa.Table(
    "api_keys",
    METADATA,
    identity(),
    sa.Column("prefix", sa.Text, nullable=False, unique=True, comment="Beginning of the key, shown in lists and logs."),
    sa.Column("name", sa.Text, nullable=False, comment="What it is for."),
    sa.Column(
        "secret_digest",
        sa.LargeBinary(32),
        nullable=False,
        comment="SHA-256 of the whole key, which has 256 random bits.",
    ),
    sa.Column(
        "person_id",
        sa.BigInteger,
        sa.ForeignKey("app.people.id"),
        comment="Whose it is: it may no more than they; null: of nobody in particular.",
    ),
    sa.Column("made_by", sa.Text, nullable=False, comment="Who made it; what it changes is theirs."),
    sa.Column("expires_at", Time, comment="When it ends; null: never."),
    sa.Column("last_used_at", Time, comment="When it was used last, to the minute."),
    sa.Column("revoked_at", Time, comment="When it was revoked; null: it is good."),
    created_at(),
    updated_at(),
    sa.Index(None, "person_id"),
    schema=APP,
    comment="Keys by which programs use the API. One row per key, revoked ones too.",
)

role_grants = sa.Table(
    "role_grants",
    METADATA,
    identity(),
    sa.Column(
        "person_id", sa.BigInteger, sa.ForeignKey("app.people.id", ondelete="CASCADE"), comment="To this person."
    ),
    sa.Column(
        "api_key_id", sa.BigInteger, sa.ForeignKey("app.api_keys.id", ondelete="CASCADE"), comment="Or this key."
    ),
    sa.Column("role", sa.Text, nullable=False, comment="viewer, editor, publisher or administrator."),
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("app.sites.id"), comment="On this site; null: on all of them."),
    created_at(),
    one_of("role", ROLES),
    sa.CheckConstraint("num_nonnulls(person_id, api_key_id) = 1", name="of_one"),
    sa.UniqueConstraint("person_id", "api_key_id", "site_id", postgresql_nulls_not_distinct=True),
    sa.Index(None, "api_key_id"),
    schema=APP,
    comment="What a person or an API key may. One row per site, or one for all.",
)

sessions = sa.Table(
    "sessions",
    METADATA,
    identity(),
    sa.Column(
        "token_digest",
        sa.LargeBinary(32),
        nullable=False,
        unique=True,
        comment="SHA-256 of the cookie, which has 256 random bits.",
    ),
    sa.Column(
        "person_id", sa.BigInteger, sa.ForeignKey("app.people.id", ondelete="CASCADE"), nullable=False, comment="Whose."
    ),
    sa.Column("expires_at", Time, nullable=False, comment="When it ends, however it is used."),
    sa.Column("idle_until", Time, nullable=False, comment="When it ends unless it is used before."),
    sa.Column("last_used_at", Time, nullable=False, comment="When it was used last, to the minute."),
    sa.Column("revoked_at", Time, comment="When it was ended by hand; null: it was not."),
    sa.Column("client_address", sa.Text, nullable=False, server_default="", comment="Where it was begun."),
    sa.Column("user_agent", sa.Text, nullable=False, server_default="", comment="With which browser."),
    created_at(),
    sa.Index(None, "person_id"),
    sa.Index(None, "expires_at"),
    schema=APP,
    comment="Sessions of signed-in people. One row per sign-in; rows go some days after their end.",
)

login_attempts = sa.Table(
    "login_attempts",
    METADATA,
    identity(),
    sa.Column("login_digest", Digest, nullable=False, comment="First 128 bits of SHA-256 of the login, lower case."),
    sa.Column("client_address", sa.Text, nullable=False, comment="Where it came from."),
    sa.Column("at", Time, nullable=False, server_default=sa.func.now(), comment="When."),
    sa.Index(None, "login_digest", "at"),
    sa.Index(None, "client_address", "at"),
    sa.Index(None, "at"),
    schema=APP,
    comment="Attempts to sign in that did not succeed, kept as long as they count. One row per attempt.",
)

idempotent_answers = sa.Table(
    "idempotent_answers",
    METADATA,
    sa.Column("caller", sa.Text, primary_key=True, comment="person:<id> or api_key:<id>."),
    sa.Column("key", sa.Text, primary_key=True, comment="Idempotency-Key of the request."),
    sa.Column(
        "request_digest",
        sa.LargeBinary(32),
        nullable=False,
        comment="SHA-256 of method, path, query and body: one request a key.",
    ),
    sa.Column("status", sa.Integer, comment="HTTP status of the answer."),
    sa.Column("headers", Json, comment="Headers of the answer."),
    sa.Column("content_encrypted", sa.LargeBinary, comment="Fernet token of the answer, which may hold a secret."),
    created_at(),
    sa.Index(None, "created_at"),
    schema=APP,
    comment="Answers to POST requests with an idempotency key, given again for a day. One row per request.",
)

openid_links = sa.Table(
    "openid_links",
    METADATA,
    identity(),
    sa.Column("issuer", sa.Text, nullable=False, comment="The provider, by its address."),
    sa.Column("subject", sa.Text, nullable=False, comment="What the provider calls them, for good."),
    sa.Column(
        "person_id",
        sa.BigInteger,
        sa.ForeignKey("app.people.id", ondelete="CASCADE"),
        nullable=False,
        comment="Whom it signs in.",
    ),
    created_at(),
    sa.UniqueConstraint("issuer", "subject"),
    sa.UniqueConstraint("person_id", "issuer"),
    schema=APP,
    comment="Who signs in by an OpenID provider. One row per person and provider.",
)

saved_views = sa.Table(
    "saved_views",
    METADATA,
    identity(),
    sa.Column(
        "person_id",
        sa.BigInteger,
        sa.ForeignKey("app.people.id", ondelete="CASCADE"),
        nullable=False,
        comment="Whose it is; nobody else sees it.",
    ),
    sa.Column("list", sa.Text, nullable=False, comment="Of which list of the console: assignments, sites."),
    sa.Column("name", sa.Text, nullable=False, comment="What they call it."),
    sa.Column("query", sa.Text, nullable=False, comment="Filters and sorting, as the query of an address."),
    created_at(),
    a_word("list"),
    sa.UniqueConstraint("person_id", "list", "name"),
    schema=APP,
    comment="Filters of lists that people keep under a name. One row per person and name.",
)
