"""What is stored of somebody, as one JSON document: the answer to a request for data. Made when it is asked for, and kept nowhere."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import zstandard

from custom_events.archive.reading import rows_of_site
from custom_events.catalog import audit
from custom_events.errors import NeedsAction
from custom_events.platforms import mentions
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import redaction as sql
from custom_events.redaction.lookup import person_of, request_of, site_context
from custom_events.redaction.person import Found, find
from custom_events.redaction.run import FOREVER
from custom_events.settings import Settings
from custom_events.values import packed_facts
from custom_events.values.deliveries import RawDelivery, SiteContext
from custom_events.values.forgotten import SubjectKind

_PAGE: Final = 200  # bodies read at once
_HEADERS: Final = msgspec.json.Decoder(dict[str, str])
Rows = tuple[dict[str, Any], ...]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a person, by table, each row as it stands there; `deliveries` with the text of what the store sent."""

    request: int
    site: str
    made_at: datetime
    customers: Rows = ()
    orders: Rows = ()
    order_refunds: Rows = ()
    subscriptions: Rows = ()
    commerce_events: Rows = ()
    clicks: Rows = ()
    custom_events: Rows = ()
    conversion_uploads: Rows = ()
    deliveries: Rows = ()


def export(connection: sa.Connection, settings: Settings, raw_id: int, *, actor: str) -> Export:
    """What is stored of whom a request names; the audit trail has who read it. Raises NotFound, NeedsAction where nobody is named."""
    request = request_of(connection, raw_id)
    who = person_of(connection, request, settings)
    if who.is_nobody:
        raise NeedsAction(
            f"Request {raw_id} names nobody any more: it was carried out, or its delivery was dropped or forgotten. "
            f"Ask again with `custom-events privacy ask {request.site_key}`."
        )
    site = site_context(connection, request.site_id)
    identity = find(connection, site.site_id, who, FOREVER)
    values = {
        "site": site.site_id,
        "keys": list(identity.keys),
        "orders": list(identity.orders),
        "phones": list(identity.phones),
    }
    tables: dict[str, Rows] = {
        name: tuple(_row(*row) for row in connection.execute(statement, values))
        for name, statement in sql.EXPORT.items()
    }
    audit.record(
        connection,
        actor=actor,
        action="privacy_request.export",
        subject=f"raw_event:{raw_id}",
        detail={"rows": {name: len(rows) for name, rows in tables.items()}},
        site_id=site.site_id,
    )
    deliveries = tuple(_deliveries(connection, settings, site, identity))
    return Export(request=raw_id, site=request.site_key, made_at=datetime.now(UTC), deliveries=deliveries, **tables)


def _row(columns: dict[str, Any], facts: str | None = None) -> dict[str, Any]:
    """A row as it stands there, with all of its facts, where it has any."""
    return columns if facts is None else columns | {"facts": msgspec.json.decode(packed_facts.whole(facts))}


def _deliveries(
    connection: sa.Connection, settings: Settings, site: SiteContext, identity: Found
) -> list[dict[str, Any]]:
    wanted = {(SubjectKind.ORDER, order_id) for order_id in identity.orders}
    wanted |= {
        (SubjectKind.CUSTOMER, customer_key.removeprefix("c:"))
        for customer_key in identity.keys
        if customer_key.startswith("c:")
    }
    wanted |= {(SubjectKind.EMAIL, email) for email in identity.emails} | {
        (SubjectKind.PHONE, phone) for phone in identity.phones
    }
    deliveries: list[dict[str, Any]] = []
    week = connection.execute(sql.FIRST_WEEK).scalar_one()
    last = datetime.now(UTC).date() + timedelta(days=7)
    landed_weeks: set[date] = set()
    while week is not None and week <= last:
        after = 0
        values = {"week": week, "site": site.site_id, "rows": _PAGE}
        while rows := connection.execute(sql.RAW_PAGE, values | {"after": after}).all():
            deliveries += [delivery for row in rows if (delivery := _delivery(row, site, wanted)) is not None]
            after = rows[-1].id
            landed_weeks.add(week)
        week += timedelta(days=7)
    archived = (_delivery(row, site, wanted) for row in rows_of_site(settings, site.site_id, landed_weeks))
    return [delivery for delivery in archived if delivery is not None] + deliveries


def _delivery(row: Any, site: SiteContext, wanted: set[mentions.Mention]) -> dict[str, Any] | None:
    body = zstandard.ZstdDecompressor().decompress(bytes(row.body), max_output_size=row.body_bytes)
    delivery = RawDelivery(topic=row.topic, body=body, headers=_HEADERS.decode(row.headers))
    mentioned = mentions.of_body(body, row.topic, site.default_country)
    mentioned |= mentions.of_understood(PLATFORMS[site.platform].understand(delivery, site)).subjects
    if wanted.isdisjoint(mentioned):
        return None
    text = body.decode("utf-8", "backslashreplace")
    return {"id": row.id, "received_at": row.received_at.isoformat(), "topic": row.topic, "body": text}
