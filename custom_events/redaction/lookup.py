"""What is stored of a request: itself, whom it names, and the site."""

from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard

from custom_events import secrets
from custom_events.errors import NotFound
from custom_events.pipeline.configuration import site_of
from custom_events.queries import redaction as sql
from custom_events.redaction.person import Person, of_body
from custom_events.settings import Settings
from custom_events.values.deliveries import SiteContext
from custom_events.values.numbers import MAX_ID


def request_of(connection: sa.Connection, raw_id: int) -> Any:
    """The stored request. Raises NotFound."""
    row = connection.execute(sql.REQUEST, {"raw_id": raw_id}).one_or_none() if 0 < raw_id <= MAX_ID else None
    if row is None:
        raise NotFound(
            f"There is no request {raw_id}: `custom-events privacy list` shows them.", what="privacy request"
        )
    return row


def person_of(connection: sa.Connection, request: Any, settings: Settings) -> Person:
    """Who a request is about: by the delivery that brought it, or as somebody entered them."""
    if request.person_encrypted is not None:
        row_name = secrets.row_of_request(request.site_id)
        token = secrets.decrypt(bytes(request.person_encrypted), secrets.key(settings), row_name)
        return msgspec.json.decode(token, type=Person)
    values = {"week": request.landed_week, "raw_id": request.raw_id}
    row = connection.execute(sql.DELIVERY, values).one_or_none()
    if row is None:
        return Person()
    body = zstandard.ZstdDecompressor().decompress(bytes(row.body), max_output_size=row.body_bytes)
    return of_body(body, request.country)


def site_context(connection: sa.Connection, site_id: int) -> SiteContext:
    """The site, as understanding knows it."""
    return site_of(*connection.execute(sql.SITE, {"site": site_id}).one())
