"""Definitions, assignments and their immutable revisions."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time, created_at, identity, one_of, site_id, updated_at

REVISION_STATES = ("draft", "published", "retired")

custom_event_definitions = sa.Table(
    "custom_event_definitions",
    METADATA,
    identity(),
    sa.Column("key", sa.Text, nullable=False, unique=True, comment="Stable name in files, the CLI and the API."),
    sa.Column("name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column("description", sa.Text, nullable=False, server_default="", comment="What it means, for people."),
    sa.Column("is_system", sa.Boolean, nullable=False, server_default=sa.false(), comment="Ours; cannot be deleted."),
    created_at(),
    updated_at(),
    schema=APP,
    comment="Named, versioned custom events. One row per definition; what it does stands in its revisions.",
)

definition_revisions = sa.Table(
    "definition_revisions",
    METADATA,
    identity(),
    sa.Column(
        "definition_id",
        sa.BigInteger,
        sa.ForeignKey("app.custom_event_definitions.id"),
        nullable=False,
        comment="Of this.",
    ),
    sa.Column("number", sa.Integer, nullable=False, comment="1, 2, 3 ... within the definition."),
    sa.Column("state", sa.Text, nullable=False, comment="draft, published or retired; one published at a time."),
    sa.Column("config", Json, nullable=False, comment="DefinitionConfig as JSON; never changed afterwards."),
    sa.Column("author", sa.Text, nullable=False, comment="Who made it."),
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="Why, in the author's words."),
    sa.Column("published_by", sa.Text, comment="Who published it."),
    sa.Column("published_at", Time, comment="When it began to apply."),
    sa.Column("retired_at", Time, comment="When it ceased to apply."),
    created_at(),
    sa.UniqueConstraint("definition_id", "number"),
    one_of("state", REVISION_STATES),
    sa.Index(
        "uq_definition_revisions_published",
        "definition_id",
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    ),
    schema=APP,
    comment="Immutable configurations of definitions. One row per change.",
)

site_custom_events = sa.Table(
    "site_custom_events",
    METADATA,
    identity(),
    site_id(),
    sa.Column(
        "definition_id",
        sa.BigInteger,
        sa.ForeignKey("app.custom_event_definitions.id"),
        nullable=False,
        comment="What.",
    ),
    sa.Column("label", sa.Text, nullable=False, comment="Tells assignments of one definition on one site apart."),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true(), comment="False: matches nothing."),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("site_id", "definition_id", "label"),
    sa.Index(None, "definition_id"),
    schema=APP,
    comment="A definition applied to a site; the same one may be assigned many times. One row per assignment.",
)

assignment_revisions = sa.Table(
    "assignment_revisions",
    METADATA,
    identity(),
    sa.Column(
        "assignment_id", sa.BigInteger, sa.ForeignKey("app.site_custom_events.id"), nullable=False, comment="Of this."
    ),
    sa.Column("number", sa.Integer, nullable=False, comment="1, 2, 3 ... within the assignment."),
    sa.Column("state", sa.Text, nullable=False, comment="draft, published or retired; one published at a time."),
    sa.Column("overrides", Json, nullable=False, comment="Overrides as JSON; never changed afterwards."),
    sa.Column("author", sa.Text, nullable=False, comment="Who made it."),
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="Why, in the author's words."),
    sa.Column("published_by", sa.Text, comment="Who published it."),
    sa.Column("published_at", Time, comment="When it began to apply."),
    sa.Column("retired_at", Time, comment="When it ceased to apply."),
    created_at(),
    sa.UniqueConstraint("assignment_id", "number"),
    one_of("state", REVISION_STATES),
    sa.Index(
        "uq_assignment_revisions_published",
        "assignment_id",
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    ),
    schema=APP,
    comment="Immutable overrides of assignments. One row per change.",
)
