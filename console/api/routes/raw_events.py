"""Raw events: what each delivery was and what became of it; its headers and its body for those who may read them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Path

from console.api.calls import Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.parameters import Since
from console.api.rights import Right, of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import raw_events
from custom_events.catalog.raw_events import Parked, RawFate
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("raw events", "Deliveries as they landed, and what became of each.")

RawEventId = Annotated[int, Path(ge=1, le=MAX_ID, description="A raw event's number.")]


class RawContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a store sent. `body`: its exact bytes, in Base64; `text`: the same as text, null where it is none in UTF-8."""

    id: int
    headers: dict[str, str]
    body: bytes
    text: str | None


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = RawFate(
    id=77,
    landed_week=date(2026, 11, 30),
    received_at=_NOON,
    site_id=3,
    topic="orders/paid",
    delivery_id="b54557e4",
    triggered_at=_NOON,
    api_version="2026-10",
    signature="hmac",
    body_bytes=5_120,
    is_waiting=False,
    outcome="parked",
    reason="unknown_currency",
    detail="the currency is missing",
    new_events=0,
    processed_at=_NOON,
)
_CONTENT: Final = {
    "id": 77,
    "headers": {"content-type": "application/json"},
    "body": "eyJpZCI6IDF9",
    "text": '{"id": 1}',
}
_PARKED: Final = Parked(reason="unknown_currency", rows=3, first_at=_NOON, last_at=_NOON)


def _site_of(connection: sa.Connection, parameters: Mapping[str, Any]) -> int | None:
    return raw_events.site_of(connection, parameters["raw_event_id"])


def _of_its_site(role: Role) -> Right:
    return of_site(role, noun="raw event", parameter="raw_event_id", site_of=_site_of)


@ROUTES.get("/raw-events/{raw_event_id}", right=_of_its_site(Role.VIEWER), answer=RawFate, example=_EXAMPLE)
def read_raw_event(call: Call, raw_event_id: RawEventId) -> RawFate:
    """One delivery: what it was and what became of it, without its headers and its body."""
    return raw_events.fate(call.connection, raw_event_id)


@ROUTES.get("/raw-events/{raw_event_id}/content", right=_of_its_site(Role.EDITOR), answer=RawContent, example=_CONTENT)
def read_raw_content(call: Call, raw_event_id: RawEventId) -> RawContent:
    """The headers and the body of one delivery. They hold personal data: the audit trail has who read them."""
    raw = raw_events.read(call.connection, raw_event_id, actor=call.actor)
    try:
        text = raw.body.decode()
    except UnicodeDecodeError:
        text = None
    return RawContent(id=raw.id, headers=raw.headers, body=raw.body, text=text)


@ROUTES.get(
    "/sites/{site_id}/parked",
    right=of_site(Role.VIEWER),
    answer=Page[Parked],
    example=Page(items=(_PARKED,), next=None),
)
def list_parked(
    call: Call,
    site_id: SiteId,
    since: Since = None,
) -> Page[Parked]:
    """Why deliveries of a site are parked, the most frequent reason first: of those that came within 30 days, unless told since when."""
    return Page(items=tuple(raw_events.parked(call.connection, site_id, since)), next=None)
