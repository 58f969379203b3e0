"""People who were forgotten, in the archive of raw events: found by what rows say, as in the landing table."""

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from custom_events import secrets
from custom_events.archive.rewriting import blank
from custom_events.archive.rows import ArchivedRow
from custom_events.archive.writing import Archived, write_due
from custom_events.queries import redaction as sql
from custom_events.redaction.bodies import Forgotten, tells_of
from custom_events.redaction.lookup import site_context
from custom_events.settings import Settings
from custom_events.values.deliveries import SiteContext
from custom_events.values.forgotten import Subjects


def forgotten_check(engine: sa.Engine, settings: Settings) -> Callable[[ArchivedRow], bool]:
    """Whether a row tells of somebody whom its site has forgotten, as of now. What each site has forgotten is read once."""
    with engine.connect() as connection:
        token = connection.execute(sql.READ_KEY).scalar_one_or_none()
        forgetful = {row.site_id for row in connection.execute(sql.FORGETFUL_SITES)}
    if token is None or not forgetful:
        return lambda _row: False
    key = secrets.decrypt(bytes(token), secrets.key(settings), secrets.FORGETTING_KEY_ROW)
    known: dict[int, tuple[Forgotten, SiteContext]] = {}

    def is_forgotten(row: ArchivedRow) -> bool:
        if row.site_id not in forgetful:
            return False
        if row.site_id not in known:
            with engine.connect() as connection:
                subjects = Subjects(key, row.site_id)
                known[row.site_id] = (
                    Forgotten(connection, subjects, row.site_id),
                    site_context(connection, row.site_id),
                )
        forgotten, site = known[row.site_id]
        return tells_of(forgotten, row, site)

    return is_forgotten


def archive_due(engine: sa.Engine, settings: Settings, now: datetime) -> list[Archived]:
    """Archive what retention would drop now, as `write_due` does; without an archive nothing is looked at."""
    return [] if settings.archive_url is None else write_due(engine, settings, now, forgotten_check(engine, settings))


def blank_archived(
    engine: sa.Engine, settings: Settings, site: SiteContext, subjects: Subjects, until: datetime | None
) -> int:
    """Blank the rows of a site's forgotten people in the archive, and those received `until` a moment whoever they are of. How many. Raises
    what `rewriting.blank` raises."""
    with engine.connect() as connection:
        forgotten = Forgotten(connection, subjects, site.site_id)
    return blank(
        engine,
        settings,
        site.site_id,
        datetime.now(UTC),
        lambda row: (until is not None and row.received_at <= until) or tells_of(forgotten, row, site),
    )
