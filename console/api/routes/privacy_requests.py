"""Requests of people about their own data: who asked, until when it must be done, who did it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import Page
from console.api.rights import of_site, of_some_site
from console.api.routes.raw_events import RawEventId
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import privacy, sites
from custom_events.catalog.privacy import Request
from custom_events.redaction import export, requests
from custom_events.redaction.export import Export
from custom_events.redaction.person import Person, person
from custom_events.values.deliveries import PrivacyRequest

ROUTES: Final = Routes("privacy requests", "What people asked about their own data, and until when it must be done.")


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done, in words."""

    note: str


class NewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request that no store's delivery brought. Whoever it is about is named by one of these at least, by nobody for a whole shop; none of
    it is kept in clear."""

    kind: PrivacyRequest = PrivacyRequest.REDACT_CUSTOMER
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()


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
    """Open requests, the most urgent first. Who it is stands in the delivery that brought it, or encrypted in the request."""
    requests = privacy.requests(call.connection, every=every, only=call.caller.sites())
    return Page(items=tuple(requests), next=None)


@ROUTES.post(
    "/privacy-requests/{raw_event_id}/done",
    right=of_site(Role.ADMINISTRATOR, noun="privacy request", parameter="raw_event_id", site_of=_site_of),
    status=204,
    body_example=Note(note="deleted by the shop's script"),
    raises=(problems.CONFLICT,),
)
def close_privacy_request(call: Call, raw_event_id: RawEventId, body: Note) -> None:
    """Note that a request was carried out by hand, or that its answer was handed over; nothing is deleted by this."""
    privacy.done(call.connection, raw_event_id, actor=call.actor, note=body.note)


@ROUTES.post(
    "/sites/{site_id}/privacy-requests",
    right=of_site(Role.ADMINISTRATOR),
    status=201,
    answer=Request,
    example=_EXAMPLE,
    body_example=NewRequest(emails=("ann@example.org",)),
)
def ask_for_privacy(call: Call, site_id: SiteId, body: NewRequest) -> Answer:
    """Enter a request about a customer of a site: to forget them, which is done by the next nightly run, or to be told what is stored."""
    site = sites.get(call.connection, site_id)
    names = body.emails or body.phones or body.customer_ids or body.order_ids
    if body.kind is PrivacyRequest.REDACT_SHOP and not names:
        who = Person()
    else:
        who = person(
            emails=body.emails,
            phones=body.phones,
            customer_ids=body.customer_ids,
            order_ids=body.order_ids,
            country=site.settings.default_country,
        )
    made = requests.ask(call.connection, call.key, site_id, body.kind, who, actor=call.actor, now=datetime.now(UTC))
    return Answer(content=made, location=f"{PREFIX}/privacy-requests")


@ROUTES.get(
    "/privacy-requests/{raw_event_id}/export",
    right=of_site(Role.ADMINISTRATOR, noun="privacy request", parameter="raw_event_id", site_of=_site_of),
    answer=Export,
    example=Export(request=77, site="berlin-shop", made_at=_NOON),
)
def export_privacy_request(call: Call, raw_event_id: RawEventId) -> Export:
    """What is stored of whom a request names. It is made now and kept nowhere; the audit trail has who read it."""
    return export.export(call.connection, call.settings, raw_event_id, actor=call.actor)
