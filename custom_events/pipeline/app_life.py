"""What stores tell of our app itself: removed, or allowed to do something else. Noted by the batch that met it."""

from collections.abc import Iterable

import structlog

from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.understanding import Delivered
from custom_events.queries import shopify_app as sql
from custom_events.values.deliveries import APP_SCOPES_CHANGED, APP_UNINSTALLED

_LOG = structlog.get_logger(__name__)


async def note(connection: Connection, delivered: Iterable[Delivered]) -> None:
    """Delete the tokens of apps that were removed, and have shops looked at whose scopes changed. What was told before the app was installed
    last (a delivery that came late, or is understood again) says nothing."""
    removed = [row for row in delivered if row.understood.reason == APP_UNINSTALLED]
    changed = [row.site_id for row in delivered if row.understood.reason == APP_SCOPES_CHANGED]
    if removed:
        columns = [row.site_id for row in removed], [row.understood.shown_at or row.received_at for row in removed]
        for site_id, shop in await connection.fetch(sql.UNINSTALL, *columns):
            _LOG.warning("shopify_app_uninstalled", site_id=site_id, shop=shop)
    if changed:
        await connection.execute(sql.LOOK_AGAIN, changed)
