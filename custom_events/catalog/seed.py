"""What an installation begins with: the system definitions (always), and a sample to try it out. Both as often as you like."""

import sqlalchemy as sa

from custom_events.catalog import audit, definitions
from custom_events.catalog.configurations import to_plain
from custom_events.catalog.revisions import Revision
from custom_events.errors import NotFound
from custom_events.matching.system import SYSTEM_DEFINITIONS, SystemDefinition
from custom_events.postgres import connect, migrate
from custom_events.queries import definitions as queries

AUTHOR = "custom-events"
# A person may log in under that name (a service account, say): our revisions are told by their reason as well.
SHIPPED = "ships with the product"
RENEWED = "a new release"


def bring_up_to_date(url: str) -> list[str]:
    """Migrate a database (libpq URL) to the newest revision and seed it; the keys of the definitions that changed.

    Raises Transient when a table is too busy to be changed now.
    """
    migrate.upgrade(url)
    engine = connect.engine(url, name="custom-events seed")
    try:
        with engine.begin() as connection:
            return seed_system_definitions(connection)
    finally:
        engine.dispose()


def seed_system_definitions(connection: sa.Connection) -> list[str]:
    """Make or renew the definitions that every installation has; the keys of those that changed.

    One that people have revised or retired is theirs: a new release does not touch it. A name that people gave it stays, too.
    """
    queries.take_turns(connection)
    return [key for key, shipped in SYSTEM_DEFINITIONS.items() if _seed(connection, shipped)]


def _seed(connection: sa.Connection, shipped: SystemDefinition) -> bool:
    try:
        known = definitions.get(connection, shipped.key)
    except NotFound:
        definitions.create(
            connection,
            key=shipped.key,
            name=shipped.name,
            description=shipped.description,
            config=shipped.config,
            author=AUTHOR,
            reason=SHIPPED,
            is_system=True,
        )
        definitions.publish(connection, shipped.key, 1, by=AUTHOR, ships_with_product=True)
        return True
    revised = definitions.history(connection, shipped.key)
    if known.published_number is None or not all(_is_ours(revision) for revision in revised):
        return False
    renamed = (known.name, known.description) != (shipped.name, shipped.description) and not audit.others_did(
        connection, subject=f"definition:{shipped.key}", action="definition.rename", actor=AUTHOR
    )
    if renamed:
        definitions.rename(connection, shipped.key, name=shipped.name, description=shipped.description, author=AUTHOR)
    changed = revised[-1].payload != to_plain(shipped.config)
    if changed:
        made = definitions.draft(
            connection,
            shipped.key,
            shipped.config,
            expected=known.newest_number,
            author=AUTHOR,
            reason=RENEWED,
        )
        definitions.publish(connection, shipped.key, made.number, by=AUTHOR, ships_with_product=True)
    return renamed or changed


def _is_ours(revision: Revision) -> bool:
    return revision.author == AUTHOR and revision.reason in (SHIPPED, RENEWED) and revision.state != "draft"
