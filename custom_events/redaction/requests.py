"""Requests that no store's delivery brought: of WooCommerce's and custom senders' customers, and of whoever writes to the shop."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import audit, key_ring
from custom_events.catalog.privacy import Request, requests
from custom_events.errors import InvalidConfiguration
from custom_events.pipeline.privacy import IS_READY
from custom_events.queries import redaction as sql
from custom_events.redaction.person import Person
from custom_events.values.deliveries import PrivacyRequest


def ask(
    connection: sa.Connection,
    installation_key: bytes,
    site_id: int,
    kind: PrivacyRequest,
    who: Person,
    *,
    actor: str,
    now: datetime,
) -> Request:
    """Note a request; who it is stands encrypted in it until it was carried out. Raises InvalidConfiguration where nobody is named, or
    somebody is for a whole shop."""
    if kind is PrivacyRequest.REDACT_SHOP and not who.is_nobody:
        raise InvalidConfiguration("a whole shop is forgotten with everybody: name nobody", path="kind")
    if kind is not PrivacyRequest.REDACT_SHOP and who.is_nobody:
        raise InvalidConfiguration(
            "say who it is: an e-mail address, a phone number, a customer id or an order id", path="email"
        )
    key_ring.check(connection, installation_key)
    values = {
        "site": site_id,
        "kind": kind.value,
        "now": now,
        "due": now + IS_READY,
        "person": secrets.encrypt(msgspec.json.encode(who), installation_key, secrets.row_of_request(site_id)),
    }
    raw_id: int = connection.execute(sql.ASK, values).scalar_one()
    audit.record(
        connection,
        actor=actor,
        action="privacy_request.ask",
        subject=f"raw_event:{raw_id}",
        detail={"kind": kind.value},
        site_id=site_id,
    )
    (made,) = [request for request in requests(connection, only=[site_id]) if request.raw_id == raw_id]
    return made
