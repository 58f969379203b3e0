"""Raw events: what each delivery was and what became of it; its headers and its body for those who may read them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from fastapi import Path

from console.api import problems
from console.api.calls import Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.parameters import Since
from console.api.problems import FieldError, ProblemError
from console.api.rights import Right, of_all_sites, of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import Role
from custom_events.catalog import raw_events
from custom_events.catalog.raw_events import Parked, RawFate
from custom_events.values.numbers import MAX_ID
from custom_events.values.texts import text_problem

ROUTES: Final = Routes("raw events", "Deliveries as they landed, and what became of each.")

RawEventId = Annotated[int, Path(ge=1, le=MAX_ID, description="A raw event's number.")]


class RawContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a store sent. `body`: its exact bytes, in Base64; `text`: the same as text, null where it is none in UTF-8."""

    id: int
    headers: dict[str, str]
    body: bytes
    text: str | None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many parked deliveries are understood once more; `may_be_more`: as many as at once go, so ask again when they are through."""

    rows: int
    may_be_more: bool


class ParkedFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which parked deliveries: those of this reason, or all."""

    reason: str | None = None


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
_REPLAYED: Final = Replayed(rows=12, may_be_more=False)
_REPLAYED_ONE: Final = Replayed(rows=1, may_be_more=False)
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
    found = raw_events.read(call.connection, raw_event_id, actor=call.actor)
    try:
        text = found.body.decode()
    except UnicodeDecodeError:
        text = None
    return RawContent(id=found.id, headers=found.headers, body=found.body, text=text)


@ROUTES.post(
    "/raw-events/{raw_event_id}/replay",
    right=_of_its_site(Role.EDITOR),
    answer=Replayed,
    example=_REPLAYED_ONE,
    raises=(problems.CONFLICT,),
)
def replay_raw_event(call: Call, raw_event_id: RawEventId) -> Replayed:
    """Understand a parked delivery once more, after what it was parked for is mended. Nothing counts twice by it."""
    rows = raw_events.requeue_parked(call.connection, actor=call.actor, raw_id=raw_event_id)
    if not rows:
        sentence = f"Delivery {raw_event_id} is not parked, or its body has expired: there is nothing to replay."
        raise ProblemError(problems.CONFLICT, sentence)
    return Replayed(rows=rows, may_be_more=False)


@ROUTES.post(
    "/sites/{site_id}/parked/replay",
    right=of_site(Role.EDITOR),
    answer=Replayed,
    example=_REPLAYED,
    body_example=ParkedFor(reason="unknown_currency"),
)
def replay_parked_of_site(call: Call, site_id: SiteId, body: ParkedFor) -> Replayed:
    """Understand the parked deliveries of a site once more, those of one reason where it is given; some thousands at once, the oldest first.
    What people asked about their data stays parked."""
    return _replayed(call, body, site_id)


@ROUTES.post(
    "/parked/replay",
    right=of_all_sites(Role.EDITOR),
    answer=Replayed,
    example=_REPLAYED,
    body_example=ParkedFor(reason="unknown_currency"),
)
def replay_parked(call: Call, body: ParkedFor) -> Replayed:
    """The same for all sites."""
    return _replayed(call, body, None)


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


def _replayed(call: Call, body: ParkedFor, site_id: int | None) -> Replayed:
    if (wrong := text_problem(body.reason or "")) is not None:
        raise problems.invalid(FieldError(field="reason", problem=wrong, remedy="remove it"))
    rows = raw_events.requeue_parked(call.connection, actor=call.actor, site_id=site_id, reason=body.reason)
    return Replayed(rows=rows, may_be_more=rows == raw_events.REQUEUED_AT_ONCE)
