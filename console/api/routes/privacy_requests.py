"""Requests of people about their own data: who asked, until when it must be done, who did it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Query

from console.api import problems
from console.api.calls import Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.rights import of_site, of_some_site
from console.api.routes.raw_events import RawEventId
from custom_events.access.roles import Role
from custom_events.catalog import privacy
from custom_events.catalog.privacy import Request
from custom_events.values.deliveries import PrivacyRequest

ROUTES: Final = Routes("privacy requests", "What people asked about their own data, and until when it must be done.")


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done, in words."""

    note: str


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = Request(
    raw_id=77,
    site_id=3,
    site_key="berlin-shop",
    kind=PrivacyRequest.REDACT_CUSTOMER,
    received_at=_NOON,
    due_at=datetime(2026, 12, 30, 12, tzinfo=UTC),
)


def _site_of(connection: sa.Connection, parameters: Mapping[str, Any]) -> int | None:
    return privacy.site_of(connection, parameters["raw_event_id"])


@ROUTES.get(
    "/privacy-requests",
    right=of_some_site(Role.VIEWER),
    answer=Page[Request],
    example=Page(items=(_EXAMPLE,), next=None),
)
def list_privacy_requests(
    call: Call,
    every: Annotated[bool, Query(description="Those that were carried out, too.")] = False,
) -> Page[Request]:
    """Open requests, the most urgent first. Who it is stands in the delivery that brought it."""
    found = privacy.requests(call.connection, every=every, only=call.caller.sites())
    return Page(items=tuple(found), next=None)


@ROUTES.post(
    "/privacy-requests/{raw_event_id}/done",
    right=of_site(Role.ADMINISTRATOR, noun="privacy request", parameter="raw_event_id", site_of=_site_of),
    status=204,
    body_example=Note(note="deleted by the shop's script"),
    raises=(problems.CONFLICT,),
)
def close_privacy_request(call: Call, raw_event_id: RawEventId, body: Note) -> None:
    """Note that the request of a delivery was carried out; nothing is deleted by this."""
    privacy.done(call.connection, raw_event_id, actor=call.actor, note=body.note)
